"""What a context manager does with an exception that leaves its ``with`` body.

The manager is known by how it was made (``suppress(KeyError)``) or as the object itself. Its
``__exit__`` is read like a handler: what can it return for this exception? A generator under
``contextlib.contextmanager`` is asked what the code around its ``yield`` does.
"""

from __future__ import annotations

from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    FunctionType,
    GeneratorType,
    MethodType,
)

from codesuture.fate import lookup
from codesuture.fate.handlers import judge_frame
from codesuture.fate.held import check_of
from codesuture.fate.known_managers import depends_on_value, judge_known
from codesuture.fate.lookup import MISSING, place
from codesuture.fate.returns import judge_exit, returned, returns_one
from codesuture.fate.scope import InstanceOf, Scope
from codesuture.fate.symbols import mentions
from codesuture.fate.verdict import HANDLED, PASSES, UNKNOWN, Notes, Outcome, Raised
from codesuture.fate.views import view_of
from codesuture.surgery.opcodes import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.symbols import Symbol
    from codesuture.fate.verdict import Held, Likeness
    from codesuture.fate.views import CodeView

_GENERATOR = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR
_MOST_NESTED = 8
#: Managers whose state decides, and whose ``__enter__`` returns themselves.
_ENTER_THEMSELVES = ("contextlib.ExitStack", "contextlib.AsyncExitStack")


def judge_manager(
    symbol: Symbol, target: int, scope: Scope, view: CodeView, raised: Raised, depth: int = 0
) -> Outcome:
    """What the manager that ``symbol`` made does with ``raised``.

    ``target`` is the handler of the ``with`` statement. Variables mean now what they meant when the
    body was entered, unless the body binds them.
    """
    if depth > _MOST_NESTED:
        return Outcome(UNKNOWN, "has context managers nested too deeply to follow")
    name, bound = view.body_of(target)
    if mentions(symbol, bound):
        changes = "has a context manager whose variables change in its body"
        return Outcome(UNKNOWN, changes).varying()
    value, may_change = scope.look_at(symbol)
    if type(value) is InstanceOf:
        if name is not None and name not in bound and place(value.cls) in _ENTER_THEMSELVES:
            held, _ = scope.look_at(name)
            if type(held) is value.cls:
                return _judge_held(name, held, scope, raised, depth)
        scope.notes.live |= may_change
        return judge_class(value.cls, _arguments(symbol, scope, value.cls), scope, raised, depth)
    if value is not MISSING:
        if may_change:
            return _judge_held(symbol, value, scope, raised, depth)
        return judge_object(value, scope, raised, depth)
    scope.notes.live |= may_change
    if symbol is not None and symbol[0] == "call":
        function = scope.value(symbol[1])  # type: ignore[arg-type]
        if function is not MISSING:
            arguments = _arguments(symbol, scope, function)
            return judge_call(function, arguments, scope, raised, depth)
    unknown = Outcome(UNKNOWN, "has a context manager that cannot be told")
    return unknown.varying() if symbol is None else unknown  # None: one of several, mostly


def _judge_held(
    symbol: Symbol, value: object, scope: Scope, raised: Raised, depth: int
) -> Outcome:
    """What this manager does, which ``symbol`` stands for in the frame: another one, next time."""
    outcome = judge_object(value, scope, raised, depth)
    scope.rely_on_like(symbol, value, outcome.like)
    return outcome


def _arguments(symbol: Symbol, scope: Scope, function: object) -> tuple[object, ...] | None:
    """The values of a call's arguments; None where not even their number is known, or where they
    do not matter for the manager that ``function`` makes."""
    made = lookup.mro(function) if lookup.is_class(function) else (function,)  # type: ignore[arg-type]
    if not any(depends_on_value(place(one)) for one in made):
        return None
    if symbol is None or symbol[0] != "call":
        return None
    if type(symbol[2]) is tuple:
        return tuple(scope.value(argument) for argument in symbol[2])
    unpacked = scope.value(symbol[3])  # type: ignore[arg-type]
    return unpacked if type(unpacked) is tuple else None


