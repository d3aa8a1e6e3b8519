"""The rows of one added tool, and what they score for one utterance.

`scale · unit(x) · rowsᵀ + bias`, the formula of the graph: a row that is taken out of the graph and put here gives the
same logits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from edgefn.added.chunks import chunks
from edgefn.added.decoding import NEVER, OneSpanDecoder
from edgefn.added.numerals import Mask, word_masks
from edgefn.arguments.filling import Filled, Filler
from edgefn.arguments.naming import place_of
from edgefn.describing import fillable
from edgefn.encoder import Encoded, Floats, Scores
from edgefn.manifest import Heads, Makers
from edgefn.tool import Tool
from edgefn.words import Word

EXPECTED_BEGIN, EXPECTED_INSIDE = 2.0, 0.6
"""Added to B and I of a required parameter: who asks for a tool mostly says what it needs.

Chosen on the held-out tool sets: fewer needless questions, as many right values.
"""


@dataclass(frozen=True)
class ToolRows:
    """One added tool."""

    tool: Tool
    """The tool."""
    described: Floats
    """[dim], unit: what its name and description say."""
    heads: Heads
    """Keys of its own slot columns and choice rows."""
    slots: Floats
    """[2 · parameters, dim], unit: B and I of every parameter, taking turns."""
    choices: Floats
    """[choices, dim], unit: *not said*, then the values, of every closed parameter."""
    makers: Makers
    """Scales and biases."""
    texts: tuple[str, ...]
    """Example utterances."""
    examples: Floats
    """[texts, dim], unit: their embeddings."""
    against: Floats
    """[texts, tools of the graph]: how the trained tools score them."""
    threshold: float | None = None
    """P(tool) from which on it is accepted; None for the bundle's own threshold."""

    @cached_property
    def row(self) -> Floats:
        """The row of the tool, [dim], unit: its examples count as much each as its description."""
        return unit(self.described + self.examples.sum(0))

    @cached_property
    def filler(self) -> Filler:
        """What fills its arguments."""
        return Filler(self.tool, self.heads, OneSpanDecoder(self.heads, self.tool))

    @cached_property
    def _slot_biases(self) -> Floats:
        """Bias of B and I of every parameter, [2 · parameters]; what is required is expected to be said."""
        required = {each.name for each in self.tool.parameters if each.required}
        begin, inside = self.makers.begin_bias, self.makers.inside_bias
        expected = (begin + EXPECTED_BEGIN, inside + EXPECTED_INSIDE)
        names = [name for tag, name, _ in self.heads.slots if tag == "B"]
        return np.array([expected if name in required else (begin, inside) for name in names], np.float32).ravel()

    @cached_property
    def _choice_biases(self) -> Floats:
        """Bias of every choice row, [choices]."""
        makers, required = self.makers, {each.name for each in self.tool.parameters if each.required}
        biases = [
            makers.value_bias if value is not None
            else makers.required_unsaid_bias if name in required else makers.unsaid_bias
            for name, _, value in self.heads.choices
        ]  # fmt: skip
        return np.array(biases, np.float32)

    @cached_property
    def _slot_schemas(self) -> list[Mapping[str, Any]]:
        """Schema of every slot's parameter, in the order of the slots."""
        schemas = {each.name: each.schema for each in self.tool.parameters}
        return [schemas[name] for tag, name, _ in self.heads.slots if tag == "B"]

    def with_example(self, text: str, scores: Scores) -> ToolRows:
        """Return these rows sharpened by one more utterance; one that is known changes nothing."""
        if text in self.texts:
            return self
        examples = np.vstack([self.examples, scores.embedding])
        # Without examples nobody knows how many tools were trained.
        against = np.vstack([self.against, scores.tool_logits]) if self.texts else scores.tool_logits[None]
        return replace(self, texts=(*self.texts, text), examples=examples, against=against)

    def without_example(self, text: str) -> ToolRows:
        """Return these rows as if an utterance had never been among the examples."""
        kept = [at for at, each in enumerate(self.texts) if each != text]
        texts = tuple(self.texts[at] for at in kept)
        return replace(self, texts=texts, examples=self.examples[kept], against=self.against[kept], threshold=None)

    def accepted_from(self, threshold: float | None) -> ToolRows:
        """Return these rows with a threshold of their own."""
        return replace(self, threshold=threshold)

    def support(self, filled: Filled) -> float:
        """Return the mean probability of the words found for what the tool requires; 1 where it requires none."""
        best: dict[str, float] = {}
        for each in filled.evidence:
            best[each.parameter] = max(best.get(each.parameter, 0.0), 0.0 if each.problem else each.score)
        required = [each.name for each in fillable(self.tool) if each.required]
        return sum(best.get(name, 0.0) for name in required) / len(required) if required else 1.0

    def scores(self, encoded: Encoded, scores: Scores) -> tuple[list[Word], Scores]:
        """Return the words of an utterance, those that belong together as one, and the scores under these rows."""
        choices = self._choice_logits(encoded.text, scores)
        if not len(self.slots):
            return [], Scores(scores.tool_logits, choices, scores.slot_logits)
        words = encoded.words
        groups = chunks(encoded.text, words)
        joined = [words[group[0]]._replace(end=words[group[-1]].end) for group in groups]
        logits = pooled(self._slot_logits(scores), words, groups)
        for parameter, (begins, goes_on) in self._masks(encoded.text, joined).items():
            column = 1 + 2 * parameter
            tokens = np.array([word.token for word in joined], dtype=np.intp)
            logits[tokens[~begins], column] = NEVER
            logits[tokens[~goes_on], column + 1] = NEVER
        return joined, Scores(scores.tool_logits, choices, logits)

    def _slot_logits(self, scores: Scores) -> Floats:
        """Return [tokens, 1 + 2 · parameters]: O of the graph, then B and I of every parameter."""
        tokens = unit(scores.token_embedding)
        own = np.float32(self.makers.slot_scale) * (tokens @ self.slots.T) + self._slot_biases
        logits: Floats = np.hstack([scores.slot_logits[:, :1], own])
        return logits

    def _masks(self, text: str, words: Sequence[Word]) -> dict[int, Mask]:
        """Return, for every slot whose type tells its words, which may begin a value and which may go on."""
        return word_masks([text[word.start : word.end] for word in words], self._slot_schemas)

    def _choice_logits(self, text: str, scores: Scores) -> Floats:
        """Return [choices]; a value that the utterance names has a bonus."""
        if not self.heads.choices:
            return np.zeros(0, np.float32)
        named = [value is not None and place_of(value, text) is not None for _, _, value in self.heads.choices]
        logits = np.float32(self.makers.choice_scale) * (self.choices @ scores.embedding) + self._choice_biases
        together: Floats = logits + np.float32(self.makers.named_bonus) * np.array(named, np.float32)
        return together


def pooled(logits: Floats, words: Sequence[Word], groups: Sequence[Sequence[int]]) -> Floats:
    """Return slot logits in which the first token of every group of words speaks for all of them.

    A group begins with B and goes on with I, or it is all I, or all O: the mean of what its words say of each.
    """
    together = logits.copy()
    for group in groups:
        if len(group) > 1:
            tokens = [words[at].token for at in group]
            mean = logits[tokens].mean(0)
            began = logits[tokens[1:], 2::2].sum(0) + logits[tokens[0], 1::2]
            mean[1::2] = began / len(group)
            together[tokens[0]] = mean
    return together


def unit(vectors: Floats) -> Floats:
    """Return vectors [..., dim] at length one."""
    length: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
    return length


def stacked(rows: Sequence[Floats], dim: int) -> Floats:
    """Return rows as one array [rows, dim], also where there is none."""
    return np.stack(rows).astype(np.float32) if rows else np.zeros((0, dim), np.float32)
