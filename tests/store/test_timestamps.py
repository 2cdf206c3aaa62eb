"""Moments as text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codesuture.store.timestamps import from_text, to_text

MOMENTS = st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, MOMENTS)
def test_round_trip_and_order(one: datetime, other: datetime) -> None:
    one, other = one.replace(microsecond=0), other.replace(microsecond=0)
    assert from_text(to_text(one)) == one
    assert (to_text(one) < to_text(other)) == (one < other)


@given(MOMENTS.map(to_text) | st.text(), st.integers(0, 19), st.sampled_from("0123456789-:TZW+ "))
def test_only_one_form_is_read(text: str, place: int, char: str) -> None:
    text = text[:place] + char + text[place + 1 :]
    try:
        moment = from_text(text)
    except ValueError as error:
        assert "moment such as" in str(error)
    else:
        assert to_text(moment) == text


@pytest.mark.parametrize(
    "text",
    ["2025-01-31", "2025-01-31T12:00:00", "2025-01-31T12:00:00+00:00", "20250131T120000Z",
     "2025-02-31T12:00:00Z", "2025-W05-5T12:00:00Z", "0001-01-01T00:00:00+23:59"],
)  # fmt: skip
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="moment such as"):
        from_text(text)
