"""Values of closed sets by what people say for them."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.enums import members, read_member
from edgefn.arguments.marks import Synonyms
from edgefn.errors import ToolDefinitionError

SWITCH = members("state", ["on", "off"], {"on": ["up", "lit"], "off": ["dark"]})
MODES = members("mode", ["heat", "cool", "closed", "fan_only", "eco"], {"cool": ["制冷", "降温"]})
LEVELS = members("level", [0, 50, 100], {100: ["max", "full"], 50: ["half"]})


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("text", "known", "value"),
    [
        ("on", SWITCH, "on"),
        ("Lit!", SWITCH, "on"),
        ("dark", SWITCH, "off"),
        ("of", SWITCH, None),
        ("one", SWITCH, None),
        ("heating", MODES, "heat"),
        ("cooled", MODES, "cool"),
        ("close", MODES, "closed"),
        ("closing", MODES, "closed"),
        ("fan only", MODES, "fan_only"),
        ("the fan-only", MODES, "fan_only"),
        ("制冷", MODES, "cool"),
        ("智冷", MODES, "cool"),  # sounds the same
        ("string", MODES, None),
        ("max", LEVELS, 100),
        ("MAX", LEVELS, 100),
        ("50", LEVELS, 50),
        ("0", LEVELS, 0),
        ("zero", LEVELS, 0),
        ("5", LEVELS, None),
        ("", LEVELS, None),
        ("?", LEVELS, None),
    ],
)
def test_reading(text, known, value):
    read = read_member(text, known)
    assert read == value
    assert type(read) is type(value)


def test_a_slip_counts_in_a_long_word_only():
    sizes = members("size", ["extra large", "small"], {})
    assert read_member("extra lareg", sizes) == "extra large"
    assert read_member("smell", sizes) is None


def test_two_values_said_alike_in_inflection_mean_none():
    assert read_member("lock", members("do", ["locked", "locking"], {})) is None


def test_members():
    assert SWITCH == {"on": ("on", "up", "lit"), "off": ("off", "dark")}
    assert LEVELS[100] == ("100", "max", "full")
    assert members("flag", [False, True], {True: ["yes"]}) == {False: ("false",), True: ("true", "yes")}
    assert members("colour", ["red", "blue"], {Colour.RED: ["crimson"]})["red"] == ("red", "crimson")
    assert members("colour", ["RED", "BLUE"], {Colour.RED: ["crimson"]})["RED"] == ("RED", "crimson")
    assert members("sign", ["+", "-"], {}) == {"+": ("+",), "-": ("-",)}


@pytest.mark.parametrize(
    ("values", "said_as", "says"),
    [
        (["Light", "lights"], {}, "'Light' from 'lights'"),
        (["on", "off"], {"on": ["down"], "off": ["The down"]}, "'on' from 'off'"),
        (["on", "off"], {"on": ["off"]}, "'on' from 'off'"),
        ([1, 2], {2: ["one"]}, "1 from 2"),
        (["on"], {"of": ["x"]}, "'of', which is not one of its values"),
        ([0, 1], {True: ["x"]}, "True, which is not"),
        (["on"], {"on": "up"}, "'up', which is no list"),
        (["on"], {"on": 3}, "3, which is no list"),
        (["on"], {"on": [3]}, "3, which is no list"),
        (["on"], {"on": [" "]}, "' ', which is no list"),
    ],
)
def test_members_that_cannot_be_told_apart(values, said_as, says):
    with pytest.raises(ToolDefinitionError, match=says) as caught:
        members("state", values, said_as)
    assert caught.value.message.startswith("state: ")
    assert caught.value.hint


def test_synonyms_can_be_an_annotation():
    assert {Synonyms({"on": ["up"]})}  # hashable, as Optional[Annotated[...]] needs


@given(st.text(max_size=250))
def test_any_text_gives_a_result(text):
    assert read_member(text, MODES) in (*MODES, None)
