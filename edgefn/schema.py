"""From type hints and a docstring to JSON Schema, and between JSON values and typed Python values.

    annotation ── kind_of ──▶ Kind(schema, read, write)        read: JSON → Python, write: Python → JSON
    function ── read_function ──▶ description, parameters      strict: all annotated, all described

Formats are those of JSON Schema with two liberties that a device needs: a time may be without an offset
(it is local), and a duration may be negative or have fractions of a second.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cached_property, partial
from types import MethodType, NoneType, SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from edgefn.errors import UnsupportedSignature

SUPPORTED = (
    "int, float, bool, str, Literal, Enum, date, time, datetime, timedelta, list[...], X | None, "
    "and Annotated with Range, Length or Pattern"
)
"""What an annotation may be, in words."""


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


# ---- dates, times, durations -----------------------------------------------------------------------------

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_OFFSET = r"[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_TIME = rf"(?:[01][0-9]|2[0-3]):[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?(?:Z|{_OFFSET})?"
_DURATION = (
    r"(-?)P(?=[0-9T])(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:[.,]([0-9]+))?S)?)?"
)


def _matched(pattern: str, text: str) -> str:
    """Return `text` in upper case if all of it matches; `fromisoformat` alone takes far more forms."""
    if not re.fullmatch(pattern, text.upper()):
        raise ValueError(f"not in the expected form: {text!r}")
    return text.upper()


def parse_date(text: str) -> date:
    """Read YYYY-MM-DD; ValueError for anything else."""
    return date.fromisoformat(_matched(_DATE, text))


def parse_time(text: str) -> time:
    """Read HH:MM, with seconds and an offset where given; ValueError for anything else."""
    return time.fromisoformat(_matched(_TIME, text))


def parse_datetime(text: str) -> datetime:
    """Read a date and a time joined by T or a space; ValueError for anything else."""
    return datetime.fromisoformat(_matched(f"{_DATE}[T ]{_TIME}", text))


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration, "PT10M"; ValueError for anything else, and for years and months."""
    match = re.fullmatch(_DURATION, text)
    if match is None:
        raise ValueError(f"not a duration of weeks, days, hours, minutes and seconds: {text!r}")
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:6])
    micro = int(((match[7] or "") + "000000")[:6])  # digits, not a float: 0.000001 stays exact
    sign = -1 if match[1] else 1
    try:
        length = timedelta(days=weeks * 7 + days, hours=hours, minutes=minutes, seconds=seconds)
        return sign * (length + timedelta(microseconds=micro))
    except OverflowError as exc:
        raise ValueError(f"longer than a timedelta can be: {text!r}") from exc


def format_duration(length: timedelta) -> str:
    """Write an ISO 8601 duration: `timedelta(minutes=10)` is "PT10M"."""
    sign = "-" if length < timedelta(0) else ""
    total = abs(length // timedelta(microseconds=1))  # as a number: -timedelta.min does not fit a timedelta
    days, rest = divmod(total, 86_400_000_000)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds = "{}.{:06}".format(*divmod(rest, 1_000_000)).rstrip("0").rstrip(".")
    clock = f"{hours}H" if hours else ""
    clock += f"{minutes}M" if minutes or (hours and rest) else ""  # RFC 3339 leaves no gap between H and S
    clock += f"{seconds}S" if rest or not total else ""
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


PARSERS: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date-time": parse_datetime,
    "duration": parse_duration,
}
"""Reader of every string format that edgefn writes."""


# ---- annotations -----------------------------------------------------------------------------------------


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
    raise _unsupported(f"{inspect.formatannotation(annotation)} is not supported")


