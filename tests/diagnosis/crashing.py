"""Makes crashes for tests: looks at code that is not armed at the moment when it raises."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeVar

from codesuture.diagnosis.crash import Crash
from codesuture.surgery.sites import sites_of

T = TypeVar("T")
FILENAME = "crashing.py"


def at_crash(source: str, look: Callable[[Crash], T], filename: str = FILENAME) -> T:
    """What ``look`` gives for the first crash that running ``source`` meets, in its live frame."""
    found: list[Callable[[], T]] = []

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != filename:
            return None
        if event == "exception" and not found:
            crash = crash_at(argument[1], frame)
            if crash is not None:
                found.append(_outcome(look, crash))
        return trace

    code = compile(textwrap.dedent(source), filename, "exec", dont_inherit=True)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, {"__name__": "crashing"})
    except Exception:
        pass
    finally:
        sys.settrace(before)
    assert found, "the source does not crash at a site"
    return found[0]()


def _outcome(look: Callable[[Crash], T], crash: Crash) -> Callable[[], T]:
    """What gives the answer of ``look``, or raises its error, outside of the traced program."""
    try:
        answer = look(crash)
    except Exception as exception:
        error = exception

        def fail() -> T:
            raise error

        return fail
    return lambda: answer


def crash_at(exception: BaseException, frame: FrameType) -> Crash | None:
    """The crash of the instruction that the frame is at, None where that is no site."""
    for site in sites_of(frame.f_code):
        if site.start <= frame.f_lasti < site.end:
            return Crash(exception, frame, frame.f_code, site)
    return None
