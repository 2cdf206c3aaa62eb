"""An abstract machine: runs instructions on a stack of expressions instead of values.

It never fails on code that decodes: what an instruction leaves that it does not know is
``UNKNOWN``, and its stack always has the depth that the real one has. What each instruction does
to the stack: ``Python/bytecodes.c`` (``Python/ceval.c`` on 3.11).
"""

from __future__ import annotations

from types import CodeType

from codesuture.diagnosis.expression import (
    NULL,
    UNKNOWN,
    Attribute,
    Binary,
    Call,
    Collection,
    Constant,
    Expression,
    Formatted,
    Free,
    Function,
    Global,
    Local,
    Name,
    Subscript,
    Unary,
)
from codesuture.surgery.opcodes import (
    BINARY_SIGNS,
    CALL_SEQUENCE,
    COMMON_CONSTANTS,
    COMPARE_SHIFT,
    COMPARE_SIGNS,
    CONVERSIONS,
    LIST_TO_TUPLE_INTRINSIC,
    MAKE_FUNCTION_FLAGS,
    NAME_SHIFTS,
    NAMES,
    NULL_ABOVE_CALLABLE,
    OPMAP,
    REPLACES,
    SUBSCRIPT_OPERATOR,
    SUPER_ARGUMENTS_FLAG,
    UNARY_POSITIVE_INTRINSIC,
    stack_effect,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from codesuture.diagnosis.listing import Listing

    Handler = Callable[["Machine", int], None]

#: Trees do not grow higher than this, so that walking one cannot recurse too deeply.
MAX_DEPTH = 40
#: Displays longer than this are not kept item by item.
MAX_ITEMS = 100

_FIRST_BIT_MEANS_METHOD = NAME_SHIFTS["LOAD_ATTR"] == 1


class Machine:
    """A stack of expressions, and what the instructions of one code object do to it."""

    __slots__ = ("keywords", "listing", "stack")

    def __init__(self, listing: Listing, stack: list[Expression]) -> None:
        self.listing = listing
        self.stack = stack
        self.keywords: tuple[str, ...] = ()

    def step(self, ordinal: int) -> None:
        """Execute the instruction, as it does when it does not jump."""
        _, _, code, argument, _ = self.listing.instructions[ordinal]
        handler = _HANDLERS[code]
        if handler is None:
            effect = stack_effect(code, argument, False)
            self.replace(max(REPLACES.get(NAMES[code], 0), -effect), effect)
        else:
            handler(self, argument)

    def jump(self, ordinal: int) -> list[Expression]:
        """The stack at the target of the jump at ``ordinal``; to be asked before ``step``."""
        _, _, code, argument, _ = self.listing.instructions[ordinal]
        effect = stack_effect(code, argument, True)
        if effect >= 0:
            return self.stack + effect * [UNKNOWN]
        return self.stack[:effect]

    def push(self, expression: Expression) -> None:
        self.stack.append(expression if expression.depth <= MAX_DEPTH else UNKNOWN)

    def pop(self) -> Expression:
        return self.stack.pop() if self.stack else UNKNOWN

    def take(self, count: int) -> list[Expression]:
        """Pop ``count`` values, the deepest first."""
        if count <= 0:
            return []
        missing = count - len(self.stack)
        taken = missing * [UNKNOWN] + self.stack[-count:]
        del self.stack[-count:]
        return taken

    def replace(self, count: int, effect: int) -> None:
        """Pop ``count`` values and push unknown ones, for this effect in all."""
        self.take(count)
        self.stack += (count + effect) * [UNKNOWN]

    def forget(self, name: str) -> None:
        """A variable changes: what was computed from it can no longer be told from it."""
        stack = self.stack
        for index, expression in enumerate(stack):
            if expression is not UNKNOWN and expression.mentions(name):
                stack[index] = UNKNOWN

    def constant(self, argument: int) -> object:
        return self.listing.code.co_consts[argument]

    def variable(self, slot: int) -> Expression:
        """What LOAD_FAST pushes: for a variable that is a cell, the cell itself."""
        name = self.listing.variables[slot]
        return UNKNOWN if name in self.listing.cells else Local(name)

    def cell(self, slot: int) -> Expression:
        name = self.listing.variables[slot]
        return Free(name) if name in self.listing.code.co_freevars else Local(name)

    def name(self, opcode: str, argument: int) -> str:
        return self.listing.code.co_names[argument >> NAME_SHIFTS.get(opcode, 0)]


def call(
    deeper: Expression,
    upper: Expression,
    arguments: list[Expression],
    keywords: tuple[str, ...] = (),
) -> Call:
    """The call of what stands on the stack beneath the arguments.

    That is a callable and a NULL (in either order), or a callable and its first argument.
    """
    if deeper is NULL:
        function = upper
    elif upper is NULL:
        function = deeper
    else:
        function, arguments = deeper, [upper, *arguments]
    if not keywords:
        return Call(function, arguments)
    positional = len(arguments) - len(keywords)
    named = dict(zip(keywords, arguments[positional:], strict=False))
    return Call(function, arguments[:positional], named)


def keyword_names(expression: Expression) -> tuple[str, ...]:
    """The names in a constant tuple of keyword names."""
    if type(expression) is Constant and type(expression.value) is tuple:
        return expression.value
    return ()


def unpacked_call(values: list[Expression]) -> Call:
    """The call that CALL_FUNCTION_EX makes of its values: two, a sequence, perhaps a mapping."""
    deeper, upper, sequence, *rest = values
    arguments = _unpacked_sequence(sequence)
    keywords: dict[str, Expression] = {}
    for mapping in rest:
        if mapping is NULL:
            continue
        if not (type(mapping) is Collection and mapping.kind == "dict"):
            arguments.append(Unary("**", mapping))
            continue
        for key, value in zip(mapping.items[::2], mapping.items[1::2], strict=True):
            if type(key) is Constant and type(key.value) is str:
                keywords[key.value] = value
            else:
                arguments.append(key if type(key) is Unary else Unary("**", UNKNOWN))
    made = call(deeper, upper, arguments)
    return Call(made.function, made.arguments, keywords)


def _unpacked_sequence(sequence: Expression) -> list[Expression]:
    if type(sequence) is Collection and sequence.kind in ("tuple", "list"):
        return list(sequence.items)
    if type(sequence) is Constant and type(sequence.value) is tuple:
        return [Constant(value) for value in sequence.value[:MAX_ITEMS]]
    return [Unary("*", sequence)]


# --- loads and stores -------------------------------------------------------------------------


def _load_fast(machine: Machine, argument: int) -> None:
    machine.stack.append(machine.variable(argument))


def _load_fast_twice(machine: Machine, argument: int) -> None:
    machine.stack.append(machine.variable(argument >> 4))
    machine.stack.append(machine.variable(argument & 15))


def _load_deref(machine: Machine, argument: int) -> None:
    machine.stack.append(machine.cell(argument))


def _load_class_deref(machine: Machine, argument: int) -> None:
    machine.pop()
    machine.stack.append(machine.cell(argument))


def _load_global(machine: Machine, argument: int) -> None:
    variable = Global(machine.name("LOAD_GLOBAL", argument))
    if not argument & 1:
        machine.stack.append(variable)
    elif NULL_ABOVE_CALLABLE:
        machine.stack += (variable, NULL)
    else:
        machine.stack += (NULL, variable)


def _load_name(machine: Machine, argument: int) -> None:
    machine.stack.append(Name(machine.listing.code.co_names[argument]))


def _load_from_dict_or_globals(machine: Machine, argument: int) -> None:
    machine.pop()
    _load_name(machine, argument)


def _load_const(machine: Machine, argument: int) -> None:
    machine.stack.append(Constant(machine.constant(argument)))


def _load_small_int(machine: Machine, argument: int) -> None:
    machine.stack.append(Constant(argument))


def _load_common_constant(machine: Machine, argument: int) -> None:
    known = argument < len(COMMON_CONSTANTS)
    machine.stack.append(Constant(COMMON_CONSTANTS[argument]) if known else UNKNOWN)


def _push_null(machine: Machine, argument: int) -> None:
    machine.stack.append(NULL)


def _store_fast(machine: Machine, argument: int) -> None:
    machine.pop()
    machine.forget(machine.listing.variables[argument])


def _store_fast_twice(machine: Machine, argument: int) -> None:
    _store_fast(machine, argument >> 4)
    _store_fast(machine, argument & 15)


def _store_and_load_fast(machine: Machine, argument: int) -> None:
    _store_fast(machine, argument >> 4)
    _load_fast(machine, argument & 15)


def _store_name(machine: Machine, argument: int) -> None:
    machine.pop()
    machine.forget(machine.listing.code.co_names[argument])


def _delete_fast(machine: Machine, argument: int) -> None:
    machine.forget(machine.listing.variables[argument])


def _delete_name(machine: Machine, argument: int) -> None:
    machine.forget(machine.listing.code.co_names[argument])


def _pop(machine: Machine, argument: int) -> None:
    machine.pop()


def _nothing(machine: Machine, argument: int) -> None:
    pass


# --- the stack itself -------------------------------------------------------------------------


def _copy(machine: Machine, argument: int) -> None:
    stack = machine.stack
    stack.append(stack[-argument] if argument <= len(stack) else UNKNOWN)


def _swap(machine: Machine, argument: int) -> None:
    stack = machine.stack
    if argument <= len(stack):
        stack[-argument], stack[-1] = stack[-1], stack[-argument]


# --- operators --------------------------------------------------------------------------------


def _load_attr(machine: Machine, argument: int) -> None:
    machine.push(Attribute(machine.pop(), machine.name("LOAD_ATTR", argument)))
    if _FIRST_BIT_MEANS_METHOD and argument & 1:
        machine.stack.append(NULL)


def _load_method(machine: Machine, argument: int) -> None:
    machine.push(Attribute(machine.pop(), machine.listing.code.co_names[argument]))
    machine.stack.append(NULL)


def _load_super_attr(machine: Machine, argument: int) -> None:
    super_object = super_call(machine.take(3), argument)
    machine.push(Attribute(super_object, machine.name("LOAD_SUPER_ATTR", argument)))
    if argument & 1:
        machine.stack.append(NULL)


def super_call(values: list[Expression], argument: int) -> Call:
    """The call of ``super`` in LOAD_SUPER_ATTR's three values, as it stands in the source."""
    return Call(values[0], values[1:] if argument & SUPER_ARGUMENTS_FLAG else ())


def _binary_op(machine: Machine, argument: int) -> None:
    left, right = machine.take(2)
    if argument == SUBSCRIPT_OPERATOR:
        machine.push(Subscript(left, right))
    else:
        machine.push(Binary(BINARY_SIGNS[argument], left, right))


def _binary_subscr(machine: Machine, argument: int) -> None:
    machine.push(Subscript(*machine.take(2)))


def _binary_slice(machine: Machine, argument: int) -> None:
    container, start, stop = machine.take(3)
    machine.push(Subscript(container, Collection("slice", (start, stop))))


def compare_sign(argument: int) -> str:
    """The sign of COMPARE_OP's argument."""
    return COMPARE_SIGNS[argument >> COMPARE_SHIFT]


def _compare_op(machine: Machine, argument: int) -> None:
    machine.push(Binary(compare_sign(argument), *machine.take(2)))


def _contains_op(machine: Machine, argument: int) -> None:
    machine.push(Binary("not in" if argument else "in", *machine.take(2)))


def _is_op(machine: Machine, argument: int) -> None:
    machine.push(Binary("is not" if argument else "is", *machine.take(2)))


def _unary(sign: str) -> Handler:
    def handler(machine: Machine, argument: int) -> None:
        operand = machine.pop()
        if sign == "not" and type(operand) is Unary and operand.sign == "bool":
            operand = operand.operand
        machine.push(Unary(sign, operand))

    return handler


def _intrinsic(machine: Machine, argument: int) -> None:
    if argument == UNARY_POSITIVE_INTRINSIC:
        machine.push(Unary("+", machine.pop()))
    elif argument == LIST_TO_TUPLE_INTRINSIC:
        _list_to_tuple(machine, argument)
    else:
        machine.replace(1, 0)


# --- calls ------------------------------------------------------------------------------------


def _kw_names(machine: Machine, argument: int) -> None:
    machine.keywords = keyword_names(Constant(machine.constant(argument)))


def _call(machine: Machine, argument: int) -> None:
    deeper, upper, *arguments = machine.take(argument + 2)
    machine.push(call(deeper, upper, arguments, machine.keywords))
    machine.keywords = ()


def _precall(machine: Machine, argument: int) -> None:
    # As the stack effects have it: the arguments go with PRECALL, the callable's place with CALL.
    _call(machine, argument)
    machine.stack.insert(len(machine.stack) - 1, NULL)


def _call_behind_precall(machine: Machine, argument: int) -> None:
    _, made = machine.take(2)
    machine.stack.append(made)


def _call_kw(machine: Machine, argument: int) -> None:
    names = keyword_names(machine.pop())
    deeper, upper, *arguments = machine.take(argument + 2)
    machine.push(call(deeper, upper, arguments, names))


def _call_function_ex(machine: Machine, argument: int) -> None:
    effect = stack_effect(OPMAP["CALL_FUNCTION_EX"], argument, False)
    machine.push(unpacked_call(machine.take(1 - effect)))


def _make_function(machine: Machine, argument: int) -> None:
    *_, code = machine.take(1 + (argument & MAKE_FUNCTION_FLAGS).bit_count())
    made = code.value if type(code) is Constant else None
    machine.stack.append(Function(made.co_name) if type(made) is CodeType else UNKNOWN)


def _set_function_attribute(machine: Machine, argument: int) -> None:
    _, function = machine.take(2)
    machine.stack.append(function)


def _get_awaitable(machine: Machine, argument: int) -> None:
    # Stays on the stack while it is awaited; what comes of it is the value of ``await``.
    machine.push(Unary("await", machine.pop()))


def _send(machine: Machine, argument: int) -> None:
    machine.replace(1, 0)


def _end_send(machine: Machine, argument: int) -> None:
    effect = stack_effect(OPMAP["END_SEND"], argument, False)
    receiver, *_ = machine.take(1 - effect)
    awaited = type(receiver) is Unary and receiver.sign == "await"
    machine.stack.append(receiver if awaited else UNKNOWN)


# --- displays ---------------------------------------------------------------------------------


def _build(kind: str) -> Handler:
    def handler(machine: Machine, argument: int) -> None:
        items = machine.take(argument)
        machine.push(Collection(kind, items) if argument <= MAX_ITEMS else UNKNOWN)

    return handler


def _build_map(machine: Machine, argument: int) -> None:
    _build("dict")(machine, 2 * argument)


def _build_const_key_map(machine: Machine, argument: int) -> None:
    keys = keyword_names(machine.pop())
    items: list[Expression] = []
    for key, value in zip(keys, machine.take(argument), strict=False):
        items += (Constant(key), value)
    machine.push(Collection("dict", items) if argument <= MAX_ITEMS else UNKNOWN)


def _add_items(
    machine: Machine, position: int, kinds: tuple[str, ...], items: Iterable[Expression]
) -> None:
    """Add items to the display that stands ``position`` values below the stack's top."""
    if position > len(machine.stack):
        return
    display = machine.stack[-position]
    if type(display) is not Collection or display.kind not in kinds:
        return
    longer = Collection(display.kind, (*display.items, *items))
    fits = len(longer.items) <= MAX_ITEMS and longer.depth <= MAX_DEPTH
    machine.stack[-position] = longer if fits else UNKNOWN


def _list_append(machine: Machine, argument: int) -> None:
    item = machine.pop()
    _add_items(machine, argument, ("list", "set"), (item,))


def _list_extend(machine: Machine, argument: int) -> None:
    value = machine.pop()
    items: tuple[Expression, ...] = (Unary("*", value),)
    if type(value) is Constant and type(value.value) in (tuple, frozenset):
        items = tuple(Constant(item) for item in value.value)  # type: ignore[attr-defined]
    _add_items(machine, argument, ("list", "set"), items)


def _map_add(machine: Machine, argument: int) -> None:
    items = machine.take(2)
    _add_items(machine, argument, ("dict",), items)


def _dict_update(machine: Machine, argument: int) -> None:
    value = machine.pop()
    items: tuple[Expression, ...] = (Unary("**", value), UNKNOWN)
    if type(value) is Collection and value.kind == "dict":
        items = value.items
    _add_items(machine, argument, ("dict",), items)


def _list_to_tuple(machine: Machine, argument: int) -> None:
    made = machine.pop()
    is_list = type(made) is Collection and made.kind == "list"
    machine.push(Collection("tuple", made.parts()) if is_list else UNKNOWN)


def _for_iter(machine: Machine, argument: int) -> None:
    # A display that stands empty beneath a loop is what a comprehension collects in.
    for index, expression in enumerate(machine.stack):
        if type(expression) is Collection and not expression.items:
            machine.stack[index] = UNKNOWN
    machine.stack.append(UNKNOWN)


def _format_value(machine: Machine, argument: int) -> None:
    specification = machine.pop() if argument & 4 else None
    machine.push(Formatted(machine.pop(), CONVERSIONS[argument & 3], specification))


def _convert_value(machine: Machine, argument: int) -> None:
    machine.push(Formatted(machine.pop(), CONVERSIONS[argument & 3]))


def _format_simple(machine: Machine, argument: int) -> None:
    value = machine.pop()
    machine.push(value if _is_converted(value) else Formatted(value, ""))


def _format_with_spec(machine: Machine, argument: int) -> None:
    value, specification = machine.take(2)
    if type(value) is Formatted and _is_converted(value):
        machine.push(Formatted(value.value, value.conversion, specification))
    else:
        machine.push(Formatted(value, "", specification))


def _is_converted(value: Expression) -> bool:
    return type(value) is Formatted and bool(value.conversion) and value.specification is None


_BY_NAME: dict[str, Handler] = {
    "LOAD_FAST": _load_fast,
    "LOAD_FAST_BORROW": _load_fast,
    "LOAD_FAST_CHECK": _load_fast,
    "LOAD_FAST_LOAD_FAST": _load_fast_twice,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": _load_fast_twice,
    "LOAD_DEREF": _load_deref,
    "LOAD_CLASSDEREF": _load_deref,
    "LOAD_FROM_DICT_OR_DEREF": _load_class_deref,
    "LOAD_FROM_DICT_OR_GLOBALS": _load_from_dict_or_globals,
    "LOAD_GLOBAL": _load_global,
    "LOAD_NAME": _load_name,
    "LOAD_CONST": _load_const,
    "LOAD_SMALL_INT": _load_small_int,
    "LOAD_COMMON_CONSTANT": _load_common_constant,
    "PUSH_NULL": _push_null,
    "STORE_FAST": _store_fast,
    "STORE_DEREF": _store_fast,
    "STORE_FAST_STORE_FAST": _store_fast_twice,
    "STORE_FAST_LOAD_FAST": _store_and_load_fast,
    "STORE_NAME": _store_name,
    "STORE_GLOBAL": _store_name,
    "DELETE_FAST": _delete_fast,
    "DELETE_DEREF": _delete_fast,
    "DELETE_NAME": _delete_name,
    "DELETE_GLOBAL": _delete_name,
    "POP_TOP": _pop,
    "COPY": _copy,
    "SWAP": _swap,
    "NOP": _nothing,
    "PRECALL": _precall,
    "LOAD_ATTR": _load_attr,
    "LOAD_METHOD": _load_method,
    "LOAD_SUPER_ATTR": _load_super_attr,
    "BINARY_OP": _binary_op,
    "BINARY_SUBSCR": _binary_subscr,
    "BINARY_SLICE": _binary_slice,
    "COMPARE_OP": _compare_op,
    "CONTAINS_OP": _contains_op,
    "IS_OP": _is_op,
    "UNARY_NEGATIVE": _unary("-"),
    "UNARY_POSITIVE": _unary("+"),
    "UNARY_INVERT": _unary("~"),
    "UNARY_NOT": _unary("not"),
    "TO_BOOL": _unary("bool"),
    "CALL_INTRINSIC_1": _intrinsic,
    "KW_NAMES": _kw_names,
    "CALL": _call if len(CALL_SEQUENCE) == 1 else _call_behind_precall,
    "CALL_KW": _call_kw,
    "CALL_FUNCTION_EX": _call_function_ex,
    "MAKE_FUNCTION": _make_function,
    "SET_FUNCTION_ATTRIBUTE": _set_function_attribute,
    "GET_AWAITABLE": _get_awaitable,
    "SEND": _send,
    "END_SEND": _end_send,
    "BUILD_TUPLE": _build("tuple"),
    "BUILD_LIST": _build("list"),
    "BUILD_SET": _build("set"),
    "BUILD_SLICE": _build("slice"),
    "BUILD_STRING": _build("fstring"),
    "BUILD_MAP": _build_map,
    "BUILD_CONST_KEY_MAP": _build_const_key_map,
    "LIST_APPEND": _list_append,
    "SET_ADD": _list_append,
    "LIST_EXTEND": _list_extend,
    "SET_UPDATE": _list_extend,
    "MAP_ADD": _map_add,
    "DICT_UPDATE": _dict_update,
    "DICT_MERGE": _dict_update,
    "LIST_TO_TUPLE": _list_to_tuple,
    "FOR_ITER": _for_iter,
    "FORMAT_VALUE": _format_value,
    "CONVERT_VALUE": _convert_value,
    "FORMAT_SIMPLE": _format_simple,
    "FORMAT_WITH_SPEC": _format_with_spec,
}
_HANDLERS: list[Handler | None] = [_BY_NAME.get(name) for name in NAMES]
