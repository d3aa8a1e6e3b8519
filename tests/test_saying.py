"""Values and calls in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.saying import LONGEST, ask_consent, describe_call, language_of, say


class Colour(Enum):
    DARK_RED = "dark red"
    ODD_ONE = 7


class Level(IntEnum):
    HIGH = 3


class Lamp:
    pass


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")


class Named:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


WORDS = [
    (None, "nothing", "无"),
    (True, "yes", "是"),
    (False, "no", "否"),
    ("Zoë's  lamp\n", "Zoë's  lamp\n", "Zoë's  lamp\n"),
    (9, "9", "9"),
    (9.0, "9", "9"),
    (-0.0, "0", "0"),
    (0.1 + 0.2, "0.3", "0.3"),
    (123456789012.5, "123456789012.5", "123456789012.5"),
    (float("inf"), "inf", "inf"),
    (float("nan"), "nan", "nan"),
    (Decimal("1.50"), "1.50", "1.50"),
    (timedelta(minutes=10), "10 minutes", "10分钟"),
    (timedelta(hours=1, minutes=30), "1 hour and 30 minutes", "1小时30分钟"),
    (timedelta(days=1, hours=2, seconds=1), "1 day, 2 hours and 1 second", "1天2小时1秒"),
    (timedelta(seconds=1.5), "1.5 seconds", "1.5秒"),
    (timedelta(0), "0 seconds", "0秒"),
    (timedelta(minutes=-10), "minus 10 minutes", "负10分钟"),
    (timedelta.min, "minus 999999999 days", "负999999999天"),
    (date(2026, 11, 21), "21 November 2026", "2026年11月21日"),
    (date(987, 1, 2), "2 January 987", "987年1月2日"),
    (time(18, 5), "18:05", "18:05"),
    (time(8, 5, 9), "08:05:09", "08:05:09"),
    (time(8, 5, tzinfo=UTC), "08:05 UTC", "08:05 UTC"),
    (time(8, 5, tzinfo=timezone(timedelta(hours=-3))), "08:05 UTC-03:00", "08:05 UTC-03:00"),
    (datetime(2026, 11, 21, 18, 5), "21 November 2026 at 18:05", "2026年11月21日18:05"),
    (datetime(2026, 11, 21, 18, 5, tzinfo=UTC), "21 November 2026 at 18:05 UTC", "2026年11月21日18:05 UTC"),
    (
        datetime(2026, 7, 1, 8, tzinfo=ZoneInfo("Asia/Tokyo")),
        "1 July 2026 at 08:00 UTC+09:00",
        "2026年7月1日08:00 UTC+09:00",
    ),
    (Colour.DARK_RED, "dark red", "dark red"),
    (Colour.ODD_ONE, "ODD ONE", "ODD ONE"),
    (Level.HIGH, "HIGH", "HIGH"),
    ([], "nothing", "无"),
    (["a"], "a", "a"),
    (("a", True), "a and yes", "a和是"),
    (["a", "b", 3.0], "a, b and 3", "a、b和3"),
    ({3, 1, 2}, "1, 2 and 3", "1、2和3"),
    ({"city": "Rome", "stay": timedelta(days=2)}, "city: Rome and stay: 2 days", "city：Rome和stay：2天"),
    ([["a", "b"], []], "a and b and nothing", "a和b和无"),
    (Lamp(), "<Lamp>", "<Lamp>"),
    (Hostile(), "<Hostile>", "<Hostile>"),
    (Named(" a\u202e\x00b\n c "), "a b c", "a b c"),
    (Named(""), "<Named>", "<Named>"),
    (Named("\ud83d"), "<Named>", "<Named>"),
]


@pytest.mark.parametrize(("value", "english", "chinese"), WORDS)
def test_values_in_words(value: Any, english: str, chinese: str) -> None:
    assert say(value, "en") == english
    assert say(value, "zh") == chinese


def test_a_number_that_python_will_not_write() -> None:
    assert say(10**5000, "en") == "<int>"


def test_every_chinese_is_chinese_and_the_rest_english() -> None:
    assert [say(True, tag) for tag in ("zh-Hant", "ZH_CN", "en-GB", "de", "zha", "")] == ["是", "是", *["yes"] * 4]


def test_what_is_long_is_cut() -> None:
    said = say(Named("x" * 10**6), "en")
    assert len(said) == LONGEST
    assert said.endswith("x…")
    assert say(Named("x" * LONGEST), "en") == "x" * LONGEST
    assert say("x" * 10**4, "en") == "x" * 10**4
    assert say(list(range(1000)), "en").endswith("48, 49 and 950 more")
    assert say(list(range(1000)), "zh").endswith("、49和另外950项")


def test_a_list_in_itself_ends() -> None:
    within: list[Any] = []
    within += [within, within]
    assert "<list>" in say(within, "en")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.timedeltas()
    | st.dates()
    | st.datetimes()
    | st.times(timezones=st.timezones())
    | st.sampled_from([Lamp(), Hostile(), *Colour, Level.HIGH]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(values, st.sampled_from(["en", "zh", "xx", ""]))
def test_anything_can_be_said(value: Any, language: str) -> None:
    assert isinstance(say(value, language), str)


@given(st.timedeltas(min_value=timedelta(0)))
def test_two_durations_are_never_said_alike(length: timedelta) -> None:
    assert say(length, "en") != say(length + timedelta(microseconds=1), "en")


def test_the_language_of_a_text() -> None:
    assert language_of("restart") == language_of("") == language_of("redémarre 🚀") == "en"
    assert language_of("重启") == language_of("restart 自助机") == "zh"


# ---- calls -----------------------------------------------------------------------------------------------


def test_a_call_in_words() -> None:
    described = describe_call(
        "Restart the kiosk computer. It takes a minute.", "restart", {"when": "tonight"}, {}, None
    )
    assert described == "Restart the kiosk computer (when: tonight)"
    assert (
        describe_call("重启自助机。需要一分钟。", "restart", {"when": "今晚"}, {"when": "时间。"}, None)
        == "重启自助机（时间：今晚）"
    )


@pytest.mark.parametrize(
    ("description", "what"),
    [
        ("", "start over"),
        (" . ", "start over"),
        ("Show the map, e.g. of floor 2. Then wait.", "Show the map, e.g. of floor 2"),
        ("Set version 2.5 now!", "Set version 2.5 now"),
        ("Wipe everything\nno undo", "Wipe everything"),
    ],
)
def test_what_a_call_does_is_the_first_sentence(description: str, what: str) -> None:
    assert describe_call(description, "start_over", {}, {}, None) == what


def test_labels_are_descriptions_unless_they_are_long() -> None:
    labels = {"a_b": "how long.", "c_d": "x" * 41, "e": ""}
    arguments = {"a_b": timedelta(minutes=1), "c_d": [1, 2], "e": None, "f": True}
    said = "Wait (how long: 1 minute; c d: 1 and 2; e: nothing; f: yes)"
    assert describe_call("Wait", "wait", arguments, labels, "en") == said
    assert describe_call("Wait", "wait", {"f": True}, {}, "zh") == "Wait（f：是）"


def test_a_value_can_hide_nothing_from_who_agrees() -> None:
    said = describe_call("Say it.", "say", {"text": "a\n\n\u202eb" + "x" * 1000}, {}, None)
    assert said.startswith("Say it (text: a bxxx")
    assert said.isprintable()
    assert said.endswith("…)")
    assert len(said) < 250


def test_values_with_braces_stay() -> None:
    assert describe_call("Say it", "say", {"text": "{} {0}"}, {}, None) == "Say it (text: {} {0})"


@pytest.mark.parametrize(
    ("what", "language", "question"),
    [
        (
            "Restart the kiosk computer (when: tonight)",
            "en",
            "Restart the kiosk computer (when: tonight). Shall I go ahead?",
        ),
        ("start over.", "en", "Start over. Shall I go ahead?"),
        ("重启自助机", "zh", "重启自助机。确定吗？"),
        ("重启自助机。", "zh-CN", "重启自助机。确定吗？"),
    ],
)
def test_the_question(what: str, language: str, question: str) -> None:
    assert ask_consent(what, language) == question


@given(st.text(), st.text(), st.dictionaries(st.text(), values, max_size=3), st.dictionaries(st.text(), st.text()))
def test_any_call_can_be_described(
    description: str, name: str, arguments: dict[str, Any], labels: dict[str, str]
) -> None:
    assert isinstance(ask_consent(describe_call(description, name, arguments, labels, None), "en"), str)
