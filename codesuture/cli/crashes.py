"""What the commands about incidents have in common: the store's incidents, and their filters."""

from __future__ import annotations

import argparse
import os
import sys

from codesuture.cli.failure import Failure, Parser, report
from codesuture.cli.patches import checked_store
from codesuture.cli.since import moment_before
from codesuture.config.load import Config, load
from codesuture.incidents.reading import Filter, Incidents
from codesuture.incidents.severity import ACTIONS, LEVELS
from codesuture.store import Store, StoreError


def add_filters(parser: Parser) -> None:
    """Add the options that say which incidents are wanted."""
    add = parser.add_argument
    add("--since", metavar="WHEN", help="from then on: 30m, 3h, 2d, 1w, 2026-11-25 (UTC)")
    add("--until", metavar="WHEN", help="until then")
    levels = "at least " + ", ".join(LEVELS)
    add("--severity", metavar="LEVEL", choices=LEVELS, help=levels)
    add("--action", metavar="ACTION", choices=ACTIONS, help=", ".join(ACTIONS))
    add("--exception", metavar="TYPE", default="", help="KeyError, *Error")
    add("--guard", metavar="GUARD", default="", help="key_guard, null*")
    add("--function", metavar="PATTERN", default="", help="module:qualname or module, shop.*")


def filter_of(asked: argparse.Namespace, since: str = "") -> Filter:
    """The filter that the options mean; `since` is the one that counts where none is given."""
    start = asked.since or since
    return Filter(
        since=moment_before(start, "--since") if start else None,
        until=moment_before(asked.until, "--until") if asked.until else None,
        severity=asked.severity or "",
        action=asked.action or "",
        exception=asked.exception,
        guard=asked.guard,
        function=asked.function,
    )


def open_store() -> tuple[Config, Store]:
    """The configuration and the store that count in the working directory."""
    config = load(os.getcwd())
    for note in config.notes:
        print(f"note: {note}", file=sys.stderr)
    return config, checked_store(config)


def read_incidents(store: Store, wanted: Filter) -> Incidents:
    """Those that are wanted; Failure when the store cannot be read."""
    try:
        return Incidents(store, wanted)
    except StoreError as problem:
        raise Failure(str(problem)) from None


def write_output(text: str, path: str | None) -> None:
    """Print the text, or write it to a file, which readers then see whole."""
    if path is None:
        sys.stdout.write(text)
        return
    from codesuture.store.files import write_atomically

    try:
        write_atomically(os.path.abspath(path), text.encode("utf-8", "backslashreplace"))
    except StoreError as problem:
        raise Failure(str(problem)) from None


def report_problems(problems: list[str]) -> int:
    """Say what was passed over; the exit code that it means."""
    for problem in problems:
        report(problem, [])
    return 1 if problems else 0
