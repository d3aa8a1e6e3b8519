"""Choices from the sentence head: the value of a closed parameter, said in any words, or *not said*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgefn.arguments.keys import ChoiceGroup, allowed_rows, choice_text, choice_value
from edgefn.manifest import Heads


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best row of one parameter's softmax."""

    logits: NDArray[np.float32]
    """[rows], only those that the tool's parameter may take."""
    row: int
    """The best of them."""
    score: float
    """Its probability, 0..1, before any temperature."""


class Choice:
    """Reads one parameter of one tool."""

    def __init__(self, heads: Heads, group: ChoiceGroup, schema: Mapping[str, Any]) -> None:
        """Take the rows of `group` that `schema`, the parameter's, allows; *not said* is one of them."""
        rows = allowed_rows(group, heads, schema)
        self._rows = np.array(rows, dtype=np.intp)
        self.texts: tuple[str | None, ...] = tuple(heads.choices[row][2] for row in rows)
        """The value of each row as text; None is *not said*."""
        self._type = group.type
        self._row_of = {text: at for at, text in enumerate(self.texts)}

    def choose(self, choice_logits: NDArray[np.float32]) -> Chosen:
        """Return the best row under `choice_logits` [choices]."""
        logits = choice_logits.take(self._rows)
        best = int(logits.argmax())
        return Chosen(logits, best, float(1 / np.exp(logits - logits[best]).sum()))

    def value(self, row: int) -> Any:
        """Return the JSON value that a row stands for; None is *not said*."""
        text = self.texts[row]
        return None if text is None else choice_value(self._type, text)

    def row_of(self, value: Any) -> int | None:
        """Return the row of a JSON value, that of *not said* for a value that has none; None where neither is there."""
        row = None if value is None else self._row_of.get(choice_text(value))
        return self._row_of.get(None) if row is None else row
