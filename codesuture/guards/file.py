"""file_guard: reading a file that is not there, or that has no name."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.defaults.stand_ins import EmptyBinaryFile, EmptyTextFile
from codesuture.diagnosis.expression import Unary
from codesuture.diagnosis.lookup import MISSING
from codesuture.guards.callee import callee
from codesuture.guards.guard import Guard
from codesuture.guards.messages import blames_none
from codesuture.guards.typed import EMPTY_BYTES, EMPTY_TEXT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

#: What opens a file, and where its mode stands among the operands (the function is 0).
_OPENERS = {"open": 2, "pathlib.Path.open": 1, "?.open": 1}
#: What reads a whole file, and what an empty one gives.
_READERS = {
    "pathlib.Path.read_text": EMPTY_TEXT,
    "pathlib.Path.read_bytes": EMPTY_BYTES,
    "?.read_text": EMPTY_TEXT,
    "?.read_bytes": EMPTY_BYTES,
}
_READING = frozenset({"r", "t", "b", "U"})


class FileGuard(Guard):
    name = "file_guard"
    operations = frozenset({"call"})
    exceptions = (FileNotFoundError, TypeError)
    fixed = True
    reaches_library = True
    meaning = (
        "A file that does not exist, or whose name is `None`, is opened for reading: it is an "
        "empty file, text or binary as asked for. Modes that write are left alone, and so is a "
        "mode that cannot be told."
    )
    supplies = "an empty text or binary file"
    examples = ('open("settings.ini")', 'open(path, "rb")', "open(None)")

    def recognises(self, crash: Crash) -> bool:
        exception = crash.exception
        if type(exception) is not FileNotFoundError and not blames_none(exception, "path"):
            return False
        return self._recipe(crash) is not None

    def _recipe(self, crash: Crash) -> Recipe | None:
        name = callee(crash)
        if name in _READERS:
            return _READERS[name]
        if name not in _OPENERS:
            return None
        mode = _mode(crash, _OPENERS[name])
        if type(mode) is not str or not mode or not _READING.issuperset(mode):
            return None
        return Recipe.file("binary" if "b" in mode else "text")

    def target(self, crash: Crash) -> str:
        return crash.text(crash.operands[1]) if len(crash.operands) > 1 else super().target(crash)

    def default(self, crash: Crash) -> Recipe:
        return self._recipe(crash) or Recipe.file("text")

    def value(self, crash: Crash, recipe: Recipe) -> object:
        made = super().value(crash, recipe)
        exception = crash.exception
        name = exception.filename if type(exception) is FileNotFoundError else None
        if type(made) in (EmptyTextFile, EmptyBinaryFile) and type(name) in (str, bytes):
            made.name = name  # type: ignore[attr-defined]
        return made

    def advice(self, target: str, operation: str = "") -> str:
        return (
            f"Make sure that `{target}` names a file that is there, or test for it first and go on "
            "without it."
        )


def _mode(crash: Crash, position: int) -> object:
    """The mode that was asked for, or MISSING."""
    if "mode" in crash.keywords:
        return crash.evaluate(crash.keywords["mode"])
    if any(isinstance(operand, Unary) and "*" in operand.sign for operand in crash.operands):
        return MISSING
    if position < len(crash.operands):
        return crash.evaluate(crash.operands[position])
    return "r"
