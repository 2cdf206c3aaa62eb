"""Making a default fit the place where the instruction's result would have gone."""

from __future__ import annotations

from collections.abc import Iterator

from codesuture.defaults.recipe import Recipe
from codesuture.surgery.opcodes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.surgery.sites import Site

#: Operations whose result is not simply the recipe's value.
_SHAPED = frozenset({
    "iterate", "iterate_async", "await", "enter", "enter_async", "unpack",
})  # fmt: skip
_CONTAINERS = (list, dict, tuple, set, frozenset, str, bytes)


def fit(site: Site, recipe: Recipe) -> object:
    """The recipe's value in the form that the site's operation needs.

    Where the recipe describes that form itself (a callable, an iterator, …) it is built as it is;
    any other recipe becomes what a call returns, an iteration yields, an ``await`` gives, a
    ``with`` enters, or each of the values that are unpacked.
    """
    if site.shape == "value" and site.operation not in _SHAPED:
        return recipe.build()
    if site.shape == "nothing":
        return None
    if site.shape == "method":
        return _wrapped("callable", recipe).build()
    operation = site.operation
    if operation == "iterate":
        return _iterator(recipe)
    if operation == "iterate_async":
        return (recipe if recipe.kind == "async_iterator" else Recipe.async_iterator()).build()
    if operation == "await":
        return _wrapped("awaitable", recipe).build()
    if operation in ("enter", "enter_async"):
        return _wrapped("context_manager", recipe).build()
    if operation == "unpack":
        return _unpacked(site, recipe)
    return recipe.build()


def _wrapped(kind: str, recipe: Recipe) -> Recipe:
    return recipe if recipe.kind == kind else Recipe(kind, inner=recipe)


def _iterator(recipe: Recipe) -> Iterator[object]:
    value = recipe.build()
    if recipe.kind == "iterator" or type(value) in _CONTAINERS:
        return iter(value)  # type: ignore[call-overload, no-any-return]
    return iter(())


def _unpacked(site: Site, recipe: Recipe) -> list[object]:
    if recipe.kind == "sequence" and recipe.inner is not None:
        return spread(site, [], recipe.inner)
    return spread(site, [], recipe)


def spread(site: Site, known: list[object], rest: Recipe) -> list[object]:
    """Exactly what ``a, b, *c = …`` takes: the known values in their places, then ``rest``.

    A starred name takes what is left over, in a list of its own.
    """
    before, after = named_values(site)
    if after is None:
        return known[:before] + [rest.build() for _ in range(before - len(known))]
    known = known + [rest.build() for _ in range(before + after - len(known))]
    end = len(known) - after
    return [*known[:before], known[before:end], *known[end:]]


def named_values(site: Site) -> tuple[int, int | None]:
    """How many names stand before and behind the starred one; None where none is starred."""
    if NAMES[site.code] == "UNPACK_EX":
        return site.argument & 0xFF, site.argument >> 8
    return site.values, None
