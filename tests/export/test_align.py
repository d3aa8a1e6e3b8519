"""Arguments find their words, and given spans come to whole words."""

from itertools import pairwise

import pytest
from edgefn.export.align import Alignment, aligned, alignment, says
from hypothesis import given
from hypothesis import strategies as st

from edgefn.rows import Row
from edgefn.tool import Tool

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
TOOL = Tool.select_only(
    "do_it",
    "do it",
    {
        "type": "object",
        "properties": {
            "title": TEXT,
            "place": {"anyOf": [TEXT, {"type": "null"}]},
            "minutes": WHOLE,
            "level": {"type": "number"},
            "length": {"type": "string", "format": "duration"},
            "at": {"type": "string", "format": "time"},
            "items": {"type": "array", "items": TEXT},
            "counts": {"type": "array", "items": WHOLE},
            "room": {"type": "string", "x-said-as": {"Living Room": ["lounge", "front room"], "Kitchen": []}},
            "speed": {"type": "integer", "x-said-as": {"100": ["full speed"]}},
            "state": {"type": "string", "enum": ["on", "off"]},
            "loud": {"type": "boolean"},
        },
    },
)
LONG = "a name that has many more words than eight of them"
PARAMETERS = {each.name: each for each in TOOL.parameters}


def found(text, arguments, *spans):
    """What the spans of the aligned row say."""
    row = aligned(Row(text, "do_it", arguments, spans), PARAMETERS)
    assert row.text == text and row.arguments == arguments
    return [(name, text[start:end]) for start, end, name in row.spans]


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("play Hey  Jude now", {"title": "hey jude"}, ["Hey  Jude"]),
        ("play rock & roll, loud", {"title": "Rock & Roll"}, ["rock & roll"]),
        ("a bathroom with a bath", {"title": "bath"}, ["bath"]),
        ("a bathroom", {"title": "bath"}, []),
        ("play nothing", {"title": "jazz"}, []),
        ("打开卧室的灯", {"title": "卧室"}, ["卧室"]),
        (f"go to {LONG} now", {"title": LONG}, [LONG]),
        ("set 10 minutes", {"minutes": 10}, ["10"]),
        ("set ten minutes", {"minutes": 10}, ["ten"]),
        ("two hundred and five and five", {"minutes": 205}, ["two hundred and five"]),
        ("设置三十五分钟", {"minutes": 35}, ["三十五"]),
        ("set twenty minutes", {"minutes": 10}, []),
        ("to one and a half please", {"level": 1.5}, ["one and a half"]),
        ("to 20 percent", {"level": 20.0}, ["20"]),
        ("wait for ten minutes, please", {"length": "PT10M"}, ["ten minutes"]),
        ("wait an hour and a half.", {"length": "PT1H30M"}, ["an hour and a half"]),
        ("wake me at half past six", {"at": "18:30"}, ["half past six"]),
        ("wake me at half past six", {"at": "06:30:00"}, ["half past six"]),
        ("wake me at half past six", {"at": "07:30"}, []),
        ("light the Lounge", {"room": "Living Room"}, ["Lounge"]),
        ("light the living room", {"room": "Living Room"}, ["living room"]),
        ("light the cellar", {"room": "Living Room"}, []),
        ("go full speed", {"speed": 100}, ["full speed"]),
        ("buy milk, brown bread and eggs", {"items": ["milk", "brown bread", "eggs"]}, ["milk", "brown bread", "eggs"]),
        ("buy milk and milk", {"items": ["milk", "milk"]}, ["milk", "milk"]),
        ("buy milk", {"items": ["milk", "eggs"]}, []),
        ("eggs and milk", {"items": ["milk", "eggs"]}, []),
        ("five then ten", {"counts": [5, 10]}, ["five", "ten"]),
        ("turn it on", {"state": "on"}, []),
        ("yes", {"loud": True}, []),
        ("none", {"title": None}, []),
        ("anything", {"strange": "anything"}, []),
        ("five", {"minutes": True}, []),
    ],
)  # fmt: skip
def test_arguments_find_their_words(text, arguments, expected):
    assert [words for _, words in found(text, arguments)] == expected


def test_two_arguments_never_share_words():
    assert found("paris in paris", {"title": "paris", "place": "paris"}) == [("place", "paris"), ("title", "paris")]
    assert found("living room", {"title": "room", "place": "living room"}) == [("place", "living room")]
    assert found("to paris", {"place": "paris"}, (3, 8, "title")) == [("title", "paris")]
    assert found("5 or 5", {"minutes": 5}, (0, 1, "level")) == [("level", "5"), ("minutes", "5")]


