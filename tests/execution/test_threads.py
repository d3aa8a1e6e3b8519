"""Threads are used again, are daemons, and tell whoever waits."""

from __future__ import annotations

import subprocess
import sys
import threading

from edgefn.execution.signals import Cancellation, Signal
from edgefn.execution.threads import Job, Threads
from edgefn.execution.waiting import BLOCKING, drive


def test_a_thread_is_used_again():
    threads, seen = Threads(), set()
    for _ in range(200):
        job = threads.start(Job(threading.get_ident))
        assert drive(BLOCKING.until(30, job.done))
        seen.add(job.value)
    assert len(seen) <= 10


def test_idle_threads_are_few():
    threads, gate = Threads(), threading.Event()
    jobs = [threads.start(Job(gate.wait)) for _ in range(50)]
    gate.set()
    assert all(drive(BLOCKING.until(30, each.done)) for each in jobs)
    named = [each for each in threading.enumerate() if each.name == "edgefn-tool"]
    assert all(each.daemon for each in named)
    for each in named:
        each.join(0.2)
    assert sum(each.is_alive() for each in named) <= 20


def test_a_forked_child_starts_threads_of_its_own():
    threads = Threads()
    drive(BLOCKING.until(30, threads.start(Job(int)).done))
    threads.reset()  # what the child does first: the parent's threads are not there
    assert drive(BLOCKING.until(30, threads.start(Job(int)).done))


def test_what_it_raises_is_kept():
    error = ValueError("no lamp")

    def break_down() -> None:
        raise error

    job = Threads().start(Job(break_down))
    drive(BLOCKING.until(30, job.done))
    assert job.error is error
    assert not job.end()


def test_a_signal_happens_once():
    signal, told = Signal(), []
    signal.tell(lambda: told.append("before"))
    signal.happen()
    signal.happen()
    signal.tell(lambda: told.append("after"))
    assert told == ["before", "after"]
    assert signal.happened


def test_a_signal_that_is_forgotten_tells_nothing():
    signal, told = Signal(), []

    def tell() -> None:
        told.append(1)

    signal.tell(tell)
    signal.forget(tell)
    signal.forget(tell)
    signal.happen()
    assert not told


def test_waiting_for_whichever_comes_first():
    cancel = Cancellation()
    assert not drive(BLOCKING.until(0.01, Signal(), cancel.signal))
    threading.Timer(0.02, cancel.cancel).start()
    assert drive(BLOCKING.until(30, Signal(), cancel.signal))
    assert drive(BLOCKING.until(None, cancel.signal))


def test_no_more_threads():
    code = """
import threading
from edgefn.errors import ToolBusy
from edgefn.execution.threads import Job, Threads
def refuse(*_, **__):
    raise RuntimeError("can't start new thread")
threads = Threads()
threading.Thread.start = refuse  # root has no limit, so the refusal is played
try:
    threads.start(Job(int))
except ToolBusy as exc:
    print(exc.message)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "no thread could be started: can't start new thread\n"
