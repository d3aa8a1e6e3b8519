"""The best valid labels are found, whatever the scores, and spell the spans that they say."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.spans import Decoded, Span, SpanDecoder, best_valid, is_valid, probabilities
from edgefn.manifest import Heads
from edgefn.words import Word

HEADS = Heads(
    tools=("a",),
    slots=(
        ("O", "", ""),
        *(("B", "city", "string"), ("I", "city", "string")),
        *(("B", "day", "date"), ("I", "day", "date")),
        *(("B", "day", "string"), ("I", "day", "string")),
    ),
)
CITY, DAY, OTHER_DAY = ("city", "string"), ("day", "date"), ("day", "string")
TEXT = "from new york to rome tomorrow"
WORDS = [Word(1, 0, 4), Word(2, 5, 8), Word(3, 9, 13), Word(5, 14, 16), Word(6, 17, 21), Word(7, 22, 30)]
TOKENS = 9
finite = st.floats(-20, 20, width=32)


def scores(*columns: int, by: float = 5.0) -> np.ndarray:
    """Return [tokens, slot labels] in which each word of WORDS has one column ahead."""
    logits = np.zeros((TOKENS, len(HEADS.slots)), dtype=np.float32)
    for word, column in zip(WORDS, columns, strict=False):
        logits[word.token, column] = by
    return logits


def spans(decoder: SpanDecoder, logits: np.ndarray, words=WORDS) -> list[tuple[str, str]]:
    found = decoder.spans(decoder.decode(logits, words), words)
    return [(each.parameter, TEXT[each.start : each.end]) for each in found]


def valid_sequences(words: int, labels: int) -> list[tuple[int, ...]]:
    """Return every valid sequence, by the rule as it is written down and by nothing else."""

    def may_follow(before: int, label: int) -> bool:
        is_inside = label > 0 and label % 2 == 0
        return not is_inside or before in (label - 1, label)

    every = itertools.product(range(labels), repeat=words)
    return [each for each in every if all(map(may_follow, (0, *each), each))]


# Decoding


@pytest.mark.parametrize("slots", [1, 2])
@given(data=st.data())
def test_no_valid_sequence_is_better(slots, data):
    labels, words = 1 + 2 * slots, data.draw(st.integers(1, 4))
    rows = data.draw(st.lists(st.lists(finite, min_size=labels, max_size=labels), min_size=words, max_size=words))
    logits = np.array(rows, dtype=np.float32)
    totals = {
        each: sum(float(logits[at, label]) for at, label in enumerate(each)) for each in valid_sequences(words, labels)
    }
    found = tuple(best_valid(logits))
    assert found in totals
    assert totals[found] == pytest.approx(max(totals.values()), abs=1e-4)


@given(st.integers(1, 5), st.data())
def test_valid_is_what_the_rule_says(words, data):
    labels = tuple(data.draw(st.lists(st.integers(0, 4), min_size=words, max_size=words)))
    assert is_valid(labels) is (labels in set(valid_sequences(words, 5)))


@given(data=st.data())
def test_decoding_takes_the_best_label_of_each_word_where_it_may(data):
    count = data.draw(st.integers(1, len(WORDS)))
    rows = data.draw(st.lists(st.lists(finite, min_size=7, max_size=7), min_size=TOKENS, max_size=TOKENS))
    logits = np.array(rows, dtype=np.float32)
    decoder = SpanDecoder(HEADS, [CITY, DAY])
    decoded = decoder.decode(logits, WORDS[:count])
    assert is_valid(decoded.labels)
    assert decoded.logits.shape == (count, 5)
    best = [int(logits[word.token, :5].argmax()) for word in WORDS[:count]]
    if is_valid(best):
        assert decoded.labels == best
    found = decoder.spans(decoded, WORDS[:count])
    assert [(each.start, each.end) for each in found] == sorted((each.start, each.end) for each in found)
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))
    assert len(found) == sum(label % 2 for label in decoded.labels)
    assert all(0 < each.score <= 1 for each in found)


def test_a_long_text_is_decoded():
    logits = np.random.default_rng(0).normal(size=(500, 41)).astype(np.float32)
    assert is_valid(best_valid(logits))


def test_one_word():
    assert best_valid(np.array([[0.0, 1.0, 9.0]], dtype=np.float32)) == [1]
    assert best_valid(np.array([[2.0, 1.0, 9.0]], dtype=np.float32)) == [0]


# Spans


def test_spans_of_the_tools_parameters():
    decoder = SpanDecoder(HEADS, [CITY, DAY])
    assert spans(decoder, scores(0, 1, 2, 0, 1, 3)) == [("city", "new york"), ("city", "rome"), ("day", "tomorrow")]
    assert spans(decoder, scores(0, 0, 0, 0, 0, 0)) == []
    assert spans(decoder, scores(1, 2, 2, 2, 2, 2)) == [("city", TEXT)]
    assert spans(decoder, scores(1, 1, 1, 3, 3, 3)) == [
        *(("city", "from"), ("city", "new"), ("city", "york")),
        *(("day", "to"), ("day", "rome"), ("day", "tomorrow")),
    ]


def test_a_span_is_as_probable_as_its_labels():
    decoder = SpanDecoder(HEADS, [CITY, DAY])
    logits = scores(0, 1, 2, 0, 0, 0, by=2.0)
    (found,) = decoder.spans(decoder.decode(logits, WORDS), WORDS)
    p = math.exp(2) / (math.exp(2) + 4)
    assert found == Span("city", 5, 13, pytest.approx(p * p))


def test_labels_of_other_tools_take_no_part():
    """Neither do those of a parameter of the same name and another type."""
    logits = scores(0, 5, 6, 0, 1, 5, by=9.0)
    logits[7, 3] = 1.0
    assert spans(SpanDecoder(HEADS, [CITY, DAY]), logits) == [("city", "rome"), ("day", "tomorrow")]
    assert spans(SpanDecoder(HEADS, [OTHER_DAY]), logits) == [("day", "new york"), ("day", "tomorrow")]


def test_what_goes_on_with_nothing_is_mended():
    decoder = SpanDecoder(HEADS, [CITY, DAY])
    logits = scores(0, 2, 2, 0, 0, 0, by=5.0)
    logits[2, 1] = 4.0  # the next best of "new" begins a city
    assert spans(decoder, logits) == [("city", "new york")]
    logits[2, 1], logits[2, 0] = -9.0, 4.9  # now it is outside, and the second I cannot stand alone
    logits[3, 0] = 4.9
    assert spans(decoder, logits) == []
    mixed = scores(0, 1, 4, 0, 0, 0, by=5.0)  # a day cannot go on with a city
    mixed[3, 2] = 4.0
    assert spans(decoder, mixed) == [("city", "new york")]


def test_a_tool_without_slots():
    assert not SpanDecoder(HEADS, [])
    assert not SpanDecoder(HEADS, [("city", "integer")])
    assert not SpanDecoder(Heads(tools=("a",)), [CITY])
    assert SpanDecoder(HEADS, [CITY])


def test_the_order_of_the_parameters_does_not_matter():
    logits = np.random.default_rng(1).normal(size=(TOKENS, 7)).astype(np.float32)
    one, other = SpanDecoder(HEADS, [CITY, DAY]), SpanDecoder(HEADS, [DAY, CITY])
    assert one.decode(logits, WORDS).labels == other.decode(logits, WORDS).labels
    assert spans(one, logits) == spans(other, logits)


def test_decoded_labels_without_spans():
    assert SpanDecoder(HEADS, [CITY]).spans(Decoded(np.zeros((2, 3), dtype=np.float32), [0, 0]), WORDS[:2]) == []


@given(st.lists(st.lists(finite, min_size=3, max_size=3), min_size=1, max_size=6), st.data())
def test_probability_of_labels(rows, data):
    logits = np.array(rows, dtype=np.float32)
    labels = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    expected = [math.exp(row[label]) / sum(map(math.exp, row)) for row, label in zip(rows, labels, strict=True)]
    assert probabilities(logits, labels) == pytest.approx(expected, rel=1e-3, abs=1e-12)
    every = [probabilities(logits[:1], [label])[0] for label in range(3)]
    assert sum(every) == pytest.approx(1, abs=1e-5)
