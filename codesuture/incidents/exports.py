"""Records for other tools: JSON Lines, CloudEvents 1.0, logs of OpenTelemetry (OTLP/JSON)."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

from codesuture import __version__
from codesuture.incidents.schema import SCHEMA_ID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from codesuture.incidents.incident import Incident

FORMATS = ("jsonl", "cloudevents", "otlp")

#: Severity numbers of OpenTelemetry's log data model.
_NUMBERS = {"info": 9, "warning": 13, "error": 17, "critical": 21}
_TEXTS = {"info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}

#: Attributes of OpenTelemetry by fields: its semantic conventions where they have one.
_ATTRIBUTES = {
    "exception.type": "exception.type",
    "exception.message": "exception.message",
    "site.file": "code.file.path",
    "site.line": "code.line.number",
    "request.method": "http.request.method",
    "request.path": "url.path",
    "record": "log.record.uid",
    "id": "codesuture.id",
    "action": "codesuture.action",
    "why": "codesuture.why",
    "guard": "codesuture.guard",
    "patch": "codesuture.patch",
    "default": "codesuture.default",
    "site.target": "codesuture.target",
    "site.expression": "codesuture.expression",
    "fate.evidence": "codesuture.fate",
    "process.pid": "process.pid",
}


def export(form: str, records: Sequence[Incident], root: str) -> str:
    """The records in one of ``FORMATS``; ``root`` is the project's folder, whose name names it."""
    project = os.path.basename(root.rstrip(os.sep)) or "unknown"
    if form == "otlp":
        return json.dumps(otlp(records, project), ensure_ascii=True) + "\n"
    if form == "cloudevents":
        documents = [cloud_event(one, project) for one in records]
    else:
        documents = [one.to_json() for one in records]
    return "".join(json.dumps(document, ensure_ascii=True) + "\n" for document in documents)


def cloud_event(incident: Incident, project: str) -> dict[str, Any]:
    """One event in the JSON format of CloudEvents 1.0."""
    from urllib.parse import quote

    return {
        "specversion": "1.0",
        "id": incident["record"],
        "source": f"urn:codesuture:{quote(project, safe='')}",
        "type": f"dev.codesuture.incident.{incident['action']}",
        "subject": incident.name,
        "time": incident["time"],
        "datacontenttype": "application/json",
        "dataschema": SCHEMA_ID,
        "data": incident.to_json(),
    }


def otlp(records: Sequence[Incident], project: str) -> dict[str, Any]:
    """An ``ExportLogsServiceRequest`` in OTLP's JSON encoding (64-bit integers are strings)."""
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": _attributes({"service.name": project})},
                "scopeLogs": [
                    {
                        "scope": {"name": "codesuture", "version": __version__},
                        "logRecords": [_log_record(one) for one in records],
                    }
                ],
            }
        ]
    }


def _log_record(incident: Incident) -> dict[str, Any]:
    told: dict[str, str | int] = {
        name: incident[field] for field, name in _ATTRIBUTES.items() if incident[field] != ""
    }
    told["code.function.name"] = f"{incident['site.module']}.{incident['site.qualname']}"
    if incident.chain:
        told["exception.stacktrace"] = "\n".join(
            f"{step.get('file', '?')}:{step.get('line', '?')} in {step.get('qualname', '?')}"
            for step in incident.chain
        )
    time = str(_nanoseconds(incident.moment))
    return {
        "timeUnixNano": time,
        "observedTimeUnixNano": time,
        "severityNumber": _NUMBERS[incident["severity"]],
        "severityText": _TEXTS[incident["severity"]],
        "eventName": f"codesuture.incident.{incident['action']}",
        "body": {"stringValue": summary(incident)},
        "attributes": _attributes(told),
    }


def summary(incident: Incident) -> str:
    """One line for people."""
    what = f"{incident['exception.type']} in {incident.name}"
    if incident["action"] == "healed":
        return f"{what} healed by {incident['guard']}, which supplied {incident['default']}"
    return f"{what} {incident['action'].replace('_', ' ')}" + (
        f": {incident['why']}" if incident["why"] else ""
    )


def _attributes(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "key": name,
            "value": {"intValue": str(value)} if type(value) is int else {"stringValue": value},
        }
        for name, value in told.items()
    ]


def _nanoseconds(moment: datetime) -> int:
    since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
