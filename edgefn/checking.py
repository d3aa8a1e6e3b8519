"""Checking values: to plain JSON, against a JSON Schema, and in words what a schema expects."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from edgefn.errors import ToolDefinitionError
from edgefn.iso8601 import PARSERS
from edgefn.schema import without_null

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator


def shown(value: object) -> str:
    """Return a short repr, whatever it is."""
    try:
        return reprlib.repr(value)
    except Exception:  # a stranger's __repr__ may raise anything, and so does one of a huge integer
        return f"<{type(value).__name__}>"


def plain_text(value: object) -> str:
    """Return `value` as a plain str; ValueError or TypeError where it is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no name")
    value.encode()  # ValueError: a lone surrogate is not text
    return str.__str__(value)


def plain(value: Any) -> Any:
    """Return `value` as pure JSON types; ValueError or TypeError where it has no JSON form."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {plain_text(key): plain(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def validator_of(name: str, schema: Mapping[str, Any]) -> Draft202012Validator:
    """Compile a schema; ToolDefinitionError where it is not a valid one."""
    import jsonschema_rs  # 10 to 30 ms: paid by the first tool that checks a value, not by `import edgefn`

    formats: dict[str, Callable[..., bool]] = {name: partial(_parses, parser) for name, parser in PARSERS.items()}
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, formats=formats, retriever=_refuse_to_fetch
        )
    except ValueError as exc:
        raise ToolDefinitionError(
            f"{name}: not a JSON Schema: {str(exc).splitlines()[0]}",
            hint="write it in the 2020-12 dialect, without remote $ref",
        ) from exc


def _parses(parser: Callable[[str], Any], text: str) -> bool:
    try:
        parser(text)
    except ValueError:
        return False
    return True


def _refuse_to_fetch(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched: a device may have no network")


_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "string": "text",
    "date": "a date such as 2026-03-31",
    "time": "a time such as 07:30",
    "date-time": "a date and time such as 2026-03-31T07:30",
    "duration": "an ISO 8601 duration such as PT10M",
}
_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matching {}",
}


def expectation(schema: Mapping[str, Any]) -> str:
    """Say in words what a schema takes: "a whole number, at least 1, or null"."""
    inner = without_null(schema)
    name = str(inner.get("format") or inner.get("type"))
    bounds = [words.format(inner[key]) for key, words in _LIMITS.items() if key in inner]
    if "enum" in inner:
        words = "one of " + ", ".join(json.dumps(value, ensure_ascii=False) for value in inner["enum"])
    elif name == "array" and isinstance(inner.get("items"), Mapping):
        words = ", ".join(["a list", *bounds, f"each item {expectation(inner['items'])}"])
    elif name in _WORDS:
        words = ", ".join([_WORDS[name], *bounds])
    else:
        words = f"a value that fits {json.dumps(inner, ensure_ascii=False, sort_keys=True)}"
    return words if inner is schema else f"{words}, or null"
