"""What training minimises, worked out by hand."""

import pytest
import torch
from edgefn.export.batches import Example, Examples
from edgefn.export.fit import repeat_scarce, without_needless_outliers
from edgefn.export.keys import UNLABELLED
from edgefn.export.losses import (
    LabelsOf,
    call_loss,
    choice_loss,
    outlier_loss,
    slot_loss,
    teachers_loss,
    tool_loss,
)
from edgefn.export.model import GraphOutputs
from edgefn.export.settings import TrainSettings

from edgefn.manifest import Heads
from edgefn.tool import Tool

KEYS = Heads(tools=("lamp", "timer", None))
PLAIN = TrainSettings(outlier_weight=0.0)


def outputs(logits):
    nothing = torch.zeros(len(logits), 0)
    return GraphOutputs(logits, nothing, nothing, nothing, torch.eye(3)[: len(logits)])


def test_rows_without_a_label_are_passed_over(tool_models):
    logits = torch.tensor([[2.0, 0.0, 0.0], [0.0, 5.0, 0.0]])
    loss = tool_loss(tool_models["bert"], outputs(logits), torch.tensor([0, UNLABELLED]), None, PLAIN)
    assert loss.item() == pytest.approx(-torch.log_softmax(logits[0], 0)[0].item() / 2)
    alone = tool_loss(tool_models["bert"], outputs(logits), torch.tensor([UNLABELLED] * 2), None, PLAIN)
    assert alone.item() == 0.0


def test_agreeing_with_the_teachers_costs_nothing():
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert teachers_loss(logits, logits.softmax(1), 2.0).item() == pytest.approx(0.0, abs=1e-6)
    assert teachers_loss(logits, logits.flip(1).softmax(1), 2.0).item() > 0.01


def test_labels_and_teachers_are_weighed(tool_models):
    logits, labels = torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([1])
    soft = torch.tensor([[0.2, 0.7, 0.1]])
    hard = tool_loss(tool_models["bert"], outputs(logits), labels, None, PLAIN)
    both = tool_loss(tool_models["bert"], outputs(logits), labels, soft, PLAIN)
    assert both.item() == pytest.approx(0.3 * hard.item() + 0.7 * teachers_loss(logits, soft, 2.0).item())


def test_mixes_pull_towards_none_of_these(tool_models):
    model = tool_models["bert"]
    assert None in model.keys.tools
    embedding = torch.nn.functional.normalize(torch.randn(6, model.config.hidden_size), dim=-1)
    loss = outlier_loss(model, embedding, torch.tensor([0, 0, 0, 1, 1, 1]))
    (gradient,) = torch.autograd.grad(loss, model.tool_head.bias)
    assert loss.item() > 0 and gradient[model.keys.tools.index(None)] < 0
    assert outlier_loss(model, embedding, torch.zeros(6, dtype=torch.long)).item() == 0.0  # nothing to mix
    assert outlier_loss(model, embedding[:0], torch.zeros(0, dtype=torch.long)).item() == 0.0


@pytest.mark.parametrize(("outside", "expected"), [(0, 0), (1, 5), (5, 10), (20, 20)])
def test_out_of_scope_rows_are_repeated_up_to_a_tenth(outside, expected):
    examples = Examples([Example([1], 0)] * (100 - outside) + [Example([1], 2)] * outside)
    repeated = repeat_scarce(examples, KEYS, 5)
    assert sum(each.label == 2 for each in repeated.examples) == expected
    assert sum(each.label == 0 for each in repeated.examples) == 100 - outside


def test_outliers_are_made_up_only_where_real_ones_are_scarce():
    few = Examples([Example([1], 0)] * 95 + [Example([1], 2)] * 5)
    plenty = Examples([Example([1], 0)] * 90 + [Example([1], 2)] * 10)
    assert without_needless_outliers(TrainSettings(), few, KEYS).outlier_weight > 0
    assert without_needless_outliers(TrainSettings(), plenty, KEYS).outlier_weight == 0


# Words and choices

TIMER, LAMP = 1, 2  # rows of the tool head: play_music, set_timer, switch_lamp, none of these


@pytest.fixture
def labels_of(tiny):
    return LabelsOf(tiny.HEADS, tiny.tools)


def call(slots, choices=None):
    """Outputs with these slot logits, [batch, tokens, labels], and choice logits, [batch, choices]."""
    rows = len(slots)
    choices = torch.zeros(rows, 3) if choices is None else choices
    return GraphOutputs(torch.zeros(rows, 4), choices, slots, torch.zeros(0), torch.zeros(rows, 32))


def batch(labels, words, slots, choices=None, **soft):
    choices = [[UNLABELLED]] * len(labels) if choices is None else choices
    told = {"labels": labels, "words": words, "slots": slots, "choices": choices}
    return {name: torch.tensor(each) for name, each in told.items()} | soft


def random_slots(rows, tokens=5):
    return torch.randn(rows, tokens, 3, generator=torch.Generator().manual_seed(0))


def test_each_tool_has_its_own_labels(labels_of):
    assert labels_of.mask.tolist() == [
        [True, False, False],
        [True, True, True],
        [True, False, False],
        [True, False, False],
    ]
    restricted = labels_of.restrict(torch.zeros(2, 1, 3), torch.tensor([TIMER, LAMP]))
    assert restricted.softmax(-1)[0, 0].tolist() == pytest.approx([1 / 3] * 3)
    assert restricted.softmax(-1)[1, 0].tolist() == pytest.approx([1, 0, 0])


