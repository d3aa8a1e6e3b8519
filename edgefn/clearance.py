"""What must hold before a call runs: the tool is here, the policy lets it, nothing is missing, a person agreed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from edgefn.errors import ArgumentError
from edgefn.outcome import Abstained, Expected, Failed, NeedsArgument, NeedsConfirmation, Outcome, ToolCall
from edgefn.pending import PENDING_SECONDS, Asked, Pending
from edgefn.policy.policy import Policy
from edgefn.policy.rule import Terms
from edgefn.policy.session import Session
from edgefn.registry import Registry
from edgefn.saying import ask_consent, describe_call, language_of
from edgefn.templates import fill_template
from edgefn.tool import Tool
from edgefn.trace import Tracer


@dataclass(frozen=True, slots=True)
class Ready:
    """A call that may run now."""

    tool: Tool
    """What is called."""
    call: ToolCall
    """The call."""
    arguments: Mapping[str, Any]
    """Typed values that fit."""
    terms: Terms
    """How it is run."""
    check: Callable[[Any], Expected] | None = None
    """Compares what it returns with what was expected."""


class Clearance:
    """Lets calls pass that may run, and says what stands in the way of others."""

    def __init__(self, bundle_id: str, threshold: float, registry: Registry, policy: Policy) -> None:
        """Judge calls of the tools in `registry` by `policy`, beside the bundle's own `threshold`."""
        self._bundle_id = bundle_id
        self._threshold = threshold
        self._registry = registry
        self._policy = policy
        self.asked = Asked()

    def clear(
        self, call: ToolCall, session: Session, tracer: Tracer, *, confirmed: bool = False, ask: bool = True
    ) -> Ready | Outcome:
        """Return the call as it may run, or what stands in its way; without `ask`, wrong arguments are a failure."""
        tool = self._registry.get(call.tool)
        if tool is None:  # removed since it was selected
            return Abstained("not_registered", call.tool, call.probability)
        if tool.function is None:
            return Abstained("select_only", tool.name, call.probability)
        terms = self._policy.terms(tool)
        verdict = self._policy.judge(tool, terms, session.role, call.probability, self._threshold)
        tracer.terms, tracer.verdict = terms, verdict
        if verdict.action == "deny":
            return Abstained("denied", tool.name, call.probability, call=call)
        if verdict.action == "unsure":
            return Abstained("unsure", tool.name, call.probability, tracer.ranking, call)
        bound = self._bind(tool, call, ask)
        if not isinstance(bound, dict):
            return bound
        if verdict.action == "dry_run":
            return Abstained("dry_run", tool.name, call.probability, call=call)
        if verdict.action == "confirm" and not confirmed:
            return self._confirm(tool, call, session)
        return Ready(tool, call, bound, terms)

    def ask_again(self, tool: Tool, call: ToolCall, pending: Pending, session: Session) -> NeedsConfirmation:
        """Ask for the same confirmation once more."""
        description, question = in_plain_words(tool, call, session)
        return NeedsConfirmation(call, question, pending, description)

    def _bind(self, tool: Tool, call: ToolCall, ask: bool) -> dict[str, Any] | NeedsArgument | Failed:
        if call.error is not None:
            return Failed(call, call.error)
        unfit = next((each for each in call.evidence if each.problem), None)
        if unfit is not None:
            return self._ask(tool, call, unfit.parameter, unfit.problem)
        try:
            return tool.bind(call.arguments)
        except ArgumentError as exc:
            if not ask or all(exc.parameter != each.name for each in tool.parameters):
                return Failed(call, exc)
            return self._ask(tool, call, exc.parameter, "" if exc.missing else exc.message)

    def _ask(self, tool: Tool, call: ToolCall, parameter: str, problem: str) -> NeedsArgument:
        question = tool.question_for(parameter)
        return NeedsArgument(call, parameter, question, self._pending(tool, call, missing=parameter), problem)

    def _confirm(self, tool: Tool, call: ToolCall, session: Session) -> NeedsConfirmation:
        description, question = in_plain_words(tool, call, session)
        pending = self._pending(tool, call, missing=None)
        self.asked.add(pending)
        return NeedsConfirmation(call, question, pending, description)

    def _pending(self, tool: Tool, call: ToolCall, missing: str | None) -> Pending:
        known: dict[str, Any] = {}
        for name, value in call.arguments.items():
            with suppress(ArgumentError):  # what has no JSON form is asked for again
                known |= tool.unbind({name: value})
        expires = time.time() + PENDING_SECONDS
        unfit = dict.fromkeys(each.parameter for each in call.evidence if each.problem and each.parameter != missing)
        probability, number = call.probability, os.urandom(8).hex()
        return Pending(self._bundle_id, call.tool, known, probability, missing, expires, tuple(unfit), number)


def in_plain_words(tool: Tool, call: ToolCall, session: Session) -> tuple[str, str]:
    """Return what a call will do, and the question whether to do it."""
    labels = {each.name: each.description for each in tool.parameters}
    language = session.language or language_of(tool.description)
    description = describe_call(tool.description, tool.name, call.arguments, labels, language)
    if tool.confirmation:
        return description, fill_template(tool.confirmation, language, call.arguments)
    return description, ask_consent(description, language)
