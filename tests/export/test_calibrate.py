"""What is fitted on rows nobody trained on, against known answers, scipy, and the truth of a simulation."""

import dataclasses
import functools
from datetime import datetime

import numpy as np
import pytest
import tiny as small
from edgefn.export import calibrate as module
from edgefn.export.calibrate import (
    BALANCED_FLOOR,
    BALANCED_LOSS,
    LEAST_ROWS,
    Goal,
    balanced_threshold,
    bounded_threshold,
    calibrate,
    fit_platt,
    fit_temperatures,
    upper_limit,
)
from edgefn.export.scoring import NEUTRAL, Scored, Softmaxes, Temperatures, score
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from edgefn.encoder import Encoded, Scores
from edgefn.errors import DataError
from edgefn.interpreter import Interpreter
from edgefn.manifest import CalibrationRows, Heads, TrainedTool
from edgefn.metrics import scope_weights
from edgefn.rows import Row
from edgefn.selection import Selector, call_probability, log_softmax

HEADS = Heads(tools=("a", "b", "c", None))
NONE = 3
NOW = datetime(2026, 11, 18, 10, 30)
NOTHING = Softmaxes.of([])


def scored_of(logits, gold, in_scope, ran=None, slots=NOTHING, choices=NOTHING, right=None):
    """Scores of a model; where `right` is not told, the calls of tools that are right are right."""
    logits = logits.astype("f4")
    ran = np.ones(len(logits), bool) if ran is None else ran
    none = NONE if logits.shape[1] > NONE else -1
    tools = np.delete(logits, none, axis=1) if none >= 0 else logits
    if right is None:
        right = ran & in_scope & (tools.argmax(axis=1) == gold)
    calls = tuple(f"{'abcde'[best]}()" for best in tools.argmax(axis=1))
    return Scored(logits, ran, gold, none, in_scope, right, calls, slots, choices)


def joined(first, second):
    """Both, one after the other, without arguments."""
    parts = ("logits", "gold", "in_scope", "ran")
    return scored_of(*(np.concatenate([getattr(first, part), getattr(second, part)]) for part in parts))


def make(inside=400, outside=200, accuracy=0.95, sharp=4.0, seed=0, columns=4):
    """Scores of a model that finds the tool in `accuracy` of the rows and "none of these" in most others."""
    draw = np.random.default_rng(seed)
    rows = inside + outside
    gold = np.where(np.arange(rows) < inside, draw.integers(0, 3, rows), NONE)
    known = draw.random(rows) < accuracy
    said = np.where(known, gold, draw.integers(0, columns, rows))
    logits = draw.normal(0, 1, (rows, columns))
    logits[np.arange(rows), said] += np.where(known, sharp * (0.5 + draw.random(rows)), 0.5)
    in_scope = gold != NONE
    return scored_of(logits, np.where(in_scope | (columns > 3), gold, -1), in_scope)


def some(scored, keep):
    return scored.subset(np.flatnonzero(keep))


def accepts(scored, fitted, heads=HEADS):
    """Which rows the device would accept, by its own code."""
    selector = Selector(heads, fitted)
    chosen = [selector.select(row.copy()) for row in scored.logits]
    return np.array([each.ranking[0].probability >= fitted.threshold for each in chosen])


# Temperature


def decided(true, rows=20_000):
    """Scores whose decision is right with the probability that a known temperature and map say."""
    draw = np.random.default_rng(1)
    z = draw.normal(0, 2, (rows, 5))
    log_p = log_softmax(z)
    best = log_p.argmax(1)
    right = draw.random(rows) < call_probability(log_p.max(1), 3.0, 2.0)
    gold = np.where(right, best, (best + draw.integers(1, 5, rows)) % 5)
    scored = scored_of(true * z[:, :5], gold, np.ones(rows, bool), right=right)
    return dataclasses.replace(scored, none=-1)


FIVE = Heads(tools=tuple("abcde"))


@pytest.mark.parametrize("true", [0.5, 1.0, 2.5, 6.0])
def test_a_known_temperature_is_found(true):
    scored = decided(true)
    found = fit_temperatures(scored, FIVE, np.ones(len(scored.gold)))
    assert found.tool == pytest.approx(true, rel=0.2)
    assert (found.slot, found.choice) == (1.0, 1.0)  # heads that nothing was read from


