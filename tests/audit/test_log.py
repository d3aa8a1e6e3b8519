"""The log as its writer sees it: what is written, refused, rotated, and by whom."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edgefn.audit import AuditLog, Head, verify
from edgefn.errors import AuditBroken, AuditError


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "audit.jsonl"


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def everything(path: Path) -> list[dict]:
    """Return the lines of all files of a log in order."""
    return [line for file in [*sorted(path.parent.glob("audit.0*.jsonl")), path] for line in read(file)]


def test_lines_are_numbered_and_chained(path):
    with AuditLog(path) as log:
        assert log.head == Head(0, "0" * 64)
        assert [log.append("result", {"tool": name}) for name in "abc"] == [1, 2, 3]
        head = log.head
    lines = read(path)
    assert [line["n"] for line in lines] == [1, 2, 3]
    assert [line["prev"] for line in lines] == ["0" * 64, *(line["hash"] for line in lines[:2])]
    assert head == Head(3, lines[2]["hash"]) == verify(path).head
    with AuditLog(path) as log:
        assert log.head == head
        assert log.append("result", {}) == 4
    assert verify(path, head).lines == 4


def test_a_new_log_is_for_its_user_alone(path):
    with AuditLog(path, max_bytes=1) as log:
        log.append("result", {})
        log.append("result", {})
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_text_of_any_kind(path):
    texts = ["打开灯", "\ud800 alone", "a\nb\r\u2028\x00", '"}\\', "🙂", "x" * 100_000]
    with AuditLog(path) as log:
        for text in texts:
            log.append(text, {"utterance": text, text: [text]})
    assert [line["utterance"] for line in read(path)] == texts
    with AuditLog(path) as log:
        assert log.head.number == len(texts)


@pytest.mark.parametrize(
    ("event", "fields", "options"),
    [
        ("x", {"prev": 1}, {}),
        ("x", {"value": float("nan")}, {}),
        ("", {}, {}),
        ("rotated", {}, {}),
        ("unknown_outcome", {}, {}),
        ("x", {}, {"closes": 2}),
        ("x", {}, {"closes": 0}),
    ],
)
def test_what_is_refused_leaves_no_trace(path, event, fields, options):
    with AuditLog(path) as log:
        log.append("result", {})
        with pytest.raises(AuditError) as caught:
            log.append(event, fields, **options)
        assert caught.value.hint
        assert log.append("result", {}) == 2
    assert verify(path).lines == 2


@pytest.mark.parametrize("options", [{"fsync": "sometimes"}, {"max_bytes": 0}, {"keep": -1}])
def test_settings_that_make_no_sense(path, options):
    with pytest.raises(AuditError):
        AuditLog(path, **options)
    assert not path.exists()


def test_the_clock_may_jump_back(path):
    start = datetime(2026, 11, 21, tzinfo=UTC)
    times = iter([start, start - timedelta(days=9000), start + timedelta(days=1), start])
    with AuditLog(path, clock=lambda: next(times)) as log:
        for _ in range(4):
            log.append("result", {})
    assert [line["time"][:10] for line in read(path)] == ["2026-11-21", "2002-04-01", "2026-11-22", "2026-11-21"]
    assert verify(path).lines == 4
    with AuditLog(path) as log:
        assert log.append("result", {}) == 5


def test_a_clock_that_fails_costs_one_line(path):
    times = iter([datetime.now(UTC)] * 2)
    with AuditLog(path, clock=lambda: next(times), max_bytes=1) as log:
        log.append("result", {})
        with pytest.raises(StopIteration):  # in the first line of the second file
            log.append("result", {})
        times = iter([datetime.now(UTC)] * 9)
        log.append("result", {})
    assert verify(path).lines == 3


# Intents


def test_intents_are_open_until_they_are_closed(path):
    with AuditLog(path) as log:
        first, second = (log.append("intent", {"tool": tool}, intent=True) for tool in ("restart", "open"))
        assert verify(path).open == (first, second)
        log.append("result", {}, closes=first)
        assert verify(path).open == (second,)
        log.append("result", {}, closes=first)  # twice: nothing to say against it
        assert verify(path).open == (second,)
        log.append("intent", {}, intent=True, closes=second)
        assert verify(path).open == (4 + 1,)


def test_an_open_intent_is_unknown_after_a_restart(path):
    with AuditLog(path) as log:
        assert log.unknown == ()
        log.append("intent", {"tool": "restart", "arguments": {"when": "now"}}, intent=True)
        log.append("intent", {}, intent=True)
        log.append("result", {}, closes=2)
    with AuditLog(path) as log:
        (intent,) = log.unknown
        assert (intent["n"], intent["event"], intent["tool"]) == (1, "intent", "restart")
        assert intent["arguments"] == {"when": "now"}
        assert log.append("result", {}) == 5
    line = read(path)[3]
    assert (line["event"], line["tool"], line["closes"]) == ("unknown_outcome", "restart", 1)
    assert verify(path).open == ()
    with AuditLog(path) as log:
        assert log.unknown == ()


# What is on the disk when append returns


def syncs(log: AuditLog, **options: bool) -> int:
    """Return how often one append asks the system to write to the disk."""
    seen = 0

    def look(_frame: object, event: str, called: object) -> None:
        nonlocal seen
        seen += event == "c_call" and called is os.fsync

    sys.setprofile(look)
    try:
        log.append("result", {}, **options)
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize(("fsync", "line", "intent"), [("never", 0, 0), ("intents", 0, 1), ("always", 1, 1)])
def test_what_is_synced(path, fsync, line, intent):
    with AuditLog(path, fsync=fsync) as log:
        assert (syncs(log), syncs(log, intent=True)) == (line, intent)
    with AuditLog(path, fsync=fsync, max_bytes=1) as log:  # old file, folder, new file, folder: then the line
        assert syncs(log) == (0 if fsync == "never" else 4 + line)


# Rotation


@pytest.mark.parametrize("max_bytes", [1, 250, 600, 601, 1000, 1777, 5000])
def test_the_chain_goes_on_over_files(path, max_bytes):
    with AuditLog(path, fsync="never", max_bytes=max_bytes) as log:
        numbers = [log.append("result", {"tool": "lamp" * (number % 9)}) for number in range(30)]
        head = log.head
        files = len(list(path.parent.glob("audit.*jsonl")))
    report = verify(path, head)
    assert (report.first, report.head, report.files) == (1, head, files)
    lines = everything(path)
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["n"] for line in lines if line["event"] == "result"] == numbers
    for file in path.parent.glob("audit.*jsonl"):
        assert file.stat().st_size <= max_bytes or len(read(file)) <= 2
    with AuditLog(path, max_bytes=max_bytes) as log:
        assert log.head == head


def test_open_intents_pass_over_rotations(path):
    with AuditLog(path, fsync="never", max_bytes=900) as log:
        restart = log.append("intent", {"tool": "restart"}, intent=True)
        other = log.append("intent", {"tool": "other"}, intent=True)
        for number in range(20):
            log.append("result", {})
            if number == 12:
                log.append("result", {}, closes=other)
    assert verify(path).open == (restart,)
    for file in path.parent.glob("audit.0*.jsonl"):
        file.unlink()  # opening needs the last file alone
    with AuditLog(path, max_bytes=900) as log:
        (intent,) = log.unknown
        assert (intent["n"], intent["tool"]) == (restart, "restart")
    assert verify(path).open == ()


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_the_oldest_files_go(path, keep):
    with AuditLog(path, fsync="never", max_bytes=700, keep=keep) as log:
        for _ in range(40):
            log.append("result", {})
        head = log.head
    report = verify(path, head)
    assert (report.files, report.missing_before) == (keep + 1, True)
    assert report.first + report.lines == head.number + 1
    with AuditLog(path) as log:
        assert log.append("result", {}) == head.number + 1


def test_numbers_of_files_are_not_used_again(path):
    """Files that were archived elsewhere must not be overwritten there by later ones."""
    with AuditLog(path, fsync="never", max_bytes=1) as log:
        for _ in range(4):
            log.append("result", {})
    for file in path.parent.glob("audit.0*.jsonl"):
        file.unlink()
    with AuditLog(path, fsync="never", max_bytes=1) as log:
        log.append("result", {})
    assert [file.name for file in path.parent.glob("audit.0*.jsonl")] == ["audit.000004.jsonl"]


def test_other_files_beside_it_are_left_alone(path):
    others = ["audit.jsonl.bak", "audit.1.jsonl", "xaudit.000001.jsonl", "audit.000001.json", "audit.000009.jsonl.gz"]
    for name in others:
        (path.parent / name).write_text("mine")
    with AuditLog(path, fsync="never", max_bytes=1, keep=0) as log:
        for _ in range(5):
            log.append("result", {})
    assert all((path.parent / name).read_text() == "mine" for name in others)
    assert verify(path).missing_before


# Who may write


def test_one_writer_at_a_time(path):
    with AuditLog(path) as log:
        log.append("result", {})
        with pytest.raises(AuditError, match="written already"):
            AuditLog(path)
        link = path.with_name("link.jsonl")
        link.symlink_to(path)
        with pytest.raises(AuditError, match="written already"):
            AuditLog(link)
        assert in_another_process(path) == "AuditError"
        assert log.append("result", {}) == 2
    assert in_another_process(path) == "3"
    assert verify(path).lines == 3


def in_another_process(path: Path) -> str:
    code = """
