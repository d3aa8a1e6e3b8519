"""Quantities with their units, and conversion between units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.marks import Unit
from edgefn.arguments.quantities import Quantity, convert, read_quantity
from edgefn.arguments.units import MEASURES, SPOKEN
from edgefn.errors import ToolDefinitionError


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("five", 5, ""),
        ("三个", 3, ""),
        ("30％", 30, "percent"),
        ("thirty per cent", 30, "percent"),
        ("half a percent", 0.5, "percent"),
        ("百分之三十五点五", 35.5, "percent"),
        ("百分之百", 100, "percent"),
        ("三成五", 35, "percent"),
        ("$5", 5, "dollar"),
        ("-$1.5 million", -1_500_000, "dollar"),
        ("5.50 €", 5.5, "euro"),
        ("five euros fifty", 5.5, "euro"),
        ("two pounds five", 2.05, "pound"),
        ("two dollars and five cents", 2.05, "dollar"),
        ("fifty cents", 0.5, "dollar"),
        ("20p", 0.2, "pound"),
        ("a pound fifty", 1.5, "pound"),
        ("三块二毛五", 3.25, "yuan"),
        ("三块零五分", 3.05, "yuan"),
        ("十块零五毛", 10.5, "yuan"),
        ("五塊錢", 5, "yuan"),
        ("人民币五十元", 50, "yuan"),
        ("1万块", 10_000, "yuan"),
        ("二十美元", 20, "dollar"),
        ("30日元", 30, "yen"),
        ("minus five degrees", -5, "degree"),
        ("five degrees below zero", -5, "degree"),
        ("68 °F", 68, "fahrenheit"),
        ("twenty degrees celsius", 20, "celsius"),
        ("摄氏零下五度", -5, "celsius"),
        ("二十三度半", 23.5, "degree"),
        ("零度", 0, "degree"),
        ("2700K", 2700, "kelvin"),
        ("three and a half kilos", 3.5, "kilogram"),
        ("a kilo and a half", 1.5, "kilogram"),
        ("5 lbs", 5, "pound_weight"),
        ("两千克半", 2.5, "kilogram"),
        ("三千米", 3000, "metre"),
        ("5千米", 5, "kilometre"),
        ("一斤半", 0.75, "kilogram"),
        ("一斤二两", 0.6, "kilogram"),
        ("一米八五", 1.85, "metre"),
        ("half an inch", 0.5, "inch"),
        ("three quarters of a cup", 0.75, "cup"),
        ("60 miles an hour", 60, "mile_per_hour"),
        ("时速六十公里", 60, "kilometre_per_hour"),
        ("5km/h", 5, "kilometre_per_hour"),
        ("2 kW", 2000, "watt"),
    ],
)
def test_readings(text: str, value: float, unit: str) -> None:
    assert read_quantity(text) == Quantity(value, unit)
    assert type(read_quantity(text).value) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "kilos",
            "公斤",
            "five apples",
            "five foot ten",
            "five feet ten inches",
            "八折",
            "five euros and",
            "°",
            "$",
        ),
        *(
            "$5 euros",
            "two dollars five hundred",
            "five kilos below zero",
            "三块五十",
            "零下-5度",
            "a",
            "two hundred hundred",
        ),
        *("5 kg" * 100, "百分之", "摄氏五公斤"),
    ],
)
def test_what_is_not_one_quantity_is_none(text: str) -> None:
    assert read_quantity(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("five or six dollars", "five dollars or six dollars", "5-10 kg", "between five and ten percent", "20-25%"),
        *("三到五公斤", "三四公斤", "20到25度", "三十度还是四十度"),
    ],
)
def test_two_quantities_are_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="two"):
        read_quantity(text)


@given(st.lists(st.sampled_from([*SPOKEN, "5", "five", "a", "half", "and", "五", "零下", "百分之", "半"]), max_size=5))
def test_nonsense_is_refused_without_another_exception(words: list[str]) -> None:
    for gap in ("", " "):
        try:
            read_quantity(gap.join(words))
        except ValueError as error:
            assert str(error)


@pytest.mark.parametrize("name", sorted(SPOKEN))
def test_every_unit_is_read_after_a_number(name: str) -> None:
    unit, times = SPOKEN[name]
    for said, number in (("-12", -12), ("2.5", 2.5), ("1,250", 1250), ("three hundred", 300), ("三百", 300)):
        quantity = read_quantity(f"{said} {name}")
        assert quantity is not None, said
        assert quantity.unit == unit, said
        assert quantity.value == pytest.approx(number * float(times)), said


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (68, "fahrenheit", "celsius", 20),
        (32, "fahrenheit", "celsius", 0),
        (-40, "celsius", "fahrenheit", -40),
        (20, "celsius", "kelvin", 293.15),
        (20, "degree", "celsius", 20),
        (5, "", "kilogram", 5),
        (1, "mile", "kilometre", 1.609344),
        (12, "inch", "foot", 1),
        (36, "kilometre_per_hour", "metre_per_second", 10),
        (1, "cup", "tablespoon", 16),
    ],
)
def test_conversion(value: float, unit: str, to: str, expected: float) -> None:
    converted = convert(Quantity(value, unit), to)
    assert converted == expected
    assert type(converted) is type(expected)


@given(st.floats(-1e6, 1e6), st.sampled_from(sorted(MEASURES)), st.sampled_from(sorted(MEASURES)))
def test_conversion_there_and_back(value: float, unit: str, other: str) -> None:
    if MEASURES[unit].dimension != MEASURES[other].dimension:
        with pytest.raises(ValueError, match="does not convert"):
            convert(Quantity(value, unit), other)
    elif "degree" not in (unit, other):
        there = convert(Quantity(value, unit), other)
        assert convert(Quantity(there, other), unit) == pytest.approx(value, rel=1e-6, abs=1e-5)


def test_an_unknown_unit_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'furlong'.*metre"):
        convert(Quantity(5, "mile"), "furlong")
    with pytest.raises(ToolDefinitionError, match="furlong") as refused:
        Unit("furlong")
    assert "metre" in refused.value.hint
