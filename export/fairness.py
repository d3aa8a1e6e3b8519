"""Where the rows of added tools must stand beside trained rows, so that neither kind takes the utterances of the other.

Trained rows were fitted against each other, made rows against nobody. A third of the trained tools at a time is
pretended to be added, from description and examples, and competes with the others on the calibration rows: the bias of
made rows is the one under which most utterances find their tool.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgefn.added.making import RowMaker
from edgefn.added.toolrows import unit
from edgefn.encoder import Floats as Floats32
from edgefn.manifest import Heads, Makers, TrainedTool
from edgefn.metrics import Flags, Floats
from edgefn.rows import Row
from edgefn.tool import Tool

LEAST_TOOLS, LEAST_ROWS = 6, 60
"""With fewer nothing can be told, and the bias stays as trained."""
_EXAMPLES = 5
_FOLDS = 6
_BIASES = np.arange(-15.0, 5.0, 0.25)


@dataclass(frozen=True)
class Answered:
    """What the graph answers to calibration rows."""

    logits: Floats32
    """[rows, tools], "none of these" out of reach."""
    embeddings: Floats32
    """[rows, dim]"""
    gold: NDArray[np.intp]
    """[rows], the row of each utterance's tool."""
    described: dict[int, Floats32]
    """What each tool's description says, by its row."""
    scale: float
    """Of the tool head."""


def fair(makers: Makers, maker: RowMaker, heads: Heads, tools: Sequence[TrainedTool], rows: Sequence[Row]) -> Makers:
    """Return makers whose biases leave the trained tools their utterances; unchanged where the rows are too few."""
    asked = [row for row in rows if row.tool is not None and not isinstance(maker.encoder.encode(row.text), str)]
    if len(tools) < LEAST_TOOLS or len(asked) < LEAST_ROWS:
        return makers
    answered = _answered(maker, heads, tools, asked)
    bare, sharpened = (best_bias(answered, examples) for examples in (0, _EXAMPLES))
    example_bias = (sharpened - bare) * (_EXAMPLES + 1) / _EXAMPLES
    return replace(makers, tool_bias=bare, calibration=replace(makers.calibration, example_bias=example_bias))


def _answered(maker: RowMaker, heads: Heads, tools: Sequence[TrainedTool], rows: Sequence[Row]) -> Answered:
    at = {name: index for index, name in enumerate(heads.tools)}
    scores = [maker.scores(row.text, str(row.tool)) for row in rows]
    logits = np.stack([each.tool_logits for each in scores])
    if None in at:
        logits[:, at[None]] = -np.inf
    described = {
        at[each.name]: maker.rows(Tool.select_only(each.name, each.description, each.parameters)).described
        for each in tools
    }
    gold = np.array([at[row.tool] for row in rows], dtype=np.intp)
    return Answered(logits, np.stack([each.embedding for each in scores]), gold, described, heads.scale)


def best_bias(answered: Answered, examples: int) -> float:
    """Return the bias of made rows under which most utterances find their tool, pretended or trained.

    The middle of all that are within one standard error of the best: the top is flat, its highest point is chance.
    """
    folds = list(_pretended(answered, examples))
    right = np.zeros(len(_BIASES))
    for number, bias in enumerate(_BIASES.tolist()):
        won = [(logits + np.where(made, bias, 0.0)).argmax(1) for logits, made in folds]
        right[number] = np.mean([(each == answered.gold).mean() for each in won])
    best = right.max()
    error = np.sqrt(best * (1 - best) / len(answered.gold))
    return float(_BIASES[right >= best - error].mean())


def _pretended(answered: Answered, examples: int) -> Iterator[tuple[Floats, Flags]]:
    """Yield logits in which some tools are made, and which tools these are."""
    draw = np.random.default_rng(0)
    tools = np.array(sorted(answered.described))
    for _ in range(_FOLDS):
        chosen = draw.permutation(tools)[: max(1, len(tools) // 3)]
        logits = answered.logits.astype(np.float64)
        for tool in chosen.tolist():
            logits[:, tool] = _made(answered, tool, examples, draw)
        yield logits, np.isin(np.arange(logits.shape[1]), chosen)


def _made(answered: Answered, tool: int, examples: int, draw: np.random.Generator) -> Floats32:
    """Return the logits of a tool as if it were added with so many examples; no utterance is one for itself."""
    own = draw.permutation(np.flatnonzero(answered.gold == tool))
    total = answered.described[tool] + answered.embeddings[own[:examples]].sum(0)
    logits: Floats32 = answered.scale * (answered.embeddings @ unit(total))
    for row in own[:examples].tolist():
        others = [each for each in own[: examples + 1].tolist() if each != row]
        without = answered.described[tool] + answered.embeddings[others].sum(0)
        logits[row] = answered.scale * float(answered.embeddings[row] @ unit(without))
    return logits
