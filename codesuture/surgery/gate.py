"""The semantic diff gate: armed code is the original plus pads that do what pads do, or it is not
used.

``verify`` compares every byte, name, constant, line and handler of armed code with what it should
be. It reads with a reader of its own (``surgery.reading``) and knows the forms of pads by itself
(``surgery.forms``); where execution goes on behind a site is told by ``surgery.sites``, as it is
when one crashes. It imports nothing and takes about as long as arming does. What it has seen is
read again by ``bytecode`` (``surgery.graph``), once for each form.
"""

from __future__ import annotations

from types import CodeType

from codesuture.surgery import forms
from codesuture.surgery.names import ARMED, PAD_NAMES, REACHING_NAMES
from codesuture.surgery.opcodes import NAMES
from codesuture.surgery.pads import PAD_CONSTANTS
from codesuture.surgery.reading import (
    Rejected,
    check_no_location,
    depths_of,
    handlers_of,
    rows_of,
    same_constants,
)
from codesuture.surgery.sealing import REACHING, is_reaching, reaching, seal_pads
from codesuture.surgery.sites import exits_of, group_sites, sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.surgery.forms import Line
    from codesuture.surgery.reading import Handler
    from codesuture.surgery.sites import Exit, Site

__all__ = ["BUDGET", "REWRITTEN", "Rejected", "Seen", "verify"]

#: The most instructions that arming may add for one site: its head, and its ways back. The budget
#: of the guard that heals there is asked when it does (``decision.decide``).
BUDGET = 96

#: The form of code whose operators keep their operands.
REWRITTEN = "rewritten"

_SAME = (
    "co_argcount", "co_posonlyargcount", "co_kwonlyargcount", "co_nlocals", "co_flags",
    "co_varnames", "co_cellvars", "co_freevars", "co_name", "co_qualname", "co_filename",
    "co_firstlineno",
)  # fmt: skip


_CODE = {
    "co_code": "bytecode", "co_names": "names", "co_exceptiontable": "handlers",
    "co_linetable": "lines", "co_stacksize": "stack",
}  # fmt: skip


class Seen:
    """A pair of code objects that was verified. ``forms`` names the forms of its pads."""

    __slots__ = ("armed", "forms", "original")

    def __init__(self, original: CodeType, armed: CodeType, forms: frozenset[str]) -> None:
        self.original = original
        self.armed = armed
        self.forms = forms


def verify(original: CodeType, armed: CodeType) -> list[Seen]:
    """Check ``armed`` and all code nested in it against the original; what was armed, inner first.

    Raises Rejected where an original byte, name, constant, line or handler is another, where what
    was added is no pad of the known forms, leads elsewhere than behind its sites, stores to a
    local, or takes more of the stack than there is, and where a site got more than its budget.
    """
    seen: list[Seen] = []
    for before, after in zip(original.co_consts, armed.co_consts, strict=False):
        if type(before) is CodeType:
            if type(after) is not CodeType:
                raise Rejected("nested code is missing")
            seen += verify(before, after)
    _check_same(original, armed)
    if not _is_sealed(armed):
        _check_without_pads(original, armed)
        return seen
    prepared = _prepared(original, armed)
    try:
        found = _Pads(prepared, armed).verify()
    except Rejected as error:
        raise Rejected(f"{error} (in {original.co_qualname})") from None
    if prepared.co_code != original.co_code:
        found.add(REWRITTEN)
    return [*seen, Seen(original, armed, frozenset(found))]


def _check_same(original: CodeType, armed: CodeType) -> None:
    """Check what nothing may change."""
    for name in _SAME:
        if getattr(armed, name) != getattr(original, name):
            raise Rejected(f"{name} changed")
    if len(armed.co_consts) < len(original.co_consts):
        raise Rejected("a constant is missing")
    same_constants(original.co_consts, armed.co_consts, CodeType)


def _is_sealed(armed: CodeType) -> bool:
    seal = armed.co_consts[-1] if armed.co_consts else None
    return type(seal) is bytes and seal.startswith(ARMED)


def _check_without_pads(original: CodeType, armed: CodeType) -> None:
    for name, what in _CODE.items():
        if getattr(armed, name) != getattr(original, name):
            raise Rejected(f"the original {what} changed")
    if len(armed.co_consts) != len(original.co_consts) or sites_of(original):
        raise Rejected(f"{original.co_qualname} has no pads")


