"""From files, variables and flags to one `Config`, each value with where it came from.

Runs at interpreter start, so nothing is imported that the case at hand does not need: where nothing
is configured there are the defaults alone, and without a file there is no TOML reader.
"""

from __future__ import annotations

import os

from codesuture.config.find import OWN_FILE, STORE_FOLDER, locate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ORIGIN = "default"

PREFIX = "CODESUTURE_"
"""How the variables that set keys begin."""


class Config:
    """The configuration of one process: one attribute per key, dots written as underscores.

    `path` is the file that was read (None when there is none), `root` the project's folder (the
    nearest one with a configuration file or a store, else the directory the search began in),
    `notes` are sentences worth saying, such as a file that does not count. `store` is an
    absolute path.
    """

    mode: str = "heal"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    protect: tuple[str, ...] = ()
    ttl: float = 7.0
    probation: float = 1.0
    on_expiry: str = "remind"
    retries: int = 3
    store: str = STORE_FOLDER
    boundaries: tuple[str, ...] = ()
    fingerprints: bool = True
    library_calls: tuple[str, ...] = ()
    verbose: bool = False
    quiet: bool = False
    dry_run: bool = False
    engine: str = "auto"
    shadow: bool = False
    color: str = "auto"
    breaker_frame: int = 10_000
    breaker_site: int = 1_000_000
    budget_days: int = 1
    budget_heals: int = 0
    web_mark: bool = True
    web_header: str = "X-CodeSuture"
    web_replay: tuple[str, ...] = ("GET", "HEAD", "OPTIONS")
    incidents_record: bool = True
    incidents_values: str = "types"
    incidents_redact: tuple[str, ...] = ()
    incidents_megabytes: int = 8
    incidents_days: float = 30.0
    incidents_logging: bool = True
    incidents_sentry: bool = True
    severity: dict[str, str]
    guards: dict[str, bool]
    defaults: dict[str, str]

    def __init__(self, path: str | None, root: str, notes: tuple[str, ...]) -> None:
        self.path = path
        self.root = root
        self.notes = notes
        self.severity = {}
        self.guards = {}
        self.defaults = {}
        self.origins: dict[str, str] = {}

    def origin(self, name: str) -> str:
        """Where the value of a key, or of an entry of a table, comes from.

        "default", "codesuture.toml", "pyproject.toml", "CODESUTURE_TTL" or "--ttl".
        """
        return self.origins.get(name, DEFAULT_ORIGIN)

    def value(self, name: str) -> object:
        """The value of the key with the (dotted) name; KeyError when there is no such key."""
        from codesuture.config.keys import BY_NAME

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
    variables = os.environ if environ is None else environ
    if found.path is not None or overrides or any(map(_is_ours, variables)):
        from codesuture.config.told import tell

        tell(config, variables, overrides or {})
    _resolve_store(config, os.path.abspath(directory))
    return config


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIX)


def _resolve_store(config: Config, directory: str) -> None:
    """Make the store's path absolute, from the folder that its origin speaks of."""
    origin = config.origin("store")
    base = directory
    if origin == DEFAULT_ORIGIN:
        base = config.root
    elif config.path is not None and origin == os.path.basename(config.path):
        base = os.path.dirname(config.path)
    config.store = os.path.normpath(os.path.join(base, os.path.expanduser(config.store)))
