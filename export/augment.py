"""More training rows from those there are: other values in the same sentences, and typing errors.

What is made is as consistent as what it is made from: spans still mark the words that say the arguments.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import Any

from edgefn.arguments.keys import Slot, choice_text, item_schema, type_of
from edgefn.checking import validator_of
from edgefn.rows import Row, Span
from edgefn.schema import Parameter
from edgefn.tool import Tool
from edgefn.words import is_chinese

from .align import says

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_CHINESE_NUMBERS = frozenset("〇零一二两三四五六七八九十百千万亿半几")
"""Characters that are as little mistyped as digits: the number would be another."""
_SHORTEST = 3
"""How many letters a word has at least that is mistyped."""
_TRIES = 5
"""How many values are tried in a place before it is left as it is."""
_OPEN = 20
"""How many values an open slot has at least: any other would do. The values of closed ones decide what else is said."""
_SWAPPED_SHARE = 0.6
"""Share of a row's open places that get another value, one at least."""


@dataclass(frozen=True)
class _Said:
    """A value and the words of a row that say it."""

    value: Any
    """JSON value, of a list one item."""
    words: str
    """As written in the row."""


@dataclass(frozen=True)
class _Place:
    """A span that says a value, which another value can take."""

    span: Span
    """Where."""
    item: int | None
    """Which item of a list argument; None where the argument is the value."""
    said: _Said
    """What stands there."""


class Values:
    """What training rows say for every parameter: the values that may take each other's place."""

    def __init__(self, rows: Iterable[Row], tools: Iterable[Tool], least: int = _OPEN) -> None:
        """Collect the values of all spans that say their argument, by parameter and type; swap those of `least`."""
        self._least = least
        self._parameters = {tool.name: {each.name: each for each in tool.parameters} for tool in tools}
        said: dict[Slot, dict[tuple[str, str], _Said]] = {}
        for row in rows:
            for place in self._places(row):
                key = choice_text(place.said.value), place.said.words
                said.setdefault(self._slot(row, place), {})[key] = place.said
        self._said = {slot: [each[key] for key in sorted(each)] for slot, each in said.items()}

    def swapped(self, row: Row, random: Random) -> Row:
        """Return the row with some of its open spans, drawn by `random`, saying other values; itself where none can."""
        places = [place for place in self._places(row) if len(self._said[self._slot(row, place)]) >= self._least]
        # From the end on, so that the places before stay where they are.
        for place in sorted(places, key=lambda each: each.span, reverse=True):
            if len(places) == 1 or random.random() < _SWAPPED_SHARE:
                row = self._replaced(row, place, random)
        return row

    def _replaced(self, row: Row, place: _Place, random: Random) -> Row:
        """Return the row with another value in one place; itself where none of a few fits."""
        parameter = self._parameters[row.tool or ""][place.span[2]]
        others = [each for each in self._said[self._slot(row, place)] if each.words != place.said.words]
        for other in random.sample(others, min(_TRIES, len(others))):
            # Tools share a parameter's values, but not their bounds, enums and names.
            if says(parameter, other.words, other.value) and _fits(parameter, other.value):
                return _with(row, place, other)
        return row

    def _slot(self, row: Row, place: _Place) -> Slot:
        parameter = self._parameters[row.tool or ""][place.span[2]]
        return parameter.name, type_of(parameter.schema)

    def _places(self, row: Row) -> list[_Place]:
        """Return the spans of a row whose words, and no others, say their argument or item."""
        places: list[_Place] = []
        for name, parameter in self._parameters.get(row.tool or "", {}).items():
            spans = sorted(span for span in row.spans if span[2] == name)
            if spans and name in row.arguments and _are_alone(row.spans, spans):
                places += _said_by(row, parameter, spans)
        return places


def mistyped(row: Row, random: Random, characters: str = "") -> Row:
    """Return the row with one character inserted, left out, replaced or exchanged with the next, drawn by `random`.

    Only inside of words and of runs of Chinese, never in numbers; spans move along, arguments stay. Chinese characters
    to write are drawn from `characters` (see `chinese_in`). The row itself where it has no word that is long enough.
    """
    runs = _runs(row)
    if not runs:
        return row
    start, end = random.choice(runs)
    written = characters if is_chinese(row.text[start]) else _LATIN if row.text[start].isascii() else ""
    edits = ["delete", "transpose", *(["insert", "substitute"] if written else [])]
    return _edited(row, start, end, random.choice(edits), written, random)


def chinese_in(rows: Iterable[Row]) -> str:
    """Return the Chinese characters of all rows but numbers, each once, sorted: what `mistyped` writes."""
    found = {each for row in rows for each in row.text if is_chinese(each)}
    return "".join(sorted(found - _CHINESE_NUMBERS))


