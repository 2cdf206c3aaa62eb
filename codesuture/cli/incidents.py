"""`codesuture incidents`: what crashed, how often, and what was done about it."""

from __future__ import annotations

import json
import sys

from codesuture.cli.crashes import (
    add_filters,
    filter_of,
    open_store,
    read_incidents,
    report_problems,
    write_output,
)
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.terminal import Screen, counted, plain
from codesuture.incidents.exports import FORMATS, export
from codesuture.incidents.reading import Group, Incidents, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.incidents.incident import Incident

_HEADS = ("id", "last (UTC)", "severity", "action", "exception", "function", "target", "crashes")
#: What is left out first where a terminal is narrow.
_LEAST_WANTED = ("target", "action", "last (UTC)")
_COLOURS = {"info": "", "warning": "YELLOW", "error": "RED", "critical": "MAGENTA"}

_EXAMPLES = """\
examples:
  codesuture incidents --since 2d                     the last two days
  codesuture incidents --severity error               what was not healed, and worse
  codesuture incidents --function 'shop.*' --action left_alone
  codesuture incidents 1a9336f7e376                   everything about one of them
  codesuture incidents --export otlp > logs.json      for a collector of OpenTelemetry
  codesuture incidents --schema                       the JSON Schema of a record
"""


def execute(words: list[str]) -> int:
    """List incidents; 1 when a part of them cannot be read, or the one that was asked for is not
    there."""
    parser = Parser(
        prog="codesuture incidents",
        usage="codesuture incidents [ID] [--since WHEN] [--until WHEN] [--severity LEVEL] "
        "[--action ACTION]\n                            [--exception TYPE] [--guard GUARD] "
        "[--function PATTERN] [--limit N]\n                            "
        "[--json | --export FORMAT | --schema] [--output FILE]",
        description="List what crashed: each kind of crash once, with how often (by the hour).",
        epilog=_EXAMPLES,
    )
    add = parser.add_argument
    add("id", nargs="?", metavar="ID", help="tell everything about this one")
    add_filters(parser)
    add("--limit", type=int, metavar="N", help="the newest N only")
    add("--json", action="store_true", help="print JSON")
    forms = "every record, as " + ", ".join(FORMATS)
    add("--export", metavar="FORMAT", choices=FORMATS, help=forms)
    add("--output", metavar="FILE", help="write the export to a file")
    add("--schema", action="store_true", help="print the JSON Schema of a record")
    asked = parser.parse(words)
    if asked.limit is not None and asked.limit < 1:
        parser.error("--limit must be at least 1")
    if asked.schema:
        from codesuture.incidents.schema import schema_text

        sys.stdout.write(schema_text())
        return 0
    config, store = open_store()
    found = read_incidents(store, filter_of(asked))
    if asked.id:
        found.groups = _named(found, asked.id)
        found.records = [one for group in found.groups for one in group.records]
    if asked.limit:
        found.groups = found.groups[: asked.limit]
        found.records = found.records[-asked.limit :]
    if asked.export:
        write_output(export(asked.export, found.records, config.root), asked.output)
    elif asked.json:
        print(json.dumps(_as_json(found, config.store), indent=2, ensure_ascii=True))
    elif asked.id:
        _tell(Screen(sys.stdout, config.color), found.groups[0])
    else:
        _print(Screen(sys.stdout, config.color), found, config.store)
    return report_problems(found.problems)


def _named(found: Incidents, name: str) -> list[Group]:
    """The kind with this id, or whose id alone begins so."""
    groups = [group for group in found.groups if group.id == name]
    near = [group for group in found.groups if name and group.id.startswith(name.rstrip("…~"))]
    if not groups and len(near) != 1:
        raise Failure(
            f"there is no incident {name!r}",
            *(f"did you mean {group.id}?" for group in near[:3]),
            "`codesuture incidents` lists them with their ids",
        )
    return groups or near


def _as_json(found: Incidents, store: str) -> dict[str, object]:
    return {
        "store": store,
        "crashes": found.crashes,
        "nameless": found.nameless,
        "incidents": [group.to_json() for group in found.groups],
        "problems": found.problems,
    }


def _print(screen: Screen, found: Incidents, store: str) -> None:
    if found.groups:
        screen.table(_HEADS, [_row(group) for group in found.groups], _LEAST_WANTED)
        screen.line()
    total = sum(group.crashes for group in found.groups)
    if found.groups:
        kinds = counted(len(found.groups), "kind", "kinds")
        screen.line(f"{counted(total, 'crash', 'crashes')} of {kinds} in {store}")
    else:
        screen.line(f"No such crashes in {store}")
    if found.nameless:
        screen.line(
            f"{counted(found.nameless, 'crash', 'crashes')} more, whose records had to make room."
        )


def _row(group: Group) -> tuple[str, ...]:
    latest = group.latest
    return (
        group.id,
        text_of(group.last).replace("T", " ").rstrip("Z"),
        latest["severity"],
        latest["action"],
        latest["exception.type"],
        latest.name,
        latest["site.target"] or latest["site.expression"],
        str(group.crashes),
    )


def _tell(screen: Screen, group: Group) -> None:
    """Everything about one kind of crash."""
    one = group.latest
    message = f": {one['exception.message']}" if one["exception.message"] else ""
    place = f"{one['site.file']}:{one['site.line']}"
    screen.line(
        screen.paint(plain(f"{one['exception.type']}{message}"), "BRIGHT")
        + plain(f" in {one.name} at {place}")
    )
    severity = screen.paint(one["severity"], _COLOURS[one["severity"]] or "BRIGHT")
    screen.line(
        f"{severity}, {one['action']}, {counted(group.crashes, 'crash', 'crashes')} from "
        f"{text_of(group.first)} to {text_of(group.last)}"
    )
    for head, text in _facts(one):
        if text:
            screen.line(plain(f"  {head:<11} {text}"))
    for value in one.values:
        screen.line(plain(f"  {'operand':<11} {_value(value)}"))
    for step in one.chain:
        where = f"{step.get('file', '?')}:{step.get('line', '?')}"
        screen.line(plain(f"  {'called from' if step is not one.chain[0] else 'crashed in':<11} "
                          f"{step.get('qualname', '?')} at {where}"))  # fmt: skip
    screen.line(f"  {'record':<11} {one['record']} of {one['time']}, process {one['process.pid']}")


def _facts(one: Incident) -> list[tuple[str, str]]:
    request = f"{one['request.method']} {one['request.path']}".strip()
    supplied = f"{one['default']} by {one['guard']}" if one["action"] == "healed" else ""
    return [
        ("expression", one["site.expression"] or one["site.target"]),
        ("supplied", supplied),
        ("because", one["why"]),
        ("fate", one["fate.evidence"]),
        ("request", request),
        ("patch", one["patch"]),
    ]


def _value(value: dict[str, object]) -> str:
    text = f"{value.get('name', '?')}: {value.get('type', 'not known')}"
    if "length" in value:
        text += f" of length {value['length']}"
    if value.get("redacted"):
        return text + " (hidden: the name speaks of a secret)"
    if "value" in value:
        text += f" = {json.dumps(value['value'], ensure_ascii=False)}"
    return text
