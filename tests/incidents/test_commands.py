"""`codesuture incidents`, `digest` and `metrics`, read by those who are meant to read them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from codesuture.incidents.incident import Incident, moment_text
from codesuture.incidents.schema import schema_text
from codesuture.store import Store, StoreError

NOW = datetime.now(UTC).replace(microsecond=0)
SCHEMA = jsonschema.Draft202012Validator(json.loads(schema_text()))
HOSTILE = "f<b>|`x`*\"\\"


def record(number: int, before: timedelta = timedelta(), **changes: Any) -> dict[str, Any]:
    """A record of what crashed so long ago; `number` makes its id."""
    document: dict[str, Any] = {
        "schema": 1,
        "record": f"r{number}-{before.total_seconds():.0f}",
        "id": f"{number:012x}",
        "time": moment_text(NOW - before),
        "count": 0,
        "severity": "warning",
        "action": "healed",
        "exception": {"type": "KeyError", "message": "'sum'"},
        "site": {"module": "shop", "qualname": f"f{number}", "file": "shop.py", "line": number,
                 "target": "order['sum']"},
        "guard": "key_guard",
        "default": "0",
        "agent": {"language": "python"},
    }  # fmt: skip
    return {**document, **changes}


class Project:
    """A folder with a store, and the commands in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / ".codesuture_store")

    def add(self, document: dict[str, Any]) -> None:
        self.store.record(json.dumps(document).encode(), 10**7)

    def count(self, number: int, crashes: int, before: timedelta = timedelta()) -> None:
        self.store.count({f"{number:012x}": crashes}, NOW - before)

    def run(self, *words: str, code: int = 0) -> str:
        done = self.fail(*words)
        assert done.returncode == code, done.stderr
        return done.stdout

    def fail(self, *words: str) -> subprocess.CompletedProcess[str]:
        source = (
            "import sys; sys.path.insert(0, sys.argv.pop(1)); from codesuture.cli import main; "
            "sys.exit(main())"
        )
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.run(
            [sys.executable, "-c", source, root, *words],
            cwd=self.folder, env={**os.environ, "COLUMNS": "300"}, capture_output=True,
            text=True, encoding="utf-8", timeout=60,
        )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Four kinds of crashes: now, two hours ago, three and forty days ago."""
    made = Project(tmp_path)
    made.add(record(4, timedelta(days=40), severity="info"))
    made.add(
        record(3, timedelta(days=3), severity="error", action="left_alone", why="shop is protected")
    )
    made.add(
        record(2, timedelta(hours=2), exception={"type": "IndexError"}, guard="index_guard",
               severity="critical", site={"module": "shop.cart", "qualname": HOSTILE})
    )  # fmt: skip
    made.add(record(1))
    for number, crashes, before in (
        (4, 1, timedelta(days=40)), (3, 5, timedelta(days=3)), (3, 2, timedelta()),
        (2, 7, timedelta(hours=2)), (1, 3, timedelta()),
    ):  # fmt: skip
        made.store.incidents.count({f"{number:012x}": crashes}, NOW - before, None)
    return made


def ids(text: str) -> dict[int, int]:
    found = json.loads(text)["incidents"]
    return {int(one["id"], 16): one["crashes"] for one in found}


def test_the_list(project):
    table = project.run("incidents")
    assert [line.split()[0] for line in table.splitlines()[1:5]] == [
        f"{number:012x}" for number in (1, 3, 2, 4)
    ]
    assert "18 crashes of 4 kinds" in table
    listed = json.loads(project.run("incidents", "--json"))
    assert (listed["crashes"], listed["nameless"], listed["problems"]) == (18, 0, [])
    assert listed["incidents"][0]["latest"]["site"]["qualname"] == "f1"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--since", "1d"], {1: 3, 3: 2, 2: 7}),
        (["--since", "30m", "--exception", "Key*"], {1: 3, 3: 2}),
        (["--since", (NOW - timedelta(days=4)).strftime("%Y-%m-%d")], {1: 3, 3: 7, 2: 7}),
        (["--until", "1d"], {3: 5, 4: 1}),
        (["--severity", "error"], {3: 7, 2: 7}),
        (["--action", "left_alone"], {3: 7}),
        (["--guard", "index*"], {2: 7}),
        (["--function", "shop.*"], {2: 7}),
        (["--function", "shop:f[13]"], {1: 3, 3: 7}),
        (["--limit", "1"], {1: 3}),
        (["000000000004"], {4: 1}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_filters(project, words, found, monkeypatch):
    assert ids(called(project, monkeypatch, "incidents", "--json", *words)) == found


def called(project: Project, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    """The command in this process, which is quicker."""
    import contextlib
    import io

    from codesuture.cli import main

    monkeypatch.chdir(project.folder)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(list(words)) == 0
    return out.getvalue()


def test_wrong_words(project):
    for words, code, said in (
        (["--since", "tomorrow"], 2, "neither a length of time nor a date"),
        (["--limit", "0"], 2, "--limit"),
        (["--severity", "bad"], 2, "invalid choice"),
        (["f00"], 1, "there is no incident 'f00'"),
    ):
        done = project.fail("incidents", *words)
        assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


def test_one_of_them(project):
    told = project.run("incidents", "000000000003")
    assert "KeyError: 'sum' in shop:f3 at shop.py:3" in told
    assert "error, left_alone, 7 crashes" in told and "shop is protected" in told


def test_damaged_lines_are_passed_over(project):
    log = project.folder / ".codesuture_store" / "incidents" / "log.jsonl"
    with log.open("a", encoding="utf-8") as file:
        file.write('{"schema": 1, "record": "torn')
    project.add(record(5, timedelta(minutes=1)))  # begins a line of its own
    with log.open("a", encoding="utf-8") as file:
        file.write("[" * 10_000 + "\n" + json.dumps(record(6, severity="worst")) + "\n")
        file.write(json.dumps(record(7, site={"module": "a", "qualname": "\x1b[2J"})) + "\n")
    done = project.fail("incidents", "--json")
    assert set(ids(done.stdout)) == {1, 2, 3, 4, 5}
    assert done.returncode == 1 and len(json.loads(done.stdout)["problems"]) == 4
    assert "line 5 because it is not JSON" in done.stderr and "\x1b" not in done.stderr


def test_agents_of_other_languages(project):
    """What the schema asks for is enough; a file of its own, its own counts."""
    least = {
        name: value for name, value in record(9, count=4, colour="red").items()
        if name in ("schema", "record", "id", "time", "severity", "action", "count", "colour")
    }  # fmt: skip
    least["time"] = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    least |= {
        "exception": {"type": "TypeError"},
        "site": {"module": "cart.js", "qualname": "Cart.total", "column": 7},
        "agent": {"language": "javascript"},
    }
    SCHEMA.validate(least)
    path = project.folder / ".codesuture_store" / "incidents" / "node.jsonl"
    path.write_text(json.dumps(least) + "\n" + json.dumps({**least, "record": "b"}) + "\n")
    found = json.loads(project.run("incidents", "--json", "--function", "cart.js"))["incidents"]
    assert [(one["crashes"], one["latest"]["colour"]) for one in found] == [(8, "red")]


def test_the_schema_and_the_reader_agree():
    good = record(1, chain=[{"qualname": "f"}] * 20, values=[{"name": "x", "type": "int"}])
    SCHEMA.validate(good)
    assert Incident.from_json(good).to_json() == good
    bad: list[dict[str, Any]] = [
        {"schema": 2}, {"id": "XYZ"}, {"id": 7}, {"time": "yesterday"}, {"severity": "worst"},
        {"action": "forgotten"}, {"count": -1}, {"count": True}, {"exception": {}}, {"site": []},
        {"site": {"module": "m"}}, {"chain": [{}] * 21}, {"chain": ["f"]}, {"values": {}},
        {"why": "a\x1bb"}, {"why": "x" * 1001}, {"record": ""}, {"values": [{"name": 3}]},
        {"site": {"module": "m", "qualname": "q", "line": 1.5}}, {"agent": {}},
        {"request": "GET"},
    ]  # fmt: skip
    for change in bad:
        document = {**good, **change}
        assert not SCHEMA.is_valid(document), change
        with pytest.raises(StoreError):
            Incident.from_json(document)
    for name in ("record", "id", "time", "severity", "action", "exception", "site", "agent"):
        document = {key: value for key, value in good.items() if key != name}
        assert not SCHEMA.is_valid(document), name
        with pytest.raises(StoreError):
            Incident.from_json(document)


def test_exports(project):
    from cloudevents.core.formats.json import JSONFormat
    from cloudevents.core.v1.event import CloudEvent
    from google.protobuf.json_format import Parse
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    exported = project.run("incidents", "--export", "jsonl").splitlines()
    lines = [json.loads(line) for line in exported]
    assert [one["id"][-1] for one in lines] == ["4", "3", "2", "1"]
    for one in lines:
        SCHEMA.validate(one)
    events = project.run("incidents", "--export", "cloudevents", "--since", "1d").splitlines()
    assert len(events) == 2
    event = JSONFormat().read(CloudEvent, events[0])
    assert event.get_type() == "dev.codesuture.incident.healed"
    assert event.get_subject() == f"shop.cart:{HOSTILE}"
    assert event.get_time() == NOW - timedelta(hours=2) and event.get_specversion() == "1.0"
    SCHEMA.validate(event.get_data())
    output = project.folder / "logs.json"
    project.run("incidents", "--export", "otlp", "--output", str(output))
    # Parse refuses fields that the message does not have, and values of other types.
    request = Parse(output.read_text(encoding="utf-8"), ExportLogsServiceRequest())
    logs = request.resource_logs[0].scope_logs[0]
    assert logs.scope.name == "codesuture" and len(logs.log_records) == 4
    last = logs.log_records[-1]
    assert last.time_unix_nano == int(NOW.timestamp()) * 10**9
    assert (last.severity_number, last.severity_text) == (13, "WARN")
    told = {one.key: one.value for one in last.attributes}
    assert told["exception.type"].string_value == "KeyError"
    assert told["code.line.number"].int_value == 1


class Page(HTMLParser):
    """Whether tags are closed, and what the text is."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "line"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def bars(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    rects = [one for one in root.iter(f"{name}rect") if one.find(f"{name}title") is not None]
    for rect in rects:
        assert float(rect.get("y", "-1")) >= 0 and float(rect.get("height", "0")) > 0
        assert float(rect.get("x", "0")) + float(rect.get("width", "0")) <= 720
    return [one.findtext(f"{name}title", "").partition(": ")[2] for one in rects]


