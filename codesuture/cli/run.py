"""`codesuture run`: a program with the agent on."""

from __future__ import annotations

import os
import sys

from codesuture.cli.failure import Failure, Parser
from codesuture.cli.starting import interpreter
from codesuture.config import ConfigError, load
from codesuture.config.keys import RUN_VARIABLE, SWITCH
from codesuture.config.kinds import FALSE_WORDS
from codesuture.config.runflags import encode

_USAGE = """\
codesuture run [options] SCRIPT [ARGS...]
       codesuture run [options] -m MODULE [ARGS...]
       codesuture run [options] -c COMMAND [ARGS...]"""

_ABOUT = """\
Run a Python program with codesuture on: a structural crash that nobody would have handled is
healed in place, and a summary is printed at the end. The exit code is the program's own.
"""

_RULES = """\
where options stand:
  Options of codesuture stand before the script. Those directly behind a script are taken as
  codesuture's too, and a line on standard error says so; "--" ends them. Everything behind the
  first other word belongs to the program, and so does everything behind "-m MODULE" and
  "-c COMMAND". "-" is a script on standard input.

    codesuture run --verbose app.py in.csv       --verbose is codesuture's
    codesuture run app.py --verbose in.csv       the same, with a line that says so
    codesuture run app.py -- --verbose in.csv    --verbose is the program's
    codesuture run -- app.py --verbose in.csv    the same
    codesuture run app.py in.csv --verbose       the same
    codesuture run -m app --verbose              the same
"""

_SWITCHES = ("--verbose", "--dry-run")
_VALUED = ("--ttl", "--retries")
#: Python's own, behind which everything is the program's.
_OPTIONS = ("-m", "-c")


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


def split(words: list[str]) -> Target:
    """Tell codesuture's options from the program; `--help` tells the rules."""
    own, rest = _leading(words, everything=True)
    if rest[:1] == ["--"]:
        return Target(own, [], rest[1:])
    if rest and rest[0].startswith(_OPTIONS):
        option, joined = rest[0][:2], rest[0][2:]
        return Target(own, [], [option, joined, *rest[1:]] if joined else rest)
    behind, arguments = _leading(rest[1:], everything=False)
    if arguments[:1] == ["--"]:
        del arguments[0]
    return Target(own + behind, behind, rest[:1] + arguments)


def _leading(words: list[str], everything: bool) -> tuple[list[str], list[str]]:
    """The options at the start of `words`, and the rest.

    With `everything` unknown options count too, so that a wrong one is reported.
    """
    end = 0
    while end < len(words):
        word = words[end]
        name = word.partition("=")[0]
        if name in _VALUED:
            end += 1 if "=" in word else 2
        elif word in _SWITCHES:
            end += 1
        elif everything and word.startswith("-") and word not in ("-", "--"):
            if word.startswith(_OPTIONS):
                break
            end += 1
        else:
            break
    return words[:end], words[end:]


def configure(parser: Parser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--verbose", action="store_true", help="say more about every heal")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="report what each crash would get, change nothing, let the program fail",
    )
    parser.add_argument("--ttl", metavar="DAYS", help="days until a new patch expires")
    parser.add_argument(
        "--retries",
        metavar="N",
        help="how often a server may run a request again that could not be healed in place; "
        "a script that died is not run again by this version",
    )


def execute(words: list[str]) -> int:
    """Replace this process by the program (on Windows: run it and pass its exit code on)."""
    parser = Parser(prog="codesuture run", usage=_USAGE, description=_ABOUT, epilog=_RULES)
    configure(parser)
    target = split(words)
    given = parser.parse(target.own)
    flags = _flags(given.verbose, given.dry_run, given.ttl, given.retries)
    _check(target)
    _check_configuration(target, flags)
    if target.behind:
        _say_what_was_taken(target)
    environment = dict(os.environ)
    off = os.environ.get(SWITCH, "").strip().lower() in FALSE_WORDS
    if off:
        print("[CodeSuture] CODESUTURE=0 is set: running without codesuture", file=sys.stderr)
    else:
        environment |= {SWITCH: "1", RUN_VARIABLE: encode(flags)}
        if int(flags.get("retries", 0)):
            _say_what_retries_are_for(given.retries)
    return _start([*interpreter(with_agent=not off), *target.program], environment)


def _flags(verbose: bool, dry_run: bool, ttl: str | None, retries: str | None) -> dict[str, str]:
    """The given flags as `config.load` takes them."""
    flags: dict[str, str] = {}
    if verbose:
        flags["verbose"] = "1"
    if dry_run:
        flags["dry_run"] = "1"
    if ttl is not None:
        flags["ttl"] = ttl
    if retries is not None:
        flags["retries"] = retries
    return flags


def _check(target: Target) -> None:
    """Failure when there is nothing to run; a module is found, or not, by Python itself."""
    if not target.program or not target.program[0]:
        raise Failure("which program?", f"usage: {_USAGE.splitlines()[0]}", code=2)
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


def _check_configuration(target: Target, flags: dict[str, str]) -> None:
    """Say what is wrong with configuration and store before the program begins, not in it."""
    from codesuture.cli.patches import checked_store

    try:
        config = load(os.getcwd(), overrides=flags)
    except ConfigError as problem:
        if target.behind and str(problem).startswith("--"):
            hint = f"to give it to the program, write: codesuture run {target.program[0]} -- ..."
            raise ConfigError(str(problem), hint) from None
        raise
    try:
        checked_store(config)
    except Failure as failure:
        raise Failure(str(failure), *failure.hints, code=2) from None


def _say_what_was_taken(target: Target) -> None:
    print(
        f"[CodeSuture] {' '.join(target.behind)} behind the script: taken as codesuture's "
        f'(write "--" before options of the program)',
        file=sys.stderr,
    )


def _say_what_retries_are_for(retries: str) -> None:
    print(
        f"[CodeSuture] --retries {retries}: counts for the requests of a server; a script that "
        "dies is not run again by this version",
        file=sys.stderr,
    )


def _start(command: list[str], environment: dict[str, str]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)
    import subprocess

    # Windows' exec returns to the shell before the program has ended, so it is waited for.
    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue  # the program has got it too and decides
