"""A quantity as said: percentages, money, temperatures and measures, in English or Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from edgefn.arguments.digits import plain
from edgefn.arguments.money import currency_before, with_minor
from edgefn.arguments.normal import MAX_CHARACTERS, is_chinese, normalise
from edgefn.arguments.numbers import leading_exact
from edgefn.arguments.temperatures import on_scale, scale_before, with_side
from edgefn.arguments.units import convert_value, measure, unit_at

_Found = tuple[int | Decimal, str]  # a value and the name of its unit

_HUNDREDTHS = re.compile(r"(负|-)?百分之")
_SPEED_BEFORE = {"时速": "kilometre_per_hour", "每小时": "kilometre_per_hour", "每秒": "metre_per_second"}
_LENGTH_OF = {"kilometre_per_hour": "kilometre", "mile_per_hour": "mile", "metre_per_second": "metre"}
_ARTICLE = re.compile(r"an? (?!half\b)")
_OF_A = re.compile(r"(?:of )?(?:an? |the )?")
_AND_A_PART = re.compile(r"and (?:an? |one |three )?(?:half|quarters?|third)")
_KILO = re.compile(r"千(?:克|(?<=[0-9]千)米|米(?:每|/))")  # the 千 is the unit's: 两千克 is 2 kg
_DECIMALS = re.compile("[零〇一二三四五六七八九0-9]{1,2}")
_DIGITS = {character: str(value) for value, character in enumerate("零一二三四五六七八九")} | {"〇": "0"}
_ANOTHER = re.compile(r" (?:or|to|till|until|through) |(?<=.)[-~](?=.)| - |或者|还是|或|到|至|、")
_BETWEEN = re.compile(r"between (.+?) and (.+)|(?:from|either|从)\s?(.+)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit."""

    value: int | float
    """How many units; an int where it is a whole number."""
    unit: str
    """The unit's name, a key of `units.MEASURES`; "" where only a number was said."""


def read_quantity(text: str) -> Quantity | None:
    """Read `text` as one quantity; None if any of it is something else.

    ValueError if it says two ("five or six dollars", 三四公斤).
    """
    if len(text) > MAX_CHARACTERS:
        return None
    spoken = normalise(text)
    found = _read(spoken)
    if found is None:
        _refuse_two(spoken)
        return None
    return Quantity(plain(found[0]), found[1])


def convert(quantity: Quantity, unit: str) -> int | float:
    """Return the quantity's value in `unit`; ValueError if it measures something else.

    A bare number counts as any unit, and "degree" as whatever scale is asked. Rounded to 10 significant digits.
    """
    if unit:
        measure(unit)
    if quantity.unit in ("", unit) or not unit:
        return quantity.value
    if "degree" in (quantity.unit, unit) and measure(quantity.unit).dimension == measure(unit).dimension:
        return quantity.value
    return convert_value(quantity.value, quantity.unit, unit)


def _refuse_two(spoken: str) -> None:
    """Raise ValueError if a number or quantity stands on both sides of "or", "to", "-"."""
    between = _BETWEEN.fullmatch(spoken)
    if between is not None and between[3]:
        spoken = between[3]
    another = _ANOTHER.search(spoken)
    sides = (spoken[: another.start()], spoken[another.end() :]) if another else ("", "")
    if between is not None and between[1]:
        sides = (between[1], between[2])
    if all(_read(side.strip()) is not None for side in sides):
        raise ValueError(f"{spoken!r} says two quantities where one is asked")


def _read(spoken: str) -> _Found | None:
    """Read what stands before the number, then the number and its unit."""
    currency = currency_before(spoken)
    if currency is not None:
        return _in_currency(*currency)
    if not is_chinese(spoken):
        return _number_and_unit(spoken)
    hundredths = _HUNDREDTHS.match(spoken)
    if hundredths is not None:
        return _hundredths(spoken[hundredths.end() :], negative=bool(hundredths[1]))
    scale = scale_before(spoken)
    if scale is not None:
        return _on_scale(*scale)
    for words, speed in _SPEED_BEFORE.items():
        if spoken.startswith(words):
            return _at_speed(spoken.removeprefix(words), speed)
    return _number_and_unit(spoken)


