"""What is written reads back as the same tools."""

from __future__ import annotations

import json
from datetime import date, timedelta
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest

from edgefn.errors import DuplicateTool
from edgefn.importing import from_mcp, from_openai, from_openapi, read_tools, to_mcp, to_openai
from edgefn.registry import Registry
from edgefn.schema import Length, Range
from edgefn.tool import Tool, tool

TOOLS = Path(__file__).resolve().parents[2] / "tools"


class Size(Enum):
    SMALL = "s"
    LARGE = "l"


@tool(destructive=True, idempotent=True)
def everything(
    size: Size,
    mixed: Literal[1, "a", True],
    until: date,
    length: timedelta | None = None,
    percent: Annotated[int, Range(ge=0, le=100)] | None = 50,
    words: Annotated[list[Literal["x", "y"]], Length(max_length=3)] = [],  # noqa: B006
    loud: bool = False,
) -> None:
    """Take  everything.

    Args:
        size: which size.
        mixed: which.
        until: the last day.
        length: how long.
        percent: how much.
        words: which words.
        loud: whether it is loud.
    """


def all_tools():
    yield from Registry([everything])
    for folder in ("kiosk", "kiosk_zh"):
        yield from Registry.load(TOOLS / folder)


@pytest.mark.parametrize("made", list(all_tools()), ids=lambda made: made.name)
def test_a_function_read_back(made):
    for write, read in ((to_openai, from_openai), (to_mcp, from_mcp)):
        text = json.dumps(write([made]))
        (again,) = read(json.loads(text))
        assert again.fingerprint == made.fingerprint
        assert again.parameters_fingerprint == made.parameters_fingerprint
        assert {each.name: each.description for each in again.parameters} == {
            each.name: each.description for each in made.parameters
        }
        assert read_tools(json.loads(text)).tools == (again,)
    assert again.hints == made.hints  # MCP's form keeps them


def test_an_imported_tool_read_back():
    schema = {
        "properties": {
            "a": {"type": "object", "properties": {"b": {"nullable": True, "type": "string"}}},
            "c": {"enum": ["x", None], "description": " two\nlines ", "default": "x"},
        }
    }
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    api = {"openapi": "3.0.1", "paths": {"/a": {"put": operation}}}
    (made,) = from_openapi(api)
    assert from_openai(to_openai([made]))[0].fingerprint == made.fingerprint
    assert from_mcp(to_mcp([made]))[0] == made


def test_functions_and_registries_are_taken():
    registry = Registry([everything])
    assert to_openai([everything]) == to_openai(registry) == [registry["everything"].to_openai()]
    assert to_mcp([]) == []
    with pytest.raises(DuplicateTool):
        to_mcp([everything, Tool.select_only("everything", "", {})])
