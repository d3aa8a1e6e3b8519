"""A tool as text: always in the same order, whole, and every place points at the words it is about."""

from __future__ import annotations

import itertools

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.describing import Described, closed_texts, describe, fillable, words_in
from edgefn.tool import Tool

STRING = {"type": "string"}
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
schemas = st.one_of(
    st.sampled_from([{}, STRING, {"type": "boolean"}, {"type": "object"}, {"type": "array", "items": STRING}]),
    st.lists(st.none() | st.booleans() | st.integers() | names, max_size=6).map(lambda values: {"enum": values}),
)
tools = st.builds(
    Tool.select_only,
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", fullmatch=True),
    st.text(max_size=300),
    st.dictionaries(names, st.builds(lambda schema, about: {**schema, "description": about}, schemas, names)).map(
        lambda properties: {"type": "object", "properties": properties}
    ),
)


def at(described: Described, place: tuple[int, int]) -> str:
    return described.text[slice(*place)]


def parts(described: Described) -> dict:
    """Return the words that every place of a text points at."""
    return {
        "head": at(described, described.head),
        "parameters": {name: at(described, place) for name, place in described.parameters.items()},
        "values": {key: at(described, place) for key, place in described.values.items()},
    }


def test_name_description_parameters_and_values():
    tool = tiny.described(
        "setLamp.brightness",
        "Make the lamp brighter.",
        level={"type": "integer", "description": "how bright."},
        colour={"enum": ["warm_white", "red"], "description": "which colour."},
    )
    (text,) = describe(tool)
    assert text.text == (
        "set lamp brightness: Make the lamp brighter."
        " | colour (string): which colour. = red, warm white"
        " | level (integer): how bright."
    )
    assert parts(text) == {
        "head": "set lamp brightness: Make the lamp brighter.",
        "parameters": {"colour": "colour (string): which colour.", "level": "level (integer): how bright."},
        "values": {("colour", "red"): "red", ("colour", "warm_white"): "warm white"},
    }


def test_a_tool_that_says_nothing_of_itself():
    (text,) = describe(tiny.described("lamp_on", ""))
    assert (text.text, text.head) == ("lamp on", (0, 7))


@pytest.mark.parametrize("name", ["_", "__", "_-."])
def test_a_name_without_words_is_read_as_it_is(name):
    (text,) = describe(tiny.described(name, ""))
    assert text.text == name


def test_kinds_of_parameters():
    tool = tiny.described(
        "a",
        "",
        on={"type": "boolean"},
        many={"type": "array", "items": {"type": "integer"}},
        day={"type": "string", "format": "date"},
        maybe={"anyOf": [{"type": "number"}, {"type": "null"}]},
        nothing={},
    )
    (text,) = describe(tool)
    assert [*parts(text)["parameters"].values()] == [
        "day (date)", "many (integer list)", "maybe (number)", "nothing (string)", "on (boolean)"
    ]  # fmt: skip
    assert parts(text)["values"] == {("on", "false"): "no", ("on", "true"): "yes"}


def test_objects_are_no_part_of_it():
    tool = tiny.described("a", "", where={"type": "object"}, all={"type": "array", "items": {"type": "object"}}, b={})
    (text,) = describe(tool)
    assert text.text == "a | b (string)"
    assert [each.name for each in fillable(tool)] == ["b"]


def test_long_descriptions_are_cut():
    about = {"type": "string", "description": " ".join(f"p{at}" for at in range(99))}
    (text,) = describe(tiny.described("a", " ".join(f"d{at}" for at in range(99)), b=about))
    words = text.text.split()
    assert "d59" in words and "d60" not in words
    assert "p23" in words and "p24" not in words


def test_many_parameters_are_several_texts():
    properties = {f"p{at:03}": {"type": "string", "description": f"which p{at:03}."} for at in range(100)}
    texts = describe(tiny.described("many", "Has many.", **properties))
    assert len(texts) > 2
    for each in texts:
        assert at(each, each.head) == "many: Has many."
        assert len(each.text) < 800
    told = [name for each in texts for name in each.parameters]
    assert told == sorted(properties)
    for each in texts:
        assert all(at(each, place) == f"{name} (string): which {name}." for name, place in each.parameters.items())


def test_values_that_sound_alike_have_places_of_their_own():
    tool = tiny.described("a", "", size={"enum": ["5", 5.0, "five", "", "++"]})
    (text,) = describe(tool)
    assert [*closed_texts(fillable(tool)[0])] == ["", "++", "5", "five"]
    assert parts(text)["values"] == {
        ("size", ""): "", ("size", "++"): "++", ("size", "5"): "5", ("size", "five"): "five"
    }  # fmt: skip


def test_a_lone_surrogate_moves_no_place():
    (text,) = describe(tiny.described("a", "x\ud800y", b={"enum": ["c\udfff"]}))
    assert text.text.encode()
    assert at(text, text.values["b", "c\udfff"]) == "c\ufffd"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("getCurrentWeather", "get current weather"),
        ("set_timer", "set timer"),
        ("HTTPServer", "http server"),
        ("files.list-all", "files list all"),
        ("lamp2On", "lamp2 on"),
        ("", ""),
        ("___", ""),
        ("Größe", "größe"),
        ("开灯", "开灯"),
    ],
)
def test_the_words_of_a_name(name, words):
    assert words_in(name) == words


@given(tools)
def test_any_tool(tool):
    texts = describe(tool)
    assert texts == describe(tool)
    told = [name for each in texts for name in each.parameters]
    assert told == [each.name for each in fillable(tool)]
    wanted = [(each.name, value) for each in fillable(tool) for value in closed_texts(each)]
    assert [key for each in texts for key in each.values] == wanted
    for each in texts:
        each.text.encode()
        places = [each.head, *each.parameters.values(), *each.values.values()]
        assert all(0 <= start <= end <= len(each.text) for start, end in places)
        assert all(start < end for start, end in (each.head, *each.parameters.values()))
        spread = sorted([each.head, *each.parameters.values()])
        assert all(one[1] < other[0] for one, other in itertools.pairwise(spread))


@given(tools, st.randoms())
def test_the_order_in_a_schema_does_not_matter(tool, draw):
    schema = tool.to_openai()["function"]["parameters"]
    keys = list(schema["properties"])
    draw.shuffle(keys)
    turned = {"properties": {key: dict(reversed(schema["properties"][key].items())) for key in keys}, "type": "object"}
    for each in turned["properties"].values():
        if "enum" in each:
            draw.shuffle(each["enum"])
    again = Tool.select_only(tool.name, tool.description, turned)
    assert [each.text for each in describe(again)] == [each.text for each in describe(tool)]