def _in_currency(currency: str, amount: str) -> _Found | None:
    """Read the amount after a symbol; the currency may be said once more after it."""
    found = leading_exact(amount)
    if found is None:
        return None
    value, rest = found
    if not rest:
        return value, currency
    if rest.startswith("and "):
        return with_minor(value, currency, rest)
    again = _with_unit(value, rest)
    return again if again is not None and again[1] == currency else None


def _hundredths(text: str, negative: bool) -> _Found | None:
    """Read the number after 百分之."""
    found = (100, "") if text == "百" else leading_exact(text)
    if found is None or found[1]:
        return None
    return (-found[0] if negative else found[0]), "percent"


def _on_scale(scale: str, sign: int, text: str) -> _Found | None:
    """Read a temperature whose scale or side of zero came first."""
    found = _number_and_unit(text)
    unit = on_scale(found[1], scale) if found else None
    if found is None or unit is None or (sign < 0 and found[0] < 0):
        return None
    return sign * found[0], unit


def _at_speed(text: str, speed: str) -> _Found | None:
    """Read a distance whose time came first: 时速六十公里, 每秒五米."""
    found = _number_and_unit(text)
    hourly = speed == "kilometre_per_hour"
    if found is not None and found[1] == "mile" and hourly:
        return found[0], "mile_per_hour"
    return (found[0], speed) if found is not None and found[1] in (_LENGTH_OF[speed], "" if hourly else None) else None


def _number_and_unit(spoken: str) -> _Found | None:
    """Read a number, then its unit if there is one; an article counts once before a unit."""
    found = leading_exact(spoken)
    if found is None:
        article = _ARTICLE.match(spoken)
        return _with_unit(1, spoken[article.end() :]) if article else None
    value, rest = found
    if rest in ("", "个"):
        return value, ""
    if not spoken.isascii() and _KILO.match(spoken, len(spoken) - len(rest) - 1):
        value, rest = (value // 1000 if isinstance(value, int) else value / 1000), "千" + rest
    if 0 < value < 1:  # half an inch, a quarter of a mile
        rest = rest[len(match[0]) :] if (match := _OF_A.match(rest)) else rest
    return _with_unit(value, rest) or with_side(value, "", rest)


def _with_unit(value: int | Decimal, text: str) -> _Found | None:
    """Read the unit that `text` begins with, and what may follow it."""
    found = unit_at(text)
    if found is None:
        return None
    unit, times, after = found
    if not after:
        return value * times, unit
    more = _fraction_after(value, after)
    if more is not None:
        return more * times, unit
    if times != 1:
        return _jin_and_liang(value * times, unit, after)
    return with_minor(value, unit, after) or with_side(value, unit, after)


def _fraction_after(value: int | Decimal, after: str) -> int | Decimal | None:
    """Read what is said of a unit after its name: "a kilo and a half", 三米五, 一米八五, 三公斤半."""
    if not isinstance(value, int):
        return None
    part: int | Decimal
    if after == "半":
        part = Decimal("0.5")
    elif _AND_A_PART.fullmatch(after):
        said = leading_exact(after.removeprefix("and "))
        if said is None or said[1]:
            return None
        part = said[0]
    elif _DECIMALS.fullmatch(after):
        part = Decimal("0." + "".join(_DIGITS.get(digit, digit) for digit in after))
    else:
        return None
    return value - part if value < 0 else value + part


def _jin_and_liang(value: int | Decimal, unit: str, after: str) -> _Found | None:
    """Read the 两 after 斤: 一斤二两."""
    rest = leading_exact(after) if unit == "kilogram" else None
    if rest is None or rest[1] != "两" or not 0 < rest[0] < 10:
        return None
    return value + rest[0] * Decimal("0.05"), unit
