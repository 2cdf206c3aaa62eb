"""Starting codesuture in an interpreter: once, and never at the program's expense."""

from __future__ import annotations

import os
import sys

SWITCH = "CODESUTURE"
RUN_VARIABLE = "CODESUTURE_RUN"
OFF_WORDS = ("0", "false", "no", "off")

#: The versions that surgery knows: from the first, up to but without the second.
OLDEST, TOO_NEW = (3, 11), (3, 16)

#: The first version whose subinterpreters are safe to heal in. On 3.12 and 3.13 plain Python dies
#: when two interpreters of a process import ``datetime``, which healing needs; on 3.11 they share
#: too much, and threads of several wait for each other for ever (both tried).
SUBINTERPRETERS = (3, 14)

#: Engines that are no more than the landing pads (``codesuture.engines``).
UNWATCHING = ("auto", "inplace")

_started = False
_active = False


def start() -> None:
    """Switch codesuture on as the interpreter starts, and wait for the program that it will run.

    May be called any number of times, as ``.pth`` lines are; the first call counts. Never raises:
    what goes wrong is one line on standard error, and the program runs as without codesuture.
    """
    global _started
    if _started or _is_own_command(sys.argv):
        return
    if _is_kept_out():
        _started = True
    elif not activate():
        return
    try:
        _wait_for_the_program(sys.argv)
    except Exception as error:
        say(f"this program runs without codesuture ({type(error).__name__}: {error})")


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


def _is_kept_out() -> bool:
    """Whether this is a subinterpreter of a version in which those are left alone."""
    return sys.version_info[:2] < SUBINTERPRETERS and not _is_main_interpreter()


def _begin(options: str | None) -> bool:
    """Read the configuration and hook the import system; False where the mode is ``off``."""
    from codesuture import importhook, session

    try:
        directory = os.getcwd()
    except FileNotFoundError:
        say("not active: the working directory does not exist any more")
        return False
    try:
        began = session.configure(_decoded(options), directory)
    except Exception as problem:
        from codesuture.config.errors import ConfigError

        if not isinstance(problem, ConfigError):
            raise
        say(f"not active: {problem}")
        return False
    if began.config.mode == "off":
        return False
    importhook.install(began.config)
    if began.config.engine not in UNWATCHING:
        from codesuture.engines.choice import begin

        begin(began)
    return True


def _decoded(options: str | None) -> dict[str, str] | None:
    """What ``codesuture run`` or ``watch`` hands over; None where neither started this."""
    if options is None:
        return None
    from codesuture.config.runflags import decode

    return decode(options)


def _is_own_command(argv: list[str]) -> bool:
    """Whether this is ``codesuture COMMAND`` or ``python -m codesuture COMMAND``.

    They look at other programs and are none to be healed.
    """
    if argv[:1] == ["-m"]:
        return sys.orig_argv[-len(argv)].removeprefix("-m") == "codesuture"
    return bool(argv) and os.path.basename(argv[0]) in ("codesuture", "codesuture.exe")


def _wait_for_the_program(argv: list[str]) -> None:
    """Arm what the interpreter is going to run, where that is not imported as ``-m`` is.

    Until the program begins, ``sys.argv[0]`` is the option itself. What is typed at a prompt stays
    as it is: the person who typed it sees the exception. An interpreter without a command line is
    part of another program.
    """
    if not argv or not sys.orig_argv or argv[0] == "-m":
        return
    if argv[0] not in ("", "-", "-c"):
        from . import script

        script.install(argv[0])
    elif not _is_main_interpreter():
        return
    elif argv[0] == "-c":
        from . import command

        command.install()
    elif not (sys.flags.interactive or os.isatty(0)):
        from . import stream

        stream.install()


def _is_main_interpreter() -> bool:
    """Whether this is no subinterpreter: those have the command line, and do not run it."""
    import _signal  # type: ignore[import-not-found]

    try:
        descriptor = _signal.set_wakeup_fd(-1)  # there is none yet; only this may be set here
    except ValueError:
        return False
    if descriptor != -1:
        _signal.set_wakeup_fd(descriptor)
    return True


def say(sentence: str) -> None:
    """One line on standard error, if there is one."""
    try:
        if sys.stderr is not None:
            sys.stderr.write(f"[CodeSuture] {sentence}\n")
    except (OSError, ValueError):
        return
