"""What is counted, under which labels, and how it is written."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn import Abstained, Answered, Done, Failed, NeedsArgument, NeedsConfirmation, ToolCall, tool
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.errors import EdgefnError, ToolFailed, ToolsWarning
from edgefn.execution.signals import Cancellation
from edgefn.observing.prometheus import BUCKETS, MOST_TOOLS, Counters
from edgefn.policy.policy import Policy
from edgefn.policy.rule import Rate, Rule
from edgefn.policy.session import Session


def watched(here=None, **settings):
    """Return a dispatcher and what counts for it."""
    counters = Counters()
    return tiny.dispatcher(here, settings={"observers": (counters,), **settings}), counters


def samples(counters: Counters) -> dict[str, float]:
    """Return every sample by its name and labels, as they are written."""
    lines = [line for line in counters.text().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def some(counters: Counters, family: str) -> dict[str, float]:
    """Return the samples of one family by their labels, those at nought left out."""
    found = {name: value for name, value in samples(counters).items() if name.partition("{")[0] == family and value}
    return {name.removeprefix(family): value for name, value in found.items()}


def parsed(text: str) -> dict:
    """Return the families as Prometheus's own client reads them."""
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus_client is not installed")
    return {each.name: each for each in parser.text_string_to_metric_families(text)}


# What is counted


def test_a_call():
    dispatcher, counters = watched()
    assert isinstance(dispatcher("turn the lamp on"), Done)
    assert some(counters, "edgefn_outcomes_total") == {'{tool="lamp_on",outcome="done",reason="",path="model"}': 1}
    assert some(counters, "edgefn_attempts_total") == {'{tool="lamp_on"}': 1}
    assert some(counters, "edgefn_tool_seconds_count") == {'{tool="lamp_on"}': 1}
    assert some(counters, "edgefn_dispatch_seconds_count") == {"": 1}
    assert some(counters, "edgefn_step_seconds_count") == {'{step="read"}': 1, '{step="run"}': 1}
    for empty in ("edgefn_retries_total", "edgefn_tool_errors_total", "edgefn_cache_hits_total"):
        assert some(counters, empty) == {}


def test_the_sums_are_those_of_the_trace():
    dispatcher, counters = watched()
    traces = [dispatcher(text).trace for text in tiny.UTTERANCES]
    total = sum(trace.seconds for trace in traces)
    assert samples(counters)["edgefn_dispatch_seconds_sum"] == pytest.approx(total)
    reading = sum(trace.steps["read"] for trace in traces)
    assert samples(counters)['edgefn_step_seconds_sum{step="read"}'] == pytest.approx(reading)
    waited = sum(attempt.seconds for trace in traces for attempt in trace.attempts)
    assert sum(some(counters, "edgefn_tool_seconds_sum").values()) == pytest.approx(waited)


def test_every_kind_of_outcome():
    @tool(destructive=True)
    def wipe() -> None:
        """Wipe the disk."""

    @tool
    def fails() -> None:
        """Fail."""
        raise ValueError("no")

    functions, _ = tiny.functions()
    rules = {
        "lamp_off": Rule(action="deny"),
        "lamp_on": Rule(rate=Rate(1, 1000)),
        "wipe": Rule(isolated=False),
    }
    dispatcher, counters = watched([*functions, wipe, fails], policy=Policy(rules=rules), fallback=lambda *_: 7)
    kinds = {
        "turn the lamp on": Done,
        "bright": Abstained,
        "lamp off": Abstained,
        "set a timer": NeedsArgument,
        "": Abstained,
        "sing": Answered,
        "call wipe()": NeedsConfirmation,
        "call fails()": Failed,
        "call fails(": Failed,
        "call set_timer(7, 8, 9, 10)": Failed,
    }
    for text, kind in kinds.items():
        assert isinstance(dispatcher(text), kind), text
    assert some(counters, "edgefn_outcomes_total") == {
        '{tool="lamp_on",outcome="done",reason="",path="model"}': 1,
        '{tool="lamp_on",outcome="abstained",reason="rate_limited",path="model"}': 1,
        '{tool="lamp_off",outcome="abstained",reason="denied",path="model"}': 1,
        '{tool="set_timer",outcome="needs_argument",reason="",path="model"}': 1,
        '{tool="",outcome="abstained",reason="empty",path="model"}': 1,
        '{tool="",outcome="answered",reason="none_of_these",path="fallback"}': 1,
        '{tool="wipe",outcome="needs_confirmation",reason="",path="explicit"}': 1,
        '{tool="fails",outcome="failed",reason="ToolFailed",path="explicit"}': 1,
        '{tool="",outcome="failed",reason="ExplicitCallError",path="explicit"}': 1,
        '{tool="set_timer",outcome="failed",reason="ArgumentError",path="explicit"}': 1,
    }
    assert some(counters, "edgefn_step_seconds_count")['{step="fallback"}'] == 1


