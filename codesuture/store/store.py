"""The store: a folder with one recipe file per patch, shared by many processes.

    .codesuture_store/
      .gitignore                            keeps the counters and the lock out of commits
      .lock                                 held while somebody writes
      patches/<module>.<qualname>-<id>.json
      counters/<id>.json

Readers take no lock: files appear and change whole. The imports that reading needs happen
when there is something to read.
"""

from __future__ import annotations

import os

from .errors import StoreError
from .trust import check_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from .counter import Counter
    from .lock import StoreLock
    from .patch import Patch

_GITIGNORE = b"# Recipes are meant to be committed; these are not.\n/counters/\n/.lock\n*.tmp\n"


class Store:
    """The patches of one project. Creating one opens nothing and creates nothing.

    Every method raises ``StoreError`` when the folder is not to be trusted, cannot be read
    or cannot be written. Single damaged files do not raise: they are skipped, described
    in ``problems`` and left where they are.
    """

    __slots__ = ("_counter_problems", "_recipe_problems", "path")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self._recipe_problems: list[str] = []
        self._counter_problems: list[str] = []

    def __repr__(self) -> str:
        return f"Store({self.path!r})"

    @property
    def problems(self) -> list[str]:
        """A sentence for each file that the last ``patches`` and ``counters`` skipped."""
        return self._recipe_problems + self._counter_problems

    def check(self) -> None:
        """Raises ``StoreError`` when the store is not a folder, or not to be trusted.

        A store that does not exist is in order.
        """
        if check_folder(self.path):
            check_folder(self._patches)
            check_folder(self._counters)

    def patches(self) -> list[Patch]:
        """All readable patches, in the order of their file names."""
        self._recipe_problems = []
        self.check()
        patches = []
        for name in _json_files(self._patches):
            try:
                patches.append(self._read_patch(name))
            except FileNotFoundError:
                pass  # removed by another process since the folder was listed
            except StoreError as error:
                self._recipe_problems.append(self._skipped("recipe", self._patches, name, error))
        return patches

    def save(self, patch: Patch) -> bool:
        """Add a patch. False when it is there already; then nothing is written."""
        name, content = _encoded(patch)
        with self._writing():
            if self._holds(name):
                return False
            self._write_patch(name, content)
        return True

    def replace(self, patch: Patch) -> bool:
        """Change a patch that is there. False when it is not (rolled back, say)."""
        name, content = _encoded(patch)
        self.check()
        if not os.path.isdir(self.path):
            return False
        with self._writing():
            if not self._holds(name):
                return False
            self._write_patch(name, content)
        return True

    def remove(self, ids: Iterable[str]) -> int:
        """Remove patches and their counters; how many patches there were.

        A damaged file is not removed, even when its name ends in one of the ids.
        """
        wanted = set(ids)
        self.check()
        if not wanted or not os.path.isdir(self.path):
            return 0
        removed = 0
        with self._writing():
            for name in _json_files(self._patches):
                if _id_in_name(name) in wanted and self._is_readable(name):
                    _unlink(os.path.join(self._patches, name))
                    _unlink(self._counter_path(_id_in_name(name)))
                    removed += 1
            _sync(self._patches)
        return removed

    def count(self, hits: Mapping[str, int], now: datetime) -> None:
        """Add to the counters of patches. Ids without a recipe are passed over: such a
        patch was rolled back while this process was still using it.
        """
        from .timestamps import to_text

        when = to_text(now)
        for hit in hits.values():
            if type(hit) is not int or hit < 1:
                raise StoreError(f"A count must be a positive integer, not {hit!r}.")
        self.check()
        if not hits or not os.path.isdir(self._patches):
            return
        with self._writing():
            known = {_id_in_name(name) for name in _json_files(self._patches)}
            for patch_id, hit in hits.items():
                if patch_id in known:
                    self._add(patch_id, hit, when)

    def counters(self) -> dict[str, Counter]:
        """The counters by patch id. A patch that was never used has none."""
        self._counter_problems = []
        self.check()
        found = {}
        for name in _json_files(self._counters):
            try:
                patch_id = _counted_id(name)
                found[patch_id] = self._read_counter(name)
            except FileNotFoundError:
                pass  # removed by another process since the folder was listed
            except StoreError as error:
                self._counter_problems.append(self._skipped("counter", self._counters, name, error))
        return found

    # Paths

    @property
    def _patches(self) -> str:
        return os.path.join(self.path, "patches")

    @property
    def _counters(self) -> str:
        return os.path.join(self.path, "counters")

    def _counter_path(self, patch_id: str) -> str:
        return os.path.join(self._counters, f"{patch_id}.json")

    # Reading

    def _read_patch(self, name: str) -> Patch:
        """Raises ``FileNotFoundError``, or ``StoreError`` with a bare reason."""
        from .documents import decode
        from .files import read_bounded
        from .names import recipe_name
        from .patch import Patch

        patch = Patch.from_json(decode(read_bounded(os.path.join(self._patches, name))))
        if recipe_name(patch) != name:
            raise StoreError(f"its name should be {recipe_name(patch)}")
        return patch

    def _read_counter(self, name: str) -> Counter:
        from .counter import Counter
        from .documents import decode
        from .files import read_bounded

        return Counter.from_json(decode(read_bounded(os.path.join(self._counters, name))))

    def _is_readable(self, name: str) -> bool:
        try:
            self._read_patch(name)
        except (StoreError, FileNotFoundError):
            return False
        return True

    def _skipped(self, what: str, folder: str, name: str, reason: StoreError) -> str:
        path = os.path.join(folder, name)
        return f"Skipped the {what} {_shown(path)} because {reason}. Mend the file or delete it."

    # Writing; all of it under the lock

    def _writing(self) -> StoreLock:
        from .lock import StoreLock

        self._create()
        return StoreLock(os.path.join(self.path, ".lock"))

    def _create(self) -> None:
        """The folders, when they are not there yet; whatever is there must be trustworthy."""
        from .files import make_folder

        self.check()
        try:
            if not os.path.isdir(self.path):
                os.makedirs(os.path.dirname(self.path), exist_ok=True)
                # 0700: messages of exceptions may quote data that others must not see.
                make_folder(self.path, 0o700)
            for folder in (self._patches, self._counters):
                make_folder(folder, 0o755)
        except OSError as error:
            raise StoreError.from_os("create the store", self.path, error) from None
        self.check()

    def _holds(self, name: str) -> bool:
        """Whether a recipe is there. Raises ``StoreError`` when a damaged one is in the way."""
        try:
            self._read_patch(name)
        except FileNotFoundError:
            return False
        except StoreError as error:
            path = os.path.join(self._patches, name)
            raise StoreError(
                f"Could not save the recipe {_shown(path)}: there is one already, which is not"
                f" used because {error}. Mend the file or delete it."
            ) from None
        return True

    def _write_patch(self, name: str, content: bytes) -> None:
        from .files import remove_stale_temporaries, write_atomically

        gitignore = os.path.join(self.path, ".gitignore")
        if not os.path.lexists(gitignore):
            write_atomically(gitignore, _GITIGNORE)
        for folder in (self._patches, self._counters):
            remove_stale_temporaries(folder)
        write_atomically(os.path.join(self._patches, name), content)

    def _add(self, patch_id: str, hits: int, when: str) -> None:
        from .counter import Counter
        from .documents import encode
        from .files import write_atomically

        name = f"{patch_id}.json"
        try:
            counter = self._read_counter(name).plus(hits, when)
        except (FileNotFoundError, StoreError):  # none yet, or damaged: begin anew
            counter = Counter(hits, when, when)
        write_atomically(self._counter_path(patch_id), encode(counter.to_json()))


