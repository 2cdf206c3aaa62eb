"""What a file, variables and flags say, checked and put into a `Config`.

Imported only where one of them says something.
"""

from __future__ import annotations

import os

from codesuture.config.check import parse
from codesuture.config.errors import ConfigError, did_you_mean
from codesuture.config.keys import BY_NAME, INTERNAL_VARIABLES, KEYS, Key
from codesuture.config.load import PREFIX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from codesuture.config.load import Config


def tell(config: Config, environ: Mapping[str, str], overrides: Mapping[str, str]) -> None:
    """Put into `config` what its file says, then `environ`, then `overrides` (`load.load`)."""
    if config.path is not None:
        from codesuture.config.file import read

        origin = os.path.basename(config.path)
        for name, value in read(config.path):
            _accept(config, BY_NAME[name], value, origin)
    _read_variables(config, environ)
    for name, text in overrides.items():
        flag = "--" + name.replace("_", "-")
        _accept(config, BY_NAME[name], _parsed(BY_NAME[name], text, flag), flag)


def _parsed(key: Key, text: str, place: str) -> object:
    try:
        return parse(key.name, text)
    except ConfigError as problem:
        raise problem.at(place) from None


def _accept(config: Config, key: Key, value: object, origin: str) -> None:
    """Take over a checked value; entries of a table are merged with what is there."""
    if isinstance(value, dict):
        for item in value:
            config.origins[f"{key.name}.{item}"] = origin
        if not value:  # the empty tables of `config init` set nothing
            return
        value = {**getattr(config, key.attribute), **value}
    config.origins[key.name] = origin
    _put(config, key, value)


def _put(config: Config, key: Key, value: object) -> None:
    checked = key.kind.check(value)
    setattr(config, key.attribute, dict(checked) if isinstance(checked, dict) else checked)


def _read_variables(config: Config, environ: Mapping[str, str]) -> None:
    """Take over `CODESUTURE_*`; an empty variable counts as not set."""
    by_variable = {key.variable: key for key in KEYS if key.variable}
    for variable in environ:
        if not variable.startswith(PREFIX) or variable in INTERNAL_VARIABLES:
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
