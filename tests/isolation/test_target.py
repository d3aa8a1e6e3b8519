"""Which tools a worker can find by path, and which are refused before anything runs."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path

import pytest

from edgefn.errors import ToolDefinitionError
from edgefn.isolation.target import Target, target_of
from edgefn.registry import import_file, load_tools
from edgefn.tool import Tool

SOURCE = '''
import functools
from edgefn.tool import tool

def logged(fn):
    @functools.wraps(fn)
    def inner(*args, **named):
        return fn(*args, **named)
    return inner

@tool
def restart() -> str:
    """Restart the device."""
    return "restarted"

@logged
def stop() -> str:
    """Stop the device."""
    return "stopped"

class Device:
    @staticmethod
    def ring() -> str:
        """Ring."""
        return "rang"

    def call(self) -> str:
        """Call."""
        return "called"

def make():
    def inner() -> str:
        """Do what is inside."""
        return "inside"
    return inner

closure = make()
fixed = functools.partial(stop)
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "device.py"
    path.write_text(SOURCE)
    return path


def refused(tool: Tool, part: str) -> None:
    with pytest.raises(ToolDefinitionError, match=part) as caught:
        target_of(tool)
    assert tool.name in caught.value.message
    assert "`isolated: false`" in caught.value.hint


def test_a_function_at_the_top_of_a_file(file: Path):
    assert target_of(load_tools(file)["restart"]) == Target("restart", str(file), "restart", True)


def test_a_static_function_and_a_decorated_one(file: Path):
    module = import_file(file)
    assert target_of(Tool.from_function(module.Device.ring)).qualname == "Device.ring"
    assert target_of(Tool.from_function(module.stop)).qualname == "stop"


def test_a_tool_with_a_schema_of_its_own_takes_json_values(file: Path):
    module = import_file(file)
    tool = Tool.from_schema("again", "Restart.", {"type": "object", "properties": {}}, module.restart)
    assert target_of(tool) == Target("again", str(file), "restart", False)


def test_a_file_that_was_loaded_twice_keeps_its_first_tools(file: Path):
    first = load_tools(file)["restart"]
    load_tools(file)
    assert target_of(first).file == str(file)


def test_what_no_worker_could_reach(file: Path):
    module = import_file(file)
    refused(Tool.from_function(module.closure), "<locals>")
    refused(Tool.from_function(module.fixed), "partial")
    refused(Tool.from_function(module.Device().call), "method")
    nothing = {"type": "object", "properties": {}}
    refused(Tool.from_schema("some", "Some.", nothing, lambda: 1), "lambda")
    refused(Tool.from_schema("length", "Some.", nothing, len), "builtin")
    refused(Tool.select_only("known", "Known from data.", nothing), "no function")


def test_another_function_under_its_name(file: Path):
    module = import_file(file)

    @functools.wraps(module.restart)
    def wrapper() -> str:
        return "wrapped"

    refused(Tool.from_function(wrapper), "something else")
    del module.restart
    refused(Tool.from_schema("gone", "Gone.", {"type": "object"}, wrapper), "nothing")


def test_a_function_of_exec():
    space: dict = {"__name__": "nowhere"}
    exec('def shout() -> str:\n    """Shout."""\n    return "!"\n', space)  # what a prompt or a notebook does
    refused(Tool.from_function(space["shout"]), r"\.py file")


def test_a_function_of_a_prompt():
    code = '''
from edgefn.tool import Tool
from edgefn.errors import ToolDefinitionError
from edgefn.isolation.target import target_of
def shout() -> str:
    """Shout."""
try:
    target_of(Tool.from_function(shout))
except ToolDefinitionError as exc:
    print(exc.message)
'''
    told = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=True)
    assert "shout cannot run in a process of its own: it does not come from a .py file" in told.stdout


def test_a_file_without_a_suffix_and_a_file_that_is_gone(file: Path):
    tool = load_tools(file)["restart"]
    file.unlink()
    refused(tool, r"\.py file")
