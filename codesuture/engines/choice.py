"""Which engine sees exceptions in code without pads, and switching it on.

``auto`` is ``inplace`` on every version. What both others see at the raise comes to a boundary a
little later, with a traceback that tells nearly as much; and they cost something for every
exception of the program (docs/engines.md has the numbers), ``trace`` even for every call.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.session import Session

#: Engines that watch the program: the versions they are for, from the first up to the second, and
#: what to use on others.
WATCHING = {
    "monitoring": ((3, 12), (4, 0), "needs sys.monitoring, which Python has from 3.12 on", "trace"),
    "trace": ((3, 11), (3, 12), "is for Python 3.11; later ones have a cheaper way", "monitoring"),
}


def obstacle(engine: str) -> tuple[str, str] | None:
    """Why the engine is not for this Python, and what to do, as sentences; None where it is."""
    if engine not in WATCHING:
        return None
    first, behind, why, other = WATCHING[engine]
    if first <= sys.version_info[:2] < behind:
        return None
    here = ".".join(map(str, sys.version_info[:2]))
    return (
        f"the engine {engine!r} {why}; this is {here}",
        f"use --engine {other} here, or --engine inplace",
    )


def begin(session: Session) -> None:
    """Switch on the engine that is configured.

    What keeps it from working is one line, and the program is healed in place all the same.
    """
    engine = session.config.engine
    if engine not in WATCHING:
        return
    from codesuture.messages import emit

    found = obstacle(engine)
    if found is not None:
        emit(f"{found[0]}; crashes are healed in place only ({found[1]})")
        return
    if engine == "trace":
        from codesuture.engines import tracing

        tracing.begin(session)
        return
    from codesuture.engines import monitoring

    if not monitoring.begin(session):
        emit(
            "the engine 'monitoring' is off: other tools have all six tool ids of sys.monitoring; "
            "crashes are healed in place only"
        )
