"""Every configuration key, in one table: all else (checks, `config show`, docs) reads it."""

from __future__ import annotations

from codesuture.config.kinds import (
    Choice,
    Days,
    DaysOrNone,
    Defaults,
    Distributions,
    Guards,
    HeaderName,
    Kind,
    Literal,
    Methods,
    Patterns,
    Places,
    Severities,
    Switch,
    Table,
    Text,
    Whole,
    WholeUpTo,
    Words,
)
from codesuture.config.load import Config

MOST_DAYS = 31
"""Days for which heals are counted apart (`store.counter`)."""

SWITCH = "CODESUTURE"
"""The variable that turns the agent on and off; it is not a key."""

RUN_VARIABLE = "CODESUTURE_RUN"
"""How `codesuture run` hands its flags to the agent, which takes it out of the environment."""

INTERNAL_VARIABLES = (RUN_VARIABLE,)
"""`CODESUTURE_*` variables that are not keys and are no mistake either."""


_UNTOLD = Config(None, "", ())


class Key:
    """One key: its dotted name in TOML, its kind, meaning and variable, and its default as in TOML.

    The default is the attribute of a `Config` that nothing was said to. `variable` is empty for a
    key that can only stand in a file.
    """

    __slots__ = ("attribute", "default", "kind", "meaning", "name", "type", "variable")

    def __init__(
        self, name: str, type: str, kind: Kind, meaning: str, variable: bool = True
    ) -> None:
        self.name = name
        self.type = type
        self.kind = kind
        self.meaning = meaning
        self.attribute = name.replace(".", "_")
        default = getattr(_UNTOLD, self.attribute)
        self.default = list(default) if isinstance(default, tuple) else default
        self.variable = "CODESUTURE_" + self.attribute.upper() if variable else ""


_PATTERNS = Patterns("a list of module patterns")

