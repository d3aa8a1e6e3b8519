"""Threads that nobody has to wait for: daemons, used again and again, and left behind when what they run hangs."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from edgefn.errors import ToolBusy
from edgefn.execution.signals import Signal

_IDLE = 8
"""How many threads wait for work; more end when theirs is done."""


class Job:
    """One piece of work and what came of it."""

    __slots__ = ("_context", "_work", "done", "error", "value")

    def __init__(self, work: Callable[[], Any]) -> None:
        """Run `work` later, in the context variables of now."""
        self._work = work
        self._context = copy_context()
        self.done = Signal()
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work in this thread; whatever it raises is kept."""
        try:
            self.value = self._context.run(self._work)
        except BaseException as exc:  # kept for whoever waits: a thread has nobody to raise it to
            self.error = exc
        del self._work
        self.done.happen()

    def end(self) -> bool:
        """Say whether the work can be ended: a thread cannot."""
        return False


class Threads:
    """A pool that grows as needed. `concurrent.futures` would make the process wait for it when it exits."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._idle: deque[SimpleQueue[Job]] = deque()

    def start(self, job: Job) -> Job:
        """Run a job in a thread of its own and return it; raises ToolBusy where the system gives no more threads."""
        try:
            inbox = self._idle.pop()  # the one that ran last has the warmest cache
        except IndexError:
            inbox = self._new()
        inbox.put(job)
        return job

    def reset(self) -> None:
        """Forget every thread: a forked child has none of them."""
        self._idle.clear()

    def _new(self) -> SimpleQueue[Job]:
        inbox: SimpleQueue[Job] = SimpleQueue()
        try:
            threading.Thread(target=self._serve, args=(inbox,), name="edgefn-tool", daemon=True).start()
        except RuntimeError as exc:
            hint = "see Dispatcher.left_behind for tools that hang, and limit their `concurrency`"
            raise ToolBusy(f"no thread could be started: {exc}", hint=hint) from exc
        return inbox

    def _serve(self, inbox: SimpleQueue[Job]) -> None:
        while True:
            job = inbox.get()
            job.run()
            del job  # what it returned may be large
            if len(self._idle) >= _IDLE:
                return
            self._idle.append(inbox)


THREADS = Threads()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=THREADS.reset)
