"""Reading, checking, showing and changing the configuration."""

from __future__ import annotations

from codesuture.config.errors import ConfigError
from codesuture.config.load import Config, load

__all__ = ["Config", "ConfigError", "load"]
