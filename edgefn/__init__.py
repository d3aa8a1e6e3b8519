"""Function calling for devices that cannot run an LLM."""

from edgefn.arguments.marks import Among, Synonyms, Unit
from edgefn.dispatcher import Dispatcher
from edgefn.errors import EdgefnError, ToolsWarning
from edgefn.execution.signals import Cancellation
from edgefn.loading import load
from edgefn.outcome import (
    Abstained,
    Answered,
    Done,
    Evidence,
    Expected,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Outcome,
    Ranked,
    Several,
    ToolCall,
)
from edgefn.pending import Pending
from edgefn.policy.policy import Policy
from edgefn.policy.rule import Rate, Rule
from edgefn.policy.session import Session
from edgefn.registry import Registry
from edgefn.schema import Length, Pattern, Range
from edgefn.tool import Tool, tool
from edgefn.trace import Trace

__version__ = "0.1.0"

__all__ = [
    "Abstained",
    "Among",
    "Answered",
    "Cancellation",
    "Dispatcher",
    "Done",
    "EdgefnError",
    "Evidence",
    "Expected",
    "Failed",
    "Length",
    "NeedsArgument",
    "NeedsConfirmation",
    "Outcome",
    "Pattern",
    "Pending",
    "Policy",
    "Range",
    "Ranked",
    "Rate",
    "Registry",
    "Rule",
    "Session",
    "Several",
    "Synonyms",
    "Tool",
    "ToolCall",
    "ToolsWarning",
    "Trace",
    "Unit",
    "load",
    "tool",
]
