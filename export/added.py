"""What a bundle says about tools added on the device: its makers, calibrated on trials."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from edgefn.encoder import Floats as Floats32
from edgefn.manifest import AddedCalibration, CalibrationRows, Heads, Makers
from edgefn.metrics import Flags, Floats, scope_weights

from .calibrate import Goal, calibrate, fit_platt, log_loss
from .model import ToolModel
from .scoring import Scored, Softmaxes, Temperatures
from .trials import EXAMPLES, ClosedSaid, Tried

FILE = "makers.f16"
"""Name of the matrices in a bundle."""
UNFITTED = AddedCalibration(1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, None)
"""What added tools are read with before they are calibrated."""
EVEN = 0.5
"""Where right and wrong are as likely."""
WRONG_TOOLS = 0.1
"""The tool threshold lets at most this share of the trials it accepts be of a wrong tool: what is wrong may run."""
ARGUMENT_LOSS = 0.01
"""The argument threshold turns away at most this share of the arguments that were right."""
_LOG_TEMPERATURES = (-1.5, 2.5)
_CHOICE_BOUNDS = ((0.0, 5.0), *[(-50.0, 50.0)] * 3)
"""Of the scale's logarithm, two biases and the bonus: few trials may leave no doubt, and then nothing else ends it."""


def makers_of(model: ToolModel) -> Makers:
    """Return a model's makers, not yet calibrated."""
    tool, begin, inside, value, unsaid, named = model.makers.bias.tolist()
    return Makers(
        FILE, tool, begin, inside, value, unsaid, unsaid, named,
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


def calibrate_added(
    tried: Tried, with_examples: Tried, rows: CalibrationRows | None, example_bias: float | None = None
) -> AddedCalibration:
    """Fit temperatures, maps and thresholds of added tools on what a bundle answered to trials.

    P(tool) is fitted to "the tool is right", P(call) to "the whole call is right". A tool is taken from the threshold
    on that lets in at most WRONG_TOOLS, an argument from the one on that turns away at most ARGUMENT_LOSS of the right.
    Where the bias of rows with examples is given, P(tool) is fitted to tools with and without them alike.
    """
    scored, heads = tried.scored, tried.heads
    tools = tools_only(tried)
    fitted = calibrate(tools, heads, Goal(), rows)
    weights = scope_weights(scored.in_scope, fitted.out_of_scope_share)
    temperatures = _argument_temperatures(scored, heads, weights, fitted.tool_temperature)
    temperature = Temperatures(tool=fitted.tool_temperature)
    parts = [tried] if example_bias is None else [tried, with_examples]
    log_p, support, log_size, right, weight = (
        np.concatenate(each)
        for each in zip(
            *((tools_only(x).log_p(heads, temperature), x.support, x.log_size, x.tool_right, weights) for x in parts),
            strict=True,
        )
    )
    tool_map = fit_supported(log_p, support, log_size, right, weight)
    ran = np.isfinite(log_p)
    slope, intercept = fit_platt(scored.log_p(heads, temperatures), scored.right, weights)
    return AddedCalibration(
        temperature=fitted.tool_temperature,
        tool_slope=tool_map.slope,
        support_weight=tool_map.support_weight,
        size_weight=tool_map.size_weight,
        tool_intercept=tool_map.intercept,
        slot_temperature=temperatures.slot,
        choice_temperature=temperatures.choice,
        call_slope=slope,
        call_intercept=intercept,
        example_bias=(
            _example_bias(with_examples, fitted.tool_temperature, tool_map) if example_bias is None else example_bias
        ),
        threshold=accepting(tool_map.log_odds(log_p, support, log_size)[ran], right[ran]),
        argument_threshold=loosest(tried.arguments[tried.argument_right]),
        rows=rows,
    )


def _example_bias(tried: Tried, temperature: float, tool_map: ToolMap) -> float:
    """Return the bias under which P(tool), as fitted without examples, is as true of rows made with EXAMPLES.

    A row made in part of utterances lies nearer to utterances, right ones and wrong ones.
    """
    tools, heads = tools_only(tried), tried.heads
    weights = scope_weights(tools.in_scope, float(1 - tools.in_scope.mean()))
    temperatures = Temperatures(tool=temperature)
    added = np.arange(len(heads.tools)) != tools.none
    part = EXAMPLES / (EXAMPLES + 1)

    def loss(bias: float) -> float:
        shifted = replace(tools, logits=tools.logits + np.where(added, np.float32(bias * part), np.float32(0)))
        log_odds = tool_map.log_odds(shifted.log_p(heads, temperatures), tried.support, tried.log_size)[tools.ran]
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


def accepting(log_odds: Floats, right: Flags) -> float:
    """Return the loosest probability from which on at most WRONG_TOOLS of what is accepted is wrong; EVEN at least."""
    order = np.argsort(-log_odds)
    wrong = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(wrong <= WRONG_TOOLS)
    strictest = float(log_odds.max()) if not len(good) else float(log_odds[order[good[-1]]])
    return max(EVEN, 1 / (1 + math.exp(-strictest)))


def loosest(probability_of_right: Floats) -> float:
    """Return the strictest threshold that turns away at most ARGUMENT_LOSS of the arguments that were right."""
    if not len(probability_of_right):
        return 0.0
    return float(np.sort(probability_of_right)[int(ARGUMENT_LOSS * len(probability_of_right))])


@dataclass(frozen=True)
class ToolMap:
    """From log P(tool), support and the number of tools to the log-odds that an added tool is right."""

    slope: float
    """Of log P(tool), positive."""
    support_weight: float
    """Of the support, less one; never negative."""
    size_weight: float
    """Of the logarithm of the number of tools; never negative."""
    intercept: float
    """At P(tool) 1, full support and one tool."""

    def log_odds(self, log_p: Floats, support: Floats, log_size: Floats) -> Floats:
        """Return the log-odds, [rows]."""
        words, tools = self.support_weight * (support - 1.0), self.size_weight * log_size
        return self.slope * log_p + words + tools + self.intercept


def fit_supported(log_p: Floats, support: Floats, log_size: Floats, right: Flags, weights: Floats) -> ToolMap:
    """Fit the map by logistic regression, as `fit_platt` does with one input."""
    ran = np.isfinite(log_p)

    def loss(parameters: Floats) -> float:
        log_odds = _tool_map(parameters).log_odds(log_p[ran], support[ran], log_size[ran])
        return log_loss(log_odds, right[ran].astype(float), weights[ran])

    slope, intercept = fit_platt(log_p, right, weights)
    start = np.array([np.log(slope), 0.5, 0.1, intercept])
    bounds = ((-5.0, 5.0), (0.0, 10.0), (0.0, 3.0), (-20.0, 20.0))
    fitted = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
    return _tool_map(fitted.x)


def _tool_map(parameters: Floats) -> ToolMap:
    slope, support, size, intercept = parameters.tolist()
    return ToolMap(float(np.exp(slope)), support, size, intercept)


def fit_choices(makers: Makers, said: Sequence[ClosedSaid]) -> Makers:
    """Return makers whose choice softmaxes are as true as they can be of what was said: scale, biases and bonus.

    Trained, they are only roughly so: a value that is named is nearly always meant, what is required is mostly said.
    """
    if not said:
        return makers

    def loss(parameters: Floats) -> float:
        return -sum(each.log_p(_with_choices(makers, parameters)) for each in said) / len(said)

    start = np.array([np.log(makers.choice_scale), makers.unsaid_bias, makers.required_unsaid_bias, makers.named_bonus])
    options = {"maxiter": 400, "xatol": 0.01, "fatol": 1e-4}
    fitted = minimize(loss, start, method="Nelder-Mead", bounds=_CHOICE_BOUNDS, options=options)
    return _with_choices(makers, fitted.x)


def _with_choices(makers: Makers, parameters: Floats) -> Makers:
    scale, unsaid, required, named = parameters.tolist()
    return replace(
        makers, choice_scale=float(np.exp(scale)), unsaid_bias=unsaid, required_unsaid_bias=required, named_bonus=named
    )
