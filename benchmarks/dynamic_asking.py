"""What a dispatcher makes of one text while certain tools are there."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

import edgefn
from edgefn.dispatcher import Dispatcher
from edgefn.errors import ToolDefinitionError
from edgefn.metrics import Flags, Floats
from edgefn.outcome import Outcome
from edgefn.tool import Tool

NOW = datetime(2026, 1, 15, 12, 0)
"""The moment at which everything is asked: "tomorrow" must mean the same in every run."""


@dataclass(frozen=True)
class Answer:
    """What became of one text."""

    tool: str | None
    """The best tool, below the threshold too; None where the text never reached the engine."""
    score: float
    """Calibrated P(tool); 0 where the text never reached the engine."""
    arguments: Mapping[str, Any]
    """JSON values of the best tool's arguments."""
    accepted: bool
    """The bundle's own thresholds let the call pass."""
    outcome: Outcome
    """What a person would get: the tool ran, a question, or none of both."""


def open_bundle(path: Path) -> Dispatcher:
    """Open a bundle for which the time stands still; raises EdgefnError."""
    return edgefn.load(path, now=lambda: NOW)


def ask(dispatcher: Dispatcher, text: str) -> Answer:
    """Interpret a text, and decide on it as a device does."""
    found = dispatcher.interpreter.interpret(text, NOW)
    call = dispatcher.predict(text)
    accepted = isinstance(call, edgefn.ToolCall)
    outcome = dispatcher.finish(call) if isinstance(call, edgefn.ToolCall) else call
    if isinstance(found, str):
        return Answer(None, 0.0, {}, accepted, outcome)
    return Answer(found.tool.name, found.tool_probability, dict(found.filled.arguments), accepted, outcome)


@contextmanager
def added(dispatcher: Dispatcher, tools: Iterable[Tool], refused: Counter[str] | None = None) -> Iterator[None]:
    """Add tools for a while; where `refused` is given, a tool that edgefn refuses is counted there and left out."""
    there: list[str] = []
    try:
        for tool in tools:
            try:
                dispatcher.add(tool)
            except ToolDefinitionError as exc:
                if refused is None:
                    raise
                refused[str(exc)] += 1
            else:
                there.append(tool.name)
        yield
    finally:
        for name in there:
            dispatcher.remove(name)


def threshold_keeping(scores: Floats, kept: float) -> float:
    """Return the strictest threshold that at least a share `kept` of the scores reaches; ValueError without scores."""
    if not len(scores):
        raise ValueError("there are no scores to keep a share of")
    return float(np.sort(scores)[::-1][max(0, math.ceil(kept * len(scores) - 1e-9) - 1)])


def reaches(scores: Floats, threshold: float) -> Flags:
    """Tell which scores are accepted; a text that never reached the engine scores 0 and never is."""
    return (scores >= threshold) & (scores > 0)


def scores_of(answers: Sequence[Answer]) -> Floats:
    """Return the scores, [answers]."""
    return np.array([each.score for each in answers], dtype=float)


def share(flags: Iterable[bool] | Flags) -> float | None:
    """Return the share of true flags, rounded; None without any."""
    counted = np.array(flags if isinstance(flags, np.ndarray) else list(flags), dtype=bool)
    return round(float(counted.mean()), 4) if len(counted) else None
