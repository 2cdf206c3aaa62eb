"""For which modules a store has patches, told from its files' bytes.

Reading patches imports much more than a program needs that has none (``json``, ``dataclasses``,
``hashlib``: some 100 million instructions). Most programs of a project have none.
"""

from __future__ import annotations

import os

from .trust import distrust

_FOLDER = "patches"
_READ = os.O_RDONLY
for _flag in ("O_CLOEXEC", "O_NOFOLLOW", "O_BINARY", "O_NOINHERIT", "O_NONBLOCK"):
    _READ |= getattr(os, _flag, 0)
_LARGEST = 64 * 1024
#: As ``documents.encode`` writes the keys of a document. There is no such line within a string.
_MODULE, _LEARNED, _END = b'\n  "module": "', b'\n  "learned": ', b"\n}\n"


def modules_of(store: str) -> frozenset[str] | None:
    """The names of all modules that patches of the store are for.

    None where the store has to be read: something is not as the store itself writes it, or not to
    be trusted, which is to be said; or a patch is for code without pads (``Patch.learned``), which
    may be made anywhere.
    """
    found = set()
    folder = os.path.join(store, _FOLDER)
    try:
        if not _is_trusted(store, os.stat(store)):
            return None
        names = os.listdir(folder) if os.path.lexists(folder) else []
        for name in names:
            if name.endswith(".json") and name[0] != ".":
                module = _module_of(os.path.join(folder, name))
                if not module:
                    return None
                found.add(module)
        if names and not _is_trusted(folder, os.stat(folder)):
            return None
    except (OSError, ValueError):
        return None
    return frozenset(found)


def _is_trusted(path: str, status: os.stat_result) -> bool:
    return not distrust(path, status)


def _module_of(path: str) -> str:
    """The module of one patch; empty where the file has to be read."""
    descriptor = os.open(path, _READ)
    try:
        trusted = _is_trusted(path, os.fstat(descriptor))
        content = os.read(descriptor, _LARGEST + 1)
    finally:
        os.close(descriptor)
    if not trusted or len(content) > _LARGEST or not content.endswith(_END):
        return ""
    if content.count(_MODULE) != 1 or _LEARNED in content:
        return ""
    name = content.partition(_MODULE)[2].partition(b"\n")[0]
    return name[:-2].decode() if name.endswith(b'",') and b"\\" not in name else ""
