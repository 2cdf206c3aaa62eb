"""Random programs that raise structural errors under handlers of every kind.

``Writer(pick).program()`` gives a source text; ``pick(items)`` chooses one of them. Functions call
only those that were written before them, and loops are bounded, so every program ends. What runs
in ``finally`` and ``__exit__`` raises nothing by mistake: nobody can foresee that a clean-up which
is to let an exception pass will replace it by a fault of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

PRELUDE = """\
import contextlib, functools
NONE, ZERO, EMPTY, NOTHING = None, 0, [], {}
ERRORS = (KeyError, AttributeError)
LOG = []
def say(what):
    LOG.append(what)
    return what
class Lets:
    def __enter__(self): return 3
    def __exit__(self, *details): say("out")
class Only:
    def __init__(self, *types): self.types = types
    def __enter__(self): return self
    def __exit__(self, kind, value, trace):
        return kind is not None and issubclass(kind, self.types)
class Swallows:
    def __enter__(self): return self
    def __exit__(self, kind, value, trace):
        say(kind and kind.__name__)
        return True
class AsyncOnly(Only):
    async def __aenter__(self): return self
    async def __aexit__(self, *details):
        await Pause()
        return self.__exit__(*details)
@contextlib.contextmanager
def lets():
    try:
        yield 1
    finally:
        say("closed")
@contextlib.contextmanager
def translates():
    try:
        yield 1
    except LookupError as error:
        raise ValueError("translated") from error
@contextlib.contextmanager
def swallows():
    try:
        yield 1
    except (TypeError, KeyError):
        say("swallowed")
class Holder:
    def __init__(self, function): self.function = function
    @property
    def value(self): return self.function()
    def __getitem__(self, index):
        if index > 1: raise IndexError
        return self.function()
    def __len__(self): return self.function() or 0
    def __eq__(self, other): return self.function()
    def __lt__(self, other): return bool(self.function())
    def __str__(self): return str(self.function())
class Backed(Holder):
    def __getattr__(self, name): return 7
class Pause:
    def __await__(self): yield
def drive(coroutine):
    while True:
        try:
            coroutine.send(None)
        except StopIteration as stop:
            return stop.value
