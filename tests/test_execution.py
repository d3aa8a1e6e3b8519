"""A tool is called with bound arguments, and whatever it raises comes back as one error with its cause."""

from __future__ import annotations

import sys

import pytest
import tiny

from edgefn.errors import ArgumentError, ToolFailed
from edgefn.execution import run
from edgefn.tool import Tool


class Silent(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


def timer() -> tuple[Tool, list]:
    functions, ran = tiny.functions()
    return Tool.from_function(functions[2]), ran


def failing(exc: BaseException) -> Tool:
    def break_down() -> None:
        """Break down."""
        raise exc

    return Tool.from_function(break_down)


def test_runs_with_its_own_defaults():
    tool, ran = timer()
    assert run(tool, tool.bind({"minutes": 10})) == "timer: 10"
    assert run(tool, tool.bind({"minutes": 3, "label": "pasta"})) == "pasta: 3"
    assert ran == [("set_timer", 10, "timer"), ("set_timer", 3, "pasta")]


@pytest.mark.parametrize(
    "exc", [ValueError("no lamp"), SystemExit(3), SystemExit(), OSError(28, "full"), MemoryError()]
)
def test_what_a_tool_raises_is_kept_as_the_cause(exc):
    with pytest.raises(ToolFailed, match=f"break_down raised {type(exc).__name__}") as caught:
        run(failing(exc), {})
    assert caught.value.__cause__ is exc
    assert caught.value.hint


def test_an_error_of_ours_that_a_tool_raises_is_the_tools():
    with pytest.raises(ToolFailed, match="break_down raised ArgumentError"):
        run(failing(ArgumentError("it is not ours", parameter="minutes")), {})


def test_sys_exit():
    def leave() -> None:
        """Leave."""
        sys.exit("goodbye")

    with pytest.raises(ToolFailed, match="leave raised SystemExit: goodbye"):
        run(Tool.from_function(leave), {})


def test_an_exception_that_cannot_be_shown():
    with pytest.raises(ToolFailed, match=r"break_down raised Silent: \(no message\)"):
        run(failing(Silent()), {})


def test_the_keyboard_interrupts():
    with pytest.raises(KeyboardInterrupt):
        run(failing(KeyboardInterrupt()), {})


def test_a_tool_without_a_function():
    tool, _ = timer()
    with pytest.raises(ToolFailed, match="no function on this device") as caught:
        run(Tool.select_only(tool.name, tool.description, tool.schema), {"minutes": 1})
    assert caught.value.hint
