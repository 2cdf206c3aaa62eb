"""`codesuture audit`."""

from __future__ import annotations

import csv
import io
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
    words = row.split("  ")
    cells = [word.strip() for word in words if word.strip()]
    assert cells[:6] == ["app:get_bio", "null_guard", "profile", "None", "guard", "3"]
    assert cells[6] == cells[7] == f"{datetime.now(UTC):%m-%d}" + cells[6][5:]
    assert cells[9:] == [
        "6d 23h", "persisted", "No frame up to the top of the program handles it.", "-"
    ]  # fmt: skip
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
    for width in (70, 100, 160):
        narrow = cli("audit", env={"COLUMNS": str(width)}).stdout.splitlines()
        assert max(map(len, narrow[:-2])) <= width
        assert narrow[-1].startswith("Too wide to be shown here: ") == (width < 160)
        assert "…" in "".join(narrow)
    assert "x" * 300 in cli("audit").stdout


def test_expired(cli: Cli, project: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=9)
    save_patch(
        project, "get_bio", "load_attribute", guard="attribute_guard",
        created=then, expires=then + timedelta(days=7),
    )  # fmt: skip
    row = next(line for line in cli("audit").stdout.splitlines() if "attribute_guard" in line)
    assert "  9d   0s        expired  " in row


def test_chosen_and_sorted(here: Cli, project: Path) -> None:
    def functions(*options: str) -> list[str]:
        done = here("audit", "--json", *options)
        assert (done.returncode, done.stderr) == (0, "")
        return [patch["qualname"] for patch in json.loads(done.stdout)["patches"]]

    inner = "Shop.get_bio.<locals>.inner"
    assert functions("--sort", "hits", "--reverse")[0] == "get_bio"
    assert functions("--sort", "hits")[-1] == "get_bio"
    assert functions("--sort", "function") == [inner, "Shop.total", "get_bio"]
    assert functions("--guard", "key*,other") == ["Shop.total"]
    assert functions("--rung", "consumer") == ["Shop.total"]
    assert sorted(functions("--function", "inner,get_bio")) == [inner, "get_bio"]
    assert functions("--module", "other") == []
    assert len(functions("--module", "a*", "--state", "persisted,expired")) == 3
    assert functions("--state", "reviewed") == []
    assert here("pin", "get_bio").returncode == 0
    assert functions("--sort", "ttl-left")[-1] == "get_bio"
    for option, wrong, near in (("--sort", "hist", "hits"), ("--state", "expire", "expired")):
        done = here("audit", option, wrong)
        assert done.returncode == 2 and f"did you mean '{near}'?" in done.stderr


def test_csv(here: Cli, project: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(here("audit", "--csv").stdout)))
    assert list(rows[0]) == [
        "id", "function", "guard", "target", "default", "rung", "hits", "first_seen", "last_seen",
        "age", "ttl_left", "state", "fate", "shadow",
    ]  # fmt: skip
    assert {row["function"] for row in rows} == {
        "app:get_bio", "app:Shop.total", "app:Shop.get_bio.<locals>.inner"
    }  # fmt: skip
    bio = next(row for row in rows if row["function"] == "app:get_bio")
    assert (bio["hits"], bio["target"], bio["state"]) == ("3", "profile", "persisted")
    assert int(bio["ttl_left"]) > 600_000
    assert here("audit", "--csv", "--json").returncode == 2


def test_check(here: Cli, project: Path) -> None:
    done = here("audit", "--check")
    assert (done.returncode, done.stderr.count("has not been reviewed")) == (1, 3)
    assert "3 patches in" in done.stdout
    assert here("approve", "--all").returncode == 0
    assert (here("audit", "--check").returncode, here("audit", "--check").stderr) == (0, "")
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace('prices["sum"]', "0"), "utf-8")
    done = here("audit", "--check", "--csv")
    assert done.returncode == 1
    assert done.stderr.startswith("error: the patch of app:Shop.total (")
    assert "is stale: its code has changed\nhint: codesuture rollback " in done.stderr
    assert here("audit", "--check", "--function", "get_bio").returncode == 0
    assert here("reject", "total").returncode == 0  # somebody has decided
    assert here("audit", "--check").returncode == 0


def test_check_says_what_has_expired(here: Cli, project: Path) -> None:
    assert here("approve", "--all").returncode == 0
    recipe = recipe_file(project, "null_guard")
    document = json.loads(recipe.read_text("utf-8"))
    recipe.write_text(json.dumps({**document, "expires": document["created"]}), "utf-8")
    assert "has expired\nhint: codesuture renew " in here("audit", "--check").stderr
    assert here("pin", document["id"]).returncode == 0
    assert here("audit", "--check").returncode == 0


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
    done = cli("audit", env={"PYTHONIOENCODING": "ascii", "COLUMNS": "80"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xe9" in done.stdout
