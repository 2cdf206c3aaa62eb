"""From a patch to the node of the syntax tree that crashed.

A site's instruction knows its place in the source (PEP 657). Which node stands there depends on the
operation, and where several do (the links of a comparison, the items of a ``with``), on the text of
the target. What Python up to 3.12 tells less exactly (f-strings, loops, ``with``) is
found inside the wider place that it does tell.
"""

from __future__ import annotations

import ast

import libcst as cst

from codesuture.sourcefix.document import Document, Unfit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.sourcefix.document import Span
    from codesuture.store.patch import Patch

_KINDS: dict[str, tuple[type[cst.CSTNode], ...]] = {
    "load_attribute": (cst.Attribute,),
    "load_method": (cst.Attribute,),
    "load_super_attribute": (cst.Attribute,),
    "store_attribute": (cst.Attribute,),
    "delete_attribute": (cst.Attribute,),
    "subscript": (cst.Subscript,),
    "link": (cst.Subscript, cst.Attribute),
    "slice": (cst.Subscript,),
    "store_subscript": (cst.Subscript,),
    "store_slice": (cst.Subscript,),
    "delete_subscript": (cst.Subscript,),
    "binary": (cst.BinaryOperation, cst.AugAssign),
    "compare": (cst.Comparison,),
    "contains": (cst.Comparison,),
    "negate": (cst.UnaryOperation,),
    "positive": (cst.UnaryOperation,),
    "invert": (cst.UnaryOperation,),
    "call": (cst.Call,),
    "await": (cst.Await,),
    "send": (cst.Await,),
    "format": (cst.FormattedStringExpression,),
    "iterate": (cst.For, cst.CompFor, cst.From),
    "next": (cst.For, cst.CompFor),
    "iterate_async": (cst.For, cst.CompFor),
    "enter": (cst.WithItem,),
    "enter_async": (cst.WithItem,),
    "extend": (cst.StarredElement, cst.Arg),
    "merge": (cst.StarredDictElement, cst.Arg),
    "unpack": (cst.Tuple, cst.List),
}
#: Operations whose instruction may tell the place of something around the node.
_WIDER = frozenset({
    "format", "iterate", "next", "iterate_async", "enter", "enter_async", "extend", "merge",
})  # fmt: skip


class Place:
    """Where a patch's crash stands: the document, the node, the code object around it."""

    def __init__(self, document: Document, node: cst.CSTNode, code: CodeType, patch: Patch) -> None:
        self.document = document
        self.node = node
        self.code = code
        self.patch = patch


def place_of(document: Document, patch: Patch, code: CodeType, offset: int) -> Place:
    """The place of the instruction at ``offset`` of the code; ``Unfit`` where it is not certain."""
    line, last, start, end = list(code.co_positions())[offset // 2]
    if line is None or last is None or start is None or end is None:
        raise Unfit("Python does not tell which expression of the line crashed.")
    span = (document.offset(line, start), document.offset(last, end))
    # The patch of a chain is the last link's, whichever link it was that crashed.
    is_chain = patch.guard == "chain_subscript_guard"
    found = _candidates(document, "link" if is_chain else patch.operation, span)
    if len(found) > 1:
        found = _by_target(document, patch, found) or found[:1]
    if not found:
        raise Unfit("The expression that crashed is not found in the source.")
    return Place(document, found[0], code, patch)


def _candidates(document: Document, operation: str, span: Span) -> list[cst.CSTNode]:
    kinds = _KINDS.get(operation)
    if kinds is None:
        raise Unfit(f"Crashes of this operation ({operation}) have no form in the source.")
    start, end = span
    exact, inside = [], []
    star = {"extend": "*", "merge": "**"}.get(operation, "")
    for node in document.nodes(*kinds):
        if isinstance(node, cst.Arg) and node.star != star:
            continue
        own = document.span(node)
        if (
            own == span
            or _is_of_attribute(document, node, own, span)
            or _in_parentheses(document, own, span)
        ):
            exact.append(node)
        elif operation in _WIDER and (
            (start <= own[0] and own[1] <= end) or (own[0] <= start and end <= own[1])
        ):
            inside.append(node)
    if exact:
        return exact
    return [node for node in inside if _operand_at(document, node, span)]


def _is_of_attribute(document: Document, node: cst.CSTNode, own: Span, span: Span) -> bool:
    """Whether only the name behind the last dot is told, as for methods over several lines."""
    function = node.func if isinstance(node, cst.Call) else node
    if own[1] != span[1] or not isinstance(function, cst.Attribute):
        return False
    return document.span(function.attr)[0] == span[0]


def _in_parentheses(document: Document, own: Span, span: Span) -> bool:
    """Whether the place is that of the node with its own parentheses."""
    before = document.text[span[0] : own[0]].strip()
    behind = document.text[own[1] : span[1]].strip()
    return before == "(" and behind in (")", ",)") and span[0] < own[0]


def _operand_at(document: Document, node: cst.CSTNode, span: Span) -> bool:
    """Whether the wider place is that of the node or the node's is that of the operand."""
    own = document.span(node)
    if span[0] <= own[0] and own[1] <= span[1]:
        return True
    operand = operand_of(node)
    return operand is not None and (
        document.span(operand) == span or _in_parentheses(document, document.span(operand), span)
    )


def changed_node(place: Place) -> cst.CSTNode:
    """The part of the source that a change of this place is about."""
    node = place.node
    if place.patch.operation == "unpack":
        parent = place.document.parent(node)
        if isinstance(parent, cst.For | cst.CompFor):
            return parent.iter
        assign = place.document.parent(parent) if parent is not None else None
        return assign.value if isinstance(assign, cst.Assign) else node
    return operand_of(node) or node


def operand_of(node: cst.CSTNode) -> cst.BaseExpression | None:
    """What is iterated, entered, spread or formatted by the node."""
    if isinstance(node, cst.For | cst.CompFor):
        return node.iter
    if isinstance(node, cst.From | cst.WithItem):
        return node.item
    if isinstance(node, cst.StarredElement | cst.Arg | cst.StarredDictElement):
        return node.value
    return node.expression if isinstance(node, cst.FormattedStringExpression) else None


def _by_target(document: Document, patch: Patch, found: list[cst.CSTNode]) -> list[cst.CSTNode]:
    """Those whose operand is the patch's target, as it is shown to people."""
    wanted = shown(patch.target.lstrip("*"))
    return [
        node
        for node in found
        if (operand := operand_of(node)) is not None and shown(document.read(operand)) == wanted
    ]


def shown(text: str) -> str:
    """The expression's text without differences that do not matter; itself if it is none."""
    try:
        return ast.unparse(ast.parse(text.strip(), mode="eval"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
