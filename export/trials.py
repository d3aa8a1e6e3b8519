"""Trials of added tools: utterances of tool sets that training never saw, each beside the few tools of a small device.

What a bundle answers to them gives the probabilities and thresholds of tools added later, on the very path that the
device takes: rows made by the quantized encoder, one utterance a pass.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefn.added.decoding import NEVER
from edgefn.added.making import RowMaker
from edgefn.added.toolrows import ToolRows
from edgefn.arguments.filling import Filled
from edgefn.arguments.keys import choice_text, choice_values
from edgefn.arguments.naming import place_of
from edgefn.describing import words_in
from edgefn.encoder import Floats as Floats32
from edgefn.encoder import Scores
from edgefn.errors import DataError
from edgefn.evaluation import meant, same_arguments, whole_call_right
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.manifest import Heads, Makers
from edgefn.metrics import Flags, Floats
from edgefn.outcome import call_text
from edgefn.rows import Row
from edgefn.selection import MOST_TOOLS, log_softmax
from edgefn.tool import Tool

from .scoring import Scored, Softmaxes
from .toolsets import ToolSet, read_tool_sets

HELD_OUT = Path(__file__).with_name("toolsets") / "held_out"
"""The tool sets that general training never sees."""

NOW = datetime(2026, 1, 1, 12)
"""What "tomorrow" is relative to."""
EXAMPLES = 3
"""Examples of every tool in the trials with examples."""
_FEW = 4
"""Tools beside each other in a small trial, at most."""
_SEED = 0


@dataclass(frozen=True)
class Trial:
    """One utterance, and the tools that stand beside each other."""

    row: Row
    """The utterance; its tool is None where the right one is not among them."""
    tools: tuple[str, ...]
    """Names of the tools."""


@dataclass(frozen=True)
class Trials:
    """All trials."""

    trials: tuple[Trial, ...]
    """The trials."""
    sets: tuple[ToolSet, ...]
    """Where their tools come from."""

    @property
    def out_of_scope(self) -> int:
        """How many utterances have no tool beside them that serves."""
        return sum(each.row.tool is None for each in self.trials)

    @property
    def sha256(self) -> str:
        """Digest over all trials."""
        told = [[each.row.text, each.row.tool, *each.tools] for each in self.trials]
        return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()

    def heads(self, trained: Iterable[str | None] = ()) -> Heads:
        """Return all tools, those that were trained among them, as the rows of one head, "none of these" last."""
        names = [tool.name for each in self.sets for tool in each.tools]
        return Heads((*dict.fromkeys([*names, *(each for each in trained if each is not None)]), None))


def read_trials(path: Path = HELD_OUT) -> Trials:
    """Return the trials of the tool sets in a folder, always the same; raises DataError where two share a name."""
    sets = read_tool_sets([path])
    names = Counter(tool.name for each in sets for tool in each.tools)
    if names and (twice := names.most_common(1)[0])[1] > 1:
        raise DataError(f"{path}: two tools are named {twice[0]!r}", hint="rename one: they stand beside each other")
    draw = random.Random(_SEED)
    return Trials(tuple(trial for each in sets for trial in _trials(each, sets, draw)), sets)


def _trials(toolset: ToolSet, sets: Sequence[ToolSet], draw: random.Random) -> Iterator[Trial]:
    """Yield for each utterance: its tool among few, its tool among all of the set, and its tool not there."""
    own = [tool.name for tool in toolset.tools]
    foreign = [tool.name for each in sets if each is not toolset for tool in each.tools]
    for row in toolset.rows:
        others = [name for name in own if name != row.tool]
        if row.tool is not None:
            yield Trial(row, (row.tool, *_some(others, 0, _FEW - 1, draw)))
            yield Trial(row, tuple(own))
        # Where the right tool is gone, half of the time its likest are there, which is hardest, half strangers.
        alike = _likest(row.tool, toolset.tools) if row.tool is not None else ()
        if alike and (not foreign or draw.random() < 0.5):
            rest = alike[: draw.randint(1, _FEW)]
        else:
            rest = _some(foreign if row.tool is not None else others, 1, _FEW, draw)
        if rest:
            yield Trial(replace(row, tool=None, arguments={}, spans=()), rest)


def _likest(name: str, tools: Sequence[Tool]) -> tuple[str, ...]:
    """Return the other tools, those first that share most words with the one named: what a device confuses it with."""
    words = {tool.name: {*words_in(tool.name).split(), *tool.description.lower().split()} for tool in tools}
    own = words.pop(name)
    return tuple(sorted(words, key=lambda other: (-len(own & words[other]) / len(own | words[other]), other)))


def _some(names: Sequence[str], least: int, most: int, draw: random.Random) -> tuple[str, ...]:
    """Return `least` to `most` of the names, as far as there are so many."""
    return tuple(draw.sample(names, min(draw.randint(least, most), len(names))))


@dataclass(frozen=True)
class Tried:
    """What a bundle answered to trials."""

    heads: Heads
    """All tools as the rows of one head."""
    scored: Scored
    """Logits, whole calls."""
    tool_right: Flags
    """[trials], whether the best tool is the right one."""
    support: Floats
    """[trials], how probable the words are that were found for what the best tool requires."""
    log_size: Floats
    """[trials], logarithm of how many tools competed."""
    arguments: Floats
    """Probability of every argument given by the right tool."""
    argument_right: Flags
    """Whether it is right."""


def run_trials(trials: Trials, interpreter: Interpreter, maker: RowMaker, examples: int = 0) -> Tried:
    """Run every trial on the path of the device, tools added with so many of their utterances as examples."""
    rows = {tool.name: maker.rows(tool) for each in trials.sets for tool in each.tools}
    said = _examples(trials, maker) if examples else {}
    empty = interpreter.table
    answers = []
    for trial in trials.trials:
        beside = {name: [each for each in said.get(name, ()) if each[0] != trial.row.text] for name in trial.tools}
        interpreter.table = empty.with_tools(
            reduce(_sharpened, beside[name][:examples], rows[name]) for name in trial.tools
        )
        answers.append(_answer(trial, interpreter, rows))
    interpreter.table = empty
    heads = trials.heads(empty.trained)
    trained = sum(each is not None for each in empty.trained)
    column = {name: at for at, name in enumerate(heads.tools)}
    logits = np.full((len(answers), len(column)), NEVER, dtype=np.float32)
    for at, answer in enumerate(answers):
        for name, logit in answer.logits.items():
            logits[at, column[name]] = logit
    filled = [None if each.found is None else each.found.filled for each in answers]
    scored = Scored(
        logits,
        np.array([each.found is not None for each in answers], dtype=bool),
        np.array([column[each.row.tool] for each in trials.trials], dtype=np.intp),
        column[None],
        np.array([each.row.tool is not None for each in trials.trials], dtype=bool),
        np.array([each.right for each in answers], dtype=bool),
        tuple(each.call for each in answers),
        Softmaxes.of([(at, *word) for at, each in enumerate(filled) for word in _words(each)]),
        Softmaxes.of([(at, each.logits, each.row) for at, one in enumerate(filled) if one for each in one.choices]),
    )
    judged = [pair for each in answers for pair in each.arguments]
    return Tried(
        heads,
        scored,
        np.array([each.tool_right for each in answers], dtype=bool),
        np.array([each.support for each in answers]),
        np.log([min(MOST_TOOLS, len(each.tools) + trained) for each in trials.trials]),
        np.array([score for score, _ in judged]),
        np.array([right for _, right in judged], dtype=bool),
    )


def _examples(trials: Trials, maker: RowMaker) -> dict[str, list[tuple[str, Scores]]]:
    """Return the utterances of every tool with their scores."""
    said: dict[str, list[tuple[str, Scores]]] = {}
    for toolset in trials.sets:
        for row in toolset.rows:
            if row.tool is not None and not isinstance(maker.encoder.encode(row.text), str):
                said.setdefault(row.tool, []).append((row.text, maker.scores(row.text, row.tool)))
    return said


def _sharpened(rows: ToolRows, example: tuple[str, Scores]) -> ToolRows:
    return rows.with_example(*example)


@dataclass(frozen=True)
class _Answer:
    """What one trial gave."""

    found: Interpretation | None = None
    """The call; None where the utterance never reached the engine."""
    logits: dict[str | None, float] = field(default_factory=dict)
    """Of every tool that stood there."""
    right: bool = False
    """Whether the whole call is right."""
    tool_right: bool = False
    """Whether its tool is."""
    support: float = 0.0
    """How probable the words are that were found for what the tool requires."""
    arguments: tuple[tuple[float, bool], ...] = ()
    """Of the right tool: probability of each argument's words, and whether its value is right."""

    @property
    def call(self) -> str:
        """The call as text."""
        return "" if self.found is None else call_text(self.found.tool.name, self.found.filled.arguments)


