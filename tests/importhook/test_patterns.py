"""Which modules the patterns of the configuration mean: packages, scripts, `__main__`."""

from __future__ import annotations

import pytest

from codesuture import importhook
from codesuture.config.load import load

APP = "def f(x): return x.y\nprint([f(None)])\n"


@pytest.mark.parametrize(
    ("exclude", "module", "is_wanted"),
    [
        ("shop", "shop", False),
        ("shop", "shop.views", False),
        ("shop", "shopping", True),
        ("shop.*", "shop", True),
        ("__main__", "__main__", False),
        ("__main__", "__mp_main__", False),
        ("script", "__main__", False),
        ("main", "__main__", True),
    ],
)
def test_exclude(tmp_path, exclude, module, is_wanted):
    config = load(str(tmp_path), environ={"CODESUTURE_EXCLUDE": exclude})
    assert importhook.is_user_code(module, "/srv/script.py", config) is is_wanted


@pytest.mark.parametrize("how", [["app.py"], ["-m", "app"], ["-m", "codesuture", "run", "app.py"]])
@pytest.mark.parametrize("name", ["__main__", "app"])
def test_a_script_is_protected_by_both_of_its_names(installed_python, tmp_path, how, name):
    (tmp_path / "app.py").write_text(APP)
    done = installed_python.run(*how, cwd=tmp_path, env={"CODESUTURE_PROTECT": name})
    assert done.returncode == 1
    assert "is protected" in done.stderr
    # The crash itself is recorded; no patch is made for it.
    assert not list(tmp_path.glob(".codesuture_store/patches/*"))


def test_a_module_of_the_program_is_not_main(installed_python, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "start.py").write_text("import app\n")
    done = installed_python.run("start.py", cwd=tmp_path, env={"CODESUTURE_PROTECT": "__main__"})
    assert (done.returncode, done.stdout) == (0, "[None]\n")
