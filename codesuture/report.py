"""What is said, on standard error, about a crash that was or was not healed."""

from __future__ import annotations

from codesuture.decision import Decision
from codesuture.diagnosis.crash import Crash
from codesuture.messages import emit
from codesuture.session import Session
from codesuture.surgery.landing import Landing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType


def report_heal(session: Session, decision: Decision, crash: Crash, landing: Landing) -> None:
    """The lines about a patch that was made just now; loaded ones were announced before."""
    if session.config.quiet:
        return
    patch = decision.patch
    lines = [*caught(decision), f"Patch applied to {_function(patch.qualname)}."]
    if session.config.verbose:
        added = landing.instructions_for(crash.site)
        lines += [
            f"  default: {patch.default.describe()} ({patch.rung}: {patch.reason})",
            f"  fate: {patch.fate}",
            f"  change: +{added} -0 instructions (allowed <= {decision.guard.budget})",
        ]
    lines.append(
        f"Continuing in place at {patch.file}:{patch.line}; nothing was re-executed."
    )
    emit(*lines)


def report_rewriting(module: str, code: CodeType) -> None:
    """The line about operators of a module that keep their operands; only when asked for."""
    from codesuture.surgery.keeping import KEPT_INSTRUCTIONS, kept_in

    count = kept_in(code)
    added, removed = (count * each for each in KEPT_INSTRUCTIONS)
    emit(
        f"  change: +{added} -{removed} instructions in {module}, whose patched operators work on "
        f"copies of their operands ({count})"
    )


def report_refusal(decision: Decision) -> None:
    """The lines about a crash that would have been healed; the exception goes on."""
    patch = decision.patch
    emit(
        *caught(decision, "Would apply"),
        f"Not applied at {patch.file}:{patch.line}: {decision.refusal}; "
        f"it would have supplied {patch.default.describe()} ({patch.reason}).",
    )


def report_breaker(decision: Decision) -> None:
    """The line about a site that has been healed too often."""
    patch = decision.patch
    emit(
        f"{patch.guard} on '{patch.target}' at {patch.file}:{patch.line} was used too often in one "
        "call or one process (breaker); the exception goes on."
    )


def caught(decision: Decision, doing: str = "Applying") -> list[str]:
    """What crashed, and which guard does something about it."""
    patch = decision.patch
    message = f": {patch.message}" if patch.message else ""
    inside = f", inside {patch.library}" if patch.library else ""
    return [
        f"Caught {patch.exception}{message}{inside}",
        f"{doing} {patch.guard} on '{patch.target}' ...",
    ]


def _function(qualname: str) -> str:
    """``get_bio()``, or what stands for it at module level and in comprehensions."""
    return qualname if qualname.endswith(">") else f"{qualname}()"
