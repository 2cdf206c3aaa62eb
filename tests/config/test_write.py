"""Changing codesuture.toml: exactly the wanted change, or none."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codesuture.config.errors import ConfigError
from codesuture.config.load import load
from codesuture.config.write import set_key, unset_key, write_template

WRITTEN_BY_HAND = """\
# about the whole

ttl = 3   # three days, see the ticket
include = [
    "shop",   # ours
    "billing",
]

# guards that are in the way
[guards]
null_guard = false

[breaker]
frame = 10 # small
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "codesuture.toml"
    path.write_text(WRITTEN_BY_HAND, encoding="utf-8")
    return path


def changed(file: Path) -> dict[str, tuple[str, str]]:
    """The lines that differ from what was written by hand, when their number is the same."""
    before, after = WRITTEN_BY_HAND.splitlines(), file.read_text(encoding="utf-8").splitlines()
    assert len(before) == len(after)
    return {old: (old, new) for old, new in zip(before, after, strict=True) if old != new}


def test_set_creates_the_file(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    set_key(str(path), "breaker.frame", 5)
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {"breaker": {"frame": 5}}


def test_set_changes_only_the_value(file: Path) -> None:
    set_key(str(file), "ttl", 0.5)
    old = "ttl = 3   # three days, see the ticket"
    assert changed(file) == {old: (old, "ttl = 0.5   # three days, see the ticket")}


def test_set_replaces_a_value_of_several_lines(file: Path) -> None:
    set_key(str(file), "include", ["only"])
    text = file.read_text(encoding="utf-8")
    assert 'include = ["only"]\n\n# guards that are in the way\n[guards]' in text
    assert "# about the whole" in text and "# small" in text


def test_set_in_an_existing_table(file: Path) -> None:
    set_key(str(file), "guards.key_guard", True)
    assert "null_guard = false\nkey_guard = true\n" in file.read_text(encoding="utf-8")


def test_set_in_a_new_table(file: Path) -> None:
    set_key(str(file), "defaults.app:Shop.total", '"x"')
    assert file.read_text(encoding="utf-8") == (
        WRITTEN_BY_HAND + '\n[defaults]\n"app:Shop.total" = "\\"x\\""\n'
    )
    assert load(str(file.parent), {}).defaults == {"app:Shop.total": '"x"'}


def test_set_at_the_top_of_a_file_with_tables(file: Path) -> None:
    set_key(str(file), "retries", 1)
    assert ']\nretries = 1\n\n# guards that are in the way\n' in file.read_text(encoding="utf-8")


def test_set_beside_dotted_keys(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    path.write_text("breaker.frame = 3\n", encoding="utf-8")
    set_key(str(path), "breaker.site", 4)
    assert path.read_text(encoding="utf-8") == "breaker.frame = 3\nbreaker.site = 4\n"


def test_set_in_a_file_without_a_last_newline(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    path.write_text("ttl = 3", encoding="utf-8")
    set_key(str(path), "retries", 4)
    set_key(str(path), "ttl", 5)
    assert path.read_text(encoding="utf-8") == "ttl = 5\nretries = 4\n"


def test_unset_takes_only_its_lines(file: Path) -> None:
    assert unset_key(str(file), "include")
    assert unset_key(str(file), "breaker.frame")
    text = WRITTEN_BY_HAND.replace("frame = 10 # small\n", "")
    start, end = text.index("include"), text.index("\n# guards")
    assert file.read_text(encoding="utf-8") == text[:start] + text[end:]


def test_unset_of_what_is_not_set(file: Path, tmp_path: Path) -> None:
    assert not unset_key(str(file), "mode")
    assert not unset_key(str(tmp_path / "none.toml"), "mode")
    assert file.read_text(encoding="utf-8") == WRITTEN_BY_HAND
    assert not (tmp_path / "none.toml").exists()


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("breaker = {frame = 3}\n", "breaker.frame", 4),
        ("breaker = {frame = 3}\n", "breaker.site", 4),
        ("guards = {null_guard = true}\n", "guards.null_guard", False),
    ],
)
def test_a_shape_that_cannot_be_edited_is_refused(
    tmp_path: Path, text: str, key: str, value: object
) -> None:
    path = tmp_path / "codesuture.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be changed") as caught:
        set_key(str(path), key, value)
    assert "editor" in caught.value.hint
    assert path.read_text(encoding="utf-8") == text