def test_attempts_retries_and_errors():
    tries = []

    @tool(idempotent=True)
    def flaky() -> str:
        """Work the third time."""
        tries.append(1)
        if len(tries) % 3:
            raise OSError("not yet")
        return "done"

    policy = Policy(default=Rule(retries=5, backoff=0))
    dispatcher, counters = watched([flaky], policy=policy)
    for _ in range(2):
        assert isinstance(dispatcher("call flaky()"), Done)
    assert some(counters, "edgefn_attempts_total") == {'{tool="flaky"}': 6}
    assert some(counters, "edgefn_retries_total") == {'{tool="flaky"}': 4}
    assert some(counters, "edgefn_tool_errors_total") == {'{tool="flaky",error="ToolFailed"}': 4}
    assert some(counters, "edgefn_tool_seconds_count") == {'{tool="flaky"}': 6}


def test_an_error_by_its_kind():
    @tool
    def hangs() -> None:
        """Hang."""
        ended.wait(20)

    ended = threading.Event()
    dispatcher, counters = watched([hangs], policy=Policy(rules={"hangs": Rule(timeout=0.05)}))
    assert isinstance(dispatcher("call hangs()"), Failed)
    called_off = Cancellation()
    called_off.cancel()
    assert isinstance(dispatcher("call hangs()", cancel=called_off), Failed)
    ended.set()
    assert some(counters, "edgefn_tool_errors_total") == {
        '{tool="hangs",error="ToolTimeout"}': 1,
        '{tool="hangs",error="ToolCancelled"}': 1,
    }


def test_caches():
    @tool(name="lamp_on", read_only=True)
    def look() -> str:
        """Switch the lamp on."""
        return "on"

    functions, _ = tiny.functions()
    policy = Policy(hints={"read_only": Rule(cache=1000)})
    dispatcher, counters = watched([look, *functions[1:]], policy=policy, selection_cache=10)
    text = counters.text()
    assert (
        'edgefn_cache_hits_total{cache="result"} 0' in text and 'edgefn_cache_hits_total{cache="selection"} 0' in text
    )
    for _ in range(3):
        assert dispatcher("turn the lamp on").value == "on"
    dispatcher("lamp off")
    assert some(counters, "edgefn_cache_hits_total") == {'{cache="result"}': 2, '{cache="selection"}': 2}
    assert some(counters, "edgefn_attempts_total") == {'{tool="lamp_on"}': 1, '{tool="lamp_off"}': 1}


def test_the_audit_log_is_a_step(tmp_path):
    with AuditLog(tmp_path / "audit.jsonl") as log:
        dispatcher, counters = watched(recorder=Recorder(log))
        dispatcher("turn the lamp on")
    assert some(counters, "edgefn_step_seconds_count")['{step="log"}'] == 1


def test_calls_in_progress():
    @tool
    def looks() -> float:
        """Look at the counters."""
        return samples(counters)["edgefn_calls_in_progress"]

    @tool
    def fails() -> None:
        """Fail."""
        raise ValueError

    dispatcher, counters = watched([looks, fails])
    assert dispatcher("call looks()").value == 1
    dispatcher("call fails()")
    assert samples(counters)["edgefn_calls_in_progress"] == 0


