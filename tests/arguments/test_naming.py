"""A value is named where its words stand beside each other, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgefn.arguments.naming import place_of


def named(value: str, text: str) -> str | None:
    place = place_of(value, text)
    return None if place is None else text[slice(*place)]


@pytest.mark.parametrize(
    ("value", "text", "words"),
    [
        ("red", "make it red please", "red"),
        ("red", "Make it RED!", "RED"),
        ("warm_white", "a warm white lamp", "warm white"),
        ("warmWhite", "a warm-white lamp", "warm-white"),
        ("warm white", "a warmwhite lamp", "warmwhite"),
        ("living-room", "the living room lamp", "living room"),
        ("lamp", "all lamps on", "lamps"),
        ("lamps", "the lamp on", "lamp"),
        ("café", "to the cafe", "cafe"),
        ("5", "give me 5 of them", "5"),
        ("red", "red red", "red"),
        ("a b", "a a b", "a b"),
        ("开灯", "请 开灯 吧", "开灯"),
    ],
)
def test_a_value_that_is_named(value, text, words):
    assert named(value, text) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("red", "make it reddish"),
        ("red", "scared"),
        ("warm_white", "warm and white"),
        ("warm_white", "white warm"),
        ("on", "only"),
        ("true", "is it true"),
        ("false", "false alarm"),
        ("", "anything"),
        ("++", "plus ++ plus"),
        ("red", ""),
    ],
)
def test_a_value_that_is_not_named(value, text):
    assert place_of(value, text) is None


def test_the_first_of_two():
    assert place_of("red", "blue red or red") == (5, 8)


@given(st.text(), st.text())
@example("\ud800", "\ud800")
@example("the", "the the")
@example("İ", "i̇ İ")
@example("s", "it's s")
def test_anything(value, text):
    place = place_of(value, text)
    if place is not None:
        start, end = place
        assert 0 <= start < end <= len(text)
        assert text[start].strip() and text[end - 1].strip()


@given(st.from_regex(r"[b-z][a-z]{0,8}( [b-z][a-z]{0,8}){0,2}", fullmatch=True))
def test_a_value_names_itself(value):
    assert place_of(value, value) is not None
    assert place_of(value, f"please, {value}!") is not None
