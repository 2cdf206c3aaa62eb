"""What a use makes of the value that was supplied.

``safe``        the use does with it what it does where there is nothing
``changes``     it goes on, and computes something else: a total, a text, a decision
``propagates``  the value goes further, to where it is not followed
``crashes``     the use does not take such a value: the next crash
``unknown``     it cannot be told
"""

from __future__ import annotations

import builtins

from codesuture.diagnosis.expression import Attribute, Call, Constant, Expression, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from codesuture.defaults.recipe import Recipe
    from codesuture.diagnosis.uses import Consumer

VERDICTS = ("crashes", "changes", "propagates", "unknown", "safe")
_NUMBERS = ("int", "float", "bool", "complex", "Decimal", "Fraction")
_CONTAINERS = ("list", "tuple", "dict", "set", "frozenset", "str", "bytes")
_MAPPINGS = ("dict",)
#: What `compute` recipes give, as far as that is always the same type.
_COMPUTED = {"concatenate": "str", "format": "str", "joined": "str", "unsorted": "list"}
#: Builtin functions that take any value and only look at it.
_TAKES_ANYTHING = frozenset({
    "print", "str", "repr", "ascii", "format", "isinstance", "type", "id", "callable", "bool",
    "hasattr", "getattr", "vars", "dir", "hash",
})  # fmt: skip
#: Builtin functions that iterate their only argument.
_ITERATES = frozenset({
    "list", "tuple", "set", "frozenset", "sorted", "sum", "any", "all", "enumerate", "iter",
    "reversed", "dict", "min", "max",
})  # fmt: skip
_COMPUTES = frozenset({"abs", "round", "divmod", "pow", "int", "float", "complex", "chr", "range"})


class Value:
    """The value that goes on: its type as far as it is known, and how a person reads it."""

    def __init__(self, recipe: Recipe) -> None:
        self.text = "what is computed" if recipe.kind == "compute" else recipe.describe()
        self.recipe = recipe
        self.type = _type_of(recipe)

    @property
    def is_none(self) -> bool:
        return self.type == "NoneType"

    @property
    def is_empty(self) -> bool:
        """Whether it is an empty container or text."""
        if self.type == "str":
            return self.recipe.kind == "constant" and not self.recipe.value
        return self.recipe.kind in ("empty", "iterator") or self.type == "file"


def _type_of(recipe: Recipe) -> str:
    if recipe.kind == "constant":
        return type(recipe.value).__name__
    if recipe.kind in ("empty", "number"):
        return recipe.type
    if recipe.kind == "compute":
        return _COMPUTED.get(recipe.how, "")
    return {"sequence": "tuple", "iterator": "iterator"}.get(recipe.kind, recipe.kind)


class Judgement:
    """One use: a verdict, and the sentence's end that says what happens, behind "the value"."""

    def __init__(self, verdict: str, sentence: str) -> None:
        self.verdict = verdict
        self.sentence = sentence


def judge(value: Value, use: Consumer) -> Judgement:
    """What the use does with the value."""
    rule = _RULES.get(use.kind)
    return rule(value, use) if rule is not None else Judgement("unknown", "goes on unseen")


def _crash(value: Value, what: str) -> Judgement:
    return Judgement("crashes", f"{what}, which {value.text} does not allow: it would crash there")


def _formatted(value: Value, use: Consumer) -> Judgement:
    if use.detail and not (value.type in _NUMBERS or (value.type == "str" and value.is_empty)):
        if value.is_none or value.type in _CONTAINERS[:5]:
            return _crash(value, f"is formatted as `{use.detail}`")
        return Judgement("unknown", f"is formatted as `{use.detail}`")
    if value.type == "str" and value.is_empty:
        return Judgement("safe", "is put into text, where it adds nothing")
    return Judgement("changes", f"is put into text, which then says {value.text}")


def _arithmetic(value: Value, use: Consumer) -> Judgement:
    sign = use.detail
    if value.is_none or (value.type in ("callable", "file", "iterator")):
        return _crash(value, f"is an operand of `{sign}`")
    if value.type in _NUMBERS:
        if use.position == 1 and sign.removesuffix("=") in ("/", "//", "%") and not _number(value):
            return _crash(value, f"is the divisor of `{sign}`")
        return Judgement("changes", f"changes a total: `{sign}` counts it as {value.text}")
    if value.type in ("str", "bytes", "list", "tuple") and sign in ("+", "+=") and value.is_empty:
        return Judgement("safe", f"is concatenated by `{sign}`, where it adds nothing")
    if value.type == "":
        return Judgement("changes", f"changes a total: `{sign}` counts it without an operand")
    return Judgement("changes", f"changes what `{sign}` computes")


