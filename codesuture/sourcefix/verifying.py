"""Running the project's tests in a copy of it that has the changes, with codesuture off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.sourcefix.suggestion import Rewrite

SECONDS = 1800
#: Folders that are not copied: tests do not need them, and they can be large.
_LEFT_OUT = frozenset({
    ".git", ".hg", ".svn", ".tox", ".nox", ".venv", "venv", "node_modules", "__pycache__",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".codesuture_store",
})  # fmt: skip
_TAIL = 15


class Verdict:
    """Whether the tests passed; if not, a sentence, hints, and the last lines of what they said."""

    def __init__(
        self, passed: bool, sentence: str = "", hints: Iterable[str] = (), tail: Iterable[str] = ()
    ) -> None:
        self.passed = passed
        self.sentence = sentence
        self.hints = list(hints)
        self.tail = list(tail)


def verify(files: list[Rewrite], command: str, root: str) -> Verdict:
    """Run ``command`` in a copy of the project with the changes.

    Where it fails, it is run in a copy without them as well, to tell whose fault that is.
    """
    outside = [file for file in files if _inside(file.path, root) is None]
    if outside:
        return Verdict(
            False,
            f"{outside[0].path} is not in the project's folder, so its tests cannot tell",
            ["name the function, or run it where that file belongs to"],
        )
    code, tail = _run(files, command, root)
    if code == 0:
        return Verdict(True)
    if code is None:
        return Verdict(False, f"the tests did not end within {SECONDS // 60} minutes", [], tail)
    before, _ = _run([], command, root)
    if before == 0:
        return Verdict(
            False, "the tests fail with the change, and pass without it",
            ["nothing was written", "the change shows by: codesuture suggest"], tail,
        )  # fmt: skip
    return Verdict(
        False, f"the tests fail without the change as well (exit code {before})",
        ["codesuture is off in them (CODESUTURE=0): the crash itself may be what fails",
         "nothing was written"], tail,
    )  # fmt: skip


def _run(files: list[Rewrite], command: str, root: str) -> tuple[int | None, list[str]]:
    with tempfile.TemporaryDirectory(prefix="codesuture-suggest-") as folder:
        copy = os.path.join(folder, os.path.basename(os.path.abspath(root)) or "project")
        shutil.copytree(root, copy, symlinks=True, ignore=_ignored)
        for file in files:
            inside = _inside(file.path, root)
            assert inside is not None  # checked by verify
            with open(os.path.join(copy, inside), "wb") as opened:
                opened.write(file.changed)
        return _call(command, copy, root)


def _call(command: str, copy: str, root: str) -> tuple[int | None, list[str]]:
    """The exit code, None after too long a time; and the last lines of the output."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, shell=True, cwd=copy, env=_environment(copy, root), stdout=output,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            start_new_session=os.name == "posix",
        )  # fmt: skip
        code: int | None
        try:
            code = process.wait(SECONDS)
        except BaseException as problem:
            _end(process)
            if not isinstance(problem, subprocess.TimeoutExpired):
                raise
            code = None
        output.seek(0)
        lines = output.read().decode("utf-8", "replace").splitlines()
        return code, lines[-_TAIL:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the command and all that it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _environment(copy: str, root: str) -> dict[str, str]:
    """Codesuture is off, and what would be imported from the project comes from the copy."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CODESUTURE")}
    paths = [copy]
    source = os.path.join(copy, "src")
    if os.path.isdir(source):
        paths.append(source)
    for path in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        inside = _inside(path, root) if path else None
        paths.append(path if inside is None else os.path.join(copy, inside))
    kept["PYTHONPATH"] = os.pathsep.join(path for path in dict.fromkeys(paths) if path)
    kept["CODESUTURE"] = "0"
    return kept


def _inside(path: str, root: str) -> str | None:
    """The path relative to the root; None where it is not inside."""
    inside = os.path.relpath(os.path.realpath(path), os.path.realpath(root))
    return None if inside == os.pardir or inside.startswith(os.pardir + os.sep) else inside


def _ignored(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name in _LEFT_OUT or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    }
