"""Which installed distribution a file belongs to, and which of them the configuration means.

Asked at the first crash that ends at a call of a package, never before: importlib-metadata takes
40 ms to import.
"""

from __future__ import annotations

import os

from codesuture.surgery.packages import package_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Distribution:
    """A distribution by the name that its author gives it; ``version`` is empty if unknown."""

    __slots__ = ("name", "version")

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version

    def __str__(self) -> str:
        return f"{self.name} {self.version}".rstrip()

    def is_meant_by(self, patterns: Iterable[str]) -> bool:
        """Whether one of the patterns means it: ``zope.*``, ``Jinja2``; spelling as in PEP 503."""
        from fnmatch import fnmatchcase

        name = _normal(self.name)
        return any(fnmatchcase(name, _normal(pattern)) for pattern in patterns)


_known: dict[str, Distribution] = {}
_by_package: dict[str, list[str]] | None = None


def distribution_of(filename: str) -> Distribution:
    """The distribution that installed a file; named like the top package where none says so."""
    if filename not in _known:
        package, inside = package_of(filename)
        try:
            _known[filename] = _find(package, inside)
        except Exception:  # damaged metadata must not be what a program dies of
            _known[filename] = Distribution(package, "")
    return _known[filename]


def _find(package: str, inside: str) -> Distribution:
    from importlib_metadata import distribution, packages_distributions

    global _by_package
    if _by_package is None:
        found_by_package = packages_distributions().items()
        _by_package = {name: list(dict.fromkeys(found)) for name, found in found_by_package}
    names = _by_package.get(package, [])
    found = [distribution(name) for name in names]
    if len(found) > 1:  # a namespace package
        own = inside.replace(os.sep, "/")
        found = [one for one in found if any(str(file) == own for file in one.files or ())]
    if not found:
        return Distribution(package, "")
    return Distribution(str(found[0].metadata["Name"]), str(found[0].version))


def _normal(name: str) -> str:
    """The name as PEP 503 compares names."""
    lower = name.lower().replace("_", "-").replace(".", "-")
    while "--" in lower:
        lower = lower.replace("--", "-")
    return lower