def _number(value: Value) -> bool:
    recipe = value.recipe
    if recipe.kind == "number":
        return str(recipe.value).strip("0.j+-") != ""
    return bool(recipe.value)


def _compared(value: Value, use: Consumer) -> Judgement:
    if use.detail in ("==", "!=", "is", "is not"):
        return Judgement("changes", f"decides a comparison (`{use.detail}`) as {value.text}")
    if value.is_none:
        return _crash(value, f"is compared by `{use.detail}`")
    return Judgement("changes", f"decides a comparison (`{use.detail}`) as {value.text}")


def _tested(value: Value, use: Consumer) -> Judgement:
    if use.detail == "None":
        if value.is_none:
            return Judgement("safe", "is compared with None, which the code is prepared for")
        return Judgement("changes", f"is compared with None, and is {value.text} instead")
    if use.detail == "match":
        return Judgement("changes", "is matched against patterns")
    if value.is_none or value.is_empty or (value.type in _NUMBERS and not _number(value)):
        if use.detail == "or":
            return Judgement("safe", "counts as false, so the alternative behind `or` is taken")
        return Judgement("safe", "is tested for truth, and counts as nothing")
    return Judgement("changes", "is tested for truth, and counts as something")


def _iterated(value: Value, use: Consumer) -> Judgement:
    if value.type in ("iterator", "async_iterator") or value.is_empty:
        return Judgement("safe", "is iterated: there are no items, so nothing is done")
    if value.type in _CONTAINERS:
        return Judgement("changes", f"is iterated: its items are those of {value.text}")
    if value.type == "":
        return Judgement("unknown", "is iterated")
    return _crash(value, "is iterated")


def _mapped(value: Value, use: Consumer) -> Judgement:
    if value.type == "dict":
        return Judgement("safe", "is spread by `**`: there is nothing in it")
    return _crash(value, "is spread by `**`")


def _searched(value: Value, use: Consumer) -> Judgement:
    if value.is_empty:
        return Judgement("safe", "is searched by `in`: nothing is found")
    if value.type in _CONTAINERS or value.type == "":
        return Judgement("unknown", "is searched by `in`")
    return _crash(value, "is searched by `in`")


def _sought(value: Value, use: Consumer) -> Judgement:
    where = f" in `{use.other.text()}`" if use.other is not None else ""
    return Judgement("changes", f"is looked for{where}")


def _unpacked(value: Value, use: Consumer) -> Judgement:
    if value.recipe.kind == "sequence" and value.recipe.length == use.position:
        inner = value.recipe.inner.describe() if value.recipe.inner else ""
        return Judgement("propagates", f"propagates {inner} to the names that it is unpacked into")
    return _crash(value, "is unpacked")


def _called(value: Value, use: Consumer) -> Judgement:
    if value.type == "callable":
        inner = value.recipe.inner.describe() if value.recipe.inner else "None"
        return Judgement("propagates", f"is called, and gives {inner}")
    return Judgement("unknown", "is called") if value.type == "" else _crash(value, "is called")


def _method(value: Value, use: Consumer) -> Judgement:
    what = f"has `.{use.detail}()` called" if use.kind == "method" else f"has `.{use.detail}` read"
    kind = {"Decimal": None, "Fraction": None}.get(value.type, getattr(builtins, value.type, None))
    if value.is_none:
        kind = type(None)
    if not isinstance(kind, type):
        return Judgement("unknown", what)
    if not hasattr(kind, use.detail):
        return _crash(value, what)
    if value.is_empty:
        return Judgement("safe", f"{what}, as on any empty {value.type}")
    return Judgement("changes", f"{what}, as on {value.text}")


def _subscripted(value: Value, use: Consumer) -> Judgement:
    is_slice = use.other is not None and _is_slice(use.other)
    if value.is_empty and is_slice and value.type not in ("dict", "set", "frozenset", "file"):
        return Judgement("safe", "is sliced: the slice is empty")
    if value.type == "":
        return Judgement("unknown", "has an item read")
    return _crash(value, "is sliced" if is_slice else "has an item read")


def _is_slice(key: Expression) -> bool:
    kind = getattr(key, "kind", "")
    return kind == "slice" or (isinstance(key, Constant) and type(key.value) is slice)


def _set(value: Value, use: Consumer) -> Judgement:
    if use.kind == "item_set" and value.type in ("dict",):
        return Judgement("changes", "gets an item, which is lost with it")
    what = f"has `.{use.detail}` set" if use.kind == "attribute_set" else "has an item set"
    return _crash(value, what)


