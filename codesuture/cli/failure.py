"""How a command says that it cannot do what was asked: `error:` and `hint:` lines, no traceback."""

from __future__ import annotations

import argparse
import sys

from codesuture.cli.examples import with_examples

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn


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

    def error(self, message: str) -> NoReturn:
        """Raise `Failure` where argparse would print its usage and exit."""
        raise Failure(message, f"`{self.prog} --help` shows the usage", code=2)

    def parse(self, words: list[str]) -> argparse.Namespace:
        """`parse_args` that leaves by exception only for `--help`."""
        if Parser.describing:
            raise Described(self)
        return self.parse_args(words)


def report(message: str, hints: Iterable[str]) -> None:
    """Print an error and its hints to standard error."""
    from codesuture.cli.terminal import Screen

    screen = Screen(sys.stderr, "auto")
    screen.line(screen.paint("error:", "RED") + f" {message}")
    for hint in hints:
        if hint:
            screen.line(screen.paint("hint:", "CYAN") + f" {hint}")
