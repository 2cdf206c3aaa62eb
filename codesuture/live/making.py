"""Code that is made at run time: armed as it is given to ``exec`` or ``eval``.

Nothing of this is in place before a store has a patch that was learned (``Patch.learned``): such
programs are known to have died of code that no import hook sees. Then ``exec`` and ``eval``
among the built-in names are functions that look whether the code has such a patch, arm all of it in
that case, and hand it to the real ones. The import system keeps those.
"""

from __future__ import annotations

import builtins
import sys
from sys import _getframe
from time import monotonic
from types import CodeType

from codesuture import importhook
from codesuture.messages import report_fault
from codesuture.session import all_code, current, module_in
from codesuture.surgery.arming import is_armed
from codesuture.surgery.opcodes import LOCALS_ARE_A_COPY
from codesuture.web.around import leave_no_trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_exec, _eval = builtins.exec, builtins.eval

#: Modules that execute the code of modules and programs, which is armed before that: they need no
#: other ``exec``, and there is to be no frame of ours below what they execute.
_LOADERS = (
    "_frozen_importlib_external", "runpy", "codesuture_agent.script", "codesuture_agent.called",
    "codesuture_agent.launcher",
)  # fmt: skip

#: ``CO_FUTURE_*``, which code hands down to what it compiles (Include/cpython/code.h).
_FUTURE = 0x1FE0000
_OPTIMIZED = 1  # inspect.CO_OPTIMIZED

#: Code as it was given, by itself and its module: armed, or the same where it has no patch.
_prepared: dict[tuple[CodeType, str, str], CodeType] = {}
_MOST_PREPARED = 1_000
_generation = -1


def install() -> None:
    """Let all code of the program find ours; once."""
    if builtins.exec is _exec:
        for name in _LOADERS:
            if name in sys.modules:
                vars(sys.modules[name]).setdefault("exec", _exec)
        builtins.exec, builtins.eval = exec_armed, eval_armed


def forget() -> None:
    """Look at all code again: there is another patch."""
    _prepared.clear()


def exec_armed(*arguments: Any, **keywords: Any) -> None:
    try:
        if arguments:
            arguments = _arguments("exec", arguments[0], arguments[1:], keywords, _getframe(1))
        return _exec(*arguments, **keywords)
    except BaseException as error:
        leave_no_trace(error, globals())
        raise


def eval_armed(*arguments: Any, **keywords: Any) -> Any:
    try:
        if arguments:
            arguments = _arguments("eval", arguments[0], arguments[1:], keywords, _getframe(1))
        return _eval(*arguments, **keywords)
    except BaseException as error:
        leave_no_trace(error, globals())
        raise


for _ours, _theirs in ((exec_armed, _exec), (eval_armed, _eval)):
    _ours.__name__ = _ours.__qualname__ = _theirs.__name__
    _ours.__module__, _ours.__doc__ = "builtins", _theirs.__doc__


def _arguments(
    mode: str, source: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], caller: FrameType
) -> tuple[Any, ...]:
    """What to call the real one with: the code instead of the source, and the caller's namespaces
    where none is given."""
    names = arguments[0] if arguments else keywords.get("globals")
    if names is None:
        names = caller.f_globals
        if not (arguments or keywords.keys() & {"globals", "locals"}):
            arguments = (names, _locals(caller))
        elif not arguments:
            keywords["globals"] = names
        elif (len(arguments) < 2 or arguments[1] is None) and keywords.get("locals") is None:
            arguments = (names, _locals(caller))
            keywords.pop("locals", None)
        else:
            arguments = (names, *arguments[1:])
    return (_armed(source, mode, names, caller), *arguments)


def _locals(frame: FrameType) -> object:
    """What ``locals()`` would give there: of a function a dict of its own from 3.13 on."""
    if LOCALS_ARE_A_COPY or not frame.f_code.co_flags & _OPTIMIZED:
        return frame.f_locals
    return dict(frame.f_locals)


def _armed(source: Any, mode: str, names: Any, caller: FrameType) -> Any:
    """The code to run; what was given where it has no patch, or is none that can be compiled."""
    try:
        session = current()
        if session is None or not issubclass(type(names), dict):
            return source
        code = source if type(source) is CodeType else _compiled(source, mode, caller)
        if code is None:
            return source
        if monotonic() >= session.knowledge.next_look:
            session.knowledge.follow()
        return _prepare(session, code, module_in(names, code.co_filename))
    except Exception as fault:
        report_fault(fault)
        return source


def _compiled(source: Any, mode: str, caller: FrameType) -> CodeType | None:
    """The code of a text, as the real ones compile it for that caller; they complain themselves."""
    if type(source) not in (str, bytes):
        return None
    if mode == "eval":
        source = source.lstrip(" \t" if type(source) is str else b" \t")
    try:
        flags = caller.f_code.co_flags & _FUTURE
        code: CodeType = compile(source, "<string>", mode, flags, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, Warning):
        return None
    return code


def _prepare(session: Any, code: CodeType, module: str) -> CodeType:
    """The code, armed where anything in it has a patch."""
    global _generation
    if _generation != session.knowledge.generation or len(_prepared) >= _MOST_PREPARED:
        _generation = session.knowledge.generation
        _prepared.clear()
    key = (code, code.co_filename, module)
    known = _prepared.get(key)
    if known is None:
        known = code
        if not is_armed(code) and any(session.patches_at(module, one) for one in all_code(code)):
            known = importhook.arm_chosen(module, code)
            session.announce(module, code)
            known = session.prepare(module, known)
        _prepared[key] = known
    return known
