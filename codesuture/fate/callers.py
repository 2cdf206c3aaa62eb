"""What lies between a frame and the frame beneath it: nothing, or C code that may swallow.

``f_back`` does not show C functions. They are deduced from the instruction that the caller is at
and, for a call, from what is called. C code treats some exceptions as answers: an
AttributeError while it looks whether an attribute is there, an IndexError at the end of the old
iteration protocol, a TypeError from ``__len__`` when it only wants a hint.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

from codesuture.fate import lookup
from codesuture.fate.boundaries import FRAMEWORKS
from codesuture.fate.c_callables import (
    FORWARDS,
    GETS,
    HINTS,
    MEASURES,
    MERGE_REPLACES,
    OPAQUE,
    PROBES,
    SET_NAME_REPLACES,
    UNRAISABLE,
    conduct_of,
    conduct_of_instance,
    is_foreign,
)
from codesuture.fate.either import judge_each
from codesuture.fate.lookup import MISSING, class_entry, place
from codesuture.fate.scope import InstanceOf, Scope
from codesuture.fate.symbols import called
from codesuture.fate.verdict import HANDLED, PASSES, UNKNOWN, Outcome, Raised
from codesuture.fate.views import view_of
from codesuture.frames import local_variables
from codesuture.surgery.opcodes import BINARY_SIGNS, NAMES, stack_effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.symbols import Symbol
    from codesuture.fate.verdict import Likeness
    from codesuture.fate.views import CodeView

_GENERATOR_FLAGS = 0x20 | 0x80 | 0x200
_CONSTRUCTION = ("__init__", "__new__", "__call__")

#: What C code takes for an answer, somewhere or other, when it is not known which C code it is.
OFTEN_SWALLOWED = (AttributeError, LookupError, TypeError, StopIteration, StopAsyncIteration)

_CALLS = {"CALL", "PRECALL", "CALL_KW", "CALL_FUNCTION_EX"}
#: Instructions that run Python code and let everything pass, beside what `_by_protocol` says.
_TRANSPARENT = {
    "BINARY_OP", "BINARY_SLICE", "BINARY_SUBSCR", "BUILD_CONST_KEY_MAP", "BUILD_MAP", "BUILD_SET",
    "BUILD_STRING", "BUILD_TEMPLATE", "BUILD_INTERPOLATION", "COMPARE_OP", "CONTAINS_OP",
    "CONVERT_VALUE", "DELETE_ATTR", "DELETE_SUBSCR", "DICT_MERGE", "DICT_UPDATE", "FORMAT_SIMPLE",
    "FORMAT_VALUE", "FORMAT_WITH_SPEC", "FOR_ITER", "GET_AITER", "GET_ANEXT", "GET_AWAITABLE",
    "GET_ITER", "GET_LEN", "GET_YIELD_FROM_ITER", "IMPORT_NAME", "JUMP_IF_FALSE_OR_POP",
    "JUMP_IF_TRUE_OR_POP", "LIST_EXTEND", "LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR",
    "BEFORE_WITH", "BEFORE_ASYNC_WITH", "LOAD_SPECIAL", "WITH_EXCEPT_START", "MAP_ADD",
    "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE", "POP_JUMP_FORWARD_IF_FALSE",
    "POP_JUMP_FORWARD_IF_TRUE", "POP_JUMP_BACKWARD_IF_FALSE", "POP_JUMP_BACKWARD_IF_TRUE",
    "RAISE_VARARGS", "RERAISE", "SEND", "SET_ADD", "SET_UPDATE", "STORE_ATTR", "STORE_NAME",
    "STORE_SLICE", "STORE_SUBSCR", "TO_BOOL", "UNARY_INVERT", "UNARY_NEGATIVE", "UNARY_NOT",
    "UNARY_POSITIVE",
    "UNPACK_EX", "UNPACK_SEQUENCE", "CALL_INTRINSIC_1", "LOAD_NAME", "LOAD_GLOBAL", "MATCH_CLASS",
    "MATCH_KEYS", "IMPORT_FROM", "IMPORT_STAR", "END_ASYNC_FOR", "CLEANUP_THROW",
}  # fmt: skip
#: Where a suspended generator waits while the one that it delegates to runs.
_DELEGATING = {"SEND", "YIELD_VALUE", "RESUME", "JUMP_BACKWARD_NO_INTERRUPT"}
#: Instructions that ask for an attribute and take AttributeError for "it is not there".
_MERGES = ("DICT_UPDATE", "DICT_MERGE")
_OPTIONAL_ATTRIBUTE = {"MATCH_CLASS", "IMPORT_FROM", "IMPORT_STAR", "DICT_UPDATE", "DICT_MERGE"}


def judge_gap(
    caller: FrameType, frame: FrameType, offset: int, raised: Raised, scope: Scope
) -> Outcome:
    """What happens to ``raised`` between ``frame``, which it leaves, and ``caller``.

    ``offset`` is the instruction that the caller is at; ``scope`` gives the caller's names.
    """
    view = view_of(caller.f_code)
    number = view.ordinal(offset)
    if number is None or view.stacks[number] is None:
        return Outcome(UNKNOWN, "was called from an instruction that cannot be read")
    at = number
    outcome = judge_each(raised, lambda one: _judge_caller(view, at, frame, caller, one, scope))
    if outcome.kind != PASSES and is_signal_handler(frame, caller):
        return _passes(raised)
    return outcome


def _judge_caller(
    view: CodeView, number: int, frame: FrameType, caller: FrameType, raised: Raised, scope: Scope
) -> Outcome:
    _, _, op, argument, _ = view.instructions[number]
    name, role = NAMES[op], frame.f_code.co_name
    symbol, count = _call_at(view, number)
    if role == "__del__" and (symbol is None or symbol[-1] != role):
        return Outcome(HANDLED, "runs as a finalizer: the interpreter reports it and goes on")
    if name in _CALLS:
        if symbol is not None and symbol[0] in _ATTRIBUTES and symbol[-1] == role:
            return _passes(raised)
        return _judge_call(symbol, count, frame, caller, raised, scope)
    if frame.f_code.co_flags & _GENERATOR_FLAGS and name in _DELEGATING:
        return _passes(raised)
    if name in _TRANSPARENT:
        return _judge_instruction(name, argument, frame, raised)
    return Outcome(UNKNOWN, "was not called by the program's own instruction")


def _call_at(view: CodeView, number: int) -> tuple[Symbol, int | None]:
    """What a call instruction calls, and the number of its arguments (None: not known)."""
    _, _, op, argument, _ = view.instructions[number]
    name, stack = NAMES[op], view.stacks[number] or ()
    if name == "CALL_FUNCTION_EX":
        return called(stack, -1 - stack_effect(op, argument, False)), None
    if name in _CALLS:
        return called(stack[:-1] if name == "CALL_KW" else stack, argument), argument
    return None, None


def called_at(view: CodeView, offset: int) -> tuple[str, Symbol]:
    """The name of the instruction at ``offset``, and what it calls, where it does."""
    number = view.ordinal(offset)
    if number is None:
        return "", None
    return NAMES[view.instructions[number][2]], _call_at(view, number)[0]


def _passes(raised: Raised) -> Outcome:
    return Outcome(PASSES, "", raised)


# --- instructions ------------------------------------------------------------------------


def _judge_instruction(name: str, argument: int, frame: FrameType, raised: Raised) -> Outcome:
    kind = raised.type
    role = frame.f_code.co_name
    if issubclass(kind, AttributeError):
        if name in _OPTIONAL_ATTRIBUTE and (
            name not in _MERGES or MERGE_REPLACES or role in _LOOKUP_ROLES or is_property(frame)
        ):
            return Outcome(HANDLED, f"was called by {name}, which takes it for a missing attribute")
        if name in ("LOAD_ATTR", "LOAD_METHOD"):
            return _judge_attribute(frame, raised)
    if issubclass(kind, KeyError) and (
        name in ("LOAD_NAME", "LOAD_GLOBAL") or (name == "DICT_MERGE" and MERGE_REPLACES)
    ):
        return Outcome(HANDLED, f"was called by {name}, which takes it for a missing name")
    if name in ("BINARY_SUBSCR", "UNARY_NOT", "GET_LEN") or (
        name == "BINARY_OP" and BINARY_SIGNS[argument] == "[]"
    ):
        return _passes(raised)
    formats = name == "BINARY_OP" and BINARY_SIGNS[argument].startswith("%")
    if formats and issubclass(kind, TypeError) and role in ("__int__", "__index__", "__float__"):
        return Outcome(HANDLED, "was called by %, which says it in its own words")
    if role in ("__bool__", "__len__") and (name == "TO_BOOL" or "JUMP" in name):
        return _passes(raised)
    return _by_protocol(frame, raised, True)


def _by_protocol(frame: FrameType, raised: Raised, iterates: bool) -> Outcome:
    """The answers of the iteration and length protocols, whoever asks."""
    kind, role = raised.type, frame.f_code.co_name
    if issubclass(kind, (StopIteration, StopAsyncIteration)):
        if frame.f_code.co_flags & _GENERATOR_FLAGS:
            return _passes(raised)
        return Outcome(HANDLED, "was called by an iteration, which takes it for the end")
    if issubclass(kind, IndexError) and role == "__getitem__":
        why = "was called by the old iteration protocol, which takes it for the end"
        old = _class_lacks(frame, "__iter__")
        if old is not False and iterates:
            return Outcome(HANDLED, why)
        return Outcome(UNKNOWN, why.replace("which takes", "which may take"))
    if issubclass(kind, TypeError) and role in ("__len__", "__length_hint__"):
        return Outcome(HANDLED, "was asked for a length hint, which may be missing")
    return _passes(raised)


def _judge_attribute(frame: FrameType, raised: Raised) -> Outcome:
    """``object.attribute`` ran this frame: a property, ``__getattribute__`` or ``__getattr__``."""
    if frame.f_code.co_name == "__getattr__":
        return _passes(raised)
    position = 1 if frame.f_code.co_name == "__get__" else 0
    owner = _argument(frame, position)
    if owner is MISSING:
        return Outcome(UNKNOWN, "was called for an attribute whose object cannot be told")
    cls = owner if lookup.is_class(owner) else type(owner)
    for one in {cls, type(owner)}:
        if class_entry(one, "__getattr__") is not MISSING:  # type: ignore[arg-type]
            name = f"{place(one)}.__getattr__"
            return Outcome(HANDLED, f"was called for an attribute, and {name} is asked next")
    return _passes(raised)


def _argument(frame: FrameType, position: int) -> object:
    code = frame.f_code
    if position >= code.co_argcount:
        return MISSING
    try:
        return local_variables(frame)[code.co_varnames[position]]
    except Exception:
        return MISSING


def _class_lacks(frame: FrameType, name: str) -> bool | None:
    owner = _argument(frame, 0)
    return None if owner is MISSING else class_entry(type(owner), name) is MISSING


def is_signal_handler(frame: FrameType, caller: FrameType) -> bool:
    if _argument(frame, 1) is not caller:
        return False
    try:
        handler = _signal.getsignal(_argument(frame, 0))
    except Exception:
        return False
    return _is_code_of(handler, frame)


# --- calls -------------------------------------------------------------------------------


def _judge_call(
    symbol: Symbol,
    count: int | None,
    frame: FrameType,
    caller: FrameType,
    raised: Raised,
    scope: Scope,
) -> Outcome:
    if symbol is not None and symbol[0] in ("exit", "enter"):
        return _passes(raised)
    function = scope.value(symbol)
    if function is MISSING:
        outcome = _judge_unresolved(symbol, frame, caller, raised)
        if symbol is not None and symbol[0] == "call":
            outcome.made_by = symbol[1]  # type: ignore[assignment]
        return outcome
    outcome = _judge_value(function, count, frame, raised)
    if _is_code_of(function, frame):
        outcome.direct = symbol
    elif type(function) is BuiltinFunctionType:
        outcome.direct, outcome.like = symbol, _like_builtin(function)
    return outcome


def _like_builtin(function: BuiltinFunctionType) -> Likeness:
    """The same function written in C, or the same method of an object of the same type."""
    name, owner = function.__name__, type(function.__self__)
    if owner is ModuleType:
        return lambda other: other is function

    def like(other: object) -> bool:
        if type(other) is not BuiltinFunctionType:
            return False
        return other.__name__ == name and type(other.__self__) is owner

    return like


def _judge_value(
    function: object, arguments: int | None, frame: FrameType, raised: Raised
) -> Outcome:
    """``frame`` ran while ``function`` was called (None: the number of arguments is not known)."""
    role = frame.f_code.co_name
    if _is_code_of(function, frame):
        return _passes(raised)
    if type(function) is InstanceOf and role == "__call__":
        return _passes(raised)
    plain = function.__func__ if type(function) is MethodType else function
    if type(plain) is FunctionType:
        if plain.__name__ == role or (arguments is None and role in _UNPACKED):
            return _passes(raised)
        return Outcome(UNKNOWN, f"was called during a call of {place(plain)}, not by it")
    if lookup.is_class(plain) and role in _CONSTRUCTION:
        return _passes(raised)
    return _judge_c_call(plain, arguments, frame, raised)


#: ``f(*x)`` asks ``x`` for its values before it calls.
_UNPACKED = ("__iter__", "__next__", "keys", "__getitem__")


def _judge_unresolved(
    symbol: Symbol, frame: FrameType, caller: FrameType, raised: Raised
) -> Outcome:
    """The callable is not known: its name may tell, or that the frame is a plain function's."""
    role = frame.f_code.co_name
    if role == "__set_name__" and SET_NAME_REPLACES:
        return Outcome(UNKNOWN, "was called by type(), perhaps, which raises RuntimeError instead")
    if role in _CONSTRUCTION:
        return _passes(raised)
    if symbol is not None and symbol[0] in _NAMED:
        if symbol[-1] == role:
            return _passes(raised)
        if _is_plain(frame) and _is_library_frame(caller):
            return _passes(raised)  # no C code that these call drops what a callback raises
    elif _is_plain(frame):
        return _passes(raised)  # the result of another call, which is called in its turn
    return _unknown_call("a call that cannot be told", raised)


