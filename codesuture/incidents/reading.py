"""The incidents of a store as people look at them: grouped by kind, counted, filtered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from codesuture.incidents.incident import Incident
from codesuture.incidents.severity import LEVELS
from codesuture.store.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.store import Store

HOUR = timedelta(hours=1)


class Filter:
    """Which incidents are wanted; empty texts and None want all.

    ``function`` is a pattern, as in ``fnmatch``, of ``module:qualname``, or of the module;
    ``severity`` the least.
    """

    __slots__ = ("action", "exception", "function", "guard", "severity", "since", "until")

    def __init__(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        severity: str = "",
        action: str = "",
        exception: str = "",
        guard: str = "",
        function: str = "",
    ) -> None:
        self.since = since
        self.until = until
        self.severity = severity
        self.action = action
        self.exception = exception
        self.guard = guard
        self.function = function

    def wants(self, incident: Incident) -> bool:
        """Whether the kind of an incident is wanted, whenever it was."""
        least = LEVELS.index(self.severity) if self.severity else 0
        if LEVELS.index(incident["severity"]) < least:
            return False
        for asked, name in (
            (self.action, "action"), (self.exception, "exception.type"), (self.guard, "guard"),
        ):  # fmt: skip
            if asked and not fnmatchcase(incident[name], asked):
                return False
        names = (incident.name, incident["site.module"])
        return not self.function or any(fnmatchcase(name, self.function) for name in names)

    def covers(self, moment: datetime) -> bool:
        """Whether a moment lies in the wanted time."""
        return (self.since is None or moment >= self.since) and (
            self.until is None or moment < self.until
        )

    def covers_hour(self, start: datetime) -> bool:
        """Whether a part of an hour does."""
        return (self.since is None or start + HOUR > self.since) and (
            self.until is None or start < self.until
        )


class Group:
    """All crashes of one kind. ``latest`` is the newest record; ``hours`` are numbers of crashes
    by the hour, ``crashes`` their sum. ``begun`` is the moment of the first record of all, wanted
    or not."""

    __slots__ = ("begun", "crashes", "first", "hours", "id", "last", "latest", "records")

    def __init__(
        self, records: list[Incident], hours: dict[datetime, int], begun: datetime
    ) -> None:
        self.begun = begun
        self.records = records
        self.latest = records[-1]
        self.id = self.latest.id
        self.hours = dict(hours)
        for record in records:
            # A writer of another language counts by itself. A record that nobody has counted is
            # one crash: its process had no journal and was killed.
            number = record["count"] or (0 if hours else 1)
            if number:
                hour = record.moment.replace(minute=0, second=0, microsecond=0)
                self.hours[hour] = self.hours.get(hour, 0) + number
        self.crashes = sum(self.hours.values())
        moments = [one.moment for one in records]
        self.first = min([*moments, *(hour + HOUR for hour in self.hours)])
        self.last = max([*moments, *self.hours])

    def to_json(self) -> dict[str, object]:
        """For ``--json``: the newest record, and the numbers."""
        return {
            "id": self.id,
            "crashes": self.crashes,
            "records": len(self.records),
            "first": text_of(self.first),
            "last": text_of(self.last),
            "hours": {text_of(hour): number for hour, number in sorted(self.hours.items())},
            "latest": self.latest.to_json(),
        }


class Incidents:
    """What a store has. ``records`` are all that were wanted, the oldest first; ``groups`` the
    kinds, the newest first; ``nameless`` counts crashes whose record is no longer there."""

    def __init__(self, store: Store, wanted: Filter | None = None) -> None:
        wanted = wanted or Filter()
        every = _records(store)
        kinds: dict[str, list[Incident]] = {}
        for one in every:
            kinds.setdefault(one.id, []).append(one)
        hours = _by_id(
            (start, crashes)
            for start, crashes in store.crashes().items()
            if wanted.covers_hour(start)
        )
        self.nameless = sum(
            sum(numbers.values()) for known_as, numbers in hours.items() if known_as not in kinds
        )
        self.groups: list[Group] = []
        self.records: list[Incident] = []
        for known_as, records in kinds.items():
            if not wanted.wants(records[-1]):
                continue
            covered = [record for record in records if wanted.covers(record.moment)]
            if covered:
                self.groups.append(Group(covered, hours.get(known_as, {}), records[0].moment))
            elif known_as in hours:  # what happened then was only counted
                self.groups.append(Counted(records[-1], hours[known_as]))
            self.records += covered
        self.groups.sort(key=lambda group: (group.last, group.id), reverse=True)
        self.records.sort(key=lambda record: record.moment)
        self.problems: list[str] = list(store.incidents.problems)

    @property
    def crashes(self) -> int:
        """How many crashes there were."""
        return self.nameless + sum(group.crashes for group in self.groups)


class Counted(Group):
    """Crashes in a time from which there is no record; ``latest`` is from another."""

    __slots__ = ()

    def __init__(self, latest: Incident, hours: dict[datetime, int]) -> None:
        self.records = []
        self.begun = latest.moment
        self.latest = latest
        self.id = latest.id
        self.hours = hours
        self.crashes = sum(hours.values())
        self.first, self.last = min(hours), max(hours)


def _records(store: Store) -> list[Incident]:
    """All readable records, the oldest first; one that takes the place of another comes once."""
    found: dict[str, Incident] = {}
    log = store.incidents
    for document, place in log.records():
        try:
            incident = Incident.from_json(document)
        except StoreError as error:
            log.skip(place, error)
        else:
            found[str(incident.facts["record"])] = incident
    return sorted(found.values(), key=lambda incident: incident.moment)


def _by_id(
    hours: Iterable[tuple[datetime, dict[str, int]]],
) -> dict[str, dict[datetime, int]]:
    found: dict[str, dict[datetime, int]] = {}
    for start, crashes in hours:
        for one, number in crashes.items():
            found.setdefault(one, {})[start] = number
    return found


def text_of(moment: datetime) -> str:
    """ISO 8601, UTC, whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
