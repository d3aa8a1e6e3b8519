"""Function calling for devices that cannot run an LLM."""

from edgefn.arguments.marks import Among, Synonyms, Unit
from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError, ToolsWarning
from edgefn.loading import load
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
from edgefn.schema import Length, Pattern, Range
from edgefn.tool import Tool, tool

__version__ = "0.1.0"

__all__ = [
    "Abstained",
    "Among",
    "Dispatcher",
    "Done",
    "EdgefnError",
    "Evidence",
    "Failed",
    "Length",
    "NeedsArgument",
    "NeedsConfirmation",
    "Outcome",
    "Pattern",
    "Pending",
    "Range",
    "Ranked",
    "Registry",
    "Several",
    "Synonyms",
    "Tool",
    "ToolCall",
    "ToolsWarning",
    "Unit",
    "load",
    "tool",
]
