"""What README.md shows is what happens, to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from codesuture.cli import COMMANDS
from codesuture.guards.registry import built_in

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

REPORT = """\
Hello, ada
  bio: Mathematician
  visits: 12
  e-mail: <ada@example.org>
Hello, bob
  bio:\N{SPACE}
  visits: 0
  e-mail: <>
Done, nobody was left out.
"""


def block(mark: str) -> str:
    """The code block behind ``<!-- MARK -->``."""
    found = re.search(rf"<!-- {mark} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert found is not None, mark
    return found.group(1)


@pytest.fixture
def shell(installed_python, tmp_path):
    """Runs a marked command in a copy of the examples, with the environment active."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    activated = f"{installed_python.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"

    def run(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-ec", block(f"command: {name}")],
            cwd=tmp_path,
            env=installed_python.environment(PATH=activated, PYTHONDONTWRITEBYTECODE="1"),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run


def test_the_first_command_and_the_second_run(shell, tmp_path):
    first = shell("run")
    assert (first.returncode, first.stdout) == (0, REPORT)
    assert first.stderr == block("stderr: run")
    again = shell("again")
    assert (again.returncode, again.stdout) == (0, REPORT)
    assert again.stderr == block("stderr: again")
    assert {path.name for path in tmp_path.iterdir()} == {"examples", ".codesuture_store"}


def test_the_first_program_needs_healing(installed_python, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = installed_python.run("examples/profiles.py", agent=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.endswith("AttributeError: 'NoneType' object has no attribute 'bio'\n")


def test_the_other_example(installed_python, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    done = installed_python.run("examples/orders.py", cwd=tmp_path)
    assert done.returncode == 0
    assert "(this program's own handler: a bad count is 1)" in done.stdout
    assert done.stdout.endswith("total: 4\naverage of nothing: 0.0\n")
    assert re.findall("Applying (\\w+)", done.stderr) == [
        "file_guard", "key_guard", "division_guard",
    ]  # fmt: skip


def test_the_guards_in_the_table_are_those_that_there_are():
    rows = [
        f"| `{guard.name}` | {', '.join(f'`{text}`' for text in guard.examples[:2])} "
        f"| {guard.supplies} |"
        for guard in built_in()
    ]
    assert re.findall(r"^\| `\w+_guard`.*$", README, re.MULTILINE) == rows


def test_every_command_is_named():
    assert set(re.findall(r"\| `codesuture (\w+)", README)) == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [name for name in targets if not (page.parent / name).exists()] == []
