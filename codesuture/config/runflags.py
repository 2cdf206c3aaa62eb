"""What `codesuture run` and `watch` tell the agent that they start, as one variable.

One variable, so that the agent can take it away again and no child process inherits it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RUN_FLAGS = ("verbose", "quiet", "dry_run", "shadow", "ttl", "retries", "engine")
"""The keys that `codesuture run` has a flag for."""

SESSION = "session"
"""Which command it was: `run` or `watch`."""

ATTEMPTS = ("reruns", "crashes", "applied", "healed")
"""What a script that is run again has to know of its earlier attempts (`codesuture.rerun`)."""

_NAMES = (SESSION, *RUN_FLAGS, *ATTEMPTS)


def encode(options: Mapping[str, str]) -> str:
    """`session=run;verbose=1;ttl=3`: only what was given, and never empty.

    (On Windows an empty variable is none, and the agent would not know about the session.)
    """
    given = {SESSION: "run", **options}
    return ";".join(f"{name}={given[name]}" for name in _NAMES if name in given)


def decode(text: str) -> dict[str, str]:
    """What `encode` was given and the session; unknown names are left out."""
    pairs = (item.partition("=") for item in text.split(";"))
    return {name: value for name, sign, value in pairs if sign and name in _NAMES}


def flags_of(options: Mapping[str, str]) -> dict[str, str]:
    """Those of the options that are keys, as `load` takes them for `overrides`."""
    return {name: options[name] for name in RUN_FLAGS if name in options}
