"""The flags of `codesuture run` on their way to the agent."""

from __future__ import annotations

from codesuture.cli.run import FLAGS
from codesuture.config.runflags import RUN_FLAGS, decode, encode, flags_of


def test_there_and_back() -> None:
    flags = {"verbose": "1", "dry_run": "1", "ttl": "0.5", "retries": "2"}
    assert decode(encode(flags)) == {"session": "run", **flags}
    assert decode(encode({"session": "watch", "ttl": "3"})) == {"session": "watch", "ttl": "3"}
    more = {"reruns": "2", "crashes": "0a,0b", "applied": "1", "healed": "7"}
    assert decode(encode({**flags, **more})) == {"session": "run", **flags, **more}
    assert flags_of(decode(encode({**flags, **more}))) == flags


def test_every_flag_gets_there() -> None:
    assert {flag.key for flag in FLAGS} == set(RUN_FLAGS)


def test_never_empty_and_never_confused() -> None:
    assert encode({})
    assert decode(encode({})) == {"session": "run"}
    assert decode("") == {}
    assert decode("ttl;=;mode=off;retries=4") == {"retries": "4"}