def test_no_other_temperature_decides_better():
    scored, weights = make(accuracy=0.85), np.ones(600)

    def loss(temperature):
        log_p = scored.log_p(HEADS, Temperatures(temperature))
        p = call_probability(log_p, *fit_platt(log_p, scored.right, weights))
        return -np.log(np.where(scored.right, p, 1 - p)).mean()

    found = fit_temperatures(scored, HEADS, weights).tool
    assert all(
        loss(found) <= loss(other) + 1e-3 for other in (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, found * 0.8, found * 1.25)
    )


def test_rows_without_an_answer_do_not_move_the_temperature():
    scored = make()
    weights = np.ones(len(scored.gold))
    before = fit_temperatures(scored, HEADS, weights).tool
    lost = scored_of(np.zeros_like(scored.logits[:50]), np.zeros(50, int), np.ones(50, bool), np.zeros(50, bool))
    more = joined(scored, lost)
    assert not more.right[-50:].any() and more.log_p(HEADS, Temperatures())[-1] == -np.inf
    assert fit_temperatures(more, HEADS, np.ones(len(more.gold))).tool == pytest.approx(before, rel=1e-2)


def test_no_answer_at_all_still_gives_a_temperature():
    scored = dataclasses.replace(make(), ran=np.zeros(600, bool))
    temperature = fit_temperatures(scored, HEADS, np.ones(600)).tool
    assert np.isfinite(temperature) and temperature > 0


# Words and choices


def softmaxes(draw, rows, most, labels, doubt):
    """Up to `most` softmaxes a row, each with its first label ahead by up to `doubt`; and each row's smallest lead."""
    found, least = [], np.full(rows, np.inf)
    for row in range(rows):
        for _ in range(draw.integers(0, most + 1)):
            logits = np.zeros(labels, dtype="f4")
            logits[0] = draw.uniform(0, doubt)
            least[row] = min(least[row], logits[0])
            found.append((row, logits, 0))
    return Softmaxes.of(found), least


def with_arguments(rows=3000, seed=9):
    """Tools that are certain; words and choices whose doubts say how often the call is right."""
    draw = np.random.default_rng(seed)
    slots, _ = softmaxes(draw, rows, 6, 5, 8)
    choices, _ = softmaxes(draw, rows, 2, 3, 6)
    log_p = slots.log_p(2.0, rows) + choices.log_p(0.8, rows)
    right = draw.random(rows) < call_probability(log_p, 2.0, 2.0)
    gold = draw.integers(0, 3, rows)
    logits = np.zeros((rows, 4))
    logits[np.arange(rows), gold] = 40
    return scored_of(logits, gold, np.ones(rows, bool), slots=slots, choices=choices, right=right)


def test_softmaxes_of_many_rows_at_once():
    by_row = [
        (0, np.array([1.0, 0.0, 2.0], dtype="f4"), 0),
        (0, np.array([3.0, 0.0, -2.0], dtype="f4"), 1),
        (2, np.array([0.5, 1.5], dtype="f4"), 1),  # fewer labels than the others have
    ]
    found = Softmaxes.of(by_row)
    for temperature in (0.5, 1.0, 3.0):
        each = [log_softmax(logits / temperature)[taken] for _, logits, taken in by_row]
        expected = [each[0] + each[1], 0.0, each[2], 0.0]
        assert found.log_p(temperature, 4) == pytest.approx(expected, rel=1e-5)
    assert found.subset(np.array([2, 1])).log_p(1.0, 2) == pytest.approx(found.log_p(1.0, 4)[[2, 1]])
    assert found.subset(np.array([1, 3])).log_p(1.0, 2).tolist() == [0.0, 0.0]
    assert NOTHING.log_p(1.0, 3).tolist() == [0.0, 0.0, 0.0]


def test_the_call_is_as_probable_as_its_tool_its_words_and_its_choices_together():
    scored = with_arguments(50)
    tools = np.delete(log_softmax(scored.logits / 2.0), NONE, axis=1).max(axis=1)
    expected = tools + scored.slots.log_p(3.0, 50) + scored.choices.log_p(0.5, 50)
    assert scored.log_p(HEADS, Temperatures(2.0, 3.0, 0.5)) == pytest.approx(expected)
    some_rows = np.array([7, 3, 49])
    assert scored.subset(some_rows).log_p(HEADS, Temperatures(2.0, 3.0, 0.5)) == pytest.approx(expected[some_rows])


