"""The names of the built-in guards, without importing a single guard.

The configuration checks guard names at interpreter start, where the guards themselves are not
loaded yet. `tests/config/test_guard_names.py` keeps this tuple equal to the registry.
"""

from __future__ import annotations

BUILT_IN: tuple[str, ...] = (
    "chain_subscript_guard",
    "null_guard",
    "key_guard",
    "subscript_guard",
    "index_guard",
    "list_bound_guard",
    "type_coercion_guard",
    "division_guard",
    "str_coerce_guard",
    "file_guard",
    "callable_guard",
    "attribute_guard",
    "iteration_guard",
    "length_guard",
    "none_operand_guard",
    "context_manager_guard",
    "await_guard",
    "unpack_guard",
    "membership_guard",
    "format_guard",
    "operand_guard",
    "lookup_guard",
    "argument_guard",
    "call_guard",
)

ENTRY_POINT_GROUP = "codesuture.guards"


def is_registered(name: str) -> bool:
    """Whether `name` is a built-in guard, or one that an installed distribution registers.

    Entry points are looked up (and importlib-metadata imported) only for a name that is not
    built in; the guard itself is not loaded.
    """
    if name in BUILT_IN:
        return True
    from importlib_metadata import entry_points

    return any(point.name == name for point in entry_points(group=ENTRY_POINT_GROUP))
