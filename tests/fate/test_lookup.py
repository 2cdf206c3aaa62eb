"""Attributes as they are found without running the program's code, again and again."""

from __future__ import annotations

import pytest

from codesuture.fate.lookup import MISSING, attribute, instance_dict


class Loud(type):
    """A metaclass with a hash of its own: it may not be asked."""

    def __hash__(cls):
        raise AssertionError("the program's code ran")


class Plain:
    limit = None

    def method(self):
        return self


class Below(Plain):
    pass


def test_what_changes_is_seen_at_once():
    """The class, a base and the instance: each time the answer is what Python itself would give."""
    one = Below()
    for _ in range(2):
        assert attribute(one, "limit") is None
        assert attribute(one, "method") == one.method
        assert attribute(one, "nothing") is MISSING
    one.limit = 3
    assert attribute(one, "limit") == 3
    del one.limit
    try:
        Plain.limit = "other"
        assert attribute(one, "limit") == "other"
        Below.method = other = lambda self: None
        assert attribute(one, "method").__func__ is other
        one.method = "own"
        assert attribute(one, "method") == "own"
        Plain.nothing = 1
        assert attribute(one, "nothing") == 1
    finally:
        Plain.limit = None
        del Below.method, Plain.nothing
    assert attribute(one, "limit") is None and attribute(one, "nothing") is MISSING


def test_what_becomes_a_property_is_not_run():
    class Changing:
        value = None

    one = Changing()
    assert attribute(one, "value") is None
    Changing.value = property(lambda self: pytest.fail("the program's code ran"))
    assert attribute(one, "value") is MISSING
    one.__dict__["value"] = 1
    assert attribute(one, "value") is MISSING


def test_namespaces_that_are_no_plain_dicts():
    class Own(dict):
        def __contains__(self, name):
            raise AssertionError("the program's code ran")

        __getitem__ = __contains__

    one = Plain()
    assert attribute(one, "limit") is None
    one.__dict__ = Own(limit=1)
    assert attribute(one, "limit") in (None, MISSING)


def test_classes_with_a_hash_of_their_own():
    class Odd(metaclass=Loud):
        def __init__(self):
            self.name = 1

    assert attribute(Odd(), "name") == 1
    assert instance_dict(Odd()) == {"name": 1}
    assert attribute(Odd, "__module__") == __name__
