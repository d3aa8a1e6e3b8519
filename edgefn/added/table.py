"""All tools added to one dispatcher at one moment.

A table is never changed, only replaced: a call in flight keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from edgefn.added.toolrows import ToolRows, stacked
from edgefn.encoder import Floats, Scores


@dataclass(frozen=True)
class Correction:
    """An utterance that a trained tool, or "none of these", was corrected to."""

    tool: str | None
    """Name of its row in the graph."""
    text: str
    """The utterance."""
    row: Floats
    """Its embedding, [dim]."""


@dataclass(frozen=True)
class Table:
    """Rows beside those of the graph."""

    trained: tuple[str | None, ...]
    """Names of the graph's rows, "none of these" as None."""
    scale: float
    """Of the tool head."""
    bias: float
    """Of every added row."""
    example_bias: float
    """Added to it in the measure in which a row is made of examples: these are nearer to what is said."""
    added: Mapping[str, ToolRows] = field(default_factory=dict)
    """The tools that were added, by name."""
    corrections: tuple[Correction, ...] = ()
    """Further rows of trained tools."""
    _matrix: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    """[added + corrections, dim]"""
    _biases: Floats = field(default_factory=lambda: np.zeros(0, np.float32), repr=False)
    """[added + corrections]"""
    _corrected: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp), repr=False)
    """The logit that each correction may raise."""

    @cached_property
    def names(self) -> tuple[str | None, ...]:
        """Names of all logits: the graph's, then the added tools'."""
        return (*self.trained, *self.added)

    @cached_property
    def count(self) -> int:
        """How many tools compete."""
        return sum(each is not None for each in self.names)

    def __bool__(self) -> bool:
        """Tell whether anything was added."""
        return bool(self.added or self.corrections)

    def with_tools(self, rows: Iterable[ToolRows]) -> Table:
        """Return a table with these tools too; one of a name that is there takes its place."""
        return self._of({**self.added, **{each.tool.name: each for each in rows}}, self.corrections)

    def without(self, name: str) -> Table:
        """Return a table without a tool."""
        return self._of({key: each for key, each in self.added.items() if key != name}, self.corrections)

    def uncorrected(self, text: str) -> Table:
        """Return a table without the correction of an utterance."""
        return self._of(self.added, tuple(each for each in self.corrections if each.text != text))

    def corrected(self, correction: Correction) -> Table:
        """Return a table in which an utterance belongs to a trained tool; the last correction of a text counts."""
        others = tuple(each for each in self.corrections if each.text != correction.text)
        return self._of(self.added, (*others, correction))

    def bias_of(self, examples: int) -> float:
        """Return the bias of a row made of a description and so many examples."""
        return self.bias + self.example_bias * examples / (examples + 1)

    def logits(self, scores: Scores) -> Floats:
        """Return the logits of all tools, [names]."""
        own = np.float32(self.scale) * (self._matrix @ scores.embedding) + self._biases
        together: Floats = np.concatenate([scores.tool_logits, own[: len(self.added)]])
        if len(self._corrected):
            np.maximum.at(together, self._corrected, own[len(self.added) :])
        return together

    def _of(self, added: Mapping[str, ToolRows], corrections: tuple[Correction, ...]) -> Table:
        rows = [each.row for each in added.values()] + [each.row for each in corrections]
        at = {name: index for index, name in enumerate(self.trained)}
        biases = [self.bias_of(len(each.texts)) for each in added.values()]
        biases += [self.bias + self.example_bias for _ in corrections]
        return Table(
            self.trained,
            self.scale,
            self.bias,
            self.example_bias,
            added,
            corrections,
            stacked(rows, len(rows[0]) if rows else 0),
            np.array(biases, dtype=np.float32),
            np.array([at[each.tool] for each in corrections], dtype=np.intp),
        )
