"""Rows of one added tool by the formula of the graph: a row taken out of the graph gives the same logits here."""

from __future__ import annotations

import dataclasses
from datetime import datetime

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.added.table import Table
from edgefn.added.toolrows import EXPECTED_BEGIN, EXPECTED_INSIDE, NEVER, ToolRows, pooled, stacked, unit
from edgefn.interpreter import Interpreter
from edgefn.manifest import Heads
from edgefn.words import Word

NOW = datetime(2026, 11, 18, 10, 30)
EYE = np.eye(tiny.DIM, dtype=np.float32)
PASTA = {"type": "string", "description": "pasta"}
FIVE = {"type": "integer", "description": "five"}
WAY = {"type": "string", "enum": ["open", "close"], "description": "way"}
TEXTS = ["pasta water timer", "a loud pasta timer", "the quiet lamp", "water pasta please", "five minutes", "timer"]


@pytest.fixture(scope="module")
def maker():
    return tiny.row_maker()


def read(tool, text, examples=(), **changed):
    """Return what a text gives to an added tool."""
    maker = tiny.row_maker(**changed)
    interpreter = Interpreter.of(tiny.manifest(makers=tiny.makers(**changed)), maker.encoder)
    interpreter.table = interpreter.table.with_tools([maker.rows(tool, examples)])
    encoded = maker.encoder.encode(text)
    return interpreter.fill(tool.name, encoded, interpreter.run(encoded), NOW)


def given_rows(**changed) -> ToolRows:
    """Return the timer's rows of the graph, as an added tool's."""
    nothing = tiny.makers(begin_bias=0.0, inside_bias=0.0, value_bias=0.0, unsaid_bias=0.0, named_bonus=0.0)
    rows = ToolRows(
        tool=tiny.described("again", "Again.", label=PASTA, loud={"type": "boolean"}),
        described=EYE[2],
        heads=Heads(("again",), choices=tiny.HEADS.choices, slots=tiny.HEADS.slots[:3]),
        slots=EYE[[6, 7]],
        choices=np.stack([EYE[2] / 2, EYE[9], EYE[8]]),
        makers=nothing,
        texts=(),
        examples=np.zeros((0, tiny.DIM), np.float32),
        against=np.zeros((0, 4), np.float32),
    )
    return dataclasses.replace(rows, **changed)


@pytest.mark.parametrize("text", TEXTS)
def test_rows_taken_out_of_the_graph_give_its_logits(maker, text):
    rows = given_rows()
    encoded = maker.encoder.encode(text)
    scores = maker.encoder.run(encoded, embeddings=True)
    table = Table(trained=tiny.HEADS.tools, scale=tiny.HEADS.scale, bias=0.0, example_bias=0.0).with_tools([rows])
    words, own = rows.scores(encoded, scores)
    assert words == encoded.words
    assert table.logits(scores)[4] == pytest.approx(scores.tool_logits[2], abs=1e-4)
    assert np.allclose(own.slot_logits, scores.slot_logits[:, :3], atol=1e-4)
    assert np.allclose(own.choice_logits, scores.choice_logits, atol=1e-4)
    assert own.tool_logits is scores.tool_logits


@pytest.mark.parametrize("text", TEXTS)
def test_and_the_same_arguments(maker, text):
    interpreter = Interpreter.of(tiny.manifest(), maker.encoder)
    interpreter.table = interpreter.table.with_tools([given_rows()])
    encoded = maker.encoder.encode(text)
    scores = interpreter.run(encoded)
    trained, added = (interpreter.fill(name, encoded, scores, NOW).arguments for name in ("set_timer", "again"))
    assert added == {name: value for name, value in trained.items() if name != "minutes"}


# Arguments


def test_words_fill_parameters():
    tool = tiny.described("eat", "Eat.", dish=PASTA, count=FIVE)
    assert read(tool, "five pasta water please").arguments == {"dish": "pasta water", "count": 5}
    assert read(tool, "please").arguments == {}


def test_two_spans_for_one_value_are_one():
    tool = tiny.described("eat", "Eat.", dish=PASTA)
    filled = read(tool, "pasta water the pasta")
    assert filled.arguments == {"dish": "pasta water"}
    assert len(filled.spans) == 1


def test_a_list_keeps_them_all():
    tool = tiny.described("eat", "Eat.", dishes={"type": "array", "items": {"type": "string"}, "description": "pasta"})
    assert read(tool, "pasta water the pasta").arguments == {"dishes": ["pasta water", "pasta"]}


def test_a_number_is_never_a_word_that_is_none():
    for schema in (FIVE, {"type": "number", "description": "five"}):
        assert read(tiny.described("eat", "Eat.", count={**schema, "description": "pasta"}), "pasta").spans == ()
    text = {"type": "string", "description": "pasta"}
    assert read(tiny.described("eat", "Eat.", count=text), "pasta").arguments == {"count": "pasta"}


def test_masked_words_are_impossible(maker):
    rows = maker.rows(tiny.described("eat", "Eat.", count={**FIVE, "description": "pasta"}))
    encoded = maker.encoder.encode("pasta five")
    _, own = rows.scores(encoded, maker.encoder.run(encoded, embeddings=True))
    assert own.slot_logits[1, 1:].tolist() == [NEVER, NEVER]
    assert np.all(own.slot_logits[2] > NEVER)


