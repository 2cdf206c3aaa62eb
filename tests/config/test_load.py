"""What `config.load` takes from where, and what it says about mistakes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codesuture.config.errors import ConfigError
from codesuture.config.keys import KEYS, Key
from codesuture.config.load import Config, load


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def error_of(directory: Path, text: str, environ: dict[str, str] | None = None) -> ConfigError:
    write(directory / "codesuture.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(str(directory), environ or {})
    return caught.value


def test_without_a_file_every_key_has_its_default(tmp_path: Path) -> None:
    config = load(str(tmp_path), {})
    assert config.path is None
    assert config.root == str(tmp_path)
    assert (config.mode, config.ttl, config.retries, config.on_expiry) == ("heal", 7.0, 3, "remind")
    assert (config.breaker_frame, config.breaker_site) == (10_000, 1_000_000)
    assert (config.budget_heals, config.budget_days, config.probation) == (0, 1, 1.0)
    assert (config.include, config.guards, config.defaults) == ((), {}, {})
    assert config.store == str(tmp_path / ".codesuture_store")
    assert {config.origin(key.name) for key in KEYS} == {"default"}


def test_config_has_one_attribute_per_key() -> None:
    assert {key.attribute for key in KEYS} == set(Config.__annotations__)


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_a_default_is_a_value_that_could_be_set(key: Key) -> None:
    value = getattr(Config(None, "", ()), key.attribute)
    checked = key.kind.check(key.default)
    assert (checked, type(checked)) == (value, type(value))


def test_defaults_are_not_shared_between_configurations(tmp_path: Path) -> None:
    load(str(tmp_path), {}).guards["null_guard"] = False
    assert load(str(tmp_path), {}).guards == {}


def test_every_key_from_a_file(tmp_path: Path) -> None:
    write(
        tmp_path / "codesuture.toml",
        """
        mode = "observe"
        include = ["shop.*", "billing"]
        exclude = ["shop.migrations.*"]
        protect = ["shop.money"]
        ttl = 0.5
        on_expiry = "disable"
        retries = 0
        store = "state/patches"
        boundaries = ["jobs.worker:loop"]
        fingerprints = false
        library_calls = ["Jinja2", "zope.*"]
        verbose = true
        quiet = true
        dry_run = true
        engine = "trace"
        shadow = true
        color = "never"
        breaker = { frame = 5, site = 6 }
        budget = { heals = 7, days = 8 }
        probation = 0
        web = { mark = false, header = "X-Healed", replay = ["GET"] }
        guards.null_guard = false
        severity = { "shop.*" = "critical", KeyError = "info" }
        [incidents]
        record = false
        values = "contents"
        redact = ["patient"]
        megabytes = 2
        days = 1.5
        logging = false
        sentry = false
        [defaults]
        "app:get_bio" = '""'
        "app:Shop.total:price" = "0"
        key_guard = "None"
        """,
    )
    config = load(str(tmp_path), {})
    assert config.mode == "observe"
    assert config.include == ("shop.*", "billing")
    assert config.exclude == ("shop.migrations.*",)
    assert config.protect == ("shop.money",)
    assert (config.ttl, config.on_expiry, config.retries) == (0.5, "disable", 0)
    assert config.store == str(tmp_path / "state" / "patches")
    assert config.boundaries == ("jobs.worker:loop",)
    assert config.fingerprints is False
    assert config.library_calls == ("Jinja2", "zope.*")
    assert (config.verbose, config.dry_run, config.color) == (True, True, "never")
    assert config.engine == "trace"
    assert config.shadow is True and config.quiet is True
    assert (config.breaker_frame, config.breaker_site) == (5, 6)
    assert (config.budget_heals, config.budget_days, config.probation) == (7, 8, 0)
    assert (config.web_mark, config.web_header, config.web_replay) == (False, "X-Healed", ("GET",))
    assert config.guards == {"null_guard": False}
    assert config.severity == {"shop.*": "critical", "KeyError": "info"}
    assert (config.incidents_record, config.incidents_values) == (False, "contents")
    assert (config.incidents_redact, config.incidents_megabytes) == (("patient",), 2)
    assert config.incidents_days == 1.5
    assert (config.incidents_logging, config.incidents_sentry) == (False, False)
    assert config.defaults == {
        "app:get_bio": '""',
        "app:Shop.total:price": "0",
        "key_guard": "None",
    }
    assert {config.origin(key.name) for key in KEYS} == {"codesuture.toml"}
    assert config.origin("guards.null_guard") == "codesuture.toml"


def test_every_variable(tmp_path: Path) -> None:
    environ = {
        "CODESUTURE": "1",
        "CODESUTURE_MODE": "off",
        "CODESUTURE_INCLUDE": "a, b.*",
        "CODESUTURE_EXCLUDE": "c",
        "CODESUTURE_PROTECT": "d",
        "CODESUTURE_TTL": "1.5",
        "CODESUTURE_ON_EXPIRY": "disable",
        "CODESUTURE_RETRIES": "9",
        "CODESUTURE_STORE": "elsewhere",
        "CODESUTURE_BOUNDARIES": "m:f,n:g.h",
        "CODESUTURE_FINGERPRINTS": "0",
        "CODESUTURE_LIBRARY_CALLS": "Jinja2, zope.*",
        "CODESUTURE_VERBOSE": "yes",
        "CODESUTURE_QUIET": "yes",
        "CODESUTURE_DRY_RUN": "1",
        "CODESUTURE_ENGINE": "inplace",
        "CODESUTURE_SHADOW": "on",
        "CODESUTURE_COLOR": "always",
        "CODESUTURE_BREAKER_FRAME": "7",
        "CODESUTURE_BREAKER_SITE": "8",
        "CODESUTURE_BUDGET_HEALS": "9",
        "CODESUTURE_BUDGET_DAYS": "10",
        "CODESUTURE_PROBATION": "0.5",
        "CODESUTURE_WEB_MARK": "off",
        "CODESUTURE_WEB_HEADER": "X-Patched",
        "CODESUTURE_WEB_REPLAY": "HEAD, GET",
        "CODESUTURE_INCIDENTS_RECORD": "no",
        "CODESUTURE_INCIDENTS_VALUES": "off",
        "CODESUTURE_INCIDENTS_REDACT": "patient, ward",
        "CODESUTURE_INCIDENTS_MEGABYTES": "3",
        "CODESUTURE_INCIDENTS_DAYS": "2",
        "CODESUTURE_INCIDENTS_LOGGING": "off",
        "CODESUTURE_INCIDENTS_SENTRY": "off",
        "CODESUTURE_GUARDS": "null_guard=off,key_guard=on",
        "CODESUTURE_RUN": "session=1",
        "CODESUTURED": "not ours",
    }
    assert {key.variable for key in KEYS if key.variable} <= set(environ)
    config = load(str(tmp_path), environ)
    assert config.mode == "off"
    assert (config.include, config.exclude, config.protect) == (("a", "b.*"), ("c",), ("d",))
    assert (config.ttl, config.on_expiry, config.retries) == (1.5, "disable", 9)
    assert config.store == str(tmp_path / "elsewhere")
    assert config.boundaries == ("m:f", "n:g.h")
    assert config.library_calls == ("Jinja2", "zope.*")
    assert (config.verbose, config.dry_run, config.color) == (True, True, "always")
    assert config.engine == "inplace"
    assert config.shadow is True and config.quiet is True
    assert (config.breaker_frame, config.breaker_site) == (7, 8)
    assert (config.budget_heals, config.budget_days, config.probation) == (9, 10, 0.5)
    assert (config.web_mark, config.web_header) == (False, "X-Patched")
    assert config.web_replay == ("HEAD", "GET")
    assert config.guards == {"null_guard": False, "key_guard": True}
    assert (config.incidents_record, config.incidents_values) == (False, "off")
    assert (config.incidents_redact, config.incidents_megabytes) == (("patient", "ward"), 3)
    assert config.incidents_days == 2
    assert (config.incidents_logging, config.incidents_sentry) == (False, False)
    assert config.origin("breaker.frame") == "CODESUTURE_BREAKER_FRAME"


def test_flags_win_over_variables_and_variables_over_the_file(tmp_path: Path) -> None:
    write(tmp_path / "codesuture.toml", "ttl = 1\nretries = 1\nmode = 'observe'\n")
    environ = {"CODESUTURE_TTL": "2", "CODESUTURE_RETRIES": "2"}
    config = load(str(tmp_path), environ, {"ttl": "3", "dry_run": "1"})
    assert (config.ttl, config.retries, config.mode, config.dry_run) == (3.0, 2, "observe", True)
    assert config.origin("ttl") == "--ttl"
    assert config.origin("dry_run") == "--dry-run"
    assert config.origin("retries") == "CODESUTURE_RETRIES"
    assert config.origin("mode") == "codesuture.toml"


def test_tables_are_merged_entry_by_entry(tmp_path: Path) -> None:
    write(tmp_path / "codesuture.toml", "[guards]\nnull_guard = false\nkey_guard = false\n")
    config = load(str(tmp_path), {"CODESUTURE_GUARDS": "key_guard=true"})
    assert config.guards == {"null_guard": False, "key_guard": True}
    assert config.origin("guards.null_guard") == "codesuture.toml"
    assert config.origin("guards.key_guard") == "CODESUTURE_GUARDS"


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    config = load(str(tmp_path), {"CODESUTURE_TTL": "", "CODESUTURE_INCLUDE": " "})
    assert (config.ttl, config.origin("ttl")) == (7.0, "default")


def test_the_nearest_file_upward_counts(tmp_path: Path) -> None:
    write(tmp_path / "codesuture.toml", "ttl = 1\n")
    near = write(tmp_path / "a" / "pyproject.toml", "[tool.codesuture]\nttl = 2\n")
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    config = load(str(deep), {})
    assert (config.ttl, config.path, config.root) == (2.0, str(near), str(near.parent))
    assert config.origin("ttl") == "pyproject.toml"
    assert config.store == str(near.parent / ".codesuture_store")


def test_codesuture_toml_wins_in_one_folder_and_it_is_said(tmp_path: Path) -> None:
    write(tmp_path / "codesuture.toml", "ttl = 1\n")
    other = write(tmp_path / "pyproject.toml", "[tool.codesuture]\nttl = 2\n")
    config = load(str(tmp_path), {})
    assert config.ttl == 1.0
    assert config.notes == (f"{other} is ignored because codesuture.toml stands beside it",)


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname = 'x'\n",
        "# [tool.codesuture]\n",
        "[tool.codesuture-extra]\nttl = 2\n",
        "this is not TOML, and not our file\n",
    ],
)
def test_a_pyproject_without_our_table_is_passed_by(tmp_path: Path, text: str) -> None:
    write(tmp_path / "pyproject.toml", text)
    config = load(str(tmp_path), {})
    assert config.path is None and config.ttl == 7.0


def test_tables_of_a_pyproject(tmp_path: Path) -> None:
    text = "[tool.codesuture.breaker]\nframe = 3\n[tool.codesuture.guards]\nkey_guard = false\n"
    write(tmp_path / "pyproject.toml", text)
    config = load(str(tmp_path), {})
    assert config.breaker_frame == 3
    assert config.guards == {"key_guard": False}


def test_an_existing_store_upward_is_the_project(tmp_path: Path) -> None:
    (tmp_path / ".codesuture_store").mkdir()
    inner = tmp_path / "src"
    inner.mkdir()
    config = load(str(inner), {})
    assert config.root == str(tmp_path)
    assert config.store == str(tmp_path / ".codesuture_store")


def test_a_relative_store_starts_where_it_was_named(tmp_path: Path) -> None:
    write(tmp_path / "codesuture.toml", "store = 'here'\n")
    inner = tmp_path / "src"
    inner.mkdir()
    assert load(str(inner), {}).store == str(tmp_path / "here")
    assert load(str(inner), {"CODESUTURE_STORE": "there"}).store == str(inner / "there")
    home = os.path.expanduser("~")
    assert load(str(inner), {"CODESUTURE_STORE": "~/s"}).store == os.path.join(home, "s")


@pytest.mark.parametrize(
    ("text", "line", "sentence", "hint"),
    [
        ("\n\nttll = 3\n", 3, "there is no key 'ttll'", "did you mean 'ttl'?"),
        ("[breaker]\nfrmae = 3\n", 2, "there is no key 'breaker.frmae'", "'breaker.frame'"),
        ("[retry]\nx = 1\n", 1, "there is no key 'retry'", "'retries'"),
        ("zzz = 1\n", 1, "there is no key 'zzz'", ""),
        ("ttl = 'long'\n", 1, "'ttl' must be a number of days", ""),
        ("ttl = true\n", 1, "not a boolean True", ""),
        ("ttl = 0\n", 1, "not an integer 0", ""),
        ("ttl = nan\n", 1, "not a float nan", ""),
        ("ttl = inf\n", 1, "not a float inf", ""),
        ("ttl = 2024-01-01\n", 1, "not a date or time", ""),
        ("retries = -1\n", 1, "'retries' must be an integer of at least 0, not an integer -1", ""),
        ("retries = 1.0\n", 1, "not a float 1.0", ""),
        ("mode = 'haal'\n", 1, "'mode' must be heal, observe or off, not a string 'haal'", ""),
        ("verbose = 1\n", 1, "'verbose' must be true or false, not an integer 1", ""),
        ("include = 'a'\n", 1, "'include' must be a list of module patterns, not a string", ""),
        ("include = [1]\n", 1, "one entry is an integer", ""),
        ("ttl = 1\ninclude = [\n 'a/b.py',\n]\n", 2, "'a/b.py' is not one", ""),
        ("boundaries = ['f']\n", 1, "'f' is not one", ""),
        ("boundaries = ['a:b:c']\n", 1, "'a:b:c' is not one", ""),
        ("web.replay = ['POST']\n", 1, "'POST' is not one of them", ""),
        ("web.header = 'X Y'\n", 1, "must be the name of an HTTP header, not 'X Y'", ""),
        ("web.header = ''\n", 1, "must be the name of an HTTP header, not ''", ""),
        ("store = ''\n", 1, "'store' must be a path, not a string ''", ""),
        ("breaker = 3\n", 1, "'breaker' must be a table", ""),
        ("breaker.frame = 0\n", 1, "'breaker.frame' must be an integer of at least 1", ""),
        ("budget.days = 32\n", 1, "'budget.days' must be an integer from 1 to 31", ""),
        ("probation = -1\n", 1, "'probation' must be a number of days from 0", ""),
        ("probation = false\n", 1, "'probation' must be a number of days from 0", ""),
        ("guards = 3\n", 1, "'guards' must be a table of guard names", ""),
        ("[guards]\nnull_gard = true\n", 2, "which is not a guard", "did you mean 'null_guard'?"),
        ("[guards]\nnull_guard = 'no'\n", 2, "'guards.null_guard' must be true or false", ""),
        ("[defaults]\n'a:b' = 0\n", 2, "must be a Python literal in a string", ""),
        ("[defaults]\n\n'a:b' = 'f()'\n", 3, "'defaults.a:b' must be a Python literal", ""),
        ("[defaults]\n':b' = '0'\n", 2, "a place is module:qualname[:target]", ""),
        ("[defaults]\nkey_gard = '0'\n", 2, "which is not a guard", "'key_guard'"),
    ],
)
def test_mistakes_in_a_file_are_placed(
    tmp_path: Path, text: str, line: int, sentence: str, hint: str
) -> None:
    error = error_of(tmp_path, text)
    assert str(error).startswith(f"{tmp_path / 'codesuture.toml'}, line {line}: ")
    assert sentence in str(error)
    assert hint in error.hint
    assert bool(hint) == bool(error.hint)


def test_mistakes_in_a_pyproject_are_placed(tmp_path: Path) -> None:
    path = write(
        tmp_path / "pyproject.toml", "[project]\nttll = 1\n\n[tool.codesuture]\n# x\nttll = 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path), {})
    assert str(caught.value) == f"{path}, line 6: there is no key 'ttll'"


@pytest.mark.parametrize("text", ["ttl = \n", "[guards\n", "ttl = 1\nttl = 2\n", "a = [" * 3000])
def test_broken_toml_names_the_file(tmp_path: Path, text: str) -> None:
    error = error_of(tmp_path, text)
    assert str(error).startswith(f"{tmp_path / 'codesuture.toml'} is not valid TOML: ")


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "codesuture.toml").write_bytes(b"mode = '\xff'\n")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load(str(tmp_path), {})


@pytest.mark.parametrize(
    ("variable", "value", "sentence", "hint"),
    [
        ("CODESUTURE_TLT", "3", "the environment variable CODESUTURE_TLT", "'CODESUTURE_TTL'"),
        ("CODESUTURE_TTL", "soon", "CODESUTURE_TTL: 'ttl' must be a number of days", ""),
        ("CODESUTURE_TTL", "-1", "CODESUTURE_TTL: 'ttl' must be a number of days", ""),
        ("CODESUTURE_RETRIES", "1.5", "CODESUTURE_RETRIES: 'retries' must be an integer", ""),
        ("CODESUTURE_VERBOSE", "maybe", "must be true or false, not 'maybe'", ""),
        ("CODESUTURE_GUARDS", "null_guard", "must be name=value pairs", ""),
        ("CODESUTURE_GUARDS", "nul_guard=on", "'nul_guard', which is not a guard", "'null_guard'"),
        ("CODESUTURE_DEFAULTS", "a:b=0", "is not one that codesuture knows", ""),
    ],
)
def test_mistakes_in_variables(
    tmp_path: Path, variable: str, value: str, sentence: str, hint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(str(tmp_path), {variable: value})
    assert sentence in str(caught.value)
    assert hint in caught.value.hint


def test_a_mistake_in_a_flag_names_the_flag(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--retries: 'retries' must be an integer"):
        load(str(tmp_path), {}, {"retries": "many"})
