"""How far two texts are apart: Damerau-Levenshtein distance with costs, bounded.

Insertions, deletions, substitutions and exchanges of neighbours (Damerau 1964; Levenshtein 1966), no part edited twice.
Only the diagonal band that can stay under the limit is computed, and two rows that are over it everywhere end the work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Costs:
    """What one edit costs; all costs are positive and below infinity."""

    extra: Callable[[str], float]
    """A character that only the first text has."""
    missing: Callable[[str], float]
    """A character that only the second text has."""
    swap: Callable[[str, str], float]
    """A character of the first text where the second has another one."""
    exchange: float
    """Two neighbours in each other's place."""
    least: float
    """The cheapest extra or missing character; it bounds the band."""


def distance(first: str, second: str, costs: Costs, limit: float) -> float:
    """Return the cost of the cheapest way from `first` to `second`; infinity where that is more than `limit`."""
    if first == second:
        return 0.0
    band = int(limit / costs.least)
    if abs(len(first) - len(second)) > band:
        return inf
    gaps = [costs.missing(letter) for letter in second]
    above, row = [inf] * (len(second) + 1), [0.0]
    for gap in gaps:
        row.append(row[-1] + gap)
    for at in range(len(first)):
        above, row = row, _next_row(at, first, second, gaps, (above, row), costs, band)
        if min(row) > limit and min(above) > limit:  # an exchange reaches back two rows
            return inf
    return row[-1] if row[-1] <= limit else inf


def _next_row(
    at: int,
    first: str,
    second: str,
    gaps: Sequence[float],
    rows: tuple[Sequence[float], Sequence[float]],
    costs: Costs,
    band: int,
) -> list[float]:
    """Return the costs from the first `at` + 1 characters of `first` to every beginning of `second`."""
    two_above, above = rows
    letter, before = first[at], first[at - 1] if at else ""
    gap = costs.extra(letter)
    row = [inf] * (len(second) + 1)
    row[0] = above[0] + gap
    for to in range(max(0, at - band), min(len(second), at + band + 1)):
        other = second[to]
        if letter == other:
            row[to + 1] = above[to]
            continue
        best = min(above[to] + costs.swap(letter, other), above[to + 1] + gap, row[to] + gaps[to])
        if to and before == other and letter == second[to - 1]:
            best = min(best, two_above[to - 1] + costs.exchange)
        row[to + 1] = best
    return row
