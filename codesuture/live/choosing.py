"""Which frame of a traceback is to be guarded, if any.

Looked at whenever something has come to a boundary, so it costs little where there is nothing to
learn: in code with landing pads all has been seen by those.
"""

from __future__ import annotations

from codesuture import importhook
from codesuture.config.match import matches
from codesuture.surgery.arming import is_armed
from codesuture.surgery.library import is_of_library, raised_in_library
from codesuture.surgery.packages import is_of_package, raised_in_package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from codesuture.config.load import Config

#: How packages name the file of code that they write themselves: of it nobody can tell whose it is.
_WRITTEN_BY_PACKAGES = ("<attrs generated", "<decorator-gen", "<makefun-gen", "<template>")

#: A traceback of a recursion without end has a thousand entries; what crashed is at its end.
_MOST_ENTRIES = 5_000


def choose(exception: BaseException, config: Config) -> TracebackType | None:
    """The innermost entry of the program's own code, where a pad could have supplied a result.

    None where that code has pads, or where it only called something that is not to be guarded: a
    function that spoke by ``raise``, or a package that the configuration does not name.
    """
    chosen: TracebackType | None = None
    is_own = True  # what a thread begins with is the program's
    at = exception.__traceback__
    for _ in range(_MOST_ENTRIES):
        if at is None:
            break
        found = _belongs(at.tb_frame, is_own, config)
        if found:
            chosen = at
        if found is not None:
            is_own = found
        at = at.tb_next
    if at is not None or chosen is None or is_armed(chosen.tb_frame.f_code):
        return None
    inside = chosen.tb_next
    if inside is None or raised_in_library(inside):
        return chosen
    return chosen if config.library_calls and raised_in_package(inside) else None


def _belongs(frame: FrameType, is_own: bool, config: Config) -> bool | None:
    """Whether the frame's code is the program's, or None where it is the standard library's.

    ``is_own`` tells whether the next frame outside is, the library's not counted. Code that was
    made at run time and does not say in which module belongs to whom that does.
    """
    code = frame.f_code
    if is_armed(code):
        return True
    if is_of_library(code):
        return None
    name, file = frame.f_globals.get("__name__"), code.co_filename
    if is_of_package(code):
        return importhook.is_user_code(name if type(name) is str else "", file, config)
    if file.startswith(_WRITTEN_BY_PACKAGES):
        return False
    if type(name) is not str:
        return is_own
    if file.startswith("<") and name not in importhook.MAIN_NAMES:
        origin = frame.f_globals.get("__file__")
        if type(origin) is not str:
            return is_own and not matches([name], config.exclude)
        file = origin
    return importhook.is_user_code(name, file, config)
