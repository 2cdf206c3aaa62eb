"""The meaning of symbols: in a frame, or in a function that is only thought of."""

from __future__ import annotations

from _functools import partial  # type: ignore[import-not-found]
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType

from codesuture.fate import lookup
from codesuture.fate.lookup import MISSING
from codesuture.frames import local_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from codesuture.fate.symbols import Symbol
    from codesuture.fate.verdict import Likeness, Notes
    from codesuture.fate.views import CodeView

_DEPTH = 12
#: Functions of the library whose results are asked for callables of theirs: the result's class.
_RESULTS: dict[str, tuple[str, str]] = {
    "_contextvars.copy_context": ("_contextvars", "Context"),
    "re.compile": ("re", "Pattern"),
}


class InstanceOf:
    """Some object of a class, where only the class is known."""

    __slots__ = ("cls",)

    def __init__(self, cls: type) -> None:
        self.cls = cls


class Scope:
    """Names and what they stand for. ``live`` says that locals can be looked up.

    ``assumed`` holds local names whose values are supposed: the arguments of ``__exit__``.
    """

    __slots__ = ("_frame", "assumed", "builtins", "free", "globals", "notes")

    def __init__(
        self,
        globals: dict[str, object],
        builtins: dict[str, object],
        notes: Notes,
        frame: FrameType | None = None,
        assumed: dict[str, object] | None = None,
        free: dict[str, object] | None = None,
    ) -> None:
        self.globals = globals
        self.builtins = builtins
        self.notes = notes
        self._frame = frame
        self.assumed = assumed or {}
        self.free = free or {}

    @classmethod
    def of_frame(cls, frame: FrameType, notes: Notes) -> Scope:
        return cls(frame.f_globals, frame.f_builtins, notes, frame)

    @classmethod
    def of_function(
        cls, function: FunctionType, notes: Notes, assumed: dict[str, object]
    ) -> Scope:
        free: dict[str, object] = {}
        cells = function.__closure__ or ()
        for name, cell in zip(function.__code__.co_freevars, cells, strict=False):
            free[name] = _cell_content(cell)
        builtins = getattr(function, "__builtins__")  # noqa: B009 (mypy's cache loses it)
        return cls(function.__globals__, builtins, notes, None, assumed, free)

    def global_value(self, name: str) -> object:
        for space in (self.globals, self.builtins):
            if type(space) is not dict:
                self.notes.live = True
                if not issubclass(type(space), dict):
                    return MISSING
            value = dict.get(space, name, MISSING)
            if value is not MISSING:
                self.notes.relies_on((self.globals, self.builtins, name, value))
                return value
        return MISSING

    def local_value(self, name: str) -> object:
        self.notes.live = True
        if name in self.assumed:
            return self.assumed[name]
        if self._frame is None:
            return self.free.get(name, MISSING)
        try:
            return local_variables(self._frame)[name]
        except Exception:
            return MISSING

    def name_value(self, name: str) -> object:
        """LOAD_NAME: locals (a class body's or the module's), then globals."""
        frame = self._frame
        if frame is not None:
            space = local_variables(frame)
            if space is not frame.f_globals:
                self.notes.live = True
                if type(space) is not dict:
                    return MISSING
                if name in space:
                    return space[name]
        return self.global_value(name)

    def look_at(self, symbol: Symbol) -> tuple[object, bool]:
        """Like :meth:`value`, and whether it may be another object next time.

        Then the answer relies on nothing yet: the caller notes what of it matters.
        """
        before, self.notes.live = self.notes.live, False
        value, changes = self.value(symbol), self.notes.live
        self.notes.live = before
        return value, changes

    def rely_on_like(self, symbol: Symbol, value: object, like: Likeness | None) -> None:
        """Note that of what ``symbol`` stands for in the frame only this matters: that it is
        ``like`` that, or (None) of its type."""
        if self._frame is None:  # a function that is only thought of: nothing to look at again
            self.notes.live = True
        else:
            self.notes.held.append((symbol, like or type(value)))

    def value(self, symbol: Symbol, depth: int = 0) -> object:
        """The object that ``symbol`` stands for, an :class:`InstanceOf`, or MISSING."""
        if symbol is None or depth > _DEPTH:
            return MISSING
        kind = symbol[0]
        if kind == "const":
            return symbol[2]
        if kind == "global":
            return self.global_value(symbol[1])  # type: ignore[arg-type]
        if kind in ("local", "free"):
            return self.local_value(symbol[1])  # type: ignore[arg-type]
        if kind == "name":
            return self.name_value(symbol[1])  # type: ignore[arg-type]
        if kind == "attr":
            return self._attribute(symbol, depth)
        if kind == "super":
            return self._above(symbol[1:], depth)
        if kind == "item":
            self.notes.live = True
            owner = self.value(symbol[1], depth + 1)  # type: ignore[arg-type]
            return lookup.item(owner, self.value(symbol[2], depth + 1))  # type: ignore[arg-type]
        if kind == "call":
            return self._instance(symbol, depth)
        if kind == "instance":
            return InstanceOf(symbol[1])  # type: ignore[arg-type]
        if kind == "tuple":
            items = tuple(self.value(part, depth + 1) for part in symbol[1])  # type: ignore[attr-defined]
            return MISSING if any(part is MISSING for part in items) else items
        return MISSING

    def _attribute(self, symbol: Symbol, depth: int) -> object:
        assert symbol is not None
        owner = self.value(symbol[1], depth + 1)  # type: ignore[arg-type]
        name: str = symbol[2]  # type: ignore[assignment]
        if owner is MISSING:
            return MISSING
        if type(owner) is InstanceOf and owner.cls is super:
            return self._above_of_call(symbol, depth)
        if type(owner) is InstanceOf:
            entry = lookup.class_entry(owner.cls, name)
            return lookup.bind_unseen(entry, owner, owner.cls)
        found = lookup.attribute(owner, name)
        if lookup.is_class(owner) or type(owner) is ModuleType:
            self.notes.facts.append(lambda: lookup.attribute(owner, name) is found)
        else:
            self.notes.live = True
        return found

    def _above_of_call(self, symbol: Symbol, depth: int) -> object:
        """``super().name`` and ``super(cls, instance).name`` as 3.11 writes them."""
        assert symbol is not None
        _, function, arguments = symbol[1][:3]  # type: ignore[index]
        if arguments == () and self._frame is not None:
            first = self._frame.f_code.co_varnames[:1]
            arguments = (("free", "__class__"), *(("local", name) for name in first))
        if type(arguments) is not tuple or len(arguments) != 2:
            return MISSING
        return self._above((function, *arguments, symbol[2]), depth)

    def _above(self, parts: tuple[object, ...], depth: int) -> object:
        """``super(cls, owner).name``, of the symbols of its parts and the name."""
        function, start, owner = (self.value(part, depth + 1) for part in parts[:3])  # type: ignore[arg-type]
        if function is not super or not lookup.is_class(start):
            return MISSING
        return lookup.above(start, owner, parts[3])  # type: ignore[arg-type]

    def _instance(self, symbol: Symbol, depth: int) -> object:
        """A call of a plain class gives an instance of it."""
        assert symbol is not None
        function = self.value(symbol[1], depth + 1)  # type: ignore[arg-type]
        if not lookup.is_class(function):
            named = _RESULTS.get(lookup.place(function))
            made = MISSING if named is None else lookup.loaded(*named)
            return InstanceOf(made) if lookup.is_class(made) else MISSING  # type: ignore[arg-type]
        if lookup.class_entry(type(function), "__call__") is not type.__call__:
            return MISSING
        new = lookup.class_entry(function, "__new__")  # type: ignore[arg-type]
        if function is type:
            return MISSING
        if function is partial:
            return self._partial(symbol[2], depth)
        if type(new) in (staticmethod, FunctionType) and not lookup.is_library(function):
            return MISSING
        return InstanceOf(function)  # type: ignore[arg-type]


    def _partial(self, arguments: object, depth: int) -> object:
        """A partial like the one that the call makes, as far as what it calls goes."""
        if type(arguments) is tuple and arguments:
            held = self.value(arguments[0], depth + 1)
            if isinstance(held, (FunctionType, MethodType, BuiltinFunctionType)):
                return partial(held)
        return InstanceOf(partial)


