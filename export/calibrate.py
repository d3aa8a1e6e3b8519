"""From scores on rows nobody trained on: temperatures, Platt's map, two thresholds and a bound, all on whole calls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.stats import beta

from edgefn.errors import DataError
from edgefn.manifest import Bound, Calibration, CalibrationRows, Heads
from edgefn.metrics import Flags, Floats, scope_weights
from edgefn.selection import call_probability

from .scoring import Scored, Temperatures

BALANCED_LOSS = 0.01
"""`balanced` turns away at most this share of the in-scope rows that it had right, unless that is below the floor."""
BALANCED_FLOOR = 0.5
"""A call that is more likely wrong than right is not run."""
LEAST_ROWS = 200
"""Fewer calibration rows than this cannot bound 2 % wrong calls (149 accepted rows without one error do)."""

_LOG_TEMPERATURES = (-1.5, 2.5)
_PLATT_BOUNDS = ((-5.0, 5.0), (-20.0, 20.0))
"""Of the slope's logarithm and the intercept: wide enough for any sensible map, narrow enough to stay finite."""
_LOG_P_GRID = -np.geomspace(1e-5, 5.0, 200)
"""Thresholds on log P(call) that the bound tries, strict to loose: fixed before any row is seen."""


@dataclass(frozen=True)
class Goal:
    """What the thresholds are chosen for."""

    wrong_rate: float = 0.02
    """Wrong ÷ accepted calls that the bound must stay under."""
    confidence: float = 0.95
    """Probability with which it does."""
    out_of_scope_share: float | None = None
    """π; None takes the calibration rows' own share."""
    threshold: str = "balanced"
    """risk, balanced, or a number."""


def calibrate(scored: Scored, heads: Heads, goal: Goal, rows: CalibrationRows | None) -> Calibration:
    """Fit everything on `scored`; raises DataError when there is no in-scope row or the goal makes no sense."""
    if not scored.in_scope.any():
        raise DataError("no calibration row belongs to a tool", hint="give rows with tools: --calibrate rows.jsonl")
    share = goal.out_of_scope_share
    if share is None:
        share = float(1 - scored.in_scope.mean())
    weights = scope_weights(scored.in_scope, share)
    temperatures = fit_temperatures(scored, heads, weights)
    log_p = scored.log_p(heads, temperatures)
    slope, intercept = fit_platt(log_p, scored.right, weights)
    probability = call_probability(log_p, slope, intercept)
    balanced = balanced_threshold(probability, scored.right, scored.in_scope)
    bound, no_bound = _bound(log_p, scored.right, scored.in_scope, share, goal, (slope, intercept))
    name, threshold = _choose(goal.threshold, balanced, bound, no_bound)
    return Calibration(
        tool_temperature=temperatures.tool,
        slot_temperature=temperatures.slot,
        choice_temperature=temperatures.choice,
        platt_slope=slope,
        platt_intercept=intercept,
        threshold=threshold,
        threshold_name=name,
        balanced_threshold=balanced,
        bound=bound,
        no_bound_reason=no_bound,
        out_of_scope_share=share,
        rows=rows,
    )


def fit_temperatures(scored: Scored, heads: Heads, weights: Floats) -> Temperatures:
    """Return the temperatures at which Platt's map tells right calls from wrong ones best (least log loss).

    Guo et al. (2017) fit them to the likelihood of the label. Here the number that decides is the map's, and what
    makes the labels likely does not rank calls best: on CLINC150's validation rows the temperature fitted to
    the decision is about twice as high, and refuses more out-of-scope utterances for the same calls kept.
    One head after the other, twice where there are several: their optima hardly depend on each other.
    """
    heads_used = ["tool"] + ["slot"] * bool(len(scored.slots.row)) + ["choice"] * bool(len(scored.choices.row))
    found = Temperatures()
    for head in heads_used if len(heads_used) == 1 else heads_used * 2:

        def loss(log_temperature: float, head: str = head, found: Temperatures = found) -> float:
            log_p = scored.log_p(heads, replace(found, **{head: float(np.exp(log_temperature))}))
            slope, intercept = fit_platt(log_p, scored.right, weights)
            z = slope * log_p[scored.ran] + intercept
            return log_loss(z, scored.right[scored.ran].astype(float), weights[scored.ran])

        best = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 0.02}).x
        found = replace(found, **{head: float(np.exp(best))})
    return found


