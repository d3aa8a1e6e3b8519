"""Ordinary training beside made rows: a tool added later must fit beside those that were trained.

In every step the trained rows of a few tools are put aside, and rows made from their descriptions, with other
utterances of the batch as examples in half of the steps, must win in their place: what a device does with an added
tool.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from edgefn.arguments.keys import type_of
from edgefn.tool import Tool

from .keys import UNLABELLED
from .losses import LabelsOf
from .makers import Made, ToolTokens, make
from .model import GraphOutputs, ToolModel

_EXAMPLES = 0.5
"""Share of the steps in which made rows have examples."""


@dataclass
class MadeRows:
    """Draws the tools of each step and judges their made rows."""

    tokens: Mapping[int, ToolTokens]
    """The texts of each tool, by its row in the tool head."""
    slots: Mapping[int, Mapping[str, tuple[int, int]]]
    """For each tool, the B and I columns of each of its parameters."""
    pad_id: int
    """Fills batches."""
    tools: int
    """Tools a step."""
    draw: random.Random = field(default_factory=random.Random)
    """Draws them; every step seeds it anew."""

    @classmethod
    def of(
        cls, model_tools: Sequence[str | None], slot_keys: Sequence[tuple[str, str, str]], tools: Mapping[str, Tool],
        tokens: Mapping[str, ToolTokens], pad_id: int, count: int,
    ) -> MadeRows:  # fmt: skip
        """Look up every tool's columns."""
        column = {key: at for at, key in enumerate(slot_keys)}
        slots: dict[int, dict[str, tuple[int, int]]] = {}
        row_of = {name: row for row, name in enumerate(model_tools) if name is not None}
        for name, row in row_of.items():
            keys = {each.name: (each.name, type_of(each.schema)) for each in tools[name].parameters}
            slots[row] = {
                parameter: (column["B", *key], column["I", *key])
                for parameter, key in keys.items()
                if ("B", *key) in column
            }
        by_row = {row: tokens[name] for name, row in row_of.items()}
        return cls(by_row, slots, pad_id, count)

    def loss(self, model: ToolModel, out: GraphOutputs, batch: Mapping[str, Tensor], labels_of: LabelsOf) -> Tensor:
        """Return the loss of a batch whose tools' rows are in part made ones."""
        labels = batch["labels"]
        present = sorted({row for row in labels.tolist() if row in self.tokens})
        if not present:
            return out.embedding.sum() * 0
        self.draw.seed(int(torch.randint(2**31, ())))  # whose state a resumed training has again
        chosen = self.draw.sample(present, min(self.tools, len(present)))
        made = make(model, [self.tokens[row] for row in chosen], self.pad_id)
        logits = self._tool_logits(model, out, labels, chosen, made)
        loss = F.cross_entropy(logits, labels, ignore_index=UNLABELLED, reduction="sum") / len(labels)
        if batch["words"].shape[1]:
            loss = loss + self._slot_loss(model, out, batch, labels_of, chosen, made)
        return loss

    def _tool_logits(
        self, model: ToolModel, out: GraphOutputs, labels: Tensor, chosen: Sequence[int], made: Made
    ) -> Tensor:
        """Return [batch, tools] with the columns of the chosen tools as made rows score."""
        scale, bias = model.tool_head.scale, model.makers.bias[0]
        own = (labels[:, None] == torch.tensor(chosen, device=labels.device)).float()
        if self.draw.random() >= _EXAMPLES:
            own = own * 0
        # No utterance is an example for itself.
        together = F.normalize(made.tools + own.T @ out.embedding, dim=-1)
        without = F.normalize(own @ made.tools + own @ (own.T @ out.embedding) - out.embedding, dim=-1)
        columns = scale * F.linear(out.embedding, together) + bias
        itself = scale * (out.embedding * without).sum(-1, keepdim=True) + bias
        columns = torch.where(own.bool(), itself, columns)
        return out.tool_logits.index_copy(1, torch.tensor(chosen, device=labels.device), columns)

    def _slot_loss(
        self,
        model: ToolModel,
        out: GraphOutputs,
        batch: Mapping[str, Tensor],
        labels_of: LabelsOf,
        chosen: Sequence[int],
        made: Made,
    ) -> Tensor:
        """Return the loss of the words of the chosen tools' utterances, their slot columns as made rows score."""
        labels, losses = batch["labels"], []
        for at, tool in enumerate(chosen):
            rows = (labels == tool).nonzero()[:, 0]
            names = [name for name in made.parameter_of[at] if name in self.slots[tool]]
            if not names:
                continue
            begin, inside = model.makers.slots(made.parameters[[made.parameter_of[at][name] for name in names]])
            columns = [column for name in names for column in self.slots[tool][name]]
            both = torch.stack([begin, inside], 1).flatten(0, 1)
            biases = model.makers.bias[1:3].repeat(len(names))
            index = batch["words"][rows][..., None]
            tokens = out.token_embedding[rows].gather(1, index.expand(-1, -1, out.token_embedding.shape[-1]))
            given = out.slot_logits[rows].gather(1, index.expand(-1, -1, out.slot_logits.shape[-1]))
            scores = model.slot_head.scale * F.linear(F.normalize(tokens, dim=-1), both) + biases
            place = torch.tensor(columns, device=labels.device)
            logits = labels_of.restrict(given.index_copy(2, place, scores), labels[rows])
            losses.append(
                F.cross_entropy(
                    logits.flatten(0, 1), batch["slots"][rows].flatten(), ignore_index=UNLABELLED, reduction="sum"
                )
            )
        return torch.stack(losses).sum() / len(labels) if losses else out.embedding.sum() * 0
