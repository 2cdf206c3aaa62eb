"""Adding landing pads to code objects: all that is specific to bytecode.

``arm`` adds the pads, ``disarm`` gives the original back, ``sites_of`` tells the sites.
"""

from __future__ import annotations

from codesuture.surgery.arming import arm, disarm, disarm_all, is_armed, original_of
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.landing import Landing
from codesuture.surgery.sites import Site, sites_of

__all__ = [
    "Landing",
    "Site",
    "arm",
    "disarm",
    "disarm_all",
    "fingerprint",
    "is_armed",
    "original_of",
    "sites_of",
]
