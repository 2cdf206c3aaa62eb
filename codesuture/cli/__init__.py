"""The command line: one module per command, imported only when it is asked for.

A command's module has `configure(parser)`, which adds its arguments, and `execute(words)`, which
returns the exit code: 0 when all is well, 1 when what was asked for is not there or failed, 2 for
wrong usage and wrong input.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

from codesuture.cli.failure import Failure, Parser, report
from codesuture.config.errors import ConfigError

COMMANDS = {
    "run": "run a program with codesuture on",
    "watch": "keep a program running: start it again after each death",
    "audit": "list every patch: where, what it supplies, how often, until when",
    "explain": "say in plain language what a patch does and why",
    "lifecycle": "show what has happened to each patch, when and by whom",
    "approve": "say that a patch has been looked at and may stay",
    "reject": "stop applying a patch, and never make it again",
    "renew": "let patches expire later",
    "pin": "let patches never expire",
    "suggest": "show or write the source change that makes a patch unnecessary",
    "rollback": "remove patches",
    "fingerprints": "list, export or import what is known of patterns of crash sites",
    "incidents": "list what crashed, how often, and what was done about it",
    "digest": "sum up what crashed, as Markdown or HTML, with a picture",
    "metrics": "print numbers of crashes and patches for Prometheus",
    "config": "show and change the configuration",
    "enable": "put the agent into a virtual environment",
    "disable": "take the agent out of a virtual environment",
    "status": "say whether codesuture is active, where, and why not",
    "doctor": "check that all is in place, and say what to do where it is not",
    "completion": "print a script that lets a shell complete command lines",
}

_EPILOG = "\n".join(
    ["commands:"]
    + [f"  {name:<10} {about}" for name, about in COMMANDS.items()]
    + [
        "",
        "examples:",
        "  codesuture run app.py            keep app.py alive, and say what was done for it",
        "  CODESUTURE=1 python app.py       the same, in any way of starting Python",
        "  codesuture audit                 what has been healed so far",
        "  codesuture explain get_bio       what, why, and how to fix it",
        "  codesuture rollback get_bio      let get_bio crash again",
        "",
        "`codesuture COMMAND --help` tells more about a command.",
    ]
)


def main(argv: list[str] | None = None) -> int:
    """Run one command line and return its exit code; no bad input ends in a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    _have_streams()
    _print_anything()
    output = sys.stdout
    try:
        return _dispatch(words)
    except Failure as failure:
        report(str(failure), failure.hints)
        return failure.code
    except ConfigError as problem:
        report(str(problem), [problem.hint])
        return 2
    except BrokenPipeError:
        # Whoever read our output is gone; Python must not complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except OSError as problem:
        from codesuture.config.errors import in_words

        report(in_words(problem), [])
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        sys.stdout = output


def _dispatch(words: list[str]) -> int:
    """Hand the words behind the command's name to its module."""
    if words and words[0] in COMMANDS:
        name = words[0]
        code: int = import_module(f"codesuture.cli.{name}").execute(words[1:])
        sys.stdout.flush()
        return code
    parser = Parser(prog="codesuture", usage="codesuture COMMAND ...", epilog=_EPILOG)
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    if words and not words[0].startswith("-"):
        raise _unknown_command(words[0])
    asked = parser.parse(words)
    if asked.version:
        from codesuture import __version__

        print(f"codesuture {__version__}")
        return 0
    parser.print_help(sys.stdout if words else sys.stderr)
    return 0 if words else 2


def _unknown_command(word: str) -> Failure:
    from codesuture.config.errors import did_you_mean

    hints = [did_you_mean(word, COMMANDS), "`codesuture --help` lists the commands"]
    if word.endswith(".py") or os.path.exists(word):
        hints.insert(0, f"to run a program: codesuture run {word}")
    return Failure(f"there is no command {word!r}", *hints, code=2)


def _have_streams() -> None:
    """Where a stream was closed before we began (``2>&-``), what is written to it is lost."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def _print_anything() -> None:
    """Names and messages from a program may hold what the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
