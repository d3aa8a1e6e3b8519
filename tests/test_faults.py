"""The fault matrix: whatever goes wrong, nothing runs twice, nothing acknowledged is lost from the log, and it goes on.

Real tools in a real file, real processes, real limits of the kernel.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tiny

from edgefn import Abstained, Done, Failed, NeedsConfirmation, Policy, Registry, Rule
from edgefn.audit.log import AuditLog
from edgefn.audit.recorder import Recorder
from edgefn.audit.verification import verify
from edgefn.dispatcher import Dispatcher
from edgefn.errors import AuditError, PendingError, ToolFailed, ToolTimeout

TOOLS = '''
"""Each tool writes down that it runs, then does what `fault.txt` beside it says."""

import os
import sys
import threading
import time
from pathlib import Path

from edgefn import tool

HERE = Path(__file__).parent
LOCK = threading.Lock()


def act(name):
    with open(HERE / "ran.txt", "a") as file:
        file.write(name + "\\n")
    match (HERE / "fault.txt").read_text():
        case "raises":
            raise ValueError("the lamp is broken")
        case "hangs":
            time.sleep(3600)
        case "exits":
            os._exit(3)
        case "leaves":
            sys.exit(3)
        case "large":
            return "x" * 100_000_000
        case "object":
            return threading.Lock()
        case "deadlock":
            with LOCK, LOCK:
                pass
        case "slow":
            time.sleep(1)
        case "surrogate":
            return "\\ud800"
        case "endless":
            return act_again()
    return name


def act_again():
    return act_again()


@tool
def lamp_on() -> str:
    """Switch the lamp on."""
    return act("lamp_on")


@tool(destructive=True)
def lamp_off() -> str:
    """Switch the lamp off."""
    return act("lamp_off")
'''
SOON, LONG = 0.4, 60.0
LOG = "audit.jsonl"


@dataclass
class Home:
    """A device with a lamp, a log, and a fault."""

    folder: Path
    isolated: bool = False
    timeout: float = LONG

    def open(self, **settings: Any) -> Dispatcher:
        """Start it."""
        rule = Rule(isolated=self.isolated, timeout=self.timeout, doubt=1.0)
        policy = Policy(rules={"lamp_on": rule, "lamp_off": rule})
        settings = {"policy": policy, "recorder": Recorder(AuditLog(self.folder / LOG)), **settings}
        return tiny.dispatcher(
            list(each.function for each in Registry.load(self.folder / "lamp.py")), settings=settings
        )

    def break_by(self, fault: str) -> None:
        (self.folder / "fault.txt").write_text(fault)

    @property
    def ran(self) -> list[str]:
        file = self.folder / "ran.txt"
        return file.read_text().split() if file.exists() else []

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / LOG).read_text().splitlines()]

    def outcomes(self) -> list[str]:
        return [each["outcome"] for each in self.lines if each["event"] == "outcome"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "lamp.py").write_text(TOOLS)
    found = Home(tmp_path)
    found.break_by("nothing")
    return found


IN_A_THREAD, IN_A_PROCESS = False, True


@pytest.mark.parametrize(
    ("fault", "isolated", "kind", "said"),
    [
        ("raises", IN_A_THREAD, ToolFailed, "lamp_on raised ValueError: the lamp is broken"),
        ("raises", IN_A_PROCESS, ToolFailed, "lamp_on raised ValueError: the lamp is broken"),
        ("leaves", IN_A_THREAD, ToolFailed, "lamp_on raised SystemExit"),
        ("leaves", IN_A_PROCESS, ToolFailed, "lamp_on raised SystemExit"),
        ("endless", IN_A_THREAD, ToolFailed, "lamp_on raised RecursionError"),
        ("endless", IN_A_PROCESS, ToolFailed, "lamp_on raised RecursionError"),
        ("exits", IN_A_PROCESS, ToolFailed, "exit code 3"),
        ("hangs", IN_A_THREAD, ToolTimeout, "could not be ended"),
        ("hangs", IN_A_PROCESS, ToolTimeout, "it was ended"),
        ("deadlock", IN_A_THREAD, ToolTimeout, "could not be ended"),
        ("deadlock", IN_A_PROCESS, ToolTimeout, "it was ended"),
        ("large", IN_A_PROCESS, ToolFailed, "lamp_on"),
        ("large", IN_A_THREAD, None, ""),
        ("object", IN_A_THREAD, None, ""),
        ("object", IN_A_PROCESS, None, ""),
        ("surrogate", IN_A_THREAD, None, ""),
        ("surrogate", IN_A_PROCESS, None, ""),
    ],
)
def test_a_tool_that_goes_wrong(home, fault, isolated, kind, said):
    home.isolated, home.timeout = isolated, SOON if kind is ToolTimeout else LONG
    with home.open() as dispatcher:
        home.break_by(fault)
        outcome = dispatcher("lamp on")
        if kind is None:
            assert isinstance(outcome, Done)
        else:
            assert isinstance(outcome, Failed)
            assert type(outcome.error) is kind
            assert said in outcome.error.message
        assert home.ran == ["lamp_on"]
        assert outcome.trace.line == home.lines[-1]["n"]
        home.break_by("nothing")
        assert dispatcher("lamp on").value == "lamp_on"  # it goes on
    assert home.ran == ["lamp_on"] * 2
    assert home.outcomes() == ["done" if kind is None else "failed", "done"]
    assert not verify(home.folder / LOG).open


@pytest.mark.parametrize("isolated", [IN_A_THREAD, IN_A_PROCESS])
def test_a_tool_that_is_removed_while_it_runs(home, isolated):
    home.isolated = isolated
    home.break_by("slow")
    with home.open() as dispatcher:
        outcomes: list[Any] = []
        thread = threading.Thread(target=lambda: outcomes.append(dispatcher("lamp on")))
        thread.start()
        while not home.ran:
            time.sleep(0.01)
        dispatcher.remove("lamp_on")
        assert dispatcher("lamp on").reason == "not_registered"
        thread.join()
    assert outcomes[0].value == "lamp_on"
    assert home.ran == ["lamp_on"]
    assert sorted(home.outcomes()) == ["abstained", "done"]
    verify(home.folder / LOG)


def test_a_clock_that_jumps_back(home, monkeypatch):
    with home.open() as dispatcher:
        asked = dispatcher("lamp off")
        then = time.time()
        monkeypatch.setattr(time, "time", lambda: then - 10 * 365 * 86400)
        assert isinstance(dispatcher("lamp on"), Done)
        assert isinstance(dispatcher("yes", asked.pending), Done)
        assert isinstance(dispatcher("yes", asked.pending).error, PendingError)
        monkeypatch.setattr(time, "time", lambda: then + 3600)
        late = dispatcher("lamp off")
        monkeypatch.setattr(time, "time", lambda: then + 7200)
        assert isinstance(dispatcher("yes", late.pending).error, PendingError)
    assert home.ran == ["lamp_on", "lamp_off"]
    verify(home.folder / LOG)


def test_a_confirmation_does_not_outlive_its_time_because_the_clock_was_set_back(home, monkeypatch):
    now = [1000.0]
    with home.open() as dispatcher:
        dispatcher._clearance.asked._clock = lambda: now[0]
        asked = dispatcher("lamp off")
        now[0] += 121  # two minutes later, and the wall clock says it is earlier
        then = time.time()
        monkeypatch.setattr(time, "time", lambda: then - 3600)
        assert isinstance(dispatcher("yes", asked.pending).error, PendingError)
    assert not home.ran


# In a process of its own: the kernel's limits, interrupts, and its end

SCRIPT = """
import os, resource, signal, sys, time
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_faults import LOG, Home, Done, Failed
signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts tests in the background ignores it
home = Home(Path({folder!r}), {isolated})
dispatcher = home.open()
def say(*words):
    print(*words, flush=True)
