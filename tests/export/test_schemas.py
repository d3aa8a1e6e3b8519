"""Schemas inferred from rows, and arguments in the form they ask for."""

import pytest
from edgefn.export.schemas import infer_tools, normal_arguments

from edgefn.rows import Row
from edgefn.tool import Tool


def row(text, arguments, *spanned):
    """A row of one tool with spans at the words given as (parameter, words)."""
    spans = tuple((text.index(words), text.index(words) + len(words), name) for name, words in spanned)
    return Row(text, "do_it", arguments, spans)


def schema(rows):
    (tool,) = infer_tools(rows)
    return tool.schema["properties"]


def test_huge_numbers_are_integers():
    assert schema([Row("many", "do_it", {"p": 10**400}), Row("few", "do_it", {"p": 1.0})]) == {"p": {"type": "integer"}}


def test_no_value_where_one_is_asked_for_is_left_out():
    tool = Tool.select_only("t", "t", {"type": "object", "properties": {"p": {"type": "string"}}})
    assert normal_arguments(Row("x", "t", {"p": []}), tool).arguments == {}


def test_values_that_are_their_words_are_texts():
    rows = [row(f"find Song {n} now", {"title": f"song {n}"}, ("title", f"Song {n}")) for n in range(5)]
    assert schema(rows) == {"title": {"type": "string"}}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5, 6], {"type": "integer"}),
        ([5.0, 6], {"type": "integer"}),
        ([5.5, 6], {"type": "number"}),
        ([True, False], {"type": "boolean"}),
        ([True], {"type": "boolean"}),
        (["a", 5], {"type": "string", "enum": ["5", "a"]}),
        ([{"a": 1}], {"type": "object"}),
        ([[5], 6], {"type": "array", "items": {"type": "integer"}}),
    ],
)
def test_types_of_values(values, expected):
    assert schema([Row("some words", "do_it", {"p": value}) for value in values]) == {"p": expected}


def test_a_closed_set_without_words_is_an_enum():
    rows = [Row("make it bright", "do_it", {"domain": "light"}), Row("shut it", "do_it", {"domain": "cover"})]
    assert schema(rows) == {"domain": {"type": "string", "enum": ["cover", "light"]}}


def test_a_fifth_without_words_is_not_yet_often():
    said = [row(f"in {name}", {"room": name}, ("room", name)) for name in ("den", "hall", "attic", "cellar")]
    silent = Row("here", "do_it", {"room": "den"})
    assert schema([*said, silent]) == {"room": {"type": "string"}}
    assert schema([*said, silent, silent])["room"]["enum"] == ["attic", "cellar", "den", "hall"]


def test_more_than_two_hundred_values_are_no_closed_set():
    rows = [Row("what", "do_it", {"p": f"value {n}"}) for n in range(201)]
    assert schema(rows) == {"p": {"type": "string"}}
    assert len(schema(rows[1:])["p"]["enum"]) == 200


def test_other_words_for_values_make_names():
    rows = [
        row("light the lounge", {"room": "Living Room"}, ("room", "lounge")),
        row("light the Front  Room", {"room": "Living Room"}, ("room", "Front  Room")),
        row("light the kitchen", {"room": "Kitchen"}, ("room", "kitchen")),
    ]
    names = {"Kitchen": [], "Living Room": ["front room", "lounge"]}
    assert schema(rows) == {"room": {"type": "string", "x-said-as": names}}


def test_a_difference_in_case_and_spaces_is_none():
    assert schema([row("light the living  ROOM", {"room": "Living Room"}, ("room", "living  ROOM"))]) == {
        "room": {"type": "string"}
    }


def test_one_odd_span_in_many_closes_no_set():
    rows = [row(f"in city{n}", {"city": f"city{n}"}, ("city", f"city{n}")) for n in range(40)]
    assert schema([*rows, row("in town", {"city": "city1"}, ("city", "town"))]) == {"city": {"type": "string"}}


