"""How much of the encoder is tuned: all of it, the biases, low-rank additions, or nothing but the heads."""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from peft import LoraConfig, PeftModel, get_peft_model
from torch import nn

from .model import ToolModel

Tune: TypeAlias = Literal["full", "heads", "bitfit", "lora"]

_LORA_RANK = 16
_LAYER = re.compile(r"\.layer\.(\d+)\.")


def prepare(model: ToolModel, how: Tune) -> None:
    """Choose which parameters of `model` learn; the heads always do.

    `bitfit` trains the encoder's biases (Ben Zaken et al. 2022, arXiv:2106.10199), `lora` low-rank additions to
    all its linear layers (Hu et al. 2021, arXiv:2106.09685).
    """
    for name, parameter in model.encoder.named_parameters():
        parameter.requires_grad_("pooler" not in name)  # kept for who loads the checkpoint; no head reads it
    match how:
        case "heads":
            model.encoder.requires_grad_(False)
        case "bitfit":
            for name, parameter in model.encoder.named_parameters():
                parameter.requires_grad_(name.endswith("bias") and "pooler" not in name)
        case "lora":
            config = LoraConfig(
                r=_LORA_RANK,
                lora_alpha=2 * _LORA_RANK,
                lora_dropout=0.05,
                target_modules="all-linear",
                exclude_modules=["pooler.dense"] if hasattr(model.encoder, "pooler") else None,
            )
            model.encoder = get_peft_model(model.encoder, config)  # type: ignore[assignment]
        case "full":
            pass


def merge(model: ToolModel) -> None:
    """Fold low-rank additions into the weights, so that a plain encoder is left."""
    if isinstance(model.encoder, PeftModel):
        model.encoder = model.encoder.merge_and_unload()  # type: ignore[operator]


def trained_parameters(model: nn.Module) -> int:
    """Return how many numbers learn."""
    return sum(each.numel() for each in model.parameters() if each.requires_grad)


def parameter_groups(
    model: ToolModel, rate: float, head_rate: float, decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Return optimizer groups whose rate falls by `decay` with every layer away from the heads.

    Layer-wise rates (Howard and Ruder 2018, arXiv:1801.06146). Vectors and embeddings are not decayed.
    """
    layers = 1 + max((_layer(name) for name, _ in model.named_parameters()), default=0)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        in_encoder = name.startswith("encoder.")
        own_rate = rate * decay ** (layers - 1 - _layer(name)) if in_encoder else head_rate
        plain = parameter.ndim < 2 or "embeddings" in name or not in_encoder
        groups.setdefault((own_rate, 0.0 if plain else weight_decay), []).append(parameter)
    return [{"params": each, "lr": own, "weight_decay": wd} for (own, wd), each in groups.items()]


def _layer(name: str) -> int:
    """Return the index of a parameter's layer; -1 for the embeddings below the first."""
    found = _LAYER.search(name)
    return int(found.group(1)) if found else -1
