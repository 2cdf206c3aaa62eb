"""From files, variables and flags to one `Config`, each value with where it came from.

Runs at interpreter start, so nothing is imported that the case at hand does not need: without a
file there is no TOML reader.
"""

from __future__ import annotations

import os

from codesuture.config.check import parse
from codesuture.config.errors import ConfigError, did_you_mean
from codesuture.config.find import OWN_FILE, locate
from codesuture.config.keys import BY_NAME, INTERNAL_VARIABLES, KEYS, SWITCH, Key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ORIGIN = "default"


class Config:
    """The configuration of one process: one attribute per key, dots written as underscores.

    `path` is the file that was read (None when there is none), `root` the project's folder (the
    nearest one with a configuration file or a store, else the directory the search began in),
    `notes` are sentences worth saying, such as a file that does not count. `store` is an
    absolute path.
    """

    __slots__ = (
        "_origins",
        "boundaries",
        "breaker_frame",
        "breaker_site",
        "budget_days",
        "budget_heals",
        "color",
        "defaults",
        "dry_run",
        "engine",
        "exclude",
        "fingerprints",
        "guards",
        "incidents_days",
        "incidents_logging",
        "incidents_megabytes",
        "incidents_record",
        "incidents_redact",
        "incidents_sentry",
        "incidents_values",
        "include",
        "library_calls",
        "mode",
        "notes",
        "on_expiry",
        "path",
        "probation",
        "protect",
        "quiet",
        "retries",
        "root",
        "severity",
        "shadow",
        "store",
        "ttl",
        "verbose",
        "web_header",
        "web_mark",
        "web_replay",
    )

    mode: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    protect: tuple[str, ...]
    ttl: float
    probation: float
    on_expiry: str
    retries: int
    store: str
    boundaries: tuple[str, ...]
    fingerprints: bool
    library_calls: tuple[str, ...]
    verbose: bool
    quiet: bool
    dry_run: bool
    engine: str
    shadow: bool
    color: str
    breaker_frame: int
    breaker_site: int
    budget_days: int
    budget_heals: int
    web_mark: bool
    web_header: str
    web_replay: tuple[str, ...]
    incidents_record: bool
    incidents_values: str
    incidents_redact: tuple[str, ...]
    incidents_megabytes: int
    incidents_days: float
    incidents_logging: bool
    incidents_sentry: bool
    severity: dict[str, str]
    guards: dict[str, bool]
    defaults: dict[str, str]

    def __init__(self, path: str | None, root: str, notes: tuple[str, ...]) -> None:
        self.path = path
        self.root = root
        self.notes = notes
        self._origins: dict[str, str] = {}

    def origin(self, name: str) -> str:
        """Where the value of a key, or of an entry of a table, comes from.

        "default", "codesuture.toml", "pyproject.toml", "CODESUTURE_TTL" or "--ttl".
        """
        return self._origins.get(name, DEFAULT_ORIGIN)

    def value(self, name: str) -> object:
        """The value of the key with the (dotted) name; KeyError when there is no such key."""
        return getattr(self, BY_NAME[name].attribute)


def load(
    directory: str,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, str] | None = None,
) -> Config:
    """The configuration that counts in `directory`: defaults, file, variables, then flags.

    `environ` is `os.environ` when left out; `overrides` are the flags, as text by key name.
    Raises ConfigError for a file that cannot be read, an unknown key and a wrong value.
    """
    found = locate(directory)
    notes: tuple[str, ...] = ()
    if found.ignored is not None:
        notes = (f"{found.ignored} is ignored because {OWN_FILE} stands beside it",)
    config = Config(found.path, found.root, notes)
    for key in KEYS:
        config._origins[key.name] = DEFAULT_ORIGIN
        _put(config, key, key.default)
    if found.path is not None:
        from codesuture.config.file import read

        origin = os.path.basename(found.path)
        for name, value in read(found.path):
            _accept(config, BY_NAME[name], value, origin)
    _read_variables(config, os.environ if environ is None else environ)
    for name, text in (overrides or {}).items():
        flag = "--" + name.replace("_", "-")
        _accept(config, BY_NAME[name], _parsed(BY_NAME[name], text, flag), flag)
    _resolve_store(config, os.path.abspath(directory))
    return config


def _parsed(key: Key, text: str, place: str) -> object:
    try:
        return parse(key.name, text)
    except ConfigError as problem:
        raise problem.at(place) from None


def _accept(config: Config, key: Key, value: object, origin: str) -> None:
    """Take over a checked value; entries of a table are merged with what is there."""
    if isinstance(value, dict):
        for item in value:
            config._origins[f"{key.name}.{item}"] = origin
        if not value:  # the empty tables of `config init` set nothing
            return
        value = {**getattr(config, key.attribute), **value}
    config._origins[key.name] = origin
    _put(config, key, value)


def _put(config: Config, key: Key, value: object) -> None:
    checked = key.kind.check(value)
    setattr(config, key.attribute, dict(checked) if isinstance(checked, dict) else checked)


def _read_variables(config: Config, environ: Mapping[str, str]) -> None:
    """Take over `CODESUTURE_*`; an empty variable counts as not set."""
    by_variable = {key.variable: key for key in KEYS if key.variable}
    prefix = SWITCH + "_"
    for variable in environ:
        if not variable.startswith(prefix) or variable in INTERNAL_VARIABLES:
            continue
        key = by_variable.get(variable)
        if key is None:
            raise ConfigError(
                f"the environment variable {variable} is not one that codesuture knows",
                did_you_mean(variable, by_variable),
            )
        text = environ[variable]
        if text.strip():
            _accept(config, key, _parsed(key, text, variable), variable)


def _resolve_store(config: Config, directory: str) -> None:
    """Make the store's path absolute, from the folder that its origin speaks of."""
    origin = config.origin("store")
    base = directory
    if origin == DEFAULT_ORIGIN:
        base = config.root
    elif config.path is not None and origin == os.path.basename(config.path):
        base = os.path.dirname(config.path)
    config.store = os.path.normpath(os.path.join(base, os.path.expanduser(config.store)))
