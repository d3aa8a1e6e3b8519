"""How long: "an hour and a half", "1h30", 一个半小时 as a timedelta; "in ten minutes" as a delay from now.

A length of time is parts, each a number and a unit, read from left to right. Months and years have no fixed length, so
they are none.
"""

from __future__ import annotations

import re
from datetime import timedelta

from edgefn.arguments.normal import MAX_CHARACTERS, normalise
from edgefn.arguments.numbers import leading_number

_DAY = 86_400
_UNITS: dict[float, str] = {
    0.001: r"ms|msecs?|millis|milliseconds?|毫秒",
    1: r"s|secs?|seconds?|秒钟?",
    60: r"m|mins?|minutes?|分钟?",
    300: r"个字(?:分钟?)?",  # from one figure of the dial to the next, said in the south
    900: r"刻钟?",
    3600: r"h|hrs?|hours?|个?(?:小时|钟头|钟)",
    _DAY: r"d|days?|天|日",
    7 * _DAY: r"w|wks?|weeks?|个?(?:周|星期|礼拜)",
    14 * _DAY: r"fortnights?",
}
"""Seconds in a unit, and its words."""
_SECONDS = tuple(_UNITS)
_SMALLER: dict[float, int] = {3600: 60, 60: 1}
"""The unit of a whole number that is said last and without one: "two hours five", 五分二十."""

_UNIT = re.compile(
    "[ -]?(?:{})".format("|".join(f"({words})(?<![a-z](?=[a-z]))" for words in _UNITS.values()))
    + r"\.?(?:'s|'|s'?(?= time))?(?: time$)?"
)
_JOINT = re.compile(r"[ ,.]*(?:(?:and|plus)(?![a-z]) *|[&又零加] *|外加)?(?:a ?(?=半|1/2))?")
_ARTICLE = re.compile(r"an? |another |(?=(?:hour|minute|day|week) and an? (?:half|quarter)\b)")
_OF_ONE = re.compile(r"(?:of )?(?:an?|one|the) ")
_AND_A_HALF = re.compile(r"个?(?:and ?)?(?:a ?)?(?:半|half\b|1/2)")
_CHOICE = re.compile(r"[ ,]*(?:(?:or|to|till|until|through)\b|[-~]|或者?|还是|到|至) *")
_RANGE = re.compile(r"between |either |from |从")

_BEFORE = re.compile(
    r"(?:(?P<delay>in|after)|for|about|around|roughly|approximately|exactly|just|only|another(?= \S+ \S)|a total of) "
    r"|(?P<zh_delay>再?过)|再|大概|大约|约|差不多|整整|总共|一共"
)
_BEHIND = re.compile(
    r"(?P<delay> from (?:right )?now| later|[之以过]?后)$"
    r"|(?: or so| long| exactly| in total|左右|以?内|之内|的?时间)$"
)


def read_duration(text: str) -> timedelta | None:
    """Read a length of time; None if it is none.

    Raises:
        ValueError: it is one that cannot be: two of them, a negative one, one unit twice, one that is too long.
    """
    return _length(_without_frame(text)[0])


def read_delay(text: str) -> timedelta | None:
    """Read a length of time that counts from now, "in ten minutes", 半小时后; None if it is none.

    Raises:
        ValueError: as `read_duration`.
    """
    core, from_now = _without_frame(text)
    return _length(core) if from_now else None


def _without_frame(text: str) -> tuple[str, bool]:
    """Return the normalised text without "in", "about", "from now", ..., and whether it counts from now."""
    if len(text) > MAX_CHARACTERS:
        return "", False
    text, delay = normalise(text), False
    while found := _BEFORE.match(text):
        text, delay = text[found.end() :], delay or bool(found["delay"] or found["zh_delay"])
    while found := _BEHIND.search(text):
        text, delay = text[: found.start()], delay or bool(found["delay"])
    return text, delay


def _length(text: str) -> timedelta | None:
    """Return the sum of the parts of a normalised `text`; None where it is not parts from end to end."""
    parts = _parts(text)
    if not parts:
        return None
    if any(number < 0 for number, _ in parts):
        raise ValueError("a length of time cannot be negative")
    units = [unit for number, unit in parts if number not in (0.25, 0.5, 0.75)]  # "an hour and half an hour" is one
    if len(units) != len(set(units)):
        raise ValueError("the same unit of time is said twice")
    try:
        return sum((timedelta(seconds=number * unit) for number, unit in parts), timedelta())
    except OverflowError as exc:
        raise ValueError("longer than any length of time can be") from exc


def _parts(text: str) -> list[tuple[float, float]]:
    """Return every part as a number and the seconds of its unit; none at all where anything else is said."""
    if between := _RANGE.match(text):
        text = text[between.end() :].replace(" and ", " or ")
    parts: list[tuple[float, float]] = []
    while text:
        said = _number(text)
        if said is None:
            return []
        number, text = said
        unit, text = _unit(number, text, parts[-1][1] if parts else 0)
        _refuse_choice(text)
        if not unit:
            return []
        parts.append((number, unit))
        if joint := _JOINT.match(text):
            text = text[joint.end() :]
    return [] if between else parts


def _number(text: str) -> tuple[float, str] | None:
    """Return the number or the article that `text` begins with, and the rest."""
    found = leading_number(text)
    if found is None:
        article = _ARTICLE.match(text)
        return (1, text[article.end() :]) if article else None
    number, rest = found
    if number == int(number) and (half := _AND_A_HALF.match(rest)):
        return number + 0.5, rest[half.end() :].lstrip()  # "18 and a半个小时", from those who mix languages
    return number, rest


def _unit(number: float, text: str, last: float) -> tuple[float, str]:
    """Return the seconds of the unit that `text` begins with, or that `last` implies, and the rest; 0 for neither."""
    if 0 < number < 1 and (of_one := _OF_ONE.match(text)):
        text = text[of_one.end() :]
    if (found := _UNIT.match(text)) and found.lastindex:
        return _SECONDS[found.lastindex - 1], text[found.end() :]
    if text:
        return 0, text
    if 0 < number < 1:
        return last, ""  # "an hour and a half"
    return (_SMALLER.get(last, 0) if number == int(number) else 0), ""


def _refuse_choice(text: str) -> None:
    """Raise ValueError where `text` goes on with "or", "to" and another number."""
    if (found := _CHOICE.match(text)) and _number(text[found.end() :]):
        raise ValueError("two lengths of time where one is asked")
