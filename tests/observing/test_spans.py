"""Spans of tools that run, as an SDK of OpenTelemetry receives them."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny

from edgefn import Abstained, Done, Failed, NeedsArgument, tool
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.errors import MissingExtra
from edgefn.observing.prometheus import Counters
from edgefn.observing.spans import Spans
from edgefn.policy.policy import Policy
from edgefn.policy.rule import Rule

pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode


class Traces:
    """A provider that keeps what is handed over."""

    def __init__(self, **settings) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False, **settings)
        self._kept = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = self.provider.get_tracer("tests")

    @property
    def spans(self) -> list:
        return list(self._kept.get_finished_spans())

    def dispatcher(self, here=None, *, content=False, **settings):
        watchers = {"observers": (Spans(self.provider, content=content),)}
        return tiny.dispatcher(here, settings={**watchers, **settings})


@pytest.fixture
def traces() -> Traces:
    return Traces()


@tool
def fails(said: str) -> None:
    """Fail.

    Args:
        said: what is said.
    """
    raise ValueError(f"no {said}")


def test_a_call(traces):
    outcome = traces.dispatcher()("turn the lamp on")
    assert isinstance(outcome, Done)
    (span,) = traces.spans
    assert (span.name, span.kind) == ("execute_tool lamp_on", SpanKind.INTERNAL)
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "lamp_on",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": outcome.trace.id,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.instrumentation_scope.name == "edgefn"
    assert span.parent is None
    assert not span.events
    attempts = sum(attempt.seconds for attempt in outcome.trace.attempts)
    assert span.end_time - span.start_time >= 1e9 * attempts * 0.9


def test_what_runs_nothing_has_no_span(traces):
    dispatcher = traces.dispatcher()
    assert isinstance(dispatcher("sing"), Abstained)
    assert isinstance(dispatcher("set a timer"), NeedsArgument)
    assert isinstance(dispatcher("call nothing()"), Failed)
    assert traces.spans == []


def test_each_of_many_calls_has_its_own(traces):
    dispatcher = traces.dispatcher()
    outcomes = [dispatcher(text) for text in ["turn the lamp on", "sing", "lamp off", "call lamp_on()"]]
    names = ["lamp_on", "lamp_off", "lamp_on"]
    assert [span.attributes["gen_ai.tool.name"] for span in traces.spans] == names
    ids = [each.trace.id for each in outcomes if isinstance(each, Done)]
    assert [span.attributes["gen_ai.tool.call.id"] for span in traces.spans] == ids


# Content


def test_content_is_left_out(traces):
    dispatcher = traces.dispatcher([fails, *tiny.functions()[0]])
    assert isinstance(dispatcher('call fails("zyzzyva")'), Failed)
    assert isinstance(dispatcher('call set_timer(5, "zyzzyva")'), Done)
    assert len(traces.spans) == 2
    assert not any("zyzzyva" in span.to_json() for span in traces.spans)


def test_content(traces):
    dispatcher = traces.dispatcher([fails, *tiny.functions()[0]], content=True)
    dispatcher('call set_timer(5, "面条")')
    dispatcher('call fails("zyzzyva")')
    ran, failed = traces.spans
    arguments = ran.attributes["gen_ai.tool.call.arguments"]
    assert json.loads(arguments) == {"minutes": 5, "label": "面条"} and "面条" in arguments
    assert json.loads(ran.attributes["gen_ai.tool.call.result"]) == "面条: 5"
    assert "gen_ai.tool.call.result" not in failed.attributes
    assert "no zyzzyva" in failed.status.description
    assert failed.events[0].name == "exception"


def test_a_result_that_json_has_no_form_for(traces):
    @tool
    def odd() -> object:
        """Return something odd."""
        return {1: object(), "nan": float("nan"), "half": "\ud800"}

    assert isinstance(traces.dispatcher([odd], content=True)("call odd()"), Done)
    (span,) = traces.spans
    json.loads(span.attributes["gen_ai.tool.call.result"])


# Failure


def test_a_tool_that_fails(traces):
    outcome = traces.dispatcher([fails])('call fails("it")')
    assert isinstance(outcome, Failed)
    (span,) = traces.spans
    assert span.status.status_code is StatusCode.ERROR and span.status.description is None
    assert span.attributes["error.type"] == "ToolFailed"
    assert span.attributes["gen_ai.tool.call.id"] == outcome.trace.id


def test_a_tool_that_hangs(traces):
    @tool
    def hangs() -> None:
        """Hang."""
        ended.wait(20)

    ended = threading.Event()
    policy = Policy(rules={"hangs": Rule(timeout=0.05)})
    assert isinstance(traces.dispatcher([hangs], policy=policy)("call hangs()"), Failed)
    ended.set()
    (span,) = traces.spans
    assert span.attributes["error.type"] == "ToolTimeout"


def test_a_span_covers_every_attempt(traces):
    tries = []

    @tool(idempotent=True)
    def flaky() -> str:
        """Work the third time."""
        tries.append(1)
        if len(tries) < 3:
            raise OSError("not yet")
        return "done"

    dispatcher = traces.dispatcher([flaky], policy=Policy(default=Rule(retries=5, backoff=0)))
    assert dispatcher("call flaky()").value == "done"
    (span,) = traces.spans
    assert len(tries) == 3 and span.status.status_code is StatusCode.UNSET


def test_an_interrupt(traces):
    @tool
    def interrupts() -> None:
        """Interrupt."""
        raise KeyboardInterrupt

    dispatcher = traces.dispatcher([interrupts], policy=Policy(default=Rule(timeout=0)))
    with pytest.raises(KeyboardInterrupt):
        dispatcher("call interrupts()")
    (span,) = traces.spans
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["error.type"] == "KeyboardInterrupt"


def test_a_dispatch_that_is_broken_off_before_its_outcome(traces):
    """Its span is handed over at the next call, with the time at which the tool ended."""
    spans = Spans(traces.provider)
    dispatcher = tiny.dispatcher(settings={"observers": (spans,)})
    call = tiny.dispatcher()("turn the lamp on").call
    with spans.running(call):
        pass
    assert traces.spans == []
    outcome = dispatcher("lamp off")
    first, second = traces.spans
    assert first.name == "execute_tool lamp_on" and "gen_ai.tool.call.id" not in first.attributes
    assert second.attributes["gen_ai.tool.call.id"] == outcome.trace.id
    assert first.end_time <= second.start_time


# Around and inside


@pytest.mark.parametrize("timeout", [0, 10])
def test_what_a_tool_traces_is_inside(traces, timeout):
    @tool
    def traced() -> None:
        """Trace something."""
        with traces.tracer.start_as_current_span("inside"):
            pass

    dispatcher = traces.dispatcher([traced], policy=Policy(default=Rule(timeout=timeout)))
    with traces.tracer.start_as_current_span("around"):
        dispatcher("call traced()")
        with traces.tracer.start_as_current_span("after"):
            pass
    inside, ran, after, around = traces.spans
    assert inside.parent.span_id == ran.context.span_id
    assert ran.parent.span_id == after.parent.span_id == around.context.span_id


def test_a_tool_that_dispatches(traces):
    @tool
    def outer() -> str:
        """Switch the lamp on."""
        return dispatcher("turn the lamp on").value

    dispatcher = traces.dispatcher([outer, *tiny.functions()[0]], policy=Policy(default=Rule(timeout=0)))
    outcome = dispatcher("call outer()")
    assert outcome.value == "on"
    inner, out = traces.spans
    assert (inner.name, out.name) == ("execute_tool lamp_on", "execute_tool outer")
    assert inner.parent.span_id == out.context.span_id
    assert out.attributes["gen_ai.tool.call.id"] == outcome.trace.id


def test_an_async_tool_without_a_loop(traces):
    @tool
    async def traced() -> None:
        """Trace something."""
        with traces.tracer.start_as_current_span("inside"):
            await asyncio.sleep(0)

    traces.dispatcher([traced])("call traced()")
    inside, ran = traces.spans
    assert inside.parent.span_id == ran.context.span_id


@pytest.mark.parametrize("logged", [False, True])
def test_many_tasks(traces, tmp_path, logged):
    @tool
    async def waits(number: int) -> int:
        """Wait.

        Args:
            number: of the task.
        """
        with traces.tracer.start_as_current_span(f"async {number}"):
            await asyncio.sleep(0.001 * (number % 7))
        return number

    @tool
    def works(number: int) -> int:
        """Work.

        Args:
            number: of the task.
        """
        with traces.tracer.start_as_current_span(f"thread {number}"):
            return number

    async def one(number: int):
        with traces.tracer.start_as_current_span(f"task {number}"):
            return await dispatcher.acall(f"call {'waits' if number % 2 else 'works'}({number})")

    async def all_at_once():
        return await asyncio.gather(*map(one, range(200)))

    recorder = Recorder(AuditLog(tmp_path / "audit.jsonl")) if logged else None
    with traces.dispatcher([waits, works], content=True, recorder=recorder) as dispatcher:
        outcomes = asyncio.run(all_at_once())
    by_id = {span.context.span_id: span for span in traces.spans}
    assert len(by_id) == 600
    ran = {span.attributes.get("gen_ai.tool.call.id"): span for span in traces.spans}
    for number, outcome in enumerate(outcomes):
        span = ran[outcome.trace.id]
        assert json.loads(span.attributes["gen_ai.tool.call.result"]) == outcome.value == number
        assert by_id[span.parent.span_id].name == f"task {number}"
    for span in traces.spans:
        if span.name.startswith(("async", "thread")):
            around = by_id[by_id[span.parent.span_id].parent.span_id]
            assert around.name.split()[1] == span.name.split()[1]


def test_a_task_that_is_cancelled(traces):
    @tool
    async def waits() -> None:
        """Wait."""
        begun.set()
        await asyncio.sleep(20)

    async def cancelled():
        task = asyncio.create_task(dispatcher.acall("call waits()"))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    begun = threading.Event()
    dispatcher = traces.dispatcher([waits])
    asyncio.run(cancelled())
    (span,) = traces.spans
    assert span.attributes["error.type"] == "CancelledError"


def test_threads(traces):
    dispatcher = traces.dispatcher()
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(dispatcher, ["turn the lamp on", "lamp off"] * 100))
    ids = {each.trace.id: each.call.tool for each in outcomes}
    assert {span.attributes["gen_ai.tool.call.id"]: span.name[13:] for span in traces.spans} == ids


def test_beside_other_observers(traces):
    others = Traces()
    counters = Counters()
    observers = (Spans(traces.provider), counters, Spans(others.provider))
    outcome = tiny.dispatcher(settings={"observers": observers})("turn the lamp on")
    for each in (traces, others):
        (span,) = each.spans
        assert span.attributes["gen_ai.tool.call.id"] == outcome.trace.id
    assert 'edgefn_attempts_total{tool="lamp_on"} 1' in counters.text()


# Without


def test_nothing_is_kept_of_what_is_not_sampled():
    traces = Traces(sampler=ALWAYS_OFF)
    assert isinstance(traces.dispatcher(content=True)("turn the lamp on"), Done)
    assert traces.spans == []


def test_no_provider_is_no_harm():
    code = "import sys; sys.path.insert(0, sys.argv[1])\nimport tiny\nfrom edgefn.observing.spans import Spans\n"
    code += "assert 'opentelemetry' not in sys.modules\n"
    code += "outcome = tiny.dispatcher(settings={'observers': (Spans(content=True),)})('turn the lamp on')\n"
    code += "assert outcome.value == 'on'\nassert 'opentelemetry.sdk' not in sys.modules\n"
    folder = tiny.__file__.rpartition("tiny.py")[0]
    done = subprocess.run(
        [sys.executable, "-c", code, folder], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtra, match="opentelemetry-api is not installed") as raised:
        Spans()
    assert "edgefn[otel]" in raised.value.hint
