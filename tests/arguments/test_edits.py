"""Distance with costs, against the plain recurrence without a band."""

from __future__ import annotations

from functools import cache
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.edits import Costs, distance

COSTS = Costs(extra=lambda _: 0.8, missing=lambda _: 0.9, swap=lambda *_: 1.0, exchange=0.7, least=0.8)


def plainly(first: str, second: str) -> float:
    @cache
    def cost(i: int, j: int) -> float:
        if not i or not j:
            return 0.8 * i + 0.9 * j
        best = min(cost(i - 1, j) + 0.8, cost(i, j - 1) + 0.9, cost(i - 1, j - 1) + (first[i - 1] != second[j - 1]))
        if i > 1 and j > 1 and first[i - 1] == second[j - 2] and first[i - 2] == second[j - 1]:
            best = min(best, cost(i - 2, j - 2) + 0.7)
        return best

    return cost(len(first), len(second))


@given(st.text("abc", max_size=7), st.text("abc", max_size=7), st.sampled_from([0.7, 1.0, 2.0, 3.5]))
def test_within_the_limit_it_is_exact(first, second, limit):
    right, got = plainly(first, second), distance(first, second, COSTS, limit)
    if got == inf:
        assert right > limit - 1e-9
    else:
        assert got == pytest.approx(right)


def test_far_texts_end_early():
    assert distance("a" * 5000, "b" * 5000, COSTS, 2) == inf
    assert distance("a", "a" * 5000, COSTS, 2) == inf
