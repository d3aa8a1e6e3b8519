"""The gate: what quantization cost, measured as the device runs, and whether that is within the budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from edgefn.encoder import Encoder
from edgefn.errors import GateRefused
from edgefn.interpreter import Interpreter
from edgefn.manifest import Heads
from edgefn.metrics import auroc, expected_calibration_error
from edgefn.outcome import call_text
from edgefn.rows import Row
from edgefn.selection import call_probability

from .calibrate import Goal, calibrate
from .scoring import Scored, Temperatures, score

DEFAULT_BUDGET = 0.5
"""Points of accuracy that quantization may cost."""
SIGNIFICANCE = 0.10
"""The loss must also be real: a one-sided exact test on the rows that changed sides (McNemar 1947)."""


@dataclass(frozen=True)
class Side:
    """One of the two graphs, measured."""

    megabytes: float
    """Size of the graph, 10⁶ bytes."""
    p50_ms: float
    """Median time of one pass, the two graphs taking turns."""
    tool_accuracy: float
    """In-scope rows, "none of these" left out."""
    exact_call: float
    """In-scope rows, tool and every argument right."""
    auroc: float
    """In scope against out of scope, by the calibrated probability; nan without out-of-scope rows."""
    ece: float
    """Calibration error of in-scope rows, each graph calibrated on these very rows."""


@dataclass(frozen=True)
class DecisionFlip:
    """A row that the two graphs decide differently."""

    text: str
    """The utterance."""
    gold: str
    """The right call; empty where no tool fits."""
    before: str
    """The call that the float graph decides for; empty is "none of these"."""
    after: str
    """The call that the quantized graph decides for."""


@dataclass(frozen=True)
class GateReport:
    """Before and after."""

    before: Side
    """The float graph."""
    after: Side
    """The quantized graph."""
    rows: int
    """How many rows both were measured on."""
    flips: tuple[DecisionFlip, ...]
    """Every row whose decision changed."""
    worse: int
    """Flips from right to wrong."""
    better: int
    """Flips from wrong to right."""

    @property
    def loss_points(self) -> float:
        """Share of rows decided rightly, the whole call, before minus after, in points."""
        return 100 * (self.worse - self.better) / max(1, self.rows)

    @property
    def p_value(self) -> float:
        """Probability of so lopsided flips if quantization did no harm."""
        changed = self.worse + self.better
        return float(binomtest(self.worse, changed, alternative="greater").pvalue) if changed else 1.0

    def enforce(self, budget: float) -> None:
        """Raise GateRefused when the loss is over `budget` points and the test agrees that it is real."""
        if self.loss_points > budget and self.p_value <= SIGNIFICANCE:
            raise GateRefused(
                f"quantization costs {self.loss_points:.2f} points on {self.rows} rows "
                f"({self.worse} decisions got worse, {self.better} better); the budget is {budget}",
                hint="try --quantize fp16 or none, train longer, or allow it with --budget",
            )

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, flips included."""
        return asdict(self) | {
            "flips": [asdict(flip) for flip in self.flips],
            "loss_points": self.loss_points,
            "p_value": self.p_value,
        }


@dataclass(frozen=True)
class Candidate:
    """A graph, ready to be measured."""

    interpreter: Interpreter
    """Runs it and reads the calls."""
    bytes: int
    """Its size."""


def compare(before: Candidate, after: Candidate, heads: Heads, rows: Sequence[Row]) -> tuple[GateReport, Scored]:
    """Measure both graphs on `rows`; also return the scores of the second, for calibration."""
    scored_before, scored_after = (score(each.interpreter, heads, rows) for each in (before, after))
    return report(before, after, scored_before, scored_after, heads, rows), scored_after


def report(
    before: Candidate, after: Candidate, scored_before: Scored, scored_after: Scored, heads: Heads, rows: Sequence[Row]
) -> GateReport:
    """Compare what both graphs answered to `rows`."""
    encoders = before.interpreter.encoder, after.interpreter.encoder
    latency_before, latency_after = alternate(*encoders, [row.text for row in rows])
    decided_before, decided_after = scored_before.decisions(), scored_after.decisions()
    right_before, right_after = scored_before.decided_right(), scored_after.decided_right()
    flips = tuple(
        DecisionFlip(row.text, "" if row.tool is None else call_text(row.tool, row.arguments), was, now)
        for row, was, now in zip(rows, decided_before, decided_after, strict=True)
        if was != now
    )
    return GateReport(
        before=_side(before, scored_before, heads, latency_before),
        after=_side(after, scored_after, heads, latency_after),
        rows=len(rows),
        flips=flips,
        worse=int((right_before & ~right_after).sum()),
        better=int((~right_before & right_after).sum()),
    )


def alternate(before: Encoder, after: Encoder, texts: Sequence[str], runs: int = 200) -> tuple[float, float]:
    """Return the median milliseconds of one pass through each, taking turns: the machine is never quiet for long."""
    passes = [encoded for text in texts[:runs] if not isinstance(encoded := before.encode(text), str)]
    times: tuple[list[float], list[float]] = ([], [])
    for encoded in passes:
        for encoder, spent in zip((before, after), times, strict=True):
            start = time.perf_counter()
            encoder.run(encoded)
            spent.append(time.perf_counter() - start)
    return tuple(1000 * float(np.median(spent)) if spent else float("nan") for spent in times)  # type: ignore[return-value]


def _side(candidate: Candidate, scored: Scored, heads: Heads, p50_ms: float) -> Side:
    fitted = calibrate(scored, heads, Goal(), None)
    log_p = scored.log_p(heads, Temperatures.of(fitted))
    p = call_probability(log_p, fitted.platt_slope, fitted.platt_intercept)
    inside = scored.in_scope
    return Side(
        megabytes=candidate.bytes / 1e6,
        p50_ms=p50_ms,
        tool_accuracy=float(scored.tool_right(heads)[inside].mean()),
        exact_call=float(scored.right[inside].mean()),
        auroc=auroc(p[inside], p[~inside]),
        ece=expected_calibration_error(p[inside], scored.right[inside]),
    )
