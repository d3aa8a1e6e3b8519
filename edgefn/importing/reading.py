"""Tools from the documents of others: which form a document has, and what is broken in it.

path or document ── read_tools ──▶ Imported(tools, problems)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from edgefn.errors import DuplicateTool, ToolDefinitionError
from edgefn.importing.building import Bind, check_bind
from edgefn.importing.document import Node, document_of
from edgefn.importing.files import read_values
from edgefn.importing.forms import Entry, mcp_entries, openai_entries, schema_entries
from edgefn.importing.openapi import openapi_entries
from edgefn.tool import Tool

_FORMS = "OpenAI's tools, MCP's tools/list, a JSON Schema of an object, and OpenAPI 3.0 or 3.1"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read from a document."""

    tools: tuple[Tool, ...]
    """In the order of the document."""
    problems: tuple[ToolDefinitionError, ...] = ()
    """One for each tool that was left out; empty where reading was strict."""


def from_openai(document: object, bind: Bind = None) -> tuple[Tool, ...]:
    """Return the tools of OpenAI's `tools`: a list, {"tools": [...]} or one tool, with or without "function" around it.

    Args:
        document: parsed JSON.
        bind: functions by the tools' names, or a function from a name to a function or None. They are called with
            JSON values as keywords; a tool without one can be selected, and never runs.

    Raises:
        ToolDefinitionError: the first thing that is wrong, with its JSON pointer.
    """
    return _tools(openai_entries(document_of(document), bind), bind)


def from_mcp(document: object, bind: Bind = None) -> tuple[Tool, ...]:
    """Return the tools of an MCP `tools/list` result, bare or in its JSON-RPC response; see `from_openai`.

    Annotations become hints; one that is left out is what the protocol supposes: destructive, open to the world.
    """
    return _tools(mcp_entries(document_of(document), bind), bind)


def from_json_schema(
    document: object, name: str | None = None, description: str | None = None, bind: Bind = None
) -> tuple[Tool, ...]:
    """Return the one tool whose arguments a JSON Schema describes; see `from_openai`.

    Its title, made a legal name, and its description are the tool's where `name` and `description` are not given.
    """
    return _tools(schema_entries(document_of(document), name, description, bind), bind)


def from_openapi(document: object, bind: Bind = None) -> tuple[Tool, ...]:
    """Return one tool per operation of an OpenAPI 3.0 or 3.1 document; see `from_openai`.

    A tool is named after the operationId, else "method_path". Its arguments are the parameters in path and query and
    the properties of the JSON body, one whose name is taken with "body_" before it. Headers and cookies are left out.
    """
    return _tools(openapi_entries(document_of(document), bind), bind)


def read_tools(path_or_document: object, bind: Bind = None, *, strict: bool = True) -> Imported:
    """Return the tools of a document of any known form, or of a .json or .yaml file; see `from_openai`.

    Args:
        path_or_document: a path (every text is one), or parsed JSON.
        bind: see `from_openai`.
        strict: raise for the first broken tool; False leaves broken tools out and lists why.

    Raises:
        ToolDefinitionError: a tool is broken, or the whole document has no known form.
        MissingExtra: the file is YAML, and PyYAML is not installed.
    """
    if not isinstance(path_or_document, str | Path):
        return _collected(_entries(document_of(path_or_document), bind), bind, strict)
    path = Path(path_or_document)
    values = read_values(path)
    try:
        found = _collected(_entries(document_of(values), bind), bind, strict)
    except ToolDefinitionError as exc:
        raise _placed(exc, path) from exc
    tools = tuple(replace(each, source=str(path)) for each in found.tools)
    return Imported(tools, tuple(_placed(each, path) for each in found.problems))


def _placed(error: ToolDefinitionError, path: Path) -> ToolDefinitionError:
    return type(error)(f"{path}: {error.message}", hint=error.hint)


def _tools(entries: Iterable[Entry], bind: Bind) -> tuple[Tool, ...]:
    return _collected(entries, bind, strict=True).tools


def _collected(entries: Iterable[Entry], bind: Bind, strict: bool) -> Imported:
    check_bind(bind)
    tools: dict[str, tuple[Node, Tool]] = {}
    problems = []
    for node, read in entries:
        try:
            tool = read()
            if tool.name in tools:
                message = f"two tools are named {tool.name!r}, the other is {tools[tool.name][0].pointer}"
                raise DuplicateTool(f"{node.pointer}: {message}", hint="rename one of them")
            tools[tool.name] = node, tool
        except ToolDefinitionError as exc:
            if strict:
                raise
            problems.append(exc)
    unknown = [name for name in bind if name not in tools] if isinstance(bind, Mapping) and not problems else []
    if unknown:
        known = ", ".join(tools) or "none"
        raise ToolDefinitionError(f"bind has {unknown[0]!r}, which is no tool here", hint=f"the tools: {known}")
    return Imported(tuple(tool for _, tool in tools.values()), tuple(problems))


def _entries(document: Node, bind: Bind) -> Iterable[Entry]:
    """Return the tools of a document, by the keys that only its form has."""
    first = document[0] if isinstance(document.value, list) and document.value else document
    if "tools" in document and isinstance(document["tools"].value, list) and document["tools"].value:
        first = document["tools"][0]
    if "openapi" in document or "swagger" in document:
        return openapi_entries(document, bind)
    if "jsonrpc" in document or "result" in document or "inputSchema" in first:
        return mcp_entries(document, bind)
    listed = isinstance(document.value, list) or "tools" in document
    if listed or "function" in document or ("name" in document and "properties" not in document):
        return openai_entries(document, bind)
    if document.value and {"$schema", "type", "properties", "$ref", "title"} & document.mapping().keys():
        return schema_entries(document, None, None, bind)
    raise document.error("this form of tool definitions is not known", f"known are {_FORMS}")
