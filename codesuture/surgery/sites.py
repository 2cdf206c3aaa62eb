"""The sites of a code object: which instructions can crash structurally, and how they go on.

Computed in the same way when code is armed and when one of its sites crashes, so nothing
about a site needs to be stored: a site is its code and its ordinal.
"""

from __future__ import annotations

from codesuture.surgery.handlers import Handlers
from codesuture.surgery.instructions import decode, jump_target, read_table, stack_depths
from codesuture.surgery.library import LIBRARY_NAMES
from codesuture.surgery.opcodes import (
    ARGUMENT_SITES,
    CALL_SEQUENCE,
    CALLEE_LOOKUP_UNITS,
    CHAIN_OPERATIONS,
    FOLLOWERS,
    NAMES,
    PLAIN_LOADS,
    RUN_ENDS,
    RUNNING_SITES,
    SIMPLE_SITES,
    pushes,
)
from codesuture.surgery.sealing import is_reaching, kept_operators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.instructions import Entry, Instruction

_CALLS = frozenset(CALL_SEQUENCE)
#: Operations that run functions of the library in the same evaluation loop.
_REACHING = frozenset({"call", "subscript", "delete_subscript"})
#: More that do so, where exceptions of packages count: properties, coroutines, generators.
_REACHING_PACKAGES = _REACHING | {"load_attribute", "send", "next"}


class Site:
    """One instruction that can crash.

    ``ordinal`` counts the instructions of the code from 0; ``start`` and ``end`` delimit its bytes,
    ``offset`` is that of its opcode; ``region`` is the part of the exception table that leads to
    its pad. ``depth`` is the stack
    depth beneath the operands, ``cover`` the original table's entry around the site. Execution
    goes on at ``resume`` with ``values`` values and ``nulls`` NULLs on top of the depth.

    ``match`` is what an ``except`` clause around the site catches, where that is plain to see
    (``surgery.handlers``); what it catches does not enter the runtime.

    ``through`` tells that exceptions from frames of the standard library enter the runtime too, and
    ``reaching`` that those from frames of packages do (``sealing.reaching``). ``beside`` is the
    next site, where exceptions of what that one calls enter the pad of this one.

    ``kept`` operands are beneath the site's own still when it has crashed (``surgery.keeping``).

    ``chain`` holds the ordinals of all links when the site is one of a chain such as
    ``data["user"]["name"]``; behind the last link execution goes on at ``chain_resume``.
    """

    __slots__ = (
        "argument", "beside", "chain", "chain_resume", "code", "cover", "depth", "end", "kept",
        "match", "nulls", "offset", "operands", "operation", "ordinal", "reaching", "region",
        "resume", "shape", "start", "through", "values",
    )  # fmt: skip

    def __init__(
        self,
        ordinal: int,
        instruction: Instruction,
        row: tuple[str, int, str],
        depth: int,
        cover: Entry | None,
    ) -> None:
        self.ordinal = ordinal
        self.start, self.offset, self.code, self.argument, self.end = instruction
        self.operation, self.operands, self.shape = row
        self.depth = depth - self.operands
        self.cover = cover
        self.resume = self.end
        self.values, self.nulls = pushes(self.shape, self.code, self.argument)
        self.chain: tuple[int, ...] = ()
        self.chain_resume: int | None = None
        self.match = b""
        self.through = False
        self.reaching = False
        self.beside: Site | None = None
        self.kept = 0
        self.region = (self.start, self.end)

    def __repr__(self) -> str:
        return f"<Site {self.ordinal} {self.operation} at {self.offset}>"


def find_sites(
    code: CodeType, instructions: list[Instruction], entries: list[Entry]
) -> list[Site]:
    """The sites of code that was decoded already, in the order of their offsets.

    An instruction directly within a bare ``except``, or ``except Exception``, that does not raise
    is none: whatever it raises is handled.
    """
    sites: list[Site] = []
    depths = stack_depths(instructions, entries)
    covers = _Covers(entries)
    handlers = Handlers(code, instructions)
    reaching = is_reaching(code)
    for ordinal, instruction in enumerate(instructions):
        start, _, number, argument, _ = instruction
        row = SIMPLE_SITES.get(number)
        if row is None:
            by_argument = ARGUMENT_SITES.get(number)
            if by_argument is not None:
                row = by_argument(argument)
            elif reaching:
                row = RUNNING_SITES.get(number)
            if row is None:
                continue
        depth = depths.get(start)
        if depth is None:
            continue
        cover = covers.around(start)
        match = None if cover is None else handlers.match(cover[2])
        if match == b"":
            continue
        site = Site(ordinal, instruction, row, depth, cover)
        site.match = match or b""
        site.reaching = reaching
        if number in FOLLOWERS:
            _follow(site, instructions)
        if number in RUNNING_SITES and not _ends_well(site, instructions, depths):
            continue
        sites.append(site)
    _link_chains(sites, instructions)
    copies = {offset for offset, *_ in kept_operators(code)}
    for site in sites if copies else ():
        if site.start in copies:
            site.kept = site.operands
    if reaching or not LIBRARY_NAMES.isdisjoint(code.co_names):
        _let_through(sites)
    if reaching and CALLEE_LOOKUP_UNITS:
        _join_neighbours(sites)
    return sites


def _follow(site: Site, instructions: list[Instruction]) -> None:
    """Let the site end behind the instructions that belong to it."""
    names = FOLLOWERS[site.code]
    last = site.ordinal + len(names)
    found = tuple(NAMES[row[2]] for row in instructions[site.ordinal + 1 : last + 1])
    if found != names:
        raise ValueError(f"{NAMES[site.code]} at {site.offset} is followed by {found}, not {names}")
    site.resume = instructions[last][4]
    if NAMES[site.code] in _CALLS:
        site.end = site.resume
        site.region = (site.start, site.end)


