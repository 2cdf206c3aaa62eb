"""What lies on the stack before each instruction, as symbols: how it was computed.

One pass per code object, kept; no frame is needed. A symbol is a tuple or, where nothing is
known, None::

    ("const", name of the type, value)
    ("local", name)  ("global", name)  ("name", name)  ("free", name)
    ("attr", object, name)  ("item", object, key)
    ("super", super, class, object, name)  attribute of super(class, object), since 3.12
    ("call", function, arguments)  ("call", function, None, unpacked)  ("tuple", items)
    ("null",)  ("self",)
    ("is", left, right, inverted)  ("not", operand)  ("compare", sign, left, right)
    ("instance", class)  some object of a built-in class
    ("exc", target)      the exception a handler was entered with
    ("prev", target)     what PUSH_EXC_INFO put beneath it
    ("match", type)      of CHECK_EXC_MATCH, ("star", type) of CHECK_EG_MATCH
    ("exit", manager)    the bound __exit__, ("enter", manager) the bound __enter__,
    ("with", manager)    what __exit__ said
"""

from __future__ import annotations

import opcode
from bisect import bisect_right

from codesuture.surgery import disarm
from codesuture.surgery.instructions import decode, jump_target, read_table
from codesuture.surgery.opcodes import (
    JUMPS,
    NAME_SHIFTS,
    NAMES,
    SUBSCRIPT_OPERATOR,
    TERMINATES,
    stack_effect,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from codesuture.surgery.instructions import Entry

    Symbol = tuple[object, ...] | None
    Stack = tuple[Symbol, ...]

NULL: Symbol = ("null",)
SELF: Symbol = ("self",)
#: LOAD_SPECIAL's arguments: __enter__, __exit__, __aenter__, __aexit__ (3.14+).
_SPECIAL = ("enter", "exit", "enter", "exit")
_COMMON_CONSTANTS: list[object] = list(getattr(opcode, "_common_constants", ()))
_STOP_ITERATION_ERROR = 3  # CALL_INTRINSIC_1, pycore_intrinsics.h

#: How many values an instruction takes from the stack, where it is neither handled by name
#: nor told by its stack effect.
_TAKES = {
    "BINARY_SLICE": 3, "BUILD_SLICE": 2, "COMPARE_OP": 2, "CONTAINS_OP": 2, "CONVERT_VALUE": 1,
    "DICT_MERGE": 1, "DICT_UPDATE": 1, "FORMAT_SIMPLE": 1, "FORMAT_WITH_SPEC": 2,
    "GET_AITER": 1, "GET_ITER": 1, "IMPORT_NAME": 2, "LIST_APPEND": 1, "LIST_EXTEND": 1,
    "LIST_TO_TUPLE": 1, "LOAD_FROM_DICT_OR_DEREF": 1, "LOAD_FROM_DICT_OR_GLOBALS": 1,
    "MAP_ADD": 2, "MATCH_CLASS": 3, "POP_TOP": 1, "RETURN_VALUE": 1, "SET_ADD": 1,
    "SET_FUNCTION_ATTRIBUTE": 2, "SEND": 1, "SET_UPDATE": 1, "STORE_ATTR": 2, "STORE_SUBSCR": 3,
    "UNARY_INVERT": 1, "UNARY_NEGATIVE": 1, "UNARY_POSITIVE": 1, "UNPACK_EX": 1,
    "UNPACK_SEQUENCE": 1, "YIELD_VALUE": 1,
}  # fmt: skip


class CodeView:
    """One original code object: instructions, handlers, and the symbols on its stack."""

    __slots__ = ("_stacks", "code", "entries", "instructions", "starts")

    def __init__(self, code: CodeType) -> None:
        self.code = disarm(code)
        self.instructions = decode(self.code.co_code)
        self.entries = read_table(self.code.co_exceptiontable)
        self.starts = [row[0] for row in self.instructions]
        self._stacks: list[Stack | None] | None = None

    def ordinal(self, offset: int) -> int | None:
        """The instruction that covers the byte ``offset``."""
        number = bisect_right(self.starts, offset) - 1
        if number < 0 or offset >= self.instructions[number][4]:
            return None
        return number

    def cover(self, offset: int) -> Entry | None:
        """The handler for exceptions at the byte ``offset``."""
        for entry in self.entries:
            if entry[0] <= offset < entry[1]:
                return entry
        return None

    def handler(self, offset: int, stack: Stack) -> tuple[int, Stack] | None:
        """Where an exception at ``offset`` leads with ``stack``: an instruction and its stack."""
        entry = self.cover(offset)
        number = self.ordinal(entry[2]) if entry is not None else None
        if entry is None or number is None:
            return None
        target, depth, lasti = entry[2:]
        kept = stack[:depth] + (None,) * (depth - len(stack))
        return number, kept + (None,) * lasti + (("exc", target),)

    def body_of(self, target: int) -> tuple[Symbol, set[Symbol]]:
        """The ``with`` body whose handler is at ``target``: the variable behind ``as``, if any,
        and the variables that are bound in the body. One that is deleted there and still has a
        value has not been deleted yet."""
        first = next((entry[0] for entry in self.entries if entry[2] == target), -1)
        name: Symbol = None
        bound: set[Symbol] = set()
        for start, _, op, argument, _ in self.instructions:
            names = bound_names(self, NAMES[op], argument)
            if names and self._leads_to(start, target):
                if start == first:
                    name = names.pop(0)
                if not NAMES[op].startswith("DELETE"):
                    bound.update(names)
        return name, bound

    def _leads_to(self, offset: int, target: int) -> bool:
        """Whether an exception at ``offset`` that nobody else handles comes to ``target``."""
        entry = self.cover(offset)
        for _ in self.entries:
            if entry is None or entry[2] == target:
                break
            entry = self.cover(entry[2])
        return entry is not None and entry[2] == target

    def behind(self, number: int, stack: Stack, jumps: bool) -> Stack:
        """The stack behind an instruction that finds ``stack``."""
        _, _, op, argument, _ = self.instructions[number]
        return _Pass(self).effect(op, argument, stack, jumps)

    @property
    def stacks(self) -> list[Stack | None]:
        """The stack before each instruction, None for those that cannot be reached."""
        if self._stacks is None:
            self._stacks = _Pass(self).run()
        return self._stacks


_views: dict[int, tuple[CodeType, CodeView]] = {}
_MOST_VIEWS = 2000


def view_of(code: CodeType) -> CodeView:
    """The view of ``code``, which may be armed; kept by identity (hashing code is slow)."""
    kept = _views.get(id(code))
    if kept is not None and kept[0] is code:
        return kept[1]
    if len(_views) >= _MOST_VIEWS:
        _views.clear()
    view = CodeView(code)
    _views[id(code)] = (code, view)
    return view


def constant(value: object) -> Symbol:
    """The type comes first, so that a comparison of symbols never compares bytes with str."""
    return ("const", type(value).__name__, value)


def called(stack: Stack, arguments: int) -> Symbol:
    """The callable of a call with so many arguments on top of ``stack``."""
    if len(stack) < arguments + 2:
        return None
    first, second = stack[-arguments - 2], stack[-arguments - 1]
    return second if first == NULL else first


class _Pass:
    """The walk over one code object; a merge keeps only what all ways agree on."""

    def __init__(self, view: CodeView) -> None:
        self.view = view
        self.code = view.code
        self.stacks: list[Stack | None] = []
        self.work: list[int] = []
        self.passed: dict[int, Stack] = {}

    def run(self) -> list[Stack | None]:
        self.stacks = [None] * len(self.view.instructions)
        if self.stacks:
            self.reach(0, ())
        while self.work:
            self.step(self.work.pop())
        return self.stacks

    def reach(self, number: int, stack: Stack) -> None:
        """Note that ``number`` is reached with ``stack``."""
        known = self.stacks[number]
        if known is not None:
            if known == stack and len(known) == len(stack):
                return
            merged = tuple(
                a if a is b or a == b else None for a, b in zip(known, stack, strict=False)
            )
            if merged == known:
                return
            stack = merged
        self.stacks[number] = stack
        self.work.append(number)

    def step(self, number: int) -> None:
        """Apply one instruction, and note where it leads."""
        instruction = self.view.instructions[number]
        stack = self.stacks[number]
        if stack is None:
            return
        start, _, op, argument, _ = instruction
        self.enter_handler(start, stack)
        if JUMPS[op]:
            target = self.view.ordinal(jump_target(instruction))
            if target is not None:
                self.reach(target, self.effect(op, argument, stack, True))
        if not TERMINATES[op] and number + 1 < len(self.stacks):
            self.reach(number + 1, self.effect(op, argument, stack, False))

    def enter_handler(self, start: int, stack: Stack) -> None:
        handler = self.view.handler(start, stack)
        if handler is None or self.passed.get(handler[0]) == handler[1]:
            return
        self.passed[handler[0]] = handler[1]
        self.reach(*handler)

    def effect(self, op: int, argument: int, stack: Stack, jump: bool) -> Stack:
        """The stack behind an instruction."""
        name = NAMES[op]
        rule = _RULES.get(name)
        if rule is not None:
            return rule(self, argument, stack)
        if jump and name == "SEND":
            return self.send(argument, stack)
        if name.startswith("LOAD_FAST"):
            return self.load_fast(name, argument, stack)
        if name == "STORE_FAST_LOAD_FAST":
            return (*stack[:-1], ("local", self.local(argument & 15)))
        change = stack_effect(op, argument, jump)
        takes = max(-change, _TAKES.get(name, 0))
        gives = takes + change
        return _cut(stack, takes) + (None,) * gives

    def local(self, index: int) -> str:
        name: str = self.code._varname_from_oparg(index)  # type: ignore[attr-defined]
        return name

    def name(self, instruction: str, argument: int) -> str:
        return self.code.co_names[argument >> NAME_SHIFTS.get(instruction, 0)]

    def load_fast(self, name: str, argument: int, stack: Stack) -> Stack:
        if name.count("LOAD_FAST") == 2:
            return (
                *stack,
                ("local", self.local(argument >> 4)),
                ("local", self.local(argument & 15)),
            )
        return (*stack, ("local", self.local(argument)))

    # --- rules by name ------------------------------------------------------------------

    def nothing(self, argument: int, stack: Stack) -> Stack:
        return stack

    def load_const(self, argument: int, stack: Stack) -> Stack:
        return (*stack, constant(self.code.co_consts[argument]))

    def load_small_int(self, argument: int, stack: Stack) -> Stack:
        return (*stack, constant(argument))

    def load_common_constant(self, argument: int, stack: Stack) -> Stack:
        return (*stack, constant(_COMMON_CONSTANTS[argument]))

    def load_name(self, argument: int, stack: Stack) -> Stack:
        return (*stack, ("name", self.name("LOAD_NAME", argument)))

    def load_global(self, argument: int, stack: Stack) -> Stack:
        value: Symbol = ("global", self.name("LOAD_GLOBAL", argument))
        if not argument & 1:
            return (*stack, value)
        return (*stack, value, NULL) if _NULL_ABOVE else (*stack, NULL, value)

    def load_deref(self, argument: int, stack: Stack) -> Stack:
        return (*stack, ("free", self.local(argument)))

    def push_null(self, argument: int, stack: Stack) -> Stack:
        return (*stack, NULL)

    def load_attr(self, argument: int, stack: Stack) -> Stack:
        value: Symbol = ("attr", stack[-1], self.name("LOAD_ATTR", argument))
        method = NAME_SHIFTS["LOAD_ATTR"] and argument & 1
        return (*stack[:-1], value, SELF) if method else (*stack[:-1], value)

    def load_method(self, argument: int, stack: Stack) -> Stack:
        return (*stack[:-1], ("attr", stack[-1], self.name("LOAD_METHOD", argument)), SELF)

    def load_super_attr(self, argument: int, stack: Stack) -> Stack:
        value: Symbol = ("super", *stack[-3:], self.name("LOAD_SUPER_ATTR", argument))
        return (*_cut(stack, 3), value, SELF) if argument & 1 else (*_cut(stack, 3), value)

    def call(self, argument: int, stack: Stack) -> Stack:
        return self.call_with(stack, argument, 0)

    def call_kw(self, argument: int, stack: Stack) -> Stack:
        return self.call_with(stack[:-1], argument, 0)

    def call_with(self, stack: Stack, arguments: int, extra: int) -> Stack:
        function = called(stack, arguments)
        kept = _cut(stack, arguments + 2 + extra)
        given = stack[len(stack) - arguments :] if arguments else ()
        return (*kept, ("call", function, given))

    def call_function_ex(self, argument: int, stack: Stack) -> Stack:
        takes = 1 - stack_effect(_CALL_FUNCTION_EX, argument, False)
        arguments = stack[len(stack) - takes + 2] if len(stack) >= takes else None
        return (*_cut(stack, takes), ("call", called(stack, takes - 2), None, arguments))

    def build_tuple(self, argument: int, stack: Stack) -> Stack:
        items = stack[len(stack) - argument :] if argument else ()
        return (*_cut(stack, argument), ("tuple", items))

    def build_list(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, argument), ("instance", list))

    def build_set(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, argument), ("instance", set))

    def build_map(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2 * argument), ("instance", dict))

    def build_string(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, argument), ("instance", str))

    def load_build_class(self, argument: int, stack: Stack) -> Stack:
        return (*stack, ("global", "__build_class__"))

    def binary_op(self, argument: int, stack: Stack) -> Stack:
        if argument == SUBSCRIPT_OPERATOR:
            return self.binary_subscr(argument, stack)
        return (*_cut(stack, 2), None)

    def binary_subscr(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2), ("item", stack[-2], stack[-1]))

    def is_op(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2), ("is", stack[-2], stack[-1], bool(argument)))

    def unary_not(self, argument: int, stack: Stack) -> Stack:
        return (*stack[:-1], ("not", stack[-1]))

    def copy(self, argument: int, stack: Stack) -> Stack:
        return (*stack, stack[-argument] if argument <= len(stack) else None)

    def swap(self, argument: int, stack: Stack) -> Stack:
        if argument > len(stack):
            return stack
        changed = list(stack)
        changed[-1], changed[-argument] = changed[-argument], changed[-1]
        return tuple(changed)

    def push_exc_info(self, argument: int, stack: Stack) -> Stack:
        exception = stack[-1]
        target = exception[1] if exception is not None else None
        return (*stack[:-1], ("prev", target), exception)

    def check_exc_match(self, argument: int, stack: Stack) -> Stack:
        return (*stack[:-1], ("match", stack[-1]))

    def check_eg_match(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2), stack[-2], ("star", stack[-1]))

    def prep_reraise_star(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2), stack[-2])

    def intrinsic_1(self, argument: int, stack: Stack) -> Stack:
        return stack if argument == _STOP_ITERATION_ERROR else (*stack[:-1], None)

    def intrinsic_2(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 2), stack[-2] if argument == 1 else None)

    def with_except_start(self, argument: int, stack: Stack) -> Stack:
        return (*stack, ("with", manager_beneath(stack)))

    def before_with(self, argument: int, stack: Stack) -> Stack:
        return (*stack[:-1], ("exit", stack[-1]), None)

    def load_special(self, argument: int, stack: Stack) -> Stack:
        return (*stack[:-1], (_SPECIAL[argument], stack[-1]), SELF)

    def send(self, argument: int, stack: Stack) -> Stack:
        """When it jumps, the result is taken to be what was awaited."""
        beneath = -3 if len(stack) > 2 and stack[-2] == NULL else -2
        receiver = stack[beneath] if len(stack) >= -beneath else None
        return (*_cut(stack, 1 - stack_effect(_SEND, argument, True)), receiver)

    def cleanup_throw(self, argument: int, stack: Stack) -> Stack:
        """Like SEND that jumps, when what was thrown ends the awaited iterator."""
        beneath = -4 if len(stack) > 3 and stack[-3] == NULL else -3
        receiver = stack[beneath] if len(stack) >= -beneath else None
        return (*_cut(stack, 2), receiver)

    def end_send(self, argument: int, stack: Stack) -> Stack:
        return (*_cut(stack, 1 - stack_effect(_END_SEND, argument, False)), stack[-1])


