"""Types, groups and values of the keys of slot and choice rows."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.keys import (
    ChoiceGroup,
    allowed_rows,
    choice_groups,
    choice_text,
    choice_value,
    choice_values,
    is_list,
    item_schema,
    type_of,
)
from edgefn.manifest import Heads

NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"type": "integer", "minimum": 1}, "integer"),
        ({"type": "number"}, "number"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "string", "format": "date"}, "date"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"format": "duration", "type": "string"}, "duration"),
        ({"anyOf": [{"type": "string", "format": "time"}, NULL]}, "time"),
        ({"anyOf": [NULL, {"type": "integer"}]}, "integer"),
        ({"type": ["null", "number"]}, "number"),
        ({"type": ["integer", "string"]}, "string"),
        ({"type": "array", "items": {"type": "integer"}}, "integer"),
        (
            {"anyOf": [{"type": "array", "items": {"anyOf": [{"type": "string", "format": "date"}, NULL]}}, NULL]},
            "date",
        ),
        ({"type": "array"}, "string"),
        ({"type": "array", "items": ["odd"]}, "string"),
        ({"enum": ["a", "b"]}, "string"),
        ({"enum": [1, 2, None]}, "integer"),
        ({"enum": [1, "a"]}, "mixed"),
        ({"enum": [True, 1]}, "mixed"),
        ({"const": 3}, "integer"),
        ({"type": "integer", "enum": [1, 2]}, "integer"),
        ({}, "string"),
        ({"type": "object"}, "object"),
    ],
)
def test_the_type_of_a_parameter(schema, expected):
    assert type_of(schema) == expected


def test_lists_and_their_items():
    schema = {"anyOf": [{"type": "array", "items": {"type": "integer"}}, NULL]}
    assert is_list(schema) and item_schema(schema) == {"type": "integer"}
    assert not is_list({"type": "string"}) and not is_list({})


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "enum": ["b", "a"]}, ("b", "a")),
        ({"anyOf": [{"enum": [1, 2]}, NULL]}, (1, 2)),
        ({"enum": ["a", None]}, ("a",)),
        ({"const": "x"}, ("x",)),
        ({"type": "boolean"}, (False, True)),
        ({"type": ["boolean", "null"]}, (False, True)),
        ({"type": "array", "items": {"enum": ["a"]}}, None),
        ({"type": "string"}, None),
        ({}, None),
    ],
)
def test_the_values_of_a_closed_parameter(schema, expected):
    assert choice_values(schema) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_a_value_comes_back_from_its_text(value):
    kind = type_of({"enum": [value]}) if value is not None else "null"
    back = choice_value(kind, choice_text(value))
    assert back == value and isinstance(back, bool) == isinstance(value, bool)


def test_one_number_has_one_text():
    assert choice_text(5.0) == choice_text(5) == "5"
    assert choice_text(-0.5) == "-0.5"
    assert choice_text(True) == "true" and choice_text("true") == "true"
    assert choice_text({"b": 1, "a": "中"}) == '{"a": "中", "b": 1}'


def test_texts_of_mixed_values():
    assert choice_value("mixed", "5") == 5 and choice_value("mixed", "auto") == "auto"
    assert choice_value("time", "18:30") == "18:30"


def test_a_text_that_is_no_json_is_refused():
    with pytest.raises(json.JSONDecodeError):
        choice_value("integer", "five")


HEADS = Heads(
    tools=("a", None),
    choices=(
        ("colour", "string", None),
        ("colour", "string", "blue"),
        ("colour", "string", "red"),
        ("on", "boolean", None),
        ("on", "boolean", "false"),
        ("on", "boolean", "true"),
        ("size", "integer", None),
        ("size", "integer", "1"),
        ("size", "integer", "2"),
    ),
)


def test_groups_hold_the_rows_of_one_softmax():
    assert choice_groups(HEADS) == (
        ChoiceGroup("colour", "string", (0, 1, 2)),
        ChoiceGroup("on", "boolean", (3, 4, 5)),
        ChoiceGroup("size", "integer", (6, 7, 8)),
    )
    assert choice_groups(Heads(tools=("a",))) == ()


@pytest.mark.parametrize(
    ("group", "schema", "expected"),
    [
        (0, {"type": "string", "enum": ["red", "green"]}, (0, 2)),
        (0, {"type": "string"}, (0, 1, 2)),
        (1, {"type": "boolean"}, (3, 4, 5)),
        (2, {"anyOf": [{"enum": [2.0]}, NULL]}, (6, 8)),
    ],
)
def test_an_enum_takes_its_own_values_only(group, schema, expected):
    assert allowed_rows(choice_groups(HEADS)[group], HEADS, schema) == expected
