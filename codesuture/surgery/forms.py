"""The forms that pads may have, and nothing else: what the gate compares armed code with.

Written out from the drawing in ``surgery.pads``, not by calling it. A form is a list of lines:
an instruction's name, its argument (None: none that matters), or the label that it jumps to.
"""

from __future__ import annotations

from codesuture.surgery.opcodes import (
    CALL_SEQUENCE,
    JUMP_IF_NONE,
    JUMP_IF_NOT_NONE,
    JUMP_IF_TRUE,
    NAMES,
    NULL_ABOVE_CALLABLE,
    OPMAP,
)
from codesuture.surgery.reading import Rejected, effect, target_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.surgery.reading import Row
    from codesuture.surgery.sites import Exit, Site

    #: an instruction's name; its argument, None where it has none, or the label it jumps to
    Line = tuple[str, int | str | None]

_BACK = "JUMP_BACKWARD_NO_INTERRUPT"
_PASS_ON, _HEALED, _LAST, _THEIRS = "pass_on", "healed", "last", "theirs"
_OWN, _REST, _DROP = "own", "rest", "drop"


class Matched:
    """The lines of a form in code: where each label and the first and the last line are."""

    __slots__ = ("end", "labels", "number")

    def __init__(self, number: int, end: int, labels: dict[str, int]) -> None:
        self.number = number
        self.end = end
        self.labels = labels


def head(
    match: list[Line], through: bool, reaching: bool, kept: int, names: int, constant: int
) -> list[Line]:
    """What a pad begins with. ``match`` are the lines that load what the clause around catches;
    ``names`` and ``constant`` are where those begin that arming has added."""
    lines: list[Line] = [("PUSH_EXC_INFO", None), (":guarded", None)]
    single = bool(match) and all(name != "BUILD_TUPLE" for name, _ in match)
    caught: list[Line] = [*match, ("CHECK_EXC_MATCH", None), (JUMP_IF_TRUE, _PASS_ON)]
    if reaching:
        lines += caught if single else []
        lines += _comes_from_armed_code(names)
    elif not through:
        passing: list[Line] = [*_next_traceback(names), (JUMP_IF_NOT_NONE, _PASS_ON)]
        both = caught + passing if single else passing + caught
        lines += both if match else passing
    lines.append(("LOAD_GLOBAL", (names + (3 if kept else 2)) << 1 | 1))
    lines.append(("COPY", 3))
    lines += [("COPY", 6 + kept)] * kept if kept else [("LOAD_CONST", constant)]
    lines += [(name, 1 + max(kept, 1)) for name in CALL_SEQUENCE]
    return [
        *lines, ("COPY", 1), (JUMP_IF_NOT_NONE, _HEALED), (":unguarded", None), ("POP_TOP", None),
        (":" + _PASS_ON, None), ("SWAP", 2), ("POP_EXCEPT", None),
        (":reraise", None), ("RERAISE", 1), (":reraised", None),
        (":" + _HEALED, None), ("SWAP", 4), ("POP_TOP", None), ("POP_TOP", None),
        ("POP_EXCEPT", None),
    ]  # fmt: skip


def _next_traceback(names: int) -> list[Line]:
    return [("IMPORT_FROM", names), ("IMPORT_FROM", names + 1), ("SWAP", 2), ("POP_TOP", None)]


def _comes_from_armed_code(names: int) -> list[Line]:
    """Whether the file of the next traceback's code is one of those that are armed."""
    step: list[Line] = [("SWAP", 2), ("POP_TOP", None)]
    lines: list[Line] = [("LOAD_GLOBAL", names + 4 << 1), ("COPY", 2)]
    for name in (names, names + 1):
        lines += [("IMPORT_FROM", name), *step]
    lines += [("COPY", 1), (JUMP_IF_NONE, _DROP)]
    for name in (names + 5, names + 6, names + 7):
        lines += [("IMPORT_FROM", name), *step]
    return [
        *lines, ("SWAP", 2), ("CONTAINS_OP", 0), (JUMP_IF_TRUE, _PASS_ON), ("JUMP_FORWARD", _OWN),
        (":" + _DROP, None), ("POP_TOP", None), ("POP_TOP", None), (":" + _OWN, None),
    ]  # fmt: skip


