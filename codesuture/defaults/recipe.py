"""Recipes: defaults described as data.

A recipe says which value a heal supplies. It is what a patch persists, so it is never
code, never a pickle: only the kinds in ``KINDS``, each with bounded, checked parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from .scalars import choice_problem, constant_problem, number_problem, read_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Scalar: TypeAlias = bool | int | float | str | None

# kind -> its JSON keys (beside "kind") and the attribute of Recipe that holds each
KINDS: dict[str, dict[str, str]] = {
    "constant": {"value": "value"},
    "empty": {"type": "type"},
    "number": {"type": "type", "value": "value"},
    "file": {"mode": "mode"},
    "callable": {"returns": "inner"},
    "awaitable": {"returns": "inner"},
    "context_manager": {"enters": "inner"},
    "iterator": {},
    "async_iterator": {},
    "sequence": {"length": "length", "of": "inner"},
    "compute": {"how": "how"},
}
BLANKS = {"value": None, "type": "", "mode": "", "how": "", "length": 0, "inner": None}
EMPTIES: dict[str, type] = {
    "list": list,
    "dict": dict,
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
    "str": str,
    "bytes": bytes,
}
MODES = ("text", "binary")
COMPUTATIONS = {
    "concatenate": "both operands as text, concatenated",
    "neutral": "the other operand, as if this one were zero or empty",
    "format": "the text, with what does not fit its format as it is",
    "unsorted": "the items in the order that they have",
    "joined": "the items as text, joined",
    "fitting": "what the items give that fit",
}

MAX_DEPTH = 8
MAX_LENGTH = 1000
MAX_OBJECTS = 10_000


class RecipeError(ValueError):
    """A recipe that cannot be. The message is a sentence that says what is wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """One default, as data. Always valid: construction raises ``RecipeError`` otherwise.

    ``value`` belongs to the kinds constant and number, ``type`` to empty and number,
    ``inner`` is what a callable or awaitable returns, a context manager enters, or a
    sequence is made of. What a kind does not use keeps its blank value.
    """

    kind: str
    value: Scalar = None
    type: str = ""
    mode: str = ""
    how: str = ""
    length: int = 0
    inner: Recipe | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            raise RecipeError(f"Not a valid recipe: {problem}.")

    # Equality tells 0, False and 0.0 apart, which dataclass equality would not.

    def __eq__(self, other: object) -> bool:
        return _identity(self) == _identity(other) if isinstance(other, Recipe) else NotImplemented

    def __hash__(self) -> int:
        return hash(_identity(self))

    @classmethod
    def constant(cls, value: Scalar) -> Recipe:
        """``None``, a bool, an int, a finite float or a str."""
        return cls("constant", value=value)

    @classmethod
    def empty(cls, type: str) -> Recipe:
        """A fresh empty container; ``type`` is one of ``EMPTIES``."""
        return cls("empty", type=type)

    @classmethod
    def number(cls, type: str, value: str) -> Recipe:
        """A ``Decimal``, ``Fraction`` or ``complex``, written as text."""
        return cls("number", type=type, value=value)

    @classmethod
    def file(cls, mode: str) -> Recipe:
        """An empty file opened for reading; ``mode`` is ``text`` or ``binary``."""
        return cls("file", mode=mode)

    @classmethod
    def callable(cls, returns: Recipe | None = None) -> Recipe:
        """A callable that accepts any arguments and returns ``returns`` (``None``)."""
        return cls("callable", inner=returns or cls.constant(None))

    @classmethod
    def awaitable(cls, returns: Recipe | None = None) -> Recipe:
        """A finished awaitable that gives ``returns`` (``None``)."""
        return cls("awaitable", inner=returns or cls.constant(None))

    @classmethod
    def context_manager(cls, enters: Recipe | None = None) -> Recipe:
        """A context manager for ``with`` and ``async with`` that enters ``enters`` (``None``)."""
        return cls("context_manager", inner=enters or cls.constant(None))

    @classmethod
    def iterator(cls) -> Recipe:
        """An iterator that is exhausted."""
        return cls("iterator")

    @classmethod
    def async_iterator(cls) -> Recipe:
        """An asynchronous iterator that is exhausted."""
        return cls("async_iterator")

    @classmethod
    def sequence(cls, length: int, of: Recipe | None = None) -> Recipe:
        """A tuple of ``length`` items, each built from ``of`` (``None``)."""
        return cls("sequence", length=length, inner=of or cls.constant(None))

    @classmethod
    def compute(cls, how: str) -> Recipe:
        """A value that only the guard can compute, from the operands at the crash."""
        return cls("compute", how=how)

    @classmethod
    def parse(cls, text: str) -> Recipe:
        """The recipe that a configuration value or a command-line argument names.

        ``None``, ``True``, ``0``, ``1.5``, ``"text"``, ``[]``, ``{}``, ``()``, ``set()``,
        ``b""``, ``Decimal("0")`` and the like. Raises ``RecipeError`` for anything else.
        """
        from .literals import recipe_from_text

        return recipe_from_text(text)

    def build(self) -> object:
        """The value, made anew on each call so that nobody shares a mutable default.

        Raises ``RecipeError`` for the kind compute: only a guard knows the operands.
        """
        if self.kind == "constant":
            return self.value
        if self.kind == "empty":
            return EMPTIES[self.type]()
        if self.kind == "number":
            return read_number(self.type, str(self.value))
        if self.kind == "sequence" and self.inner is not None:
            return tuple([self.inner.build() for _ in range(self.length)])
        if self.kind == "iterator":
            return iter(())
        if self.kind == "compute":
            raise RecipeError(
                f"The default is {self.describe()}: only a guard that has the operands can"
                " compute it."
            )
        return self._stand_in()

    def _stand_in(self) -> object:
        from . import stand_ins

        if self.kind == "file":
            binary = self.mode == "binary"
            return stand_ins.EmptyBinaryFile() if binary else stand_ins.EmptyTextFile()
        if self.kind == "async_iterator":
            return stand_ins.EmptyAsyncIterator()
        assert self.inner is not None  # _problem saw to it
        shape = {
            "callable": stand_ins.StandInCallable,
            "awaitable": stand_ins.FinishedAwaitable,
            "context_manager": stand_ins.StandInContextManager,
        }[self.kind]
        return shape(self.inner.build, self.describe())

    def describe(self) -> str:
        """How a person reads it: ``None``, ``""``, ``[]``, ``a callable that returns None``."""
        if self.kind == "constant":
            return _literal(self.value)
        if self.kind == "empty":
            return '""' if self.type == "str" else repr(self.build()).replace("'", '"')
        if self.kind == "number":
            return f'{self.type}("{self.value}")'
        if self.kind == "file":
            return f"an empty {self.mode} file"
        if self.kind == "compute":
            return COMPUTATIONS[self.how]
        if self.inner is None:
            return "an empty iterator" if self.kind == "iterator" else "an empty async iterator"
        inner = self.inner.describe()
        if self.kind == "sequence":
            if self.length <= 4:
                items = ", ".join([inner] * self.length)
                return f"({items},)" if self.length == 1 else f"({items})"
            return f"a tuple of {self.length} times {inner}"
        return {
            "callable": "a callable that returns ",
            "awaitable": "an awaitable that gives ",
            "context_manager": "a context manager that enters ",
        }[self.kind] + inner

    def to_json(self) -> dict[str, object]:
        """The recipe as JSON-able data; ``from_json`` reads it back."""
        document: dict[str, object] = {"kind": self.kind}
        for key, attribute in KINDS[self.kind].items():
            value = getattr(self, attribute)
            document[key] = value.to_json() if isinstance(value, Recipe) else value
        return document

    @classmethod
    def from_json(cls, value: object, where: str = "recipe") -> Recipe:
        """Read what ``to_json`` wrote. ``where`` names the place in error messages.

        Raises ``RecipeError`` for anything that is not exactly a recipe.
        """
        return _from_json(value, where, MAX_DEPTH)


