"""From a call that may run to its outcome: known already, run once, or as often as its tool allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from edgefn.clearance import Ready
from edgefn.errors import EdgefnError, ToolFailed
from edgefn.execution.results import Results
from edgefn.execution.runner import Runner
from edgefn.execution.signals import Cancellation
from edgefn.execution.waiting import Waiting
from edgefn.execution.work import Work
from edgefn.observing.observer import Observers
from edgefn.outcome import Abstained, Done, Failed, Outcome
from edgefn.policy.rates import Rates
from edgefn.templates import fill_template
from edgefn.trace import Attempt, Tracer

if TYPE_CHECKING:
    from edgefn.isolation.workers import Workers

FALLBACK = "the fallback"
"""Under what name a fallback hangs and is switched off; no tool can have it."""
_FALLBACK_SECONDS = 60.0
"""How long a fallback may take."""


class Execution:
    """Carries out the calls of one dispatcher."""

    def __init__(self, observers: Observers) -> None:
        """Nothing has run yet; processes are started when the first isolated tool is called."""
        self.runner = Runner()
        self.results = Results()
        self.rates = Rates()
        self._observers = observers
        self._workers: Workers | None = None
        self._lock = threading.Lock()

    async def carry_out(
        self,
        ready: Ready,
        wait: Waiting,
        tracer: Tracer,
        cancel: Cancellation | None,
        language: str,
        intend: Callable[[], None] | None = None,
    ) -> Outcome:
        """Run a call, unless its result is known or its tool was called too often.

        `intend` is called right before the tool runs: what it raises stands in the way.
        """
        tool, call, terms = ready.tool, ready.call, ready.terms
        if terms.cache:
            known = self.results.get(tool, ready.arguments)
            if known is not None:
                tracer.from_cache = True
                return _done(ready, known.value, language)
        if terms.rate is not None and (seconds := self.rates.take(tool.name, terms.rate)):
            tracer.notes.append(f"{tool.name} may be called again in {seconds:.1f} s")
            return Abstained("rate_limited", tool.name, call.probability, call=call)
        try:
            if intend is not None:
                await wait.do(intend)
            with ExitStack() as stack:
                self._observers.enter(stack, call)
                value = await self.runner.run(self._work(ready), wait, cancel, tracer.attempts)
        except EdgefnError as exc:
            return Failed(call, exc)
        if terms.cache:
            self.results.put(tool, ready.arguments, value, terms.cache)
        return _done(ready, value, language)

    async def ask(
        self, fallback: Callable[[], Any], is_async: bool, wait: Waiting, tracer: Tracer, cancel: Cancellation | None
    ) -> Any:
        """Return what a fallback answers; None where it fails, and the trace says how."""
        attempts: list[Attempt] = []
        work = Work(FALLBACK, fallback, {}, _FALLBACK_SECONDS, is_async=is_async)
        try:
            return await self.runner.run(work, wait, cancel, attempts)
        except ToolFailed as exc:
            tracer.notes.append(exc.message)
            return None

    def forget(self, name: str) -> None:
        """Forget how often a tool was called and whether it hung: it is gone, or another has its name."""
        self.runner.health.reset(name)
        self.rates.forget(name)

    def close(self) -> None:
        """End the processes of isolated tools."""
        if self._workers is not None:
            self._workers.close()

    def _work(self, ready: Ready) -> Work:
        tool, terms = ready.tool, ready.terms
        if tool.function is None:  # `Clearance` lets none of these through
            raise ToolFailed(f"{tool.name} has no function on this device", hint="pass the function to edgefn.load")
        attempts = 1 + terms.retries if tool.hints.idempotent else 1
        isolate = partial(self._isolated().call_of, tool) if terms.isolated else None
        return Work(
            tool.name,
            tool.function,
            ready.arguments,
            terms.timeout,
            terms.concurrency,
            attempts,
            terms.backoff,
            tool.is_async,
            isolate,
        )

    def _isolated(self) -> Workers:
        from edgefn.isolation.workers import Workers  # only who has such a tool pays for it

        with self._lock:
            if self._workers is None:
                self._workers = Workers()
            return self._workers


def _done(ready: Ready, value: Any, language: str) -> Done:
    templates = ready.tool.result
    sentence = fill_template(templates, language, {**ready.arguments, "value": value}) if templates else ""
    return Done(ready.call, value, sentence, None if ready.check is None else ready.check(value))
