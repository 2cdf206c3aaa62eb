"""What became of a supplied value: followed through the function that got it (``--shadow``).

A default such as ``None``, ``0`` or ``""`` has no identity of its own, so it is not followed as an
object but as a place: the slot of the stack, the variables and whatever is computed from them,
along the instructions that really ran (``flow``, ``states``). The interpreter tells of each one
(``events``), in the healed call only. What the value reaches is noted with its line (``record``),
and a later crash on it is laid to the patch that supplied it (``crashes``).

Imported at the first heal where the key ``shadow`` is on, and never where it is off.
"""

from __future__ import annotations

from codesuture.shadow.crashes import crashed, ended
from codesuture.shadow.record import CONSEQUENCE, store
from codesuture.shadow.watching import follow

__all__ = ["CONSEQUENCE", "crashed", "ended", "follow", "store"]
