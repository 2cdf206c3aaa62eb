"""`codesuture explain`, and how names are matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Cli, save_patch


def test_everything_is_said(cli: Cli, project: Path) -> None:
    done = cli("explain", "app:get_bio")
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    for said in (
        "AttributeError: 'NoneType' object has no attribute 'bio' at app.py:2",
        "The failing expression gives None (null_guard on `profile`)",
        "nothing is executed twice",
        "Nothing better is known. Rung of the ladder: guard",
        "No frame up to the top of the program handles it.",
        "Healed 3 times, first at 20",
        "It expires in 6d 23h",
        "Find out why `profile` is None",
    ):
        assert said in text


def test_the_failing_expression_is_underlined(cli: Cli, project: Path) -> None:
    lines = cli("explain", "app:get_bio").stdout.splitlines()
    source = next(number for number, line in enumerate(lines) if "return" in line)
    start = lines[source].index("profile.bio")
    assert lines[source].strip() == 'return "Bio: é", profile.bio, 2'
    assert lines[source + 1] == " " * start + "^" * len("profile.bio")


def test_the_underline_follows_code_that_only_moved(cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text("\n\n\n" + app.read_text("utf-8"), encoding="utf-8")
    patch = json.loads(cli("explain", "app:get_bio", "--json").stdout)["patches"][0]
    start, end = patch["columns"]
    assert patch["source"][start:end] == "profile.bio"


def test_no_source_line_for_code_that_changed(cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text(app.read_text("utf-8").replace("profile.bio", "profile.biography"), "utf-8")
    text = " ".join(cli("explain", "app:get_bio").stdout.split())
    assert f"({app} has changed since)" in text
    assert "It is not applied: the code that it was made for has changed." in text
    app.unlink()
    assert f"({app} cannot be read here)" in cli("explain", "app:get_bio").stdout


def test_all_without_a_name(cli: Cli, project: Path) -> None:
    done = cli("explain")
    assert done.stdout.count("What crashed") == 3
    assert len(json.loads(cli("explain", "--json").stdout)["patches"]) == 3


def test_nothing_to_explain(cli: Cli, tmp_path: Path) -> None:
    done = cli("explain")
    assert (done.returncode, done.stdout[:18]) == (0, "Nothing to explain")
    done = cli("explain", "f")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: there is no patch for 'f': the store is empty\n"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("app:get_bio", "get_bio"),
        ("get_bio", "get_bio"),
        ("Shop.total", "Shop.total"),
        ("total", "Shop.total"),
        ("app:Shop.total", "Shop.total"),
        ("inner", "Shop.get_bio.<locals>.inner"),
    ],
)
def test_names(cli: Cli, project: Path, name: str, found: str) -> None:
    patches = json.loads(cli("explain", name, "--json").stdout)["patches"]
    assert [patch["qualname"] for patch in patches] == [found]


def test_a_patch_by_its_id(cli: Cli, project: Path) -> None:
    patch = save_patch(project, "get_bio", "load_attribute", guard="attribute_guard")
    found = json.loads(cli("explain", patch.id, "--json").stdout)["patches"]
    assert [item["id"] for item in found] == [patch.id]
    assert len(json.loads(cli("explain", "get_bio", "--json").stdout)["patches"]) == 2


def test_module_level_code_by_the_modules_name(cli: Cli, project: Path) -> None:
    app = project / "app.py"
    app.write_text(app.read_text("utf-8") + "print(None.x)\n", encoding="utf-8")
    patch = save_patch(project, "<module>", "load_attribute")
    for name in ("app", "<module>", "app:<module>"):
        found = json.loads(cli("explain", name, "--json").stdout)["patches"]
        assert [item["id"] for item in found] == [patch.id]


def test_an_unknown_name_gets_the_nearest(cli: Cli, project: Path) -> None:
    done = cli("explain", "get_boi")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "error: there is no patch for 'get_boi'",
        "hint: did you mean app:get_bio?",
    ]


def test_an_unknown_name_without_a_neighbour_gets_all(cli: Cli, project: Path) -> None:
    done = cli("explain", "zzzzzz")
    assert done.returncode == 1
    assert sorted(done.stderr.splitlines()[1:]) == [
        "hint: there is one for app:Shop.get_bio.<locals>.inner",
        "hint: there is one for app:Shop.total",
        "hint: there is one for app:get_bio",
    ]


def test_an_ambiguous_name_gets_the_candidates(cli: Cli, project: Path) -> None:
    save_patch(project, "get_bio", "load_attribute", module="other")
    done = cli("explain", "get_bio")
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert lines[0] == "error: 'get_bio' is ambiguous: 2 functions with patches have that name"
    assert sorted(lines[1:]) == [
        "hint: one of them is app:get_bio",
        "hint: one of them is other:get_bio",
    ]
    assert cli("explain", "other:get_bio").returncode == 0


def test_a_configured_default_is_what_happens(cli: Cli, project: Path) -> None:
    (project / "codesuture.toml").write_text("[defaults]\n'app:Shop.total' = '5'\n", "utf-8")
    said = json.loads(cli("explain", "--json", "Shop.total").stdout)["patches"][0]
    assert (said["default_text"], said["rung"]) == ("5", "configured")
    assert said["default"] == {"kind": "constant", "value": 5}
    assert said["rung_meaning"] == "the configuration names it for this place"
    text = " ".join(cli("explain", "Shop.total").stdout.split())
    assert "The failing expression gives 5 (key_guard on `prices['sum']`)" in text
    assert "The configuration has a default for app:Shop.total." in text
    row = next(x for x in cli("audit").stdout.splitlines() if x.startswith("app:Shop.total"))
    assert row.split()[1:4] == ["key_guard", "prices['sum']", "5"]
    (project / "codesuture.toml").write_text(
        "[defaults]\n\"app:Shop.total:prices['sum']\" = '6'\nkey_guard = '7'\n", "utf-8"
    )
    assert json.loads(cli("explain", "--json", "Shop.total").stdout)["patches"][0][
        "default_text"
    ] == "6"
