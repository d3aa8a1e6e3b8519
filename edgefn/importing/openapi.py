"""OpenAPI 3.0 and 3.1: one tool per operation.

Path and query parameters and the properties of a JSON body become the arguments. Headers and cookies are left out:
they are the business of the function that sends the request, never something a person says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgefn.errors import ToolDefinitionError
from edgefn.importing.building import Bind, build, legal_name
from edgefn.importing.document import Node
from edgefn.importing.forms import Entry
from edgefn.importing.keywords import HINT
from edgefn.importing.references import Scope, resolved
from edgefn.importing.schemas import check_arguments, read_schema
from edgefn.tool import Hints, Tool

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_PLACES = ("path", "query", "header", "cookie")
_IS_JSON = re.compile(r"(?:application/(?:[\w.+-]+\+)?json|application/\*|\*/\*)(?:;.*)?", re.I)


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of an operation."""

    name: str
    """As the API calls it."""
    place: str
    """Where it is sent: path, query or body."""
    schema: dict[str, Any]
    """Its schema, in the one form."""
    required: bool
    """True where a request must have it."""


def openapi_entries(document: Node, bind: Bind) -> Iterator[Entry]:
    """Yield the operations of an API."""
    version = document.need("openapi")
    if not re.fullmatch(r"3\.[01](?:\..*)?", version.text(), re.S):
        raise version.error(f"OpenAPI {version.value!r} is not supported", "convert it to 3.0 or 3.1")
    paths = document["paths"] if "paths" in document else Node({}, "/paths")
    for path in paths.mapping():
        if path.startswith("x-"):
            continue
        try:
            item = resolved(paths[path], document)
            item.mapping()
        except ToolDefinitionError as exc:
            yield paths[path], partial(_refuse, exc)
            continue
        for method in filter(item.__contains__, _METHODS):
            yield item[method], partial(_operation_tool, document, item, path, method, bind)


def _refuse(error: ToolDefinitionError) -> Tool:
    raise error


def _operation_tool(document: Node, item: Node, path: str, method: str, bind: Bind) -> Tool:
    operation = item[method]
    name = legal_name(operation.prose("operationId")) or legal_name(f"{method} {path}")
    arguments = [*_parameters(document, item, operation), *_body(document, operation)]
    schema = check_arguments(operation, _joined(operation, arguments))
    return build(operation, name, operation.prose("summary", "description"), schema, _hints(method), bind)


def _hints(method: str) -> Hints:
    reads = method in ("get", "head")
    return Hints(reads, method == "delete", reads or method in ("put", "delete"), open_world=True)


def _joined(operation: Node, arguments: list[_Argument]) -> dict[str, Any]:
    """Return one object schema; of two arguments with one name, the later one gets its place before it."""
    found: dict[str, _Argument] = {}
    taken = {each.name for each in arguments}
    for each in arguments:
        name = each.name if each.name not in found else f"{each.place}_{each.name}"
        if name in found or (name != each.name and name in taken):
            raise operation.error(f"two arguments are named {name!r}", "rename one of them")
        found[name] = each
    return {
        "type": "object",
        "properties": {name: each.schema for name, each in found.items()},
        "required": [name for name, each in found.items() if each.required],
        "additionalProperties": False,
    }


# ---- parameters ----


def _parameters(document: Node, item: Node, operation: Node) -> list[_Argument]:
    """Return what is sent in the path and the query; an operation's own come before those of its path."""
    nodes: dict[tuple[str, str], Node] = {}
    for owner in (item, operation):
        if "parameters" not in owner:
            continue
        owner["parameters"].items()
        for each in owner["parameters"]:
            node = resolved(each, document)
            place = node.need("in")
            if place.text() not in _PLACES:
                raise place.error(f"{place.value!r} is no place of a parameter", f"places are {', '.join(_PLACES)}")
            nodes[place.value, node.need("name").text()] = node
    kept = sorted((key for key in nodes if key[0] in _PLACES[:2]), key=lambda key: _PLACES.index(key[0]))
    return [_parameter(document, nodes[key]) for key in kept]


def _parameter(document: Node, node: Node) -> _Argument:
    name, place = node["name"].value, node["in"].value
    required = "required" in node and node["required"].flag()
    holder = node
    if "schema" not in node and "content" in node:
        holder = _json_media(document, node["content"])
    schema = read_schema(holder.need("schema"), Scope(document))
    if about := node.prose("description"):
        schema["description"] = about
    return _Argument(name, place, schema, required or place == "path")


# ---- the body ----


def _json_media(document: Node, content: Node) -> Node:
    for kind in content.mapping():
        if _IS_JSON.fullmatch(kind.strip()):
            media = resolved(content[kind], document)
            media.mapping()
            return media
    raise content.error("nothing here is JSON", HINT)


def _body(document: Node, operation: Node) -> list[_Argument]:
    """Return the properties of an object that is sent as JSON, or the one argument `body`."""
    if "requestBody" not in operation:
        return []
    node = resolved(operation["requestBody"], document)
    media = _json_media(document, node.need("content"))
    needed = "required" in node and node["required"].flag()
    schema = read_schema(media["schema"], Scope(document)) if "schema" in media else {}
    if schema.get("type") == "object" and schema.get("properties"):
        required = schema.get("required", ())
        if missing := [name for name in required if name not in schema["properties"]]:
            raise media["schema"].error(f"{missing[0]!r} is required, and is not among the properties")
        return [
            _Argument(name, "body", each, needed and name in required)
            for name, each in schema["properties"].items()
            if each.get("readOnly") is not True  # only the server writes it
        ]
    if about := node.prose("description"):
        schema.setdefault("description", about)
    return [_Argument("body", "body", schema, needed)]
