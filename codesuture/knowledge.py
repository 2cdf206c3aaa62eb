"""What a process knows of its store: patches and proofs, brought up to date while it runs.

Several processes share a store, and people roll back and edit what is in it. So a process looks
again when something crashes, at most once in ``INTERVAL`` seconds: it takes over what is new or
changed, and lets go of what is gone. It starts no thread for that, and where nothing crashes
nothing is looked at.
"""

from __future__ import annotations

import os
import sys
import time
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from codesuture.session import Session
    from codesuture.store.patch import Patch
    from codesuture.store.proof import Proof
    from codesuture.store.shelf import Seen
    from codesuture.store.store import Store

    Since = Callable[[Store, Seen], Seen]
    #: How a document finds its code: module, qualified name, fingerprint.
    Place = tuple[str, str, str]

#: Seconds between two looks at the store.
INTERVAL = 1.0

#: A look that took long (a slow disk, thousands of files) is repeated after so many times that.
_SHARE = 50


class Knowledge:
    """The patches and proofs of a session's store.

    ``generation`` changes whenever patches do: what was decided by them is to be looked at again.
    ``next_look`` is the moment (``time.monotonic``) from which on ``follow`` looks again.
    """

    def __init__(self, session: Session) -> None:
        self.generation = 0
        self.next_look = 0.0
        self._session = session
        self._patches = Known()
        self._proofs = Known()
        self._looking = allocate_lock()
        #: What a glance at the store's files has told, before they were read.
        self._glanced = False
        self._modules: frozenset[str] | None = None

    def has_patches_of(self, module: str) -> bool:
        """Whether there may be patches that are to be known when a module of this name is loaded.

        The store is not read for modules that have none.
        """
        if not self._patches.is_read:
            if not self._glanced:
                self._modules = self._glance()
                self._glanced = True
            if self._modules is not None and module not in self._modules:
                return False
        return bool(self.patches().by_place)

    def _glance(self) -> frozenset[str] | None:
        store = self._session.config.store
        if not os.path.lexists(store):
            return frozenset()
        from codesuture.store.glance import modules_of

        return modules_of(store)

    def patches(self) -> Known:
        """All patches; those of the store are read when they are first asked for."""
        return self._read(self._patches, _patches_since)

    def proofs(self) -> Known:
        """All proofs, likewise."""
        return self._read(self._proofs, _proofs_since)

    def follow(self) -> bool:
        """Bring up to date what has been read; whether proofs are gone, so that fates are others.

        What another thread is just doing is not waited for.
        """
        if not self._looking.acquire(False):
            return False
        try:
            begun = time.monotonic()
            if self._patches.is_read:
                self._follow_patches()
            elif self.patches().learned:  # since the glance
                from codesuture.live.applying import take_over

                take_over(self._session)
            forgotten = self._proofs.is_read and self._follow_proofs()
            took = time.monotonic() - begun
            self.next_look = begun + max(INTERVAL, _SHARE * took)
        finally:
            self._looking.release()
        return forgotten

    def after_fork(self) -> None:
        """In a child: another thread of the parent may have held the lock."""
        self._looking = allocate_lock()

    def _follow_patches(self) -> None:
        saved = set(self._patches.saved)
        old = self._look(self._patches, _patches_since)
        new = self._patches.by_id
        if old is None or old == new:
            return
        self.generation += 1
        if self._patches.learned or "codesuture.live.applying" in sys.modules:
            from codesuture.live.applying import follow

            follow(self._session)
        # One that was just saved may be another process's, which was quicker by a moment.
        gone = [
            one
            for one, patch in old.items()
            if one not in new or (one not in saved and new[one].created != patch.created)
        ]
        with self._session.lock:
            for one in gone:  # counted for a patch that was rolled back
                self._session.hits.pop(one, None)
        if self._session.config.verbose:
            from codesuture.messages import emit

            changed = sum(new[one] != patch for one, patch in old.items() if one in new)
            emit(
                f"The store has changed: {len(new.keys() - old.keys())} patches are new, "
                f"{changed} changed, {len(old.keys() - new.keys())} gone."
            )

    def _follow_proofs(self) -> bool:
        old = self._look(self._proofs, _proofs_since)
        if old is None or old.keys() <= self._proofs.by_id.keys():
            return False
        from codesuture.verdicts import forget

        forget()  # some relied on a proof
        return True

    def _read(self, known: Known, since: Since) -> Known:
        if not known.is_read:
            if os.path.lexists(self._session.config.store):
                self._look(known, since)
            known.is_read = True
        return known

    def _look(self, known: Known, since: Since) -> dict[str, Any] | None:
        """Read what has changed; the documents of before by their ids, None where nothing has.

        A store that cannot be trusted counts as empty at first, and as unchanged from then on.
        """
        from codesuture.store.errors import StoreError
        from codesuture.store.shelf import Seen

        session, saved = self._session, set(known.saved)
        seen = known.seen or Seen({}, {})
        try:
            found = since(session.store, seen)
        except StoreError as error:
            session.complain("The store is not used", error)
            return None
        for problem in session.store.problems:
            session.say_once(problem)
        if found is seen and not saved:
            return None
        old = known.by_id
        with session.lock:
            known.replace(found, saved)
        return old


def _patches_since(store: Store, seen: Seen) -> Seen:
    return store.patches_since(seen)


def _proofs_since(store: Store, seen: Seen) -> Seen:
    return store.proofs_since(seen)


class Known:
    """The documents of one kind: those of the store, and those that are on their way there.

    ``by_place`` has them by the code that they belong to, ``by_id`` by their ids. ``saved`` are ids
    of documents of this process that got into the store after it was read; ``seen`` is what was
    read there, None where there was no store yet. ``learned`` tells that there are patches of code
    without pads (``Patch.learned``) for which nothing has been done yet.
    """

    def __init__(self) -> None:
        self.by_place: dict[Place, list[Any]] = {}
        self.by_id: dict[str, Any] = {}
        self.is_read = False
        self.learned = False
        self.saved: set[str] = set()
        self.seen: Seen | None = None
        self._own: dict[str, Any] = {}

    def of_module(self, module: str) -> list[Any]:
        """The documents for code of a module."""
        found = [known for place, known in self.by_place.items() if place[0] == module]
        return [document for known in found for document in known]

    def add(self, document: Patch | Proof) -> None:
        """Take over what was made just now. It stays, even if it cannot be stored, until it has
        been ``saved`` and then the store no longer has it."""
        self._own[document.id] = document
        self._place(document)

    def replace(self, seen: Seen, saved: set[str]) -> None:
        """Take over what was read; ``saved`` were in the store before it was."""
        self.saved -= saved
        for one in saved:
            self._own.pop(one, None)
        self.by_place, self.by_id = {}, {}
        for document in seen.documents.values():
            self._place(document)
        for document in self._own.values():
            if document.id not in self.by_id:
                self._place(document)
        self.seen = seen

    def _place(self, document: Any) -> None:
        self.by_id[document.id] = document
        self.learned |= bool(getattr(document, "learned", ""))
        place = (document.module, document.qualname, document.fingerprint)
        self.by_place.setdefault(place, []).append(document)

