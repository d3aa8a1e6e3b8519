"""Kills, interrupts and a full disk, as the kernel gives them: nothing acknowledged is lost, and the log goes on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edgefn.audit import AuditLog, Head, verify

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals, forks and limits of POSIX")
MOST = 60
"""Seconds after which a process of its own hangs."""


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "audit.jsonl"


@pytest.fixture
def in_memory(tmp_path) -> Iterator[Path]:
    """A folder where fsync costs nothing, if the system has one: what a killed process wrote stays there too."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def in_a_process(code: str, *arguments: object) -> str:
    """Run `code`; it must end well. Return what it printed."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MOST, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


# SIGKILL

WRITER = """
import os, sys
from edgefn.audit import AuditLog
with AuditLog(sys.argv[1], fsync="never", max_bytes=int(sys.argv[2])) as log:
    while True:
        number = log.append("intent", {"tool": "restart", "text": "x" * (log.head.number % 400)}, intent=True)
        os.write(1, f"{log.head}\\n".encode())
        log.append("result", {}, closes=number)
        os.write(1, f"{log.head}\\n".encode())
"""


@POSIX
def test_what_was_acknowledged_before_a_kill_is_there(path):
    chosen = random.Random(1)
    last = Head(0, "0" * 64)
    for max_bytes in (10_000_000, 20_000, 200):
        command = [sys.executable, "-c", WRITER, str(path), str(max_bytes)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(chosen.randrange(50, 150)):
                last = Head.parse(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            acknowledged = [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
            last = Head.parse(acknowledged[-1]) if acknowledged else last
        assert process.returncode == -signal.SIGKILL
        before = verify(path, last)  # also as the kill left it
        assert before.head.number - last.number <= 2  # a line, and the first of a new file
        with AuditLog(path, fsync="never") as log:  # the lock went with the process
            assert [intent["n"] for intent in log.unknown] == list(before.open)
        after = verify(path, last)
        assert after.open == () and not after.torn


STEPS = """
import os, shutil, signal, sys
from pathlib import Path
from edgefn.audit import AuditLog, Head, verify
from edgefn.errors import AuditError
folder, mode = Path(sys.argv[1]), sys.argv[2]

def start(at, act):
    seen = 0
    def step(frame, event, argument):
        nonlocal seen
        # The interpreter looks for signals at the start of functions and after calls.
        if event in ("call", "c_return") and "audit" in frame.f_code.co_filename:
            seen += 1
            if seen == at:
                sys.setprofile(None)
                act()
    sys.setprofile(step)

def killed(at):
    child = os.fork()
    if child == 0:
        end = 1
        try:
            start(at, lambda: os.kill(os.getpid(), signal.SIGKILL))
            work()
            sys.setprofile(None)
            end = 0
        finally:
            os._exit(end)
    end = os.waitpid(child, 0)[1]
    if os.WIFEXITED(end):
        assert os.WEXITSTATUS(end) == 0
        return False
    return True

def interrupt():
    raise KeyboardInterrupt

def interrupted(at):
    log = AuditLog(path, max_bytes=700)
    try:
        start(at, interrupt)
        numbers = [log.append("result", {"text": "x" * 300})]
        numbers.append(log.append("result", {"text": "y" * 300}))
        sys.setprofile(None)
        return False
    except KeyboardInterrupt:
        head = log.head
        number = log.append("result", {"again": True})
        assert head.number < number
        assert verify(path, head).head == log.head
        return True
    finally:
        sys.setprofile(None)
        log.close()

def work():
    with AuditLog(path, max_bytes=700) as log:
        acknowledge(log)
        for _ in range(2):
            log.append("result", {"text": "x" * 300})
            acknowledge(log)

def acknowledge(log):
    with open(f"{known}.new", "w") as file:
        file.write(str(log.head))
    os.replace(f"{known}.new", known)

at = 0
going = True
while going:
    at += 1 + at // 100
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path, known = folder / "audit.jsonl", folder / "known"
    with AuditLog(path, fsync="never", max_bytes=700) as log:
        log.append("result", {})
        intent = log.append("intent", {"tool": "restart"}, intent=True)
        acknowledge(log)
    with open(path, "ab") as file:
        file.write(b'{"n":3,"time":"2026')  # cut by an earlier kill
    going = (killed if mode == "kill" else interrupted)(at)
    head = Head.parse(known.read_text())
    if mode == "kill":
        verify(path, head)
    with AuditLog(path, fsync="never") as log:
        assert len(log.unknown) <= 1
        log.append("result", {})
    report = verify(path, head)
    assert report.open == () and report.first == 1 and not report.torn, report
    assert (folder / "audit.jsonl.torn").read_bytes().startswith(b'{"n":3,"time":"2026')
