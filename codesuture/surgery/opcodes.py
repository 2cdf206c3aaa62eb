"""Every fact about bytecode that differs between Python versions, as tables.

A new Python version is a new column here and nothing else. Sources: CPython's
``Lib/opcode.py``, ``Lib/dis.py`` and ``Python/bytecodes.c`` (``Python/ceval.c`` on 3.11).
Runs at interpreter start, so it imports only ``opcode`` (and never ``dis``).
"""

from __future__ import annotations

import opcode
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PYTHON: tuple[int, int] = sys.version_info[:2]
SUPPORTED: tuple[tuple[int, int], tuple[int, int]] = ((3, 11), (3, 15))
TAG: str = f"{PYTHON[0]}.{PYTHON[1]}"

OPMAP: dict[str, int] = {name: code for name, code in opcode.opmap.items() if code < 256}
NAMES: list[str] = [""] * 256
for _name, _code in OPMAP.items():
    NAMES[_code] = _name

EXTENDED_ARG: int = OPMAP["EXTENDED_ARG"]


def _inline_caches() -> list[int]:
    """Code units of inline cache behind each opcode.

    A list by opcode up to 3.12, a mapping by name from 3.13 on (not a ``dict`` on 3.15).
    """
    table = opcode._inline_cache_entries  # type: ignore[attr-defined]
    if isinstance(table, list):
        return list(table[:256])
    units = [0] * 256
    for name in table:
        if name in OPMAP:
            units[OPMAP[name]] = table[name]
    return units


CACHES: list[int] = _inline_caches()

#: Whether ``sys.monitoring`` tells of single code objects (PEP 669).
HAS_MONITORING: bool = PYTHON >= (3, 12)
#: Whether ``f_locals`` of a function's frame is a dict that the frame keeps (before PEP 667).
LOCALS_ARE_A_COPY: bool = PYTHON < (3, 13)

#: Whether the first call of a function changes its specialised code: ``RESUME`` becomes
#: ``RESUME_CHECK`` (``Python/bytecodes.c``).
SHOWS_FIRST_RUN: bool = PYTHON >= (3, 13)

# --- control flow -----------------------------------------------------------------------------

# END_ASYNC_FOR names its loop in its argument since 3.14, for instrumentation; it does not jump.
_NOT_JUMPS = frozenset({"END_ASYNC_FOR"})

#: By opcode: 0 no jump, 1 forward, -1 backward. Targets count from behind the inline cache.
JUMPS: list[int] = [0] * 256
for _code in opcode.hasjrel:
    if _code < 256 and NAMES[_code] not in _NOT_JUMPS:
        JUMPS[_code] = -1 if "BACKWARD" in NAMES[_code] else 1

_TERMINATORS = (
    "RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS", "JUMP_FORWARD", "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT", "INTERPRETER_EXIT",
)  # fmt: skip
#: By opcode: execution never continues with the next instruction.
TERMINATES: list[bool] = [name in _TERMINATORS for name in NAMES]

# --- stack effects ----------------------------------------------------------------------------

# On resumption RETURN_GENERATOR has pushed the value that is sent; dis says 0 on 3.11 and 3.12.
_CORRECTED_EFFECTS = {OPMAP["RETURN_GENERATOR"]: 1}
_effects: dict[tuple[int, int, bool], int] = {}


def stack_effect(code: int, argument: int, jump: bool) -> int:
    """How many values the instruction adds to the stack (``jump``: when it jumps)."""
    key = (code, argument, jump)
    effect = _effects.get(key)
    if effect is None:
        effect = _CORRECTED_EFFECTS.get(code)
        if effect is None:
            given = argument if code in _WITH_ARGUMENT else None
            effect = opcode.stack_effect(code, given, jump=jump)
        _effects[key] = effect
    return effect


_WITH_ARGUMENT = frozenset(
    opcode.hasarg  # type: ignore[attr-defined, unused-ignore]
    if PYTHON >= (3, 12)
    else range(opcode.HAVE_ARGUMENT, 256)
)

# --- sites ------------------------------------------------------------------------------------

