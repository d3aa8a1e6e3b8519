"""One thing to run, and how to start it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from edgefn.execution.signals import Signal
from edgefn.execution.threads import THREADS, Job
from edgefn.execution.waiting import Running, Waiting

if TYPE_CHECKING:
    from edgefn.isolation.workers import IsolatedCall


@dataclass(frozen=True, slots=True)
class Work:
    """A function, what it is called with, and within what limits."""

    name: str
    """Name of the tool."""
    function: Callable[..., Any]
    """What runs."""
    arguments: Mapping[str, Any]
    """Typed values by name."""
    timeout: float
    """Seconds that it may take; 0 for no limit."""
    concurrency: int = 0
    """How many may run at once; 0 for any number."""
    attempts: int = 1
    """How often it is tried."""
    backoff: float = 0.0
    """Seconds before the second attempt, doubled before each further one."""
    is_async: bool = False
    """Whether calling it gives something to await."""
    isolate: Callable[[], IsolatedCall] | None = None
    """Takes a process of its own to run in; None runs in this one."""

    @property
    def needs_thread(self) -> bool:
        """Whether a thread runs it, or waits for its process, where an event loop waits for the outcome."""
        return self.isolate is not None or not self.is_async

    def launch(self, wait: Waiting) -> Running:
        """Start it."""
        if self.isolate is not None:
            return IsolatedRun(self.isolate(), self.arguments)
        call = partial(self.function, **self.arguments)
        return wait.launch_async(call) if self.is_async else wait.launch(call, self.timeout > 0)


class IsolatedRun(Job):
    """A call in a process of its own; a thread waits for its answer."""

    __slots__ = ("_call", "started")

    def __init__(self, call: IsolatedCall, arguments: Mapping[str, Any]) -> None:
        """Start the process where none is idle, then the call; `started` happens between the two."""
        super().__init__(partial(self._run, arguments))
        self._call = call
        self.started = Signal()
        THREADS.start(self)

    def end(self) -> bool:
        """Kill the process."""
        self._call.end()
        return True

    def _run(self, arguments: Mapping[str, Any]) -> Any:
        self._call.start()
        self.started.happen()
        return self._call(arguments)
