"""Who watches a dispatcher."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from types import TracebackType
from typing import Any, Protocol

from edgefn.errors import ToolsWarning
from edgefn.outcome import Outcome, ToolCall


class Observer(Protocol):
    """Is told what a dispatcher does; what it raises is a warning, and never stands in the way of a call."""

    def running(self, call: ToolCall) -> AbstractContextManager[Any]:
        """Return what is entered before the tool runs and left after it, in the thread or task that waits for it."""

    def concluded(self, outcome: Outcome) -> None:
        """Take note of an outcome, with its trace."""


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        """Tell each of these."""
        self._observers = tuple(observers)

    def enter(self, stack: ExitStack, call: ToolCall) -> None:
        """Put what is entered around a call onto `stack`."""
        for each in self._observers:
            try:
                manager = each.running(call)
                manager.__enter__()
            except Exception as exc:  # a stranger's code
                _warn(each, exc)
            else:
                stack.push(partial(_leave, each, manager))

    def concluded(self, outcome: Outcome) -> None:
        """Tell each of an outcome."""
        for each in self._observers:
            try:
                each.concluded(outcome)
            except Exception as exc:  # a stranger's code
                _warn(each, exc)


def _leave(
    observer: Observer,
    manager: AbstractContextManager[Any],
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool:
    """Leave what was entered around a call; it may neither break the call nor swallow what the tool raised."""
    try:
        manager.__exit__(kind, error, traceback)
    except Exception as exc:  # a stranger's code
        if exc is not error:  # a generator raises again what passes through it
            _warn(observer, exc)
    return False


def _warn(observer: Observer, exc: Exception) -> None:
    text = f"{type(observer).__name__} raised {type(exc).__name__}: {exc}; mend it, or load without it"
    warnings.warn(text, ToolsWarning, stacklevel=2)