def judge_call(
    function: object,
    arguments: tuple[object, ...] | None,
    scope: Scope,
    raised: Raised,
    depth: int,
) -> Outcome:
    """What the manager does that ``function(*arguments)`` has made."""
    plain = function.__func__ if type(function) is MethodType else function
    if place(plain) in _RECREATES and type(function) is MethodType:
        return _judge_again(function.__self__, scope, raised, depth)
    known = judge_known(place(plain), arguments, None, scope, raised)
    if known is not None:
        return known
    if lookup.is_class(function):
        return judge_class(function, arguments, scope, raised, depth)  # type: ignore[arg-type]
    if type(plain) is not FunctionType:
        return Outcome(UNKNOWN, "has a context manager made by a call that cannot be read")
    generator = wrapped_generator(plain)
    if generator is not None:
        return judge_generator(generator, scope, raised, depth)
    made = returned(plain, scope.notes)
    if made is None:
        name = plain.__qualname__
        why = f"has the context manager {name}(...), whose kind cannot be told"
        unknown = Outcome(UNKNOWN, why)
        return unknown if returns_one(plain, scope.notes) else unknown.varying()
    return judge_class(made, None, scope, raised, depth)


#: What a manager used as a decorator calls for each call (Lib/contextlib.py).
_RECREATES = (
    "contextlib._GeneratorContextManagerBase._recreate_cm",
    "contextlib.ContextDecorator._recreate_cm",
    "contextlib.AsyncContextDecorator._recreate_cm",
)


def _judge_again(manager: object, scope: Scope, raised: Raised, depth: int) -> Outcome:
    """A manager that makes another one like itself."""
    generator = lookup.attribute(manager, "func")
    if type(generator) is FunctionType:
        return judge_generator(generator, scope, raised, depth)
    return judge_object(manager, scope, raised, depth)


def wrapped_generator(function: FunctionType) -> FunctionType | None:
    """The generator function beneath ``@contextmanager`` or ``@asynccontextmanager``."""
    if function.__code__.co_qualname not in (
        "contextmanager.<locals>.helper",
        "asynccontextmanager.<locals>.helper",
    ) or function.__globals__.get("__name__") != "contextlib":
        return None
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
        if name == "func" and type(cell.cell_contents) is FunctionType:
            return cell.cell_contents
    return None


def judge_generator(
    function: FunctionType, scope: Scope, raised: Raised, depth: int
) -> Outcome:
    """What the code around the ``yield`` of a generator does; all of them, if it has several."""
    name = function.__qualname__
    if not function.__code__.co_flags & _GENERATOR:
        return Outcome(UNKNOWN, f"has the context manager {name}, which is no plain generator")
    if issubclass(raised.type, (StopIteration, StopAsyncIteration)):
        return Outcome(UNKNOWN, f"has the context manager {name} around a {raised.type.__name__}")
    inner = Scope.of_function(function, scope.notes, {})
    view = view_of(function.__code__)
    outcomes = [
        judge_frame(view, inner, offset, raised, _nested(depth)) for offset in yields(view)
    ]
    kinds = {outcome.kind for outcome in outcomes}
    if kinds == {PASSES}:
        return Outcome(PASSES, f"leaves it to {name}, which lets it pass", outcomes[0].raised)
    if kinds == {HANDLED}:
        return Outcome(HANDLED, f"has the context manager {name}, which {outcomes[0].why}")
    return Outcome(UNKNOWN, f"has the context manager {name}, which may handle it").varying()


def _nested(depth: int):  # type: ignore[no-untyped-def]
    def judge(
        symbol: Symbol, target: int, scope: Scope, view: CodeView, raised: Raised
    ) -> Outcome:
        return judge_manager(symbol, target, scope, view, raised, depth + 1)

    return judge


