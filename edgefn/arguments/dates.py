"""What day: "next friday", "the third of march", 下周五, 12月24日 as a date.

Without a year or a month the next such day is meant. A week begins on Monday.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeAlias

from edgefn.arguments.durations import read_delay
from edgefn.arguments.figures import chinese_figures, english_figures
from edgefn.arguments.normal import MAX_CHARACTERS, is_chinese, normalise

_Found: TypeAlias = "tuple[date, str, bool]"
"""A day, the text around it, and whether only its day of the week was said."""

_Rule: TypeAlias = Callable[[re.Match[str], date], date]
"""Makes a day of what a pattern found, and of today."""

_MONTH_NAMES = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_MONTHS = {name: n for n, name in enumerate(_MONTH_NAMES, start=1)}
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WEEKDAYS = (
    {name: n for n, name in enumerate(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])}
    | {name: n for n, name in enumerate("123456日")}
    | {"天": 6}
)
_WEEKDAY = (
    r"(?P<weekday>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)"
)
_TH = r"(?:st|nd|rd|th)"
_TO_12, _PAST_12 = r"(?:0?[1-9]|1[0-2])", r"(?:1[3-9]|[23]\d)"
_YEAR = r"(?:,? (?:in |of )?(?P<year>(?:19|20)\d\d|20 \d\d|2 thousand (?:and )?\d{1,2})(?![\d:]))?"
_NO_DAY = r"[\d:]|\.\d| ?[ap]\.? ?m\b| ?h\b| o"  # behind the hour of a time
_COUNT = r"(?P<count>\d{1,5}|an?|a couple(?: of)?) (?P<unit>day|week|fortnight)s?"
_WEEKS = {"last": -1, "this": 0, "next": 1, "上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2}
_DAYS = {"day": 1, "天": 1, "日": 1, "week": 7, "周": 7, "星期": 7, "礼拜": 7, "fortnight": 14}
_RELATIVE = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "yesterday": -1,
    "last": -1,  # last night
    "today": 0,
    "to": 0,  # tonight
    "this": 0,  # this morning
    "tomorrow": 1,
    "day after tomorrow": 2,
    "the day after tomorrow": 2,
} | {"大前": -3, "前": -2, "昨": -1, "今": 0, "明": 1, "后": 2, "大后": 3}
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_YEARS = {"去": -1, "今": 0, "明": 1, "后": 2}

_SAYS_DAY = re.compile(
    r"\d(?:st|nd|rd|th|[-/.]\d)|day|week|tomorrow|tonight|[号日月天周期拜后今明昨]"
    rf"|\b(?:{'|'.join([*_MONTHS, *_WEEKDAYS])})"
)
_LOOSE = re.compile(
    r"(?:[ ,]|\b(?:on|the|by|for|in|of|early|late|morning|afternoon|evening|night)\b"
    r"|[在于的]|(?:那|这|当)天|凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|[早晚夜])*"
)


def read_date(text: str, now: datetime) -> date | None:
    """Read a day; None if it is none.

    Raises:
        ValueError: it is a day that cannot be (31 April), that contradicts itself, or that may be two.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    text = normalise(text)
    found = find_date(text, now.date())
    if found is not None:
        return found[0] if _LOOSE.fullmatch(found[1]) else None
    delay = read_delay(text)
    return _later(now.date(), delay.days) if delay and not delay % timedelta(days=1) else None


def find_date(text: str, today: date) -> tuple[date, str] | None:
    """Find the day that normalised `text` says, and return it with the text around it; None if it says none.

    Raises:
        ValueError: as `read_date`.
    """
    if is_chinese(text):
        rules, text = _CHINESE_RULES, chinese_figures(text.replace(" ", ""))
    else:
        rules, text = _ENGLISH_RULES, english_figures(text)
    found = _find(text, today, rules)
    if found is None:
        return None
    day, rest, _ = found
    again = _find(rest, today, rules) if _SAYS_DAY.search(rest) else None
    if again is not None:  # "friday the 20th"
        other, rest, only_weekday = again
        if other != day and not (only_weekday and other.weekday() == day.weekday()):
            raise ValueError("two days where one is asked, or a day that contradicts itself")
    return day, rest