SUBSCRIPT_OPERATOR: int = next(
    (number for number, (_, sign) in enumerate(opcode._nb_ops) if sign == "[]"),  # type: ignore[attr-defined]
    -1,
)
BINARY_SIGNS: tuple[str, ...] = tuple(sign for _, sign in opcode._nb_ops)  # type: ignore[attr-defined]

# LOAD_ATTR and LOAD_SUPER_ATTR push a method and its object when the lowest bit is set (3.12+).
_METHOD_FLAG = 1 if PYTHON >= (3, 12) else 0
# A CALL has a callable and a NULL or self beneath its arguments on every version.
_CALL_FIXED = 2
_ITERATOR_NULLS = 1 if PYTHON >= (3, 15) else 0
UNARY_POSITIVE_INTRINSIC = 5  # CALL_INTRINSIC_1, 3.12+ (pycore_intrinsics.h)
_LOAD_SPECIAL_EXITS = {1: "enter", 3: "enter_async"}  # 3.14+: __exit__, __aexit__

_SIMPLE: dict[str, tuple[str, int, str]] = {
    # opcode: operation, operands it takes from the stack, shape of its result
    "STORE_ATTR": ("store_attribute", 2, "nothing"),
    "DELETE_ATTR": ("delete_attribute", 1, "nothing"),
    "LOAD_METHOD": ("load_method", 1, "method"),
    "BINARY_SUBSCR": ("subscript", 2, "value"),
    "BINARY_SLICE": ("slice", 3, "value"),
    "STORE_SLICE": ("store_slice", 4, "nothing"),
    "STORE_SUBSCR": ("store_subscript", 3, "nothing"),
    "DELETE_SUBSCR": ("delete_subscript", 2, "nothing"),
    "CONTAINS_OP": ("contains", 2, "boolean"),
    "UNARY_NEGATIVE": ("negate", 1, "value"),
    "UNARY_INVERT": ("invert", 1, "value"),
    "UNARY_POSITIVE": ("positive", 1, "value"),
    "GET_ITER": ("iterate", 1, "iterator"),
    "GET_YIELD_FROM_ITER": ("iterate", 1, "value"),
    "GET_AITER": ("iterate_async", 1, "value"),
    "GET_AWAITABLE": ("await", 1, "value"),
    "BEFORE_WITH": ("enter", 1, "context"),
    "BEFORE_ASYNC_WITH": ("enter_async", 1, "context"),
    "LIST_EXTEND": ("extend", 1, "nothing"),
    "SET_UPDATE": ("extend", 1, "nothing"),
    "DICT_UPDATE": ("merge", 1, "nothing"),
    "DICT_MERGE": ("merge", 1, "nothing"),
    "FORMAT_SIMPLE": ("format", 1, "value"),
    "FORMAT_WITH_SPEC": ("format", 2, "value"),
}
SIMPLE_SITES: dict[int, tuple[str, int, str]] = {
    OPMAP[name]: row for name, row in _SIMPLE.items() if name in OPMAP
}


def _load_attribute(argument: int) -> tuple[str, int, str]:
    if argument & _METHOD_FLAG:
        return "load_method", 1, "method"
    return "load_attribute", 1, "value"


def _load_super_attribute(argument: int) -> tuple[str, int, str]:
    return "load_super_attribute", 3, "method" if argument & 1 else "value"


def _binary(argument: int) -> tuple[str, int, str]:
    return ("subscript" if argument == SUBSCRIPT_OPERATOR else "binary"), 2, "value"


def _compare(argument: int) -> tuple[str, int, str]:
    # Bit 4 asks for an exact bool since 3.13, which the jump behind it relies on.
    return "compare", 2, "boolean" if PYTHON >= (3, 13) and argument & 16 else "value"


def _call(argument: int) -> tuple[str, int, str]:
    return "call", argument + _CALL_FIXED, "value"


def _call_keywords(argument: int) -> tuple[str, int, str]:
    return "call", argument + _CALL_FIXED + 1, "value"


def _call_unpacked(argument: int) -> tuple[str, int, str]:
    return "call", 1 - stack_effect(OPMAP["CALL_FUNCTION_EX"], argument, False), "value"


def _intrinsic(argument: int) -> tuple[str, int, str] | None:
    return ("positive", 1, "value") if argument == UNARY_POSITIVE_INTRINSIC else None