def test_an_interrupt_leaves_no_call_in_progress():
    @tool
    def interrupts() -> None:
        """Interrupt."""
        raise KeyboardInterrupt

    dispatcher, counters = watched([interrupts], policy=Policy(default=Rule(timeout=0)))
    with pytest.raises(KeyboardInterrupt):
        dispatcher("call interrupts()")
    assert samples(counters)["edgefn_calls_in_progress"] == 0


# Labels


SECRET = "zyzzyva"


def test_what_was_said_is_no_label():
    functions, _ = tiny.functions()
    dispatcher, counters = watched(functions, fallback=lambda text, abstained: ToolCall(SECRET, {SECRET: 1}, 1.0))
    staff = Session(role=SECRET)
    dispatcher(f"{SECRET} {SECRET}", session=staff)
    dispatcher(f"set a timer five minutes {SECRET}", session=staff)
    dispatcher(f"call {SECRET}(1)", session=staff)
    dispatcher(f'call set_timer(5, "{SECRET}")', session=staff)
    dispatcher(f"call set_timer({SECRET}=5)", session=staff)
    tiny.dispatcher(settings={"observers": (counters,)}).finish(ToolCall(SECRET, {}, 1.0), session=staff)
    asked = dispatcher("set a timer", session=staff)
    assert isinstance(asked, NeedsArgument)
    dispatcher.resume(asked.pending, {"minutes": 5, "label": SECRET}, staff)
    assert SECRET not in counters.text()
    found = some(counters, "edgefn_outcomes_total")
    assert found['{tool="",outcome="abstained",reason="not_registered",path="fallback"}'] >= 1
    assert found['{tool="",outcome="failed",reason="ExplicitCallError",path="explicit"}'] == 1
    assert found['{tool="",outcome="abstained",reason="not_registered",path="application"}'] == 1


def test_an_old_question_of_another_bundle_is_no_label():
    dispatcher, counters = watched()
    asked = dispatcher("set a timer")
    foreign = tiny.dispatcher(id="sha256:other", settings={"observers": (counters,)})
    pending = replace(asked.pending, tool=SECRET)
    assert isinstance(foreign("five", pending), Failed)
    assert isinstance(foreign.resume(pending), Failed)
    assert SECRET not in counters.text()


def test_a_call_that_is_taken_back_is_of_its_tool():
    dispatcher, counters = watched()
    asked = dispatcher("set a timer")
    assert isinstance(dispatcher("never mind", asked.pending), Abstained)
    outcomes = some(counters, "edgefn_outcomes_total")
    assert outcomes['{tool="set_timer",outcome="abstained",reason="cancelled",path="answer"}'] == 1


def test_an_error_of_the_application_is_no_label():
    strange = type(SECRET, (ToolFailed,), {})
    dispatcher, counters = watched()
    outcome = dispatcher("turn the lamp on")
    counters.concluded(Failed(outcome.call, strange("no"), trace=outcome.trace))
    assert SECRET not in counters.text()
    outcomes = some(counters, "edgefn_outcomes_total")
    assert outcomes['{tool="lamp_on",outcome="failed",reason="other",path="model"}'] == 1


def test_an_outcome_without_a_trace():
    counters = Counters()
    counters.concluded(Done(ToolCall(SECRET, {}, 1.0), 1))
    assert some(counters, "edgefn_outcomes_total") == {'{tool="",outcome="done",reason="",path=""}': 1}
    assert some(counters, "edgefn_dispatch_seconds_count") == {}


def test_tools_beyond_a_thousand_share_a_label():
    dispatcher, counters = watched()
    made = dispatcher("turn the lamp on")
    for number in range(MOST_TOOLS + 500):
        counters.concluded(Done(ToolCall(f"tool_{number}", {}, 1.0), 1, trace=made.trace))
    dispatcher("turn the lamp on")
    attempts = some(counters, "edgefn_attempts_total")
    assert len(attempts) == MOST_TOOLS + 1
    assert attempts['{tool="lamp_on"}'] == 2
    assert attempts['{tool="other"}'] == 501
    parsed(counters.text())


