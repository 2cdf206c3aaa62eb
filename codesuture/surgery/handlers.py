"""What the ``except`` clause around a site says, where it says it plainly.

Read when code is armed, so only the simplest shapes are understood: the first clause is bare, or
names its types, and its body does not raise. Everything else is left to the fate analysis when an
exception comes. That ``Exception`` is the built-in class is taken for granted: a program that
means something else by it is left alone once too often, and nothing else.
"""

from __future__ import annotations

from codesuture.surgery.instructions import jump_target
from codesuture.surgery.opcodes import JUMPS, NAME_SHIFTS, NAMES, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.surgery.instructions import Instruction

_NAMED_TYPE = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})
#: Types that catch every crash.
_BROAD = ("Exception", "BaseException")
_RAISES = frozenset({"RAISE_VARARGS", "RERAISE"})


class Handlers:
    """The handlers of one code object, by the offset at which they begin."""

    __slots__ = ("_code", "_instructions", "_known", "_numbers")

    def __init__(self, code: CodeType, instructions: list[Instruction]) -> None:
        self._code = code
        self._instructions = instructions
        self._numbers: dict[int, int] = {}
        self._known: dict[int, bytes | None] = {}

    def match(self, target: int) -> bytes | None:
        """The bytes that load what the first clause at ``target`` catches.

        Empty for a bare ``except`` and those that catch as much; None where there is no clause, or
        none that is plain.
        """
        if target not in self._known:
            if not self._numbers:
                self._numbers = {row[0]: place for place, row in enumerate(self._instructions)}
            self._known[target] = self._read(self._numbers[target])
        return self._known[target]

    def _read(self, number: int) -> bytes | None:
        rows = self._instructions
        if NAMES[rows[number][2]] != "PUSH_EXC_INFO":
            return None
        first = number = number + 1
        if NAMES[rows[number][2]] == "POP_TOP":
            return b"" if self._completes(number) else None
        while NAMES[rows[number][2]] in _NAMED_TYPE:
            number += 1
        if number - first > 1 or NAMES[rows[number][2]] == "BUILD_TUPLE":
            if NAMES[rows[number][2]] != "BUILD_TUPLE" or rows[number][3] != number - first:
                return None
            number += 1
        if number == first or NAMES[rows[number][2]] != "CHECK_EXC_MATCH":
            return None
        # The jump to the next clause, then (3.14+) NOT_TAKEN, then the body.
        if JUMPS[rows[number + 1][2]] != 1 or not self._completes(number + 2):
            return None
        if number - first == 1 and self._name(rows[first]) in _BROAD:
            return b""
        return self._code.co_code[rows[first][0] : rows[number][0]]

    def _name(self, row: Instruction) -> str:
        return self._code.co_names[row[3] >> NAME_SHIFTS.get(NAMES[row[2]], 0)]

    def _completes(self, number: int) -> bool:
        """Whether no way through the clause's body raises, up to the end of the handling."""
        rows, seen, work = self._instructions, set(), [number]
        while work:
            number = work.pop()
            while number not in seen:
                seen.add(number)
                name = NAMES[rows[number][2]]
                if name in _RAISES:
                    return False
                if name == "POP_EXCEPT":
                    break
                if JUMPS[rows[number][2]]:
                    work.append(self._numbers[jump_target(rows[number])])
                if TERMINATES[rows[number][2]]:
                    break
                number += 1
        return True
