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
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hassil import parse_sentence
from hassil.expression import (
    Expression,
    Group,
    ListReference,
    RuleReference,
)
from hassil.intents import Intents, RangeSlotList, SlotList, TextSlotList, WildcardSlotList
from hassil.parser import ParseError
from hassil.util import check_excluded_context, check_required_context

from edgefn.errors import DataError

_KEYS = ("intents", "lists", "expansion_rules", "wildcard_examples")
_HASSIL_FAILS = (ParseError, ValueError, TypeError, KeyError, AttributeError, AssertionError, RecursionError)
_SYNTAX = "(a|b) one of, [a] optional, (a;b) any order, {list} or {list:parameter}, <rule>; quote words like on, no"


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


def _read_intents(path: Path, content: dict[str, Any], shared: Mapping[str, dict[str, Any]]) -> Iterator[Template]:
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
                    raise DataError(f"{named} holds no number in digits", hint="give from, to, and digits: true")
                return []
            case WildcardSlotList():
                raise DataError(
                    f"{named} takes any words and has no examples",
                    hint=f"add wildcard_examples: {{{wanted}: [...]}}",
                )
    close = difflib.get_close_matches(wanted, sorted(known), 1)
    raise DataError(f"{named} is not defined", hint=f"did you mean {close[0]}?" if close else "define it in the file")
