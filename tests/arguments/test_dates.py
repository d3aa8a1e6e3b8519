"""Days as people say and write them; today is Wednesday, 18 November 2026."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.dates import read_date

NOW = datetime(2026, 11, 18, 10, 30)
TODAY = NOW.date()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", "2026-11-18"),
        ("tonight", "2026-11-18"),
        ("this evening", "2026-11-18"),
        ("last night", "2026-11-17"),
        ("tomorrow", "2026-11-19"),
        ("tomorrow morning", "2026-11-19"),
        ("the day after tomorrow", "2026-11-20"),
        ("day after tomorrow", "2026-11-20"),
        ("yesterday", "2026-11-17"),
        ("the day before yesterday", "2026-11-16"),
        ("friday", "2026-11-20"),
        ("on friday", "2026-11-20"),
        ("fri", "2026-11-20"),
        ("friday night", "2026-11-20"),
        ("wednesday", "2026-11-25"),
        ("this wednesday", "2026-11-18"),
        ("this monday", "2026-11-16"),
        ("this friday", "2026-11-20"),
        ("coming monday", "2026-11-23"),
        ("this coming friday", "2026-11-20"),
        ("next friday", "2026-11-27"),
        ("next week on friday", "2026-11-27"),
        ("friday next week", "2026-11-27"),
        ("last friday", "2026-11-13"),
        ("in three days", "2026-11-21"),
        ("in a couple of days", "2026-11-20"),
        ("in a hundred days", "2027-02-26"),
        ("three days from now", "2026-11-21"),
        ("three days later", "2026-11-21"),
        ("a week from today", "2026-11-25"),
        ("in two weeks", "2026-12-02"),
        ("in a week's time", "2026-11-25"),
        ("in a fortnight", "2026-12-02"),
        ("the 5th", "2026-12-05"),
        ("on the fifth", "2026-12-05"),
        ("the eighteenth", "2026-12-18"),
        ("the nineteenth", "2026-11-19"),
        ("the 31st", "2026-12-31"),
        ("the fifth of next month", "2026-12-05"),
        ("march 3rd", "2027-03-03"),
        ("3 march", "2027-03-03"),
        ("the third of march", "2027-03-03"),
        ("march the third", "2027-03-03"),
        ("march three", "2027-03-03"),
        ("march 3 2027", "2027-03-03"),
        ("march 3, 2028", "2028-03-03"),
        ("3rd of march 2027", "2027-03-03"),
        ("december twenty fourth", "2026-12-24"),
        ("the twenty-fourth of december", "2026-12-24"),
        ("dec. 24", "2026-12-24"),
        ("november 18", "2026-11-18"),
        ("november 17", "2027-11-17"),
        ("march third twenty twenty seven", "2027-03-03"),
        ("march third two thousand and twenty seven", "2027-03-03"),
        ("february 29", "2028-02-29"),
        ("2026-12-24", "2026-12-24"),
        ("2026/12/24", "2026-12-24"),
        ("24.12.2026", "2026-12-24"),
        ("3.4.2027", "2027-04-03"),
        ("24/12/2026", "2026-12-24"),
        ("12/24/2026", "2026-12-24"),
        ("3/3/2027", "2027-03-03"),
        ("24.12.26", "2026-12-24"),
        ("24/12", "2026-12-24"),
        ("friday the 20th", "2026-11-20"),
        ("Friday, 20 November 2026", "2026-11-20"),
        ("tomorrow the 19th", "2026-11-19"),
        ("friday december 4th", "2026-12-04"),
    ],
)
def test_english(text, expected):
    assert read_date(text, NOW) == date.fromisoformat(expected)
    assert read_date(f" {text.upper()}. ", NOW) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天", "2026-11-18"),
        ("今晚", "2026-11-18"),
        ("明天", "2026-11-19"),
        ("明天早上", "2026-11-19"),
        ("明晚", "2026-11-19"),
        ("后天", "2026-11-20"),
        ("後天", "2026-11-20"),
        ("大后天", "2026-11-21"),
        ("昨天", "2026-11-17"),
        ("前天", "2026-11-16"),
        ("周五", "2026-11-20"),
        ("週五", "2026-11-20"),
        ("星期五", "2026-11-20"),
        ("礼拜五", "2026-11-20"),
        ("周三", "2026-11-25"),
        ("周日", "2026-11-22"),
        ("星期天", "2026-11-22"),
        ("这周三", "2026-11-18"),
        ("这个周五", "2026-11-20"),
        ("本周一", "2026-11-16"),
        ("下周五", "2026-11-27"),
        ("下个星期天", "2026-11-29"),
        ("下下周一", "2026-11-30"),
        ("上周五", "2026-11-13"),
        ("周五晚上", "2026-11-20"),
        ("三天后", "2026-11-21"),
        ("十天以后", "2026-11-28"),
        ("一百天后", "2027-02-26"),
        ("过两天", "2026-11-20"),
        ("两周后", "2026-12-02"),
        ("一个星期后", "2026-11-25"),
        ("五号", "2026-12-05"),
        ("5日", "2026-12-05"),
        ("二十五号", "2026-11-25"),
        ("三月五号", "2027-03-05"),
        ("十一月十八日", "2026-11-18"),
        ("12月24日", "2026-12-24"),
        ("12 月 24 號", "2026-12-24"),
        ("三月三", "2027-03-03"),
        ("2027年3月3日", "2027-03-03"),
        ("二零二七年三月三日", "2027-03-03"),
        ("二〇二七年十二月三十一日", "2027-12-31"),
        ("今年十二月一号", "2026-12-01"),
        ("明年三月三号", "2027-03-03"),
        ("下个月五号", "2026-12-05"),
        ("这个月二十号", "2026-11-20"),
        ("星期五二十号", "2026-11-20"),
        ("三月三号星期三", "2027-03-03"),
        ("二月二十九号", "2028-02-29"),
    ],
)
def test_chinese(text, expected):
    assert read_date(text, NOW) == date.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "?",
            "next week",
            "next month",
            "someday",
            "march",
            "may",
            "march 2027",
            "2027",
            "the 5",
            "5",
            "third time",
        ),
        *("a week on friday", "a week tomorrow", "two weeks from friday", "2 days ago", "three days", "the weekend"),
        *("tomorrow at 5pm", "in two hours", "fridays", "every friday", "half past six", "3/4", "sunny", "in a month"),
        *("下周", "下个月", "月底", "十二月", "三天", "农历八月十五", "两小时后", "周末", "明年", "天", "半夜"),
    ],
)
def test_no_day(text):
    assert read_date(text, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "february 30",
            "31 april",
            "february 29 2027",
            "the 32nd",
            "2026-13-01",
            "31.4.2027",
            "13/13/2026",
            "31st of june",
        ),
        *("3/4/2026", "03-04-2026", "friday or saturday", "monday to friday", "the 3rd or 4th of march"),
        *("tomorrow the 25th", "thursday november 20th", "today or tomorrow"),
        *("2月30日", "32号", "明天25号", "周五或周六", "十三月一号"),
    ],
)
def test_impossible(text):
    with pytest.raises(ValueError):
        read_date(text, NOW)


def test_a_day_behind_the_calendar_is_refused():
    last = datetime(9999, 12, 31)
    for text in ("in three days", "friday", "next friday", "the 5th", "march 3rd", "三天后", "in a hundred days"):
        with pytest.raises(ValueError):
            read_date(text, last)


def test_too_long_a_text_is_refused_unread():
    assert read_date("on " * 100 + "friday", NOW) is None


MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ONES = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
]
ONES += ["fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"]
DIGITS = "〇一二三四五六七八九"


def ordinal(n: int) -> str:
    if n <= 20:
        return ONES[n - 1]
    return "thirtieth" if n == 30 else ("twenty " if n < 30 else "thirty ") + ONES[n % 10 - 1]


def chinese(n: int) -> str:
    tens, ones = divmod(n, 10)
    return ("" if tens < 2 else DIGITS[tens]) + ("十" if tens else "") + (DIGITS[ones] if ones else "")


def forms(day: date) -> list[str]:
    """Write a day with its year."""
    month, year = MONTHS[day.month - 1], "".join(DIGITS[int(digit)] for digit in str(day.year))
    return [
        day.isoformat(),
        f"{day.day}.{day.month}.{day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month[:3]} {day.year}",
        f"the {ordinal(day.day)} of {month} twenty twenty {['six', 'seven', 'eight'][day.year - 2026]}",
        f"{day:%A} {month} {ordinal(day.day)} {day.year}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{year}年{chinese(day.month)}月{chinese(day.day)}号",
    ]


def test_every_day_of_two_years_reads_back():
    for n in range(731):
        day = TODAY + timedelta(days=n)
        for text in forms(day):
            assert read_date(text, NOW) == day, text


def test_every_day_of_a_year_reads_back_without_the_year():
    for n in range(365):
        day = TODAY + timedelta(days=n)
        month = MONTHS[day.month - 1]
        for text in (
            f"{month} {ordinal(day.day)}",
            f"{day.day} {month}",
            f"{chinese(day.month)}月{chinese(day.day)}号",
        ):
            assert read_date(text, NOW) == day, text


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 6))
def test_weekdays_lie_in_their_weeks(today, weekday):
    now = datetime.combine(today, datetime.min.time())
    name, monday = (date(2024, 1, 1) + timedelta(days=weekday)).strftime("%A"), today - timedelta(days=today.weekday())
    following = read_date(name, now)
    assert following is not None
    assert following.weekday() == weekday
    assert 1 <= (following - today).days <= 7
    for week, english, zh in ((-1, "last", "上"), (0, "this", "这"), (1, "next", "下")):
        expected = monday + timedelta(days=7 * week + weekday)
        assert read_date(f"{english} {name}", now) == expected
        assert read_date(f"{zh}周{'一二三四五六日'[weekday]}", now) == expected


@pytest.mark.parametrize("n", range(1, 700, 29))
def test_agrees_with_dateparser(n):
    dateparser = pytest.importorskip("dateparser")
    day = TODAY + timedelta(days=n)
    for text in (f"{day.day} {day:%B} {day.year}", f"{day:%B} {day.day}, {day.year}"):
        assert read_date(text, NOW) == dateparser.parse(text, languages=["en"]).date()


@given(st.text(max_size=40) | st.text("0123456789 -/.thofmarcy,nexlstid年月日号周下天后今明一二十", max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        assert isinstance(read_date(text, NOW), date | None)
    except ValueError as error:
        assert str(error)
