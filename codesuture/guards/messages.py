"""CPython's own words for structural faults, as patterns.

An ``AttributeError`` names its object; a ``TypeError`` or ``ValueError`` has only a text. The texts
differ between versions, so each fault has all of its forms here and no guard has any of its own.
The groups ``left`` and ``right`` (or ``left`` alone) are type names as the interpreter prints them.
Each form is raised by the interpreter or its built-in types, at the file that is named.
"""

from __future__ import annotations

import re

NONE = "NoneType"

_FORMS: dict[str, tuple[str, ...]] = {
    # Objects/abstract.c, PyObject_GetItem
    "subscript": (
        r"'(?P<left>.+)' object is not subscriptable",
        r"type '(?P<left>.+)' is not subscriptable",
    ),
    # Objects/abstract.c, PyObject_SetItem and PyObject_DelItem
    "store item": (r"'(?P<left>.+)' object does not support (?:item|slice) assignment",),
    "delete item": (r"'(?P<left>.+)' object (?:doesn't|does not) support (?:item|slice) deletion",),
    # Objects/listobject.c, tupleobject.c, unicodeobject.c, bytesobject.c, rangeobject.c, …;
    # Objects/sliceobject.c, _PyEval_SliceIndex
    "index type": (
        r".+ (?:indices|index) must be integers?(?: or slices)?, not '?(?P<left>[^']+)'?",
        r"slice indices must be integers or (?:None or )?have an __index__ method",
        r"sequence index must be integer, not '(?P<left>.+)'",
    ),
    # Objects/object.c, PyObject_HashNotImplemented; Objects/dictobject.c, setobject.c (3.14+)
    "unhashable": (
        r"unhashable type: '(?P<left>.+)'",
        r"cannot use '(?P<left>.+)' as a (?:dict key|set element) \(unhashable type: '.+'\)",
    ),
    # Objects/abstract.c, PyObject_GetIter; Python/bytecodes.c, GET_AITER
    "iterate": (
        r"'(?P<left>.+)' object is not iterable",
        r"'async for' requires an object with __aiter__ method, got (?P<left>.+)",
    ),
    # Python/bytecodes.c, LIST_EXTEND and DICT_UPDATE; Python/ceval.c, check_args_iterable and
    # format_kwargs_error
    "spread": (
        r"Value after \*\*? must be an? (?:iterable|mapping), not (?P<left>.+)",
        r".+ argument after \*\*? must be an? (?:iterable|mapping), not (?P<left>.+)",
        r"'(?P<left>.+)' object is not (?:iterable|a mapping)",
    ),
    # Python/ceval.c, _PyEval_UnpackIterableStackRef
    "unpack": (r"cannot unpack non-iterable (?P<left>.+) object",),
    "too few": (r"not enough values to unpack \(expected (?:at least )?\d+, got \d+\)",),
    "too many": (r"too many values to unpack \(expected \d+(?:, got \d+)?\)",),
    # Objects/abstract.c, PyObject_Size
    "length": (r"object of type '(?P<left>.+)' has no len\(\)",),
    # Objects/listobject.c, list_ass_subscript_lock_held
    "store slice": (
        r"can only assign an iterable(?: to .+)?",
        r"must assign iterable to extended slice",
    ),
    # Objects/abstract.c, PySequence_Contains
    "contains": (r"argument of type '(?P<left>.+)' is not (?:iterable|a container or iterable)",),
    # Objects/unicodeobject.c, PyUnicode_Contains; Objects/bytes_methods.c, _Py_bytes_contains
    "contained": (
        r"'in <string>' requires string as left operand, not (?P<left>.+)",
        r"a bytes-like object is required, not '(?P<left>.+)'",
    ),
    # Objects/abstract.c, binop_type_error; the end is print's hint for >>
    "binary": (
        r"unsupported operand type\(s\) for .+?: '(?P<left>.+)' and '(?P<right>.+)'"
        r"(?:\. Did you mean .+)?",
    ),
    # Objects/unicodeobject.c, listobject.c, tupleobject.c, bytesobject.c: the sq_concat slots
    "concatenate": (
        r"can only concatenate (?P<left>\w+) \(not \"(?P<right>.+)\"\) to \w+",
        r"can't concat (?P<right>.+) to (?P<left>bytes|bytearray)",
    ),
    # Objects/abstract.c, sequence_repeat
    "repeat": (r"can't multiply sequence by non-int of type '(?P<right>.+)'",),
    # Modules/_datetimemodule.c
    "time zones": (r"can't (?:subtract|compare) offset-naive and offset-aware \w+",),
    # Objects/abstract.c, type_error in PyNumber_Negative and its like
    "unary": (r"bad operand type for unary .: '(?P<left>.+)'",),
    # Objects/object.c, do_richcompare; Modules/_datetimemodule.c, cmperror (up to 3.12)
    "compare": (
        r"'.+' not supported between instances of '(?P<left>.+)' and '(?P<right>.+)'",
        r"can't compare (?P<left>.+) to (?P<right>.+)",
    ),
    # Python/ceval.c and Python/bytecodes.c, BEFORE_WITH; LOAD_SPECIAL (3.14+)
    "enter": (
        r"'(?P<left>.+)' object does not support the (?:asynchronous )?context manager protocol.*",
    ),
    # Objects/genobject.c, _PyCoro_GetAwaitableIter
    "await": (
        r"object (?P<left>.+) can't be used in 'await' expression",
        r"'(?P<left>.+)' object can't be awaited",
    ),
    # Objects/call.c, _PyObject_MakeTpCall
    "call": (r"'(?P<left>.+)' object is not callable",),
    # Objects/typeobject.c, object___format___impl
    "format": (r"unsupported format string passed to (?P<left>.+)\.__format__",),
    # Python/formatter_unicode.c
    "format code": (
        r"Unknown format code '.+' for object of type '(?P<left>.+)'",
        r"Invalid format specifier.*",
        r"Cannot specify '.+' with '.+'\.",
        r"(?:Sign|Alternate form|'=' alignment|Negative zero coercion|Precision) .*not allowed.*",
    ),
    # Objects/unicode_format.c (unicodeobject.c up to 3.14), Objects/bytesobject.c
    "percent": (
        r"(?:format argument.*: )?%. (?:format: an? .+ is required|requires an? .+), not .+",
        r"format argument.*: .+",
        r"must be real number, not .+",
        r"not enough arguments for format string.*",
        r"not all arguments converted during (?:string|bytes) formatting.*",
        r"format requires a mapping.*",
        r"%. requires .+",
        r"\* wants int",
    ),
    # Python/bltinmodule.c, min_max
    "empty": (r"(?:min|max)\(\) (?:arg is an empty sequence|iterable argument is empty)",),
    # Modules/posixmodule.c, PyOS_FSPath
    "path": (r"expected str, bytes or os\.PathLike object, not (?P<left>.+)",),
    # Objects/object.c, PyObject_GenericSetAttr and its like; Objects/typeobject.c;
    # Objects/moduleobject.c
    "attribute": (
        r"'(?P<left>.+)' object has no attribute '(?P<name>.+?)'.*",
        r"(?:type object|module) '(?P<left>.+)' has no attribute '(?P<name>.+?)'.*",
    ),
    # Python/ceval.c, missing_arguments, too_many_positional and their like; Python/getargs.c;
    # Objects/methodobject.c, descrobject.c, typeobject.c
    "signature": (
        r".*\b(?:missing|takes|expected) .*arguments?\b.*",
        r".*\bargument.* given\)?",
        r".*keyword arguments?\b.*",
        r".*positional-only.*",
        r".*multiple values for .*",
        r".*takes no arguments.*",
        r"keywords must be strings",
        r"unbound method .+ needs an argument",
    ),
}  # fmt: skip