def _unpack(argument: int) -> tuple[str, int, str]:
    return "unpack", 1, "values"


def _format_value(argument: int) -> tuple[str, int, str]:
    return "format", 2 if argument & 4 else 1, "value"


def _load_special(argument: int) -> tuple[str, int, str] | None:
    # The context manager and its copy: the whole of COPY, LOAD_SPECIAL, …, CALL is one site.
    operation = _LOAD_SPECIAL_EXITS.get(argument)
    return (operation, 2, "context") if operation else None


_BY_ARGUMENT: dict[str, Callable[[int], tuple[str, int, str] | None]] = {
    "LOAD_ATTR": _load_attribute,
    "LOAD_SUPER_ATTR": _load_super_attribute,
    "BINARY_OP": _binary,
    "COMPARE_OP": _compare,
    "CALL": _call,
    "CALL_KW": _call_keywords,
    "CALL_FUNCTION_EX": _call_unpacked,
    "CALL_INTRINSIC_1": _intrinsic,
    "UNPACK_SEQUENCE": _unpack,
    "UNPACK_EX": _unpack,
    "FORMAT_VALUE": _format_value,
    "LOAD_SPECIAL": _load_special,
}
ARGUMENT_SITES: dict[int, Callable[[int], tuple[str, int, str] | None]] = {
    OPMAP[name]: row for name, row in _BY_ARGUMENT.items() if name in OPMAP
}

#: Instructions that run a generator or a coroutine of somebody else, and are sites only in code
#: whose pads are entered by exceptions of packages. They go on where they jump to when it ends.
RUNNING_SITES: dict[int, tuple[str, int, str]] = {
    OPMAP["SEND"]: ("send", 2 + _ITERATOR_NULLS, "value"),
    OPMAP["FOR_ITER"]: ("next", 1 + _ITERATOR_NULLS, "nothing"),
}
#: What clears the stack where those jump to: the first for certain, the others as the depth says.
RUN_ENDS: tuple[frozenset[str], frozenset[str]] = (
    frozenset({"END_SEND", "END_FOR"}),
    frozenset({"POP_TOP", "POP_ITER"}),
)

#: Instructions behind a site's own that belong to it; a crash resumes behind the last of them.
#: 3.11: PRECALL may do the call itself; 3.14+: entering a ``with`` is LOAD_SPECIAL … CALL.
FOLLOWERS: dict[int, tuple[str, ...]] = {
    OPMAP[name]: row
    for name, row in {
        "PRECALL": ("CALL",),
        "LOAD_SPECIAL": ("SWAP", "SWAP", "LOAD_SPECIAL", "CALL"),
    }.items()
    if name in OPMAP
}
if "PRECALL" in OPMAP:  # the site begins at PRECALL, so CALL is none of its own
    ARGUMENT_SITES[OPMAP["PRECALL"]] = ARGUMENT_SITES.pop(OPMAP["CALL"])


#: Code units before a call at which the interpreter looks for the handler of an exception that
#: leaves a Python callee which shares its evaluation loop (``exception_unwind`` in ceval.c; tried).
CALLEE_LOOKUP_UNITS: int = 1 if PYTHON >= (3, 12) else 0

#: Operations that can be links of a chain: each takes the last one's result and a key at most.
CHAIN_OPERATIONS = frozenset({"subscript", "load_attribute"})
#: Loads of one value without side effects.
PLAIN_LOADS = frozenset({
    "LOAD_CONST", "LOAD_SMALL_INT", "LOAD_COMMON_CONSTANT", "LOAD_FAST", "LOAD_FAST_CHECK",
    "LOAD_FAST_BORROW", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_GLOBAL", "LOAD_NAME",
})  # fmt: skip


def unpacked_values(code: int, argument: int) -> int:
    """How many values UNPACK_SEQUENCE or UNPACK_EX pushes."""
    if NAMES[code] == "UNPACK_EX":
        return (argument & 0xFF) + 1 + (argument >> 8)
    return argument


