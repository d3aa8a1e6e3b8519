"""Rows as token ids, in batches padded to their longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from edgefn.manifest import Heads
from edgefn.rows import Row

from .model import ToolModel

UNLABELLED = -100
"""The label that a loss passes over."""
_INFERENCE_BATCH = 128


@dataclass(frozen=True)
class Example:
    """One row, ready for the model."""

    input_ids: list[int]
    """Token ids with the special ones, not padded."""
    label: int
    """Index of its row in the tool head; UNLABELLED where nobody said."""
    soft: Tensor | None = None
    """What teachers think of it, probabilities [tools]; None where nobody was asked."""


class Examples(Dataset[dict[str, Any]]):
    """Rows as a dataset `transformers.Trainer` can draw from."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """Keep the examples."""
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        example = self.examples[index]
        return {"input_ids": example.input_ids, "label": example.label, "soft": example.soft}

    def labels(self) -> NDArray[np.intp]:
        """Return the label of every example, [rows]."""
        return np.array([each.label for each in self.examples], dtype=np.intp)


class Collator:
    """Pads a batch to its longest row."""

    def __init__(self, pad_id: int) -> None:
        """Keep the id that fills."""
        self.pad_id = pad_id

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return `input_ids`, `attention_mask` [batch, tokens], `labels` [batch], and `soft` [batch, tools] if any."""
        ids = [torch.tensor(each["input_ids"]) for each in batch]
        input_ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=self.pad_id)
        lengths = torch.tensor([len(each) for each in ids])
        mask = (torch.arange(input_ids.shape[1])[None] < lengths[:, None]).long()
        padded = {
            "input_ids": input_ids,
            "attention_mask": mask,
            "labels": torch.tensor([each["label"] for each in batch]),
        }
        soft = [each["soft"] for each in batch if each["soft"] is not None]
        return padded | {"soft": torch.stack(soft)} if len(soft) == len(batch) else padded


def tokenize(
    rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast, heads: Heads, max_tokens: int
) -> tuple[Examples, int]:
    """Return the rows as examples, and how many were left out because they have more than `max_tokens` tokens."""
    label = {name: index for index, name in enumerate(heads.tools)}
    encoded = tokenizer.backend_tokenizer.encode_batch([row.text for row in rows])
    examples = [
        Example(encoding.ids, label[row.tool])
        for row, encoding in zip(rows, encoded, strict=True)
        if len(encoding.ids) <= max_tokens
    ]
    return Examples(examples), len(rows) - len(examples)


def unlabelled(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, max_tokens: int) -> Examples:
    """Return texts that nobody labelled as examples, those of more than `max_tokens` tokens left out."""
    encoded = tokenizer.backend_tokenizer.encode_batch(list(texts))
    return Examples([Example(each.ids, UNLABELLED) for each in encoded if len(each.ids) <= max_tokens])


def softened(examples: Examples, soft: Tensor) -> Examples:
    """Return the examples with what teachers think of each, probabilities [rows, tools]."""
    return Examples([replace(each, soft=row) for each, row in zip(examples.examples, soft, strict=True)])


@torch.no_grad()
def infer(model: ToolModel, examples: Examples, collator: Collator) -> tuple[Tensor, Tensor]:
    """Return `tool_logits` [rows, tools] and `embedding` [rows, dim] of every example, in order."""
    training, device = model.training, model.tool_head.rows.device
    model.eval()
    # Rows of one length together: padding is most of the work otherwise.
    order = sorted(range(len(examples)), key=lambda index: len(examples.examples[index].input_ids))
    logits = torch.empty(len(examples), len(model.keys.tools))
    embeddings = torch.empty(len(examples), int(model.config.hidden_size))
    for start in range(0, len(order), _INFERENCE_BATCH):
        chosen = order[start : start + _INFERENCE_BATCH]
        batch = collator([examples[index] for index in chosen])
        out = model(batch["input_ids"].to(device), batch["attention_mask"].to(device))
        logits[chosen], embeddings[chosen] = out.tool_logits.cpu(), out.embedding.cpu()
    model.train(training)
    return logits, embeddings
