"""What `run` and `watch` share: a program on their command line, and what starts it."""

from __future__ import annotations

import os
import sys

from codesuture.cli.failure import Failure
from codesuture.cli.starting import interpreter
from codesuture.config.errors import ConfigError
from codesuture.config.keys import RUN_VARIABLE, SWITCH
from codesuture.config.kinds import FALSE_WORDS
from codesuture.config.load import load
from codesuture.config.runflags import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from codesuture.cli.failure import Parser
    from codesuture.config.load import Config

RULES = """\
where options stand:
  Options of codesuture stand before the script. Those directly behind a script are taken as
  codesuture's too, and a line on standard error says so; "--" ends them. Everything behind the
  first other word belongs to the program, and so does everything behind "-m MODULE" and
  "-c COMMAND". "-" is a script on standard input.

    codesuture {0} --verbose app.py in.csv       --verbose is codesuture's
    codesuture {0} app.py --verbose in.csv       the same, with a line that says so
    codesuture {0} app.py -- --verbose in.csv    --verbose is the program's
    codesuture {0} -- app.py --verbose in.csv    the same
    codesuture {0} app.py in.csv --verbose       the same
    codesuture {0} -m app --verbose              the same
"""

USAGE = """\
codesuture {0} [options] SCRIPT [ARGS...]
       codesuture {0} [options] -m MODULE [ARGS...]
       codesuture {0} [options] -c COMMAND [ARGS...]"""

#: Python's own options, behind which everything is the program's.
_PYTHONS = ("-m", "-c")


class Flag:
    """An option of codesuture before the program; without `metavar` it is a switch.

    `key` is the key of the configuration that it sets; empty where the command itself has a use
    for it. `short` is another name for it, before the script only: behind that it is the program's.
    """

    __slots__ = ("key", "meaning", "metavar", "option", "short")

    def __init__(
        self, option: str, metavar: str, meaning: str, key: str = "", short: str = ""
    ) -> None:
        self.option = option
        self.metavar = metavar
        self.meaning = meaning
        self.key = key
        self.short = short


#: The flags that set a key; `config.runflags` hands them to the agent.
KEY_FLAGS = (
    Flag("--verbose", "", "say more about every heal", "verbose", "-v"),
    Flag("--quiet", "", "say nothing of what was healed, and no summary", "quiet", "-q"),
    Flag(
        "--dry-run",
        "",
        "report what each crash would get, change nothing, let the program fail",
        "dry_run",
    ),
    Flag(
        "--shadow",
        "",
        "follow what becomes of each supplied value, and warn where it gets out",
        "shadow",
    ),
    Flag("--ttl", "DAYS", "days until a new patch expires", "ttl"),
    Flag(
        "--engine",
        "ENGINE",
        "who sees crashes in code without landing pads: auto, inplace, monitoring, trace",
        "engine",
    ),
)


class Target:
    """What to run, and the words on the command line that are codesuture's own.

    `behind` are those of them that stood behind the script.
    """

    def __init__(self, own: list[str], behind: list[str], program: list[str]) -> None:
        self.own = own
        self.behind = behind
        self.program = program

    @property
    def option(self) -> str:
        """`-m` or `-c` where `program` begins with it, else nothing."""
        return self.program[0] if self.program[:1] in (["-m"], ["-c"]) else ""


def split(words: list[str], flags: tuple[Flag, ...]) -> Target:
    """Tell codesuture's options from the program; `--help` tells the rules."""
    own, rest = _leading(words, flags, everything=True)
    if rest[:1] == ["--"]:
        return Target(own, [], rest[1:])
    if rest and rest[0].startswith(_PYTHONS):
        option, joined = rest[0][:2], rest[0][2:]
        return Target(own, [], [option, joined, *rest[1:]] if joined else rest)
    behind, arguments = _leading(rest[1:], flags, everything=False)
    if arguments[:1] == ["--"]:
        del arguments[0]
    return Target(own + behind, behind, rest[:1] + arguments)


def _leading(
    words: list[str], flags: tuple[Flag, ...], everything: bool
) -> tuple[list[str], list[str]]:
    """The options at the start of `words`, and the rest.

    With `everything` unknown options count too, so that a wrong one is reported.
    """
    with_value = {flag.option for flag in flags if flag.metavar}
    switches = {flag.option for flag in flags if not flag.metavar}
    if everything:
        switches |= {flag.short for flag in flags if flag.short}
    end = 0
    while end < len(words):
        word = words[end]
        if word.partition("=")[0] in with_value:
            end += 1 if "=" in word else 2
        elif word in switches:
            end += 1
        elif everything and word.startswith("-") and word not in ("-", "--"):
            if word.startswith(_PYTHONS):
                break
            end += 1
        else:
            break
    return words[:end], words[end:]


