"""What training minimises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from edgefn.arguments.keys import ChoiceGroup, choice_groups, type_of
from edgefn.manifest import Heads
from edgefn.tool import Tool

from .keys import UNLABELLED
from .model import GraphOutputs, ToolModel
from .settings import TrainSettings

_OUTLIERS = 32
"""Mixes a step, at most."""


def call_loss(
    model: ToolModel, out: GraphOutputs, batch: Mapping[str, Tensor], labels_of: LabelsOf, settings: TrainSettings
) -> Tensor:
    """Return the loss of a batch as `Collator` makes it: of the tool, of every word's slot, of every choice."""
    loss = tool_loss(model, out, batch["labels"], batch.get("soft"), settings)
    if batch["words"].shape[1]:
        loss = loss + settings.slot_weight * slot_loss(out, batch, labels_of, settings)
    if batch["choices"].shape[1]:
        loss = loss + choice_loss(out, batch["choices"], labels_of.groups)
    return loss


def tool_loss(
    model: ToolModel, out: GraphOutputs, labels: Tensor, soft: Tensor | None, settings: TrainSettings
) -> Tensor:
    """Return the loss of the tool head.

    Cross-entropy on the labels (`labels` [batch], those unlabelled passed over), the teachers' opinion where there
    is one (`soft` [batch, tools], probabilities), and made-up outliers for "none of these".
    """
    # Over all rows, labelled or not, so that a label weighs the same whatever shares its batch.
    loss = F.cross_entropy(out.tool_logits, labels, ignore_index=UNLABELLED, reduction="sum") / len(labels)
    if soft is not None:
        share = settings.teachers_weight
        loss = (1 - share) * loss + share * teachers_loss(out.tool_logits, soft, settings.teachers_temperature)
    if settings.outlier_weight and None in model.keys.tools:
        labelled = labels != UNLABELLED
        loss = loss + settings.outlier_weight * outlier_loss(model, out.embedding[labelled], labels[labelled])
    return loss


class LabelsOf:
    """Which columns of the slot head belong to each tool: a word is labelled among those alone, as on the device."""

    def __init__(self, heads: Heads, tools: Mapping[str, Tool]) -> None:
        """Look up every tool's parameters."""
        mask = torch.zeros(len(heads.tools), len(heads.slots), dtype=torch.bool)
        for row, name in enumerate(heads.tools):
            own = {(each.name, type_of(each.schema)) for each in tools[name].parameters} if name else set()
            for column, (tag, *slot) in enumerate(heads.slots):
                mask[row, column] = tag == "O" or tuple(slot) in own
        self.mask = mask
        """[tools, slot labels]"""
        self.groups = choice_groups(heads)
        """The softmaxes of the choice head."""

    def restrict(self, slot_logits: Tensor, tools: Tensor) -> Tensor:
        """Return `slot_logits` [batch, words, labels] with those of other tools than `tools` [batch] at -inf."""
        # Not -inf itself: a probability of zero times its logarithm would not be a number.
        return slot_logits.masked_fill(~self.mask.to(slot_logits.device)[tools][:, None], -1e4)


def slot_loss(out: GraphOutputs, batch: Mapping[str, Tensor], labels_of: LabelsOf, settings: TrainSettings) -> Tensor:
    """Return the loss of the slot head: the mean over sentences of the sum over their words.

    A word's softmax runs over the labels of its row's tool, as the device decodes it; where nobody labelled the text,
    of the tool that the teachers think best.
    """
    index = batch["words"][..., None].expand(-1, -1, out.slot_logits.shape[-1])
    logits, labels = out.slot_logits.gather(1, index), batch["labels"]
    soft = batch.get("soft")
    tools = labels if soft is None else torch.where(labels == UNLABELLED, soft.argmax(1), labels)
    logits = labels_of.restrict(logits, tools)
    rows = len(labels)
    loss = (
        F.cross_entropy(logits.flatten(0, 1), batch["slots"].flatten(), ignore_index=UNLABELLED, reduction="sum") / rows
    )
    if soft is None:
        return loss
    share, temperature = settings.teachers_weight, settings.teachers_temperature
    target = labels_of.restrict((batch["soft_slots"].clamp_min(1e-8)).log() / temperature, tools).softmax(-1)
    divergence = F.kl_div((logits / temperature).log_softmax(-1), target, reduction="none").sum(-1)
    real = batch["soft_slots"].sum(-1) > 0
    return (1 - share) * loss + share * temperature**2 * (divergence * real).sum() / rows


def choice_loss(out: GraphOutputs, choices: Tensor, groups: Sequence[ChoiceGroup]) -> Tensor:
    """Return the loss of the choice head: the mean over sentences of the sum over their parameters.

    `choices` [batch, softmaxes] are rows of the head, UNLABELLED passed over.
    """
    total = out.choice_logits.new_zeros(())
    for at, group in enumerate(groups):
        first, rows = group.rows[0], len(group.rows)
        labels = torch.where(choices[:, at] == UNLABELLED, UNLABELLED, choices[:, at] - first)
        logits = out.choice_logits[:, first : first + rows]
        total = total + F.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum")
    return total / len(choices)


def teachers_loss(logits: Tensor, soft: Tensor, temperature: float) -> Tensor:
    """Return the divergence from the teachers' probabilities, both sides softened (Hinton et al. 2015)."""
    target = (soft.clamp_min(1e-8).log() / temperature).softmax(1)
    divergence = F.kl_div((logits / temperature).log_softmax(1), target, reduction="batchmean")
    return temperature**2 * divergence


def outlier_loss(model: ToolModel, embedding: Tensor, labels: Tensor) -> Tensor:
    """Return the loss of calling mixes of two tools' embeddings "none of these".

    A point between two tools' utterances belongs to neither: convex mixes as outliers, Zhan et al. 2021
    (arXiv:2106.08616).
    """
    if not len(labels):
        return embedding.new_zeros(())
    none = model.keys.tools.index(None)
    first, second = torch.randint(len(labels), (2, 2 * _OUTLIERS))
    apart = (labels[first] != labels[second]).nonzero()[:_OUTLIERS, 0]
    if not len(apart):
        return embedding.new_zeros(())
    share = 0.3 + 0.4 * torch.rand(len(apart), 1, device=embedding.device)
    mixed = F.normalize(share * embedding[first[apart]] + (1 - share) * embedding[second[apart]], dim=-1)
    return F.cross_entropy(model.tool_head(mixed), torch.full((len(apart),), none, device=embedding.device))
