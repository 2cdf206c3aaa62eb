"""Boundaries that report what reaches them: there an exception is seen to have come."""

from __future__ import annotations

import sys
from contextlib import suppress
from weakref import ref

from codesuture.fate.lookup import instance_dict
from codesuture.frames import local_variable
from codesuture.messages import report_fault
from codesuture.proving.proofs import prove
from codesuture.proving.ways import reached
from codesuture.session import current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate import Boundary
    from codesuture.session import Session


def watch(boundary: Boundary, frame: FrameType) -> None:
    """Let the boundary's report of an exception prove it; once for each object that reports."""
    if not isinstance(boundary.reports, str):
        boundary.reports(tell, frame)
        return
    owner = local_variable(frame, "self")
    names, method = instance_dict(owner), boundary.reports
    if names is None or type(names.get(method)) is Report:
        return
    with suppress(TypeError):  # an object that cannot be referred to weakly is not watched
        names[method] = Report(boundary, method, owner, names.get(method))


def tell(exception: BaseException | None, boundary: Boundary | None = None) -> None:
    """An exception is handled by a boundary: this one, or the one that is watched for it."""
    if exception is not None:
        where = reached(boundary) if boundary is not None else ""
        try:
            session = current()
            learned = 0 if session is None else session.learned
            prove(exception, where)
            if session is not None and session.learned == learned:
                _look_for_cause(session, exception, where or "a boundary")
        except Exception as fault:
            report_fault(fault)


def _look_for_cause(session: Session, exception: BaseException, where: str) -> None:
    """What has reached a boundary may be a second crash."""
    probation = sys.modules.get("codesuture.probation")
    if probation is not None:
        probation.second_crash(session, exception, where)


class Report:
    """Stands, on one object, for the method that a boundary calls in its ``except`` clause."""

    __slots__ = ("_boundary", "_method", "_original", "_owner")

    def __init__(self, boundary: Boundary, method: str, owner: object, original: object) -> None:
        self._boundary = boundary
        self._method = method
        self._original = original
        self._owner = ref(owner)

    def __call__(self, *arguments: object, **keywords: object) -> object:
        tell(sys.exc_info()[1], self._boundary)
        if self._original is not None:  # the object's own, such as ``Thread._invoke_excepthook``
            return self._original(*arguments, **keywords)  # type: ignore[operator]
        owner = self._owner()
        return getattr(type(owner), self._method)(owner, *arguments, **keywords)