class Program:
    """A program that can be started: everything that can be wrong beforehand has been looked at.

    `off` says that the user's `CODESUTURE=0` wins: it then runs without codesuture.
    """

    def __init__(self, target: Target, given: Namespace, config: Config) -> None:
        self.words = target.program
        self.given = given
        self.config = config
        self.off = os.environ.get(SWITCH, "").strip().lower() in FALSE_WORDS
        self.command = [*interpreter(with_agent=not self.off), *target.program]

    @property
    def name(self) -> str:
        """What messages call it."""
        if self.words[0] == "-c":
            return "the command"
        return " ".join(self.words[:2]) if self.words[0] == "-m" else self.words[0]

    def problem(self) -> str:
        """What keeps it from being started anew, by what the configuration and the store are now;
        empty where nothing does."""
        from codesuture.cli.patches import checked_store

        try:
            checked_store(load(os.getcwd(), overrides=given_keys(self.given)))
        except (ConfigError, Failure) as problem:
            return str(problem)
        return ""

    def environment(self, **more: str) -> dict[str, str]:
        """The environment to start it with; `more` goes to the agent beside the flags."""
        if self.off:
            return dict(os.environ)
        flags = {**given_keys(self.given), **more}
        return {**os.environ, SWITCH: "1", RUN_VARIABLE: encode(flags)}


def read(words: list[str], parser: Parser, flags: tuple[Flag, ...]) -> Program:
    """The program that the command line names. Raises `Failure` or `ConfigError` for all that is
    wrong with it, with the configuration or with the store."""
    for flag in flags:
        if flag.metavar:
            parser.add_argument(flag.option, metavar=flag.metavar, help=flag.meaning)
        else:
            names = [flag.short, flag.option] if flag.short else [flag.option]
            parser.add_argument(*names, action="store_true", help=flag.meaning)
    target = split(words, flags)
    given = parser.parse(target.own)
    given.flags = flags
    if given.quiet and given.verbose:
        raise Failure("--quiet and --verbose exclude each other", code=2)
    _check(target, parser.prog)
    config = _checked_configuration(target, given_keys(given), parser.prog)
    if target.behind:
        _say_what_was_taken(target)
    program = Program(target, given, config)
    if program.off:
        print("[CodeSuture] CODESUTURE=0 is set: running without codesuture", file=sys.stderr)
    return program


def given_keys(given: Namespace) -> dict[str, str]:
    """The given flags that set a key, as `config.load` takes them."""
    keys = {}
    for flag in given.flags:
        value = getattr(given, flag.option[2:].replace("-", "_"))
        if flag.key and value not in (None, False):
            keys[flag.key] = "1" if value is True else value
    return keys


def _check(target: Target, command: str) -> None:
    """Failure when there is nothing to run; a module is found, or not, by Python itself."""
    if not target.program or not target.program[0]:
        raise Failure("which program?", f"usage: {command} [options] SCRIPT [ARGS...]", code=2)
    if target.option:
        if len(target.program) < 2:
            needed = "the name of a module" if target.option == "-m" else "a command"
            raise Failure(f"{target.option} needs {needed}", code=2)
        return
    script = target.program[0]
    if script == "-" or os.path.exists(script):
        return
    folder = os.path.dirname(script) or "."
    try:
        beside = [os.path.join(folder, name).removeprefix("./") for name in os.listdir(folder)]
    except OSError:
        beside = []
    from codesuture.config.errors import did_you_mean

    raise Failure(f"there is no file {script!r}", did_you_mean(script, beside), code=2)


def _checked_configuration(target: Target, keys: dict[str, str], command: str) -> Config:
    """Say what is wrong with configuration and store before the program begins, not in it."""
    from codesuture.cli.patches import checked_store

    try:
        config = load(os.getcwd(), overrides=keys)
    except ConfigError as problem:
        if target.behind and str(problem).startswith("--"):
            hint = f"to give it to the program, write: {command} {target.program[0]} -- ..."
            raise ConfigError(str(problem), hint) from None
        raise
    _check_engine(config)
    try:
        checked_store(config)
    except Failure as failure:
        raise Failure(str(failure), *failure.hints, code=2) from None
    return config


def _check_engine(config: Config) -> None:
    from codesuture.engines.choice import obstacle

    found = obstacle(config.engine)
    if found is not None:
        raise Failure(f"{config.origin('engine')}: {found[0]}", found[1], code=2)


def _say_what_was_taken(target: Target) -> None:
    print(
        f"[CodeSuture] {' '.join(target.behind)} behind the script: taken as codesuture's "
        f'(write "--" before options of the program)',
        file=sys.stderr,
    )
