"""Run a tool, and turn whatever it raises into an error of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgefn.errors import ToolFailed
from edgefn.tool import Tool


def run(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    """Return what the tool returned for validated arguments, as `Tool.bind` gives them.

    Raises:
        ToolFailed: the tool raised; the original exception is its cause.
    """
    if tool.function is None:
        raise ToolFailed(f"{tool.name} has no function on this device", hint="pass the function to edgefn.load")
    try:
        return tool.function(**arguments)
    except (Exception, SystemExit) as exc:  # a tool that calls sys.exit() must not end the kiosk
        raise ToolFailed(
            f"{tool.name} raised {type(exc).__name__}: {_said(exc)}",
            hint="the tool's own traceback is this error's cause",
        ) from exc


def _said(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception:  # its __str__ is a stranger's too
        return "(no message)"
