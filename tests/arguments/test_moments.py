"""Moments as people say and write them; now is Wednesday, 18 November 2026, 10:30."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.moments import read_moment

NOW = datetime(2026, 11, 18, 10, 30)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "18T10:30"),
        ("tomorrow at 5pm", "19T17:00"),
        ("5pm tomorrow", "19T17:00"),
        ("tomorrow 5 p.m.", "19T17:00"),
        ("tomorrow, 17:00", "19T17:00"),
        ("tomorrow at five", "19T17:00"),
        ("at 6 tomorrow", "19T18:00"),
        ("tomorrow at eight", "19T08:00"),
        ("tomorrow at twelve", "19T12:00"),
        ("tomorrow at noon", "19T12:00"),
        ("tomorrow morning at seven", "19T07:00"),
        ("seven tomorrow morning", "19T07:00"),
        ("tomorrow evening at half past seven", "19T19:30"),
        ("quarter past nine tomorrow morning", "19T09:15"),
        ("tonight at 8", "18T20:00"),
        ("8 tonight", "18T20:00"),
        ("this evening at seven", "18T19:00"),
        ("tonight at one", "19T01:00"),
        ("tonight at midnight", "19T00:00"),
        ("last night at nine", "17T21:00"),
        ("today at 9am", "18T09:00"),
        ("today at nine", "18T21:00"),
        ("today at eleven", "18T11:00"),
        ("at six", "18T18:00"),
        ("9am", "19T09:00"),
        ("10:30 am", "19T10:30"),
        ("midnight", "19T00:00"),
        ("half past ten", "18T22:30"),
        ("friday at half past six", "20T18:30"),
        ("at noon on friday", "20T12:00"),
        ("this friday at 18h", "20T18:00"),
        ("friday night at eight", "20T20:00"),
        ("next friday at 5pm", "27T17:00"),
        ("the day after tomorrow at ten to nine", "20T08:50"),
        ("at 3 30 pm on the 20th", "20T15:30"),
        ("in two hours", "18T12:30"),
        ("in half an hour", "18T11:00"),
        ("an hour and a half from now", "18T12:00"),
        ("in three days at noon", "21T12:00"),
        ("three days from now at 5", "21T17:00"),
        ("in three days", "21T10:30"),
        ("2026-11-24T18:00", "24T18:00"),
        ("2026-11-18T10:00", "18T10:00"),
        ("2026-11-24 18:00:05", "24T18:00:05"),
        ("24 november at 18:30", "24T18:30"),
        ("at 18:30 november 24", "24T18:30"),
        ("november 24 5pm", "24T17:00"),
        ("november twenty fourth seven thirty", "24T07:30"),
        ("at 7 p m on the twenty fourth of november twenty twenty six", "24T19:00"),
        ("现在", "18T10:30"),
        ("明天下午三点", "19T15:00"),
        ("明天下午 3 點", "19T15:00"),
        ("明天三点", "19T15:00"),
        ("明天八点", "19T08:00"),
        ("明天中午", "19T12:00"),
        ("明早七点", "19T07:00"),
        ("明晚8点半", "19T20:30"),
        ("明天差十分九点", "19T08:50"),
        ("明天凌晨两点", "19T02:00"),
        ("今晚八点", "18T20:00"),
        ("今晚十二点", "19T00:00"),
        ("今天六点", "18T18:00"),
        ("八点", "18T20:00"),
        ("早上八点", "19T08:00"),
        ("后天早上七点半", "20T07:30"),
        ("周五五点", "20T17:00"),
        ("周五12点", "20T12:00"),
        ("下周五晚上八点", "27T20:00"),
        ("半小时后", "18T11:00"),
        ("两个小时后", "18T12:30"),
        ("三天后下午三点", "21T15:00"),
        ("24号上午十点一刻", "24T10:15"),
        ("11月24日18点", "24T18:00"),
        ("2026年11月24日15:30", "24T15:30"),
    ],
)
def test_moments(text, expected):
    moment = datetime.fromisoformat(f"2026-11-{expected}")
    assert read_moment(text, NOW) == moment
    assert read_moment(f" {text.upper()} ", NOW) == moment
    assert read_moment(text, NOW.replace(tzinfo=UTC)) == moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "tomorrow",
            "next friday",
            "the 5th",
            "2026-12-24",
            "tomorrow morning",
            "tonight",
            "soon",
            "later",
            "next week",
        ),
        *("two hours", "six minutes", "25", "tomorrow at the office", "in a while", "a week on friday at five"),
        *("明天", "今晚", "下周", "明天早上", "两小时", "一会儿", "周五开会"),
    ],
)
def test_no_moment(text):
    assert read_moment(text, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        *("tomorrow at 25:00", "february 30 at noon", "tomorrow or friday at 5", "tomorrow at five or six"),
        *(
            "2026-11-24T25:00",
            "2026-02-30T12:00",
            "tomorrow morning at 3pm",
            "3/4/2026 at 5pm",
            "in ten or fifteen minutes",
            "in 99999999 weeks",
        ),
        *("明天二十五点", "周一到周五八点", "2月30日八点", "三四分钟后"),
    ],
)
def test_impossible(text):
    with pytest.raises(ValueError):
        read_moment(text, NOW)


def test_a_moment_behind_the_calendar_is_refused():
    last = datetime(9999, 12, 31, 23, 30)
    for text in ("in two hours", "at noon", "tomorrow at noon", "六点"):
        with pytest.raises(ValueError):
            read_moment(text, last)


def test_too_long_a_text_is_refused_unread():
    assert read_moment("tomorrow at " * 20 + "5pm", NOW) is None


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1))


@given(MOMENTS, MOMENTS)
def test_every_moment_reads_back(moment, now):
    moment = moment.replace(second=0, microsecond=0)
    day = f"{moment.day} {moment:%B} {moment.year}"
    part = "上午" if 1 <= moment.hour < 12 else "中午" if moment.hour == 12 else ""
    for text in (
        f"{moment:%Y-%m-%dT%H:%M}",
        f"{moment:%I:%M %p} on {moment:%A} {day}",
        f"{day} at {moment:%I:%M %p}",
        f"{moment:%B} {moment.day} {moment.year}, {moment:%I:%M %p}",
        f"{moment:%Y-%m-%d %H:%M:%S}",
        f"{moment.year}年{moment.month}月{moment.day}日{part}{moment.hour}时{moment:%M}分",
    ):
        assert read_moment(text, now) == moment, text


@given(MOMENTS, st.integers(0, 23), st.integers(0, 59))
def test_a_time_alone_is_the_next_one(now, hour, minute):
    for text in (f"{hour:02}h{minute:02}", f"at {hour % 12 or 12}:{minute:02}", f"{hour % 12 or 12}点{minute:02}"):
        moment = read_moment(text, now)
        assert moment is not None
        assert timedelta(0) < moment - now <= timedelta(hours=24 if "h" in text else 12), text
        assert (moment.hour % 12, moment.minute) == (hour % 12, minute)


@given(st.text(max_size=40) | st.text("0123456789 :-.tomrwapn/fridy,年月日号周下天后今明早晚点分半一二十", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(read_moment(text, NOW), datetime | None)
    except ValueError as error:
        assert str(error)
