"""What a form is made of: the place, the operands, their types at the crash, and the default."""

from __future__ import annotations

import libcst as cst

from codesuture.guards.messages import types_in
from codesuture.sourcefix import context
from codesuture.sourcefix.document import Document, Unfit
from codesuture.sourcefix.literals import literal
from codesuture.sourcefix.operands import Operand
from codesuture.sourcefix.placing import Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.defaults.recipe import Recipe

#: A value of each type as source text, for trials: an empty or small one, and a larger one.
VALUES: dict[str, tuple[str, ...]] = {
    "int": ("7", "-3"), "float": ("2.5", "-1.0"), "bool": ("True",), "complex": ("2j",),
    "str": ("'abc'", "'k'"), "bytes": ("b'abc'",), "list": ("[1, 2, 3]", "['a']"),
    "tuple": ("(1, 2, 3)", "('a',)"), "dict": ("{'k': 1, 0: 2}",), "set": ("{1, 2}",),
    "frozenset": ("frozenset({1})",), "range": ("range(4)",), "NoneType": ("None",),
    "collections.OrderedDict": ("__import__('collections').OrderedDict(k=1)",),
    "collections.deque": ("__import__('collections').deque([1, 2])",),
    "decimal.Decimal": ("__import__('decimal').Decimal('2.5')",),
    "fractions.Fraction": ("__import__('fractions').Fraction(1, 3)",),
}  # fmt: skip


class Facts:
    """Everything that a form may ask for."""

    def __init__(self, place: Place, default: Recipe) -> None:
        self.place = place
        self.document: Document = place.document
        self.node = place.node
        self.patch = place.patch
        self.operation = place.patch.operation
        self.default = default
        found = place.patch.operands
        self.types: list[str] = found.split(", ") if found else []

    def type(self, number: int) -> str:
        """The type that the operand had at the crash; "" where that is not known."""
        found = self.types[number] if number < len(self.types) else ""
        return self._named(number) if found in ("", "?") else found

    def _named(self, number: int) -> str:
        """The type that the exception's message names for an operand of an operator or format."""
        message = TypeError(self.patch.message)
        found = types_in(
            message, "binary", "concatenate", "repeat", "compare", "format", "format code"
        )
        if self.operation not in ("binary", "compare", "format") or found is None:
            return ""
        return found.get("right" if number else "left") or ""

    @property
    def quote(self) -> str:
        """The quote for strings here."""
        return context.quote_for(self.document, self.node)

    def text(self, recipe: Recipe | None = None) -> str:
        """The default (or another recipe) as a piece of a template."""
        return escaped(literal(recipe or self.default, self.quote))

    def value_text(self) -> str:
        """The default of a value that something wraps: a method, an ``await``, a ``with``."""
        recipe = self.default
        if recipe.kind in ("callable", "awaitable", "context_manager") and recipe.inner is not None:
            recipe = recipe.inner
        return self.text(recipe)

    def operand(self, node: cst.BaseExpression) -> Operand:
        return Operand(self.document, node)

    def expected(self, text: str) -> str:
        """A template's text as the trial compares it."""
        return text.replace("{{", "{").replace("}}", "}")

    def statement(self) -> cst.SimpleStatementLine:
        """The statement of the node, which stands alone on its line."""
        found = context.own_statement(self.document, self.node)
        if found is None:
            raise Unfit("The statement shares its line with others; give it a line of its own.")
        return found

    def augmented(self) -> cst.AugAssign | None:
        """The ``+=`` whose target the node is."""
        node: cst.CSTNode = self.node
        parent = self.document.parent(node)
        if isinstance(parent, cst.AugAssign) and parent.target is node:
            return parent
        return None


def escaped(text: str) -> str:
    """``text`` inside a template."""
    return text.replace("{", "{{").replace("}", "}}")


def key_of(facts: Facts, node: cst.Subscript) -> tuple[list[Operand], str]:
    """The operands in the brackets, and the key as a template that begins with number 1."""
    operands: list[Operand] = []
    parts: list[str] = []
    for element in node.slice:
        piece = element.slice
        if isinstance(piece, cst.Index):
            if piece.star:
                raise Unfit("The key is spread with `*`.")
            operands.append(facts.operand(piece.value))
            parts.append(f"{{{len(operands)}}}")
            continue
        bounds = []
        for bound in (piece.lower, piece.upper, piece.step):
            if bound is None:
                bounds.append("")
            else:
                operands.append(facts.operand(bound))
                bounds.append(f"{{{len(operands)}}}")
        text = f"{bounds[0]}:{bounds[1]}"
        parts.append(text + (f":{bounds[2]}" if piece.step is not None else ""))
    if len(parts) == 1:
        return operands, parts[0]
    return operands, ", ".join(parts)


def is_slice(node: cst.Subscript) -> bool:
    """Whether a slice stands in the brackets."""
    return any(isinstance(element.slice, cst.Slice) for element in node.slice)


def arguments_of(
    facts: Facts, call: cst.Call, first: int = 0
) -> tuple[list[Operand], str, dict[int, str]]:
    """A call's arguments: operands, the argument list as a template, and which are spread."""
    operands: list[Operand] = []
    stars: dict[int, str] = {}
    parts: list[str] = []
    for argument in call.args:
        number = first + len(operands)
        operands.append(facts.operand(argument.value))
        text = f"{{{number}}}"
        if argument.star:
            stars[number] = argument.star
            text = argument.star + text
        elif argument.keyword is not None:
            text = f"{argument.keyword.value}={text}"
        parts.append(text)
    return operands, ", ".join(parts), stars


def nodes_of_type(node: cst.CSTNode, kind: type[cst.CSTNode]) -> cst.CSTNode:
    """The node, which is of this kind; ``Unfit`` where it is not."""
    if not isinstance(node, kind):
        raise Unfit("The source has another form here than is known.")
    return node
