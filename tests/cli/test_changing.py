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


def test_approve(cli: Cli, project: Path) -> None:
    done = cli("approve", "get_bio", "--by", "ada", "--reason", "harmless")
    patch = bio(project)
    said = f"Approved null_guard on 'profile' in app:get_bio ({patch.id})\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    assert (patch.state, patch.rung) == ("reviewed", "approved")
    assert patch.default == Recipe.constant(None)
    last = patch.history[-1]
    assert (last.state, last.by, last.note) == ("reviewed", "ada", "harmless")
    assert patch.reason.startswith("ada approved it on ")
    assert last.at >= patch.created


def test_approve_with_another_default(cli: Cli, project: Path) -> None:
    assert cli("approve", "get_bio", "--default", '"none"').returncode == 0
    patch = bio(project)
    assert (patch.default, patch.rung) == (Recipe.constant("none"), "approved")
    assert patch.history[-1].note == f"the default is {patch.default.describe()} now"
    wrong = cli("approve", "get_bio", "--default", "open('x')")
    assert wrong.returncode == 2 and wrong.stderr.startswith("error: the value for --default: ")
    assert bio(project) == patch


def test_what_is_approved_is_what_the_table_shows(cli: Cli, project: Path) -> None:
    (project / "codesuture.toml").write_text("[defaults]\nnull_guard = '7'\n", "utf-8")
    assert cli("approve", "get_bio").returncode == 0
    assert bio(project).default == Recipe.constant(7)
    (project / "codesuture.toml").write_text("[defaults]\nnull_guard = '8'\n", "utf-8")
    row = next(row for row in json.loads(cli("audit", "--json").stdout)["patches"]
               if row["qualname"] == "get_bio")  # fmt: skip
    assert (row["default_text"], row["rung"]) == ("7", "approved")


def test_reject_and_approve_again(cli: Cli, project: Path) -> None:
    assert cli("reject", "get_bio", "--reason", "wrong\x1b[31m").stdout.startswith("Rejected null_")
    patch = bio(project)
    assert (patch.state, patch.is_applied) == ("rejected", False)
    assert patch.history[-1].note == "wrong\\x1b[31m"
    again = cli("reject", "get_bio")
    assert again.returncode == 1 and "it is rejected already" in again.stderr
    assert cli("renew", "get_bio").returncode == 1
    assert "3 patches" in cli("audit").stdout
    # `--all` is for what is applied; what was rejected must be named.
    everything = cli("approve", "--all")
    assert everything.returncode == 0 and everything.stdout.count("Approved") == 2
    assert everything.stderr.startswith("note: not changed: app:get_bio")
    assert cli("approve", "get_bio").returncode == 0
    assert bio(project).is_applied


def test_renew(cli: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    old = save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    assert "expired" in cli("audit", "--guard", "attribute_guard").stdout
    assert cli("renew", old.id, "--days", "1.5").returncode == 0
    said = json.loads(cli("audit", "--json", "--guard", "attribute_guard").stdout)["patches"][0]
    assert said["state"] == "persisted"
    assert 1.49 * 86400 < said["ttl_left_seconds"] <= 1.5 * 86400
    assert cli("renew", "--all", env={"CODESUTURE_TTL": "30"}).stdout.count("Renewed") == 4
    assert 29 < (datetime.fromisoformat(bio(project).expires) - datetime.now(UTC)).days + 1 <= 30
    assert bio(project).history[-1].note.startswith("renewed until ")
    wrong = cli("renew", "get_bio", "--days", "-1")
    assert wrong.returncode == 2 and "a number of days above 0" in wrong.stderr


def test_pin(cli: Cli, project: Path) -> None:
    assert cli("pin", "get_bio", "--by", "ada").returncode == 0
    patch = bio(project)
    assert (patch.pinned, patch.state, patch.rung) == (True, "reviewed", "approved")
    assert "pinned" in cli("audit", "--function", "get_bio").stdout
    assert cli("pin", "get_bio").returncode == 1
    assert cli("pin", "get_bio", "--off").returncode == 0
    assert not bio(project).pinned
    assert cli("pin", "get_bio", "--off").returncode == 1


@pytest.mark.parametrize("command", ["approve", "renew", "pin"])
def test_what_is_stale_is_not_changed(command: str, cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace("profile.bio", "profile.biography"), "utf-8")
    before = bio(project)
    done = cli(command, "get_bio")
    assert (done.returncode, done.stdout) == (1, "")
    assert "its code has changed" in done.stderr
    assert bio(project) == before
    assert cli("reject", "get_bio").returncode == 0  # that counts for whatever it has become


def test_usage(cli: Cli, project: Path) -> None:
    for command in ("approve", "reject", "renew", "pin"):
        done = cli(command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: give either a name or --all\nhint: ")
    assert cli("approve", "nothing").returncode == 1
    assert cli("approve", "--all", "--default", "1").returncode == 2
    said = json.loads(cli("pin", "--all", "--json").stdout)
    assert len(said["changed"]) == 3 and said["refused"] == []


def test_rolled_back_patches_are_remembered(cli: Cli, project: Path) -> None:
    assert cli("approve", "get_bio", "--by", "ada").returncode == 0
    assert cli("rollback", "get_bio", "--by", "bob").returncode == 0
    table = cli("lifecycle").stdout
    row = next(line for line in table.splitlines() if line.startswith("app:get_bio"))
    assert row.endswith(" bob") and "rolled back" in row and " ada" in row
    assert table.endswith(f"3 patches in {project / '.codesuture_store'}\n")
    (patch,) = Store(project / ".codesuture_store").removed()
    assert (patch.state, patch.history[-1].by) == ("rolled back", "bob")
    assert "get_bio " not in cli("audit").stdout


def test_lifecycle_of_one_function(cli: Cli, project: Path) -> None:
    assert cli("reject", "total", "--by", "bob", "--reason", "never").returncode == 0
    lines = cli("lifecycle", "total").stdout.splitlines()
    assert lines[0].startswith("app:Shop.total  key_guard on \"prices['sum']\"  (")
    assert lines[1].endswith("persisted by codesuture")
    assert lines[2].endswith("rejected by bob: never")
    assert lines[3] == "  now: rejected, not applied"
    said = json.loads(cli("lifecycle", "total", "--json").stdout)["patches"][0]
    assert [(event["state"], event["by"]) for event in said["events"]] == [
        ("persisted", "codesuture"),
        ("rejected", "bob"),
    ]
    assert cli("lifecycle", "nothing").returncode == 1
    assert cli("lifecycle", "--state", "rejected").stdout.count("app:") == 1


def test_lifecycle_says_what_follows_from_day_and_source(cli: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace('prices["sum"]', '0'), "utf-8")
    rows = cli("lifecycle", env={"COLUMNS": "200"}).stdout.splitlines()
    assert sum("expired" in row for row in rows) == 1
    assert next(row for row in rows if "Shop.total" in row).endswith("stale")
    narrow = cli("lifecycle", env={"COLUMNS": "50"}).stdout.splitlines()
    assert max(map(len, narrow[:-2])) <= 50


def test_an_empty_store(cli: Cli, tmp_path: Path) -> None:
    assert cli("lifecycle").stdout == f"No patches in {tmp_path / '.codesuture_store'}\n"
    assert cli("approve", "--all").returncode == 1
    assert list(tmp_path.iterdir()) == []