def augmented(rows: Sequence[Row], tools: Sequence[Tool], swaps: int, typos: int, seed: int) -> tuple[Row, ...]:
    """Return `swaps` rows with another value and `typos` rows with a typing error, made from training `rows`.

    Fewer where rows drawn cannot be changed. The same arguments give the same rows.
    """
    random, values, characters = Random(seed), Values(rows, tools), chinese_in(rows)
    drawn = [random.choice(rows) for _ in range(swaps + typos)]
    made = [values.swapped(row, random) for row in drawn[:swaps]]
    made += [mistyped(row, random, characters) for row in drawn[swaps:]]
    return tuple(new for new, old in zip(made, drawn, strict=True) if new is not old)


# ---- other values ----------------------------------------------------------------------------------------


def _said_by(row: Row, parameter: Parameter, spans: Sequence[Span]) -> list[_Place]:
    """Return one place a span; none where any span does not say its value."""
    argument = row.arguments[parameter.name]
    several = isinstance(argument, list)
    items = argument if several else [argument]
    if len(items) != len(spans):
        return []
    said = [_Said(value, row.text[start:end]) for value, (start, end, _name) in zip(items, spans, strict=True)]
    if not all(says(parameter, each.words, each.value) for each in said):
        return []
    return [_Place(span, at if several else None, said[at]) for at, span in enumerate(spans)]


def _fits(parameter: Parameter, value: Any) -> bool:
    """Tell whether a value, of a list one item, keeps the bounds of its parameter."""
    return bool(validator_of(parameter.name, item_schema(parameter.schema)).is_valid(value))


def _are_alone(spans: Iterable[Span], some: Sequence[Span]) -> bool:
    """Tell whether none of `some` shares characters with another of `spans`."""
    return all(a[1] <= b[0] or b[1] <= a[0] for a in some for b in spans if a is not b)


def _with(row: Row, place: _Place, other: _Said) -> Row:
    """Return the row with another value said at a place."""
    start, end, name = place.span
    value = other.value
    if place.item is not None:
        items = list(row.arguments[name])
        items[place.item] = value
        value = items
    text = row.text[:start] + other.words + row.text[end:]
    spans = _moved(row.spans, end, len(other.words) - (end - start))
    return replace(row, text=text, arguments={**row.arguments, name: value}, spans=spans)


def _moved(spans: Iterable[Span], at: int, by: int) -> tuple[Span, ...]:
    """Return the spans after `by` characters were added just before the character `at`, or taken away there."""
    return tuple((start + by * (start >= at), end + by * (end >= at), name) for start, end, name in spans)


# ---- typing errors ---------------------------------------------------------------------------------------


def _runs(row: Row) -> list[tuple[int, int]]:
    """Return where to mistype: runs of letters, or of Chinese, cut at the edges of spans, without numbers."""
    edges = {edge for start, end, _name in row.spans for edge in (start, end)}
    runs: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(row.text) + 1):
        if at == len(row.text) or at in edges or not _same_run(row.text[at - 1], row.text[at]):
            runs.append((start, at))
            start = at
    return [(start, end) for start, end in runs if _can_mistype(row.text, start, end)]


def _same_run(before: str, after: str) -> bool:
    if is_chinese(before) or is_chinese(after):
        return is_chinese(before) and is_chinese(after)
    return before.isalnum() and after.isalnum()


def _can_mistype(text: str, start: int, end: int) -> bool:
    run = text[start:end]
    if is_chinese(run[0]):
        return len(run) > 1 and not _CHINESE_NUMBERS.intersection(run)
    return len(run) >= _SHORTEST and run.isalpha()


def _edited(row: Row, start: int, end: int, edit: str, written: str, random: Random) -> Row:
    """Return the row after one edit in the run `start` to `end`."""
    text = row.text
    if edit == "insert":
        at = random.randrange(start + 1, end)
        return replace(row, text=text[:at] + random.choice(written) + text[at:], spans=_moved(row.spans, at, 1))
    if edit == "delete":
        at = random.randrange(start, end)
        return replace(row, text=text[:at] + text[at + 1 :], spans=_moved(row.spans, at + 1, -1))
    if edit == "substitute":
        at = random.randrange(start, end)
        others = written.replace(text[at], "")
        return replace(row, text=text[:at] + random.choice(others) + text[at + 1 :]) if others else row
    unlike = [at for at, (one, next_one) in enumerate(pairwise(text[start:end]), start) if one != next_one]
    if not unlike:
        return row
    at = random.choice(unlike)
    return replace(row, text=text[:at] + text[at + 1] + text[at] + text[at + 2 :])
