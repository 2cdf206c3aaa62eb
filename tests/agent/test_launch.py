"""`codesuture_agent.launch`: a program without a `.pth` line runs as with one."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from .test_main import DEATHS

LAUNCH = "__import__('codesuture_agent').launch()"

STATE = """\
import sys, warnings
names = "name file spec package loader cached doc annotations".split()
print({name: globals().get(f"__{name}__", "-") for name in names}, list(globals()))
print(sys.argv, sys.path, sys.orig_argv[1:], sys.path_hooks, sys.excepthook)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory, wheel, make_venv):
    """A Python that has codesuture and no `.pth` line."""
    python = make_venv(tmp_path_factory.mktemp("bare") / "venv", wheel)
    (python.site_packages / "codesuture.pth").unlink()
    return python


@pytest.fixture
def same(bare, tmp_path: Path):
    def compare(*words: str, options: tuple[str, ...] = (), input: str = ""):
        plain = bare.run(*options, *words, agent=False, cwd=tmp_path, input=input)
        ours = bare.run(*options, "-c", LAUNCH, *words, cwd=tmp_path, input=input)
        seen = [
            [str(done.returncode), *mask(done.stdout).split("\n"), *done.stderr.split("\n")]
            for done in (plain, ours)
        ]
        assert seen[1] == seen[0]
        return ours

    return compare


def mask(text: str) -> str:
    import re

    return re.sub("0x[0-9a-f]{6,}", "0x", text)


def test_state(same, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "app.py").write_text(STATE)
    (tmp_path / "link.py").symlink_to("deep/app.py")
    for options in ((), ("-P",), ("-O",), ("-X", "dev"), ("-I",)):
        same("deep/app.py", "a", "-b", options=options)
    same("link.py")
    same("missing.py")
    same("-m", "missing")


def test_modules_folders_and_archives(same, tmp_path):
    (tmp_path / "mod.py").write_text(STATE + "raise OSError(1)\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(STATE + "raise OSError(2)\n")
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as archive:
        archive.writestr("__main__.py", STATE + "raise OSError(3)\n")
    assert same("-m", "mod", "x").returncode == 1
    same("-m", "mod", options=("-P",))
    same("folder", "x")
    same("app.pyz")
    assert same("-m", "json.tool", input="{}").stdout == "{}\n"


#: Where a script that cannot be compiled is reported in other words, or without its warnings.
OTHER_WORDS = {"null", "unknown encoding", "tabs", "warning, then error"}


@pytest.mark.parametrize("death", sorted(DEATHS.keys() - OTHER_WORDS))
def test_how_a_script_ends(same, tmp_path, death):
    (tmp_path / "app.py").write_bytes(DEATHS[death].encode())
    same("app.py")


def test_it_is_armed_unless_switched_off(bare, tmp_path):
    (tmp_path / "app.py").write_text("def f(x): return x.y\nprint(len(f.__code__.co_names))\n")
    for switch, armed in (("1", True), ("0", False)):
        done = bare.run("-c", LAUNCH, "app.py", cwd=tmp_path, env={"CODESUTURE": switch})
        assert (done.returncode, done.stderr) == (0, "")
        assert (done.stdout != "1\n") is armed
    assert bare.run("app.py", cwd=tmp_path).stdout == "1\n"
    assert bare.run("-c", LAUNCH, cwd=tmp_path).stderr.endswith("no program was named\n")
