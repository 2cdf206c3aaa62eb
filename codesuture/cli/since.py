"""Moments as they are written on a command line: `2d`, `3h`, `2026-11-25`, `2026-11-25T07:00`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from codesuture.cli.failure import Failure

_SPAN = re.compile(r"(\d{1,6})\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_before(text: str, option: str) -> datetime:
    """The moment that `text` means: so long before now, or a date (its beginning) or a moment.

    Without a time zone it is UTC, as everything that is printed. Failure (2) for anything else.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    try:
        if found:
            return datetime.now(UTC) - timedelta(**{_UNITS[found[2]]: int(found[1])})
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Failure(
            f"{option} {text!r} is neither a length of time nor a date",
            "30m, 3h, 2d and 1w are lengths of time before now",
            "2026-11-25 and 2026-11-25T07:00 are dates (UTC)",
            code=2,
        ) from None
