"""`codesuture fingerprints`: the patterns of crash sites that are known; list, export, import."""

from __future__ import annotations

import json
import os
import sys

from codesuture import fingerprints
from codesuture.cli.failure import Failure, Parser
from codesuture.cli.patches import read
from codesuture.cli.terminal import Screen, counted, plain
from codesuture.store import StoreError
from codesuture.store.pattern import encode_patterns, merged, read_patterns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.fingerprints import Seen

_HEADS = ("PATTERN", "PYTHON", "GUARD", "EXCEPTION", "DEFAULT", "SITES", "FAILED", "CONFIDENCE",
          "FROM")  # fmt: skip


def configure(parser: Parser) -> None:
    """Add the arguments of `fingerprints`."""
    parser.add_argument("action", nargs="?", default="list", choices=["list", "export", "import"])
    parser.add_argument("file", nargs="?", help="what to write (`-`: standard output), or to read")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(words: list[str]) -> int:
    """List, export or import; 1 when a file cannot be read or written, 2 for wrong usage."""
    parser = Parser(
        prog="codesuture fingerprints",
        usage="codesuture fingerprints [list | export FILE | import FILE] [--json]",
        description="Patterns of crash sites that are known: how many sites had them, how many "
        "kept their patch, and which default a new site of that pattern gets at once.",
    )
    configure(parser)
    asked = parser.parse(words)
    if (asked.file is None) != (asked.action == "list"):
        parser.error(f"{asked.action} takes {'no' if asked.action == 'list' else 'a'} file")
    if asked.action == "import":
        return _import(asked.file, asked.json)
    listing = read()
    try:
        found = fingerprints.registry(
            fingerprints.of_patches(
                (entry.patch for entry in listing.entries), listing.store.removed()
            ),
            fingerprints.read_imported(),
        )
    except StoreError as problem:
        raise Failure(str(problem)) from None
    if asked.action == "export":
        _export(asked.file, found, asked.json)
    elif asked.json:
        said = {"fingerprints": [_to_json(one) for one in found], "problems": listing.problems}
        print(json.dumps(said, indent=2))
    else:
        _print(found, listing.config.color)
    return listing.report_problems()


def _to_json(seen: Seen) -> dict[str, object]:
    return {
        **seen.known.to_json(),
        "sites": seen.sites,
        "failed": seen.failed,
        "confidence": round(seen.confidence, 4),
        "trusted": seen.is_trusted,
        "from": seen.provenance,
    }


def _print(found: list[Seen], color: str) -> None:
    screen = Screen(sys.stdout, color)
    if not found:
        screen.line("No pattern is known: there is no patch whose default it could give again.")
        return
    rows = [
        (
            one.known.pattern, one.known.python, one.known.guard, one.known.exception,
            one.known.default.describe(), str(one.sites), str(one.failed),
            f"{one.confidence:.2f}", one.provenance,
        )
        for one in found
    ]  # fmt: skip
    screen.table(_HEADS, rows)
    applied = sum(one.is_trusted for one in found)
    screen.line()
    screen.line(
        f"{counted(len(found), 'pattern', 'patterns')}; {applied} known well enough to be applied"
        f" at once (confidence {fingerprints.TRUSTED} or more, and of ten sites at most one failed)"
    )


def _export(path: str, found: list[Seen], as_json: bool) -> None:
    """Write what this project itself knows, and what it has from others: a file without names of
    code, paths or values of data."""
    every = [one for seen in found for one in (seen.own, seen.imported) if one is not None]
    try:
        content = encode_patterns(every)
        if path == "-":
            sys.stdout.write(content.decode())
            return
        from codesuture.store.files import write_atomically

        write_atomically(os.path.abspath(path), content)
    except StoreError as problem:
        raise Failure(str(problem)) from None
    count = len(merged(every))
    if as_json:
        print(json.dumps({"exported": count, "file": path}, indent=2))
    else:
        print(plain(f"Exported {counted(count, 'pattern', 'patterns')} to {path}"))


def _import(path: str, as_json: bool) -> int:
    """Take over a file; what was known with other counts is replaced by the larger ones, so that
    the same file may be imported twice."""
    try:
        new = read_patterns(path, foreign=True)
    except FileNotFoundError:
        raise Failure(f"there is no file {plain(path)}") from None
    except StoreError as problem:
        raise Failure(f"{plain(path)} was not imported because {problem}", code=2) from None
    try:
        known = {one.key: one for one in fingerprints.read_imported()}
        for one in new:
            before = known.get(one.key)
            if before is None or before.sites + before.failed < one.sites + one.failed:
                known[one.key] = one
        place = fingerprints.write_imported(known.values())
    except StoreError as problem:
        raise Failure(str(problem)) from None
    if as_json:
        print(json.dumps({"imported": len(new), "file": place}, indent=2))
    else:
        print(plain(f"Imported {counted(len(new), 'pattern', 'patterns')} into {place}"))
    return 0
