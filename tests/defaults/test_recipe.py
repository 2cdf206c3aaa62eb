"""Recipes: what they build, how they read, and what they refuse."""

from __future__ import annotations

import copy
import json
import pickle
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesuture.defaults.recipe import (
    EMPTIES,
    KINDS,
    MAX_DEPTH,
    MAX_OBJECTS,
    Recipe,
    RecipeError,
)

NONE = Recipe.constant(None)
ONE_OF_EACH = [
    (NONE, "None"),
    (Recipe.constant(0), "0"),
    (Recipe.constant(False), "False"),
    (Recipe.constant(1.5), "1.5"),
    (Recipe.constant("ä\n"), '"ä\\n"'),
    *[(Recipe.empty(name), text) for name, text in {
        "list": "[]", "dict": "{}", "tuple": "()", "set": "set()",
        "frozenset": "frozenset()", "str": '""', "bytes": 'b""',
    }.items()],
    (Recipe.number("Decimal", "0"), 'Decimal("0")'),
    (Recipe.number("Fraction", "1/3"), 'Fraction("1/3")'),
    (Recipe.number("complex", "1+2j"), 'complex("1+2j")'),
    (Recipe.file("text"), "an empty text file"),
    (Recipe.file("binary"), "an empty binary file"),
    (Recipe.callable(), "a callable that returns None"),
    (Recipe.callable(Recipe.empty("list")), "a callable that returns []"),
    (Recipe.awaitable(Recipe.constant("")), 'an awaitable that gives ""'),
    (Recipe.context_manager(), "a context manager that enters None"),
    (Recipe.iterator(), "an empty iterator"),
    (Recipe.async_iterator(), "an empty async iterator"),
    (Recipe.sequence(0), "()"),
    (Recipe.sequence(1), "(None,)"),
    (Recipe.sequence(2, Recipe.constant(0)), "(0, 0)"),
    (Recipe.sequence(9), "a tuple of 9 times None"),
    (Recipe.compute("concatenate"), "both operands as text, concatenated"),
]  # fmt: skip
RECIPES = [recipe for recipe, _ in ONE_OF_EACH]


def test_the_list_of_examples_covers_every_kind() -> None:
    assert {recipe.kind for recipe in RECIPES} == set(KINDS)


@pytest.mark.parametrize(("recipe", "text"), ONE_OF_EACH, ids=lambda value: str(value)[:40])
def test_describe(recipe: Recipe, text: str) -> None:
    assert recipe.describe() == text


@pytest.mark.parametrize("recipe", RECIPES, ids=Recipe.describe)
def test_json_round_trip(recipe: Recipe) -> None:
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert pickle.loads(pickle.dumps(recipe)) == recipe


def test_all_examples_differ() -> None:
    assert len(set(RECIPES)) == len(RECIPES)


def test_equality_tells_types_apart() -> None:
    assert Recipe.constant(0) != Recipe.constant(False)
    assert Recipe.constant(0) != Recipe.constant(0.0)
    assert Recipe.callable(Recipe.constant(1)) != Recipe.callable(Recipe.constant(True))
    assert Recipe.constant(0) != 0


@pytest.mark.parametrize(
    ("recipe", "value"),
    [
        (NONE, None),
        (Recipe.constant(True), True),
        (Recipe.constant("x"), "x"),
        (Recipe.number("Decimal", "0.10"), Decimal("0.10")),
        (Recipe.number("Fraction", "1/3"), Fraction(1, 3)),
        (Recipe.number("complex", "0j"), 0j),
        (Recipe.sequence(3), (None, None, None)),
        *[(Recipe.empty(name), shape()) for name, shape in EMPTIES.items()],
    ],
)
def test_build(recipe: Recipe, value: object) -> None:
    built = recipe.build()
    assert built == value
    assert type(built) is type(value)


def test_mutable_defaults_are_never_shared() -> None:
    recipe = Recipe.sequence(2, Recipe.empty("list"))
    built: Any = recipe.build()
    first, second = built
    first.append(1)
    assert second == []
    assert recipe.build() == ([], [])
    call: Any = Recipe.callable(Recipe.empty("dict")).build()
    call()["key"] = 1
    assert call() == {}


def test_only_a_guard_computes() -> None:
    with pytest.raises(RecipeError, match="only a guard"):
        Recipe.compute("concatenate").build()


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        NONE.value = 1  # type: ignore[misc]


def _nested(levels: int) -> dict[str, object]:
    document: dict[str, object] = {"kind": "constant", "value": None}
    for _ in range(levels - 1):
        document = {"kind": "callable", "returns": document}
    return document


def test_nesting_is_bounded() -> None:
    assert Recipe.from_json(_nested(MAX_DEPTH)).describe().count("callable") == MAX_DEPTH - 1
    for levels in (MAX_DEPTH + 1, 400):
        with pytest.raises(RecipeError, match="levels deep"):
            Recipe.from_json(_nested(levels))
    deepest = Recipe.from_json(_nested(MAX_DEPTH))
    with pytest.raises(RecipeError, match="levels deep"):
        Recipe.callable(deepest)


def test_the_number_of_objects_is_bounded() -> None:
    inner = Recipe.sequence(100, Recipe.sequence(100))
    assert len(inner.build()) ** 2 == MAX_OBJECTS  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="objects"):
        Recipe.sequence(2, inner)
    with pytest.raises(RecipeError, match="objects"):
        Recipe.sequence(2, Recipe.callable(inner))


