"""Patches as data: identity, JSON, and everything that is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codesuture.defaults.recipe import Recipe
from codesuture.store import Patch, StoreError
from codesuture.store.history import MOST_EVENTS, Event
from codesuture.store.patch import KEYS, LENGTHS, OPTIONAL

MakePatch = Callable[..., Patch]


def test_json_round_trip(make_patch: MakePatch) -> None:
    patch = make_patch(
        default=Recipe.callable(Recipe.empty("list")), library="p.py:3 in f (p 1)", pinned=True
    )
    document = patch.to_json()
    fields = {field.name for field in dataclasses.fields(Patch)} - {"unknown"}
    assert fields | {"format"} == KEYS | OPTIONAL.keys()
    assert fields >= set(document) - {"format"} >= KEYS - {"format"}
    assert Patch.from_json(json.loads(json.dumps(document))) == patch


def test_identity_depends_on_the_site_and_the_guard_only(make_patch: MakePatch) -> None:
    patch = make_patch()
    site = {
        "module": "other",
        "qualname": "other",
        "fingerprint": "ff" * 16,
        "ordinal": 2,
        "guard": "key_guard",
    }
    ids = {make_patch(**{key: value}).id for key, value in site.items()}
    assert len(ids | {patch.id}) == 6
    assert make_patch(line=99, message="other", python="3.14").id == patch.id
    assert patch.id == Patch.identify("app", "get_bio", patch.fingerprint, 1, "null_guard")
    assert len(patch.id) == 12
    assert int(patch.id, 16) >= 0
    # Where one field ends and the next begins counts.
    assert Patch.identify("a", "bc", "", 0, "") != Patch.identify("ab", "c", "", 0, "")


def test_name(make_patch: MakePatch) -> None:
    assert make_patch(module="pkg.mod", qualname="C.f").name == "pkg.mod:C.f"


def test_expiry(make_patch: MakePatch, now: datetime) -> None:
    patch = make_patch(expires=now + timedelta(days=7))
    assert patch.created == "2025-01-31T12:00:00Z"
    assert patch.expires == "2025-02-07T12:00:00Z"
    assert not patch.is_expired(now)
    assert not patch.is_expired(now + timedelta(days=7, seconds=-1))
    assert patch.is_expired(now + timedelta(days=7))
    elsewhere = timezone(timedelta(hours=5))
    assert patch.is_expired((now + timedelta(days=7)).astimezone(elsewhere))
    assert not patch.is_expired((now + timedelta(days=6, hours=23)).astimezone(elsewhere))


def test_a_moment_without_a_time_zone_is_refused(make_patch: MakePatch) -> None:
    with pytest.raises(ValueError, match="time zone"):
        make_patch(created=datetime(2025, 1, 1))


def test_create_makes_prose_fit(make_patch: MakePatch) -> None:
    patch = make_patch(message="\x1b[31m" + "x" * 5000, reason="a\nb")
    assert patch.message.startswith("\\x1b[31mxxx")
    assert len(patch.message) == 200
    assert patch.reason == "a\\x0ab"
    assert Patch.from_json(patch.to_json()) == patch


@pytest.mark.parametrize("field", sorted({*KEYS, "library", "learned", "history"}))
def test_every_field_must_be_there_and_of_its_type(field: str, make_patch: MakePatch) -> None:
    document = make_patch(library="p.py:3 in f (p 1)", learned="When it reached it.").to_json()
    wrongs: list[object] = [None, 1.5, True, [1], {}, -1]
    for wrong in wrongs:
        with pytest.raises(StoreError, match=rf"the field {field}\b"):
            Patch.from_json(document | {field: wrong})
    del document[field]
    if field in OPTIONAL:  # not every patch has it
        assert getattr(Patch.from_json(document), field) == OPTIONAL[field].absent
        return
    with pytest.raises(StoreError, match=rf"the field {field}\b"):
        Patch.from_json(document)


def test_fields_that_most_patches_do_without_are_not_in_the_file(make_patch: MakePatch) -> None:
    document = make_patch(history=()).to_json()
    assert set(document) == KEYS
    assert Patch.from_json(document) == make_patch(history=())


@pytest.mark.parametrize(
    ("field", "wrong", "reason"),
    [
        ("format", 2, "only format"),
        ("format", "1", "only format"),
        ("ordinal", 2**40, "integer from 0"),
        ("line", -1, "integer from 0"),
        ("id", "0" * 12, "does not belong"),
        ("id", "../../../abc", "hexadecimal"),
        ("id", "ABCDEF012345", "hexadecimal"),
        ("module", "", "empty"),
        ("fingerprint", "xyz", "hexadecimal"),
        ("rung", "luck", "possible: configured"),
        ("state", "asleep", "possible: detected"),
        ("pinned", 1, "not true or false"),
        ("history", [{"state": "fixed", "at": "now", "by": "a"}], "moment"),
        ("history", [{"state": "asleep", "at": "2025-01-31T12:00:00Z", "by": "a"}], "possible"),
        ("history", [{"state": "fixed", "at": "2025-01-31T12:00:00Z"}], "no event"),
        ("history", [{"state": "fixed", "at": "2025-01-31T12:00:00Z", "by": ""}], "empty"),
        ("history", [{"state": "fixed", "at": "2025-01-31T12:00:00Z", "by": "\x1b"}], "control"),
        ("history", [{}] * 21, "at most 20"),
        ("created", "2025-01-31 12:00:00Z", "moment"),
        ("created", "2025-W05-5T12:00:00Z", "moment"),
        ("expires", "2025-02-31T12:00:00Z", "moment"),
        ("expires", "yesterday", "moment"),
        ("target", "\x1b]0;gotcha\x07", "control characters"),
        ("qualname", "f\n", "control characters"),
        ("message", "\x9b31m", "control characters"),
        ("default", {"kind": "pickle"}, "kinds: constant"),
        ("default", {"kind": "constant", "value": float("nan")}, "finite"),
    ],
)
def test_wrong_values(field: str, wrong: object, reason: str, make_patch: MakePatch) -> None:
    with pytest.raises(StoreError, match=reason) as caught:
        Patch.from_json(make_patch().to_json() | {field: wrong})
    assert f"the field {field}" in str(caught.value)


def test_the_id_belongs_to_the_site(make_patch: MakePatch) -> None:
    other = {"module": "m", "qualname": "q", "fingerprint": "ff", "ordinal": 9, "guard": "g"}
    for field, value in other.items():
        with pytest.raises(StoreError, match="the field id does not belong"):
            Patch.from_json(make_patch().to_json() | {field: value})


@pytest.mark.parametrize("field", sorted(LENGTHS))
def test_texts_are_bounded(field: str, make_patch: MakePatch) -> None:
    with pytest.raises(StoreError, match=f"the field {field} is longer than {LENGTHS[field]}"):
        Patch.from_json(make_patch().to_json() | {field: "a" * (LENGTHS[field] + 1)})


def test_unknown_fields_are_refused(make_patch: MakePatch) -> None:
    with pytest.raises(StoreError, match="the field code is unknown"):
        Patch.from_json(make_patch().to_json() | {"code": "import os"})
    with pytest.raises(StoreError, match=r"the field \\x1bx+\.\.\. is unknown"):
        Patch.from_json(make_patch().to_json() | {"\x1b" + "x" * 500: 1})
    others: list[object] = [None, [], "patch", 1]
    for document in others:
        with pytest.raises(StoreError, match="not a JSON object"):
            Patch.from_json(document)


def test_fields_of_newer_versions_are_kept(make_patch: MakePatch, now: datetime) -> None:
    document = make_patch().to_json() | {"codesuture": "99.1", "colour": {"red": [1]}}
    patch = Patch.from_json(document)
    assert patch.to_json() == document
    after = patch.advanced("reviewed", now, "ada").to_json()
    assert (after["colour"], after["codesuture"]) == ({"red": [1]}, "99.1")
    for version in ("0.0.9", "0.1.0", "9.x", "", "1" * 40):
        with pytest.raises(StoreError):
            Patch.from_json(document | {"codesuture": version})


def test_what_an_older_version_called_active_is_persisted(make_patch: MakePatch) -> None:
    document = make_patch(history=()).to_json()
    assert Patch.from_json(document | {"state": "active"}) == make_patch(history=())


def test_history(make_patch: MakePatch, now: datetime) -> None:
    patch = make_patch(state="detected")
    assert patch.history == (Event("detected", "2025-01-31T12:00:00Z", "codesuture"),)
    later = patch.advanced("reviewed", now + timedelta(days=1), "ada\x1b", "x" * 999, pinned=True)
    assert (later.state, later.pinned, later.history[0]) == ("reviewed", True, patch.history[0])
    assert later.history[1].at == "2025-02-01T12:00:00Z"
    assert (later.history[1].by, len(later.history[1].note)) == ("ada\\x1b", 300)
    assert Patch.from_json(later.to_json()) == later
    assert not later.is_expired(now + timedelta(days=4000))  # it is pinned


def test_history_is_bounded(make_patch: MakePatch, now: datetime) -> None:
    patch = make_patch(state="detected")
    for day in range(30):
        patch = patch.advanced("persisted", now, note=str(day))
    assert len(patch.history) == MOST_EVENTS
    assert [patch.history[0].state, patch.history[-1].note] == ["detected", "29"]
    assert Patch.from_json(patch.to_json()) == patch


@pytest.mark.parametrize("state", ["detected", "persisted", "reviewed", "fixed"])
def test_states_that_heal(state: str, make_patch: MakePatch) -> None:
    assert make_patch(state=state).is_applied


@pytest.mark.parametrize("state", ["rejected", "withdrawn", "disarmed"])
def test_states_that_do_not(state: str, make_patch: MakePatch) -> None:
    assert not make_patch(state=state).is_applied


def test_create_wants_exactly_the_fields(make_patch: MakePatch) -> None:
    with pytest.raises(TypeError):
        make_patch(colour="red")


_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(KEYS)), value=_JSON)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_is_read_back_as_it_was_or_refused(
    field: str, value: object, make_patch: MakePatch
) -> None:
    document = make_patch().to_json() | {field: value}
    try:
        patch = Patch.from_json(document)
    except StoreError as error:
        assert field in str(error) or "id" in str(error)
    else:
        assert patch.to_json() == document


def test_created_is_in_utc(make_patch: MakePatch) -> None:
    plus_two = datetime(2025, 6, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert make_patch(created=plus_two).created == "2025-05-31T23:30:00Z"
    assert make_patch(created=plus_two.astimezone(UTC)).created == "2025-05-31T23:30:00Z"
