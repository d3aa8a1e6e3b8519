"""Judge a bundle on rows with known answers, on the path the device runs: batch 1, no padding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgefn.encoder import Encoder
from edgefn.metrics import Flags, Floats, auroc, expected_calibration_error, mean, scope_weights
from edgefn.rows import Row
from edgefn.selection import Selector


@dataclass(frozen=True, slots=True)
class Judged:
    """What a bundle answered to rows, beside what was right. All arrays are [rows]."""

    best: tuple[str | None, ...]
    """Best tool of each row; None where the text never reached the engine."""
    probability: Floats
    """The number that is thresholded; 0 where the text never reached the engine."""
    in_scope: Flags
    """The row belongs to a tool."""
    right: Flags
    """The best tool is the row's tool."""
    exact: Flags
    """The tool and every argument are the row's."""

    def numbers(self, threshold: float, out_of_scope_share: float) -> dict[str, float]:
        """Return the defined numbers at `threshold`, `ece_all` weighted to `out_of_scope_share`."""
        # A threshold of 0 accepts every call; a text that never reached the engine is no call.
        inside, accepted = self.in_scope, (self.probability >= threshold) & (self.probability > 0)
        weights = scope_weights(inside, out_of_scope_share)
        return {
            "tool_accuracy": mean(self.right[inside]),
            "exact_call": mean(self.exact[inside]),
            "in_scope_kept": mean((self.right & accepted)[inside]),
            "out_of_scope_recall": mean(~accepted[~inside]),
            "accepted_accuracy": mean(self.right[accepted]),
            "auroc": auroc(self.probability[inside], self.probability[~inside]),
            "ece": expected_calibration_error(self.probability[inside], self.right[inside]),
            "ece_all": expected_calibration_error(self.probability, self.right, weights),
        }


def judge(
    encoder: Encoder, selector: Selector, rows: Sequence[Row], watch: Callable[[Sequence[Row]], Iterable[Row]] = iter
) -> Judged:
    """Run every row once, one by one; `watch` goes through the rows and may show how far it is."""
    best: list[str | None] = []
    probability = np.zeros(len(rows))
    for index, row in enumerate(watch(rows)):
        ids = encoder.encode(row.text)
        if isinstance(ids, str):
            best.append(None)
            continue
        selection = selector.select(encoder.run(ids).tool_logits)
        best.append(selection.tool)
        probability[index] = selection.probability
    in_scope = np.array([row.tool is not None for row in rows], dtype=bool)
    right = np.array([row.tool == tool for row, tool in zip(rows, best, strict=True)], dtype=bool) & in_scope
    exact = np.array([same_arguments({}, row.arguments) for row in rows], dtype=bool) & right
    return Judged(tuple(best), probability, in_scope, right, exact)


def same_arguments(said: Mapping[str, Any], gold: Mapping[str, Any]) -> bool:
    """Compare arguments: strings casefolded with spaces collapsed, numbers by value, lists in order."""
    return said.keys() == gold.keys() and all(_same(said[name], gold[name]) for name in said)


def _same(said: Any, gold: Any) -> bool:
    if isinstance(said, str) and isinstance(gold, str):
        return said.casefold().split() == gold.casefold().split()
    if isinstance(said, list) and isinstance(gold, list):
        return len(said) == len(gold) and all(map(_same, said, gold))
    if isinstance(said, bool) or isinstance(gold, bool):
        return said is gold
    return bool(said == gold)


def kept_at_recall(judged: Judged, recall: float) -> float:
    """Return the share of in-scope rows accepted and right at the loosest threshold that refuses `recall` out of scope.

    nan when there are no out-of-scope rows.
    """
    outside = np.sort(judged.probability[~judged.in_scope])
    if not len(outside):
        return float("nan")
    refused = min(int(np.ceil(recall * len(outside))), len(outside))
    threshold = np.nextafter(outside[refused - 1], 2.0) if refused else 0.0
    return mean((judged.right & (judged.probability >= threshold))[judged.in_scope])
