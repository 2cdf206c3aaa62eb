"""What the commands take, read from their own parsers: for completion and the manual page."""

from __future__ import annotations

import argparse
from importlib import import_module

from codesuture.cli import COMMANDS
from codesuture.cli.failure import Described, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Option:
    """One option: its flags, the name of its value (empty for a switch), and what it does."""

    def __init__(self, action: argparse.Action) -> None:
        self.flags = list(action.option_strings)
        value = action.metavar or action.dest.upper()
        self.value = "" if action.nargs == 0 else str(value)
        self.about = (action.help or "").replace("%%", "%")


class Command:
    """One command: its parser, its options, and whether it takes the name of a function."""

    def __init__(self, name: str, parser: Parser) -> None:
        self.name = name
        self.parser = parser
        self.about = COMMANDS[name]
        actions = [one for one in parser._actions if one.help != argparse.SUPPRESS]
        self.options = [Option(action) for action in actions if action.option_strings]
        positional = [action for action in actions if not action.option_strings]
        self.takes_name = any(action.dest == "name" for action in positional)
        self.words = [str(word) for action in positional for word in action.choices or ()]

    @property
    def flags(self) -> list[str]:
        """The options' names, one after the other."""
        return [flag for option in self.options for flag in option.flags]


def commands() -> Iterator[Command]:
    """Every command, in the order of `codesuture --help`."""
    for name in COMMANDS:
        Parser.describing = True
        try:
            import_module(f"codesuture.cli.{name}").execute(["--help"])
        except Described as described:
            yield Command(name, described.parser)
        finally:
            Parser.describing = False