def test_digest_as_a_page(project):
    output = project.folder / "crashes.html"
    project.run("digest", "--output", str(output))
    text = output.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == [] and "b" not in page.tags and HOSTILE in page.text
    assert "17 crashes of 3 kinds" in page.text and "New since then: 3 of the kinds" in page.text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    svg = text[text.index("<svg") : text.index("</svg>") + len("</svg>")]
    drawn = bars(svg)
    assert sum(int(one.split()[0]) for one in drawn) == 17
    assert "5 left alone" in drawn and "2 left alone" in drawn


def test_digest_as_markdown(project):
    text = project.run("digest", "--since", "1d")
    assert "12 crashes of 3 kinds" in text and "New since then: 2 of the kinds" in text
    rows = [line for line in text.splitlines() if line.startswith("| ")][1:4]
    # The worst first; what the program is called breaks neither table nor page.
    assert [row.split(" | ")[1] for row in rows] == ["critical", "error", "warning"]
    assert len(set(row.replace("\\|", "").count("|") for row in rows)) == 1
    assert "f<b>\\|`x`" in rows[0] and "each bar is one hour" in text
    picture = project.folder / "crashes.svg"
    project.run("digest", "--output", str(project.folder / "crashes.md"))
    assert "(<crashes.svg>)" in (project.folder / "crashes.md").read_text(encoding="utf-8")
    assert sum(int(one.split()[0]) for one in bars(picture.read_text(encoding="utf-8"))) == 17


