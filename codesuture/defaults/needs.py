"""Which default a use or an annotation asks for: the tables behind two rungs of the ladder.

Every need is a recipe and half a sentence that says why, read after "the value".
"""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.diagnosis.evaluate import is_text
from codesuture.diagnosis.expression import Attribute, Call, Collection, Constant, Expression
from codesuture.diagnosis.lookup import MISSING
from codesuture.diagnosis.names import callable_name
from codesuture.diagnosis.type_text import alternatives, parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.uses import Consumer

    Need = tuple[Recipe, str]

NONE = Recipe.constant(None)
ZERO = Recipe.constant(0)
TEXT = Recipe.constant("")
MAX_LEVELS = 4

_LIST, _DICT, _TUPLE = Recipe.empty("list"), Recipe.empty("dict"), Recipe.empty("tuple")
_SET, _BYTES = Recipe.empty("set"), Recipe.empty("bytes")
_BY_TYPE: dict[str, Recipe] = {
    "str": TEXT, "bytes": _BYTES, "bool": Recipe.constant(False), "int": ZERO,
    "float": Recipe.constant(0.0), "complex": Recipe.number("complex", "0j"),
    "Decimal": Recipe.number("Decimal", "0"), "Fraction": Recipe.number("Fraction", "0"),
    "list": _LIST, "dict": _DICT, "tuple": _TUPLE, "set": _SET,
    "frozenset": Recipe.empty("frozenset"), "None": NONE, "NoneType": NONE,
}  # fmt: skip
_BY_ANNOTATION: dict[str, Recipe] = _BY_TYPE | {
    "Text": TEXT, "LiteralString": TEXT, "AnyStr": TEXT,
    "List": _LIST, "Sequence": _LIST, "MutableSequence": _LIST, "Iterable": _LIST,
    "Collection": _LIST, "Container": _LIST,
    "Dict": _DICT, "Mapping": _DICT, "MutableMapping": _DICT,
    "Tuple": _TUPLE, "Set": _SET, "AbstractSet": _SET, "MutableSet": _SET,
    "FrozenSet": Recipe.empty("frozenset"), "Callable": Recipe.callable(),
    "Iterator": Recipe.iterator(), "Generator": Recipe.iterator(),
    "AsyncIterator": Recipe.async_iterator(), "AsyncGenerator": Recipe.async_iterator(),
    "Awaitable": Recipe.awaitable(), "Coroutine": Recipe.awaitable(),
}  # fmt: skip


def annotation_need(text: str) -> Recipe | None:
    """The default for an annotation; None where it allows None; nothing for unknown classes."""
    allowed = [parts(alternative)[0] for alternative in alternatives(text)]
    if "None" in allowed:
        return NONE
    for name in allowed:
        if name in _BY_ANNOTATION:
            return _BY_ANNOTATION[name]
    return None


# --- what uses ask for ------------------------------------------------------------------------


def consumer_need(crash: Crash, consumer: Consumer | None, levels: int = MAX_LEVELS) -> Need | None:
    """The default that suits this use, and the sentence's end; None where the use does not tell."""
    if consumer is None or levels == 0:
        return None
    kind = consumer.kind
    rule = _RULES.get(kind)
    need = rule(crash, consumer) if rule is not None else _FIXED.get(kind)
    if need is None:
        need = _by_what_follows(crash, consumer, levels)
    if need is None:
        return None
    recipe, reason = need
    if kind != "returned" and consumer.line and " at line " not in reason:
        reason += f" at line {consumer.line}"
    return recipe, reason


def _by_what_follows(crash: Crash, consumer: Consumer, levels: int) -> Need | None:
    kind = consumer.kind
    if kind not in _FORMS and kind not in ("returned", "yielded"):
        return None
    inner = consumer_need(crash, consumer.then, levels - 1)
    if kind == "yielded":
        return inner
    if kind == "returned":
        return (inner[0], f"is returned to a caller, where it {inner[1]}") if inner else None
    form, reason = _FORMS[kind]
    if inner is None:
        return Recipe(form, inner=NONE), reason
    return Recipe(form, inner=inner[0]), f"{reason}, and its result {inner[1]}"


#: Uses that ask for a form around another value: the recipe's kind, and why.
_FORMS = {
    "called": ("callable", "is called"),
    "awaited": ("awaitable", "is awaited"),
    "entered": ("context_manager", "is entered by with"),
}
_FIXED: dict[str, Need] = {
    "iterated": (_TUPLE, "is iterated"),
    "mapped": (_DICT, "is unpacked as keyword arguments or into a dict"),
    "searched": (_TUPLE, "is searched with in"),
    "item_set": (_DICT, "gets an item"),
}
_TESTS = {
    "None": "is compared with None",
    "or": "has an alternative behind or",
    "and": "is tested by and",
    "match": "is matched against patterns",
}


