"""The examples of docs/running.md run, in their order, as one program."""

from __future__ import annotations

import re
from pathlib import Path

import tiny

PAGE = Path(__file__).resolve().parents[2] / "docs" / "running.md"


def test_the_examples_run(tmp_path, monkeypatch):
    tiny.bundle(tmp_path / "home.bundle")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 7
    exec("\n".join(blocks), {"__name__": "example"})
