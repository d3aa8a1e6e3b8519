"""From a piece of work to what it returned: in time, as often as allowed, and never twice."""

from __future__ import annotations

import threading
import time
from typing import Any

from edgefn.errors import ToolBusy, ToolCancelled, ToolFailed, ToolTimeout
from edgefn.execution.health import Health
from edgefn.execution.signals import Cancellation, Signal
from edgefn.execution.slots import Slots
from edgefn.execution.waiting import Running, Waiting
from edgefn.execution.work import IsolatedRun, Work
from edgefn.trace import Attempt

_GRACE = 1.0
"""Seconds in which what was ended must be gone; a coroutine may swallow its cancellation."""


class Runner:
    """Runs work within its limits, and knows which tools hang."""

    def __init__(self) -> None:
        """Every tool is well, and none is running."""
        self.health = Health()
        self._slots: dict[tuple[str, int], Slots] = {}
        self._lock = threading.Lock()

    async def run(self, work: Work, wait: Waiting, cancel: Cancellation | None, attempts: list[Attempt]) -> Any:
        """Return what it returned; every attempt is added to `attempts`.

        Raises:
            ToolFailed: it raised, took too long, was called off, is busy or is switched off.
        """
        while True:
            start = time.perf_counter()
            try:
                value = await self._once(work, wait, cancel)
            except ToolFailed as exc:
                attempts.append(Attempt(time.perf_counter() - start, type(exc).__name__))
                if len(attempts) >= work.attempts or not _may_repeat(exc):
                    raise
            else:
                attempts.append(Attempt(time.perf_counter() - start))
                return value
            if await wait.until(work.backoff * 2 ** (len(attempts) - 1), *_signals(cancel)):
                raise _called_off(work)

    async def _once(self, work: Work, wait: Waiting, cancel: Cancellation | None) -> Any:
        self.health.check(work.name)
        if cancel is not None and cancel.cancelled:
            raise _called_off(work)
        running, freed = await self._launch(work, wait, cancel)
        try:
            if isinstance(running, IsolatedRun):  # what the process takes to start is not the tool's time
                await wait.until(None, running.started, running.done, *_signals(cancel))
            await wait.until(work.timeout or None, running.done, *_signals(cancel))
        except BaseException:  # an interrupt, or the task that waits was cancelled
            if not running.end():
                self._leave_behind(work, running, freed, hung=False)
            raise
        if running.done.happened:
            return _value(work, running)
        called_off = cancel is not None and cancel.cancelled
        gone = running.end() and await wait.until(_GRACE, running.done)
        if not gone:
            self._leave_behind(work, running, freed, hung=not called_off)
        raise _called_off(work) if called_off else _too_slow(work, running=not gone)

    async def _launch(self, work: Work, wait: Waiting, cancel: Cancellation | None) -> tuple[Running, Signal]:
        """Start the work when there is a place for it; its place among the threads is free when the signal happens."""
        own = self._slots_of(work)
        if own is not None and not await own.enter(wait, work.timeout or None, *_signals(cancel)):
            raise _called_off(work) if cancel is not None and cancel.cancelled else _busy(work)
        freed, taken = Signal(), [] if own is None else [own]
        try:
            threads = wait.threads if work.needs_thread else None
            if threads is not None:
                if not await threads.enter(wait, None, *_signals(cancel)):
                    raise _called_off(work)
                taken.append(threads)
                freed.tell(threads.leave)
            running = work.launch(wait)
        except BaseException:
            for each in taken:
                each.leave()
            raise
        if own is not None:
            running.done.tell(own.leave)
        running.done.tell(freed.happen)
        return running, freed

    def _leave_behind(self, work: Work, running: Running, freed: Signal, hung: bool) -> None:
        """Count a thread that goes on; others may take its place among the threads, not its place in the tool."""
        self.health.left_behind(work.name, running.done, hung)
        freed.happen()

    def _slots_of(self, work: Work) -> Slots | None:
        if not work.concurrency:
            return None
        with self._lock:
            return self._slots.setdefault((work.name, work.concurrency), Slots(work.concurrency))


def _signals(cancel: Cancellation | None) -> tuple[Signal, ...]:
    return () if cancel is None else (cancel.signal,)


def _may_repeat(error: ToolFailed) -> bool:
    """Say whether another attempt makes sense: never beside one that still runs."""
    if isinstance(error, ToolTimeout):
        return not error.running
    return type(error) is ToolFailed


def _value(work: Work, running: Running) -> Any:
    error = running.error
    if error is None:
        return running.value
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, ToolFailed) and isinstance(running, IsolatedRun)):
        raise error
    raise ToolFailed(  # also of SystemExit: a tool that calls sys.exit() must not end the kiosk
        f"{work.name} raised {type(error).__name__}: {_said(error)}",
        hint="the tool's own traceback is this error's cause",
    ) from error


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # its __str__ is a stranger's too
        return "(no message)"


def _too_slow(work: Work, running: bool) -> ToolTimeout:
    goes_on = "it could not be ended and may still be running" if running else "it was ended"
    hint = "give it a longer `timeout` in the policy" + (", or `isolated: true` so that it can be ended" * running)
    return ToolTimeout(f"{work.name} took longer than {work.timeout:g} s; {goes_on}", running=running, hint=hint)


def _called_off(work: Work) -> ToolCancelled:
    return ToolCancelled(f"{work.name} was called off", hint="dispatch again to run it")


def _busy(work: Work) -> ToolBusy:
    calls = "1 call" if work.concurrency == 1 else f"{work.concurrency} calls"
    return ToolBusy(f"{work.name} has {calls} under way and takes no more", hint="try again in a moment")
