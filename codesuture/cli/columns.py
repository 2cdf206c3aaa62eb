"""The columns of the table of patches: how each is headed, shown, written and sorted."""

from __future__ import annotations

from codesuture.cli.patches import Entry, moment, span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Column:
    """One column. ``key`` names it in CSV and for ``--sort``; ``data`` is what is written to CSV
    and sorted by, ``shown`` what stands in the table."""

    def __init__(
        self,
        key: str,
        head: str,
        data: Callable[[Entry], Any],
        shown: Callable[[Entry], str] | None = None,
    ) -> None:
        self.key = key
        self.head = head
        self.data = data
        self.shown = shown or (lambda entry: str(data(entry)))


def verdict_of(entry: Entry) -> str:
    """What `--shadow` has found out about the patch's values, if anything."""
    return entry.patch.shadow.verdict if entry.patch.shadow else ""


COLUMNS = (
    Column("function", "function", lambda entry: entry.patch.name),
    Column("guard", "guard", lambda entry: entry.patch.guard),
    Column("target", "target", lambda entry: entry.patch.target),
    Column("default", "default", lambda entry: entry.choice.recipe.describe()),
    Column("rung", "rung", lambda entry: entry.choice.rung),
    Column("hits", "hits", lambda entry: entry.hits),
    Column("first_seen", "first seen", lambda entry: entry.first_seen or "",
           lambda entry: moment(entry.first_seen)),
    Column("last_seen", "last seen", lambda entry: entry.last_seen or "",
           lambda entry: moment(entry.last_seen)),
    Column("age", "age", lambda entry: int(entry.age.total_seconds()),
           lambda entry: span(entry.age)),
    Column("ttl_left", "TTL left",
           lambda entry: "" if entry.patch.pinned else int(entry.left.total_seconds()),
           lambda entry: "pinned" if entry.patch.pinned else span(entry.left)),
    Column("state", "state", lambda entry: entry.state),
    Column("fate", "fate", lambda entry: entry.patch.fate),
    Column("shadow", "shadow", verdict_of,
           lambda entry: entry.patch.shadow.describe() if entry.patch.shadow else "-"),
)

BY_KEY = {column.key: column for column in COLUMNS}

#: Heads of what is left out first where a terminal is narrow.
LEAST_WANTED = ("fate", "shadow", "first seen", "rung", "last seen", "age", "guard", "target")


def as_cells(entry: Entry) -> list[str]:
    """The row of one patch."""
    return [column.shown(entry) for column in COLUMNS]


def sorted_by(entries: list[Entry], key: str) -> list[Entry]:
    """The patches in the order of a column; without an end of time (pinned) comes last."""

    def order(entry: Entry) -> tuple[bool, Any]:
        value = BY_KEY[key].data(entry)
        return (key == "ttl_left" and value == "", value if value != "" or key != "ttl_left" else 0)

    return sorted(entries, key=order)
