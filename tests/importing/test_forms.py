"""OpenAI's form, MCP's, and a bare JSON Schema."""

from __future__ import annotations

import pytest

from edgefn.errors import DuplicateTool, ToolDefinitionError
from edgefn.importing import from_json_schema, from_mcp, from_openai, read_tools
from edgefn.tool import Hints

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "which  city."}, "days": {"type": "integer"}},
    "required": ["city"],
}
BARE = {"name": "forecast", "description": "Tell the\n weather.", "parameters": SCHEMA}
WRAPPED = {"type": "function", "function": {**BARE, "strict": True}}
OF_MCP = {"name": "forecast", "title": "F", "description": "Tell the weather.", "inputSchema": SCHEMA}


@pytest.mark.parametrize(
    "document", [[WRAPPED], {"tools": [WRAPPED]}, WRAPPED, BARE, [BARE], {"type": "function", **BARE}, (WRAPPED,)]
)
def test_openai(document):
    (tool,) = from_openai(document)
    assert read_tools(document).tools == (tool,)
    assert (tool.name, tool.description, tool.function) == ("forecast", "Tell the weather.", None)
    assert tool.schema == SCHEMA
    assert [each.description for each in tool.parameters] == ["which city.", ""]
    assert [each.required for each in tool.parameters] == [True, False]
    assert tool.hints == Hints()


@pytest.mark.parametrize(
    "document",
    [
        {"tools": [OF_MCP], "nextCursor": "a"},
        {"jsonrpc": "2.0", "id": 1, "result": {"tools": [OF_MCP]}},
        [OF_MCP],
        OF_MCP,
    ],
)
def test_mcp(document):
    (tool,) = from_mcp(document)
    assert read_tools(document).tools == (tool,)
    assert (tool.name, tool.description) == ("forecast", "Tell the weather.")
    assert tool.schema == SCHEMA
    # what MCP supposes of a tool that says nothing of itself
    assert tool.hints == Hints(destructive=True, open_world=True)


@pytest.mark.parametrize(
    ("annotations", "hints"),
    [
        ({"readOnlyHint": True}, Hints(read_only=True, open_world=True)),
        ({"readOnlyHint": True, "destructiveHint": True}, Hints(read_only=True, open_world=True)),
        ({"destructiveHint": False, "openWorldHint": False, "title": "T"}, Hints()),
        ({"idempotentHint": True}, Hints(destructive=True, idempotent=True, open_world=True)),
        (None, Hints(destructive=True, open_world=True)),
    ],
)
def test_annotations_are_hints(annotations, hints):
    (tool,) = from_mcp([{**OF_MCP, "annotations": annotations}])
    assert tool.hints == hints


@pytest.mark.parametrize("parameters", [{}, {"parameters": None}, {"parameters": {}}])
def test_a_tool_without_parameters(parameters):
    (tool,) = from_openai([{"name": "stop", **parameters}])
    assert tool.schema == {"type": "object", "properties": {}}
    assert (tool.description, tool.bind({})) == ("", {})


def test_a_schema_alone():
    (tool,) = from_json_schema({"title": "Set the timer!", "description": "Sets it.", **SCHEMA})
    assert (tool.name, tool.description, tool.schema) == ("Set_the_timer", "Sets it.", SCHEMA)
    assert read_tools({"title": "Set the timer!", "description": "Sets it.", **SCHEMA}).tools == (tool,)
    (other,) = from_json_schema(SCHEMA, "a", "b")
    assert (other.name, other.description) == ("a", "b")


def refusal(read, document, **options) -> ToolDefinitionError:
    with pytest.raises(ToolDefinitionError) as caught:
        read(document, **options)
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("read", "document", "message"),
    [
        (from_openai, [WRAPPED, 5], "/1: an object is expected, not 5"),
        (from_openai, {"tools": {}}, "/tools: a list is expected, not {}"),
        (from_openai, "text", "the document: a list is expected, not 'text'"),
        (from_openai, [{"function": {}}], "/0/function/name: is missing"),
        (from_openai, [{"function": None}], "/0/function: an object is expected, not None"),
        (from_openai, [{**BARE, "name": 5}], "/0/name: text is expected, not 5"),
        (from_openai, [{**BARE, "name": "7up"}], "/0: '7up' is no name for a tool"),
        (from_openai, [{**BARE, "description": 5}], "/0/description: text is expected, not 5"),
        (from_openai, [{"type": "web_search"}], "/0/type: 'web_search' is no function"),
        (from_openai, [{**BARE, "parameters": 5}], "/0/parameters: an object is expected, not 5"),
        (
            from_openai,
            {"tools": [{"function": {"name": "a", "parameters": {"properties": {"when": {"if": {}}}}}}]},
            "/tools/0/function/parameters/properties/when/if: the keyword 'if' is not supported",
        ),
        (from_mcp, {"tools": [BARE]}, "/tools/0/inputSchema: is missing"),
        (from_mcp, {"result": {"tools": [{**OF_MCP, "inputSchema": []}]}}, "/result/tools/0/inputSchema: an object"),
        (from_mcp, [{**OF_MCP, "annotations": 5}], "/0/annotations: an object is expected"),
        (from_mcp, [{**OF_MCP, "annotations": {"readOnlyHint": 1}}], "/0/annotations/readOnlyHint: true or false"),
        (from_mcp, {"jsonrpc": "2.0", "error": {"code": 1}}, "/error: the server answered with an error"),
        (from_json_schema, SCHEMA, "the document: there is no title"),
        (from_json_schema, {**SCHEMA, "title": "天气"}, "the document: there is no title that could be"),
    ],
)
def test_a_malformed_document_is_refused_with_the_place(read, document, message):
    assert refusal(read, document).message.startswith(message)


def test_two_tools_of_one_name():
    refused = refusal(from_openai, {"tools": [WRAPPED, BARE]})
    assert isinstance(refused, DuplicateTool)
    assert refused.message == "/tools/1: two tools are named 'forecast', the other is /tools/0"
