"""The manual page, from the commands' own parsers.

`python -m codesuture.cli.manual > docs/codesuture.1` writes it; wheels install it into
`share/man/man1`.
"""

from __future__ import annotations

import sys

from codesuture.cli.describing import Command, commands

_HEAD = """\
.\\" Written by `python -m codesuture.cli.manual`; do not edit.
.TH CODESUTURE 1 "" "codesuture" "User Commands"
.SH NAME
codesuture \\- keeps a crashing Python program running, and remembers how
.SH SYNOPSIS
.B codesuture
.I COMMAND
.RI [ OPTIONS ]
.br
.B CODESUTURE=1 python
.I SCRIPT
.SH DESCRIPTION
A structural crash of a Python program (an attribute of None, a missing key, a division by zero) is
healed at the failing instruction: a default takes the place of its result, and execution goes on.
What was decided is kept as a patch in .codesuture_store, until the code is mended.
"""

_TAIL = """\
.SH EXIT STATUS
0 where all is well, 1 where what was asked for is not there or failed, 2 for wrong usage or wrong
input.
.B codesuture run
ends as the program does.
.SH ENVIRONMENT
.TP
.B CODESUTURE
1 turns codesuture on in every Python that is started, 0 turns it off and always wins.
.TP
.B CODESUTURE_*
every key of the configuration.
.TP
.B NO_COLOR, FORCE_COLOR
whether output is coloured; else it is on a terminal.
.SH FILES
.TP
.I codesuture.toml, pyproject.toml
the configuration;
.B codesuture config
shows it.
.TP
.I .codesuture_store
the patches of a project.
"""


def page() -> str:
    """The whole page, in the macros of man(7)."""
    parts = [_HEAD, ".SH COMMANDS\n", *map(_command, commands()), _TAIL]
    return "".join(parts)


def _command(command: Command) -> str:
    lines = [f".SS codesuture {command.name}", _text(_upper(command.about) + ".")]
    about = (command.parser.description or "").strip()
    if about:
        lines += [".PP", *map(_text, about.splitlines())]
    for option in command.options:
        if option.flags != ["-h", "--help"]:
            value = f" \\fI{_text(option.value)}\\fR" if option.value else ""
            flags = ", ".join(_text(flag) for flag in option.flags)
            lines += [".TP", f"\\fB{flags}\\fR{value}", _text(_upper(option.about) + ".")]
    _, found, examples = (command.parser.epilog or "").partition("examples:\n")
    if found:
        kept = [_text(line[2:] if line.startswith("  ") else line)
                for line in examples.rstrip().splitlines()]
        lines += [".PP", "Examples:", ".PP", ".nf", *kept, ".fi"]
    return "\n".join(lines) + "\n"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")


def _text(text: str) -> str:
    """Text that roff does not look into."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text.startswith((".", "'")) else text


if __name__ == "__main__":
    sys.stdout.write(page())
