"""The path from an utterance to an outcome, and nothing else.

__call__ ─▶ Listener.hear ─▶ Interpreter ─▶ Encoder.encode ─▶ Encoder.run ─▶ Selector.select ─▶ Filler.fill
    │           └──────────▶ Clearance.clear
    └─────▶ Execution.carry_out ─▶ Runner.run
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

from edgefn.added.lint import Finding
from edgefn.added.making import RowMaker
from edgefn.added.roster import AnyTool, Roster, as_tool
from edgefn.clearance import Clearance, Ready
from edgefn.encoder import Encoder
from edgefn.errors import AuditError
from edgefn.execution.execution import Execution
from edgefn.execution.signals import Cancellation
from edgefn.execution.slots import Slots
from edgefn.execution.waiting import BLOCKING, Waiting, drive
from edgefn.interpreter import Interpreter
from edgefn.listening import ANYBODY, Listener, Request
from edgefn.manifest import Manifest
from edgefn.observing.observer import Observer, Observers
from edgefn.outcome import Abstained, Answered, Outcome, ToolCall
from edgefn.pending import Pending
from edgefn.policy.policy import Policy
from edgefn.policy.session import Session
from edgefn.registry import Registry
from edgefn.scores_cache import ScoresCache
from edgefn.signature import is_async
from edgefn.tool import Tool
from edgefn.trace import Tracer

if TYPE_CHECKING:
    from edgefn.audit.recorder import Recorder

Fallback: TypeAlias = Callable[[str, Abstained], Any]
"""Is asked about what no tool was sure of: a larger model's client, a human desk. It may be async.

