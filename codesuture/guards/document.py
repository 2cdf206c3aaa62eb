"""Writes ``docs/guards.md``: ``python -m codesuture.guards.document``."""

from __future__ import annotations

from pathlib import Path

from codesuture.guards.guard import Guard
from codesuture.guards.registry import built_in
from codesuture.guards.results import LOOKUPS, RESULTS
from codesuture.guards.type_coercion import COERCIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = Path(__file__).parents[2] / "docs" / "guards.md"

_HEAD = """\
# Guards

A guard recognises one kind of crash, at the instruction that raised it, and says what takes the
place of the missing value. They are asked in this order; the first one that is certain decides.
A single guard is switched off with `guards.<name> = false` in the configuration.

The value in the last column is the guard's own, the last rung of the ladder of defaults: what you
configure for a place, what a patch says, an annotation, or what the consumer of the value needs
come first. Where it says *fixed*, only the configuration and the patch come first.

<!-- Written by `python -m codesuture.guards.document`; do not edit. -->

| guard | recognises | for example | value |
|---|---|---|---|
"""

_TAIL = """
Never recognised, because a value would only hide the mistake: a wrong number or a wrong name of
arguments, an attribute that is read-only on purpose, text that cannot be decoded or encoded, names
that are not defined, and every exception that Python code raises itself, in your program or in a
package. Some of what the standard library writes in Python is an exception to the last point:
`Fraction("x")`, `datetime.strptime`, `UUID("x")`, `ip_address("x")`, `Path.open`, `Path.read_text`,
`Path.read_bytes` and `os.environ["NAME"]` are known and healed there. From Python 3.12 on that
needs a plain last argument where the function is written in Python (`ip_address(text)`, not
`ip_address(row["text"])`).

## Crashes inside packages

`call_guard` is off until you name distributions in `library_calls`; what it does, and why that is
the default, is in [calls.md](calls.md).

## Functions that are known

`type_coercion_guard`: {coercions}.

`lookup_guard`: {lookups}.

`argument_guard`: {results}.

## Guards of your own

A distribution adds a guard with an entry point in the group `codesuture.guards`, whose name is the
guard's name and whose object is a class (or an instance) with the attributes and methods of
`codesuture.guards.guard.Guard`. Such guards are asked after the built-in ones and cannot take the
name of one. A guard that cannot be loaded is reported in one line and left out.
"""


def document() -> str:
    """The whole text of ``docs/guards.md``."""
    rows = "".join(_row(guard) for guard in built_in())
    tail = _TAIL.format(
        coercions=_names(COERCIONS), lookups=_names(LOOKUPS), results=_names(RESULTS)
    )
    return _HEAD + rows + tail


def _row(guard: Guard) -> str:
    examples = ", ".join(f"`{example}`".replace("|", "\\|") for example in guard.examples)
    value = guard.supplies + (", *fixed*" if guard.fixed else "")
    return f"| `{guard.name}` | {guard.meaning} | {examples} | {value} |\n"


def _names(table: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(table))


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
