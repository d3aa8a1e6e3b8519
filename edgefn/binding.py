"""Whether a tool of this device is the one that the bundle was trained for."""

from __future__ import annotations

import warnings
from typing import Literal, TypeAlias

from edgefn.errors import BundleMismatch, ToolsWarning
from edgefn.manifest import TrainedTool
from edgefn.tool import Tool, fingerprint_parameters

OnMismatch: TypeAlias = Literal["raise", "select_only"]


def checked(tool: Tool, trained: TrainedTool | None, on_mismatch: OnMismatch = "raise", stacklevel: int = 6) -> Tool:
    """Return `tool` as it may be bound to what was trained; raises BundleMismatch, and warns of a new description."""
    if trained is None or tool.fingerprint == trained.fingerprint:
        return tool
    if not trained.callable:  # known from data or from a foreign classifier's label: there is nothing to differ from
        return tool
    if tool.parameters_fingerprint == fingerprint_parameters(trained.parameters):
        text = f"{tool.name}: its description changed since the bundle was trained"
        warnings.warn(text, ToolsWarning, stacklevel=stacklevel)
        return tool
    if on_mismatch == "select_only":
        return select_only(trained)
    raise BundleMismatch(
        f"{tool.name}: its parameters differ from those the bundle was trained with",
        hint='train and export again, or load(..., on_mismatch="select_only") to select it without running it',
    )


def select_only(trained: TrainedTool) -> Tool:
    """Return a trained tool as its schema describes it: it can be selected, never run."""
    return Tool.select_only(trained.name, trained.description, trained.parameters)
