"""OpenTelemetry spans of tools that run, by the conventions for generative AI.

Only the API is used: without an SDK, which the application sets up, every span is nothing. No exporter is here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from edgefn.errors import EdgefnError, MissingExtra
from edgefn.outcome import Done, Outcome, ToolCall, plain

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

# https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/execute-tool.md (in development)
EXECUTE_TOOL: Final = "execute_tool"
OPERATION: Final = "gen_ai.operation.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
CALL_ID: Final = "gen_ai.tool.call.id"
ARGUMENTS: Final = "gen_ai.tool.call.arguments"
RESULT: Final = "gen_ai.tool.call.result"
# https://github.com/open-telemetry/semantic-conventions/blob/main/docs/registry/attributes/error.md
ERROR_TYPE: Final = "error.type"


class Spans:
    """Makes a span of every call whose tool runs: an observer, safe to share between threads and tasks.

    The span is the current one while the tool runs, so what the tool traces lies inside it. It covers all attempts. It
    ends at the moment at which the wait for the tool ended; it is handed over once the outcome is known, because only
    then is the id of the dispatch, which is that of the audit log and of `outcome.trace`.
    """

    def __init__(self, provider: TracerProvider | None = None, *, content: bool = False) -> None:
        """Make spans with `provider`, or with the one that is set for the process.

        With `content`, spans hold arguments, results and messages of errors: what a person said may be among them.

        Raises:
            MissingExtra: OpenTelemetry is not installed.
        """
        try:
            from opentelemetry import trace  # 40 ms: only who wants spans pays for it
        except ImportError as exc:
            raise MissingExtra("opentelemetry-api is not installed", hint='pip install "edgefn[otel]"') from exc
        self._trace = trace
        self._tracer = trace.get_tracer("edgefn", tracer_provider=provider)
        self._content = content
        # Of each thread and task its own: what it ran last. A tool has a copy, so what it dispatches stays apart.
        self._last: ContextVar[_Ended | None] = ContextVar("edgefn_span", default=None)

    def running(self, call: ToolCall) -> AbstractContextManager[None]:
        """Return what is entered while the tool runs."""
        return self._running(call)

    def concluded(self, outcome: Outcome) -> None:
        """Hand over the span of the call that an outcome is of."""
        last, call = self._last.get(), getattr(outcome, "call", None)
        if last is None or last.span is None or last.call is not call:
            return
        if outcome.trace is not None:
            last.span.set_attribute(CALL_ID, outcome.trace.id)
        if self._content and isinstance(outcome, Done) and last.span.is_recording():
            last.span.set_attribute(RESULT, _json(outcome.value))
        last.hand_over()

    @contextmanager
    def _running(self, call: ToolCall) -> Iterator[None]:
        span = self._tracer.start_span(
            f"{EXECUTE_TOOL} {call.tool}",
            kind=self._trace.SpanKind.INTERNAL,
            attributes={OPERATION: EXECUTE_TOOL, TOOL_NAME: call.tool, TOOL_TYPE: "function"},
        )
        if self._content and span.is_recording():
            span.set_attribute(ARGUMENTS, _json(dict(call.arguments)))
        ended = _Ended(call, span)
        try:
            with self._trace.use_span(span, record_exception=self._content, set_status_on_exception=False):
                yield
        except BaseException as exc:
            self._failed(span, exc)
            if not isinstance(exc, EdgefnError):  # an interrupt, or the task was cancelled: there will be no outcome
                ended.hand_over()
            raise
        finally:
            ended.at = time.time_ns()
            self._remember(ended)

    def _failed(self, span: Span, error: BaseException) -> None:
        span.set_attribute(ERROR_TYPE, type(error).__name__)
        # The message of an error may quote an argument.
        said = str(error) if self._content else None
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, said))

    def _remember(self, ended: _Ended) -> None:
        last = self._last.get()
        if last is not None:
            last.hand_over()  # its dispatch was broken off before it had an outcome
        self._last.set(ended)


class _Ended:
    """A span whose tool is no longer waited for, and whose outcome is not known yet."""

    __slots__ = ("at", "call", "span")

    def __init__(self, call: ToolCall, span: Span) -> None:
        self.call: ToolCall | None = call
        self.span: Span | None = span
        self.at: int | None = None

    def hand_over(self) -> None:
        """End the span and let go of it; the second time does nothing."""
        span, self.span, self.call = self.span, None, None
        if span is not None:
            span.end(self.at)


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False)
