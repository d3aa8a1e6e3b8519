"""Keywords of a schema that are understood, and what each may hold."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from edgefn.checking import shown, validator_of
from edgefn.errors import ToolDefinitionError
from edgefn.importing.document import Node
from edgefn.schema import SAID_AS

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (),
    "object": (),
}
"""Every JSON type, and the Python types of its values where an enum can hold them."""
DROPPED = frozenset({"$schema", "$id", "$defs", "definitions", "$comment", "optional", "externalDocs", "xml"})
"""Keywords without a meaning once references are written out; `required` says what `optional` would."""
CHOSEN = ("$ref", "allOf", "anyOf", "oneOf")
"""Keywords that stand for another schema."""
HINT = "leave it out, or write the tool as a function marked with @tool"


def text(node: Node) -> str:
    """Read a text."""
    return node.text()


def flag(node: Node) -> bool:
    """Read a boolean."""
    return node.flag()


def anything(node: Node) -> Any:
    """Read any JSON value."""
    return node.value


def several(node: Node) -> list[Any]:
    """Read a list of any values."""
    return node.items()


def number(node: Node) -> float:
    """Read a number."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise node.error(f"a number is expected, not {shown(node.value)}")
    return node.value


def limit(node: Node) -> float:
    """Read the limit of a number; older dialects write a boolean beside `minimum` or `maximum`."""
    return node.value if isinstance(node.value, bool) else number(node)


def step(node: Node) -> float:
    """Read a number above zero."""
    if number(node) <= 0:
        raise node.error("a number above zero is expected")
    return number(node)


def count(node: Node) -> int:
    """Read a whole number that is not negative."""
    value = number(node)
    if value < 0 or not math.isfinite(value) or value != int(value):
        raise node.error("a whole number, zero or more, is expected")
    return int(value)


def pattern(node: Node) -> str:
    """Read a regular expression that the validator understands."""
    try:
        validator_of("pattern", {"pattern": node.text()})
    except ToolDefinitionError as exc:
        message = f"{shown(node.text())} is no regular expression that can be checked"
        raise node.error(message, "write it in the dialect of ECMA-262") from exc
    return node.text()


def members(node: Node) -> list[Any]:
    """Read the values of an enum, each once."""
    if not node.items():
        raise node.error("an enum without values fits nothing")
    found = {(isinstance(each.value, bool), member(each)): each.value for each in node}
    return list(found.values())


def member(node: Node) -> Any:
    """Read one value of a closed set."""
    if isinstance(node.value, dict | list):
        raise node.error("a closed set of lists or objects is not supported", HINT)
    return node.value


def names(node: Node) -> list[str]:
    """Read a list of different texts."""
    node.items()
    found = [each.text() for each in node]
    if len(set(found)) != len(found):
        raise node.error("a name stands twice")
    return found


def said_as(node: Node) -> dict[str, list[str]]:
    """Read what people say for the values of a parameter."""
    node.mapping()
    for forms in node:
        forms.items()
        [each.text() for each in forms]
    said: dict[str, list[str]] = node.value
    return said


ANNOTATIONS: dict[str, Callable[[Node], Any]] = {
    "title": text,
    "description": text,
    "default": anything,
    "examples": several,
    "example": anything,
    "deprecated": flag,
    "readOnly": flag,
    "writeOnly": flag,
    SAID_AS: said_as,
}
"""Keywords that say something about a value and refuse none."""
CONSTRAINTS: dict[str, Callable[[Node], Any]] = {
    "enum": members,
    "const": member,
    "format": text,
    "pattern": pattern,
    "minimum": number,
    "maximum": number,
    "exclusiveMinimum": limit,
    "exclusiveMaximum": limit,
    "multipleOf": step,
    "minLength": count,
    "maxLength": count,
    "minItems": count,
    "maxItems": count,
    "uniqueItems": flag,
    "required": names,
}
"""Keywords that refuse values and hold no schema."""
HOLDING = frozenset({"type", "nullable", "items", "properties", "additionalProperties", *CHOSEN})
"""Keywords that hold types or schemas."""


def check(node: Node) -> None:
    """Raise ToolDefinitionError for the first keyword of a schema that is not supported."""
    for keyword in node.mapping():
        known = keyword in ANNOTATIONS or keyword in CONSTRAINTS or keyword in HOLDING or keyword in DROPPED
        if not known and not keyword.startswith("x-"):
            raise node[keyword].error(f"the keyword {keyword!r} is not supported", HINT)
        if keyword == "optional":
            node[keyword].flag()


def read_annotations(node: Node) -> dict[str, Any]:
    """Return what a schema says about its values, without what it refuses."""
    found = {
        keyword: ANNOTATIONS.get(keyword, anything)(node[keyword])
        for keyword in node.value
        if keyword in ANNOTATIONS or keyword.startswith("x-")
    }
    if "example" in found:  # OpenAPI 3.0 has one
        found.setdefault("examples", [found.pop("example")])
        found.pop("example", None)
    return found
