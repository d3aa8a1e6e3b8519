"""Where in the text each argument stands: spans for rows that give a value without saying which words it was.

Given spans are brought to whole words. A text is looked up as it is written, or by what people call it; other values
by reading stretches of the text with the reader that the device uses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from edgefn.arguments.keys import choice_text, choice_values, item_schema
from edgefn.arguments.numbers import read_number
from edgefn.arguments.reader import is_name, reader_of, snapshot
from edgefn.iso8601 import PARSERS
from edgefn.rows import Row, Span
from edgefn.schema import SAID_AS, Parameter
from edgefn.tool import Tool
from edgefn.words import Word, words_of

from .data import text_key

_LONGEST = 8
"""How many words a stretch has at most that is read as a value."""
_INFLECTION = 2
"""How many letters a given span may be short of a whole word."""
_NOWS = (datetime(2026, 11, 18), datetime(2026, 11, 18, 12))
"""When the rows may have been said: "six" is 06:00 in one half of the day and 18:00 in the other."""
_NO_START = frozenset(",;:!?\"'()。，！？；：、“”（）")
_NO_END = _NO_START | {".", "…"}
"""Marks that no value begins or ends with, though readers pass over them."""
_LEADING = frozenset(["in", "for", "at", "on", "about", "around", "to", "by", "of", "the", "在", "约", "到"])
"""Words that a value does not begin with where it reads the same without them."""


@dataclass(frozen=True)
class Alignment:
    """How many arguments stand in their rows' texts. Enums and booleans are not counted: they need no words."""

    found: Mapping[str, int]
    """Arguments with a span, by parameter."""
    missing: Mapping[str, int]
    """Arguments without one, by parameter."""

    def to_line(self) -> str:
        """Return one line for people, the parameters that lack most first."""
        found, missing = sum(self.found.values()), sum(self.missing.values())
        line = f"{found:,} of {found + missing:,} arguments stand in the text"
        worst = sorted(self.missing.items(), key=lambda each: (-each[1], each[0]))
        return f"{line}; without words: {', '.join(f'{name} {count:,}' for name, count in worst)}" if worst else line


def alignment(rows: Iterable[Row], tools: Iterable[Tool]) -> Alignment:
    """Count which arguments of `rows` have a span."""
    open_ones = {(tool.name, each.name) for tool in tools for each in tool.parameters if not _is_closed(each)}
    found: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for row in rows:
        spanned = {parameter for _start, _end, parameter in row.spans}
        for name, value in row.arguments.items():
            if value is not None and (row.tool, name) in open_ones:
                (found if name in spanned else missing)[name] += 1
    return Alignment(dict(found), dict(missing))


def aligned(row: Row, parameters: Mapping[str, Parameter]) -> Row:
    """Return the row with its spans at whole words, and spans for arguments that had none where they stand in the text.

    `parameters` are those of the row's tool, by name. Enums and booleans get no new span, lists one an item or none.
    """
    text = _Text(row.text)
    spans = [span for span in map(text.whole_words, row.spans) if span is not None]
    spans = _without_overlaps(_divided(text, spans, row.arguments, parameters))
    had = {parameter for _start, _end, parameter in spans}
    wanted = [name for name in parameters if name in row.arguments and name not in had]
    # Long values first: they leave the fewest places to choose from.
    for name in sorted(wanted, key=lambda name: (-len(choice_text(row.arguments[name])), name)):
        if not _is_closed(parameters[name]):
            spans += text.find_all(parameters[name], _items(row.arguments[name]), spans)
    return replace(row, spans=tuple(sorted(spans)))


def says(parameter: Parameter, text: str, value: Any) -> bool:
    """Tell whether `text`, all of it, says `value`: of a list, one item."""
    if text_key(text) in _forms(parameter, value):
        return True
    return (_is_read(parameter) or is_name(parameter)) and _reads(parameter, text, value)