def test_temperatures_of_arguments_are_found():
    """Their ratio is told by the rows; a common factor is told by Platt's map as well."""
    scored = with_arguments()
    found = fit_temperatures(scored, HEADS, np.ones(len(scored.gold)))
    assert found.slot / found.choice == pytest.approx(2.0 / 0.8, rel=0.4)

    def loss(temperatures):
        log_p = scored.log_p(HEADS, temperatures)
        p = call_probability(log_p, *fit_platt(log_p, scored.right, np.ones(len(log_p))))
        return -np.log(np.where(scored.right, p, 1 - p)).mean()

    assert loss(found) <= loss(Temperatures()) and loss(found) <= loss(Temperatures(1.0, 2.0, 0.8)) + 2e-3


def test_a_wrong_argument_is_a_wrong_call():
    """Half of the tools' right calls have a wrong argument that nothing tells of: no probability is high."""
    scored = make(outside=0, accuracy=1.0)
    half = dataclasses.replace(scored, right=scored.right & (np.arange(400) % 2 == 0))
    fitted = calibrate(half, HEADS, Goal(), None)
    p = call_probability(half.log_p(HEADS, Temperatures.of(fitted)), fitted.platt_slope, fitted.platt_intercept)
    assert p.mean() == pytest.approx(half.right.mean(), abs=0.02)
    assert half.tool_right(HEADS).mean() > 1.9 * half.right.mean()


def test_doubtful_arguments_are_turned_away():
    scored = with_arguments()
    fitted = calibrate(scored, HEADS, Goal(), None)
    assert fitted.slot_temperature > fitted.choice_temperature > 0
    p = call_probability(scored.log_p(HEADS, Temperatures.of(fitted)), fitted.platt_slope, fitted.platt_intercept)
    sure = p >= np.quantile(p, 0.5)
    assert scored.right[sure].mean() > scored.right[~sure].mean() + 0.2
    assert p.mean() == pytest.approx(scored.right.mean(), abs=0.02)


# Platt's map


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (1.7, 3.0), (0.4, 1.0)])
def test_a_known_map_is_found(slope, intercept):
    draw = np.random.default_rng(2)
    log_p = -draw.exponential(2.0, 40_000)
    right = draw.random(len(log_p)) < call_probability(log_p, slope, intercept)
    found = fit_platt(log_p, right, np.ones(len(log_p)))
    assert found == pytest.approx((slope, intercept), abs=0.12)


def test_weights_count_as_rows_do():
    draw = np.random.default_rng(3)
    log_p = -draw.exponential(1.5, 300)
    right = draw.random(300) < np.exp(log_p)
    times = draw.integers(1, 4, 300)
    weighted = fit_platt(log_p, right, times.astype(float))
    repeated = fit_platt(log_p.repeat(times), right.repeat(times), np.ones(times.sum()))
    assert weighted == pytest.approx(repeated, abs=1e-3)


