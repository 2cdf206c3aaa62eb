"""What an engine saw of an exception as it was raised: the chain of callers, and what the variables
of the innermost frames were.

It is told as an incident tells of operands (``incidents.redaction``): by default names, types and
lengths. Kept is that, never the exception, a frame or a value, so nothing lives longer for it.
"""

from __future__ import annotations

from itertools import islice

from codesuture.frames import local_variables
from codesuture.incidents.incident import MOST_CHAIN
from codesuture.incidents.redaction import Redaction
from codesuture.session import module_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

    from codesuture.fate import Verdict
    from codesuture.session import Session

#: Sightings that are kept at a time; an exception mostly ends, somewhere, before the next one.
MOST_SIGHTINGS = 64
#: Of how many frames of a chain, the innermost first, the variables are told; and how many.
MOST_FRAMES_WITH_VARIABLES = 8
MOST_VARIABLES = 20
#: Length of a name; what is longer is cut.
MOST_LETTERS = 200

_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: a function's code


class Sighting:
    """An exception as it was raised: its type, its fate, and the ``chain`` of calls.

    The chain is that of an incident, the raising frame first; the innermost calls have
    ``variables``, too.
    """

    __slots__ = ("chain", "kind", "verdict")

    def __init__(
        self,
        session: Session,
        frame: FrameType,
        trace: TracebackType,
        kind: type[BaseException],
        verdict: Verdict,
    ) -> None:
        self.kind = kind
        self.verdict = verdict
        redaction = Redaction(session.config.incidents_values, session.config.incidents_redact)
        chain: list[dict[str, Any]] = []
        at: FrameType | None = frame
        while at is not None and len(chain) < MOST_CHAIN:
            step: dict[str, Any] = {
                "module": module_of(at)[:MOST_LETTERS],
                "qualname": at.f_code.co_qualname[:MOST_LETTERS],
                "file": session.relative(at.f_code.co_filename)[:MOST_LETTERS],
                "line": (at.f_lineno if chain else trace.tb_lineno) or 0,
            }
            # A module's names are those of all of its functions.
            if len(chain) < MOST_FRAMES_WITH_VARIABLES and at.f_code.co_name != "<module>":
                step["variables"] = _variables(at, redaction)
            chain.append(step)
            at = at.f_back
        self.chain = tuple(chain)


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


def _variables(frame: FrameType, redaction: Redaction) -> list[dict[str, object]]:
    """What may be told of a frame's variables; none of the program's code is run."""
    variables = local_variables(frame)
    if not frame.f_code.co_flags & _OPTIMIZED and type(variables) is not dict:
        return []  # a class body's or an exec's own mapping: reading it would run it
    try:
        found = list(islice(variables.items(), MOST_VARIABLES))
    except RuntimeError:  # another thread has changed them meanwhile
        return []
    return [
        redaction.describe(name[:MOST_LETTERS], value) for name, value in found if type(name) is str
    ]