def _ends_well(site: Site, instructions: list[Instruction], depths: dict[int, int]) -> bool:
    """Let a site that runs a generator go on where its loop or its ``await`` ends.

    False where that is not told: ``async for`` ends by an exception.
    """
    before = instructions[max(0, site.ordinal - 3) : site.ordinal]
    if any(NAMES[row[2]] == "GET_ANEXT" for row in before):
        return False
    first, others = RUN_ENDS
    wanted = site.depth + site.values
    target = jump_target(instructions[site.ordinal])
    number = next(place for place, row in enumerate(instructions) if row[0] == target)
    if NAMES[instructions[number][2]] in first:
        number += 1
        while depths.get(instructions[number][0]) != wanted:
            if NAMES[instructions[number][2]] not in others:
                return False
            number += 1
    site.resume = instructions[number][0]
    site.nulls = 0
    return depths.get(site.resume) == wanted


def _let_through(sites: list[Site]) -> None:
    """Let pads be entered by exceptions from frames of others.

    The handler is looked up in the code unit before the call or subscript. Where that belongs to an
    instruction that is no site, the region begins there; where it is a site with the same depth
    beneath it (a method's load before its call), both share their pad anyhow. Else the pad that
    is entered is another one, which ``Landing.entered`` tells.
    """
    ends = {site.end for site in sites}
    for site in sites:
        site.through = True
        start = site.start - 2 * CALLEE_LOOKUP_UNITS
        if (
            site.operation in (_REACHING_PACKAGES if site.reaching else _REACHING)
            and site.start not in ends
            and start >= (0 if site.cover is None else site.cover[0])
        ):
            site.region = (start, site.end)


def _join_neighbours(sites: list[Site]) -> None:
    """Tell a site of the next one, whose callee's exceptions enter its pad (``_let_through``).

    There is less on the stack then than the pad's own sites keep. A pad reaches for nothing below
    what it was entered with, so it can lead behind that next site as well.
    """
    for number, site in enumerate(sites[:-1]):
        following = sites[number + 1]
        if (
            site.end == following.start
            and following.operation in _REACHING_PACKAGES
            and site.cover == following.cover
            and (site.depth, site.kept) != (following.depth, following.kept)
        ):
            site.beside = following


def _link_chains(sites: list[Site], instructions: list[Instruction]) -> None:
    """Tell the sites of a chain of each other.

    What lies between two links is at most one load without side effects: the next key. So a
    chain can be ended at any of its links and nothing is left out but reading.
    """
    chain: list[Site] = []
    for site in sites:
        if site.operation not in CHAIN_OPERATIONS:
            continue
        if chain and not _continues(chain[-1], site, instructions):
            _close(chain)
            chain = []
        chain.append(site)
    _close(chain)


def _continues(last: Site, site: Site, instructions: list[Instruction]) -> bool:
    """Whether ``site`` takes its first operand from ``last``."""
    between = instructions[last.ordinal + 1 : site.ordinal]
    if last.cover != site.cover or len(between) != site.operands - 1:
        return False
    return all(NAMES[row[2]] in PLAIN_LOADS for row in between)


def _close(chain: list[Site]) -> None:
    if len(chain) < 2:
        return
    ordinals = tuple(site.ordinal for site in chain)
    for site in chain:
        site.chain = ordinals
    for site in chain[:-1]:
        site.chain_resume = chain[-1].resume


class _Covers:
    """Looks up table entries for offsets that only grow."""

    __slots__ = ("_entries", "_next")

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self._next = 0

    def around(self, offset: int) -> Entry | None:
        entries = self._entries
        while self._next < len(entries) and entries[self._next][1] <= offset:
            self._next += 1
        if self._next < len(entries) and entries[self._next][0] <= offset:
            return entries[self._next]
        return None


def sites_of(code: CodeType) -> list[Site]:
    """The sites of original (not armed) code."""
    return find_sites(code, decode(code.co_code), read_table(code.co_exceptiontable))


class Exit:
    """A way back from a landing pad: behind a site, or behind the chain that it is part of."""

    __slots__ = ("resume", "site")

    def __init__(self, site: Site, resume: int) -> None:
        self.site = site
        self.resume = resume


def exits_of(group: list[Site]) -> list[Exit]:
    """The exits of the pad of a group, in the order of its tree's leaves."""
    exits: list[Exit] = []
    for site in group:
        exits.append(Exit(site, site.resume))
        if site.chain_resume is not None:
            exits.append(Exit(site, site.chain_resume))
        if site.beside is not None:
            exits.append(Exit(site.beside, site.beside.resume))
    return exits


def group_sites(sites: list[Site]) -> list[list[Site]]:
    """Sites that share one landing pad: same depth beneath them, same handler."""
    groups: dict[tuple[int, Entry | None, bool, int], list[Site]] = {}
    for site in sites:
        groups.setdefault((site.depth, site.cover, site.through, site.kept), []).append(site)
    return list(groups.values())


def turns_to(leaf: int, leaves: int) -> tuple[bool, ...]:
    """The turns (True: right) to a leaf of the balanced tree, as many as the tree is high.

    A leaf that is reached earlier ignores the rest.
    """
    turns: list[bool] = []
    low, high = 0, leaves
    while high - low > 1:
        middle = (low + high) // 2
        right = leaf >= middle
        turns.append(right)
        low, high = (middle, high) if right else (low, middle)
    return (*turns, *(False,) * (tree_height(leaves) - len(turns)))


def tree_height(leaves: int) -> int:
    """The length of the longest path in the tree over so many leaves."""
    return (leaves - 1).bit_length()
