"""How a program is started with the agent, whatever put codesuture on this interpreter."""

from __future__ import annotations

import os
import site
import sys
from importlib.util import find_spec
from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]

from codesuture.checkout import AGENT, FOLDER
from codesuture.cli.failure import Failure
from codesuture.venvs import LINES

# Neither binds a name: the code runs in the `__main__` that becomes the program's.
_INSTALLED = f"__import__({AGENT!r}).launch()"
_CHECKOUT = "__import__('codesuture.checkout', None, None, ['launch']).launch()"


def interpreter(with_agent: bool) -> list[str]:
    """The command that, followed by a script and its arguments, runs it.

    Where the agent's `.pth` line starts it, that is plain Python. Elsewhere (codesuture was
    disabled here, or is a checkout on PYTHONPATH) `-c` starts the agent and then the script.
    """
    command = [sys.executable, *_args_from_interpreter_flags()]
    if not with_agent or _starts_by_itself():
        return command
    if find_spec(AGENT) is not None:
        return [*command, "-c", _INSTALLED]
    if os.path.isfile(os.path.join(FOLDER, "__init__.py")):
        return [*command, "-c", _CHECKOUT]
    raise Failure(
        f"the agent is missing from this installation of codesuture ({sys.executable})",
        f"reinstall it: {sys.executable} -m pip install --force-reinstall codesuture",
    )


def _starts_by_itself() -> bool:
    """Whether the interpreter reads a `.pth` file of ours when it starts."""
    if sys.flags.no_site or find_spec(AGENT) is None:
        return False
    folders = list(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return any(os.path.isfile(os.path.join(folder, name)) for folder in folders for name in LINES)
