"""How an operand was computed, as a small tree that reads like source.

Expressions are made from bytecode (``machine``), shown to people (``text``) and, where it is
safe, evaluated again in the live frame (``evaluate``).
"""

from __future__ import annotations

MAX_TEXT = 120
MAX_CONSTANT = 40
MAX_ITEMS = 20
#: What a person sees where the bytecode does not tell.
ELLIPSIS = "…"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ATOM = 20
_PRECEDENCES = {
    "or": 1, "and": 2, "not": 3,
    "<": 4, "<=": 4, "==": 4, "!=": 4, ">": 4, ">=": 4, "in": 4, "not in": 4, "is": 4, "is not": 4,
    "|": 5, "^": 6, "&": 7, "<<": 8, ">>": 8, "+": 9, "-": 9,
    "*": 10, "/": 10, "//": 10, "%": 10, "@": 10, "**": 12,
}  # fmt: skip
_UNARY = 11
_UNARY_WORDS = {"not": 3, "await": 13, "yield": 0, "*": 0, "**": 0}
COMPREHENSIONS = ("<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>")
_PLAIN_CONSTANTS = (str, bytes, int, float, complex, bool, type(None), type(...))


class Expression:
    """One node. ``depth`` is the height of the tree beneath it, which makers keep bounded."""

    __slots__ = ("depth",)
    __match_args__: tuple[str, ...] = ()
    precedence = _ATOM

    def __init__(self, *parts: Expression) -> None:
        self.depth: int = 1 + max((part.depth for part in parts), default=0)

    def text(self) -> str:
        """As a person reads it, at most 120 characters."""
        text = self.source()
        return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + ELLIPSIS

    def source(self) -> str:
        """The text of the whole tree, unbounded."""
        return ELLIPSIS

    def inside(self, precedence: int) -> str:
        """The text as a part of something that binds with ``precedence``."""
        text = self.source()
        return text if self.precedence >= precedence else f"({text})"

    def parts(self) -> Sequence[Expression]:
        """The expressions directly beneath this one."""
        return ()

    def mentions(self, name: str) -> bool:
        """Whether a variable of this name is read somewhere in the tree."""
        return any(part.mentions(name) for part in self.parts())

    def is_known(self) -> bool:
        """Whether no part of the tree is unknown."""
        return all(part.is_known() for part in self.parts())

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__match_args__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self.depth))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.text()}>"


class Unknown(Expression):
    """What the bytecode before the site does not tell. Use the one instance ``UNKNOWN``."""

    __slots__ = ()

    def is_known(self) -> bool:
        return False


class Null(Expression):
    """The NULL that stands beside a callable on the stack; never part of an operand."""

    __slots__ = ()


class Function(Expression):
    """A function made on the spot: a lambda, a ``def``, a comprehension; ``name`` is the code's."""

    __slots__ = ("name",)
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.depth = 1
        self.name = name

    def is_known(self) -> bool:
        return False

    def is_comprehension(self) -> bool:
        """Whether it is called on the spot, with the iterable."""
        return self.name in COMPREHENSIONS


UNKNOWN = Unknown()
NULL = Null()


class Constant(Expression):
    """A constant of the code."""

    __slots__ = ("value",)
    __match_args__ = ("value",)

    def __init__(self, value: object) -> None:
        self.depth = 1
        self.value = value

    def _key(self) -> tuple[object, ...]:
        return type(self.value), self.value

    def source(self) -> str:
        return constant_text(self.value)


def constant_text(value: object) -> str:
    """A constant as source, with long strings cut; a code object is an ellipsis."""
    kind = type(value)
    if kind is slice:
        return _slice_text([constant_text(x) for x in (value.start, value.stop, value.step)])  # type: ignore[attr-defined]
    if kind is tuple or kind is frozenset:
        items = [constant_text(item) for item in list(value)[:MAX_ITEMS]]  # type: ignore[call-overload]
        return _sequence_text("tuple" if kind is tuple else "set", items)
    if kind is type or kind is type(len):
        return str(value.__name__)  # type: ignore[attr-defined]
    if value is ...:
        return "..."
    if kind not in _PLAIN_CONSTANTS:
        return ELLIPSIS
    if kind is str or kind is bytes:
        if len(value) > MAX_CONSTANT:  # type: ignore[arg-type]
            return repr(value[: MAX_CONSTANT - 1])[:-1] + ELLIPSIS + repr(value)[-1]  # type: ignore[index]
    elif kind is int and value.bit_length() > 256:  # type: ignore[attr-defined]
        return ELLIPSIS
    return repr(value)


