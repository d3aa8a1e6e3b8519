"""Rows as token ids with a label for every head, in batches padded to their longest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast

from edgefn.manifest import Heads
from edgefn.rows import Row
from edgefn.tool import Tool
from edgefn.words import words_of

from .keys import UNLABELLED, choice_targets, slot_labels
from .model import ToolModel

_INFERENCE_BATCH = 128


@dataclass(frozen=True)
class Opinion:
    """What teachers think of one text."""

    tools: Tensor
    """Probabilities, [tools]."""
    slots: Tensor
    """Probabilities of every word's labels, [words, slot labels]; those of other tools are zero."""


@dataclass(frozen=True)
class Example:
    """One row, ready for the model."""

    input_ids: list[int]
    """Token ids with the special ones, not padded."""
    label: int
    """Index of its row in the tool head; UNLABELLED where nobody said."""
    words: tuple[int, ...] = ()
    """Index of the first token of each word; none where there are no slots to learn."""
    slots: tuple[int, ...] = ()
    """Label of each word; UNLABELLED where nobody said."""
    choices: tuple[int, ...] = ()
    """Row that is right in each softmax of the choice head; UNLABELLED where the tool has no such parameter."""
    soft: Opinion | None = None
    """What teachers think of it; None where nobody was asked."""


class Examples(Dataset[dict[str, Any]]):
    """Rows as a dataset `transformers.Trainer` can draw from."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """Keep the examples."""
        self.examples = list(examples)

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> dict[str, Any]:
        example = self.examples[index]
        return {"input_ids": example.input_ids, "example": example}

    def labels(self) -> NDArray[np.intp]:
        """Return the label of every example, [rows]."""
        return np.array([each.label for each in self.examples], dtype=np.intp)


class Collator:
    """Pads a batch to its longest row."""

    def __init__(self, pad_id: int) -> None:
        """Keep the id that fills."""
        self.pad_id = pad_id

    def __call__(self, batch: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return the batch as tensors.

        `input_ids`, `attention_mask` [batch, tokens]; `labels` [batch]; `words`, `slots` [batch, words], words filled
        up with token 0 and slots with UNLABELLED; `choices` [batch, softmaxes]; and where teachers were asked `soft`
        [batch, tools] and `soft_slots` [batch, words, slot labels], zero where a word is none.
        """
        examples: list[Example] = [each["example"] for each in batch]
        input_ids = _padded([each.input_ids for each in examples], self.pad_id)
        lengths = torch.tensor([len(each.input_ids) for each in examples])
        padded = {
            "input_ids": input_ids,
            "attention_mask": (torch.arange(input_ids.shape[1])[None] < lengths[:, None]).long(),
            "labels": torch.tensor([each.label for each in examples]),
            "words": _padded([each.words for each in examples], 0),
            "slots": _padded([each.slots for each in examples], UNLABELLED),
            "choices": torch.tensor([each.choices for each in examples], dtype=torch.long),
        }
        soft = [each.soft for each in examples if each.soft is not None]
        if len(soft) < len(examples):
            return padded
        return padded | {
            "soft": torch.stack([each.tools for each in soft]),
            "soft_slots": pad_sequence([each.slots for each in soft], batch_first=True),
        }


def _padded(rows: Sequence[Sequence[int]], fill: int) -> Tensor:
    return pad_sequence([torch.tensor(row, dtype=torch.long) for row in rows], batch_first=True, padding_value=fill)


def tokenize(
    rows: Sequence[Row], tokenizer: PreTrainedTokenizerFast, heads: Heads, tools: Mapping[str, Tool], max_tokens: int
) -> tuple[Examples, int]:
    """Return the rows as examples, and how many were left out because they have more than `max_tokens` tokens."""
    label = {name: index for index, name in enumerate(heads.tools)}
    encoded = tokenizer.backend_tokenizer.encode_batch([row.text for row in rows])
    examples = []
    for row, encoding in zip(rows, encoded, strict=True):
        if len(encoding.ids) > max_tokens:
            continue
        tool = tools.get(row.tool or "")
        words = words_of(row.text, encoding.offsets) if heads.slots else []
        examples.append(
            Example(
                encoding.ids,
                label[row.tool],
                tuple(word.token for word in words),
                tuple(slot_labels(row, tool, words, heads)) if tool is not None else (UNLABELLED,) * len(words),
                tuple(choice_targets(row, tool, heads)),
            )
        )
    return Examples(examples), len(rows) - len(examples)


def unlabelled(texts: Sequence[str], tokenizer: PreTrainedTokenizerFast, heads: Heads, max_tokens: int) -> Examples:
    """Return texts that nobody labelled as examples, those of more than `max_tokens` tokens left out."""
    nothing = tuple(choice_targets(Row("", None), None, heads))
    examples = []
    for text, encoding in zip(texts, tokenizer.backend_tokenizer.encode_batch(list(texts)), strict=True):
        words = tuple(word.token for word in words_of(text, encoding.offsets)) if heads.slots else ()
        if len(encoding.ids) <= max_tokens:
            examples.append(Example(encoding.ids, UNLABELLED, words, (UNLABELLED,) * len(words), nothing))
    return Examples(examples)


def softened(examples: Examples, opinions: Sequence[Opinion]) -> Examples:
    """Return the examples with what teachers think of each."""
    return Examples([replace(each, soft=soft) for each, soft in zip(examples.examples, opinions, strict=True)])


@dataclass(frozen=True)
class Inferred:
    """What a model answers to examples, in their order."""

    tools: Tensor
    """`tool_logits`, [rows, tools]"""
    choices: Tensor
    """`choice_logits`, [rows, choices]"""
    slots: tuple[Tensor, ...]
    """`slot_logits` of every row's words, [words, slot labels]"""
    embedding: Tensor
    """[rows, dim]"""


@torch.no_grad()
def infer(model: ToolModel, examples: Examples, collator: Collator) -> Inferred:
    """Run every example, and return what the model answers."""
    training, device = model.training, model.tool_head.rows.device
    model.eval()
    # Rows of one length together: padding is most of the work otherwise.
    order = sorted(range(len(examples)), key=lambda index: len(examples.examples[index].input_ids))
    tools = torch.empty(len(examples), len(model.keys.tools))
    choices = torch.empty(len(examples), len(model.keys.choices))
    slots = [torch.empty(0)] * len(examples)
    embeddings = torch.empty(len(examples), int(model.config.hidden_size))
    for start in range(0, len(order), _INFERENCE_BATCH):
        chosen = order[start : start + _INFERENCE_BATCH]
        batch = collator([examples[index] for index in chosen])
        out = model(batch["input_ids"].to(device), batch["attention_mask"].to(device))
        tools[chosen], embeddings[chosen] = out.tool_logits.cpu(), out.embedding.cpu()
        choices[chosen] = out.choice_logits.cpu()
        for row, index in enumerate(chosen):
            slots[index] = out.slot_logits[row, list(examples.examples[index].words)].cpu()
    model.train(training)
    return Inferred(tools, choices, tuple(slots), embeddings)
