"""File names of patches and proofs: readable, and the same on every file system."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .shelf import Document

SUFFIX = ".json"
LONGEST_LABEL = 100
_KEPT = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul"]  # device names on Windows, whatever follows the first dot
    + [f"{device}{number}" for device in ("com", "lpt") for number in range(1, 10)]
)


def file_name(document: Document) -> str:
    """``<module>.<qualname>-<id>.json``, without what some file system dislikes.

    ``f.<locals>.<lambda>`` becomes ``f.locals.lambda``; other characters become ``_``.
    The id alone makes it unique, so shortening and replacing lose nothing.
    """
    text = f"{document.module}.{document.qualname}".replace("<", "").replace(">", "")
    label = "".join([char if char in _KEPT else "_" for char in text]).lstrip(".-")
    if len(label) > LONGEST_LABEL:
        half = (LONGEST_LABEL - 2) // 2
        label = f"{label[:half]}..{label[-half:]}"
    if label.partition(".")[0].lower() in _RESERVED:
        label = "_" + label
    return f"{label}-{document.id}{SUFFIX}"


def id_in_name(name: str) -> str:
    """The id that a file name ends in (unchecked)."""
    return name.removesuffix(SUFFIX).rpartition("-")[2]
