"""Running a program under codesuture where no ``.pth`` line starts the agent.

``python -c "import codesuture_agent; codesuture_agent.launch()" script args`` behaves as
``python script args`` does with the agent, for scripts, ``-m module``, directories and zip files,
``-c command`` and ``-`` (standard input).
The difference: two frames, of ``-c`` and of ``launch``, lie below the program. They are taken out
of the traceback when the program dies.
"""

from __future__ import annotations

import os
import sys

from . import boot, called, command, script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, TracebackType


def launch() -> None:
    """Switch codesuture on, then run the program that the command line names."""
    boot.activate()
    arguments = sys.argv[1:]
    if not arguments:
        raise SystemExit("codesuture_agent.launch: no program was named")
    __main__ = sys.modules["__main__"]
    __main__.__dict__.pop("codesuture_agent", None)
    sys.argv[:] = arguments
    sys.orig_argv[:] = [sys.orig_argv[0], *_options(), *arguments]
    if sys.path[:1] == [""]:
        del sys.path[0]
    path = os.path.abspath(arguments[0])
    try:
        if arguments[0] == "-m":
            _run_module(arguments)
        elif arguments[0] == "-c":
            _run_command(arguments)
        elif arguments[0] == "-":
            _run_standard_input()
        elif script.is_container(path):
            _run_container(path)
        else:
            _run_script(path)
    except SystemExit:
        raise
    except BaseException as error:
        _report_with(_programs_part(error), error)
        raise


def _options() -> list[str]:
    """The interpreter's own options on the command line, up to ``-c``."""
    try:
        return sys.orig_argv[1 : sys.orig_argv.index("-c")]
    except ValueError:
        return []


def _run_module(arguments: list[str]) -> None:
    if len(arguments) < 2:
        raise SystemExit("Argument expected for the -m option")
    import runpy

    del sys.argv[1]
    if not sys.flags.safe_path:
        sys.path.insert(0, os.getcwd())
    runpy._run_module_as_main(arguments[1])  # type: ignore[attr-defined]


def _run_command(arguments: list[str]) -> None:
    if len(arguments) < 2:
        raise SystemExit("Argument expected for the -c option")
    del sys.argv[1]
    source = arguments[1] + "\n"
    if command.TAKES_INDENTATION and all(
        line[0] in " \t" for line in source.split("\n") if line.strip()
    ):
        from textwrap import dedent

        source = dedent(source)
    _execute(source, "<string>")


def _run_standard_input() -> None:
    script.name_file("<stdin>")
    try:
        _execute(sys.stdin.buffer.read(), "<stdin>")
    finally:
        script.flush()
        if script.LOSES_FILE_FIRST:
            script.forget_file()
    script.forget_file()


def _execute(source: str | bytes, name: str) -> None:
    if not sys.flags.safe_path:
        sys.path.insert(0, "")
    code = compile(source, name, "exec", dont_inherit=True)
    if isinstance(source, str):
        _show_lines(code, source, name)
    exec(called.armed(code), sys.modules["__main__"].__dict__)


def _show_lines(code: CodeType, source: str, name: str) -> None:
    """Have tracebacks show the lines of a command, in the versions in which they do."""
    if command.LINES_ARE_KNOWN:
        import linecache

        shown = code if command.SHOWS_CODE else name
        linecache._register_code(shown, source, name)  # type: ignore[attr-defined]


def _run_container(path: str) -> None:
    import runpy

    sys.path.insert(0, path)
    runpy._run_module_as_main("__main__", False)  # type: ignore[attr-defined]


def _run_script(path: str) -> None:
    if not os.path.exists(path):
        sys.stderr.write(
            f"{sys.executable}: can't open file {path!r}: [Errno 2] No such file or directory\n"
        )
        raise SystemExit(2)
    program = script.Program(path)
    if not sys.flags.safe_path:
        sys.path.insert(0, script.folder_of(path))
    program.enter()
    try:
        exec(program.code, program.namespace)
    finally:
        program.ended()
    program.clean_up()


def _programs_part(error: BaseException) -> TracebackType | None:
    """The traceback that plain Python would show: from the first frame that is not the agent's."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__package__") == __package__:
        trace = trace.tb_next
    return trace


def _report_with(trace: TracebackType | None, error: BaseException) -> None:
    """Have the interpreter report ``error`` with ``trace``.

    It calls ``sys.excepthook`` with the whole traceback once ``error`` has left ``-c``.
    """
    hook = getattr(sys, "excepthook", None)

    def excepthook(
        kind: type[BaseException], value: BaseException, whole: TracebackType | None
    ) -> None:
        if value is error:
            whole = sys.last_traceback = trace
            value.__traceback__ = trace
        if hook is None:
            del sys.excepthook
            sys.stderr.write("sys.excepthook is missing\n")
            return sys.__excepthook__(kind, value, whole)
        sys.excepthook = hook
        try:
            hook(kind, value, whole)
        except BaseException as fault:
            if fault.__traceback__ is not None:
                fault.__traceback__ = fault.__traceback__.tb_next
            raise

    sys.excepthook = excepthook