def _find(text: str, today: date, rules: list[tuple[re.Pattern[str], _Rule]]) -> _Found | None:
    """Return the day by the first of `rules` that applies."""
    for pattern, rule in rules:
        if found := pattern.search(text):
            rest = f"{text[: found.start()]} {text[found.end() :]}".strip(" ")
            return rule(found, today), rest, rule is _next_weekday
    return None


def _year_first(found: re.Match[str], today: date) -> date:
    """Read 2026-12-24."""
    return _date(int(found["year"]), int(found["month"]), int(found["day"]))


def _year_last(found: re.Match[str], today: date) -> date:
    """Read 24.12.2026, 24/12/2026 and 12/24/2026; points are written between day and month, in this order."""
    first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
    year += 2000 if year < 100 else 0
    if first <= 12 < second:
        first, second = second, first
    elif first != second and second <= 12 and first <= 12 and found["mark"] != ".":
        raise ValueError(f"{found[0]} may be two days: the month is not told from the day")
    return _date(year, second, first)


def _without_year(found: re.Match[str], today: date) -> date:
    """Read 24/12 and 12/24, where only one of the two can be the month."""
    month, day = sorted(int(part) for part in found[0].split("/"))
    return _next_in_year(month, day, today)


def _named_month(found: re.Match[str], today: date) -> date:
    """Read "march 3rd" and "the 3rd of march 2027"."""
    month, day = _MONTHS[found["month"][:3]], int(found["day"])
    if found["year"] is None:
        return _next_in_year(month, day, today)
    digits = found["year"].replace("thousand", "0" if len(found["year"].split()[-1]) > 1 else "00").replace("and", "")
    return _date(int(digits.replace(" ", "")), month, day)


def _chinese_month(found: re.Match[str], today: date) -> date:
    """Read 12月24日, 明年3月3号 and 下个月5号."""
    day, year = int(found["day"]), today.year
    if found["in_years"]:
        year += _YEARS[found["in_years"]]
    elif found["year"]:
        year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
    elif found["month"]:
        return _next_in_year(int(found["month"]), day, today)
    if found["month"]:
        return _date(year, int(found["month"]), day)
    return _in_month(_WEEKS[found["in_months"]], day, today)


def _day_of_month(found: re.Match[str], today: date) -> date:
    """Read "the 5th": the next one after today, in a month that has it."""
    day = int(found["day"])
    if months := found.groupdict().get("in_months"):
        return _in_month(_WEEKS[months], day, today)
    if not 1 <= day <= 31:
        raise ValueError(f"no month has a day {day}")
    ahead = (_later(today, n) for n in range(1, 63))
    return next(each for each in ahead if each.day == day)


def _from_now(found: re.Match[str], today: date) -> date:
    """Read "in 3 days" and 2周后."""
    count = found["count"]
    days = int(count) if count.isdigit() else 2 if "couple" in count else 1
    return _later(today, days * _DAYS[found["unit"]])


def _relative(found: re.Match[str], today: date) -> date:
    """Read "tomorrow" and 后天."""
    return _later(today, _RELATIVE[found["day"].strip()])


def _next_weekday(found: re.Match[str], today: date) -> date:
    """Read "friday": the next one after today."""
    return _later(today, (_weekday(found) - today.weekday() - 1) % 7 + 1)


def _weekday_of_week(found: re.Match[str], today: date) -> date:
    """Read "next friday": that of next week."""
    groups = found.groupdict()
    week = groups.get("week") or groups["which"]
    return _later(today, _weekday(found) - today.weekday() + 7 * _WEEKS[week])


def _weekday(found: re.Match[str]) -> int:
    """Return the day of the week, Monday is 0."""
    said = found["weekday"]
    return _WEEKDAYS[said[:3]]


def _later(today: date, days: int) -> date:
    """Return the date so many days after `today`; ValueError where the calendar ends before it."""
    try:
        return today + timedelta(days=days)
    except OverflowError as exc:
        raise ValueError("the calendar does not reach that day") from exc


def _date(year: int, month: int, day: int) -> date:
    """Return the date; ValueError if the calendar has none."""
    try:
        return date(year, month, day)
    except ValueError as exc:
        raise ValueError(f"month {month} of {year} has no day {day}, or the year has no such month") from exc


