"""Import and export of tool definitions: OpenAI, MCP, JSON Schema, OpenAPI."""

from edgefn.importing.building import Bind
from edgefn.importing.reading import (
    Imported,
    from_json_schema,
    from_mcp,
    from_openai,
    from_openapi,
    read_tools,
)
from edgefn.importing.writing import to_mcp, to_openai

__all__ = [
    "Bind",
    "Imported",
    "from_json_schema",
    "from_mcp",
    "from_openai",
    "from_openapi",
    "read_tools",
    "to_mcp",
    "to_openai",
]
