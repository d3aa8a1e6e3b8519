"""The examples of docs/observing.md run, and its tables say what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tiny

from edgefn.observing import spans
from edgefn.observing.prometheus import MOST_TOOLS, Counters

PAGE = Path(__file__).resolve().parents[2] / "docs" / "observing.md"


def test_the_examples_run(tmp_path, monkeypatch, capsys):
    pytest.importorskip("opentelemetry.sdk", reason="opentelemetry-sdk is not installed")
    tiny.bundle(tmp_path / "home.bundle")
    tiny.tools_file(tmp_path, "home.py")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) == 3
    space = {"__name__": "example"}
    exec("\n".join(blocks), space)
    space["provider"].shutdown()
    assert 'edgefn_attempts_total{tool="lamp_on"} 1' in (tmp_path / "edgefn.prom").read_text(encoding="utf-8")
    said = capsys.readouterr().out
    assert "# TYPE edgefn_outcomes_total counter" in said and "model, " in said


def test_the_tables():
    text = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(edgefn_\w+)` \| (\w+) \|", text, re.M)
    assert sorted(listed) == sorted(re.findall(r"^# TYPE (\w+) (\w+)$", Counters().text(), re.M))
    attributes = {value for name, value in vars(spans).items() if name.isupper() and isinstance(value, str)}
    assert all(f"`{each}`" in text for each in attributes)
    assert f"At most {MOST_TOOLS:,} tools" in text
