"""Prove or learn: exceptions whose fate could not be told beforehand.

Such an exception is left alone: perhaps a library takes it for an answer. If it reaches a boundary
all the same, that is the proof that nobody handles it. The proof is kept in the store for its site,
its type and the very chain of callers, and where all of that comes together again, in this
process or a later one, the crash is healed in place.

What reaches the top of the program is found when the process ends, what reaches another boundary
where that reports it (``fate.Boundary.reports``). Until then only the chain's code is kept, never
the exception or a frame: what a program lets go of must go.
"""

from __future__ import annotations

from codesuture.ending import TOP
from codesuture.proving.doubts import settle
from codesuture.proving.proofs import prove

__all__ = ["TOP", "prove", "settle"]