log_probabilities = st.lists(st.floats(-40, 0), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(log_probabilities, st.data())
def test_the_map_is_finite_rises_and_gives_probabilities(log_p, data):
    right = data.draw(st.lists(st.booleans(), min_size=len(log_p), max_size=len(log_p)))
    x = np.array(log_p)
    slope, intercept = fit_platt(x, np.array(right), np.ones(len(x)))
    assert np.isfinite([slope, intercept]).all() and slope > 0
    p = call_probability(np.sort(x), slope, intercept)
    assert ((p > 0) & (p < 1)).all()
    assert (np.diff(p) >= 0).all()


@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("rows", [1, 3, 500])
def test_rows_that_are_all_right_or_all_wrong_stay_short_of_certainty(answer, rows):
    log_p = -np.random.default_rng(4).exponential(0.1, rows)
    slope, intercept = fit_platt(log_p, np.full(rows, answer), np.ones(rows))
    p = call_probability(log_p, slope, intercept)
    assert np.isfinite([slope, intercept]).all() and slope > 0
    wanted = (rows + 1) / (rows + 2) if answer else 1 / (rows + 2)
    assert p.mean() == pytest.approx(wanted, abs=0.01)


def test_rows_that_never_ran_are_not_fitted():
    log_p, right = np.array([-0.1, -3.0, -0.2, -np.inf]), np.array([True, False, True, False])
    assert fit_platt(log_p, right, np.ones(4)) == pytest.approx(fit_platt(log_p[:3], right[:3], np.ones(3)))
    assert np.isfinite(fit_platt(log_p[3:], right[3:], np.ones(1))).all()


# The balanced threshold


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), min_size=1, max_size=400))
def test_balanced_is_the_strictest_that_turns_away_few_right_rows(rows):
    probability = np.array([each[0] / 41 for each in rows])
    in_scope = np.array([each[1] for each in rows])
    right = np.array([each[2] for each in rows]) & in_scope
    threshold = balanced_threshold(probability, right, in_scope)
    allowed = BALANCED_LOSS * in_scope.sum()
    assert BALANCED_FLOOR <= threshold <= 1
    if right.sum() <= allowed:
        return
    stricter = (probability[right] < np.nextafter(threshold, 2)).sum()
    if threshold > BALANCED_FLOOR:
        assert (probability[right] < threshold).sum() <= allowed
    assert stricter > int(allowed)


def test_balanced_is_never_more_likely_wrong_than_right():
    inside = np.ones(300, bool)
    unsure = np.linspace(0.1, 0.9, 300)
    assert balanced_threshold(unsure, inside, inside) == BALANCED_FLOOR
    assert balanced_threshold(0.6 + unsure / 3, inside, inside) > BALANCED_FLOOR
    assert balanced_threshold(unsure, ~inside, inside) == BALANCED_FLOOR


@pytest.mark.parametrize("right", [0, 1, 9, 10, 11])
def test_balanced_of_a_model_that_is_hardly_ever_right(right):
    flags = np.arange(1000) < right
    assert 0 <= balanced_threshold(np.linspace(0, 1, 1000), flags, np.ones(1000, bool)) <= 1


# The bound