def _encoded(patch: Patch) -> tuple[str, bytes]:
    """File name and content. Raises ``StoreError`` for what could not be read back."""
    from .documents import decode, encode
    from .files import LARGEST_FILE
    from .names import recipe_name
    from .patch import Patch

    content = encode(patch.to_json())
    try:
        if len(content) > LARGEST_FILE:
            raise StoreError(f"it would be larger than {LARGEST_FILE // 1024} KiB")
        Patch.from_json(decode(content))
    except StoreError as error:
        raise StoreError(f"The patch for {_shown(patch.name)} was not saved: {error}.") from None
    return recipe_name(patch), content


def _json_files(folder: str) -> list[str]:
    """Sorted; temporary files and everything else that is hidden is left out."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError.from_os("read the store", folder, error) from None
    return sorted(name for name in names if name.endswith(".json") and name[0] != ".")


def _id_in_name(name: str) -> str:
    from .names import id_in_name

    return id_in_name(name)


def _counted_id(name: str) -> str:
    from .patch import is_id

    patch_id = name.removesuffix(".json")
    if not is_id(patch_id):
        raise StoreError("its name is not the id of a patch")
    return patch_id


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise StoreError.from_os("remove", path, error) from None


def _sync(folder: str) -> None:
    from .files import sync_folder

    try:
        sync_folder(folder)
    except OSError as error:
        raise StoreError.from_os("write", folder, error) from None


def _shown(text: str) -> str:
    """Without control characters, which file names may hold."""
    return text if text.isprintable() else repr(text)[1:-1]
