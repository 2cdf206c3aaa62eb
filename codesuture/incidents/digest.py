"""A digest for people who were not there: what crashed in a time, in Markdown or HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from codesuture import __version__
from codesuture.incidents.picture import Series, as_svg, as_text
from codesuture.incidents.reading import Incidents, text_of
from codesuture.incidents.severity import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from codesuture.incidents.reading import Filter, Group

MOST_ROWS = 50
_HEADS = ("crashes", "severity", "action", "exception", "where", "what", "last (UTC)", "id")


class Digest:
    """What is told: of which project, of which time, from which incidents."""

    def __init__(self, found: Incidents, wanted: Filter, project: str) -> None:
        self.project = project
        self.found = found
        self.until = wanted.until or datetime.now(UTC)
        self.since = wanted.since
        self.series = Series(found.groups, wanted.since, wanted.until)
        # The worst first, then the most frequent.
        self.groups = sorted(
            found.groups,
            key=lambda group: (-LEVELS.index(group.latest["severity"]), -group.crashes, group.id),
        )

    @property
    def title(self) -> str:
        """The headline."""
        return f"Crashes of {self.project}"

    def sentences(self) -> list[str]:
        """The sum of it."""
        begin = f"from {text_of(self.since)}" if self.since else "from the beginning"
        if not self.groups:
            return [f"Nothing has crashed {begin} to {text_of(self.until)}."]
        by_action = self._sums("action")
        parts = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in by_action)
        told = [
            f"{_crashes(sum(group.crashes for group in self.groups))} of {len(self.groups)} "
            f"{'kind' if len(self.groups) == 1 else 'kinds'} {begin} to {text_of(self.until)}: "
            f"{parts}."
        ]
        worst = self._sums("severity")
        told.append("By severity: " + ", ".join(f"{number} {name}" for name, number in worst) + ".")
        if self.since is not None:
            new = sum(group.begun >= self.since for group in self.groups)
            told.append(f"New since then: {new} of the kinds.")
        if self.found.nameless:
            told.append(f"{_crashes(self.found.nameless)} more, whose records had to make room.")
        return told

    def rows(self, mark: Callable[[str], str]) -> list[tuple[str, ...]]:
        """One row for each kind; ``mark`` makes code of a text."""
        return [_row(group, mark) for group in self.groups[:MOST_ROWS]]

    def rest(self) -> str:
        """What the table leaves out."""
        more = len(self.groups) - MOST_ROWS
        return f"And {more} more kinds: `codesuture incidents` lists them." if more > 0 else ""

    def functions(self) -> list[tuple[str, int]]:
        """The functions that crash most."""
        sums: dict[str, int] = {}
        for group in self.groups:
            sums[group.latest.name] = sums.get(group.latest.name, 0) + group.crashes
        return sorted(sums.items(), key=lambda one: (-one[1], one[0]))[:10]

    def _sums(self, field: str) -> list[tuple[str, int]]:
        sums: dict[str, int] = {}
        for group in self.groups:
            name = group.latest[field]
            sums[name] = sums.get(name, 0) + group.crashes
        return sorted(sums.items(), key=lambda one: (-one[1], one[0]))


def as_markdown(digest: Digest, picture: str = "") -> str:
    """``picture`` is the address of an SVG file; without one it is drawn with characters."""
    lines = [f"# {_md(digest.title)}", "", *(_md(text) for text in digest.sentences()), ""]
    if digest.groups:
        if picture:
            lines += [f"![Crashes over time](<{picture}>)", ""]
        lines += ["```text", as_text(digest.series), "```", "", "## What crashed", ""]
        lines += _md_table(_HEADS, digest.rows(_md_code))
        lines += ["", "## Where", ""]
        lines += _md_table(
            ("function", "crashes"),
            [(_md_code(name), str(number)) for name, number in digest.functions()],
        )
        if digest.rest():
            lines += ["", digest.rest()]
    lines += ["", f"Made by codesuture {__version__} at {text_of(datetime.now(UTC))}.", ""]
    return "\n".join(lines)


def as_html(digest: Digest) -> str:
    """One page that needs nothing else; every text of the program is escaped."""
    body = [f"<h1>{escape(digest.title)}</h1>"]
    body += [f"<p>{escape(text)}</p>" for text in digest.sentences()]
    if digest.groups:
        body += [f"<figure>{as_svg(digest.series)}</figure>", "<h2>What crashed</h2>"]
        body.append(_html_table(_HEADS, digest.rows(_html_code), 2))
        body.append("<h2>Where</h2>")
        where = [(_html_code(name), str(number)) for name, number in digest.functions()]
        body.append(_html_table(("function", "crashes"), where, 0))
        body.append(f"<p>{escape(digest.rest())}</p>" if digest.rest() else "")
    made = f"Made by codesuture {__version__} at {text_of(datetime.now(UTC))}."
    body.append(f"<footer>{escape(made)}</footer>")
    return _PAGE.format(title=escape(digest.title), body="\n".join(body))


def svg_of(digest: Digest) -> str:
    """The picture, as a file of its own."""
    return as_svg(digest.series).replace("<svg ", '<svg color="#555" ', 1) + "\n"


def _row(group: Group, mark: Callable[[str], str]) -> tuple[str, ...]:
    latest = group.latest
    place = f"{latest['site.file']}:{latest['site.line']}"
    return (
        str(group.crashes),
        latest["severity"],
        latest["action"].replace("_", " "),
        mark(latest["exception.type"]),
        f"{mark(latest.name)} {mark(place)}",
        mark(latest["site.expression"] or latest["site.target"] or "?"),
        text_of(group.last).replace("T", " ").rstrip("Z"),
        mark(group.id),
    )


def _crashes(number: int) -> str:
    return f"{number} crash" if number == 1 else f"{number} crashes"


_SIGNS = frozenset("\\`*_{}[]<>#|&~!()")


def _md(text: str) -> str:
    """A text of the program as a text of Markdown, whatever it holds."""
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in text)


def _md_code(text: str) -> str:
    """The same as code in a cell of a table, where ``|`` ends the cell even in code."""
    fence = "``" if "`" in text else "`"
    space = " " if "`" in text else ""
    return f"{fence}{space}{text.replace('|', chr(92) + '|')}{space}{fence}"


def _md_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _html_code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _html_table(heads: Sequence[str], rows: Sequence[Sequence[str]], level: int) -> str:
    """``level``: the column behind which the rows' severity stands, for their colour."""
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    lines = [
        f'<tr class="{row[1] if level else ""}">'
        + "".join(f"<td>{cell}</td>" for cell in row)
        + "</tr>"
        for row in rows
    ]
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font-family: sans-serif; }}
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
figure {{ margin: 1rem 0; overflow-x: auto; }}
table {{ border-collapse: collapse; width: 100%; font-size: 0.9rem; }}
th, td {{ text-align: left; padding: 0.3rem 0.5rem; border-bottom: 1px solid #8884; }}
td {{ overflow-wrap: anywhere; vertical-align: top; }}
tr.critical td:nth-child(2) {{ color: #c0392b; font-weight: bold; }}
tr.error td:nth-child(2) {{ color: #c0392b; }}
tr.warning td:nth-child(2) {{ color: #b9770e; }}
footer {{ margin-top: 2rem; font-size: 0.8rem; opacity: 0.7; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""
