"""The path from an utterance to an outcome, and nothing else.

__call__ ─▶ predict ─▶ Interpreter.interpret ─▶ Encoder.encode ─▶ Encoder.run ─▶ Selector.select ─▶ Filler.fill
    └─────▶ finish  ─▶ execution.run
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from edgefn import execution
from edgefn.added.lint import Finding
from edgefn.added.making import RowMaker
from edgefn.added.roster import AnyTool, Roster
from edgefn.encoder import Encoder
from edgefn.errors import ArgumentError, PendingError, ToolDefinitionError, ToolFailed
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.manifest import Manifest
from edgefn.outcome import (
    Abstained,
    AbstainReason,
    Done,
    Evidence,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Outcome,
    Pending,
    ToolCall,
)
from edgefn.registry import Registry
from edgefn.tool import Tool

PENDING_SECONDS = 120.0
"""How long an unfinished call waits for its answer."""
_UNFIT = "what was said for it does not fit"


class Dispatcher:
    """Turns utterances into outcomes with one bundle and the tools of one device; safe to share between threads."""

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        registry: Registry,
        now: Callable[[], datetime] = datetime.now,
        maker: RowMaker | None = None,
    ) -> None:
        """Join what `edgefn.load` built; `registry` holds the tools of this device, `now` tells local time.

        `maker` makes the rows of tools that are added later; None where the bundle takes none.
        """
        self.manifest = manifest
        self.registry = registry
        self.encoder = encoder
        self.now = now
        self.interpreter = Interpreter.of(manifest, encoder, registry)
        self.selector = self.interpreter.selector
        self._roster = Roster(self.interpreter, registry, manifest.tools, maker)

    def add(self, tool: AnyTool, examples: Iterable[str] = ()) -> None:
        """Add a tool that can be called at once: its texts are read by the encoder of the bundle; safe while calls run.

        Example utterances, a handful, sharpen its row. Raises DuplicateTool, and ToolDefinitionError where it cannot be
        described; nothing has changed then.
        """
        self._roster.add([(tool, examples)])

    def add_all(self, tools: Iterable[AnyTool]) -> None:
        """Add many tools at once, all or none: faster than one by one."""
        self._roster.add([(tool, ()) for tool in tools])

    def remove(self, name: str) -> None:
        """Take a tool out; a call of it that is under way ends as it would have. Raises ToolDefinitionError."""
        self._roster.remove(name)

    def replace(self, tool: AnyTool, examples: Iterable[str] = ()) -> None:
        """Put a tool in the place of the added one of its name. Raises ToolDefinitionError."""
        self._roster.replace(tool, examples)

    def correct(self, text: str, tool: str | None) -> None:
        """Learn that `text` should have called `tool`, or None for no tool. Raises ToolDefinitionError."""
        self._roster.correct(text, tool)

    def examples(self) -> dict[str, tuple[str, ...]]:
        """Return the example utterances of every added tool, corrections among them: what `add` takes next time."""
        return self._roster.examples()

    def lint(self) -> tuple[Finding, ...]:
        """Return what is wrong with the added tools: pairs that will be confused, and what to add."""
        return self._roster.lint()

    def __call__(self, text: str, pending: Pending | None = None) -> Outcome:
        """Select a tool for `text`, fill its arguments and run it; with `pending`, go on with a call that waited.

        Whatever the tool does, the result is an outcome. Raises InvalidUtterance when `text` is not a str, and
        EngineError when the engine fails.
        """
        if pending is not None:
            return self._go_on(text, pending)
        call = self.predict(text)
        return call if isinstance(call, Abstained) else self.finish(call)

    def predict(self, text: str) -> ToolCall | Abstained:
        """Return the call that `text` asks for, or why there is none; nothing is run."""
        found = self.interpreter.interpret(text, self.now())
        return Abstained(found) if isinstance(found, str) else self._decide(found)

    def predict_batch(self, texts: Sequence[str], threads: int = 2) -> list[ToolCall | Abstained]:
        """Return exactly what `predict` returns for each text, in order.

        Rows are run one by one over threads: a shared batch would change the scores of a dynamically quantized graph.
        """
        from concurrent.futures import ThreadPoolExecutor  # brings logging along: only who asks for it pays for it

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(self.predict, texts))

    def finish(self, call: ToolCall, *, confirmed: bool = False) -> Outcome:
        """Run a call, or say what stands in its way."""
        tool = self.registry.get(call.tool)
        if tool is None:  # removed since it was selected
            return Abstained("not_registered", call.tool, call.probability)
        if tool.function is None:
            return Abstained("select_only", tool.name, call.probability)
        if call.error is not None:
            return Failed(call, call.error)
        unfit = next((each for each in call.evidence if each.problem), None)
        if unfit is not None:
            return self._ask(tool, call, unfit.parameter, unfit.problem)
        try:
            arguments = tool.bind(call.arguments)
        except ArgumentError as exc:
            if all(exc.parameter != each.name for each in tool.parameters):
                return Failed(call, exc)
            return self._ask(tool, call, exc.parameter, "" if exc.missing else exc.message)
        if tool.hints.destructive and not confirmed:
            return self._confirm(tool, call)
        try:
            return Done(call, execution.run(tool, arguments))
        except ToolFailed as exc:
            return Failed(call, exc)

    def resume(self, pending: Pending, arguments: Mapping[str, Any] | None = None) -> Outcome:
        """Go on with a call that waited, with the arguments that were missing; calling this is the confirmation.

        `Failed` when `pending` belongs to another bundle, has expired, or its tool is gone.
        """
        known = {**pending.arguments, **(arguments or {})}
        call = ToolCall(pending.tool, known, pending.probability, _still_unfit(pending, known))
        refused = self._refusal(pending)
        if refused is not None:
            return Failed(call, refused)
        # What was confirmed is the call as it was asked: with other arguments it is another call.
        return self.finish(call, confirmed=pending.missing is None and not arguments)

    def _decide(self, found: Interpretation) -> ToolCall | Abstained:
        selection = found.selection
        thresholded = found.tool_probability if selection.added else found.probability
        if not found.accepted:
            reason: AbstainReason = "none_of_these" if selection.none_won else "unsure"
            return Abstained(reason, None, thresholded, selection.ranking)
        if selection.tool not in self.registry:
            # Never the runner-up: the wrong tool must not run because the right one is absent.
            return Abstained("not_registered", selection.tool, thresholded, selection.ranking)
        return found.call()

    def _go_on(self, text: str, pending: Pending) -> Outcome:
        """Read `text` as the answer to what was asked, and go on."""
        from edgefn.conversation import Cancel, Change, Switch, read_answer  # only a call that waited pays for it

        refused = self._refusal(pending)
        if refused is not None:
            return Failed(ToolCall(pending.tool, pending.arguments, pending.probability), refused)
        try:
            tool = self.registry[pending.tool]
            answer = read_answer(self.interpreter, tool, text, pending, self.now())
        except ToolDefinitionError as exc:  # removed since
            gone = PendingError(f"{pending.tool} is no longer registered", hint=exc.hint)
            return Failed(ToolCall(pending.tool, pending.arguments, pending.probability), gone)
        match answer:
            case Cancel():
                return Abstained("cancelled", pending.tool, pending.probability)
            case Switch():
                return self(text)
            case Change(arguments=arguments, evidence=evidence, confirmed=confirmed):
                known = {**tool.read(pending.arguments), **arguments}
                call = ToolCall(pending.tool, known, pending.probability, (*evidence, *_still_unfit(pending, known)))
                return self.finish(call, confirmed=confirmed)

    def _refusal(self, pending: Pending) -> PendingError | None:
        if pending.bundle_id != self.manifest.id:
            return PendingError("this pending call is of another bundle", hint="dispatch the utterance again")
        if time.time() > pending.expires:
            return PendingError("this pending call has expired", hint="dispatch the utterance again")
        if pending.tool not in self.registry:
            return PendingError(f"{pending.tool} is no longer registered", hint="dispatch the utterance again")
        names = {None, *(each.name for each in self.registry[pending.tool].parameters)}
        for name in (pending.missing, *pending.unfit):
            if name not in names:
                return PendingError(f"{pending.tool} takes no {name!r}", hint="dispatch the utterance again")
        return None

    def _ask(self, tool: Tool, call: ToolCall, parameter: str, problem: str) -> NeedsArgument:
        question = tool.question_for(parameter)
        return NeedsArgument(call, parameter, question, self._pending(tool, call, missing=parameter), problem)

    def _confirm(self, tool: Tool, call: ToolCall) -> NeedsConfirmation:
        question = f"{tool.description.rstrip('.') or tool.name} - are you sure?"
        return NeedsConfirmation(call, question, self._pending(tool, call, missing=None))

    def _pending(self, tool: Tool, call: ToolCall, missing: str | None) -> Pending:
        known: dict[str, Any] = {}
        for name, value in call.arguments.items():
            with suppress(ArgumentError):  # what has no JSON form is asked for again
                known |= tool.unbind({name: value})
        expires = time.time() + PENDING_SECONDS
        unfit = dict.fromkeys(each.parameter for each in call.evidence if each.problem and each.parameter != missing)
        return Pending(self.manifest.id, call.tool, known, call.probability, missing, expires, tuple(unfit))


def _still_unfit(pending: Pending, known: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Return the problems of a pending call that no answer has solved yet: nothing that was said is dropped."""
    return tuple(Evidence(name, 0, 0, "", 0.0, problem=_UNFIT) for name in pending.unfit if name not in known)