def _prepared(original: CodeType, armed: CodeType) -> CodeType:
    """What armed code was before it got pads: the original, or the original whose operators keep
    their operands. What armed code says of that is not believed, but compared with it."""
    marks = armed.co_consts[len(original.co_consts) : -1 - PAD_CONSTANTS]
    prepared = reaching(original) if marks[:1] == (REACHING,) else original
    if len(marks) == len(prepared.co_consts) - len(original.co_consts):
        return prepared
    from codesuture.surgery.rewritten import prepared_of

    return prepared_of(prepared, armed)


class _Pads:
    """The pads of one code object. ``prepared`` is the code without them."""

    def __init__(self, prepared: CodeType, armed: CodeType) -> None:
        self._prepared = prepared
        self._armed = armed
        self._size = len(prepared.co_code)
        self._names = len(prepared.co_names)
        self._rows = rows_of(prepared.co_code)
        self._numbers = {row[0]: number for number, row in enumerate(self._rows)}
        self._added = rows_of(armed.co_code, self._size)
        self._found: set[str] = set()
        self._heads: dict[tuple[tuple[Line, ...], bool, bool, int], tuple[list[Line], int]] = {}
        self._stack = prepared.co_stacksize

    def verify(self) -> set[str]:
        """Check all of them; the names of their forms."""
        self._check_attributes()
        size, armed = self._size, self._armed
        before = handlers_of(self._prepared.co_exceptiontable, size)
        after = handlers_of(armed.co_exceptiontable, len(armed.co_code))
        groups = group_sites(sites_of(self._prepared))
        self._check_sites(groups, depths_of(self._rows, before))
        by_pad: dict[int, list[Site]] = {}
        for group in groups:
            handler = after[group[0].region[0] >> 1]
            by_pad[-1 if handler is None else handler[0]] = group
        if len(by_pad) != len(groups):
            raise Rejected("two kinds of sites are led to one pad")
        expected = before + [None] * (len(after) - len(before))
        self._read(by_pad, expected)
        if after != expected:
            place = next(n for n, (a, b) in enumerate(zip(after, expected, strict=True)) if a != b)
            raise Rejected(
                f"the handler at {2 * place} is {_shown(after[place])}, not"
                f" {_shown(expected[place])}"
            )
        if not self._stack <= armed.co_stacksize <= self._stack + _SPARE:
            raise Rejected(f"the stack is for {armed.co_stacksize} values, not {self._stack}")
        return self._found

    def _check_attributes(self) -> None:
        prepared, armed = self._prepared, self._armed
        names = PAD_NAMES + (REACHING_NAMES if is_reaching(prepared) else ())
        if armed.co_code[: self._size] != prepared.co_code:
            raise Rejected("the original bytecode changed")
        # Every site of reaching code has those names, code without a site has no pads.
        if armed.co_names != prepared.co_names + names:
            raise Rejected("the names of the pads are others")
        if armed.co_consts[len(prepared.co_consts) :] != (armed.co_qualname, seal_pads(prepared)):
            raise Rejected("the constants of the pads are others")
        lines = len(prepared.co_linetable)
        if armed.co_linetable[:lines] != prepared.co_linetable:
            raise Rejected("the original lines changed")
        check_no_location(armed.co_linetable[lines:], (len(armed.co_code) - self._size) >> 1)

    def _check_sites(self, groups: list[list[Site]], depths: dict[int, int]) -> None:
        """Check what is said of the sites with depths that were found in another way."""
        for group in groups:
            for site in group:
                if depths.get(site.start) != site.depth + site.operands:
                    raise Rejected(f"the stack depth at {site.start} is another")
                if site.start not in self._numbers:
                    raise Rejected(f"there is no instruction at {site.start}")
            for way in exits_of(group):
                made = way.site.depth + way.site.values + way.site.nulls
                if depths.get(way.resume) != made:
                    raise Rejected(f"stack depths meet at {way.resume}")

    def _read(self, by_pad: dict[int, list[Site]], expected: list[Handler | None]) -> None:
        """Read pads and tails from the first to the last byte; note which handlers they have."""
        number, rows = 0, self._added
        open_pads: list[tuple[forms.Matched, list[Site]]] = []
        while number < len(rows):
            start = rows[number][0]
            if NAMES[rows[number][1]] != "PUSH_EXC_INFO":
                number = self._read_tail(number, open_pads, expected)
                open_pads = []
                continue
            group = by_pad.pop(start, None)
            if group is None:
                raise Rejected(f"no site leads to the pad at {start}")
            if open_pads and open_pads[-1][1][0].cover != group[0].cover:
                raise Rejected(f"the pad at {start} has the tail of others")
            matched = self._read_head(number, group[0])
            exits = exits_of(group)
            self._check_budget(group, matched.number - number + 1, exits)
            number = forms.check_tree(rows, matched.number, exits)
            open_pads.append((matched, group))
            cover, own = _entry(group[0]), (start, group[0].depth, True)
            for site in group:
                first, behind = site.region[0] >> 1, site.region[1] >> 1
                if expected[first:behind] != [cover] * (behind - first):
                    raise Rejected(f"the region of the site at {site.start} has several handlers")
                expected[first:behind] = [own] * (behind - first)
        if open_pads or by_pad:
            raise Rejected("a pad or its tail is missing")

    def _read_head(self, number: int, site: Site) -> forms.Matched:
        match = self._caught(site)
        kind = (tuple(match), site.through, site.reaching, site.kept)
        if kind not in self._heads:
            form = forms.head(match, *kind[1:], self._names, len(self._prepared.co_consts))
            self._heads[kind] = form, forms.highest(form)
        form, highest = self._heads[kind]
        self._stack = max(self._stack, site.depth + highest)
        self._found.add(f"head {kind[1:]} {[name for name, _ in match]} {site.cover is not None}")
        return forms.check(self._added, number, form, "the pad")

    def _caught(self, site: Site) -> list[Line]:
        """The lines that load what the clause around the site catches, as they stand there."""
        if not site.match or site.cover is None:
            return []
        number = self._numbers[site.cover[2]] + 1
        lines: list[Line] = []
        while NAMES[self._rows[number][1]] != "CHECK_EXC_MATCH":
            lines.append((NAMES[self._rows[number][1]], self._rows[number][2]))
            number += 1
        return lines

    def _read_tail(
        self,
        number: int,
        pads: list[tuple[forms.Matched, list[Site]]],
        expected: list[Handler | None],
    ) -> int:
        if not pads:
            raise Rejected(f"the tail at {self._added[number][0]} is of no pad")
        start = self._added[number][0]
        matched = forms.check(self._added, number, forms.tail(self._names), "the tail")
        cover = pads[0][1][0].cover
        again = None if cover is None else (cover[2], cover[3], cover[4])
        for part, group in pads:
            _fill(expected, part, ("guarded", "unguarded"), (start, group[0].depth + 3, False))
            _fill(expected, part, ("reraise", "reraised"), again)
        _fill(expected, matched, ("reraise", "reraised"), again)
        self._found.add(f"tail {cover is not None}")
        return matched.number

    def _check_budget(self, group: list[Site], head: int, exits: list[Exit]) -> None:
        """Check that no site got more than ``BUDGET`` instructions, and note what its ways back
        take of the stack."""
        turns = (len(exits) - 1).bit_length()
        added: dict[int, int] = {}
        for way in exits:
            site = way.site
            values, nulls = site.values, site.nulls
            more = turns + (values != 1) + nulls + 1
            added[site.start] = added.get(site.start, head) + more
            self._found.add(f"leaf {min(values, 2)} {nulls} {site.shape == 'method'}")
            self._stack = max(self._stack, group[0].depth + max(values + nulls, turns + 1))
        for start, count in added.items():
            if count > BUDGET:
                raise Rejected(f"{count} instructions were added for the site at {start}")


#: How many values more than are needed the stack may have room for.
_SPARE = 4


def _entry(site: Site) -> Handler | None:
    return None if site.cover is None else (site.cover[2], site.cover[3], site.cover[4])


def _fill(
    handlers: list[Handler | None],
    part: forms.Matched,
    labels: tuple[str, str],
    handler: Handler | None,
) -> None:
    first, behind = (part.labels[label] >> 1 for label in labels)
    handlers[first:behind] = [handler] * (behind - first)


def _shown(handler: Handler | None) -> str:
    return "none" if handler is None else f"{handler[0]} at depth {handler[1]}"