class _Text:
    """A text and its words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = plain_words(text)

    def whole_words(self, span: Span) -> Span | None:
        """Return a span without spaces around it and widened to whole words; None where it cuts one deeply."""
        start, end, parameter = span
        said = self.text[start:end]
        start, end = start + len(said) - len(said.lstrip()), end - len(said) + len(said.rstrip())
        first = next((word.start for word in self.words if word.start < start < word.end), start)
        last = next((word.end for word in self.words if word.start < end < word.end), end)
        near = start - first <= _INFLECTION and last - end <= _INFLECTION
        return (first, last, parameter) if near and first < last else None

    def find_all(
        self, parameter: Parameter, items: Sequence[Any], taken: Iterable[Span], inside: tuple[int, int] | None = None
    ) -> list[Span]:
        """Return one span for each of `items`, in order, apart from those `taken`; none unless all are found."""
        reached, last = inside or (0, len(self.text))
        spans: list[Span] = []
        for item in items:
            free = self._free([*taken, *spans], reached, last)
            found = self._find(parameter, item, free)
            if found is None:
                return []
            spans.append((*found, parameter.name))
            reached = found[1] if len(items) > 1 else reached
        return spans

    def _free(self, taken: Sequence[Span], first: int, last: int) -> list[list[Word]]:
        """Return the runs of words between `first` and `last` that no span has taken."""
        runs: list[list[Word]] = [[]]
        for word in self.words:
            inside = first <= word.start and word.end <= last
            if inside and not any(start < word.end and word.start < end for start, end, _ in taken):
                runs[-1].append(word)
            elif runs[-1]:
                runs.append([])
        return runs

    def _find(self, parameter: Parameter, value: Any, free: Sequence[Sequence[Word]]) -> tuple[int, int] | None:
        """Return the characters that say a value, in free runs of words; None where none do."""
        for form in sorted(_forms(parameter, value), key=lambda form: (-len(form), form)):
            size = len(plain_words(form))
            for start, end in _stretches(free, size, size):
                if text_key(self.text[start:end]) == form:
                    return start, end
        if not _is_read(parameter):
            return None
        stretches = [each for each in _stretches(free, _LONGEST, 1) if self._may_be_value(*each)]
        if _is_number(value):
            alone = (each for each in stretches if _number(self.text[slice(*each)]) == value)
            found = next(alone, None)
            if found is not None:
                return found
        found = next((each for each in stretches if _reads(parameter, self.text[slice(*each)], value)), None)
        return None if found is None else self._without_leading(parameter, value, *found)

    def _may_be_value(self, start: int, end: int) -> bool:
        return self.text[start] not in _NO_START and self.text[end - 1] not in _NO_END

    def _without_leading(self, parameter: Parameter, value: Any, start: int, end: int) -> tuple[int, int]:
        """Drop prepositions that the reader passes over."""
        words = [word for word in self.words if start <= word.start and word.end <= end]
        for word, after in pairwise(words):
            leads = self.text[word.start : word.end].casefold() in _LEADING
            if not leads or not _reads(parameter, self.text[after.start : end], value):
                break
            start = after.start
        return start, end


def plain_words(text: str) -> list[Word]:
    """Return the words of a text, whatever the tokenizer; `token` counts characters."""
    return words_of(text, ((at, at + 1) for at in range(len(text))))


def _stretches(runs: Sequence[Sequence[Word]], most: int, fewest: int) -> Iterator[tuple[int, int]]:
    """Yield the characters of every stretch of words, the longest first, then from left to right."""
    for size in range(most, fewest - 1, -1):
        for run in runs:
            for first in range(len(run) - size + 1):
                yield run[first].start, run[first + size - 1].end


def _divided(
    text: _Text, spans: Sequence[Span], arguments: Mapping[str, Any], parameters: Mapping[str, Parameter]
) -> list[Span]:
    """Return the spans; where one covers a whole list and all items are found in it, one an item."""
    counts = Counter(parameter for _start, _end, parameter in spans)
    divided: list[Span] = []
    for span in spans:
        start, end, name = span
        value = arguments.get(name)
        several = isinstance(value, list) and len(value) > 1 and counts[name] == 1 and name in parameters
        parts = text.find_all(parameters[name], value or [], [], (start, end)) if several else []
        divided += parts or [span]
    return divided


def _without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Return the spans, of those that overlap the longer."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0] - span[1], span)):
        if not any(span[0] < end and start < span[1] for start, end, _parameter in kept):
            kept.append(span)
    return kept


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _is_closed(parameter: Parameter) -> bool:
    return choice_values(parameter.schema) is not None


def _is_read(parameter: Parameter) -> bool:
    """Tell whether values are read; free text and names are looked up as they are written."""
    schema = item_schema(parameter.schema)
    return schema.get("type") in ("integer", "number", "boolean") or "format" in schema or "enum" in schema


def _forms(parameter: Parameter, value: Any) -> frozenset[str]:
    """Return what is written for a value that is looked up, casefolded; of others only what has words of its own."""
    # As text: to a cache 1, 1.0 and True are one.
    return _forms_of(parameter, choice_text(value), isinstance(value, str))


@lru_cache(maxsize=4096)
def _forms_of(parameter: Parameter, value: str, is_text: bool) -> frozenset[str]:
    said_as = parameter.schema.get(SAID_AS) or snapshot(parameter)
    written = [value] if is_text and "format" not in item_schema(parameter.schema) else []
    return frozenset(filter(None, map(text_key, [*written, *said_as.get(value, ())])))


@lru_cache(maxsize=1024)
def _reader(parameter: Parameter) -> Any:
    return reader_of(parameter)


def _reads(parameter: Parameter, text: str, value: Any) -> bool:
    """Tell whether the parameter's reader reads `value` from `text`."""
    return any(_same(parameter, _read(parameter, text, now), value) for now in _NOWS)


def _read(parameter: Parameter, text: str, now: datetime) -> Any:
    try:
        return _reader(parameter).read(text, now).value
    except (ValueError, OverflowError):
        return None


def _same(parameter: Parameter, read: Any, value: Any) -> bool:
    """Tell whether two JSON values are one: numbers by value, moments whatever they are written like."""
    parse = PARSERS.get(str(item_schema(parameter.schema).get("format")))
    if parse is None or not isinstance(read, str) or not isinstance(value, str):
        return bool(read == value) and isinstance(read, bool) == isinstance(value, bool)
    try:
        return bool(parse(read) == parse(value))
    except (ValueError, TypeError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(text: str) -> int | float | None:
    try:
        return read_number(text)
    except ValueError:
        return None
