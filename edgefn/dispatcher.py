"""The path from an utterance to an outcome, and nothing else.

__call__ ─▶ predict ─▶ Encoder.encode ─▶ Encoder.run ─▶ Selector.select
    └─────▶ finish  ─▶ execution.run
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from edgefn import execution
from edgefn.encoder import Encoder
from edgefn.errors import ArgumentError, EdgefnError, ToolFailed
from edgefn.manifest import Manifest
from edgefn.outcome import (
    Abstained,
    AbstainReason,
    Done,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Outcome,
    Pending,
    ToolCall,
)
from edgefn.registry import Registry
from edgefn.selection import Selector
from edgefn.tool import Tool

PENDING_SECONDS = 120.0
"""How long an unfinished call waits for its answer."""


class Dispatcher:
    """Turns utterances into outcomes with one bundle and the tools of one device; safe to share between threads."""

    def __init__(self, manifest: Manifest, encoder: Encoder, registry: Registry) -> None:
        """Join what `edgefn.load` built; `registry` holds the tools of this device."""
        self.manifest = manifest
        self.registry = registry
        self.encoder = encoder
        self.selector = Selector(manifest.heads, manifest.calibration)

    def __call__(self, text: str) -> Outcome:
        """Select a tool for `text` and run it.

        Whatever the tool does, the result is an outcome. Raises InvalidUtterance when `text` is not a str, and
        EngineError when the engine fails.
        """
        call = self.predict(text)
        return call if isinstance(call, Abstained) else self.finish(call)

    def predict(self, text: str) -> ToolCall | Abstained:
        """Return the call that `text` asks for, or why there is none; nothing is run."""
        ids = self.encoder.encode(text)
        if isinstance(ids, str):
            return Abstained(ids)
        selection = self.selector.select(self.encoder.run(ids).tool_logits)
        if selection.probability < self.selector.threshold:
            reason: AbstainReason = "none_of_these" if selection.none_won else "unsure"
            return Abstained(reason, None, selection.probability, selection.ranking)
        if selection.tool not in self.registry:
            # Never the runner-up: the wrong tool must not run because the right one is absent.
            return Abstained("not_registered", selection.tool, selection.probability, selection.ranking)
        return ToolCall(selection.tool, {}, selection.probability)

    def predict_batch(self, texts: Sequence[str], threads: int = 2) -> list[ToolCall | Abstained]:
        """Return exactly what `predict` returns for each text, in order.

        Rows are run one by one over threads: a shared batch would change the scores of a dynamically quantized graph.
        """
        from concurrent.futures import ThreadPoolExecutor  # brings logging along: only who asks for it pays for it

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(self.predict, texts))

    def finish(self, call: ToolCall, *, confirmed: bool = False) -> Outcome:
        """Run a call, or say what stands in its way."""
        tool = self.registry[call.tool]
        if tool.function is None:
            return Abstained("select_only", tool.name, call.probability)
        try:
            arguments = tool.bind(call.arguments)
        except ArgumentError as exc:
            return self._ask(tool, call, exc)
        if tool.hints.destructive and not confirmed:
            question = f"{tool.description.rstrip('.')} - are you sure?"
            return NeedsConfirmation(call, question, self._pending(call, missing=None))
        try:
            return Done(call, execution.run(tool, arguments))
        except ToolFailed as exc:
            return Failed(call, exc)

    def resume(self, pending: Pending, arguments: Mapping[str, Any] | None = None) -> Outcome:
        """Go on with a call that waited, with the arguments that were missing; calling this is the confirmation.

        Raises EdgefnError when `pending` belongs to another bundle, has expired, or its tool is gone.
        """
        if pending.bundle_id != self.manifest.id:
            raise EdgefnError("this pending call is of another bundle", hint="dispatch the utterance again")
        if time.time() > pending.expires:
            raise EdgefnError("this pending call has expired", hint="dispatch the utterance again")
        if pending.tool not in self.registry:
            raise EdgefnError(f"{pending.tool} is no longer registered", hint="dispatch the utterance again")
        call = ToolCall(pending.tool, {**pending.arguments, **(arguments or {})}, pending.probability)
        # What was confirmed is the call as it was asked: with other arguments it is another call.
        return self.finish(call, confirmed=pending.missing is None and not arguments)

    def _ask(self, tool: Tool, call: ToolCall, error: ArgumentError) -> Outcome:
        if all(error.parameter != each.name for each in tool.parameters):
            return Failed(call, error)
        question = tool.question_for(error.parameter)
        return NeedsArgument(call, error.parameter, question, self._pending(call, missing=error.parameter))

    def _pending(self, call: ToolCall, missing: str | None) -> Pending:
        known: dict[str, Any] = {}
        for name, value in call.arguments.items():
            with suppress(ArgumentError):  # what has no JSON form is asked for again
                known |= self.registry[call.tool].unbind({name: value})
        expires = time.time() + PENDING_SECONDS
        return Pending(self.manifest.id, call.tool, known, call.probability, missing, expires)
