"""The model edgefn trains and exports: one encoder under three heads of one form.

Every head is `scale · unit(x) · rowsᵀ + bias` (design: the graph), on the sentence embedding for tools and
choices, on the token embeddings for slots. A row is keyed by the name of what it stands for, so that a row
added on the device is the same arithmetic outside the graph.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from edgefn.manifest import Heads

HEADS_FILE = "edgefn_heads.safetensors"
"""File of a checkpoint that holds everything but the encoder."""


class GraphOutputs(NamedTuple):
    """What one pass returns, in the order of the graph's outputs."""

    tool_logits: Tensor
    """[batch, tools]"""
    choice_logits: Tensor
    """[batch, choices]"""
    slot_logits: Tensor
    """[batch, tokens, slot labels]"""
    token_embedding: Tensor
    """[batch, tokens, dim]"""
    embedding: Tensor
    """[batch, dim], unit length"""


OUTPUT_AXES: dict[str, dict[int, str]] = {
    "tool_logits": {0: "batch"},
    "choice_logits": {0: "batch"},
    "slot_logits": {0: "batch", 1: "tokens"},
    "token_embedding": {0: "batch", 1: "tokens"},
    "embedding": {0: "batch"},
}
"""Name and dynamic axes of every output of the graph, in order."""


class Head(nn.Module):
    """`scale · unit(x) · rowsᵀ + bias`: a scaled cosine to one row per key; training keeps rows at unit length.

    Rows: [keys, dim]. Scale is one number for the whole head, so that a row added later competes on equal terms;
    it is learned as its logarithm, which keeps it positive.
    """

    def __init__(self, rows: Tensor, scale: float) -> None:
        """Start from `rows` [keys, dim] with zero bias."""
        super().__init__()
        self.rows = nn.Parameter(rows.clone())
        self.bias = nn.Parameter(torch.zeros(rows.shape[0]))
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    @property
    def scale(self) -> Tensor:
        """The scale, a scalar."""
        return self.log_scale.exp()

    def forward(self, unit: Tensor) -> Tensor:
        """Return logits [..., keys] for `unit` [..., dim], whose last axis has length one."""
        return self.scale * F.linear(unit, self.rows) + self.bias

    def to_unit_rows(self) -> None:
        """Bring every row back to unit length, so that a logit stays a scaled cosine."""
        with torch.no_grad():
            self.rows.copy_(F.normalize(self.rows, dim=-1))


class Makers(nn.Module):
    """From the embeddings of a tool's texts to rows of the three heads; what is learned is shared by all tools."""

    def __init__(self, dim: int) -> None:
        """Start as the identity: a row is the text's own embedding."""
        super().__init__()
        self.begin = nn.Parameter(torch.eye(dim))
        self.inside = nn.Parameter(torch.eye(dim))
        self.value = nn.Parameter(torch.eye(dim))
        self.unsaid = nn.Parameter(F.normalize(torch.randn(dim), dim=0))
        self.bias = nn.Parameter(torch.zeros(6))
        """Of tool, begin, inside, value and *not said*; the last is the bonus of a value that is named."""

    def slots(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """Return B and I rows [parameters, dim] for the embeddings of parameters [parameters, dim]."""
        return (
            F.normalize(F.linear(parameters, self.begin), dim=-1),
            F.normalize(F.linear(parameters, self.inside), dim=-1),
        )

    def values(self, values: Tensor) -> Tensor:
        """Return choice rows [values, dim] for the embeddings of values [values, dim]."""
        return F.normalize(F.linear(values, self.value), dim=-1)


class ToolModel(nn.Module):
    """A Hugging Face encoder under the tool, choice and slot heads."""

    def __init__(self, encoder: PreTrainedModel, keys: Heads, scale: float = 20.0) -> None:
        """Put fresh heads over `encoder`; `keys` names their rows."""
        super().__init__()
        dim = int(encoder.config.hidden_size)
        self.encoder = encoder
        self.keys = keys
        self.half_precision = False
        self.tool_head = Head(_random_rows(len(keys.tools), dim), scale)
        self.choice_head = Head(_random_rows(len(keys.choices), dim), scale)
        self.slot_head = Head(_random_rows(len(keys.slots), dim), scale)
        self.makers = Makers(dim)

    def to_unit_rows(self) -> None:
        """Bring the rows of every head back to unit length."""
        for head in (self.tool_head, self.choice_head, self.slot_head):
            head.to_unit_rows()

    @property
    def config(self) -> Any:
        """The encoder's Hugging Face config."""
        return self.encoder.config

    def tokens(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Return the token embeddings [batch, tokens, dim] of `input_ids` and `attention_mask`, both int64.

        With `half_precision` the encoder computes in bfloat16; the heads never do, cosines near one need the digits.
        """
        with torch.autocast(input_ids.device.type, torch.bfloat16, enabled=self.half_precision):
            tokens: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return tokens.float()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> GraphOutputs:
        """Run `input_ids` and `attention_mask`, both int64 [batch, tokens]."""
        tokens = self.tokens(input_ids, attention_mask)
        embedding = masked_mean(tokens, attention_mask)
        return GraphOutputs(
            self.tool_head(embedding),
            self.choice_head(embedding),
            self.slot_head(F.normalize(tokens, dim=-1)),
            tokens,
            embedding,
        )


class ForeignClassifier(nn.Module):
    """A Hugging Face sequence classifier, its own head kept, under the same outputs."""

    def __init__(self, classifier: PreTrainedModel, keys: Heads) -> None:
        """Wrap `classifier`; `keys.tools` are its labels in the order of their ids."""
        super().__init__()
        self.classifier = classifier
        self.keys = keys

    @property
    def config(self) -> Any:
        """The classifier's Hugging Face config."""
        return self.classifier.config

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> GraphOutputs:
        """Run `input_ids` and `attention_mask`, both int64 [batch, tokens]."""
        out = self.classifier(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True)
        tokens = cast(Tensor, out.hidden_states[-1])
        no_rows = tokens.new_zeros((0, tokens.shape[-1]))
        embedding = masked_mean(tokens, attention_mask)
        return GraphOutputs(out.logits, F.linear(embedding, no_rows), F.linear(tokens, no_rows), tokens, embedding)


ExportableModel = ToolModel | ForeignClassifier
"""What the export step takes."""


def masked_mean(tokens: Tensor, attention_mask: Tensor) -> Tensor:
    """Return the unit-length mean [batch, dim] of the unmasked `tokens` [batch, tokens, dim]."""
    mask = attention_mask.unsqueeze(-1).to(tokens.dtype)
    return F.normalize((tokens * mask).sum(1) / mask.sum(1), dim=-1)


def _random_rows(keys: int, dim: int) -> Tensor:
    return F.normalize(torch.randn(keys, dim), dim=-1)
