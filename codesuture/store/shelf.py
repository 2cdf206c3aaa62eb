"""A shelf: one folder of the store, with one JSON file for each document of a kind.

Readers take no lock: files appear and change whole. Everything that writes is called under the
store's lock.
"""

from __future__ import annotations

import os

from .errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    #: What shows that a file was replaced or changed in place: time, size, inode.
    Stamp = tuple[int, int, int]

    class Document(Protocol):
        """What lies on a shelf: a patch or a proof."""

        @property
        def id(self) -> str: ...
        @property
        def module(self) -> str: ...
        @property
        def qualname(self) -> str: ...
        @property
        def name(self) -> str: ...
        def to_json(self) -> dict[str, object]: ...


class Seen:
    """What was read of a shelf: the documents by the names of their files, and what the files
    looked like. A file that could be read before and is damaged now stands with its earlier
    document: somebody may be in the middle of editing it.
    """

    __slots__ = ("documents", "stamps")

    def __init__(self, documents: dict[str, Any], stamps: dict[str, Stamp]) -> None:
        self.documents = documents
        self.stamps = stamps


class Shelf:
    """The documents of one kind. Creating a shelf opens nothing and creates nothing.

    ``what`` names the kind for people; ``read_json`` makes a document of JSON, strictly.
    ``problems`` has a sentence for each file that the last ``all`` skipped.
    """

    __slots__ = ("_read_json", "_what", "folder", "problems")

    def __init__(self, folder: str, what: str, read_json: Callable[[object], Document]) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._what = what
        self._read_json = read_json

    def all(self) -> list[Any]:
        """All readable documents, in the order of their file names."""
        return list(self.since(Seen({}, {})).documents.values())

    def since(self, seen: Seen) -> Seen:
        """What is there now; ``seen`` itself where nothing has changed.

        Only files that have changed are read.
        """
        self.problems = []
        stamps = _stamps(self.folder)
        if stamps == seen.stamps:
            return seen
        found = {}
        for name, stamp in stamps.items():
            known = seen.documents.get(name)
            if known is not None and seen.stamps.get(name) == stamp:
                found[name] = known
                continue
            try:
                found[name] = self._read(name)
            except FileNotFoundError:
                pass  # removed by another process since the folder was listed
            except StoreError as error:
                self.problems.append(skipped(self._what, self.folder, name, error))
                if known is not None:
                    found[name] = known
        return Seen(found, stamps)

    def encoded(self, document: Document) -> tuple[str, bytes]:
        """File name and content. Raises ``StoreError`` for what could not be read back."""
        from .documents import decode, encode
        from .files import LARGEST_FILE
        from .names import file_name

        content = encode(document.to_json())
        try:
            if len(content) > LARGEST_FILE:
                raise StoreError(f"it would be larger than {LARGEST_FILE // 1024} KiB")
            self._read_json(decode(content))
        except StoreError as error:
            raise StoreError(
                f"The {self._what} for {shown(document.name)} was not saved: {error}."
            ) from None
        return file_name(document), content

    def holds(self, name: str) -> bool:
        """Whether a file is there. Raises ``StoreError`` when a damaged one is in the way."""
        try:
            self._read(name)
        except FileNotFoundError:
            return False
        except StoreError as error:
            path = os.path.join(self.folder, name)
            raise StoreError(
                f"Could not save the {self._what} {shown(path)}: there is one already, which is not"
                f" used because {error}. Mend the file or delete it."
            ) from None
        return True

    def get(self, document: Document) -> Any:
        """What lies where ``document`` would lie; None where nothing does, or is readable."""
        from .names import file_name

        try:
            return self._read(file_name(document))
        except (FileNotFoundError, StoreError):
            return None

    def keep_newest(self, most: int) -> None:
        """Remove all files but the ``most`` that were changed last."""
        stamps = _stamps(self.folder)
        oldest_first = sorted(stamps, key=lambda name: stamps[name])
        for name in oldest_first[: max(0, len(stamps) - most)]:
            unlink(os.path.join(self.folder, name))

    def create(self) -> None:
        """The folder, if it is not there yet."""
        from .files import make_folder

        try:
            make_folder(self.folder, 0o755)
        except OSError as error:
            raise StoreError.from_os("create the store", self.folder, error) from None

    def write(self, name: str, content: bytes) -> None:
        """Create or replace a file."""
        from .files import remove_stale_temporaries, write_atomically

        remove_stale_temporaries(self.folder)
        write_atomically(os.path.join(self.folder, name), content)

    def ids(self) -> set[str]:
        """The ids of all files, damaged ones too."""
        return {_id_in_name(name) for name in json_files(self.folder)}

    def remove(self, ids: set[str]) -> list[str]:
        """Remove documents; the ids of those that were there.

        A damaged file is not removed, even when its name ends in one of the ids.
        """
        removed = []
        for name in json_files(self.folder):
            if _id_in_name(name) in ids and self._is_readable(name):
                unlink(os.path.join(self.folder, name))
                removed.append(_id_in_name(name))
        if removed:
            _sync(self.folder)
        return removed

    def _read(self, name: str) -> Document:
        """Raises ``FileNotFoundError``, or ``StoreError`` with a bare reason."""
        from .documents import decode
        from .files import read_bounded
        from .names import file_name

        document = self._read_json(decode(read_bounded(os.path.join(self.folder, name))))
        if file_name(document) != name:
            raise StoreError(f"its name should be {file_name(document)}")
        return document

    def _is_readable(self, name: str) -> bool:
        try:
            self._read(name)
        except (StoreError, FileNotFoundError):
            return False
        return True


def skipped(what: str, folder: str, name: str, reason: StoreError) -> str:
    """The sentence about a file that is not used."""
    path = os.path.join(folder, name)
    return f"Skipped the {what} {shown(path)} because {reason}. Mend the file or delete it."


def names_in(folder: str) -> list[str]:
    """The names in a folder of the store, none where there is no such folder. Raises ``StoreError``
    where it cannot be read."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError.from_os("read the store", folder, error) from None


def json_files(folder: str) -> list[str]:
    """Sorted; temporary files and everything else that is hidden is left out."""
    return sorted(name for name in names_in(folder) if name.endswith(".json") and name[0] != ".")


def _stamps(folder: str) -> dict[str, Stamp]:
    """What each file of a shelf looks like, in the order of their names."""
    found = {}
    for name in json_files(folder):
        try:
            status = os.lstat(os.path.join(folder, name))
        except OSError:  # gone again; whatever else it is, reading tells
            found[name] = (0, 0, 0)
        else:
            found[name] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def unlink(path: str) -> None:
    """Remove a file, if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError.from_os("remove", path, error) from None


def shown(text: str) -> str:
    """Without control characters, which file names may hold."""
    return text if text.isprintable() else repr(text)[1:-1]


def _id_in_name(name: str) -> str:
    from .names import id_in_name

    return id_in_name(name)


def _sync(folder: str) -> None:
    from .files import sync_folder

    try:
        sync_folder(folder)
    except OSError as error:
        raise StoreError.from_os("write", folder, error) from None
