"""A picture of crashes over time: SVG for pages, characters for text. No library is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from codesuture.incidents.severity import ACTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.incidents.reading import Group

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: What is longer than this is drawn by days.
_BY_HOURS = timedelta(days=3)
_MOST_BARS = 120

WIDTH, HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 24, 28
_COLOURS = {
    "healed": "#2e8b57", "left_alone": "#c0392b", "replayed": "#e08e0b", "observed": "#6c7a89",
}  # fmt: skip
_LEVELS = "▁▂▃▄▅▆▇█"


class Series:
    """Crashes in equal steps of time, from ``start`` on: for each step how many of each action."""

    def __init__(
        self, groups: Iterable[Group], since: datetime | None, until: datetime | None = None
    ) -> None:
        found = list(groups)
        end = until or datetime.now(UTC)
        hours = [hour for group in found for hour in group.hours]
        first = since or (min(hours) if hours else end - DAY)
        self.step = HOUR if end - first <= _BY_HOURS else DAY
        while (end - first) / self.step > _MOST_BARS:
            self.step *= 2
        self.end = "now" if until is None else until.strftime("%d %b %Y %H:%M")
        self.start = _floor(first, min(self.step, DAY))
        number = max(1, -(-(end - self.start) // self.step))
        self.bars: list[dict[str, int]] = [{} for _ in range(number)]
        for group in found:
            action = group.latest["action"]
            for hour, crashes in group.hours.items():
                place = min(max(0, (hour - self.start) // self.step), number - 1)
                self.bars[place][action] = self.bars[place].get(action, 0) + crashes

    @property
    def most(self) -> int:
        """The highest bar."""
        return max([sum(bar.values()) for bar in self.bars])

    @property
    def unit(self) -> str:
        """What one bar stands for."""
        number = self.step // (HOUR if self.step < DAY else DAY)
        name = "hour" if self.step < DAY else "day"
        return f"each bar is {number} {name}s" if number > 1 else f"each bar is one {name}"

    def label(self, place: int) -> str:
        """When a bar begins."""
        moment = self.start + place * self.step
        return moment.strftime("%d %b %H:%M" if self.step < DAY else "%d %b %Y")


def as_text(series: Series) -> str:
    """Bars of characters, with the highest number and the two ends."""
    most = series.most
    bars = "".join(
        " " if not total else _LEVELS[max(0, -(-total * len(_LEVELS) // most) - 1)]
        for total in (sum(bar.values()) for bar in series.bars)
    )
    told = f"{series.label(0)} to {series.end}; the highest bar is {most}; {series.unit} (UTC)"
    return f"{bars}|\n{told}"


def as_svg(series: Series) -> str:
    """One ``<svg>`` element; only our own words and numbers are in it, so it is safe anywhere."""
    most = max(1, series.most)
    wide = (WIDTH - _LEFT - _RIGHT) / len(series.bars)
    high = HEIGHT - _TOP - _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="11">',
        f"<title>Crashes over time, {series.unit}</title>",
        _line(_TOP, str(most)),
        _line(_TOP + high, "0"),
    ]
    for place, bar in enumerate(series.bars):
        bottom = float(_TOP + high)
        for action in ACTIONS:
            crashes = bar.get(action, 0)
            if crashes:
                tall = high * crashes / most
                bottom -= tall
                parts.append(
                    f'<rect x="{_LEFT + place * wide:.2f}" y="{bottom:.2f}" '
                    f'width="{max(wide * 0.85, 1):.2f}" height="{tall:.2f}" '
                    f'fill="{_COLOURS[action]}"><title>{series.label(place)}: {crashes} '
                    f'{action.replace("_", " ")}</title></rect>'
                )
    parts.append(_text(_LEFT, HEIGHT - 10, series.label(0)))
    parts.append(_text(WIDTH - _RIGHT, HEIGHT - 10, series.end, ' text-anchor="end"'))
    parts += _legend()
    return "\n".join([*parts, "</svg>"])


def _line(y: float, label: str) -> str:
    text = _text(_LEFT - 6, y + 4, label, ' text-anchor="end"')
    return (
        f'<line x1="{_LEFT}" y1="{y}" x2="{WIDTH - _RIGHT}" y2="{y}" stroke="currentColor" '
        f'stroke-opacity="0.25"/>{text}'
    )


def _text(x: float, y: float, text: str, anchor: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="currentColor"{anchor}>{text}</text>'


def _legend() -> list[str]:
    found = []
    for number, action in enumerate(ACTIONS):
        x = _LEFT + number * 100
        found.append(f'<rect x="{x}" y="4" width="10" height="10" fill="{_COLOURS[action]}"/>')
        found.append(_text(x + 14, 13, action.replace("_", " ")))
    return found


def _floor(moment: datetime, step: timedelta) -> datetime:
    plain = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return plain.replace(hour=0) if step >= DAY else plain
