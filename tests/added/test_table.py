"""All added tools at one moment: never changed, only replaced; trained logits are left as they are."""

from __future__ import annotations

import numpy as np
import pytest
import tiny

from edgefn.added.table import Correction, Table

EMPTY = Table(trained=tiny.HEADS.tools, scale=tiny.HEADS.scale, bias=-1.0, example_bias=-3.0)
FAN, GATE = tiny.described("fan", "Spin the fan."), tiny.described("gate", "Close the gate.")


@pytest.fixture(scope="module")
def maker():
    return tiny.row_maker()


@pytest.fixture(scope="module")
def scores(maker):
    return lambda text: maker.scores(text, "")


def test_nothing_was_added():
    assert not EMPTY
    assert EMPTY.names == tiny.HEADS.tools


def test_logits_by_the_formula(maker, scores):
    fan, gate = maker.rows(FAN), maker.rows(GATE, ["gate gate", "the gate"])
    table = EMPTY.with_tools([fan, gate])
    assert table.names == (*tiny.HEADS.tools, "fan", "gate")
    said = scores("spin the gate lamp on")
    logits = table.logits(said)
    assert logits.dtype == np.float32
    assert np.array_equal(logits[:4], said.tool_logits)
    assert logits[4] == pytest.approx(20 * fan.row @ said.embedding - 1, abs=1e-5)
    assert logits[5] == pytest.approx(20 * gate.row @ said.embedding - 1 - 3 * 2 / 3, abs=1e-5)


def test_a_table_is_never_changed(maker, scores):
    one = EMPTY.with_tools([maker.rows(FAN)])
    before = one.logits(scores("fan"))
    one.with_tools([maker.rows(GATE)])
    one.with_tools([maker.rows(tiny.described("fan", "Close the gate."))])
    one.without("fan")
    one.corrected(Correction("lamp_on", "fan", scores("fan").embedding))
    assert not EMPTY
    assert one.names == (*tiny.HEADS.tools, "fan")
    assert np.array_equal(one.logits(scores("fan")), before)


def test_taken_out_again(maker, scores):
    both = EMPTY.with_tools([maker.rows(FAN), maker.rows(GATE)])
    left = both.without("fan")
    assert left.names == (*tiny.HEADS.tools, "gate")
    assert left.logits(scores("gate"))[4] == both.logits(scores("gate"))[5]
    assert not left.without("gate")


def test_one_of_a_name_takes_the_place_of_the_other(maker, scores):
    both = EMPTY.with_tools([maker.rows(FAN), maker.rows(GATE)])
    again = both.with_tools([maker.rows(tiny.described("fan", "Close the gate."))])
    assert again.names == both.names
    assert again.logits(scores("gate"))[4] > both.logits(scores("gate"))[4] + 5


def test_a_correction_raises_one_trained_logit_and_lowers_none(scores):
    table = EMPTY.corrected(Correction("lamp_off", "fan", scores("fan").embedding))
    assert table and table.names == tiny.HEADS.tools
    same, far = scores("fan"), scores("lamp on")
    assert table.logits(same)[1] == pytest.approx(20 - 1 - 3, abs=1e-4)
    assert np.array_equal(np.delete(table.logits(same), 1), np.delete(same.tool_logits, 1))
    assert np.all(table.logits(far) >= far.tool_logits)
    said = scores("lamp off")
    assert table.logits(said)[1] == said.tool_logits[1]  # its own row is nearer


def test_a_correction_to_none(scores):
    table = EMPTY.corrected(Correction(None, "lamp on", scores("lamp on").embedding))
    assert table.logits(scores("lamp on"))[3] == pytest.approx(16, abs=1e-4)


def test_the_last_correction_of_a_text_counts(scores):
    embedding = scores("fan").embedding
    table = EMPTY.corrected(Correction("lamp_on", "fan", embedding)).corrected(Correction("lamp_off", "fan", embedding))
    logits = table.logits(scores("fan"))
    assert [each.tool for each in table.corrections] == ["lamp_off"]
    assert logits[1] > 10 > logits[0]
    assert not table.uncorrected("fan")
    assert table.uncorrected("gate").corrections == table.corrections


def test_corrections_outlive_tools(maker, scores):
    table = EMPTY.corrected(Correction("lamp_on", "door", scores("door").embedding)).with_tools([maker.rows(FAN)])
    assert table.without("fan").logits(scores("door"))[0] == table.logits(scores("door"))[0] > 10
