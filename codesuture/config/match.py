"""Whether a module is meant by the configuration's patterns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def matches(module: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns, as in ``fnmatch``, means ``module``.

    A package's own name means all that is in it: ``shop`` is ``shop`` and ``shop.*``.
    """
    patterns = tuple(patterns)
    if not patterns:
        return False
    from fnmatch import fnmatchcase  # takes re along, so only where there is a pattern

    return any(
        fnmatchcase(module, pattern) or fnmatchcase(module, pattern + ".*") for pattern in patterns
    )