def yields(view: CodeView) -> list[int]:
    """The offsets where a generator's own ``yield`` waits, not those inside ``await``."""
    found = []
    for number, row in enumerate(view.instructions):
        if NAMES[row[2]] != "YIELD_VALUE" or view.stacks[number] is None:
            continue
        before = NAMES[view.instructions[number - 1][2]] if number else ""
        if before != "SEND":
            found.append(row[0])
    return found


def judge_object(value: object, scope: Scope, raised: Raised, depth: int) -> Outcome:
    """What this context manager does."""
    cls = type(value)
    kind = place(cls)
    if kind in ("contextlib.ExitStack", "contextlib.AsyncExitStack"):
        return judge_stack(value, scope, raised, depth)
    if kind in ("contextlib._GeneratorContextManager", "contextlib._AsyncGeneratorContextManager"):
        return _judge_live_generator(value, scope, raised, depth)
    known = judge_known(kind, None, value, scope, raised)
    if known is not None:
        scope.notes.live |= depends_on_value(kind)
        return known
    return judge_class(cls, None, scope, raised, depth, value)


def _judge_live_generator(value: object, scope: Scope, raised: Raised, depth: int) -> Outcome:
    """``value`` is what ``@contextmanager`` makes, and waits in its ``yield``."""
    frame = _generator_frame(value)
    if frame is None:
        scope.notes.live = True
        return Outcome(UNKNOWN, "has a context manager that has ended already")
    notes = Notes()
    inner = Scope.of_frame(frame, notes)
    asked = _ASKS.get(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")
    if asked is not None:
        outcome = _judge_held(asked, inner.look_at(asked)[0], inner, raised, depth + 1)
    else:
        view = view_of(frame.f_code)
        outcome = judge_frame(view, inner, frame.f_lasti, raised, _nested(depth))
        outcome.why = f"has a context manager that {outcome.why}"
    scope.notes.take(notes)
    outcome.like = _like_generator(type(value), frame, notes.held)
    return outcome


#: Generators that ask another manager what to do with an exception, in a way that cannot be read.
_ASKS: dict[str, Symbol] = {"fastapi.concurrency.contextmanager_in_threadpool": ("local", "cm")}


def _generator_frame(manager: object) -> FrameType | None:
    generator = lookup.attribute(manager, "gen")
    if type(generator) is GeneratorType:
        return generator.gi_frame
    return generator.ag_frame if type(generator) is AsyncGeneratorType else None


def _like_generator(cls: type, frame: FrameType, inside: list[Held]) -> Likeness:
    code, lasti, check = frame.f_code, frame.f_lasti, check_of(inside)

    def like(other: object) -> bool:
        at = _generator_frame(other) if type(other) is cls else None
        if at is None or at.f_code is not code or at.f_lasti != lasti:
            return False
        return check is None or check(at)

    return like


def judge_stack(value: object, scope: Scope, raised: Raised, depth: int) -> Outcome:
    """The managers of an ExitStack, the last one first (Lib/contextlib.py)."""
    callbacks = _callbacks(value)
    if callbacks is None:
        scope.notes.live = True
        return Outcome(UNKNOWN, "has an ExitStack that cannot be read")
    name = type(value).__name__
    outcome, alike = Outcome(PASSES, "lets it pass", raised), []
    for callback in callbacks:
        outcome = _judge_callback(callback, scope, raised, depth + 1)
        alike.append(_like_callback(callback, outcome.like))
        if outcome.kind != PASSES:
            break
        raised = outcome.raised or raised
    found = Outcome(outcome.kind, f"has an {name} that {outcome.why}", raised)
    found.varies, found.like = outcome.varies, _like_stack(type(value), alike, len(callbacks))
    return found


def _callbacks(stack: object) -> list[object] | None:
    """What the stack calls, the first one first; only as many as the deque says it holds."""
    from collections import deque  # whoever has such a stack has imported it

    names = lookup.instance_dict(stack)
    found = None if names is None else names.get("_exit_callbacks")
    if type(found) is not deque:
        return None
    return [entry[1] for entry in reversed(found.copy())]


def _like_stack(cls: type, alike: list[Likeness], number: int) -> Likeness:
    """Asked at every crash, and mostly of empty stacks: how their names are read is looked up
    once."""
    from collections import deque

    read = lookup.class_entry(cls, "__dict__").__get__  # type: ignore[attr-defined]

    def like(other: object) -> bool:
        if type(other) is not cls:
            return False
        found = read(other).get("_exit_callbacks")
        if type(found) is not deque or len(found) != number:
            return False
        callbacks = _callbacks(other) if number else None
        if callbacks is None:
            return not number
        return all(one(callback) for one, callback in zip(alike, callbacks, strict=False))

    return like


def _like_callback(callback: object, like: Likeness | None) -> Likeness:
    """The same function, of a manager that is ``like`` that."""
    kind = type(callback)
    if type(callback) is FunctionType and _calls_only(callback):
        code = callback.__code__
        return lambda other: type(other) is FunctionType and other.__code__ is code
    if kind is not MethodType and kind is not BuiltinFunctionType:
        return lambda other: other is callback
    owner, name = type(callback.__self__), callback.__name__  # type: ignore[attr-defined]
    function = lookup.attribute(callback, "__func__")

    def same(other: object) -> bool:
        if type(other) is not kind or lookup.attribute(other, "__func__") is not function:
            return False
        if function is MISSING and other.__name__ != name:
            return False
        held = other.__self__
        return type(held) is owner if like is None else like(held)

    return same


def _judge_callback(callback: object, scope: Scope, raised: Raised, depth: int) -> Outcome:
    if type(callback) is BuiltinFunctionType and callback.__name__ == "__exit__":
        return judge_object(callback.__self__, scope, raised, depth)
    if type(callback) is MethodType:
        owner, function = callback.__self__, callback.__func__
        own = [lookup.class_entry(type(owner), name) for name in ("__exit__", "__aexit__")]
        if type(function) is FunctionType and not any(function is entry for entry in own):
            return judge_exit(function, owner, raised, scope.notes, _nested(depth))
        return judge_object(owner, scope, raised, depth)
    if type(callback) is not FunctionType:
        return Outcome(UNKNOWN, "has a callback that cannot be read")
    if _calls_only(callback):
        return Outcome(PASSES, "calls a function at its end")
    return judge_exit(callback, None, raised, scope.notes, _nested(depth))


def _calls_only(function: FunctionType) -> bool:
    """Whether it is what ``ExitStack.callback`` makes, which never swallows."""
    return "_create_" in function.__qualname__ and lookup.is_library(function)


def judge_class(
    cls: type,
    arguments: tuple[object, ...] | None,
    scope: Scope,
    raised: Raised,
    depth: int,
    value: object = MISSING,
) -> Outcome:
    """What an instance of ``cls``, made with these arguments, does."""
    for base in lookup.mro(cls):
        known = judge_known(place(base), arguments, None, scope, raised)
        if known is not None and _inherits_exit(cls, base):
            return known
    asynchronous = lookup.class_entry(cls, "__exit__") is MISSING
    name = "__aexit__" if asynchronous else "__exit__"
    entry = lookup.class_entry(cls, name)
    scope.notes.facts.append(lambda: lookup.class_entry(cls, name) is entry)
    if type(entry) is FunctionType:
        receiver = value if value is not MISSING else InstanceOf(cls)
        return judge_exit(entry, receiver, raised, scope.notes, _nested(depth))
    owner = lookup.defining_class(cls, name)
    if owner is not None and lookup.is_library(owner):
        return Outcome(PASSES, f"has a {place(cls)}, which lets it pass")
    return Outcome(UNKNOWN, f"has the context manager {place(cls)}, which cannot be read")


def _inherits_exit(cls: type, base: type) -> bool:
    for name in ("__exit__", "__aexit__"):
        if lookup.class_entry(cls, name) is not lookup.class_entry(base, name):
            return False
    return True
