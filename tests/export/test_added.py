"""What added tools are calibrated to, on answers that were made up so that the right numbers are known."""

import dataclasses

import numpy as np
import pytest
from edgefn.export.added import (
    EVEN,
    UNFITTED,
    WRONG_TOOLS,
    accepting,
    calibrate_added,
    fit_choices,
    fit_supported,
    loosest,
    tools_only,
)
from edgefn.export.scoring import Scored, Softmaxes
from edgefn.export.trials import ClosedSaid, Tried

from edgefn.errors import DataError
from edgefn.manifest import CalibrationRows, Heads, Makers
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
    log_size = np.log(draw.integers(1, 5, rows))
    return Tried(HEADS, scored, tool_right, draw.random(rows), log_size, probability, draw.random(rows) < probability)


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
    assert len(numbers) == 12 and np.isfinite(numbers).all()
    assert min(calibration.temperature, calibration.slot_temperature, calibration.choice_temperature) > 0
    assert min(calibration.tool_slope, calibration.call_slope) > 0
    assert 0 <= calibration.threshold <= 1 and 0 <= calibration.argument_threshold <= 1
    assert calibration.rows == ROWS


def test_the_probability_of_a_tool_is_how_often_it_is_right(answers, calibration):
    log_p = log_softmax(answers.scored.logits / calibration.temperature)[:, :3].max(1)
    supported = calibration.support_weight * (answers.support - 1) + calibration.tool_intercept
    supported = supported + calibration.size_weight * answers.log_size
    p = sure(calibration.tool_slope * log_p + supported)[answers.scored.ran]
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
    made = Tried(HEADS, scored, flags, made.support, made.log_size, np.zeros(0), np.zeros(0, dtype=bool))
    found = calibrate_added(made, made, None)
    numbers = [value for value in dataclasses.asdict(found).values() if isinstance(value, float)]
    assert np.isfinite(numbers).all() and EVEN <= found.threshold <= 1 and found.argument_threshold == 0


def test_without_a_tool_in_any_trial_there_is_nothing_to_fit():
    made = tried(50)
    nowhere = dataclasses.replace(made.scored, in_scope=np.zeros(50, dtype=bool))
    with pytest.raises(DataError):
        calibrate_added(dataclasses.replace(made, scored=nowhere), made, None)


def test_unfitted_is_no_map_and_takes_everything():
    assert (UNFITTED.temperature, UNFITTED.tool_slope, UNFITTED.threshold, UNFITTED.rows) == (1, 1, 0, None)


# The parts of it


def test_the_threshold_of_arguments_keeps_nearly_all_that_were_right():
    right = np.random.default_rng(0).random(5000)
    threshold = loosest(right)
    assert 0.98 <= (right >= threshold).mean() < 1
    assert loosest(np.array([0.3])) == 0.3 and loosest(np.zeros(0)) == 0


@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_the_map_learns_what_support_is_worth(weight):
    draw = np.random.default_rng(1)
    log_p, support = -draw.exponential(1.0, 20_000), draw.random(20_000)
    log_size = np.log(draw.integers(1, 14, 20_000))
    right = draw.random(20_000) < sure(2 * log_p + weight * (support - 1) + 0.2 * weight * log_size + 1.5)
    log_p[0] = -np.inf  # it never ran
    found = fit_supported(log_p, support, log_size, right, np.ones(20_000))
    weights = (found.support_weight, found.size_weight)
    assert (found.slope, *weights, found.intercept) == pytest.approx((2, weight, 0.2 * weight, 1.5), abs=0.3)
    assert np.allclose(found.log_odds(np.array([0.0]), np.array([1.0]), np.array([0.0])), found.intercept)


def test_support_never_speaks_against_a_tool():
    draw = np.random.default_rng(1)
    support = draw.random(2000)
    nothing = np.zeros(2000)
    found = fit_supported(np.full(2000, -0.5), support, nothing, draw.random(2000) > support, np.ones(2000))
    assert found.support_weight == 0


def choices_said(count=400):
    """What is named is meant, what is required is said, what is neither is left out."""
    draw = np.random.default_rng(2)
    for at in range(count):
        named, required = np.zeros(3, np.float32), at % 4 == 0
        said = 1 + at % 2 if at % 2 or required else 0
        named[said] = float(said > 0 and not required)
        yield ClosedSaid(draw.normal(0, 0.1, 3).astype(np.float32), named, required, said)


def test_choices_are_fitted_to_what_was_said():
    said = list(choices_said())
    before = Makers("f", 0.0, **{name: 0.0 for name in Makers.__slots__ if name.endswith(("_bias", "_bonus"))
                                 and name != "tool_bias"}, slot_scale=20.0, choice_scale=20.0,
                    calibration=UNFITTED)  # fmt: skip
    after = fit_choices(before, said)
    assert sum(each.log_p(after) for each in said) > sum(each.log_p(before) for each in said)
    assert after.named_bonus > 1 and 50 >= after.unsaid_bias > after.required_unsaid_bias
    assert 1 <= after.choice_scale < 150  # though no doubt is left
    assert fit_choices(before, []) is before


def test_a_tool_is_accepted_where_at_most_a_tenth_of_what_is_accepted_is_wrong():
    log_odds = np.linspace(4, -4, 81)
    right = log_odds > 1
    threshold = accepting(log_odds, right)
    accepted = sure(log_odds) >= threshold - 1e-12
    assert 0 < (~right)[accepted].mean() <= WRONG_TOOLS
    assert (~right)[log_odds >= log_odds[accepted].min() - 0.2].mean() > WRONG_TOOLS


def test_a_tool_that_is_as_likely_wrong_as_right_is_never_accepted():
    assert accepting(np.linspace(4, -4, 81), np.ones(81, dtype=bool)) == EVEN


def test_where_all_are_wrong_only_the_surest_would_be_accepted():
    assert accepting(np.array([2.0, 1.0]), np.array([False, False])) == pytest.approx(sure(2.0))
