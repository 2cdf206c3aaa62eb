"""PEP 829: `.start` files on 3.15 to 3.17, and the files that docs/agent.md plans for 3.18."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from codesuture import venvs

DOCS = Path(__file__).parents[2] / "docs" / "agent.md"
TOUCHED = "import sys; print([m for m in sys.modules if 'codesuture' in m][:1])"
HAS_START_FILES = sys.version_info >= (3, 15)


def planned(name: str) -> str:
    """The content of a file as the documentation has it."""
    text = DOCS.read_text(encoding="utf-8")
    found = re.search(rf"<!-- start file: {re.escape(name)} -->\n```\w*\n(.*?)```", text, re.S)
    assert found is not None
    return found[1]


@pytest.fixture
def own(make_venv, wheel, tmp_path):
    return make_venv(tmp_path / "venv", wheel)


def agent_starts(python, **env: str) -> bool:
    source = "import sys; print('codesuture.importhook' in sys.modules)"
    done = python.run("-c", source, agent=False, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout == "True\n"


def test_the_wheel_has_none(installed_python):
    assert not list(installed_python.site_packages.glob("*codesuture*.start"))


@pytest.mark.parametrize("content", ["", "# nothing\n"])
def test_an_empty_one_switches_the_line_off(own, content):
    (own.site_packages / "codesuture.start").write_text(content)
    assert agent_starts(own, CODESUTURE="1") is not HAS_START_FILES
    venvs.enable(str(own.folder))  # this file has a name of its own
    assert agent_starts(own)
    (own.site_packages / "codesuture.start").unlink()
    venvs.disable(str(own.folder))
    assert not agent_starts(own, CODESUTURE="1")


@pytest.mark.skipif(not HAS_START_FILES, reason="PEP 829 is new in 3.15")
def test_what_is_planned(own):
    """As on 3.18, where import lines no longer run: without the `.pth` files."""
    folder = own.site_packages
    (folder / "codesuture.start").write_text(planned("codesuture.start"))
    (folder / "_codesuture_start.py").write_text(planned("_codesuture_start.py"))
    (folder / "codesuture.pth").unlink()
    assert agent_starts(own, CODESUTURE="1") and not agent_starts(own, CODESUTURE="0")
    done = own.run("-c", TOUCHED, agent=False)
    assert done.stdout == "['_codesuture_start']\n"
    (folder / "codesuture-enabled.start").write_text(planned("codesuture-enabled.start"))
    (folder / "_codesuture_enabled.py").write_text(planned("_codesuture_start.py"))
    assert agent_starts(own) and not agent_starts(own, CODESUTURE="0")
    # What pip removes; what `enable` wrote stays, silently.
    for name in ("codesuture.start", "_codesuture_start.py", "zz_dependencies.pth"):
        (folder / name).unlink()
    for name in ("codesuture", "codesuture_agent"):
        shutil.rmtree(folder / name)
    assert not agent_starts(own) and not agent_starts(own, CODESUTURE="1")
