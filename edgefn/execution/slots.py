"""Places for so many at once, and a line for those who come later."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from edgefn.execution.signals import Signal

if TYPE_CHECKING:
    from edgefn.execution.waiting import Waiting


class Slots:
    """A semaphore that threads and event loops can wait for alike, first come, first served."""

    def __init__(self, count: int) -> None:
        """Have `count` places."""
        self._free = count
        self._line: deque[Signal] = deque()
        self._lock = threading.Lock()

    async def enter(self, wait: Waiting, seconds: float | None, *unless: Signal) -> bool:
        """Take a place, waiting at most `seconds` and until any of `unless` happens; say whether it was had."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            ticket = Signal()
            self._line.append(ticket)
        try:
            await wait.until(seconds, ticket, *unless)
        except BaseException:  # an interrupt, or the task that waits was cancelled
            if self._give_up(ticket):
                self.leave()
            raise
        return self._give_up(ticket)

    def leave(self) -> None:
        """Give a place back, to the first in the line where there is one."""
        with self._lock:
            ticket = self._line.popleft() if self._line else None
            if ticket is None:
                self._free += 1
        if ticket is not None:
            ticket.happen()

    def _give_up(self, ticket: Signal) -> bool:
        """Leave the line; True where the ticket's turn had come."""
        with self._lock:
            if ticket in self._line:
                self._line.remove(ticket)
                return False
        return True
