"""Tools as others read them: OpenAI's `tools`, and the tools of MCP's `tools/list`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from edgefn.registry import Registry
from edgefn.tool import Tool


def to_openai(tools: Iterable[Callable[..., Any] | Tool]) -> list[dict[str, Any]]:
    """Return the list that OpenAI's API takes as `tools`. It has no place for hints.

    Raises ToolDefinitionError for a function that is no tool, DuplicateTool where two have one name.
    """
    return [each.to_openai() for each in Registry(tools)]


def to_mcp(tools: Iterable[Callable[..., Any] | Tool]) -> list[dict[str, Any]]:
    """Return the list that an MCP server gives as `tools` in the result of tools/list, hints as annotations.

    Raises ToolDefinitionError for a function that is no tool, DuplicateTool where two have one name.
    """
    return [each.to_mcp() for each in Registry(tools)]
