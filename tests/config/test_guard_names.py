"""Which guard names the configuration accepts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from codesuture.guards.names import BUILT_IN, is_registered
from codesuture.guards.registry import built_in


def test_built_in_names_are_unique_and_known() -> None:
    assert len(set(BUILT_IN)) == len(BUILT_IN)
    assert all(is_registered(name) for name in BUILT_IN)
    assert not is_registered("nothing_guard")


def test_the_names_are_those_of_the_registry() -> None:
    assert sorted(guard.name for guard in built_in()) == sorted(BUILT_IN)


def test_a_guard_of_another_distribution_is_known_without_being_loaded(tmp_path: Path) -> None:
    info = tmp_path / "packages" / "thirdparty-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thirdparty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[codesuture.guards]\nthird_guard = no_such_module:Guard\n"
    )
    (tmp_path / "codesuture.toml").write_text("[guards]\nthird_guard = false\n", "utf-8")
    program = "from codesuture.config.load import load; print(load('.', {}).guards)"
    root = str(Path(__file__).parents[2])
    for path, code in ((os.pathsep.join([root, str(info.parent)]), 0), (root, 1)):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code
        if code:
            assert "'third_guard', which is not a guard" in done.stderr
        else:
            assert done.stdout == "{'third_guard': False}\n"