def test_the_upper_limit_is_clopper_and_pearsons():
    for trials in (1, 7, 149, 1000):
        for successes in sorted({0, 1, trials // 3, trials - 1, trials}):
            for delta in (0.05, 0.05 / 3, 0.2):
                # Two-sided at twice the error: its upper end is the one-sided limit.
                wanted = binomtest(successes, trials).proportion_ci(1 - 2 * delta, method="exact").high
                assert upper_limit(successes, trials, delta) == pytest.approx(wanted, abs=1e-9)


def test_two_percent_needs_149_rows_without_an_error():
    assert upper_limit(0, 149, 0.05) < 0.02 < upper_limit(0, 148, 0.05)
    assert upper_limit(0, 0, 0.05) == 1.0


SITUATIONS = {
    "a quarter is out of scope": dict(inside=600, outside=200, share=0.25, ease=2, target=0.05),
    "out of scope is rare in the rows": dict(inside=900, outside=100, share=0.5, ease=3, target=0.10),
    "few rows": dict(inside=180, outside=60, share=0.25, ease=2, target=0.15),
    "no utterance is out of scope": dict(inside=500, outside=0, share=0.0, ease=1, target=0.05),
}
DRAWS = 200


def draw_rows(inside, outside, ease, draw):
    """Log probability, right, in scope: in-scope rows are right with a probability that grows with the score."""
    score_in, score_out = draw.normal(ease, 2, inside), draw.normal(-2.5, 1.5, outside)
    right = draw.random(inside) < 1 / (1 + np.exp(-2 * score_in - 1))
    log_p = -np.logaddexp(0, -np.concatenate([score_in, score_out]))
    in_scope = np.arange(inside + outside) < inside
    return log_p, np.concatenate([right, np.zeros(outside, bool)]), in_scope


def risk(threshold, share, rows):
    """Wrong among accepted, where `share` of the utterances are out of scope."""
    log_p, right, in_scope = rows
    accepted = log_p >= threshold
    let_in = share * accepted[~in_scope].mean() if share else 0.0
    wrong = (1 - share) * (accepted & ~right)[in_scope].mean() + let_in
    total = (1 - share) * accepted[in_scope].mean() + let_in
    return wrong / total if total else 0.0


def tempting(rows, share, target):
    """The loosest threshold that looks good enough on the rows themselves."""
    return max((each for each in module._LOG_P_GRID if risk(each, share, rows) <= target), key=lambda each: -each)


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_the_bound_holds_as_often_as_it_says(situation, monkeypatch):
    monkeypatch.setattr(module, "upper_limit", functools.cache(upper_limit))
    draw = np.random.default_rng(5)
    share, target = situation["share"], situation["target"]
    population = draw_rows(100_000, 100_000, situation["ease"], draw)
    broken, fooled, kept = 0, 0, []
    for at in range(DRAWS):
        rows = draw_rows(situation["inside"], situation["outside"], situation["ease"], draw)
        if at < 30:
            fooled += risk(tempting(rows, share, target), share, population) > target
        found = bounded_threshold(*rows, share, target, 0.95)
        if found is None:
            continue
        threshold, accepted = found
        assert accepted == (rows[0] >= threshold).sum()
        broken += risk(threshold, share, population) > target
        kept.append(accepted / len(rows[0]))
    # More broken bounds than one in twenty would be chance once in a thousand tests.
    assert binomtest(int(broken), DRAWS, 0.05, alternative="greater").pvalue > 1e-3, broken
    assert len(kept) > 0.6 * DRAWS and np.mean(kept) > 0.4  # it does not hold by accepting nothing
    assert fooled > 5  # and it is not easy to hold


def test_a_bound_that_cannot_be_had_is_none():
    draw = np.random.default_rng(6)
    log_p, right, in_scope = draw_rows(600, 200, 2, draw)
    coin = draw.random(len(log_p)) < 0.5
    assert bounded_threshold(log_p, coin & in_scope, in_scope, 0.25, 0.02, 0.95) is None
    assert bounded_threshold(log_p[:100], right[:100], in_scope[:100], 0.0, 0.0001, 0.95) is None


def test_a_looser_goal_gives_a_looser_threshold():
    rows = draw_rows(2000, 500, 2, np.random.default_rng(7))
    found = [bounded_threshold(*rows, 0.2, target, 0.95) for target in (0.03, 0.06, 0.12)]
    assert all(found)
    assert found[0][0] > found[1][0] > found[2][0] and found[0][1] < found[1][1] < found[2][1]
    sure = [bounded_threshold(*rows, 0.2, 0.06, confidence) for confidence in (0.999, 0.8)]
    assert sure[0][1] <= sure[1][1]
    shares = [bounded_threshold(*rows, share, 0.06, 0.95) for share in (0.05, 0.5)]
    assert shares[0][1] >= shares[1][1]


# All of it


def test_everything_is_written_down():
    scored = make()
    rows = CalibrationRows("rows.jsonl", "00", 600, 200)
    fitted = calibrate(scored, HEADS, Goal(wrong_rate=0.1), rows)
    assert fitted.rows is rows and fitted.out_of_scope_share == pytest.approx(1 / 3)
    assert fitted.threshold_name == "balanced" and fitted.threshold == fitted.balanced_threshold
    bound = fitted.bound
    assert fitted.no_bound_reason == "" and (bound.wrong_rate, bound.confidence) == (0.1, 0.95)
    assert bound.out_of_scope_share == fitted.out_of_scope_share and 0 < bound.threshold < 1


def test_the_device_accepts_what_calibration_says():
    scored = make(accuracy=0.9)
    fitted = calibrate(scored, HEADS, Goal(wrong_rate=0.15, threshold="risk"), None)
    assert abs(accepts(scored, fitted).sum() - fitted.bound.accepted_rows) <= 1
    fitted = calibrate(scored, HEADS, Goal(), None)
    p = call_probability(scored.log_p(HEADS, Temperatures.of(fitted)), fitted.platt_slope, fitted.platt_intercept)
    assert abs(accepts(scored, fitted).sum() - (p >= fitted.threshold).sum()) <= 1


@pytest.mark.parametrize("number", [0, 0.25, 1, "0.5"])
def test_a_number_is_taken_as_it_is(number):
    fitted = calibrate(make(), HEADS, Goal(threshold=str(number)), None)
    assert (fitted.threshold, fitted.threshold_name) == (float(number), "fixed")
    assert fitted.balanced_threshold == calibrate(make(), HEADS, Goal(), None).balanced_threshold


@pytest.mark.parametrize("garbage", ["", "blanced", "1.01", "-0.1", "nan", "inf", "0,5"])
def test_garbage_for_a_threshold_is_refused(garbage):
    with pytest.raises(DataError) as raised:
        calibrate(make(), HEADS, Goal(threshold=garbage), None)
    assert repr(garbage) in raised.value.message and "balanced" in raised.value.hint


def test_risk_takes_the_bounded_threshold():
    fitted = calibrate(make(), HEADS, Goal(wrong_rate=0.1, threshold="risk"), None)
    assert fitted.threshold_name == "risk" and fitted.threshold == fitted.bound.threshold


def test_too_few_rows_give_no_bound_and_a_reason():
    scored = some(make(), np.arange(600) % 4 == 0)
    fitted = calibrate(scored, HEADS, Goal(), None)
    assert fitted.bound is None
    assert "150 calibration rows" in fitted.no_bound_reason and str(LEAST_ROWS) in fitted.no_bound_reason
    with pytest.raises(DataError, match="--threshold risk: 150 calibration rows") as raised:
        calibrate(scored, HEADS, Goal(threshold="risk"), None)
    assert "--calibrate" in raised.value.hint


def test_an_unreachable_goal_gives_no_bound_and_a_reason():
    fitted = calibrate(make(accuracy=0.4), HEADS, Goal(wrong_rate=0.001), None)
    assert fitted.bound is None and "no threshold keeps wrong calls under 0.1%" in fitted.no_bound_reason


def test_rows_that_are_all_in_scope_say_nothing_about_others():
    scored = make(inside=600, outside=0)
    alone = calibrate(scored, HEADS, Goal(wrong_rate=0.1), None)
    assert alone.out_of_scope_share == 0 and alone.bound is not None
    expected = calibrate(scored, HEADS, Goal(wrong_rate=0.1, out_of_scope_share=0.2), None)
    assert expected.bound is None and "out of scope" in expected.no_bound_reason


def test_rows_without_any_tool_are_refused():
    with pytest.raises(DataError, match="no calibration row belongs to a tool") as raised:
        calibrate(some(make(), np.arange(600) >= 400), HEADS, Goal(), None)
    assert "--calibrate" in raised.value.hint


def test_the_expected_share_weighs_the_rows():
    scored = make(accuracy=0.85)
    fitted = {share: calibrate(scored, HEADS, Goal(out_of_scope_share=share), None) for share in (0.05, 0.6)}
    assert [each.out_of_scope_share for each in fitted.values()] == [0.05, 0.6]
    p = {}
    for share, each in fitted.items():
        right = scored.right
        p[share] = call_probability(scored.log_p(HEADS, Temperatures.of(each)), each.platt_slope, each.platt_intercept)
        # What is said is what is true, in a world with that share.
        weights = scope_weights(scored.in_scope, share)
        assert np.average(p[share], weights=weights) == pytest.approx(np.average(right, weights=weights), abs=0.02)
    assert p[0.6].mean() < p[0.05].mean()


def test_a_model_without_a_row_for_none_of_these_is_calibrated_too():
    heads, scored = Heads(tools=("a", "b", "c")), make(columns=3, outside=0)
    outside = np.random.default_rng(8).normal(0, 1, (200, 3)).astype("f4")
    both = joined(scored, scored_of(outside, np.full(200, -1), np.zeros(200, bool)))
    assert both.none == -1
    fitted = calibrate(both, heads, Goal(), None)
    accepted = accepts(both, fitted, heads)
    assert accepted[:400].mean() > accepted[400:].mean() + 0.1
    assert not both.right[400:].any() and not both.decided_right()[400:].any()


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 60), st.integers(0, 60), st.floats(0, 1), st.floats(0.1, 60), st.integers(0, 1000))
def test_whatever_the_scores_the_probabilities_are_probabilities(inside, outside, accuracy, sharp, seed):
    scored = make(inside, outside, accuracy, sharp, seed)
    fitted = calibrate(scored, HEADS, Goal(), None)
    numbers = (fitted.tool_temperature, fitted.platt_slope, fitted.platt_intercept, fitted.threshold)
    assert np.isfinite(numbers).all() and fitted.tool_temperature > 0 and fitted.platt_slope > 0
    assert 0 <= fitted.threshold <= 1
    selector = Selector(HEADS, fitted)
    best = [selector.select(row.copy()) for row in scored.logits]
    assert all(0 < each.ranking[0].probability < 1 for each in best)


