"""The gate: refuses a real loss over the budget, and nothing else."""

import json
import math

import numpy as np
import pytest
from edgefn.export.gate import DEFAULT_BUDGET, SIGNIFICANCE, Candidate, GateReport, Side, alternate, compare
from scipy.stats import binomtest

from edgefn.errors import DataError, GateRefused
from edgefn.manifest import Heads
from edgefn.rows import Row

HEADS = Heads(tools=("a", "b", None))
SIDE = Side(megabytes=1.0, p50_ms=1.0, tool_accuracy=1.0, auroc=1.0, ece=0.0)


def report(worse, better, rows=1000):
    return GateReport(SIDE, SIDE, rows, (), worse, better)


@pytest.mark.parametrize(("worse", "better"), [(0, 0), (1, 0), (4, 0), (20, 4), (5, 5), (0, 7), (30, 21)])
def test_the_p_value_is_the_exact_tests(worse, better):
    got = report(worse, better).p_value
    if worse + better == 0:
        assert got == 1.0
    else:
        assert got == pytest.approx(binomtest(worse, worse + better, 0.5, alternative="greater").pvalue)
        assert got == pytest.approx(
            sum(math.comb(worse + better, k) for k in range(worse, worse + better + 1)) / 2 ** (worse + better)
        )


def test_the_loss_is_counted_in_points():
    assert report(8, 3).loss_points == pytest.approx(0.5)
    assert report(3, 8).loss_points == pytest.approx(-0.5)
    assert report(0, 0, rows=0).loss_points == 0


@pytest.mark.parametrize(("worse", "better", "rows"), [(20, 2, 1000), (6, 0, 1000), (4, 0, 100)])
def test_a_real_loss_over_the_budget_is_refused(worse, better, rows):
    with pytest.raises(GateRefused) as raised:
        report(worse, better, rows).enforce(DEFAULT_BUDGET)
    assert f"{worse} decisions got worse, {better} better" in raised.value.message
    assert "fp16" in raised.value.hint and "--budget" in raised.value.hint


@pytest.mark.parametrize(
    ("worse", "better", "rows"),
    [
        (2, 0, 100),  # two points, but two rows may be chance
        (12, 8, 300),  # over the budget, flips on both sides
        (5, 0, 1000),  # certain, and within the budget
        (0, 50, 1000),  # better
        (0, 0, 10),
    ],
)
def test_what_may_be_chance_or_is_within_the_budget_is_let_through(worse, better, rows):
    made = report(worse, better, rows)
    assert made.loss_points <= DEFAULT_BUDGET or made.p_value > SIGNIFICANCE
    made.enforce(DEFAULT_BUDGET)


def test_the_budget_is_the_users():
    made = report(20, 2)
    made.enforce(2.0)
    with pytest.raises(GateRefused):
        made.enforce(0.0)


class FakeEncoder:
    """Gives known scores for known texts."""

    def __init__(self, scores):
        self.scores = [np.asarray(each, dtype="f4") for each in scores]
        self.runs = 0

    def encode(self, text):
        return "too_long" if text == "long" else [int(text)]

    def run(self, ids):
        self.runs += 1
        return type("Scores", (), {"tool_logits": self.scores[ids[0]]})()


A, B, NONE = [4, 0, 0], [0, 4, 0], [0, 0, 4]
ROWS = [Row("0", "a"), Row("1", "b"), Row("2", None), Row("3", "a")]


def test_flips_are_listed_with_texts_and_sides():
    before = Candidate(FakeEncoder([A, B, NONE, B]), 2_000_000)
    after = Candidate(FakeEncoder([NONE, B, A, A]), 500_000)
    made, scored = compare(before, after, HEADS, ROWS)
    flips = [(flip.text, flip.gold, flip.before, flip.after) for flip in made.flips]
    assert flips == [("0", "a", "a", None), ("2", None, None, "a"), ("3", "a", "b", "a")]
    assert (made.rows, made.worse, made.better) == (4, 2, 1)
    assert (made.before.megabytes, made.after.megabytes) == (2.0, 0.5)
    assert (made.before.tool_accuracy, made.after.tool_accuracy) == (pytest.approx(2 / 3), 1.0)
    assert scored.logits.tolist() == [NONE, B, A, A]
    plain = json.loads(json.dumps(made.to_json()))
    assert plain["flips"][0] == {"text": "0", "gold": "a", "before": "a", "after": None}
    assert plain["loss_points"] == 25.0 and plain["p_value"] == made.p_value


def test_the_same_graph_flips_nothing():
    encoder = FakeEncoder([A, B, NONE, B])
    made, _ = compare(Candidate(encoder, 10), Candidate(encoder, 10), HEADS, ROWS)
    assert made.flips == () and made.loss_points == 0 and made.p_value == 1.0
    assert made.before.tool_accuracy == made.after.tool_accuracy and made.before.ece == made.after.ece
    made.enforce(0.0)


def test_without_rows_out_of_scope_there_is_no_auroc():
    encoder = FakeEncoder([A, B, NONE, B])
    made, _ = compare(Candidate(encoder, 10), Candidate(encoder, 10), HEADS, [ROWS[0], ROWS[1]])
    assert math.isnan(made.before.auroc)


def test_rows_without_any_tool_are_refused():
    encoder = FakeEncoder([A, B, NONE, B])
    with pytest.raises(DataError):
        compare(Candidate(encoder, 10), Candidate(encoder, 10), HEADS, [ROWS[2]])


def test_a_text_that_is_never_run_is_wrong_on_both_sides():
    encoder = FakeEncoder([A, B])
    made, scored = compare(Candidate(encoder, 1), Candidate(encoder, 1), HEADS, [ROWS[0], ROWS[1], Row("long", "b")])
    assert scored.ran.tolist() == [True, True, False]
    assert made.before.tool_accuracy == pytest.approx(2 / 3) and made.flips == ()


def test_the_two_take_turns():
    first, second = FakeEncoder([A, B]), FakeEncoder([A, B])
    times = alternate(first, second, ["0", "1", "long", "0"], runs=3)
    assert (first.runs, second.runs) == (2, 2)
    assert all(each > 0 for each in times)
    assert all(math.isnan(each) for each in alternate(first, second, ["long"]))