def _key(value: Value, use: Consumer) -> Judgement:
    if use.detail == "slice":
        if value.is_none:
            return Judgement("changes", "is the bound of a slice, which then has no bound there")
        return Judgement("changes", f"is the bound of a slice: {value.text}")
    where = f" of `{use.other.text()}`" if use.other is not None else ""
    return Judgement("changes", f"is the key {value.text}{where}: another item, or none")


def _argument(value: Value, use: Consumer) -> Judgement:
    call = use.other
    if not isinstance(call, Call):
        return Judgement("unknown", "is passed to a function")
    function = call.function
    name = function.name if isinstance(function, Variable) else ""
    shown = function.text()
    if name in _TAKES_ANYTHING:
        return Judgement("safe", f"is passed to `{shown}`, which takes any value")
    if name == "len":
        if value.is_empty and value.type != "file":
            return Judgement("changes", "is passed to `len`, which gives 0")
        return _crash(value, "is passed to `len`") if value.is_none else _passed(value, shown)
    if name in _ITERATES and use.position == 0 and len(call.arguments) == 1:
        found = _iterated(value, use)
        ending = found.sentence.removeprefix("is iterated")
        return Judgement(found.verdict, f"is iterated by `{shown}`{ending}")
    if name in _COMPUTES:
        if value.is_none or value.type in ("list", "dict", "tuple", "set"):
            return _crash(value, f"is passed to `{shown}`")
        return Judgement("changes", f"changes what `{shown}` gives")
    if isinstance(function, Attribute) and function.name in ("append", "add", "put", "insert"):
        return Judgement("propagates", f"propagates {value.text} to `{function.object.text()}`")
    return _passed(value, shown)


def _passed(value: Value, shown: str) -> Judgement:
    return Judgement("propagates", f"propagates {value.text} to `{shown}(…)`")


def _item(value: Value, use: Consumer) -> Judgement:
    name = use.detail
    if name in ("sum", "fsum", "prod", "min", "max", "mean"):
        if value.type not in _NUMBERS:
            return _crash(value, f"is an item for `{name}`")
        return Judgement("changes", f"changes a total: it counts as {value.text} in `{name}`")
    if name == "join":
        if value.type == "str":
            return Judgement("changes", f"is joined with others, as {value.text}")
        return _crash(value, "is an item for `join`")
    if name in ("any", "all"):
        return Judgement("changes", f"counts as {value.text} in `{name}`")
    if name in ("list", "tuple", "set", "frozenset", "sorted", "deque"):
        return Judgement("propagates", f"propagates {value.text} to a {name}")
    return Judgement("unknown", f"is an item for `{use.detail}`")


def _stored(value: Value, use: Consumer) -> Judgement:
    return Judgement("propagates", f"propagates {value.text} to `{use.detail}`")


def _going(what: str) -> Callable[[Value, Consumer], Judgement]:
    return lambda value, use: Judgement("propagates", what.format(value.text))


def _awaited(value: Value, use: Consumer) -> Judgement:
    if value.type == "awaitable":
        inner = value.recipe.inner.describe() if value.recipe.inner else "None"
        return Judgement("propagates", f"is awaited, and gives {inner}")
    return Judgement("unknown", "is awaited") if value.type == "" else _crash(value, "is awaited")


def _entered(value: Value, use: Consumer) -> Judgement:
    if value.type == "file":
        return Judgement("safe", "is entered by `with`: what reads it finds an empty file")
    if value.type == "context_manager":
        return Judgement("safe", "is entered by `with`, which does nothing")
    return Judgement("unknown", "is entered") if value.type == "" else _crash(value, "is entered")


def _dropped(value: Value, use: Consumer) -> Judgement:
    return Judgement("safe", "is not used")


def _raised(value: Value, use: Consumer) -> Judgement:
    return _crash(value, "is raised")


_RULES: dict[str, Callable[[Value, Consumer], Judgement]] = {
    "formatted": _formatted,
    "arithmetic": _arithmetic,
    "compared": _compared,
    "sought": _sought,
    "searched": _searched,
    "tested": _tested,
    "iterated": _iterated,
    "mapped": _mapped,
    "unpacked": _unpacked,
    "called": _called,
    "method": _method,
    "attribute": _method,
    "subscripted": _subscripted,
    "attribute_set": _set,
    "item_set": _set,
    "key": _key,
    "argument": _argument,
    "item": _item,
    "stored": _stored,
    "collected": _going("propagates {} to a list, tuple, set or dict"),
    "yielded": _going("propagates {} to whoever iterates"),
    "returned": _going("propagates {} to its callers"),
    "awaited": _awaited,
    "entered": _entered,
    "dropped": _dropped,
    "raised": _raised,
}