def _cell_content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def truth(symbol: Symbol, scope: Scope, view: CodeView) -> bool | None:
    """Whether the value is true, where that can be told without running the program's code."""
    if symbol is None:
        return None
    kind = symbol[0]
    if kind == "not":
        inner = truth(symbol[1], scope, view)  # type: ignore[arg-type]
        return None if inner is None else not inner
    if kind == "is":
        left = scope.value(symbol[1])  # type: ignore[arg-type]
        right = scope.value(symbol[2])  # type: ignore[arg-type]
        if any(side is MISSING or type(side) is InstanceOf for side in (left, right)):
            return None
        return (left is right) != symbol[3]
    if kind == "call":
        return _class_test(symbol, scope)
    value = scope.value(symbol)
    if type(value) in (bool, int, str, bytes, type(None), tuple, list, dict, set, frozenset, float):
        return bool(value)
    if lookup.is_class(value) and type(value) is type:
        return True
    return None


def _class_test(symbol: Symbol, scope: Scope) -> bool | None:
    """``isinstance(exc, KeyError)`` and ``issubclass(exc_type, KeyError)`` on exceptions."""
    assert symbol is not None
    function = scope.value(symbol[1])  # type: ignore[arg-type]
    arguments = symbol[2]
    if function is not isinstance and function is not issubclass:
        return None
    if type(arguments) is not tuple or len(arguments) != 2:
        return None
    subject, against = (scope.value(argument) for argument in arguments)
    if function is isinstance:
        subject = subject.cls if type(subject) is InstanceOf else type(subject)
    if not lookup.is_class(subject) or not issubclass(subject, BaseException):  # type: ignore[arg-type]
        return None
    return matches(subject, against)  # type: ignore[arg-type]


def matches(raised: type[BaseException], against: object) -> bool | None:
    """Whether ``except against`` catches the type; None where that is not known.

    ``PyErr_GivenExceptionMatches`` (Python/errors.c) looks at the MRO only, so ``issubclass`` hooks
    play no part.
    """
    if type(against) is tuple:
        answers = [matches(raised, part) for part in against]
        if True in answers:
            return True
        return None if None in answers else False
    if not lookup.is_class(against):
        return None
    return against in lookup.mro(raised)


def is_catchable(against: object) -> bool | None:
    """Whether ``except against`` is allowed (Python/ceval.c, _PyEval_CheckExceptTypeValid)."""
    if against is MISSING or type(against) is InstanceOf:
        return None
    parts = against if type(against) is tuple else (against,)
    return all(lookup.is_class(part) and BaseException in lookup.mro(part) for part in parts)
