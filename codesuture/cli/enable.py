"""`codesuture enable`: every Python of a virtual environment starts with the agent."""

from __future__ import annotations

import json
import os

from codesuture.cli.failure import Failure, Parser
from codesuture.venvs import LINES, VenvError, enable


def execute(words: list[str]) -> int:
    """Put the agent's files into the environment; 1 when it cannot be done."""
    parser = Parser(
        prog="codesuture enable",
        description="Have every Python of a virtual environment start with codesuture on. "
        "CODESUTURE=0 still turns it off.",
    )
    parser.add_argument("--venv", metavar="DIR", help="the environment (default: the current one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse(words)
    try:
        place = enable(asked.venv)
    except VenvError as problem:
        raise Failure(str(problem), problem.hint) from None
    paths = [os.path.join(place.folder, name) for name in LINES]
    if asked.json:
        print(json.dumps({"venv": place.prefix, "files": paths}, indent=2))
    else:
        print(f"Enabled in {place.prefix}: every Python there starts with codesuture on.")
        print("CODESUTURE=0 turns it off for one program, `codesuture disable` for good.")
    return 0
