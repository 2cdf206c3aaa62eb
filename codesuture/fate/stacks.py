"""What lies on the stack before each instruction, as symbols: one pass over a code object."""

from __future__ import annotations

import opcode

from codesuture.fate.symbols import NULL, SELF, called, constant, manager_beneath
from codesuture.surgery.instructions import jump_target
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

    from codesuture.fate.symbols import Stack, Symbol
    from codesuture.fate.views import CodeView

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


class StackPass:
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
_RULES: dict[str, Callable[[StackPass, int, Stack], Stack]] = {
    **dict.fromkeys(_KEEP, StackPass.nothing),
    "LOAD_CONST": StackPass.load_const,
    "LOAD_SMALL_INT": StackPass.load_small_int,
    "LOAD_COMMON_CONSTANT": StackPass.load_common_constant,
    "LOAD_NAME": StackPass.load_name,
    "LOAD_GLOBAL": StackPass.load_global,
    "LOAD_DEREF": StackPass.load_deref,
    "LOAD_CLASSDEREF": StackPass.load_deref,
    "PUSH_NULL": StackPass.push_null,
    "LOAD_ATTR": StackPass.load_attr,
    "LOAD_METHOD": StackPass.load_method,
    "LOAD_SUPER_ATTR": StackPass.load_super_attr,
    "CALL": StackPass.call,
    "CALL_KW": StackPass.call_kw,
    "CALL_FUNCTION_EX": StackPass.call_function_ex,
    "BUILD_TUPLE": StackPass.build_tuple,
    "BUILD_LIST": StackPass.build_list,
    "BUILD_SET": StackPass.build_set,
    "BUILD_MAP": StackPass.build_map,
    "BUILD_STRING": StackPass.build_string,
    "LOAD_BUILD_CLASS": StackPass.load_build_class,
    "BINARY_OP": StackPass.binary_op,
    "BINARY_SUBSCR": StackPass.binary_subscr,
    "IS_OP": StackPass.is_op,
    "UNARY_NOT": StackPass.unary_not,
    "COPY": StackPass.copy,
    "SWAP": StackPass.swap,
    "PUSH_EXC_INFO": StackPass.push_exc_info,
    "CHECK_EXC_MATCH": StackPass.check_exc_match,
    "CHECK_EG_MATCH": StackPass.check_eg_match,
    "PREP_RERAISE_STAR": StackPass.prep_reraise_star,
    "CALL_INTRINSIC_1": StackPass.intrinsic_1,
    "CALL_INTRINSIC_2": StackPass.intrinsic_2,
    "WITH_EXCEPT_START": StackPass.with_except_start,
    "BEFORE_WITH": StackPass.before_with,
    "BEFORE_ASYNC_WITH": StackPass.before_with,
    "LOAD_SPECIAL": StackPass.load_special,
    "END_SEND": StackPass.end_send,
    "CLEANUP_THROW": StackPass.cleanup_throw,
}
