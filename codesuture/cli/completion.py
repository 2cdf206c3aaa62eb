"""`codesuture completion`: a script with which a shell completes our command lines."""

from __future__ import annotations

import os

from codesuture.cli.failure import Failure, Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.cli.describing import Command

SHELLS = ("bash", "zsh", "fish")

_EXAMPLES = """\
examples:
  codesuture completion bash >> ~/.bash_completion
  codesuture completion zsh > "${fpath[1]}/_codesuture"
  codesuture completion fish > ~/.config/fish/completions/codesuture.fish
  eval "$(codesuture completion bash)"     for this shell only
"""


def execute(words: list[str]) -> int:
    """Print the script."""
    parser = Parser(
        prog="codesuture completion",
        usage="codesuture completion (bash | zsh | fish)",
        description="Print a script that lets a shell complete commands, options and the names of "
        "functions\nthat have patches.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("shell", choices=[*SHELLS, "names"], metavar="SHELL",
                        help="bash, zsh or fish")
    asked = parser.parse(words)
    if asked.shell == "names":
        return _print_names()
    from codesuture.cli.describing import commands

    scripts = {"bash": bash, "zsh": zsh, "fish": fish}
    print(scripts[asked.shell](list(commands())), end="")
    return 0


def _print_names() -> int:
    """The functions that have patches, for the scripts; nothing where the store cannot be read."""
    from codesuture.config.errors import ConfigError
    from codesuture.config.load import load
    from codesuture.store import Store, StoreError

    try:
        patches = Store(load(os.getcwd()).store).patches()
    except (ConfigError, StoreError, Failure):
        return 0
    for name in sorted({patch.qualname for patch in patches}):
        if name.isascii() and name.replace(".", "").replace("_", "").isalnum():
            print(name)
    return 0


def bash(commands: list[Command]) -> str:
    """The script for bash."""
    cases = "\n".join(
        f"        {one.name}) options='{' '.join(one.flags)}'; words='{' '.join(one.words)}'"
        f"{' ; named=1' if one.takes_name else ''} ;;"
        for one in commands
    )
    names = " ".join(one.name for one in commands)
    return f"""\
_codesuture() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} options='' words='' named=''
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W '{names} --help --version' -- "$current"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    case $current in
        -*) COMPREPLY=($(compgen -W "$options" -- "$current")); return ;;
    esac
    [ -z "$named" ] || words="$words $(codesuture completion names 2>/dev/null)"
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _codesuture codesuture
"""


def zsh(commands: list[Command]) -> str:
    """The script for zsh."""
    listed = "\n".join(f"        {_quoted(f'{one.name}:{one.about}')}" for one in commands)
    cases = "\n".join(_zsh_case(one) for one in commands)
    return f"""\
#compdef codesuture
_codesuture() {{
    local -a commands names
    commands=(
{listed}
    )
    if (( CURRENT == 2 )); then
        _describe command commands
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{cases}
    esac
}}
_codesuture_names() {{
    local -a names
    names=(${{(f)"$(codesuture completion names 2>/dev/null)"}})
    compadd -a names
}}
if [ "$funcstack[1]" = "_codesuture" ]; then
    _codesuture "$@"
else
    compdef _codesuture codesuture
fi
"""


def _zsh_case(command: Command) -> str:
    specs = []
    for option in command.options:
        about = option.about.replace("[", "(").replace("]", ")").replace(":", " -")
        value = f":{option.value}:_files" if option.value else ""
        specs += [_quoted(f"{flag}[{about}]{value}") for flag in option.flags]
    if command.takes_name:
        specs.append("'1:name:_codesuture_names'")
    elif command.words:
        specs.append(_quoted(f"1:action:({' '.join(command.words)})"))
    else:
        specs.append("'*:file:_files'")
    return f"        {command.name}) _arguments {' '.join(specs)} ;;"


def fish(commands: list[Command]) -> str:
    """The script for fish."""
    lines = []
    for one in commands:
        about = _quoted(one.about)
        lines.append(f"complete -c codesuture -n __fish_use_subcommand -f -a {one.name} -d {about}")
        seen = f"complete -c codesuture -n '__fish_seen_subcommand_from {one.name}'"
        for option in one.options:
            flags = " ".join(
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
                for flag in option.flags
            )
            value = " -r" if option.value else ""
            lines.append(f"{seen} {flags}{value} -d {_quoted(option.about)}")
        if one.words:
            lines.append(f"{seen} -f -a {_quoted(' '.join(one.words))}")
        if one.takes_name:
            lines.append(f"{seen} -f -a '(codesuture completion names 2>/dev/null)'")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """In single quotes, which the shells read alike where there is no backslash inside."""
    return "'" + text.replace("\\", "").replace("'", "'\\''") + "'"
