"""Incidents on disk: what crashed, as JSON Lines, and how often, by the hour.

    incidents/
      .gitignore            none of this is for commits
      log.jsonl             one line for each record, the newest last
      log.1.jsonl ...       older ones, until there is no room for them
      hours/2026-11-25T07.json    crashes of one hour (UTC) by id
      hours/earlier.json    the sum of hours that were let go, and which was the last of them

Whoever else writes records (agents of other languages) has a file ``<name>.jsonl`` here.

A record is one write to a file that is opened for appending, under the store's lock: lines of
several processes do not mix, and rotation loses none. What a killed process left unfinished is one
line that nobody can read; the next line begins behind it.
"""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta

from .documents import decode, encode
from .errors import StoreError
from .files import make_folder, read_bounded, write_atomically
from .shelf import json_files, names_in, skipped, unlink
from .trust import check_folder, distrust

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAME, SUFFIX = "log", ".jsonl"
#: Files of records, the one that is written included. Each may take its share of the room.
FILES = 4
LONGEST_LINE = 32 * 1024
#: Ids that one hour tells apart; its file must be readable (``files.LARGEST_FILE``).
MOST_IDS = 2_000
HOUR = "%Y-%m-%dT%H"
FORMAT = 1

_EARLIER = "earlier.json"
_GITIGNORE = b"*\n"
_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT
_READ = os.O_RDONLY
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NOINHERIT", "O_NONBLOCK"):
    _APPEND |= getattr(os, _flag, 0)
    _READ |= getattr(os, _flag, 0)


class IncidentLog:
    """The folder of one store's incidents. Creating one opens nothing and creates nothing.

    What writes is called under the store's lock. All raise ``StoreError`` where the folder cannot
    be used; ``problems`` has a sentence for each line or file that reading passed over.
    """

    __slots__ = ("_hours", "folder", "problems")

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._hours = os.path.join(folder, "hours")
        self.problems: list[str] = []

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return check_folder(self.folder)

    def append(self, line: bytes, room: int) -> None:
        """Add one record (JSON, without the line's end); all files together stay within ``room``
        bytes, as far as whole files can be removed for that."""
        if len(line) > LONGEST_LINE or b"\n" in line:
            raise StoreError(f"An incident takes one line of at most {LONGEST_LINE} bytes.")
        self._create()
        path = os.path.join(self.folder, NAME + SUFFIX)
        if _size(path) + len(line) >= room // FILES:
            self._rotate()
        try:
            _append(path, line)
        except OSError as error:
            raise StoreError.from_os("write", path, error) from None

    def count(self, hits: Mapping[str, int], moment: datetime, days: float | None) -> None:
        """Add crashes to their hour, if anything is recorded here; hours older than ``days`` are
        summed up, where it is said."""
        if not hits or not self.exists:
            return
        name = moment.astimezone(UTC).strftime(HOUR) + ".json"
        path = os.path.join(self._hours, name)
        try:
            make_folder(self._hours, 0o700)
        except OSError as error:
            raise StoreError.from_os("create", self._hours, error) from None
        known = self._hour(name)
        if known is None and days is not None:
            self._forget(moment - timedelta(days=days))
        known = known or {}
        for one, hit in hits.items():
            if one in known or len(known) < MOST_IDS:
                known[one] = known.get(one, 0) + hit
        write_atomically(path, encode({"format": FORMAT, "crashes": known}))

    def records(self) -> Iterator[tuple[object, str]]:
        """Each readable line as JSON with where it stands, file by file, the oldest first."""
        self.problems = []
        if not self.exists:
            return
        for name in self._files():
            path = os.path.join(self.folder, name)
            try:
                content = _read(path)
            except FileNotFoundError:
                continue
            except (StoreError, OSError) as error:
                self.problems.append(f"Skipped the incidents of {path} because {error}.")
                continue
            for number, line in enumerate(content.split(b"\n"), 1):
                if line:
                    yield from self._record(line, f"{path}, line {number}")

    def hours(self) -> dict[datetime, dict[str, int]]:
        """How many crashes each hour had, by id."""
        found = {}
        until = self._earlier()[0]
        for name in json_files(self._hours) if self.exists else ():
            try:
                start = datetime.strptime(name, HOUR + ".json").replace(tzinfo=UTC)
            except ValueError:
                continue
            crashes = self._hour(name) if name > until else None
            if crashes:
                found[start] = crashes
        return found

    def earlier(self) -> dict[str, int]:
        """How many crashes there were before the first of ``hours``, by id."""
        return self._earlier()[1] if self.exists else {}

    def skip(self, place: str, reason: Exception) -> None:
        """Note that a line was passed over."""
        self.problems.append(f"Skipped the incident at {place} because {reason}.")

    def _record(self, line: bytes, place: str) -> Iterator[tuple[object, str]]:
        try:
            if len(line) > LONGEST_LINE:
                raise StoreError(f"it is longer than {LONGEST_LINE} bytes")
            yield decode(line), place
        except StoreError as error:
            self.skip(place, error)

    def _files(self) -> list[str]:
        """The oldest first: ``log.3.jsonl`` … ``log.jsonl``, then those of others."""
        own = [_numbered(number) for number in range(FILES - 1, -1, -1)]
        there = {name for name in names_in(self.folder) if name.endswith(SUFFIX)}
        return [name for name in own if name in there] + sorted(there - set(own))

    def _rotate(self) -> None:
        try:
            unlink(os.path.join(self.folder, _numbered(FILES - 1)))
            for number in range(FILES - 2, -1, -1):
                old = os.path.join(self.folder, _numbered(number))
                if os.path.lexists(old):
                    os.replace(old, os.path.join(self.folder, _numbered(number + 1)))
        except OSError as error:
            raise StoreError.from_os("rotate the incidents in", self.folder, error) from None

    def _hour(self, name: str) -> dict[str, int] | None:
        """The crashes of one hour; None where there is no file, ``{}`` where it is damaged."""
        document = self._document(name)
        return None if document is None else _crashes(document)

    def _document(self, name: str) -> dict[str, object] | None:
        """What a file of counts holds, ``{}`` where it is damaged."""
        try:
            document = decode(read_bounded(os.path.join(self._hours, name)))
            if type(document) is not dict or document.get("format") != FORMAT:
                raise StoreError("it is not a count of crashes")
        except FileNotFoundError:
            return None
        except StoreError as error:
            self.problems.append(skipped("count of crashes", self._hours, name, error))
            return {}
        return document

    def _forget(self, before: datetime) -> None:
        """Sum up hours and remove them; who is killed in between has done the first part only,
        and the sum says which hours are in it."""
        last = before.astimezone(UTC).strftime(HOUR) + ".json"
        old = [name for name in json_files(self._hours) if name < last]
        if not old:
            return
        until, total = self._earlier()
        for name in old:
            if name > until:
                for one, hit in (self._hour(name) or {}).items():
                    if one in total or len(total) < MOST_IDS:
                        total[one] = total.get(one, 0) + hit
        content = {"format": FORMAT, "crashes": total, "until": max(until, old[-1])}
        write_atomically(os.path.join(self._hours, _EARLIER), encode(content))
        for name in old:
            unlink(os.path.join(self._hours, name))

    def _earlier(self) -> tuple[str, dict[str, int]]:
        """The file of the last hour that was let go, and the crashes until then."""
        document = self._document(_EARLIER) or {}
        until = document.get("until")
        return until if type(until) is str else "", _crashes(document)

    def _create(self) -> None:
        if self.exists:
            return
        try:
            make_folder(self.folder, 0o700)  # values and messages are nobody else's business
        except OSError as error:
            raise StoreError.from_os("create", self.folder, error) from None
        write_atomically(os.path.join(self.folder, ".gitignore"), _GITIGNORE)


