"""codesuture keeps a crashing Python program running, in place, and tells about it."""

from __future__ import annotations

__version__ = "0.1.0"
