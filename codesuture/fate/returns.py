"""What a function can return, read from its bytecode: ``__exit__`` and makers of managers."""

from __future__ import annotations

from types import FunctionType

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING
from codesuture.fate.scope import InstanceOf, Scope, truth
from codesuture.fate.symbols import constant
from codesuture.fate.verdict import HANDLED, PASSES, UNKNOWN, Notes, Outcome, Raised
from codesuture.fate.views import view_of
from codesuture.surgery.instructions import jump_target
from codesuture.surgery.opcodes import JUMPS, NAMES, TERMINATES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.fate.handlers import ManagerJudge
    from codesuture.fate.symbols import Stack, Symbol
    from codesuture.fate.views import CodeView

_MOST_STEPS = 3000
_GENERATOR = 0x20 | 0x200


def judge_exit(
    function: FunctionType,
    receiver: object,
    raised: Raised,
    notes: Notes,
    manager: ManagerJudge,
) -> Outcome:
    """What ``function`` does as ``__exit__`` (``receiver`` is None: called without one)."""
    code = function.__code__
    name = function.__qualname__
    if code.co_flags & _GENERATOR:
        return Outcome(UNKNOWN, f"has {name}, which is a generator")
    given: list[object] = [] if receiver is None else [receiver]
    given += [raised.type, InstanceOf(raised.type)]
    assumed = dict(zip(code.co_varnames[: code.co_argcount], given, strict=False))
    scope = Scope.of_function(function, notes, assumed)
    answers = _Ways(view_of(code), scope).answers()
    if answers == {False}:
        return Outcome(PASSES, f"has {name}, which lets it pass", raised)
    if answers == {True}:
        return Outcome(HANDLED, f"has {name}, which returns true")
    if answers == {"raise"}:
        return Outcome(HANDLED, f"has {name}, which raises another exception instead")
    return Outcome(UNKNOWN, f"has {name}, which may return true").varying()


def may_return(function: FunctionType, given: tuple[object, ...]) -> bool:
    """Whether a function that is asked what to make of an exception may give anything but None
    or another false value, or raises something.

    ``given`` are its arguments: MISSING where they are not known, the type for the exception.
    """
    code = function.__code__
    known = _known_to_return.get((code, given[-1]))
    if known is None:
        values = [*given[:-1], InstanceOf(given[-1])]  # type: ignore[arg-type]
        names = zip(code.co_varnames[: code.co_argcount], values, strict=False)
        assumed = {name: value for name, value in names if value is not MISSING}
        scope = Scope.of_function(function, Notes(), assumed)
        if len(_known_to_return) > _MOST_KNOWN:
            _known_to_return.clear()
        plain = not code.co_flags & _GENERATOR and code.co_argcount == len(given)
        known = not plain or _Ways(view_of(code), scope).answers() != {False}
        _known_to_return[code, given[-1]] = known
    return known


_known_to_return: dict[tuple[object, object], bool] = {}
_MOST_KNOWN = 1000


class _Ways:
    """All ways through a function, also those through handlers of its own.

    Each way has its own stack, so that ``a and b`` is one of the two. What it raises while it
    handles another exception does not count: only a fault in ``__exit__`` leads there.
    """

    def __init__(self, view: CodeView, scope: Scope) -> None:
        self.view = view
        self.scope = scope

    def answers(self) -> set[object]:
        """The truth of what is returned on each way: True, False, None (not known), "raise"."""
        found: set[object] = set()
        for name, symbol in self.ends():
            if name == "RAISE_VARARGS":
                found.add("raise")
            elif name.startswith("RETURN"):
                found.add(self.truth(symbol))
        return found or {None}

    def truth(self, symbol: Symbol) -> bool | None:
        value = self.scope.value(symbol)
        if type(value) is InstanceOf and issubclass(value.cls, BaseException):
            return True
        return truth(symbol, self.scope, self.view)

    def ends(self) -> list[tuple[str, Symbol]]:
        """How the ways end: the instruction and what it takes."""
        view = self.view
        found: list[tuple[str, Symbol]] = []
        seen: set[tuple[int, Stack, bool]] = set()
        work: list[tuple[int, Stack, bool]] = [(0, (), False)]
        while work:
            number, stack, handling = work.pop()
            if number >= len(view.instructions) or (number, stack, handling) in seen:
                continue
            seen.add((number, stack, handling))
            if len(seen) > _MOST_STEPS:
                return [("RETURN_VALUE", None)]
            start, _, op, argument, _ = instruction = view.instructions[number]
            name = NAMES[op]
            handler = view.handler(start, stack)
            if handler is not None:
                work.append((*handler, True))
            if TERMINATES[op] and not JUMPS[op]:
                if not (handling and name == "RAISE_VARARGS"):
                    found.append((name, self.taken(name, argument, stack)))
                continue
            jumps: bool | None = False
            if JUMPS[op]:
                jumps = True if TERMINATES[op] else self.jumps(name, stack)
                target = view.ordinal(jump_target(instruction))
                if jumps is not False and target is not None:
                    work.append((target, view.behind(number, stack, True), handling))
            if jumps is not True:
                work.append((number + 1, view.behind(number, stack, False), handling))
        return found

    def taken(self, name: str, argument: int, stack: Stack) -> Symbol:
        if name == "RETURN_CONST":
            return constant(self.view.code.co_consts[argument])
        return stack[-1] if stack else None

    def jumps(self, name: str, stack: Stack) -> bool | None:
        test = stack[-1] if stack else None
        if "_NONE" in name:
            value = self.scope.value(test)
            if value is MISSING:
                return None
            return (value is None) != name.endswith("_NOT_NONE")
        if "_IF_" in name:
            true = self.truth(test)
            if true is not None:
                return true == ("_IF_TRUE" in name)
        return None


def returned(function: FunctionType, notes: Notes, depth: int = 0) -> type | None:
    """The class of what a function returns, where all of its ways return the same one."""
    code = function.__code__
    if code.co_flags & (_GENERATOR | 0x80) or depth > 3:
        return None
    scope = Scope.of_function(function, notes, {})
    ways = _Ways(view_of(code), scope)
    classes: set[type | None] = set()
    for name, symbol in ways.ends():
        if name.startswith("RETURN"):
            classes.add(_class_of(symbol, scope, notes, depth))
    return classes.pop() if len(classes) == 1 else None


def returns_one(function: FunctionType, notes: Notes) -> bool:
    """Whether all ways of a function return what one and the same expression gives."""
    ends = _Ways(view_of(function.__code__), Scope.of_function(function, notes, {})).ends()
    results = {symbol for name, symbol in ends if name.startswith("RETURN")}
    return len(results) == 1 and None not in results


def _class_of(symbol: Symbol, scope: Scope, notes: Notes, depth: int) -> type | None:
    value = scope.value(symbol)
    if type(value) is InstanceOf:
        return value.cls
    if value is not MISSING and not lookup.is_class(value):
        return type(value)
    if symbol is not None and symbol[0] == "call":
        function = scope.value(symbol[1])  # type: ignore[arg-type]
        if type(function) is FunctionType:
            return returned(function, notes, depth + 1)
    return None
