"""Arming user code as it is loaded, by whatever loader loads it.

``install`` wraps ``get_code`` of the import system's loaders, so finders, caches, specs and
modules stay what they are. What counts as user code is everything outside the standard library and
the folders that packages are installed into, and what the configuration includes.
"""

from __future__ import annotations

import os
import sys
import zipimport
from _frozen_importlib_external import SourceFileLoader, SourcelessFileLoader, SourceLoader

from codesuture import afterimport, scriptcache, session
from codesuture.armedcache import ArmedCache, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from codesuture.config.load import Config

    GetCode = Callable[[Any, str], CodeType | None]

LOADERS = (SourceLoader, SourcelessFileLoader, zipimport.zipimporter)
INSTALL_FOLDERS = ("site-packages", "dist-packages")
MAIN_NAMES = ("__main__", "__mp_main__")
_OWN_PACKAGES = ("codesuture", "codesuture_agent")
_Code = type((lambda: None).__code__)

_config: Config | None = None
_cache: ArmedCache | None = None
#: Whether crashes in packages may end at the program's calls of them.
_reach = False
#: How loaders execute the code of a module.
_EXEC_MODULE = SourceLoader.exec_module.__code__
_own_folders: tuple[str, ...] = ()
_library_folders: tuple[str, ...] = ()
#: Folders: whether user code is in them, as long as ``sys.path`` is what it was then.
_of_the_user: dict[str, bool] = {}
_paths_then: list[str] = []
#: Faults that a line told of, by type and text.
_said: set[tuple[type[Exception], str]] = set()


def install(config: Config) -> None:
    """Arm all user code that is loaded from now on. Another call replaces the configuration."""
    global _cache, _config, _own_folders, _library_folders, _reach
    if _config is None:
        _reach = bool(config.library_calls) and config.guards.get("call_guard", True)
        _own_folders = _folders_of_codesuture()
        _library_folders = _folders_of_the_standard_library()
        _cache = _open_cache()
        if config.include or config.exclude:
            # They import `re`: only where there are patterns, and not in the middle of an import.
            import fnmatch  # noqa: F401

            from codesuture.config import match  # noqa: F401
        for loader in LOADERS:
            setattr(loader, "get_code", _arming(loader.get_code))  # noqa: B010
        adapt_loaded()
    _config = config


def _open_cache() -> ArmedCache | None:
    """The cache of armed code; None where even asking for it fails."""
    try:
        return ArmedCache(_reach)
    except Exception:
        return None


def _arming(original: GetCode) -> GetCode:
    """``original`` of one loader class, with user code armed in its result."""

    def get_code(self: object, fullname: str) -> CodeType | None:
        found = _begin(self, fullname)
        if type(found) is _Code:
            return found
        try:
            code = original(self, fullname)
        except BaseException as error:
            # Leave no trace: `raise` alone adds no entry to the traceback, and ours goes here.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        return code if code is None else _end(fullname, code, found)

    get_code.__doc__ = original.__doc__
    get_code.__qualname__ = getattr(original, "__qualname__", "get_code")
    get_code.__module__ = original.__module__
    return get_code


def _begin(loader: object, module: str) -> CodeType | Entry | None:
    """Before a loader's own ``get_code``: the armed code where it is cached, or where to write it.

    All of an import that is ours when the cache is warm. A fault of ours is one line.
    """
    try:
        if afterimport.FROZEN in afterimport.expected and afterimport.FROZEN in sys.modules:
            adapt_loaded()
        if type(loader) is not SourceFileLoader or _cache is None:
            return None
        as_main = _is_run_as_main(module)
        if not (_is_not_library if as_main else _is_wanted)(module, loader.path):
            return None
        found = _cache.load(loader, module)
        return session.module_loaded(module, found) if type(found) is _Code else found
    except Exception as error:
        _say_not_armed(module, error)
        return None


