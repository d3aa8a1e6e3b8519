"""Outcomes in words, for a terminal."""

from __future__ import annotations

from datetime import date, time, timedelta
from enum import Enum
from typing import Any

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
    Several,
    ToolCall,
)
from edgefn.policy.rule import Terms


def in_words(outcome: Outcome | ToolCall) -> str:
    """Return an outcome, or a call that was not run, as a person reads it: the call, its evidence, what came of it."""
    match outcome:
        case ToolCall(tool=tool, arguments=arguments, probability=p, evidence=evidence):
            said = ", ".join(f"{name}={_value(value)}" for name, value in arguments.items())
            return "\n".join([f"{tool}({said})  {p:.3f}", *map(_piece, evidence)])
        case Done(call=call, value=value, sentence=sentence, expected=expected):
            return "\n".join([in_words(call), sentence or _text(value), *_compared(expected)])
        case Answered(value=value):
            return f"fallback: {_text(value)}"
        case Abstained(reason=reason, tool=tool, probability=p, ranking=ranking):
            best = tool or (ranking[0].tool if ranking else None)
            return f"abstained: {reason}" + (f"  (best {best}, {p:.3f})" if best else "")
        case NeedsArgument(call=call, question=question, problem=problem):
            return "\n".join(filter(None, [in_words(call), problem, question]))
        case NeedsConfirmation(call=call, question=question):
            return f"{in_words(call)}\n{question}"
        case Failed(call=call, error=error):
            failed = f"failed: {error.message}"
            return f"{in_words(call)}\n{failed}" if call.tool else failed  # a malformed line names no tool
        case Several(outcomes=outcomes):
            return "\n".join(map(in_words, outcomes))


def terms_in_words(terms: Terms) -> str:
    """Return what a policy says of a tool, in a line."""
    said = [terms.action, f"within {terms.timeout:g} s" if terms.timeout else "without a limit"]
    said += ["isolated"] * terms.isolated + ["dry run"] * terms.dry_run
    said += [f"at least {terms.threshold:g}"] if terms.threshold else []
    said += [f"doubt {terms.doubt:g}"] if terms.doubt < 1 else []
    said += [f"roles {', '.join(terms.roles) or 'none'}"] if terms.roles is not None else []
    said += [f"{terms.rate.calls} in {terms.rate.seconds:g} s"] if terms.rate is not None else []
    said += [f"{terms.concurrency} at once"] if terms.concurrency else []
    said += [f"{terms.retries} retries"] if terms.retries else []
    said += [f"kept {terms.cache:g} s"] if terms.cache else []
    return "; ".join(said)


def _compared(expected: Expected | None) -> list[str]:
    if expected is None:
        return []
    return ["as expected" if expected.met else f"not as expected: {expected.value!r}"]


def _value(value: Any) -> str:
    """Return a typed value as people write it: 0:20:00, not timedelta(seconds=1200)."""
    return str(value) if isinstance(value, date | time | timedelta | Enum) else repr(value)


def _piece(evidence: Evidence) -> str:
    """Return where one argument came from, in a line."""
    nowhere = "earlier" if evidence.problem else "the whole sentence"
    said = f"{evidence.text!r} [{evidence.start}:{evidence.end}]" if evidence.end else nowhere
    read = f"read as {evidence.normaliser}" if not evidence.problem else evidence.problem
    return f"  {evidence.parameter}: {said}, {read}, {evidence.score:.2f}"


def _text(value: Any) -> str:
    """Return what a tool returned in words that can be printed, whatever it is."""
    try:
        return str(value).encode("utf-8", "replace").decode()
    except Exception:  # a stranger's __str__ may raise anything
        return f"<{type(value).__name__}>"
