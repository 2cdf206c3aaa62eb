"""An environment with a distribution installed whose code crashes on bad data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def python_with_package(make_venv, wheel: Path, tmp_path_factory: pytest.TempPathFactory):
    """A Python with codesuture and the distribution Frail-Things 1.2.3, which has `frail`."""
    made = make_venv(tmp_path_factory.mktemp("calls") / "venv", wheel)
    package, metadata = (
        made.site_packages / name for name in ("frail", "frail_things-1.2.3.dist-info")
    )
    package.mkdir()
    (package / "__init__.py").write_text((HERE / "frail.txt").read_text())
    metadata.mkdir()
    (made.site_packages / "frail_half.py").write_text("begun = 1\nbegun.x\n")
    head = "Metadata-Version: 2.1\nName: Frail-Things\nVersion: 1.2.3\n"
    (metadata / "METADATA").write_text(head)
    (metadata / "top_level.txt").write_text("frail\n")
    files = ("frail/__init__.py", f"{metadata.name}/METADATA")
    (metadata / "RECORD").write_text("".join(f"{file},,\n" for file in files))
    return made


@pytest.fixture
def run(python_with_package, tmp_path: Path) -> Callable:
    """`run(text, library_calls, more)` runs a program in the test's folder, with a configuration
    that has these lines (`library_calls` is TOML; empty: it is not named)."""

    def run_program(text: str, library_calls: str = '["*"]', more: str = "", **options):
        (tmp_path / "app.py").write_text(text)
        lines = f"library_calls = {library_calls}\n" if library_calls else ""
        (tmp_path / "codesuture.toml").write_text(lines + more)
        return python_with_package.run("app.py", cwd=tmp_path, **options)

    return run_program
