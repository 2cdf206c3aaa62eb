"""How one instruction uses a value: the names of the kinds of use, and how each is recognised."""

from __future__ import annotations

from codesuture.diagnosis.evaluate import is_text
from codesuture.diagnosis.expression import (
    Attribute,
    Binary,
    Call,
    Collection,
    Constant,
    Expression,
    Formatted,
    Function,
    Subscript,
    Unary,
)
from codesuture.surgery.opcodes import unpacked_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.machine import Machine

_COMPARISONS = frozenset({"<", "<=", "==", "!=", ">", ">=", "is", "is not"})
_NONE_TESTS = frozenset({"is", "is not", "==", "!="})


class Mark(Expression):
    """Stands for the value that is followed."""

    __slots__ = ()

    def is_known(self) -> bool:
        return False


class Consumer:
    """One use of a value.

    ``kind`` and what belongs to it:

    ==============  =============================================================================
    ``formatted``   in an f-string, by ``%`` or ``format``: ``detail`` is the format specification
    ``arithmetic``  ``detail`` the sign, ``other`` the other operand, ``position`` 0 left, 1 right
    ``compared``    likewise
    ``sought``      ``value in other``
    ``searched``    ``other in value``
    ``tested``      for truth; ``detail``: if, or, and, not, match, or None (compared with None)
    ``iterated``    a loop, a comprehension, ``*value``
    ``mapped``      ``**value``
    ``unpacked``    into ``position`` values
    ``called``      ``other`` the call, ``then`` the use of its result
    ``method``      a method is called: ``detail`` its name, ``other`` the attribute, ``then``
    ``attribute``   an attribute is read: ``detail`` its name, ``then``
    ``attribute_set``  an attribute is set or deleted: ``detail`` its name
    ``subscripted`` ``other`` the key, ``then``
    ``item_set``    an item is set or deleted: ``other`` the key
    ``key``         used as a key (``detail`` is ``slice`` for a slice's bound) of ``other``
    ``argument``    ``other`` the call, ``position`` among its arguments, ``detail`` a keyword
    ``returned``    ``then`` the use in the calling frame, where that is sure
    ``item``        one of the items of ``other``'s only argument: ``detail`` is what is called
    ``awaited``, ``entered``  ``then`` the use of what that gives
    ``stored``      ``detail`` the variable or the text of the attribute or item
    ``collected``   put into a display
    ``yielded``     ``then`` the use as an item in the calling frame, where that is sure
    ``raised``, ``dropped``, ``unknown``
    ==============  =============================================================================
    """

    __slots__ = ("detail", "kind", "line", "other", "position", "then")

    def __init__(
        self,
        kind: str,
        detail: str = "",
        other: Expression | None = None,
        position: int = 0,
        line: int = 0,
    ) -> None:
        self.kind = kind
        self.detail = detail
        self.other = other
        self.position = position
        self.line = line
        self.then: Consumer | None = None

    def __repr__(self) -> str:
        then = f", then {self.then!r}" if self.then is not None else ""
        return f"<{self.kind} {self.detail} line {self.line}{then}>"


def use(machine: Machine, ordinal: int, before: list[Expression], mark: Expression) -> Consumer:
    """How the instruction used the mark; ``machine`` is as just after it, ``before`` the stack."""
    listing = machine.listing
    _, _, code, argument, _ = listing.instructions[ordinal]
    opcode = listing.opcode(ordinal)
    consumer = _by_opcode(machine, ordinal, opcode, before, mark)
    if consumer is None and opcode in ("UNPACK_SEQUENCE", "UNPACK_EX"):
        consumer = Consumer("unpacked", position=unpacked_values(code, argument))
    if consumer is None:
        consumer = _by_result(machine, ordinal, mark) or Consumer("unknown")
    consumer.line = listing.line(ordinal)
    return consumer


_PLAIN = {
    "GET_ITER": "iterated", "GET_YIELD_FROM_ITER": "iterated", "GET_AITER": "iterated",
    "LIST_EXTEND": "iterated", "SET_UPDATE": "iterated",
    "DICT_UPDATE": "mapped", "DICT_MERGE": "mapped",
    "LIST_APPEND": "collected", "SET_ADD": "collected", "MAP_ADD": "collected",
    "RETURN_VALUE": "returned", "YIELD_VALUE": "yielded", "RAISE_VARARGS": "raised",
    "POP_TOP": "dropped", "BEFORE_WITH": "entered", "BEFORE_ASYNC_WITH": "entered",
    "LOAD_SPECIAL": "entered",
}  # fmt: skip


