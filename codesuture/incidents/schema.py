"""The JSON Schema of a record, which is shipped beside this module."""

from __future__ import annotations

SCHEMA_ID = "urn:codesuture:incident:1"


def schema_text() -> str:
    """The schema, as JSON."""
    from importlib.resources import files

    return files(__package__).joinpath("schema.json").read_text(encoding="utf-8")
