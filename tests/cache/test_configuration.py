"""What TOML makes of a configuration file is kept: a warm start does not import `tomllib`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

APP = """\
import sys
session = sys.modules["codesuture.session"].current()
print("tomllib" in sys.modules, None if session is None else session.config.ttl)
"""


@pytest.fixture
def start(installed_python, tmp_path: Path):
    """Start a program with this configuration; whether TOML was read, the value, what was said."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(APP)

    def run(content: str | None = None, *options: str) -> tuple[str, str]:
        if content is not None:
            (folder / "codesuture.toml").write_text(content)
        os.utime(folder / "codesuture.toml", (1e9, 1e9))
        env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}
        done = installed_python.run(*options, "app.py", cwd=folder, env=env)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip(), done.stderr

    return run


def kept(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "config" / "codesuture" / "toml").glob("*"))


def test_read_once(start, tmp_path):
    assert start("ttl = 3\n") == ("True 3.0", "")
    assert start() == ("False 3.0", "")
    assert start("ttl = 4\n") == ("True 4.0", "")  # same size, same date
    assert start() == ("False 4.0", "")
    assert len(kept(tmp_path)) == 1


def test_mistakes_are_told_each_time(start, tmp_path):
    for _ in range(2):
        out, said = start("\nttl = 'x'\n")
        assert out == "False None" or out == "True None"
        assert "codesuture.toml, line 2" in said
    for _ in range(2):
        out, said = start("ttl = \n")
        assert out == "True None" and "is not valid TOML" in said
    assert start("ttl = 4\n") == ("True 4.0", "")


def test_damage_is_mended_silently(start, tmp_path):
    start("ttl = 3\n")
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    for damage in (b"", whole[:-1], whole + b"\0", whole.replace(b"ttl", b"tta")):
        file.write_bytes(damage)
        assert start() == ("True 3.0", "")
        assert start() == ("False 3.0", "")


def test_what_is_not_kept(start, tmp_path):
    """What cannot be, and nothing where Python writes nothing."""
    for _ in range(2):
        out, said = start("ttl = 1979-05-27\n")
        assert out == "True None" and "a date or time" in said
    assert start("ttl = 3\n", "-B") == ("True 3.0", "")
    assert kept(tmp_path) == []
