"""Empty values by type: what stands for "nothing" among the values of a type."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe

NONE_VALUE = Recipe.constant(None)
ZERO = Recipe.constant(0)
ZERO_FLOAT = Recipe.constant(0.0)
FALSE = Recipe.constant(False)
TRUE = Recipe.constant(True)
EMPTY_TEXT = Recipe.constant("")
EMPTY_BYTES = Recipe.empty("bytes")
EMPTY_LIST = Recipe.empty("list")
EMPTY_TUPLE = Recipe.empty("tuple")
EMPTY_SET = Recipe.empty("set")
EMPTY_DICT = Recipe.empty("dict")
ITERATOR = Recipe.iterator()
ZERO_DECIMAL = Recipe.number("Decimal", "0")
ZERO_FRACTION = Recipe.number("Fraction", "0")
ZERO_COMPLEX = Recipe.number("complex", "0")

#: By the name that CPython's messages give a type (``tp_name``: with the module for C types).
BY_TYPE: dict[str, Recipe] = {
    "int": ZERO,
    "float": ZERO_FLOAT,
    "bool": FALSE,
    "complex": ZERO_COMPLEX,
    "decimal.Decimal": ZERO_DECIMAL,
    "Fraction": ZERO_FRACTION,
    "fractions.Fraction": ZERO_FRACTION,
    "str": EMPTY_TEXT,
    "bytes": EMPTY_BYTES,
    "list": EMPTY_LIST,
    "tuple": EMPTY_TUPLE,
    "set": EMPTY_SET,
    "frozenset": Recipe.empty("frozenset"),
    "dict": EMPTY_DICT,
}
