"""Random small programs that raise structural errors under all kinds of handlers.

``write(choose)`` gives a program; ``choose(n)`` picks a number below ``n``. ``examine(source)``
runs it armed, heals nothing, and compares what fate said at each crash with what became of
that very exception object.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable

PRELUDE = '''
import contextlib, functools, operator
ERRORS = (KeyError, AttributeError)
LATER = LookupError
class Kinds:
    errors = (TypeError, ZeroDivisionError)
    one = IndexError
class Lets:
    def __enter__(self): return self
    def __exit__(self, *a): return None
class Denies:
    def __enter__(self): return self
    def __exit__(self, kind, value, tb): return False
class Swallows:
    def __enter__(self): return self
    def __exit__(self, kind, value, tb): return True
class Only:
    def __enter__(self): return self
    def __exit__(self, kind, value, tb):
        return kind is not None and issubclass(kind, (KeyError, IndexError))
class Asks:
    def __enter__(self): return self
    def __exit__(self, kind, value, tb):
        if kind is None:
            return False
        if isinstance(value, LookupError):
            return True
class Replaces:
    def __enter__(self): return self
    def __exit__(self, kind, value, tb):
        if kind is not None:
            raise RuntimeError("replaced")
@contextlib.contextmanager
def lets():
    yield 1
@contextlib.contextmanager
def cleans():
    try:
        yield 1
    finally:
        len("x")
@contextlib.contextmanager
def swallows():
    try:
        yield 1
    except (KeyError, TypeError):
        pass
@contextlib.contextmanager
def replaces():
    try:
        yield 1
    except LookupError as error:
        raise RuntimeError("replaced") from error
@contextlib.contextmanager
def nests():
    with contextlib.suppress(AttributeError), Lets():
        yield 1
class Holder:
    def __init__(self, function): self.function = function
    @property
    def value(self): return self.function()
    def method(self): return self.function()
    def __call__(self): return self.function()
    def __getitem__(self, key): return self.function()
    def __iter__(self): return self.function() or iter(())
    def __len__(self): return self.function() or 0
    def __bool__(self): return bool(self.function())
    def __contains__(self, item): return bool(self.function())
    def __eq__(self, other): return self.function()
    def __hash__(self): return self.function() or 0
    def __lt__(self, other): return bool(self.function())
    def __add__(self, other): return self.function()
    def __str__(self): return str(self.function())
class Backed:
    def __init__(self, function): self.function = function
    @property
    def value(self): return self.function()
    def __getattr__(self, name):
        if name == "function": raise AttributeError(name)
        return 7
class Old:
    def __init__(self, function): self.function = function
    def __getitem__(self, key):
        if key > 2: raise IndexError
        return self.function()
class Next:
    def __init__(self, function): self.function = function; self.left = 2
    def __iter__(self): return self
    def __next__(self):
        self.left -= 1
        if self.left < 0: raise StopIteration
        return self.function()
def logged(function):
    @functools.wraps(function)
    def wrapper(*a, **k):
        try:
            return function(*a, **k)
        except Exception:
            raise
    return wrapper
def default(function):
    @functools.wraps(function)
    def wrapper(*a, **k):
        try:
            return function(*a, **k)
        except (KeyError, ZeroDivisionError):
            return 0
    return wrapper
def drive(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value
@types.coroutine
def pause():
    yield
'''

CRASHES = (
    "{}['k']", "NONE.x", "[][0]", "1 // ZERO", "int('x')", "NONE + 1", "len(3)", "NONE()",
    "NONE[0]", "'a' + ZERO", "iter(4)", "[1, 2][5]", "getattr(3, 'no')",
    "operator.itemgetter(4)([])",
)  # fmt: skip
TYPES = (
    "KeyError", "LookupError", "IndexError", "AttributeError", "TypeError", "Exception",
    "BaseException", "(KeyError, TypeError)", "(ValueError, OSError)", "ERRORS", "LATER",
    "Kinds.errors", "Kinds.one", "(OSError, ERRORS)", "ZeroDivisionError", "ArithmeticError",
)  # fmt: skip
MANAGERS = (
    "Lets()", "Denies()", "Swallows()", "Only()", "Asks()", "Replaces()", "lets()", "cleans()",
    "swallows()", "replaces()", "nests()", "contextlib.suppress(KeyError)",
    "contextlib.suppress(TypeError, IndexError)", "contextlib.nullcontext()",
    "contextlib.suppress(*ERRORS)", "LETS", "contextlib.ExitStack()",
)  # fmt: skip
USES = (
    "{f}()", "HELD['f']()", "Holder({f}).method()", "Holder({f})()", "Holder({f}).value",
    "Backed({f}).value", "hasattr(Holder({f}), 'value')", "getattr(Holder({f}), 'value', 3)",
    "getattr(Holder({f}), 'value')", "hasattr(Backed({f}), 'value')", "Holder({f})[1]",
    "list(Old({f}))", "[x for x in Old({f})]", "3 in Old({f})", "list(Next({f}))",
    "[x for x in Next({f})]", "next(Next({f}), 5)", "sorted([1, 2], key=lambda x: {f}() or 0)",
    "list(map(lambda x: {f}(), [1]))", "[*map(lambda x: {f}(), [1])]",
    "any({f}() for _ in range(2))", "sum(({f}() or 0) for _ in range(2))",
    "functools.partial({f})()", "functools.reduce(lambda a, b: {f}(), [1, 2])", "logged({f})()",
    "default({f})()", "max([1, 2], key=lambda x: {f}() or 0)", "list(Holder({f}))",
    "len(Holder({f}))", "bool(Holder({f}))", "1 if Holder({f}) else 2", "3 in Holder({f})",
    "3 in [Holder({f})]", "hash(Holder({f}))", "sorted([Holder({f}), Holder({f})])",
    "Holder({f}) + 1", "str(Holder({f}))", "f'{{Holder({f})}}'", "'%s' % Holder({f})",
    "(lambda: {f}())()", "[{f}() for _ in range(2)]", "{{k: {f}() for k in range(1)}}",
    "list(gen({f}))", "sum(1 for _ in gen({f}))", "[*gen({f})]", "list(deleg({f}))",
    "dict(a={f}())", "operator.attrgetter('value')(Holder({f}))",
    "list(filter(lambda x: {f}(), [1]))", "isinstance(3, int) and {f}()", "exec('{f}()')",
    "eval('{f}()')", "iter({f}, 0).__next__()", "drive(co({f}))", "drive(co2({f}))",
    "type('T', (), {{'x': {f}()}})", "tuple(Next({f}))", "min(Next({f}), default=0)",
    "(lambda *a: 0)(*Next({f}))", "(lambda *a: 0)(*gen({f}))", "print(end='', *[{f}() or ''])",
    "enumerate(gen({f})).__next__()", "list(zip(gen({f}), [1]))", "dict.fromkeys(gen({f}))",
    "[1].index(Holder({f}))", "list(reversed([{f}()]))",
    "contextlib.closing(Holder({f})) and {f}()",
)  # fmt: skip
SHARED = '''
def gen(f):
    yield 1
    yield f()
def deleg(f):
    try:
        yield from gen(f)
    except ZeroDivisionError:
        yield 3
async def co(f):
    await pause()
    return f()
async def co2(f):
    try:
        async with Async():
            return await co(f)
    except IndexError:
        return 3
class Async:
    async def __aenter__(self): return self
    async def __aexit__(self, kind, value, tb):
        await pause()
        return kind is AttributeError
LETS = Lets()
ZERO, NONE = 0, None
HELD = {}
'''


class Writer:
    """Writes one program; every choice is asked for, so that it can be made smaller."""

    def __init__(self, choose: Callable[[int], int]) -> None:
        self.choose = choose
        self.lines: list[str] = []
        self.left = 40
        self.functions = 0

    def pick(self, options: tuple[str, ...]) -> str:
        return options[self.choose(len(options))]

    def put(self, level: int, line: str) -> None:
        self.lines.append("    " * level + line)

    def program(self) -> str:
        for number in range(1 + self.choose(4)):
            self.put(0, f"def f{number}():")
            self.functions = number
            self.block(1, False, True)
        self.functions += 1
        self.block(0, False, False)
        return PRELUDE + SHARED + "\n".join(self.lines) + "\n"

    def block(self, level: int, loop: bool, function: bool) -> None:
        for _ in range(1 + self.choose(2)):
            self.statement(level, loop, function)

    def statement(self, level: int, loop: bool, function: bool) -> None:
        self.left -= 1
        if self.left < 0 or level > 5:
            self.put(level, self.expression())
            return
        shapes = (
            self.crash, self.crash, self.use, self.use, self.try_except, self.try_except,
            self.try_finally, self.managed, self.managed, self.loop, self.leave, self.condition,
            self.star, self.body,
        )  # fmt: skip
        shapes[self.choose(len(shapes))](level, loop, function)

    def expression(self) -> str:
        if self.functions and self.choose(2):
            return self.called()
        return self.pick(CRASHES)

    def called(self) -> str:
        name = f"f{self.choose(self.functions)}"
        return f"HELD['f'] = {name}; " + self.pick(USES).format(f=name)

    def crash(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, self.pick(CRASHES))

    def use(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, self.called() if self.functions else self.pick(CRASHES))

    def try_except(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, "try:")
        self.block(level + 1, loop, function)
        for _ in range(1 + self.choose(2)):
            name = self.pick(("", " as e", " as error"))
            self.put(level, f"except {self.pick(TYPES)}{name}:")
            self.handler(level + 1, loop, function, name[4:])
        if not self.choose(5):
            self.put(level, "except:")
            self.handler(level + 1, loop, function, "")
        if not self.choose(4):
            self.put(level, "else:")
            self.block(level + 1, loop, function)
        if not self.choose(4):
            self.put(level, "finally:")
            self.tail(level + 1, loop, function)

    def handler(self, level: int, loop: bool, function: bool, name: str) -> None:
        if not self.choose(3):
            self.block(level, loop, function)
        endings = ["pass", "pass", "raise", "raise RuntimeError('other')"]
        if name:
            endings += [
                f"raise {name}", f"raise {name}.with_traceback(None)",
                f"raise RuntimeError from {name}", f"if isinstance({name}, KeyError): raise",
                f"if not isinstance({name}, (KeyError, TypeError)): raise",
            ]  # fmt: skip
        if function:
            endings.append("return 1")
        if loop:
            endings += ["break", "continue"]
        self.put(level, endings[self.choose(len(endings))])

    def tail(self, level: int, loop: bool, function: bool) -> None:
        endings = ["pass", "len('x')", "len('x')"]
        if function:
            endings.append("return 2")
        if loop:
            endings += ["break", "continue"]
        self.put(level, endings[self.choose(len(endings))])

    def try_finally(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, "try:")
        self.block(level + 1, loop, function)
        self.put(level, "finally:")
        self.tail(level + 1, loop, function)

    def managed(self, level: int, loop: bool, function: bool) -> None:
        managers = ", ".join(
            self.pick(MANAGERS) + self.pick(("", " as m")) for _ in range(1 + self.choose(2))
        )
        self.put(level, f"with {managers}:")
        if "ExitStack() as m" in managers:
            self.put(level + 1, f"m.enter_context({self.pick(MANAGERS)})")
        self.block(level + 1, loop, function)

    def loop(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, f"for i{level} in range(2):")
        self.block(level + 1, True, function)

    def leave(self, level: int, loop: bool, function: bool) -> None:
        endings = ["pass"]
        if function:
            endings += ["return 5", f"return {self.pick(CRASHES)}"]
        if loop:
            endings += ["break", "continue"]
        self.put(level, f"if len('x') > {self.choose(2)}: {endings[self.choose(len(endings))]}")

    def condition(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, f"if len('x') > {self.choose(2)}:")
        self.block(level + 1, loop, function)

    def star(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, "try:")
        self.block(level + 1, loop, function)
        kind = self.pick(("KeyError", "LookupError", "Exception", "(TypeError, ValueError)"))
        self.put(level, f"except* {kind}:")
        self.put(level + 1, self.pick(("pass", "len('x')")))

    def body(self, level: int, loop: bool, function: bool) -> None:
        self.put(level, "class C:")
        self.block(level + 1, False, False)


def write(choose: Callable[[int], int]) -> str:
    """A random program."""
    return Writer(choose).program()


_said: list[tuple[BaseException, object]] = []


def _recover(exception: BaseException, function: str) -> None:
    from codesuture.fate import fate

    frame = sys._getframe(1)
    offset = exception.__traceback__.tb_lasti  # type: ignore[union-attr]
    _said.append((exception, fate(frame, offset, exception)))


def prepare() -> None:
    """Let fate be asked at every site, and answered for what leaves :func:`top`."""
    import builtins

    from codesuture.fate import register
    from codesuture.surgery.handlers import Handlers
    from codesuture.surgery.names import RUNTIME

    setattr(builtins, RUNTIME, _recover)
    Handlers.match = lambda self, target: None  # type: ignore[method-assign]
    register([f"{__name__}:top"])


def top(code: types.CodeType, space: dict[str, object]) -> BaseException | None:
    """Run the program; the exception that nobody handled."""
    try:
        exec(code, space)
    except BaseException as error:
        return error
    return None


def _leaves(error: BaseException | None) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [error, *(leaf for part in error.exceptions for leaf in _leaves(part))]
    return [] if error is None else [error]


def examine(source: str) -> tuple[list[str], int, int]:
    """Wrong answers, as sentences; how many were asked for; how many were UNKNOWN."""
    from codesuture.surgery.arming import arm

    _said.clear()
    code = arm(compile(source, "<random>", "exec", dont_inherit=True))
    escaped = _leaves(top(code, {"__name__": "random_program", "types": types}))
    # Fate supposes that handlers do not crash in their turn: what such a one dropped tells nothing.
    dropped = [exception.__context__ for exception, _ in _said]
    wrong, unknown = [], 0
    for exception, verdict in _said:
        if any(exception is other for other in dropped):
            continue
        truth = "UNHANDLED" if any(exception is leaf for leaf in escaped) else "HANDLED"
        if verdict.fate == "UNKNOWN":
            unknown += 1
        elif verdict.fate != truth:
            wrong.append(f"{exception!r} is {truth}, not {verdict.fate}: {verdict.evidence}")
    asked = len(_said)
    _said.clear()
    return wrong, asked, unknown


def main(first: int, count: int) -> None:
    """Examine ``count`` programs from seed ``first`` on; print what was wrong and the totals."""
    import json
    import random
    import warnings

    warnings.simplefilter("ignore")
    prepare()
    wrong: list[str] = []
    asked = unknown = 0
    for seed in range(first, first + count):
        errors, questions, open_questions = examine(write(random.Random(seed).randrange))
        wrong += [f"seed {seed}: {error}" for error in errors]
        asked += questions
        unknown += open_questions
    sys.__stdout__.write("\n" + json.dumps([wrong, asked, unknown]))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
