"""The numbers edgefn reports, each defined once. All are fractions; all take plain arrays.

`right` is 1 where the best tool is the gold tool; an out-of-scope row is never right.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

ECE_BINS = 15


def auroc(in_scope: Floats, out_of_scope: Floats) -> float:
    """Return the probability that an in-scope score exceeds an out-of-scope one, ties counting half.

    The area under the ROC curve through the Mann-Whitney statistic; nan when either side is empty.
    """
    if not len(in_scope) or not len(out_of_scope):
        return float("nan")
    ordered = np.sort(out_of_scope)
    below = np.searchsorted(ordered, in_scope, side="left")
    not_above = np.searchsorted(ordered, in_scope, side="right")
    return float((below + not_above).sum() / (2 * len(in_scope) * len(out_of_scope)))


def expected_calibration_error(probability: Floats, right: Flags, weight: Floats | None = None) -> float:
    """Return the weighted mean gap between probability and accuracy over 15 equal bins (Guo et al. 2017).

    nan when there are no rows.
    """
    if not len(probability):
        return float("nan")
    weight = np.ones(len(probability)) if weight is None else weight
    bins = np.minimum((probability * ECE_BINS).astype(int), ECE_BINS - 1)
    gap = np.bincount(bins, weight * (right - probability), minlength=ECE_BINS)
    return float(np.abs(gap).sum() / weight.sum())


def scope_weights(in_scope: Flags, out_of_scope_share: float) -> Floats:
    """Return one weight per row so that out-of-scope rows weigh `out_of_scope_share` of the total.

    The weights sum to the number of rows. Where one side is empty every row weighs the same.
    """
    inside = int(in_scope.sum())
    outside = len(in_scope) - inside
    if not inside or not outside:
        return np.ones(len(in_scope))
    share = np.where(in_scope, (1 - out_of_scope_share) / inside, out_of_scope_share / outside)
    weights: Floats = share * len(in_scope)
    return weights


def mean(flags: Flags) -> float:
    """Return the share of true flags; nan when there are none."""
    return float(flags.mean()) if len(flags) else float("nan")
