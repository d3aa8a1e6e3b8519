"""A number as said, in English or Chinese words or in digits."""

from __future__ import annotations

import re
from decimal import Decimal

from edgefn.arguments.digits import plain
from edgefn.arguments.normal import MAX_CHARACTERS, is_chinese, normalise
from edgefn.arguments.numbers_en import leading_english
from edgefn.arguments.numbers_zh import leading_chinese

_ANOTHER = re.compile(r"[-~、,/]|(?:or|to|till|until|through|and)\b|或者?是?|还是|到|至|和")
_BETWEEN = re.compile(r"(?:between|from|either) |从")


def read_number(text: str) -> int | float | None:
    """Read `text` as one number, a whole one as an int; None if any of it is something else.

    ValueError if it says two numbers ("five or six", 三四个).
    """
    if len(text) > MAX_CHARACTERS:
        return None
    spoken = normalise(text)
    found = leading_exact(spoken)
    if found is None:
        _refuse_two(_BETWEEN.sub("", spoken, count=1))
        return None
    value, rest = found
    if rest and rest != "个":
        _refuse_two(spoken)
        return None
    return plain(value)


def leading_number(text: str) -> tuple[int | float, str] | None:
    """Return the longest number that the normalised `text` begins with, and the text after it without outer spaces.

    "two and a half hours" is `(2.5, "hours")`, 一个半小时 is `(1.5, "小时")`. Articles and measure words are left:
    "half an hour" is `(0.5, "an hour")`, 三个月 is `(3, "个月")`. 三点五 is a decimal here: who reads clock times
    cuts at 点 first. ValueError where two numbers are said as one (三四个).
    """
    found = leading_exact(normalise(text)) if len(text) <= MAX_CHARACTERS else None
    return (plain(found[0]), found[1]) if found else None


def _refuse_two(spoken: str) -> None:
    """Raise ValueError if normalised `spoken` begins with a number and goes on with "or", "to", "-" and another."""
    found = leading_exact(spoken)
    another = _ANOTHER.match(found[1]) if found else None
    if found and another and leading_exact(found[1][another.end() :].lstrip()):
        raise ValueError(f"{spoken!r} says two numbers where one is asked")


def leading_exact(spoken: str) -> tuple[int | Decimal, str] | None:
    """Do as `leading_number` does on text that is normalised, without leaving decimal arithmetic."""
    found = (leading_chinese(spoken) if is_chinese(spoken) else None) or leading_english(spoken)
    return (found[0], spoken[found[1] :].strip()) if found else None
