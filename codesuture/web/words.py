"""Names of the program as they may stand in a header and in a line of a log."""

from __future__ import annotations

LONGEST = 100

#: What stands as it is; everything else is percent-encoded, as in RFC 3986. Targets are keys and
#: attribute names, which may hold anything, line ends included.
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-[]'()")


def token(text: str) -> str:
    """``text`` without anything that has a meaning in a header: at most ``LONGEST`` characters."""
    found: list[str] = []
    room = LONGEST
    for byte in text.encode("utf-8", "replace"):
        one = chr(byte) if byte in _PLAIN else f"%{byte:02X}"
        room -= len(one)
        if room < 0:
            break
        found.append(one)
    return "".join(found)


def line(method: object, path: object) -> str:
    """A request as messages name it: ``GET /orders``, without what comes behind ``?``."""
    text = path.decode("latin-1") if isinstance(path, bytes) else str(path)
    return f"{token(str(method))} {_path(text.partition('?')[0])}"


def _path(text: str) -> str:
    return "/".join(token(part) for part in text[: 2 * LONGEST].split("/"))