def test_digest_of_nothing(tmp_path):
    project = Project(tmp_path)
    assert "Nothing has crashed" in project.run("digest")
    assert "No such crashes" in project.run("incidents")
    assert "Nothing has crashed" in project.run("digest", "--format", "html")
    assert not (tmp_path / ".codesuture_store").exists()


def test_metrics(project):
    from prometheus_client.parser import text_string_to_metric_families

    def totals(text: str) -> dict[tuple[str, str], float]:
        families = {one.name: one for one in text_string_to_metric_families(text)}
        assert families["codesuture_crashes"].type == "counter"
        assert families["codesuture_store_problems"].samples[0].value == 0
        return {
            (sample.labels["function"], sample.labels["action"]): sample.value
            for sample in families["codesuture_crashes"].samples
        }

    expected = {
        ("f1", "healed"): 3, ("f3", "left_alone"): 7, (HOSTILE, "healed"): 7, ("f4", "healed"): 1,
    }  # fmt: skip
    assert totals(project.run("metrics")) == expected
    # A counter never goes down: hours that are let go are summed up, also if that is interrupted.
    hours = project.folder / ".codesuture_store" / "incidents" / "hours"
    old = min(path for path in hours.iterdir())
    content = old.read_bytes()
    project.store.incidents.count({f"{1:012x}": 1}, NOW + timedelta(hours=1), 30)
    assert not old.exists() and (hours / "earlier.json").exists()
    old.write_bytes(content)
    assert totals(project.run("metrics")) == {**expected, ("f1", "healed"): 4}
    output = project.folder / "codesuture.prom"
    project.run("metrics", "--output", str(output))
    assert totals(output.read_text(encoding="utf-8"))
