"""`codesuture approve`, `reject`, `renew`, `pin`: who decided what, and what follows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from codesuture.defaults.recipe import Recipe
from codesuture.store import Patch, Store

from .conftest import Cli, save_patch


def bio(project: Path) -> Patch:
    found = Store(project / ".codesuture_store").patches()
    return next(patch for patch in found if patch.qualname == "get_bio")


def test_approve(here: Cli, project: Path) -> None:
    done = here("approve", "get_bio", "--by", "ada", "--reason", "harmless")
    patch = bio(project)
    said = f"Approved null_guard on 'profile' in app:get_bio ({patch.id})\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert (patch.state, patch.rung) == ("reviewed", "approved")
    assert patch.default == Recipe.constant(None)
    last = patch.history[-1]
    assert (last.state, last.by, last.note) == ("reviewed", "ada", "harmless")
    assert patch.reason.startswith("ada approved it on ")
    assert last.at >= patch.created


def test_approve_with_another_default(here: Cli, project: Path) -> None:
    assert here("approve", "get_bio", "--default", '"none"').returncode == 0
    patch = bio(project)
    assert (patch.default, patch.rung) == (Recipe.constant("none"), "approved")
    assert patch.history[-1].note == f"the default is {patch.default.describe()} now"
    wrong = here("approve", "get_bio", "--default", "open('x')")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: the value for --default: ")
    assert bio(project) == patch


def test_what_is_approved_is_what_the_table_shows(here: Cli, project: Path) -> None:
    (project / "codesuture.toml").write_text("[defaults]\nnull_guard = '7'\n", "utf-8")
    assert here("approve", "get_bio").returncode == 0
    assert bio(project).default == Recipe.constant(7)
    (project / "codesuture.toml").write_text("[defaults]\nnull_guard = '8'\n", "utf-8")
    row = next(row for row in json.loads(here("audit", "--json").stdout)["patches"]
               if row["qualname"] == "get_bio")  # fmt: skip
    assert (row["default_text"], row["rung"]) == ("7", "approved")


def test_reject_and_approve_again(here: Cli, project: Path) -> None:
    done = here("reject", "get_bio", "--reason", "wrong\x1b[31m")
    assert done.stdout.startswith("Rejected null_guard on ")
    patch = bio(project)
    assert (patch.state, patch.is_applied) == ("rejected", False)
    assert patch.history[-1].note == "wrong\\x1b[31m"
    again = here("reject", "get_bio")
    assert again.returncode == 1 and "it is rejected already" in again.stderr
    assert here("renew", "get_bio").returncode == 1
    assert "3 patches" in here("audit").stdout
    # `--all` is for what is applied; what was rejected must be named.
    everything = here("approve", "--all")
    assert everything.returncode == 0 and everything.stdout.count("Approved") == 2
    assert everything.stderr.startswith("note: not changed: app:get_bio")
    assert here("approve", "get_bio").returncode == 0
    assert bio(project).is_applied


def test_renew(here: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    old = save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    assert "expired" in here("audit", "--guard", "attribute_guard").stdout
    assert here("renew", old.id, "--days", "1.5").returncode == 0
    said = json.loads(here("audit", "--json", "--guard", "attribute_guard").stdout)["patches"][0]
    assert said["state"] == "persisted"
    assert 1.49 * 86400 < said["ttl_left_seconds"] <= 1.5 * 86400
    assert here("renew", "--all", env={"CODESUTURE_TTL": "30"}).stdout.count("Renewed") == 4
    assert 29 < (datetime.fromisoformat(bio(project).expires) - datetime.now(UTC)).days + 1 <= 30
    assert bio(project).history[-1].note.startswith("renewed until ")
    wrong = here("renew", "get_bio", "--days", "-1")
    assert wrong.returncode == 2 and "a number of days above 0" in wrong.stderr


def test_pin(here: Cli, project: Path) -> None:
    assert here("pin", "get_bio", "--by", "ada").returncode == 0
    patch = bio(project)
    assert (patch.pinned, patch.state, patch.rung) == (True, "reviewed", "approved")
    assert "pinned" in here("audit", "--function", "get_bio").stdout
    assert here("pin", "get_bio").returncode == 1
    assert here("pin", "get_bio", "--off").returncode == 0
    assert not bio(project).pinned
    assert here("pin", "get_bio", "--off").returncode == 1


@pytest.mark.parametrize("command", ["approve", "renew", "pin"])
def test_what_is_stale_is_not_changed(command: str, here: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace("profile.bio", "profile.biography"), "utf-8")
    before = bio(project)
    done = here(command, "get_bio")
    assert (done.returncode, done.stdout) == (1, "")
    assert "its code has changed" in done.stderr
    assert bio(project) == before
    assert here("reject", "get_bio").returncode == 0  # that counts for whatever it has become


def test_usage(here: Cli, project: Path) -> None:
    for command in ("approve", "reject", "renew", "pin"):
        done = here(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: give either a name or --all\nhint: ")
    assert here("approve", "nothing").returncode == 1
    assert here("approve", "--all", "--default", "1").returncode == 2
    said = json.loads(here("pin", "--all", "--json").stdout)
    assert len(said["changed"]) == 3 and said["refused"] == []


def test_rolled_back_patches_are_remembered(here: Cli, project: Path) -> None:
    assert here("approve", "get_bio", "--by", "ada").returncode == 0
    assert here("rollback", "get_bio", "--by", "bob").returncode == 0
    table = here("lifecycle").stdout
    row = next(line for line in table.splitlines() if line.startswith("app:get_bio"))
    assert row.endswith(" bob") and "rolled back" in row and " ada" in row
    assert table.endswith(f"3 patches in {project / '.codesuture_store'}\n")
    (patch,) = Store(project / ".codesuture_store").removed()
    assert (patch.state, patch.history[-1].by) == ("rolled back", "bob")
    assert "get_bio " not in here("audit").stdout


def test_lifecycle_of_one_function(here: Cli, project: Path) -> None:
    assert here("reject", "total", "--by", "bob", "--reason", "never").returncode == 0
    lines = here("lifecycle", "total").stdout.splitlines()
    assert lines[0].startswith("app:Shop.total  key_guard on \"prices['sum']\"  (")
    assert lines[1].endswith("persisted by codesuture")
    assert lines[2].endswith("rejected by bob: never")
    assert lines[3] == "  now: rejected, not applied"
    said = json.loads(here("lifecycle", "total", "--json").stdout)["patches"][0]
    assert [(event["state"], event["by"]) for event in said["events"]] == [
        ("persisted", "codesuture"),
        ("rejected", "bob"),
    ]
    assert here("lifecycle", "nothing").returncode == 1
    assert here("lifecycle", "--state", "rejected").stdout.count("app:") == 1


def test_lifecycle_says_what_follows_from_day_and_source(here: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace('prices["sum"]', '0'), "utf-8")
    rows = here("lifecycle", env={"COLUMNS": "200"}).stdout.splitlines()
    assert sum("expired" in row for row in rows) == 1
    assert next(row for row in rows if "Shop.total" in row).endswith("stale")
    narrow = here("lifecycle", env={"COLUMNS": "50"}).stdout.splitlines()
    assert max(map(len, narrow[:-2])) <= 50


def test_an_empty_store(here: Cli, tmp_path: Path) -> None:
    assert here("lifecycle").stdout == f"No patches in {tmp_path / '.codesuture_store'}\n"
    assert here("approve", "--all").returncode == 1
    assert list(tmp_path.iterdir()) == []
