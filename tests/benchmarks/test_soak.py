"""A short soak over the tiny bundle: the caches change nothing but the memory, and the log holds every line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import tiny

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")


@pytest.mark.parametrize("caches", [False, True])
def test_a_short_soak(load_benchmark: Callable[[str], ModuleType], tmp_path, caches, monkeypatch):
    soak = load_benchmark("soak")
    monkeypatch.setattr(soak, "FIRST", 100)
    found = soak.soak(tiny.bundle(tmp_path / "tiny.bundle"), 400, caches, 1)
    kinds = found["outcomes"]
    assert sum(kinds.values()) == 400
    assert set(kinds) >= {"done", "abstained", "needs_confirmation"}
    assert (
        found["log_lines"] >= 400 + kinds["needs_confirmation"] - 1
    )  # a line of intent before each that was confirmed
    assert found["after_mb"] <= found["most_mb"]
    assert abs(found["grown_mb"]) < 100
