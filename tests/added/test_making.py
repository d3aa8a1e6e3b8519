"""A tool becomes rows: unit, finite, the same everywhere, whatever the order of its schema and its length."""

from __future__ import annotations

import numpy as np
import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn.added.making import RowMaker, choice_keys, slot_keys
from edgefn.errors import EngineError, InvalidUtterance, ToolDefinitionError

STRING = {"type": "string"}
DESCRIBED = {
    "dish": {"type": "string", "description": "pasta"},
    "minutes": {"type": "integer", "description": "five", "minimum": 1, "maximum": 9},
    "way": {"enum": ["open", "close", "spin"], "description": "door", "type": "string"},
    "loud": {"type": "boolean", "description": "loud"},
    "items": {"type": "array", "items": {"type": "string"}, "description": "water"},
    "where": {"type": "object", "description": "gate", "properties": {"x": {"type": "number"}}},
}
NAMES = ("described", "slots", "choices", "examples", "against", "row")


@pytest.fixture(scope="module")
def maker() -> RowMaker:
    return tiny.row_maker()


def same(one, other) -> bool:
    return one.heads == other.heads and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in NAMES)


def direction(word: str) -> np.ndarray:
    return np.eye(tiny.DIM, dtype=np.float32)[{**tiny.PULLS, **tiny.SAYS, **tiny.FREE}[word]]


def test_keys():
    tool = tiny.described("a", "A.", **DESCRIBED)
    slots = [("dish", "string"), ("items", "string"), ("loud", "boolean"), ("minutes", "integer"), ("way", "string")]
    assert slot_keys(tool) == (("O", "", ""), *((tag, *each) for each in slots for tag in "BI"))
    values = [("loud", "boolean", text) for text in (None, "false", "true")]
    values += [("way", "string", text) for text in (None, "close", "open", "spin")]
    assert choice_keys(tool) == tuple(values)
    bare = tiny.described("a", "A.", where={"type": "object"})
    assert (slot_keys(bare), choice_keys(bare)) == ((), ())


def test_a_row_is_the_mean_over_name_and_description(maker):
    rows = maker.rows(tiny.described("fan", "Spin.", dish=DESCRIBED["dish"]))
    mean = 2 * direction("fan") + 0.2 * np.eye(tiny.DIM)[tiny.NEUTRAL]  # two marks mean nothing
    assert np.allclose(rows.described, mean / np.linalg.norm(mean), atol=1e-6)


def test_rows_of_parameters_and_values_go_through_their_matrices(maker):
    rows = maker.rows(tiny.described("fan", "Spin.", dish=DESCRIBED["dish"], way=DESCRIBED["way"]))
    assert np.allclose(rows.slots, [direction("pasta"), direction("water"), direction("door"), np.zeros(tiny.DIM)])
    unsaid = direction("weather")
    assert np.allclose(rows.choices, [unsaid, direction("close"), direction("open"), direction("spin")])


def test_examples_count_as_much_each_as_the_description(maker):
    tool = tiny.described("fan", "Spin.")
    rows = maker.rows(tool, ["gate", "gate", "door gate"])
    assert rows.texts == ("gate", "door gate")
    total = maker.rows(tool).row + maker.scores("gate", "fan").embedding + maker.scores("door gate", "fan").embedding
    assert np.allclose(rows.row, total / np.linalg.norm(total), atol=1e-6)
    assert np.array_equal(rows.against[0], maker.scores("gate", "fan").tool_logits)


def test_a_tool_without_anything(maker):
    rows = maker.rows(tiny.described("_", ""))
    assert (rows.slots.shape, rows.choices.shape, rows.examples.shape) == ((0, tiny.DIM),) * 3
    assert np.linalg.norm(rows.row) == pytest.approx(1)


def test_the_same_tool_has_the_same_rows_whatever_was_made_before(maker):
    tool = tiny.described("fan", "Spin the fan.", **DESCRIBED)
    maker.rows(tiny.described("gate", "Open the gate.", dish=STRING))
    assert same(maker.rows(tool, ["fan"]), tiny.row_maker().rows(tool, ["fan"]))


@settings(max_examples=30)
@given(st.permutations(sorted(DESCRIBED)), st.permutations(["close", "open", "spin"]), st.booleans(), st.data())
def test_the_order_of_a_schema_does_not_matter(keys, values, backwards, data):
    turned = {}
    for key in keys:
        schema = {**DESCRIBED[key], **({"enum": values} if key == "way" else {})}
        turned[key] = {name: schema[name] for name in data.draw(st.permutations(sorted(schema)))}
    required = ["dish", "minutes"][:: -1 if backwards else 1]
    maker = tiny.row_maker()
    one = maker.rows(tiny.described("fan", "Spin the fan.", required, **turned), ["fan spin"])
    other = maker.rows(tiny.described("fan", "Spin the fan.", ["dish", "minutes"], **DESCRIBED), ["fan spin"])
    assert same(one, other)


words = st.sampled_from([*tiny.WORDS[4:-1], "🎉", "x" * 300, "\x00", "灯", "\ud800"]).filter(lambda w: w != tiny.POISON)


@settings(max_examples=40)
@given(st.lists(words, max_size=90), st.lists(st.lists(words, max_size=30), max_size=12))
def test_rows_are_finite_and_unit_or_nothing(description, parameters):
    properties = {
        f"p{at}": {"description": " ".join(each), "enum": sorted(set(each))}
        if at % 2
        else {"description": " ".join(each)}
        for at, each in enumerate(parameters)
    }
    rows = tiny.row_maker().rows(tiny.described("fan", " ".join(description), **properties))
    for each in (rows.row[None], rows.slots, rows.choices):
        lengths = np.linalg.norm(each, axis=1)
        assert np.isfinite(each).all()
        assert np.all(np.isclose(lengths, 1, atol=1e-4) | (lengths < 1e-4))


def test_what_is_cut_off_still_has_a_row(maker):
    values = {"enum": [f"value{at}" for at in range(400)], "description": "door"}
    rows = maker.rows(tiny.described("fan", "Spin.", way=values))
    assert rows.choices.shape == (401, tiny.DIM)
    assert np.isfinite(rows.choices).all()


def test_many_parameters_are_read_in_several_texts(maker):
    properties = {f"p{at:03}": {"type": "string", "description": "pasta " * 20} for at in range(60)}
    rows = maker.rows(tiny.described("fan", "Spin.", **properties))
    assert np.allclose(rows.slots[0::2], direction("pasta"))
    assert np.allclose(rows.slots[1::2], direction("water"))


def test_a_text_that_breaks_the_graph_makes_no_rows(maker):
    for tool in (tiny.described("fan", tiny.POISON), tiny.described("fan", "Spin.", a={"description": tiny.POISON})):
        with pytest.raises(EngineError, match=r"fan: .* not finite") as caught:
            maker.rows(tool)
        assert caught.value.hint
    with pytest.raises(EngineError, match="not finite"):
        maker.rows(tiny.described("fan", "Spin."), [tiny.POISON])


@pytest.mark.parametrize("text", ["", "  ", "🎉", "lamp " * 50, "\ud800"], ids=ascii)
def test_examples_that_are_no_utterances(maker, text):
    with pytest.raises(ToolDefinitionError, match=r"fan: the example .* is no utterance") as caught:
        maker.rows(tiny.described("fan", "Spin."), ["fan", text])
    assert caught.value.hint


def test_an_example_that_is_no_text(maker):
    with pytest.raises(InvalidUtterance):
        maker.rows(tiny.described("fan", "Spin."), [5])
