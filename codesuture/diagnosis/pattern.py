"""The pattern of a crash site: what stands around the instruction, without the names it goes by.

Two sites with one pattern do the same with values of the same kinds: the instructions before and
behind them are equal but for the names of variables, the attribute or key that fails, the values of
constants and the source lines. Names of globals and attributes stay (``len(…)`` says what a value
is for). The types of variables count, as far as they are built in. Bytecode differs between Python
versions, so a pattern holds for one of them.
"""

from __future__ import annotations

from codesuture.diagnosis.annotations import function_annotation, running_function
from codesuture.diagnosis.expression import Free, Global, Local, Name
from codesuture.diagnosis.lookup import MISSING
from codesuture.surgery.instructions import decode
from codesuture.surgery.opcodes import NAME_SHIFTS, NAMES, TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: Instructions that count before and behind the site.
BEFORE, BEHIND = 8, 8
DIGITS = 16

_BUILT_IN = frozenset({
    "NoneType", "bool", "int", "float", "complex", "str", "bytes", "bytearray", "list", "tuple",
    "dict", "set", "frozenset", "function", "type", "module", "builtin_function_or_method",
})  # fmt: skip
_CONSTANTS = ("LOAD_CONST", "RETURN_CONST")


def pattern_of(crash: Crash, anchor: int) -> str:
    """16 hex digits; ``""`` where annotations speak of the function or its module, for these are
    not around the instruction, and say more than it does.

    ``anchor`` is the instruction that the patch is for: the last link of a chain, or the site.
    """
    if _is_annotated(crash):
        return ""
    # hashlib takes milliseconds to import; this is asked once for each site that crashes.
    from hashlib import sha256

    words = [TAG, crash.operation, type.__dict__["__name__"].__get__(type(crash.exception))]
    words += _window(crash, anchor)
    return sha256("\n".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def _is_annotated(crash: Crash) -> bool:
    """Whether the running function or its module declares types, or might: it is not found."""
    variables = crash.frame.f_globals
    if variables.get("__annotations__") or "__annotate__" in variables:
        return True
    if crash.code.co_qualname == "<module>":
        return False
    function = running_function(crash.frame)
    if function is None:
        return True
    names = (*crash.code.co_varnames[: _arguments(crash)], "return")
    return any(function_annotation(function, name) for name in names)


def _arguments(crash: Crash) -> int:
    code = crash.code
    return code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(
        code.co_flags & 8
    )


def _window(crash: Crash, anchor: int) -> list[str]:
    rows = decode(crash.code.co_code)
    first = min(crash.site.ordinal, anchor)
    begin, end = max(0, first - BEFORE), min(len(rows), anchor + 1 + BEHIND)
    numbers: dict[str, str] = {}
    words = []
    for place in range(begin, end):
        name, argument = NAMES[rows[place][2]], rows[place][3]
        at = "*" if first <= place <= anchor else ""
        words.append(f"{at}{name} {_argument(crash, name, argument, bool(at), numbers)}")
    return words


def _argument(
    crash: Crash, name: str, argument: int, at_site: bool, numbers: dict[str, str]
) -> str:
    """What an instruction's argument says, without what may be another at a like place."""
    code = crash.code
    if name in _CONSTANTS:
        return type(code.co_consts[argument]).__name__
    if "_FAST" in name or "DEREF" in name:
        return " ".join(
            _variable(crash, variable, numbers) for variable in _variables(crash, name, argument)
        )
    if name in NAME_SHIFTS or name.endswith(("_NAME", "_GLOBAL", "_ATTR", "_METHOD")):
        index = argument >> NAME_SHIFTS.get(name, 0)
        flags = argument & (1 << NAME_SHIFTS.get(name, 0)) - 1
        known = "?" if at_site else code.co_names[index] if index < len(code.co_names) else ""
        kind = _kind(crash, Global(known)) if name == "LOAD_GLOBAL" and known != "?" else ""
        return f"{known} {flags} {kind}"
    if "JUMP" in name or name in ("FOR_ITER", "SEND"):
        return ""  # how far it is depends on what is jumped over
    return str(argument)


def _variables(crash: Crash, name: str, argument: int) -> list[str]:
    """The local variables of an instruction; some have two."""
    names = crash.code.co_varnames
    every = (*names, *(n for n in crash.code.co_cellvars if n not in names),
             *crash.code.co_freevars)  # fmt: skip
    found = [argument >> 4, argument & 15] if name.count("_FAST") > 1 else [argument]
    return [every[index] if index < len(every) else "?" for index in found]


def _variable(crash: Crash, name: str, numbers: dict[str, str]) -> str:
    number = numbers.setdefault(name, f"v{len(numbers)}")
    kind = _kind(crash, Local(name)) or _kind(crash, Free(name)) or _kind(crash, Name(name))
    return f"{number} {kind}"


def _kind(crash: Crash, expression: Local | Free | Name | Global) -> str:
    """The type of a variable's value, where it is a built-in one."""
    value = crash.evaluate(expression)
    if value is MISSING:
        return ""
    kind: str = type.__dict__["__name__"].__get__(type(value))
    return kind if kind in _BUILT_IN else "object"
