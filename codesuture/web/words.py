"""Names of the program as they may stand in a header and in a line of a log."""

from __future__ import annotations

LONGEST = 100

#: What stands as it is; everything else is percent-encoded, as in RFC 3986. Targets are keys and
#: attribute names, which may hold anything, line ends included.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-[]'()")


def token(text: str) -> str:
    """``text`` without anything that has a meaning in a header: at most ``LONGEST`` characters."""
    found = ""
    for sign in text[:LONGEST]:
        more = sign if sign in _PLAIN else _encoded(sign)
        if len(found) + len(more) > LONGEST:
            break
        found += more
    return found


def _encoded(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "replace"))


def line(method: object, path: object) -> str:
    """A request as messages name it: ``GET /orders``, without what comes behind ``?``."""
    text = path.decode("latin-1") if isinstance(path, bytes) else str(path)
    return f"{token(str(method))} {_path(text.partition('?')[0])}"


def _path(text: str) -> str:
    return "/".join(token(part) for part in text[: 2 * LONGEST].split("/"))
