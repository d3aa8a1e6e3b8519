"""Where made rows stand beside trained ones, on answers that were made up so that the right bias is known."""

import dataclasses

import numpy as np
import pytest
from edgefn.export.added import UNFITTED
from edgefn.export.fairness import LEAST_ROWS, Answered, best_bias, fair

from edgefn.manifest import Heads, Makers, TrainedTool
from edgefn.rows import Row

TOOLS, EACH, DIM, SCALE = 9, 30, 24, 10.0


def answered(overrated: float) -> Answered:
    """A graph whose trained rows are right, beside descriptions whose logits are too high by `overrated`."""
    draw = np.random.default_rng(3)
    centres = np.linalg.qr(draw.normal(size=(DIM, DIM)))[0][:TOOLS].astype(np.float32)
    gold = np.repeat(np.arange(TOOLS), EACH)
    embeddings = centres[gold] + draw.normal(0, 0.25, (len(gold), DIM)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    logits = SCALE * embeddings @ centres.T - np.float32(overrated)
    return Answered(logits, embeddings, gold, dict(enumerate(centres)), SCALE)


def test_rows_that_stand_as_high_as_trained_ones_stay():
    assert best_bias(answered(0.0), 0) == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize("examples", [0, 5])
def test_rows_that_stand_too_high_come_down_as_far(examples):
    level, high = best_bias(answered(0.0), examples), best_bias(answered(4.0), examples)
    assert high == pytest.approx(level - 4, abs=0.3)


def test_the_same_rows_give_the_same_bias():
    assert best_bias(answered(2.0), 3) == best_bias(answered(2.0), 3)


def test_too_few_tools_or_rows_change_nothing():
    makers = Makers("m", -1.0, 0, 0, 0, 0, 0, 0, 1, 1, dataclasses.replace(UNFITTED, example_bias=0.5))
    tools = [TrainedTool(f"tool_{at}", "A tool.", {"type": "object", "properties": {}}, "") for at in range(2)]
    rows = [Row("text", "tool_0")] * (2 * LEAST_ROWS)
    silent = type("Maker", (), {"encoder": type("Encoder", (), {"encode": staticmethod(lambda text: "encoded")})})()
    assert fair(makers, silent, Heads(("tool_0", "tool_1", None)), tools, rows) is makers
