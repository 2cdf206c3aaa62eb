"""The one exception of this package."""

from __future__ import annotations

import errno

_REMEDIES = {
    errno.ENOSPC: "Free some space, or set CODESUTURE_STORE to a folder on another disk",
    errno.EDQUOT: "Free some space, or set CODESUTURE_STORE to a folder on another disk",
    errno.EFBIG: "Raise the limit on file sizes, or set CODESUTURE_STORE to another folder",
    errno.EROFS: "Set CODESUTURE_STORE to a folder that can be written",
    errno.EACCES: "Give yourself access to it, or set CODESUTURE_STORE to another folder",
    errno.EPERM: "Give yourself access to it, or set CODESUTURE_STORE to another folder",
    errno.ENOTDIR: "Move the file that is in the way, or set CODESUTURE_STORE to another folder",
    errno.EEXIST: "Move the file that is in the way, or set CODESUTURE_STORE to another folder",
}


class StoreError(Exception):
    """The store cannot do what was asked. The message is a sentence for the user."""

    @classmethod
    def from_os(cls, action: str, path: str, error: OSError) -> StoreError:
        """``action`` is what failed, as in "write"; the remedy depends on the error number."""
        remedy = _REMEDIES.get(error.errno or 0)
        reason = error.strerror or type(error).__name__
        return cls(f"Could not {action} {path}: {reason}.{f' {remedy}.' if remedy else ''}")
