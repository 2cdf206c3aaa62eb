"""Reading a recipe from the text of a configuration value or a command-line argument."""

from __future__ import annotations

import ast

from .recipe import EMPTIES, Recipe, RecipeError
from .scalars import NUMBERS

MAX_TEXT = 4000


def recipe_from_text(text: str) -> Recipe:
    """The recipe for a Python literal; see ``Recipe.parse``."""
    try:
        if type(text) is not str or len(text) > MAX_TEXT:
            raise ValueError
        expression = ast.parse(text.strip(), mode="eval").body
        recipe = _from_call(expression) if isinstance(expression, ast.Call) else None
        return recipe or _from_value(ast.literal_eval(expression))
    except RecipeError:
        raise
    # MemoryError is what the parser says of nesting that is too deep.
    except (SyntaxError, ValueError, TypeError, ArithmeticError, RecursionError, MemoryError):
        shown = repr(text[:60]) if type(text) is str else "This"
        raise RecipeError(
            f"{shown} is not a default that can be supplied; write a Python literal such as"
            ' None, 0, 1.5, "text", [], {}, (), set(), b"" or Decimal("0").'
        ) from None


def _from_call(call: ast.Call) -> Recipe | None:
    """``list()`` and its like, ``Decimal("0")`` and its like."""
    if not isinstance(call.func, ast.Name) or call.keywords:
        return None
    name = call.func.id
    if name in EMPTIES and not call.args:
        return Recipe.empty(name)
    if name in NUMBERS and len(call.args) == 1 and isinstance(call.args[0], ast.Constant):
        value = call.args[0].value
        if type(value) is str or type(value) is int:
            return Recipe.number(name, str(value))
    return None


def _from_value(value: object) -> Recipe:
    if value is None or isinstance(value, bool | int | float | str):
        return Recipe.constant(value)
    if isinstance(value, complex):
        return Recipe.number("complex", str(value).strip("()"))
    name = type(value).__name__
    if name in EMPTIES and not value:
        return Recipe.empty(name)
    raise ValueError
