"""Rows as token ids, in batches padded to their longest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from edgefn.manifest import Heads
from edgefn.rows import Row

from .model import ToolModel

_INFERENCE_BATCH = 128


@dataclass(frozen=True)
class Example:
    """One row, ready for the model."""

    input_ids: list[int]
    """Token ids with the special ones, not padded."""
    label: int
    """Index of its row in the tool head."""


class Examples(Dataset[dict[str, object]]):
    """Rows as a dataset `transformers.Trainer` can draw from."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """Keep the examples."""
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, object]:
        example = self.examples[index]
        return {"input_ids": example.input_ids, "label": example.label}

    def labels(self) -> NDArray[np.intp]:
        """Return the label of every example, [rows]."""
        return np.array([each.label for each in self.examples], dtype=np.intp)


class Collator:
    """Pads a batch to its longest row."""

    def __init__(self, pad_id: int) -> None:
        """Keep the id that fills."""
        self.pad_id = pad_id

    def __call__(self, batch: Sequence[dict[str, object]]) -> dict[str, Tensor]:
        """Return `input_ids`, `attention_mask` [batch, tokens] and `labels` [batch]."""
        ids = [torch.tensor(each["input_ids"]) for each in batch]
        input_ids = torch.nn.utils.rnn.pad_sequence(ids, batch_first=True, padding_value=self.pad_id)
        lengths = torch.tensor([len(each) for each in ids])
        mask = (torch.arange(input_ids.shape[1])[None] < lengths[:, None]).long()
        return {
            "input_ids": input_ids,
            "attention_mask": mask,
            "labels": torch.tensor([each["label"] for each in batch]),
        }


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


@torch.no_grad()
def infer(model: ToolModel, examples: Examples, collator: Collator) -> tuple[Tensor, Tensor]:
    """Return `tool_logits` [rows, tools] and `embedding` [rows, dim] of every example, in order."""
    training = model.training
    model.eval()
    # Rows of one length together: padding is most of the work otherwise.
    order = sorted(range(len(examples)), key=lambda index: len(examples.examples[index].input_ids))
    logits = torch.empty(len(examples), len(model.keys.tools))
    embeddings = torch.empty(len(examples), int(model.config.hidden_size))
    for start in range(0, len(order), _INFERENCE_BATCH):
        chosen = order[start : start + _INFERENCE_BATCH]
        batch = collator([examples[index] for index in chosen])
        out = model(batch["input_ids"], batch["attention_mask"])
        logits[chosen], embeddings[chosen] = out.tool_logits, out.embedding
    model.train(training)
    return logits, embeddings
