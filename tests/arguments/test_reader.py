"""Each parameter gets the reader of its kind, by its annotation or by a schema alone."""

from __future__ import annotations

import enum
import json
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.marks import Among, Synonyms, Unit
from edgefn.arguments.reader import Reading, items_in, reader_of, said_as_of, snapshot
from edgefn.arguments.reader import is_name as names_something
from edgefn.errors import NamesUnavailable, ToolDefinitionError
from edgefn.schema import SAID_AS, Length, Parameter, Range, kind_of
from edgefn.tool import Tool

NOW = datetime(2026, 11, 18, 10, 30)
ROOMS = {"Main Hall": ["lobby"], "Attic": []}


class Colour(enum.Enum):
    """A colour: its values are texts."""

    RED = "red"
    BLUE = "blue"


class Size(enum.Enum):
    """A size: its values are no texts, so its names stand for them."""

    SMALL = (1, 2)
    LARGE = (3, 4)


def parameter(annotation: Any) -> Parameter:
    return Parameter("what", annotation, kind_of(annotation).schema, True, None, "")


def known_by(schema: dict[str, Any]) -> Parameter:
    """Return a parameter of which only a schema is known."""
    made = Tool.select_only("act", "", {"type": "object", "properties": {"what": schema}})
    return made.parameters[0]


def read(of: Parameter, text: str) -> Reading:
    return reader_of(of).read(text, NOW)


KINDS = [
    (str, "  two   words ", "two words", "text"),
    (Annotated[str, Length(max_length=40)], "Café No 5", "Café No 5", "text"),
    (int, "a hundred and five", 105, "number"),
    (int, "30 minutes' worth", None, ""),
    (Annotated[int, Range(ge=1)], "5", 5, "number"),
    (int, "5 kg", 5, "quantity:kilogram"),
    (float, "one and a half", 1.5, "number"),
    (float, "3", 3, "number"),
    (bool, "yes", True, "boolean"),
    (bool, "不用", False, "boolean"),
    (bool, "true", True, "choice"),
    (bool, "perhaps", None, ""),
    (Literal["up", "down"], "DOWN", "down", "choice"),
    (Literal["up", "down"], "sideways", None, ""),
    (Literal[1, 5], "five", 5, "choice"),
    (Literal[1, 5], "two", None, ""),
    (Colour, "Red", "red", "choice"),
    (Size, "large", "LARGE", "choice"),
    (timedelta, "an hour and a half", "PT1H30M", "duration"),
    (timedelta, "five", None, ""),
    (date, "next friday", "2026-11-27", "date"),
    (date, "someday", None, ""),
    (time, "six", "18:00", "time"),
    (time, "18:30:15", "18:30:15", "time"),
    (time, "late", None, ""),
    (datetime, "in half an hour", "2026-11-18T11:00", "date-time"),
    (datetime, "friday", None, ""),
]
FORMS = [lambda each: each, lambda each: each | None, lambda each: list[each]]


@pytest.mark.parametrize("form", FORMS, ids=["plain", "or None", "list"])
@pytest.mark.parametrize("by_schema", [False, True], ids=["annotation", "schema"])
@pytest.mark.parametrize(("annotation", "said", "value", "normaliser"), KINDS)
def test_every_kind(annotation, said, value, normaliser, by_schema, form):
    """An annotation and its schema read alike; of a list, one item is read."""
    made = parameter(form(annotation))
    if by_schema:
        made = known_by(json.loads(json.dumps(made.schema)))
    if value is None:
        with pytest.raises(ValueError, match=said.split()[0]):
            read(made, said)
    else:
        found = read(made, said)
        assert (found.value, found.normaliser, found.score) == (value, normaliser, 1.0)
        assert type(found.value) is type(value)


@pytest.mark.parametrize(
    ("schema", "said", "value"),
    [
        ({}, "any words", "any words"),
        ({"type": "string", "format": "uri"}, "any words", "any words"),
        ({"type": ["integer", "null"]}, "five", 5),
        ({"enum": ["on", "off", None]}, "off", "off"),
        ({"const": "on"}, "on", "on"),
        ({"enum": [1, "auto"]}, "auto", "auto"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, "B", "b"),
        ({"type": "array"}, "milk", "milk"),
    ],
)
def test_schemas_that_no_annotation_writes(schema, said, value):
    assert read(known_by(schema), said).value == value


