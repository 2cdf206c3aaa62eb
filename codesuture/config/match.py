"""Whether a module is meant by the configuration's patterns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


#: The names of the module that a program starts with, in a process of its own and in a worker.
_MAIN_NAMES = ("__main__", "__mp_main__")


def names_of(module: object, known_as: str) -> tuple[str, ...]:
    """The names by which patterns can mean a module: its ``__name__``, what patches call it.

    They differ for a script only, which is ``__main__`` and the stem of its file.
    """
    is_main = type(module) is str and module in _MAIN_NAMES
    return (known_as, "__main__") if is_main else (known_as,)


def matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, as in ``fnmatch``, means a module that has these names.

    A package's own name means all that is in it: ``shop`` is ``shop`` and ``shop.*``.
    """
    patterns = tuple(patterns)
    if not patterns:
        return False
    from fnmatch import fnmatchcase  # takes re along, so only where there is a pattern

    return any(
        fnmatchcase(name, pattern) or fnmatchcase(name, pattern + ".*")
        for name in names
        for pattern in patterns
    )