def manager_beneath(stack: Stack) -> Symbol:
    """The manager whose bound ``__exit__`` is topmost on the stack."""
    for symbol in reversed(stack):
        if symbol is not None and symbol[0] == "exit":
            return symbol[1]  # type: ignore[return-value]
    return None


def bound_names(view: CodeView, name: str, argument: int) -> list[Symbol]:
    """The variables that a STORE or DELETE instruction binds; the top of the stack goes first."""
    local: Callable[[int], str] = view.code._varname_from_oparg  # type: ignore[attr-defined]
    if name in ("STORE_FAST", "DELETE_FAST"):
        return [("local", local(argument))]
    if name == "STORE_FAST_LOAD_FAST":
        return [("local", local(argument >> 4))]
    if name == "STORE_FAST_STORE_FAST":
        return [("local", local(argument >> 4)), ("local", local(argument & 15))]
    if name in ("STORE_DEREF", "DELETE_DEREF"):
        return [("free", local(argument))]
    if name in ("STORE_NAME", "DELETE_NAME"):
        return [("name", view.code.co_names[argument])]
    if name in ("STORE_GLOBAL", "DELETE_GLOBAL"):
        return [("global", view.code.co_names[argument])]
    return []


def mentions(symbol: object, names: set[Symbol]) -> bool:
    """Whether one of the variables is part of the symbol."""
    if type(symbol) is not tuple or symbol[:1] == ("const",):
        return False
    return symbol in names or any(mentions(part, names) for part in symbol)


