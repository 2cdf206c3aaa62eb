"""How bad a crash is, by rules: the configuration's, then these."""

from __future__ import annotations

from codesuture.config.match import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

INFO, WARNING, ERROR, CRITICAL = "info", "warning", "error", "critical"
LEVELS = (INFO, WARNING, ERROR, CRITICAL)

HEALED, LEFT_ALONE, REPLAYED, OBSERVED = "healed", "left_alone", "replayed", "observed"
ACTIONS = (HEALED, LEFT_ALONE, REPLAYED, OBSERVED)

#: What an action means where no rule says otherwise: a crash that was not healed is an error.
BY_ACTION = {HEALED: WARNING, REPLAYED: ERROR, LEFT_ALONE: ERROR, OBSERVED: ERROR}


def severity(
    rules: Mapping[str, str],
    modules: tuple[str, ...],
    qualname: str,
    guard: str,
    exception: str,
    action: str,
    is_protected: bool,
) -> str:
    """One of ``LEVELS``. Protected code comes first, where a crash is always ``critical``; then the
    rules, the more special ones before the others: a function (``module:qualname``), a module
    pattern (of several the worst level), a guard, an exception type, an action."""
    if is_protected:
        return CRITICAL
    for module in modules:
        level = rules.get(f"{module}:{qualname}")
        if level is not None:
            return level
    found = [
        level
        for pattern, level in rules.items()
        if ":" not in pattern and matches(modules, (pattern,))
    ]
    if found:
        return max(found, key=LEVELS.index)
    for name in (guard, exception, action):
        level = rules.get(name)
        if level is not None:
            return level
    return BY_ACTION[action]

