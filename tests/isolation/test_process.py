"""The process itself: where its edgefn comes from, and what a worker that breaks the protocol does to its device."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

import edgefn
from edgefn.isolation.process import MARK, Process, environment

ROOT = str(Path(edgefn.__file__).parent.parent)


@pytest.fixture
def process():
    started = Process()
    yield started
    started.discard()


def test_the_worker_is_told_where_edgefn_is_only_if_it_could_not_know(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    others = [each for each in sys.path if os.path.abspath(each) != ROOT]
    monkeypatch.setattr(sys, "path", others)
    assert "PYTHONPATH" not in environment()  # installed, or found by an import hook
    monkeypatch.setattr(sys, "path", [ROOT, *others])
    assert environment()["PYTHONPATH"] == ROOT
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}/elsewhere")
    assert environment()["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert environment()["PYTHONPATH"] == f"{ROOT}{os.pathsep}/elsewhere"
    assert environment()[MARK] == "1"


def test_a_file_of_the_working_folder_shadows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "json.py").write_text("raise RuntimeError('the wrong json')")
    file = tmp_path / "tool.py"
    file.write_text("def one():\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    process = Process()
    try:
        assert process.ask({"file": str(file), "qualname": "one", "typed": False}, 10_000)["kind"] == "loaded"
    finally:
        process.discard()


def test_a_tool_that_writes_into_the_pipe_is_found_out(tmp_path: Path):
    file = tmp_path / "tool.py"
    # What the worker writes to is open in the tool's process, too: a tool that looks for it finds it.
    file.write_text(
        "import os\n"
        "def flood():\n"
        "    pipes = [fd for fd in range(3, 20) if _is_pipe(fd)]\n"
        "    for fd in pipes:\n"
        "        try:\n"
        "            while True:\n"
        "                os.write(fd, b'x' * 100_000)\n"
        "        except OSError:\n"
        "            pass\n"
        "def babble():\n"
        "    for fd in range(3, 20):\n"
        "        if _is_pipe(fd):\n"
        "            try:\n"
        "                os.write(fd, b'{}\\n')\n"
        "            except OSError:\n"
        "                pass\n"
        "def _is_pipe(fd):\n"
        "    try:\n"
        "        return 'pipe' in os.readlink(f'/proc/self/fd/{fd}')\n"
        "    except OSError:\n"
        "        return False\n"
    )
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    for name, lost in (("flood", "too_large"), ("babble", "garbled")):
        other = Process()
        try:
            assert other.ask({"file": str(file), "qualname": name, "typed": False}, 10_000)["kind"] == "loaded"
            assert other.ask({"arguments": {}, "qualname": name, "typed": False}, 10_000) == lost
        finally:
            other.discard()


def test_killing_and_discarding_twice_is_harmless():
    process = Process()
    assert process.is_fit()
    process.kill()
    process.kill()
    assert not process.is_fit()
    assert process.discard() == (-9 if os.name == "posix" else 1)
    assert process.discard() is not None
    process.kill()
    assert process.has_ended()


def test_arguments_that_json_cannot_write_are_not_sent(process: Process):
    deep: list = []
    for _ in range(5_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        process.ask({"arguments": deep}, 10_000)
    with pytest.raises(ValueError):
        process.ask({"arguments": float("nan")}, 10_000)
    assert process.is_fit()
