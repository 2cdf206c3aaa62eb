"""The uses of a patch's value: in its function, then in that one's callers in the same file."""

from __future__ import annotations

from codesuture.diagnosis.consumers import uses_behind
from codesuture.diagnosis.expression import (
    UNKNOWN,
    Attribute,
    Call,
    Expression,
    Function,
    Variable,
)
from codesuture.diagnosis.listing import listing_of
from codesuture.diagnosis.operands import operands_of
from codesuture.diagnosis.uses import Consumer
from codesuture.downstream.judge import VERDICTS, Value, judge
from codesuture.surgery.sites import sites_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

    from codesuture.defaults.recipe import Recipe
    from codesuture.surgery.sites import Site

#: How often a value is followed into callers, and how many uses are told.
MAX_CALLERS = 2
MAX_STEPS = 12
#: Uses behind which the value itself goes on.
_WRAPPERS = ("callable", "awaitable", "context_manager")
_GOES_ON = ("called", "entered", "awaited")
_GENERATORS = 0x20 | 0x200  # inspect.CO_GENERATOR, CO_ASYNC_GENERATOR


class Step:
    """One use of the value: where, what it makes of it, and what is said about that."""

    def __init__(self, function: str, line: int, verdict: str, sentence: str) -> None:
        self.function = function
        self.line = line
        self.verdict = verdict
        self.sentence = sentence

    def to_json(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "function": self.function,
            "line": self.line,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


class Reach:
    """Where the value goes. ``verdict`` is the worst of its steps; ``summary`` says it."""

    def __init__(self, steps: list[Step], value: str) -> None:
        self.steps = steps
        self.value = value

    @property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        found = {step.verdict for step in self.steps}
        return next((verdict for verdict in VERDICTS if verdict in found), "unknown")

    @property
    def summary(self) -> str:
        """The verdict as a sentence."""
        worst = next((step for step in self.steps if step.verdict == self.verdict), None)
        if worst is None:
            return "Where it goes cannot be told from the code."
        if self.verdict == "safe":
            return f"{_capital(self.value)} is safe there, as far as the code tells."
        if self.verdict == "unknown":
            return f"Whether {self.value} is safe there cannot be told from the code."
        said = f"it {worst.sentence} ({worst.function}, line {worst.line})."
        if self.verdict == "propagates":
            return f"Whether {self.value} is safe depends on code that is not seen here: {said}"
        return f"Not safe everywhere: {said}"


def _capital(text: str) -> str:
    return text if text[0] in "\"'([{" else text[0].upper() + text[1:]


def reach(code: CodeType, ordinal: int, recipe: Recipe, codes: Iterable[CodeType]) -> Reach | None:
    """Where the value of the site goes; ``codes`` are all of the file. None where it is no site.

    Reads bytecode only. Never raises: what is not understood is not followed.
    """
    try:
        site = next((site for site in sites_of(code) if site.ordinal == ordinal), None)
        if site is None:
            return None
        found = _Following(list(codes))
        found.site(code, site, recipe)
    except Exception:  # code that is not understood: the rest of the explanation stands
        return None
    return Reach(found.steps[:MAX_STEPS], Value(recipe).text)


class _Following:
    """Collects steps; each function is followed into once."""

    def __init__(self, codes: list[CodeType]) -> None:
        self.codes = codes
        self.steps: list[Step] = []
        self.seen: set[tuple[int, int]] = set()

    def site(self, code: CodeType, site: Site, recipe: Recipe, levels: int = MAX_CALLERS) -> None:
        """The uses of what the site gives, and those in callers."""
        place = (id(code), site.ordinal)
        if place in self.seen or len(self.steps) >= MAX_STEPS:
            return
        self.seen.add(place)
        if site.shape == "nothing":
            self._add(
                code, 0, "safe", "is not stored, and nothing is deleted: what was there stays"
            )
            return
        uses = uses_behind(code, site)
        if site.shape == "method" or site.operation in ("await", "enter", "enter_async"):
            recipe = recipe.inner if recipe.kind in _WRAPPERS and recipe.inner else recipe
        if site.shape == "method":
            uses = [use.then for use in uses[:1] if use.then is not None]
        if site.shape == "values":
            recipe = recipe.inner if recipe.kind == "sequence" and recipe.inner else recipe
        self._uses(code, uses, recipe, levels)

    def _uses(self, code: CodeType, uses: list[Consumer], recipe: Recipe, levels: int) -> None:
        value = Value(recipe)
        for number, use in enumerate(uses):
            if use.kind == "stored" and use.other is None and len(uses) > number + 1:
                continue  # a variable, whose uses follow
            judged = judge(value, use)
            if use.kind == "stored" and use.other is None:
                verdict, sentence = self._kept(code, value, use)
            else:
                verdict, sentence = judged.verdict, judged.sentence
            if use.kind == "returned":
                sentence = f"propagates {value.text} to the callers of {code.co_qualname}"
            self._add(code, use.line, verdict, sentence)
            if use.kind == "returned" and levels:
                self._callers(code, recipe, levels - 1)
            elif use.kind == "yielded" and code.co_name == "<genexpr>":
                self._items(code, value)
            elif use.then is not None and use.kind in _GOES_ON and recipe.kind in _WRAPPERS:
                self._uses(code, [use.then], recipe.inner or recipe, levels)

    def _items(self, code: CodeType, value: Value) -> None:
        """What is done with the items of a generator expression: ``sum(x.y for x in z)``."""
        for parent in self.codes:
            made = [one for one in parent.co_consts if getattr(one, "co_name", "") == code.co_name]
            if made != [code]:  # which of several is iterated where cannot be told
                continue
            for site in sites_of(parent):
                taker, *arguments = operands_of(parent, site).expressions or [UNKNOWN]
                if site.operation != "call" or len(arguments) != 1:
                    continue
                [items] = arguments
                if isinstance(items, Call) and items.function == Function(code.co_name):
                    name = taker.name if isinstance(taker, Attribute) else taker.text()
                    judged = judge(value, Consumer("item", name))
                    line = listing_of(parent).line(site.ordinal)
                    self._add(parent, line, judged.verdict, judged.sentence)

    def _kept(self, code: CodeType, value: Value, use: Consumer) -> tuple[str, str]:
        """What is said of a variable that the function does not read afterwards."""
        if code.co_name == "<module>":
            return (
                "propagates",
                f"propagates {value.text} to the variable `{use.detail}` of the module",
            )
        if use.detail in code.co_cellvars + code.co_freevars:
            return (
                "propagates",
                f"propagates {value.text} to `{use.detail}`, which other functions use",
            )
        return "safe", f"is kept in `{use.detail}`, which is not read afterwards"

    def _add(self, code: CodeType, line: int, verdict: str, sentence: str) -> None:
        step = Step(code.co_qualname, line or code.co_firstlineno, verdict, sentence)
        if all(
            (one.function, one.line, one.sentence) != (step.function, step.line, step.sentence)
            for one in self.steps
        ):
            self.steps.append(step)

    def _callers(self, callee: CodeType, recipe: Recipe, levels: int) -> None:
        """Follow the value into the functions of the file that call this one by its name."""
        if callee.co_flags & _GENERATORS:
            return
        for code, site in calls_of(callee, self.codes):
            self.site(code, site, recipe, levels)


def calls_of(callee: CodeType, codes: Iterable[CodeType]) -> Iterator[tuple[CodeType, Site]]:
    """The calls, in these code objects, of what reads as this function."""
    name = callee.co_name
    if name.startswith("<"):
        return
    is_method = "." in callee.co_qualname.rpartition("<locals>.")[2]
    for code in codes:
        if name not in (
            *code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars
        ):  # fmt: skip
            continue
        for site in sites_of(code):
            if site.operation != "call":
                continue
            operands = operands_of(code, site).expressions
            if operands and _calls(operands[0], name, is_method):
                yield code, site


def callers_of(callee: CodeType, codes: Iterable[CodeType]) -> list[tuple[str, int]]:
    """The functions that call it, with the lines: its callers as far as the file tells."""
    try:
        found = [
            (code.co_qualname, listing_of(code).line(site.ordinal))
            for code, site in calls_of(callee, codes)
        ]
    except Exception:  # code that is not understood
        return []
    return list(dict.fromkeys(found))


def _calls(function: Expression, name: str, is_method: bool) -> bool:
    """Whether the expression reads as the function: ``name`` or ``anything.name``."""
    if isinstance(function, Attribute):
        return function.name == name
    if isinstance(function, Call):
        return False
    return not is_method and isinstance(function, Variable) and function.name == name