"""


def start(home: Home, body: str, isolated: bool = False) -> subprocess.Popen[str]:
    """Start a process that uses the same home."""
    code = SCRIPT.format(tests=str(Path(__file__).parent), folder=str(home.folder), isolated=isolated)
    code += textwrap.dedent(body)
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str]) -> str:
    try:
        out, err = process.communicate(timeout=LONG)
    finally:
        process.kill()
    assert process.returncode == 0, err
    return out


def until(condition: Any) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_disk_of_the_log_is_full(home):
    pytest.importorskip("resource")
    out = finished(
        start(
            home,
            """
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            say(dispatcher("lamp on").value)
            size = os.path.getsize(home.folder / LOG)
            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, hard))
            asked = dispatcher("lamp off")
            say(type(asked).__name__, type(asked.error).__name__)
            for text in ("lamp on", "lamp on", "the weather please"):
                outcome = dispatcher(text)
                say(type(outcome).__name__, type(outcome.error).__name__, len(home.ran))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            say(dispatcher("lamp on").value)
            asked = dispatcher("lamp off")
            resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(home.folder / LOG) + 20, hard))
            outcome = dispatcher("yes", asked.pending)
            say(type(outcome.error).__name__, home.ran.count("lamp_off"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            asked = dispatcher("lamp off")
            say(dispatcher("yes", asked.pending).value)
            """,
        )
    )
    assert out.splitlines() == [
        "lamp_on",
        "Failed AuditError",  # what cannot be written down is not acknowledged
        "Failed AuditError 1",  # and nothing runs while that is so
        "Failed AuditError 1",
        "Failed AuditError 1",
        "lamp_on",
        "AuditError 0",  # no destructive call without its line
        "lamp_off",
    ]
    assert home.ran == ["lamp_on", "lamp_on", "lamp_off"]
    report = verify(home.folder / LOG)
    assert not report.open


@pytest.mark.parametrize("isolated", [IN_A_THREAD, IN_A_PROCESS])
def test_killed_while_a_destructive_tool_runs(home, isolated):
    home.break_by("hangs")
    process = start(home, 'dispatcher("yes", dispatcher("lamp off").pending)', isolated)
    until(lambda: home.ran)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    home.break_by("nothing")
    with home.open() as dispatcher:
        (unknown,) = dispatcher.unknown
        assert unknown["tool"] == "lamp_off"
        assert [each["event"] for each in home.lines[-2:]] == ["unknown_outcome", "loaded"]
        assert isinstance(dispatcher("lamp on"), Done)
    assert home.ran == ["lamp_off", "lamp_on"]  # it was not run again
    with home.open() as dispatcher:
        assert dispatcher.unknown == ()  # reported once
    assert not verify(home.folder / LOG).open


def test_killed_while_it_writes_the_log(home):
    """Every line that was acknowledged is there, and the chain holds, wherever the kill strikes."""
    acknowledged = 0
    for round_ in range(4):
        process = start(home, "while True:\n    say(dispatcher('lamp on').trace.line)")
        seen = [int(process.stdout.readline()) for _ in range(5 + 7 * round_)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        seen += [int(line) for line in rest.split("\n")[:-1]]
        report = verify(home.folder / LOG)
        assert report.head.number >= seen[-1]
        acknowledged += len(seen)
    with home.open():
        pass
    verify(home.folder / LOG)
    written = home.outcomes()
    assert acknowledged <= len(written) <= acknowledged + 4
    assert len(home.ran) in range(len(written), len(written) + 5)  # one more may have run in each round


@pytest.mark.parametrize("isolated", [IN_A_THREAD, IN_A_PROCESS])
def test_interrupted_while_a_tool_runs(home, isolated):
    home.break_by("hangs")
    process = start(
        home,
        """
        try:
            dispatcher("yes", dispatcher("lamp off").pending)
        except KeyboardInterrupt:
            say("interrupted")
        home.break_by("nothing")
        say(dispatcher("lamp on").value)
        """,
        isolated,
    )
    until(lambda: home.ran)
    process.send_signal(signal.SIGINT)
    assert finished(process).splitlines() == ["interrupted", "lamp_on"]
    assert home.ran == ["lamp_off", "lamp_on"]
    assert [each["tool"] for each in home.lines if each["event"] == "interrupted"] == ["lamp_off"]
    assert not verify(home.folder / LOG).open


@pytest.mark.parametrize("isolated", [IN_A_THREAD, IN_A_PROCESS])
def test_a_task_that_is_cancelled_while_a_tool_runs(home, isolated):
    home.isolated = isolated
    home.break_by("hangs" if isolated else "slow")

    async def main(dispatcher: Dispatcher) -> None:
        task = asyncio.create_task(dispatcher.acall("yes", dispatcher("lamp off").pending))
        while not home.ran:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with home.open() as dispatcher:
        asyncio.run(main(dispatcher))
        home.break_by("nothing")
        assert isinstance(dispatcher("lamp on"), Done)
    assert home.ran == ["lamp_off", "lamp_on"]
    assert [each["event"] for each in home.lines].count("interrupted") == 1
    assert not verify(home.folder / LOG).open


def test_interrupted_again_and_again_while_it_writes_the_log(home):
    process = start(
        home,
        """
        inside, done, struck = [False], 0, 0

        def strike(*_):
            if inside[0]:
                inside[0] = False  # once for each dispatch
                raise KeyboardInterrupt

        signal.signal(signal.SIGINT, strike)
        say("ready")
        until = time.monotonic() + 3
        while time.monotonic() < until:
            try:
                inside[0] = True
                outcome = dispatcher("lamp on")
                done += isinstance(outcome, Done)
                inside[0] = False
            except KeyboardInterrupt:
                struck += 1
        say("enough")
        time.sleep(0.2)  # those that are still on their way
        say(done, struck, isinstance(dispatcher("lamp on"), Done))
        """,
    )
    assert process.stdout.readline() == "ready\n"
    enough = threading.Thread(target=process.stdout.readline)
    enough.start()
    while enough.is_alive():
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    done, struck, goes_on = finished(process).split()
    assert int(struck) > 10
    assert goes_on == "True"
    verify(home.folder / LOG)
    assert home.outcomes().count("done") >= int(done) + 1
    assert len(home.ran) >= int(done) + 1


def test_a_log_that_another_process_writes(home):
    with home.open(), pytest.raises(AuditError):
        home.open()


def test_what_is_denied_or_asked_leaves_a_line_too(home):
    with home.open(policy=Policy(deny={"*": ("lamp_on",)}, rules={"lamp_off": Rule(isolated=False)})) as dispatcher:
        assert isinstance(dispatcher("lamp on"), Abstained)
        assert isinstance(dispatcher("lamp off"), NeedsConfirmation)
        assert isinstance(dispatcher("the weather please"), Abstained)
    assert home.outcomes() == ["abstained", "needs_confirmation", "abstained"]
    assert not home.ran
