"""Containers: the user who runs the program is another one than who installed and cached it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534
APP = "import mod\nprint(mod.f(None), '__codesuture_recover__' in mod.f.__code__.co_names)\n"
MOD = "def f(x):\n    try: return x.y\n    except AttributeError: return 'caught'\n"

pytestmark = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user"
)


@pytest.fixture
def folder():
    """One that everybody can reach, which pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="codesuture-users-"))
    made.chmod(0o755)
    (made / "app.py").write_text(APP)
    (made / "mod.py").write_text(MOD)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def run(installed_python, folder):
    """Run the program as a user; the packages are reached by `PYTHONPATH`."""

    def start(user: int, home: Path | None) -> str:
        env = {**installed_python.environment(CODESUTURE="1"), "PYTHONPATH": str(folder / "lib")}
        env |= {"HOME": str(home or "/nonexistent"), "XDG_CONFIG_HOME": ""}
        done = subprocess.run(
            [sys.executable, "-c", START, "app.py"],
            cwd=folder,
            env=env,
            user=user,
            group=user,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return done.stdout

    for name in ("codesuture", "codesuture_agent"):
        shutil.copytree(installed_python.site_packages / name, folder / "lib" / name)
    return start


START = "import codesuture_agent as agent; agent.launch()"
RIGHT = "caught True\n"


def cached(folder: Path) -> dict[str, int]:
    return {
        path.name: path.stat().st_uid
        for path in folder.glob("__pycache__/*.opt-codesuture*.pyc")
    }


def home_of(folder: Path, user: int) -> Path:
    home = folder / f"home{user}"
    home.mkdir(exist_ok=True)
    os.chown(home, user, user)
    return home


def reachable() -> bool:
    """Whether another user can start this interpreter at all."""
    if os.geteuid() != 0:
        return False
    command = [sys.executable, "-c", ""]
    try:
        done = subprocess.run(command, user=NOBODY, group=NOBODY, capture_output=True, check=False)
    except PermissionError:  # a folder on the way to it is closed
        return False
    return done.returncode == 0


@pytest.mark.skipif(not reachable(), reason="this interpreter is root's alone")
def test_another_user(run, folder):
    assert run(0, home_of(folder, 0)) == RIGHT
    own = cached(folder)
    assert list(own.values()) == [0]
    # A tree that this user may only read, and signed with a key that is not theirs.
    for home in (home_of(folder, NOBODY), None):
        assert run(NOBODY, home) == RIGHT
        assert cached(folder) == own
    # One that they may write.
    os.chown(folder / "__pycache__", NOBODY, NOBODY)
    assert run(NOBODY, home_of(folder, NOBODY)) == RIGHT
    assert sorted(cached(folder).values()) == [0, NOBODY]
    # Root does not take what somebody else has written, and leaves nothing in their home.
    for path in (folder / "__pycache__").glob("*.opt-codesuture*.pyc"):
        if path.stat().st_uid == 0:
            path.unlink()
    assert run(0, home_of(folder, NOBODY)) == RIGHT
    assert list(cached(folder).values()) == [NOBODY]


def test_a_read_only_tree(installed_python, folder):
    """Mounted read-only, as containers do; root may write whatever the modes say."""
    mounted = subprocess.run(
        ["unshare", "--mount", "sh", "-c",
         f"mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && cd {folder} && "
         f"! touch x 2>/dev/null && {installed_python.python} app.py"],
        env=installed_python.environment(CODESUTURE="1"),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "unshare" in mounted.stderr or "mount" in mounted.stderr:
        pytest.skip("nothing can be mounted here")
    assert (mounted.returncode, mounted.stdout, mounted.stderr) == (0, RIGHT, "")
    assert not (folder / "__pycache__").exists()
