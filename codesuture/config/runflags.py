"""The flags of `codesuture run` as one variable, from the command to the agent it starts.

One variable, so that the agent can take it away again and no child process inherits it.
"""

from __future__ import annotations

RUN_FLAGS = ("verbose", "dry_run", "ttl", "retries")
"""The keys that `codesuture run` has a flag for."""


def encode(flags: dict[str, str]) -> str:
    """`session=1;verbose=1;ttl=3`: only what was given, and never empty.

    (On Windows an empty variable is none, and the agent would not know about the session.)
    """
    given = [f"{name}={flags[name]}" for name in RUN_FLAGS if name in flags]
    return ";".join(["session=1", *given])


def decode(text: str) -> dict[str, str]:
    """What `encode` was given, as `load` takes it for `overrides`; unknown names are left out."""
    pairs = (item.partition("=") for item in text.split(";"))
    return {name: value for name, sign, value in pairs if sign and name in RUN_FLAGS}
