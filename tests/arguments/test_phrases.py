"""Every phrase of `phrases/*.jsonl`, written before the grammars, means what it says there; null is refused."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from edgefn.arguments.booleans import read_boolean
from edgefn.arguments.dates import read_date
from edgefn.arguments.durations import read_duration
from edgefn.arguments.lists import split_list
from edgefn.arguments.moments import read_moment
from edgefn.arguments.numbers import read_number
from edgefn.arguments.quantities import read_quantity
from edgefn.arguments.times import read_time
from edgefn.iso8601 import parse_date, parse_datetime, parse_duration, parse_time

NOW = datetime(2026, 11, 18, 10, 30)
READERS = {
    "numbers": (read_number, lambda value: pytest.approx(value)),
    "quantities": (
        lambda text: (found := read_quantity(text)) and (found.value, found.unit),
        lambda value: (pytest.approx(value["value"]), value["unit"]),
    ),
    "durations": (read_duration, parse_duration),
    "times": (lambda text: read_time(text, NOW), parse_time),
    "dates": (lambda text: read_date(text, NOW), parse_date),
    "moments": (lambda text: read_moment(text, NOW), parse_datetime),
    "booleans": (read_boolean, bool),
    "lists": (split_list, list),
}
FOLDER = Path(__file__).parent / "phrases"


def phrases() -> list:
    """Return every phrase with the name of its file."""
    return [
        pytest.param(kind, phrase, id=f"{kind}-{phrase['text']}")
        for kind in READERS
        for phrase in map(json.loads, (FOLDER / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines())
    ]


@pytest.mark.parametrize(("kind", "phrase"), phrases())
def test_phrase(kind, phrase):
    read, right = READERS[kind]
    if phrase["value"] is None:
        try:
            assert read(phrase["text"]) is None
        except ValueError as exc:
            assert str(exc)  # a reason, in a sentence
    else:
        assert read(phrase["text"]) == right(phrase["value"])


def test_there_are_enough_of_both_languages():
    every = [param.values[1] for param in phrases()]
    assert len(every) >= 300
    assert all(sum(phrase["lang"] == lang for phrase in every) >= 100 for lang in ("en", "zh"))
    assert sum(phrase["value"] is None for phrase in every) >= 50
