"""Fate: would anybody handle it?

``fate(frame, offset, exception)`` is asked at every crash before anything is healed: ``HANDLED``
by the program or a library, ``UNHANDLED``, or ``UNKNOWN``.
"""

from __future__ import annotations

from codesuture.fate.boundaries import Boundary, register, reporting
from codesuture.fate.verdict import HANDLED, UNHANDLED, UNKNOWN, Notes, Verdict
from codesuture.fate.walk import AT_TOP, fate

__all__ = [
    "AT_TOP",
    "HANDLED",
    "UNHANDLED",
    "UNKNOWN",
    "Boundary",
    "Notes",
    "Verdict",
    "fate",
    "register",
    "reporting",
]