class Variable(Expression):
    """A variable; the subclasses say where the interpreter looked for it."""

    __slots__ = ("name",)
    __match_args__ = ("name",)

    def __init__(self, name: str) -> None:
        self.depth = 1
        self.name = name

    def source(self) -> str:
        return ELLIPSIS if self.name.startswith(".") else self.name

    def mentions(self, name: str) -> bool:
        return self.name == name


class Local(Variable):
    """A fast local, or a local that nested functions share."""

    __slots__ = ()


class Global(Variable):
    """A global or a builtin."""

    __slots__ = ()


class Name(Variable):
    """A name at module or class level: local, global or builtin."""

    __slots__ = ()


class Free(Variable):
    """A variable of an enclosing function."""

    __slots__ = ()


class Attribute(Expression):
    """``object.name``"""

    __slots__ = ("name", "object")
    __match_args__ = ("object", "name")

    def __init__(self, object: Expression, name: str) -> None:
        self.depth = object.depth + 1
        self.object = object
        self.name = name

    def parts(self) -> Sequence[Expression]:
        return (self.object,)

    def source(self) -> str:
        text = self.object.inside(_ATOM)
        if type(self.object) is Constant and type(self.object.value) in (int, float):
            text = f"({text})"
        return f"{text}.{self.name}"


class Subscript(Expression):
    """``object[key]``"""

    __slots__ = ("key", "object")
    __match_args__ = ("object", "key")

    def __init__(self, object: Expression, key: Expression) -> None:
        super().__init__(object, key)
        self.object = object
        self.key = key

    def parts(self) -> Sequence[Expression]:
        return self.object, self.key

    def source(self) -> str:
        key = self.key.source()
        if key != "()" and _is_tuple(self.key):
            key = key[1:-1]
        return f"{self.object.inside(_ATOM)}[{key}]"


class Call(Expression):
    """``function(*arguments, **keywords)``; unpacked arguments are ``Unary`` ``*`` and ``**``."""

    __slots__ = ("arguments", "function", "keywords")
    __match_args__ = ("function", "arguments", "keywords")

    def __init__(
        self,
        function: Expression,
        arguments: Sequence[Expression] = (),
        keywords: Mapping[str, Expression] | None = None,
    ) -> None:
        self.keywords: dict[str, Expression] = dict(keywords or {})
        super().__init__(function, *arguments, *self.keywords.values())
        self.function = function
        self.arguments: tuple[Expression, ...] = tuple(arguments)

    def parts(self) -> Sequence[Expression]:
        return self.function, *self.arguments, *self.keywords.values()

    def source(self) -> str:
        if type(self.function) is Function and self.function.is_comprehension():
            return ELLIPSIS
        texts = [argument.source() for argument in self.arguments[:MAX_ITEMS]]
        named = list(self.keywords.items())[:MAX_ITEMS]
        texts += [f"{name}={value.source()}" for name, value in named]
        return f"{self.function.inside(_ATOM)}({', '.join(texts)})"


class Binary(Expression):
    """``left sign right``: arithmetic, comparison, membership, identity."""

    __slots__ = ("left", "right", "sign")
    __match_args__ = ("sign", "left", "right")

    def __init__(self, sign: str, left: Expression, right: Expression) -> None:
        super().__init__(left, right)
        self.sign = sign
        self.left = left
        self.right = right

    @property
    def operator(self) -> str:
        """The sign without the ``=`` of an in-place operation."""
        sign = self.sign
        return sign if sign in _PRECEDENCES else sign.removesuffix("=")

    @property
    def precedence(self) -> int:  # type: ignore[override]
        return _PRECEDENCES.get(self.operator, 0)

    def parts(self) -> Sequence[Expression]:
        return self.left, self.right

    def source(self) -> str:
        own = self.precedence
        right = own if self.operator == "**" else own + 1
        left = own + 1 if self.operator == "**" or own == 4 else own
        return f"{self.left.inside(left)} {self.operator} {self.right.inside(right)}"