BAD_DOCUMENTS: list[object] = [
    None,
    [],
    "None",
    {},
    {"kind": []},
    {"kind": "pickle", "value": "x"},
    {"kind": "constant"},
    {"kind": "constant", "value": None, "type": "list"},
    {"kind": "constant", "value": []},
    {"kind": "constant", "value": float("nan")},
    {"kind": "constant", "value": float("inf")},
    {"kind": "constant", "value": 1 << 600},
    {"kind": "constant", "value": "x" * 5000},
    {"kind": "empty", "type": "deque"},
    {"kind": "empty", "type": ["list"]},
    {"kind": "file", "mode": "w"},
    {"kind": "number", "type": "Decimal", "value": "zero"},
    {"kind": "number", "type": "Decimal", "value": 0},
    {"kind": "number", "type": "Decimal", "value": "NaN"},
    {"kind": "number", "type": "Decimal", "value": "1e999999"},
    {"kind": "number", "type": "Fraction", "value": "1/0"},
    {"kind": "number", "type": "Fraction", "value": "1e999999999"},
    {"kind": "number", "type": "complex", "value": "inf"},
    {"kind": "number", "type": "int", "value": "1"},
    {"kind": "callable", "returns": None},
    {"kind": "callable", "returns": {"kind": "compute", "how": "concatenate"}},
    {"kind": "sequence", "length": -1, "of": {"kind": "iterator"}},
    {"kind": "sequence", "length": True, "of": {"kind": "iterator"}},
    {"kind": "sequence", "length": 10**9, "of": {"kind": "iterator"}},
    {"kind": "compute", "how": "eval"},
]


@pytest.mark.parametrize("document", BAD_DOCUMENTS, ids=lambda value: str(value)[:60])
def test_bad_documents_are_refused_with_a_sentence(document: object) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(document, "default")
    assert str(caught.value).startswith("default")
    assert str(caught.value).endswith(".")


def test_the_place_of_a_nested_error_is_named() -> None:
    document = {"kind": "callable", "returns": {"kind": "sequence", "length": 1, "of": {}}}
    with pytest.raises(RecipeError, match=r"^file\.json: default\.returns\.of: "):
        Recipe.from_json(document, "file.json: default")


def test_direct_construction_is_checked_too() -> None:
    for arguments in [{"kind": "iterator", "value": 1}, {"kind": "constant", "length": False}]:
        with pytest.raises(RecipeError, match="takes no"):
            Recipe(**arguments)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="must be a recipe"):
        Recipe("callable")


PARSED = [
    ("None", NONE),
    (" 0 ", Recipe.constant(0)),
    ("-1", Recipe.constant(-1)),
    ("1.5", Recipe.constant(1.5)),
    ("True", Recipe.constant(True)),
    ("'text'", Recipe.constant("text")),
    ('""', Recipe.constant("")),
    ("[]", Recipe.empty("list")),
    ("{}", Recipe.empty("dict")),
    ("()", Recipe.empty("tuple")),
    ("set()", Recipe.empty("set")),
    ("frozenset()", Recipe.empty("frozenset")),
    ("list()", Recipe.empty("list")),
    ('b""', Recipe.empty("bytes")),
    ('Decimal("0")', Recipe.number("Decimal", "0")),
    ("Decimal(0)", Recipe.number("Decimal", "0")),
    ('Fraction("1/2")', Recipe.number("Fraction", "1/2")),
    ("0j", Recipe.number("complex", "0j")),
    ("1+2j", Recipe.number("complex", "1+2j")),
]


@pytest.mark.parametrize(("text", "recipe"), PARSED)
def test_parse(text: str, recipe: Recipe) -> None:
    assert Recipe.parse(text) == recipe


@pytest.mark.parametrize(
    "text",
    ["", "x", "[1]", "{1: 2}", "(1,)", "{1}", 'b"x"', "os.system('x')", "__import__('os')",
     "1e999", "1; 2", "None None", "lambda: 0", "1" * 5000, "Decimal('x')", "Decimal()",
     "list(1)", "Decimal(*[])", "dict(a=1)", "set().x", "...", "\x00", "(" * 3000, "-" * 3900 + "1",
     "f'{1}'", "inf", "{**{}}"],
)  # fmt: skip
def test_parse_refuses_what_is_not_a_plain_default(text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.parse(text)
    assert str(caught.value).endswith(".")


@given(
    st.none()
    | st.booleans()
    | st.integers(-(2**500), 2**500)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=55)
)
def test_constants_survive_json_and_their_own_description(value: int | str | None) -> None:
    recipe = Recipe.constant(value)
    assert recipe.build() == value
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe
    assert Recipe.parse(recipe.describe()) == recipe


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([*KINDS, *EMPTIES, "Decimal", "text", "concatenate"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["kind", "value", "type", "mode", "how", "length", "returns", "enters", "of"]
        ),
        inner,
        max_size=3,
    ),
    max_leaves=12,
)  # fmt: skip


@given(_JSON)
def test_any_document_is_a_recipe_or_a_recipe_error(document: object) -> None:
    try:
        recipe = Recipe.from_json(copy.deepcopy(document))
    except RecipeError as error:
        assert str(error)
        return
    assert recipe.to_json() == document
    assert recipe.describe()
