"""The suggestions as SARIF 2.1.0, for code hosts and editors.

The format: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import os
from pathlib import PurePath
from urllib.parse import quote

from codesuture import __version__
from codesuture.cli.advice import advice_for
from codesuture.guards.registry import by_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from codesuture.sourcefix.document import Edit
    from codesuture.sourcefix.suggestion import Suggestion

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def report(suggestions: Iterable[Suggestion], root: str) -> dict[str, object]:
    """One run with a rule for each guard, a result for each patch, and its change as a fix."""
    found = list(suggestions)
    guards = list(dict.fromkeys(one.patch.guard for one in found))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "codesuture",
                        "version": __version__,
                        "rules": [_rule(name) for name in guards],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"PROJECT": {"uri": _folder(root)}},
                "results": [_result(one, guards.index(one.patch.guard)) for one in found],
            }
        ],
    }


def _rule(name: str) -> dict[str, object]:
    guard = by_name(name)
    meaning = guard.meaning if guard is not None else f"A crash that {name} healed."
    return {"id": name, "fullDescription": {"text": meaning}}


def _result(one: Suggestion, rule: int) -> dict[str, object]:
    patch = one.patch
    text = (
        f"{patch.exception} at `{patch.target}` in {patch.name}: {patch.message} codesuture "
        f"supplies {one.entry.choice.recipe.describe()}. "
    )
    text += one.reason or one.sentence
    made: dict[str, object] = {
        "ruleId": patch.guard,
        "ruleIndex": rule,
        "level": "warning",
        "message": {"text": f"{text} {advice_for(patch)}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": _artifact(one),
                    "region": {"startLine": max(patch.line, 1)},
                },
                "logicalLocations": [{"fullyQualifiedName": patch.name, "kind": "function"}],
            }
        ],
        "partialFingerprints": {"codesuturePatch/v1": patch.id},
        "occurrenceCount": max(one.entry.hits, 1),
        "properties": {"state": one.state, "trial": one.trial.state},
    }
    if not one.reason and one.document is not None:
        made["fixes"] = [
            {
                "description": {"text": one.sentence},
                "artifactChanges": [
                    {
                        "artifactLocation": _artifact(one),
                        "replacements": [
                            _replacement(one, one.document.exact(edit))
                            for edit in sorted(one.document.edits, key=lambda edit: edit.order)
                        ],
                    }
                ],
            }
        ]
    return made


def _replacement(one: Suggestion, edit: Edit) -> dict[str, object]:
    assert one.document is not None
    text = one.document.exact_text
    first, column = _place(text, edit.start)
    last, end = _place(text, edit.end)
    return {
        "deletedRegion": {
            "startLine": first, "startColumn": column, "endLine": last, "endColumn": end,
        },
        "insertedContent": {"text": edit.text},
    }  # fmt: skip


def _place(text: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both from 1."""
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _artifact(one: Suggestion) -> dict[str, object]:
    path = one.shown_path
    if os.path.isabs(path):
        return {"uri": PurePath(path).as_uri()}
    return {"uri": quote(path.replace(os.sep, "/")), "uriBaseId": "PROJECT"}


def _folder(root: str) -> str:
    uri = PurePath(os.path.abspath(root)).as_uri()
    return uri if uri.endswith("/") else f"{uri}/"
