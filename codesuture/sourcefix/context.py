"""What surrounds a node allows: a walrus, a statement before it, quotes, parentheses."""

from __future__ import annotations

import libcst as cst

from codesuture.sourcefix.document import Document, Unfit
from codesuture.sourcefix.operands import is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

#: Statements that a node may be the first to be evaluated in, by their part that is.
_HEADERS: dict[type[cst.CSTNode], str] = {cst.If: "test", cst.For: "iter"}
_UNBOUND = (
    cst.Assign, cst.AnnAssign, cst.AugAssign, cst.Return, cst.Expr, cst.Element, cst.For,
    cst.Index, cst.If, cst.While, cst.Lambda, cst.Param, cst.WithItem,
)  # fmt: skip


def may_bind(document: Document, node: cst.CSTNode) -> bool:
    """Whether ``:=`` may stand at the node, and binds only a variable of a function or module.

    Not where a comprehension iterates (PEP 572), and not in a class's body, where it would be an
    attribute.
    """
    for inner, outer in document.around(node):
        if isinstance(outer, cst.CompFor) and inner is outer.iter:
            return False
        if isinstance(outer, cst.Lambda) and inner is outer.body:
            return True
        if isinstance(outer, cst.FunctionDef) and inner is outer.body:
            return True
        if isinstance(outer, cst.ClassDef) and inner is outer.body:
            return False
    return True


def refuse_shown(document: Document, node: cst.CSTNode) -> None:
    """Raise ``Unfit`` inside ``f"{…=}"``, which prints the source text itself."""
    for _, outer in document.around(node):
        if isinstance(outer, cst.FormattedStringExpression) and outer.equal is not None:
            raise Unfit("It stands in an f-string field with `=`, which prints its own source.")


def quote_for(document: Document, node: cst.CSTNode) -> str:
    """The quote for strings at the node: one that no f-string around it uses."""
    used = {
        outer.start[-1]
        for _, outer in document.around(node)
        if isinstance(outer, cst.FormattedString)
    }
    free = [quote for quote in "\"'" if quote not in used]
    if not free:
        raise Unfit("It stands in nested f-strings that use both kinds of quotes.")
    return free[0]


def has_parentheses(node: cst.CSTNode) -> bool:
    """Whether the node has parentheses of its own."""
    return bool(getattr(node, "lpar", ()))


def needs_parentheses(document: Document, node: cst.CSTNode, text: str) -> bool:
    """Whether ``text``, a conditional expression, needs parentheses in the node's place."""
    if has_parentheses(node):
        return False
    parent = document.parent(node)
    if isinstance(parent, cst.FormattedStringExpression):
        return any(sign in text for sign in ":!={}\\\n")
    if isinstance(parent, cst.Arg):
        return bool(parent.star)
    return type(parent) not in _UNBOUND


def own_statement(document: Document, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
    """The simple statement of the node, where it is alone on its line in a block."""
    for _, outer in document.around(node):
        if isinstance(outer, cst.SimpleStatementLine):
            parent = document.parent(outer)
            alone = len(outer.body) == 1 and isinstance(parent, cst.IndentedBlock | cst.Module)
            return outer if alone else None
        if isinstance(outer, cst.Lambda | cst.BaseCompoundStatement | cst.SimpleStatementSuite):
            return None
    return None


def is_class_body(document: Document, statement: cst.CSTNode) -> bool:
    """Whether variables that the statement binds are attributes of a class."""
    for inner, outer in document.around(statement):
        if isinstance(outer, cst.FunctionDef) and inner is outer.body:
            return False
        if isinstance(outer, cst.ClassDef) and inner is outer.body:
            return True
    return False


def statement_before(document: Document, node: cst.CSTNode) -> cst.CSTNode | None:
    """The statement in front of which the node may be evaluated; None where it may not.

    The node is the first thing in it that is evaluated, apart from variables and constants, and is
    evaluated in every case and once.
    """
    for inner, outer in document.around(node):
        if isinstance(outer, cst.SimpleStatementLine):
            return own_statement(document, node)
        if type(outer) in _HEADERS:
            if getattr(outer, _HEADERS[type(outer)]) is not inner or not _is_alone(document, outer):
                return None
            return outer
        if isinstance(outer, cst.With):
            first = outer.items[0] is inner and _is_alone(document, outer)
            return outer if first else None
        if not _is_first(document, inner, outer):
            return None
    return None


def _is_alone(document: Document, statement: cst.CSTNode) -> bool:
    """Whether it begins its line in a block: no ``elif``, not asynchronous."""
    if getattr(statement, "asynchronous", None) is not None:
        return False
    return isinstance(document.parent(statement), cst.IndentedBlock | cst.Module)


def _is_first(document: Document, inner: cst.CSTNode, outer: cst.CSTNode) -> bool:
    """Whether nothing in ``outer`` that matters is evaluated before ``inner``."""
    order = _order(outer)
    if order is None or inner not in order:
        return False
    before = order[: list(order).index(inner)]
    return all(is_plain(document, _value(part)) for part in before)


def _value(part: cst.CSTNode) -> cst.CSTNode:
    return part.value if isinstance(part, cst.Arg | cst.Element | cst.Index) else part


def _order(outer: cst.CSTNode) -> Sequence[cst.CSTNode] | None:
    """The parts of a node that are always evaluated, in their order; None where it is not known."""
    if isinstance(outer, cst.Arg | cst.Element | cst.Index | cst.Attribute | cst.Return | cst.Expr):
        return [outer.value] if outer.value is not None else None
    if isinstance(outer, cst.Assign):
        return [outer.value]
    if isinstance(outer, cst.AnnAssign):
        return [outer.value] if outer.value and isinstance(outer.target, cst.Name) else None
    if isinstance(outer, cst.AugAssign):
        return [outer.value] if isinstance(outer.target, cst.Name) else None
    if isinstance(outer, cst.Call):
        return [outer.func, *outer.args]
    if isinstance(outer, cst.BinaryOperation):
        return [outer.left, outer.right]
    if isinstance(outer, cst.Comparison):
        return [outer.left, outer.comparisons[0]]
    if isinstance(outer, cst.ComparisonTarget):
        return [outer.comparator]
    if isinstance(outer, cst.UnaryOperation | cst.Await):
        return [outer.expression]
    if isinstance(outer, cst.Subscript):
        return [outer.value, *outer.slice]
    if isinstance(outer, cst.SubscriptElement):
        return [outer.slice]
    if isinstance(outer, cst.Tuple | cst.List):
        return list(outer.elements)
    if isinstance(outer, cst.WithItem):
        return [outer.item]
    if isinstance(outer, cst.ListComp | cst.SetComp | cst.DictComp | cst.GeneratorExp):
        return [outer.for_in]
    if isinstance(outer, cst.CompFor):
        return [outer.iter] if outer.asynchronous is None else None
    return None