def _end(module: str, code: CodeType, entry: object) -> CodeType:
    """The code that a loader gave, armed if it is to be; a fault of ours is one line."""
    if module in afterimport.expected and sys._getframe(2).f_code is _EXEC_MODULE:
        return afterimport.then_adapt(module, code, _arm_for_tool)
    try:
        as_main = _is_run_as_main(module)
        if not (_is_not_library if as_main else _is_wanted)(module, code.co_filename):
            return code
        return session.module_loaded(module, _armed(module, code, entry))
    except Exception as error:
        _say_not_armed(module, error)
        return code


def _is_run_as_main(module: str) -> bool:
    """Whether ``runpy`` asks for the module of ``-m``; until then ``sys.argv`` has the option.

    For ``_begin`` and ``_end``, which ``get_code`` calls.
    """
    if getattr(sys, "argv", [])[:1] != ["-m"] or module in MAIN_NAMES:
        return False
    return sys._getframe(3).f_globals.get("__name__") == "runpy"


def _say_not_armed(module: str, error: Exception) -> None:
    """One line for each fault: where arming fails at all, it fails for every module."""
    fault = (type(error), str(error))
    if fault not in _said:
        _said.add(fault)
        from codesuture.gatekeeper import Incomplete
        from codesuture.messages import emit

        if isinstance(error, Incomplete):
            emit(str(error))
            return
        emit(
            f"{module} runs without codesuture, and so does each module where this happens again: "
            f"{type(error).__name__}: {error}"
        )


def adapt_loaded() -> None:
    """Adapt the tools and servers that were loaded in some way that does not come by here."""
    afterimport.adapt_loaded(_arm_for_tool)


def _arm_for_tool(module: str, code: CodeType) -> CodeType:
    """The code of a script, or of a module that is included by its name, armed."""
    if module in MAIN_NAMES:
        return arm_script(code)
    config = _config
    if config is None or not config.include:
        return code
    from codesuture.config.match import matches

    if not matches([module], config.include):
        return code
    return _arm(module, code) if _is_wanted(module, code.co_filename) else code


def kept_script(source: bytes, path: str) -> CodeType | scriptcache.Entry | None:
    """The armed code of a script's source, where it is kept; else where ``arm_script`` keeps it."""
    if _cache is None or not _is_wanted("__main__", path):
        return None
    entry = scriptcache.Entry(_cache, source, path)
    found = entry.load()
    if found is None:
        return entry
    sys.audit("compile", None, path)  # as where the interpreter compiles the script
    try:
        return session.module_loaded("__main__", found)
    except Exception as error:
        _say_not_armed("__main__", error)
        return None


def arm_script(code: CodeType, entry: object = None) -> CodeType:
    """The code of a script, armed unless the configuration excludes it."""
    return _arm("__main__", code, entry) if _is_wanted("__main__", code.co_filename) else code


def arm_function(module: object, code: CodeType) -> CodeType:
    """The code of a function that exists already, armed if it is the program's own."""
    name = module if type(module) is str else ""
    return _arm(name, code) if _is_wanted(name, code.co_filename) else code


def _armed(module: str, code: CodeType, entry: object) -> CodeType:
    """The code with its pads, if it passes the gate; then it is cached, or at least remembered."""
    from codesuture.surgery import arming

    armed = arming.arm(code, _reach)
    changed = armed != code
    if changed:
        from codesuture import gatekeeper

        reason = gatekeeper.admit(code, armed)
        if reason:
            session.rejected(module, code, reason)
            return code
    saved = entry.save(armed) if isinstance(entry, (Entry, scriptcache.Entry)) else False
    if changed and not saved:
        gatekeeper.remember(code, armed)
    return armed


def arm_chosen(module: str, code: CodeType) -> CodeType:
    """Any code, armed as this process arms and let through by the gate; else as it is, which is
    said once for each fault."""
    try:
        return _armed(module, code, None)
    except Exception as error:
        _say_not_armed(module, error)
        return code


def _arm(module: str, code: CodeType, entry: object = None) -> CodeType:
    try:
        return session.module_loaded(module, _armed(module, code, entry))
    except Exception as error:
        _say_not_armed(module, error)
        return code


def _is_wanted(module: str, filename: str) -> bool:
    return _config is not None and is_user_code(module, filename, _config)


