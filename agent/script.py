"""Running a script's armed code as ``__main__``, with nothing of ours around it.

Plain Python compiles a script in C, out of reach of import hooks. But before it does
(``pymain_run_python`` in CPython's Modules/main.c) it asks ``sys.path_hooks`` whether the script is
a container to import from, as a directory or a zip file is; if one of them says yes, it puts the
script on ``sys.path``, imports ``runpy`` and calls ``runpy._run_module_as_main``.

So the agent adds a path hook. Asked for the script, it compiles and arms it and says yes, and puts
a stand-in for ``runpy`` into ``sys.modules``, whose ``_run_module_as_main`` first restores what a
plain interpreter would have, and then runs the code. That callable is made of built-in functions
alone: while the program runs no Python frame lies below it, so tracebacks, ``inspect.stack()``
and stack levels of warnings are those of plain Python without any repair.

Where anything is out of the ordinary (the script does not compile, is not a regular file, …) the
hook says no, and Python goes its own way.
"""

from __future__ import annotations

import os
import sys
from _operator import call

from .boot import is_active, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

#: Whether a script that died loses its ``__file__`` before ``sys.excepthook`` is called, rather
#: than behind it (Python/pythonrun.c, ``_PyRun_SimpleFile``).
LOSES_FILE_FIRST = sys.version_info >= (3, 14)

_PYC_HEADER = 16
_Module = type(sys)
_Code = type((lambda: None).__code__)


class _Steps(filter):  # type: ignore[type-arg]  # cannot be subscripted
    """A callable that takes the next item of a filter each time it is called, and calls that.

    Reading ``__call__`` is what takes the item: the items are computed by ``map``, in C, and those
    that are None are passed over. (``itertools.chain`` would take a StopIteration of the program
    for an end of its own.)
    """

    __call__ = property(next)

    #: Called when the interpreter lets go of this, which it does before it reports an exception.
    at_the_end: Callable[[], None] | None = None

    def __del__(self) -> None:
        if self.at_the_end is not None:
            self.at_the_end()


def install(script: str) -> None:
    """Wait for the interpreter to ask for the script, unless it is a directory or a zip file.

    A pipe can be read only once: that is left to the interpreter, and ``stream`` arms the code.
    """
    path = os.path.abspath(script)
    if _is_pipe(path):
        from . import stream

        stream.install()
    elif not is_container(path):
        sys.path_hooks.append(_offer)


def _is_pipe(path: str) -> bool:
    import stat

    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False


def is_container(path: str) -> bool:
    """Whether the interpreter would import ``__main__`` from there: a directory or a zip file."""
    for hook in sys.path_hooks:
        try:
            hook(path)
        except ImportError:
            continue
        return True
    return False


def _offer(path: str) -> Any:
    """The path hook. Raises ImportError to decline, as path hooks do."""
    try:
        sys._getframe(1)
    except ValueError:
        pass  # called by the interpreter itself, which does so for the script only
    else:
        return _folder_instead(path)
    try:
        program = Program(path)
    except Exception as error:
        if not isinstance(error, _PLAIN):
            say(f"{path} runs without codesuture ({type(error).__name__}: {error})")
        if sys.path_hooks[-1] is _offer:  # the interpreter has counted them; do not move any
            del sys.path_hooks[-1]
        raise ImportError("codesuture leaves this script to Python") from None
    stand_in = _Module("runpy")
    stand_in._run_module_as_main = program.steps(sys.modules.get("runpy"))  # type: ignore[attr-defined]
    sys.modules["runpy"] = stand_in
    return stand_in


def _folder_instead(path: str) -> Any:
    """In a subinterpreter: import from the script's folder where ``sys.path`` names the script.

    ``sys.path[0]`` of a subinterpreter is what the interpreter found to be right for the main one
    when it began: with us, the script itself. Its first import mends that.
    """
    if sys.path[:1] != [path] or sys.flags.safe_path:
        raise ImportError("codesuture's hook is for the script only")
    sys.path[0] = folder_of(path)
    if sys.path_hooks[-1] is _offer:
        del sys.path_hooks[-1]
    for hook in sys.path_hooks:
        try:
            return hook(sys.path[0])
        except ImportError:
            continue
    raise ImportError("no hook imports from folders")


#: What plain Python reports better itself: the file cannot be read, decoded or compiled.
_PLAIN = (OSError, SyntaxError, ValueError, MemoryError, RecursionError)


