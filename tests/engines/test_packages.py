"""Packages from PyPI that crash on bad data: an engine sees where, and the program is the same."""

from __future__ import annotations

import json
from pathlib import Path

PROGRAM = Path(__file__).with_name("packages.txt")
#: What crashes in which function, and one of its variables.
CRASHES = {
    "markdown": ("AttributeError", "Markdown.convert", "source", "NoneType"),
    "humanize": ("TypeError", "naturalsize", "value", "NoneType"),
    "prettytable": ("TypeError", "PrettyTable._get_rows", "self", "PrettyTable"),
    "itsdangerous": ("TypeError", "Signer.unsign", "signed_value", "NoneType"),
    "dateutil": ("TypeError", "relativedelta.__init__", "months", "NoneType"),
}


def test_crashes_of_packages(installed_python, tmp_path: Path, engine: str) -> None:
    (tmp_path / "app.py").write_text(PROGRAM.read_text())
    plain = installed_python.run("app.py", "markdown", cwd=tmp_path, agent=False)
    assert plain.returncode == 1 and plain.stdout.count("thread:") == len(CRASHES)
    env = {"CODESUTURE_ENGINE": engine}
    done = installed_python.run("app.py", "markdown", cwd=tmp_path, env=env)
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 1)
    log = (tmp_path / ".codesuture_store" / "incidents" / "log.jsonl").read_text()
    records = [json.loads(line) for line in log.splitlines()]
    assert len(records) == len(CRASHES)
    for record, (kind, function, variable, is_of) in zip(records, CRASHES.values(), strict=True):
        crashed = record["chain"][0]
        assert (record["exception"]["type"], crashed["qualname"]) == (kind, function)
        assert {"name": variable, "type": is_of} in crashed["variables"]
        assert record["fate"]["verdict"] == "UNHANDLED"
        assert "site-packages" in crashed["file"]
        assert "app" in {call["module"] for call in record["chain"]}
    counted: dict[str, int] = {}
    for hour in (tmp_path / ".codesuture_store" / "incidents" / "hours").glob("*.json"):
        for one, number in json.loads(hour.read_text())["crashes"].items():
            counted[one] = counted.get(one, 0) + number
    first, *others = (record["id"] for record in records)
    assert counted == {first: 2, **dict.fromkeys(others, 1)}
