"""Only the provider that was asked for loads, and whatever the engine raises is one of our errors."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import tiny

from edgefn import session as module
from edgefn.errors import EngineError, EngineMissing, ProviderUnavailable
from edgefn.session import Session, available_providers, default_threads, runtime_version

FEEDS = {"input_ids": np.array([[2, 4, 3]]), "attention_mask": np.ones((1, 3), dtype=np.int64)}


def test_the_cpu_loads_and_runs():
    session = Session(tiny.graph(), threads=1)
    assert session.provider == "CPUExecutionProvider"
    assert set(session.outputs) == {"tool_logits", "choice_logits", "slot_logits", "token_embedding", "embedding"}
    (logits,) = session.run(("tool_logits",), FEEDS)
    assert logits.dtype == np.float32
    assert logits.shape == (1, 4)


@pytest.mark.parametrize("name", ["CPU", "cpu", "CPUExecutionProvider"])
def test_names_of_a_provider(name):
    assert Session(tiny.graph(), provider=name, threads=1).provider == "CPUExecutionProvider"


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "CUDAExecutionProvider", "openvino", "coreml", "no such thing"])
def test_provider_this_build_does_not_have(name):
    if module._PROVIDERS.get(name, name) in available_providers():
        pytest.skip(f"this build has {name}")
    with pytest.raises(ProviderUnavailable, match="is not in this build") as caught:
        Session(tiny.graph(), provider=name)
    assert "CPUExecutionProvider" in caught.value.hint


def test_provider_that_is_built_in_but_does_not_load(monkeypatch):
    monkeypatch.setattr(module, "_ask", lambda runtime, provider: ["CPUExecutionProvider"])
    with pytest.raises(ProviderUnavailable, match="CUDAExecutionProvider was asked for, but CPUExecutionProvider") as e:
        Session(tiny.graph(), provider="cuda")
    assert "libraries" in e.value.hint


def test_threads():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert default_threads() == min(cores, 4)
    assert Session(tiny.graph()).threads == default_threads()
    assert Session(tiny.graph(), threads=3).threads == 3
    results = [Session(tiny.graph(), threads=n).run(("tool_logits",), FEEDS)[0] for n in (1, 2)]
    assert np.array_equal(*results)


def test_cores_where_the_system_does_not_tell_which_may_be_used(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert default_threads() == 1


@pytest.mark.parametrize(
    "graph",
    [b"", b"garbage" * 20, tiny.graph()[:300], tiny.graph()[:-30], tiny.graph(opset=99)],
    ids=["empty", "garbage", "truncated", "end cut off", "opset from the future"],
)
def test_graph_that_cannot_be_loaded(graph):
    with pytest.raises(EngineError, match="while loading the graph") as caught:
        Session(graph, threads=1)
    assert "doctor" in caught.value.hint
    assert caught.value.__cause__ is not None


def test_run_that_does_not_fit_the_graph():
    session = Session(tiny.graph(), threads=1)
    for outputs, feeds in [
        (("no_such_output",), FEEDS),
        (("tool_logits",), {}),
        (("tool_logits",), {**FEEDS, "more": FEEDS["input_ids"]}),
        (("tool_logits",), {**FEEDS, "input_ids": np.ones((1, 3), dtype=np.float32)}),
        (("tool_logits",), {**FEEDS, "input_ids": np.ones(3, dtype=np.int64)}),
        (("tool_logits",), {**FEEDS, "attention_mask": np.ones((1, 5), dtype=np.int64)}),
    ]:
        with pytest.raises(EngineError, match="while running the graph"):
            session.run(outputs, feeds)


def test_graph_that_wants_an_input_nobody_gives():
    session = Session(tiny.graph(extra_input=True), threads=1)
    with pytest.raises(EngineError, match="token_type_ids"):
        session.run(("tool_logits",), FEEDS)


def test_no_engine(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    for ask in (runtime_version, available_providers, lambda: Session(tiny.graph())):
        with pytest.raises(EngineMissing, match="cannot be imported") as caught:
            ask()
        assert "pip install 'edgefn[cpu]'" in caught.value.hint


def test_what_is_installed():
    assert runtime_version()[0].isdigit()
    assert "CPUExecutionProvider" in available_providers()