def test_closed_parameters():
    tool = tiny.described("gate", "Gate.", way=WAY)
    assert read(tool, "open the gate").arguments == {"way": "open"}
    assert read(tool, "close the gate").arguments == {"way": "close"}
    assert read(tool, "the gate").arguments == {}


def test_a_value_that_is_named_has_a_bonus(maker):
    rows = maker.rows(tiny.described("gate", "Gate.", way={"enum": ["the gate", "a lamp"], "description": "way"}))
    encoded = maker.encoder.encode("open the Gate")
    scores = maker.encoder.run(encoded, embeddings=True)
    _, own = rows.scores(encoded, scores)
    bare = 20 * (rows.choices @ scores.embedding) + [8, 0, 0]
    assert np.allclose(own.choice_logits - bare, [0, 0, 4], atol=1e-4)
    assert rows.heads.choices[2][2] == "the gate"


def test_a_required_parameter_is_expected(maker):
    told, free = (maker.rows(tiny.described("eat", "Eat.", required, dish=PASTA)) for required in (["dish"], []))
    encoded = maker.encoder.encode("pasta water")
    scores = maker.encoder.run(encoded, embeddings=True)
    one, other = (rows.scores(encoded, scores)[1].slot_logits for rows in (told, free))
    assert np.allclose(one - other, [0, EXPECTED_BEGIN, EXPECTED_INSIDE], atol=1e-4)


def test_a_required_choice_has_a_bias_of_its_own(maker):
    own = tiny.row_maker(required_unsaid_bias=-50.0)
    told, free = (tiny.described("gate", "Gate.", required, way=WAY) for required in (["way"], []))
    encoded = maker.encoder.encode("the gate")
    scores = maker.encoder.run(encoded, embeddings=True)
    one, other = (own.rows(each).scores(encoded, scores)[1].choice_logits for each in (told, free))
    assert np.allclose(one - other, [-58, 0, 0], atol=1e-4)


def test_support_is_that_of_what_is_required(maker):
    for required, text, support in ([["dish"], "pasta", 1], [["dish"], "please", 0], [[], "please", 1]):
        tool = tiny.described("eat", "Eat.", required, dish=PASTA, count=FIVE)
        assert maker.rows(tool).support(read(tool, text)) == pytest.approx(support, abs=1e-3)
    both = tiny.described("eat", "Eat.", ["dish", "count", "where"], dish=PASTA, count=FIVE, where={"type": "object"})
    assert maker.rows(both).support(read(both, "pasta")) == pytest.approx(0.5, abs=1e-3)


def test_objects_are_never_filled():
    tool = tiny.described("eat", "Eat.", dish={"type": "object", "description": "pasta"})
    assert read(tool, "pasta").arguments == {}
    both = tiny.described("eat", "Eat.", a={"type": "object", "description": "pasta"}, b=PASTA)
    assert read(both, "pasta").arguments == {"b": "pasta"}


@pytest.mark.parametrize(("threshold", "expected"), [(0.5, {"dish": "pasta"}), (0.6, {})])
def test_a_doubtful_argument_is_dropped(threshold, expected):
    calibration = tiny.added_calibration(argument_threshold=threshold)
    filled = read(tiny.described("eat", "Eat.", dish=PASTA), "pasta", begin_bias=-19.6, calibration=calibration)
    assert filled.arguments == expected
    assert {each.parameter for each in filled.evidence} == expected.keys()


# Examples


def test_with_and_without_an_example(maker):
    rows = maker.rows(tiny.described("fan", "Spin."), ["fan"])
    more = rows.with_example("gate", maker.scores("gate", "fan"))
    assert more.texts == ("fan", "gate")
    assert more.row[tiny.FREE["gate"]] > rows.row[tiny.FREE["gate"]]
    assert more.with_example("gate", maker.scores("gate", "fan")) is more
    again = more.without_example("gate")
    assert again.texts == ("fan",)
    assert np.array_equal(again.row, rows.row)
    assert again.without_example("fan").row.tolist() == maker.rows(tiny.described("fan", "Spin.")).row.tolist()
    made = maker.rows(tiny.described("fan", "Spin."), ["fan", "gate"])
    assert np.array_equal(made.row, more.row)
    assert np.array_equal(made.against, more.against)


# Several words as one


def test_a_group_speaks_with_one_voice():
    logits = np.array([[0, 4, 0], [2, 0, 6], [9, 9, 9]], np.float32)
    words = [Word(at, at, at + 1) for at in range(3)]
    together = pooled(logits, words, [[0, 1], [2]])
    assert together[0].tolist() == [1, 5, 3]
    assert together[2].tolist() == [9, 9, 9]
    assert logits[0].tolist() == [0, 4, 0]


def test_what_belongs_together_is_one_word(maker):
    rows = maker.rows(tiny.described("eat", "Eat.", dish=PASTA))
    encoded = maker.encoder.encode("the pasta-water now")
    words, _ = rows.scores(encoded, maker.encoder.run(encoded, embeddings=True))
    assert [encoded.text[each.start : each.end] for each in words] == ["the", "pasta-water", "now"]
    assert read(rows.tool, "pasta-water please").arguments == {"dish": "pasta-water"}


# Vectors


@given(st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), max_size=4))
def test_unit(rows):
    found = unit(stacked([np.array(each, np.float32) for each in rows], 3))
    assert found.shape == (len(rows), 3)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.all(np.linalg.norm(found, axis=-1) <= 1 + 1e-5)
