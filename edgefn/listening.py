"""From what was said to a call that may run: an utterance, a line that names a function, or an answer to a question."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from edgefn.clearance import Clearance, Ready
from edgefn.errors import ArgumentError, ExplicitCallError, PendingError, ToolDefinitionError
from edgefn.execution.signals import Cancellation
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.outcome import Abstained, AbstainReason, Evidence, Expected, Failed, Outcome, ToolCall
from edgefn.pending import Pending
from edgefn.policy.session import Session
from edgefn.registry import Registry
from edgefn.saying import language_of
from edgefn.trace import Tracer

if TYPE_CHECKING:
    from edgefn.explicit import ExplicitCall

_SIGNS = "(（行用"
"""Every line that names a function has one of these: a parenthesis, or the end of 执行, 运行 or 调用."""
_UNFIT = "what was said for it does not fit"
_AGAIN = "dispatch the utterance again"
_CLOSE = 3
"""How many names a hint offers."""


ANYBODY = Session()
"""Whoever speaks."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that was said."""

    text: str
    """The words."""
    pending: Pending | None = None
    """What had been asked before."""
    session: Session = ANYBODY
    """Who said it."""
    cancel: Cancellation | None = None
    """What calls it off."""

    @property
    def language(self) -> str:
        """The language of the answer."""
        return self.session.language or language_of(self.text)


