"""`codesuture audit`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .conftest import Cli, save_patch


def recipe_file(project: Path, guard: str) -> Path:
    folder = project / ".codesuture_store" / "patches"
    return next(path for path in folder.iterdir() if f'"{guard}"' in path.read_text("utf-8"))


def test_without_a_store(cli: Cli, tmp_path: Path) -> None:
    done = cli("audit")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"No patches in {tmp_path / '.codesuture_store'}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_table(cli: Cli, project: Path) -> None:
    done = cli("audit")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[0] == "function"
    row = next(line for line in lines if line.startswith("app:get_bio"))
    words = row.split()
    assert words[:5] == ["app:get_bio", "null_guard", "profile", "None", "3"]
    assert words[6:] == ["6d", "23h", "persisted"]
    assert lines[-1] == f"3 patches in {project / '.codesuture_store'}"


def test_json(cli: Cli, project: Path) -> None:
    done = cli("audit", "--json")
    said = json.loads(done.stdout)
    assert said["store"] == str(project / ".codesuture_store")
    assert said["problems"] == []
    by_name = {f"{patch['module']}:{patch['qualname']}": patch for patch in said["patches"]}
    bio = by_name["app:get_bio"]
    assert (bio["hits"], bio["state"], bio["default_text"]) == (3, "persisted", "None")
    assert bio["first_seen"] is not None
    assert 604_000 < bio["ttl_left_seconds"] <= 604_800
    total = by_name["app:Shop.total"]
    assert (total["hits"], total["first_seen"], total["default_text"]) == (0, None, "0")


def test_patches_of_a_function_stand_in_the_order_of_its_code(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def f(a, b, c):\n    return a.x, b.y, c.z\n", "utf-8")
    moment = datetime.now(UTC)
    for ordinal in (9, 1, 4, 2, 8, 5):  # their ids sort otherwise
        save_patch(
            tmp_path, "f", "load_attribute", ordinal=ordinal, created=moment, target=f"x{ordinal}"
        )
    rows = json.loads(cli("audit", "--json").stdout)["patches"]
    assert [row["ordinal"] for row in rows] == [1, 2, 4, 5, 8, 9]


def test_from_a_folder_below(cli: Cli, project: Path) -> None:
    below = project / "src" / "deep"
    below.mkdir(parents=True)
    said = json.loads(cli("audit", "--json", cwd=below).stdout)
    assert said["store"] == str(project / ".codesuture_store")
    assert len(said["patches"]) == 3


def test_a_table_fits_the_terminal(cli: Cli, project: Path) -> None:
    save_patch(project, "get_bio", "load_attribute", guard="attribute_guard", target="x" * 300)
    narrow = cli("audit", env={"COLUMNS": "70"}).stdout.splitlines()[:-1]
    assert max(map(len, narrow)) <= 70
    assert "…" in "".join(narrow)
    assert "x" * 300 in cli("audit").stdout


def test_expired(cli: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    row = next(line for line in cli("audit").stdout.splitlines() if "attribute_guard" in line)
    assert row.split()[-3:] == ["9d", "0s", "expired"]


def test_stale_after_the_function_changed(cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text(
        "import os  # moves every line\n"
        + app.read_text("utf-8").replace('prices["sum"]', 'prices["total"]'),
        encoding="utf-8",
    )
    patches = json.loads(cli("audit", "--json").stdout)["patches"]
    states = {patch["qualname"]: patch["state"] for patch in patches}
    assert states == {
        "get_bio": "persisted", "Shop.total": "stale", "Shop.get_bio.<locals>.inner": "persisted"
    }  # fmt: skip


def test_a_source_that_is_broken_or_gone(cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text("def (\n", encoding="utf-8")
    assert cli("audit").stdout.count("stale") == 3
    app.unlink()
    assert cli("audit").stdout.count("persisted") == 3


def test_a_damaged_recipe_is_reported_and_kept(cli: Cli, project: Path) -> None:
    damaged = recipe_file(project, "key_guard")
    damaged.write_text("{", encoding="utf-8")
    done = cli("audit")
    assert done.returncode == 1
    assert "2 patches in" in done.stdout
    assert done.stderr.startswith("error: Skipped the recipe ") and damaged.name in done.stderr
    assert damaged.read_text("utf-8") == "{"
    as_json = cli("audit", "--json")
    assert as_json.returncode == 1
    assert len(json.loads(as_json.stdout)["problems"]) == 1


def test_a_store_that_must_not_be_used(cli: Cli, project: Path) -> None:
    (project / ".codesuture_store").chmod(0o777)
    for command in ("audit", "explain", "rollback --all"):
        done = cli(*command.split())
        assert done.returncode == 1
        assert done.stderr.startswith("error: The store ")
        assert "every user can write to it" in done.stderr
        assert "Traceback" not in done.stderr
    (project / ".codesuture_store").chmod(0o755)
    assert "3 patches" in cli("audit").stdout


def test_a_store_that_is_a_file(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / ".codesuture_store").write_text("mine", encoding="utf-8")
    done = cli("audit")
    assert done.returncode == 1 and "is not a folder" in done.stderr
    assert (tmp_path / ".codesuture_store").read_text("utf-8") == "mine"


def test_another_store_by_variable(cli: Cli, project: Path) -> None:
    done = cli("audit", env={"CODESUTURE_STORE": "other"})
    assert done.stdout == f"No patches in {project / 'other'}\n"


def test_colour(cli: Cli, project: Path) -> None:
    assert "\x1b[" not in cli("audit").stdout
    assert "\x1b[" in cli("audit", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in cli("audit", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    assert "\x1b[" in cli("audit", env={"CODESUTURE_COLOR": "always"}).stdout
    assert "\x1b[" not in cli("audit", env={"CODESUTURE_COLOR": "never", "FORCE_COLOR": "1"}).stdout


def test_a_terminal_that_knows_only_ascii(cli: Cli, project: Path) -> None:
    save_patch(project, "get_bio", "load_attribute", guard="attribute_guard", target="é" * 300)
    done = cli("audit", env={"PYTHONIOENCODING": "ascii", "COLUMNS": "60"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9" in done.stdout
