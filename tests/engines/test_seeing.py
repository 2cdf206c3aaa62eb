"""What an engine sees of exceptions in code without pads, before any frame is unwound."""

from __future__ import annotations

import json
from pathlib import Path


def test_only_crashes_that_nobody_handles_are_noted(
    program: Path, installed_python, engine: str
) -> None:
    """In a thread and at the top, with callers and types of variables; the program is the same.

    Handled exceptions, `raise`, and what Python itself uses exceptions for are not.
    """
    plain = installed_python.run("app.py", cwd=program, agent=False)
    assert plain.returncode == 1 and "IndexError" in plain.stderr
    done = installed_python.run("app.py", cwd=program, env={"CODESUTURE_ENGINE": engine})
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 1)
    text = (program / "seen.json").read_text()
    assert "hunter2" not in text
    spoken, _, handled, _, in_thread, again, at_top, _ = json.loads(text)
    assert (spoken, handled, again) == (None, None, None)
    assert (in_thread["kind"], in_thread["fate"]) == ("AttributeError", "UNHANDLED")
    assert in_thread["steps"][0] == [
        "bio", "made", 3, {"profile": "NoneType", "password": "str"}
    ]  # fmt: skip
    assert in_thread["steps"][1][:3] == ["outer", "made", 7]
    assert in_thread["steps"][-1][:2] == ["Thread._bootstrap", "threading"]
    assert at_top["kind"] == "IndexError"
    innermost, outermost = at_top["steps"][0], at_top["steps"][-1]
    assert innermost == ["first", "frail", 6, {"rows": "list", "secret": "str"}]
    assert outermost[:2] == ["<module>", "app"]


def test_without_an_engine_nothing_of_it_is_imported(installed_python, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import sys\n"
        "exec('def f(x):\\n  return x.y\\ntry: f(0)\\nexcept AttributeError: pass', {})\n"
        "monitoring = getattr(sys, 'monitoring', None)\n"
        "print([name for name in sys.modules if name.startswith('codesuture.engines')],\n"
        "    sys.gettrace(), 'threading' in sys.modules,\n"
        "    [monitoring.get_tool(tool) for tool in range(6)] == [None] * 6 if monitoring else 1)\n"
    )
    for engine in ("auto", "inplace", ""):
        done = installed_python.run("app.py", cwd=tmp_path, env={"CODESUTURE_ENGINE": engine})
        assert done.stdout.split()[:3] == ["[]", "None", "False"]
        assert done.stdout.split()[3] in ("True", "1")
        assert done.stderr == ""
