"""Boundaries that report what reaches them: there an exception is seen to have come."""

from __future__ import annotations

import sys
from contextlib import suppress
from weakref import ref

from codesuture.fate.lookup import instance_dict
from codesuture.frames import local_variables
from codesuture.proving.proofs import prove
from codesuture.proving.ways import reached
from codesuture.runtime import report_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate import Boundary


def watch(boundary: Boundary, frame: FrameType) -> None:
    """Let the boundary's report of an exception prove it; once for each object that reports."""
    owner = local_variables(frame).get("self")
    names = instance_dict(owner)
    if names is None or type(names.get(boundary.reports)) is Report:
        return
    with suppress(TypeError):  # an object that cannot be referred to weakly is not watched
        names[boundary.reports] = Report(boundary, owner, names.get(boundary.reports))


class Report:
    """Stands, on one object, for the method that a boundary calls in its ``except`` clause."""

    __slots__ = ("_boundary", "_original", "_owner")

    def __init__(self, boundary: Boundary, owner: object, original: object) -> None:
        self._boundary = boundary
        self._original = original
        self._owner = ref(owner)

    def __call__(self, *arguments: object, **keywords: object) -> object:
        exception = sys.exc_info()[1]
        if exception is not None:
            try:
                prove(exception, reached(self._boundary))
            except Exception as fault:
                report_fault(fault)
        if self._original is not None:  # the object's own, such as ``Thread._invoke_excepthook``
            return self._original(*arguments, **keywords)  # type: ignore[operator]
        owner = self._owner()
        return getattr(type(owner), self._boundary.reports)(owner, *arguments, **keywords)
