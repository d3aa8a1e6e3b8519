"""Outcomes are frozen, comparable, and JSON whatever a tool returned."""

from __future__ import annotations

import dataclasses
import enum
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import EdgefnError, ToolFailed
from edgefn.outcome import (
    Abstained,
    Done,
    Evidence,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Pending,
    Ranked,
    Several,
    ToolCall,
    call_text,
    outcome_to_json,
)

EVIDENCE = Evidence("minutes", 6, 10, "five", 0.8, "number", "a whole number, at least 1")
CALL = ToolCall("set_timer", {"minutes": 5}, 0.9, (EVIDENCE,))
PENDING = Pending("sha256:00", "set_timer", {"label": "Käse"}, 0.9, "minutes", 1e9)


class Colour(enum.Enum):
    """A colour."""

    RED = "red"


class Unshowable:
    """Neither str nor repr works."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


def plain(value: object) -> dict:
    """Return the JSON of `value` as another program reads it."""
    text = json.dumps(outcome_to_json(Done(CALL, value)), ensure_ascii=False, allow_nan=False)
    return json.loads(text.encode())["value"]


def looped() -> list:
    ring: list = []
    ring.append(ring)
    return ring


def nested() -> list:
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    return deep


# Every kind


def test_every_kind_as_json():
    evidence = {
        "parameter": "minutes",
        "start": 6,
        "end": 10,
        "text": "five",
        "score": 0.8,
        "normaliser": "number",
        "validator": "a whole number, at least 1",
        "problem": "",
    }
    head = {"tool": "set_timer", "arguments": {"minutes": 5}, "probability": 0.9, "evidence": [evidence]}
    abstained = Abstained("unsure", None, 0.4, (Ranked("lamp_on", 0.4), Ranked("lamp_off", 0.1)))
    ranking = [{"tool": "lamp_on", "probability": 0.4}, {"tool": "lamp_off", "probability": 0.1}]
    error = ToolFailed("it broke", hint="mend it")
    expected = [
        (Done(CALL, [1, "a"]), {"outcome": "done", **head, "value": [1, "a"]}),
        (
            abstained,
            {"outcome": "abstained", "reason": "unsure", "tool": None, "probability": 0.4, "ranking": ranking},
        ),
        (
            NeedsArgument(CALL, "minutes", "How many?", PENDING),
            {
                "outcome": "needs_argument",
                **head,
                "parameter": "minutes",
                "question": "How many?",
                "problem": "",
                "pending": PENDING.to_json(),
            },
        ),
        (
            NeedsArgument(CALL, "minutes", "How many?", PENDING, "0 does not fit"),
            {
                "outcome": "needs_argument",
                **head,
                "parameter": "minutes",
                "question": "How many?",
                "problem": "0 does not fit",
                "pending": PENDING.to_json(),
            },
        ),
        (
            NeedsConfirmation(CALL, "Sure?", PENDING),
            {
                "outcome": "needs_confirmation",
                **head,
                "description": "",
                "question": "Sure?",
                "pending": PENDING.to_json(),
            },
        ),
        (
            Failed(CALL, error),
            {
                "outcome": "failed",
                **head,
                "error": {"kind": "ToolFailed", "message": "it broke", "hint": "mend it"},
            },
        ),
    ]
    for outcome, form in expected:
        assert outcome_to_json(outcome) == form
        json.dumps(form, allow_nan=False)
    several = Several(tuple(outcome for outcome, _ in expected))
    assert outcome_to_json(several) == {"outcome": "several", "outcomes": [form for _, form in expected]}
    assert outcome_to_json(Several()) == {"outcome": "several", "outcomes": []}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        ((1, 2), [1, 2]),
        (timedelta(minutes=1), "PT1M"),
        ({"on": date(2026, 1, 2)}, {"on": "2026-01-02"}),
        ({1: "a"}, {"1": "a"}),
        (Colour.RED, "red"),
        (float("nan"), "NaN"),
        ([float("inf"), -float("inf")], ["Infinity", "-Infinity"]),
        ("half \ud800", "half ?"),
        ({"\udfff": 1}, {"?": 1}),
        (b"bytes", "b'bytes'"),
        ({(1, 2): 3}, "<dict>"),
        (Unshowable(), "<Unshowable>"),
        ([Unshowable()], "<list>"),
        (looped(), "<list>"),
        (nested(), "<list>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_json_cannot_show(value, shown):
    assert plain(value) == shown


def test_arguments_that_json_cannot_show():
    call = ToolCall("set_timer", {"length": timedelta(minutes=1), "odd": Unshowable()}, 0.5)
    assert call.to_json()["arguments"] == {"length": "PT1M", "odd": "<Unshowable>"}


def test_frozen_and_comparable():
    for outcome in (CALL, PENDING, Done(CALL, 1), Abstained("empty"), Several(), Ranked("a", 1.0), CALL.evidence[0]):
        name = dataclasses.fields(outcome)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(outcome, name, "changed")
        assert outcome == dataclasses.replace(outcome)
        assert not hasattr(outcome, "__dict__")


def test_a_call_in_one_line():
    assert call_text("set_timer", {"minutes": 5, "label": "tea"}) == "set_timer(label='tea', minutes=5)"
    assert call_text("lamp_on", {}) == "lamp_on()"


# Pending calls

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.text(), st.text(), st.dictionaries(st.text(), json_values, max_size=3), st.none() | st.text())
def test_pending_round_trip(bundle_id, tool, arguments, missing):
    pending = Pending(bundle_id, tool, arguments, 0.25, missing, 1e9)
    text = pending.to_json()
    assert "\n" not in text
    assert Pending.from_json(text) == pending


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "null",
        "[]",
        "7",
        "{}",
        '"text"',
        "[" * 100_000,
        PENDING.to_json()[:-5],
        None,
        5,
    ],
    ids=lambda value: repr(value)[:12],
)
def test_what_is_no_pending_call(text):
    with pytest.raises(EdgefnError, match="this is not a pending call") as caught:
        Pending.from_json(text)
    assert "Pending.to_json()" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("bundle_id", None),
        ("tool", ["lamp_on"]),
        ("tool", None),
        ("arguments", None),
        ("arguments", [1]),
        ("probability", "high"),
        ("probability", True),
        ("missing", 5),
        ("expires", "never"),
        ("expires", None),
        ("expires", float("nan")),
        ("expires", float("inf")),
    ],
)
def test_pending_call_with_a_field_that_does_not_fit(name, value):
    text = json.dumps({**json.loads(PENDING.to_json()), name: value})
    with pytest.raises(EdgefnError, match="this is not a pending call"):
        Pending.from_json(text)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Pending)])
def test_pending_call_without_a_field(name):
    fields = json.loads(PENDING.to_json())
    del fields[name]
    with pytest.raises(EdgefnError, match=name):
        Pending.from_json(json.dumps(fields))
