"""Spans from the slot head: one label a word, a valid sequence, only the slots of the chosen tool.

Labels are B (a span begins), I (it goes on) and O (outside), Ramshaw and Marcus (1995). I may only follow B or I of its
own slot; where the best labels break that rule, the best sequence that keeps it is found (Viterbi 1967).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefn.manifest import Heads
from edgefn.words import Word

Labels = list[int]


@dataclass(frozen=True, slots=True)
class Span:
    """Words that fill one parameter."""

    parameter: str
    """The parameter."""
    start: int
    """First character."""
    end: int
    """One past the last character."""
    score: float
    """Probability of its labels, 0..1, before any temperature."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The labels of an utterance's words."""

    logits: NDArray[np.float32]
    """[words, labels], only the labels of the tool's slots."""
    labels: Labels
    """The label of each word, an index into the second axis: 0 is O, 2k + 1 is B and 2k + 2 is I of slot k."""


class SpanDecoder:
    """Reads the spans of one tool's parameters."""

    def __init__(self, heads: Heads, parameters: Collection[tuple[str, str]]) -> None:
        """Take the columns of `parameters`, each a name and a type, out of the slot head."""
        wanted = [column for column, (tag, *slot) in enumerate(heads.slots) if tag == "O" or tuple(slot) in parameters]
        self._columns = np.array(wanted, dtype=np.intp)
        self._names = [heads.slots[column][1] for column in wanted if heads.slots[column][0] == "B"]

    def __bool__(self) -> bool:
        """Tell whether the tool has a slot at all."""
        return bool(self._names)

    def decode(self, slot_logits: NDArray[np.float32], words: Sequence[Word]) -> Decoded:
        """Return the best valid labels of `words` under `slot_logits` [tokens, slot labels]."""
        logits = slot_logits.take([word.token for word in words], 0).take(self._columns, 1)
        labels: Labels = logits.argmax(axis=1).tolist()
        return Decoded(logits, labels if is_valid(labels) else best_valid(logits))

    def spans(self, decoded: Decoded, words: Sequence[Word]) -> list[Span]:
        """Return the spans that the labels spell, in the order of the utterance."""
        labels = decoded.labels
        if not any(labels):
            return []
        scores = probabilities(decoded.logits, labels)
        found = []
        for first, label in enumerate(labels):
            if label % 2:
                after = first + 1
                while after < len(labels) and labels[after] == label + 1:
                    after += 1
                score = math.prod(scores[first:after])
                found.append(Span(self._names[label // 2], words[first].start, words[after - 1].end, score))
        return found


def is_valid(labels: Sequence[int]) -> bool:
    """Tell whether every I follows B or I of its own slot."""
    before = 0
    for label in labels:
        if label and not label % 2 and before not in (label, label - 1):
            return False
        before = label
    return True


def best_valid(logits: NDArray[np.float32]) -> Labels:
    """Return the valid labels with the largest sum of `logits` [words, labels]."""
    best = logits[0].astype(np.float64)
    best[2::2] = -np.inf  # nothing goes on at the first word
    back = []
    for row in logits[1:]:
        begin, goes_on = best[1::2], best[2::2]
        came_from = np.full(len(best), best.argmax())
        odd = np.arange(1, len(best), 2)
        came_from[2::2] = np.where(begin >= goes_on, odd, odd + 1)
        best = best[came_from] + row
        back.append(came_from)
    labels = [int(best.argmax())]
    for came_from in reversed(back):
        labels.append(int(came_from[labels[-1]]))
    return labels[::-1]


def probabilities(logits: NDArray[np.float32], labels: Sequence[int]) -> list[float]:
    """Return the probability of each word's label, one a row of `logits` [words, labels]."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    each: list[float] = (shifted[range(len(labels)), labels] / shifted.sum(axis=1)).tolist()
    return each
