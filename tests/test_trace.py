"""A trace in words and as JSON."""

from __future__ import annotations

import json

from edgefn.outcome import Ranked
from edgefn.policy.policy import Policy, Verdict
from edgefn.tool import Tool
from edgefn.trace import Attempt, Tracer


def full() -> Tracer:
    tracer = Tracer("model", "visitor")
    tracer.ranking = (Ranked("restart", 0.8), Ranked("stop", 0.1))
    tracer.probability, tracer.threshold, tracer.seen_before = 0.8, 0.6, True
    tracer.terms = Policy().terms(Tool.select_only("restart", "Restart.", {}))
    tracer.verdict = Verdict("confirm", "a person must agree first")
    tracer.attempts += [Attempt(0.5, "ToolFailed"), Attempt(0.25)]
    tracer.notes.append("fallback raised OSError")
    tracer.step("read")
    tracer.step("run")
    tracer.step("run")
    return tracer


def test_in_words():
    words = full().done().explain()
    for piece in (
        "role visitor",
        "restart 0.800",
        "probability 0.800, threshold 0.600, scores from the cache",
        "policy: confirm, a person must agree first",
        "attempt 1: 500.00 ms, ToolFailed",
        "attempt 2: 250.00 ms",
        "fallback raised OSError",
        "read",
    ):
        assert piece in words
    assert Tracer().done().explain().startswith("model")


def test_as_json():
    trace = full().done()
    plain = json.loads(json.dumps(trace.to_json(), allow_nan=False))
    assert plain["id"] == trace.id
    assert list(plain["steps"]) == ["read", "run"]
    assert sum(plain["steps"].values()) == trace.seconds
    assert plain["terms"]["action"] == "run"
    assert plain["verdict"] == {"action": "confirm", "reason": "a person must agree first"}
    assert plain["attempts"][0] == {"seconds": 0.5, "error": "ToolFailed"}
    json.dumps(Tracer().done().to_json())
