"""`explain` says how to mend the source: the guard's own sentence, for what the patch bridges."""

from __future__ import annotations

import json

from codesuture.guards.names import BUILT_IN
from codesuture.guards.registry import by_name

from .conftest import save_patch


def test_every_guard_has_its_own_advice() -> None:
    guards = [by_name(name) for name in BUILT_IN]
    sentences = {guard.advice("profile.bio", min(guard.operations)) for guard in guards if guard}
    assert len(sentences) == len(BUILT_IN)
    assert all("profile.bio" in sentence for sentence in sentences)


def test_explain_gives_the_advice_of_guard_and_operation(cli, project) -> None:
    done = cli("explain", "total", "--json")
    (patch,) = json.loads(done.stdout)["patches"]
    assert patch["advice"].startswith("Read `prices['sum']` with `.get(key, default)`")


def test_a_guard_that_is_not_installed_any_more(cli, project) -> None:
    save_patch(project, "get_bio", "load_attribute", guard="their_guard", target="theirs")
    done = cli("explain", "app:get_bio", "--json")
    by_guard = {p["guard"]: p["advice"] for p in json.loads(done.stdout)["patches"]}
    assert by_guard["their_guard"] == "Handle the case in the source where `theirs` is computed."
