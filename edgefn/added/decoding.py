"""Spans of an added tool: as of a trained one, and one span for a parameter that takes one value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgefn.arguments.keys import is_list, type_of
from edgefn.arguments.spans import Decoded, SpanDecoder, best_valid, is_valid
from edgefn.manifest import Heads
from edgefn.tool import Tool
from edgefn.words import Word

NEVER = -1e4
"""Logit of what cannot be; not -inf, which times a probability of zero is no number."""


class OneSpanDecoder(SpanDecoder):
    """Reads the spans of one added tool's parameters.

    Rows made from descriptions tell values apart less surely than trained ones: where two spans would fill a parameter
    that takes one, the better keeps it, and the words of the other are free for another parameter.
    """

    def __init__(self, heads: Heads, tool: Tool) -> None:
        """Take all columns of `heads`, which are the tool's own."""
        super().__init__(heads, {(each.name, type_of(each.schema)) for each in tool.parameters})
        lists = {each.name for each in tool.parameters if is_list(each.schema)}
        self._single = [name not in lists for name in self._names]

    def decode(self, slot_logits: NDArray[np.float32], words: Sequence[Word]) -> Decoded:
        """Return the best valid labels of `words` under which every parameter of one value has one span at most."""
        logits = slot_logits.take([word.token for word in words], 0).take(self._columns, 1)
        while True:
            labels = logits.argmax(axis=1).tolist()
            labels = labels if is_valid(labels) else best_valid(logits)
            spare = self._spare(logits, labels)
            if not spare:
                return Decoded(logits, labels)
            for word, slot in spare:
                logits[word, 2 * slot + 1 : 2 * slot + 3] = NEVER

    def _spare(self, logits: NDArray[np.float32], labels: Sequence[int]) -> list[tuple[int, int]]:
        """Return word and slot of every word in a span that is not the best of a parameter of one value."""
        spans: dict[int, list[list[int]]] = {}
        for word, label in enumerate(labels):
            if label % 2:
                spans.setdefault(label // 2, []).append([word])
            elif label:
                spans[label // 2 - 1][-1].append(word)
        spare = []
        for slot, found in spans.items():
            if self._single[slot] and len(found) > 1:
                best = max(found, key=lambda span: float(logits[span[0], 2 * slot + 1] - logits[span[0], 0]))
                spare += [(word, slot) for span in found if span is not best for word in span]
        return spare
