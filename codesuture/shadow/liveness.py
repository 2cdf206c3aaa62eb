"""Which variables are read again later: what is not, need not be followed."""

from __future__ import annotations

from codesuture.surgery.instructions import jump_target
from codesuture.surgery.opcodes import JUMPS, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.shadow.flow import Flow

#: Instructions after which a pass over the code is given up, and everything counts as live.
_MOST = 20_000


def live(flow: Flow) -> list[frozenset[str]]:
    """By ordinal: the variables that may be read from there on before they are bound again."""
    listing = flow.listing
    count = len(listing.instructions)
    reads = [frozenset(flow.loads(ordinal)) for ordinal in range(count)]
    binds = [frozenset(listing.stores(ordinal)) - reads[ordinal] for ordinal in range(count)]
    if count > _MOST:
        return [frozenset().union(*reads)] * count
    following = [_following(flow, ordinal) for ordinal in range(count)]
    found: list[frozenset[str]] = [frozenset()] * (count + 1)
    changed = True
    while changed:
        changed = False
        for ordinal in range(count - 1, -1, -1):
            after = frozenset().union(*(found[one] for one in following[ordinal]))
            now = reads[ordinal] | (after - binds[ordinal])
            if now != found[ordinal]:
                found[ordinal] = now
                changed = True
    return found


def _following(flow: Flow, ordinal: int) -> list[int]:
    """What can come after an instruction; the first is where it goes on without a jump."""
    listing = flow.listing
    row = listing.instructions[ordinal]
    following = [] if TERMINATES[row[2]] else [ordinal + 1]
    if JUMPS[row[2]]:
        following.append(listing.ordinals[jump_target(row)])
    entry = flow.handler(ordinal)
    if entry is not None:
        following.append(listing.ordinals[entry[2]])
    return following
