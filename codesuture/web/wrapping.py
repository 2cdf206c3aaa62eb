"""Steps of ours around methods of servers, so that no frame of ours lies below the program."""

from __future__ import annotations

from functools import wraps

from codesuture.messages import report_fault
from codesuture.web.around import leave_no_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def before(owner: Any, name: str, step: Callable[..., None]) -> None:
    """Call ``step`` with the arguments of each call of ``owner.name`` before that.

    A fault in it is one line, and the method runs all the same. An owner without such a method
    stays as it is.
    """

    def prepare(*arguments: Any, **keywords: Any) -> tuple[Any, ...]:
        step(*arguments, **keywords)
        return arguments

    replacing(owner, name, prepare)


def replacing(owner: Any, name: str, arguments_for: Callable[..., tuple[Any, ...]]) -> None:
    """Call ``owner.name`` with the positional arguments that ``arguments_for`` gives for those of
    each call; otherwise like :func:`before`."""
    original = vars(owner).get(name)
    if not callable(original):
        return

    @wraps(original)
    def method(*arguments: Any, **keywords: Any) -> Any:
        try:
            arguments = arguments_for(*arguments, **keywords)
        except Exception as fault:
            report_fault(fault)
        try:
            return original(*arguments, **keywords)
        except BaseException as error:
            leave_no_trace(error, globals())
            raise

    setattr(owner, name, method)


def after(owner: Any, name: str, step: Callable[..., None]) -> None:
    """Call ``step`` with the arguments of each call of ``owner.name`` behind that, where that has
    returned; otherwise like :func:`before`."""
    original = vars(owner).get(name)
    if not callable(original):
        return

    @wraps(original)
    def method(*arguments: Any, **keywords: Any) -> Any:
        try:
            result = original(*arguments, **keywords)
        except BaseException as error:
            leave_no_trace(error, globals())
            raise
        try:
            step(*arguments, **keywords)
        except Exception as fault:
            report_fault(fault)
        return result

    setattr(owner, name, method)
