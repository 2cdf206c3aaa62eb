"""A program that handles its exceptions itself imports next to nothing of codesuture for them."""

from __future__ import annotations

from pathlib import Path

PROGRAM = """\
import sys

def read(table):
    return table["key"]

def handled():
    try:
        return read({})
    except KeyError:
        return "handled"

before = set(sys.modules)
print(handled())
for name in sorted(set(sys.modules) - before):
    print(name)
"""
#: Small modules of ours, and what the interpreter's own ``opcode``, ``types`` and ``bisect`` come
#: with.
SMALL = {
    *("codesuture.once", "codesuture.messages", "opcode", "_opcode", "_opcode_metadata"),
    *("_bisect", "_functools", "_types", "bisect", "gc", "types"),
}


def test_a_handled_exception_imports_the_fate_analysis_and_no_more(
    installed_python, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(PROGRAM)
    allowed = ("codesuture.fate", "codesuture.frames", "codesuture.healing", "codesuture.surgery")
    for _ in range(2):  # the second time nothing was armed before
        done = installed_python.run("app.py", cwd=tmp_path)
        first, *imported = done.stdout.splitlines()
        assert (done.returncode, done.stderr, first) == (0, "", "handled")
        assert "codesuture.healing" in imported, "the exception did not enter the runtime"
        more = {name for name in imported if not name.startswith(allowed)}
        assert more <= SMALL
