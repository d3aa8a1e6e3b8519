"""What a graph answers to rows with known calls, kept as logits: whatever is fitted on them is fitted later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgefn.evaluation import now_of, whole_call_right
from edgefn.interpreter import Interpreter
from edgefn.manifest import Calibration, Heads
from edgefn.metrics import Flags, Floats
from edgefn.outcome import call_text
from edgefn.rows import Row
from edgefn.selection import log_softmax

NEUTRAL = Calibration(1.0, 1.0, 1.0, 1.0, 0.0, 0.0, "fixed", 0.0, None, "not calibrated", 0.0, None)
"""What a graph is read with before it is calibrated."""


@dataclass(frozen=True)
class Softmaxes:
    """Softmaxes of one head, over all rows: the words of every utterance, or the choices of every call."""

    logits: NDArray[np.float32]
    """[softmaxes, most labels], filled up with -inf."""
    taken: NDArray[np.intp]
    """[softmaxes], the label that the call took."""
    row: NDArray[np.intp]
    """[softmaxes], the row it belongs to."""

    @classmethod
    def of(cls, found: Sequence[tuple[int, NDArray[np.float32], int]]) -> Softmaxes:
        """Join softmaxes, each given as row, logits [labels] and the label taken."""
        logits = np.full((len(found), max((len(each) for _, each, _ in found), default=1)), -np.inf, dtype=np.float32)
        for at, (_, each, _) in enumerate(found):
            logits[at, : len(each)] = each
        taken, row = (np.array([each[part] for each in found], dtype=np.intp) for part in (2, 0))
        return cls(logits, taken, row)

    def log_p(self, temperature: float, rows: int) -> Floats:
        """Return the log of the product of each row's probabilities, [rows]."""
        if not len(self.row):
            return np.zeros(rows)
        each = log_softmax(self.logits / temperature)[np.arange(len(self.taken)), self.taken]
        return np.bincount(self.row, each, minlength=rows)

    def subset(self, rows: NDArray[np.intp]) -> Softmaxes:
        """Return those of some rows, numbered anew."""
        at = {row: new for new, row in enumerate(rows.tolist())}
        kept = np.array([row in at for row in self.row.tolist()], dtype=bool)
        new = np.array([at[row] for row in self.row[kept].tolist()], dtype=np.intp)
        return Softmaxes(self.logits[kept], self.taken[kept], new)


@dataclass(frozen=True)
class Temperatures:
    """One a head."""

    tool: float = 1.0
    """Of `tool_logits`."""
    slot: float = 1.0
    """Of `slot_logits`."""
    choice: float = 1.0
    """Of `choice_logits`."""

    @classmethod
    def of(cls, calibration: Calibration) -> Temperatures:
        """Return those of a calibration."""
        return cls(calibration.tool_temperature, calibration.slot_temperature, calibration.choice_temperature)


@dataclass(frozen=True)
class Scored:
    """What a graph answers to every row, before any calibration."""

    logits: NDArray[np.float32]
    """[rows, tools]; zero for rows that never reached the engine."""
    ran: Flags
    """[rows], False for those."""
    gold: NDArray[np.intp]
    """[rows], index of the row's tool in the head; that of "none of these", or -1, out of scope."""
    none: int
    """Index of "none of these" in the head, or -1."""
    in_scope: Flags
    """[rows]"""
    right: Flags
    """[rows], the whole call of the best tool is the row's; never out of scope."""
    calls: tuple[str, ...]
    """The call of the best tool, as text."""
    slots: Softmaxes
    """A softmax for every word, over the labels of the best tool."""
    choices: Softmaxes
    """A softmax for every closed parameter of the best tool."""

    def log_p(self, heads: Heads, temperatures: Temperatures) -> Floats:
        """Return log P(call) of the best tool, [rows]; -inf for rows that never reached the engine."""
        log_p = log_softmax(self.logits / temperatures.tool)
        if None in heads.tools:
            log_p[:, heads.tools.index(None)] = -np.inf
        best = log_p.max(axis=1)
        best += self.slots.log_p(temperatures.slot, len(best)) + self.choices.log_p(temperatures.choice, len(best))
        return np.where(self.ran, best, -np.inf)

    def tool_right(self, heads: Heads) -> Flags:
        """Return whether the best tool is the row's, "none of these" left out, [rows]."""
        logits = self.logits.copy()
        if None in heads.tools:
            logits[:, heads.tools.index(None)] = -np.inf
        return self.ran & self.in_scope & (logits.argmax(axis=1) == self.gold)

    def decisions(self) -> list[str]:
        """Return what wins each row: the call, or "" where "none of these" does."""
        none_won = self._none_won()
        return ["" if none else call for call, none in zip(self.calls, none_won, strict=True)]

    def decided_right(self) -> Flags:
        """Return whether what wins is right, "none of these" out of scope included, [rows]."""
        none_won = self._none_won()
        return np.where(self.in_scope, self.right & ~none_won, none_won)

    def _none_won(self) -> Flags:
        return self.ran & (self.logits.argmax(axis=1) == self.none)

    def subset(self, rows: NDArray[np.intp]) -> Scored:
        """Return some of the rows."""
        return Scored(
            self.logits[rows], self.ran[rows], self.gold[rows], self.none, self.in_scope[rows], self.right[rows],
            tuple(self.calls[row] for row in rows), self.slots.subset(rows), self.choices.subset(rows),
        )  # fmt: skip


def score(interpreter: Interpreter, heads: Heads, rows: Sequence[Row]) -> Scored:
    """Run every row alone and unpadded, as the device does."""
    index = {name: row for row, name in enumerate(heads.tools)}
    none = index.get(None, -1)
    logits = np.zeros((len(rows), len(heads.tools)), dtype=np.float32)
    ran, right = np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    calls = [""] * len(rows)
    slots, choices = [], []
    for at, row in enumerate(rows):
        encoded = interpreter.encoder.encode(row.text)
        if isinstance(encoded, str):
            continue
        scores = interpreter.encoder.run(encoded)
        found = interpreter.read(encoded, scores, now_of(row))
        logits[at], ran[at], right[at] = scores.tool_logits, True, whole_call_right(row, found)
        calls[at] = call_text(found.tool.name, found.filled.arguments)
        if (words := found.filled.slots) is not None:
            slots += [(at, *word) for word in zip(words.logits, words.labels, strict=True)]
        choices += [(at, each.logits, each.row) for each in found.filled.choices]
    gold = np.array([none if row.tool is None else index[row.tool] for row in rows], dtype=np.intp)
    in_scope = np.array([row.tool is not None for row in rows], dtype=bool)
    return Scored(logits, ran, gold, none, in_scope, right, tuple(calls), Softmaxes.of(slots), Softmaxes.of(choices))
