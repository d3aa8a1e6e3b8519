"""Function calling for devices that cannot run an LLM."""

from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError
from edgefn.loading import ToolsWarning, load
from edgefn.outcome import (
    Abstained,
    Done,
    Evidence,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Outcome,
    Pending,
    Ranked,
    Several,
    ToolCall,
)
from edgefn.registry import Registry
from edgefn.tool import Tool, tool

__version__ = "0.1.0"

__all__ = [
    "Abstained",
    "Dispatcher",
    "Done",
    "EdgefnError",
    "Evidence",
    "Failed",
    "NeedsArgument",
    "NeedsConfirmation",
    "Outcome",
    "Pending",
    "Ranked",
    "Registry",
    "Several",
    "Tool",
    "ToolCall",
    "ToolsWarning",
    "load",
    "tool",
]
