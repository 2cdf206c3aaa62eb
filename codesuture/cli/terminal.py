"""What a terminal can show: colour, width, tables; and text from elsewhere made harmless."""

from __future__ import annotations

import os
import shutil

from codesuture.terminal import wants_color

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_LEAST_WIDTH = 8
#: What columns are to have before others are left out for them.
_WANTED_WIDTH = 14
_GAP = "  "


class Screen:
    """One output stream. `setting` is the configuration's `color`: auto, always or never."""

    def __init__(self, stream: TextIO, setting: str) -> None:
        self._stream = stream
        self.coloured = wants_color(stream, setting)
        if self.coloured and os.name == "nt":
            from colorama import AnsiToWin32

            self._stream = AnsiToWin32(stream).stream  # type: ignore[assignment]

    def paint(self, text: str, colour: str) -> str:
        """`text` in a colour of `colorama.Fore` (or in `BRIGHT`), or as it is."""
        if not self.coloured:
            return text
        from colorama import Fore, Style

        start = Style.BRIGHT if colour == "BRIGHT" else getattr(Fore, colour)
        return f"{start}{text}{Style.RESET_ALL}"

    def line(self, text: str = "") -> None:
        """Print one line."""
        print(text, file=self._stream)

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        least_wanted: Sequence[str] = (),
    ) -> list[str]:
        """Print a table; on a terminal the widest columns are cut until it fits.

        Where that is not enough columns are left out, the ``least_wanted`` ones first; the heads
        of those, in the table's order.
        """
        cells = [[plain(cell) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
        shown = list(range(len(heads)))
        room = self._room()
        if room is not None:
            for head in least_wanted:
                if _wanted([widths[column] for column in shown]) <= room:
                    break
                shown.remove(heads.index(head))
            widths = _fit([widths[column] for column in shown], room)
            cells = [[row[column] for column in shown] for row in cells]
        head = _row([heads[column] for column in shown], widths, self._dots())
        self.line(self.paint(head, "BRIGHT"))
        for row in cells:
            self.line(_row(row, widths, self._dots()))
        return [head for column, head in enumerate(heads) if column not in shown]

    def _room(self) -> int | None:
        """The columns there are; None when nobody's eyes limit the width."""
        if self._stream.isatty() or os.environ.get("COLUMNS", "").isdigit():
            return shutil.get_terminal_size().columns
        return None

    def _dots(self) -> str:
        """The sign for "cut here" that the stream can encode."""
        encoding = (getattr(self._stream, "encoding", "") or "ascii").lower()
        return "…" if encoding.startswith("utf") else "~"


def plain(text: str) -> str:
    """`text` on one line and without control characters: a patch must not steer a terminal."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


def _wanted(widths: list[int]) -> int:
    """How wide a table is with every column cut as far as it can well be read."""
    return sum(min(width, _WANTED_WIDTH) for width in widths) + len(_GAP) * (len(widths) - 1)


def width(text: str) -> int:
    """The columns that a terminal needs for the text: two for each wide character."""
    from unicodedata import combining, east_asian_width

    return sum(
        0 if combining(sign) else 2 if east_asian_width(sign) in "WF" else 1 for sign in text
    )


def _fit(widths: list[int], room: int) -> list[int]:
    """Take columns from the widest, one at a time, until the table is at most `room` wide."""
    widths = list(widths)
    spare = room - len(_GAP) * (len(widths) - 1)
    while sum(widths) > spare and max(widths) > _LEAST_WIDTH:
        widths[widths.index(max(widths))] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], dots: str) -> str:
    shown = [
        (cell if len(cell) <= width else cell[: width - 1] + dots).ljust(width)
        for cell, width in zip(cells, widths, strict=True)
    ]
    return _GAP.join(shown).rstrip()


def counted(count: int, one: str, several: str) -> str:
    """`no patches`, `1 patch`, `3 patches`."""
    return f"{count or 'no'} {one if count == 1 else several}"