def _tested(crash: Crash, consumer: Consumer) -> Need | None:
    return NONE, _TESTS.get(consumer.detail, "is tested for truth")


def _formatted(crash: Crash, consumer: Consumer) -> Need | None:
    letter = consumer.detail[-1:]
    if letter in ("d", "i", "u", "b", "c", "o", "x", "X", "n") or consumer.detail == ",":
        return ZERO, "is formatted as a whole number"
    if letter in ("e", "E", "f", "F", "g", "G", "%"):
        return ZERO, "is formatted as a number"
    return TEXT, "is formatted as text"


def _arithmetic(crash: Crash, consumer: Consumer) -> Need | None:
    sign, other = consumer.detail, consumer.other
    if other is None:
        return ZERO, f"is operated on by unary {sign}"
    kind = type_name(crash, other)
    if sign == "+" and kind in ("str", "bytes", "list", "tuple"):
        return _BY_TYPE[kind], f"is concatenated with a {kind}"
    if sign == "*" and kind in ("str", "bytes", "list", "tuple"):
        return ZERO, f"says how often a {kind} is repeated"
    if sign == "%" and kind in ("str", "bytes"):
        return _TUPLE, f"is formatted by a {kind}"
    if sign in ("|", "&", "-", "^") and kind in ("set", "frozenset", "dict"):
        return _BY_TYPE[kind], f"is combined with a {kind} by {sign}"
    if consumer.position == 1 and sign in ("/", "//", "%"):
        return Recipe.constant(1), f"is the divisor of {sign}"
    return _number(kind), f"is an operand of {sign}"


def _number(kind: str) -> Recipe:
    """A zero that goes with the other operand: Decimal and float do not mix."""
    return _BY_TYPE[kind] if kind in ("Decimal", "Fraction") else ZERO


def _compared(crash: Crash, consumer: Consumer) -> Need | None:
    if consumer.other is None:
        return None
    kind = type_name(crash, consumer.other)
    if kind in _BY_TYPE and kind != "NoneType":
        article = "an" if kind == "int" else "a"
        return _BY_TYPE[kind], f"is compared with {article} {kind}"
    if consumer.detail in ("==", "!=", "is", "is not"):
        return NONE, "is compared for equality"
    return None


def type_name(crash: Crash, expression: Expression) -> str:
    """The name of the operand's type where it is sure, else ``""``."""
    if is_text(expression):
        return "str"
    if isinstance(expression, Collection):
        return expression.kind
    if isinstance(expression, Call):
        return _RESULT_OF.get(callable_name(crash.evaluate(expression.function)), "")
    value = crash.evaluate(expression)
    if value is MISSING:
        return ""
    name = type.__dict__["__name__"].__get__(type(value))
    return str(name) if name in _BY_TYPE else ""


#: The type that these functions give whatever they are called with.
_RESULT_OF = {
    **dict.fromkeys(("str", "repr", "ascii", "format", "chr", "input", "str.join"), "str"),
    **dict.fromkeys(("hex", "oct", "bin"), "str"),
    **dict.fromkeys(("len", "int", "ord", "hash", "id"), "int"),
    **dict.fromkeys(("list", "sorted"), "list"),
    "dict": "dict", "tuple": "tuple", "set": "set", "bytes": "bytes", "float": "float",
}  # fmt: skip

# Methods that belong to one kind of value only; what several kinds have stands nowhere.
_LIST_METHODS = frozenset({"append", "extend", "insert", "reverse", "sort"})
_DICT_METHODS = frozenset({"items", "keys", "values", "get", "setdefault", "popitem", "update"})
_SET_METHODS = frozenset(name for name in dir(set) if name[0] != "_") - frozenset(
    dir(list) + dir(dict)
)
_TEXT_METHODS = frozenset(name for name in dir(str) if name[0] != "_") - frozenset(
    dir(list) + dir(dict) + dir(set)
)


def _method(crash: Crash, consumer: Consumer) -> Need | None:
    name = consumer.detail
    reason = f"has its method {name} called"
    if name in _TEXT_METHODS:
        return TEXT, reason
    if name in _LIST_METHODS:
        return _LIST, reason
    if name in _DICT_METHODS:
        return _DICT, reason
    if name in _SET_METHODS:
        return _SET, reason
    return (_BYTES, reason) if name == "decode" else None


def _subscripted(crash: Crash, consumer: Consumer) -> Need | None:
    key = consumer.other
    if key is None:
        return None
    if isinstance(key, Collection) and key.kind == "slice":
        return TEXT, "is sliced"
    if isinstance(key, Constant) and type(key.value) is slice:
        return TEXT, "is sliced"
    kind = type_name(crash, key)
    if kind == "str":
        return _DICT, "is looked up in by a str key"
    return (_TUPLE, "is indexed") if kind == "int" else None


