"""A bundle is judged as a device runs it, by numbers that are worked out by hand here."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import numpy as np
import pytest
import tiny

from edgefn.evaluation import (
    ArgumentCount,
    Judged,
    judge,
    kept_at_recall,
    kind_of_value,
    meant,
    now_of,
    same_arguments,
    whole_call_right,
)
from edgefn.rows import Row
from edgefn.schema import Range
from edgefn.tool import Tool

NAMES = {
    *("tool_accuracy", "exact_call", "slot_f1", "in_scope_kept", "out_of_scope_recall", "accepted_accuracy"),
    *("auroc", "ece", "ece_all"),
}


def flags(text: str) -> np.ndarray:
    """Read "1 0 1" as true, false, true."""
    return np.array([each == "1" for each in text.split()], dtype=bool)


def judged(rows) -> Judged:
    return judge(tiny.interpreter(), rows)


def answers(probability, in_scope, right, tool_right=None) -> Judged:
    """Return what a bundle answered, where only these matter."""
    nothing = ({},) * len(probability)
    tool_right = flags(right if tool_right is None else tool_right)
    best = ("a",) * len(probability)
    return Judged(best, nothing, np.array(probability), flags(in_scope), tool_right, flags(right), float("nan"), {}, {})


def test_all_right():
    found = judged(tiny.rows())
    assert found.in_scope.sum() == 6
    assert found.right.sum() == found.tool_right.sum() == 6
    assert found.best[0] == "lamp_on"
    assert found.arguments == ({},) * 8
    numbers = found.numbers(0.7, 0.25)
    assert numbers.keys() == NAMES
    assert math.isnan(numbers["slot_f1"])
    perfect = NAMES - {"ece", "ece_all", "slot_f1"}
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
    found = judged([Row("", None), Row("weather", None), Row("timer", None)])
    assert not found.right.any()
    assert not found.tool_right.any()


def test_the_numbers_by_hand():
    found = answers([0.9, 0.8, 0.3, 0.7, 0.1], in_scope="1 1 1 0 0", right="1 0 1 0 0", tool_right="1 1 1 0 0")
    numbers = found.numbers(0.7, 0.4)
    assert numbers["tool_accuracy"] == 1.0
    assert numbers["exact_call"] == pytest.approx(2 / 3)
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
    for name in ("tool_accuracy", "exact_call", "slot_f1", "in_scope_kept", "ece", "accepted_accuracy", "auroc"):
        assert math.isnan(outside[name])
    assert outside["out_of_scope_recall"] == 1.0
    assert judged([]).numbers(0.7, 0.25).keys() == NAMES


def test_a_call_with_arguments_is_not_exact_without_them():
    found = judged([Row("set a timer", "set_timer", {"minutes": 5}), Row("lamp on", "lamp_on")])
    assert found.tool_right.tolist() == [True, True]
    assert found.right.tolist() == [False, True]
    numbers = found.numbers(0.7, 0.0)
    assert (numbers["tool_accuracy"], numbers["exact_call"], numbers["in_scope_kept"]) == (1.0, 0.5, 0.5)
    assert numbers["accepted_accuracy"] == 0.5  # an accepted call with a wrong argument is a wrong call


def test_arguments_of_a_row_are_compared_with_those_of_the_best_tool():
    rows = [
        Row("set a timer ten minutes", "set_timer", {"minutes": 10}),
        Row("set a timer ten minutes", "set_timer", {"minutes": 10.0, "label": "timer"}),  # the default
        Row("pasta water timer five", "set_timer", {"minutes": 5, "label": " Pasta  WATER"}),
        Row("pasta timer five", "set_timer", {"minutes": 5}),
        Row("loud timer five", "set_timer", {"minutes": 5, "loud": True}),
        Row("quiet timer five", "set_timer", {"minutes": 5}),  # quiet is the default
        Row("timer zero", "set_timer", {}),  # said, and fits nowhere
    ]
    found = judge(tiny.interpreter(tools=with_defaults()), rows)
    assert found.tool_right.all()
    assert found.right.tolist() == [True, True, True, False, True, True, False]
    assert found.arguments[2] == {"minutes": 5, "label": "pasta water"}
    assert found.by_parameter == {
        "minutes": ArgumentCount(6, 6),
        "label": ArgumentCount(1, 2),
        "loud": ArgumentCount(1, 1),
    }
    assert found.by_kind == {
        "integer": ArgumentCount(6, 6),
        "string": ArgumentCount(1, 2),
        "choice": ArgumentCount(1, 1),
    }


def test_arguments_are_counted_where_the_tool_is_right():
    found = judged([Row("lamp on", "set_timer", {"minutes": 5}), Row("timer five", None)])
    assert not found.tool_right.any()
    assert found.by_parameter == found.by_kind == {}


@pytest.mark.parametrize(
    ("spans", "f1"),
    [
        (((6, 10, "minutes"), (11, 22, "label")), 1.0),
        (((6, 10, "minutes"), (11, 16, "label")), 0.5),  # one of two found, one of two right
        (((6, 10, "minutes"),), 2 / 3),
        (((6, 10, "label"), (11, 22, "minutes")), 0.0),
        ((), 0.0),
    ],
)
def test_spans_are_right_only_as_a_whole_and_with_their_parameter(spans, f1):
    found = judged([Row("set a five pasta water timer", "set_timer", {}, spans), Row("pasta", None)])
    assert found.slot_f1 == pytest.approx(f1)


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
    found = answers([0.9, 0.6, 0.4, 0.8, 0.5, 0.1], in_scope="1 1 1 0 0 0", right="1 1 1 0 0 0")
    assert kept_at_recall(found, 0.0) == 1.0
    assert kept_at_recall(found, 1 / 3) == 1.0
    assert kept_at_recall(found, 0.5) == pytest.approx(2 / 3)
    assert kept_at_recall(found, 1.0) == pytest.approx(1 / 3)
    assert math.isnan(kept_at_recall(judged([Row("lamp on", "lamp_on")]), 0.9))


def test_a_threshold_of_zero_accepts_no_text_that_never_reached_the_engine():
    numbers = judged([Row("lamp on", "lamp_on"), Row("请开灯", None)]).numbers(0.0, 0.5)
    assert numbers["in_scope_kept"] == 1.0
    assert numbers["out_of_scope_recall"] == 1.0


# What makes two calls the same


def with_defaults() -> tuple:
    """The tools of the tiny bundle, their defaults in the schema, as training writes them."""
    *lamps, timer = tiny.manifest().tools
    schema = json.loads(json.dumps(timer.parameters))
    schema["properties"]["label"]["default"], schema["properties"]["loud"]["default"] = "timer", False
    return (*lamps, dataclasses.replace(timer, parameters=schema))


def visit(
    day: date,
    rooms: list[str],
    stay: timedelta = timedelta(minutes=30),
    people: Annotated[int, Range(ge=1)] = 1,
    way: Literal["stairs", "lift"] = "lift",
    note: str | None = None,
) -> None:
    """Plan a visit.

    Args:
        day: which day.
        rooms: which rooms to see.
        stay: how long.
        people: how many come.
        way: how to go up.
        note: what else there is to know.
    """


TYPED = Tool.from_function(visit)
DEFAULTS = {"stay": "PT30M", "people": 1, "way": "lift"}
SCHEMA = json.loads(json.dumps(dict(TYPED.schema)))
for _name, _value in DEFAULTS.items():
    SCHEMA["properties"][_name]["default"] = _value
KNOWN = Tool.select_only("visit", "Plan a visit.", SCHEMA)


@pytest.mark.parametrize("tool", [TYPED, KNOWN], ids=["signature", "schema"])
@pytest.mark.parametrize(
    ("said", "gold", "same"),
    [
        ({"day": "2026-11-18"}, {"day": "2026-11-18"}, True),
        ({"stay": "PT30M"}, {}, True),
        ({"stay": "PT1800S"}, {}, True),
        ({"stay": "PT2H"}, {"stay": "PT120M"}, True),
        ({"stay": "PT2H"}, {}, False),
        ({"people": 1.0}, {}, True),
        ({"people": 2}, {"people": 2.0}, True),
        ({"way": "lift"}, {}, True),
        ({"way": "stairs"}, {}, False),
        ({"rooms": ["hall"]}, {"rooms": "Hall"}, True),
        ({"rooms": ["hall", "attic"]}, {"rooms": ["attic", "hall"]}, False),
        ({"stay": "soon"}, {"stay": "soon"}, True),  # what cannot be read is compared as it stands
        ({"stay": 5}, {"stay": "PT5M"}, False),
        ({"odd": 1}, {}, False),
        ({"note": "x"}, {}, False),
    ],
)
def test_what_does_the_same_is_the_same(tool, said, gold, same):
    row = Row("", "visit")
    assert same_arguments(meant(tool, said, row), meant(tool, gold, row)) is same


def test_what_is_known_beside_the_utterance_need_not_be_said():
    row = Row("", "visit", context={"rooms": ["hall"], "now": "2026-11-18T10:30", "people": 1})
    assert meant(KNOWN, {}, row) == {"rooms": ["hall"]}
    assert meant(KNOWN, {"rooms": ["attic"]}, row) == {"rooms": ["attic"]}


def test_the_row_says_when_it_was_said():
    assert now_of(Row("", None, context={"now": "2026-11-18T10:30"})) == datetime(2026, 11, 18, 10, 30)
    for context in (None, {}, {"now": 5}):
        assert abs(now_of(Row("", None, context=context)) - datetime.now()) < timedelta(minutes=5)


def test_a_text_that_never_reached_the_engine_is_no_right_call():
    assert not whole_call_right(Row("", "lamp_on"), None)
    assert not whole_call_right(Row("", None), None)


def test_kinds_of_values():
    kinds = {each.name: kind_of_value(each) for each in TYPED.parameters}
    assert kinds == {
        **{"day": "date", "rooms": "list", "stay": "duration"},
        **{"people": "integer", "way": "choice", "note": "string"},
    }
    (dish,) = Tool.from_function(tiny.guide_functions()[0][0]).parameters
    assert kind_of_value(dish) == "name"
    trained = tiny.guide_manifest().tools[-1]
    (dish,) = Tool.select_only(trained.name, trained.description, trained.parameters).parameters
    assert kind_of_value(dish) == "name"
