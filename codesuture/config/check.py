"""Is this a key, and is this a value for it? One answer for files, variables, flags and `set`."""

from __future__ import annotations

from codesuture.config.errors import ConfigError, did_you_mean
from codesuture.config.keys import BY_NAME, find
from codesuture.config.kinds import Table, UnknownGuard


def check(name: str, value: object) -> None:
    """Raise ConfigError when `value` (as TOML has it) is wrong for the key `name`.

    `name` may be an entry of a table (`guards.null_guard`); the error's `key` then says which.
    """
    found = find(name)
    if found is None:
        raise unknown_key(name)
    key, entry = found
    try:
        if not entry:
            key.kind.check(value)
        elif isinstance(key.kind, Table):
            key.kind.check_name(entry)
            key.kind.of.check(value)
    except UnknownGuard as problem:
        from codesuture.guards.names import BUILT_IN

        hint = did_you_mean(problem.name, BUILT_IN)
        raise ConfigError(f"{name!r} {problem}", hint, name) from None
    except ValueError as problem:
        raise ConfigError(f"{name!r} {problem}", key=name) from None
    if isinstance(value, dict) and not entry:
        for item in value:
            check(f"{name}.{item}", value[item])


def parse(name: str, text: str) -> object:
    """The checked value (as TOML has it) that `text` stands for; ConfigError as in `check`."""
    found = find(name)
    if found is None:
        raise unknown_key(name)
    key, entry = found
    kind = key.kind.of if entry and isinstance(key.kind, Table) else key.kind
    try:
        value = kind.parse(text)
    except ValueError as problem:
        raise ConfigError(f"{name!r} {problem}", key=name) from None
    check(name, value)
    return value


def unknown_key(name: str) -> ConfigError:
    """The error for a key that does not exist, with the nearest one that does."""
    return ConfigError(f"there is no key {name!r}", did_you_mean(name, BY_NAME), name)