def _words(filled: Filled | None) -> Iterator[tuple[NDArray[np.float32], int]]:
    """Yield logits and label of every word."""
    if filled is not None and filled.slots is not None:
        yield from zip(filled.slots.logits, filled.slots.labels, strict=True)


def _answer(trial: Trial, interpreter: Interpreter, rows: Mapping[str, ToolRows]) -> _Answer:
    encoded = interpreter.encoder.encode(trial.row.text)
    if isinstance(encoded, str):
        return _Answer()
    scores = interpreter.run(encoded)
    found = interpreter.read(encoded, scores, NOW)
    if isinstance(found, str):
        return _Answer()
    table = interpreter.table
    logits = dict(zip(table.names, table.logits(scores).tolist(), strict=True))
    won = table.added.get(found.tool.name)
    support = won.support(found.filled) if won is not None else 1.0
    if won is None or found.tool.name != trial.row.tool:
        return _Answer(found, logits, support=support)
    gold = with_values(trial.row, rows[found.tool.name])
    said, wanted = (meant(found.tool, each, gold) for each in (found.filled.arguments, gold.arguments))
    arguments = tuple(
        (each.score, same_arguments(_only(said, each.parameter), _only(wanted, each.parameter)))
        for each in found.filled.evidence
        if each.parameter in said
    )
    return _Answer(found, logits, whole_call_right(gold, found), True, support, arguments)


