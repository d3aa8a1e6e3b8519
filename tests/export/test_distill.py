"""Perturbed texts are made of the rows' words, and several models become one by averages."""

import copy

import pytest
import torch
from edgefn.export.batches import Collator, Example, Examples, infer
from edgefn.export.distill import average, opinions, perturb
from edgefn.export.keys import UNLABELLED
from edgefn.export.losses import LabelsOf
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


def test_opinions_are_mean_probabilities(tool_models, tiny):
    teachers = [tool_models["bert"], copy.deepcopy(tool_models["bert"])]
    with torch.no_grad():
        teachers[1].tool_head.bias += torch.arange(len(teachers[1].keys.tools))
        teachers[1].slot_head.bias += torch.tensor([1.0, -1.0, 2.0])
    labels_of = LabelsOf(tiny.HEADS, tiny.tools)
    examples = Examples([Example([2, 9, 3], 0, (1,), (0,)), Example([2, 7, 8, 3], 1, (1, 2), (1, 2))])
    found = opinions(iter(teachers), examples, Collator(0), labels_of)
    answers = [infer(each, examples, Collator(0)) for each in teachers]
    expected = sum(each.tools.softmax(1) for each in answers) / 2
    assert torch.allclose(torch.stack([each.tools for each in found]), expected)
    assert found[0].slots.tolist() == [[1.0, 0.0, 0.0]]  # play_music has no slots
    assert torch.allclose(found[1].slots, sum(each.slots[1].softmax(1) for each in answers) / 2, atol=1e-6)


def test_opinions_of_words_are_those_on_the_tool_that_the_teachers_think_best(tool_models, tiny):
    teacher = copy.deepcopy(tool_models["bert"])
    labels_of = LabelsOf(tiny.HEADS, tiny.tools)
    examples = Examples([Example([2, 7, 8, 3], UNLABELLED, (1, 2), (UNLABELLED,) * 2), Example([2, 3], UNLABELLED)])
    for tool, outside in (("set_timer", False), ("switch_lamp", True), (None, True)):
        with torch.no_grad():
            teacher.tool_head.bias[:] = torch.tensor([99.0 * (name == tool) for name in tiny.HEADS.tools])
        words, nothing = (each.slots for each in opinions([teacher], examples, Collator(0), labels_of))
        assert words.shape == (2, 3) and torch.allclose(words.sum(1), torch.ones(2))
        assert bool((words[:, 0] == 1).all()) is outside
        assert nothing.shape == (0, 3)


def test_average_of_weights():
    states = [{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([3.0, 6.0])}]
    assert average(states)["a"].tolist() == pytest.approx([2.0, 4.0])