@pytest.mark.parametrize(
    ("text", "span", "expected"),
    [
        ("the lights on", (4, 9), "lights"),
        ("the lights on", (4, 10), "lights"),
        ("the lights on", (5, 9), "lights"),
        ("the lights on", (3, 11), "lights"),
        ("in bathrooms", (3, 7), None),
        ("in bathrooms", (7, 12), None),
        ("打开卧室灯", (2, 4), "卧室"),
        ("the light-blue one", (4, 9), "light"),
        ("a  b", (1, 3), None),
    ],
)
def test_given_spans_come_to_whole_words(text, span, expected):
    said = found(text, {}, (*span, "title"))
    assert said == ([] if expected is None else [("title", expected)])


def test_a_given_span_is_kept_whatever_the_argument():
    assert found("make it dark", {"title": "night", "state": "off"}, (8, 12, "title")) == [("title", "dark")]
    assert found("off and off", {"state": "off"}, (8, 11, "state")) == [("state", "off")]


def test_of_overlapping_spans_the_longer_stays():
    said = found("the big red lamp", {}, (4, 11, "title"), (8, 16, "place"), (0, 3, "room"))
    assert said == [("room", "the"), ("place", "red lamp")]


def test_a_span_over_a_whole_list_is_divided():
    text = "buy some milk, eggs and brown bread today"
    whole = (4, 35, "items")
    items = ["milk", "eggs", "brown bread"]
    assert found(text, {"items": items}, whole) == [("items", item) for item in items]
    assert found(text, {"items": ["milk", "cheese"]}, whole) == [("items", "some milk, eggs and brown bread")]
    assert found(text, {"items": ["milk, eggs"]}, whole) == [("items", "some milk, eggs and brown bread")]
    assert found("milk eggs milk", {"items": ["eggs", "milk"]}, (0, 9, "items")) == [("items", "milk eggs")]


def test_a_dropped_span_is_looked_for_again():
    assert found("bathrooms or bath", {"title": "bath"}, (0, 4, "title")) == [("title", "bath")]


@given(st.text("ab 5,é卧室", max_size=20).filter(str.strip), st.data())
def test_spans_are_whole_words_in_order_and_apart(text, data):
    edges = st.tuples(st.integers(0, len(text) - 1), st.integers(1, len(text))).filter(lambda each: each[0] < each[1])
    given_spans = [(*data.draw(edges), name) for name in data.draw(st.lists(st.sampled_from(sorted(PARAMETERS))))]
    arguments = {"title": data.draw(st.text("ab 卧", max_size=3)), "minutes": 5}
    once = aligned(Row(text, "do_it", arguments, tuple(given_spans)), PARAMETERS)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end, _ in once.spans)
    assert all(before[1] <= after[0] for before, after in pairwise(once.spans))
    assert aligned(once, PARAMETERS) == once


@pytest.mark.parametrize(
    ("parameter", "text", "value", "expected"),
    [
        ("title", "Hey  Jude", "hey jude", True),
        ("title", "hey", "hey jude", False),
        ("room", "lounge", "Living Room", True),
        ("room", "lounge", "Kitchen", False),
        ("minutes", "twelve", 12, True),
        ("minutes", "twelve", 12.0, True),
        ("minutes", "twelve", 13, False),
        ("length", "half an hour", "PT30M", True),
        ("state", "on", "on", True),
        ("state", "on", "off", False),
        ("loud", "yes", True, True),
        ("loud", "no", True, False),
        ("minutes", "one", True, False),
    ],
)
def test_what_a_text_says(parameter, text, value, expected):
    assert says(PARAMETERS[parameter], text, value) is expected


def test_the_report_counts_what_stands_in_the_text():
    rows = [
        Row("ten minutes", "do_it", {"minutes": 10, "title": "tea", "state": "on"}),
        Row("tea", "do_it", {"title": "tea", "place": None}),
        Row("five", "do_it", {"minutes": 5, "title": "x", "room": "Kitchen"}),
        Row("what", None, {"minutes": 1}),
    ]
    counted = alignment([aligned(row, PARAMETERS) for row in rows], [TOOL])
    assert counted == Alignment({"minutes": 2, "title": 1}, {"title": 2, "room": 1})
    assert counted.to_line() == "3 of 6 arguments stand in the text; without words: title 2, room 1"
    assert alignment([], [TOOL]).to_line() == "0 of 0 arguments stand in the text"