A `ToolCall` that it returns is judged and run like any other, None leaves it at abstaining, all else is the answer.
"""
Heard: TypeAlias = Callable[[Tracer], Ready | Outcome]

_TOOL_THREADS = 64
"""How many tools event loops may run in threads at once; more wait in line."""
_FOR_THE_FALLBACK = frozenset(
    {"none_of_these", "unsure", "too_long", "unknown_script", "not_registered", "select_only"}
)
"""Why no tool was called where a fallback may know better; what the policy refused is not among them."""


class Dispatcher:
    """Turns utterances into outcomes with one bundle and the tools of one device; safe to share between threads."""

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        registry: Registry,
        now: Callable[[], datetime] = datetime.now,
        maker: RowMaker | None = None,
        *,
        policy: Policy | None = None,
        fallback: Fallback | None = None,
        recorder: Recorder | None = None,
        observers: Sequence[Observer] = (),
        selection_cache: int = 0,
    ) -> None:
        """Join what `edgefn.load` built.

        Args:
            manifest: of the bundle.
            encoder: its engine.
            registry: the tools of this device.
            now: tells local time.
            maker: makes the rows of tools that are added later; None where the bundle takes none.
            policy: what each tool may do, and how it is run.
            fallback: is asked about what no tool was sure of.
            recorder: writes the audit log.
            observers: are told of every outcome.
            selection_cache: how many utterances' scores are kept.

        Raises:
            PolicyError: the policy asks of a tool what it does not allow.
            ToolDefinitionError: a tool is to run isolated, and no other process could load it.
            AuditError: the audit log cannot be written.
        """
        self.manifest = manifest
        self.registry = registry
        self.encoder = encoder
        self.now = now
        self.policy = policy or Policy()
        self.interpreter = Interpreter.of(manifest, encoder, registry)
        self.interpreter.cache = ScoresCache(selection_cache) if selection_cache > 0 else None
        self.selector = self.interpreter.selector
        self._roster = Roster(self.interpreter, registry, manifest.tools, maker)
        self._clearance = Clearance(manifest.id, self.selector.threshold, registry, self.policy)
        self._listener = Listener(manifest.id, self.interpreter, registry, self._clearance, now, self.policy.explicit)
        self._observers = Observers(observers)
        self._execution = Execution(self._observers)
        self._fallback = fallback
        self._recorder = recorder
        self._readers, self._threads = Slots(os.cpu_count() or 1), Slots(_TOOL_THREADS)
        self._check(registry)
        if recorder is not None:
            recorder.loaded(manifest.id)

    # ---- tools that come and go

    def add(self, tool: AnyTool, examples: Iterable[str] = ()) -> None:
        """Add a tool that can be called at once: its texts are read by the encoder of the bundle; safe while calls run.

        Example utterances, a handful, sharpen its row. Raises DuplicateTool, PolicyError, and ToolDefinitionError where
        it cannot be described or isolated; nothing has changed then.
        """
        self._roster.add([(made, examples) for made in self._check([as_tool(tool)])])

    def add_all(self, tools: Iterable[AnyTool]) -> None:
        """Add many tools at once, all or none: faster than one by one."""
        self._roster.add([(made, ()) for made in self._check(map(as_tool, tools))])

    def remove(self, name: str) -> None:
        """Take a tool out; a call of it that is under way ends as it would have. Raises ToolDefinitionError."""
        self._roster.remove(name)
        self._execution.forget(name)

    def replace(self, tool: AnyTool, examples: Iterable[str] = ()) -> None:
        """Put a tool in the place of the added one of its name. Raises PolicyError and ToolDefinitionError."""
        (made,) = self._check([as_tool(tool)])
        self._roster.replace(made, examples)
        self._execution.forget(made.name)

    def correct(self, text: str, tool: str | None) -> None:
        """Learn that `text` should have called `tool`, or None for no tool. Raises ToolDefinitionError."""
        self._roster.correct(text, tool)

    def examples(self) -> dict[str, tuple[str, ...]]:
        """Return the example utterances of every added tool, corrections among them: what `add` takes next time."""
        return self._roster.examples()

    def lint(self) -> tuple[Finding, ...]:
        """Return what is wrong with the added tools: pairs that will be confused, and what to add."""
        return self._roster.lint()

    # ---- what is said

    def __call__(
        self,
        text: str,
        pending: Pending | None = None,
        session: Session | None = None,
        *,
        cancel: Cancellation | None = None,
    ) -> Outcome:
        """Select a tool for `text`, fill its arguments and run it; with `pending`, go on with a call that waited.

        Whatever the tool does, the result is an outcome. `session` says who speaks; `cancel` calls the wait off from
        another thread. Raises InvalidUtterance when `text` is not a str, and EngineError when the engine fails.
        """
        request = Request(text, pending, session or ANYBODY, cancel)
        return drive(self._dispatch(partial(self._listener.hear, request), request, BLOCKING))

    async def acall(
        self,
        text: str,
        pending: Pending | None = None,
        session: Session | None = None,
        *,
        cancel: Cancellation | None = None,
    ) -> Outcome:
        """Do what a call does without blocking the event loop: `async` tools run in it, all else in threads.

        A task that is cancelled ends its isolated or `async` tool; of another tool it ends the wait.
        """
        from edgefn.execution.looping import Looping  # only who has an event loop pays for asyncio

        request = Request(text, pending, session or ANYBODY, cancel)
        wait = Looping(self._readers, self._threads)
        return await self._dispatch(partial(self._listener.hear, request), request, wait)

    def predict(self, text: str) -> ToolCall | Abstained:
        """Return the call that `text` asks for, or why there is none; nothing is run, and no policy is asked."""
        return self._listener.predict(text, Tracer())

    def predict_batch(self, texts: Sequence[str], threads: int = 2) -> list[ToolCall | Abstained]:
        """Return exactly what `predict` returns for each text, in order.

        Rows are run one by one over threads: a shared batch would change the scores of a dynamically quantized graph.
        """
        from concurrent.futures import ThreadPoolExecutor  # brings logging along: only who asks for it pays for it

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(self.predict, texts))

    def finish(
        self,
        call: ToolCall,
        *,
        confirmed: bool = False,
        session: Session | None = None,
        cancel: Cancellation | None = None,
    ) -> Outcome:
        """Run a call that the application makes, or say what stands in its way; `confirmed` where a person agreed."""
        request = Request("", None, session or ANYBODY, cancel)

        def hear(tracer: Tracer) -> Ready | Outcome:
            tracer.path = "application"
            return self._clearance.clear(call, request.session, tracer, confirmed=confirmed)

        return drive(self._dispatch(hear, request, BLOCKING))

    def resume(
        self,
        pending: Pending,
        arguments: Mapping[str, Any] | None = None,
        session: Session | None = None,
        *,
        cancel: Cancellation | None = None,
    ) -> Outcome:
        """Go on with a call that waited, with the arguments that were missing; calling this is the confirmation.

        `Failed` when `pending` belongs to another bundle, has expired, or its tool is gone; a confirmation also when
        this dispatcher did not ask for it, or took it before.
        """
        request = Request("", pending, session or ANYBODY, cancel)
        hear = partial(self._listener.resume, pending, arguments or {}, request.session)
        return drive(self._dispatch(hear, request, BLOCKING))

    # ---- the state of this device

    @property
    def switched_off(self) -> frozenset[str]:
        """Tools that hung too often and are not called until `reset`."""
        return self._execution.runner.health.switched_off

    @property
    def left_behind(self) -> dict[str, int]:
        """How many calls of which tool took too long, could not be ended, and go on."""
        return self._execution.runner.health.left

    def reset(self, tool: str) -> None:
        """Let a tool be called again that was switched off; raises AuditError where that cannot be written down."""
        if self._recorder is not None:
            self._recorder.reset(tool)
        self._execution.runner.health.reset(tool)

    @property
    def unknown(self) -> tuple[Mapping[str, Any], ...]:
        """Destructive calls that were about to run when the process last ended, as the audit log has them.

        Whether they did is not known; they are never run again by themselves.
        """
        return () if self._recorder is None else self._recorder.log.unknown

    def close(self) -> None:
        """End the processes of isolated tools and close the audit log; also at the end of a `with` block."""
        self._execution.close()
        if self._recorder is not None:
            self._recorder.close()

    def __enter__(self) -> Dispatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- the path

    async def _dispatch(self, hear: Heard, request: Request, wait: Waiting) -> Outcome:
        tracer = Tracer(role=request.session.role)
        found = await wait.do(hear, tracer)
        tracer.step("read")
        if self._fallback is not None and tracer.path == "model" and _is_for_the_fallback(found):
            found = await self._fall_back(self._fallback, found, request, wait, tracer)
        outcome = await self._run(found, request, wait, tracer) if isinstance(found, Ready) else found
        if self._recorder is None:
            return self._conclude(outcome, request, tracer)
        return await wait.do(self._conclude, outcome, request, tracer)

    async def _run(self, ready: Ready, request: Request, wait: Waiting, tracer: Tracer) -> Outcome:
        intend = None if self._recorder is None else partial(self._recorder.intend, ready, tracer)
        try:
            return await self._execution.carry_out(ready, wait, tracer, request.cancel, request.language, intend)
        except BaseException:  # an interrupt, or the task that waits was cancelled
            if self._recorder is not None:
                with suppress(AuditError):  # its intent stays open, and the next start reports it
                    self._recorder.interrupted(ready, tracer)
            raise
        finally:
            tracer.step("run")

    async def _fall_back(
        self, fallback: Fallback, abstained: Abstained, request: Request, wait: Waiting, tracer: Tracer
    ) -> Ready | Outcome:
        ask = partial(fallback, request.text, abstained)
        answer = await self._execution.ask(ask, is_async(fallback), wait, tracer, request.cancel)
        tracer.step("fallback")
        if answer is None:
            return abstained
        tracer.path = "fallback"
        if isinstance(answer, ToolCall):
            return self._clearance.clear(answer, request.session, tracer)
        return Answered(answer, abstained)

    def _conclude(self, outcome: Outcome, request: Request, tracer: Tracer) -> Outcome:
        """Write down what came of it before anybody is told."""
        if self._recorder is not None:
            try:
                self._recorder.conclude(outcome, tracer, request.text)
            except AuditError as exc:
                outcome = self._recorder.not_written(outcome, tracer, exc)
            tracer.step("log")
        outcome = replace(outcome, trace=tracer.done())
        self._observers.concluded(outcome)
        return outcome

    def _check(self, tools: Iterable[Tool]) -> list[Tool]:
        """Return the tools, if they can be run as the policy says."""
        checked = list(tools)
        for each in checked:
            if self.policy.terms(each).isolated and each.function is not None:
                from edgefn.isolation.target import target_of  # only who has such a tool pays for it

                target_of(each)
        return checked


def _is_for_the_fallback(found: Ready | Outcome) -> TypeGuard[Abstained]:
    return isinstance(found, Abstained) and found.reason in _FOR_THE_FALLBACK