def _from_json(document: object, where: str, depth: int) -> Recipe:
    if type(document) is not dict:
        raise RecipeError(f'{where}: a recipe is an object such as {{"kind": "iterator"}}.')
    if depth == 0:
        raise RecipeError(f"{where}: the recipe is nested more than {MAX_DEPTH} levels deep.")
    kind = document.get("kind")
    if type(kind) is not str or kind not in KINDS:
        raise RecipeError(f"{where}: the kind is missing or unknown; kinds: {', '.join(KINDS)}.")
    keys = KINDS[kind]
    if document.keys() != {"kind", *keys}:
        wanted = ", ".join(["kind", *keys])
        raise RecipeError(f"{where}: a recipe of kind {kind} has exactly these keys: {wanted}.")
    fields: dict[str, Any] = {}
    for key, attribute in keys.items():
        value = document[key]
        nested = attribute == "inner"
        fields[attribute] = _from_json(value, f"{where}.{key}", depth - 1) if nested else value
    try:
        return Recipe(kind, **fields)
    except RecipeError as error:
        raise RecipeError(f"{where}: {error}") from None


def _identity(recipe: Recipe) -> tuple[object, ...]:
    value = recipe.value
    inner = _identity(recipe.inner) if recipe.inner else None
    return (
        recipe.kind, type(value), value, recipe.type, recipe.mode, recipe.how, recipe.length, inner
    )  # fmt: skip


