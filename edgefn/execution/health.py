"""Tools that hang: counted, and switched off before they eat the device."""

from __future__ import annotations

import threading

from edgefn.errors import ToolSwitchedOff
from edgefn.execution.signals import Signal

MOST_HUNG = 2
"""So many calls of a tool may hang at once; then it is switched off."""


class Health:
    """Which tools have calls that were left behind, and which are switched off."""

    def __init__(self) -> None:
        """Every tool is well."""
        self._left: dict[str, set[Signal]] = {}
        self._off: set[str] = set()
        self._lock = threading.Lock()

    def check(self, tool: str) -> None:
        """Raise ToolSwitchedOff where a tool may not be called."""
        if tool in self._off or len(self._left.get(tool, ())) >= MOST_HUNG:
            raise ToolSwitchedOff(
                f"{tool} is switched off: {MOST_HUNG} calls of it were left behind because they took too long",
                hint=f"mend it and call dispatcher.reset({tool!r}); `isolated` tools can be ended instead",
            )

    def left_behind(self, tool: str, done: Signal, hung: bool) -> None:
        """Count a call that goes on although nobody waits for it, until it is `done`; `hung` where it was too slow."""
        with self._lock:
            left = self._left.setdefault(tool, set())
            left.add(done)
            if hung and len(left) >= MOST_HUNG:
                self._off.add(tool)
        done.tell(lambda: self._ended(tool, done))

    def reset(self, tool: str) -> None:
        """Let a tool be called again; calls of it that still hang no longer count."""
        with self._lock:
            self._off.discard(tool)
            self._left.pop(tool, None)

    @property
    def left(self) -> dict[str, int]:
        """How many calls of which tool were left behind and go on."""
        with self._lock:
            return {tool: len(left) for tool, left in self._left.items()}

    @property
    def switched_off(self) -> frozenset[str]:
        """Which tools are switched off."""
        with self._lock:
            return frozenset(self._off)

    def _ended(self, tool: str, done: Signal) -> None:
        with self._lock:
            left = self._left.get(tool, set())
            left.discard(done)
            if not left:
                self._left.pop(tool, None)
