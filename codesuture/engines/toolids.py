"""Tool ids of ``sys.monitoring``: six for the whole interpreter, most of them meant for somebody.

PEP 669 names 0 for debuggers, 1 for coverage, 2 for profilers and 5 for optimizers; 3 and 4 are
anybody's. Who comes politely takes those first, and the others only where nothing else is left:
whoever they are meant for may still come.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: ``sys.monitoring``; this is imported only where there is one.
monitoring: Any = vars(sys)["monitoring"]

#: From the most to the least polite.
ORDER = (4, 3, 5, 2, 1, 0)


def take(name: str) -> int | None:
    """A tool id that nobody has, in use under ``name``; None where there is none."""
    for tool in ORDER:
        try:
            monitoring.use_tool_id(tool, name)
        except ValueError:  # somebody has it
            continue
        return tool
    return None


def give_back(tool: int, events: int) -> None:
    """Free a tool id whose ``events`` were set for all code.

    Up to 3.13 freeing it leaves its events and callbacks where they are.
    """
    monitoring.set_events(tool, 0)
    for bit in range(events.bit_length()):
        if events >> bit & 1:
            monitoring.register_callback(tool, 1 << bit, None)
    monitoring.free_tool_id(tool)
