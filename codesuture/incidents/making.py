"""Making the record of a crash from what is known where it happened."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from codesuture import __version__
from codesuture.config.match import matches, names_of
from codesuture.diagnosis.expression import (
    Attribute,
    Expression,
    Free,
    Global,
    Local,
    Name,
    Subscript,
)
from codesuture.diagnosis.messages import exception_text
from codesuture.fate.views import view_of
from codesuture.incidents.incident import (
    MOST_CHAIN,
    MOST_VALUES,
    Incident,
    moment_text,
    new_record,
)
from codesuture.incidents.redaction import Redaction
from codesuture.incidents.severity import severity
from codesuture.session import module_of
from codesuture.store.patch import Patch
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.opcodes import TAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType, FrameType
    from typing import Any

    from codesuture.decision import Decision
    from codesuture.diagnosis.crash import Crash
    from codesuture.engines.sightings import Sighting
    from codesuture.session import Session

    #: A frame and the instruction (byte offset) that it is at.
    Step = tuple[FrameType, int]

_OWN = ("codesuture", "codesuture_agent")
_TOLD = (Local, Free, Name, Global, Attribute, Subscript)
_MOST_EXPRESSIONS = 50


class Happening:
    """What became of an exception that nobody handles, and why.

    ``why`` completes "left alone because"; ``verdict`` and ``evidence`` are fate's. ``crash`` and
    ``decision`` are there where the crash was looked into, ``sighting`` where an engine has seen it
    as it was raised. ``steps`` is the way out of the crash, the crashing frame first.
    """

    __slots__ = (
        "action", "crash", "decision", "evidence", "exception", "sighting", "steps", "verdict",
        "why",
    )  # fmt: skip

    def __init__(
        self,
        action: str,
        exception: BaseException,
        steps: list[Step],
        verdict: str,
        evidence: str,
        why: str = "",
        crash: Crash | None = None,
        decision: Decision | None = None,
        sighting: Sighting | None = None,
    ) -> None:
        self.action = action
        self.exception = exception
        self.steps = steps
        self.verdict = verdict
        self.evidence = evidence
        self.why = why
        self.crash = crash
        self.decision = decision
        self.sighting = sighting


def make(session: Session, happening: Happening) -> Incident:
    """The record; ``steps`` must have one frame at least."""
    frame = happening.steps[0][0]
    patch = None if happening.decision is None else happening.decision.patch
    module = module_of(frame)
    redaction = Redaction(session.config.incidents_values, session.config.incidents_redact)
    facts: dict[str, str | int] = {
        "record": new_record(),
        "time": moment_text(datetime.now(UTC)),
        "count": 0,  # the store counts
        **_site(session, happening, module),
        "action": happening.action,
        "why": happening.why,
        "exception.type": _type_name(happening.exception),
        "exception.message": _message(happening.exception, frame.f_code, redaction),
        "fate.verdict": happening.verdict,
        "fate.evidence": happening.evidence,
        "process.pid": os.getpid(),
        "agent.language": "python",
        "agent.version": TAG,
        "agent.name": "codesuture",
        "agent.release": __version__,
    }
    if happening.decision is not None and patch is not None:
        facts["guard"] = patch.guard
        facts["default"] = happening.decision.recipe.describe()
        if not happening.decision.refusal:
            facts["patch"] = patch.id
    if happening.action == "healed" and patch is not None:
        facts["id"] = patch.id
    else:
        facts["id"] = identify(facts)
    facts["severity"] = _severity(session, frame, module, facts)
    facts.update(_request())
    seen = happening.sighting
    if seen is not None:
        chain = list(seen.chain)
        return Incident.of(facts, chain[0].get("variables", []), chain)
    return Incident.of(facts, _values(happening.crash, redaction), _chain(session, happening))


def identify(facts: dict[str, str | int]) -> str:
    """The id of a crash that was not healed; a healed one has that of its patch."""
    parts = [str(facts.get(name, "")) for name in (
        "site.module", "site.qualname", "site.fingerprint", "site.ordinal", "exception.type",
    )]  # fmt: skip
    module, qualname, print_of_code, ordinal, kind = parts
    return Patch.identify(module, qualname, print_of_code, int(ordinal or 0), kind)


def callers(frame: FrameType, offset: int) -> list[Step]:
    """The frames from a crash outward, as far as the record tells of them."""
    steps = [(frame, offset)]
    at = frame.f_back
    while at is not None and len(steps) <= MOST_CHAIN:
        steps.append((at, at.f_lasti))
        at = at.f_back
    return steps


def _site(session: Session, happening: Happening, module: str) -> dict[str, str | int]:
    frame, offset = happening.steps[0]
    crash, decision = happening.crash, happening.decision
    found: dict[str, str | int] = {
        "site.module": module,
        "site.qualname": frame.f_code.co_qualname,
        "site.file": session.relative(frame.f_code.co_filename),
        "site.line": _line(frame.f_code, offset),
        "site.fingerprint": fingerprint(frame.f_code),
        "site.ordinal": view_of(frame.f_code).ordinal(offset) or 0,
    }
    if crash is not None:
        found["site.ordinal"] = crash.site.ordinal
        found["site.line"] = crash.line
        found["site.operation"] = crash.operation
        found["site.expression"] = crash.source
    if decision is not None:
        found["site.target"] = decision.patch.target
        found["site.ordinal"] = decision.patch.ordinal
    return found


def _type_name(exception: BaseException) -> str:
    name: str = type.__dict__["__name__"].__get__(type(exception))
    return name


def _message(exception: BaseException, code: CodeType, redaction: Redaction) -> str:
    known = [*code.co_names, *code.co_varnames]
    known += [constant for constant in code.co_consts if type(constant) is str]
    return redaction.message(type(exception), exception_text(exception), known)


def _severity(
    session: Session, frame: FrameType, module: str, facts: dict[str, str | int]
) -> str:
    config = session.config
    names = names_of(frame.f_globals.get("__name__"), module)
    return severity(
        config.severity,
        names,
        frame.f_code.co_qualname,
        str(facts.get("guard", "")),
        str(facts["exception.type"]),
        str(facts["action"]),
        matches(names, config.protect),
    )


def _request() -> dict[str, str | int]:
    """The request that is being served here, where ``web`` is in use."""
    marking = sys.modules.get("codesuture.web.marking")
    request = None if marking is None else marking.current()
    if request is None:
        return {}
    method, space, path = str(request).partition(" ")
    return {"request.method": method, "request.path": path} if space and path[:1] == "/" else {}


def _values(crash: Crash | None, redaction: Redaction) -> list[dict[str, Any]]:
    """What the operands and the variables in them are, by the names that the source has."""
    if crash is None:
        return []
    found: dict[str, dict[str, Any]] = {}
    for expression in _expressions(crash):
        name = expression.text()
        if name not in found and type(expression) in _TOLD:
            found[name] = redaction.describe(name, crash.evaluate(expression))
        if len(found) >= MOST_VALUES:
            break
    return list(found.values())


def _expressions(crash: Crash) -> Iterator[Expression]:
    """The operands and what they are made of; not the name of a function that is called."""
    waiting = [*crash.operands, *crash.keywords.values()]
    if crash.operation == "call" and waiting and type(waiting[0]) in (Global, Name):
        waiting.pop(0)
    for _ in range(_MOST_EXPRESSIONS):
        if not waiting:
            return
        expression = waiting.pop(0)
        yield expression
        waiting += expression.parts()


def _chain(session: Session, happening: Happening) -> list[dict[str, Any]]:
    return [
        {
            "module": _cut(module_of(frame)),
            "qualname": _cut(frame.f_code.co_qualname),
            "file": _cut(session.relative(frame.f_code.co_filename)),
            "line": _line(frame.f_code, offset),
        }
        for frame, offset in _without_own(happening.steps)
    ]  # fmt: skip


def _without_own(steps: Iterable[Step]) -> list[Step]:
    """Without frames of codesuture, such as those of its middlewares."""
    found = []
    for frame, offset in steps:
        module = frame.f_globals.get("__name__")
        if type(module) is str and module.partition(".")[0] in _OWN:
            continue
        found.append((frame, offset))
    return found[:MOST_CHAIN]


def _cut(text: str) -> str:
    from codesuture.store.fields import fitting

    return fitting(text, 300)


def _line(code: CodeType, offset: int) -> int:
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line or 0
    return 0
