"""One rule: what it says, and what it refuses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest

from edgefn.errors import PolicyError
from edgefn.policy.rule import FIELDS, Rate, Rule, Terms


def test_a_rule_says_nothing_at_first():
    assert Rule().said() == {}
    assert all(getattr(Rule(), name) is None for name in FIELDS)


def test_terms_have_the_fields_of_a_rule_in_order():
    assert tuple(each.name for each in fields(Terms)) == FIELDS


def test_over_takes_what_is_said_and_keeps_the_rest():
    mine, other = Rule(timeout=1.0, isolated=False, retries=0), Rule(timeout=9.0, isolated=True, action="deny")
    assert mine.over(other) == Rule(timeout=1.0, isolated=False, retries=0, action="deny")
    assert Rule().over(mine) == mine.over(Rule()) == mine


def test_numbers_have_one_form_and_lists_become_tuples():
    rule = Rule(timeout=5, threshold=np.float64(0.5), retries=2, roles=["staff"])
    assert type(rule.timeout) is type(rule.threshold) is float
    assert type(rule.retries) is int
    assert rule.roles == ("staff",)
    assert type(Rate(3, 60).seconds) is float
    assert hash(rule) == hash(Rule(timeout=5.0, threshold=0.5, retries=2, roles=("staff",)))


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("threshold", 0, 1),
        ("timeout", 0, 2_592_000),
        ("retries", 0, 10),
        ("backoff", 0, 3600),
        ("cache", 0, 2_592_000),
        ("concurrency", 0, 100_000),
    ],
)
def test_the_ends_of_a_range_belong_to_it(name, least, most):
    for value in (least, most):
        assert getattr(Rule(**{name: value}), name) == value
    for value in (least - 1, most + 1, float("nan"), float("inf"), -float("inf"), 10**400, True, "1", [1], {}):
        with pytest.raises(PolicyError, match=f"^{name} is ") as caught:
            Rule(**{name: value})
        assert f"from {least}" in caught.value.hint


@pytest.mark.parametrize("name", ["retries", "concurrency"])
def test_counts_are_whole(name):
    with pytest.raises(PolicyError, match="a whole number"):
        Rule(**{name: 1.0})


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ({"action": "ask"}, "confirm"),
        ({"action": ["run"]}, "confirm"),
        ({"action": True}, "confirm"),
        ({"roles": "staff"}, "a list of names"),  # a string is a sequence too: of letters
        ({"roles": {"staff"}}, "a list of names"),
        ({"roles": ["staff", 3]}, "a name"),
        ({"roles": [""]}, "a name"),
        ({"rate": 3}, "a Rate"),
        ({"rate": {"calls": 1, "seconds": 1}}, "a Rate"),
        ({"dry_run": 1}, "true or false"),
        ({"isolated": "yes"}, "true or false"),
    ],
)
def test_what_does_not_fit_is_named(said, names):
    (name,) = said
    with pytest.raises(PolicyError, match=f"^{name}") as caught:
        Rule(**said)
    assert names in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("calls", "seconds", "name"),
    [(0, 1.0, "calls"), (1.5, 1.0, "calls"), (True, 1.0, "calls"), (1, 0, "seconds"), (1, float("nan"), "seconds")],
)
def test_a_rate_needs_a_count_and_a_stretch(calls, seconds, name):
    with pytest.raises(PolicyError, match=f"^{name} is "):
        Rate(calls, seconds)


def test_nothing_can_be_changed():
    with pytest.raises(FrozenInstanceError):
        Rule().timeout = 3.0


def test_to_json_has_only_what_is_said():
    rule = Rule(roles=("staff",), rate=Rate(3, 60), dry_run=False)
    assert rule.to_json() == {"roles": ["staff"], "rate": {"calls": 3, "seconds": 60.0}, "dry_run": False}
