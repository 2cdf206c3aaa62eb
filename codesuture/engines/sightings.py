"""What an engine saw of an exception as it was raised: the chain of callers, and what types the
variables had.

Kept is text: never the exception, a frame or a value, so nothing lives longer for it, and nothing
of what the program works with can be read in it.
"""

from __future__ import annotations

from itertools import islice

from codesuture.frames import local_variables
from codesuture.session import module_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from codesuture.fate import Verdict

#: Sightings that are kept at a time; an exception mostly ends, somewhere, before the next one.
MOST_SIGHTINGS = 64
#: Frames of a chain, the innermost first; of how many of them the variables; how many of these.
MOST_FRAMES = 50
MOST_FRAMES_WITH_LOCALS = 8
MOST_LOCALS = 30
#: Length of a name; what is longer is cut.
MOST_LETTERS = 80

_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: a function's code
_name_of_type = type.__dict__["__name__"].__get__


class Step:
    """One frame of a chain: where it was, and the names and types of its variables."""

    __slots__ = ("file", "line", "locals", "module", "qualname")

    def __init__(self, frame: FrameType, line: int | None, with_locals: bool) -> None:
        self.module = module_of(frame)
        self.qualname = frame.f_code.co_qualname
        self.file = frame.f_code.co_filename
        self.line = line or 0
        self.locals = _types(frame) if with_locals else ()


class Sighting:
    """An exception as it was raised: its type, ``chain`` (the raising frame first), its fate.

    ``cut`` are the frames further out that are not in the chain.
    """

    __slots__ = ("chain", "cut", "evidence", "fate", "kind", "offset")

    def __init__(
        self, frame: FrameType, trace: TracebackType, kind: type[BaseException], verdict: Verdict
    ) -> None:
        self.kind = kind
        self.offset = trace.tb_lasti
        self.fate = verdict.fate
        self.evidence = verdict.evidence
        chain = [Step(frame, trace.tb_lineno, True)]
        at = frame.f_back
        while at is not None and len(chain) < MOST_FRAMES:
            # The bottom of a module that is run has all of the program's names.
            wanted = len(chain) < MOST_FRAMES_WITH_LOCALS and at.f_code.co_name != "<module>"
            chain.append(Step(at, at.f_lineno, wanted))
            at = at.f_back
        self.chain = tuple(chain)
        self.cut = 0
        while at is not None:
            self.cut += 1
            at = at.f_back


#: By the address of the exception, which may be another one's by the time it is looked up.
_sightings: dict[int, Sighting] = {}


def keep(exception: BaseException, sighting: Sighting) -> None:
    """Keep what was seen until somebody asks for it, or too much else has been seen."""
    while len(_sightings) >= MOST_SIGHTINGS:
        try:
            del _sightings[next(iter(_sightings))]
        except (KeyError, RuntimeError, StopIteration):  # another thread is at it
            break
    _sightings[id(exception)] = sighting


def take(exception: BaseException) -> Sighting | None:
    """What was seen of this very exception, and is not kept any longer."""
    found = _sightings.pop(id(exception), None)
    return found if found is not None and found.kind is type(exception) else None


def _types(frame: FrameType) -> tuple[tuple[str, str], ...]:
    """Names and types of a frame's variables; none of the values is looked at."""
    variables = local_variables(frame)
    if not frame.f_code.co_flags & _OPTIMIZED and type(variables) is not dict:
        return ()  # a class body's or an exec's own mapping: reading it would run it
    try:
        found = [(name, type(value)) for name, value in islice(variables.items(), MOST_LOCALS)]
    except RuntimeError:  # another thread has changed them meanwhile
        return ()
    return tuple(
        (name[:MOST_LETTERS], _name_of_type(kind)[:MOST_LETTERS])
        for name, kind in found
        if type(name) is str
    )
