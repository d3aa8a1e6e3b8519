"""Where a worker finds the function of a tool, and which tools no worker could find."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgefn.errors import ToolDefinitionError
from edgefn.tool import Tool

_FILES = (".py", ".pyc")
"""Endings of files that can be loaded by path under a name of our own."""
_HINT = "define it at the top of a .py file, or say `isolated: false` for it in the policy"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a worker finds the function of a tool."""

    tool: str
    """Name of the tool."""
    file: str
    """Absolute path of the file that defines it."""
    qualname: str
    """"restart", or "Device.restart" for a static function, reached by attributes."""
    typed: bool
    """True: the worker binds JSON values with the tool's own types; False: the tool came with a schema and takes JSON
    values by name."""


def target_of(tool: Tool) -> Target:
    """Return where a worker finds the function of a tool.

    Raises ToolDefinitionError where no worker could load it by path: it has no file (a prompt, a notebook, exec),
    stands inside another function, is a method, a partial or a lambda, or its module has something else in its place.
    """
    function = tool.function
    if function is None:
        raise _refused(tool, "it has no function on this device")
    qualname = getattr(function, "__qualname__", "")
    if not qualname or hasattr(function, "__self__"):
        raise _refused(tool, f"it is a {type(function).__name__}, not a function with a name")
    if "<" in qualname:  # <locals>, <lambda>
        raise _refused(tool, f"{qualname} has no name that can be reached from the top of its file")
    return Target(tool.name, _file_of(tool, function, qualname), qualname, tool.given_schema is None)


def _file_of(tool: Tool, function: Callable[..., Any], qualname: str) -> str:
    """Return the file whose module holds this very function under its name."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    file: str | None = getattr(module, "__file__", None)
    if module is None or not file or not file.endswith(_FILES) or not os.path.isfile(file):
        raise _refused(tool, "it does not come from a .py file")
    found: Any = module
    for name in qualname.split("."):
        found = getattr(found, name, None)
    if not _same(found, function):
        raise _refused(tool, f"{file} has something else, or nothing, under the name {qualname}")
    return os.path.abspath(file)


def _same(found: Any, function: Any) -> bool:
    # A file that was loaded twice has two equal functions, and only the second stands in its module.
    code = getattr(function, "__code__", None)
    return found is function or (code is not None and getattr(found, "__code__", None) == code)


def _refused(tool: Tool, why: str) -> ToolDefinitionError:
    return ToolDefinitionError(f"{tool.name} cannot run in a process of its own: {why}", hint=_HINT)
