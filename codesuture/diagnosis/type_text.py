"""Reading the text of an annotation: its alternatives and its parts. Nothing is evaluated."""

from __future__ import annotations

_WRAPPERS = frozenset({
    "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "InitVar",
})  # fmt: skip
_MAPPINGS = frozenset({
    "dict", "Dict", "Mapping", "MutableMapping", "DefaultDict", "defaultdict", "OrderedDict",
})  # fmt: skip
_SEQUENCES = frozenset({"list", "List", "Sequence", "MutableSequence", "tuple", "Tuple", "deque"})


def alternatives(text: str) -> list[str]:
    """What the annotation allows: ``Optional[str]`` gives ``["str", "None"]``."""
    found: list[str] = []
    for part in split(_unquoted(text), "|"):
        base, arguments = parts(part)
        if base == "Optional":
            found += [*alternatives(", ".join(arguments)), "None"]
        elif base == "Union":
            for argument in arguments:
                found += alternatives(argument)
        elif base in _WRAPPERS and arguments:
            found += alternatives(arguments[0])
        elif base:
            found.append(_unquoted(part))
    return found


def parts(text: str) -> tuple[str, list[str]]:
    """``typing.Dict[str, int]`` gives ``("Dict", ["str", "int"])``."""
    base, bracket, rest = _unquoted(text).partition("[")
    arguments = split(rest.rstrip().removesuffix("]"), ",") if bracket else []
    return base.strip().rpartition(".")[2], arguments


def item_type(text: str) -> str:
    """The annotation of a mapping's values or a sequence's items, ``""`` where it is not told."""
    base, arguments = parts(text)
    if base in _MAPPINGS and len(arguments) == 2:
        return arguments[1]
    uniform = len(arguments) == 1 or (len(arguments) == 2 and arguments[1] == "...")
    return arguments[0] if base in _SEQUENCES and uniform else ""


def split(text: str, separator: str) -> list[str]:
    """The pieces between separators that stand outside of brackets and quotes."""
    pieces, depth, quote, start = [], 0, "", 0
    for index, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == separator and depth == 0:
            pieces.append(text[start:index].strip())
            start = index + 1
    last = text[start:].strip()
    return [*pieces, last] if last else pieces


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].strip()
    return text