def _unsupported(message: str, hint: str = f"supported are {SUPPORTED}") -> UnsupportedSignature:
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
        raise _unsupported(f"{annotation} has more than one type", f"write X | None; supported are {SUPPORTED}")
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
                raise _unsupported(
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


# ---- functions -------------------------------------------------------------------------------------------

_SECTION = re.compile(r"(?:Args|Returns|Raises|Yields|Examples?|Notes?):")
_ENTRY = re.compile(r"(\w+)(?: \([^)]*\))?:(?: (.*))?")
_DESCRIBE = "write a Google docstring: one paragraph, then `Args:` with a line `name: what it is.` per parameter"


def read_function(function: Callable[..., Any]) -> tuple[str, tuple[Parameter, ...]]:
    """Return the description and the parameters of a function; UnsupportedSignature names what has none."""
    inner = innermost(function)
    # A keyword that partial fixed is no longer anybody's to fill, and may be of any type: a device handle.
    fixed = {key for each in layers(function) if isinstance(each, functools.partial) for key in each.keywords}
    try:
        description, described = read_docstring(inner.__doc__ or "")
        signature = inspect.signature(function)
        known = signature.parameters.keys() | inspect.signature(inner).parameters.keys()
        for name in described:
            if name not in known:
                raise _unsupported(f"`Args:` describes {name!r}, which is no parameter", _DESCRIBE)
        free = [each for each in signature.parameters.values() if each.name not in fixed]
        return description, tuple(_parameter(inner, each, described) for each in free)
    except UnsupportedSignature as exc:
        raise UnsupportedSignature(f"{place(function)}: {exc.message}", hint=exc.hint) from exc.__cause__
    except (
        TypeError,
        ValueError,
    ) as exc:  # what inspect says of built-ins and of a partial that fits nothing
        raise _unsupported(f"{place(function)}: {exc}", "write a plain `def`") from exc


def layers(function: Any) -> Iterator[Any]:
    """Yield the function and what it wraps, outermost first: partial, functools.wraps, methods."""
    while True:
        yield function
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, MethodType):
            function = function.__func__
        elif "__wrapped__" in getattr(function, "__dict__", {}):  # hasattr is fooled by unittest.mock.call
            function = function.__wrapped__
        else:
            return


def innermost(function: Any) -> Any:
    """Return the function that was written with `def`."""
    return list(layers(function))[-1]


def place(function: Any) -> str:
    """Return "name (file:line)", or the name alone where there is no source."""
    inner = innermost(function)
    name = getattr(inner, "__name__", None) or repr(inner)
    code = getattr(inner, "__code__", None)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def _parameter(function: Any, parameter: inspect.Parameter, described: Mapping[str, str]) -> Parameter:
    name = parameter.name
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
        raise _unsupported(f"parameter {name!r} is {parameter.kind.description}", "name every parameter in the call")
    if parameter.annotation is parameter.empty:
        raise _unsupported(f"parameter {name!r} has no annotation")
    if not described.get(name):
        raise _unsupported(f"parameter {name!r} is not described", _DESCRIBE)
    try:
        annotation = _resolve(function, name, parameter.annotation)
        schema = kind_of(annotation).schema
    except UnsupportedSignature as exc:
        raise _unsupported(f"parameter {name!r}: {exc.message}", exc.hint) from exc.__cause__
    required = parameter.default is parameter.empty
    return Parameter(name, annotation, schema, required, None if required else parameter.default, described[name])


def _resolve(function: Any, name: str, annotation: Any) -> Any:
    # One parameter at a time: a return type that only the type checker can import does no harm here.
    holder = SimpleNamespace(__annotations__={name: annotation})
    try:
        hints = get_type_hints(holder, globalns=getattr(function, "__globals__", {}), include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as exc:
        hint = f"its names must exist in the module when the tool is registered; supported are {SUPPORTED}"
        raise _unsupported(f"the annotation {annotation!r} cannot be resolved: {exc}", hint) from exc
    return hints[name]


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Return the first paragraph and the entries of `Args:`, whitespace collapsed."""
    lines = inspect.cleandoc(text).splitlines()
    first: list[str] = []
    for line in lines:
        if not line.strip() or _SECTION.fullmatch(line.rstrip()):
            break
        first.append(line)
    if not first:
        raise _unsupported("it has no description", _DESCRIBE)
    return " ".join(" ".join(first).split()), _read_args(lines)


def _read_args(lines: Sequence[str]) -> dict[str, str]:
    starts = [number for number, line in enumerate(lines) if line.rstrip() == "Args:"]
    if len(starts) > 1:
        raise _unsupported("it has two `Args:` sections", _DESCRIBE)
    body = itertools.takewhile(lambda line: not line or line[0].isspace(), lines[starts[0] + 1 :] if starts else ())
    entries: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc("\n" + "\n".join(body)).splitlines():
        match = _ENTRY.fullmatch(line.rstrip())
        if match and match[1] not in entries:
            name, text = match[1], match[2] or ""
        elif line[:1].isspace() and name:
            text = line
        elif line:
            raise _unsupported(f"this line of `Args:` is no new entry: {line!r}", _DESCRIBE)
        else:
            continue
        entries[name] = " ".join(f"{entries.get(name, '')} {text}".split())
    return entries