def fit_platt(log_p: Floats, right: Flags, weights: Floats) -> tuple[float, float]:
    """Return slope and intercept of the map from log P(call) to the log-odds of being right.

    Platt (1999): logistic regression on targets drawn in from 0 and 1 by the counts of each side, so that it
    stays finite when every row is right. The slope is kept positive: the map must not reorder calls.
    """
    ran = np.isfinite(log_p)
    x, right, weights = log_p[ran], right[ran], weights[ran]
    hits, misses = float(weights[right].sum()), float(weights[~right].sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    total = max(float(weights.sum()), 1e-12)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        slope = np.exp(parameters[0])
        z = slope * x + parameters[1]
        gap = weights * (1 / (1 + np.exp(-np.clip(z, -700, 700))) - target)
        gradient = np.array([(gap * x).sum() * slope, gap.sum()])
        return log_loss(z, target, weights), gradient / total

    fitted = minimize(loss, np.array([0.0, 1.0]), jac=True, method="L-BFGS-B", bounds=_PLATT_BOUNDS)
    return float(np.exp(fitted.x[0])), float(fitted.x[1])


def log_loss(log_odds: Floats, target: Floats, weights: Floats) -> float:
    """Return the weighted mean negative log likelihood of `target` (0..1) under `log_odds`."""
    return float((weights * (np.logaddexp(0, log_odds) - target * log_odds)).sum() / max(weights.sum(), 1e-12))


def balanced_threshold(probability: Floats, right: Flags, in_scope: Flags) -> float:
    """Return the strictest threshold that turns away at most 1 % of the in-scope rows that it had right.

    Never below one half: a call that is more likely wrong than right is not run.
    """
    kept = np.sort(probability[right])
    if not len(kept):
        return BALANCED_FLOOR
    strictest = float(kept[min(int(BALANCED_LOSS * in_scope.sum()), len(kept) - 1)])
    return max(BALANCED_FLOOR, strictest)


def _bound(
    log_p: Floats, right: Flags, in_scope: Flags, share: float, goal: Goal, platt: tuple[float, float]
) -> tuple[Bound | None, str]:
    if len(log_p) < LEAST_ROWS:
        return None, f"{len(log_p)} calibration rows; at least {LEAST_ROWS} are needed"
    if share > 0 and in_scope.all():
        return None, "no calibration row is out of scope, though out-of-scope utterances are expected"
    found = bounded_threshold(log_p, right, in_scope, share, goal.wrong_rate, goal.confidence)
    if found is None:
        return None, (
            f"no threshold keeps wrong calls under {goal.wrong_rate:.1%} with {goal.confidence:.0%} confidence "
            "on these rows; more calibration rows, out-of-scope ones above all, would help"
        )
    log_threshold, accepted = found
    threshold = float(call_probability(np.array([log_threshold]), *platt)[0])
    return Bound(threshold, goal.wrong_rate, goal.confidence, share, accepted), ""


def bounded_threshold(
    log_p: Floats, right: Flags, in_scope: Flags, share: float, wrong_rate: float, confidence: float
) -> tuple[float, int] | None:
    """Return the loosest threshold on log P(call) whose wrong rate is bounded, and how many rows it accepts.

    Fixed-sequence testing (Angelopoulos et al. 2021, arXiv:2110.01052): a fixed grid is tried from strict to
    loose, and the first failure ends it. A threshold that accepts so few rows that it would fail without a single
    error decides nothing and is passed over (Tarone 1990). None when no threshold passes.
    """
    found = None
    for threshold in _LOG_P_GRID:
        accepted = log_p >= threshold
        inside = accepted & in_scope
        counts = _Counts(int(in_scope.sum()), int((~in_scope).sum()), int(inside.sum()), 0, 0)
        if counts.limit(share, confidence) > wrong_rate:
            continue
        counts = _Counts(
            counts.in_scope,
            counts.out_of_scope,
            counts.accepted,
            int((inside & ~right).sum()),
            int((accepted & ~in_scope).sum()),
        )
        if counts.limit(share, confidence) > wrong_rate:
            break
        found = float(threshold), int(accepted.sum())
    return found


@dataclass(frozen=True)
class _Counts:
    """What one threshold did to the calibration rows."""

    in_scope: int
    out_of_scope: int
    accepted: int
    wrong: int
    let_in: int

    def limit(self, share: float, confidence: float) -> float:
        """Return the upper limit on wrong ÷ accepted at an out-of-scope share.

        Three one-sided Clopper-Pearson limits, each at a third of the error: in-scope wrong and accepted (above),
        out-of-scope accepted (above), in-scope accepted (below). The ratio grows in the first two and falls in
        the third, so the limits combine.
        """
        delta = (1 - confidence) / 3
        wrong = (1 - share) * upper_limit(self.wrong, self.in_scope, delta)
        let_in = share * upper_limit(self.let_in, self.out_of_scope, delta) if share else 0.0
        accepted = (1 - share) * (1 - upper_limit(self.in_scope - self.accepted, self.in_scope, delta))
        total = accepted + let_in
        return min(1.0, (wrong + let_in) / total) if total > 0 else 1.0


def upper_limit(successes: int, trials: int, delta: float) -> float:
    """Return the one-sided Clopper-Pearson upper limit of a proportion at error `delta`; 1 without trials."""
    if successes >= trials:
        return 1.0
    return float(beta.ppf(1 - delta, successes + 1, trials - successes))


def check_threshold(asked: str) -> None:
    """Raise DataError unless `asked` is risk, balanced, or a number from 0 to 1."""
    if asked in ("risk", "balanced"):
        return
    try:
        sensible = 0.0 <= float(asked) <= 1.0
    except ValueError:
        sensible = False
    if not sensible:
        raise DataError(f"--threshold {asked!r} is no threshold", hint="risk, balanced, or a number from 0 to 1")


def _choose(asked: str, balanced: float, bound: Bound | None, no_bound: str) -> tuple[str, float]:
    check_threshold(asked)
    match asked:
        case "balanced":
            return "balanced", balanced
        case "risk":
            if bound is None:
                raise DataError(
                    f"--threshold risk: {no_bound}", hint="--calibrate with more rows, or --threshold balanced"
                )
            return "risk", bound.threshold
        case _:
            return "fixed", float(asked)