def _cut(stack: Stack, count: int) -> Stack:
    return stack[: max(0, len(stack) - count)]


_NULL_ABOVE = "CALL_KW" in NAMES  # since 3.13 a call's NULL stands above the callable
_CALL_FUNCTION_EX = NAMES.index("CALL_FUNCTION_EX")
_SEND = NAMES.index("SEND")
_END_SEND = NAMES.index("END_SEND") if "END_SEND" in NAMES else -1
_KEEP = (
    "NOP", "RESUME", "PRECALL", "KW_NAMES", "TO_BOOL", "GET_AWAITABLE", "NOT_TAKEN",
    "COPY_FREE_VARS", "MAKE_CELL", "JUMP_FORWARD", "CACHE", "SETUP_ANNOTATIONS",
)  # fmt: skip
_RULES: dict[str, Callable[[_Pass, int, Stack], Stack]] = {
    **dict.fromkeys(_KEEP, _Pass.nothing),
    "LOAD_CONST": _Pass.load_const,
    "LOAD_SMALL_INT": _Pass.load_small_int,
    "LOAD_COMMON_CONSTANT": _Pass.load_common_constant,
    "LOAD_NAME": _Pass.load_name,
    "LOAD_GLOBAL": _Pass.load_global,
    "LOAD_DEREF": _Pass.load_deref,
    "LOAD_CLASSDEREF": _Pass.load_deref,
    "PUSH_NULL": _Pass.push_null,
    "LOAD_ATTR": _Pass.load_attr,
    "LOAD_METHOD": _Pass.load_method,
    "LOAD_SUPER_ATTR": _Pass.load_super_attr,
    "CALL": _Pass.call,
    "CALL_KW": _Pass.call_kw,
    "CALL_FUNCTION_EX": _Pass.call_function_ex,
    "BUILD_TUPLE": _Pass.build_tuple,
    "BUILD_LIST": _Pass.build_list,
    "BUILD_SET": _Pass.build_set,
    "BUILD_MAP": _Pass.build_map,
    "BUILD_STRING": _Pass.build_string,
    "LOAD_BUILD_CLASS": _Pass.load_build_class,
    "BINARY_OP": _Pass.binary_op,
    "BINARY_SUBSCR": _Pass.binary_subscr,
    "IS_OP": _Pass.is_op,
    "UNARY_NOT": _Pass.unary_not,
    "COPY": _Pass.copy,
    "SWAP": _Pass.swap,
    "PUSH_EXC_INFO": _Pass.push_exc_info,
    "CHECK_EXC_MATCH": _Pass.check_exc_match,
    "CHECK_EG_MATCH": _Pass.check_eg_match,
    "PREP_RERAISE_STAR": _Pass.prep_reraise_star,
    "CALL_INTRINSIC_1": _Pass.intrinsic_1,
    "CALL_INTRINSIC_2": _Pass.intrinsic_2,
    "WITH_EXCEPT_START": _Pass.with_except_start,
    "BEFORE_WITH": _Pass.before_with,
    "BEFORE_ASYNC_WITH": _Pass.before_with,
    "LOAD_SPECIAL": _Pass.load_special,
    "END_SEND": _Pass.end_send,
    "CLEANUP_THROW": _Pass.cleanup_throw,
}
