"""What a patch's source file says today: the line, and whether the code is still the same.

The file is compiled, never run.
"""

from __future__ import annotations

import os
import warnings

from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.instructions import decode
from codesuture.surgery.opcodes import TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.store import Patch
    from codesuture.store.proof import Link

#: How many lines of an expression are shown behind its first.
MAX_FOLLOWING = 5

_compiled: dict[str, list[CodeType] | None] = {}


class Excerpt:
    """The source line of a crash; `[start, end)` are the columns of the failing expression.

    `start` equals `end` where the columns are not known. `following` are the further lines of an
    expression over several lines, with the columns in each.
    """

    def __init__(
        self, line: str, start: int, end: int, following: list[tuple[str, int, int]] | None = None
    ) -> None:
        self.line = line
        self.start = start
        self.end = end
        self.following = following or []


def path_of(place: Patch | Link, root: str) -> str:
    """The file; the store names it relative to the project where it is inside."""
    if place.file.startswith("<"):  # `python -c` and standard input
        return place.file
    return os.path.join(root, place.file)


def is_unchanged(place: Patch | Link, python: str, root: str) -> bool | None:
    """Whether the code of a patch or link is still in its file; None where that cannot be told.

    It cannot be told without the file, and not for another Python version's bytecode.
    """
    if python != TAG:
        return None
    codes = _codes_of(path_of(place, root))
    return None if codes is None else _code_of(place, codes) is not None


def excerpt_of(patch: Patch, root: str) -> Excerpt | None:
    """The line that crashed, if the file can be read and its code is not known to have changed."""
    path = path_of(patch, root)
    content = _read(path)
    if content is None:
        return None
    line, last, start, end = patch.line, patch.line, 0, 0
    if patch.python == TAG:
        code = code_of(patch, root)
        if code is None:
            return None
        line, last, start, end = _position(code, patch)
    lines = _lines(content)
    if not 0 < line <= last <= len(lines):
        return None
    text = lines[line - 1]
    if line == last:
        return Excerpt(text, _column(text, start), _column(text, end) if end else len(text))
    following = []
    for number in range(line + 1, min(last, line + MAX_FOLLOWING) + 1):
        more = lines[number - 1]
        indent = len(more) - len(more.lstrip())
        following.append((more, indent, _column(more, end) if number == last else len(more)))
    return Excerpt(text, _column(text, start), len(text.rstrip()), following)


def _lines(content: bytes) -> list[str]:
    """The lines of a file, as Python counts them (`str.splitlines` knows more ends of lines)."""
    import io
    import tokenize

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    text = content.decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def code_of(patch: Patch, root: str) -> CodeType | None:
    """The code that the patch was made for, compiled from its file; None where it is not there."""
    return _code_of(patch, _codes_of(path_of(patch, root)) or []) if patch.python == TAG else None


def codes_in(patch: Patch, root: str) -> list[CodeType]:
    """All code objects of the patch's file."""
    return _codes_of(path_of(patch, root)) or []


def _code_of(place: Patch | Link, codes: list[CodeType]) -> CodeType | None:
    """Of several that are alike (lambdas, say), the one on the patch's line."""
    alike = [
        code
        for code in codes
        if code.co_qualname == place.qualname and fingerprint(code) == place.fingerprint
    ]
    line = getattr(place, "line", 0)
    for code in alike if len(alike) > 1 and line else ():
        if any(start == line for _, _, start in code.co_lines()):
            return code
    return alike[0] if alike else None


def offset_of(code: CodeType, patch: Patch) -> int | None:
    """The byte offset of the patch's instruction in its code; None where there is none."""
    instructions = decode(code.co_code)
    return instructions[patch.ordinal][1] if patch.ordinal < len(instructions) else None


def _position(code: CodeType, patch: Patch) -> tuple[int, int, int, int]:
    """First and last line, first and last column (in bytes) of the patch's instruction.

    The last column is 0 for "the rest".
    """
    offset = offset_of(code, patch)
    if offset is None:
        return patch.line, patch.line, 0, 0
    line, last, start, end = list(code.co_positions())[offset // 2]
    if line is None or last is None or start is None or end is None:
        return line or patch.line, line or patch.line, 0, 0
    return line, last, start, end


def _column(text: str, column: int) -> int:
    """A column in bytes of UTF-8, as code objects have it, as one in characters."""
    return len(text.encode("utf-8", "replace")[:column].decode("utf-8", "ignore"))


def _codes_of(path: str) -> list[CodeType] | None:
    if path not in _compiled:
        _compiled[path] = _codes(path)
    return _compiled[path]


def _codes(path: str) -> list[CodeType] | None:
    """Every code object of the file; none when it does not compile, None when it is not there."""
    content = _read(path)
    if content is None:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module: CodeType = compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = [module]
    for code in found:
        found.extend(constant for constant in code.co_consts if type(constant) is type(code))
    return found


def _read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        return None
