"""Waiting in an event loop, and coroutines where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar

from edgefn.errors import ToolBusy
from edgefn.execution.signals import Signal
from edgefn.execution.slots import Slots
from edgefn.execution.threads import THREADS, Job
from edgefn.execution.waiting import Running

T = TypeVar("T")
P = ParamSpec("P")


class Looping:
    """Waits in the running event loop, which is never blocked."""

    def __init__(self, readers: Slots, threads: Slots) -> None:
        """Read utterances in as many threads as there are `readers`, run tools in as many as there are `threads`."""
        self._loop = asyncio.get_running_loop()
        self._readers = readers
        self.threads = threads

    async def do(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call it in a thread; raises what it raises. A task that is cancelled waits until it is done all the same."""
        await self._readers.enter(self, None)
        job = Job(lambda: work(*arguments, **named))
        job.done.tell(self._readers.leave)
        try:
            THREADS.start(job)
        except ToolBusy:
            self._readers.leave()
            raise
        try:
            await self.until(None, job.done)
        except asyncio.CancelledError:
            while not job.done.happened:  # a line of the log is half-written at this moment, say
                with suppress(asyncio.CancelledError):
                    await self.until(None, job.done)
            raise
        if job.error is not None:
            raise job.error
        value: T = job.value
        return value

    async def until(self, seconds: float | None, *signals: Signal) -> bool:
        """Suspend until then."""
        future: asyncio.Future[None] = self._loop.create_future()

        def ring() -> None:
            with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
                self._loop.call_soon_threadsafe(_settle, future)

        for each in signals:
            each.tell(ring)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            for each in signals:
                each.forget(ring)
        return any(each.happened for each in signals)

    def launch(self, work: Callable[[], Any], limited: bool) -> Running:
        """Run it in a thread, limited or not."""
        return THREADS.start(Job(work))

    def launch_async(self, work: Callable[[], Awaitable[Any]]) -> Running:
        """Run it in this loop."""
        return LoopTask(work)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class LoopTask:
    """A coroutine in the running event loop."""

    def __init__(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Start it."""
        self.done = Signal()
        self.value: Any = None
        self.error: BaseException | None = None
        self._task = asyncio.get_running_loop().create_task(self._run(work))

    async def _run(self, work: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.value = await work()
        except BaseException as exc:  # kept for whoever waits
            self.error = exc
        finally:
            self.done.happen()

    def end(self) -> bool:
        """Cancel it; it may take its time to notice."""
        self._task.cancel()
        return True


class ThreadedCoroutine(Job):
    """A coroutine in a thread with an event loop of its own."""

    __slots__ = ("_ended", "_loop", "_task")

    def __init__(self, work: Callable[[], Awaitable[Any]]) -> None:
        """Start it."""
        super().__init__(lambda: asyncio.run(self._main(work)))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self._ended = False
        THREADS.start(self)

    async def _main(self, work: Callable[[], Awaitable[Any]]) -> Any:
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        if self._ended:  # before there was anything to cancel
            raise asyncio.CancelledError
        return await work()

    def end(self) -> bool:
        """Cancel it; it may take its time to notice."""
        self._ended = True
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._task.cancel)
        return True
