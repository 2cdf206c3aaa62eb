"""What a guard is: the base of every built-in guard, and what third-party guards provide."""

from __future__ import annotations

from codesuture.defaults.recipe import Recipe
from codesuture.guards.shaping import fit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.diagnosis.crash import Crash

NOTHING = Recipe.constant(None)


class Guard:
    """One kind of crash: how it is recognised, and what takes the place of the missing value.

    The class attributes describe the guard; ``docs/guards.md`` is generated from them.
    ``recognises`` is called at every unhandled crash of a fitting operation and exception, so it
    must be cheap, and it never runs user code. A subclass overrides ``recognises`` at least.
    A third-party guard need not inherit from this class, but has all of these names.
    """

    #: The guard's name in messages, patches and the configuration: ``null_guard``.
    name: str = ""
    #: Operations of sites (``surgery``'s names) at which the guard can recognise a crash.
    operations: frozenset[str] = frozenset()
    #: Exceptions that it can recognise, with their subclasses.
    exceptions: tuple[type[Exception], ...] = ()
    #: Whether its value is that of the whole chain (``data["user"]["name"]``) around the site.
    whole_chain: bool = False
    #: Whether its own default stands unless a person chose another: no other rung knows better.
    fixed: bool = False
    #: Whether it recognises calls of library functions that are written in Python (the names in
    #: ``surgery.library``), whose exceptions come out of the library's frames.
    reaches_library: bool = False
    #: How many instructions arming may add for one site of this guard.
    budget: int = 64
    #: One sentence: what it recognises and supplies.
    meaning: str = ""
    #: The guard's own default in a few words; for documentation.
    supplies: str = "`None`"
    #: Expressions that crash so; for documentation.
    examples: tuple[str, ...] = ()

    def recognises(self, crash: Crash) -> bool:
        """Whether this crash is certainly of the guard's kind."""
        raise NotImplementedError

    def subject(self, crash: Crash) -> int:
        """Which of the crash's operands is at fault; its text is the target."""
        return 0

    def target(self, crash: Crash) -> str:
        """The expression at fault, as a person reads it."""
        number = self.subject(crash)
        if number >= len(crash.operands):
            return crash.operation.replace("_", " ")
        return crash.text(crash.operands[number])

    def default(self, crash: Crash) -> Recipe:
        """The guard's own default, the last rung of the ladder."""
        return NOTHING

    def value(self, crash: Crash, recipe: Recipe) -> object:
        """What the instruction's result would have been, as ``docs/architecture.md`` lists it."""
        return fit(crash.site, recipe)

    def advice(self, target: str, operation: str = "") -> str:
        """One sentence: how to mend the source, for a target and an operation of a patch."""
        raise NotImplementedError
