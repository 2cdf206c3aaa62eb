"""What the rules of several frameworks ask of an application."""

from __future__ import annotations

from types import FunctionType

from codesuture.fate.lookup import MISSING, class_entry, dict_reader, instance_dict, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variable
from codesuture.proving.reports import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any


def own_method(owner: object, name: str, package: str) -> str:
    """Where the application's own method is that stands for one of the package's; "" if none.

    What a boundary's report (``proving.reports``) has put there is not the application's.
    """
    cls = type(owner)
    known = _packages_own.get((id(cls), name))
    if known is not None:
        _, function, dict_of = known
        if getattr(cls, name, MISSING) is function:
            names = dict_of(owner)
            if type(names) is dict:
                found = names.get(name, MISSING)
                if found is MISSING or type(found) is Report:
                    return ""
    names = instance_dict(owner)
    entry = MISSING if names is None else names.get(name, MISSING)
    if entry is MISSING or type(entry) is Report:
        entry = class_entry(cls, name)
        if type(entry) is FunctionType and entry.__module__.partition(".")[0] == package:
            _remember(cls, name, entry)
            return ""
    return "" if entry is MISSING else place(entry) or name


#: By class (its address) and name: the class, the package's own method, and what gives the dict of
#: an instance. To ask such a class runs nothing of the program's, and is quick.
_packages_own: dict[tuple[int, str], tuple[type, FunctionType, Any]] = {}


def _remember(cls: type, name: str, entry: FunctionType) -> None:
    dict_of = dict_reader(cls)
    if type(cls) is type and dict_of is not None:
        if len(_packages_own) >= _MOST_KINDS:
            _packages_own.clear()
        _packages_own[id(cls), name] = cls, entry, dict_of


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
