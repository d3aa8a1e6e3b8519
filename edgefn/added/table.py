"""All tools added to one dispatcher at one moment.

A table is never changed, only replaced: a call in flight keeps its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
    added: Mapping[str, ToolRows] = field(default_factory=dict)
    """The tools that were added, by name."""
    corrections: tuple[Correction, ...] = ()
    """Further rows of trained tools."""
    names: tuple[str | None, ...] = ()
    """Names of all logits: the graph's, then the added tools'."""
    _matrix: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32), repr=False)
    """[added + corrections, dim]"""
    _corrected: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, np.intp), repr=False)
    """The logit that each correction may raise."""

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

    def logits(self, scores: Scores) -> Floats:
        """Return the logits of all tools, [names]."""
        own = np.float32(self.scale) * (self._matrix @ scores.embedding) + np.float32(self.bias)
        together: Floats = np.concatenate([scores.tool_logits, own[: len(self.added)]])
        if len(self._corrected):
            np.maximum.at(together, self._corrected, own[len(self.added) :])
        return together

    def _of(self, added: Mapping[str, ToolRows], corrections: tuple[Correction, ...]) -> Table:
        rows = [each.row for each in added.values()] + [each.row for each in corrections]
        at = {name: index for index, name in enumerate(self.trained)}
        return Table(
            self.trained,
            self.scale,
            self.bias,
            added,
            corrections,
            (*self.trained, *added),
            stacked(rows, len(rows[0]) if rows else 0),
            np.array([at[each.tool] for each in corrections], dtype=np.intp),
        )
