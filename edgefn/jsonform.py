"""Dataclasses to JSON and back, strictly.

Reading accepts exactly what writing gives: no unknown field, no missing one, no string where a number
belongs, no NaN. The first thing that does not fit is named by its path, `calibration.bound.confidence`.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_SCALARS: dict[type, str] = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
_SHOWN = 60


class Malformed(ValueError):
    """A value does not have the form that is asked for; the message begins with its path."""


def to_json(value: object, where: str = "") -> Any:
    """Return `value` made of dict, list, str, int, float, bool and None only.

    Raises:
        Malformed: it holds NaN, an infinity, a lone surrogate, or an object that has no JSON form.
    """
    match value:
        case None | bool():
            return value
        case str():
            return _text(value, where)
        case int():
            return int(value)
        case float():
            return _finite(value, where)
        case Mapping():
            return {_key(key, where): to_json(item, f"{where}[{key!r}]") for key, item in value.items()}
        case list() | tuple():
            return [to_json(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: to_json(getattr(value, name), _join(where, name)) for name in names}
    raise Malformed(_at(where, f"a {type(value).__name__} has no JSON form"))


def from_json(kind: type[T], value: object, where: str = "") -> T:
    """Build the dataclass `kind`, and every dataclass inside it, from parsed JSON.

    Raises:
        Malformed: a field is unknown, missing, or of another type.
    """
    built: T = _build(kind, value, where)
    return built


def parse(data: bytes) -> Any:
    """Parse JSON bytes, refusing what Python would let through: NaN, Infinity and repeated keys.

    Raises:
        Malformed: the bytes are empty, not UTF-8, not JSON, or nested too deeply.
    """
    if not data.strip():
        raise Malformed("is empty")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as exc:
        raise Malformed(f"is not UTF-8 text (byte {exc.start})") from exc
    except Malformed:
        raise
    except RecursionError as exc:
        raise Malformed("is nested too deeply") from exc
    except ValueError as exc:  # besides JSONDecodeError: whole numbers of more than 4,300 digits
        raise Malformed(f"is not JSON: {exc}") from exc


def canonical(value: object) -> bytes:
    """Return the one byte string that stands for a JSON value: sorted keys, no spaces, UTF-8.

    Raises:
        Malformed: see `to_json`.
    """
    text = json.dumps(to_json(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def pretty(value: object) -> bytes:
    """Return the same JSON value for human readers.

    Raises:
        Malformed: see `to_json`.
    """
    return (json.dumps(to_json(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _build(kind: Any, value: object, where: str) -> Any:
    if kind is Any:
        return to_json(value, where)
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType) and len(inner) == 2 and NoneType in inner:
        (other,) = (item for item in inner if item is not NoneType)
        return None if value is None else _build(other, value, where)
    if origin is tuple:
        return _build_tuple(inner, value, where)
    if origin is dict:
        return _build_dict(inner[1], value, where)
    return _build_scalar(kind, value, where)


def _build_dataclass(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise _unexpected(where, "an object", value)
    hints = _hints(kind)
    for name in sorted(value.keys() - hints.keys()):
        raise Malformed(_at(_join(where, name), "unknown field"))
    for name in hints:
        if name not in value:
            raise Malformed(_at(_join(where, name), "missing"))
    return kind(**{name: _build(hint, value[name], _join(where, name)) for name, hint in hints.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _build_tuple(inner: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _unexpected(where, "a list", value)
    if inner[-1] is Ellipsis:
        inner = inner[:1] * len(value)
    if len(inner) != len(value):
        raise _unexpected(where, f"a list of {len(inner)}", value)
    pairs: Iterable[tuple[Any, object]] = zip(inner, value, strict=True)
    return tuple(_build(kind, item, f"{where}[{index}]") for index, (kind, item) in enumerate(pairs))


def _build_dict(inner: Any, value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _unexpected(where, "an object", value)
    return {_key(key, where): _build(inner, item, f"{where}[{key!r}]") for key, item in value.items()}


def _build_scalar(kind: Any, value: object, where: str) -> Any:
    if kind not in _SCALARS:
        raise TypeError(f"no JSON form is defined for fields annotated {kind!r}")
    if kind is float and type(value) is int:  # JSON has one kind of number: 1 and 1.0 are the same
        return _finite(value, where)
    if type(value) is not kind:
        raise _unexpected(where, _SCALARS[kind], value)
    if isinstance(value, str):
        return _text(value, where)
    return _finite(value, where) if isinstance(value, float) else value


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError as exc:
        raise Malformed(_at(where, "expected a number that fits a double")) from exc
    if not math.isfinite(number):
        raise Malformed(_at(where, f"expected a finite number, got {number}"))
    return number


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as exc:
        raise Malformed(_at(where, "a lone surrogate is not valid Unicode")) from exc
    return value


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise _unexpected(where, "only strings as keys", key)
    return _text(key, where)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"{twice!r} stands twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise Malformed(f"{name} is not a JSON number")


def _unexpected(where: str, expected: str, value: object) -> Malformed:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
    return Malformed(_at(where, f"expected {expected}, got {shown}"))


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _at(where: str, problem: str) -> str:
    return f"{where}: {problem}" if where else problem
