"""The real command line as a subprocess, and projects with patches to use it on."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType

import pytest

import codesuture
from codesuture.cli import main, source
from codesuture.defaults.recipe import Recipe
from codesuture.store import Patch, Store
from codesuture.surgery.fingerprint import fingerprint
from codesuture.surgery.opcodes import TAG
from codesuture.surgery.sites import sites_of

Done = subprocess.CompletedProcess[str]
Cli = Callable[..., Done]

APP = """\
def get_bio(profile):
    return "Bio: é", profile.bio, 2


class Shop:
    def total(self, prices):
        return prices["sum"]

    def get_bio(self):
        def inner(x):
            return x.y
        return inner
"""


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would change the outcome, and with our package importable."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CODESUTURE")
        and name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", "PYTHONIOENCODING")
    }
    kept["PYTHONPATH"] = str(Path(codesuture.__file__).parents[1])
    return {**kept, **more}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    """`cli("audit", "--json", cwd=..., env={...})`: runs it in the test's folder."""

    def call(
        *words: str, cwd: Path = tmp_path, env: dict[str, str] | None = None, input: str = ""
    ) -> Done:
        return subprocess.run(
            [sys.executable, "-m", "codesuture", *words],
            cwd=cwd,
            env=clean_environment(**(env or {})),
            input=input,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=60,
        )

    return call


def code_named(source: str, path: str, qualname: str) -> CodeType:
    """The code object of a function in the source."""
    found = [compile(source, path, "exec", dont_inherit=True)]
    for code in found:
        if code.co_qualname == qualname:
            return code
        found.extend(constant for constant in code.co_consts if isinstance(constant, CodeType))
    raise LookupError(qualname)


def save_patch(folder: Path, qualname: str, operation: str, **fields: object) -> Patch:
    """Save a patch for the first site of that operation in a function of the folder's app.py."""
    source = (folder / "app.py").read_text(encoding="utf-8")
    code = code_named(source, "app.py", qualname)
    site = next(site for site in sites_of(code) if site.operation == operation)
    now = datetime.now(UTC)
    values: dict[str, object] = {
        "module": "app",
        "guard": "null_guard",
        "created": now,
        "expires": now + timedelta(days=7),
        "file": "app.py",
        "line": 1,
        "target": "profile",
        "operation": operation,
        "exception": "AttributeError",
        "message": "'NoneType' object has no attribute 'bio'",
        "default": Recipe.constant(None),
        "rung": "guard",
        "reason": "Nothing better is known.",
        "fate": "No frame up to the top of the program handles it.",
        "python": TAG,
        "codesuture": "0.1.0",
        "ordinal": site.ordinal,
    }
    patch = Patch.create(
        qualname=qualname,
        fingerprint=fingerprint(code),
        **{**values, **fields},  # type: ignore[arg-type]
    )
    Store(folder / ".codesuture_store").save(patch)
    return patch


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with app.py and one patch each for get_bio, Shop.total, Shop.get_bio's inner."""
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    bio = save_patch(tmp_path, "get_bio", "load_attribute", line=2)
    save_patch(
        tmp_path,
        "Shop.total",
        "subscript",
        line=7,
        guard="key_guard",
        target="prices['sum']",
        exception="KeyError",
        message="'sum'",
        default=Recipe.constant(0),
        rung="consumer",
    )
    save_patch(tmp_path, "Shop.get_bio.<locals>.inner", "load_attribute", line=11, target="x")
    Store(tmp_path / ".codesuture_store").count({bio.id: 3}, datetime.now(UTC))
    return tmp_path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The same as `cli` without a process of its own, for tests of many commands."""

    def call(*words: str, env: dict[str, str] | None = None) -> Done:
        source._compiled.clear()  # a command lives shorter than a source file
        output, errors = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patched:
            patched.chdir(tmp_path)
            for name in set(os.environ) - set(clean_environment()):
                patched.delenv(name)
            for name, value in (env or {}).items():
                patched.setenv(name, value)
            with redirect_stdout(output), redirect_stderr(errors):
                code = main(list(words))
        return Done(list(words), code, output.getvalue(), errors.getvalue())

    return call
