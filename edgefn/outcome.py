"""What one dispatch returned: frozen, comparable, and the same on every device.

Abstaining is a normal result here, never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Literal, TypeAlias

from edgefn.errors import EdgefnError
from edgefn.iso8601 import format_duration
from edgefn.pending import Pending
from edgefn.trace import Trace

AbstainReason: TypeAlias = Literal[
    "empty",  # nothing to read: blank, or only characters the tokenizer drops
    "not_text",  # lone surrogates: not valid Unicode text
    "too_long",  # more tokens than the bundle was measured with
    "unknown_script",  # more than half of the tokens are unknown to the tokenizer
    "none_of_these",  # the "none of these" row won
    "unsure",  # a tool won, below the threshold
    "not_registered",  # the tool that won is not on this device
    "select_only",  # the tool that won may be selected but not run here
    "cancelled",  # the person took back a call that waited
    "denied",  # the policy does not let this role, or anybody, call the tool that won
    "rate_limited",  # the tool that won was called as often as the policy allows
    "dry_run",  # the policy lets everything be decided and nothing run
]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One line of a ranking."""

    tool: str
    """Name of the tool."""
    probability: float
    """Calibrated probability that a call of this tool is right if its arguments are, 0..1."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where one argument came from."""

    parameter: str
    """Name of the parameter."""
    start: int
    """First character of the span in the utterance; a value that stands nowhere in it has an empty span."""
    end: int
    """One past the last character of the span."""
    text: str
    """The words as said."""
    score: float
    """Probability of the span or choice times how near its words were to the value, 0..1."""
    normaliser: str = ""
    """What read the words: text, number, quantity:euro, duration, name:sound ...; empty where nothing could."""
    validator: str = ""
    """What the value was checked against, in words."""
    problem: str = ""
    """Why it is not an argument of the call; empty where it is."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool, its arguments and one probability for the whole."""

    tool: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """Typed value of every argument that was filled; JSON values where the tool is known only from its schema."""
    probability: float
    """Calibrated probability that the whole call is right, 0..1."""
    evidence: tuple[Evidence, ...] = ()
    """Where each argument came from, and what was said that gives none."""
    error: EdgefnError | None = None
    """Why an argument could not be looked up at all; such a call is not run."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, arguments in the form of the tool's schema: a duration is "PT10M"."""
        return {
            "tool": self.tool,
            "arguments": {name: plain(value) for name, value in self.arguments.items()},
            "probability": self.probability,
            "evidence": [asdict(each) for each in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Traced:
    """What every outcome has."""

    trace: Trace | None = field(default=None, compare=False, repr=False, kw_only=True)
    """Why it came to this. Two outcomes are equal whatever their ways: how long a step took is no part of them."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a line that names a function expected of it."""

    value: Any
    """The JSON value that was expected."""
    met: bool
    """Whether the tool returned it."""


@dataclass(frozen=True, slots=True)
class Done(Traced):
    """The tool ran."""

    call: ToolCall
    """What was called."""
    value: Any
    """What the tool returned."""
    sentence: str = ""
    """The result in words, where the tool says how."""
    expected: Expected | None = None
    """What was expected, where a line named a function and said so."""


@dataclass(frozen=True, slots=True)
class Answered(Traced):
    """No tool was called: the fallback answered."""

    value: Any
    """What it answered."""
    abstained: Abstained
    """What the dispatcher would have returned without it."""


@dataclass(frozen=True, slots=True)
class Abstained(Traced):
    """No tool was run, on purpose."""

    reason: AbstainReason
    """Why."""
    tool: str | None = None
    """The tool that won, where one did."""
    probability: float = 0.0
    """Probability of the best tool: the number that was compared with the threshold."""
    ranking: tuple[Ranked, ...] = ()
    """The best tools, most probable first."""
    call: ToolCall | None = None
    """What would have been called, where the policy stood in the way."""


@dataclass(frozen=True, slots=True)
class NeedsArgument(Traced):
    """A required argument is missing or does not fit."""

    call: ToolCall
    """The call as far as it is known."""
    parameter: str
    """What is asked for."""
    question: str
    """The question to put to the person."""
    pending: Pending
    """Pass it to the dispatcher with what the person says next, or to `Dispatcher.resume` with the value."""
    problem: str = ""
    """What is wrong with what was said for it; empty where nothing was."""


@dataclass(frozen=True, slots=True)
class NeedsConfirmation(Traced):
    """The tool changes something that cannot be undone, or the policy says so: a person must agree first."""

    call: ToolCall
    """What would be called."""
    question: str
    """The question to put to the person."""
    pending: Pending
    """Pass it to the dispatcher with what the person says next, or to `Dispatcher.resume` once they agreed."""
    description: str = ""
    """What will happen, in plain language."""


@dataclass(frozen=True, slots=True)
class Failed(Traced):
    """The call was made, or could not be made, and went wrong."""

    call: ToolCall
    """What was called."""
    error: EdgefnError
    """What went wrong."""


@dataclass(frozen=True, slots=True)
class Several(Traced):
    """Several calls in one utterance, in the order they were said."""

    outcomes: tuple[Outcome, ...] = field(default=())
    """One outcome for each call."""


Outcome: TypeAlias = Done | Answered | Abstained | NeedsArgument | NeedsConfirmation | Failed | Several


def outcome_to_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as plain JSON values, with its kind under `"outcome"`."""
    if isinstance(outcome, Several):
        return {"outcome": "several", "outcomes": [outcome_to_json(each) for each in outcome.outcomes]}
    if isinstance(outcome, Abstained):
        ranking = [{"tool": each.tool, "probability": each.probability} for each in outcome.ranking]
        return {
            "outcome": "abstained",
            "reason": outcome.reason,
            "tool": outcome.tool,
            "probability": outcome.probability,
            "ranking": ranking,
            **({} if outcome.call is None else {"call": outcome.call.to_json()}),
        }
    if isinstance(outcome, Answered):
        return {"outcome": "answered", "value": plain(outcome.value), "reason": outcome.abstained.reason}
    fields: dict[str, Any] = {"outcome": kind_of(outcome), **outcome.call.to_json()}
    match outcome:
        case Done(value=value, sentence=sentence, expected=expected):
            fields["value"] = plain(value)
            fields |= {"sentence": sentence} if sentence else {}
            fields |= {} if expected is None else {"expected": asdict(expected)}
        case NeedsArgument(parameter=parameter, question=question, pending=pending, problem=problem):
            fields |= {"parameter": parameter, "question": question, "problem": problem}
            fields["pending"] = pending.to_json()
        case NeedsConfirmation(question=question, pending=pending, description=description):
            fields |= {"description": description, "question": question, "pending": pending.to_json()}
        case Failed(error=error):
            fields["error"] = error.to_json()
    return fields


def kind_of(outcome: Outcome) -> str:
    """Return the kind of an outcome in one word, as JSON has it."""
    return _KINDS[type(outcome)]


def call_text(tool: str, arguments: Mapping[str, Any]) -> str:
    """Return a call in one line, its arguments by name."""
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in sorted(arguments.items()))})"


_KINDS: dict[type, str] = {
    Done: "done",
    Answered: "answered",
    Abstained: "abstained",
    Several: "several",
    NeedsArgument: "needs_argument",
    NeedsConfirmation: "needs_confirmation",
    Failed: "failed",
}


def _json_form(value: Any) -> Any:
    """Return the form that a tool's schema gives a typed value; of anything else its text."""
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value if type(value.value) in (str, int) else value.name
    return str(value)


def plain(value: Any) -> Any:
    """Return `value` if JSON has a form for it, else the nearest text; never raises."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_json_form)
        return json.loads(text.encode("utf-8", "replace"), parse_constant=str)  # NaN and Infinity are not JSON
    except Exception:  # a stranger's __str__ may raise anything
        return f"<{type(value).__name__}>"
