"""What a bundle says about tools added on the device: its makers, calibrated on trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar

from edgefn.encoder import Floats as Floats32
from edgefn.manifest import AddedCalibration, Calibration, CalibrationRows, Heads, Makers
from edgefn.metrics import Flags, Floats, scope_weights

from .calibrate import Goal, calibrate, fit_platt, log_loss
from .model import ToolModel
from .scoring import Scored, Softmaxes, Temperatures
from .trials import EXAMPLES, Tried

FILE = "makers.f16"
"""Name of the matrices in a bundle."""
UNFITTED = AddedCalibration(1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, None)
"""What added tools are read with before they are calibrated."""
_LOG_TEMPERATURES = (-1.5, 2.5)


def makers_of(model: ToolModel) -> Makers:
    """Return a model's makers, not yet calibrated."""
    tool, begin, inside, value, unsaid, named = model.makers.bias.tolist()
    return Makers(
        FILE, tool, begin, inside, value, unsaid, named,
        model.slot_head.scale.item(), model.choice_head.scale.item(), UNFITTED,
    )  # fmt: skip


def matrices_of(model: ToolModel) -> bytes:
    """Return what `Makers.file` holds."""
    return half(model).astype("<f2").tobytes()


def half(model: ToolModel) -> Floats32:
    """Return the matrices of a model's makers in the precision of the bundle, [3 · dim + 1, dim]."""
    makers = model.makers
    rows = [makers.begin, makers.inside, makers.value, makers.unsaid[None]]
    return np.concatenate([each.detach().numpy() for each in rows]).astype("<f2").astype(np.float32)


def calibrate_added(tried: Tried, with_examples: Tried, rows: CalibrationRows | None) -> AddedCalibration:
    """Fit temperatures, maps and thresholds of added tools on what a bundle answered to trials.

    P(tool) is fitted to "the tool is right", P(call) to "the whole call is right". A tool, and an argument, is taken
    where it is more likely right than wrong.
    """
    scored, heads = tried.scored, tried.heads
    tools = tools_only(tried)
    fitted = calibrate(tools, heads, Goal(), rows)
    weights = scope_weights(scored.in_scope, fitted.out_of_scope_share)
    temperatures = _argument_temperatures(scored, heads, weights, fitted.tool_temperature)
    slope, intercept = fit_platt(scored.log_p(heads, temperatures), scored.right, weights)
    return AddedCalibration(
        temperature=fitted.tool_temperature,
        tool_slope=fitted.platt_slope,
        tool_intercept=fitted.platt_intercept,
        slot_temperature=temperatures.slot,
        choice_temperature=temperatures.choice,
        call_slope=slope,
        call_intercept=intercept,
        example_bias=_example_bias(with_examples, fitted),
        threshold=fitted.threshold,
        argument_threshold=even_odds(tried.arguments, tried.argument_right),
        rows=rows,
    )


def _example_bias(tried: Tried, fitted: Calibration) -> float:
    """Return the bias under which P(tool), as fitted without examples, is as true of rows made with EXAMPLES.

    A row made in part of utterances lies nearer to utterances, right ones and wrong ones.
    """
    tools, heads = tools_only(tried), tried.heads
    weights = scope_weights(tools.in_scope, fitted.out_of_scope_share)
    temperatures = Temperatures(tool=fitted.tool_temperature)
    added = np.arange(len(heads.tools)) != tools.none
    part = EXAMPLES / (EXAMPLES + 1)

    def loss(bias: float) -> float:
        shifted = replace(tools, logits=tools.logits + np.where(added, np.float32(bias * part), np.float32(0)))
        log_odds = fitted.platt_slope * shifted.log_p(heads, temperatures)[tools.ran] + fitted.platt_intercept
        return log_loss(log_odds, tools.right[tools.ran].astype(float), weights[tools.ran])

    return float(minimize_scalar(loss, bounds=(-10.0, 10.0), method="bounded", options={"xatol": 0.02}).x)


def tools_only(tried: Tried) -> Scored:
    """Return the answers judged by their tool alone."""
    nothing = Softmaxes.of([])
    return replace(tried.scored, right=tried.tool_right, slots=nothing, choices=nothing)


def _argument_temperatures(scored: Scored, heads: Heads, weights: Floats, tool: float) -> Temperatures:
    """Return the temperatures of slots and choices under which P(call) tells right calls from wrong ones best."""
    found = Temperatures(tool=tool)
    for head in ("slot", "choice") * 2:

        def loss(log_temperature: float, head: str = head, found: Temperatures = found) -> float:
            log_p = scored.log_p(heads, replace(found, **{head: float(np.exp(log_temperature))}))
            slope, intercept = fit_platt(log_p, scored.right, weights)
            ran = scored.ran
            return log_loss(slope * log_p[ran] + intercept, scored.right[ran].astype(float), weights[ran])

        best = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded", options={"xatol": 0.02}).x
        found = replace(found, **{head: float(np.exp(best))})
    return found


def even_odds(probability: Floats, right: Flags) -> float:
    """Return the probability of an argument's words from which on it is right more often than wrong."""
    if right.all():
        return 0.0
    if not right.any():
        return 1.0
    clipped = np.clip(probability, 1e-6, 1 - 1e-6)
    slope, intercept = fit_platt(np.log(clipped) - np.log1p(-clipped), right, np.ones(len(right)))
    return float(1 / (1 + np.exp(min(700.0, max(-700.0, intercept / slope)))))