def pushes(shape: str, code: int, argument: int) -> tuple[int, int]:
    """``(values, nulls)`` that a result of this shape puts on the stack; the nulls are on top, but
    for ``NULL_ABOVE_CALLABLE`` being false: then a method's is beneath."""
    if shape == "values":
        return unpacked_values(code, argument), 0
    return _PUSHES[shape]


_PUSHES: dict[str, tuple[int, int]] = {
    "nothing": (0, 0),
    "value": (1, 0),
    "boolean": (1, 0),
    "iterator": (1, _ITERATOR_NULLS),
    "method": (1, 1),
    "context": (2, 0) if "BEFORE_WITH" in OPMAP else (3, 0),
}

# --- operands ---------------------------------------------------------------------------------

#: How far an argument is shifted to give the index into ``co_names``.
NAME_SHIFTS: dict[str, int] = {
    "LOAD_GLOBAL": 1,
    "LOAD_ATTR": 1 if PYTHON >= (3, 12) else 0,
    "LOAD_SUPER_ATTR": 2,
    "IMPORT_NAME": 2 if PYTHON >= (3, 15) else 0,
}

#: Instructions that replace more of the stack's top than their stack effect shows.
REPLACES: dict[str, int] = {
    "ASYNC_GEN_WRAP": 1, "BEFORE_ASYNC_WITH": 1, "BEFORE_WITH": 1, "BUILD_INTERPOLATION": 2,
    "BUILD_TEMPLATE": 2, "CALL_INTRINSIC_1": 1, "CALL_INTRINSIC_2": 2, "CHECK_EG_MATCH": 2,
    "CHECK_EXC_MATCH": 1, "CLEANUP_THROW": 3, "GET_AITER": 1, "GET_ITER": 1,
    "GET_YIELD_FROM_ITER": 1, "IMPORT_NAME": 2, "LOAD_SPECIAL": 1, "MATCH_CLASS": 3,
    "PREP_RERAISE_STAR": 2, "PUSH_EXC_INFO": 1, "RETURN_VALUE": 1, "UNPACK_EX": 1,
    "UNPACK_SEQUENCE": 1, "YIELD_VALUE": 1,
}  # fmt: skip
#: How far COMPARE_OP's argument is shifted to give the index into ``COMPARE_SIGNS``.
COMPARE_SHIFT: int = 0 if PYTHON < (3, 12) else 4 if PYTHON < (3, 13) else 5
COMPARE_SIGNS: tuple[str, ...] = tuple(opcode.cmp_op)
#: What LOAD_COMMON_CONSTANT pushes (3.14+).
COMMON_CONSTANTS: tuple[object, ...] = tuple(getattr(opcode, "_common_constants", ()))
#: CALL_INTRINSIC_1 that makes a tuple of a list, 3.12+ (pycore_intrinsics.h).
LIST_TO_TUPLE_INTRINSIC = 6
#: The bit of LOAD_SUPER_ATTR's argument that says that ``super`` has arguments in the source.
SUPER_ARGUMENTS_FLAG = 2
#: The conversion of FORMAT_VALUE (its lowest two bits) or CONVERT_VALUE.
CONVERSIONS: tuple[str, ...] = ("", "s", "r", "a")
#: MAKE_FUNCTION takes one value more for each of these bits of its argument, up to 3.12.
MAKE_FUNCTION_FLAGS: int = 0xF if PYTHON < (3, 13) else 0

# --- what pads are made of --------------------------------------------------------------------

JUMP_IF_NONE: str = "POP_JUMP_FORWARD_IF_NONE" if PYTHON < (3, 12) else "POP_JUMP_IF_NONE"
JUMP_IF_NOT_NONE: str = (
    "POP_JUMP_FORWARD_IF_NOT_NONE" if PYTHON < (3, 12) else "POP_JUMP_IF_NOT_NONE"
)
JUMP_IF_TRUE: str = "POP_JUMP_FORWARD_IF_TRUE" if PYTHON < (3, 12) else "POP_JUMP_IF_TRUE"
#: A call's NULL stands above the callable from 3.13 on, beneath it before.
NULL_ABOVE_CALLABLE: bool = PYTHON >= (3, 13)
CALL_SEQUENCE: tuple[str, ...] = ("PRECALL", "CALL") if PYTHON < (3, 12) else ("CALL",)