def _by_opcode(
    machine: Machine, ordinal: int, opcode: str, before: list[Expression], mark: Expression
) -> Consumer | None:
    """The use by an instruction that leaves nothing of the value on the stack."""
    if opcode in _PLAIN:
        return Consumer(_PLAIN[opcode])
    if "JUMP" in opcode:
        if "NONE" in opcode:
            return Consumer("tested", "None")
        return Consumer("tested", _test(opcode, mark in machine.stack or "OR_POP" in opcode))
    if opcode == "TO_BOOL":
        following = machine.listing.opcode(ordinal + 1)
        return Consumer("tested", _test(following, any(part is mark for part in machine.stack)))
    if opcode in ("STORE_ATTR", "DELETE_ATTR"):
        name = machine.listing.code.co_names[machine.listing.instructions[ordinal][3]]
        if before[-1] is mark:
            return Consumer("attribute_set", name)
        return Consumer("stored", Attribute(before[-1], name).text(), before[-1])
    if opcode in ("STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"):
        return _item_use(opcode, before, mark)
    return None


def _test(opcode: str, is_kept: bool) -> str:
    """``or`` and ``and`` keep the value where the test decides for it."""
    if not is_kept:
        return "not" if opcode == "UNARY_NOT" else "if"
    return "or" if "TRUE" in opcode else "and"


def _item_use(opcode: str, before: list[Expression], mark: Expression) -> Consumer:
    if opcode == "STORE_SLICE":
        value, container, *bounds = before[-4:]
        if value is mark:
            return Consumer("iterated")
        key: Expression = Collection("slice", bounds)
        return Consumer("item_set", other=key) if container is mark else Consumer("key", "slice")
    container, key = before[-2:]
    if container is mark:
        return Consumer("item_set", other=key)
    if key is mark:
        return Consumer("key", other=container)
    return Consumer("stored", Subscript(container, key).text(), container)


def _by_result(machine: Machine, ordinal: int, mark: Expression) -> Consumer | None:
    """The use that the expression on top of the stack tells, which was made of the value."""
    for made in machine.stack[:-4:-1]:
        if any(part is mark for part in made.parts()):
            break
        nested = _nested_use(made, mark)
        if nested is not None:
            return nested
    else:
        return None
    if isinstance(made, Call):
        return _call_use(made, mark)
    if isinstance(made, Attribute):
        is_method = machine.stack[-1] is not made
        return Consumer("method" if is_method else "attribute", made.name, made)
    if isinstance(made, Subscript):
        if made.object is mark:
            return Consumer("subscripted", other=made.key)
        return Consumer("key", other=made.object)
    if isinstance(made, Binary):
        return _binary_use(made, mark)
    if isinstance(made, Unary):
        return _unary_use(made)
    if isinstance(made, Formatted):
        specification = made.specification
        is_plain = type(specification) is Constant and not made.conversion
        return Consumer("formatted", str(specification.value) if is_plain else "")  # type: ignore[union-attr]
    if isinstance(made, Collection):
        if made.kind == "slice":
            return Consumer("key", "slice")
        return Consumer("formatted" if made.kind == "fstring" else "collected", other=made)
    return None


def _nested_use(made: Expression, mark: Expression) -> Consumer | None:
    """``f(*value)``, ``f(**value)`` and ``items[:value]``."""
    for part in made.parts():
        if not any(inner is mark for inner in part.parts()):
            continue
        if isinstance(part, Unary) and part.sign in ("*", "**"):
            return Consumer("iterated" if part.sign == "*" else "mapped")
        if isinstance(part, Collection) and part.kind == "slice":
            return Consumer("key", "slice")
    return None


def _call_use(made: Call, mark: Expression) -> Consumer:
    function = made.function
    if function is mark:
        return Consumer("called", other=made)
    for name, value in made.keywords.items():
        if value is mark:
            return Consumer("argument", name, made, -1)
    position = next(i for i, part in enumerate(made.arguments) if part is mark)
    if type(function) is Function and function.is_comprehension():
        return Consumer("iterated")
    if isinstance(function, Attribute) and function.name == "format" and is_text(function.object):
        return Consumer("formatted")
    return Consumer("argument", "", made, position)


def _binary_use(made: Binary, mark: Expression) -> Consumer:
    sign = made.operator
    position = 0 if made.left is mark else 1
    other = made.right if position == 0 else made.left
    if sign in _NONE_TESTS and type(other) is Constant and other.value is None:
        return Consumer("tested", "None")
    if sign in _COMPARISONS:
        return Consumer("compared", sign, other, position)
    if sign in ("in", "not in"):
        return Consumer("searched" if position else "sought", sign, other)
    if sign == "%" and position and is_text(other):
        return Consumer("formatted", _first_field(other), other)
    return Consumer("arithmetic", sign, other, position)


def _first_field(template: Expression) -> str:
    """The conversion type of the only field of a ``%`` template, as a format specification."""
    if type(template) is not Constant or type(template.value) is not str:
        return ""
    fields = template.value.replace("%%", "").split("%")[1:]
    if len(fields) != 1:
        return ""
    letter = next((character for character in fields[0] if character.isalpha()), "")
    return "" if letter in "sra" else letter


def _unary_use(made: Unary) -> Consumer:
    if made.sign == "await":
        return Consumer("awaited")
    if made.sign in ("not", "bool"):
        return Consumer("tested", "not")
    return Consumer("arithmetic", made.sign)
