"""What an operand allows: to be read twice, later, or not at all; and names to bind it to.

A *plain* operand (a variable, a constant, an attribute of a module) may be read as often as one
likes. A *quiet* one (also attributes and items of plain ones) is read once, but its place among
others does not matter, nor whether it is read at all when the crash would have come first.
Everything else, calls above all, is evaluated exactly once and in its order.
"""

from __future__ import annotations

import builtins
import keyword
import re

import libcst as cst
import libcst.matchers as m

from codesuture.sourcefix.document import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_PREFIXES = ("get_", "load_", "fetch_", "find_", "read_", "make_", "parse_", "lookup_", "to_")
WORD = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_VARIABLE = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_CO_NEWLOCALS = 2  # inspect.CO_NEWLOCALS


class Operand:
    """One part of the crashed expression: its node, and its text as it stands in the source."""

    def __init__(self, document: Document, node: cst.BaseExpression) -> None:
        self.document = document
        self.node = node
        edited = document.is_edited(node)
        self.is_constant = is_constant(node)
        self.is_plain = not edited and is_plain(document, node)
        self.is_quiet = not edited and is_quiet(document, node)

    @property
    def text(self) -> str:
        """Its text as a part of an expression; with parentheses where another change made it."""
        start, end = self.document.span(self.node)
        changed = any((one.start, one.end) == (start, end) for one in self.document.edits)
        return f"({self._own})" if changed and not self._own.startswith("(") else self._own

    @property
    def iterable(self) -> str:
        """Its text behind the ``in`` of a comprehension."""
        loose = isinstance(self.node, cst.IfExp | cst.Lambda | cst.Tuple | cst.NamedExpr)
        bare = loose and not getattr(self.node, "lpar", ())
        return f"({self.text})" if bare else self.text

    @property
    def _own(self) -> str:
        """Its text, with its parentheses where it has some."""
        inner = self.document.read(self.node)
        for left in getattr(self.node, "lpar", ()):
            inner = f"({inner})" if left is not None else inner
        return inner

    @property
    def argument(self) -> str:
        """Its text as one argument of a call."""
        bare = isinstance(self.node, cst.GeneratorExp | cst.NamedExpr | cst.Yield | cst.Tuple)
        return f"({self._own})" if bare and not getattr(self.node, "lpar", ()) else self._own

    @property
    def statement(self) -> str:
        """Its text where no bracket is around it."""
        text = self.argument
        return f"({text})" if "\n" in text and not text.startswith("(") else text


def is_constant(node: cst.CSTNode) -> bool:
    """A literal without replacement fields, a negative number, None, True, False."""
    if isinstance(node, cst.UnaryOperation):
        return isinstance(node.operator, cst.Minus) and is_constant(node.expression)
    if isinstance(node, cst.Name):
        return node.value in ("None", "True", "False")
    return isinstance(
        node, cst.SimpleString | cst.Integer | cst.Float | cst.Imaginary | cst.Ellipsis
    )


def is_plain(document: Document, node: cst.CSTNode) -> bool:
    """Whether reading it twice is the same as once."""
    if is_constant(node) or isinstance(node, cst.Name):
        return True
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        return node.value.value in _modules(document)
    return False


def is_quiet(document: Document, node: cst.CSTNode) -> bool:
    """Whether it may be read later than its neighbours."""
    if is_plain(document, node) or isinstance(node, cst.Lambda):
        return True
    if isinstance(node, cst.Attribute):
        return is_quiet(document, node.value)
    if isinstance(node, cst.Subscript):
        return is_quiet(document, node.value) and all(
            isinstance(element.slice, cst.Index) and is_plain(document, element.slice.value)
            for element in node.slice
        )
    if isinstance(node, cst.Tuple | cst.List | cst.Set):
        return all(
            type(item) is cst.Element and is_quiet(document, item.value) for item in node.elements
        )
    if isinstance(node, cst.Dict):
        return all(
            type(item) is cst.DictElement
            and is_constant(item.key)
            and is_quiet(document, item.value)
            for item in node.elements
        )
    return False


def _modules(document: Document) -> set[str]:
    """The names that ``import`` statements of the file bind to modules."""
    found = set()
    for node in document.nodes(cst.Import):
        for alias in node.names:
            name = alias.asname.name if alias.asname else alias.name
            while isinstance(name, cst.Attribute):
                name = name.value
            found.add(name.value)
    return found


def is_global(code: CodeType, name: str) -> bool:
    """Whether the name, read in this code, means a global variable or a builtin.

    In the body of a class only builtins are sure to.
    """
    if name in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        return False
    is_function = bool(code.co_flags & _CO_NEWLOCALS)
    return is_function or code.co_name == "<module>" or hasattr(builtins, name)


# --- names -------------------------------------------------------------------------------------


def free_name(document: Document, node: cst.CSTNode, wanted: str, whole: bool = False) -> str:
    """A name like ``wanted`` that means nothing yet around the node (or in the whole module)."""
    scope: cst.CSTNode = document.module
    if not whole:
        for inner, _ in document.around(node):
            if isinstance(inner, cst.FunctionDef):
                scope = inner
    taken = _names(scope) | set(dir(builtins)) | set(keyword.kwlist) | set(keyword.softkwlist)
    for edit in document.edits:  # those of other patches of the file
        taken.update(_VARIABLE.findall(edit.text))
    base = wanted if wanted.isidentifier() else "value"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


def parameter_name(wanted: str, taken: list[str]) -> str:
    """A name like ``wanted`` for the parameter of a new function that uses the names ``taken``."""
    base = wanted if wanted.isidentifier() and wanted != "self" else "value"
    number, name = 1, base
    while name in taken or hasattr(builtins, name) or keyword.iskeyword(name):
        number += 1
        name = f"{base}_{number}"
    return name


def _names(scope: cst.CSTNode) -> set[str]:
    """The names of variables: not those of attributes."""
    attributes = {id(node.attr) for node in m.findall(scope, m.Attribute())}
    return {node.value for node in m.findall(scope, m.Name()) if id(node) not in attributes}


def name_for(node: cst.CSTNode) -> str:
    """What a variable for this value would be called: ``profile`` for ``self.get_profile()``."""
    if isinstance(node, cst.Await):
        return name_for(node.expression)
    if isinstance(node, cst.Call):
        name = name_for(node.func)
        if hasattr(builtins, name):  # int(row["n"]) is about n
            return name_for(node.args[0].value) if node.args else "value"
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        return name if name.isidentifier() and name != "get" else "value"
    if isinstance(node, cst.Attribute):
        return str(node.attr.value).strip("_") or "value"
    if isinstance(node, cst.Name):
        return str(node.value)
    if isinstance(node, cst.Subscript):
        key = node.slice[0].slice
        if isinstance(key, cst.Index) and isinstance(key.value, cst.SimpleString):
            found = WORD.fullmatch(key.value.raw_value)
            if found:
                return found.group().lower()
    return "value"
