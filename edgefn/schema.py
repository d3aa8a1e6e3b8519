"""From type hints to JSON Schema, and between JSON values and typed Python values.

annotation ── kind_of ──▶ Kind(schema, read, write)        read: JSON → Python, write: Python → JSON
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cached_property, partial
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from edgefn.errors import UnsupportedSignature
from edgefn.iso8601 import format_duration, parse_date, parse_datetime, parse_duration, parse_time

SUPPORTED = (
    "int, float, bool, str, Literal, Enum, date, time, datetime, timedelta, list[...], X | None, "
    "and Annotated with Range, Length or Pattern"
)
"""What an annotation may be, in words."""
SAID_AS = "x-said-as"
"""Key of a parameter's schema that says what people call its values: {value as text: [what is said, ...]}."""


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds of a number: `Annotated[int, Range(ge=1, le=10)]`."""

    ge: float | None = None
    """Smallest value."""
    gt: float | None = None
    """The value must be more than this."""
    le: float | None = None
    """Largest value."""
    lt: float | None = None
    """The value must be less than this."""


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds of a text in characters, or of a list in items: `Annotated[str, Length(max_length=20)]`."""

    min_length: int | None = None
    """Fewest."""
    max_length: int | None = None
    """Most."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that is found in the text: `Annotated[str, Pattern("^[A-Z][0-9]+$")]`."""

    pattern: str
    """The expression; anchor it with ^ and $ to match the whole text."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of one annotation look in JSON."""

    schema: dict[str, Any]
    """JSON Schema of the JSON form."""
    read: Callable[[Any], Any]
    """From a JSON value that fits the schema to the typed value."""
    write: Callable[[Any], Any]
    """From a typed value to its JSON form; anything else comes back as it is, for the schema to judge."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    """Name, as in the signature."""
    annotation: Any = field(hash=False)
    """The resolved type hint; Any where only a schema is known."""
    schema: dict[str, Any] = field(hash=False)
    """JSON Schema of its JSON form, without the description."""
    required: bool
    """True when it has no default."""
    default: Any = field(hash=False)
    """The default; None when required."""
    description: str
    """From the docstring, whitespace collapsed."""

    @cached_property
    def kind(self) -> Kind:
        """How its values are read and written."""
        return Kind(self.schema, _same, _same) if self.annotation is Any else kind_of(self.annotation)


def kind_of(annotation: Any) -> Kind:
    """Return the kind of an annotation; UnsupportedSignature says what is wrong with it."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _bounded(kind_of(args[0]), args[1:])
    if origin in (Union, UnionType):
        return _optional(annotation)
    if origin is Literal and all(type(value) in (str, int, bool) for value in args):
        return _choice([(value, value) for value in args])
    if origin is list:
        item = kind_of(args[0])
        schema = {"type": "array", "items": item.schema}
        return Kind(schema, partial(_each, item.read), partial(_each, item.write))
    if isinstance(annotation, type) and issubclass(annotation, Enum) and len(annotation):
        by_value = all(type(member.value) in (str, int) for member in annotation)
        return _choice([(member.value if by_value else member.name, member) for member in annotation])
    if isinstance(annotation, type) and annotation in _PLAIN:
        return _PLAIN[annotation]
    raise unsupported(f"{inspect.formatannotation(annotation)} is not supported")


def unsupported(message: str, hint: str = f"supported are {SUPPORTED}") -> UnsupportedSignature:
    """Return the error for an annotation or signature that has no schema."""
    return UnsupportedSignature(message, hint=hint)


def _same(value: Any) -> Any:
    return value


def _write_float(value: Any) -> Any:
    # Python's 5 and 5.0 are one JSON number; converting here refuses integers that no float can hold.
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _write_date(value: Any) -> Any:
    # A datetime is a date to isinstance, but its time of day would be lost.
    return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value


def _write_iso(kind: type[time] | type[datetime], value: Any) -> Any:
    return value.isoformat() if isinstance(value, kind) else value


def _write_duration(value: Any) -> Any:
    return format_duration(value) if isinstance(value, timedelta) else value


def _each(one: Callable[[Any], Any], value: Any) -> Any:
    return [one(item) for item in value] if isinstance(value, list | tuple) else value


