"""A source file as it is changed: exact bytes, the syntax tree over them, and edits.

The tree is only read. A change is a list of edits of the text, so whatever is not edited keeps its
bytes: encoding, byte order mark, line ends, tabs, a missing last line end.
"""

from __future__ import annotations

import copy
import io
import re
import tokenize
from bisect import bisect_left, bisect_right

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from libcst.metadata import CodeRange

    Span = tuple[int, int]

_LINE_END = re.compile(r"\r\n|\r|\n")


class Unfit(Exception):
    """No change can be suggested; the message is a sentence that says why."""


SAME_PLACE = (
    "Another patch's change is at the same place; apply that one, and ask again if it still "
    "crashes here."
)
#: Ranks of edits that insert something of its own.
IMPORT, FUNCTION = -2, -1


class Edit:
    """The text between two offsets becomes another one.

    A definition (an import, a function) is inserted and can stand beside others at its place.
    """

    __slots__ = ("end", "rank", "start", "text")

    def __init__(self, start: int, end: int, text: str, rank: int = 0) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.rank = rank

    @property
    def is_definition(self) -> bool:
        """Whether it is one of ``IMPORT`` and ``FUNCTION``."""
        return self.rank < 0

    @property
    def order(self) -> tuple[int, int, int]:
        """Imports, then functions come before what else is inserted at their place."""
        return self.start, self.end, self.rank

    def __repr__(self) -> str:
        return f"<Edit {self.start}-{self.end} {self.text!r}>"


class Document:
    """One source file. Offsets count characters of ``text``, whose lines end in ``\\n``.

    Raises ``Unfit`` for what cannot be read as Python.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        try:
            self.encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
            self._exact = content.decode(self.encoding)
            self.text = _LINE_END.sub("\n", self._exact)
            self.module = cst.parse_module(self.text)
        except (SyntaxError, ValueError, LookupError, RecursionError, cst.ParserSyntaxError):
            raise Unfit("The file cannot be read as Python source.") from None
        found = _LINE_END.search(self._exact)
        self.newline = found.group() if found else "\n"
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]
        wrapper = MetadataWrapper(self.module, unsafe_skip_copy=True)
        self._ranges: Mapping[cst.CSTNode, CodeRange] = wrapper.resolve(PositionProvider)
        self._parents: Mapping[cst.CSTNode, cst.CSTNode] = wrapper.resolve(ParentNodeProvider)
        self._by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        for node in self._ranges:
            self._by_kind.setdefault(type(node), []).append(node)
        self.edits: list[Edit] = []

    def fresh(self) -> Document:
        """The same file without edits; the tree is shared."""
        made = copy.copy(self)
        made.edits = []
        return made

    # --- positions ------------------------------------------------------------------------------

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands, without parentheses around it."""
        place = self._ranges[node]
        return (
            self.starts[place.start.line - 1] + place.start.column,
            self.starts[place.end.line - 1] + place.end.column,
        )

    def offset(self, line: int, column: int) -> int:
        """The offset of a place as code objects name it: columns count bytes of UTF-8."""
        if not 0 < line <= len(self.starts):
            return -1
        start = self.starts[line - 1]
        text = self.text[start : self.text.find("\n", start) + 1 or len(self.text)]
        return start + len(text.encode("utf-8", "replace")[:column].decode("utf-8", "ignore"))

    def line_of(self, offset: int) -> int:
        """The number of the line, from 1."""
        return bisect_right(self.starts, offset)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around this one; None for the module."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        """Each node with the one around it, from the inside out."""
        parent = self.parent(node)
        while parent is not None:
            yield node, parent
            node, parent = parent, self.parent(parent)

    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """All nodes of exactly these types."""
        for kind in kinds:
            yield from self._by_kind.get(kind, ())

    def indent_at(self, offset: int) -> str:
        """The white space before the first sign of the line."""
        start = self.starts[self.line_of(offset) - 1]
        rest = self.text[start:]
        return rest[: len(rest) - len(rest.lstrip(" \t\f"))]

    def line_end(self, offset: int) -> int:
        """The offset of the line's end: of its line feed, or of the end of the file."""
        found = self.text.find("\n", offset)
        return found if found >= 0 else len(self.text)

    # --- edits ----------------------------------------------------------------------------------

    def read(self, node: cst.CSTNode) -> str:
        """The node's text, with the edits that were made inside it."""
        return self.between(*self.span(node))

    def between(self, start: int, end: int) -> str:
        """The text between two offsets, with the edits that were made there."""
        parts, at = [], start
        for edit in sorted(self.edits, key=lambda edit: edit.order):
            if start <= edit.start and edit.end <= end and not edit.is_definition:
                parts += [self.text[at : edit.start], edit.text]
                at = edit.end
        return "".join([*parts, self.text[at:end]])

    def is_edited(self, node: cst.CSTNode) -> bool:
        """Whether something inside the node was changed."""
        start, end = self.span(node)
        return any(start <= edit.start and edit.end <= end for edit in self.edits)

    def add(self, edits: list[Edit]) -> None:
        """Make more edits. One that replaces a node takes the place of those inside it.

        Raises ``Unfit``, and makes none, where one overlaps with an earlier one.
        """
        kept = list(self.edits)
        for new in edits:
            kept = [
                old
                for old in kept
                if old.is_definition
                or not (new.start <= old.start and old.end <= new.end and new.start < new.end)
            ]
            if any(_overlap(old, new) for old in kept):
                raise Unfit(SAME_PLACE)
        self.edits = kept + edits

    def changed(self) -> bytes:
        """The file's content with all edits; every other byte is as it was."""
        return self._written(self.edits)

    def exact(self, edit: Edit) -> Edit:
        """The edit in offsets of the file's own text, with its line ends."""
        [found] = self._translated([edit])
        return found

    @property
    def exact_text(self) -> str:
        """The text with the line ends that the file has."""
        return self._exact

    def _written(self, edits: list[Edit]) -> bytes:
        parts, at = [], 0
        for edit in self._translated(sorted(edits, key=lambda edit: edit.order)):
            parts += [self._exact[at : edit.start], edit.text]
            at = edit.end
        text = "".join([*parts, self._exact[at:]])
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            raise Unfit(f"The file's encoding, {self.encoding}, has no such character.") from None

    def _translated(self, edits: list[Edit]) -> list[Edit]:
        """In offsets of ``_exact``, where a line end may be two characters."""
        longer = [
            match.start() - number
            for number, match in enumerate(
                match for match in _LINE_END.finditer(self._exact) if len(match.group()) == 2
            )
        ]

        def moved(offset: int) -> int:
            return offset + bisect_left(longer, offset)

        return [
            Edit(moved(edit.start), moved(edit.end), edit.text.replace("\n", self.newline))
            for edit in edits
        ]


def _overlap(old: Edit, new: Edit) -> bool:
    if old.is_definition or new.is_definition:
        return False
    if old.start == old.end or new.start == new.end:  # what is inserted at one place
        return (
            old.start < new.start < old.end
            or new.start < old.start < new.end
            or ((old.start, old.end) == (new.start, new.end))
        )
    return old.start < new.end and new.start < old.end
