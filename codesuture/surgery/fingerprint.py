"""What tells whether code is still the code that a patch was made for."""

from __future__ import annotations

from codesuture.surgery.arming import original_of
from codesuture.surgery.opcodes import TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def fingerprint(code: CodeType) -> str:
    """16 hex digits over what ``code`` does: bytecode, names, constants, handlers, signature.

    Line numbers and the file's name do not count, nor does the inside of nested functions, which
    are code of their own. Bytecode differs between Python versions, so the version counts.
    Armed code has the fingerprint of its original.
    """
    # hashlib takes milliseconds to import, and most programs have no patches.
    from hashlib import sha256

    code = original_of(code)
    constants = tuple(_constant(constant) for constant in code.co_consts)
    parts = (
        TAG, code.co_qualname, code.co_code, code.co_exceptiontable, constants, code.co_names,
        code.co_varnames, code.co_freevars, code.co_cellvars, code.co_argcount,
        code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags,
    )  # fmt: skip
    return sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _constant(constant: object) -> str:
    """A constant in words that are the same in every process."""
    kind = type(constant)
    if kind is tuple:
        return f"({','.join(_constant(item) for item in constant)})"  # type: ignore[attr-defined]
    if kind is frozenset:  # its order depends on the hash seed
        return f"{{{','.join(sorted(_constant(item) for item in constant))}}}"  # type: ignore[attr-defined]
    if hasattr(constant, "co_code"):
        return f"code {constant.co_qualname}"  # type: ignore[attr-defined]
    return f"{kind.__name__} {constant!r}"
