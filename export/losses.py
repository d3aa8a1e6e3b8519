"""What training minimises."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .model import GraphOutputs, ToolModel
from .settings import TrainSettings


def tool_loss(model: ToolModel, out: GraphOutputs, labels: Tensor, settings: TrainSettings) -> Tensor:
    """Return the loss of a batch: cross-entropy over tools, and over made-up outliers for "none of these"."""
    loss = F.cross_entropy(out.tool_logits, labels, label_smoothing=settings.label_smoothing)
    if settings.outlier_weight and None in model.keys.tools:
        loss = loss + settings.outlier_weight * outlier_loss(model, out.embedding, labels, settings.outliers)
    return loss


def outlier_loss(model: ToolModel, embedding: Tensor, labels: Tensor, most: int) -> Tensor:
    """Return the loss of calling up to `most` mixes of two tools' embeddings "none of these".

    A point between two tools' utterances belongs to neither: convex mixes as outliers, Zhan et al. 2021
    (arXiv:2106.08616).
    """
    none = model.keys.tools.index(None)
    first, second = torch.randint(len(labels), (2, 2 * most))
    apart = (labels[first] != labels[second]).nonzero()[:most, 0]
    if not len(apart):
        return embedding.new_zeros(())
    share = 0.3 + 0.4 * torch.rand(len(apart), 1, device=embedding.device)
    mixed = F.normalize(share * embedding[first[apart]] + (1 - share) * embedding[second[apart]], dim=-1)
    return F.cross_entropy(model.tool_head(mixed), torch.full((len(apart),), none, device=embedding.device))
