"""Comparing types without asking their metaclasses."""

from __future__ import annotations


def is_exactly(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether the value is of one of these types itself; a metaclass may define ``==`` anew."""
    kind = type(value)
    return any(kind is known for known in kinds)
