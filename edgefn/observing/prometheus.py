"""Counters and histograms of a dispatcher, as text that Prometheus reads.

The form is the text exposition format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
No label ever holds what a person said, an argument or a role: a label is the name of a tool or stands in a closed set.
"""

from __future__ import annotations

import os
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Final, TypeAlias, get_args

from edgefn import errors
from edgefn.errors import ArgumentError, EdgefnError
from edgefn.outcome import Abstained, AbstainReason, Answered, Failed, Outcome, Several, ToolCall, kind_of
from edgefn.trace import Path, Trace

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of every histogram, seconds."""
MOST_TOOLS: Final = 1_000
"""How many tools have a label of their own; names may come and go for years."""
OTHER: Final = "other"
"""Label of every tool beyond those, and of what is in no closed set."""

_REASONS: Final = frozenset(get_args(AbstainReason))
_PATHS: Final = frozenset(get_args(Path))
_STEPS: Final = frozenset({"read", "fallback", "run", "log"})
_ERRORS: Final = frozenset(
    name for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, EdgefnError)
)

_Labels: TypeAlias = tuple[str, ...]


class Counters:
    """Counts what dispatchers do: an observer, safe to share between threads and bounded in memory.

    It keeps numbers only. Nothing leaves the device: the application shows `text()` where it likes, or has `write` put
    it where node_exporter looks.
    """

    def __init__(self) -> None:
        """Start at nought."""
        self._lock = threading.Lock()
        self._tools: dict[str, str] = {}
        self._running = _Running(self._lock)
        self._outcomes = _Counter(
            "edgefn_outcomes_total", "Dispatches by how they ended.", ("tool", "outcome", "reason", "path")
        )
        self._errors = _Counter("edgefn_tool_errors_total", "Attempts that failed.", ("tool", "error"))
        self._attempts = _Counter("edgefn_attempts_total", "Times that a tool was run.", ("tool",))
        self._retries = _Counter("edgefn_retries_total", "Attempts after the first of a call.", ("tool",))
        self._hits = _Counter("edgefn_cache_hits_total", "What was known already, by cache.", ("cache",))
        self._hits.add("selection", amount=0)
        self._hits.add("result", amount=0)
        self._dispatches = _Histogram("edgefn_dispatch_seconds", "How long dispatches took.")
        self._tool_seconds = _Histogram("edgefn_tool_seconds", "How long attempts were waited for.", ("tool",))
        self._step_seconds = _Histogram("edgefn_step_seconds", "How long the steps of dispatches took.", ("step",))

    def running(self, call: ToolCall) -> AbstractContextManager[None]:
        """Return what counts a call as in progress."""
        return self._running

    def concluded(self, outcome: Outcome) -> None:
        """Count an outcome."""
        trace = outcome.trace
        kind, reason = kind_of(outcome), _reason(outcome)
        path = "" if trace is None else _among(trace.path, _PATHS)
        name = _tool(outcome, trace)
        with self._lock:
            tool = self._label(name)
            self._outcomes.add(tool, kind, reason, path)
            if trace is not None:
                self._count(tool, trace)

    def text(self) -> str:
        """Return everything in the text exposition format 0.0.4."""
        families = (
            self._outcomes,
            self._errors,
            self._attempts,
            self._retries,
            self._hits,
            self._dispatches,
            self._tool_seconds,
            self._step_seconds,
        )
        with self._lock:  # only to copy: no dispatch waits while a thousand tools are written out
            copies = [each.copy() for each in families]
            running = self._running.calls
        lines = [line for each in copies for line in each.lines()]
        lines += _head("edgefn_calls_in_progress", "gauge", "Calls whose tool is being waited for.")
        lines.append(f"edgefn_calls_in_progress {running}")
        return "\n".join(lines) + "\n"

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write `text()` into a file, whole or not at all: a reader finds the old text or the new one.

        Raises:
            EdgefnError: the system refused; the file is as it was.
        """
        folder, name = os.path.split(os.path.abspath(path))
        # node_exporter reads *.prom, so this must have another ending. mkstemp would let only the owner read it.
        partial = os.path.join(folder, f".{name}.{os.getpid()}-{threading.get_ident()}")
        try:
            with open(partial, "wb") as file:
                file.write(self.text().encode("utf-8"))
            os.replace(partial, path)
        except OSError as exc:
            hint = "make the folder, or let this process write there"
            raise EdgefnError(f"the counters cannot be written to {os.fspath(path)}: {exc}", hint=hint) from exc
        finally:
            with suppress(OSError):  # where all went well it has its new name
                os.unlink(partial)

    def _count(self, tool: str, trace: Trace) -> None:
        self._dispatches.observe(trace.seconds)
        for step, seconds in trace.steps.items():
            self._step_seconds.observe(seconds, _among(step, _STEPS))
        if trace.seen_before:
            self._hits.add("selection")
        if trace.from_cache:
            self._hits.add("result")
        if not trace.attempts:
            return
        self._attempts.add(tool, amount=len(trace.attempts))
        if len(trace.attempts) > 1:
            self._retries.add(tool, amount=len(trace.attempts) - 1)
        for attempt in trace.attempts:
            self._tool_seconds.observe(attempt.seconds, tool)
            if attempt.error:
                self._errors.add(tool, _among(attempt.error, _ERRORS))

    def _label(self, name: str) -> str:
        """Return the label of a tool; the first thousand have one of their own."""
        if name and name not in self._tools:
            if len(self._tools) >= MOST_TOOLS:
                return OTHER
            self._tools[name] = name
        return name