def tail(names: int) -> list[Line]:
    """What handles a fault of the runtime, for the pads before it."""
    return [
        ("IMPORT_FROM", names), (JUMP_IF_NONE, _LAST),
        *_next_traceback(names), (JUMP_IF_NOT_NONE, _THEIRS),
        (":" + _LAST, None), ("POP_TOP", None), ("SWAP", 2), ("POP_EXCEPT", None),
        (":reraise", None), ("RERAISE", 1), (":reraised", None),
        (":" + _THEIRS, None), ("SWAP", 2), (_BACK, _LAST),
    ]  # fmt: skip


def highest(form: list[Line]) -> int:
    """The most values that a head has on the stack above what its sites keep; it is entered with
    two of them."""
    depth = most = 2
    coming: dict[str, int] = {}
    for name, argument in form:
        if name[0] == ":":
            depth = coming.get(name[1:], depth)
            continue
        label, number = (argument, 0) if type(argument) is str else ("", int(argument or 0))
        if label:
            coming[label] = depth + effect(OPMAP[name], number, True)
        depth += effect(OPMAP[name], number, False)
        most = max(most, depth)
    return most


def kept_operator(operator: int) -> list[Line]:
    """What stands for an operator that keeps its operands, but for the way back behind it."""
    return [
        ("COPY", 2), ("COPY", 2), ("BINARY_OP", operator), ("SWAP", 3), ("POP_TOP", None),
        ("POP_TOP", None),
    ]  # fmt: skip


def check(rows: list[Row], number: int, form: list[Line], what: str) -> Matched:
    """Check that the instructions from ``number`` on have this form."""
    labels: dict[str, int] = {}
    jumps: list[tuple[str, int]] = []
    count, begin = len(rows), rows[number][0] if number < len(rows) else 0
    end = begin
    for name, argument in form:
        if name[0] == ":":
            labels[name[1:]] = end
            continue
        row = rows[number] if number < count else None
        if row is None or NAMES[row[1]] != name:
            raise Rejected(f"{what} at {begin} has no {name} where it should")
        if type(argument) is str:
            jumps.append((argument, target_of(row)))
        elif (argument or 0) != row[2]:
            raise Rejected(f"{name} at {row[0]} has the argument {row[2]}, not {argument or 0}")
        number, end = number + 1, row[3]
    for label, target in jumps:
        if labels[label] != target:
            raise Rejected(f"{what} at {begin} jumps to {target} where it should not")
    return Matched(number, end, labels)


def check_tree(rows: list[Row], number: int, exits: list[Exit]) -> int:
    """Check the way from the runtime's result to behind each site; gives the next number.

    ``turns_to`` of ``surgery.sites`` says which turns lead to which exit: to the left those below
    the middle, as is checked here.
    """
    height = (len(exits) - 1).bit_length()
    _expect(rows, number, "UNPACK_SEQUENCE", height + 1)
    return _check_branch(rows, number + 1, exits, 0, len(exits), height)


def _check_branch(
    rows: list[Row], number: int, exits: list[Exit], low: int, high: int, turns: int
) -> int:
    if high - low == 1:
        form = turns * [("POP_TOP", None)] + _leaf(exits[low].site)
        number = check(rows, number, form, "the way back").number
        _expect(rows, number, _BACK, None)
        if target_of(rows[number]) != exits[low].resume:
            raise Rejected(
                f"the way behind the instruction at {exits[low].site.start} leads to"
                f" {target_of(rows[number])}, not to {exits[low].resume}"
            )
        return number + 1
    middle = (low + high) // 2
    _expect(rows, number, JUMP_IF_TRUE, None)
    fork = rows[number]
    number = _check_branch(rows, number + 1, exits, low, middle, turns - 1)
    if number >= len(rows) or target_of(fork) != rows[number][0]:
        raise Rejected(f"the fork at {fork[0]} leads elsewhere")
    return _check_branch(rows, number, exits, middle, high, turns - 1)


def _leaf(site: Site) -> list[Line]:
    """How the values of an instruction's result get on the stack."""
    lines: list[Line] = []
    if not site.values:
        lines.append(("POP_TOP", None))
    elif site.values != 1:
        lines.append(("UNPACK_SEQUENCE", site.values))
    lines += site.nulls * [("PUSH_NULL", None)]
    if site.shape == "method" and not NULL_ABOVE_CALLABLE:
        lines.append(("SWAP", 2))
    return lines


def _expect(rows: list[Row], number: int, name: str, argument: int | None) -> None:
    row = rows[number] if number < len(rows) else None
    if row is None or NAMES[row[1]] != name or argument not in (None, row[2]):
        raise Rejected(f"the way back at {row[0] if row else 'the end'} has no {name}")
