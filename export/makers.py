"""What makes rows of the heads from the texts of tools, so that a tool nobody trained has rows like one that was.

A parameter's words, read beside the tool's own (`edgefn.describing`), become the rows of its slot; a value's words its
choice row; the words of name and description the row of the tool. Conditioning spans on an embedded description of
what is sought is the bi-encoder form of GLiNER (Zaratiana et al. 2024, arXiv:2311.08526).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedTokenizerFast

from edgefn.describing import Place, describe, tokens_at
from edgefn.errors import CheckpointError
from edgefn.tool import Tool

from .model import HEADS_FILE, ToolModel

TEXT_TOKENS = 160
"""Longest text about a tool that is trained on."""
_BATCH = 16
"""Texts read together."""


@dataclass(frozen=True)
class ToolTokens:
    """One tool's texts as tokens."""

    ids: tuple[list[int], ...]
    """Token ids of each text."""
    head: Place
    """First token of name and description in the first text, and one past the last."""
    parameters: tuple[tuple[str, int, Place], ...]
    """Name, text and tokens of every parameter."""
    values: tuple[tuple[str, str, int, Place], ...]
    """Parameter, value as text, text and tokens of every value of a closed parameter."""


def tokens_of(tool: Tool, tokenizer: PreTrainedTokenizerFast, max_tokens: int) -> ToolTokens:
    """Return the texts of a tool as tokens; what lies beyond `max_tokens` is left out."""
    texts = describe(tool)
    encodings = tokenizer.backend_tokenizer.encode_batch([each.text for each in texts])
    parameters, values = [], []
    for number, (described, encoding) in enumerate(zip(texts, encodings, strict=True)):
        for name, place in described.parameters.items():
            if (found := tokens_at(encoding.offsets[:max_tokens], place)) is not None:
                parameters.append((name, number, found))
        for (name, value), place in described.values.items():
            if (found := tokens_at(encoding.offsets[:max_tokens], place)) is not None:
                values.append((name, value, number, found))
    head = tokens_at(encodings[0].offsets[:max_tokens], texts[0].head) or (0, 1)
    return ToolTokens(tuple(each.ids[:max_tokens] for each in encodings), head, tuple(parameters), tuple(values))


def inherit(model: ToolModel, base: str) -> None:
    """Take over what is shared by all tools, where `base` is a checkpoint of edgefn: makers, scales, the row O.

    Raises CheckpointError when it cannot be read.
    """
    path = Path(base) / HEADS_FILE
    if not path.is_file():
        return
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as exc:
        raise CheckpointError(f"{path} cannot be read: {exc}", hint="train the base again") from exc
    shared = {name: each for name, each in tensors.items() if name.startswith("makers.") or name.endswith("log_scale")}
    model.load_state_dict(shared, strict=False)
    if model.keys.slots and len(tensors["slot_head.rows"]):
        with torch.no_grad():
            model.slot_head.rows[0].copy_(tensors["slot_head.rows"][0])
            model.slot_head.bias[0].copy_(tensors["slot_head.bias"][0])


@dataclass(frozen=True)
class Made:
    """Rows of several tools, made in one pass."""

    tools: Tensor
    """[tools, dim]"""
    parameters: Tensor
    """Embeddings of all their parameters, [parameters, dim]; not yet rows."""
    values: Tensor
    """Embeddings of all their values, [values, dim]; not yet rows."""
    parameter_of: tuple[dict[str, int], ...]
    """For each tool, where its parameters stand in `parameters`."""
    value_of: tuple[dict[tuple[str, str], int], ...]
    """For each tool, where its values stand in `values`."""


def make(model: ToolModel, tools: Sequence[ToolTokens], pad_id: int) -> Made:
    """Read the texts of `tools`."""
    texts = read(model, [ids for tool in tools for ids in tool.ids], pad_id)
    rows, parameters, values = [], list[Tensor](), list[Tensor]()
    parameter_of: list[dict[str, int]] = []
    value_of: list[dict[tuple[str, str], int]] = []
    first = 0
    for tool in tools:
        rows.append(_mean(texts[first], tool.head))
        parameter_of.append({name: len(parameters) + at for at, (name, _, _) in enumerate(tool.parameters)})
        parameters += [_mean(texts[first + text], place) for _, text, place in tool.parameters]
        value_of.append({(name, value): len(values) + at for at, (name, value, _, _) in enumerate(tool.values)})
        values += [_mean(texts[first + text], place) for _, _, text, place in tool.values]
        first += len(tool.ids)
    dim = int(model.config.hidden_size)
    return Made(_units(rows, dim), _units(parameters, dim), _units(values, dim), tuple(parameter_of), tuple(value_of))


def read(model: ToolModel, texts: Sequence[Sequence[int]], pad_id: int) -> list[Tensor]:
    """Return the token embeddings [tokens, dim] of every text; texts of like length share a batch."""
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        ids = torch.full((len(chosen), len(texts[chosen[-1]])), pad_id, device=model.tool_head.rows.device)
        mask = torch.zeros_like(ids)
        for row, index in enumerate(chosen):
            ids[row, : len(texts[index])] = torch.tensor(texts[index])
            mask[row, : len(texts[index])] = 1
        tokens = model.tokens(ids, mask)
        for row, index in enumerate(chosen):
            found[index] = tokens[row, : len(texts[index])]
    return found


def _mean(tokens: Tensor, place: Place) -> Tensor:
    return tokens[place[0] : place[1]].mean(0)


def _units(rows: Sequence[Tensor], dim: int) -> Tensor:
    return F.normalize(torch.stack(list(rows)), dim=-1) if rows else torch.zeros(0, dim)