class Program:
    """A script's code, armed if codesuture is active. Raises what compiling it raises."""

    def __init__(self, path: str) -> None:
        import stat

        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError("not a regular file; it can be read only once")
        self.path = path
        self.namespace = sys.modules["__main__"].__dict__
        self.code, self.loader = _load(path)

    def steps(self, runpy: object) -> _Steps:
        """What to give the interpreter to call; ``runpy`` is what was in ``sys.modules``."""
        functions: tuple[Callable[..., object], ...] = (self._restore, exec, self._end)
        first, second = (runpy, self.code, None), (None, self.namespace, None)
        steps = _Steps(None, map(call, functions, first, second))
        steps.at_the_end = self.ended
        return steps

    def _restore(self, runpy: object, _: object) -> None:
        """Give the interpreter the state in which it would have begun the script itself."""
        if runpy is None:
            del sys.modules["runpy"]
        else:
            sys.modules["runpy"] = runpy  # type: ignore[assignment]
        if _offer in sys.path_hooks:
            sys.path_hooks.remove(_offer)
        sys.path_importer_cache[self.path] = None
        if self.path in sys.path[:1]:
            del sys.path[0]
        if not sys.flags.safe_path:
            sys.path.insert(0, folder_of(self.path))
        sys.audit("cpython.run_file", self.path)
        self.enter()

    def enter(self) -> None:
        """Name the script in ``__main__``, as ``_PyRun_SimpleFile`` does (Python/pythonrun.c)."""
        name_file(self.path)
        self.namespace["__loader__"] = self.loader

    def ended(self) -> None:
        """What ``_PyRun_SimpleFile`` does before an exception of the script is reported."""
        flush()
        if LOSES_FILE_FIRST:
            self.clean_up()

    def clean_up(self) -> None:
        """Take away again what plain Python does."""
        forget_file()

    def _end(self, _: object, __: object) -> Callable[..., object]:
        """The last step; gives something that can be called."""
        self.clean_up()
        return Exception


def name_file(path: str) -> None:
    """Give ``__main__`` the names of a file that is run, as ``_PyRun_SimpleFile`` does."""
    namespace = sys.modules["__main__"].__dict__
    namespace["__file__"] = path
    # Interpreters that no longer give modules this attribute (3.15) give it to none.
    if "__cached__" in globals():
        namespace["__cached__"] = None


def forget_file() -> None:
    """Take these names away again."""
    namespace = sys.modules["__main__"].__dict__
    for name in ("__file__", "__cached__"):
        namespace.pop(name, None)


def flush() -> None:
    """``flush_io`` of Python/pythonrun.c: what was printed comes before a traceback."""
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except Exception:
            continue


def folder_of(path: str) -> str:
    """What ``sys.path[0]`` is for a script (``_PyPathConfig_ComputeSysPath0``)."""
    return os.path.dirname(os.path.realpath(path))


def _load(path: str) -> tuple[CodeType, object]:
    """The code to run for a script, and the loader that plain Python shows for it."""
    from _frozen_importlib_external import (
        MAGIC_NUMBER,
        SourceFileLoader,
        SourcelessFileLoader,
    )

    with open(path, "rb") as file:
        content = file.read()
    if content[:2] == MAGIC_NUMBER[:2] or path.endswith(".pyc"):
        if content[:4] != MAGIC_NUMBER:
            raise ValueError("compiled by another version")
        code = _unmarshalled(content[_PYC_HEADER:])
        return _armed(code, None), SourcelessFileLoader("__main__", path)
    return _code_of(_without_first_line(content), path), SourceFileLoader("__main__", path)


def _unmarshalled(content: bytes) -> CodeType:
    import marshal

    code = marshal.loads(content)
    if type(code) is not _Code:
        raise ValueError("no code object in the file")
    return code


def _armed(code: CodeType, kept: object) -> CodeType:
    if not is_active():
        return code
    from codesuture import importhook

    return importhook.arm_script(code, kept)


def _code_of(source: bytes, path: str) -> CodeType:
    """The code of a script's source; nothing is compiled where it is kept armed."""
    kept: object = None
    if is_active():
        from codesuture import importhook

        kept = importhook.kept_script(source, path)
        if type(kept) is _Code:
            return kept
    return _armed(_compile(source, path), kept)


def _without_first_line(source: bytes) -> bytes:
    """The source, without its first line when Python was started with ``-x``."""
    script = sys.orig_argv.index(sys.argv[0]) if sys.argv[0] in sys.orig_argv else 1
    for option in sys.orig_argv[1:script]:
        if option[:1] == "-" and option[1:2] not in ("-", "X", "W") and "x" in option:
            return b"\n" + source.partition(b"\n")[2]
    return source


class _Held:
    """Stands where standard error is while a script is compiled, and keeps what is written."""

    def __init__(self) -> None:
        self.text: list[str] = []

    def write(self, text: str) -> None:
        self.text.append(text)

    def flush(self) -> None:
        return


def compile_silently(source: bytes | str, path: str) -> CodeType:
    """Compile a program without showing its warnings: Python shows them itself."""
    return _compile_held(source, path, _Held())


def _compile(source: bytes, path: str) -> CodeType:
    """Compile a script; its warnings are shown only when that succeeds.

    When it does not, Python will do it again, and show them itself.
    """
    held = _Held()
    code = _compile_held(source, path, held)
    if held.text and sys.stderr is not None:
        sys.stderr.write("".join(held.text))
    return code


def _compile_held(source: bytes | str, path: str, held: _Held) -> CodeType:
    stderr = sys.stderr
    sys.stderr = held
    try:
        return compile(source, path, "exec", dont_inherit=True)
    finally:
        sys.stderr = stderr
