"""The worker processes that live, and those of them that are idle."""

from __future__ import annotations

import os
import sys
import threading

from edgefn.errors import ToolFailed
from edgefn.isolation.process import Process

_IDLE = 2
"""Idle workers of one file that are kept."""


class Pool:
    """The processes that live, and those of them that are idle, by file."""

    def __init__(self) -> None:
        """Hold none."""
        self._idle: dict[str, list[Process]] = {}
        self._all: set[Process] = set()
        self._closed = False
        self._lock = threading.Lock()

    def take(self, file: str) -> Process | None:
        """Return an idle worker of that file that is fit, or None; raises ToolFailed once the pool is closed."""
        while True:
            with self._lock:
                self._check_open()
                idle = self._idle.get(file)
                process = idle.pop() if idle else None
            if process is None or (process.owner == os.getpid() and process.is_fit()):
                return process
            if process.owner == os.getpid():  # of a fork's parent: it still needs it
                self.discard(process)

    def spawn(self) -> Process:
        """Start a worker; raises ToolFailed where that is not possible."""
        if not sys.executable or getattr(sys, "frozen", False):
            hint = "say `isolated: false` for it in the policy"
            raise ToolFailed("there is no Python interpreter that a worker could run in", hint=hint)
        try:
            process = Process()
        except OSError as exc:
            raise ToolFailed(f"no worker process could be started: {exc}", hint="free memory or processes") from exc
        with self._lock:
            closed = self._closed
            self._all.add(process)
        if closed:
            self.discard(process)
            self._check_open()
        return process

    def give_back(self, file: str, process: Process) -> None:
        """Keep a worker for the next call, or let it end where there are enough."""
        with self._lock:
            idle = self._idle.setdefault(file, [])
            keep = not self._closed and len(idle) < _IDLE
            if keep:
                idle.append(process)
        if not keep:
            self._retire(process)

    def discard(self, process: Process) -> int | None:
        """End a worker that no thread uses; return its exit code."""
        with self._lock:
            self._all.discard(process)
        return process.discard()

    def close(self) -> None:
        """End all: the idle ones by themselves, the others by force; whoever waits for those frees their pipes."""
        with self._lock:
            self._closed = True
            mine = {each for each in self._all if each.owner == os.getpid()}
            idle = [each for some in self._idle.values() for each in some if each in mine]
            self._idle.clear()
        busy = mine.difference(idle)
        for process in busy:
            process.kill()
        for process in idle:
            self._retire(process)
        for process in busy:
            process.reap()

    def _retire(self, process: Process) -> None:
        with self._lock:
            self._all.discard(process)
        process.retire()

    def _check_open(self) -> None:
        if self._closed:
            raise ToolFailed("the workers of isolated tools are closed", hint="load the bundle again")
