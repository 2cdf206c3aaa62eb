"""Lets armed code run that has passed the gate, and no other; what has passed is remembered.

Modules that come out of the cache of armed code were verified before they got in: its signature
says so (``armedcache``). Of all other code a *mark* is kept when it has passed, in a file beside
the user's key: a signature of it and of what it was made from. So the gate is imported only where
there is code that nobody has seen yet, and ``bytecode`` only where that has a form of pads that was
not read yet.

Nobody without the key can make a mark that counts, so the file need not be trusted. Without a key
nothing is remembered, and the gate looks again in each process.
"""

from __future__ import annotations

import os
import sys
from marshal import dumps

from codesuture import cachekey
from codesuture.armedcache import start_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from codesuture.cachekey import Key
    from codesuture.surgery.gate import Seen

NAME = "verified"
_MARK = 8
#: Bytes of a file that has become too large; then it begins anew.
_LARGEST = 1 << 18
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_READ |= getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
_APPEND |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)

#: What was verified, as marks of the file, and as itself where there is no key.
_known: set[bytes] | None = None
_key: Key | None = None


class Incomplete(Exception):
    """What the gate reads with is not installed; says so, and what to do."""

    def __init__(self, package: str | None) -> None:
        super().__init__(
            f"The package {package}, which codesuture needs, is missing: code that was not armed "
            f"before runs without codesuture. Install it again ({sys.executable} -m pip install "
            "--force-reinstall codesuture); `codesuture doctor` tells whether all is well then."
        )


def admit(original: CodeType, armed: CodeType) -> str:
    """Why ``armed`` may not run in place of ``original``; empty where it may.

    Raises Incomplete where that cannot be told.
    """
    if armed is original or _has(_content(original, armed)):
        return ""
    from codesuture.surgery.gate import Rejected, verify

    try:
        _read_again(verify(original, armed))
    except Rejected as reason:
        return str(reason)
    except ImportError as missing:
        raise Incomplete(missing.name) from None
    except Exception as fault:  # what the gate cannot even read
        return f"it cannot be read ({type(fault).__name__}: {fault})"
    return ""


def remember(original: CodeType, armed: CodeType) -> None:
    """Remember that this code was admitted; for what does not get into a cache of its own."""
    content = _content(original, armed)
    if not _has(content):
        _add([content])


def _content(original: CodeType, armed: CodeType) -> bytes:
    """Both as bytes that are the same in every process.

    What later versions of the format abbreviate depends on who else refers to a string; only they
    have slices (3.14+), and then a mark may be looked for in vain.
    """
    try:
        return dumps((original, armed), 2)
    except ValueError:
        return dumps((original, armed))


def _read_again(seen: list[Seen]) -> None:
    """Let ``bytecode`` read what has a form that it has not read yet.

    The smallest come first, because reading is slow. Rewritten code is rare, and is always read.
    """
    from codesuture.surgery.gate import REWRITTEN

    forms = {form for one in seen for form in one.forms} - {REWRITTEN}
    new = {form for form in forms if not _has(form.encode())}
    left = set(new)
    for one in sorted(seen, key=lambda one: len(one.armed.co_code)):
        if REWRITTEN in one.forms or not left.isdisjoint(one.forms):
            from codesuture.surgery.graph import read_again

            read_again(one.original, one.armed)
            left -= one.forms
    if new:
        _add([form.encode() for form in new])


def _has(content: bytes) -> bool:
    global _known, _key
    if _known is None:
        _key = cachekey.load()
        _known = set() if _key is None else _read()
    return _mark(content) in _known


def _mark(content: bytes) -> bytes:
    return content if _key is None else _key.sign(content, start_of())


def _add(contents: list[bytes]) -> None:
    """Remember them here, and for other processes where that can be done."""
    global _known, _key
    if _key is None:
        _key = cachekey.load_or_create()
    marks = [_mark(content) for content in contents]
    _known = (_known or set()).union(marks)
    if _key is not None:
        try:
            _append(b"".join(marks))
        except OSError:
            return


def _path() -> str:
    return os.path.join(cachekey.folder() or "", NAME)


def _read() -> set[bytes]:
    try:
        descriptor = os.open(_path(), _READ)
        try:
            content = os.read(descriptor, 2 * _LARGEST)
        finally:
            os.close(descriptor)
    except OSError:
        return set()
    return {content[place : place + _MARK] for place in range(0, len(content), _MARK)}


def _append(marks: bytes) -> None:
    """Write them in one piece; the system puts it behind those of other processes."""
    descriptor = os.open(_path(), _APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size % _MARK:  # somebody was killed, or the disk was full
            marks = bytes(_MARK - size % _MARK) + marks
        if size + len(marks) <= _LARGEST:
            os.write(descriptor, marks)
            return
    finally:
        os.close(descriptor)
    os.unlink(_path())
