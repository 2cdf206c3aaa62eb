"""`codesuture rollback`."""

from __future__ import annotations

import json
from pathlib import Path

from codesuture.store import Store

from .conftest import Cli, save_patch


def left(project: Path) -> list[str]:
    return sorted(patch.name for patch in Store(project / ".codesuture_store").patches())


ALL = ["app:Shop.get_bio.<locals>.inner", "app:Shop.total", "app:get_bio"]


def test_every_patch_of_a_function(cli: Cli, project: Path) -> None:
    save_patch(project, "get_bio", "load_attribute", guard="attribute_guard")
    done = cli("rollback", "get_bio")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 2
    assert all(line.startswith("Removed ") for line in done.stdout.splitlines())
    assert left(project) == ALL[:2]


def test_one_patch_by_id(cli: Cli, project: Path) -> None:
    patch = save_patch(project, "get_bio", "load_attribute", guard="attribute_guard")
    assert patch.id in cli("rollback", patch.id).stdout
    assert left(project) == ALL


def test_dry_run_changes_nothing(cli: Cli, project: Path) -> None:
    done = cli("rollback", "--all", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.count("Would remove ") == 3
    assert left(project) == ALL


def test_all(cli: Cli, project: Path) -> None:
    said = json.loads(cli("rollback", "--all", "--json").stdout)
    assert (len(said["removed"]), said["dry_run"]) == (3, False)
    assert left(project) == []
    assert cli("rollback", "--all").stdout == "There are no patches.\n"


def test_an_unknown_or_ambiguous_name_removes_nothing(cli: Cli, project: Path) -> None:
    save_patch(project, "Shop.total", "subscript", module="other")
    assert cli("rollback", "nothing").returncode == 1
    assert cli("rollback", "total").returncode == 2
    assert len(left(project)) == 4


def test_a_name_or_all(cli: Cli, project: Path) -> None:
    for words in (["rollback"], ["rollback", "get_bio", "--all"]):
        done = cli(*words)
        assert done.returncode == 2
        assert done.stderr.startswith("error: give either a name or --all\nhint: ")
    assert left(project) == ALL


def test_what_is_damaged_stays(cli: Cli, project: Path) -> None:
    folder = project / ".codesuture_store" / "patches"
    damaged = folder / "broken.json"
    damaged.write_text("[]", encoding="utf-8")
    done = cli("rollback", "--all")
    assert done.returncode == 1 and "broken.json" in done.stderr
    assert done.stdout.count("Removed") == 3
    assert [path.name for path in folder.iterdir()] == ["broken.json"]
