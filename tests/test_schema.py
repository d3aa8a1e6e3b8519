"""Annotations, docstrings and ISO forms; the values themselves are bound in test_tool.py."""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import UnsupportedSignature
from edgefn.iso8601 import format_duration, parse_date, parse_datetime, parse_duration, parse_time
from edgefn.schema import Length, Pattern, Range, kind_of
from edgefn.signature import read_docstring, read_function


class Color(Enum):
    RED = "red"
    DARK_BLUE = "dark blue"


class Size(IntEnum):
    S = 1
    L = 2


class Mode(StrEnum):
    FAST = "fast"


class Odd(Enum):
    PAIR = (1, 2)
    NOTHING = None


class Empty(Enum):
    pass


@dataclass(frozen=True)
class Interval:
    """Bounds as another library writes them."""

    ge: int
    lt: int


SCHEMAS: list[tuple[Any, dict[str, Any]]] = [
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (str, {"type": "string"}),
    (date, {"type": "string", "format": "date"}),
    (time, {"type": "string", "format": "time"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, "b", True], {"enum": [1, "b", True]}),
    (Color, {"type": "string", "enum": ["red", "dark blue"]}),
    (Size, {"type": "integer", "enum": [1, 2]}),
    (Mode, {"type": "string", "enum": ["fast"]}),
    (Odd, {"type": "string", "enum": ["PAIR", "NOTHING"]}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (list[list[date]], {"type": "array", "items": kind_of(list[date]).schema}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Optional[Color], {"anyOf": [kind_of(Color).schema, {"type": "null"}]}),  # noqa: UP045
    (list[int | None], {"type": "array", "items": kind_of(int | None).schema}),
    (Annotated[int, Range(ge=1, lt=9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
    (Annotated[float, Range(gt=0.5, le=2)], {"type": "number", "exclusiveMinimum": 0.5, "maximum": 2}),
    (Annotated[int, Interval(1, 9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
    (
        Annotated[str, Length(1, 4), Pattern("^a")],
        {"type": "string", "minLength": 1, "maxLength": 4, "pattern": "^a"},
    ),
    (Annotated[str, re.compile("x")], {"type": "string", "pattern": "x"}),
    (
        Annotated[list[int], Length(max_length=3)],
        {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
    ),
    (Annotated[int | None, Range(ge=0)], {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}),
    (Annotated[int, "a note of another library"], {"type": "integer"}),
]


@pytest.mark.parametrize(("annotation", "schema"), SCHEMAS, ids=lambda value: str(value)[:40])
def test_the_schema_of_every_supported_annotation(annotation, schema):
    assert kind_of(annotation).schema == schema


UNSUPPORTED = [
    complex,
    bytes,
    list,
    dict[str, int],
    tuple[int, ...],
    set[int],
    object,
    Any,
    None,
    int | str,
    Union[int, str, None],  # noqa: UP007
    Empty,
    Literal[None],
    Literal[b"x"],
    Literal[Color.RED],
    list[complex],
    complex | None,
    Annotated[str, Range(ge=1)],
    Annotated[int, Length(1)],
    Annotated[int, Pattern("x")],
    Annotated[bool, Range(ge=0)],
    Annotated[date, Length(1)],
    Annotated[Color, Length(1)],
    Annotated[int, Range(ge=float("nan"))],
    Annotated[int, Range(ge=float("inf"))],
    Annotated[int, Range],
    Annotated[int, Range(ge=1), Range(ge=2)],
    Annotated[str, Length(-1)],
    Annotated[str, Pattern("(")],
    Annotated[str, re.compile("x", re.IGNORECASE)],
]


@pytest.mark.parametrize("annotation", UNSUPPORTED, ids=lambda value: str(value)[:40])
def test_every_other_annotation_is_refused_with_a_hint(annotation):
    with pytest.raises(UnsupportedSignature) as caught:
        kind_of(annotation)
    assert caught.value.hint


VALUES: list[tuple[Any, Any, Any]] = [
    (float, 5.0, 5.0),
    (date, date(2026, 3, 31), "2026-03-31"),
    (time, time(7, 30), "07:30:00"),
    (datetime, datetime(2026, 3, 31, 7, 30), "2026-03-31T07:30:00"),
    (timedelta, timedelta(minutes=10), "PT10M"),
    (Color, Color.DARK_BLUE, "dark blue"),
    (Size, Size.L, 2),
    (Odd, Odd.PAIR, "PAIR"),
    (Literal[1, "b", True], True, True),
    (Literal[1, "b", True], 1, 1),
    (list[Color], [Color.RED], ["red"]),
    (date | None, None, None),
    (list[date | None], [None, date(2026, 1, 1)], [None, "2026-01-01"]),
]


@pytest.mark.parametrize(("annotation", "typed", "form"), VALUES, ids=str)
def test_values_go_to_json_and_back(annotation, typed, form):
    kind = kind_of(annotation)
    assert kind.write(typed) == form
    assert kind.read(form) == typed
    assert type(kind.read(form)) is type(typed)


def test_write_leaves_what_it_does_not_know_to_the_schema():
    moment = datetime(2026, 3, 31, 7)
    assert kind_of(date).write(moment) is moment
    assert kind_of(Color).write(Size.S) is Size.S
    assert kind_of(list[date]).write("soon") == "soon"
    assert kind_of(float).write(True) is True


# ---- ISO forms ----


@given(st.timedeltas())
def test_durations_round_trip(length):
    assert parse_duration(format_duration(length)) == length


@given(st.times(timezones=st.none() | st.just(UTC)))
def test_times_round_trip(value):
    assert parse_time(value.isoformat()) == value


@given(st.datetimes(timezones=st.none() | st.timezones()))
def test_datetimes_round_trip(value):
    assert parse_datetime(value.isoformat()).replace(tzinfo=None) == value.replace(tzinfo=None)
    assert parse_datetime(value.isoformat()).utcoffset() == value.utcoffset()


DURATIONS = [
    ("PT10M", timedelta(minutes=10)),
    ("PT0S", timedelta(0)),
    ("P1D", timedelta(days=1)),
    ("P1DT30S", timedelta(days=1, seconds=30)),
    ("PT1H0M30S", timedelta(hours=1, seconds=30)),
    ("PT0.000001S", timedelta(microseconds=1)),
    ("-PT1.5S", timedelta(seconds=-1.5)),
]


@pytest.mark.parametrize(("text", "length"), DURATIONS)
def test_durations_are_written_in_one_form(text, length):
    assert format_duration(length) == text
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("P2W", timedelta(weeks=2)),
        ("P1W1D", timedelta(days=8)),
        ("PT90M", timedelta(minutes=90)),
        ("PT1H30S", timedelta(hours=1, seconds=30)),
        ("PT0,5S", timedelta(seconds=0.5)),
        ("-P1D", timedelta(days=-1)),
    ],
)
def test_durations_are_read_in_others_too(text, length):
    assert parse_duration(text) == length


BAD_TEXT: dict[Any, list[str]] = {
    parse_duration: [
        "",
        "P",
        "PT",
        "-P",
        "P1Y",
        "P1M",
        "10 minutes",
        "PT1S1M",
        "P1DT",
        "PT.5S",
        "PT1.5M",
        "PT1S\n",
        "P1000000000D",
        f"P{'9' * 5000}D",
        "pt1s",
        "PT１S",
    ],
    parse_date: [
        "",
        "20260331",
        "2026-W01-1",
        "2026-02-30",
        "2026-3-1",
        "2026-03-31\n",
        "٢٠٢٦-03-31",
        "2026-03-31T00:00",
    ],
    parse_time: [
        "",
        "7:30",
        "0730",
        "25:00",
        "24:00",
        "07:60",
        "07",
        "07:30:60",
        "07:30+25:00",
        "T07:30",
        "07:30 Z",
    ],
    parse_datetime: ["", "2026-03-31", "2026-03-31_07:30", "2026-03-31T7:30", "2026-02-30T07:30", "now"],
}


@pytest.mark.parametrize(("parser", "text"), [(parser, text) for parser, texts in BAD_TEXT.items() for text in texts])
def test_anything_else_is_a_value_error(parser, text):
    with pytest.raises(ValueError):
        parser(text)


@given(st.text(alphabet="PTWDHMS0123456789.-+:Z ", max_size=12))
def test_the_readers_raise_nothing_else(text):
    for parser in BAD_TEXT:
        with contextlib.suppress(ValueError):
            parser(text)


def test_times_take_an_offset_and_lower_case():
    assert parse_time("07:30z") == time(7, 30, tzinfo=UTC)
    assert parse_datetime("2026-03-31 07:30:01.5+02:00").utcoffset() == timedelta(hours=2)


# ---- docstrings ----


def test_the_first_paragraph_and_the_arguments_are_read():
    text = """Start a
      countdown   timer.

    It rings in the end.

    Args:
        duration (timedelta): how long
            until it rings.

        label: what it is for: eggs, tea.
        sound:
            what it plays.

    Returns:
        x: not an argument.
    """
    description, described = read_docstring(text)
    assert description == "Start a countdown timer."
    assert described == {
        "duration": "how long until it rings.",
        "label": "what it is for: eggs, tea.",
        "sound": "what it plays.",
    }


def test_a_section_ends_the_first_paragraph():
    assert read_docstring("Do it.\nArgs:\n    x: this.\n") == ("Do it.", {"x": "this."})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no description"),
        ("   \n ", "no description"),
        ("Args:\n    x: this.", "no description"),
        ("Do.\n\nArgs:\n    x: this.\n    x: that.", "no new entry: 'x: that.'"),
        ("Do.\n\nArgs:\n    just words", "no new entry"),
        ("Do.\n\nArgs:\n    x: a.\n\nArgs:\n    y: b.", "two `Args:`"),
    ],
)
def test_a_docstring_that_cannot_be_read_says_why(text, words):
    with pytest.raises(UnsupportedSignature, match=re.escape(words)):
        read_docstring(text)


@given(st.text(alphabet="Args:\n xy.", max_size=80))
def test_no_docstring_raises_anything_else(text):
    try:
        description, described = read_docstring(text)
    except UnsupportedSignature:
        return
    assert description
    assert all(value == " ".join(value.split()) for value in described.values())


# ---- functions ----


def _function(signature: str, described: str = "x", description: str = "Do it."):
    lines = "".join(f"\n        {name}: what {name} is." for name in described.split())
    scope: dict[str, Any] = {"Color": Color, "Annotated": Annotated, "Range": Range}
    doc = f'"""{description}\n\n    Args:{lines}\n    """'
    exec(f"def sample({signature}):\n    {doc}\n", scope)
    return scope["sample"]


@pytest.mark.parametrize(
    ("signature", "described", "words"),
    [
        ("*x: int", "x", "'x' is variadic positional"),
        ("**x: int", "x", "'x' is variadic keyword"),
        ("x: int, /", "x", "'x' is positional-only"),
        ("x", "x", "'x' has no annotation"),
        ("x: complex", "x", "'x': complex is not supported"),
        ("x: 'Missing'", "x", "cannot be resolved: name 'Missing'"),
        ("x: 'int +'", "x", "cannot be resolved"),
        ("x: int, y: int", "x", "'y' is not described"),
        ("x: int", "x y", "describes 'y', which is no parameter"),
    ],
)
def test_an_unsupported_signature_names_function_place_and_parameter(signature, described, words):
    with pytest.raises(UnsupportedSignature) as caught:
        read_function(_function(signature, described))
    assert words in caught.value.message
    assert caught.value.message.startswith("sample (<string>:1): ")
    assert caught.value.hint


def test_parameters_keep_order_default_and_description():
    description, parameters = read_function(_function("y: 'Color', *, x: int = 3", "x y"))
    assert description == "Do it."
    assert [(each.name, each.required, each.default) for each in parameters] == [
        ("y", True, None),
        ("x", False, 3),
    ]
    assert parameters[0].annotation is Color
    assert parameters[1].description == "what x is."


def test_a_return_type_that_cannot_be_resolved_does_no_harm():
    function = _function("x: int")
    function.__annotations__["return"] = "OnlyForTheTypeChecker"
    assert len(read_function(function)[1]) == 1


def test_wrappers_are_looked_through():
    inner = _function("x: int, y: int", "x y")

    @functools.wraps(inner)
    def outer(*args, **kwargs):
        return inner(*args, **kwargs)

    assert read_function(outer) == read_function(inner)


def test_what_partial_fixed_is_no_parameter_and_may_be_of_any_type():
    inner = _function("x: int, device: object", "x device")
    _, parameters = read_function(functools.partial(inner, device=object()))
    assert [each.name for each in parameters] == ["x"]
    with pytest.raises(UnsupportedSignature):
        read_function(functools.partial(inner, 1, 2, 3))


def test_methods_are_read_without_self():
    class Lamp:
        def turn(self, on: bool) -> None:
            """Turn it.

            Args:
                on: whether it glows.
            """

    assert [each.name for each in read_function(Lamp().turn)[1]] == ["on"]
