"""Every built-in guard has advice of its own."""

from __future__ import annotations

from codesuture.cli.advice import advice_for
from codesuture.guards.names import BUILT_IN


def test_every_guard_has_its_own_advice() -> None:
    sentences = {advice_for(name, "profile.bio") for name in BUILT_IN}
    others = advice_for("third_guard", "profile.bio")
    assert others not in sentences
    assert all("`profile.bio`" in sentence for sentence in {others, *sentences})
    # A target is somebody's source text: braces in it are no placeholders.
    assert "`{x}`" in advice_for("null_guard", "{x}")
    assert "the value" in advice_for("division_guard", "")
