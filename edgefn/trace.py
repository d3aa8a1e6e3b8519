"""What one dispatch did and why: kept with its outcome, told to whoever watches, written into the audit log."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from edgefn.outcome import Ranked
    from edgefn.policy.policy import Verdict
    from edgefn.policy.rule import Terms

Path: TypeAlias = Literal["model", "answer", "explicit", "fallback", "application"]
"""Which path answered: the model, an answer to a question, a line that names a function, the fallback, or a call that
the application made itself."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a tool was run."""

    seconds: float
    """How long it was waited for."""
    error: str = ""
    """Kind of the error; empty where it worked."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a dispatch ended as it did."""

    id: str
    """Of this dispatch."""
    path: Path
    """Which path answered."""
    began: float
    """Unix time, seconds; from a clock that may be set."""
    steps: Mapping[str, float]
    """Seconds of each step, in order: read, clear, run, log."""
    role: str | None
    """Who spoke."""
    ranking: tuple[Ranked, ...]
    """The best tools, most probable first; empty where no model was asked."""
    probability: float | None
    """The number that was compared with the threshold."""
    threshold: float | None
    """The bundle's threshold."""
    seen_before: bool
    """True where the scores came from the selection cache."""
    terms: Terms | None
    """What the policy says of the tool."""
    verdict: Verdict | None
    """What the policy said of this call."""
    from_cache: bool
    """True where the result came from the result cache: the tool did not run."""
    attempts: tuple[Attempt, ...]
    """Every time the tool was run."""
    notes: tuple[str, ...]
    """What else happened, in words."""
    line: int | None
    """Number of its line in the audit log."""

    @property
    def seconds(self) -> float:
        """How long the dispatch took."""
        return sum(self.steps.values())

    def explain(self) -> str:
        """Return the whole in words, a line each."""
        return "\n".join(_lines(self))

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "id": self.id,
            "path": self.path,
            "began": self.began,
            "steps": dict(self.steps),
            "role": self.role,
            "ranking": [{"tool": each.tool, "probability": each.probability} for each in self.ranking],
            "probability": self.probability,
            "threshold": self.threshold,
            "seen_before": self.seen_before,
            "terms": None if self.terms is None else asdict(self.terms),
            "verdict": None if self.verdict is None else {"action": self.verdict.action, "reason": self.verdict.reason},
            "from_cache": self.from_cache,
            "attempts": [{"seconds": each.seconds, "error": each.error} for each in self.attempts],
            "notes": list(self.notes),
            "line": self.line,
        }


@dataclass(slots=True)
class Tracer:
    """What becomes a `Trace`: filled in step by step while a dispatch is under way."""

    path: Path = "model"
    """Which path answers."""
    role: str | None = None
    """Who speaks."""
    id: str = field(default_factory=lambda: os.urandom(8).hex())
    """Of this dispatch."""
    began: float = field(default_factory=time.time)
    """Unix time, seconds."""
    ranking: tuple[Ranked, ...] = ()
    """The best tools."""
    probability: float | None = None
    """What was compared."""
    threshold: float | None = None
    """What it was compared with."""
    seen_before: bool = False
    """Whether the scores were known."""
    terms: Terms | None = None
    """What the policy says of the tool."""
    verdict: Verdict | None = None
    """What the policy said of this call."""
    from_cache: bool = False
    """Whether the result was known."""
    attempts: list[Attempt] = field(default_factory=list)
    """Every time the tool was run."""
    notes: list[str] = field(default_factory=list)
    """What else happened."""
    intent: int | None = None
    """Number of the line in the audit log that said what was about to run."""
    line: int | None = None
    """Number of the line in the audit log that says what came of it."""
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds of the steps so far."""
    mark: float = field(default_factory=time.perf_counter)
    """When the last step ended, on a clock that is never set."""

    def step(self, name: str) -> None:
        """Say that a step has just ended."""
        now = time.perf_counter()
        self.steps[name] = self.steps.get(name, 0.0) + now - self.mark
        self.mark = now

    def done(self) -> Trace:
        """Return what happened."""
        return Trace(
            self.id,
            self.path,
            self.began,
            self.steps,
            self.role,
            self.ranking,
            self.probability,
            self.threshold,
            self.seen_before,
            self.terms,
            self.verdict,
            self.from_cache,
            tuple(self.attempts),
            tuple(self.notes),
            self.line,
        )


def _lines(trace: Trace) -> Iterator[str]:
    yield f"{trace.path}, {1000 * trace.seconds:.2f} ms" + (f", role {trace.role}" if trace.role else "")
    for each in trace.ranking:
        yield f"  {each.tool} {each.probability:.3f}"
    if trace.probability is not None and trace.threshold is not None:
        known = ", scores from the cache" if trace.seen_before else ""
        yield f"probability {trace.probability:.3f}, threshold {trace.threshold:.3f}{known}"
    if trace.verdict is not None:
        yield f"policy: {trace.verdict.action}" + (f", {trace.verdict.reason}" if trace.verdict.reason else "")
    if trace.from_cache:
        yield "result from the cache"
    for number, attempt in enumerate(trace.attempts, 1):
        yield f"attempt {number}: {1000 * attempt.seconds:.2f} ms" + (f", {attempt.error}" if attempt.error else "")
    yield from trace.notes
    yield "  ".join(f"{name} {1000 * seconds:.2f} ms" for name, seconds in trace.steps.items())
