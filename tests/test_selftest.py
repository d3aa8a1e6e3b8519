"""Clear-cut decisions, arguments and all, are written down, read back, and found again or reported."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tiny

from edgefn.errors import BundleCorrupt
from edgefn.interpreter import Interpreter
from edgefn.selection import log_softmax
from edgefn.selftest import LEAST_MARGIN, SelftestRow, decide, flips, rows_from, rows_to


def interpreter(**changed: float) -> Interpreter:
    return tiny.interpreter(calibration=tiny.calibration(**changed))


@pytest.fixture(scope="module")
def machine() -> Interpreter:
    return interpreter()


def test_every_utterance_is_decided_and_far_from_flipping(machine):
    for text, right in tiny.UTTERANCES.items():
        row = decide(machine, text)
        assert (row.text, row.tool, row.arguments) == (text, right, {})
        assert row.margin > 1


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("set a timer ten minutes", {"minutes": 10}),
        ("pasta water timer five", {"label": "pasta water", "minutes": 5}),
        ("loud timer", {"loud": True}),
        ("timer zero", {}),
    ],
)
def test_arguments_are_part_of_the_decision(machine, text, arguments):
    row = decide(machine, text)
    assert (row.tool, row.arguments) == ("set_timer", arguments)
    assert row.margin > LEAST_MARGIN
    assert rows_from(rows_to([row])) == [row]
    assert row.decision == f"set_timer({', '.join(f'{name}={arguments[name]!r}' for name in sorted(arguments))})"


def test_margin_is_the_distance_in_log_odds(machine):
    refused = decide(machine, "on off")
    p = np.exp(log_softmax(machine.encoder.run(machine.encoder.encode("on off")).tool_logits)).max()
    # What P(call) must be for Platt's map (4 · log P + 3) to give the threshold of 0.7.
    least = math.exp((math.log(0.7 / 0.3) - 3) / 4)
    assert refused.tool is None
    assert refused.margin == pytest.approx(math.log(least / (1 - least)) - math.log(p / (1 - p)), rel=1e-4)
    tied = decide(interpreter(threshold=0.5), "on off")
    assert tied.tool is not None
    assert tied.margin == pytest.approx(0, abs=1e-4)  # the runner-up is as near as can be


def test_another_value_may_be_nearer_than_another_tool():
    machine = interpreter(threshold=0.1)
    found = machine.encoder.run(machine.encoder.encode("timer timer loud"))
    assert np.sort(found.choice_logits)[-2:] == pytest.approx([found.choice_logits.max()] * 2, abs=1e-4)
    assert np.sort(found.tool_logits)[-2:] != pytest.approx([found.tool_logits.max()] * 2, abs=1)
    row = decide(machine, "timer timer loud")
    assert row.tool == "set_timer"
    assert row.margin == pytest.approx(0, abs=1e-4)


def test_text_that_never_reaches_the_engine_has_no_margin(machine):
    for text in ("", "你好", "lamp " * 100):
        assert decide(machine, text) == SelftestRow(text, None, {}, 0.0)


def test_a_certain_decision_has_a_finite_margin():
    for threshold in (0.0, 1.0):
        for text in ("lamp on", "weather", "loud timer ten"):
            assert np.isfinite(decide(interpreter(threshold=threshold), text).margin)


def test_flips(machine):
    rows = rows_from(tiny.selftest())
    assert flips(machine, rows) == []
    wrong = [SelftestRow("lamp on", "lamp_off", {}, 3.0), SelftestRow("weather", "lamp_on", {}, 3.0)]
    found = flips(machine, wrong)
    assert [(flip.row, flip.here.tool) for flip in found] == [(wrong[0], "lamp_on"), (wrong[1], None)]
    assert list(map(str, found)) == ["'lamp on': lamp_off() became lamp_on()", "'weather': lamp_on() became none"]
    assert len(flips(interpreter(threshold=0.99), rows)) == 6


def test_another_argument_is_a_flip(machine):
    said = "set a timer ten minutes"
    right = SelftestRow(said, "set_timer", {"minutes": 10}, 3.0)
    wrong = [SelftestRow(said, "set_timer", arguments, 3.0) for arguments in ({}, {"minutes": 5}, {"minutes": "10"})]
    wrong += [SelftestRow(said, "set_timer", {"minutes": 10, "loud": False}, 3.0)]
    assert [flip.row for flip in flips(machine, [right, *wrong])] == wrong
    assert str(flips(machine, wrong)[1]) == f"{said!r}: set_timer(minutes=5) became set_timer(minutes=10)"


def test_rows_that_are_near_flipping_are_not_run(machine):
    near = SelftestRow("lamp on", "lamp_off", {}, LEAST_MARGIN - 1e-9)
    at = SelftestRow("lamp on", "lamp_off", {}, LEAST_MARGIN)
    assert [flip.row for flip in flips(machine, [near, at])] == [at]


def test_round_trip():
    rows = [
        SelftestRow("turn\nthe lamp", "lamp_on", {}, 1.5),
        SelftestRow("separators \u2028 \u2029 \x85 \x0b \x1e \r", None, {}, 0.0),
        SelftestRow('"quoted" 🎉 \\', "lamp_off", {"when": "18:30", "deep": [1, {"ü": None}], "on": True}, 1e-9),
        SelftestRow("", None, {}, 3.0),
    ]
    assert rows_from(rows_to(rows)) == rows
    assert rows_from(rows_to([])) == rows_from(b"") == []


@pytest.mark.parametrize(
    "content",
    [
        *(b"not json\n", b"\xff\n", b"{}\n", b"[]\n", b"5\n", b'{"text": "a", "tool": null}\n'),
        *(b'{"text": "a", "x": 1}', b'{"text": "a", "tool": null, "margin": 1.0}\n'),
    ],
)
def test_what_is_no_selftest(content):
    with pytest.raises(BundleCorrupt, match=r"selftest\.jsonl cannot be read") as caught:
        rows_from(content)
    assert caught.value.hint
