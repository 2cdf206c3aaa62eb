"""`codesuture digest`: what crashed in the last days, for people, with a picture."""

from __future__ import annotations

import os
import sys

from codesuture.cli.crashes import (
    add_filters,
    filter_of,
    open_store,
    read_incidents,
    report_problems,
    write_output,
)
from codesuture.cli.failure import Parser
from codesuture.incidents.digest import Digest, as_html, as_markdown, svg_of

_EXAMPLES = """\
examples:
  codesuture digest                                    the last 7 days, in Markdown
  codesuture digest --since 24h --output crashes.html  a page
  codesuture digest --output crashes.md                with the picture beside it, crashes.svg
"""


def execute(words: list[str]) -> int:
    """Write the digest; 1 when a part of the incidents cannot be read."""
    parser = Parser(
        prog="codesuture digest",
        usage="codesuture digest [--since WHEN] [--until WHEN] [--severity LEVEL] "
        "[--action ACTION]\n                         [--exception TYPE] [--guard GUARD] "
        "[--function PATTERN]\n                         [--format md|html] [--output FILE]",
        description="Sum up what crashed (of the last 7 days, where --since does not say).",
        epilog=_EXAMPLES,
    )
    add_filters(parser)
    add = parser.add_argument
    add("--format", choices=("md", "html"), help="md (the default), or html: what FILE ends in")
    add("--output", metavar="FILE", help="write it to a file")
    asked = parser.parse(words)
    config, store = open_store()
    wanted = filter_of(asked, since="7d")
    found = read_incidents(store, wanted)
    project = os.path.basename(config.root.rstrip(os.sep)) or "this project"
    digest = Digest(found, wanted, project)
    stem, ending = os.path.splitext(asked.output or "")
    form = asked.format or ("html" if ending.lower() in (".html", ".htm") else "md")
    if form == "html":
        write_output(as_html(digest), asked.output)
    elif asked.output and digest.groups:
        write_output(svg_of(digest), stem + ".svg")
        write_output(as_markdown(digest, os.path.basename(stem) + ".svg"), asked.output)
    else:
        write_output(as_markdown(digest), asked.output)
    sys.stdout.flush()
    return report_problems(found.problems)