def _crashes(document: dict[str, object]) -> dict[str, int]:
    from .fields import is_id

    found = document.get("crashes")
    if type(found) is not dict:
        return {}
    return {one: hit for one, hit in found.items() if is_id(one) and type(hit) is int and hit > 0}


def _numbered(number: int) -> str:
    return f"{NAME}.{number}{SUFFIX}" if number else NAME + SUFFIX


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _append(path: str, line: bytes) -> None:
    """Raises OSError or StoreError. Where the disk is full nothing of the line stays behind."""
    descriptor = os.open(path, _APPEND, 0o600)
    try:
        status = _trusted(path, descriptor)
        end = status.st_size
        if end:
            os.lseek(descriptor, end - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":  # a process was killed while it wrote
                line = b"\n" + line
        content = line + b"\n"
        try:
            written = os.write(descriptor, content)
            if written < len(content):
                os.write(descriptor, content[written:])
        except OSError:
            os.ftruncate(descriptor, end)
            raise
    finally:
        os.close(descriptor)


def _read(path: str) -> bytes:
    descriptor = os.open(path, _READ)
    try:
        size = _trusted(path, descriptor).st_size
        content = b""
        while len(content) < size:
            piece = os.read(descriptor, size - len(content))
            if not piece:
                break
            content += piece
        return content
    finally:
        os.close(descriptor)


def _trusted(path: str, descriptor: int) -> os.stat_result:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise StoreError("it is not a regular file")
    problem = distrust(path, status)
    if problem:
        raise StoreError(problem)
    return status
