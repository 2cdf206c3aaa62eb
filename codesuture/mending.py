"""Mended code: a patch is *fixed* when its function has changed and runs without the crash.

Imported when a module is loaded that has patches for other code than it has now. When the process
ends, each of their functions that has run, and in which nothing crashed, is the proof: the
patch's state becomes ``fixed``, with one write at most. Whether a function has run is seen from
its code object, which the interpreter changes as it runs it (PEP 659): the hot path is not
touched. That is certain from Python 3.13 on (``RESUME`` is specialised by the first call); before,
functions that ran once or twice may look as if they had not, so there it is enough that the
module was loaded. A function that is not there any more has nothing to run.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from codesuture.store.errors import StoreError
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.opcodes import SHOWS_FIRST_RUN, TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType

    from codesuture.session import Session
    from codesuture.store.patch import Patch

#: States of patches that are waiting to be fixed.
_WAITING = ("detected", "patched", "persisted", "reviewed", "withdrawn", "disarmed")


class _Changed:
    """A patch whose function has changed: the functions of that name, and how they looked."""

    __slots__ = ("before", "codes", "patch")

    def __init__(self, patch: Patch, codes: list[CodeType]) -> None:
        self.patch = patch
        self.codes = codes
        self.before = [_running_code(code) for code in codes]

    def has_run(self) -> bool:
        """Whether one of them has run, as far as can be told; of course where there is none."""
        if not self.codes or not SHOWS_FIRST_RUN:
            return True
        now = [_running_code(code) for code in self.codes]
        return any(one != before for one, before in zip(now, self.before, strict=True))


_changed: dict[str, _Changed] = {}


def watch(patches: list[Patch], codes: list[CodeType]) -> None:
    """A module is being loaded that has these patches and this code."""
    by_name: dict[str, list[CodeType]] = {}
    for code in codes:
        by_name.setdefault(code.co_qualname, []).append(code)
    for patch in patches:
        if patch.python != TAG or patch.state not in _WAITING or patch.id in _changed:
            continue
        named = by_name.get(patch.qualname, [])
        if all(fingerprint(code) != patch.fingerprint for code in named):
            _changed[patch.id] = _Changed(patch, named)


def finish(session: Session, died_of: object) -> None:
    """The process ends: tell the store which patches are fixed."""
    if session.config.dry_run:
        return
    crashed = _crashed(died_of)
    now = datetime.now(UTC)
    for changed in _changed.values():
        patch = changed.patch
        if (patch.module, patch.qualname) in crashed or not changed.has_run():
            continue
        what = "has changed, and ran without a crash" if changed.codes else "is not there any more"
        try:
            session.store.change(
                patch,
                lambda known: (
                    known.advanced("fixed", now, note=f"{known.qualname} {what}")  # noqa: B023
                    if known.state in _WAITING
                    else known
                ),
            )
        except StoreError as error:
            session.complain("It is not stored which patches are fixed", error)
            return


def _crashed(died_of: object) -> set[tuple[str, str]]:
    """Module and name of each function in which something crashed that nobody handled."""
    found = set()
    healing = sys.modules.get("codesuture.healing")
    if healing is not None:
        found = {
            (known.module, known.code.co_qualname)
            for known in list(healing.known_code())
            if known.decisions or known.alone
        }
    if isinstance(died_of, BaseException):
        from codesuture.session import module_of

        trace: TracebackType | None = died_of.__traceback__
        while trace is not None:
            found.add((module_of(trace.tb_frame), trace.tb_frame.f_code.co_qualname))
            trace = trace.tb_next
    return found


def _running_code(code: CodeType) -> bytes:
    """The code as the interpreter has specialised it."""
    found: bytes = code._co_code_adaptive  # type: ignore[attr-defined]
    return found
