"""One parameter of a tool: its two views combined, its value read and checked.

The slot head gives spans, the choice head a row. Words that read as a value say more than a guess; a guess says more
than words that read as nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from edgefn.arguments.choices import Choice, Chosen
from edgefn.arguments.keys import choice_values, is_list, item_schema
from edgefn.arguments.reader import Reader, Reading, TextReader, items_in, reader_of
from edgefn.arguments.spans import Span
from edgefn.checking import expectation, validator_of
from edgefn.errors import EdgefnError, NamesUnavailable
from edgefn.outcome import Evidence
from edgefn.schema import Parameter, without_null

_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern"}
_BOUNDS |= {"minItems", "maxItems"}


@dataclass(frozen=True, slots=True)
class Said:
    """What was found for one parameter."""

    value: Any = None
    """Its JSON value; None where nothing was said, or nothing that fits."""
    evidence: tuple[Evidence, ...] = ()
    """Where it came from."""
    error: EdgefnError | None = None
    """Why it could not be looked up."""


@dataclass(frozen=True)
class Field:
    """One parameter of the tool, and how it is read."""

    parameter: Parameter
    """The parameter."""
    choice: Choice | None
    """Its rows in the choice head."""

    @cached_property
    def reader(self) -> Reader:
        """Reads one value."""
        return reader_of(self.parameter)

    @cached_property
    def is_list(self) -> bool:
        """True where it takes several values."""
        return is_list(self.parameter.schema)

    @cached_property
    def expected(self) -> str:
        """What its value is checked against, in words."""
        return expectation(self.parameter.schema)

    @cached_property
    def _validator(self) -> Any:
        """Checks the bounds; None where the reader can give nothing that does not fit."""
        schema = self.parameter.schema
        bounded = _BOUNDS & (without_null(schema).keys() | item_schema(schema).keys())
        return validator_of(self.parameter.name, self.parameter.schema) if bounded else None

    def check(self, value: Any) -> None:
        """Raise ValueError where the value is out of bounds."""
        if self._validator is not None and not self._validator.is_valid(value):
            raise ValueError(f"{value!r} does not fit: what is expected is {self.expected}")

    def read(self, text: str, now: datetime) -> Reading:
        """Return the value that `text` as a whole gives this parameter; ValueError where it gives none."""
        if not self.is_list:
            reading: Reading = self.reader.read(text, now)
        else:
            items = self.read_items(items_in(text), now)
            reading = Reading([item.value for item in items], items[0].normaliser, min(item.score for item in items))
        self.check(reading.value)
        return reading

    def read_items(self, texts: Sequence[str], now: datetime) -> list[Reading]:
        """Return the items of a list; ValueError where there is none, or one that gives no value."""
        if not texts:
            raise ValueError("nothing was said")
        return [self.reader.read(text, now) for text in texts]

    def guess(self, chosen: Chosen | None) -> Any:
        """Return the JSON value that the choice head gives; None where it says that nothing was said."""
        return None if self.choice is None or chosen is None else self.choice.value(chosen.row)

    def standing_for(self, chosen: Chosen, said: Said) -> Chosen:
        """Return the row that stands for the value given: of what an open parameter's words say, that is *not said*."""
        if self.choice is None or said.value is None or not any(each.end > each.start for each in said.evidence):
            return chosen
        closed = choice_values(self.parameter.schema) is not None
        row = self.choice.row_of(said.value if closed else None)
        return chosen if row is None or row == chosen.row else Chosen(chosen.logits, row, chosen.score)


def resolve(field: Field, spans: list[Span], chosen: Chosen | None, text: str, now: datetime) -> Said:
    """Combine the two views of one parameter."""
    guess = field.guess(chosen)
    if not spans:
        return Said() if guess is None or chosen is None else _guessed(field, guess, chosen)
    try:
        return _from_spans(field, spans, text, now)
    except NamesUnavailable as exc:
        return Said(None, _unfit(field, spans, text, exc.message), exc)
    except ValueError as exc:
        if guess is not None and chosen is not None:
            return _guessed(field, guess, chosen)
        return Said(None, _unfit(field, spans, text, str(exc)))


def _guessed(field: Field, value: Any, chosen: Chosen) -> Said:
    """Return the choice head's value; of a list, the row stands for its only item."""
    value = [value] if field.is_list else value
    return Said(value, (Evidence(field.parameter.name, 0, 0, "", chosen.score, "choice", field.expected),))


def _unfit(field: Field, spans: Sequence[Span], text: str, problem: str) -> tuple[Evidence, ...]:
    name = field.parameter.name
    return tuple(
        Evidence(name, each.start, each.end, text[each.start : each.end], each.score, "", field.expected, problem)
        for each in spans
    )


def _from_spans(field: Field, spans: list[Span], text: str, now: datetime) -> Said:
    """Read the spans; ValueError where they give no value, or more than one."""
    if field.is_list:
        readings = field.read_items([item for each in spans for item in _items(text, each, spans)], now)
        value: Any = [each.value for each in readings]
    else:
        spans, readings = _single(field, spans, text, now)
        value = readings[0].value
    field.check(value)
    return Said(
        value, tuple(_evidence(field, each, readings[at % len(readings)], text) for at, each in enumerate(spans))
    )


def _items(text: str, span: Span, spans: Sequence[Span]) -> list[str]:
    said = text[span.start : span.end]
    return items_in(said) if len(spans) == 1 else [said]


def _single(field: Field, spans: list[Span], text: str, now: datetime) -> tuple[list[Span], list[Reading]]:
    """Return the one value of several spans: all the same, or one phrase that was cut in two."""
    if len(spans) == 1:
        return spans, [field.reader.read(text[spans[0].start : spans[0].end], now)]
    from edgefn.arguments.normal import normalise

    texts = list(dict.fromkeys(normalise(text[each.start : each.end]) for each in spans))
    if len(texts) > 1 and (_touching(spans, text) or not isinstance(field.reader, TextReader)):
        whole = Span(spans[0].parameter, spans[0].start, spans[-1].end, min(each.score for each in spans))
        try:
            return [whole], [field.reader.read(text[whole.start : whole.end], now)]
        except ValueError:  # then each of them is a value of its own
            pass
    readings = [field.reader.read(text[each.start : each.end], now) for each in spans]
    values = list({repr(each.value): each.value for each in readings}.values())
    if len(values) > 1 and len(texts) > 1:
        said = " and ".join(repr(text[each.start : each.end]) for each in spans)
        raise ValueError(f"{said} contradict each other")
    return spans, readings


def _touching(spans: Sequence[Span], text: str) -> bool:
    """Tell whether nothing but space stands between each span and the next: one phrase, for free text."""
    return all(not text[one.end : other.start].strip() for one, other in pairwise(spans))


def _evidence(field: Field, span: Span, reading: Reading, text: str) -> Evidence:
    said, score = text[span.start : span.end], span.score * reading.score
    return Evidence(field.parameter.name, span.start, span.end, said, score, reading.normaliser, field.expected)
