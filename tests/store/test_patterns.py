"""Files of patterns may be anybody's: what is not exactly right is refused with a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from codesuture.defaults.recipe import Recipe
from codesuture.fingerprints import TRUSTED, Seen, confidence
from codesuture.store import StoreError
from codesuture.store.pattern import KnownPattern, encode_patterns, read_patterns

GOOD = {
    "pattern": "0123456789abcdef", "python": "3.13", "guard": "key_guard", "operation": "subscript",
    "exception": "KeyError", "default": {"kind": "constant", "value": ""}, "sites": 3, "failed": 0,
}  # fmt: skip


def document(**changes: object) -> str:
    return json.dumps({"format": 1, "patterns": [{**GOOD, **changes}]})


HOSTILE = {
    "": "not JSON",
    "[]": "not a JSON object",
    "[" * 100_000: "nested too deeply",
    '{"format": 1, "patterns": NaN}': "NaN",
    '{"format": 1, "format": 1, "patterns": []}': "same key twice",
    '{"format": 2, "patterns": []}': "format",
    '{"format": 1, "patterns": {}}': "not a list",
    '{"format": 1, "patterns": [1]}': "has not the fields",
    '{"format": 1, "patterns": [], "path": "../../etc"}': "unknown",
    json.dumps({"format": 1, "patterns": [GOOD] * 5001}): "at most 5000",
    document(sites=-1): "sites",
    document(sites=True): "sites",
    document(sites=1.5): "sites",
    document(sites=10**400): "sites",
    document(failed=10**7): "failed",
    document(pattern="../../../../etc"): "hexadecimal",
    document(pattern="0" * 15): "16 digits",
    document(guard=["x"]): "guard",
    document(guard="x" * 101): "longer",
    document(guard="\x1b[2J"): "control characters",
    document(exception=""): "empty",
    document(default={"kind": "code", "value": "import os"}): "default",
    document(default={"kind": "callable", "returns": {"kind": "callable"}, "extra": 1}): "default",
    document(more=1): "has not the fields",
}


@pytest.mark.parametrize("content", HOSTILE, ids=lambda text: text[:30])
def test_what_is_hostile_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "patterns.json"
    path.write_text(content)
    with pytest.raises(StoreError, match=HOSTILE[content]) as refused:
        read_patterns(str(path), foreign=True)
    assert "Traceback" not in str(refused.value) and len(str(refused.value)) < 400


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b" " * (4 * 1024 * 1024 + 1))
    (tmp_path / "open").write_text(document())
    (tmp_path / "open").chmod(0o666)
    for name, reason in [("pipe", "regular"), ("large", "larger"), (".", "regular"),
                         ("nul\0", "cannot be read")]:  # fmt: skip
        with pytest.raises(StoreError, match=reason):
            read_patterns(str(tmp_path / name), foreign=True)
    assert len(read_patterns(str(tmp_path / "open"), foreign=True)) == 1
    with pytest.raises(StoreError, match="every user can write"):
        read_patterns(str(tmp_path / "open"), foreign=False)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    known = KnownPattern.from_json(GOOD)
    (tmp_path / "file").write_bytes(encode_patterns([known, known]))
    (back,) = read_patterns(str(tmp_path / "file"), foreign=True)
    assert (back.key, back.sites) == (known.key, 6)
    other = KnownPattern.from_json({**GOOD, "default": Recipe.constant(0).to_json()})
    assert other.key != known.key


def test_confidence() -> None:
    """Wilson's lower bound: tables of statistics have these numbers."""
    assert confidence(0, 0) == 0
    assert confidence(3, 0) == pytest.approx(0.4385, abs=1e-4)
    assert confidence(8, 2) == pytest.approx(0.4902, abs=1e-4)
    assert confidence(2, 0) < TRUSTED <= confidence(3, 0)
    assert confidence(3, 1) < TRUSTED

    def known(sites: int, failed: int = 0) -> KnownPattern:
        return KnownPattern.from_json({**GOOD, "sites": sites, "failed": failed})

    def imported(sites: int, failed: int = 0) -> Seen:
        return Seen(None, known(sites, failed))

    assert imported(3).confidence < TRUSTED <= imported(6).confidence  # half as much
    # Nobody is believed for saying it loudly.
    assert imported(1_000_000).confidence == imported(10).confidence
    assert not imported(500_000, 500_000).is_trusted
    assert Seen(known(3), None).is_trusted and not Seen(known(9, 3), None).is_trusted
    assert Seen(known(18, 2), None).is_trusted and not Seen(known(17, 2), None).is_trusted
    assert not Seen(known(3), known(1, 9)).is_trusted
