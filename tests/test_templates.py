"""Sentence templates: what is checked, and what they say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.errors import ToolDefinitionError
from edgefn.templates import check_templates, fill_template

NAMES = {"number", "city", "value"}


class Weather:
    degrees = 21

    def __str__(self) -> str:
        raise RuntimeError("no")


class Point(NamedTuple):
    x: int


class Hostile(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        raise RuntimeError("no")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "templates",
    [
        {},
        {"en": "It is {value}."},
        {"en": "{number} squared is {value}.", "zh-Hant_TW": "{number}的平方是{value}。"},
        {"en": "{value.city.0.first name} {{literally}} {{{number}}}"},
        {"en": "no placeholder"},
    ],
)
def test_right_templates(templates: Mapping[str, str]) -> None:
    check_templates("square", templates, NAMES)


@pytest.mark.parametrize(
    ("templates", "problem"),
    [
        ("It is {value}.", "not a mapping"),
        (None, "not a mapping"),
        ({"en": 3}, "is 3, not a sentence"),
        ({"en": ""}, "is '', not a sentence"),
        ({"en": "  "}, "not a sentence"),
        ({3: "x"}, "3 is no language"),
        ({"": "x"}, "'' is no language"),
        ({"en us": "x"}, "'en us' is no language"),
        ({"en": "{town}"}, "no value for {town}"),
        ({"en": "{}"}, "no value for {}"),
        ({"en": "{ number }"}, "no value for { number }"),
        ({"en": "{number.real}"}, "no value for {number.real}"),
        ({"en": "{value.}"}, "no value for {value.}"),
        ({"en": "{value:>9}"}, "no value for {value:>9}"),
        ({"en": "{number!r}"}, "no value for {number!r}"),
        ({"en": "a {"}, "the '{' at character 3"),
        ({"en": "a } b"}, "the '}' at character 3"),
        ({"en": "{a{number}}"}, "the '{' at character 1"),
        ({"en": "{{{number}"}, None),
        ({"en": "{number}}"}, "the '}' at character 9"),
        ({"en": "{value}", "zh": "{"}, "square: the zh template"),
    ],
)
def test_wrong_templates(templates: Any, problem: str | None) -> None:
    if problem is None:
        check_templates("square", templates, NAMES)
        return
    with pytest.raises(ToolDefinitionError) as caught:
        check_templates("square", templates, NAMES)
    assert problem in caught.value.message
    assert caught.value.message.startswith("square: ")
    assert caught.value.hint


def test_only_the_given_names_are_known() -> None:
    with pytest.raises(ToolDefinitionError, match=r"no value for \{value\}"):
        check_templates("wipe: its confirmation", {"en": "Wipe {value}?"}, {"disk"})
    check_templates("wipe: its confirmation", {"en": "Wipe {disk}?"}, {"disk"})


@pytest.mark.parametrize(
    ("template", "values", "said"),
    [
        ("{number} squared is {value}.", {"number": 3, "value": 9.0}, "3 squared is 9."),
        ("In {value}.", {"value": timedelta(minutes=10)}, "In 10 minutes."),
        ("{{{number}}}", {"number": 3}, "{3}"),
        ("{value.city} has {value.gates.1}", {"value": {"city": "Rome", "gates": ["A", "B"]}}, "Rome has B"),
        ("{value.0} {value.7}", {"value": {"0": "text", 7: "number"}}, "text number"),
        ("{value.first name}", {"value": {"first name": "Ada"}}, "Ada"),
        ("The {city} gate", {}, "The gate"),
        ("{city} gate {city}", {}, "gate"),
        ("The {city} {number} gate", {}, "The gate"),
        ("Two  spaces", {}, "Two  spaces"),
        ("[{value.town}]", {"value": {"city": "Rome"}}, "[]"),
        ("[{value.0}]", {"value": "text"}, "[]"),
        ("[{value.9}]", {"value": [1]}, "[]"),
        ("[{value.-1}]", {"value": [1]}, "[]"),
        ("[{value.degrees}]", {"value": Weather()}, "[]"),
        ("[{value.__class__}]", {"value": {"a": 1}}, "[]"),
        ("[{value.x}][{value.0}]", {"value": Point(3)}, "[][3]"),
        ("[{value.a}]", {"value": Hostile()}, "[]"),
        ("[{value}]", {"value": Weather()}, "[<Weather>]"),
        ("{city}", {"city": "{value} {{"}, "{value} {{"),
        ("{city}", {"city": "two  spaces"}, "two  spaces"),
    ],
)
def test_filled(template: str, values: dict[str, Any], said: str) -> None:
    assert fill_template({"en": template}, "en", values) == said


def test_filling_changes_no_value() -> None:
    value: dict[str, int] = defaultdict(int)
    assert fill_template({"en": "[{value.a}]"}, "en", {"value": value}) == "[]"
    assert not value


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "是"),
        ("zh-CN", "是 CN"),
        ("ZH_cn", "是 CN"),
        ("zh-TW", "是"),
        ("pt", "BR yes"),
        ("pt-PT", "BR yes"),
        ("fr", "first yes"),
        ("", "first yes"),
    ],
)
def test_the_language_its_kin_or_the_first(language: str, said: str) -> None:
    templates = {"en": "first {value}", "zh-CN": "{value} CN", "zh": "{value}", "pt-BR": "BR {value}"}
    assert fill_template(templates, language, {"value": True}) == said


def test_no_template_says_nothing() -> None:
    assert fill_template({}, "en", {"value": 3}) == ""


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.builds(Weather) | st.builds(Hostile),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 3), inner),
)


@given(values, st.sampled_from(["", ".a", ".0", ".0.a", ".a.b.c"]), st.text())
def test_no_value_raises(value: Any, path: str, language: str) -> None:
    assert fill_template({"en": f"<{{value{path}}}>", "zh": "x"}, language, {"value": value})


@given(st.text("{}value. ", max_size=30))
def test_what_is_checked_can_be_filled(template: str) -> None:
    try:
        check_templates("t", {"en": template}, {"value"})
    except ToolDefinitionError:
        return
    assert isinstance(fill_template({"en": template}, "en", {"value": [1]}), str)