def _next_in_year(month: int, day: int, today: date) -> date:
    """Return the next such day, today included; 29 February may be eight years ahead."""
    if not (1 <= month <= 12 and 1 <= day <= _LONGEST[month - 1]):
        raise ValueError(f"month {month} never has a day {day}")
    for year in range(today.year, today.year + 9):
        if (month, day) != (2, 29) or isleap(year):
            found = _date(year, month, day)
            if found >= today:
                return found
    raise ValueError("the calendar does not reach that day")


def _in_month(months: int, day: int, today: date) -> date:
    """Return a day of the month so many months ahead."""
    years, month = divmod(today.month - 1 + months, 12)
    return _date(today.year + years, month + 1, day)


_NUMERIC_RULES: list[tuple[str, _Rule]] = [
    (r"(?<!\d)(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)", _year_first),
    (
        r"(?<![\d.:])(?P<first>\d{1,2})(?P<mark>[-/.])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)(?![\d.:])",
        _year_last,
    ),
    (
        rf"(?<![\d/])(?:{_PAST_12}/{_TO_12}|{_TO_12}/{_PAST_12})(?![\d/])",
        _without_year,
    ),
]
_ENGLISH_RULES: list[tuple[re.Pattern[str], _Rule]] = [
    (re.compile(pattern), rule)
    for pattern, rule in [
        *_NUMERIC_RULES,
        (
            rf"(?<![\d:.])(?<!\d )(?P<day>\d{{1,2}}){_TH}? (?:of )?{_MONTH}{_YEAR}(?! (?:the )?\d{{1,2}}{_TH})",
            _named_month,
        ),
        (
            rf"\b{_MONTH} (?:the )?(?P<day>\d{{1,2}})(?: ?{_TH}\b|(?!{_NO_DAY})){_YEAR}",
            _named_month,
        ),
        (rf"\b(?:in|after) {_COUNT}\b(?:'s|')?(?: time)?", _from_now),
        (rf"\b{_COUNT} (?:from (?:now|today)|later)\b", _from_now),
        (
            r"\b(?P<day>(?:the )?day (?:after tomorrow|before yesterday)|tomorrow|today|yesterday"
            r"|to(?=night)|this (?=morning|afternoon|evening)|last (?=night))",
            _relative,
        ),
        (
            r"\b(?:the )?(?P<day>\d{1,2})" + _TH + r"\b(?: of (?:the )?(?P<in_months>this|next|last) month)?",
            _day_of_month,
        ),
        (rf"\b{_WEEKDAY} (?:of )?(?P<week>this|next|last) week\b", _weekday_of_week),
        (rf"\b(?P<which>this|next|last) (?:week (?:on )?)?{_WEEKDAY}\b", _weekday_of_week),
        (rf"\b(?:(?:the |this )?(?:up)?coming )?{_WEEKDAY}\b", _next_weekday),
    ]
]
_CHINESE_RULES: list[tuple[re.Pattern[str], _Rule]] = [
    (re.compile(pattern), rule)
    for pattern, rule in [
        *_NUMERIC_RULES,
        (
            r"(?:(?P<year>\d{4}|(?<!\d)\d\d)年|(?P<in_years>[今明后去])年)?的?"
            r"(?:(?P<month>\d{1,2})月份?|(?P<in_months>下下|[下这本上])个?月)的?(?P<day>\d{1,2})(?:[号日]|(?![\d点:时分]))",
            _chinese_month,
        ),
        (r"(?:再?过)?(?P<count>\d{1,5})个?(?P<unit>天|日|周|星期|礼拜)(?:之|以)?后", _from_now),
        (r"(?P<day>大前|前|昨|今|明|大后|后)(?:[天日儿]|(?<=[昨今明])(?=[早晚晨夜]))", _relative),
        (r"(?P<day>\d{1,3})[号日]", _day_of_month),
        (r"(?P<which>下下|下|上上|上|这|本)个?(?:周|星期|礼拜)(?P<weekday>[1-6日天])", _weekday_of_week),
        (r"(?:周|星期|礼拜)(?P<weekday>[1-6日天])", _next_weekday),
    ]
]
