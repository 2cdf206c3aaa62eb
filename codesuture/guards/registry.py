"""All guards: the built-in ones in the order in which they are asked, then third parties'.

Imported at the first crash, with every guard.
"""

from __future__ import annotations

from codesuture.guards.argument import ArgumentGuard
from codesuture.guards.attribute import AttributeGuard
from codesuture.guards.awaiting import AwaitGuard
from codesuture.guards.call import CallGuard
from codesuture.guards.callable import CallableGuard
from codesuture.guards.chain_subscript import ChainSubscriptGuard
from codesuture.guards.context_manager import ContextManagerGuard
from codesuture.guards.division import DivisionGuard
from codesuture.guards.file import FileGuard
from codesuture.guards.format import FormatGuard
from codesuture.guards.guard import Guard
from codesuture.guards.index import IndexGuard
from codesuture.guards.iteration import IterationGuard
from codesuture.guards.key import KeyGuard
from codesuture.guards.length import LengthGuard
from codesuture.guards.list_bound import ListBoundGuard
from codesuture.guards.lookup import LookupGuard
from codesuture.guards.membership import MembershipGuard
from codesuture.guards.names import BUILT_IN, ENTRY_POINT_GROUP
from codesuture.guards.none_operand import NoneOperandGuard
from codesuture.guards.null import NullGuard
from codesuture.guards.operand import OperandGuard
from codesuture.guards.str_coerce import StrCoerceGuard
from codesuture.guards.subscript import SubscriptGuard
from codesuture.guards.type_coercion import TypeCoercionGuard
from codesuture.guards.unpacking import UnpackGuard
from codesuture.messages import emit
from codesuture.once import Once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from codesuture.diagnosis.crash import Crash

_CALL = CallGuard()

_BUILT_IN: tuple[Guard, ...] = (
    ChainSubscriptGuard(),
    NullGuard(),
    KeyGuard(),
    SubscriptGuard(),
    IndexGuard(),
    ListBoundGuard(),
    TypeCoercionGuard(),
    DivisionGuard(),
    StrCoerceGuard(),
    FileGuard(),
    CallableGuard(),
    AttributeGuard(),
    IterationGuard(),
    LengthGuard(),
    NoneOperandGuard(),
    ContextManagerGuard(),
    AwaitGuard(),
    UnpackGuard(),
    MembershipGuard(),
    FormatGuard(),
    OperandGuard(),
    LookupGuard(),
    ArgumentGuard(),
    _CALL,
)

_NEEDED = (
    "name", "operations", "exceptions", "recognises", "target", "default", "value", "whole_chain",
    "fixed", "reaches_library", "budget", "meaning", "advice",
)  # fmt: skip

_third_party: tuple[Guard, ...] = ()


def built_in() -> tuple[Guard, ...]:
    """The built-in guards in the order in which they are asked."""
    return _BUILT_IN


def third_party() -> tuple[Guard, ...]:
    """The guards of the entry points ``codesuture.guards``, by name; found once in a process.

    Importing importlib-metadata takes 40 ms, so it waits until no built-in guard knows a crash.
    """
    if not _loading.done:
        _loading.run()  # a guard that crashes while it is loaded finds no others
    return _third_party


def by_name(name: str) -> Guard | None:
    """The guard of this name, or None."""
    if name in BUILT_IN:
        return next(guard for guard in _BUILT_IN if guard.name == name)
    return next((guard for guard in third_party() if guard.name == name), None)


#: The built-in guards that may know a crash of one operation and exception type, in their order.
_candidates: dict[tuple[str, type[BaseException]], tuple[Guard, ...]] = {}
_MOST_CANDIDATES = 1_000


def _fits(guard: Guard, operation: str, kind: type[BaseException]) -> bool:
    return operation in guard.operations and issubclass(kind, guard.exceptions)


def _built_in_for(operation: str, kind: type[BaseException]) -> tuple[Guard, ...]:
    if len(_candidates) >= _MOST_CANDIDATES:
        _candidates.clear()
    found = tuple(guard for guard in _BUILT_IN if _fits(guard, operation, kind))
    _candidates[operation, kind] = found
    return found


def recognise(crash: Crash, switches: Mapping[str, bool]) -> Guard | None:
    """The first guard that recognises a crash of the instruction itself, or None; ``switches`` tell
    which are on, as those are that they do not name."""
    operation, kind = crash.operation, type(crash.exception)
    candidates = _candidates.get((operation, kind))
    if candidates is None:
        candidates = _built_in_for(operation, kind)
    for guard in candidates:
        if guard.recognises(crash) and switches.get(guard.name, True):
            return guard
    for guard in third_party():
        try:
            on = switches.get(guard.name, True)
            if on and _fits(guard, operation, kind) and guard.recognises(crash):
                return guard
        except Exception as fault:
            _report(guard.name, f"it failed at a crash ({type(fault).__name__}: {fault})")
    return None


def recognise_call(crash: Crash, switches: Mapping[str, bool]) -> Guard | None:
    """The guard of calls, where what was called has crashed and the instruction has not."""
    known = _fits(_CALL, crash.operation, type(crash.exception)) and switches.get(_CALL.name, True)
    return _CALL if known and _CALL.recognises(crash) else None


def _load_third_party() -> None:
    global _third_party
    from importlib_metadata import entry_points

    loaded: list[Guard] = []
    for point in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name):
        if point.name in BUILT_IN or point.name in [guard.name for guard in loaded]:
            _report(point.name, "a guard of this name is there already")
            continue
        try:
            found = point.load()
            guard = found() if isinstance(found, type) else found
        except Exception as fault:
            _report(point.name, f"it cannot be loaded ({type(fault).__name__}: {fault})")
            continue
        problem = _problem(guard, point.name)
        if problem:
            _report(point.name, problem)
        else:
            loaded.append(guard)
    _third_party = tuple(loaded)


_loading = Once(_load_third_party)


def _problem(guard: object, name: str) -> str:
    """What keeps an object from being the guard of this name, or the empty string."""
    missing = [needed for needed in _NEEDED if not hasattr(guard, needed)]
    if missing:
        return f"it has no {', '.join(missing)}"
    if guard.name != name:  # type: ignore[attr-defined]
        return f"its entry point has the name {name}, the guard itself another"
    kinds = guard.exceptions  # type: ignore[attr-defined]
    if type(kinds) is not tuple or not all(
        isinstance(kind, type) and issubclass(kind, Exception) for kind in kinds
    ):
        return "its `exceptions` is not a tuple of exception types"
    return ""


_reported: set[str] = set()


def _report(name: str, problem: str) -> None:
    """One line for each third-party guard that is left out."""
    if name not in _reported:
        _reported.add(name)
        emit(f"The guard {name} is not used: {problem}.")
