"""A confirmation is taken once, in time, and only of what was asked."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn import Pending
from edgefn.errors import EdgefnError
from edgefn.pending import PENDING_SECONDS, Asked


class Clock:
    now = 50.0

    def __call__(self) -> float:
        return self.now


def pending(number: str = "a", **changed) -> Pending:
    known = {"bundle_id": "b", "tool": "restart", "arguments": {"when": "now"}, "probability": 0.9, "missing": None}
    return Pending(**{**known, "expires": 0.0, "id": number, **changed})


def test_once():
    asked = Asked()
    asked.add(pending())
    assert asked.holds(pending())
    assert asked.take(pending())
    assert not asked.holds(pending())
    assert not asked.take(pending())


@pytest.mark.parametrize("change", [{"tool": "stop"}, {"arguments": {}}, {"arguments": {"when": "later"}}, {"id": "b"}])
def test_only_what_was_asked(change):
    asked = Asked()
    asked.add(pending())
    assert not asked.take(dataclasses.replace(pending(), **change))
    assert asked.take(pending())


def test_in_time():
    clock = Clock()
    asked = Asked(clock)
    asked.add(pending())
    clock.now += PENDING_SECONDS - 1
    assert asked.holds(pending())
    clock.now += 2
    assert not asked.take(pending())


@given(st.integers(1000, 1100))
def test_it_is_bounded(count):
    asked = Asked()
    for number in range(count):
        asked.add(pending(str(number)))
    assert len(asked._asked) <= 1000
    assert asked.take(pending(str(count - 1)))


def test_the_number_travels_in_the_json():
    assert Pending.from_json(pending("77").to_json()) == pending("77")
    with pytest.raises(EdgefnError):
        Pending.from_json(pending("77").to_json().replace('"77"', "77"))