import sys
from edgefn.audit import AuditLog
from edgefn.errors import AuditError
try:
    with AuditLog(sys.argv[1]) as log:
        sys.stdout.write(str(log.append("result", {})))
except AuditError as exc:
    sys.stdout.write(type(exc).__name__)
"""
    return subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout


def test_many_threads(path):
    numbers: list[int] = []

    def write() -> None:
        for _ in range(60):
            number = log.append("intent", {"thread": threading.get_ident()}, intent=True)
            numbers.extend((number, log.append("result", {}, closes=number)))

    with AuditLog(path, fsync="never", max_bytes=20_000) as log:
        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(numbers)) == 8 * 120
    report = verify(path)
    assert report.open == () and report.files > 5
    lines = {line["n"]: line for line in everything(path)}
    assert set(numbers) == {number for number, line in lines.items() if line["event"] != "rotated"}


def test_a_symbolic_link_leads_to_the_log(path, tmp_path):
    real = tmp_path / "real" / "audit.jsonl"
    real.parent.mkdir()
    path.symlink_to(real)
    with AuditLog(path, fsync="never", max_bytes=1) as log:
        log.append("result", {})
        log.append("result", {})
    assert path.is_symlink() and (real.parent / "audit.000001.jsonl").exists()
    assert verify(path) == verify(real)


def test_a_closed_log(path):
    log = AuditLog(path)
    log.append("result", {})
    log.close()
    log.close()
    with pytest.raises(AuditError, match="closed"):
        log.append("result", {})
    assert log.head.number == 1


# What cannot be opened


def test_where_no_log_can_be(tmp_path):
    for wrong, said in (
        (tmp_path, "a folder"),
        (tmp_path / "no" / "a.jsonl", "No such file"),
        ("/dev/full", "regular"),
    ):
        with pytest.raises(AuditError, match=said) as caught:
            AuditLog(wrong)
        assert caught.value.hint
    assert list(tmp_path.iterdir()) == []
    assert not os.path.exists("/dev/full.lock")


@pytest.mark.parametrize("content", [b"hello\n", b"hello", b'{"a": 1}\n', b"\x89PNG\r\n", b"{}"])
def test_what_is_no_log_is_left_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(AuditError, match="not an audit log"):
        AuditLog(path)
    assert path.read_bytes() == content
    assert not path.with_name("audit.jsonl.torn").exists()


def test_a_broken_log_is_refused_and_can_be_moved_aside(path):
    with AuditLog(path, fsync="never", max_bytes=900) as log:
        for _ in range(10):
            log.append("result", {"tool": "lamp"})
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"lamp", b"door"))
    with pytest.raises(AuditBroken, match=r"audit\.jsonl, line \d: it was changed") as caught:
        AuditLog(path)
    assert "edgefn audit verify" in caught.value.hint and "aside" in caught.value.hint
    path.rename(path.with_name("evidence"))
    with AuditLog(path) as log:
        log.append("result", {})
    assert verify(path).torn is False


def test_a_last_line_without_its_end_is_changed_not_torn(path):
    with AuditLog(path) as log:
        log.append("result", {})
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(AuditBroken, match="line end is gone"):
        AuditLog(path)


# Somebody else changes the file meanwhile


def test_foreign_lines_are_noticed(path):
    with AuditLog(path) as log:
        log.append("result", {})
        whole = path.read_bytes()
        for change in (whole + whole, whole + b"x", whole + b"\n", whole[:-1], b""):
            path.write_bytes(change)
            for _ in range(2):
                with pytest.raises(AuditError, match="something else changed"):
                    log.append("result", {})
        path.write_bytes(whole)
        assert log.append("result", {}) == 2
    assert verify(path).lines == 2


def test_a_removed_file_is_noticed(path):
    with AuditLog(path) as log:
        log.append("result", {})
        path.unlink()
        with pytest.raises(AuditError, match="was removed"):
            log.append("result", {})
