"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .batches import UNLABELLED
from .model import GraphOutputs, ToolModel
from .settings import TrainSettings

_OUTLIERS = 32
"""Mixes a step, at most."""


def tool_loss(
    model: ToolModel, out: GraphOutputs, labels: Tensor, soft: Tensor | None, settings: TrainSettings
) -> Tensor:
    """Return the loss of a batch.

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
