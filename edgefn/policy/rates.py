"""How often a tool was called lately: a sliding window for each tool."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from edgefn.policy.rule import Rate


class Rates:
    """Counts calls by name of tool; safe to share between threads.

    It keeps the times of the last `calls` calls of a name, no more. A clock that jumps back changes nothing: what was
    counted stays counted, and time goes on from where it was.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with nothing counted; `clock` tells seconds from any start."""
        self._clock = clock
        self._lock = Lock()
        self._times: dict[str, deque[float]] = {}
        self._last = clock()
        self._lost = 0.0  # seconds by which the clock jumped back, all jumps together

    def take(self, name: str, rate: Rate | None) -> float:
        """Count a call and return 0.0, or return the seconds until one is allowed and count nothing."""
        if rate is None:
            return 0.0
        with self._lock:
            now = self._now()
            times = self._times.get(name)
            if times is None:
                times = self._times[name] = deque()
            if len(times) >= rate.calls:
                # Indexed from the end: a rate that was lowered since finds more times than it allows.
                wait = times[-rate.calls] + rate.seconds - now
                if wait > 0.0:
                    return wait
            times.append(now)
            while len(times) > rate.calls:
                times.popleft()
            return 0.0

    def forget(self, name: str) -> None:
        """Drop all that was counted of a name."""
        with self._lock:
            self._times.pop(name, None)

    def _now(self) -> float:
        told = self._clock()
        if told < self._last:
            self._lost += self._last - told
        self._last = told
        return told + self._lost