class Listener:
    """Hears what is said to one dispatcher."""

    def __init__(
        self,
        bundle_id: str,
        interpreter: Interpreter,
        registry: Registry,
        clearance: Clearance,
        now: Callable[[], datetime],
        explicit: bool = True,
    ) -> None:
        """Read utterances with `interpreter`; without `explicit`, a line that names a function is one of them."""
        self._bundle_id = bundle_id
        self._interpreter = interpreter
        self._registry = registry
        self._clearance = clearance
        self._now = now
        self._explicit = explicit

    def hear(self, request: Request, tracer: Tracer) -> Ready | Outcome:
        """Return the call that was asked for, as it may run, or what came of it already.

        Raises InvalidUtterance when the text is not a str, and EngineError when the engine fails.
        """
        if request.pending is not None:
            return self._go_on(request, request.pending, tracer)
        if self._explicit and isinstance(request.text, str) and any(sign in request.text for sign in _SIGNS):
            found = self._read_line(request, tracer)
            if found is not None:
                return found
        call = self.predict(request.text, tracer)
        return call if isinstance(call, Abstained) else self._clearance.clear(call, request.session, tracer)

    def predict(self, text: str, tracer: Tracer) -> ToolCall | Abstained:
        """Return the call that `text` asks for, or why there is none; raises as `hear` does."""
        encoded = self._interpreter.encoder.encode(text)
        if isinstance(encoded, str):
            return Abstained(encoded)
        scores = self._interpreter.known(encoded)
        tracer.seen_before = scores is not None
        if scores is None:
            scores = self._interpreter.run_anew(encoded)
        found = self._interpreter.read(encoded, scores, self._now())
        return Abstained(found) if isinstance(found, str) else self._decide(found, tracer)

    def resume(
        self, pending: Pending, arguments: Mapping[str, Any], session: Session, tracer: Tracer
    ) -> Ready | Outcome:
        """Go on with a call that waited, with the arguments that were missing; without any, confirm it."""
        tracer.path = "answer"
        known = {**pending.arguments, **arguments}
        call = ToolCall(pending.tool, known, pending.probability, _still_unfit(pending, known))
        refused = self._refusal(pending)
        if refused is not None:
            return Failed(call, refused)
        # What was confirmed is the call as it was asked: with other arguments it is another call.
        if pending.missing is not None or arguments:
            return self._clearance.clear(call, session, tracer)
        return self._confirmed(call, pending, session, tracer)

    def _decide(self, found: Interpretation, tracer: Tracer) -> ToolCall | Abstained:
        selection = found.selection
        tracer.ranking, tracer.probability, tracer.threshold = selection.ranking, found.compared, found.threshold
        if not found.accepted:
            reason: AbstainReason = "none_of_these" if selection.none_won else "unsure"
            return Abstained(reason, None, found.compared, selection.ranking)
        if selection.tool not in self._registry:
            # Never the runner-up: the wrong tool must not run because the right one is absent.
            return Abstained("not_registered", selection.tool, found.compared, selection.ranking)
        return found.call()

    def _read_line(self, request: Request, tracer: Tracer) -> Ready | Outcome | None:
        """Make the call that a line spells out: no model, but the same policy; None where it spells out none."""
        from edgefn.explicit import read_explicit  # only a line that may be one pays for it

        try:
            named = read_explicit(request.text)
        except ExplicitCallError as exc:
            tracer.path = "explicit"
            return Failed(ToolCall("", {}, 1.0), exc)
        if named is None:
            return None
        tracer.path = "explicit"
        return self._call_by_name(named, request.session, tracer)

    def _call_by_name(self, named: ExplicitCall, session: Session, tracer: Tracer) -> Ready | Outcome:
        from edgefn.explicit import bind_explicit

        tool = self._registry.get(named.name)
        if tool is None:
            return Failed(ToolCall(named.name, {}, 1.0), self._unknown(named.name))
        try:
            arguments = tool.read(bind_explicit(named, tool))
        except ArgumentError as exc:
            return Failed(ToolCall(named.name, {}, 1.0), exc)
        found = self._clearance.clear(ToolCall(tool.name, arguments, 1.0), session, tracer, ask=False)
        return replace(found, check=partial(_check, named)) if isinstance(found, Ready) and named.expects else found

    def _go_on(self, request: Request, pending: Pending, tracer: Tracer) -> Ready | Outcome:
        """Read the text as the answer to what was asked, and go on."""
        from edgefn.conversation import Cancel, Change, Switch, Wait, read_answer  # only a call that waited pays for it

        tracer.path = "answer"
        call = ToolCall(pending.tool, pending.arguments, pending.probability)
        refused = self._refusal(pending)
        if refused is not None:
            return Failed(call, refused)
        try:
            tool = self._registry[pending.tool]
            answer = read_answer(self._interpreter, tool, request.text, pending, self._now())
        except ToolDefinitionError as exc:  # removed since
            return Failed(call, PendingError(f"{pending.tool} is no longer registered", hint=exc.hint))
        match answer:
            case Cancel():
                self._clearance.asked.take(pending)
                return Abstained("cancelled", pending.tool, pending.probability)
            case Wait():
                known = replace(call, arguments=tool.read(pending.arguments))
                return self._clearance.ask_again(tool, known, pending, request.session)
            case Switch():
                tracer.path = "model"
                return self.hear(replace(request, pending=None), tracer)
            case Change(arguments=arguments, evidence=evidence, confirmed=confirmed):
                known_arguments = {**tool.read(pending.arguments), **arguments}
                evidence = (*evidence, *_still_unfit(pending, known_arguments))
                changed = ToolCall(pending.tool, known_arguments, pending.probability, evidence)
                if confirmed:
                    return self._confirmed(changed, pending, request.session, tracer)
                return self._clearance.clear(changed, request.session, tracer)

    def _confirmed(self, call: ToolCall, pending: Pending, session: Session, tracer: Tracer) -> Ready | Outcome:
        if not self._clearance.asked.take(pending):  # somebody was faster
            return Failed(call, _not_asked())
        return self._clearance.clear(call, session, tracer, confirmed=True)

    def _refusal(self, pending: Pending) -> PendingError | None:
        if pending.bundle_id != self._bundle_id:
            return PendingError("this pending call is of another bundle", hint=_AGAIN)
        if time.time() > pending.expires:
            return PendingError("this pending call has expired", hint=_AGAIN)
        tool = self._registry.get(pending.tool)
        if tool is None:
            return PendingError(f"{pending.tool} is no longer registered", hint=_AGAIN)
        names = {None, *(each.name for each in tool.parameters)}
        for name in (pending.missing, *pending.unfit):
            if name not in names:
                return PendingError(f"{pending.tool} takes no {name!r}", hint=_AGAIN)
        if pending.missing is None and not self._clearance.asked.holds(pending):
            return _not_asked()
        return None

    def _unknown(self, name: str) -> ExplicitCallError:
        import difflib  # only who mistypes a name pays for it

        known = self._registry.names
        close = difflib.get_close_matches(name, known, _CLOSE) or known[:_CLOSE]
        return ExplicitCallError(f"no tool is named {name!r}", hint=f"the nearest: {', '.join(close) or 'none'}")


def _check(named: ExplicitCall, value: Any) -> Expected:
    from edgefn.explicit import same_value

    return Expected(named.expected, same_value(named.expected, value))


def _not_asked() -> PendingError:
    return PendingError("this confirmation was not asked for here, or was given before", hint=_AGAIN)


def _still_unfit(pending: Pending, known: Mapping[str, Any]) -> tuple[Evidence, ...]:
    """Return the problems of a pending call that no answer has solved yet: nothing that was said is dropped."""
    return tuple(Evidence(name, 0, 0, "", 0.0, problem=_UNFIT) for name in pending.unfit if name not in known)
