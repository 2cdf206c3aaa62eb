"""Who may have written a store: only its user.

A recipe decides what values a program goes on with, so a store that somebody else owns or
that everybody can write to is refused. Root is no exception: a store that root reads must
be root's. Windows has neither owners nor modes in this sense; there only the type counts.
"""

from __future__ import annotations

import os
import stat

from .errors import StoreError


def check_folder(path: str) -> bool:
    """True when the folder is there and trustworthy, False when there is nothing.

    Raises ``StoreError`` when it is not a folder, or not to be trusted.
    """
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if os.path.islink(path):
            raise StoreError(
                f"The store {path} is a symbolic link to a folder that does not exist. Create"
                " the folder or remove the link."
            ) from None
        return False
    except OSError as error:
        raise StoreError.from_os("read the store", path, error) from None
    if not stat.S_ISDIR(status.st_mode):
        raise StoreError(
            f"The store {path} is not a folder. Move it away, or set CODESUTURE_STORE to"
            " another folder."
        )
    problem = distrust(path, status)
    if problem:
        raise StoreError(f"The store {path} is not used because {problem}.")
    return True


def distrust(path: str, status: os.stat_result) -> str:
    """Why not to trust this file or folder and how to mend it; empty when there is no reason."""
    if os.name == "nt":
        return ""
    user = os.geteuid()
    if status.st_uid != user:
        return (
            f"it belongs to another user (user id {status.st_uid}, you are {user}). If you"
            f" trust what is in it, run: chown -R {user} {_quoted(path)}"
        )
    if status.st_mode & stat.S_IWOTH:
        return f"every user can write to it. To mend it, run: chmod -R o-w {_quoted(path)}"
    return ""


def _quoted(path: str) -> str:
    """For a POSIX shell."""
    return "'" + path.replace("'", "'\\''") + "'"
