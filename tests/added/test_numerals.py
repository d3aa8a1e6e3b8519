"""Which words may be part of a number: figures and number words, in English and Chinese, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.added.numerals import word_masks

INTEGER = {"type": "integer"}


def masks(*words: str) -> list[tuple[bool, bool]]:
    """Return of each word whether it may begin a number, and whether it may go on one."""
    begins, goes_on = word_masks(words, [INTEGER])[0]
    return list(zip(begins.tolist(), goes_on.tolist(), strict=True))


@pytest.mark.parametrize(
    "word",
    ["seven", "Seven", "TWENTY", "7", "07:30", "3.5", "1,250", "-5", "$9", "a", "half", "三", "十二", "兩", "半"],
)
def test_words_that_begin_a_number_and_go_on_one(word):
    assert masks(word) == [(True, True)]


@pytest.mark.parametrize("word", ["and", "point", "percent", "%", ",", "k", "e", "点", "分"])
def test_words_that_only_go_on(word):
    assert masks(word) == [(False, True)]


@pytest.mark.parametrize("word", ["triangle", "sevenoaks", "please", "the", "", "?", "灯", "one-way"])
def test_words_that_are_no_part_of_a_number(word):
    assert masks(word) == [(False, False)]


def test_a_name_with_figures_begins_none():
    assert masks("gate7", "b12") == [(False, True), (False, True)]


@pytest.mark.parametrize(
    "schema",
    [
        INTEGER,
        {"type": "number"},
        {"type": ["integer", "null"]},
        {"anyOf": [{"type": "number"}, {"type": "null"}]},
        {"type": "array", "items": {"type": "integer"}},
        {"type": "number", "minimum": 3},
    ],
)
def test_schemas_of_numbers(schema):
    assert word_masks(["seven"], [{"type": "string"}, schema]).keys() == {1}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {"type": "string", "format": "time"},
        {"type": "integer", "enum": [1, 2]},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
    ],
)
def test_schemas_of_anything_else(schema):
    assert word_masks(["seven"], [schema]) == {}


def test_no_words():
    begins, goes_on = word_masks([], [INTEGER])[0]
    assert begins.shape == goes_on.shape == (0,)


@given(st.lists(st.text()))
def test_any_words(words):
    begins, goes_on = word_masks(words, [INTEGER])[0]
    assert len(begins) == len(goes_on) == len(words)
    assert begins.dtype == goes_on.dtype == bool
