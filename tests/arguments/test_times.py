"""Times of day as people say and write them; now is a Wednesday, 10:30."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.times import read_time

NOW = datetime(2026, 11, 18, 10, 30)


def at(text: str) -> time:
    hour, minute, *second = map(int, text.split(":"))
    return time(hour, minute, *second)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("17:30", "17:30"),
        ("17.30", "17:30"),
        ("1730", "17:30"),
        ("17 30", "17:30"),
        ("18:30:15", "18:30:15"),
        ("18h", "18:00"),
        ("18h30", "18:30"),
        ("06:30", "6:30"),
        ("0630", "6:30"),
        ("oh six thirty", "6:30"),
        ("o six hundred", "6:00"),
        ("zero eight hundred hours", "8:00"),
        ("eighteen hundred hours", "18:00"),
        ("twenty thirty", "20:30"),
        ("twenty one fifteen", "21:15"),
        ("0:00", "0:00"),
        ("24:00", "0:00"),
        ("5pm", "17:00"),
        ("5 p.m.", "17:00"),
        ("5 P M", "17:00"),
        ("five p m", "17:00"),
        ("5:30 pm", "17:30"),
        ("5.30pm", "17:30"),
        ("five thirty pm", "17:30"),
        ("06:30 pm", "18:30"),
        ("12am", "0:00"),
        ("12:30 a.m.", "0:30"),
        ("12pm", "12:00"),
        ("half past seven am", "7:30"),
        ("quarter to twelve pm", "23:45"),
        ("7 pm tonight", "19:00"),
        ("half past six", "18:30"),
        ("half six", "18:30"),
        ("half-past six", "18:30"),
        ("half past ten", "22:30"),
        ("quarter past nine", "21:15"),
        ("a quarter to nine", "20:45"),
        ("quarter of nine", "20:45"),
        ("quarter after eleven", "11:15"),
        ("ten to nine", "20:50"),
        ("ten till nine", "20:50"),
        ("twenty five past six", "18:25"),
        ("twenty to three", "14:40"),
        ("five minutes past ten", "22:05"),
        ("seven minutes to eleven", "10:53"),
        ("ten to one", "12:50"),
        ("ten to midnight", "23:50"),
        ("quarter past noon", "12:15"),
        ("six", "18:00"),
        ("at six", "18:00"),
        ("eleven", "11:00"),
        ("twelve", "12:00"),
        ("10:30", "22:30"),
        ("10:31", "10:31"),
        ("six o'clock", "18:00"),
        ("six o’clock", "18:00"),
        ("six o clock", "18:00"),
        ("6 oclock sharp", "18:00"),
        ("seven thirty", "19:30"),
        ("seven-thirty", "19:30"),
        ("seven oh five", "19:05"),
        ("seven o five", "19:05"),
        ("seven forty five", "19:45"),
        ("630", "18:30"),
        ("noon", "12:00"),
        ("midday", "12:00"),
        ("12 noon", "12:00"),
        ("midnight", "0:00"),
        ("twelve midnight", "0:00"),
        ("six in the morning", "6:00"),
        ("quarter to one in the morning", "0:45"),
        ("three in the afternoon", "15:00"),
        ("six in the evening", "18:00"),
        ("this evening at seven", "19:00"),
        ("nine at night", "21:00"),
        ("two at night", "2:00"),
        ("half past twelve at night", "0:30"),
        ("7 tonight", "19:00"),
        ("now", "10:30"),
        ("in ten minutes", "10:40"),
        ("half an hour from now", "11:00"),
    ],
)
def test_english(text, expected):
    assert read_time(text, NOW) == at(expected)
    assert read_time(f" {text.upper()} ", NOW) == at(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("下午三点", "15:00"),
        ("下午三點", "15:00"),
        ("下午 3:30", "15:30"),
        ("下午15点", "15:00"),
        ("下午3点45", "15:45"),
        ("六点", "18:00"),
        ("８点", "20:00"),
        ("十一点", "11:00"),
        ("六点半", "18:30"),
        ("三点钟", "15:00"),
        ("三点整", "15:00"),
        ("三点一刻", "15:15"),
        ("三点三刻", "15:45"),
        ("三点十", "15:10"),
        ("八点二十五", "20:25"),
        ("十点零五分", "22:05"),
        ("十点过五分", "22:05"),
        ("差一刻九点", "20:45"),
        ("差十分九点", "20:50"),
        ("差五分钟到九点", "20:55"),
        ("九点差五分", "20:55"),
        ("九点差一刻", "20:45"),
        ("早上七点", "7:00"),
        ("早上七点半", "7:30"),
        ("上午十二点半", "12:30"),
        ("凌晨两点", "2:00"),
        ("凌晨十二点一刻", "0:15"),
        ("中午12点", "12:00"),
        ("中午一点", "13:00"),
        ("中午", "12:00"),
        ("傍晚六点", "18:00"),
        ("晚上八点二十", "20:20"),
        ("晚八点", "20:00"),
        ("晚上十二点", "0:00"),
        ("晚上两点", "2:00"),
        ("深夜十一点", "23:00"),
        ("半夜", "0:00"),
        ("半夜三点", "3:00"),
        ("午夜", "0:00"),
        ("今晚八点", "20:00"),
        ("今早七点", "7:00"),
        ("今天下午三点", "15:00"),
        ("十七点三十分", "17:30"),
        ("十七点三十分十五秒", "17:30:15"),
        ("二十一时", "21:00"),
        ("零点十分", "0:10"),
        ("二十四点", "0:00"),
        ("六点左右", "18:00"),
        ("现在", "10:30"),
        ("十分钟后", "10:40"),
        ("过半小时", "11:00"),
    ],
)
def test_chinese(text, expected):
    assert read_time(text, NOW) == at(expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "?",
            "tomorrow",
            "morning",
            "in the morning",
            "soon",
            "25",
            "0",
            "2575",
            "six minutes",
            "six hours",
            "at",
        ),
        *(
            "half past",
            "quarter to",
            "seven five",
            "5.3",
            "5 apples",
            "in three days",
            "half to six",
            "six o'clock news",
        ),
        *("ten past ten past ten", "a m", "twenty five", "the sixth", "one two three", "5 5 5", "in six"),
        *("下午", "早上", "点", "第三点", "三点五", "六分钟", "明天", "一会儿", "三个", "晚上八点的闹钟"),
    ],
)
def test_no_time(text):
    assert read_time(text, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        *("25:00", "24:01", "6:75", "13pm", "17:30 am", "0:30 pm", "26 o'clock", "sixty past six", "25 pm"),
        *("7 am in the evening", "15:00 in the morning", "noon at night"),
        *(
            "five or six o'clock",
            "5-6 pm",
            "between five and six",
            "noon or midnight",
            "from 5 pm to 6 pm",
            "nine to five",
        ),
        *("in ten or fifteen minutes",),
        *("二十五点", "六点七十分", "早上十五点", "三四点", "三点到五点", "六点或者七点"),
    ],
)
def test_impossible(text):
    with pytest.raises(ValueError):
        read_time(text, NOW)


def test_too_long_a_text_is_refused_unread():
    assert read_time("at " * 100 + "six", NOW) is None


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        ("10:30", "ten thirty", "22:30"),
        ("10:29", "ten thirty", "10:30"),
        ("22:30", "ten thirty", "10:30"),
        ("23:50", "six", "6:00"),
        ("23:50", "twelve", "0:00"),
        ("0:00", "twelve", "12:00"),
        ("23:50", "六点", "6:00"),
        ("23:50", "in twenty minutes", "0:10"),
        ("12:00", "quarter to one", "12:45"),
        ("10:30", "six at night", "18:00"),
        ("20:00", "9 am", "9:00"),
    ],
)
def test_a_clock_face_shows_the_next_such_time(now, text, expected):
    assert read_time(text, datetime.combine(NOW, at(now))) == at(expected)
    assert read_time(text, datetime.combine(NOW, at(now), UTC)) == at(expected)


ONES = [
    "twelve",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
]
ONES += ["seventeen", "eighteen", "nineteen"]
DIGITS = "零一二三四五六七八九"


def words(n: int) -> str:
    if n < 20:
        return ONES[n]
    return ["twenty", "thirty", "forty", "fifty"][n // 10 - 2] + (f" {ONES[n % 10]}" if n % 10 else "")


def chinese(n: int) -> str:
    if n < 10:
        return "两" if n == 2 else DIGITS[n]
    return ("" if n < 20 else DIGITS[n // 10]) + "十" + (DIGITS[n % 10] if n % 10 else "")


def english_forms(hour: int, minute: int) -> list[str]:
    """Say a time with nothing that tells the half of the day."""
    face, following = hour % 12 or 12, hour % 12 + 1
    forms = [f"{words(face)} {'oh ' if minute < 10 else ''}{words(minute)}"] if minute else [f"{words(face)} o'clock"]
    if 0 < minute < 30:
        forms += [f"{words(minute)} minutes past {words(face)}", f"{minute} past {face}"]
    if minute > 30:
        forms += [f"{words(60 - minute)} minutes to {words(following)}", f"{60 - minute} minutes to {following}"]
    named = {15: f"a quarter past {face}", 30: f"half past {words(face)}", 45: f"quarter to {words(following)}"}
    return [*forms, named[minute]] if minute in named else forms


def chinese_forms(hour: int, minute: int) -> list[str]:
    """Say a time with nothing that tells the half of the day."""
    face, following = hour % 12 or 12, hour % 12 + 1
    zero = "零" if 0 < minute < 10 else ""
    forms = [
        f"{chinese(face)}点{zero}{DIGITS[2] if minute == 2 else chinese(minute)}分" if minute else f"{chinese(face)}点"
    ]
    if minute > 30:
        forms += [f"差{chinese(60 - minute)}分{chinese(following)}点", f"{following}点差{60 - minute}分"]
    named = {15: f"{chinese(face)}点一刻", 30: f"{face}点半", 45: f"差一刻{chinese(following)}点"}
    return [*forms, named[minute]] if minute in named else forms


MINUTES = [time(minute // 60, minute % 60) for minute in range(1440)]


def test_every_minute_reads_back_as_written():
    for each in MINUTES:
        hour, minute = each.hour, each.minute
        before = datetime.combine(NOW, each) - timedelta(minutes=1)  # 10:05 may be of the morning or of the evening
        for text in (f"{hour:02}:{minute:02}", f"{hour:02}{minute:02}", f"{hour:02}h{minute:02}", f"{each:%I:%M %p}"):
            assert read_time(text, before) == each, text


def test_every_minute_reads_back_in_english():
    for each in MINUTES:
        before = (datetime.combine(NOW, each) - timedelta(minutes=1)).replace(second=30)
        for text in english_forms(each.hour, each.minute):
            assert read_time(text, before) == each, text
            other = (datetime.combine(NOW, each) + timedelta(hours=12)).time()
            assert read_time(text, datetime.combine(NOW, each)) == other, text
        said = english_forms(each.hour, each.minute)[0]
        assert read_time(f"{said} {'a m' if each.hour < 12 else 'p m'}", NOW) == each, said
        part = "in the morning" if each.hour < 12 else "in the afternoon" if each.hour < 17 else "at night"
        assert read_time(f"{said} {part}", NOW) == each, said


def test_every_minute_reads_back_in_chinese():
    for each in MINUTES:
        hour, minute = each.hour, each.minute
        part = "凌晨" if hour < 6 else "早上" if hour < 12 else "中午" if hour < 13 else "下午" if hour < 18 else "晚上"
        before = datetime.combine(NOW, each) - timedelta(seconds=1)
        for text in chinese_forms(hour, minute):
            assert read_time(text, before) == each, text
            if not text.startswith("差") or hour not in (5, 11, 12, 17):  # 差五分六点 in the night is another part's
                assert read_time(part + text, NOW) == each, part + text
        if hour == 0 or hour > 12:
            assert read_time(f"{chinese(hour)}点{minute:02}分", NOW) == each


@pytest.mark.parametrize("minute", range(0, 1440, 37))
def test_agrees_with_dateparser(minute):
    dateparser = pytest.importorskip("dateparser")
    each = MINUTES[minute]
    text = f"{each:%I:%M %p}"
    assert read_time(text, NOW) == dateparser.parse(text, languages=["en"]).time()


@given(st.text(max_size=40) | st.text("0123456789 :.apmhonquarter'lckst-十半点分刻差早晚上下午零到", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(read_time(text, NOW), time | None)
    except ValueError as error:
        assert str(error)
