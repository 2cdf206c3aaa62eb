"""The suggestion for one patch, and those of several patches put together file by file."""

from __future__ import annotations

import os
import warnings
from difflib import unified_diff

from codesuture.cli.source import code_of, offset_of, path_of
from codesuture.sourcefix.document import SAME_PLACE, Document, Unfit
from codesuture.sourcefix.forms import change_for
from codesuture.sourcefix.placing import Place, changed_node, place_of
from codesuture.sourcefix.trial import Outcome, header_of, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.cli.patches import Entry
    from codesuture.sourcefix.shapes import Change


class Suggestion:
    """What is suggested for one patch.

    ``reason`` says why there is nothing to suggest, and is empty where there is; then ``sentence``
    says what the change does, ``changed`` is the file's new content, and ``trial`` what came of
    running the incident's expression again.
    """

    def __init__(self, entry: Entry, root: str) -> None:
        self.entry = entry
        self.patch = entry.patch
        self.path = path_of(entry.patch, root)
        self.shown_path = (
            os.path.relpath(self.path, root) if os.path.isabs(self.path) else self.path
        )
        if self.shown_path.startswith(os.pardir):
            self.shown_path = self.path
        self.reason = ""
        self.sentence = ""
        self.content = b""
        self.changed = b""
        self.document: Document | None = None
        self.change: Change | None = None
        self.trial = Outcome("not run", "There is nothing to run.")
        #: Set by whoever runs the tests: "", "passed" or "failed".
        self.tests = ""

    @property
    def is_verified(self) -> bool:
        """Whether the project's tests pass with the change, without codesuture."""
        return self.tests == "passed"

    @property
    def state(self) -> str:
        """ "none", "suggested", "checked" (compiled and tried) or "verified"."""
        if self.reason:
            return "none"
        if self.is_verified:
            return "verified"
        return "checked" if self.trial.state == "passed" else "suggested"

    @property
    def diff(self) -> str:
        """The unified diff of this change alone."""
        return difference(self.content, self.changed, self.document, self.shown_path)


def suggest(
    entries: Iterable[Entry],
    root: str,
    tried: bool = True,
    documents: dict[str, Document] | None = None,
) -> list[Suggestion]:
    """A suggestion for each patch, tried out (if asked) in one process. Writes nothing.

    ``documents`` are files that were read already, by path; more are added.
    """
    documents = {} if documents is None else documents
    found = [_suggestion(entry, root, documents) for entry in entries]
    if not tried:
        return found
    trials = [one for one in found if one.change is not None and one.change.trial is not None]
    for one, outcome in zip(
        trials, run([one.change.trial for one in trials if one.change and one.change.trial]),
        strict=True,
    ):  # fmt: skip
        one.trial = outcome
        if outcome.state == "failed":
            one.reason = outcome.sentence
    return found


def _suggestion(entry: Entry, root: str, documents: dict[str, Document]) -> Suggestion:
    made = Suggestion(entry, root)
    try:
        if made.path not in documents:
            documents[made.path] = Document(_content(made))
        document = documents[made.path].fresh()
        made.content = document.content
        change = _change(made, document, root)
        document.add(change.edits)
        made.changed = document.changed()
        _check_compiles(made.changed, made.path)
        if change.trial is not None:
            header = header_of(document.text)
            change.trial.header = "\n".join(part for part in (change.trial.header, header) if part)
        made.document, made.change, made.sentence = document, change, change.sentence
    except Unfit as problem:
        made.reason = str(problem)
    except RecursionError:
        made.reason = "The source is nested too deeply."
    return made


def _content(made: Suggestion) -> bytes:
    if made.patch.file.startswith("<"):
        raise Unfit("The code did not come from a file.")
    try:
        with open(made.path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        raise Unfit(f"The file {made.path} cannot be read.") from None


def _change(made: Suggestion, document: Document, root: str) -> Change:
    return change_for(_place(made, document, root), made.entry.choice.recipe)


def _place(made: Suggestion, document: Document, root: str) -> Place:
    from codesuture.surgery.opcodes import TAG

    patch = made.patch
    if patch.python != TAG:
        raise Unfit(
            f"The patch was made by Python {patch.python}, whose bytecode this Python cannot "
            "compare; run `codesuture suggest` with that version."
        )
    code = code_of(patch, root)
    offset = offset_of(code, patch) if code is not None else None
    if code is None or offset is None:
        raise Unfit("The code has changed since; the patch is stale, and no longer applied.")
    return place_of(document, patch, code, offset)


def _check_compiles(content: bytes, path: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unfit("A change in this place would not be valid Python.") from None


class Rewrite:
    """All changes of one file; ``left_out`` are those that do not go together with others."""

    def __init__(self, path: str, shown_path: str, content: bytes) -> None:
        self.path = path
        self.shown_path = shown_path
        self.content = content
        self.changed = content
        self.document: Document | None = None
        self.made: list[Suggestion] = []
        self.left_out: list[tuple[Suggestion, str]] = []

    @property
    def diff(self) -> str:
        """The unified diff of all of them."""
        return difference(self.content, self.changed, self.document, self.shown_path)


def rewrites(suggestions: Iterable[Suggestion], root: str) -> list[Rewrite]:
    """The suggestions that have a change, file by file; inner expressions are changed first."""
    by_path: dict[str, list[Suggestion]] = {}
    for one in suggestions:
        if not one.reason:
            by_path.setdefault(one.path, []).append(one)
    return [_rewrite(found, root) for found in by_path.values()]


def _rewrite(found: list[Suggestion], root: str) -> Rewrite:
    first = found[0]
    made = Rewrite(first.path, first.shown_path, first.content)
    assert first.document is not None  # those with a change have one
    document = first.document.fresh()
    placed = []
    for one in found:
        place = _place(one, document, root)
        start, end = document.span(changed_node(place))
        placed.append((end - start, start, one, place))
    at_node: dict[int, Suggestion] = {}
    # What is iterated comes before its items, which are as long.
    placed.sort(key=lambda row: (row[0], row[3].patch.operation == "unpack", row[1]))
    for _, _, one, place in placed:
        first = at_node.setdefault(id(place.node), one)
        if first is not one:  # a loop's condition is compiled twice, for example
            if _are_alike(first, one):
                made.made.append(one)
            else:
                made.left_out.append((one, SAME_PLACE))
            continue
        before = list(document.edits)
        try:
            document.add(change_for(place, one.entry.choice.recipe).edits)
            _check_compiles(document.changed(), one.path)
        except Unfit as problem:
            document.edits = before
            made.left_out.append((one, str(problem)))
            continue
        made.made.append(one)
    made.changed = document.changed()
    made.document = document
    return made


def _are_alike(one: Suggestion, other: Suggestion) -> bool:
    """Whether both patches of one expression ask for the same change."""
    default = one.entry.choice.recipe == other.entry.choice.recipe
    return default and one.patch.guard == other.patch.guard


def difference(before: bytes, after: bytes, document: Document | None, name: str) -> str:
    """A unified diff, as `git apply` and `patch` read it; empty where nothing changed."""
    if document is None or before == after:
        return ""
    old, new = _lines(before, document), _lines(after, document)
    label = name.replace(os.sep, "/")
    lines = []
    for line in unified_diff(old, new, f"a/{label}", f"b/{label}"):
        lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _lines(content: bytes, document: Document) -> list[str]:
    """The lines with their ends; only line feeds end a line of a diff."""
    text = content.decode(document.encoding)
    found = text.split("\n")
    return [f"{line}\n" for line in found[:-1]] + ([found[-1]] if found[-1] else [])