def _unless_none(one: Callable[[Any], Any], value: Any) -> Any:
    return None if value is None else one(value)


def _pick(values: Mapping[tuple[bool, Any], Any], value: Any) -> Any:
    return values[isinstance(value, bool), value]


def _unpick(forms: Mapping[Enum, Any], value: Any) -> Any:
    return forms[value] if isinstance(value, Enum) and value in forms else value


_PLAIN: dict[type, Kind] = {
    int: Kind({"type": "integer"}, int, _same),
    float: Kind({"type": "number"}, float, _write_float),
    bool: Kind({"type": "boolean"}, bool, _same),
    str: Kind({"type": "string"}, str, _same),
    date: Kind({"type": "string", "format": "date"}, parse_date, _write_date),
    time: Kind({"type": "string", "format": "time"}, parse_time, partial(_write_iso, time)),
    datetime: Kind({"type": "string", "format": "date-time"}, parse_datetime, partial(_write_iso, datetime)),
    timedelta: Kind({"type": "string", "format": "duration"}, parse_duration, _write_duration),
}


def _choice(forms: Sequence[tuple[Any, Any]]) -> Kind:
    """Kind of a closed set, given the JSON form and the typed value of each member."""
    schema: dict[str, Any] = {"enum": [form for form, _ in forms]}
    if len({type(form) for form, _ in forms}) == 1:
        schema = {"type": {str: "string", int: "integer", bool: "boolean"}[type(forms[0][0])], **schema}
    # To Python True == 1, to JSON they differ: the key says which of the two it is.
    values = {(isinstance(form, bool), form): value for form, value in forms}
    members = {value: form for form, value in forms if isinstance(value, Enum)}
    return Kind(schema, partial(_pick, values), partial(_unpick, members))


def _optional(annotation: Any) -> Kind:
    others = [arg for arg in get_args(annotation) if arg is not NoneType]
    if len(others) != 1 or len(get_args(annotation)) != 2:
        raise unsupported(f"{annotation} has more than one type", f"write X | None; supported are {SUPPORTED}")
    kind = kind_of(others[0])
    schema = {"anyOf": [kind.schema, {"type": "null"}]}
    return Kind(schema, partial(_unless_none, kind.read), partial(_unless_none, kind.write))


def without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema of X for the schema of `X | None`, and any other schema as it is."""
    match schema.get("anyOf"):
        case [inner, {"type": "null"}] | [{"type": "null"}, inner]:
            return dict(inner)
    return schema


_NUMBER = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_BOUNDS: dict[str, dict[str, str]] = {
    "integer": _NUMBER,
    "number": _NUMBER,
    "string": {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"},
    "array": {"min_length": "minItems", "max_length": "maxItems"},
}


def _bounded(kind: Kind, metadata: Sequence[Any]) -> Kind:
    """Add the bounds that `metadata` carries; objects without bounds are none of our business."""
    inner = dict(without_null(kind.schema))
    allowed = {} if {"enum", "format"} & inner.keys() else _BOUNDS.get(inner.get("type", ""), {})
    for bounds in metadata:
        for name in (*_NUMBER, "min_length", "max_length", "pattern"):
            value = getattr(bounds, name, None)
            if value is None:
                continue
            keyword = allowed.get(name)
            if keyword is None or keyword in inner or not _is_bound(name, value, bounds):
                raise unsupported(
                    f"the bound {name}={value!r} does not go with {json.dumps(inner)}",
                    "numbers take ge, gt, le, lt; a str or list min_length, max_length; a str pattern",
                )
            inner[keyword] = value
    schema = {"anyOf": [inner, {"type": "null"}]} if "anyOf" in kind.schema else inner
    return Kind(schema, kind.read, kind.write)


def _is_bound(name: str, value: Any, bounds: Any) -> bool:
    if name in _NUMBER:
        return type(value) in (int, float) and math.isfinite(value)
    if name != "pattern":
        return type(value) is int and value >= 0
    if not isinstance(value, str) or (isinstance(bounds, re.Pattern) and bounds.flags & ~re.UNICODE):
        return False  # JSON Schema has no flags: they would be lost silently
    try:
        re.compile(value)
    except re.error:
        return False
    return True