class FakeEncoder:
    """Runs words as if they were scores."""

    def encode(self, text):
        return "too_long" if "long" in text else Encoded(text, [len(text)], [(0, len(text))])

    def run(self, encoded):
        tools = np.array([encoded.ids[0], 0, 0, 1.5], dtype="f4")
        return Scores(tools, np.zeros(0, dtype="f4"), np.zeros((1, 0), dtype="f4"))


def fake(heads):
    """Reads the calls of tools without parameters."""
    trained = [TrainedTool(name, "", {"type": "object", "properties": {}}, "") for name in heads.tools if name]
    return Interpreter(FakeEncoder(), heads, NEUTRAL, trained)


def test_rows_are_scored_one_by_one_and_in_order():
    rows = [Row("xx", "a"), Row("too long", "b"), Row("x", None)]
    scored = score(fake(HEADS), HEADS, rows)
    assert scored.logits.tolist() == [[2, 0, 0, 1.5], [0, 0, 0, 0], [1, 0, 0, 1.5]]
    assert scored.ran.tolist() == [True, False, True]
    assert scored.gold.tolist() == [0, 1, NONE] and scored.in_scope.tolist() == [True, True, False]
    assert scored.none == NONE and scored.calls == ("a()", "", "a()")
    assert scored.decisions() == ["a()", "", ""]
    assert scored.right.tolist() == scored.tool_right(HEADS).tolist() == [True, False, False]
    # What never reached the engine is decided rightly by nobody, and "none of these" out of scope is right.
    assert scored.decided_right().tolist() == [True, False, True]
    assert scored.log_p(HEADS, Temperatures())[1] == -np.inf
    without = Heads(tools=("a", "b", "c", "d"))
    scored = score(fake(without), without, rows)
    assert scored.gold.tolist() == [0, 1, -1] and scored.none == -1
    assert scored.decided_right().tolist() == [True, False, False]