_ATTRIBUTES = ("attr", "super")
_NAMED = (*_ATTRIBUTES, "local", "global", "name", "free")


def _is_plain(frame: FrameType) -> bool:
    """Whether the frame runs an ordinary function, no part of a protocol that C code knows."""
    role = frame.f_code.co_name
    return not (role.startswith("__") and role.endswith("__")) and not is_property(frame)


def _is_library_frame(frame: FrameType) -> bool:
    """Whether it is code that was read: the standard library's, or a framework's."""
    module = frame.f_globals.get("__name__")
    top = module.partition(".")[0] if type(module) is str else ""
    return top in sys.stdlib_module_names or top in FRAMEWORKS


def _is_code_of(function: object, frame: FrameType) -> bool:
    """Whether the frame runs the code of this function, method or callable object."""
    for _ in range(4):
        kind = type(function)
        if kind is FunctionType:
            return function.__code__ is frame.f_code  # type: ignore[attr-defined]
        if kind is MethodType:
            function = function.__func__  # type: ignore[attr-defined]
            continue
        if kind is InstanceOf:
            function = class_entry(function.cls, "__call__")  # type: ignore[attr-defined]
            continue
        entry = class_entry(kind, "__call__")
        if type(entry) is not FunctionType:
            return False
        function = entry
    return False


