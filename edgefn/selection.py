"""From scores to a calibrated choice.

P(call) is P(tool) times the P of every argument, those left empty included: softmaxes at one temperature a head
(Guo et al. 2017, arXiv:1706.04599), their product passed through a two-parameter map fitted against "whole call right"
(Platt 1999). The "none of these" row takes its share of the softmax over tools, so a text that fits no tool has a small
P(call) for every tool.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefn.arguments.choices import Chosen
from edgefn.arguments.filling import Filled
from edgefn.arguments.spans import Decoded
from edgefn.manifest import AddedCalibration, Calibration, Heads
from edgefn.outcome import Ranked

MOST_TOOLS = 13
"""More competing tools count as so many: trials have no more."""
_RANKED = 3
"""How many tools a ranking shows."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The tool that won, whatever its probability."""

    tool: str
    """Best tool, "none of these" left out."""
    log_p: float
    """log P(tool)."""
    none_won: bool
    """True when "none of these" scored higher than every tool."""
    ranking: tuple[Ranked, ...]
    """The best tools, most probable first."""
    added: bool = False
    """True when the tool that won was added on this device."""
    tools: int = 0
    """How many tools competed, where some were added."""


class Selector:
    """Picks a tool, and says how probable a whole call is."""

    def __init__(self, heads: Heads, calibration: Calibration, added: AddedCalibration | None = None) -> None:
        """Keep which rows are tools and how scores become probabilities; `added` is for tools added on the device."""
        self._names = heads.tools
        self._none = heads.tools.index(None) if None in heads.tools else None
        self._calibration = calibration
        self._added = added
        self.threshold = calibration.threshold
        self.added_threshold = calibration.threshold if added is None else added.threshold
        self.argument_threshold = 0.0 if added is None else added.argument_threshold

    def added_probability(self, log_p: float, tools: int, support: float = 1.0) -> float:
        """Return the calibrated probability that an added tool is right, for log P(tool) among so many `tools`.

        `support` is that of its words. Of an added tool this decides: what its arguments lack in certainty is asked
        for, one by one.
        """
        added = self._added
        if added is None:
            return 0.0
        shift = added.support_weight * (support - 1.0) + added.size_weight * math.log(min(tools, MOST_TOOLS))
        return _sigmoid(added.tool_slope * log_p + shift + added.tool_intercept)

    def added_log_p(self, tool_logits: NDArray[np.float32], at: int) -> float:
        """Return log P(tool) of the added tool at logit `at`."""
        return float(log_softmax(tool_logits / (self._added.temperature if self._added else 1.0))[at])

    def select(self, tool_logits: NDArray[np.float32], names: Sequence[str | None] = ()) -> Selection | None:
        """Return the best tool for `tool_logits` [tools], `names` theirs where tools were added to those of the graph.

        None where there is no tool.
        """
        if len(tool_logits) == (self._none is not None):
            return None
        if len(tool_logits) > len(self._names) and self._added is not None:
            return self._among_added(tool_logits, names, self._added)
        log_p = log_softmax(tool_logits / self._calibration.tool_temperature)
        none_log_p = -np.inf
        if self._none is not None:
            none_log_p, log_p[self._none] = log_p[self._none], -np.inf
        best = log_p.argsort()[: -_RANKED - 1 : -1]
        p = call_probability(log_p[best], self._calibration.platt_slope, self._calibration.platt_intercept)
        ranking = tuple(
            Ranked(name, each)
            for row, each in zip(best.tolist(), p.tolist(), strict=True)
            if (name := self._names[row]) is not None
        )
        winner_log_p = float(log_p[best[0]])
        return Selection(ranking[0].tool, winner_log_p, bool(none_log_p > winner_log_p), ranking)

    def _among_added(
        self, tool_logits: NDArray[np.float32], names: Sequence[str | None], added: AddedCalibration
    ) -> Selection:
        """Return the best tool where some were added: one softmax over all, each tool's P by the map of its kind."""
        best = np.argpartition(-tool_logits, range(min(_RANKED + 1, len(tool_logits))))[: _RANKED + 1].tolist()
        none_won = self._none is not None and best[0] == self._none
        tools = [row for row in best if row != self._none][:_RANKED]
        own, other = (
            log_softmax(tool_logits / each)[tools] for each in (self._calibration.tool_temperature, added.temperature)
        )
        is_added = np.array(tools) >= len(self._names)
        trained_p = call_probability(own, self._calibration.platt_slope, self._calibration.platt_intercept)
        count = len(tool_logits) - (self._none is not None)
        added_p = np.array([self.added_probability(each, count) for each in other.tolist()])
        log_p, p = np.where(is_added, other, own), np.where(is_added, added_p, trained_p)
        ranking = tuple(
            Ranked(name, each) for row, each in zip(tools, p.tolist(), strict=True) if (name := names[row]) is not None
        )
        return Selection(ranking[0].tool, float(log_p[0]), none_won, ranking, bool(is_added[0]), count)

    def arguments_log_p(self, filled: Filled, added: bool = False) -> float:
        """Return the log of the product of the arguments' probabilities, those left empty included."""
        calibration = self._added if added and self._added is not None else self._calibration
        return slots_log_p(filled.slots, calibration.slot_temperature) + choices_log_p(
            filled.choices, calibration.choice_temperature
        )

    def probability(self, log_p: float, added: bool = False) -> float:
        """Return the calibrated probability that a whole call is right for log P(call); `added` where its tool was."""
        slope, intercept = self._calibration.platt_slope, self._calibration.platt_intercept
        if added and self._added is not None:
            slope, intercept = self._added.call_slope, self._added.call_intercept
        return _sigmoid(slope * log_p + intercept)

    def log_odds(self, probability: float) -> float:
        """Return the log-odds of P(call) as it was before Platt's map, for a probability after it."""
        slope, intercept = self._calibration.platt_slope, self._calibration.platt_intercept
        p = min(max(probability, 1e-12), 1 - 1e-12)
        return log_odds((math.log(p / (1 - p)) - intercept) / slope)


def _sigmoid(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(min(-log_odds, 700.0)))  # exp overflows beyond


def log_odds(log_p: float) -> float:
    """Return the log-odds of a probability given as its logarithm; finite."""
    log_p = min(log_p, -1e-12)
    return log_p - math.log(-math.expm1(log_p))


def slots_log_p(slots: Decoded | None, temperature: float) -> float:
    """Return log P of the labels of every word, restricted to the labels of the tool."""
    if slots is None:
        return 0.0
    log_p = log_softmax(slots.logits / temperature)
    return float(log_p[range(len(slots.labels)), slots.labels].sum())


def choices_log_p(choices: Sequence[Chosen], temperature: float) -> float:
    """Return log P of the row taken in every choice softmax."""
    return sum(float(log_softmax(each.logits / temperature)[each.row]) for each in choices)


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log P along the last axis, in double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    log_p: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return log_p


def call_probability(log_p: NDArray[np.float64], slope: float, intercept: float) -> NDArray[np.float64]:
    """Map log P(call) to the calibrated probability that the call is right (Platt 1999)."""
    log_odds_against = np.minimum(-slope * log_p - intercept, 700.0)  # exp overflows beyond
    p: NDArray[np.float64] = 1.0 / (1.0 + np.exp(log_odds_against))
    return p
