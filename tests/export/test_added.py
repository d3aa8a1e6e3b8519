"""What added tools are calibrated to, on answers that were made up so that the right numbers are known."""

import dataclasses

import numpy as np
import pytest
from edgefn.export.added import UNFITTED, calibrate_added, even_odds, tools_only
from edgefn.export.scoring import Scored, Softmaxes
from edgefn.export.trials import Tried

from edgefn.errors import DataError
from edgefn.manifest import CalibrationRows, Heads
from edgefn.selection import call_probability, log_softmax

HEADS = Heads(("a", "b", "c", None))
ROWS = CalibrationRows("trials", "0" * 64, 3, 1)


def sure(log_odds):
    return 1 / (1 + np.exp(-log_odds))


def tried(rows=1500, seed=0, sharpness=3.0):
    """Answers of an engine whose tool logits are too sharp; a third of the rows is out of scope, some never ran."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(0, 2, (rows, 4)).astype(np.float32)
    drawn = np.array([draw.choice(4, p=each) for each in np.exp(log_softmax(logits))])
    in_scope = drawn < 3
    ran = draw.random(rows) < 0.98
    tool_right = ran & in_scope & (logits[:, :3].argmax(1) == drawn)
    words = draw.normal(0, 2, (rows, 3)).astype(np.float32)
    said = np.array([draw.choice(3, p=each) for each in np.exp(log_softmax(words))])
    right = tool_right & (said == words.argmax(1))
    slots = Softmaxes.of([(at, sharpness * each, int(each.argmax())) for at, each in enumerate(words)])
    gold = np.where(in_scope, drawn, 3).astype(np.intp)
    scored = Scored(
        sharpness * logits, ran, gold, 3, in_scope, right, ("call",) * rows, slots, Softmaxes.of([])
    )  # fmt: skip
    probability = draw.random(rows)
    return Tried(HEADS, scored, tool_right, probability, draw.random(rows) < probability)


@pytest.fixture(scope="module")
def answers():
    return tried()


def shifted(answers, by):
    """The answers of an engine that overrates every tool, as it does those with examples."""
    logits = answers.scored.logits + np.array([by, by, by, 0], dtype=np.float32)
    return dataclasses.replace(answers, scored=dataclasses.replace(answers.scored, logits=logits))


@pytest.fixture(scope="module")
def calibration(answers):
    return calibrate_added(answers, answers, ROWS)


def test_every_number_is_finite_and_thresholds_are_probabilities(calibration):
    numbers = [value for value in dataclasses.asdict(calibration).values() if isinstance(value, float)]
    assert len(numbers) == 10 and np.isfinite(numbers).all()
    assert min(calibration.temperature, calibration.slot_temperature, calibration.choice_temperature) > 0
    assert min(calibration.tool_slope, calibration.call_slope) > 0
    assert 0 <= calibration.threshold <= 1 and 0 <= calibration.argument_threshold <= 1
    assert calibration.rows == ROWS


def test_the_probability_of_a_tool_is_how_often_it_is_right(answers, calibration):
    log_p = log_softmax(answers.scored.logits / calibration.temperature)[:, :3].max(1)
    p = call_probability(log_p, calibration.tool_slope, calibration.tool_intercept)[answers.scored.ran]
    right = answers.tool_right[answers.scored.ran]
    for low, high in ((0, 0.3), (0.3, 0.6), (0.6, 1)):
        inside = (p >= low) & (p < high)
        assert inside.sum() > 50 and abs(p[inside].mean() - right[inside].mean()) < 0.08


def test_arguments_do_not_change_what_a_tool_is_taken_at(answers, calibration):
    """A tool may be right though no argument is."""
    wrong = dataclasses.replace(answers.scored, right=np.zeros(len(answers.tool_right), dtype=bool))
    other = calibrate_added(dataclasses.replace(answers, scored=wrong), answers, ROWS)
    for name in ("temperature", "tool_slope", "tool_intercept", "threshold"):
        assert getattr(other, name) == getattr(calibration, name)
    p = call_probability(np.array([-0.1]), other.call_slope, other.call_intercept)
    assert p < call_probability(np.array([-0.1]), calibration.call_slope, calibration.call_intercept)


@pytest.mark.parametrize("by", [-4.0, 0.0, 4.0])
def test_the_bias_of_examples_takes_back_what_they_add(answers, by):
    """With three examples a row is made of them to three quarters."""
    found = calibrate_added(answers, shifted(answers, by), ROWS)
    assert abs(found.example_bias * 3 / 4 + by) < 0.5
    # Otherwise they change nothing.
    assert dataclasses.replace(found, example_bias=0.0) == dataclasses.replace(
        calibrate_added(answers, answers, ROWS), example_bias=0.0
    )


def test_judged_by_the_tool_alone(answers):
    scored = tools_only(answers)
    assert scored.right is answers.tool_right and scored.logits is answers.scored.logits
    assert not len(scored.slots.row) and not len(scored.choices.row)


@pytest.mark.parametrize("all_right", [True, False])
def test_answers_that_are_all_alike_give_numbers_too(all_right):
    made = tried(200)
    flags = made.scored.ran & made.scored.in_scope if all_right else np.zeros(200, dtype=bool)
    scored = dataclasses.replace(made.scored, right=flags)
    made = Tried(HEADS, scored, flags, np.zeros(0), np.zeros(0, dtype=bool))
    found = calibrate_added(made, made, None)
    numbers = [value for value in dataclasses.asdict(found).values() if isinstance(value, float)]
    assert np.isfinite(numbers).all() and 0 <= found.threshold <= 1 and found.argument_threshold == 0


def test_without_a_tool_in_any_trial_there_is_nothing_to_fit():
    made = tried(50)
    nowhere = dataclasses.replace(made.scored, in_scope=np.zeros(50, dtype=bool))
    with pytest.raises(DataError):
        calibrate_added(dataclasses.replace(made, scored=nowhere), made, None)


def test_unfitted_is_no_map_and_takes_everything():
    assert (UNFITTED.temperature, UNFITTED.tool_slope, UNFITTED.threshold, UNFITTED.rows) == (1, 1, 0, None)


# Even odds


@pytest.mark.parametrize("crossing", [0.2, 0.5, 0.8, 0.95])
def test_even_odds_are_where_right_and_wrong_cross(crossing):
    draw = np.random.default_rng(3)
    log_odds = draw.normal(0, 2.5, 20_000)
    at = np.log(crossing / (1 - crossing))
    right = draw.random(len(log_odds)) < sure(1.4 * (log_odds - at))
    assert abs(even_odds(sure(log_odds), right) - crossing) < 0.03


def test_even_odds_of_probabilities_that_are_certain():
    probability = np.array([0.0, 0.0, 1.0, 1.0] * 50)
    assert 0 < even_odds(probability, probability > 0.5) < 1
    assert 0 <= even_odds(probability, probability < 0.5) <= 1  # the wrong way round: finite all the same


def test_even_odds_where_one_side_is_all_there_is():
    probability = np.array([0.1, 0.9])
    assert even_odds(probability, np.array([True, True])) == 0
    assert even_odds(probability, np.array([False, False])) == 1
    assert even_odds(np.zeros(0), np.zeros(0, dtype=bool)) == 0
