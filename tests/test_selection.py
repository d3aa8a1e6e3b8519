"""Scores become one calibrated probability by two formulas, and a ranking that is sorted by it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.choices import Chosen
from edgefn.arguments.filling import Filled
from edgefn.arguments.spans import Decoded
from edgefn.manifest import Heads
from edgefn.selection import Selector, call_probability, log_odds, log_softmax

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
    p = by_hand(LOGITS.tolist(), 1, temperature, slope, intercept)
    assert found.ranking[0].probability == pytest.approx(p, rel=1e-9)
    made = selector(tool_temperature=temperature, platt_slope=slope, platt_intercept=intercept)
    assert made.probability(found.log_p) == pytest.approx(p, rel=1e-9)


def test_ranking_is_sorted_without_the_none_row_and_led_by_the_winner():
    found = selector().select(LOGITS)
    assert [each.tool for each in found.ranking] == ["lamp_off", "lamp_on", "set_timer"]
    assert found.ranking[0].tool == found.tool
    assert sorted((each.probability for each in found.ranking), reverse=True) == [e.probability for e in found.ranking]


def test_none_of_these_wins():
    found = selector().select(np.array([1.0, 0.0, 0.0, 5.0], dtype=np.float32))
    assert found.none_won
    assert found.tool == "lamp_on"
    assert found.ranking[0].probability < 0.01


def test_none_of_these_takes_its_share():
    without = selector().select(np.array([2.0, 0.0, 0.0, -9.0], dtype=np.float32))
    tied = selector().select(np.array([2.0, 0.0, 0.0, 2.0], dtype=np.float32))
    assert tied.log_p < without.log_p
    assert tied.ranking[0].probability < without.ranking[0].probability
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
    assert after.log_p >= before.log_p - 1e-12
    assert after.ranking[0].probability >= before.ranking[0].probability - 1e-12


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


# The arguments' share


def filled(words: list[list[float]], labels: list[int], choices: list[tuple[list[float], int]]) -> Filled:
    decoded = Decoded(np.array(words, dtype=np.float32), labels) if words else None
    chosen = tuple(Chosen(np.array(logits, dtype=np.float32), row, 0.0) for logits, row in choices)
    return Filled({}, slots=decoded, choices=chosen)


def share(logits: list[float], taken: int, temperature: float) -> float:
    return logits[taken] / temperature - math.log(sum(math.exp(each / temperature) for each in logits))


@pytest.mark.parametrize(("slot", "choice"), [(1.0, 1.0), (0.5, 3.0), (4.0, 0.7)])
def test_every_word_and_every_choice_takes_its_share(slot, choice):
    words, labels = [[2.0, 0.0, -1.0], [0.5, 1.0, 0.0], [0.0, 0.0, 3.0]], [0, 1, 2]
    choices = [([3.0, 1.0], 0), ([0.0, 1.0, 2.0], 1)]
    made = selector(slot_temperature=slot, choice_temperature=choice)
    expected = sum(share(*each, slot) for each in zip(words, labels, strict=True))
    expected += sum(share(*each, choice) for each in choices)
    assert made.arguments_log_p(filled(words, labels, choices)) == pytest.approx(expected, rel=1e-6)


def test_the_temperature_of_the_tools_is_not_that_of_the_arguments():
    found = filled([[2.0, 0.0, -1.0]], [0], [([3.0, 1.0], 0)])
    assert selector(tool_temperature=9.0).arguments_log_p(found) == selector().arguments_log_p(found)


def test_a_tool_without_arguments_takes_nothing():
    assert selector().arguments_log_p(filled([], [], [])) == 0


@given(st.lists(st.lists(finite, min_size=3, max_size=3), max_size=5), st.data())
def test_an_argument_never_makes_a_call_more_probable(words, data):
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(words), max_size=len(words)))
    assert selector().arguments_log_p(filled(words, labels, [])) <= 0


@given(st.floats(-60, 0), st.floats(0.05, 10), st.floats(-10, 10))
def test_one_probability_is_that_of_many(log_p, slope, intercept):
    made = selector(platt_slope=slope, platt_intercept=intercept)
    assert made.probability(log_p) == pytest.approx(call_probability(np.array([log_p]), slope, intercept)[0], rel=1e-9)


@given(st.floats(0.001, 0.999), st.floats(0.2, 10), st.floats(-5, 5))
def test_log_odds_undo_the_map(p, slope, intercept):
    log_p = (math.log(p / (1 - p)) - intercept) / slope
    made = selector(platt_slope=slope, platt_intercept=intercept)
    assert made.log_odds(p) == pytest.approx(log_odds(log_p), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("log_p", [0.0, -1e-300, -1e-9, -0.5, -700.0, -1e6])
def test_log_odds_are_finite(log_p):
    assert math.isfinite(log_odds(log_p))
    assert log_odds(math.log(0.5)) == pytest.approx(0)


@pytest.mark.parametrize("log_p", [0.0, -1e6, -math.inf])
def test_a_probability_at_the_ends(log_p):
    assert 0 <= selector().probability(log_p) <= 1
