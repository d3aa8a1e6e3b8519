"""Averaged weights, the best of them, and the newest checkpoint that is whole."""

import pytest
import torch
from edgefn.export.base import load_encoder
from edgefn.export.batches import Example, Examples, Inferred
from edgefn.export.keys import UNLABELLED
from edgefn.export.losses import LabelsOf
from edgefn.export.trainer import KeepBest, WeightAverage, arguments_right, last_finished
from edgefn.export.tune import prepare
from transformers import TrainerControl, TrainerState, TrainingArguments


@pytest.fixture
def model(bases, tiny):
    made = tiny.ToolModel(load_encoder(str(bases["bert"])), tiny.HEADS)
    prepare(made, "heads")
    return made


@pytest.fixture
def arguments(tmp_path):
    return TrainingArguments(output_dir=str(tmp_path), report_to="none", use_cpu=True)


def step(average, model, arguments, number):
    average.on_step_end(arguments, TrainerState(global_step=number), TrainerControl(), model=model)


def test_only_what_learns_is_averaged(model):
    average = WeightAverage(model, 0.9)
    assert set(average.weights) == {name for name, each in model.named_parameters() if each.requires_grad}


def test_the_average_follows_and_forgets_the_start(model, arguments):
    bias = model.tool_head.bias.data
    average = WeightAverage(model, 0.5)
    expected = bias.clone()
    for number in range(1, 30):
        bias.fill_(float(number))
        step(average, model, arguments, number)
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * bias
        assert torch.allclose(average.weights["tool_head.bias"], expected)
    assert (average.weights["tool_head.bias"] > 27).all()


def test_swapping_twice_undoes_it(model, arguments):
    average = WeightAverage(model, 0.9)
    model.tool_head.rows.data.add_(1.0)
    before = model.tool_head.rows.detach().clone()
    average.swap(model)
    assert torch.allclose(model.tool_head.rows.detach(), before - 1.0, atol=1e-5)
    average.swap(model)
    assert torch.equal(model.tool_head.rows.detach(), before)


def test_the_average_survives_an_interruption(model, arguments, tmp_path):
    average = WeightAverage(model, 0.9)
    model.tool_head.rows.data.add_(1.0)
    step(average, model, arguments, 5)
    (tmp_path / "checkpoint-5").mkdir()
    average.on_save(arguments, TrainerState(global_step=5), TrainerControl())
    again = WeightAverage(model, 0.9)
    again.load(tmp_path / "checkpoint-5")
    for name, weight in average.weights.items():
        assert torch.equal(weight, again.weights[name])


def weights(model, value):
    return {"tool_head.bias": torch.full_like(model.tool_head.bias.data, value)}


def test_the_best_is_kept_and_put_back(model, tmp_path):
    best = KeepBest(tmp_path / "new", patience=2)
    for accuracy, value in ((0.5, 1.0), (0.8, 2.0), (0.7, 3.0)):
        assert not best.seen(accuracy, weights(model, value))
    best.restore(model)
    assert model.tool_head.bias.detach().eq(2.0).all()
    assert KeepBest(tmp_path / "new", 2).best == 0.8  # what an interrupted run found counts


def test_a_tie_keeps_the_later(model, tmp_path):
    best = KeepBest(tmp_path, patience=5)
    for value in (1.0, 2.0):
        best.seen(0.9, weights(model, value))
    best.restore(model)
    assert model.tool_head.bias.detach().eq(2.0).all()


def test_patience_counts_epochs_without_progress(model, tmp_path):
    best = KeepBest(tmp_path, patience=2)
    told = [best.seen(accuracy, weights(model, 0.0)) for accuracy in (0.5, 0.4, 0.6, 0.6, 0.5)]
    assert told == [False, False, False, False, True]


def test_a_checkpoint_that_was_not_finished_is_passed_over(tmp_path):
    assert last_finished(tmp_path / "nowhere") is None
    for number, whole in ((9, True), (10, True), (12, False)):
        folder = tmp_path / f"checkpoint-{number}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"")
        if whole:
            (folder / "average.safetensors").write_bytes(b"")
    assert last_finished(tmp_path) == tmp_path / "checkpoint-10"


# Which epoch is best: whole calls


def inferred(slots, choices):
    """What a model answers: the best label of every word, and the best row of the one choice."""
    rows = len(slots)
    words = tuple(torch.nn.functional.one_hot(torch.tensor(each), 3).float() for each in slots)
    return Inferred(
        torch.zeros(rows, 4),
        torch.nn.functional.one_hot(torch.tensor(choices), 3).float(),
        words,
        torch.zeros(rows, 32),
    )


TIMER, LAMP, NONE = 1, 2, 3
NOTHING = UNLABELLED


@pytest.mark.parametrize(
    ("label", "slots", "choices", "said", "chosen", "right"),
    [
        (TIMER, (0, 1, 2), NOTHING, (0, 1, 2), 0, True),
        (TIMER, (0, 1, 2), NOTHING, (0, 1, 1), 0, False),
        (TIMER, (0, 1, 2), NOTHING, (1, 1, 2), 0, False),
        (LAMP, (0, 0), 2, (1, 2), 2, True),  # labels of another tool take no part
        (LAMP, (0, 0), 2, (0, 0), 1, False),
        (LAMP, (0, 0), 0, (0, 0), 0, True),
        (LAMP, (0, 0), 0, (0, 0), 1, False),
        (NONE, (NOTHING, NOTHING), NOTHING, (1, 2), 2, True),
    ],
)
def test_arguments_are_right_when_every_word_and_every_choice_is(tiny, label, slots, choices, said, chosen, right):
    labels_of = LabelsOf(tiny.HEADS, tiny.tools)
    words = tuple(range(1, len(slots) + 1))
    examples = Examples([Example([2, 5, 6, 7, 3], label, words, slots, (choices,))])
    assert arguments_right(inferred([said], [chosen]), examples, labels_of).tolist() == [right]


def test_without_slots_and_choices_nothing_is_wrong(tiny):
    heads = type(tiny.HEADS)(tools=tiny.HEADS.tools)
    empty = Inferred(torch.zeros(2, 4), torch.zeros(2, 0), (torch.zeros(0, 0),) * 2, torch.zeros(2, 32))
    examples = Examples([Example([2, 5, 3], 0), Example([2, 3], 3)])
    assert arguments_right(empty, examples, LabelsOf(heads, tiny.tools)).tolist() == [True, True]