KEYS: tuple[Key, ...] = (
    Key(
        "mode",
        "string",
        Choice("heal", "observe", "off"),
        "`heal` supplies defaults, `observe` only reports what it would have done, "
        "`off` does nothing.",
    ),
    Key(
        "include",
        "list of strings",
        _PATTERNS,
        "Module patterns that count as your code although they are installed: wildcards as in "
        "`fnmatch`; a package's name means all that is in it; a script is `__main__` or its name "
        "without `.py`.",
    ),
    Key(
        "exclude",
        "list of strings",
        _PATTERNS,
        "Module patterns that are left alone altogether; wins over `include`.",
    ),
    Key(
        "protect",
        "list of strings",
        _PATTERNS,
        "Module patterns that are only observed: code where a default would be worse than a crash.",
    ),
    Key(
        "ttl",
        "number",
        Days(f"a number of days above 0 and at most {Days.MOST}"),
        "Days until a new patch expires.",
    ),
    Key(
        "on_expiry",
        "string",
        Choice("remind", "disable"),
        "What an expired patch does: `remind` goes on healing and says so in every run, "
        "`disable` lets the crash happen again.",
    ),
    Key(
        "probation",
        "number",
        DaysOrNone(f"a number of days from 0 to {Days.MOST}"),
        "Days in which a new patch that nobody has approved is withdrawn when a second crash "
        "follows from it ([lifecycle.md](lifecycle.md#probation)); `0` for none.",
    ),
    Key(
        "retries",
        "integer",
        Whole(0),
        "How often a request that could not be healed in place may be run again "
        "([servers.md](servers.md)), and a script that died under `codesuture run` "
        "([cli.md](cli.md#running-a-script-again)).",
    ),
    Key(
        "store",
        "path",
        Text("a path"),
        "Folder of the patches. A relative path starts at the configuration file that names it, "
        "or at the working directory where a variable does. The default is beside the "
        "configuration file, or the nearest one from the working directory upward, or in the "
        "working directory itself.",
    ),
    Key(
        "boundaries",
        "list of strings",
        Places("a list of functions, each as module:qualname"),
        "Functions whose catch-all means that nobody handled the exception "
        '(`"jobs.worker:loop"`).',
    ),
    Key("verbose", "boolean", Switch("true or false"), "Say more about every heal."),
    Key(
        "quiet",
        "boolean",
        Switch("true or false"),
        "Say nothing of what was healed, and no summary. Warnings and errors are said all the "
        "same; heals are stored, counted and marked as always.",
    ),
    Key(
        "dry_run",
        "boolean",
        Switch("true or false"),
        "Report what each crash would get, change nothing, and let the program fail.",
    ),
    Key(
        "engine",
        "string",
        Choice("auto", "inplace", "monitoring", "trace"),
        "Who sees crashes in code without landing pads ([engines.md](engines.md)): `inplace` "
        "nobody, until they come to a boundary; `monitoring` (Python 3.12 and later) and `trace` "
        "(3.11) at the instruction that raises; `auto` is `inplace`.",
    ),
    Key(
        "shadow",
        "boolean",
        Switch("true or false"),
        "Follow what becomes of each supplied value, warn where it gets out or causes another "
        "crash, and keep the verdict with the patch ([shadow.md](shadow.md)).",
    ),
    Key(
        "color",
        "string",
        Choice("auto", "always", "never"),
        "Colour in messages: `auto` is on a terminal only, and follows `NO_COLOR` and "
        "`FORCE_COLOR`.",
    ),
    Key(
        "fingerprints",
        "boolean",
        Switch("true or false"),
        "A site whose pattern is known from others gets their default at once "
        "(`codesuture fingerprints`).",
    ),
    Key(
        "library_calls",
        "list of strings",
        Distributions("a list of distributions"),
        "Installed distributions (`requests`, `zope.*`, `*` for all) whose crashes may end at your "
        "call of them: `call_guard` supplies the call's result. Where the list is empty, your "
        "code has nothing added for it.",
    ),
    Key(
        "breaker.frame",
        "integer",
        Whole(1),
        "Heals of one site in one call of its function, after which the crash is let through.",
    ),
    Key(
        "breaker.site",
        "integer",
        Whole(1),
        "Heals of one site in one process, after which the crash is let through.",
    ),
    Key(
        "budget.heals",
        "integer",
        Whole(0),
        "Heals of one site in `budget.days`, in all processes and runs together, after which its "
        "patch is disarmed until somebody approves it ([lifecycle.md](lifecycle.md#budgets)); `0` "
        "for no budget.",
    ),
    Key(
        "budget.days",
        "integer",
        WholeUpTo(1, MOST_DAYS),
        f"Days (UTC, today is one of them) that a budget is for, at most {MOST_DAYS}.",
    ),
    Key(
        "web.mark",
        "boolean",
        Switch("true or false"),
        "Whether the response to a request in which something was healed says so in its headers.",
    ),
    Key(
        "web.header",
        "string",
        HeaderName("the name of an HTTP header"),
        "The name of that header.",
    ),
    Key(
        "web.replay",
        "list of strings",
        Methods("a list of GET, HEAD and OPTIONS"),
        "Methods whose requests may be run again where they could not be healed in place.",
    ),
    Key(
        "incidents.record",
        "boolean",
        Switch("true or false"),
        "Whether crashes that nobody handles are recorded ([incidents.md](incidents.md)).",
    ),
    Key(
        "incidents.values",
        "string",
        Choice("types", "contents", "off"),
        "What a record tells of the operands and in its message: `types` are their names, types "
        "and lengths, `contents` also bounded values of plain data, `off` names only.",
    ),
    Key(
        "incidents.redact",
        "list of strings",
        Words("a list of words"),
        "Further words that mean a secret in a name (`patient`); `password`, `token`, `key` and "
        "the like always do.",
    ),
    Key(
        "incidents.megabytes",
        "integer",
        Whole(1),
        "Room for records on disk; the oldest go first.",
    ),
    Key(
        "incidents.days",
        "number",
        Days(f"a number of days above 0 and at most {Days.MOST}"),
        "Days for which the number of crashes in each hour is kept.",
    ),
    Key(
        "incidents.logging",
        "boolean",
        Switch("true or false"),
        "Whether healed crashes reach the handlers of `logging` that the program has set up.",
    ),
    Key(
        "incidents.sentry",
        "boolean",
        Switch("true or false"),
        "Whether healed crashes reach Sentry, where the program has set it up.",
    ),
    Key(
        "severity",
        "table of strings",
        Severities("a table of severities", Choice("info", "warning", "error", "critical")),
        "The severity of crashes of a function (`\"module:qualname\"`), a module pattern, a guard, "
        "an exception type or an action; `protect`ed modules are always `critical`.",
        variable=False,
    ),
    Key(
        "guards",
        "table of booleans",
        Guards("a table of guard names", Switch("true or false")),
        "Single guards on or off (`null_guard = false`); a guard that is not named is on.",
    ),
    Key(
        "defaults",
        "table of strings",
        Defaults("a table of places", Literal("a Python literal in a string")),
        "The value for a place (`\"module:qualname\"`, `\"module:qualname:target\"`) or for a "
        "guard, as a Python literal in a string (`\"app:get_bio\" = '\"\"'`).",
        variable=False,
    ),
)

BY_NAME: dict[str, Key] = {key.name: key for key in KEYS}


def find(name: str) -> tuple[Key, str] | None:
    """The key that `name` means and, for an entry of a table, the entry's name (else "").

    `guards.null_guard` is the entry `null_guard` of `guards`. None when there is no such key.
    """
    key = BY_NAME.get(name)
    if key is not None:
        return key, ""
    first, dot, rest = name.partition(".")
    key = BY_NAME.get(first)
    if key is not None and dot and rest and isinstance(key.kind, Table):
        return key, rest
    return None