# Names


@pytest.mark.parametrize("form", FORMS, ids=["plain", "or None", "list"])
def test_names_by_annotation_and_by_schema(form):
    by_annotation = parameter(form(Annotated[str, Among(ROOMS)]))
    by_schema = known_by({**by_annotation.schema, SAID_AS: ROOMS})
    for made in (by_annotation, by_schema):
        assert read(made, "Main Hall") == Reading("Main Hall", "name:exact", 1.0)
        assert read(made, "the lobby").value == "Main Hall"
        assert read(made, "attick").value == "Attic"
        assert 0.5 <= read(made, "attick").score < 1
        with pytest.raises(ValueError, match="there is no what 'qqq'; the nearest: none"):
            read(made, "qqq")
        assert names_something(made)


def test_a_list_on_the_device_says_more_than_the_one_of_the_training():
    made = parameter(Annotated[str, Among(["Cellar"])])
    made = Parameter(made.name, made.annotation, {**made.schema, SAID_AS: ROOMS}, True, None, "")
    assert read(made, "cellar").value == "Cellar"
    with pytest.raises(ValueError, match="there is no what 'attic'"):
        read(made, "attic")


def test_two_names_that_are_as_near():
    with pytest.raises(ValueError, match="'hall' could be Hall A or Hall B"):
        read(parameter(Annotated[str, Among(["Hall A", "Hall B"])]), "hall")


def test_a_list_that_cannot_be_read():
    def broken() -> list[str]:
        raise OSError("no network")

    made = parameter(Annotated[str, Among(broken)])
    with pytest.raises(NamesUnavailable, match="no network") as caught:
        read(made, "attic")
    assert caught.value.hint
    with pytest.raises(NamesUnavailable):
        snapshot(made)


@pytest.mark.parametrize("annotation", [str, int, bool, Colour, date, Annotated[Colour, Synonyms({})]], ids=str)
def test_what_is_no_name(annotation):
    assert not names_something(parameter(annotation))
    assert not names_something(known_by({**kind_of(annotation).schema}))


# Synonyms


@pytest.mark.parametrize("form", FORMS, ids=["plain", "or None", "list"])
@pytest.mark.parametrize(
    ("annotation", "synonyms", "said", "value"),
    [
        (Literal["on", "off"], {"on": ["lit", "up"]}, "lit", "on"),
        (Literal["on", "off"], {"on": ["lit", "up"]}, "off", "off"),
        (Literal[0, 100], {100: ["max", "full blast"]}, "full blast", 100),
        (Colour, {Colour.RED: ["scarlet"]}, "scarlet", "red"),
        (Colour, {"red": ["scarlet"]}, "Scarlet", "red"),
        (Size, {Size.LARGE: ["huge"]}, "huge", "LARGE"),
        (bool, {True: ["aloud"], False: ["hush"]}, "hush", False),
        (bool, {True: ["aloud"], False: ["hush"]}, "yes", True),
        (int, {100: ["max"], 0: ["nothing"]}, "max", 100),
        (int, {100: ["max"], 0: ["nothing"]}, "ninety", 90),
        (float, {0.5: ["the lot halved"]}, "the lot halved", 0.5),
    ],
)
def test_synonyms_by_annotation_and_as_training_remembers_them(annotation, synonyms, said, value, form):
    by_annotation = parameter(form(Annotated[annotation, Synonyms(synonyms)]))
    remembered = json.loads(json.dumps(snapshot(by_annotation)))
    by_schema = known_by({**by_annotation.schema, SAID_AS: remembered})
    for made in (by_annotation, by_schema):
        found = read(made, said)
        assert found.value == value
        assert type(found.value) is type(value)


@pytest.mark.parametrize("number", range(1, 121))
def test_a_number_with_words_of_its_own_does_not_swallow_its_neighbours(number):
    made = parameter(Annotated[int, Synonyms({100: ["max", "full"], 10: ["low"], 50: ["half way"]})])
    assert read(made, str(number)).value == number
    literal = parameter(Literal[1, 10, 12, 100])
    if number in (1, 10, 12, 100):
        assert read(literal, str(number)).value == number
    else:
        with pytest.raises(ValueError, match="is none of 1, 10, 12, 100"):
            read(literal, str(number))


