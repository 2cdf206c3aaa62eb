"""File names of recipes on any file system."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesuture.store import Patch
from codesuture.store.names import file_name, id_in_name

MakePatch = Callable[..., Patch]


@pytest.mark.parametrize(
    ("module", "qualname", "label"),
    [
        ("app", "get_bio", "app.get_bio"),
        ("pkg.mod", "C.f.<locals>.<lambda>", "pkg.mod.C.f.locals.lambda"),
        ("app", "<module>", "app.module"),
        ("con", "f", "_con.f"),
        ("-m", "f", "m.f"),
        ("a/../../b", "x y", "a_.._.._b.x_y"),
        ("größe", "f", "gr__e.f"),
    ],
)
def test_readable_names(module: str, qualname: str, label: str, make_patch: MakePatch) -> None:
    patch = make_patch(module=module, qualname=qualname)
    assert file_name(patch) == f"{label}-{patch.id}.json"


def test_long_names_keep_both_ends(make_patch: MakePatch) -> None:
    patch = make_patch(module="first", qualname="x" * 400 + ".last")
    name = file_name(patch)
    assert name.startswith("first.xxx")
    assert name.endswith(f"xxx.last-{patch.id}.json")
    assert len(name) <= 120


@given(module=st.text(min_size=1), qualname=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name_is_safe(module: str, qualname: str, make_patch: MakePatch) -> None:
    patch = make_patch(module=module, qualname=qualname)
    name = file_name(patch)
    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,120}", name)
    assert os.path.basename(name) == name
    assert name[0] not in ".-" or name == f"-{patch.id}.json"
    assert id_in_name(name) == patch.id
