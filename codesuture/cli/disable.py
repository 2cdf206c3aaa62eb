"""`codesuture disable`: take the agent out of a virtual environment."""

from __future__ import annotations

import json

from codesuture.cli.failure import Failure, Parser
from codesuture.venvs import VenvError, disable


def execute(words: list[str]) -> int:
    """Remove the agent's files; 1 when it cannot be done. There being none is no failure."""
    parser = Parser(
        prog="codesuture disable",
        description="Take the agent out of a virtual environment, leaving no trace. Patches stay.",
    )
    parser.add_argument("--venv", metavar="DIR", help="the environment (default: the current one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse(words)
    try:
        place, removed = disable(asked.venv)
    except VenvError as problem:
        raise Failure(str(problem), problem.hint) from None
    if asked.json:
        print(json.dumps({"venv": place.prefix, "removed": removed}, indent=2))
    else:
        for path in removed:
            print(f"Removed {path}")
        print(f"{'Disabled' if removed else 'It was not enabled'} in {place.prefix}.")
    return 0
