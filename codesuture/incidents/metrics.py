"""Numbers for Prometheus, in its text exposition format 0.0.4."""

from __future__ import annotations

from datetime import UTC, datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from codesuture.incidents.reading import Incidents
    from codesuture.store import Patch, Store

    #: Labels and number of one sample.
    Sample = tuple[Mapping[str, str], float]

_NAMES = ("module", "function", "exception", "guard", "action", "severity", "id")


def metrics(found: Incidents, store: Store, patches: Iterable[Patch]) -> str:
    """All there is to count; ``found`` must be all incidents of ``store``.

    ``codesuture_crashes_total`` never goes down as long as the store is there: it has the hours
    that were let go in it, and crashes whose records had to make room.
    """
    every = list(patches)
    totals = dict(store.incidents.earlier())
    for crashes in store.crashes().values():
        for one, number in crashes.items():
            totals[one] = totals.get(one, 0) + number
    labels, last = _known(found, every, totals)
    states: dict[str, int] = {}
    for patch in every:
        states[patch.state] = states.get(patch.state, 0) + 1
    return "".join(
        (
            _family(
                "codesuture_crashes_total", "counter",
                "Crashes that nobody handles, by what was done about them.",
                [(labels[one], number) for one, number in sorted(totals.items())],
            ),
            _family(
                "codesuture_last_crash_timestamp_seconds", "gauge",
                "When a kind of crash was last seen: exact at its last record, else by the hour.",
                [(labels[one], moment.timestamp()) for one, moment in sorted(last.items())],
            ),
            _family(
                "codesuture_patches", "gauge", "Patches in the store, by state.",
                [({"state": state}, number) for state, number in sorted(states.items())],
            ),
            _family(
                "codesuture_store_problems", "gauge",
                "Lines and files of the store that cannot be read.",
                [({}, len(found.problems) + len(store.problems))],
            ),
        )
    )  # fmt: skip


def _known(
    found: Incidents, patches: list[Patch], totals: dict[str, int]
) -> tuple[dict[str, dict[str, str]], dict[str, datetime]]:
    """The labels of each id, and when it was last seen; ``totals`` gets what counts by itself."""
    labels: dict[str, dict[str, str]] = {one: _labels(one) for one in totals}
    last: dict[str, datetime] = {}
    for patch in patches:
        if patch.id in labels:
            labels[patch.id] = _labels(
                patch.id, patch.module, patch.qualname, patch.exception, patch.guard, "healed"
            )
    for group in found.groups:
        one = group.latest
        labels[group.id] = _labels(
            group.id, one["site.module"], one["site.qualname"], one["exception.type"],
            one["guard"], one["action"], one["severity"],
        )  # fmt: skip
        own = sum(record["count"] for record in group.records)
        totals[group.id] = totals.get(group.id, 0) + own or len(group.records)
        last[group.id] = group.last.astimezone(UTC)
    return labels, last


def _labels(
    known_as: str, module: str = "", function: str = "", exception: str = "", guard: str = "",
    action: str = "", severity: str = "",
) -> dict[str, str]:  # fmt: skip
    values = (module, function, exception, guard, action, severity, known_as)
    return dict(zip(_NAMES, values, strict=True))


def _family(name: str, kind: str, about: str, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {about}\n", f"# TYPE {name} {kind}\n"]
    for labels, number in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        text = str(number) if type(number) is int else repr(float(number))
        lines.append(f"{name}{{{inside}}} {text}\n" if inside else f"{name} {text}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