@dataclass(frozen=True)
class ClosedSaid:
    """What one utterance says of one closed parameter of its tool."""

    cosines: Floats32
    """[rows], of *not said* and of every value."""
    named: Floats32
    """[rows], 1 where the value's name stands in the utterance."""
    required: bool
    """Whether the tool requires it."""
    said: int
    """The row that is right."""

    def log_p(self, makers: Makers) -> float:
        """Return log P of what is right under scale, biases and bonus."""
        logits = makers.choice_scale * self.cosines + makers.named_bonus * self.named + makers.value_bias
        logits[0] += (makers.required_unsaid_bias if self.required else makers.unsaid_bias) - makers.value_bias
        return float(log_softmax(logits)[self.said])


def closed_said(trials: Trials, maker: RowMaker) -> list[ClosedSaid]:
    """Return what the utterances say of closed parameters."""
    found = []
    for toolset in trials.sets:
        rows = {tool.name: maker.rows(tool) for tool in toolset.tools}
        for row in toolset.rows:
            asked = rows.get(row.tool or "")
            if asked is not None and asked.heads.choices and not isinstance(maker.encoder.encode(row.text), str):
                found += _closed_said(row, asked, maker.scores(row.text, asked.tool.name))
    return found


def _closed_said(row: Row, rows: ToolRows, scores: Scores) -> Iterator[ClosedSaid]:
    keys = rows.heads.choices
    for parameter in (each for each in rows.tool.parameters if choice_values(each.schema) is not None):
        at = [index for index, key in enumerate(keys) if key[0] == parameter.name]
        values = [keys[index][2] for index in at]
        given = row.arguments.get(parameter.name)
        text = None if given is None else choice_text(given)
        if text in values:
            named = [value is not None and place_of(value, row.text) is not None for value in values]
            cosines = rows.choices[at] @ scores.embedding
            yield ClosedSaid(cosines, np.array(named, np.float32), parameter.required, values.index(text))


def _only(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {name: arguments[name]} if name in arguments else {}


def with_values(row: Row, rows: ToolRows) -> Row:
    """Return a row whose arguments are values as the device reads them; words that give none stay words."""
    return replace(row, arguments={name: _value(rows, name, value) for name, value in row.arguments.items()})


def _value(rows: ToolRows, name: str, given: Any) -> Any:
    if isinstance(given, list):
        return [each for item in given for each in _as_list(_value(rows, name, item))]
    try:
        return rows.filler.read(name, given, NOW).value if isinstance(given, str) else given
    except ValueError:
        return given


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
