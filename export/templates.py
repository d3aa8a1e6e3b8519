"""Sentence templates next to the tools, in hassil's language, and the rows they stand for.

    language: en
    intents:
      set_timer:                                    # the name of a tool
        data:
          - sentences: ["(set|start) [a] timer for {minutes} minutes [called {label}]"]
            slots: {repeat: false}                  # arguments that are not said
    lists:
      minutes: {range: {from: 1, to: 90}}
      label: {wildcard: true}
    wildcard_examples:                              # ours: what is said for a list that takes any words
      label: [pasta, laundry]

Files of one language share their lists and rules; a block of sentences may have its own. hassil parses; the
sampling is ours, because hassil's gives a text without saying which words filled which slot.
"""

from __future__ import annotations

import difflib
import itertools
import json
import logging
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hassil import parse_sentence
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.intents import Intents, RangeFractionType, RangeSlotList, SlotList, TextSlotList, WildcardSlotList
from hassil.parser import ParseError
from hassil.util import CJK_WHITESPACE, check_excluded_context, check_required_context

from edgefn.errors import DataError
from edgefn.rows import Row

__all__ = ["Template", "Templates", "expand", "find_templates", "load_templates"]

_KEYS = ("intents", "lists", "expansion_rules", "wildcard_examples")
_MISSES = 20  # repeated sentences in a row after which a template counts as nearly said out
_LISTED = 5000  # sentences of such a template that are gone through one by one
_HASSIL_FAILS = (ParseError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError)
_SYNTAX = (
    "(a|b) one of, [a] optional, (a;b) any order, {list} or {list:parameter}, <rule>; quote words like on, no"
)


@dataclass(frozen=True)
class _Scope:
    """What the names in a template stand for."""

    rules: Mapping[str, Expression]
    """Body of every expansion rule."""
    lists: Mapping[str, SlotList]
    """Every list; those that take any words and have examples hold these."""

    def listed(self, ref: ListReference) -> SlotList | None:
        """Return the list of a reference; `{1..9:parameter}` brings its own."""
        inline = ref.get_inline_range()
        if ref.list_name in self.lists or inline is None:
            return self.lists.get(ref.list_name)
        return RangeSlotList(ref.list_name, *inline)


@dataclass(frozen=True)
class Template:
    """One sentence template of one tool."""

    tool: str
    """Name of the tool."""
    text: str
    """The template as written."""
    source: Path
    """The file it stands in."""
    lang: str
    """Language of the file."""
    constants: Mapping[str, Any]
    """Arguments that are not said."""
    joined: bool
    """True where white space between Chinese, Japanese or Korean characters means nothing."""
    expression: Expression = field(repr=False)
    """The template as hassil parsed it."""
    scope: _Scope = field(repr=False)
    """What its names stand for."""


@dataclass(frozen=True)
class Templates:
    """All templates of a set of files."""

    items: tuple[Template, ...]
    """The templates, in the order of languages, files and sentences."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that have a template, sorted."""
        return tuple(sorted({template.tool for template in self.items}))


# Reading


def find_templates(tool_files: Iterable[Path]) -> list[Path]:
    """Return every *.yaml and *.yml in the folders of the tools' source files, sorted."""
    folders = {Path(file).parent for file in tool_files}
    return sorted(path for folder in folders for end in ("*.yaml", "*.yml") for path in folder.glob(end))


def load_templates(paths: Iterable[Path]) -> Templates:
    """Read and check template files; a YAML file that holds none of hassil's keys is passed over.

    Raises DataError, naming file, tool and sentence, for bad YAML, a template that does not parse, an unknown
    rule or list, rules that need each other without end, and a wildcard list without examples.
    """
    files = {path: content for path in map(Path, paths) if (content := _read_file(path)) is not None}
    items: list[Template] = []
    for lang in sorted({content["language"] for content in files.values()}):
        spoken = {path: content for path, content in files.items() if content["language"] == lang}
        shared = {key: _shared(spoken, key) for key in _KEYS[1:]}
        for path, content in spoken.items():
            items += _read_intents(path, content, shared)
    return Templates(tuple(items))


