"""From scores to a calibrated choice.

P(call) is the softmax of the tool head at one temperature (Guo et al. 2017, arXiv:1706.04599), passed through a
two-parameter map fitted against "whole call right" (Platt 1999). The "none of these" row takes its share of the
softmax, so a text that fits no tool has a small P(call) for every tool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefn.manifest import Calibration, Heads
from edgefn.outcome import Ranked

_RANKED = 3
"""How many tools a ranking shows."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The tool that won, whatever its probability."""

    tool: str
    """Best tool, "none of these" left out."""
    probability: float
    """Calibrated probability that calling it is right: the number that is thresholded."""
    none_won: bool
    """True when "none of these" scored higher than every tool."""
    ranking: tuple[Ranked, ...]
    """The best tools, most probable first."""


class Selector:
    """Picks a tool from `tool_logits`."""

    def __init__(self, heads: Heads, calibration: Calibration) -> None:
        """Keep which rows are tools and how scores become probabilities."""
        self._names = heads.tools
        self._none = heads.tools.index(None) if None in heads.tools else None
        self._calibration = calibration
        self.threshold = calibration.threshold

    def select(self, tool_logits: NDArray[np.float32]) -> Selection:
        """Return the best tool for `tool_logits` [tools]."""
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
        winner = ranking[0]
        return Selection(winner.tool, winner.probability, bool(none_log_p > log_p[best[0]]), ranking)

    def log_odds(self, probability: float) -> float:
        """Return the log-odds of P(call) as it was before Platt's map, for a probability after it."""
        slope, intercept = self._calibration.platt_slope, self._calibration.platt_intercept
        p = min(max(probability, 1e-12), 1 - 1e-12)
        log_p = min((math.log(p / (1 - p)) - intercept) / slope, -1e-12)
        return log_p - math.log(-math.expm1(log_p))


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
