"""One way of running tools, two ways of waiting for them.

What runs a tool is written once, as coroutines that wait only through a `Waiting`. `BLOCKING` waits in the thread that
calls and never suspends, so `drive` brings such a coroutine to its end without an event loop. The one that suspends is
in `edgefn.execution.looping`.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, ParamSpec, Protocol, TypeVar

from edgefn.execution.signals import Signal
from edgefn.execution.slots import Slots
from edgefn.execution.threads import THREADS, Job

T = TypeVar("T")
P = ParamSpec("P")


class Running(Protocol):
    """Work under way."""

    done: Signal
    value: Any
    error: BaseException | None

    def end(self) -> bool:
        """End it; False where it cannot be ended."""


class Waiting(Protocol):
    """How to wait."""

    @property
    def threads(self) -> Slots | None:
        """How many threads may run tools at once; None where each caller brings its own."""

    async def do(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Return what `work`, which may take a moment, returns."""

    async def until(self, seconds: float | None, *signals: Signal) -> bool:
        """Wait until any of `signals` has happened, at most `seconds`; say whether one has."""

    def launch(self, work: Callable[[], Any], limited: bool) -> Running:
        """Start a function; where it is not `limited` in time, it may run before this returns."""

    def launch_async(self, work: Callable[[], Awaitable[Any]]) -> Running:
        """Start a coroutine function."""


class Blocking:
    """Waits in the thread that calls."""

    threads = None

    async def do(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call it."""
        return work(*arguments, **named)

    async def until(self, seconds: float | None, *signals: Signal) -> bool:
        """Sleep on a lock, which signals of the system may interrupt."""
        if any(each.happened for each in signals):
            return True
        lock = threading.Lock()
        lock.acquire()

        def ring() -> None:
            with suppress(RuntimeError):  # another signal was faster
                lock.release()

        for each in signals:
            each.tell(ring)
        try:
            return lock.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))
        finally:
            for each in signals:
                each.forget(ring)

    def launch(self, work: Callable[[], Any], limited: bool) -> Running:
        """Run it here where nothing limits it, else in a thread that can be left behind."""
        job = Job(work)
        if limited:
            return THREADS.start(job)
        job.run()
        return job

    def launch_async(self, work: Callable[[], Awaitable[Any]]) -> Running:
        """Run it in a thread with an event loop of its own."""
        from edgefn.execution.looping import ThreadedCoroutine  # only who has such a tool pays for asyncio

        return ThreadedCoroutine(work)


BLOCKING = Blocking()


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return what a coroutine returns that waits through `BLOCKING` only."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    coroutine.close()
    raise RuntimeError("it waited for something that only an event loop can wait for")
