"""codesuture's agent: what runs when an interpreter starts with codesuture switched on.

Installed as ``codesuture_agent`` and called by the line in ``codesuture.pth``. It imports next to
nothing, and nothing that goes wrong in it keeps a program from running.
"""

from __future__ import annotations

from .boot import launch, start

__all__ = ["launch", "start"]
