"""Clear-cut decisions are written down, read back, and found again or reported."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny

from edgefn.errors import BundleCorrupt
from edgefn.selection import Selector, log_softmax
from edgefn.selftest import LEAST_MARGIN, SelftestRow, decide, flips, rows_from, rows_to


@pytest.fixture(scope="module")
def encoder():
    return tiny.encoder()


def selector(**changed: float) -> Selector:
    return Selector(tiny.HEADS, tiny.calibration(**changed))


def test_every_utterance_is_decided_and_far_from_flipping(encoder):
    for text, right in tiny.UTTERANCES.items():
        row = decide(encoder, selector(), text)
        assert (row.text, row.tool) == (text, right)
        assert row.margin > 1


def test_margin_is_the_distance_in_log_odds(encoder):
    refused = decide(encoder, selector(), "on off")
    p = np.exp(log_softmax(encoder.run(encoder.encode("on off")).tool_logits)).max()
    # What P(call) must be for Platt's map (4 · log P + 3) to give the threshold of 0.7.
    least = math.exp((math.log(0.7 / 0.3) - 3) / 4)
    assert refused.tool is None
    assert refused.margin == pytest.approx(math.log(least / (1 - least)) - math.log(p / (1 - p)))
    tied = decide(encoder, selector(threshold=0.5), "on off")
    assert tied.tool is not None
    assert tied.margin == pytest.approx(0, abs=1e-4)  # the runner-up is as near as can be


def test_text_that_never_reaches_the_engine_has_no_margin(encoder):
    for text in ("", "你好", "lamp " * 100):
        assert decide(encoder, selector(), text) == SelftestRow(text, None, 0.0)


def test_a_certain_decision_has_a_finite_margin(encoder):
    for threshold in (0.0, 1.0):
        for text in ("lamp on", "weather"):
            assert np.isfinite(decide(encoder, selector(threshold=threshold), text).margin)


def test_flips(encoder):
    rows = rows_from(tiny.selftest())
    assert flips(encoder, selector(), rows) == []
    wrong = [SelftestRow("lamp on", "lamp_off", 3.0), SelftestRow("weather", "lamp_on", 3.0)]
    assert [(flip.row, flip.here) for flip in flips(encoder, selector(), wrong)] == [
        (wrong[0], "lamp_on"),
        (wrong[1], None),
    ]
    assert len(flips(encoder, selector(threshold=0.99), rows)) == 6


def test_rows_that_are_near_flipping_are_not_run(encoder):
    near = SelftestRow("lamp on", "lamp_off", LEAST_MARGIN - 1e-9)
    at = SelftestRow("lamp on", "lamp_off", LEAST_MARGIN)
    assert [flip.row for flip in flips(encoder, selector(), [near, at])] == [at]


def test_round_trip():
    rows = [
        SelftestRow("turn\nthe lamp", "lamp_on", 1.5),
        SelftestRow("separators \u2028 \u2029 \x85 \x0b \x1e \r", None, 0.0),
        SelftestRow('"quoted" 🎉 \\', "lamp_off", 1e-9),
        SelftestRow("", None, 3.0),
    ]
    assert rows_from(rows_to(rows)) == rows
    assert rows_from(rows_to([])) == rows_from(b"") == []


@pytest.mark.parametrize(
    "content",
    [b"not json\n", b"\xff\n", b"{}\n", b"[]\n", b"5\n", b'{"text": "a", "tool": null}\n', b'{"text": "a", "x": 1}'],
)
def test_what_is_no_selftest(content):
    with pytest.raises(BundleCorrupt, match=r"selftest\.jsonl cannot be read") as caught:
        rows_from(content)
    assert caught.value.hint
