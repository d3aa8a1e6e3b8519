"""Scores are kept by token ids, and only so many."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgefn.encoder import Scores
from edgefn.scores_cache import ScoresCache


def scores(number: int) -> Scores:
    return Scores(*(np.full(1, number, dtype=np.float32) for _ in range(3)))


@given(st.integers(1, 8), st.lists(st.integers(0, 20), max_size=60))
def test_against_a_list(most, numbers):
    """The last `most` different ones that were used are there, and no other."""
    cache, used = ScoresCache(most), []
    for number in numbers:
        key = ((number,), False)
        found = cache.get(key)
        assert (found is not None) == (number in used)
        if found is None:
            cache.put(key, scores(number))
        else:
            assert found.tool_logits[0] == number
        used = [*(each for each in used if each != number), number][-most:]
    assert len(cache) == len(used)


def test_with_and_without_embeddings_are_two():
    cache = ScoresCache(4)
    cache.put(((1, 2), False), scores(1))
    assert cache.get(((1, 2), True)) is None