def _is_not_library(module: str, filename: str) -> bool:
    return _config is not None and not filename.startswith(_library_folders)


def is_user_code(module: str, filename: str, config: Config) -> bool:
    """Whether a module is to be armed.

    ``exclude`` of the configuration wins over ``include``, which wins over where the file is.
    ``__main__`` is armed wherever it is. codesuture never is.
    """
    if module.startswith("codesuture") and module.partition(".")[0] in _OWN_PACKAGES:
        return False
    if config.include or config.exclude:
        from codesuture.config.match import matches, names_of

        names = names_of(module, session.module_name(module, filename))
        if matches(names, config.exclude):
            return False
        if matches(names, config.include):
            return True
    if os.altsep:
        filename = filename.replace(os.altsep, os.sep)
    folder = filename.rpartition(os.sep)[0]  # a tenth of the time that `dirname` takes
    if module in MAIN_NAMES:
        return not _is_inside(folder, _own_folders)
    return not filename.startswith("<") and _is_of_the_user(folder)


def is_codesuture(module: str, filename: str) -> bool:
    """Whether a module, or code in a file, is codesuture itself."""
    own = module.partition(".")[0] in _OWN_PACKAGES
    return own or filename.startswith(_own_folders or _folders_of_codesuture())


def is_installed(filename: str) -> bool:
    """Whether a file is in a folder that packages are installed into."""
    return _is_below_packages(filename.rpartition(os.sep)[0])


def is_own_file(filename: str) -> bool:
    """Whether a file is neither of the library nor installed, nor codesuture's."""
    return not filename.startswith("<") and _is_of_the_user(filename.rpartition(os.sep)[0])


def _is_of_the_user(folder: str) -> bool:
    """Whether what is in a folder is neither the library nor installed, nor codesuture."""
    global _paths_then
    if sys.path != _paths_then:
        _paths_then = sys.path[:]
        _of_the_user.clear()
    answer = _of_the_user.get(folder)
    if answer is None:
        apart = _own_folders + _library_folders
        answer = not (_is_inside(folder, apart) or _is_below_packages(folder))
        _of_the_user[folder] = answer
    return answer


def _is_inside(folder: str, others: tuple[str, ...]) -> bool:
    return os.path.join(folder, "").startswith(others)


def _is_below_packages(folder: str) -> bool:
    """Whether a folder is, or is in, one that packages are installed into.

    A folder called site-packages is one if it is on ``sys.path`` or belongs to this interpreter; a
    project may lie below a folder of that name all the same.
    """
    while True:
        head, tail = os.path.split(folder)
        if not tail:
            return False
        if tail in INSTALL_FOLDERS and (folder in sys.path or _belongs_to_interpreter(folder)):
            return True
        folder = head


def _belongs_to_interpreter(folder: str) -> bool:
    """Whether it is below ``lib``, ``lib64`` or ``Lib`` of this interpreter or environment."""
    for prefix in {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}:
        inside = os.path.join(prefix, "")
        if folder.startswith(inside) and folder[len(inside) :].lower().startswith("lib"):
            return True
    return False


def _folders_of_codesuture() -> tuple[str, ...]:
    """Where codesuture and its agent are, with the separator behind them."""
    found = [os.path.dirname(os.path.abspath(__file__))]
    agent = sys.modules.get("codesuture_agent.boot")
    if agent is not None and agent.__file__:
        found.append(os.path.dirname(os.path.abspath(agent.__file__)))
    return tuple(os.path.join(folder, "") for folder in found)


def _folders_of_the_standard_library() -> tuple[str, ...]:
    """Where the standard library is, in a folder and as a zip file.

    A project may lie in the same folder tree as an interpreter, so the installation's prefix does
    not count, and site-packages below the library is for ``_is_below_packages``.
    """
    folder = os.path.dirname(os.path.abspath(os.__file__))
    found = {folder, getattr(sys, "_stdlib_dir", None) or folder}
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    found.update(entry for entry in sys.path if os.path.basename(entry) == archive)
    return tuple(os.path.join(entry, "") for entry in found)
