"""What the rules of several frameworks ask of an application."""

from __future__ import annotations

from types import FunctionType

from codesuture.fate.lookup import MISSING, class_entry, instance_dict, mro, place
from codesuture.fate.verdict import PASSES
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def own_method(owner: object, name: str, package: str) -> str:
    """Where the application's own method is that stands for one of the package's; "" if none.

    What a boundary's report (``proving.reports``) has put there is not the application's.
    """
    names = instance_dict(owner)
    entry = MISSING if names is None else names.get(name, MISSING)
    if entry is MISSING or place(type(entry)).startswith("codesuture."):
        entry = class_entry(type(owner), name)
        if type(entry) is FunctionType and entry.__module__.partition(".")[0] == package:
            return ""
    return "" if entry is MISSING else place(entry) or name


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


def outer_local(frame: FrameType, name: str, qualname: str) -> object:
    """A variable of the frame, or of the nearest frame of a function further out; or MISSING."""
    at: FrameType | None = frame
    for _ in range(_NEAR):
        if at is None:
            break
        if at is frame or at.f_code.co_qualname == qualname:
            found = local_variables(at).get(name, MISSING)
            if found is not MISSING:
                return found
        at = at.f_back
    return MISSING


#: How many frames further out a caller is looked for.
_NEAR = 12


def passes(frame: FrameType, kind: type[BaseException]) -> tuple[str, str]:
    """The rule of a frame that checks itself while an exception leaves it, which then goes on."""
    return PASSES, "lets it go on"
