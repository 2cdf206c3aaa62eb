"""Tools that load or read code in ways of their own, and what they need to live with armed code.

Each is adapted as soon as it is loaded (``afterimport``). Nothing here leaves a frame of ours below
the program's code.
"""

from __future__ import annotations

import sys

from codesuture.surgery.arming import disarm_all
from codesuture.surgery.names import PAD_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, ModuleType
    from typing import Any

    #: Arms the code of a script, or of a module that the configuration includes by its name.
    Arm = Callable[[str, CodeType], CodeType]

MAIN = "__main__"


def adapt_runpy(runpy: Any, arm: Arm) -> None:
    """Arm what ``runpy.run_path`` compiles: ``multiprocessing`` gives children ``__main__`` so.

    ``runpy`` is frozen and comes from no loader of ours. ``run_path`` itself loads a module
    (``pkgutil``) unless that is there already.
    """
    original = getattr(runpy, "_get_code_from_file", None)
    if original is None:
        return

    def _get_code_from_file(*arguments: object) -> object:
        try:
            result = original(*arguments)
        except BaseException as error:
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        if type(result) is tuple:  # (code, file name) before 3.12
            return (arm(MAIN, result[0]), *result[1:])
        return arm(MAIN, result)

    runpy._get_code_from_file = _get_code_from_file


def adapt_numba(bytecode: Any, arm: Arm) -> None:
    """Give numba the original code: it compiles bytecode, and knows no pads."""
    original = getattr(bytecode, "get_code_object", None)
    if original is None:
        return

    def get_code_object(function: object) -> object:
        code = original(function)
        return disarm_all(code) if type(code) is type(adapt_numba.__code__) else code

    bytecode.get_code_object = get_code_object


def adapt_pytest(rewrite: Any, arm: Arm) -> None:
    """Arm tests that the configuration includes; pytest's loader executes what it has rewritten.

    Its own cache keeps the original. Tests that are not included stay as they are: a test is to
    fail where it crashes.
    """
    names = ("_rewrite_test", "_read_pyc", "_write_pyc")
    found = [getattr(rewrite, name, None) for name in names]
    if not all(map(callable, found)):
        return
    rewrite_test: Any
    read_pyc: Any
    write_pyc: Any
    rewrite_test, read_pyc, write_pyc = found

    def _rewrite_test(path: object, *rest: object) -> object:
        validity, code = rewrite_test(path, *rest)
        return validity, arm(_module_at(path), code)

    def _read_pyc(path: object, *rest: object) -> object:
        code = read_pyc(path, *rest)
        return code if code is None else arm(_module_at(path), code)

    def _write_pyc(state: object, code: CodeType, *rest: object) -> object:
        return write_pyc(state, disarm_all(code), *rest)

    rewrite._rewrite_test = _rewrite_test
    rewrite._read_pyc = _read_pyc
    rewrite._write_pyc = _write_pyc


def adapt_dill(detect: Any, arm: Arm) -> None:
    """Hide the names of the runtime from dill: it sends what functions refer to along with them."""
    original = getattr(detect, "nestedglobals", None)
    if original is None:
        return

    def nestedglobals(*arguments: object, **keywords: object) -> list[str]:
        return [name for name in original(*arguments, **keywords) if name not in PAD_NAMES]

    detect.nestedglobals = nestedglobals


def _module_at(path: object) -> str:
    """The name of the module that is being loaded from a file; empty where none is."""
    origin = str(path)
    for name, module in reversed(list(sys.modules.items())):
        spec = getattr(module, "__dict__", {}).get("__spec__")
        if getattr(spec, "origin", None) == origin:
            return name
    return ""


def adapt(module: ModuleType, arm: Arm) -> None:
    """Adapt a tool's module, which is loaded; one that is not as expected stays as it is."""
    ADAPTERS[module.__name__](module, arm)


#: By the module that is adapted (``afterimport.expected`` has their names too).
ADAPTERS: dict[str, Callable[[ModuleType, Arm], None]] = {
    "runpy": adapt_runpy,
    "numba.core.bytecode": adapt_numba,
    "_pytest.assertion.rewrite": adapt_pytest,
    "dill.detect": adapt_dill,
}
