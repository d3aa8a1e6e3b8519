"""Scores become one calibrated probability by two formulas, and a ranking that is sorted by it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.manifest import Heads
from edgefn.selection import Selector, call_probability, log_softmax

LOGITS = np.array([1.0, 3.0, -2.0, 0.5], dtype=np.float32)
finite = st.floats(-50, 50, width=32)


def selector(*, heads: Heads = tiny.HEADS, **changed: float) -> Selector:
    return Selector(heads, tiny.calibration(**changed))


def by_hand(logits: list[float], best: int, temperature: float, slope: float, intercept: float) -> float:
    p = math.exp(logits[best] / temperature) / sum(math.exp(each / temperature) for each in logits)
    return 1 / (1 + math.exp(-(slope * math.log(p) + intercept)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (4.0, 3.0), (0.3, -2.0)])
def test_temperature_and_platt(temperature, slope, intercept):
    found = selector(tool_temperature=temperature, platt_slope=slope, platt_intercept=intercept).select(LOGITS)
    assert found.tool == "lamp_off"
    assert not found.none_won
    assert found.probability == pytest.approx(by_hand(LOGITS.tolist(), 1, temperature, slope, intercept), rel=1e-9)


def test_ranking_is_sorted_without_the_none_row_and_led_by_the_winner():
    found = selector().select(LOGITS)
    assert [each.tool for each in found.ranking] == ["lamp_off", "lamp_on", "set_timer"]
    assert found.ranking[0].probability == found.probability
    assert sorted((each.probability for each in found.ranking), reverse=True) == [e.probability for e in found.ranking]


def test_none_of_these_wins():
    found = selector().select(np.array([1.0, 0.0, 0.0, 5.0], dtype=np.float32))
    assert found.none_won
    assert found.tool == "lamp_on"
    assert found.probability < 0.01


def test_none_of_these_takes_its_share():
    without = selector().select(np.array([2.0, 0.0, 0.0, -9.0], dtype=np.float32))
    tied = selector().select(np.array([2.0, 0.0, 0.0, 2.0], dtype=np.float32))
    assert tied.probability < without.probability
    assert not tied.none_won


def test_no_none_row():
    found = selector(heads=Heads(tools=tiny.TOOLS)).select(np.array([0.0, 0.0, 1.0], dtype=np.float32))
    assert found.tool == "set_timer"
    assert not found.none_won
    assert len(found.ranking) == 3


def test_one_tool_and_many_tools():
    alone = selector(heads=Heads(tools=("only", None))).select(np.array([1.0, 0.0], dtype=np.float32))
    assert [each.tool for each in alone.ranking] == ["only"]
    many = Heads(tools=(None, *(f"tool_{n}" for n in range(100))))
    found = selector(heads=many).select(np.arange(101, dtype=np.float32))
    assert [each.tool for each in found.ranking] == ["tool_99", "tool_98", "tool_97"]


def test_selecting_leaves_the_scores_alone():
    logits = LOGITS.copy()
    selector().select(logits)
    assert np.array_equal(logits, LOGITS)


@pytest.mark.parametrize("logits", [[1e30, 0, 0, 0], [-1e30, 0, 0, 0], [0, 0, 0, 0], [3e38, -3e38, 3e38, -3e38]])
def test_extreme_scores_stay_finite(logits):
    found = selector().select(np.array(logits, dtype=np.float32))
    assert all(0 <= each.probability <= 1 for each in found.ranking)


@given(st.lists(finite, min_size=4, max_size=4), st.floats(0.1, 20), st.floats(0.05, 10), st.floats(-10, 10))
def test_any_scores(logits, temperature, slope, intercept):
    choose = selector(tool_temperature=temperature, platt_slope=slope, platt_intercept=intercept)
    found = choose.select(np.array(logits, dtype=np.float32))
    probabilities = [each.probability for each in found.ranking]
    assert all(0 <= p <= 1 for p in probabilities)
    assert probabilities == sorted(probabilities, reverse=True)
    best = max(logits[:3])
    assert logits[tiny.TOOLS.index(found.tool)] == pytest.approx(best, abs=1e-3)
    if abs(logits[3] - best) > 1e-3:  # nearer than that, rounding decides
        assert found.none_won == (logits[3] > best)


@given(st.lists(finite, min_size=4, max_size=4), st.floats(0.01, 20))
def test_a_higher_score_of_the_winner_never_lowers_its_probability(logits, more):
    before = selector().select(np.array(logits, dtype=np.float32))
    row = tiny.TOOLS.index(before.tool)
    after = selector().select(np.array([*logits[:row], logits[row] + more, *logits[row + 1 :]], dtype=np.float32))
    assert after.tool == before.tool
    assert after.probability >= before.probability - 1e-12


@given(st.lists(st.lists(finite, min_size=3, max_size=3), min_size=1, max_size=4))
def test_log_softmax_sums_to_one(rows):
    log_p = log_softmax(np.array(rows, dtype=np.float32))
    assert log_p.dtype == np.float64
    assert np.allclose(np.exp(log_p).sum(axis=-1), 1)


def test_call_probability_at_the_ends():
    p = call_probability(np.array([-np.inf, -1e6, -1.0, 0.0]), 2.0, 1.0)
    assert 0 <= p[0] == p[1] < 1e-300
    assert p[2] == pytest.approx(1 / (1 + math.exp(1)))
    assert p[3] == pytest.approx(1 / (1 + math.exp(-1)))
