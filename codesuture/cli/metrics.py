"""`codesuture metrics`: numbers of crashes and patches for Prometheus."""

from __future__ import annotations

from codesuture.cli.crashes import open_store, read_incidents, report_problems, write_output
from codesuture.cli.failure import Failure, Parser
from codesuture.incidents.metrics import metrics
from codesuture.incidents.reading import Filter
from codesuture.store import StoreError

_EXAMPLES = """\
examples:
  codesuture metrics
  codesuture metrics --output /var/lib/node_exporter/codesuture.prom   (its textfile collector)
"""


def execute(words: list[str]) -> int:
    """Print the metrics; 1 when a part of the store cannot be read."""
    parser = Parser(
        prog="codesuture metrics",
        usage="codesuture metrics [--output FILE]",
        description="Print numbers of crashes and patches in the text format of Prometheus.",
        epilog=_EXAMPLES,
    )
    parser.add_argument("--output", metavar="FILE", help="write them to a file, which is replaced")
    asked = parser.parse(words)
    _, store = open_store()
    found = read_incidents(store, Filter())
    try:
        patches = store.patches()
    except StoreError as problem:
        raise Failure(str(problem)) from None
    write_output(metrics(found, store, patches), asked.output)
    return report_problems([*found.problems, *store.problems])
