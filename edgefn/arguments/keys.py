"""Keys of the slot and choice rows: what a column of `slot_logits` or a row of `choice_logits` stands for.

A row belongs to a parameter's name and type, never to one tool: all tools that have such a parameter share it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from edgefn.manifest import Heads
from edgefn.schema import without_null

Slot: TypeAlias = tuple[str, str]
"""A parameter's name and type."""

OUTSIDE = ("O", "", "")
"""Key of the slot column for words that fill nothing."""
MIXED = "mixed"
"""Type of an enum whose values are of several JSON types."""

_JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}
_AS_JSON = frozenset({"integer", "number", "boolean", "array", "object", "null"})
"""Types whose values stand in a key as JSON; those of other types are texts and stand as they are."""


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """One softmax of the choice head."""

    parameter: str
    """Name of the parameter."""
    type: str
    """Its type."""
    rows: tuple[int, ...]
    """Its rows in `choice_logits`, without gaps; the first is *not said*."""


def item_schema(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of one value: null removed, and of an array its items'."""
    inner = _without_null(schema)
    while inner.get("type") == "array":
        items = inner.get("items")
        inner = _without_null(items if isinstance(items, Mapping) else {})
    return inner


def is_list(schema: Mapping[str, Any]) -> bool:
    """Tell whether a parameter takes several values."""
    return _without_null(schema).get("type") == "array"


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the type in a parameter's keys: its format where it has one, else its JSON type; of an array its items'.

    An enum without a type has that of its values, or "mixed"; a schema that says nothing counts as "string".
    """
    inner = item_schema(schema)
    if "format" in inner:
        return str(inner["format"])
    kind = inner.get("type")
    if isinstance(kind, str):
        return kind
    values = _members(inner)
    if values is None:
        return "string"
    kinds = {_JSON_TYPES.get(type(value), MIXED) for value in values}
    return kinds.pop() if len(kinds) == 1 else MIXED


def choice_values(schema: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Return all values of an enum or a boolean, null left out; None for every other parameter, lists too."""
    inner = _without_null(schema)
    values = _members(inner)
    if values is not None:
        return tuple(value for value in values if value is not None)
    return (False, True) if inner.get("type") == "boolean" else None


def choice_text(value: Any) -> str:
    """Return a JSON value as it stands in a key: a str as it is, anything else as JSON; 5.0 is 5."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def choice_value(type: str, text: str) -> Any:
    """Return the JSON value that stands as `text` in the key of a parameter of `type`.

    Raises ValueError where the text is no JSON and the type asks for it.
    """
    if type in _AS_JSON:
        return json.loads(text)
    if type != MIXED:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def choice_groups(heads: Heads) -> tuple[ChoiceGroup, ...]:
    """Return the softmaxes of the choice head, in the order of their rows."""
    rows: dict[Slot, list[int]] = {}
    for row, (parameter, kind, _value) in enumerate(heads.choices):
        rows.setdefault((parameter, kind), []).append(row)
    return tuple(ChoiceGroup(parameter, kind, tuple(found)) for (parameter, kind), found in rows.items())


def allowed_rows(group: ChoiceGroup, heads: Heads, schema: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the rows of a group that a parameter can take: *not said*, and of an enum only its own values."""
    values = choice_values(schema)
    if values is None:
        return group.rows
    texts = {None, *map(choice_text, values)}
    return tuple(row for row in group.rows if heads.choices[row][2] in texts)


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a schema without null, written as `anyOf` or among several types."""
    inner = without_null(schema)
    kinds = inner.get("type")
    if not isinstance(kinds, list):
        return inner
    others = [kind for kind in kinds if kind != "null"]
    rest = {key: value for key, value in inner.items() if key != "type"}
    return {**rest, "type": others[0]} if len(others) == 1 else rest


def _members(inner: Mapping[str, Any]) -> list[Any] | None:
    """Return the values of an enum or a const; None where there is neither."""
    if "const" in inner:
        return [inner["const"]]
    values = inner.get("enum")
    return [value for value in values if value is not None] if isinstance(values, list) else None
