"""What training minimises."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from .batches import UNLABELLED
from .model import GraphOutputs
from .settings import TrainSettings


def tool_loss(out: GraphOutputs, labels: Tensor, soft: Tensor | None, settings: TrainSettings) -> Tensor:
    """Return the loss of a batch.

    Cross-entropy on the labels (`labels` [batch], those unlabelled passed over), and the teachers' opinion where there
    is one (`soft` [batch, tools], probabilities).
    """
    summed = F.cross_entropy(
        out.tool_logits,
        labels,
        ignore_index=UNLABELLED,
        label_smoothing=settings.label_smoothing,
        reduction="sum",
    )
    loss = summed / len(labels)
    if soft is not None:
        share = settings.teachers_weight
        loss = (1 - share) * loss + share * teachers_loss(out.tool_logits, soft, settings.teachers_temperature)
    return loss


def teachers_loss(logits: Tensor, soft: Tensor, temperature: float) -> Tensor:
    """Return the divergence from the teachers' probabilities, both sides softened (Hinton et al. 2015)."""
    target = (soft.clamp_min(1e-8).log() / temperature).softmax(1)
    divergence = F.kl_div((logits / temperature).log_softmax(1), target, reduction="batchmean")
    return temperature**2 * divergence
