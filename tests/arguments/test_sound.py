"""English words that sound the same have keys that are the same or near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.edits import distance
from edgefn.arguments.sound import COSTS, key


@pytest.mark.parametrize(
    "words",
    ["knight night nite", "write rite wright", "phone fone", "flour flower", "break brake", "cereal serial", "sea see",
     "ceiling sealing", "cellar seller", "road rode", "light lite", "wait weight", "censor sensor", "stair stare"],
)  # fmt: skip
def test_homophones(words):
    first, *others = map(key, words.split())
    for other in others:
        assert distance(first, other, COSTS, 0.165 * max(len(first), len(other)) + 0.1) <= 1


@pytest.mark.parametrize("words", ["kitchen chicken", "lamp fan", "garage garden", "london dublin", "two ten"])
def test_other_words(words):
    first, second = map(key, words.split())
    assert distance(first, second, COSTS, 9) > 0.165 * max(len(first), len(second))


def test_digits_stand_for_themselves():
    assert key("pm10") == "PM10"
    assert distance(key("pm10"), key("pm25"), COSTS, 9) >= 2


@given(st.text(max_size=30))
def test_any_text_has_a_key(text):
    assert key(text.lower()) == "" or key(text.lower()).isalnum()