def _read_file(path: Path) -> dict[str, Any] | None:
    """Return the content of a file in JSON values, or None when it holds no templates."""
    hint = "put dates, times and words like on, off, yes, no in quotes"
    try:
        content = yaml.safe_load(path.read_bytes())
        # Dates, NaN, lone surrogates and anchors that hold themselves end here.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
        _check_keys(content)
    except (yaml.YAMLError, OSError, ValueError, TypeError, RecursionError) as exc:
        raise DataError(f"{path} cannot be read as YAML: {exc}", hint=hint) from exc
    if not isinstance(content, dict) or not any(key in content for key in _KEYS):
        logging.getLogger(__name__).warning("%s holds no sentence templates and is passed over", path)
        return None
    if not isinstance(content.get("language"), str):
        raise DataError(f"{path} names no language", hint='write language: "en" at its top, in quotes')
    return content


def _check_keys(content: Any) -> None:
    """Raise ValueError for a key that YAML reads as something else than text, such as on."""
    if isinstance(content, dict):
        if strange := [key for key in content if not isinstance(key, str)]:
            raise ValueError(f"the key {strange[0]!r} is not text")
        content = list(content.values())
    for each in content if isinstance(content, list) else ():
        _check_keys(each)


def _part(content: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    """Return one part of a file, empty when it is absent."""
    part = content.get(key)
    if part is not None and not isinstance(part, kind):
        wanted = "a list" if kind is list else "a mapping"
        raise DataError(f"{where}: {key} is not {wanted}", hint="see hassil's template language")
    return kind() if part is None else part


def _shared(files: Mapping[Path, dict[str, Any]], key: str) -> dict[str, Any]:
    """Return the lists, rules or examples of all files of a language, each name with one meaning."""
    found: dict[str, Any] = {}
    origin: dict[str, Path] = {}
    for path, content in files.items():
        for name, body in _part(content, key, dict, str(path)).items():
            if found.setdefault(name, body) != body:
                raise DataError(
                    f"{key}: {name} is defined in {origin[name]} and differently in {path}",
                    hint="rename one of them",
                )
            origin.setdefault(name, path)
    return found


def _read_intents(
    path: Path, content: dict[str, Any], shared: Mapping[str, dict[str, Any]]
) -> Iterator[Template]:
    """Yield the templates of one file."""
    joined = bool(_part(content, "settings", dict, str(path)).get("ignore_whitespace"))
    for tool, intent in _part(content, "intents", dict, str(path)).items():
        where = f"{path}, tool {tool}"
        for block in _part(_part({"intent": intent}, "intent", dict, where), "data", list, where):
            scope = _read_scope(_part({"block": block}, "block", dict, where), shared, where)
            constants = _part(block, "slots", dict, where)
            for text in _part(block, "sentences", list, where):
                place = f"{where}, sentence {text!r}"
                expression = _parse(text, place)
                _check(expression, scope, place, ())
                yield Template(tool, text, path, content["language"], constants, joined, expression, scope)


def _read_scope(block: dict[str, Any], shared: Mapping[str, dict[str, Any]], where: str) -> _Scope:
    """Return what names stand for in one block of sentences; its own lists and rules come first."""
    own = {key: {**bodies, **_part(block, key, dict, where)} for key, bodies in shared.items()}
    rules = {name: _parse(body, f"{where}, rule <{name}>") for name, body in own["expansion_rules"].items()}
    lists = {
        name: _read_list(name, body, own["wildcard_examples"].get(name), f"{where}, list {{{name}}}")
        for name, body in own["lists"].items()
    }
    required, excluded = (_part(block, key, dict, where) for key in ("requires_context", "excludes_context"))
    if required or excluded:
        lists = {name: _fitting(each, required, excluded) for name, each in lists.items()}
    return _Scope(rules, lists)


def _read_list(name: str, body: Any, examples: Any, where: str) -> SlotList:
    """Return one list; a wildcard list with examples becomes a list of these."""
    with _blaming(where):
        parsed = Intents.from_dict({"language": "", "intents": {}, "lists": {name: body}}).slot_lists[name]
        if isinstance(parsed, WildcardSlotList) and examples:
            parsed = TextSlotList.from_tuples([(each, None) for each in examples], False, name)
    return parsed


def _fitting(each: SlotList, required: dict[str, Any], excluded: dict[str, Any]) -> SlotList:
    """Return a list without the values that hassil would not take in such a context."""
    if not isinstance(each, TextSlotList):
        return each
    values = [
        value
        for value in each.values
        if check_required_context(required, value.context, allow_missing_keys=True)
        and check_excluded_context(excluded, value.context or {})
    ]
    return TextSlotList(each.name, values)


def _parse(text: Any, where: str) -> Expression:
    """Return a template as hassil reads it."""
    with _blaming(where):
        return parse_sentence(text).expression


@contextmanager
def _blaming(where: str) -> Iterator[None]:
    """Turn what hassil raises inside the block, of many types, into DataError."""
    try:
        yield
    except _HASSIL_FAILS as exc:
        raise DataError(f"{where}: {exc or type(exc).__name__}", hint=_SYNTAX) from exc


def _check(node: Expression, scope: _Scope, where: str, inside: tuple[str, ...]) -> None:
    """Raise DataError unless every name that a template reaches has a meaning that ends."""
    if isinstance(node, Group):
        for item in node.items:
            _check(item, scope, where, inside)
    elif isinstance(node, RuleReference | ListReference):
        name = f"<{node.rule_name}>" if isinstance(node, RuleReference) else f"{{{node.list_name}}}"
        if name in inside:
            chain = " in ".join((*inside, name)[::-1])
            raise DataError(f"{where}: {name} needs itself ({chain})", hint="rules cannot repeat themselves")
        for each in _meanings(node, scope, f"{where}: {name}"):
            _check(each, scope, where, (*inside, name))


def _meanings(node: RuleReference | ListReference, scope: _Scope, named: str) -> list[Expression]:
    """Return the templates that a name stands for; raises DataError when there is nothing to say for it."""
    known: Iterable[str]
    if isinstance(node, RuleReference):
        known, wanted = scope.rules, node.rule_name
        if wanted in known:
            return [scope.rules[wanted]]
    else:
        known, wanted = scope.lists, node.list_name
        with _blaming(named):
            listed = scope.listed(node)
        match listed:
            case TextSlotList(values=values):
                return [value.text_in for value in values]
            case RangeSlotList() as numbers:
                if not numbers.digits or numbers.start > numbers.stop or numbers.step < 1:
                    raise DataError(
                        f"{named} holds no number in digits", hint="give from, to, and digits: true"
                    )
                return []
            case WildcardSlotList():
                raise DataError(
                    f"{named} takes any words and has no examples",
                    hint=f"add wildcard_examples: {{{wanted}: [...]}}",
                )
    close = difflib.get_close_matches(wanted, sorted(known), 1)
    raise DataError(
        f"{named} is not defined", hint=f"did you mean {close[0]}?" if close else "define it in the file"
    )


# Saying


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
    return (
        Row(text, template.tool, {**template.constants, **arguments}, tuple(spans), template.lang)
        if text
        else None
    )


def _tidy(raw: str, joined: bool) -> tuple[str, list[int]]:
    """Return a text as hassil normalises its white space, and where each character of `raw` went."""
    gone = (
        {place for gap in CJK_WHITESPACE.finditer(raw) for place in range(*gap.span())} if joined else set()
    )
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
