"""Results that one process keeps for others of the same user, in files beside the user's key.

What is kept must follow from what it is kept for: ``name`` says what that is, ``header`` all that
tells whether it is still right. A file holds a signature, the header and the result as ``marshal``
has it; one that is not exactly what it should be counts as none. Each kind has a folder with room
for ``PLACES`` files: the name tells the place, and what comes to the place of another is written
over it. So nothing has to be tidied up, and everything may be removed at any time.
"""

from __future__ import annotations

import os
from marshal import dumps, loads

from codesuture import armedcache, cachekey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cachekey import Key

PLACES = 1024
_SIGNATURE = 8
#: Bytes that a file may have.
_LARGEST = 1 << 20


def load(key: Key, kind: str, name: bytes, header: bytes) -> object:
    """What is kept. Raises LookupError, OSError or what ``marshal`` raises where nothing is."""
    content = armedcache.read(_place(key, kind, name))
    view = memoryview(content)
    right = content.startswith(header, _SIGNATURE)
    if not right or content[:_SIGNATURE] != key.sign(view[_SIGNATURE:], name):
        raise LookupError("kept for something else")
    return loads(view[_SIGNATURE + len(header) :])


def save(key: Key, kind: str, name: bytes, header: bytes, result: object) -> None:
    """Keep a result. Raises OSError, and ValueError for one that cannot be kept."""
    content = header + dumps(result)  # type: ignore[arg-type]  # what cannot be is told
    if len(content) > _LARGEST:
        raise ValueError("too large to be kept")
    place = _place(key, kind, name)
    os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
    armedcache.write(place, key.sign(content, name) + content, 0o600)


def _place(key: Key, kind: str, name: bytes) -> str:
    number = int.from_bytes(key.sign(name), "little") % PLACES
    return os.path.join(cachekey.folder() or "", kind, f"{number:03x}")
