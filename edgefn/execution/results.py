"""What read-only tools returned a moment ago."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgefn.errors import ArgumentError
from edgefn.tool import Tool

_MOST = 256
"""Results that are kept; the one used longest ago goes first."""
_LARGEST = 100_000
"""Characters of JSON beyond which a result is not kept."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a call returned."""

    tool: Tool
    """The very tool: one that replaced it has results of its own."""
    value: Any
    """A copy of what was returned."""
    until: float
    """When it is too old, on the monotonic clock."""


class Results:
    """A bounded cache of results, by tool and arguments; a clock that is set back makes nothing younger."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._clock = clock
        self._kept: OrderedDict[str, Result] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tool: Tool, arguments: Mapping[str, Any]) -> Result | None:
        """Return what the same call returned, if that is not too old; the value is the caller's own copy."""
        key = _key(tool, arguments)
        with self._lock:
            found = self._kept.get(key or "")
            if key is None or found is None:
                return None
            if found.tool is not tool or self._clock() >= found.until:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
        return Result(found.tool, copy.deepcopy(found.value), found.until)

    def put(self, tool: Tool, arguments: Mapping[str, Any], value: Any, seconds: float) -> None:
        """Keep a result for so long; one that is large, or that cannot be copied, is not kept."""
        key, own = _key(tool, arguments), _copied(value)
        if key is None or own is None:
            return
        with self._lock:
            self._kept[key] = Result(tool, own[0], self._clock() + seconds)
            if len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def __len__(self) -> int:
        """Count what is kept."""
        return len(self._kept)


def _key(tool: Tool, arguments: Mapping[str, Any]) -> str | None:
    try:
        return f"{tool.name} {json.dumps(tool.unbind(arguments), sort_keys=True)}"
    except (ArgumentError, TypeError, ValueError, RecursionError):
        return None


def _copied(value: Any) -> tuple[Any] | None:
    """Return a copy that nobody else changes, or None where there is none or it is too large."""
    try:
        if len(json.dumps(value, default=str)) > _LARGEST:
            return None
        return (copy.deepcopy(value),)
    except Exception:  # a stranger's value may raise anything
        return None
