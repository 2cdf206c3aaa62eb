"""What the rules of several frameworks ask of an application."""

from __future__ import annotations

from types import FunctionType, MethodType

from codesuture.fate.lookup import MISSING, attribute, class_entry, instance_dict, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def own_method(owner: object, name: str, package: str) -> str:
    """Where the application's own method is that stands for one of the package's; "" if none.

    What a boundary's report (``proving.reports``) has put there is not the application's.
    """
    method = attribute(owner, name)
    if type(method) is MethodType and id(method.__func__) in _packages_own:
        return ""
    names = instance_dict(owner)
    entry = MISSING if names is None else names.get(name, MISSING)
    if entry is MISSING or place(type(entry)).startswith("codesuture."):
        entry = class_entry(type(owner), name)
        if _is_of(entry, package):
            return ""
    return "" if entry is MISSING else place(entry) or name


def _is_of(function: object, package: str) -> bool:
    if type(function) is not FunctionType or function.__module__.partition(".")[0] != package:
        return False
    if len(_packages_own) >= _MOST_KINDS:
        _packages_own.clear()
    _packages_own[id(function)] = function
    return True


#: By their addresses: methods of packages that were asked for. None belongs to two packages.
_packages_own: dict[int, FunctionType] = {}


def is_a(kind: type, name: str) -> bool:
    """Whether a class is derived from the one that is called ``module.qualname``."""
    found = _kinds.get((kind, name))
    if found is None:
        if len(_kinds) >= _MOST_KINDS:
            _kinds.clear()
        found = _kinds[kind, name] = any(place(base) == name for base in mro(kind))
    return found


_kinds: dict[tuple[type, str], bool] = {}
_MOST_KINDS = 1_000


def outer_local(frame: FrameType | None, name: str, qualname: str) -> object:
    """A variable of the nearest frame of a function, this one or further out; or MISSING."""
    at = frame
    for _ in range(_NEAR):
        if at is None:
            break
        if at.f_code.co_qualname == qualname:
            found = local_variable(at, name, MISSING)
            if found is not MISSING:
                return found
        at = at.f_back
    return MISSING


#: How many frames further out a caller is looked for.
_NEAR = 12


def passes(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The rule of a frame that checks itself while an exception leaves it, which then goes on."""
    return PASSES, "lets it go on"