class _Running(AbstractContextManager[None]):
    """Counts the calls that are in it; one is enough for all of them."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock
        self.calls = 0

    def __enter__(self) -> None:
        with self._lock:
            self.calls += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.calls -= 1


# ---- what the labels say ---------------------------------------------------------------------------------


def _tool(outcome: Outcome, trace: Trace | None) -> str:
    """Return the name of the tool; empty where there is none, or where the name may be what somebody typed."""
    if trace is None or isinstance(outcome, Answered | Several):
        return ""
    name = (outcome.tool if isinstance(outcome, Abstained) else outcome.call.tool) or ""
    return name if trace.path == "model" or trace.terms is not None or _is_of_a_tool(outcome) else ""


def _is_of_a_tool(outcome: Outcome) -> bool:
    """Say whether an outcome is only ever that of a tool that is here, though the policy was not asked.

    Else a line that names a function, a call that waited or a call of a fallback may name anything.
    """
    match outcome:
        case Abstained(reason="select_only" | "cancelled"):
            return True
        case Failed(error=ArgumentError()):
            return True
    return False


def _reason(outcome: Outcome) -> str:
    match outcome:
        case Abstained(reason=reason):
            return _among(reason, _REASONS)
        case Answered(abstained=abstained):
            return _among(abstained.reason, _REASONS)
        case Failed(error=error):
            return _among(type(error).__name__, _ERRORS)
    return ""


def _among(value: str, known: frozenset[str]) -> str:
    return value if value in known else OTHER


# ---- the families ----------------------------------------------------------------------------------------


class _Counter:
    """A number by labels, which only grows."""

    __slots__ = ("_help", "_labels", "_name", "_values")

    def __init__(self, name: str, about: str, labels: Sequence[str]) -> None:
        self._name, self._help, self._labels = name, about, tuple(labels)
        self._values: dict[_Labels, int] = {}

    def add(self, *labels: str, amount: int = 1) -> None:
        self._values[labels] = self._values.get(labels, 0) + amount

    def copy(self) -> _Counter:
        copied = _Counter(self._name, self._help, self._labels)
        copied._values = dict(self._values)
        return copied

    def lines(self) -> Iterator[str]:
        yield from _head(self._name, "counter", self._help)
        for labels, value in sorted(self._values.items()):
            yield f"{self._name}{_braces(zip(self._labels, labels, strict=True))} {value}"


class _Histogram:
    """How many values fell into which bucket, and their sum, by labels."""

    __slots__ = ("_help", "_labels", "_name", "_series")

    def __init__(self, name: str, about: str, labels: Sequence[str] = ()) -> None:
        self._name, self._help, self._labels = name, about, tuple(labels)
        self._series: dict[_Labels, list[float]] = {}

    def observe(self, value: float, *labels: str) -> None:
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = [0] * (len(BUCKETS) + 1) + [0.0]  # the last is the sum
        series[bisect_left(BUCKETS, value)] += 1  # a bound belongs to its bucket
        series[-1] += value

    def copy(self) -> _Histogram:
        copied = _Histogram(self._name, self._help, self._labels)
        copied._series = {labels: list(series) for labels, series in self._series.items()}
        return copied

    def lines(self) -> Iterator[str]:
        yield from _head(self._name, "histogram", self._help)
        for labels, series in sorted(self._series.items()):
            named = list(zip(self._labels, labels, strict=True))
            count = 0
            for bound, inside in zip((*map(str, BUCKETS), "+Inf"), series, strict=False):
                count += int(inside)
                yield f"{self._name}_bucket{_braces([*named, ('le', bound)])} {count}"
            yield f"{self._name}_sum{_braces(named)} {series[-1]!r}"
            yield f"{self._name}_count{_braces(named)} {count}"


def _head(name: str, kind: str, about: str) -> tuple[str, str]:
    return f"# HELP {name} {about}", f"# TYPE {name} {kind}"


def _braces(labels: Iterator[tuple[str, str]] | Sequence[tuple[str, str]]) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}" if inner else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