def test_iso_values_said_in_words_have_a_format():
    rows = [row("at half past six", {"at": "18:30"}, ("at", "half past six"))]
    assert schema(rows) == {"at": {"type": "string", "format": "time"}}
    assert schema([row("at 18:30", {"at": "18:30"}, ("at", "18:30"))]) == {"at": {"type": "string"}}


def test_several_values_make_a_list():
    rows = [
        row("buy milk and eggs", {"items": ["milk", "eggs"]}, ("items", "milk"), ("items", "eggs")),
        row("buy cheese", {"items": "cheese"}, ("items", "cheese")),
    ]
    assert schema(rows) == {"items": {"type": "array", "items": {"type": "string"}}}


def test_names_of_a_list_stand_beside_its_items():
    rows = [row("pop and rock", {"kinds": ["Pop Music", "Rock"]}, ("kinds", "pop"), ("kinds", "rock"))]
    assert schema(rows)["kinds"] == {
        "type": "array",
        "items": {"type": "string"},
        "x-said-as": {"Pop Music": ["pop"], "Rock": []},
    }


def test_values_that_stand_in_the_text_count_as_said_where_no_row_has_a_span():
    rows = [Row(f"go to city{n} now", "do_it", {"city": f"City{n}", "n": n}) for n in range(9)]
    assert schema(rows) == {"city": {"type": "string"}, "n": {"type": "integer"}}


def test_required_is_what_every_row_gives():
    rows = [
        Row("a", "do_it", {"a": 1, "b": 1, "c": 1}),
        Row("b", "do_it", {"a": 1, "b": None}),
        Row("c", "other"),
        Row("d", None, {"x": 1}),
    ]
    do_it, other = infer_tools(rows)
    assert (do_it.name, other.name, other.description) == ("do_it", "other", "other") and do_it.description == "do it"
    assert do_it.schema["required"] == ["a"] and list(do_it.schema["properties"]) == ["a", "b", "c"]
    assert other.schema["properties"] == {} and other.function is None


def test_the_order_of_rows_does_not_matter():
    rows = [row(f"in {name}", {"room": value}, ("room", name)) for name, value in (("den", "Den"), ("hall", "Lobby"))]
    assert infer_tools(rows) == infer_tools(rows[::-1])
    assert infer_tools(rows)[0].fingerprint == infer_tools(rows[::-1])[0].fingerprint


def test_gold_fits_the_schema_that_it_gave():
    rows = [
        Row("a", "do_it", {"n": 5.0, "items": "a", "p": 5, "x": None}),
        Row("b", "do_it", {"n": 6, "items": ["a", "b"], "p": "five"}),
    ]
    (tool,) = infer_tools(rows)
    first, second = (normal_arguments(each, tool) for each in rows)
    assert first.arguments == {"n": 5, "items": ["a"], "p": "5"} and type(first.arguments["n"]) is int
    assert second is rows[1]
    for each in (first, second):
        assert tool.bind(each.arguments) == each.arguments


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "array", "items": {"type": "integer"}}, 3.0, [3]),
        ({"type": "array", "items": {"type": "string"}}, ["a", "b"], ["a", "b"]),
        ({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}, "a", ["a"]),
        ({"type": "array", "items": {"type": "string"}}, [], []),
        ({"type": "string"}, ["a"], "a"),
        ({"type": "string"}, ["a", "b"], ["a", "b"]),
        ({"type": "string"}, 5, "5"),
        ({"type": "integer"}, 5.5, 5.5),
        ({"type": "integer"}, "five", "five"),
        ({"type": "number"}, 5, 5),
        ({"type": "boolean"}, True, True),
    ],
)
def test_arguments_take_the_form_of_their_schema(schema, value, expected):
    tool = Tool.select_only("t", "t", {"type": "object", "properties": {"p": schema}})
    made = normal_arguments(Row("x", "t", {"p": value, "other": 1.0}), tool)
    assert made.arguments == {"p": expected, "other": 1.0}
    assert type(made.arguments["p"]) is type(expected)
