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

from codesuture import afterimport, session, surgery
from codesuture.armedcache import ArmedCache
from codesuture.config.match import matches, names_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from codesuture.armedcache import Entry
    from codesuture.config.load import Config

    GetCode = Callable[[Any, str], CodeType | None]

LOADERS = (SourceLoader, SourcelessFileLoader, zipimport.zipimporter)
INSTALL_FOLDERS = ("site-packages", "dist-packages")
MAIN_NAMES = ("__main__", "__mp_main__")

_config: Config | None = None
_cache: ArmedCache | None = None
#: How loaders execute the code of a module.
_EXEC_MODULE = SourceLoader.exec_module.__code__
_own_folders: tuple[str, ...] = ()
_library_folders: tuple[str, ...] = ()
#: Faults that a line told of, by type and text.
_said: set[tuple[type[Exception], str]] = set()
_installed_folders: dict[str, bool] = {}
_paths_then: list[str] = []


def install(config: Config) -> None:
    """Arm all user code that is loaded from now on. Another call replaces the configuration."""
    global _cache, _config, _own_folders, _library_folders
    if _config is None:
        _own_folders = _folders_of_codesuture()
        _library_folders = _folders_of_the_standard_library()
        _cache = _open_cache()
        if config.include or config.exclude:
            import fnmatch  # noqa: F401  # imports `re`: only where there are patterns
        for loader in LOADERS:
            setattr(loader, "get_code", _arming(loader.get_code))  # noqa: B010
        adapt_loaded()
    _config = config


def _open_cache() -> ArmedCache | None:
    """The cache of armed code; None where even asking for it fails."""
    try:
        return ArmedCache()
    except Exception:
        return None


def _arming(original: GetCode) -> GetCode:
    """``original`` of one loader class, with user code armed in its result."""

    def get_code(self: object, fullname: str) -> CodeType | None:
        loading = _Loading(fullname)
        armed = loading.begin(self)
        if armed is not None:
            return armed
        try:
            code = original(self, fullname)
        except BaseException as error:
            # Leave no trace: `raise` alone adds no entry to the traceback, and ours goes here.
            if error.__traceback__ is not None:
                error.__traceback__ = error.__traceback__.tb_next
            raise
        return loading.end(code)

    get_code.__doc__ = original.__doc__
    get_code.__qualname__ = getattr(original, "__qualname__", "get_code")
    get_code.__module__ = original.__module__
    return get_code


class _Loading:
    """One call of a loader's ``get_code``: what happens before the loader's own, and after it.

    A fault of ours is one line, and the module is what its loader gives.
    """

    __slots__ = ("entry", "is_run_as_main", "module", "wanted")

    def __init__(self, module: str) -> None:
        self.module = module
        self.wanted: bool | None = None
        self.entry: Entry | None = None
        # Until `runpy` has the code of `-m`, `sys.argv[0]` is the option itself.
        self.is_run_as_main = (
            sys.argv[:1] == ["-m"] and sys._getframe(2).f_globals.get("__name__") == "runpy"
        )

    def begin(self, loader: object) -> CodeType | None:
        """The armed code, where it is cached."""
        try:
            if afterimport.FROZEN in afterimport.expected and afterimport.FROZEN in sys.modules:
                adapt_loaded()
            if type(loader) is not SourceFileLoader:
                return None
            self.wanted = self._is_wanted(loader.path)
            if not self.wanted or _cache is None:
                return None
            self.entry = _cache.entry(loader, self.module)
            armed = None if self.entry is None else self.entry.load()
            if armed is not None:
                return session.module_loaded(self.module, armed)
            return None
        except Exception as error:
            self.wanted = False
            _say_not_armed(self.module, error)
            return None

    def end(self, code: CodeType | None) -> CodeType | None:
        """The code that the loader gave, armed if it is to be."""
        if code is None:
            return None
        if self.module in afterimport.expected and sys._getframe(2).f_code is _EXEC_MODULE:
            return afterimport.then_adapt(self.module, code, _arm_for_tool)
        if self.wanted is False:
            return code
        try:
            if self.wanted or self._is_wanted(code.co_filename):
                armed = surgery.arm(code)
                if self.entry is not None:
                    self.entry.save(armed)
                return session.module_loaded(self.module, armed)
        except Exception as error:
            _say_not_armed(self.module, error)
        return code

    def _is_wanted(self, filename: str) -> bool:
        if self.is_run_as_main and self.module not in MAIN_NAMES:
            return _config is not None and not filename.startswith(_library_folders)
        return _is_wanted(self.module, filename)


def _say_not_armed(module: str, error: Exception) -> None:
    """One line for each fault: where arming fails at all, it fails for every module."""
    fault = (type(error), str(error))
    if fault not in _said:
        _said.add(fault)
        from codesuture.messages import emit

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
    if config is None or not matches([module], config.include):
        return code
    return _arm(module, code) if _is_wanted(module, code.co_filename) else code


def arm_script(code: CodeType) -> CodeType:
    """The code of a script, armed unless the configuration excludes it."""
    return _arm("__main__", code) if _is_wanted("__main__", code.co_filename) else code


def arm_function(module: object, code: CodeType) -> CodeType:
    """The code of a function that exists already, armed if it is the program's own."""
    name = module if type(module) is str else ""
    return _arm(name, code) if _is_wanted(name, code.co_filename) else code


def _arm(module: str, code: CodeType) -> CodeType:
    try:
        return session.module_loaded(module, surgery.arm(code))
    except Exception as error:
        _say_not_armed(module, error)
        return code


def _is_wanted(module: str, filename: str) -> bool:
    return _config is not None and is_user_code(module, filename, _config)


def is_user_code(module: str, filename: str, config: Config) -> bool:
    """Whether a module is to be armed.

    ``exclude`` of the configuration wins over ``include``, which wins over where the file is.
    ``__main__`` is armed wherever it is. codesuture never is.
    """
    if module.partition(".")[0] in ("codesuture", "codesuture_agent"):
        return False
    names = names_of(module, session.module_name(module, filename))
    if matches(names, config.exclude):
        return False
    if matches(names, config.include):
        return True
    if _is_inside(filename, _own_folders):
        return False
    if module in MAIN_NAMES:
        return True
    if filename.startswith("<"):
        return False
    return not _is_inside(filename, _library_folders) and not _is_installed(filename)


def _is_inside(filename: str, folders: tuple[str, ...]) -> bool:
    return filename.startswith(folders)


def _is_installed(filename: str) -> bool:
    """Whether a file lies in a folder that packages are installed into; remembered by folder.

    A folder called site-packages is one if it is on ``sys.path`` or belongs to this interpreter; a
    project may lie below a folder of that name all the same.
    """
    global _paths_then
    if sys.path != _paths_then:
        _paths_then = sys.path[:]
        _installed_folders.clear()
    folder = os.path.dirname(filename)
    answer = _installed_folders.get(folder)
    if answer is None:
        answer = _installed_folders[folder] = _is_below_packages(folder)
    return answer


def _is_below_packages(folder: str) -> bool:
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
    not count, and site-packages below the library is for ``_is_installed``.
    """
    folder = os.path.dirname(os.path.abspath(os.__file__))
    found = {folder, getattr(sys, "_stdlib_dir", None) or folder}
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    found.update(entry for entry in sys.path if os.path.basename(entry) == archive)
    return tuple(os.path.join(entry, "") for entry in found)