def _unknown_call(what: str, raised: Raised) -> Outcome:
    if issubclass(raised.type, OFTEN_SWALLOWED):
        return Outcome(UNKNOWN, f"was called by {what}; C code may take it for an answer")
    return _passes(raised)


def _judge_c_call(
    function: object, arguments: int | None, frame: FrameType, raised: Raised
) -> Outcome:
    if type(function) is InstanceOf:
        conduct, name = conduct_of_instance(function.cls)
    else:
        conduct, name = conduct_of(function)
    kind, role = raised.type, frame.f_code.co_name
    if conduct is None:
        if is_foreign(name):
            return Outcome(UNKNOWN, f"was called by {name}, which is not known to pass it on")
        return _unknown_call(name or "a C function", raised)
    if conduct == UNRAISABLE:
        return Outcome(HANDLED, f"was called by {name}: the interpreter reports it and goes on")
    if conduct == OPAQUE:
        return Outcome(UNKNOWN, f"was called by {name}, which keeps it")
    if conduct == FORWARDS:
        return _judge_held(function, frame, raised)
    if role == "__set_name__" and SET_NAME_REPLACES:
        return _passes(Raised(RuntimeError))
    if issubclass(kind, AttributeError):
        return _judge_lookup(conduct, name, arguments, frame, raised)
    if issubclass(kind, StopIteration) and name == "builtins.next" and arguments == 1:
        return _passes(raised)
    if issubclass(kind, TypeError):
        if role in ("__len__", "__length_hint__"):
            return _judge_length(conduct, name, raised)
        if role == "__index__" and name in ("builtins.bytes", "builtins.bytearray"):
            return Outcome(HANDLED, f"was called by {name}, which takes it for an answer")
    return _by_protocol(frame, raised, role == "__getitem__" and conduct != GETS)


