"""What is written into the audit log about a dispatch; of arguments only the kind, unless the application says more."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from edgefn.audit.log import AuditLog
from edgefn.clearance import Ready
from edgefn.errors import AuditError
from edgefn.outcome import Abstained, Answered, Done, Failed, Outcome, Several, ToolCall, kind_of, plain
from edgefn.trace import Tracer

EVERYTHING = "*"


class Recorder:
    """Writes a line for every outcome, and one before anything destructive runs."""

    def __init__(self, log: AuditLog, *, show: Collection[str] = (), utterances: bool = False) -> None:
        """Write into `log`.

        Args:
            log: where to.
            show: whose values may be written: "tool.parameter", "tool" for all of its parameters, "*" for everything.
            utterances: whether what was said is written.
        """
        self.log = log
        self._show = frozenset(show)
        self._utterances = utterances
        self._failed = False

    def loaded(self, bundle_id: str) -> None:
        """Say which bundle decides from now on; raises AuditError."""
        self._append("loaded", {"bundle": bundle_id})

    def reset(self, tool: str) -> None:
        """Say that a tool was switched on again; raises AuditError."""
        self._append("reset", {"tool": tool})

    def intend(self, ready: Ready, tracer: Tracer) -> None:
        """Say what is about to run, where it is destructive; raises AuditError, and then nothing may run.

        While the log cannot be written, nothing else runs either.
        """
        if ready.tool.hints.destructive:
            tracer.intent = self._append("intent", self._about(ready.call, tracer), intent=True)
        elif self._failed:
            self._append("resumed", {})

    def conclude(self, outcome: Outcome, tracer: Tracer, text: str | None) -> None:
        """Write what came of a dispatch; raises AuditError."""
        call = outcome.call if not isinstance(outcome, Answered | Several) else None
        fields = {"outcome": kind_of(outcome), **_reason(outcome)}
        fields |= {"id": tracer.id} if call is None else self._about(call, tracer)
        if isinstance(outcome, Abstained) and call is None:
            fields |= {"tool": outcome.tool, "probability": outcome.probability}
        if self._utterances and text is not None:
            fields["utterance"] = text
        fields |= {"path": tracer.path, "attempts": len(tracer.attempts), "from_cache": tracer.from_cache}
        tracer.line = self._append("outcome", fields, closes=tracer.intent)

    def interrupted(self, ready: Ready, tracer: Tracer) -> None:
        """Write that a call was broken off: what its tool did is not known."""
        self._append("interrupted", self._about(ready.call, tracer), closes=tracer.intent)

    def not_written(self, outcome: Outcome, tracer: Tracer, error: AuditError) -> Failed:
        """Return what is returned in the place of an outcome that could not be written."""
        call = None if isinstance(outcome, Answered | Several) else outcome.call
        call = call or ToolCall("", {}, 0.0)
        ran = f"{call.tool} ran, but " if tracer.attempts else ""
        return Failed(call, AuditError(f"{ran}the audit log cannot be written: {error.message}", hint=error.hint))

    def close(self) -> None:
        """Close the log."""
        self.log.close()

    def _append(self, event: str, fields: Mapping[str, Any], **about: Any) -> int:
        self._failed = True
        number = self.log.append(event, fields, **about)
        self._failed = False
        return number

    def _about(self, call: ToolCall, tracer: Tracer) -> dict[str, Any]:
        verdict = tracer.verdict
        return {
            "id": tracer.id,
            "role": tracer.role,
            "tool": call.tool,
            "arguments": {name: self._shown(call.tool, name, value) for name, value in call.arguments.items()},
            "probability": call.probability,
            "policy": None if verdict is None else verdict.action,
        }

    def _shown(self, tool: str, parameter: str, value: Any) -> Any:
        if self._show & {EVERYTHING, tool, f"{tool}.{parameter}"}:
            return plain(value)
        return f"<{type(value).__name__}>"


def _reason(outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case Abstained(reason=reason):
            return {"reason": reason}
        case Failed(error=error):
            return {"error": type(error).__name__}
        case Done(expected=expected) if expected is not None:
            return {"expected": expected.met}
    return {}