def _key(crash: Crash, consumer: Consumer) -> Need | None:
    if consumer.detail == "slice":
        return NONE, "is the bound of a slice"
    if consumer.other is None:
        return None
    kind = type_name(crash, consumer.other)
    if kind in ("list", "tuple", "str", "bytes"):
        return ZERO, f"is the index into a {kind}"
    return (NONE, "is the key of a dict") if kind == "dict" else None


def _unpacked(crash: Crash, consumer: Consumer) -> Need | None:
    count = consumer.position
    return Recipe.sequence(count), f"is unpacked into {count} names"


def _argument(crash: Crash, consumer: Consumer) -> Need | None:
    call = consumer.other
    if not isinstance(call, Call) or consumer.detail:
        return None
    name = callable_name(crash.evaluate(call.function))
    if not name and isinstance(call.function, Attribute):
        name = f"?.{call.function.name}"
    recipe = _ARGUMENTS.get((name, consumer.position)) or _ARGUMENTS.get((name, -1))
    method = name.rpartition(".")[2]
    if recipe is None and method in _METHOD_ARGUMENTS and "." in name:
        recipe = _METHOD_ARGUMENTS[method]
    return (recipe, f"is passed to {method}") if recipe is not None else None


def _item(crash: Crash, consumer: Consumer) -> Need | None:
    recipe = _ITEMS.get(consumer.detail)
    method = consumer.detail.rpartition(".")[2]
    return (recipe, f"is an item for {method}") if recipe is not None else None


def is_indifferent(crash: Crash, consumer: Consumer) -> bool:
    """Whether the use takes any value, so that a later use should decide."""
    if consumer.kind == "returned":
        return consumer.then is not None and is_indifferent(crash, consumer.then)
    if consumer.kind == "formatted":
        return not consumer.detail
    if consumer.kind != "argument" or not isinstance(consumer.other, Call):
        return False
    return callable_name(crash.evaluate(consumer.other.function)) in _INDIFFERENT


_INDIFFERENT = frozenset(
    {"str", "print", "repr", "format", "isinstance", "type", "id", "callable", "json.dumps"}
)


def _table(recipe: Recipe, names: str, position: int = -1) -> dict[tuple[str, int], Recipe]:
    return {(name, position): recipe for name in names.split()}


#: What known functions need: by name and position (-1: any position).
_ARGUMENTS: dict[tuple[str, int], Recipe] = {
    **_table(_TUPLE, "len sum sorted min max any all iter reversed list tuple set frozenset zip"),
    **_table(_TUPLE, "enumerate bytes bytearray math.prod math.fsum", 0),
    **_table(_TUPLE, "map filter", 1),
    **_table(_TUPLE, "statistics.mean statistics.median"),
    **_table(_DICT, "dict", 0),
    **_table(ZERO, "int float complex abs round range divmod pow chr hex bin oct bool time.sleep"),
    **_table(ZERO, "math.sqrt math.floor math.ceil math.trunc math.fabs math.exp math.sin"),
    **_table(ZERO, "math.cos math.tan math.pow math.isnan math.isinf math.isclose math.hypot"),
    **_table(ZERO, "datetime.timedelta datetime.datetime.fromtimestamp"),
    **_table(TEXT, "str ord format repr", 0),
    **_table(TEXT, "print"),
    **_table(TEXT, "posixpath.join posixpath.exists posixpath.basename posixpath.dirname"),
    **_table(TEXT, "posixpath.abspath posixpath.expanduser posixpath.splitext pathlib.Path"),
    **_table(TEXT, "html.escape urllib.parse.quote urllib.parse.urlparse urllib.parse.urljoin"),
    **_table(TEXT, "re.match re.search re.fullmatch re.findall re.split re.sub re.compile"),
    **_table(NONE, "isinstance type id hash callable json.dumps", 0),
}
#: What known functions need each of their argument's items to be.
_ITEMS: dict[str, Recipe] = {
    "sum": ZERO, "math.fsum": Recipe.constant(0.0), "math.prod": Recipe.constant(1),
    "str.join": TEXT,
}  # fmt: skip
#: What methods of these names need, whoever has them.
_METHOD_ARGUMENTS: dict[str, Recipe] = {
    "join": _TUPLE, "extend": _TUPLE, "update": _TUPLE, "startswith": TEXT, "endswith": TEXT,
    "write": TEXT, "replace": TEXT, "removeprefix": TEXT, "removesuffix": TEXT, "strip": NONE,
    "split": NONE, "rsplit": NONE, "ljust": ZERO, "rjust": ZERO, "zfill": ZERO, "center": ZERO,
    "writelines": _TUPLE,
}  # fmt: skip

_RULES = {
    "tested": _tested,
    "formatted": _formatted,
    "arithmetic": _arithmetic,
    "compared": _compared,
    "method": _method,
    "subscripted": _subscripted,
    "key": _key,
    "unpacked": _unpacked,
    "argument": _argument,
    "item": _item,
}
