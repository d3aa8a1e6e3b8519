"""Saying what templates stand for: rows drawn with a seed, each slot's characters and value kept."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.intents import RangeFractionType, RangeSlotList, TextSlotList
from hassil.util import CJK_WHITESPACE

from edgefn.rows import Row

from .templates import Template, Templates

_MISSES = 20  # repeated sentences in a row after which a template counts as nearly said out
_LISTED = 5000  # sentences of such a template that are gone through one by one


class _NothingToSay(Exception):
    """A list has no value that fits the context."""


class _Said:
    """One sentence as it is said; `choose(n)` decides each choice among n."""

    def __init__(self, template: Template, choose: Callable[[int], int]) -> None:
        self.scope, self.choose = template.scope, choose
        self.text = ""
        self.slots: list[tuple[int, int, str, Any]] = []
        self.say(template.expression)

    def say(self, node: Expression) -> None:
        match node:
            case TextChunk():
                self.text += node.original_text
            case RuleReference():
                self.say(self.scope.rules[node.rule_name])
            case ListReference():
                start = len(self.text)
                value = self.say_value(node)
                if not node.is_capture:
                    self.slots.append((start, len(self.text), node.slot_name, value))
            case Alternative():
                self.say(node.items[self.choose(len(node.items))])
            case Permutation():
                left = list(node.items)
                while left:
                    self.say(left.pop(self.choose(len(left))))
            case Group():
                for item in node.items:
                    self.say(item)

    def say_value(self, ref: ListReference) -> Any:
        """Say one value of a list and return what it is worth; None stands for the words themselves."""
        match self.scope.listed(ref):
            case TextSlotList(values=[_, *_] as values):
                value = values[self.choose(len(values))]
                self.say(value.text_in)
                return value.value_out
            case RangeSlotList() as numbers:
                whole = range(numbers.start, numbers.stop + 1, numbers.step)
                parts = [0, *RangeFractionType.get_fractions(numbers.fraction_type)]
                number = whole[self.choose(len(whole))] + parts[self.choose(len(parts))]
                self.text += str(number)
                return number if numbers.multiplier is None else number * numbers.multiplier
        raise _NothingToSay


def _row(template: Template, choose: Callable[[int], int]) -> Row | None:
    """Return one sentence as a row; None when the sentence or one of its slots has no words."""
    try:
        said = _Said(template, choose)
    except _NothingToSay:
        return None
    text, moved = _tidy(said.text, template.joined)
    spans: list[tuple[int, int, str]] = []
    values: dict[str, list[Any]] = {}
    for start, end, name, value in sorted(said.slots, key=lambda slot: slot[:3]):
        words = said.text[start:end]
        if not words.strip():
            return None
        first, last = start + len(words) - len(words.lstrip()), start + len(words.rstrip()) - 1
        spans.append((moved[first], moved[last] + 1, name))
        values.setdefault(name, []).append(text[moved[first] : moved[last] + 1] if value is None else value)
    # A parameter that is said twice is a list, in the order of the words.
    arguments = {name: each if len(each) > 1 else each[0] for name, each in values.items()}
    return Row(text, template.tool, {**template.constants, **arguments}, tuple(spans), template.lang) if text else None


def _tidy(raw: str, joined: bool) -> tuple[str, list[int]]:
    """Return a text as hassil normalises its white space, and where each character of `raw` went."""
    gone = {place for gap in CJK_WHITESPACE.finditer(raw) for place in range(*gap.span())} if joined else set()
    gone |= {gap.start() + i for gap in re.finditer(r"\s+", raw) for i in range(1, len(gap[0]))}
    gone |= {*range(len(raw) - len(raw.lstrip())), *range(len(raw.rstrip()), len(raw))}
    kept = [place not in gone for place in range(len(raw))]
    text = "".join(" " if char.isspace() else char for char, keep in zip(raw, kept, strict=True) if keep)
    return text, [0, *itertools.accumulate(map(int, kept))][:-1]


class _Odometer:
    """Choices that count through every combination, the last one turning fastest."""

    def __init__(self) -> None:
        self.digits: list[int] = []
        self.sizes: list[int] = []

    def choose(self, size: int) -> int:
        self.sizes.append(size)
        if len(self.sizes) > len(self.digits):
            self.digits.append(0)
        return self.digits[len(self.sizes) - 1]

    def turn(self) -> bool:
        """Go to the next combination; False when all were there."""
        while self.digits and self.digits[-1] + 1 == self.sizes[len(self.digits) - 1]:
            self.digits.pop()
        self.sizes.clear()
        if self.digits:
            self.digits[-1] += 1
        return bool(self.digits)


def _every(template: Template) -> Iterator[Row | None]:
    """Yield all sentences of a template in order."""
    odometer, more = _Odometer(), True
    while more:
        yield _row(template, odometer.choose)
        more = odometer.turn()


def _new_rows(template: Template, seen: set[str], rng: random.Random) -> Iterator[Row]:
    """Yield rows whose text is not in `seen`, which they join.

    Every choice is drawn evenly, so that an optional part is left out half of the time however much it could
    say. When that only repeats itself, what is left is gone through in order.
    """
    misses = 0
    while misses < _MISSES:
        row = _row(template, rng.randrange)
        misses += 1
        if row is not None and row.text not in seen:
            misses = 0
            seen.add(row.text)
            yield row
    for row in itertools.islice(_every(template), _LISTED):
        if row is not None and row.text not in seen:
            seen.add(row.text)
            yield row


def expand(templates: Templates, per_tool: int, seed: int) -> list[Row]:
    """Return up to `per_tool` rows for every tool, no text twice, the same for the same seed everywhere.

    A tool's templates take turns, so that one with a million combinations counts no more than one with ten;
    a template drops out when it has nothing new to say. A text that two tools could say goes to the first by
    name.
    """
    seen: set[str] = set()
    rows: list[Row] = []
    for tool in templates.tools:
        # Seeded by name: another tool's templates change nothing here.
        rng = random.Random(f"{seed} {tool}")
        turns = [_new_rows(each, seen, rng) for each in templates.items if each.tool == tool]
        rng.shuffle(turns)
        wanted = len(rows) + per_tool
        while turns and len(rows) < wanted:
            for turn in turns[: wanted - len(rows)]:
                row = next(turn, None)
                if row is None:
                    turns.remove(turn)
                else:
                    rows.append(row)
    return rows