def test_a_sentence_costs_the_sum_over_its_words(labels_of):
    slots = random_slots(2)
    made = batch([TIMER, TIMER], [[1, 3, 4], [2, 0, 0]], [[0, 1, 2], [1, UNLABELLED, UNLABELLED]])
    log_p = slots.log_softmax(-1)
    expected = -(log_p[0, 1, 0] + log_p[0, 3, 1] + log_p[0, 4, 2] + log_p[1, 2, 1]) / 2
    assert slot_loss(call(slots), made, labels_of, PLAIN).item() == pytest.approx(expected.item(), rel=1e-5)


def test_words_of_a_tool_without_slots_cost_nothing(labels_of):
    """Outside is all they can be, whatever the scores: the softmax is that of the device."""
    made = batch([LAMP], [[1, 2]], [[0, 0]])
    assert slot_loss(call(random_slots(1)), made, labels_of, PLAIN).item() == pytest.approx(0, abs=1e-6)


def test_unlabelled_words_cost_nothing(labels_of):
    made = batch([3, TIMER], [[1, 2], [1, 2]], [[UNLABELLED] * 2] * 2)
    assert slot_loss(call(random_slots(2)), made, labels_of, PLAIN).item() == 0


def softly(slots, tools=None):
    soft = torch.full((len(slots), 4), 0.25) if tools is None else torch.tensor(tools)
    return {"soft": soft, "soft_slots": slots}


def test_agreeing_with_the_teachers_words_costs_the_labels_share_alone(labels_of):
    slots = random_slots(1)
    made = batch([TIMER], [[1, 2]], [[0, 1]])
    agreed = softly(slots[:, 1:3].softmax(-1))
    hard = slot_loss(call(slots), made, labels_of, PLAIN).item()
    both = slot_loss(call(slots), made | agreed, labels_of, PLAIN).item()
    assert both == pytest.approx(0.3 * hard, rel=1e-4)
    other = softly(slots[:, 1:3].flip(-1).softmax(-1))
    assert slot_loss(call(slots), made | other, labels_of, PLAIN).item() > both + 0.01


def test_words_that_nobody_labelled_are_learned_from_the_teachers_tool(labels_of):
    slots = random_slots(1)
    made = batch([UNLABELLED], [[1, 2]], [[UNLABELLED] * 2])
    flipped = slots[:, 1:3].flip(-1).softmax(-1)
    timer, lamp = ([[0.1, 0.8, 0.1, 0.0]], [[0.1, 0.1, 0.8, 0.0]])
    assert slot_loss(call(slots), made | softly(flipped, timer), labels_of, PLAIN).item() > 0.01
    assert slot_loss(call(slots), made | softly(flipped, lamp), labels_of, PLAIN).item() == pytest.approx(0, abs=1e-5)


def test_padding_teaches_nothing(labels_of):
    slots = random_slots(2)
    opinion = torch.zeros(2, 3, 3)
    opinion[0, :2] = opinion[1, :3] = 1 / 3
    made = batch([TIMER, TIMER], [[1, 2, 0], [1, 2, 3]], [[0, 1, UNLABELLED], [0, 0, 0]]) | softly(opinion)
    before = slot_loss(call(slots), made, labels_of, PLAIN).item()
    changed = slots.clone()
    changed[0, 0] += torch.tensor([5.0, -5.0, 1.0])  # token 0, which stands where there is no word
    assert slot_loss(call(changed), made, labels_of, PLAIN).item() == pytest.approx(before, rel=1e-6)


def test_a_choice_costs_what_its_row_lacks(labels_of):
    choices = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    labels = torch.tensor([[2], [0], [UNLABELLED]])
    log_p = choices.log_softmax(-1)
    expected = -(log_p[0, 2] + log_p[1, 0]) / 3
    assert choice_loss(call(random_slots(3), choices), labels, labels_of.groups).item() == pytest.approx(
        expected.item()
    )


def test_each_choice_is_a_softmax_of_its_own():
    heads = Heads(
        tools=("a", None),
        choices=(("b", "boolean", None), ("b", "boolean", "true"), ("c", "string", None), ("c", "string", "x")),
    )
    labels_of = LabelsOf(heads, {"a": Tool.select_only("a", "", {"properties": {}})})
    choices = torch.tensor([[0.0, 1.0, 50.0, 2.0]])
    out = call(torch.zeros(1, 1, 0), choices)
    alone = choice_loss(out, torch.tensor([[1, UNLABELLED]]), labels_of.groups).item()
    assert alone == pytest.approx(-torch.tensor([0.0, 1.0]).log_softmax(0)[1].item())
    both = choice_loss(out, torch.tensor([[1, 3]]), labels_of.groups).item()
    assert both == pytest.approx(alone + 48, rel=1e-5)


def test_a_call_costs_its_tool_its_words_and_its_choices(tool_models, labels_of):
    model, slots = tool_models["bert"], random_slots(2)
    choices = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    made = batch([TIMER, LAMP], [[1, 2], [1, 2]], [[0, 1], [0, 0]], [[UNLABELLED], [1]])
    out = call(slots, choices)
    parts = (
        tool_loss(model, out, made["labels"], None, PLAIN),
        slot_loss(out, made, labels_of, PLAIN),
        choice_loss(out, made["choices"], labels_of.groups),
    )
    settings = TrainSettings(outlier_weight=0.0, slot_weight=2.0)
    expected = parts[0] + 2 * parts[1] + parts[2]
    assert all(each > 0.1 for each in parts)
    assert call_loss(model, out, made, labels_of, settings).item() == pytest.approx(expected.item(), rel=1e-5)


def test_heads_without_slots_and_choices_cost_the_tool_alone(tool_models, labels_of):
    model = tool_models["bert"]
    made = batch([TIMER], [[]], [[]], [[]])
    out = call(torch.zeros(1, 4, 0), torch.zeros(1, 0))
    alone = tool_loss(model, out, made["labels"], None, PLAIN)
    assert call_loss(model, out, made, labels_of, PLAIN).item() == alone.item()