def test_broken_toml_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    path.write_text("ttl = \n", encoding="utf-8")
    with pytest.raises(ConfigError, match="not valid TOML"):
        set_key(str(path), "ttl", 3)
    assert path.read_text(encoding="utf-8") == "ttl = \n"


def test_pyproject_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool.codesuture]\nttl = 1\n", encoding="utf-8")
    for change in (lambda: set_key(str(path), "ttl", 3), lambda: unset_key(str(path), "ttl")):
        with pytest.raises(ConfigError) as caught:
            change()
        assert "edit 'ttl' in its [tool.codesuture] table" in caught.value.hint
    assert path.read_text(encoding="utf-8") == "[tool.codesuture]\nttl = 1\n"


def test_a_wrong_value_is_not_written(file: Path) -> None:
    with pytest.raises(ConfigError):
        set_key(str(file), "ttl", "x")
    with pytest.raises(ConfigError):
        set_key(str(file), "nothing", 1)
    assert file.read_text(encoding="utf-8") == WRITTEN_BY_HAND


def test_permissions_and_links_are_kept(file: Path, tmp_path: Path) -> None:
    os.chmod(file, 0o640)
    link = tmp_path / "inner" / "codesuture.toml"
    link.parent.mkdir()
    link.symlink_to(file)
    set_key(str(link), "ttl", 9)
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert load(str(tmp_path), {}).ttl == 9.0
    assert sorted(os.listdir(tmp_path)) == ["codesuture.toml", "inner"]


def test_windows_line_ends_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    path.write_bytes(b"# a\r\nttl = 3 # b\r\n[guards]\r\nnull_guard = true\r\n")
    set_key(str(path), "ttl", 4)
    assert path.read_bytes() == b"# a\r\nttl = 4 # b\r\n[guards]\r\nnull_guard = true\r\n"


def test_the_template_says_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    write_template(str(path))
    text = path.read_text(encoding="utf-8")
    plain = load(str(tmp_path / "nowhere"), {})
    assert load(str(tmp_path), {}).value("ttl") == plain.ttl
    lines = text.splitlines()
    path.write_text(
        "\n".join(line[2:] if line.startswith("# ") and " = " in line and "(" not in line else line
                  for line in lines),
        encoding="utf-8",
    )
    active = load(str(tmp_path), {})
    assert active.origin("ttl") == active.origin("breaker.site") == "codesuture.toml"
    assert active.ttl == plain.ttl and active.breaker_site == plain.breaker_site
    assert active.mode == plain.mode and active.boundaries == plain.boundaries


def test_set_and_unset_in_the_template_give_it_back(tmp_path: Path) -> None:
    path = tmp_path / "codesuture.toml"
    write_template(str(path))
    template = path.read_text(encoding="utf-8")
    values: dict[str, object] = {
        "ttl": 3,
        "color": "never",
        "breaker.site": 9,
        "guards.null_guard": False,
        "defaults.a:b": "0",
    }
    for key, value in values.items():
        set_key(str(path), key, value)
    text = path.read_text(encoding="utf-8")
    assert "# ttl = 7\nttl = 3\n" in text and "# site = 1000000\nsite = 9\n" in text
    for key in values:
        assert unset_key(str(path), key)
    assert path.read_text(encoding="utf-8") == template


def test_the_template_does_not_overwrite(file: Path) -> None:
    with pytest.raises(ConfigError, match="exists already"):
        write_template(str(file))
    assert file.read_text(encoding="utf-8") == WRITTEN_BY_HAND


NAMES = st.text("ab.:\"'#= \\é[]", min_size=1, max_size=6)
LITERALS = st.text("ab\"'#= \\é\n[]", max_size=8).map(repr)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(NAMES, LITERALS, max_size=4), NAMES, LITERALS)
def test_any_name_and_value_survive(
    tmp_path_factory: pytest.TempPathFactory, others: dict[str, str], name: str, value: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "codesuture.toml"
    path.write_text("# first\n\n[guards]\n# last\n", encoding="utf-8")
    entries = {f"m:f{key}": text for key, text in {**others, name: value}.items()}
    for key, text in entries.items():
        set_key(str(path), f"defaults.{key}", text)
    assert load(str(path.parent), {}).defaults == entries
    for key in entries:
        assert unset_key(str(path), f"defaults.{key}")
    assert path.read_text(encoding="utf-8") == "# first\n\n[guards]\n# last\n\n[defaults]\n"


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "codesuture.toml"
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        set_key(str(path), "ttl", 3)