sys.stdout.write(str(at))
"""


@POSIX
@pytest.mark.parametrize("mode", ["kill", "interrupt"])
def test_an_end_at_any_step_of_opening_writing_and_rotating(in_memory, mode):
    steps = int(in_a_process(STEPS, in_memory / "steps", mode))
    assert steps > 60


def test_a_kill_between_the_rename_and_the_first_line(path):
    with AuditLog(path, fsync="never") as log:
        log.append("intent", {"tool": "restart"}, intent=True)
        head = log.head
    for number, left in enumerate((None, b"", b'{"n":'), 1):
        path.rename(path.with_name(f"audit.{number:06d}.jsonl"))
        if left is not None:
            path.write_bytes(left)
        report = verify(path, head)
        assert report.torn == bool(left)
        with AuditLog(path, fsync="never") as log:
            assert len(log.unknown) == (number == 1)
            log.append("result", {})
            head = log.head
    assert verify(path, head).files == 4


@pytest.mark.parametrize("left", [b"{", b'{"n":3', b"\0" * 5000, b'{"n":3,"event":"\xff\xff'])
def test_a_cut_line_is_moved_aside(path, left):
    with AuditLog(path) as log:
        log.append("result", {})
        head = log.head
    with open(path, "ab") as file:
        file.write(left)
    with AuditLog(path) as log:
        assert log.head.number == 2
    assert path.with_name("audit.jsonl.torn").read_bytes() == left + b"\n"
    assert f'"event":"recovered","bytes":{len(left)},'.encode() in path.read_bytes()
    assert not verify(path, head).torn


def test_a_cut_first_line(path):
    path.write_bytes(b'{"n":1,"ti')
    with AuditLog(path) as log:
        assert log.head.number == 1
    assert verify(path).lines == 1


# Interrupts

INTERRUPTED = """
import os, signal, sys, threading, time
from edgefn.audit import AuditLog, verify
signal.signal(signal.SIGINT, signal.default_int_handler)
me, stop = os.getpid(), threading.Event()
def storm():
    while not stop.is_set():
        os.kill(me, signal.SIGINT)
        time.sleep(0.0004)
log = AuditLog(sys.argv[1], fsync="never", max_bytes=4000)
thread = threading.Thread(target=storm)
acknowledged, caught, end = [], 0, time.monotonic() + float(sys.argv[2])
try:
    thread.start()
except KeyboardInterrupt:
    pass
while time.monotonic() < end:
    try:
        while time.monotonic() < end:
            acknowledged.append((log.append("result", {}, intent=True), log.head.hash))
    except KeyboardInterrupt:
        caught += 1
while not stop.is_set():
    try:
        stop.set()
    except KeyboardInterrupt:
        caught += 1
while thread.is_alive():
    try:
        thread.join()
    except KeyboardInterrupt:
        caught += 1
numbers = [number for number, _ in acknowledged]
assert numbers == sorted(set(numbers))
log.append("result", {})
assert verify(sys.argv[1], log.head).head == log.head
sys.stdout.write(f"{caught} {len(numbers)}")
"""


@POSIX
def test_a_storm_of_interrupts(path):
    caught, written = map(int, in_a_process(INTERRUPTED, path, 0.5).split())
    assert caught > 20 and written > 20
    with AuditLog(path, fsync="never") as log:
        log.append("result", {})
    assert verify(path).open == ()


# A full disk: the kernel takes the first bytes of a line up to the limit, and refuses the next

FULL = """
import resource, sys
from pathlib import Path
from edgefn.audit import AuditLog, verify
from edgefn.errors import AuditError
path, max_bytes = Path(sys.argv[1]), int(sys.argv[2])

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

refusals = 0
log = AuditLog(path, fsync="never", max_bytes=max_bytes)
acknowledged = [log.append("result", {"text": "first"})]
for room in range(0, 420, 9):
    size = path.stat().st_size
    limit(min(size, 0 if max_bytes < 1000 else size) + room)
    for intent in (False, True):
        try:
            acknowledged.append(log.append("result", {"room": room, "text": "x" * 120}, intent=intent))
        except AuditError as exc:
            refusals += 1
            assert exc.hint
            assert verify(path, log.head).head == log.head
            assert not path.exists() or path.read_bytes()[-1:] in (b"", b"\\n")
    limit(resource.RLIM_INFINITY)
    if not room % 3:
        acknowledged.append(log.append("result", {"room": room}))
report = verify(path, log.head)
assert not report.torn and report.head.number - acknowledged[-1] in (0, 1)  # 1: the first line of a new file
assert acknowledged == sorted(set(acknowledged))
log.close()
sys.stdout.write(f"{refusals} {report.files}")
"""


@POSIX
@pytest.mark.parametrize("max_bytes", [10_000_000, 300])
def test_a_full_disk(path, max_bytes):
    refusals, files = map(int, in_a_process(FULL, path, max_bytes).split())
    assert refusals > 20
    assert (files > 20) == (max_bytes == 300)


# A file that the system lets grow only: what came through of a line cannot be cut off, and it cannot be renamed

STUCK = """
import resource, subprocess, sys
from pathlib import Path
from edgefn.audit import AuditLog, verify
from edgefn.errors import AuditError
path = Path(sys.argv[1])

def allow(only_growing, size=resource.RLIM_INFINITY):
    subprocess.run(["chattr", "+a" if only_growing else "-a", path], check=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def refused(**fields):
    try:
        log.append("result", fields)
    except AuditError:
        return True
    return False

log = AuditLog(path, max_bytes=2000)
log.append("result", {})
head, size = log.head, path.stat().st_size
allow(True, size + 50)
assert refused() and refused()
assert path.stat().st_size == size + 50 and log.head == head
assert verify(path, head).torn
allow(False)
assert log.append("result", {"text": "y" * 100}) == 2
while path.stat().st_size < 1500:
    log.append("result", {})
head = log.head
allow(True)
assert refused(text="x" * 700) and refused(text="x" * 700)
allow(False)
assert log.append("result", {"text": "x" * 700}) == head.number + 2
report = verify(path, log.head)
assert not report.torn and report.files == 2, report
log.close()
"""


@POSIX
def test_a_line_that_could_not_be_cut_off_goes_before_the_next(path):
    probe = path.with_name("probe")
    probe.touch()
    chattr = shutil.which("chattr")
    if not chattr or subprocess.run([chattr, "+a", probe], capture_output=True, check=False).returncode:
        pytest.skip("this user or file system cannot make files that only grow")
    subprocess.run([chattr, "-a", probe], check=True)
    in_a_process(STUCK, path)