"""

CRASHES = (
    "NOTHING['k']", "NONE.x", "EMPTY[0]", "1 // ZERO", "int('x')", "NONE + 1", "len(3)", "NONE()",
    "NONE[0]", "'a' + ZERO", "[*NONE]", "ZERO < 'a'", "{}['a']['b'].c", "NONE.x.y()", "3 in NONE",
    "EMPTY.pop()", "f'{NONE:d}'", "-'x'", "float('')", "say(1) + say('b')",
)  # fmt: skip
FINE = ("1", "say(2)", "[1, 2][1]", "{'k': 1}['k']", "len('abc')", "say('ok') or 3", "6 // 3")
TYPES = (
    "KeyError", "LookupError", "IndexError", "AttributeError", "TypeError", "ValueError",
    "ZeroDivisionError", "Exception", "BaseException", "(KeyError, TypeError)", "ERRORS",
    "(OSError, ERRORS)", "ArithmeticError",
)  # fmt: skip
MANAGERS = (
    "Lets()", "Only(KeyError, TypeError)", "Only(AttributeError)", "Swallows()", "lets()",
    "translates()", "swallows()", "contextlib.suppress(LookupError)",
    "contextlib.suppress(*ERRORS)",
    "contextlib.suppress(ZeroDivisionError, TypeError)", "contextlib.nullcontext()",
)  # fmt: skip
USES = (
    "{f}()", "{f}() + 1", "Holder({f}).value", "hasattr(Holder({f}), 'value')",
    "getattr(Holder({f}), 'value', 5)", "Backed({f}).value", "list(Holder({f}))",
    "[x for x in Holder({f})]", "7 in Holder({f})", "len(Holder({f}))", "str(Holder({f}))",
    "Holder({f}) == 1", "sorted([Holder({f}), Holder({f})]) and 1", "[{f}() for _ in range(2)]",
    "list(map(lambda x: {f}(), [1, 2]))", "sum(({f}() or 0) for _ in range(2))",
    "max([1, 2], key=lambda x: {f}() or 0)", "functools.reduce(lambda a, b: {f}(), [1, 2])",
    "functools.partial({f})()", "next((x for x in [{f}()]), 4)", "(lambda: {f}())()",
    "any({f}() for _ in range(2))", "dict(a={f}())", "'%s' % Holder({f})", "f'{{{f}()}}'",
)  # fmt: skip


class Writer:
    """Writes one program."""

    def __init__(self, pick: Callable[[Sequence[str]], str]) -> None:
        self.pick = pick
        self.lines: list[str] = []
        self.plain: list[str] = []
        self.generators: list[str] = []
        self.coroutines: list[str] = []
        self.left = 40

    def program(self) -> str:
        """The functions, then calls of them; what they give and have logged is printed."""
        for number in range(1 + len(self.pick(("", "1", "12", "123", "1234")))):
            self.function(number)
        for name in (*self.plain, "main"):
            self.lines.append(f"HELD = {name!r}")
            if name == "main":
                self.lines += ["def main():"]
                self.block(1, 3, "plain", False)
                self.left = 20
            self.lines += ["try:", f"    print({name}())"]
            caught = self.pick(("Exception", "LookupError", "(TypeError, ValueError)"))
            self.lines += [
                f"except {caught} as error:",
                "    print(repr(error), error.__context__)",
            ]
        return "\n".join((PRELUDE, *self.lines, "print(LOG)", ""))

    def function(self, number: int) -> None:
        kind = self.pick(("plain", "plain", "generator", "coroutine"))
        name = f"{kind}_{number}"
        start = "async def" if kind == "coroutine" else "def"
        self.lines.append(f"{start} {name}():")
        if kind == "generator":
            self.lines.append("    yield say(0)")
        self.block(1, 3, kind, False)
        {"plain": self.plain, "generator": self.generators, "coroutine": self.coroutines}[
            kind
        ].append(name)

    def expression(self, kind: str) -> str:
        shapes = ["crash", "crash", "fine", "fine"]
        shapes += ["use", "use"] * bool(self.plain)
        shapes += ["generator"] * bool(self.generators) + ["coroutine"] * bool(self.coroutines)
        shape = self.pick(shapes)
        if shape == "crash":
            return self.pick(CRASHES)
        if shape == "use":
            return self.pick(USES).format(f=self.pick(self.plain))
        if shape == "generator":
            use = self.pick(("list({g}())", "[x for x in {g}()]", "next({g}(), 9)", "[*{g}()]"))
            return use.format(g=self.pick(self.generators))
        if shape == "coroutine":
            name = self.pick(self.coroutines)
            return f"(await {name}())" if kind == "coroutine" else f"drive({name}())"
        return self.pick(FINE)

    def add(self, depth: int, line: str) -> None:
        self.lines.append("    " * depth + line)

    def block(self, depth: int, most: int, kind: str, looping: bool) -> None:
        for _ in range(1 + len(self.pick(("", "1", "12")[:most]))):
            self.statement(depth, kind, looping)

    def statement(self, depth: int, kind: str, looping: bool) -> None:
        self.left -= 1
        simple = ["say", "assign", "return"] + ["break", "continue"] * looping
        simple += ["yield", "yield from"] * (kind == "generator") + ["raise"]
        nested = ["try", "try", "with", "for", "finally", "if"] * (depth < 5 and self.left > 0)
        nested += ["async with"] * bool(nested and kind == "coroutine")
        shape = self.pick(nested + simple)
        if shape in nested:
            return getattr(self, f"write_{shape.replace(' ', '_')}")(depth, kind, looping)
        value = self.expression(kind)
        if shape == "assign":
            self.add(depth, f"value = {value}")
        elif shape == "return" and kind != "generator":
            self.add(depth, f"return {value}")
        elif shape == "yield":
            self.add(depth, f"say((yield {value}))")
        elif shape == "yield from" and self.generators:
            self.add(depth, f"yield from {self.pick(self.generators)}()")
        elif shape in ("break", "continue"):
            self.add(depth, shape)
        elif shape == "raise":
            self.add(depth, self.pick(("raise ValueError(3)", "raise KeyError('r') from None")))
        else:
            self.add(depth, f"say({value})")

    def write_try(self, depth: int, kind: str, looping: bool) -> None:
        self.add(depth, "try:")
        self.block(depth + 1, 2, kind, looping)
        for _ in range(1 + len(self.pick(("", "1")))):
            self.add(depth, f"except {self.pick(TYPES)} as error:")
            self.add(depth + 1, "say(type(error).__name__)")
            ending = self.pick(("go on", "go on", "raise", "raise another", "block"))
            if ending == "raise":
                self.add(depth + 1, "raise")
            elif ending == "raise another":
                self.add(depth + 1, f"raise RuntimeError('other'){self.pick(('', ' from error'))}")
            elif ending == "block":
                self.block(depth + 1, 1, kind, looping)
        if self.pick(("", "else")):
            self.add(depth, "else:")
            self.block(depth + 1, 1, kind, looping)
        if self.pick(("", "", "finally")):
            self.add(depth, "finally:")
            self.add(depth + 1, "say('finally')")

    def write_finally(self, depth: int, kind: str, looping: bool) -> None:
        self.add(depth, "try:")
        self.block(depth + 1, 2, kind, looping)
        self.add(depth, "finally:")
        self.add(depth + 1, "say('clean up')")
        ending = ["", "", "", "raise ValueError(4)", "try"] + ["break", "continue"] * looping
        ending += ["return 5"] * (kind != "generator")
        chosen = self.pick(ending)
        if chosen == "try":
            self.add(depth + 1, "try:")
            self.add(depth + 2, f"say({self.pick(CRASHES)})")
            self.add(depth + 1, "except Exception as inner:")
            self.add(depth + 2, "say(type(inner).__name__)")
        elif chosen:
            self.add(depth + 1, chosen)

    def write_with(self, depth: int, kind: str, looping: bool) -> None:
        managers = [self.pick(MANAGERS) for _ in range(1 + len(self.pick(("", "", "1"))))]
        self.add(depth, f"with {', '.join(managers)} as manager:")
        self.block(depth + 1, 2, kind, looping)

    def write_async_with(self, depth: int, kind: str, looping: bool) -> None:
        self.add(depth, f"async with AsyncOnly({self.pick(TYPES[:8])}):")
        self.block(depth + 1, 2, kind, looping)

    def write_for(self, depth: int, kind: str, looping: bool) -> None:
        self.add(depth, f"for step in {self.pick(('range(2)', '[1, 2]', '[None, {}]'))}:")
        self.block(depth + 1, 2, kind, True)

    def write_if(self, depth: int, kind: str, looping: bool) -> None:
        self.add(depth, f"if {self.expression(kind)}:")
        self.block(depth + 1, 2, kind, looping)
