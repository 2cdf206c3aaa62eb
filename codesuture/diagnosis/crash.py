"""A crash: an exception that one instruction raised, and everything that can be told about it.

Every answer is worked out when it is first asked for.
"""

from __future__ import annotations

from codesuture.diagnosis.evaluate import evaluate
from codesuture.diagnosis.expression import Expression
from codesuture.diagnosis.listing import listing_of
from codesuture.diagnosis.lookup import MISSING
from codesuture.diagnosis.machine import compare_sign
from codesuture.diagnosis.operands import Operands, operands_of
from codesuture.surgery.opcodes import BINARY_SIGNS, NAME_SHIFTS, NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType

    from codesuture.diagnosis.passage import Passage
    from codesuture.diagnosis.uses import Consumer
    from codesuture.surgery.sites import Site

MAX_SOURCE = 200
_UNARY_SIGNS = {"negate": "-", "invert": "~", "positive": "+"}
_NAMED = (
    "load_attribute", "load_method", "load_super_attribute", "store_attribute", "delete_attribute",
)  # fmt: skip


class Crash:
    """One crash. ``code`` is the original (not armed) code, to which ``site`` belongs.

    ``kept`` are the operands themselves, where the site keeps them (``surgery.keeping``).
    """

    # Made at every heal, and little of it is asked for again: it begins with what the class has.
    _operands: Operands | None = None
    _consumers: dict[bool, list[Consumer]] | None = None
    _line: int | None = None
    _source: str | None = None
    _passage: Passage | bool | None = False

    def __init__(
        self,
        exception: BaseException,
        frame: FrameType,
        code: CodeType,
        site: Site,
        kept: tuple[object, ...] = (),
    ) -> None:
        self.exception = exception
        self.frame = frame
        self.code = code
        self.site = site
        self.kept = kept
        self.operation = site.operation

    def _work_out(self) -> Operands:
        if self._operands is None:
            self._operands = operands_of(self.code, self.site)
        return self._operands

    @property
    def passage(self) -> Passage | None:
        """What lies between this instruction and the one that raised; None where it did itself."""
        trace = self.exception.__traceback__
        if trace is None or trace.tb_next is None:
            return None  # as most are
        if self._passage is False:
            from codesuture.diagnosis.passage import passage_of

            self._passage = passage_of(self.exception, self.frame)
        return self._passage  # type: ignore[return-value]

    @property
    def operands(self) -> list[Expression]:
        """How the operands were computed; see ``diagnosis.operands.operands_of``."""
        return self._work_out().expressions

    @property
    def keywords(self) -> dict[str, Expression]:
        """The keyword arguments of a call."""
        return self._work_out().keywords

    @property
    def name(self) -> str | None:
        """The attribute's name, where the instruction has one."""
        if self.operation not in _NAMED:
            return None
        shift = NAME_SHIFTS.get(NAMES[self.site.code], 0)
        return self.code.co_names[self.site.argument >> shift]

    @property
    def sign(self) -> str | None:
        """``+``, ``//=``, ``<``, ``in``, ``-`` of an operator, or None."""
        if self.operation == "binary":
            return BINARY_SIGNS[self.site.argument]
        if self.operation == "compare":
            return compare_sign(self.site.argument)
        if self.operation == "contains":
            return "not in" if self.site.argument else "in"
        return _UNARY_SIGNS.get(self.operation)

    def evaluate(self, expression: Expression) -> object:
        """The expression's value now, found without running user code, or ``MISSING``."""
        if self.kept:
            for operand, value in zip(self.operands, self.kept, strict=True):
                if operand is expression:
                    return value
        try:
            return evaluate(expression, self.frame)
        except Exception:  # diagnosis must not be what a program dies of
            return MISSING

    def text(self, expression: Expression) -> str:
        """The expression as a person reads it."""
        return expression.text()

    @property
    def called(self) -> object:
        """The callable of a call, or ``MISSING``."""
        return self.evaluate(self.operands[0]) if self.operation == "call" else MISSING

    @property
    def consumer(self) -> Consumer:
        """The first use of the instruction's result that tells something."""
        from codesuture.diagnosis.consumers import first_telling

        return first_telling(self.consumers())

    def consumers(self, chain: bool = False) -> list[Consumer]:
        """All uses of the result (of the whole chain's, if asked) that were found, in order."""
        if self._consumers is None:
            self._consumers = {}
        found = self._consumers.get(chain)
        if found is None:
            from codesuture.diagnosis.consumers import consumers_of

            found = self._consumers[chain] = consumers_of(self, chain)
        return found

    @property
    def message(self) -> str:
        """The exception's message where plain arguments tell it, at most 200 characters."""
        from codesuture.diagnosis.messages import exception_text

        return exception_text(self.exception)[:MAX_SOURCE]

    @property
    def line(self) -> int:
        """The source line of the instruction, 0 where the code does not tell."""
        if self._line is None:
            self._line = listing_of(self.code).line(self.site.ordinal)
        return self._line

    @property
    def file(self) -> str:
        """The file as the code names it."""
        return self.code.co_filename

    @property
    def function(self) -> str:
        """The qualified name of the function, ``<module>`` at module level."""
        return self.code.co_qualname

    @property
    def source(self) -> str:
        """The source text of the failing expression, or the empty string."""
        if self._source is None:
            from codesuture.diagnosis.source import segment

            self._source = segment(self.code, self.site.offset)[:MAX_SOURCE]
        return self._source

    @property
    def operator_types(self) -> tuple[str, ...]:
        """The names of the operands' types as the exception's message tells them, or ``()``."""
        from codesuture.diagnosis.messages import operator_types

        return operator_types(self.exception)