_PATTERNS: dict[str, re.Pattern[str]] = {}


def _pattern(form: str, number: int) -> re.Pattern[str]:
    key = f"{form} {number}"
    found = _PATTERNS.get(key)
    if found is None:
        found = _PATTERNS[key] = re.compile(_FORMS[form][number], re.DOTALL)
    return found


def text_of(exception: BaseException) -> str:
    """The exception's message, or "" where it has none; runs no ``__str__`` of user classes."""
    arguments = BaseException.args.__get__(exception)  # type: ignore[attr-defined]
    return arguments[0] if len(arguments) == 1 and type(arguments[0]) is str else ""


def types_in(exception: BaseException, *faults: str) -> dict[str, str | None] | None:
    """What the message names, if it is one of these faults; else None."""
    text = text_of(exception)
    for fault in faults:
        for number in range(len(_FORMS[fault])):
            found = _pattern(fault, number).fullmatch(text)
            if found is not None:
                return found.groupdict()
    return None


def says(exception: BaseException, *faults: str) -> bool:
    """Whether the message is one of these faults."""
    return types_in(exception, *faults) is not None


def blames_none(exception: BaseException, *faults: str) -> bool:
    """Whether the message is one of these faults and names ``None`` as the object at fault."""
    named = types_in(exception, *faults)
    return named is not None and named.get("left") == NONE