# Threads, tasks, and who else watches


def test_threads():
    dispatcher, counters = watched()
    texts = list(tiny.UTTERANCES)

    def work() -> None:
        for number in range(100):
            dispatcher(texts[number % len(texts)])

    def read() -> None:
        while not ended.is_set():
            parsed_some.append(len(counters.text()))
            time.sleep(0.001)

    ended, parsed_some = threading.Event(), []
    reader = threading.Thread(target=read)
    reader.start()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ended.set()
    reader.join()
    assert parsed_some
    alone = tiny.dispatcher()
    ran = sum(isinstance(alone(texts[number % len(texts)]), Done) for number in range(100))
    assert sum(some(counters, "edgefn_outcomes_total").values()) == 800
    assert samples(counters)["edgefn_dispatch_seconds_count"] == 800
    assert samples(counters)['edgefn_dispatch_seconds_bucket{le="+Inf"}'] == 800
    assert sum(some(counters, "edgefn_attempts_total").values()) == 8 * ran
    assert samples(counters)["edgefn_calls_in_progress"] == 0


def test_two_hundred_tasks():
    @tool
    async def waits() -> float:
        """Wait."""
        most.append(samples(counters)["edgefn_calls_in_progress"])
        await asyncio.sleep(0.01)
        return 1.0

    async def all_at_once() -> list:
        texts = ["call waits()" if number % 2 else "turn the lamp on" for number in range(200)]
        return await asyncio.gather(*map(dispatcher.acall, texts))

    most = []
    functions, _ = tiny.functions()
    dispatcher, counters = watched([*functions, waits])
    assert all(isinstance(each, Done) for each in asyncio.run(all_at_once()))
    assert some(counters, "edgefn_attempts_total") == {'{tool="waits"}': 100, '{tool="lamp_on"}': 100}
    assert max(most) > 1
    assert samples(counters)["edgefn_calls_in_progress"] == 0


class Raises:
    """Watches, and raises at one moment."""

    def __init__(self, when: str) -> None:
        self.when = when

    @contextmanager
    def running(self, call):
        if self.when == "entered":
            raise RuntimeError("mine")
        yield

    def concluded(self, outcome):
        if self.when == "concluded":
            raise RuntimeError("mine")


@pytest.mark.parametrize("when", ["entered", "concluded"])
def test_beside_an_observer_that_raises(when):
    counters = Counters()
    dispatcher = tiny.dispatcher(settings={"observers": (Raises(when), counters, Raises(when))})
    with pytest.warns(ToolsWarning, match="Raises raised RuntimeError: mine"):
        outcome = dispatcher("turn the lamp on")
    assert isinstance(outcome, Done) and outcome.value == "on"
    assert some(counters, "edgefn_outcomes_total") == {'{tool="lamp_on",outcome="done",reason="",path="model"}': 1}
    assert samples(counters)["edgefn_calls_in_progress"] == 0


def test_one_counts_for_two_dispatchers():
    counters = Counters()
    for _ in range(2):
        tiny.dispatcher(settings={"observers": (counters,)})("turn the lamp on")
    assert some(counters, "edgefn_attempts_total") == {'{tool="lamp_on"}': 2}


# The text


def test_the_text_of_nothing():
    text = Counters().text()
    assert text.endswith("\n") and not text.endswith("\n\n")
    families = parsed(text)
    assert {name: each.type for name, each in families.items()} == {
        "edgefn_outcomes": "counter",
        "edgefn_tool_errors": "counter",
        "edgefn_attempts": "counter",
        "edgefn_retries": "counter",
        "edgefn_cache_hits": "counter",
        "edgefn_dispatch_seconds": "histogram",
        "edgefn_tool_seconds": "histogram",
        "edgefn_step_seconds": "histogram",
        "edgefn_calls_in_progress": "gauge",
    }
    assert all(each.documentation for each in families.values())


