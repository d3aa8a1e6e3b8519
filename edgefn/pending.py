"""Calls that wait for an argument or a confirmation."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any

from edgefn.errors import EdgefnError

PENDING_SECONDS = 120.0
"""How long an unfinished call waits for its answer."""
_MOST_ASKED = 1000
"""Confirmations that are waited for at once; the one asked longest ago is forgotten first."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits for an argument or a confirmation; JSON-serialisable, bound to one bundle."""

    bundle_id: str
    """Id of the bundle that produced the call; another bundle refuses it."""
    tool: str
    """Name of the tool."""
    arguments: Mapping[str, Any]
    """JSON values of the arguments known so far."""
    probability: float
    """Probability of the call as it was selected."""
    missing: str | None
    """Parameter that is asked for, or None when a confirmation is asked for."""
    expires: float
    """Unix time after which the call is refused, seconds."""
    unfit: tuple[str, ...] = ()
    """Other parameters for which something was said that does not fit: they are asked for next."""
    id: str = ""
    """Of this question; a confirmation is taken once, and only by the dispatcher that asked."""

    def to_json(self) -> str:
        """Return one line of JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Pending:
        """Read what `to_json` wrote; raises EdgefnError when it is something else."""
        try:
            fields = json.loads(text, parse_constant=_no_constant)
            pending = cls(**{name: fields[name] for name in cls.__slots__})
            pending._check()
            return replace(pending, unfit=tuple(pending.unfit))
        except (ValueError, KeyError, TypeError, RecursionError) as exc:
            raise EdgefnError(
                f"this is not a pending call: {exc}", hint="pass the text that Pending.to_json() returned"
            ) from exc

    def _check(self) -> None:
        for name, kind in _PENDING.items():
            if not isinstance(getattr(self, name), kind) or isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} is {getattr(self, name)!r}")
        if not all(isinstance(name, str) for name in self.unfit):
            raise TypeError(f"unfit is {self.unfit!r}")


class Asked:
    """The confirmations that one dispatcher has asked for and not been given.

    A confirmation is taken once, by the dispatcher that asked for it and for the very call it asked about: a `Pending`
    that was made up, changed or used before confirms nothing. A process that starts again asks again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was asked yet; `clock` is one that is never set."""
        self._clock = clock
        self._asked: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, pending: Pending) -> None:
        """Remember what was asked."""
        with self._lock:
            self._asked[pending.id] = (_what(pending), self._clock() + PENDING_SECONDS)
            if len(self._asked) > _MOST_ASKED:
                self._asked.popitem(last=False)

    def holds(self, pending: Pending) -> bool:
        """Say whether this was asked, is still waited for, and is what was asked about."""
        what, until = self._asked.get(pending.id, ("", 0.0))
        return what == _what(pending) and self._clock() < until

    def take(self, pending: Pending) -> bool:
        """Say whether it `holds`, once: the second time it does not."""
        with self._lock:
            held = self.holds(pending)
            if held:
                del self._asked[pending.id]
            return held


def _what(pending: Pending) -> str:
    return json.dumps([pending.tool, pending.arguments], sort_keys=True, default=str)


_PENDING: dict[str, type | UnionType] = {
    "bundle_id": str,
    "tool": str,
    "arguments": dict,
    "probability": float | int,
    "missing": str | None,
    "expires": float | int,
    "unfit": list | tuple,
    "id": str,
}
"""What JSON must hold for each field of `Pending`."""


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")  # NaN would never expire
