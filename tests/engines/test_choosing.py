"""`--engine` and the key `engine`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SHOW = """\
import sys
for name in ("monitoring", "tracing"):
    if "codesuture.engines." + name in sys.modules:
        print(name)
"""


def run(installed_python, folder: Path, *words: str, **options):
    (folder / "app.py").write_text(SHOW)
    words = ("-m", "codesuture", "run", *words, "app.py")
    return installed_python.run(*words, cwd=folder, agent=False, **options)


def test_flag_variable_and_file(installed_python, tmp_path: Path, engine: str) -> None:
    shown = {"monitoring": "monitoring\n", "trace": "tracing\n"}[engine]
    assert run(installed_python, tmp_path).stdout == ""
    assert run(installed_python, tmp_path, "--engine", engine).stdout == shown
    (tmp_path / "codesuture.toml").write_text(f'engine = "{engine}"\n')
    assert run(installed_python, tmp_path).stdout == shown
    assert run(installed_python, tmp_path, "--engine=inplace").stdout == ""
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_ENGINE": "auto"})
    assert (done.stdout, done.stderr) == ("", "")


def test_an_engine_for_other_versions(installed_python, tmp_path: Path, engine: str) -> None:
    """`codesuture run` says so and ends; a program that is started otherwise runs all the same."""
    other, why = {
        "trace": ("monitoring", "needs sys.monitoring, which Python has from 3.12 on"),
        "monitoring": ("trace", "is for Python 3.11; later ones have a cheaper way"),
    }[engine]
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    done = run(installed_python, tmp_path, "--engine", other)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr == (
        f"error: --engine: the engine {other!r} {why}; this is {here}\n"
        f"hint: use --engine {engine} here, or --engine inplace\n"
    )
    done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_ENGINE": other})
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr.count("\n") == 1 and "crashes are healed in place only" in done.stderr


@pytest.mark.parametrize("words", [["--engine", "fast"], ["--engine"]])
def test_wrong_engines(installed_python, tmp_path: Path, words: list[str]) -> None:
    done = run(installed_python, tmp_path, *words)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("error: ")
