"""Tools from rows: the schemas of tools that are known only by what people said and what it should have given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edgefn.arguments.keys import choice_text, is_list, item_schema
from edgefn.iso8601 import PARSERS
from edgefn.rows import Row
from edgefn.schema import SAID_AS, Parameter
from edgefn.tool import Tool

from .align import aligned
from .data import text_key

_MOST_VALUES = 200
"""How many distinct values a closed set has at most."""
_OFTEN = 0.2
"""The share of rows without a span above which a closed set is chosen from, not read from words."""
_RENAMED = 0.05
"""The share of spans that differ from their values above which the values are names with other words for them."""
_NUMBERS = (int, float)


@dataclass(frozen=True)
class _Given:
    """One argument of one row."""

    items: tuple[Any, ...]
    """Its values: several of a list, else one."""
    said: tuple[str, ...]
    """What its spans say."""
    several: bool
    """True where the row gives a list."""

    @property
    def pairs(self) -> list[tuple[Any, str]]:
        """Each value with the words for it; none where the words cannot be told apart."""
        return list(zip(self.items, self.said, strict=True)) if len(self.items) == len(self.said) else []


def infer_tools(rows: Iterable[Row]) -> tuple[Tool, ...]:
    """Return the tools that `rows` name, sorted, with a schema of arguments inferred from what is given.

    Several values make a list, numbers an integer or a number. A closed set that is often given without a span is an
    enum; one whose spans differ from its values is a list of names, with the words seen for each under "x-said-as".
    """
    by_tool: dict[str, list[Row]] = {}
    for row in rows:
        if row.tool is not None:
            by_tool.setdefault(row.tool, []).append(row)
    return tuple(_tool(name, by_tool[name]) for name in sorted(by_tool))


def normal_arguments(row: Row, tool: Tool) -> Row:
    """Return the row with its arguments in the form that the schemas of `tool`, the row's, ask for.

    One value for a list becomes a list of one and the other way round; 5.0 becomes 5 where an integer is asked for, a
    number becomes text where text is; null, and an empty list where one value is asked for, are left out. What fits no
    form stays as it is.
    """
    schemas = {each.name: each.schema for each in tool.parameters}
    normal = {
        name: _normal(value, schemas[name]) if name in schemas else value
        for name, value in row.arguments.items()
        if value is not None and (value != [] or is_list(schemas.get(name, {})))
    }
    # 5 and 5.0 are equal, but not the same JSON.
    return row if repr(normal) == repr(dict(row.arguments)) else replace(row, arguments=normal)


def _tool(name: str, rows: Sequence[Row]) -> Tool:
    rows = _located(rows)
    given: dict[str, list[_Given]] = {}
    for row in rows:
        for parameter, value in row.arguments.items():
            if value is not None and value != []:
                given.setdefault(parameter, []).append(_given(row, parameter, value))
    schema = {
        "type": "object",
        "properties": {parameter: _schema(given[parameter]) for parameter in sorted(given)},
        "required": sorted(parameter for parameter, each in given.items() if len(each) == len(rows)),
        "additionalProperties": False,
    }
    return Tool.select_only(name, name.replace("_", " "), schema)


def _located(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with spans for the arguments that no row has a span for, where their values stand in the text."""
    spanned = {parameter for row in rows for _start, _end, parameter in row.spans}
    values: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.arguments.items():
            if name not in spanned and value is not None:
                values.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    parameters = {name: _as_text_or_number(name, each) for name, each in values.items()}
    return [aligned(row, parameters) for row in rows]


def _as_text_or_number(name: str, values: Sequence[Any]) -> Parameter:
    return Parameter(name, Any, {"type": "number"} if _are(values, *_NUMBERS) else {"type": "string"}, False, None, "")


def _given(row: Row, parameter: str, value: Any) -> _Given:
    said = tuple(text_key(row.text[start:end]) for start, end, name in sorted(row.spans) if name == parameter)
    several = isinstance(value, list)
    return _Given(tuple(value) if several else (value,), said, several)


def _schema(given: Sequence[_Given]) -> dict[str, Any]:
    """Return the schema of one parameter, from all rows that give it."""
    schema = _one(given)
    if not any(each.several for each in given):
        return schema
    names = schema.pop(SAID_AS, None)
    return {"type": "array", "items": schema} | ({} if names is None else {SAID_AS: names})


def _one(given: Sequence[_Given]) -> dict[str, Any]:
    """Return the schema of one value."""
    values = [value for each in given for value in each.items]
    if _are(values, bool):
        return {"type": "boolean"}
    if _are(values, *_NUMBERS):
        whole = all(isinstance(value, int) or value.is_integer() for value in values)
        return {"type": "integer" if whole else "number"}
    if _are(values, dict):
        return {"type": "object"}
    texts = {choice_text(value) for value in values}
    closed = len(texts) <= _MOST_VALUES
    if closed and sum(not each.said for each in given) > _OFTEN * len(given):
        return {"type": "string", "enum": sorted(texts)}
    pairs = [(choice_text(value), said) for each in given for value, said in each.pairs]
    renamed = sum(text_key(text) != said for text, said in pairs)
    if not pairs or renamed <= _RENAMED * len(pairs):
        return {"type": "string"}
    moment = next((name for name in PARSERS if all(_parses(name, text) for text in texts)), None)
    if moment is not None:
        return {"type": "string", "format": moment}
    return {"type": "string", SAID_AS: _words_for(texts, pairs)} if closed else {"type": "string"}


def _words_for(texts: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what is said for each value, apart from the value itself."""
    words: dict[str, set[str]] = {text: set() for text in sorted(texts)}
    for text, said in pairs:
        if said != text_key(text):
            words[text].add(said)
    return {text: sorted(each) for text, each in words.items()}


def _normal(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return a value in the form that a parameter's schema asks for."""
    one = item_schema(schema)
    if is_list(schema):
        return [_normal_item(item, one) for item in (value if isinstance(value, list) else [value])]
    alone = isinstance(value, list) and len(value) == 1
    return _normal_item(value[0] if alone else value, one)


def _normal_item(value: Any, schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "string" and isinstance(value, bool | int | float):
        return choice_text(value)
    return value


def _are(values: Iterable[Any], *kinds: type) -> bool:
    """Tell whether all values are of these types; a bool is no int here."""
    return all(type(value) in kinds for value in values)


def _parses(format: str, text: str) -> bool:
    try:
        PARSERS[format](text)
    except ValueError:
        return False
    return True