def _judge_lookup(
    conduct: str, name: str, arguments: int | None, frame: FrameType, raised: Raised
) -> Outcome:
    """An AttributeError under a C function that looks attributes up."""
    role = frame.f_code.co_name
    why = f"was called by {name}, which takes it for a missing attribute"
    if name == "builtins.hasattr" or (name == "builtins.getattr" and arguments == 3):
        return Outcome(HANDLED, why)
    if conduct == GETS:
        return _judge_attribute(frame, raised)
    if role not in _LOOKUP_ROLES and not is_property(frame):
        return _passes(raised)
    if conduct == PROBES:
        return Outcome(HANDLED, why)
    if name.partition(".")[0] in _MANDATORY:
        return _judge_attribute(frame, raised)
    return Outcome(UNKNOWN, why.replace("takes", "may take"))


#: Modules whose functions need the attributes that they ask for, beside those with a row.
_MANDATORY = ("builtins", "itertools", "functools", "_functools", "_heapq", "_bisect", "_operator")
_LOOKUP_ROLES = ("__getattr__", "__getattribute__", "__get__")


def is_property(frame: FrameType) -> bool:
    """Whether the frame runs the getter of a property of its first argument's class."""
    owner = _argument(frame, 0)
    if owner is MISSING:
        return False
    for base in lookup.mro(type(owner)):
        for entry in lookup.namespace(base).values():
            if type(entry) is property:
                getter = entry.fget
                if type(getter) is FunctionType and getter.__code__ is frame.f_code:
                    return True
    return False


def _judge_length(conduct: str, name: str, raised: Raised) -> Outcome:
    if conduct == HINTS:
        return Outcome(HANDLED, f"was asked by {name} for a length hint, which may be missing")
    if conduct == MEASURES:
        return _passes(raised)
    return Outcome(UNKNOWN, f"was asked for its length by {name}, perhaps only for a hint")


def _judge_held(function: object, frame: FrameType, raised: Raised) -> Outcome:
    """A partial or a cached function: what it holds is what calls."""
    if type(function) is InstanceOf:
        return _unknown_call("a partial that cannot be told", raised)
    for name in ("func", "__wrapped__"):
        held = lookup.attribute(function, name)
        if held is not MISSING:
            return _judge_value(held, None, frame, raised)
    return _unknown_call("a call that cannot be told", raised)
