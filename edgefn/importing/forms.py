"""The forms of OpenAI and MCP, and a bare JSON Schema: where each keeps the parts of a tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

from edgefn.importing.building import Bind, build, legal_name
from edgefn.importing.document import Node
from edgefn.importing.schemas import read_arguments
from edgefn.tool import Hints, Tool

Entry: TypeAlias = tuple[Node, Callable[[], Tool]]
"""Where a tool stands, and what reads it."""


def openai_entries(document: Node, bind: Bind) -> Iterator[Entry]:
    """Yield the tools of a list, of {"tools": [...]}, or the one that the document is."""
    for node in _listed(document):
        yield node, partial(_openai_tool, node, bind)


def mcp_entries(document: Node, bind: Bind) -> Iterator[Entry]:
    """Yield the tools of a `tools/list` result, bare or inside its JSON-RPC response, or of a list."""
    if "error" in document and "result" not in document:
        raise document["error"].error("the server answered with an error", "ask it for tools/list again")
    for node in _listed(document.under("result")):
        yield node, partial(_mcp_tool, node, bind)


def _listed(document: Node) -> Iterator[Node]:
    if isinstance(document.value, dict) and "tools" not in document:
        return iter([document])
    tools = document.under("tools")
    tools.items()
    return iter(tools)


def _openai_tool(node: Node, bind: Bind) -> Tool:
    if "type" in node and node["type"].value != "function":
        hint = 'only {"type": "function", ...} is a tool of this device'
        raise node["type"].error(f"{node['type'].value!r} is no function", hint)
    inner = node.under("function")
    schema = _arguments(inner, "parameters")
    return build(inner, inner.need("name").text(), inner.prose("description"), schema, Hints(), bind)


def _mcp_tool(node: Node, bind: Bind) -> Tool:
    node.need("inputSchema")
    schema = _arguments(node, "inputSchema")
    return build(node, node.need("name").text(), node.prose("description"), schema, _mcp_hints(node), bind)


def _arguments(node: Node, key: str) -> dict[str, object]:
    node.need("name").text()
    if node.value.get(key) is None:
        return {"type": "object", "properties": {}}
    return read_arguments(node[key])


def _mcp_hints(node: Node) -> Hints:
    """Return MCP's annotations; what is not said is what the protocol supposes, and that is the worst."""
    about = node["annotations"] if node.value.get("annotations") is not None else Node({}, node.pointer)
    about.mapping()

    def said(key: str, otherwise: bool) -> bool:
        return about[key].flag() if key in about else otherwise

    read_only = said("readOnlyHint", False)
    return Hints(
        read_only,
        said("destructiveHint", True) and not read_only,
        said("idempotentHint", False),
        said("openWorldHint", True),
    )


def schema_entries(document: Node, name: str | None, description: str | None, bind: Bind) -> Iterator[Entry]:
    """Yield the tool whose arguments a JSON Schema describes; its title and description are the tool's."""
    yield document, partial(_schema_tool, document, name, description, bind)


def _schema_tool(document: Node, name: str | None, description: str | None, bind: Bind) -> Tool:
    schema = read_arguments(document)
    title = document.prose("title")
    if name is None:
        name = legal_name(title)
    if not name:
        raise document.error("there is no title that could be the tool's name", "give it a title, or pass name=...")
    about = document.prose("description") if description is None else description
    bare = {key: value for key, value in schema.items() if key not in ("title", "description")}
    return build(document, name, about, bare, Hints(), bind)
