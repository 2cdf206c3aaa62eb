"""Adding landing pads to code objects: all that is specific to bytecode.

``arm`` adds the pads, ``disarm`` gives the original back, ``sites_of`` tells the sites. What only a
crash needs (``surgery.landing``, ``surgery.fingerprint``) is not imported here: this is imported
whenever an interpreter starts.
"""

from __future__ import annotations

from codesuture.surgery.arming import arm, disarm, disarm_all, is_armed, original_of
from codesuture.surgery.sites import Site, sites_of

__all__ = [
    "Site",
    "arm",
    "disarm",
    "disarm_all",
    "is_armed",
    "original_of",
    "sites_of",
]
