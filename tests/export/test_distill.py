"""Perturbed texts are made of the rows' words, and several models become one by averages."""

import copy

import pytest
import torch
from edgefn.export.batches import Collator, Example, Examples, infer
from edgefn.export.distill import average, opinions, perturb
from hypothesis import given
from hypothesis import strategies as st

from edgefn.rows import Row

ROWS = [Row(f"please turn the {thing} {way} now", way) for thing in ("lamp", "fan", "radio") for way in ("on", "off")]
ROWS += [Row("tell me a long joke about cats", None), Row("who painted this", None)]


def test_texts_are_new_and_distinct_and_made_of_the_rows_words():
    made = perturb(ROWS, 200, seed=1)
    words = {word for row in ROWS for word in row.text.split()}
    assert 50 < len(made) == len(set(made)) <= 200
    assert not {row.text for row in ROWS} & set(made)
    assert {word for text in made for word in text.split()} <= words


def test_a_seed_gives_the_same_texts():
    assert perturb(ROWS, 100, seed=3) == perturb(ROWS, 100, seed=3) != perturb(ROWS, 100, seed=4)


@given(st.lists(st.text("ab ", min_size=1).filter(str.strip), min_size=1, max_size=5), st.integers(0, 30))
def test_any_rows(texts, count):
    made = perturb([Row(text, None) for text in texts], count, seed=0)
    assert len(made) <= count and all(text.strip() for text in made)


def test_opinions_are_mean_probabilities(tool_models):
    teachers = [tool_models["bert"], copy.deepcopy(tool_models["bert"])]
    with torch.no_grad():
        teachers[1].tool_head.bias += torch.arange(len(teachers[1].keys.tools))
    examples = Examples([Example([2, 9, 3], 0), Example([2, 7, 8, 3], 1)])
    found = opinions(iter(teachers), examples, Collator(0))
    expected = sum(infer(each, examples, Collator(0))[0].softmax(1) for each in teachers) / 2
    assert torch.allclose(found, expected)
    assert torch.allclose(found.sum(1), torch.ones(2))


def test_average_of_weights():
    states = [{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 6.0])}]
    assert average(states)["a"].tolist() == pytest.approx([2.0, 4.0])
