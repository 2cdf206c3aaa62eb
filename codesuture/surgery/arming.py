"""Arming: adding landing pads to code, and finding the original code again.

``co_code`` is kept byte for byte and the pads are appended behind it, so no jump, offset or
line moves; the exception table leads from each site to its pad. Names and constants are appended
too, the last constant is the *seal*: what is needed to tell armed code and to undo it.
"""

from __future__ import annotations

from codesuture.surgery.instructions import decode, read_table, write_table
from codesuture.surgery.lines import no_location
from codesuture.surgery.names import PAD_NAMES, REACHING_NAMES
from codesuture.surgery.pads import PAD_CONSTANTS, Head, Tail, assemble_tree, head_stack
from codesuture.surgery.sealing import reaching, release, seal_pads, sealed_pads
from codesuture.surgery.sites import exits_of, find_sites, group_sites, tree_height

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from codesuture.surgery.instructions import Entry
    from codesuture.surgery.sites import Site

    SitePredicate = Callable[[CodeType, Site], bool]

_Code = type((lambda: None).__code__)


def arm(code: CodeType, reach: bool = False) -> CodeType:
    """``code`` with landing pads at all of its sites and in all code nested in its constants.

    With ``reach`` exceptions that come out of frames of packages enter the runtime too.
    Raises ValueError where the bytecode is not as the interpreter's compiler writes it.
    """
    if is_armed(code):
        return code
    constants = tuple(
        arm(constant, reach) if type(constant) is _Code else constant
        for constant in code.co_consts
    )
    if reach:
        code = reaching(code)
        constants = (*constants, code.co_consts[-1])
    instructions = decode(code.co_code)
    entries = read_table(code.co_exceptiontable)
    sites = find_sites(code, instructions, entries)
    reaches = any(site.reaching for site in sites)
    if not sites:
        return code.replace(co_consts=constants[:-1] if reach else constants)
    pads = _Pads(code, len(constants))
    for cover, groups in _by_cover(group_sites(sites)).items():
        pads.add(groups, cover)
    return code.replace(
        co_code=bytes(pads.body),
        co_names=code.co_names + PAD_NAMES + (REACHING_NAMES if reaches else ()),
        co_consts=(*constants, code.co_qualname, seal_pads(code)),
        co_exceptiontable=write_table(_merge(entries, sites, pads.targets) + pads.entries),
        co_linetable=code.co_linetable + no_location((len(pads.body) - len(code.co_code)) >> 1),
        co_stacksize=pads.stack,
    )


def _by_cover(groups: list[list[Site]]) -> dict[Entry | None, list[list[Site]]]:
    found: dict[Entry | None, list[list[Site]]] = {}
    for group in groups:
        found.setdefault(group[0].cover, []).append(group)
    return found


class _Pads:
    """The pads of one code object as they grow: bytecode, table, and the stack they need."""

    __slots__ = ("_constants", "_heads", "_names", "body", "entries", "stack", "targets")

    def __init__(self, code: CodeType, constants: int) -> None:
        self._names = len(code.co_names)
        self._constants = constants
        self._heads: dict[tuple[bytes, bool, bool, int], Head] = {}
        self.body = bytearray(code.co_code)
        self.stack: int = code.co_stacksize
        self.entries: list[Entry] = []
        self.targets: dict[int, int] = {}

    def add(self, groups: list[list[Site]], cover: Entry | None) -> None:
        """Append the pads of all groups of sites with the same original handler, and their tail."""
        begun: list[tuple[Head, int, int]] = []
        for group in groups:
            head = self._head(group[0])
            begun.append((head, len(self.body), group[0].depth))
            for site in group:
                self.targets[site.ordinal] = len(self.body)
            self.body += head.body
            exits = exits_of(group)
            self.body += assemble_tree(exits, len(self.body))
            self._needs(group, len(exits))
        tail, position = Tail(self._names), len(self.body)
        self.body += tail.body
        for head, at, depth in begun:
            self.entries += head.table(at, position, depth, cover)
        self.entries += tail.table(position, cover)

    def _head(self, site: Site) -> Head:
        kind = (site.match, site.through, site.reaching, site.kept)
        if kind not in self._heads:
            self._heads[kind] = Head(*kind, self._names, self._constants)
        return self._heads[kind]

    def _needs(self, group: list[Site], exits: int) -> None:
        values = max(site.values + site.nulls for site in group)
        above = max(values, tree_height(exits) + 1, head_stack(group[0].kept))
        self.stack = max(self.stack, group[0].depth + above)


def _merge(entries: list[Entry], sites: list[Site], targets: dict[int, int]) -> list[Entry]:
    """The original entries with the sites cut out and led to their pads, sorted."""
    merged: list[Entry] = [
        (*site.region, targets[site.ordinal], site.depth, True) for site in sites
    ]
    number = 0
    for start, end, *handler in entries:
        while number < len(sites) and sites[number].region[1] <= start:
            number += 1
        inside = number
        while inside < len(sites) and sites[inside].region[0] < end:
            first, behind = sites[inside].region
            if start < first:
                merged.append((start, first, *handler))  # type: ignore[arg-type]
            start = behind
            inside += 1
        if start < end:
            merged.append((start, end, *handler))  # type: ignore[arg-type]
    merged.sort()
    return merged


def is_armed(code: CodeType) -> bool:
    """Whether ``code`` has landing pads."""
    return sealed_pads(code) is not None


def disarm(code: CodeType) -> CodeType:
    """The code that was armed, without its pads; nested code stays as it is.

    Operators that keep their operands (``surgery.keeping``) go on doing so.

    Code that is not armed is returned unchanged.
    """
    sealed = sealed_pads(code)
    if sealed is None:
        return code
    size, lines, stack, table = sealed
    return code.replace(
        co_code=code.co_code[:size],
        co_names=code.co_names[: -_added_names(code)],
        co_consts=code.co_consts[: -PAD_CONSTANTS - 1],
        co_exceptiontable=table,
        co_linetable=code.co_linetable[:lines],
        co_stacksize=stack,
    )


def _added_names(code: CodeType) -> int:
    """How many names arming has added to those of the code."""
    reaching = code.co_names[-len(REACHING_NAMES) :] == REACHING_NAMES
    return len(PAD_NAMES) + reaching * len(REACHING_NAMES)


def original_of(code: CodeType) -> CodeType:
    """The code as it was before codesuture changed anything; nested code stays as it is."""
    return release(disarm(code))


def disarm_all(code: CodeType) -> CodeType:
    """Like :func:`original_of`, with all code nested in its constants."""
    code = original_of(code)
    return code.replace(
        co_consts=tuple(
            disarm_all(constant) if type(constant) is _Code else constant
            for constant in code.co_consts
        )
    )