class Unary(Expression):
    """``-x``, ``+x``, ``~x``, ``not x``, ``await x``, ``*x``, ``**x``; ``bool`` is a truth test."""

    __slots__ = ("operand", "sign")
    __match_args__ = ("sign", "operand")

    def __init__(self, sign: str, operand: Expression) -> None:
        super().__init__(operand)
        self.sign = sign
        self.operand = operand

    @property
    def precedence(self) -> int:  # type: ignore[override]
        if self.sign == "bool":
            return self.operand.precedence
        return _UNARY_WORDS.get(self.sign, _UNARY)

    def parts(self) -> Sequence[Expression]:
        return (self.operand,)

    def source(self) -> str:
        if self.sign == "bool":
            return self.operand.source()
        space = " " if self.sign.isalpha() else ""
        return f"{self.sign}{space}{self.operand.inside(max(self.precedence, 1))}"


class Collection(Expression):
    """A display: ``kind`` is list, tuple, set, dict (keys and values in turn), slice, fstring."""

    __slots__ = ("items", "kind")
    __match_args__ = ("kind", "items")

    def __init__(self, kind: str, items: Sequence[Expression]) -> None:
        super().__init__(*items)
        self.kind = kind
        self.items: tuple[Expression, ...] = tuple(items)

    def parts(self) -> Sequence[Expression]:
        return self.items

    def source(self) -> str:
        items = self.items[: 2 * MAX_ITEMS]
        if self.kind == "fstring":
            return _fstring_text(items)
        texts = [item.source() for item in items]
        if self.kind == "dict":
            pairs = zip(texts[::2], texts[1::2], strict=False)
            shown = [key if key.startswith("**") else f"{key}: {value}" for key, value in pairs]
            return "{" + ", ".join(shown) + "}"
        return _slice_text(texts) if self.kind == "slice" else _sequence_text(self.kind, texts)


class Formatted(Expression):
    """A replacement field of an f-string; ``conversion`` is ``""``, ``s``, ``r`` or ``a``."""

    __slots__ = ("conversion", "specification", "value")
    __match_args__ = ("value", "conversion", "specification")

    def __init__(
        self, value: Expression, conversion: str, specification: Expression | None = None
    ) -> None:
        super().__init__(value, *(() if specification is None else (specification,)))
        self.value = value
        self.conversion = conversion
        self.specification = specification

    def parts(self) -> Sequence[Expression]:
        return (self.value,) if self.specification is None else (self.value, self.specification)

    def source(self) -> str:
        return _fstring_text((self,))

    def field(self) -> str:
        """``{value!r:spec}``"""
        text = self.value.source() + (f"!{self.conversion}" if self.conversion else "")
        if self.specification is not None:
            text += ":" + _fstring_text((self.specification,))[2:-1]
        return "{" + text + "}"


def _is_tuple(expression: Expression) -> bool:
    if type(expression) is Constant:
        return type(expression.value) is tuple
    return type(expression) is Collection and expression.kind == "tuple"


def _slice_text(texts: list[str]) -> str:
    start, stop, *step = ["" if text == "None" else text for text in texts]
    return f"{start}:{stop}" + "".join(f":{text}" for text in step if text)


def _sequence_text(kind: str, texts: list[str]) -> str:
    inner = ", ".join(texts)
    if kind == "tuple":
        return f"({inner},)" if len(texts) == 1 else f"({inner})"
    if kind == "set":
        return "{" + inner + "}" if texts else "set()"
    return f"[{inner}]"


def _fstring_text(items: Sequence[Expression]) -> str:
    text = ""
    for item in items:
        if type(item) is Formatted:
            text += item.field()
        elif type(item) is Collection and item.kind == "fstring":
            text += _fstring_text(item.items)[2:-1]
        elif type(item) is Constant and type(item.value) is str:
            text += item.value[:MAX_TEXT].replace("{", "{{").replace("}", "}}")
        else:
            text += "{" + item.source() + "}"
    return f'f"{text}"' if "'" in text and '"' not in text else f"f'{text}'"
