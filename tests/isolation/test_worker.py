"""The worker as its device sees it: lines in, lines out, and its end when the pipe closes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from edgefn.isolation.worker import Worker

SOURCE = """
def double(number: int) -> int:
    '''Double a number.

    Args:
        number: which.
    '''
    return 2 * number

def text(length):
    return "x" * length
"""


def ask(worker: Worker, **request: object) -> dict:
    line = worker.reply(json.dumps({"number": 7, "limit": 1_000, **request}).encode())
    assert line.isascii() and line.endswith(b"\n") and line.count(b"\n") == 1
    assert len(line) <= 1_000
    return json.loads(line)


def test_load_then_run(tmp_path: Path):
    file = tmp_path / "maths.py"
    file.write_text(SOURCE)
    worker, double = Worker(), {"qualname": "double", "typed": True}
    assert ask(worker, file=str(file), **double) == {"number": 7, "kind": "loaded"}
    assert ask(worker, arguments={"number": 21}, **double) == {"number": 7, "kind": "returned", "value": 42}
    refused = ask(worker, arguments={"number": "many"}, **double)
    assert refused["kind"] == "refused" and "'number'" in refused["why"]


def test_a_reply_is_never_longer_than_allowed(tmp_path: Path):
    file = tmp_path / "maths.py"
    file.write_text(SOURCE)
    worker, text = Worker(), {"qualname": "text", "typed": False}
    ask(worker, file=str(file), **text)
    assert ask(worker, arguments={"length": 900}, **text)["value"] == "x" * 900
    assert ask(worker, arguments={"length": 1_000}, **text) == {"number": 7, "kind": "too_large", "size": 1_047}


def test_it_ends_with_its_pipe():
    command = [sys.executable, "-m", "edgefn.isolation.worker"]
    ended = subprocess.run(command, input=b"", capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
