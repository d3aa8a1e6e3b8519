"""The gate: refuses a real loss over the budget, and nothing else."""

import json
import math

import numpy as np
import pytest
from edgefn.export.gate import DEFAULT_BUDGET, SIGNIFICANCE, Candidate, GateReport, Side, alternate, compare
from edgefn.export.scoring import NEUTRAL
from scipy.stats import binomtest

from edgefn.encoder import Encoded, Scores
from edgefn.errors import DataError, GateRefused
from edgefn.interpreter import Interpreter
from edgefn.manifest import Heads, TrainedTool
from edgefn.rows import Row

HEADS = Heads(
    tools=("a", "b", None),
    choices=(("loud", "boolean", None), ("loud", "boolean", "false"), ("loud", "boolean", "true")),
)
SIDE = Side(megabytes=1.0, p50_ms=1.0, tool_accuracy=1.0, exact_call=1.0, auroc=1.0, ece=0.0)
SCHEMAS = {"a": {}, "b": {"loud": {"type": "boolean"}}}


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
    """Gives known scores for known texts: of the tools, and of the one choice where it is told."""

    def __init__(self, scores, choices=None):
        self.scores = [np.asarray(each, dtype="f4") for each in scores]
        self.choices = [np.asarray(each, dtype="f4") for each in choices or [[9, 0, 0]] * len(scores)]
        self.runs = 0

    def encode(self, text):
        return "too_long" if text == "long" else Encoded(text, [int(text)], [(0, len(text))])

    def run(self, encoded):
        self.runs += 1
        at = encoded.ids[0]
        return Scores(self.scores[at], self.choices[at], np.zeros((1, 0), dtype="f4"))


def candidate(encoder, size=10):
    """What is measured: a graph, and what reads its calls."""
    trained = [TrainedTool(name, "", {"type": "object", "properties": each}, "") for name, each in SCHEMAS.items()]
    return Candidate(Interpreter(encoder, HEADS, NEUTRAL, trained), size)


A, B, NONE = [4, 0, 0], [0, 4, 0], [0, 0, 4]
ROWS = [Row("0", "a"), Row("1", "b"), Row("2", None), Row("3", "a")]


def test_flips_are_listed_with_texts_and_sides():
    before = candidate(FakeEncoder([A, B, NONE, B]), 2_000_000)
    after = candidate(FakeEncoder([NONE, B, A, A]), 500_000)
    made, scored = compare(before, after, HEADS, ROWS)
    flips = [(flip.text, flip.gold, flip.before, flip.after) for flip in made.flips]
    assert flips == [("0", "a()", "a()", ""), ("2", "", "", "a()"), ("3", "a()", "b()", "a()")]
    assert (made.rows, made.worse, made.better) == (4, 2, 1)
    assert (made.before.megabytes, made.after.megabytes) == (2.0, 0.5)
    assert (made.before.tool_accuracy, made.after.tool_accuracy) == (pytest.approx(2 / 3), 1.0)
    assert scored.logits.tolist() == [NONE, B, A, A]
    plain = json.loads(json.dumps(made.to_json()))
    assert plain["flips"][0] == {"text": "0", "gold": "a()", "before": "a()", "after": ""}
    assert plain["loss_points"] == 25.0 and plain["p_value"] == made.p_value


def test_another_argument_is_a_flip():
    """The same tools on both sides, and one choice that quantization turned."""
    rows = [Row("0", "b", {"loud": True}), Row("1", "b"), Row("2", "a"), Row("3", "b", {"loud": False})]
    loud, quiet, unsaid = [0, 0, 9], [0, 9, 0], [9, 0, 0]
    before = candidate(FakeEncoder([B, B, A, B], [loud, unsaid, unsaid, unsaid]))
    after = candidate(FakeEncoder([B, B, A, B], [quiet, unsaid, loud, quiet]))
    made, scored = compare(before, after, HEADS, rows)
    flips = [(flip.text, flip.gold, flip.before, flip.after) for flip in made.flips]
    assert flips == [
        ("0", "b(loud=True)", "b(loud=True)", "b(loud=False)"),
        ("3", "b(loud=False)", "b()", "b(loud=False)"),
    ]
    assert (made.worse, made.better) == (1, 1)
    assert made.before.tool_accuracy == made.after.tool_accuracy == 1.0
    assert made.before.exact_call == made.after.exact_call == 0.75
    assert scored.right.tolist() == [False, True, True, True]


def test_the_same_graph_flips_nothing():
    encoder = FakeEncoder([A, B, NONE, B])
    made, _ = compare(candidate(encoder), candidate(encoder), HEADS, ROWS)
    assert made.flips == () and made.loss_points == 0 and made.p_value == 1.0
    assert made.before.tool_accuracy == made.after.tool_accuracy and made.before.ece == made.after.ece
    made.enforce(0.0)


def test_without_rows_out_of_scope_there_is_no_auroc():
    encoder = FakeEncoder([A, B, NONE, B])
    made, _ = compare(candidate(encoder), candidate(encoder), HEADS, [ROWS[0], ROWS[1]])
    assert math.isnan(made.before.auroc)


def test_rows_without_any_tool_are_refused():
    encoder = FakeEncoder([A, B, NONE, B])
    with pytest.raises(DataError):
        compare(candidate(encoder), candidate(encoder), HEADS, [ROWS[2]])


def test_a_text_that_is_never_run_is_wrong_on_both_sides():
    encoder = FakeEncoder([A, B])
    made, scored = compare(candidate(encoder), candidate(encoder), HEADS, [ROWS[0], ROWS[1], Row("long", "b")])
    assert scored.ran.tolist() == [True, True, False]
    assert made.before.tool_accuracy == made.before.exact_call == pytest.approx(2 / 3) and made.flips == ()


def test_the_two_take_turns():
    first, second = FakeEncoder([A, B]), FakeEncoder([A, B])
    times = alternate(first, second, ["0", "1", "long", "0"], runs=3)
    assert (first.runs, second.runs) == (2, 2)
    assert all(each > 0 for each in times)
    assert all(math.isnan(each) for each in alternate(first, second, ["long"]))
