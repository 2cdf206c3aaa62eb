"""Writing changed files: only what is still what was read, with a backup, in one step each."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime

from codesuture.cli.failure import Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codesuture.sourcefix.suggestion import Rewrite

_SECONDS = 20


def write(files: list[Rewrite], store: str) -> list[tuple[Rewrite, str]]:
    """Write all files; each with the path of its backup in the folder ``backups`` of the store.

    Raises ``Failure``, and has written nothing, when one of them has changed since it was read or
    has changes that git does not know.
    """
    for file in files:
        _check_unchanged(file)
        if is_dirty(file.path):
            raise Failure(
                f"{file.shown_path} has changes that are not committed",
                "commit or stash them first, so that what is written here stands alone",
                "or apply it yourself: codesuture suggest --format diff",
            )
    written = []
    for file in files:
        backup = _back_up(file, store)
        _check_unchanged(file)
        _replace(file.path, file.changed)
        written.append((file, backup))
    return written


def is_dirty(path: str) -> bool:
    """Whether git knows the file, and another content of it. False where there is no git."""
    folder, name = os.path.split(os.path.realpath(path))
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain", "--", name]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return False
    said = done.stdout.strip()
    return done.returncode == 0 and bool(said) and not said.startswith((b"??", b"!!"))


def _check_unchanged(file: Rewrite) -> None:
    try:
        with open(file.path, "rb") as opened:
            same = opened.read() == file.content
    except OSError as problem:
        raise Failure(f"{file.shown_path} cannot be read: {problem.strerror}") from None
    if not same:
        raise Failure(f"{file.shown_path} has just been changed by somebody else", "try it again")


def _back_up(file: Rewrite, store: str) -> str:
    folder = os.path.join(store, "backups")
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    name = file.shown_path.replace(os.sep, ".").lstrip(".")
    try:
        os.makedirs(folder, exist_ok=True)
        ignored = os.path.join(folder, ".gitignore")
        if not os.path.exists(ignored):
            with open(ignored, "w", encoding="utf-8") as opened:
                opened.write("*\n")
        number = 0
        while True:
            path = os.path.join(folder, f"{name}.{stamp}" + (f".{number}" if number else ""))
            try:
                with open(path, "xb") as backup:
                    backup.write(file.content)
                return path
            except FileExistsError:
                number += 1
    except OSError as problem:
        raise Failure(
            f"the backup of {file.shown_path} cannot be written: {problem.strerror}",
            "nothing was changed",
        ) from None


def _replace(path: str, content: bytes) -> None:
    """Write the file in one step, with the permissions that it has; links stay links."""
    real = os.path.realpath(path)
    temporary = f"{real}.{os.getpid()}.tmp"
    try:
        mode = os.stat(real).st_mode & 0o7777
        with open(temporary, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, real)
    except OSError as problem:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise Failure(f"{path} cannot be written: {problem.strerror}") from None
