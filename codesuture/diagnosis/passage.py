"""The frames of packages that an exception came through before it reached the program's call."""

from __future__ import annotations

from codesuture.distributions import Distribution, distribution_of
from codesuture.surgery.packages import is_of_package, package_of, raised_in_package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType


class Passage:
    """What lies between the program's call and the instruction that raised.

    ``trace`` begins with the frame that was called. ``called`` is the distribution that the program
    called, ``crashed`` the one whose frame is the innermost; mostly they are the same.
    """

    __slots__ = ("_innermost", "_outermost", "frames")

    def __init__(self, trace: TracebackType) -> None:
        self.frames: list[FrameType] = []
        at: TracebackType | None = trace
        outermost = innermost = None
        while at is not None:
            self.frames.append(at.tb_frame)
            if is_of_package(at.tb_frame.f_code):
                outermost, innermost = outermost or at, at
            at = at.tb_next
        self._outermost = outermost or trace
        self._innermost = innermost or trace

    @property
    def called(self) -> Distribution:
        """The distribution whose code the program called."""
        return distribution_of(self._outermost.tb_frame.f_code.co_filename)

    @property
    def crashed(self) -> Distribution:
        """The distribution whose code crashed."""
        return distribution_of(self._innermost.tb_frame.f_code.co_filename)

    @property
    def modules(self) -> list[str]:
        """The names of the modules that the frames belong to."""
        names = [frame.f_globals.get("__name__") for frame in self.frames]
        return [name for name in names if type(name) is str]

    def describe(self) -> str:
        """``yaml/constructor.py:120 in construct_scalar (PyYAML 6.0.2)``, as patches keep it."""
        code = self._innermost.tb_frame.f_code
        place = f"{package_of(code.co_filename)[1]}:{self._innermost.tb_lineno} in {code.co_name}"
        text = f"{place} ({self.crashed}"
        if self.called.name != self.crashed.name:
            text += f", called by {self.called}"
        return text + ")"


def passage_of(exception: BaseException, frame: FrameType) -> Passage | None:
    """What an exception came through before it reached ``frame``; None where that was raised there,
    or did not come out of frames of packages only."""
    last = None
    at = exception.__traceback__
    while at is not None:
        if at.tb_frame is frame:
            last = at
        at = at.tb_next
    if last is None or last.tb_next is None or not raised_in_package(last.tb_next):
        return None
    return Passage(last.tb_next)
