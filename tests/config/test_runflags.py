"""The flags of `codesuture run` on their way to the agent."""

from __future__ import annotations

from codesuture.config.runflags import decode, encode


def test_there_and_back() -> None:
    flags = {"verbose": "1", "dry_run": "1", "ttl": "0.5", "retries": "2"}
    assert decode(encode(flags)) == flags
    assert decode(encode({"ttl": "3"})) == {"ttl": "3"}


def test_never_empty_and_never_confused() -> None:
    assert encode({})
    assert decode(encode({})) == {}
    assert decode("") == {}
    assert decode("ttl;=;mode=off;retries=4") == {"retries": "4"}
