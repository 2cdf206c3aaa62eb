"""The ladder: which default a crash gets, by the best reason that can be found.

The rungs from the top: *configured* for this site, *approved* in its patch, *observed* (types seen
here on good runs; not recorded yet), *fingerprint* (sites of the same pattern, in code without
annotations; ``codesuture.fingerprints``), *annotation*, *consumer* (what uses the value), and the
*guard*'s own default.
"""

from __future__ import annotations

from codesuture.defaults.needs import annotation_need, consumer_need, is_indifferent
from codesuture.defaults.recipe import Recipe, RecipeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from codesuture.diagnosis.crash import Crash
    from codesuture.diagnosis.uses import Consumer

    class Guard(Protocol):
        """What the ladder asks of a guard; ``fixed`` and ``whole_chain`` are optional."""

        name: str

        def target(self, crash: Crash) -> str: ...
        def default(self, crash: Crash) -> Recipe: ...


#: Operations whose result is a form around the value that is needed.
_WRAPPERS = {"await": "awaitable", "enter": "context_manager", "enter_async": "context_manager"}


#: A guard's own default where it knows nothing about the value.
NOTHING = (Recipe.constant(None), Recipe.callable())


class Choice:
    """The chosen recipe, the rung that chose it, and one sentence that says why."""

    __slots__ = ("reason", "recipe", "rung")

    def __init__(self, recipe: Recipe, rung: str, reason: str) -> None:
        self.recipe = recipe
        self.rung = rung
        self.reason = reason

    def __repr__(self) -> str:
        return f"<Choice {self.recipe.describe()} by {self.rung}: {self.reason}>"


def choose(
    crash: Crash,
    guard: Guard,
    configured: Mapping[str, str] | None = None,
    approved: Recipe | None = None,
    module: str | None = None,
    reviewed: bool = False,
    from_pattern: Choice | None = None,
) -> Choice:
    """The default for the crash.

    ``from_pattern`` is what the fingerprint registry has for the site's pattern: nothing further
    is read then. ``approved`` is that of the site's patch; where somebody has ``reviewed`` it, only
    what is configured for this very site comes before it, not what is for the guard.
    ``configured`` maps ``module:qualname:target``, ``module:qualname`` or a guard's name to what
    ``Recipe.parse`` reads; ``module`` is the name that patches use, the frame's own if not given.
    Raises ``RecipeError``, with the key, for a configured default that cannot be read.
    """
    choice = _configured(crash, guard, configured or {}, module, reviewed)
    if choice is not None:
        return choice
    if approved is not None:
        return Choice(approved, "approved", "The patch of this site says so.")
    if from_pattern is not None:
        return from_pattern
    if not getattr(guard, "fixed", False):
        derived = _derived(crash, guard)
        if derived is not None:
            return derived
    return Choice(guard.default(crash), "guard", f"It is the default of {guard.name}.")


def _configured(
    crash: Crash,
    guard: Guard,
    configured: Mapping[str, str],
    module: str | None,
    reviewed: bool,
) -> Choice | None:
    if not configured:
        return None
    place = f"{module or _module(crash)}:{crash.code.co_qualname}"
    return configured_choice(configured, place, guard.target(crash), guard.name, reviewed)


def configured_choice(
    configured: Mapping[str, str], place: str, target: str, guard: str, reviewed: bool = False
) -> Choice | None:
    """What the configuration says for a ``place`` (``module:qualname``), or None; for the guard
    only where nobody has ``reviewed`` the site's patch.

    Raises ``RecipeError`` as ``choose`` does.
    """
    keys = (f"{place}:{target}", place)
    for key in keys if reviewed else (*keys, guard):
        text = configured.get(key)
        if text is None:
            continue
        try:
            recipe = Recipe.parse(text)
        except RecipeError as error:
            raise RecipeError(f"The default configured for {key}: {error}") from None
        return Choice(recipe, "configured", f"The configuration has a default for {key}.")
    return None


def _module(crash: Crash) -> str:
    name = crash.frame.f_globals.get("__name__")
    return name if type(name) is str else ""


def _derived(crash: Crash, guard: Guard) -> Choice | None:
    """What annotations and then uses say, in the form that the operation's result has."""
    if crash.site.shape in ("nothing", "values", "iterator"):
        return None
    chain = bool(getattr(guard, "whole_chain", False))
    wrapper = _WRAPPERS.get(crash.operation, "")
    consumers = crash.consumers(chain)
    if crash.site.shape == "method":
        wrapper = "callable"
        consumers = [consumer.then for consumer in consumers[:1] if consumer.then is not None]
    for rung in ("annotation", "consumer"):
        try:
            if rung == "annotation":
                found = _annotated(crash, consumers, chain)
            else:
                found = _used(crash, consumers, guard)
        except Exception:  # strange objects in the frame: the next rung is good enough
            continue
        if found is not None:
            recipe, reason = found
            return Choice(_wrapped(wrapper, recipe), rung, reason)
    return None


def _wrapped(wrapper: str, recipe: Recipe) -> Recipe:
    return Recipe(wrapper, inner=recipe) if wrapper else recipe


def _annotated(crash: Crash, consumers: list[Consumer], chain: bool) -> tuple[Recipe, str] | None:
    from codesuture.diagnosis.declared import declarations, result_of

    result = None if chain else result_of(crash)
    for declaration in declarations(crash, consumers, result):
        recipe = annotation_need(declaration.text)
        if recipe is not None:
            return recipe, f"The annotation of {declaration.of} is {declaration.text[:80]}."
    return None


def _used(crash: Crash, consumers: list[Consumer], guard: Guard) -> tuple[Recipe, str] | None:
    """What the first use that tells asks for.

    Uses that take any value (``print``, an f-string) come last, and only where the guard itself
    knows nothing better than None: ``print(int(text))`` prints the zero of ``int``.
    """
    plain = crash.site.shape != "method" and crash.operation not in _WRAPPERS
    what = "The value" if plain else "Its result"
    decided = [consumer for consumer in consumers if not is_indifferent(crash, consumer)]
    if guard.default(crash) in NOTHING:
        decided += consumers
    for consumer in decided:
        need = consumer_need(crash, consumer)
        if need is not None:
            return need[0], f"{what} {need[1]}."
    return None
