"""What training minimises, worked out by hand."""

import pytest
import torch
from edgefn.export.batches import UNLABELLED, Example, Examples
from edgefn.export.fit import repeat_scarce, without_needless_outliers
from edgefn.export.losses import outlier_loss, teachers_loss, tool_loss
from edgefn.export.model import GraphOutputs
from edgefn.export.settings import TrainSettings

from edgefn.manifest import Heads

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