def test_prometheus_reads_the_same_numbers():
    dispatcher, counters = watched()
    for text in tiny.UTTERANCES:
        dispatcher(text)
    families = parsed(counters.text())
    histogram = families["edgefn_dispatch_seconds"].samples
    bounds = [each.labels["le"] for each in histogram if each.name.endswith("_bucket")]
    assert [float(bound) for bound in bounds] == [*BUCKETS, float("inf")] and bounds[-1] == "+Inf"
    heights = [each.value for each in histogram if each.name.endswith("_bucket")]
    assert heights == sorted(heights) and heights[-1] == len(tiny.UTTERANCES)
    assert [each.value for each in histogram if each.name.endswith("_count")] == [len(tiny.UTTERANCES)]
    outcomes = families["edgefn_outcomes"].samples
    assert sum(each.value for each in outcomes) == len(tiny.UTTERANCES)
    assert {tuple(each.labels) for each in outcomes} == {("tool", "outcome", "reason", "path")}


def test_a_bound_belongs_to_its_bucket():
    counters = Counters()
    dispatcher = tiny.dispatcher()
    made = dispatcher("turn the lamp on").trace
    for seconds in (0.0, 0.0005, 0.0006, 30.0, 31.0):
        trace = type(made)(**{**{name: getattr(made, name) for name in made.__slots__}, "steps": {"run": seconds}})
        counters.concluded(Abstained("unsure", trace=trace))
    found = samples(counters)
    assert found['edgefn_dispatch_seconds_bucket{le="0.0005"}'] == 2
    assert found['edgefn_dispatch_seconds_bucket{le="0.001"}'] == 3
    assert found['edgefn_dispatch_seconds_bucket{le="30.0"}'] == 4
    assert found['edgefn_dispatch_seconds_bucket{le="+Inf"}'] == found["edgefn_dispatch_seconds_count"] == 5
    assert found["edgefn_dispatch_seconds_sum"] == pytest.approx(61.0011)


@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_is_written_so_that_it_is_read_again(name):
    counters = Counters()
    counters.concluded(Done(ToolCall(name, {}, 1.0), 1, trace=made()))
    (sample,) = parsed(counters.text())["edgefn_outcomes"].samples
    assert sample.labels["tool"] == name


MADE = []


def made():
    """Return a trace of the model's path, made once."""
    if not MADE:
        MADE.append(tiny.dispatcher()("turn the lamp on").trace)
    return MADE[0]


# The file


def test_write(tmp_path):
    dispatcher, counters = watched()
    path = tmp_path / "edgefn.prom"
    for number in (1, 2):
        dispatcher("turn the lamp on")
        counters.write(path if number == 1 else str(path))
        assert path.read_text(encoding="utf-8") == counters.text()
        assert os.listdir(tmp_path) == ["edgefn.prom"]


def test_a_reader_never_finds_half_of_it(tmp_path):
    counters, path = Counters(), tmp_path / "edgefn.prom"
    counters.write(path)
    size = path.stat().st_size
    writers = [threading.Thread(target=lambda: [counters.write(path) for _ in range(50)]) for _ in range(4)]
    for each in writers:
        each.start()
    while any(each.is_alive() for each in writers):
        assert len(path.read_bytes()) == size
    for each in writers:
        each.join()
    assert os.listdir(tmp_path) == ["edgefn.prom"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_others_may_read_it(tmp_path):
    path = tmp_path / "edgefn.prom"
    before = os.umask(0o022)
    try:
        Counters().write(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("place", ["missing/edgefn.prom", "folder"])
def test_where_it_cannot_be_written(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(EdgefnError, match="cannot be written") as raised:
        Counters().write(tmp_path / place)
    assert raised.value.hint
    assert os.listdir(tmp_path) == ["folder"] and not os.listdir(tmp_path / "folder")


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    dispatcher, counters = watched()
    path = tmp_path / "edgefn.prom"
    counters.write(path)
    before = path.read_bytes()
    dispatcher("turn the lamp on")
    partial = tmp_path / f".edgefn.prom.{os.getpid()}-{threading.get_ident()}"
    partial.symlink_to("/dev/full")
    with pytest.raises(EdgefnError, match="No space left"):
        counters.write(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["edgefn.prom"]
