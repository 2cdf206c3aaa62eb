"""What the engines make of an exception that they see: whose code it is in, and what becomes of it.

Both engines call ``see`` in the frame that raises, while every frame is as it was. Most exceptions
are handled, and what fate has found out about them is looked up first (``verdicts``).
"""

from __future__ import annotations

from _thread import get_ident

from codesuture import importhook
from codesuture.config.match import matches, names_of
from codesuture.engines.sightings import Sighting, keep
from codesuture.fate import AT_TOP, HANDLED, UNHANDLED, fate
from codesuture.healing import register_boundaries
from codesuture.incidents.making import callers
from codesuture.incidents.reporting import seen, take_seen
from codesuture.runtime import is_deep, is_structural
from codesuture.session import module_of
from codesuture.surgery.arming import is_armed
from codesuture.surgery.library import is_of_library, raised_in_library
from codesuture.surgery.opcodes import ARGUMENT_SITES, CALL_SEQUENCE, OPMAP, SIMPLE_SITES
from codesuture.surgery.packages import is_of_package
from codesuture.verdicts import recall, remember

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType, TracebackType

    from codesuture.fate import Verdict
    from codesuture.session import Session

#: Whose code it is: nobody's that we watch (it has pads, or is the library, or is excluded); the
#: program's own without pads; a package's. What is MADE at run time is one of them.
UNWANTED, OWN, PACKAGE, MADE = range(4)

#: Instructions that crash. What comes to others was raised by ``raise``, or thrown into
#: a generator that waited there.
_CRASHING = {*SIMPLE_SITES, *ARGUMENT_SITES, *(OPMAP[name] for name in CALL_SEQUENCE)}

#: By the code's address; the code is kept, so that the address stays its own.
kinds: dict[int, tuple[int, CodeType]] = {}
_MOST_KINDS = 20_000
#: By file and module.
_places: dict[tuple[str, str], int] = {}

#: How often exceptions are noted in full at one place; where packages take exceptions for answers
#: they do it again and again.
MOST_NOTED = 32
_noted: dict[tuple[int, int], int] = {}

_session: Session | None = None
#: Threads that are looking at an exception at this moment.
_busy: set[int] = set()


def begin(session: Session) -> None:
    """Watch for this session."""
    global _session
    _session = session


def kind_of(code: CodeType, frame: FrameType) -> int:
    """Whose code it is that ``frame`` runs; found once for each code object."""
    if len(kinds) >= _MOST_KINDS:
        kinds.clear()
        _places.clear()
        _noted.clear()
    found = _find_kind(code, frame)
    kinds[id(code)] = (found, code)
    return found


def _find_kind(code: CodeType, frame: FrameType) -> int:
    if _session is None or is_armed(code):
        return UNWANTED
    name = frame.f_globals.get("__name__")
    place = (code.co_filename, name if type(name) is str else "")
    found = _places.get(place)
    if found is None:
        found = _places[place] = _kind_at(*place, code, frame)
    return _kind_of_made(frame) if found == MADE else found


def _kind_at(file: str, module: str, code: CodeType, frame: FrameType) -> int:
    """The kind of all code without pads in a file of a module."""
    config = _session.config  # type: ignore[union-attr]
    if importhook.is_user_code(module, file, config):
        return OWN
    if importhook.is_codesuture(module, file) or is_of_library(code):
        return UNWANTED
    if config.exclude and matches(names_of(module, module_of(frame)), config.exclude):
        return UNWANTED
    if file.startswith("<"):
        return MADE
    return PACKAGE if is_of_package(code) else UNWANTED


def _kind_of_made(frame: FrameType) -> int:
    """Code that was made at run time belongs to the module whose names it uses; where these are its
    own, it is the program's."""
    names = frame.f_globals
    file = names.get("__file__")
    if type(file) is not str:
        return OWN
    if importhook.is_own_file(file):
        return OWN
    return PACKAGE if importhook.is_installed(file) else UNWANTED


def see(kind: int, frame: FrameType, trace: TracebackType, exception: BaseException) -> None:
    """An exception is in ``frame``: note it, if it is a crash that nobody is known to handle.

    ``trace`` is its traceback's entry for the frame. Only the frame that raised it counts, or one
    that called a function of the standard library that did.
    """
    if trace.tb_next is not None and not raised_in_library(trace.tb_next):
        return
    if not is_structural(type(exception)):
        return
    offset = trace.tb_lasti
    verdict = recall(frame, offset, type(exception))
    if verdict is not None and verdict.fate == HANDLED:
        return
    thread = get_ident()
    if _session is None or thread in _busy or is_deep():
        return
    if frame.f_code.co_code[offset] not in _CRASHING:
        return
    _busy.add(thread)
    try:
        if verdict is None:
            register_boundaries(_session)
            verdict = fate(frame, offset, exception)
            remember(frame, offset, type(exception), verdict)
        if verdict.fate != HANDLED:
            _note(_session, frame, trace, exception, verdict)
    finally:
        _busy.discard(thread)


def _note(
    session: Session,
    frame: FrameType,
    trace: TracebackType,
    exception: BaseException,
    verdict: Verdict,
) -> None:
    """Where nobody handles it, it is an incident now; else it may become one at a boundary."""
    sighting = None
    place = (id(frame.f_code), trace.tb_lasti)
    times = _noted[place] = _noted.get(place, 0) + 1
    if times <= MOST_NOTED:
        sighting = Sighting(session, frame, trace, type(exception), verdict)
    if verdict.fate != UNHANDLED or _may_end_further_out(session, frame.f_code):
        if sighting is not None:
            keep(exception, sighting)
        return
    if verdict.evidence == AT_TOP and session.config.dry_run:
        take_seen(exception)  # another one, that had its address
        return  # told when it is there
    seen(session, exception, callers(frame, trace.tb_lasti), verdict, sighting)


def _may_end_further_out(session: Session, code: CodeType) -> bool:
    """Whether a pad at the program's call of the package may supply the call's result."""
    return bool(session.config.library_calls) and is_of_package(code)
