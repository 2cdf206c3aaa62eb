"""`codesuture explain`, and how names are matched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codesuture.defaults.recipe import Recipe

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


WIDE = """\
def total(orders):
    return sum(price(order) for order in orders) + 名前(orders[0])


def 名前(order):
    ü = "é", order.größe.länge, [
        order.x
            + order.größe]
    return ü


def price(order):
    return order["price"]


def show(order):
    print(price(order))
"""


def wide(folder: Path) -> None:
    (folder / "app.py").write_text(WIDE, encoding="utf-8")
    save_patch(folder, "名前", "load_attribute", line=6, target="order", message="no größe")
    save_patch(
        folder, "名前", "binary", line=8, target="order.größe", guard="none_operand_guard",
        exception="TypeError", message="no",
    )  # fmt: skip
    save_patch(
        folder, "price", "subscript", line=13, target="order['price']", guard="key_guard",
        exception="KeyError", message="'price'", default=Recipe.constant(0), rung="consumer",
        reason="The value is returned to a caller.", operands="dict, str",
    )  # fmt: skip


def test_where_the_value_goes_who_calls_and_what_to_change(cli: Cli, tmp_path: Path) -> None:
    wide(tmp_path)
    done = cli("explain", "price")
    assert done.returncode == 0
    said = done.stdout
    at = said.index("  Where the value goes\n")
    assert said[at : said.index("  Why it was healed")] == (
        "  Where the value goes\n"
        "    price, line 13: it propagates 0 to the callers of price [propagates]\n"
        "    show, line 17: it is passed to `print`, which takes any value [safe]\n"
        "    total.<locals>.<genexpr>, line 2: it propagates 0 to whoever iterates [propagates]\n"
        "    total, line 2: it changes a total: it counts as 0 in `sum` [changes]\n"
        "    Not safe everywhere: it changes a total: it counts as 0 in `sum` (total, line 2).\n"
        "  What callers would have seen\n"
        "    KeyError instead of a value, and nothing behind that line.\n"
        "    It is called in this file by show (line 17), total.<locals>.<genexpr> (line 2).\n"
    )
    assert '      -    return order["price"]\n      +    return order.get("price", 0)\n' in said
    [patch] = json.loads(cli("explain", "price", "--json").stdout)["patches"]
    assert patch["reach"]["verdict"] == "changes"
    assert [step["line"] for step in patch["reach"]["steps"]] == [13, 17, 2, 2]
    assert patch["callers"][0] == {"function": "show", "line": 17}
    assert patch["change"] == [
        '-    return order["price"]', '+    return order.get("price", 0)'
    ]  # fmt: skip


def test_several_patches_and_expressions_over_lines_are_underlined(
    cli: Cli, tmp_path: Path
) -> None:
    wide(tmp_path)
    said = cli("explain", "名前").stdout
    assert said.count("What crashed") == 2
    assert (
        '      ü = "é", order.größe.länge, [\n'
        "               ^^^^^^^^^^^\n"
    ) in said
    assert (
        "      order.x\n"
        "      ^^^^^^^\n"
        "          + order.größe]\n"
        "          ^^^^^^^^^^^^^\n"
    ) in said


def test_a_file_that_is_gone_and_one_that_changed(cli: Cli, tmp_path: Path) -> None:
    wide(tmp_path)
    (tmp_path / "app.py").write_text(WIDE.replace('"price"', '"cost"'), encoding="utf-8")
    said = cli("explain", "price").stdout
    assert "has changed since)" in said and "Where the value goes" not in said
    assert "It is not applied: the code that it was made for has changed." in said
    (tmp_path / "app.py").unlink()
    done = cli("explain", "price")
    assert done.returncode == 0 and "cannot be read here)" in done.stdout
    [patch] = json.loads(cli("explain", "price", "--json").stdout)["patches"]
    assert (patch["reach"], patch["callers"], patch["source"]) == (None, [], None)
