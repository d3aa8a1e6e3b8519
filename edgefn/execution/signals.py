"""Something that happens once, and whoever waits for it, in a thread or in an event loop."""

from __future__ import annotations

import threading
from collections.abc import Callable

Told = Callable[[], object]


class Signal:
    """Happens once; what waits is told at once if it has happened already."""

    __slots__ = ("_lock", "_told", "happened")

    def __init__(self) -> None:
        """Start as something that has not happened."""
        self.happened = False
        self._told: list[Told] = []
        self._lock = threading.Lock()

    def tell(self, told: Told) -> None:
        """Call `told` when it happens, in the thread in which it does; it must be short and must not raise."""
        with self._lock:
            if not self.happened:
                self._told.append(told)
                return
        told()

    def forget(self, told: Told) -> None:
        """Call `told` no more: a signal that outlives many who wait must not keep them."""
        with self._lock:
            if told in self._told:
                self._told.remove(told)

    def happen(self) -> None:
        """Let it happen; the second time is nothing new."""
        with self._lock:
            if self.happened:
                return
            self.happened = True
            told, self._told = self._told, []
        for each in told:
            each()


class Cancellation:
    """Calls off the wait for a tool, from any thread; pass it to the dispatcher, once or to many calls."""

    __slots__ = ("signal",)

    def __init__(self) -> None:
        """Nothing is called off yet."""
        self.signal = Signal()

    def cancel(self) -> None:
        """Call off every call that this was passed to: an isolated tool is ended, of another the wait is."""
        self.signal.happen()

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self.signal.happened
