"""What the runtime hands back to a landing pad: the way to the site, and the values there."""

from __future__ import annotations

from codesuture.surgery.arming import disarm
from codesuture.surgery.instructions import read_table
from codesuture.surgery.pads import HEAD_INSTRUCTIONS
from codesuture.surgery.sealing import is_reaching, kept_operators, reaching, release
from codesuture.surgery.sites import Site, exits_of, group_sites, sites_of, turns_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


class Landing:
    """The sites of one armed code object and how its pads lead back to them.

    ``code`` is the original code.
    """

    __slots__ = ("_beside", "_by_offset", "_entered", "_pads", "_turns", "code", "sites")

    def __init__(self, armed: CodeType) -> None:
        prepared = disarm(armed)
        self.code = release(prepared)
        found = sites_of(prepared)
        own = _own_sites(prepared, self.code, found)
        self.sites: dict[int, Site] = {site.ordinal: site for site in own.values()}
        self._turns: dict[tuple[int, int], tuple[bool, ...]] = {}
        #: By site and pad: the turns behind a site in a pad that is not its own.
        self._beside: dict[tuple[int, int], tuple[bool, ...]] = {}
        targets = _pads_of(armed, len(prepared.co_code))
        for group in group_sites(found):
            members = {site.start for site in group}
            pad = targets.get(group[0].region[0], -1)
            exits = exits_of(group)
            for number, way in enumerate(exits):
                site = own[way.site.start]
                if way.site.start not in members:
                    self._beside[site.ordinal, pad] = turns_to(number, len(exits))
                    continue
                resume = site.resume if way.resume == way.site.resume else way.resume
                self._turns[site.ordinal, resume] = turns_to(number, len(exits))
        self._by_offset: dict[int, Site] = {}
        self._pads: dict[int, int] = {}
        self._entered: dict[tuple[int, int], Site | None] = {}
        for made in found:
            site = own[made.start]
            if made.region[0] in targets:
                self._pads[site.ordinal] = targets[made.region[0]]
            for offset in range(made.start, made.end, 2):
                self._by_offset[offset] = site

    def site_at(self, offset: int) -> Site | None:
        """The site whose instruction covers the byte ``offset``."""
        return self._by_offset.get(offset)

    def entered(self, offset: int, at: int) -> Site | None:
        """The site whose instruction covers the byte ``offset``, if the byte ``at`` lies in a pad
        that leads behind this very site.

        It may not where the interpreter looked a handler up beside the instruction (see
        ``opcodes.CALLEE_LOOKUP_UNITS``); then the stack is another pad's.
        """
        key = offset, at
        if key not in self._entered:
            site = self.site_at(offset)
            own = site is not None and self._is_pad_of(site, self._pad_at(at))
            self._entered[key] = site if own else None
        return self._entered[key]

    def _is_pad_of(self, site: Site, pad: int | None) -> bool:
        own = pad is not None and pad == self._pads.get(site.ordinal)
        return own or (site.ordinal, pad) in self._beside

    def _pad_at(self, offset: int) -> int | None:
        return max((pad for pad in self._pads.values() if pad <= offset), default=None)

    def instructions_for(self, site: Site) -> int:
        """How many instructions arming added for this site: its pad's head and its way back."""
        ways = [turns for (ordinal, _), turns in self._turns.items() if ordinal == site.ordinal]
        leaf = (site.values != 1) + site.nulls + 1
        return HEAD_INSTRUCTIONS + sum(len(turns) + leaf for turns in ways)

    def behind(
        self, site: Site, value: object, offset: int | None = None
    ) -> tuple[object, ...]:
        """The pad's result that supplies ``value`` at ``site`` and goes on behind it.

        ``offset`` is where the pad that was entered lies, if that is not the site's own for sure.
        """
        turns = self._turns[site.ordinal, site.resume]
        if offset is not None and self._beside:
            pad = self._pad_at(offset)
            if pad is not None and pad != self._pads.get(site.ordinal):
                turns = self._beside[site.ordinal, pad]
        return (*turns, _handed(site, value))

    def behind_chain(self, site: Site, value: object) -> tuple[object, ...]:
        """The pad's result that supplies ``value`` for the whole chain and goes on behind it."""
        resume = site.resume if site.chain_resume is None else site.chain_resume
        return (*self._turns[site.ordinal, resume], _handed(site, value))


def _own_sites(prepared: CodeType, original: CodeType, found: list[Site]) -> dict[int, Site]:
    """The original's sites, by where they start in code whose operators may keep their operands."""
    copies = {offset: ordinal for offset, ordinal, *_ in kept_operators(prepared)}
    if not copies:
        return {site.start: site for site in found}
    sites = sites_of(reaching(original) if is_reaching(prepared) else original)
    by_start = {site.start: site for site in sites}
    by_ordinal = {site.ordinal: site for site in sites}
    return {
        site.start: by_ordinal[copies[site.start]] if site.kept else by_start[site.start]
        for site in found
    }


def _pads_of(armed: CodeType, size: int) -> dict[int, int]:
    """Where the table leads: from the first byte of a site's region to its pad."""
    return {
        start: target
        for start, _, target, _, lasti in read_table(armed.co_exceptiontable)
        if start < size <= target and lasti
    }


def _handed(site: Site, value: object) -> object:
    """What a leaf of a pad's tree finds: the result itself where it is one, else all in a tuple."""
    if site.shape == "value" and site.operation != "await":  # as most are
        return value
    results = _results(site, value)
    return results[0] if site.values == 1 else results


def _results(site: Site, value: object) -> tuple[object, ...]:
    """The values that the site's instruction would have pushed, the top of the stack first."""
    shape = site.shape
    if shape in ("value", "iterator", "method"):
        return (_awaited(value) if site.operation == "await" else value,)
    if shape == "nothing":
        return ()
    if shape == "boolean":
        return (bool(value),)
    if shape == "values":
        results: tuple[object, ...] = tuple(value)  # type: ignore[arg-type]
        if len(results) != site.values:
            raise ValueError(f"{len(results)} values supplied where {site.values} are unpacked")
        return results
    return _context(site, value)


def _awaited(value: object) -> object:
    """GET_AWAITABLE leaves the iterator that ``__await__`` gives."""
    return type(value).__await__(value)  # type: ignore[attr-defined]


def _context(site: Site, manager: object) -> tuple[object, ...]:
    """Results of entering ``manager``: what was entered, then its bound exit.

    From 3.14 on the exit's function and its ``self`` are two values.
    """
    kind = type(manager)
    if site.operation == "enter":
        entered, leave = kind.__enter__(manager), kind.__exit__  # type: ignore[attr-defined]
    else:
        entered, leave = kind.__aenter__(manager), kind.__aexit__  # type: ignore[attr-defined]
    if site.values == 3:
        return (entered, manager, leave)
    return (entered, leave.__get__(manager, kind))
