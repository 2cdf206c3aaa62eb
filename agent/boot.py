"""Starting codesuture in an interpreter: once, and never at the program's expense."""

from __future__ import annotations

import os
import sys

SWITCH = "CODESUTURE"
RUN_VARIABLE = "CODESUTURE_RUN"
OFF_WORDS = ("0", "false", "no", "off")

#: The versions that surgery knows: from the first, up to but without the second.
OLDEST, TOO_NEW = (3, 11), (3, 16)

_started = False
_active = False


def start() -> None:
    """Switch codesuture on for this interpreter, unless ``CODESUTURE`` says off.

    May be called any number of times, as ``.pth`` lines are; the first call counts. Never raises:
    what goes wrong is one line on standard error, and the program runs as without codesuture.
    """
    if _started or _is_own_command(sys.argv) or not activate() or not _is_script(sys.argv):
        return
    try:
        from . import script

        script.install(sys.argv[0])
    except Exception as error:
        say(f"could not start ({type(error).__name__}: {error}); running without it")


def activate() -> bool:
    """Begin a session and hook the import system, also in a program that is running already.

    The first call in an interpreter counts; each says whether codesuture is active. Never raises,
    as ``start``.
    """
    global _started, _active
    if _started or os.environ.get(SWITCH, "1").strip().lower() in OFF_WORDS:
        return _active
    _started = True
    options = os.environ.pop(RUN_VARIABLE, None)
    try:
        _active = _is_supported() and _begin(options)
    except Exception as error:
        say(f"could not start ({type(error).__name__}: {error}); running without it")
    return _active


def is_active() -> bool:
    """Whether user code is being armed in this interpreter."""
    return _active


def launch() -> None:
    """Start, then run the program that the command line names (``codesuture_agent.launcher``)."""
    from .launcher import launch

    launch()


def _is_supported() -> bool:
    """Whether this interpreter's bytecode is known; says so if not."""
    if sys.implementation.name == "cpython" and OLDEST <= sys.version_info[:2] < TOO_NEW:
        return True
    version = ".".join(str(part) for part in sys.version_info[:2])
    say(
        f"not active: {sys.implementation.name} {version} is not supported "
        f"(CPython {OLDEST[0]}.{OLDEST[1]} to {TOO_NEW[0]}.{TOO_NEW[1] - 1} is)"
    )
    return False


def _begin(options: str | None) -> bool:
    """Read the configuration and hook the import system; False where the mode is ``off``."""
    from codesuture import importhook, session
    from codesuture.config.errors import ConfigError
    from codesuture.config.runflags import decode

    try:
        directory = os.getcwd()
    except FileNotFoundError:
        say("not active: the working directory does not exist any more")
        return False
    try:
        began = session.configure(None if options is None else decode(options), directory)
    except ConfigError as problem:
        say(f"not active: {problem}")
        return False
    if began.config.mode == "off":
        return False
    importhook.install(began.config)
    return True


def _is_own_command(argv: list[str]) -> bool:
    """Whether this is ``codesuture COMMAND`` or ``python -m codesuture COMMAND``.

    They look at other programs and are none to be healed.
    """
    if argv[:1] == ["-m"]:
        return sys.orig_argv[-len(argv)].removeprefix("-m") == "codesuture"
    return bool(argv) and os.path.basename(argv[0]) in ("codesuture", "codesuture.exe")


def _is_script(argv: list[str]) -> bool:
    """Whether the interpreter was given a file to run, rather than ``-c``, ``-m`` or nothing.

    Until the program begins, ``sys.argv[0]`` is the option itself.
    """
    return bool(argv) and argv[0] not in ("", "-", "-c", "-m")


def say(sentence: str) -> None:
    """One line on standard error, if there is one."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"[CodeSuture] {sentence}\n")
    except (OSError, ValueError):
        return
