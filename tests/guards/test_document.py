"""docs/guards.md is what the guards say of themselves."""

from __future__ import annotations

from codesuture.guards.document import PATH, document
from codesuture.guards.registry import built_in


def test_the_document_is_up_to_date():
    assert PATH.read_text(encoding="utf-8") == document(), (
        "run python -m codesuture.guards.document"
    )


def test_every_guard_describes_itself():
    text = document()
    for guard in built_in():
        assert f"| `{guard.name}` |" in text
        assert guard.meaning.endswith(".")
        assert guard.examples
        assert guard.operations
        assert guard.exceptions
