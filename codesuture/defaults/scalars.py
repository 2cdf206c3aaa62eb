"""The plain values that a recipe may hold, and their limits.

A recipe comes from a file that others may have written: no value in it may take much memory
or time to build. Each check gives what is wrong, or the empty string.
"""

from __future__ import annotations

from math import isfinite

NUMBERS = ("Decimal", "Fraction", "complex")
MAX_TEXT = 2000
MAX_NUMBER_TEXT = 60
MAX_INT_BITS = 512
MAX_DECIMAL_EXPONENT = 400


def choice_problem(what: str, value: object, choices: tuple[str, ...]) -> str:
    """One of ``choices``."""
    if type(value) is str and value in choices:
        return ""
    return f"the {what} is unknown; possible: {', '.join(choices)}"


def constant_problem(value: object) -> str:
    """None, a boolean, a bounded integer, a finite float, a bounded text."""
    if value is None or type(value) is bool:
        return ""
    if type(value) is int:
        return "" if value.bit_length() <= MAX_INT_BITS else "the integer is too large"
    if type(value) is float:
        return "" if isfinite(value) else "a constant must be a finite number"
    if type(value) is str:
        return "" if len(value) <= MAX_TEXT else f"the text is longer than {MAX_TEXT} characters"
    return "a constant is null, a boolean, a number or a text"


def number_problem(type_name: object, value: object) -> str:
    """A number of one of ``NUMBERS``, written as text."""
    problem = choice_problem("type", type_name, NUMBERS)
    if problem:
        return problem
    if type(value) is not str or len(value) > MAX_NUMBER_TEXT:
        return f"the value of a number is a text of at most {MAX_NUMBER_TEXT} characters"
    try:
        read_number(str(type_name), value)
    except (ValueError, ArithmeticError):
        return f"the value is not a finite {type_name} of a reasonable size"
    return ""


def read_number(type_name: str, text: str) -> object:
    """The number that ``text`` is.

    Raises ``ValueError`` or ``ArithmeticError`` when it is not finite or not reasonable.
    """
    if type_name == "Decimal":
        from decimal import Decimal

        decimal = Decimal(text)
        if not decimal.is_finite() or abs(decimal.adjusted()) > MAX_DECIMAL_EXPONENT:
            raise ValueError(text)
        return decimal
    if type_name == "Fraction":
        from fractions import Fraction

        # Fraction("1e999999999") would compute ten to that power.
        if "e" in text.lower():
            raise ValueError(text)
        return Fraction(text)
    value = complex(text)
    if not (isfinite(value.real) and isfinite(value.imag)):
        raise ValueError(text)
    return value
