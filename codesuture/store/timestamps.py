"""Moments as the store writes them: ISO 8601, UTC, whole seconds, ``2025-01-31T12:00:00Z``.

Written so, they sort as text.
"""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Raises ``ValueError`` for a datetime without a time zone: it could mean anything."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone; use datetime.now(UTC)")
    plain = moment.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="seconds") + "Z"


def from_text(text: str) -> datetime:
    """Raises ``ValueError`` for anything that ``to_text`` would not have written."""
    try:
        moment = datetime.fromisoformat(text)
        if to_text(moment) == text:  # fromisoformat takes many other forms
            return moment
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"not a moment such as 2025-01-31T12:00:00Z: {text!r}")