def _problem(recipe: Recipe) -> str:
    """What is wrong with the recipe, or the empty string."""
    if type(recipe.kind) is not str or recipe.kind not in KINDS:
        return f"the kind is unknown; kinds: {', '.join(KINDS)}"
    used = KINDS[recipe.kind].values()
    for name, blank in BLANKS.items():
        value = getattr(recipe, name)
        if name not in used and (type(value) is not type(blank) or value != blank):
            return f"the kind {recipe.kind} takes no {name}"
    if recipe.kind == "constant":
        return constant_problem(recipe.value)
    if recipe.kind == "number":
        return number_problem(recipe.type, recipe.value)
    if recipe.kind == "empty":
        return choice_problem("type", recipe.type, tuple(EMPTIES))
    if recipe.kind == "file":
        return choice_problem("mode", recipe.mode, MODES)
    if recipe.kind == "compute":
        return choice_problem("way to compute", recipe.how, tuple(COMPUTATIONS))
    if "inner" in used:
        return _nesting_problem(recipe)
    return ""


def _nesting_problem(recipe: Recipe) -> str:
    if type(recipe.length) is not int or not 0 <= recipe.length <= MAX_LENGTH:
        return f"the length must be an integer from 0 to {MAX_LENGTH}"
    lengths = []
    depth = 1
    inner: object = recipe
    while isinstance(inner, Recipe) and "inner" in KINDS[inner.kind].values():
        if inner.kind == "sequence":
            lengths.append(max(inner.length, 1))
        inner = inner.inner
        depth += 1
    if not isinstance(inner, Recipe):
        return "what it returns, enters or consists of must be a recipe"
    if inner.kind == "compute":
        return "what is computed from the operands cannot be inside another recipe"
    if depth > MAX_DEPTH:
        return f"it is nested more than {MAX_DEPTH} levels deep"
    if prod(lengths) > MAX_OBJECTS:
        return f"it would build more than {MAX_OBJECTS} objects"
    return ""


def _literal(value: Scalar) -> str:
    if not isinstance(value, str):
        return repr(value)
    from json import dumps

    return dumps(value if len(value) <= 60 else value[:57] + "...", ensure_ascii=False)
