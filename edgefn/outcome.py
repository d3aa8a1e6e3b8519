"""What one dispatch returned: frozen, comparable, and the same on every device.

Abstaining is a normal result here, never an exception.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, time, timedelta
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypeAlias

from edgefn.errors import EdgefnError
from edgefn.iso8601 import format_duration

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
            "arguments": {name: _plain(value) for name, value in self.arguments.items()},
            "probability": self.probability,
            "evidence": [asdict(each) for each in self.evidence],
        }


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits for an argument or a confirmation; JSON-serialisable, bound to one bundle."""

    bundle_id: str
    """Id of the bundle that produced the call; another bundle refuses it."""
    tool: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """JSON values of the arguments known so far."""
    probability: float
    """Probability of the call as it was selected."""
    missing: str | None
    """Parameter that is asked for, or None when a confirmation is asked for."""
    expires: float
    """Unix time after which the call is refused, seconds."""
    unfit: tuple[str, ...] = ()
    """Other parameters for which something was said that does not fit: they are asked for next."""

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Pending:
        """Read what `to_json` wrote; raises EdgefnError when it is something else."""
        try:
            fields = json.loads(text, parse_constant=_no_constant)
            pending = cls(**{name: fields[name] for name in cls.__slots__})
            pending._check()
            return replace(pending, unfit=tuple(pending.unfit))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise EdgefnError(
                f"this is not a pending call: {exc}", hint="pass the text that Pending.to_json() returned"
            ) from exc

    def _check(self) -> None:
        for name, kind in _PENDING.items():
            if not isinstance(getattr(self, name), kind) or isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} is {getattr(self, name)!r}")
        if not all(isinstance(name, str) for name in self.unfit):
            raise TypeError(f"unfit is {self.unfit!r}")


@dataclass(frozen=True, slots=True)
class Done:
    """The tool ran."""

    call: ToolCall
    """What was called."""
    value: Any
    """What the tool returned."""


@dataclass(frozen=True, slots=True)
class Abstained:
    """No tool was run, on purpose."""

    reason: AbstainReason
    """Why."""
    tool: str | None = None
    """The tool that won, where one did."""
    probability: float = 0.0
    """Probability of the best tool: the number that was compared with the threshold."""
    ranking: tuple[Ranked, ...] = ()
    """The best tools, most probable first."""


@dataclass(frozen=True, slots=True)
class NeedsArgument:
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
class NeedsConfirmation:
    """The tool changes something that cannot be undone, so a person must agree first."""

    call: ToolCall
    """What would be called."""
    question: str
    """The question to put to the person."""
    pending: Pending
    """Pass it to the dispatcher with what the person says next, or to `Dispatcher.resume` once they agreed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The call was made, or could not be made, and went wrong."""

    call: ToolCall
    """What was called."""
    error: EdgefnError
    """What went wrong."""


@dataclass(frozen=True, slots=True)
class Several:
    """Several calls in one utterance, in the order they were said."""

    outcomes: tuple[Outcome, ...] = field(default=())
    """One outcome for each call."""


Outcome: TypeAlias = Done | Abstained | NeedsArgument | NeedsConfirmation | Failed | Several


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
        }
    fields: dict[str, Any] = {"outcome": _KINDS[type(outcome)], **outcome.call.to_json()}
    match outcome:
        case Done(value=value):
            fields["value"] = _plain(value)
        case NeedsArgument(parameter=parameter, question=question, pending=pending, problem=problem):
            fields |= {"parameter": parameter, "question": question, "problem": problem}
            fields["pending"] = pending.to_json()
        case NeedsConfirmation(question=question, pending=pending):
            fields |= {"question": question, "pending": pending.to_json()}
        case Failed(error=error):
            fields["error"] = error.to_json()
    return fields


def call_text(tool: str, arguments: Mapping[str, Any]) -> str:
    """Return a call in one line, its arguments by name."""
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in sorted(arguments.items()))})"


_PENDING: dict[str, type | UnionType] = {
    "bundle_id": str,
    "tool": str,
    "arguments": dict,
    "probability": float | int,
    "missing": str | None,
    "expires": float | int,
    "unfit": list | tuple,
}
"""What JSON must hold for each field of `Pending`."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")  # NaN would never expire


_KINDS: dict[type, str] = {
    Done: "done",
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


def _plain(value: Any) -> Any:
    """Return `value` if JSON has a form for it, else the nearest text; never raises."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=_json_form)
        return json.loads(text.encode("utf-8", "replace"), parse_constant=str)  # NaN and Infinity are not JSON
    except Exception:  # a stranger's __str__ may raise anything
        return f"<{type(value).__name__}>"
