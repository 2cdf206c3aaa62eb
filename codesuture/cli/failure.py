"""How a command says that it cannot do what was asked: `error:` and `hint:` lines, no traceback."""

from __future__ import annotations

import argparse
import os
import sys

from codesuture.cli.examples import with_examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn


#: Commands before a program: there these options have a meaning of their own.
_WITH_A_PROGRAM = ("run", "watch")


class Failure(Exception):
    """Ends a command: a sentence, hints, and the exit code (1 failed, 2 wrong usage or input)."""

    def __init__(self, message: str, *hints: str, code: int = 1) -> None:
        super().__init__(message)
        self.hints = hints
        self.code = code


class Described(Exception):
    """Ends a command that is only asked what it takes."""

    def __init__(self, parser: Parser) -> None:
        super().__init__(parser.prog)
        self.parser = parser


class Parser(argparse.ArgumentParser):
    """argparse with our error lines; nothing is abbreviated, so new options break no script."""

    #: Whether parsers are only asked what they take (``cli.describing``).
    describing = False

    def __init__(self, **options: str) -> None:
        command = options.get("prog", "").removeprefix("codesuture ")
        super().__init__(
            prog=options.get("prog"),
            usage=options.get("usage"),
            description=options.get("description"),
            epilog=with_examples(command, options.get("epilog")),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        if command and command not in _WITH_A_PROGRAM:
            self.add_argument(
                "-q", "--quiet", action="store_true",
                help="print nothing but errors: the exit code tells",
            )  # fmt: skip
            self.add_argument(
                "-v", "--verbose", action="store_true",
                help="say on standard error which configuration and which store are used",
            )  # fmt: skip

    def error(self, message: str) -> NoReturn:
        """Raise `Failure` where argparse would print its usage and exit."""
        raise Failure(message, f"`{self.prog} --help` shows the usage", code=2)

    def parse(self, words: list[str]) -> argparse.Namespace:
        """`parse_args` that leaves by exception only for `--help`."""
        if Parser.describing:
            raise Described(self)
        given = self.parse_args(words)
        if self.prog.removeprefix("codesuture ") not in _WITH_A_PROGRAM:
            _be(getattr(given, "quiet", False), getattr(given, "verbose", False))
        return given


def _be(quiet: bool, verbose: bool) -> None:
    """What `-q` and `-v` of a command ask for; `main` puts standard output back."""
    if quiet and verbose:
        raise Failure("--quiet and --verbose exclude each other", code=2)
    if verbose:
        from codesuture.config.load import load

        config = load(os.getcwd())
        print(f"configuration: {config.path or 'none, so the defaults'}", file=sys.stderr)
        print(f"store: {config.store}", file=sys.stderr)
    if quiet:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def report(message: str, hints: Iterable[str]) -> None:
    """Print an error and its hints to standard error."""
    from codesuture.cli.terminal import Screen

    screen = Screen(sys.stderr, "auto")
    screen.line(screen.paint("error:", "RED") + f" {message}")
    for hint in hints:
        if hint:
            screen.line(screen.paint("hint:", "CYAN") + f" {hint}")
