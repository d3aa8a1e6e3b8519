"""A choice is the best of the rows that its parameter may take, and *not said* is one of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.choices import Choice
from edgefn.arguments.keys import choice_groups
from edgefn.manifest import Heads

HEADS = Heads(
    tools=("a",),
    choices=(
        *(("loud", "boolean", None), ("loud", "boolean", "false"), ("loud", "boolean", "true")),
        *(("level", "integer", None), ("level", "integer", "1"), ("level", "integer", "10"), ("level", "integer", "2")),
        *(("way", "string", None), ("way", "string", "down"), ("way", "string", "null"), ("way", "string", "up")),
        *(("odd", "mixed", None), ("odd", "mixed", "1"), ("odd", "mixed", "one"), ("odd", "mixed", "true")),
    ),
)
GROUPS = {group.parameter: group for group in choice_groups(HEADS)}
BOOLEAN = {"type": "boolean"}


def choice(name: str, schema: dict) -> Choice:
    return Choice(HEADS, GROUPS[name], schema)


def logits(**best: float) -> np.ndarray:
    """Return [choices] that are 0 but for the rows named "parameter_value"."""
    made = np.zeros(len(HEADS.choices), dtype=np.float32)
    for name, score in best.items():
        parameter, _, value = name.partition("_")
        at = [(each[0], each[2]) for each in HEADS.choices].index((parameter, value or None))
        made[at] = score
    return made


def test_the_best_row_and_its_probability():
    loud = choice("loud", BOOLEAN)
    found = loud.choose(logits(loud_true=3.0, loud=1.0, way_up=99.0))
    assert loud.value(found.row) is True
    assert found.logits.tolist() == [1.0, 0.0, 3.0]
    assert found.score == pytest.approx(math.exp(3) / (math.exp(3) + math.exp(1) + 1))


def test_not_said():
    loud = choice("loud", BOOLEAN)
    found = loud.choose(logits(loud=3.0))
    assert loud.texts[found.row] is None
    assert loud.value(found.row) is None


@pytest.mark.parametrize(
    ("name", "schema", "values"),
    [
        ("loud", BOOLEAN, [None, False, True]),
        ("loud", {"anyOf": [BOOLEAN, {"type": "null"}]}, [None, False, True]),
        ("level", {"type": "integer"}, [None, 1, 10, 2]),
        ("level", {"type": "integer", "enum": [2, 1]}, [None, 1, 2]),
        ("level", {"type": "integer", "enum": [2, 7]}, [None, 2]),
        ("level", {"type": "array", "items": {"type": "integer"}}, [None, 1, 10, 2]),
        ("way", {"enum": ["up", "down", None]}, [None, "down", "up"]),
        ("way", {"enum": ["null", "up"]}, [None, "null", "up"]),
        ("odd", {"enum": [1, "one", True]}, [None, 1, "one", True]),
    ],
)
def test_the_rows_are_those_that_the_schema_allows(name, schema, values):
    made = choice(name, schema)
    assert [made.value(row) for row in range(len(made.texts))] == values
    assert [type(made.value(row)) for row in range(len(made.texts))] == [type(value) for value in values]
    assert len(made.choose(logits()).logits) == len(values)


def test_a_value_that_this_tool_does_not_take_never_wins():
    made = choice("way", {"enum": ["up", "down"]})
    found = made.choose(logits(way_null=9.0, way_up=1.0))
    assert made.value(found.row) == "up"
    assert found.score == pytest.approx(math.e / (math.e + 2))


def test_the_row_of_a_value():
    level = choice("level", {"type": "integer"})
    assert [level.row_of(value) for value in (None, 1, 10, 2)] == [0, 1, 2, 3]
    assert level.row_of(2.0) == 3
    assert level.row_of(7) == level.row_of([1, 2]) == 0  # a value without a row counts as not said by this head
    assert choice("loud", BOOLEAN).row_of(True) == 2
    way = choice("way", {"enum": ["up", "null"]})
    assert (way.row_of("null"), way.row_of(None)) == (1, 0)


def test_choosing_leaves_the_scores_alone():
    given_logits = logits(loud_true=3.0)
    before = given_logits.copy()
    choice("loud", BOOLEAN).choose(given_logits)
    assert np.array_equal(before, given_logits)


@given(st.lists(st.floats(-60, 60, width=32), min_size=len(HEADS.choices), max_size=len(HEADS.choices)))
def test_any_scores(values):
    made = choice("way", {"enum": ["up", "down"]})
    found = made.choose(np.array(values, dtype=np.float32))
    rows = [values[7], values[8], values[10]]
    assert found.logits.tolist() == pytest.approx(rows)
    assert rows[found.row] == max(rows)
    assert 1 / 3 - 1e-6 <= found.score <= 1
