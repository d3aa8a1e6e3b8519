"""A tool's own threshold: down to its least sure example, above what lets another tool's in, never below a floor."""

from __future__ import annotations

import pytest
import tiny

from edgefn.added.table import Table
from edgefn.added.thresholds import FLOOR, LEAST_EXAMPLES, with_thresholds
from edgefn.selection import Selector

EMPTY = Table(trained=tiny.HEADS.tools, scale=tiny.HEADS.scale, bias=0.0, example_bias=0.0)
SURE = ["spin the fan", "fan please", "the fan"]
FAR = "fan on"  # half of it asks for the lamp


@pytest.fixture(scope="module")
def maker():
    return tiny.row_maker()


@pytest.fixture(scope="module")
def selector() -> Selector:
    return Selector(tiny.HEADS, tiny.calibration(), tiny.added_calibration(threshold=0.9))


def judged(maker, selector, examples, *others):
    new = maker.rows(tiny.described("fan", "Spin the fan."), examples)
    table = EMPTY.with_tools([new, *others])
    return with_thresholds(table, [new], selector)


def test_examples_that_are_sure_leave_the_threshold_alone(maker, selector):
    assert judged(maker, selector, SURE).added["fan"].threshold is None


def test_too_few_examples_say_nothing(maker, selector):
    assert LEAST_EXAMPLES == 3
    assert judged(maker, selector, [FAR, "on fan"]).added["fan"].threshold is None


def test_an_example_that_would_be_turned_away_lowers_the_threshold(maker, selector):
    threshold = judged(maker, selector, [*SURE, FAR]).added["fan"].threshold
    assert FLOOR < threshold < 0.9


def test_not_below_the_floor(maker, selector):
    assert judged(maker, selector, [*SURE, "lamp on"]).added["fan"].threshold == FLOOR


def test_an_example_of_another_tool_is_not_let_in(maker, selector):
    other = "fan on gate gate"  # half of it asks for the fan, and door is what it should call
    alone = judged(maker, selector, [*SURE, FAR]).added["fan"].threshold
    rival = maker.rows(tiny.described("door", "The door."), ["the door", "door", other])
    table = judged(maker, selector, [*SURE, FAR], rival)
    log_p = selector.added_log_p(table.logits(maker.scores(other, "door")), table.names.index("fan"))
    asked = selector.added_probability(log_p, table.count)
    assert alone < asked < table.added["fan"].threshold < 0.9


def test_only_the_new_ones_are_judged(maker, selector):
    old = maker.rows(tiny.described("door", "The door."), ["door", "the door", "door on"])
    table = judged(maker, selector, [*SURE, FAR], old)
    assert table.added["door"] is old