def test_arguments_are_scored_too():
    """Of a real graph: every word and every choice is there, and a call is right with its arguments only."""
    machine = small.interpreter()
    rows = [
        Row("set a timer ten minutes", "set_timer", {"minutes": 10}),
        Row("set a timer ten minutes", "set_timer", {"minutes": 5}),
        Row("lamp on", "lamp_on"),
        Row("timer zero", "set_timer"),
        Row("loud timer", "set_timer", {"loud": True}),
    ]
    scored = score(machine, small.HEADS, rows)
    assert scored.right.tolist() == [True, False, True, False, True]
    assert scored.tool_right(small.HEADS).all()
    assert scored.calls[0] == "set_timer(minutes=10)" and scored.calls[2] == "lamp_on()"
    assert scored.slots.row.tolist() == [0] * 5 + [1] * 5 + [3] * 2 + [4] * 2
    assert scored.slots.taken.tolist() == [0, 0, 0, 3, 0, 0, 0, 0, 3, 0, 0, 3, 0, 0]
    assert scored.choices.row.tolist() == [0, 1, 3, 4] and scored.choices.taken.tolist() == [0, 0, 0, 2]
    log_p = scored.log_p(small.HEADS, Temperatures(2.0, 3.0, 0.5))
    fitted = small.calibration(tool_temperature=2.0, slot_temperature=3.0, choice_temperature=0.5)
    device = small.interpreter(calibration=fitted)
    found = [device.interpret(row.text, NOW).log_p for row in rows]
    assert log_p == pytest.approx(found, rel=1e-6, abs=1e-9)


def test_the_grid_of_thresholds_runs_from_strict_to_loose():
    assert (np.diff(module._LOG_P_GRID) < 0).all() and (module._LOG_P_GRID < 0).all()
