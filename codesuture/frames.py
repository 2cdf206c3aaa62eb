"""Reading a frame's variables without leaving a trace on the frame.

Up to 3.12 ``frame.f_locals`` of a function makes a dict of its variables, or brings the one up to
date that ``locals()`` gave the program, and the frame keeps it until it ends: what the function
lets go of lives on in it. From 3.13 on it is a view (PEP 667).
"""

from __future__ import annotations

from sys import getrefcount

from codesuture.surgery.opcodes import LOCALS_ARE_A_COPY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

#: The frame's, our variable's and getrefcount's own: the program has not kept the dict.
_REFERENCES = 3
_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: a function's code, whose variables are in the frame itself


def local_variables(frame: FrameType) -> Mapping[str, object]:
    """The frame's variables by name, to be read only; a class body's or module's own namespace."""
    if not LOCALS_ARE_A_COPY or not frame.f_code.co_flags & _OPTIMIZED:
        return frame.f_locals
    found = frame.f_locals
    copy = dict(found)
    # While the frame is traced by instruction, the interpreter writes the dict back behind the
    # tracer (``PyFrame_LocalsToFast``): what is not in it is unbound.
    if getrefcount(found) == _REFERENCES and not frame.f_trace_opcodes:
        found.clear()
    return copy


def local_variable(frame: FrameType, name: str, default: object = None) -> object:
    """One of :func:`local_variables`, or the default: without a copy of them all."""
    if not LOCALS_ARE_A_COPY or not frame.f_code.co_flags & _OPTIMIZED:
        return frame.f_locals.get(name, default)
    found = frame.f_locals
    value = found.get(name, default)
    if getrefcount(found) == _REFERENCES:
        found.clear()
    return value
