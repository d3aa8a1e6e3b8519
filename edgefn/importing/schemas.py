"""From a schema of a document to the one form that schemas of tools have.

References are written out, null stands as `anyOf` [X, null], and what cannot be kept is an error with its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgefn.arguments.reader import reader_of
from edgefn.errors import ToolDefinitionError
from edgefn.importing.document import Node
from edgefn.importing.keywords import ANNOTATIONS, CHOSEN, CONSTRAINTS, HINT, TYPES, check, read_annotations
from edgefn.importing.references import Scope
from edgefn.schema import Parameter

_NULL = {"type": "null"}


def read_arguments(node: Node) -> dict[str, Any]:
    """Return the schema of a tool's arguments; ToolDefinitionError where it describes no object."""
    schema = read_schema(node, Scope(node))
    if not schema.keys() & {"type", "anyOf", "enum", "const"}:
        schema["type"] = "object"
    if schema.get("type") != "object":
        raise node.error("the arguments of a tool are an object", 'write {"type": "object", "properties": {...}}')
    schema.setdefault("properties", {})
    return check_arguments(node, schema)


def check_arguments(node: Node, schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments; ToolDefinitionError where no call could fit, or none be understood."""
    for name in schema.get("required", ()):
        if name not in schema["properties"]:
            raise node.error(f"{name!r} is required, and is not among the properties")
    for name, each in schema["properties"].items():
        try:
            reader_of(Parameter(name, Any, each, False, None, ""))
        except ToolDefinitionError as exc:
            raise node.error(exc.message, exc.hint) from exc
        except (ValueError, TypeError) as exc:  # what people say stands under a key that is no value
            raise node.error(f"{name}: {exc}") from exc
    return schema


def read_schema(node: Node, scope: Scope) -> dict[str, Any]:
    """Return a schema in its one form; ToolDefinitionError names the first keyword that it cannot have."""
    if node.value is True:
        return {}
    check(node)
    scope = scope.inside(node)
    chosen = [keyword for keyword in CHOSEN if keyword in node]
    if chosen:
        inner, null = _chosen(node, chosen, scope)
    else:
        inner, null = _written_out(node, scope)
    about = {key: value for key, value in inner.items() if _is_annotation(key)} | read_annotations(node)
    inner = {key: value for key, value in inner.items() if not _is_annotation(key)}
    return {"anyOf": [inner, _NULL], **about} if null and "anyOf" not in inner else {**inner, **about}


def _is_annotation(key: str) -> bool:
    return key in ANNOTATIONS or key.startswith("x-")


# ---- a schema that stands for another ----


def _chosen(node: Node, chosen: list[str], scope: Scope) -> tuple[dict[str, Any], bool]:
    """Return the schema that another one stands for, and whether null is added to it."""
    keyword = chosen[0]
    beside = [key for key in node.value if key in CONSTRAINTS or key in ("type", "items", "properties")]
    for other in (*chosen[1:], *beside, *(key for key in ["additionalProperties"] if key in node)):
        raise node[other].error(f"the keyword {other!r} is not supported beside {keyword!r}", HINT)
    null = "nullable" in node and node["nullable"].flag()
    if keyword == "$ref":
        return read_schema(*scope.follow(node["$ref"])), null
    parts = node[keyword]
    parts.items()
    others = [each for each in parts if keyword == "allOf" or not _is_null(each)]
    if len(others) != 1 or len(parts.value) > 2:
        said = "for one schema" if keyword == "allOf" else "for a schema and null"
        raise parts.error(f"the keyword {keyword!r} is not supported but {said}", HINT)
    return read_schema(others[0], scope), null or len(parts.value) == 2


def _is_null(node: Node) -> bool:
    return "type" in node and node["type"].value == "null" and all(map(_is_annotation, node.value.keys() - {"type"}))


# ---- a schema that is written out ----


def _written_out(node: Node, scope: Scope) -> tuple[dict[str, Any], bool]:
    """Return what a schema refuses, null aside, and whether it takes null."""
    kind, null = _type(node)
    inner = {key: read(node[key]) for key, read in CONSTRAINTS.items() if key in node}
    if "properties" in node:
        node["properties"].mapping()
        inner["properties"] = {name: _held(node["properties"][name], scope) for name in node["properties"].value}
    if "items" in node:
        inner["items"] = _held(node["items"], scope)
    if "additionalProperties" in node:
        extra = node["additionalProperties"]
        inner["additionalProperties"] = extra.value if isinstance(extra.value, bool) else read_schema(extra, scope)
    kind = kind or ("object" if "properties" in inner else "array" if "items" in inner else "")
    if kind:
        inner["type"] = kind
    if kind in ("integer", "number", "boolean"):
        inner.pop("format", None)  # "int32" says how a number is stored; a format is what a text is
    for bound in ("Minimum", "Maximum"):
        _exclude(inner, f"exclusive{bound}", bound.lower())
    return _closed(node, inner, null)


def _held(node: Node, scope: Scope) -> dict[str, Any]:
    if isinstance(node.value, list):
        raise node.error("a list of schemas is not supported", HINT)
    return read_schema(node, scope)


def _type(node: Node) -> tuple[str, bool]:
    """Return the one JSON type besides null, "" where any fits, and whether null is among them."""
    null = "nullable" in node and node["nullable"].flag()
    if "type" not in node:
        return "", null
    given = node["type"]
    kinds = [each.text() for each in given] if isinstance(given.value, list) else [given.text()]
    for kind in kinds:
        if kind not in TYPES:
            raise given.error(f"there is no type {kind!r}", f"the types are {', '.join(TYPES)}")
    others = list(dict.fromkeys(kind for kind in kinds if kind != "null"))
    if len(others) != 1:
        raise given.error("one type, or one and null, is supported", HINT)
    return others[0], null or "null" in kinds


def _exclude(inner: dict[str, Any], exclusive: str, bound: str) -> None:
    """Write `exclusiveMinimum: true` beside a minimum, as older dialects have it, as one number."""
    if not isinstance(inner.get(exclusive), bool):
        return
    if inner.pop(exclusive) and bound in inner:
        inner[exclusive] = inner.pop(bound)


def _closed(node: Node, inner: dict[str, Any], null: bool) -> tuple[dict[str, Any], bool]:
    """Take null out of an enum, and check that the values of a closed set are of its type."""
    keyword = next((key for key in ("const", "enum") if key in inner), "")
    if not keyword:
        return inner, null
    values = inner["enum"] if keyword == "enum" else [inner["const"]]
    others = [value for value in values if value is not None]
    if not others:
        raise node[keyword].error("nothing but null fits", HINT)
    for value in others:
        if not _fits(value, inner):
            raise node[keyword].error(f"{value!r} is not of the type {inner['type']!r}")
    if keyword == "enum":
        inner["enum"] = others
    return inner, len(others) < len(values) and (null or "type" not in node)


def _fits(value: Any, inner: Mapping[str, Any]) -> bool:
    kinds = TYPES.get(inner.get("type", ""))
    if kinds is None:
        return True
    whole = isinstance(value, float) and value.is_integer() and int in kinds
    return whole or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool)))
