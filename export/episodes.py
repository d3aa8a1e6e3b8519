"""Episodes: a batch of utterances beside tools that nobody will register, as general training sees them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerFast

from edgefn.arguments.keys import choice_text, choice_values
from edgefn.arguments.naming import place_of
from edgefn.rows import Row
from edgefn.tool import Tool
from edgefn.words import words_of

from .keys import covers
from .makers import TEXT_TOKENS, ToolTokens, tokens_of
from .toolsets import ToolSet

_CHUNK = 40
"""Utterances of one set in a batch."""
_SETS = 2
"""Sets in a batch."""
_BARE = 0.1
"""Share of the chunks whose tools come without descriptions."""
_BESIDE = 14
"""Tools beside those that are asked for, where a set has so many."""


@dataclass(frozen=True)
class Said:
    """One utterance as tokens, with what it asks of its own tool."""

    ids: list[int]
    """Token ids."""
    tool: int | None
    """Index in its set; None for none of them."""
    words: tuple[int, ...] = ()
    """Index of the first token of each word."""
    slots: tuple[tuple[str, bool] | None, ...] = ()
    """What each word fills, and whether it begins there; none where nothing is filled."""
    choices: tuple[tuple[str, str | None, frozenset[str]], ...] = ()
    """Closed parameters: the value as text, None where not said, and the values whose names stand in the utterance."""


@dataclass(frozen=True)
class Prepared:
    """A tool set as tokens."""

    name: str
    """Its name."""
    tools: tuple[ToolTokens, ...]
    """Its tools."""
    names_only: tuple[ToolTokens, ...]
    """The same tools without their descriptions, as careless people register them."""
    said: tuple[Said, ...]
    """What is said."""


@dataclass(frozen=True)
class Episode:
    """One batch."""

    tools: tuple[ToolTokens, ...]
    """All candidates."""
    said: tuple[Said, ...]
    """The utterances."""
    gold: tuple[int | None, ...]
    """For each utterance, its tool among the candidates."""
    own: tuple[tuple[int, int], ...]
    """For each utterance, which candidates are of its set: first, and one past the last."""


def prepare(toolset: ToolSet, tokenizer: PreTrainedTokenizerFast, max_tokens: int) -> Prepared:
    """Return a tool set as tokens; longer utterances are left out."""
    number = {tool.name: index for index, tool in enumerate(toolset.tools)}
    said = []
    for row, encoding in zip(
        toolset.rows, tokenizer.backend_tokenizer.encode_batch([row.text for row in toolset.rows]), strict=True
    ):
        if len(encoding.ids) <= max_tokens:
            index = None if row.tool is None else number[row.tool]
            said.append(_said(row, encoding, index, None if index is None else toolset.tools[index]))
    bare = [Tool.select_only(each.name, "", each.schema) for each in toolset.tools]
    return Prepared(
        toolset.name,
        tuple(tokens_of(each, tokenizer, TEXT_TOKENS) for each in toolset.tools),
        tuple(tokens_of(each, tokenizer, TEXT_TOKENS) for each in bare),
        tuple(said),
    )


def _said(row: Row, encoding: Any, index: int | None, tool: Tool | None) -> Said:
    if tool is None:
        return Said(encoding.ids, index)
    words = words_of(row.text, encoding.offsets)
    labels: list[tuple[str, bool] | None] = []
    before = None
    for word in words:
        span = next((each for each in row.spans if covers(each, word)), None)
        labels.append(None if span is None else (span[2], span != before))
        before = span
    choices = []
    for each in tool.parameters:
        values = choice_values(each.schema)
        if values is None:
            continue
        given = row.arguments.get(each.name)
        texts = [choice_text(value) for value in values]
        named = frozenset(text for text in texts if place_of(text, row.text) is not None)
        choices.append((each.name, None if given is None else choice_text(given), named))
    return Said(encoding.ids, index, tuple(word.token for word in words), tuple(labels), tuple(choices))


def epoch(sets: Sequence[Prepared], most: int, draw: random.Random) -> Iterator[Episode]:
    """Yield the episodes of one pass over the sets, at most `most` utterances of each."""
    chunks = []
    for prepared in sets:
        said = draw.sample(prepared.said, min(most, len(prepared.said)))
        chunks += [(prepared, said[at : at + _CHUNK]) for at in range(0, len(said), _CHUNK)]
    draw.shuffle(chunks)
    for at in range(0, len(chunks), _SETS):
        yield _episode(chunks[at : at + _SETS], draw)


def _episode(chunks: Sequence[tuple[Prepared, Sequence[Said]]], draw: random.Random) -> Episode:
    tools: list[ToolTokens] = []
    said: list[Said] = []
    gold: list[int | None] = []
    own: list[tuple[int, int]] = []
    for prepared, part in chunks:
        asked = sorted({each.tool for each in part if each.tool is not None})
        others = [each for each in range(len(prepared.tools)) if each not in asked]
        taken = asked + draw.sample(others, min(_BESIDE, len(others)))
        place = {tool: len(tools) + at for at, tool in enumerate(taken)}
        source = prepared.names_only if draw.random() < _BARE else prepared.tools
        own += [(len(tools), len(tools) + len(taken))] * len(part)
        tools += [source[each] for each in taken]
        said += part
        gold += [None if each.tool is None else place[each.tool] for each in part]
    return Episode(tuple(tools), tuple(said), tuple(gold), tuple(own))
