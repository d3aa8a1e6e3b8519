"""A bundle is judged as a device runs it, by numbers that are worked out by hand here."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny

from edgefn.evaluation import Judged, judge, kept_at_recall, same_arguments
from edgefn.rows import Row
from edgefn.selection import Selector

NAMES = {
    *("tool_accuracy", "exact_call", "in_scope_kept", "out_of_scope_recall", "accepted_accuracy"),
    *("auroc", "ece", "ece_all"),
}


def flags(text: str) -> np.ndarray:
    """Read "1 0 1" as true, false, true."""
    return np.array([each == "1" for each in text.split()], dtype=bool)


def judged(rows) -> Judged:
    return judge(tiny.encoder(), Selector(tiny.HEADS, tiny.calibration()), rows)


def test_all_right():
    found = judged(tiny.rows())
    assert found.in_scope.sum() == 6
    assert found.right.sum() == 6
    assert found.best[0] == "lamp_on"
    numbers = found.numbers(0.7, 0.25)
    assert numbers.keys() == NAMES
    perfect = NAMES - {"ece", "ece_all"}
    assert {name: numbers[name] for name in perfect} == dict.fromkeys(perfect, 1.0)
    assert 0 < numbers["ece"] < 0.1


def test_what_is_wrong_and_what_is_refused():
    rows = [
        Row("lamp on", "lamp_on"),  # right, accepted
        Row("lamp off", "lamp_on"),  # wrong, accepted
        Row("weather", "lamp_on"),  # refused
        Row("你好", "set_timer"),  # never reaches the engine
        Row("", None),  # nor does this
        Row("timer", None),  # accepted, though it belongs to no tool
    ]
    found = judged(rows)
    assert found.best[:2] == ("lamp_on", "lamp_off")
    assert found.best[3:5] == (None, None)
    assert found.probability[3] == found.probability[4] == 0
    assert found.in_scope.tolist() == [True, True, True, True, False, False]
    numbers = found.numbers(0.7, 0.25)
    assert numbers["in_scope_kept"] == 1 / 4
    assert numbers["out_of_scope_recall"] == 1 / 2
    assert numbers["accepted_accuracy"] == 1 / 3


def test_an_out_of_scope_row_is_never_right():
    assert not judged([Row("", None), Row("weather", None)]).right.any()


def test_the_numbers_by_hand():
    found = Judged(
        best=("a", "b", "a", "b", "a"),
        probability=np.array([0.9, 0.8, 0.3, 0.7, 0.1]),
        in_scope=flags("1 1 1 0 0"),
        right=flags("1 0 1 0 0"),
        exact=flags("1 0 0 0 0"),
    )
    numbers = found.numbers(0.7, 0.4)
    assert numbers["tool_accuracy"] == pytest.approx(2 / 3)
    assert numbers["exact_call"] == pytest.approx(1 / 3)
    assert numbers["in_scope_kept"] == pytest.approx(1 / 3)
    assert numbers["out_of_scope_recall"] == 0.5
    assert numbers["accepted_accuracy"] == pytest.approx(1 / 3)
    assert numbers["auroc"] == pytest.approx(5 / 6)
    assert numbers["ece"] == pytest.approx((0.1 + 0.8 + 0.7) / 3)
    assert numbers["ece_all"] == pytest.approx((0.1 + 0.8 + 0.7 + 0.7 + 0.1) / 5)
    other = found.numbers(0.7, 0.8)["ece_all"]
    assert other == pytest.approx((0.2 / 3) * 1.6 + (0.8 / 2) * 0.8)


def test_a_side_without_rows_is_not_a_number():
    inside = judged([Row("lamp on", "lamp_on")]).numbers(0.7, 0.25)
    assert math.isnan(inside["out_of_scope_recall"])
    assert math.isnan(inside["auroc"])
    outside = judged([Row("weather", None)]).numbers(0.7, 0.25)
    for name in ("tool_accuracy", "exact_call", "in_scope_kept", "ece", "accepted_accuracy", "auroc"):
        assert math.isnan(outside[name])
    assert outside["out_of_scope_recall"] == 1.0
    assert judged([]).numbers(0.7, 0.25).keys() == NAMES


def test_a_call_with_arguments_is_not_exact_without_them():
    found = judged([Row("set a timer", "set_timer", {"minutes": 5}), Row("lamp on", "lamp_on")])
    assert found.right.tolist() == [True, True]
    assert found.exact.tolist() == [False, True]


@pytest.mark.parametrize(
    ("said", "gold", "same"),
    [
        ({}, {}, True),
        ({"a": "New  York"}, {"a": "new york "}, True),
        ({"a": "STRASSE"}, {"a": "straße"}, True),
        ({"a": 5}, {"a": 5.0}, True),
        ({"a": [1, "B"]}, {"a": [1.0, "b"]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": True}, {"a": 1}, False),
        ({"a": False}, {"a": False}, True),
        ({"a": None}, {"a": 0}, False),
        ({"a": "5"}, {"a": 5}, False),
        ({"a": 1}, {}, False),
        ({}, {"a": None}, False),
        ({"a": 1}, {"b": 1}, False),
    ],
)
def test_same_arguments(said, gold, same):
    assert same_arguments(said, gold) is same
    assert same_arguments(gold, said) is same


def test_kept_at_recall():
    found = Judged(
        best=("a",) * 6,
        probability=np.array([0.9, 0.6, 0.4, 0.8, 0.5, 0.1]),
        in_scope=flags("1 1 1 0 0 0"),
        right=flags("1 1 1 0 0 0"),
        exact=flags("1 1 1 0 0 0"),
    )
    assert kept_at_recall(found, 0.0) == 1.0
    assert kept_at_recall(found, 1 / 3) == 1.0
    assert kept_at_recall(found, 0.5) == pytest.approx(2 / 3)
    assert kept_at_recall(found, 1.0) == pytest.approx(1 / 3)
    assert math.isnan(kept_at_recall(judged([Row("lamp on", "lamp_on")]), 0.9))


def test_a_threshold_of_zero_accepts_no_text_that_never_reached_the_engine():
    judged = judge(
        tiny.encoder(), Selector(tiny.HEADS, tiny.calibration()), [Row("lamp on", "lamp_on"), Row("请开灯", None)]
    )
    numbers = judged.numbers(0.0, 0.5)
    assert numbers["in_scope_kept"] == 1.0
    assert numbers["out_of_scope_recall"] == 1.0
