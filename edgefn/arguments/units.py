"""Units: what they measure, how they convert, and what people call them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Measure:
    """A unit as a multiple of the base unit of its dimension: base = (value + offset) · factor / divisor."""

    dimension: str
    """What it measures; units of one dimension convert."""
    factor: Decimal
    """How many base units it is worth."""
    offset: Decimal = Decimal(0)
    """What is added first: where a temperature scale has its zero."""
    divisor: Decimal = Decimal(1)
    """Kept apart from the factor, so that 5/9 stays exact."""


def _measures(dimension: str, **factors: str) -> dict[str, Measure]:
    return {name: Measure(dimension, Decimal(factor)) for name, factor in factors.items()}


_CURRENCIES = ("euro", "dollar", "pound", "yuan", "yen")
MEASURES: dict[str, Measure] = {
    "percent": Measure("share", Decimal(1)),
    **{currency: Measure(currency, Decimal(1)) for currency in _CURRENCIES},
    "degree": Measure("temperature", Decimal(1)),
    "kelvin": Measure("temperature", Decimal(1)),
    "celsius": Measure("temperature", Decimal(1), Decimal("273.15")),
    "fahrenheit": Measure("temperature", Decimal(5), Decimal("459.67"), Decimal(9)),
    **_measures("length", metre="1", kilometre="1000", centimetre="0.01", millimetre="0.001"),
    **_measures("length", mile="1609.344", yard="0.9144", foot="0.3048", inch="0.0254"),
    **_measures("mass", kilogram="1000", gram="1", milligram="0.001"),
    **_measures("mass", ounce="28.349523125", pound_weight="453.59237"),
    **_measures("volume", litre="1000", millilitre="1"),
    **_measures("volume", cup="236.5882365", tablespoon="14.78676478125", teaspoon="4.92892159375"),
    **_measures("speed", metre_per_second="3600", kilometre_per_hour="1000", mile_per_hour="1609.344"),
    "lux": Measure("illuminance", Decimal(1)),
    "watt": Measure("power", Decimal(1)),
}
"""Every unit by its name."""

_NAMES: dict[str, str] = {
    "percent": "%|percent|per cent|pct|个百分点",
    "euro": "€|euro|euros|eur|欧元|欧",
    "dollar": "$|us$|dollar|dollars|usd|buck|bucks|us dollar|us dollars|美元|美金|美刀|刀",
    "pound": "£|pound|pounds|gbp|quid|pound sterling|pounds sterling|british pounds|英镑|镑",
    "yuan": "¥|yuan|rmb|cny|renminbi|kuai|块|块钱|元|元钱|圆|人民币|元人民币|块人民币",
    "yen": "yen|jpy|japanese yen|日元|日圆|円",
    "degree": "°|degree|degrees|deg|度",
    "celsius": "°c|celsius|centigrade|c|摄氏度|摄氏|度c",
    "fahrenheit": "°f|fahrenheit|f|华氏度|华氏|度f",
    "kelvin": "kelvin|kelvins|k|开尔文|开|开氏度",
    "metre": "m|metre|metres|meter|meters|米|公尺",
    "kilometre": "km|kms|kilometre|kilometres|kilometer|kilometers|公里|千米",
    "centimetre": "cm|cms|centimetre|centimetres|centimeter|centimeters|厘米|公分",
    "millimetre": "mm|millimetre|millimetres|millimeter|millimeters|毫米",
    "mile": "mi|mile|miles|英里",
    "foot": "ft|foot|feet|英尺|呎",
    "inch": "in|inch|inches|英寸|吋",
    "yard": "yd|yard|yards|yds|码",
    "kilogram": "kg|kgs|kilo|kilos|kilogram|kilograms|kilogramme|kilogrammes|公斤|千克",
    "gram": "g|gram|grams|gramme|grammes|克",
    "milligram": "mg|milligram|milligrams|milligramme|milligrammes|毫克",
    "ounce": "oz|ounce|ounces|盎司",
    "pound_weight": "lb|lbs|磅",
    "litre": "l|litre|litres|liter|liters|升|公升",
    "millilitre": "ml|millilitre|millilitres|milliliter|milliliters|毫升",
    "cup": "cup|cups|杯",
    "tablespoon": "tbsp|tablespoon|tablespoons|tbsps|汤匙|大勺",
    "teaspoon": "tsp|teaspoon|teaspoons|tsps|茶匙|小勺",
    "lux": "lx|lux|勒克斯|勒",
    "watt": "w|watt|watts|瓦|瓦特",
    "kilometre_per_hour": "km/h|kmh|kph|kmph|公里每小时|千米每小时|公里/小时|公里/时|公里每时",
    "mile_per_hour": "mph|mi/h|英里每小时|迈",
    "metre_per_second": "m/s|mps|米每秒|米/秒",
}
_MULTIPLES: dict[str, tuple[str, str]] = {
    "cent|cents|美分": ("dollar", "0.01"),
    "euro cent|euro cents|eurocent|eurocents|欧分": ("euro", "0.01"),
    "pence|p|penny|pennies|便士": ("pound", "0.01"),
    "毛|毛钱|角|角钱": ("yuan", "0.1"),
    "分钱": ("yuan", "0.01"),
    "成": ("percent", "10"),
    "斤|市斤": ("kilogram", "0.5"),
    "两": ("kilogram", "0.05"),
    "里|里地|里路": ("kilometre", "0.5"),
    "kw|kilowatt|kilowatts|千瓦": ("watt", "1000"),
}


def _rates() -> dict[str, tuple[str, Decimal]]:
    """Spell out speeds: "kilometres per hour", "miles an hour"."""
    of = {"kilometre": ("hour", "per_hour"), "mile": ("hour", "per_hour"), "metre": ("second", "per_second")}
    words: dict[str, tuple[str, Decimal]] = {}
    for unit, (time, suffix) in of.items():
        for spelling in {unit, unit.replace("metre", "meter")}:
            for each in ("per", "a", "an", "every"):
                for ending in ("", "s"):
                    words[f"{spelling}{ending} {each} {time}"] = (f"{unit}_{suffix}", Decimal(1))
    return words


def _degrees() -> dict[str, tuple[str, Decimal]]:
    """Spell out "degrees celsius", "degree f", "deg c"."""
    scales = {"celsius": ("celsius", "centigrade", "c"), "fahrenheit": ("fahrenheit", "f"), "kelvin": ("kelvin", "k")}
    return {
        f"{degree} {word}": (unit, Decimal(1))
        for unit, words in scales.items()
        for word in words
        for degree in ("degree", "degrees", "deg", "°")
    }


SPOKEN: dict[str, tuple[str, Decimal]] = {
    **{word: (unit, Decimal(1)) for unit, words in _NAMES.items() for word in words.split("|")},
    **{word: (unit, Decimal(n)) for words, (unit, n) in _MULTIPLES.items() for word in words.split("|")},
    **_rates(),
    **_degrees(),
}
"""Every name of a unit, normalised, with the unit and how many of it one is."""
_SYMBOLS = ("°c", "°f", "%", "°", "€", "$", "£", "¥")
_LONGEST_CHINESE = 6


def unit_at(text: str) -> tuple[str, Decimal, str] | None:
    """Return the unit that normalised `text` begins with, how many of it one is, and the text after it."""
    words = text.split(" ", 3)
    for count in range(min(3, len(words)), 0, -1):
        spoken = SPOKEN.get(" ".join(words[:count]).rstrip(","))
        if spoken is not None:
            return *spoken, " ".join(words[count:])
    for symbol in _SYMBOLS:
        if text.startswith(symbol):
            return *SPOKEN[symbol], text[len(symbol) :].strip()
    if not text.isascii():
        for length in range(_LONGEST_CHINESE, 0, -1):
            if text[:length] in SPOKEN and not text[:length].isascii():
                return *SPOKEN[text[:length]], text[length:].strip()
    return None


def convert_value(value: int | float, unit: str, to: str) -> int | float:
    """Convert between two units of one dimension; ValueError if there is no such unit or way.

    Rounded to 10 significant digits; an int where the result is whole and `value` was an int.
    """
    source, target = measure(unit), measure(to)
    if source.dimension != target.dimension:
        raise ValueError(f"{unit} does not convert to {to}")
    base = (Decimal(str(value)) + source.offset) * source.factor / source.divisor
    converted = float(f"{base * target.divisor / target.factor - target.offset:.10g}")
    return int(converted) if isinstance(value, int) and converted.is_integer() else converted


def measure(unit: str) -> Measure:
    """Return the unit of that name; ValueError if there is none."""
    if unit not in MEASURES:
        raise ValueError(f"no unit is called {unit!r}; there are {', '.join(MEASURES)}")
    return MEASURES[unit]
