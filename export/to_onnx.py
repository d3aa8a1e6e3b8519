"""From PyTorch to a fused float ONNX graph, checked against PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import ModelProto
from onnxruntime.transformers.optimizer import optimize_model
from optimum.exporters.onnx import export
from optimum.exporters.onnx.config import TextEncoderOnnxConfig
from optimum.utils import NormalizedTextConfig

from edgefn.errors import ExportError, ParityError
from edgefn.session import Session

from .model import OUTPUT_AXES, ExportableModel
from .quiet import quiet

OPSET = 17
"""Old enough for the onnxruntime of a device's distribution (1.14 and later read it)."""
MINIMUM_ONNXRUNTIME = "1.17.0"
PARITY_TOLERANCE = 1e-4
PARITY_TOKENS = (1, 7, 64, 512)
"""Lengths, in tokens, at which the graph is compared with PyTorch; those over the model's own limit are left out."""

_FUSABLE = {"bert", "distilbert", "roberta", "xlm-roberta", "electra", "camembert", "mpnet"}
"""Model types whose attention the optimiser of ONNX Runtime knows as `bert`."""


class _GraphConfig(TextEncoderOnnxConfig):
    """Inputs and outputs of our graph, in the form optimum's exporter asks for."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig
    DEFAULT_ONNX_OPSET = OPSET

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        axes = {0: "batch", 1: "tokens"}
        return {"input_ids": axes, "attention_mask": axes}

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        return OUTPUT_AXES


def to_onnx(model: ExportableModel, folder: Path) -> ModelProto:
    """Export `model` and fuse its graph; files are written to `folder`. Raises ExportError."""
    path = folder / "exported.onnx"
    with quiet():
        try:
            export(model, _GraphConfig(model.config, task="feature-extraction"), path, opset=OPSET)
        except (RuntimeError, ValueError, TypeError, NotImplementedError) as exc:
            raise ExportError(
                f"PyTorch could not export the graph: {exc}",
                hint="encoders of the BERT, DistilBERT, RoBERTa and XLM-R class are supported",
            ) from exc
        return fuse(path, model.config)


def fuse(path: Path, config: Any) -> ModelProto:
    """Return the graph at `path` with attention, layer norm and GELU fused where the architecture is known."""
    if config.model_type not in _FUSABLE:
        return onnx.load(path)
    heads = getattr(config, "num_attention_heads", None) or config.n_heads
    optimizer = optimize_model(str(path), "bert", num_heads=heads, hidden_size=config.hidden_size, opt_level=1)
    fused: ModelProto = optimizer.model
    return fused


def check_parity(model: ExportableModel, graph: bytes, max_positions: int) -> float:
    """Compare `graph` with PyTorch on random tokens, alone and in a padded batch of three.

    Returns the largest logit difference; raises ParityError above 1e-4.
    """
    session = Session(graph)
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for tokens in (each for each in PARITY_TOKENS if each <= max_positions):
        for batch in (1, 3):
            ids, mask = _random_batch(model, batch, tokens, generator)
            worst = max(worst, _largest_difference(model, session, ids, mask))
    if not worst <= PARITY_TOLERANCE:
        raise ParityError(
            f"the ONNX graph differs from PyTorch by {worst:.2e} in a logit",
            hint="this architecture is not exported faithfully; please report it with the model's config.json",
        )
    return worst


def max_positions(config: Any) -> int:
    """Return how many tokens the encoder can take, its own offset (RoBERTa counts from 2) taken off."""
    limit = int(getattr(config, "max_position_embeddings", 512))
    counts_from_padding = config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet")
    return limit - int(config.pad_token_id or 0) - 1 if counts_from_padding else limit


def _random_batch(
    model: ExportableModel, batch: int, tokens: int, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask; in a batch of three the second and third rows are padded on the right."""
    pad = int(model.config.pad_token_id or 0)
    low = min(pad + 5, model.config.vocab_size - 1)  # clear of the padding id, which RoBERTa gives no position
    ids = torch.randint(low, model.config.vocab_size, (batch, tokens), generator=generator)
    mask = torch.ones_like(ids)
    for row in range(1, batch):
        kept = max(1, tokens // (row + 1))
        mask[row, kept:] = 0
        ids[row, kept:] = pad
    return ids, mask


def _largest_difference(model: ExportableModel, session: Session, ids: torch.Tensor, mask: torch.Tensor) -> float:
    """Return the largest difference in any logit, and in the embedding, over tokens that are not padding."""
    with torch.no_grad():
        expected = model(ids, mask)._asdict()
    names = ("tool_logits", "choice_logits", "slot_logits", "embedding")
    got = session.run(names, {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})
    worst = 0.0
    for name, array in zip(names, got, strict=True):
        difference = np.abs(expected[name].numpy() - array)
        if name == "slot_logits":
            difference = difference[mask.numpy().astype(bool)]
        if difference.size:
            worst = max(worst, float(difference.max()) if np.isfinite(difference).all() else float("inf"))
    return worst
