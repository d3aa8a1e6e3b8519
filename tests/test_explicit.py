"""Lines that name a function: what is one, what is not, and what is wrong with one."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import ArgumentError, ExplicitCallError
from edgefn.explicit import ExplicitCall, bind_explicit, read_explicit, same_value
from edgefn.listening import _SIGNS
from edgefn.tool import Tool


def named(name: str, *positional: Any, **keywords: Any) -> ExplicitCall:
    return ExplicitCall(name, positional, keywords, False)


def expecting(expected: Any, name: str, *positional: Any, **keywords: Any) -> ExplicitCall:
    return ExplicitCall(name, positional, keywords, True, expected)


CALLS = {
    "call square(3)": named("square", 3),
    "  Please call square( 3 ) . ": named("square", 3),
    "please, CALL square(3)": named("square", 3),
    "call square(number=3)": named("square", number=3),
    "call square( number = -3.5e1 )": named("square", number=-35.0),
    "call start_over()": named("start_over"),
    "call lights.kitchen-2(1)": named("lights.kitchen-2", 1),
    "call add(3, b=4)": named("add", 3, b=4),
    "call f(true, False, null, None)": named("f", True, False, None, None),
    "call f([1, [2]], {'a': {\"b\": []}})": named("f", [1, [2]], {"a": {"b": []}}),
    "call say('it\\'s \"on\"')": named("say", 'it\'s "on"'),
    r'call say("a\n\u00e9\ud83d\ude00\/")': named("say", "a\né😀/"),
    "call say(“你好，世界（3）”，「x」、『y』)": named("say", "你好，世界（3）", "x", "y"),
    "call say(”typed with one mark”)": named("say", "typed with one mark"),
    "call square（３．５）": named("square", 3.5),
    'call function("square")': named("square"),
    'call function("square", [3])': named("square", 3),
    'call function("square", [3], 9)': expecting(9, "square", 3),
    "Call Function( 'square' , {'number': 3} , 9 ).": expecting(9, "square", number=3),
    'call function("square", [], null)': expecting(None, "square"),
    "请执行square，参数为3，期望输出为9": expecting(9, "square", 3),
    "請執行square，參數為3，期望輸出為9。": expecting(9, "square", 3),
    "请执行square，参数为３，期望输出为９": expecting(9, "square", 3),
    "请调用 square，参数是－３": named("square", -3),
    "运行square, 参数：number=3, 期望结果是 9.": expecting(9, "square", number=3),
    "请运行square，参数为3。期望输出：9。": expecting(9, "square", 3),
    "执行square，参数为3期望的结果为9": expecting(9, "square", 3),
    "执行“square”，参数为3": named("square", 3),
    "执行函数square，参数为3": named("square", 3),
    "请执行add，参数分别为3、4": named("add", 3, 4),
    "请执行add，参数为3，4，期望输出为7": expecting(7, "add", 3, 4),
    "请执行add，参数为3,4": named("add", 3, 4),
    "请执行add，参数为[3, 4]，期望输出为7": expecting(7, "add", 3, 4),
    "请执行add，参数为{“a”：3，“b”：4}": named("add", a=3, b=4),
    "请执行add，参数为a=3、b=4": named("add", a=3, b=4),
    "请执行total，参数为[[3, 4]]": named("total", [3, 4]),
    "请执行total，参数为[3], [4]": named("total", [3], [4]),
    "请执行total，参数为values=[3, 4]": named("total", values=[3, 4]),
    "请执行say，参数为“参数，期望输出为9”": named("say", "参数，期望输出为9"),
    "请执行square，参数为3，期望输出结果为9": expecting(9, "square", 3),
    "请执行start_over": named("start_over"),
    "执行start_over.": named("start_over"),
    "请执行start_over，期望输出为[1，{“a”：null}]": expecting([1, {"a": None}], "start_over"),
    "执行square(3)": named("square", 3),
    "执行square（3），期望输出为9": expecting(9, "square", 3),
    '调用function("square", [3], 9)': expecting(9, "square", 3),
}
ORDINARY = [
    "",
    "call",
    "call security",
    "call me a taxi",
    "call mum (at home)",
    "please call function keys strange",
    "I said call square(3)",
    "recall square(3)",
    "square(3)",
    "call 3(4)",
    "call \u00e9t\u00e9(3)",
    f"call {'a' * 65}(3)",
    "执行任务",
    "请执行plan B吧",
    "执行plan b (备用)",
    "运行一下square",
    "请square(3)",
    "执行",
    "call say('" + "x" * 1000 + "')",
    " " * 1000,
]
WRONG = {
    "call mum(at home)": "character 10, before 'at': put text in quotes",
    "call square(": "character 13, at the end: a value is expected",
    "call square(3": "character 14, at the end: ',' or ')' is expected",
    "call square(3 4)": "character 15, before '4': ',' or ')'",
    "call square(3,)": "before ')': a value is expected",
    "call square(3) now": "character 16, before 'now': the call is over",
    "call square(3)?": "the call is over",
    "call square(=3)": "a value is expected",
    "call square(number==3)": "put text in quotes",
    "call square(number=)": "a value is expected",
    "call add(a=1, 2)": "without a name",
    "call add(a=1, a=2)": "'a' is given twice",
    'call f({"a": 1, "a": 2})': "'a' is given twice",
    "call f({a: 1})": "a name in quotes",
    'call f({"a" 1})': "':' is expected",
    "call f([1, 2)": "',' or ']'",
    'call f("abc)': "character 8, before '\"': the quote",
    r'call f("\x")': "after a backslash",
    r'call f("\u12")': "after a backslash",
    'call f("\\': "after a backslash",
    r'call f("\ud83d")': "half of a character",
    'call f("\ud83d")': "half of a character",
    "call f(007)": "no number",
    "call f(3px)": "no number",
    "call f(1.5.2)": "no number",
    "call f(1_000)": "no number",
    "call f(-)": "no number",
    "call f(--3)": "no number",
    "call f(²)": "no number",
    "call f(.5)": "no number",
    "call f(+5)": "no number",
    "call f(1.)": "',' or ')'",
    "call f(1e999)": "too large",
    "call f(NaN)": "in quotes",
    "call f(-Infinity)": "no number",
    "call f(TRUE)": "in quotes",
    f"call f({'[' * 21}{']' * 21})": "more than 20",
    f"call f({'[' * 900}": "more than 20",
    "call function(3)": "the name of the function",
    "call function()": "the name of the function",
    'call function("sq uare")': "no name of a function",
    'call function("square", 3)': "a list, [3], or an object",
    'call function("square" [3])': "')' is expected",
    'call function("square", [3], 9, 1)': "')' is expected",
    "执行square，参数3": "character 12, before '3': 为, 是 or ：",
    "执行square，参数为": "a value is expected",
    "执行square，参数为三": "before '三': put text in quotes",
    "执行square，参数为3个": "the call is over",
    "执行square，参数为3，期望输出9": "为, 是 or ：",
    "执行square，参数为3，期望输出为": "a value is expected",
    "执行square(3)，参数为3": "the call is over",
    "执行square，期望输出为9，参数为3": "the call is over",
}


@pytest.mark.parametrize("text", CALLS)
def test_calls(text: str) -> None:
    assert read_explicit(text) == CALLS[text]


def test_numbers_keep_their_kind() -> None:
    call = read_explicit("call f(3, 3.0, 3e0, true)")
    assert call is not None
    assert [type(each) for each in call.positional] == [int, float, float, bool]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_utterances(text: str) -> None:
    assert read_explicit(text) is None


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said(text: str) -> None:
    with pytest.raises(ExplicitCallError) as caught:
        read_explicit(text)
    assert WRONG[text] in caught.value.message
    assert "call square(3)" in caught.value.hint
    caught.value.message.encode()  # a lone surrogate cannot be printed


def test_nesting_of_20_is_read() -> None:
    call = read_explicit(f"call f({'[' * 20}{']' * 20})")
    assert call is not None
    assert json.dumps(call.positional[0]) == "[" * 20 + "]" * 20


SIGNS = "(（)[]{},，:=\"'“”\\1-.ex٣ \ud83d"
WORDS = ["call ", "please ", "请", "执行", "f", "function", "u12", "true", "参数", "为", "期望输出为"]
pieces = st.sampled_from([*WORDS, *SIGNS])


@given(st.one_of(st.text(), st.lists(pieces, max_size=20).map("".join), st.lists(pieces).map(lambda p: f"call f({p}")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        call = read_explicit(text)
    except ExplicitCallError as error:
        assert error.message.startswith("character ")
        assert error.hint
        error.message.encode()
    else:
        assert call is None or isinstance(call, ExplicitCall)


def write(name: str, parts: list[Any], width: dict[int, int]) -> str:
    """Write a call; where no string is in it, its digits and signs take the given width."""
    arguments = ", ".join(json.dumps(each) for each in parts)
    wide = arguments if '"' in arguments else arguments.translate(width)
    return f"call {name}({wide})"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=6,
)
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not chr(code).isalpha()}


@given(st.lists(json_values, max_size=3), st.sampled_from([{}, WIDE]))
def test_json_is_read_as_json(parts: list[Any], width: dict[int, int]) -> None:
    text = write("f", parts, width)
    if len(text) <= 1000:
        call = read_explicit(text)
        assert call is not None
        assert json.dumps(call.positional) == json.dumps(parts)


# ---- binding ---------------------------------------------------------------------------------------------


def move(thing: str, to: str, days: int = 0) -> None:
    """Move a thing.

    Args:
        thing: what.
        to: where.
        days: when.
    """


def rest() -> None:
    """Do nothing."""


MOVE, REST = Tool.from_function(move), Tool.from_function(rest)


def test_arguments_in_order_take_the_order_of_the_signature() -> None:
    assert bind_explicit(named("move", "lamp", "hall"), MOVE) == {"thing": "lamp", "to": "hall"}
    assert bind_explicit(named("move", "lamp", to="hall", days=2), MOVE) == {"thing": "lamp", "to": "hall", "days": 2}
    assert bind_explicit(named("rest"), REST) == {}


def test_values_and_what_is_missing_are_left_to_the_tool() -> None:
    bound = bind_explicit(named("move", 3), MOVE)
    assert bound == {"thing": 3}
    with pytest.raises(ArgumentError, match="'thing' is 3"):
        MOVE.bind(bound)


@pytest.mark.parametrize(
    ("call", "tool", "problem"),
    [
        (named("move", 1, 2, 3, 4), MOVE, "move takes at most 3 arguments; given: 4"),
        (named("rest", 1), REST, "rest takes no arguments; given: 1"),
        (named("move", "lamp", thing="lamp"), MOVE, "'thing' is given twice"),
        (named("move", where="hall"), MOVE, "move takes no argument 'where'"),
    ],
)
def test_arguments_that_no_parameter_takes(call: ExplicitCall, tool: Tool, problem: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        bind_explicit(call, tool)
    assert problem in caught.value.message
    assert caught.value.hint


# ---- comparing -------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"
    ODD = (1, 2)


class Level(IntEnum):
    HIGH = 3


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


class HostileMapping(OrderedDict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("no")


cyclic: list[Any] = []
cyclic.append(cyclic)

SAME = [
    (9, 9.0),
    (9.0, 9),
    (0.5, 0.5),
    (True, True),
    (None, None),
    ("a", "a"),
    ([1, 2], (1, 2.0)),
    ({"a": 1, "b": [None]}, OrderedDict(b=[None], a=1)),
    ({"1": "x"}, {1: "x"}),
    ("PT10M", timedelta(minutes=10)),
    ("2026-11-21", date(2026, 11, 21)),
    ("18:05:00", time(18, 5)),
    ("2026-11-21T18:05:00", datetime(2026, 11, 21, 18, 5)),
    ("red", Colour.RED),
    ("ODD", Colour.ODD),
    (3, Level.HIGH),
    (["PT1H"], [timedelta(hours=1)]),
    (9, np.int64(9)),
    (0.5, np.float32(0.5)),
    (9, Decimal("9.0")),
    (0.25, Fraction(1, 4)),
    (10**30, 10**30),
]
DIFFERENT = [
    (1, True),
    (True, 1),
    (0, False),
    (0, None),
    (False, None),
    ("9", 9),
    (9, "9"),
    ("a", "A"),
    ([1, 2], [2, 1]),
    ([1], [1, 1]),
    ([], {}),
    ({}, []),
    ("", None),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"a": 1}, {"b": 1}),
    ("PT600S", timedelta(minutes=10)),
    (10**30, 10**30 + 1),
    (1, float("nan")),
    (1, 1j),
    ("x", Hostile()),
    ({"a": 1}, HostileMapping(a=1)),
    ([[[]]], cyclic),
    ({"a": 1}, Hostile()),
]


@pytest.mark.parametrize(("expected", "value"), SAME)
def test_same(expected: Any, value: Any) -> None:
    assert same_value(expected, value) is True


@pytest.mark.parametrize(("expected", "value"), DIFFERENT)
def test_different(expected: Any, value: Any) -> None:
    assert same_value(expected, value) is False


@given(json_values)
def test_a_value_is_itself_after_json(value: Any) -> None:
    assert same_value(json.loads(json.dumps(value)), value)


@given(
    st.text(max_size=40)
    | st.sampled_from(["call a(1)", "请执行a", "調用a", "运行 a，参数为1", "CALL a (1)", "執行a()"])
)
def test_every_line_that_is_read_has_one_of_the_signs_that_are_looked_for_first(text):
    try:
        found = read_explicit(text) is not None
    except ExplicitCallError:
        found = True
    assert not found or any(sign in text for sign in _SIGNS)