@pytest.mark.parametrize("synonyms", [{"dim": ["low"]}, {"on": "lit"}, {"on": [5]}, {"on": ["x"], "off": ["x"]}])
def test_synonyms_that_make_no_sense(synonyms):
    with pytest.raises(ToolDefinitionError) as caught:
        reader_of(parameter(Annotated[Literal["on", "off"], Synonyms(synonyms)]))
    assert caught.value.hint


# Units


@pytest.mark.parametrize(
    ("unit", "said", "value"),
    [
        ("celsius", "68 degrees fahrenheit", 20),
        ("celsius", "20 degrees", 20),
        ("celsius", "twenty", 20),
        ("percent", "百分之三十", 30),
        ("metre", "1.5 km", 1500),
        ("dollar", "five bucks", 5),
    ],
)
@pytest.mark.parametrize("number", [int, float])
def test_a_quantity_is_converted_to_the_unit(unit, said, value, number):
    found = read(parameter(Annotated[number, Unit(unit)]), said)
    assert found.value == value
    if number is int:
        assert type(found.value) is int


def test_a_quantity_of_something_else():
    with pytest.raises(ValueError, match=r"\w"):
        read(parameter(Annotated[float, Unit("celsius")]), "five euros")
    with pytest.raises(ValueError, match=r"'1\.234 km' is not a whole number"):
        read(parameter(Annotated[int, Unit("mile")]), "1.234 km")
    with pytest.raises(ToolDefinitionError, match="parrot"):
        Unit("parrot")


# What training remembers


def test_a_snapshot_has_every_value_as_text():
    assert snapshot(parameter(Annotated[str, Among(ROOMS)])) == ROOMS
    assert snapshot(parameter(list[Annotated[str, Among(["a"])]])) == {"a": []}
    assert snapshot(parameter(Annotated[Colour, Synonyms({Colour.RED: ["scarlet"]})])) == {"red": ["scarlet"]}
    assert snapshot(parameter(Annotated[bool, Synonyms({True: ["aloud"]})])) == {"true": ["aloud"]}
    assert snapshot(parameter(Annotated[int, Synonyms({5: ("a handful",)})])) == {"5": ["a handful"]}
    assert snapshot(parameter(str)) == {}
    assert said_as_of({"type": "integer"}, {"5": ["a handful"]}) == {5: ("a handful",)}
    assert said_as_of({"type": "boolean"}, {"true": ["aloud"]}) == {True: ("aloud",)}


# Lists said in one breath


@pytest.mark.parametrize(
    ("said", "items"),
    [
        ("milk, eggs and bread", ["milk", "eggs", "bread"]),
        ("fish and chips", ["fish and chips"]),
        ("milk", ["milk"]),
        ("牛奶、鸡蛋", ["牛奶", "鸡蛋"]),
        ("a; b", ["a", "b"]),
        (",", []),
        ("", [""]),
    ],
)
def test_only_marks_divide(said, items):
    assert items_in(said) == items


# Whatever is said

ANNOTATIONS = [*dict.fromkeys(each[0] for each in KINDS), Annotated[str, Among(ROOMS)], Annotated[float, Unit("metre")]]
spoken = st.lists(
    st.sampled_from(
        [
            *"0123456789:.,-/%½°$",
            " ",
            "five",
            "half",
            "past",
            "next",
            "friday",
            "in",
            "hours",
            "ten",
            "点",
            "半",
            "十",
            "三",
            "亿",
            "and",
            "yes",
            "no",
        ]
    ),
    max_size=8,
).map(" ".join)


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@given(text=st.text(max_size=30) | spoken | spoken.map(lambda text: text.replace(" ", "")))
def test_a_reader_gives_a_value_that_fits_or_a_value_error(annotation, text):
    made = parameter(annotation)
    try:
        found = read(made, text)
    except ValueError as exc:
        assert str(exc)
        return
    assert 0 < found.score <= 1
    assert found.normaliser
    bare = Tool("act", "", (parameter(annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation),))
    assert bare.bind({"what": found.value})
