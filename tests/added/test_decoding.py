"""A parameter that takes one value has one span; a list keeps several; the labels stay valid whatever the scores."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.added.decoding import OneSpanDecoder
from edgefn.added.making import slot_keys
from edgefn.arguments.spans import SpanDecoder, is_valid
from edgefn.manifest import Heads
from edgefn.words import Word

STRING = {"type": "string"}
SINGLE = tiny.described("a", "A.", city=STRING, day=STRING)
LISTS = tiny.described("a", "A.", city={"type": "array", "items": STRING}, day=STRING)
TEXT = "from new york to rome tomorrow"
WORDS = [Word(1, 0, 4), Word(2, 5, 8), Word(3, 9, 13), Word(4, 14, 16), Word(5, 17, 21), Word(6, 22, 30)]
B_CITY, I_CITY, B_DAY, I_DAY = range(1, 5)


def heads_of(tool) -> Heads:
    return Heads(("a",), slots=slot_keys(tool))


def decode(tool, scores: dict[int, dict[int, float]]) -> list[tuple[str, str]]:
    """Return the spans for logits given as word → label → logit; O has 1 everywhere."""
    logits = np.zeros((8, 5), np.float32)
    logits[:, 0] = 1
    for word, labels in scores.items():
        for label, by in labels.items():
            logits[WORDS[word].token, label] = by
    decoder = OneSpanDecoder(heads_of(tool), tool)
    found = decoder.spans(decoder.decode(logits, WORDS), WORDS)
    return [(each.parameter, TEXT[each.start : each.end]) for each in found]


TWO = {1: {B_CITY: 5}, 2: {I_CITY: 5}, 4: {B_CITY: 7}}


def test_the_better_span_of_a_single_value_is_kept():
    assert decode(SINGLE, TWO) == [("city", "rome")]
    assert decode(SINGLE, TWO | {1: {B_CITY: 9}}) == [("city", "new york")]


def test_a_list_keeps_both():
    assert decode(LISTS, TWO) == [("city", "new york"), ("city", "rome")]


def test_the_first_of_two_that_are_as_good():
    assert decode(SINGLE, {1: {B_CITY: 5}, 4: {B_CITY: 5}}) == [("city", "new")]


def test_the_words_of_the_worse_are_free_for_another_parameter():
    assert decode(SINGLE, TWO | {4: {B_CITY: 4, B_DAY: 3}}) == [("city", "new york"), ("day", "rome")]


def test_what_is_freed_may_push_out_another():
    """A word that goes to the second parameter competes there, too."""
    scores = {1: {B_CITY: 9}, 4: {B_CITY: 8, B_DAY: 7}, 5: {B_DAY: 3}}
    assert decode(SINGLE, scores) == [("city", "new"), ("day", "rome")]


def test_three_spans_of_one_value():
    assert decode(SINGLE, {0: {B_CITY: 3}, 2: {B_CITY: 5}, 4: {B_CITY: 4}}) == [("city", "york")]


def test_nothing_is_said():
    assert decode(SINGLE, {}) == []


def test_a_tool_without_slots():
    bare = tiny.described("a", "A.")
    assert not OneSpanDecoder(heads_of(bare), bare)


@pytest.mark.parametrize("tool", [SINGLE, LISTS], ids=["single", "list"])
@given(
    rows=st.lists(st.lists(st.floats(-30, 30, width=32), min_size=5, max_size=5), min_size=1, max_size=8),
    never=st.sets(st.tuples(st.integers(0, 7), st.integers(1, 4))),
)
def test_any_scores(tool, rows, never):
    logits = np.array(rows, np.float32)
    for word, label in never:
        logits[word % len(rows), label] = -1e4
    before = logits.copy()
    words = [Word(at, at, at + 1) for at in range(len(rows))]
    heads = heads_of(tool)
    decoder = OneSpanDecoder(heads, tool)
    decoded = decoder.decode(logits, words)
    spans = decoder.spans(decoded, words)
    assert np.array_equal(logits, before)
    assert is_valid(decoded.labels)
    assert len([each for each in spans if each.parameter == "day"]) <= 1
    assert len([each for each in spans if each.parameter == "city"]) <= (1 if tool is SINGLE else len(rows))
    assert all(one.end <= other.start for one, other in itertools.pairwise(spans))
    usual = SpanDecoder(heads, {("city", "string"), ("day", "string")}).decode(logits, words)
    counts = [sum(label == begin for label in usual.labels) for begin in (B_CITY, B_DAY)]
    if all(count <= 1 for count in counts):
        assert decoded.labels == usual.labels
