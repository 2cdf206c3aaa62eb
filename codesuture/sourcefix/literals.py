"""Recipes as source text: what stands in the program where the default was supplied."""

from __future__ import annotations

from codesuture.sourcefix.document import Unfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.defaults.recipe import Recipe

_EMPTY = {
    "list": "[]", "dict": "{}", "tuple": "()", "set": "set()", "frozenset": "frozenset()",
    "str": '""', "bytes": 'b""',
}  # fmt: skip
#: Modules whose names the texts need: by name, what it is imported from.
IMPORTS = {"Decimal": "decimal", "Fraction": "fractions"}


def literal(recipe: Recipe, quote: str = '"') -> str:
    """The value's source text, in which strings stand in ``quote``.

    Raises ``Unfit`` where the value has no source form of its own.
    """
    if recipe.kind == "constant":
        value = recipe.value
        return _text(value, quote) if isinstance(value, str) else repr(value)
    if recipe.kind == "empty":
        return _EMPTY[recipe.type].replace('"', quote)
    if recipe.kind == "number":
        if recipe.type == "complex":
            return repr(complex(str(recipe.value)))
        return f"{recipe.type}({_text(str(recipe.value), quote)})"
    if recipe.kind == "sequence" and recipe.inner is not None and recipe.length <= 20:
        items = [literal(recipe.inner, quote)] * recipe.length
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if recipe.kind == "callable" and recipe.inner is not None:
        return f"(lambda *args, **kwargs: {literal(recipe.inner, quote)})"
    if recipe.kind == "iterator":
        return "iter(())"
    raise Unfit(f"What is supplied, {recipe.describe()}, has no plain form in the source.")


def _text(value: str, quote: str) -> str:
    text = repr(value)
    if text[0] == quote:
        return text
    body = text[1:-1].replace("\\'", "'") if text[0] == "'" else text[1:-1]
    return quote + body.replace(quote, "\\" + quote) + quote


def needed_import(text: str) -> str:
    """The import that the text of a number needs, or the empty string."""
    for name, module in IMPORTS.items():
        if f"{name}(" in text:
            return f"from {module} import {name}"
    return ""
