"""What was learned, applied in this process and taken back: armed code for functions that live.

Imported when something is learned, and by processes whose store has such patches.
"""

from __future__ import annotations

from time import monotonic

from codesuture import importhook
from codesuture.live import making
from codesuture.live.references import References
from codesuture.live.replacing import Replacement
from codesuture.session import module_in
from codesuture.surgery.arming import is_armed
from codesuture.surgery.fingerprint import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.knowledge import Place
    from codesuture.session import Session

#: Seconds until the functions of one code are looked for again: what still runs may make some.
_PAUSE = 1.0

_replacements: dict[Place, Replacement] = {}
_applied: dict[Place, float] = {}


def apply(place: Place, code: CodeType, armed: CodeType) -> Replacement:
    """Have every function that is alive run ``armed`` instead of ``code``.

    Of several threads that come with the same code the first one's is everybody's.
    """
    making.install()
    replacement = _replacements.get(place)
    if replacement is None:
        replacement = _replacements.setdefault(place, Replacement(code, armed))
    if monotonic() - _applied.get(place, -_PAUSE) >= _PAUSE:
        _applied[place] = monotonic()
        replacement.apply()
    return replacement


def follow(session: Session) -> None:
    """The patches of the store have changed: take back what was done for those that are gone, and
    do it for those that other processes have learned."""
    places = session.knowledge.patches().by_place
    for place, replacement in list(_replacements.items()):
        if place not in places:
            _replacements.pop(place, None)
            _applied.pop(place, None)
            replacement.undo()
            from codesuture.messages import emit

            emit(f"Rolled back: {place[1]} runs its own code again.")
    take_over(session)


def take_over(session: Session) -> None:
    """Arm code that has patches which were learned: as it is made, and where it is alive."""
    known = session.knowledge.patches()
    if not known.learned:
        return
    known.learned = False  # until there are more
    making.install()
    wanted = {
        place
        for place, patches in list(known.by_place.items())
        if place not in _replacements and any(patch.learned for patch in patches)
    }
    names = {place[1] for place in wanted}
    found = References(lambda code: code.co_qualname in names, lambda code: False)
    for function in found.functions:
        code = function.__code__
        module = module_in(function.__globals__, code.co_filename)
        place = (module, code.co_qualname, fingerprint(code))
        if place in wanted and not is_armed(code):
            armed = importhook.arm_chosen(module, code)
            if is_armed(armed):
                apply(place, code, session.prepare(module, armed))
