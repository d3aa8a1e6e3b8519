"""What safe hands cost is measured call by call, all sides with one engine."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import tiny

SIDES = ("bare_ms", "policy_ms", "limit_ms", "log_ms", "synced_ms", "cached_ms")


def test_every_side_is_measured(load_benchmark: Callable[[str], ModuleType], tmp_path, monkeypatch):
    safe_hands = load_benchmark("safe_hands")
    texts = ["turn the lamp on", "lamp off"]
    monkeypatch.setattr(safe_hands, "utterances", lambda bundle, dispatcher, rows: texts)
    monkeypatch.setattr(safe_hands, "_keep_to", lambda cores: cores)  # this process goes on after the test
    found = safe_hands.measure(tiny.bundle(tmp_path / "tiny.bundle"), 20, 2)
    assert all(found[side] > 0 for side in SIDES)
    for above, below in (("policy", "bare"), ("limit", "bare"), ("log", "limit"), ("cached", "limit")):
        ratio = found[f"{above}_ms"] / found[f"{below}_ms"]
        assert found[f"{above}_over_{below}"] == pytest.approx(ratio, rel=0.05)
