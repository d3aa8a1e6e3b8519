"""Reading what a person says next, when a call waits for an argument or a confirmation.

The utterance may answer, change another argument, switch to another tool, or take the call back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from edgefn.arguments.filling import Filled
from edgefn.arguments.normal import MAX_CHARACTERS, normalise
from edgefn.consent import read_consent
from edgefn.errors import NamesUnavailable
from edgefn.interpreter import Interpreter
from edgefn.outcome import Evidence
from edgefn.pending import Pending
from edgefn.tool import Tool

_CANCEL = frozenset(
    [
        "cancel",
        "cancel it",
        "cancel that",
        "never mind",
        "nevermind",
        "forget it",
        "forget about it",
        "stop",
        "stop it",
        "leave it",
        "drop it",
        "no thanks",
        "no thank you",
        "abort",
        "quit",
        "取消",
        "取消吧",
        "算了",
        "算了吧",
        "不用了",
        "不要了",
        "不了",
        "没事了",
        "没关系",
        "停",
    ]
)
"""What takes a call back, said alone."""
_AROUND = re.compile(
    r"^(?:(?:(?:um+|uh+|er+|well|okay|ok|oh|yes|yeah|please|actually|let's say|make it|make that|it's|it is|"
    r"that's|i think|i'd say|say|maybe)\b|嗯|呃|哦|那就|那|就|改成|要)[\s,，]*)+"
    r"|(?:[\s,，]*(?:\bplease|\bthanks|\bthank you|吧|谢谢))+$"
)
"""What people put around a bare answer."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The call is taken back."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The person wants a moment before the call goes on."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The utterance asks for something else."""


@dataclass(frozen=True, slots=True)
class Change:
    """The call goes on with these arguments; none where the utterance says nothing that fits."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Typed values."""
    evidence: tuple[Evidence, ...] = ()
    """Where they came from, and what was said that gives none."""
    confirmed: bool = False
    """True where the person agreed to the call as it was asked."""


Answer: TypeAlias = Cancel | Wait | Switch | Change


def read_answer(interpreter: Interpreter, tool: Tool, text: str, pending: Pending, now: datetime) -> Answer:
    """Return what `text` means while `pending`, a call of `tool`, waits.

    Raises InvalidUtterance when `text` is not a str, and EngineError when the engine fails.
    """
    said = normalise(text) if isinstance(text, str) else ""
    if pending.missing is None:
        return _consent(text, said) or _new_utterance(interpreter, tool, text, None, now)
    if said in _CANCEL:
        return Cancel()
    bare = _bare(interpreter, tool, pending.missing, text, now) if 0 < len(said) <= MAX_CHARACTERS else None
    if bare is not None and bare.arguments:
        return bare
    answer = _new_utterance(interpreter, tool, text, pending.missing, now)
    return bare if bare is not None and answer == Change() else answer


def _consent(text: str, said: str) -> Answer | None:
    """Return what is said of a call that waits for a confirmation; None where it is something else."""
    match read_consent(text) if isinstance(text, str) else None:
        case "yes":
            return Change(confirmed=True)
        case "wait":
            return Wait()
        case "no":
            return Cancel()
    return Cancel() if said in _CANCEL else None


def _bare(interpreter: Interpreter, tool: Tool, name: str, text: str, now: datetime) -> Change | None:
    """Return the answer that is the value and nothing else, or why it gives none; None where any words would do."""
    filler = interpreter.filler(tool.name)
    if filler.takes_any_text(name):
        return None
    whole = partial(Evidence, name, 0, len(text), text, validator=filler.expected(name))
    said, problem = normalise(text), ""
    # As it was said first: "yes" may be all of an answer, not what stands around it.
    for tried in dict.fromkeys((said, _AROUND.sub("", said) or said)):
        try:
            reading = filler.read(name, tried, now)
        except ValueError as exc:
            problem = str(exc)
        except NamesUnavailable as exc:
            problem = exc.message
        else:
            return Change(
                tool.typed({name: reading.value}), (whole(score=reading.score, normaliser=reading.normaliser),)
            )
    return Change({}, (whole(score=0.0, problem=problem),))


def _new_utterance(interpreter: Interpreter, tool: Tool, text: str, missing: str | None, now: datetime) -> Answer:
    """Read a whole sentence: another tool's call, or this one's with other arguments."""
    encoded = interpreter.encoder.encode(text)
    if isinstance(encoded, str):  # words that the engine cannot read may be a name or a note all the same
        if missing is not None and encoded == "unknown_script":
            return Change(_as_said(interpreter, tool, missing, text, now))
        return Change()
    scores = interpreter.run(encoded)
    found = interpreter.read(encoded, scores, now)
    if isinstance(found, str):
        return Change()
    sure = found.accepted
    if sure and found.tool.name != tool.name:
        return Switch()
    filled = found.filled if sure else _in_words(interpreter.fill(tool.name, encoded, scores, now))
    arguments = tool.typed(filled.arguments)
    if missing is None or missing in arguments or any(each.problem for each in filled.evidence):
        return Change(arguments, filled.evidence)
    return Change({**arguments, **_as_said(interpreter, tool, missing, text, now)}, filled.evidence)


def _in_words(filled: Filled) -> Filled:
    """Return only what stands in the utterance: of a fragment, the choice head guesses wildly."""
    evidence = tuple(each for each in filled.evidence if each.end > each.start)
    said = {each.parameter for each in evidence}
    return Filled({name: value for name, value in filled.arguments.items() if name in said}, evidence)


def _as_said(interpreter: Interpreter, tool: Tool, name: str, text: str, now: datetime) -> dict[str, Any]:
    """Return free text as the answer it is."""
    filler = interpreter.filler(tool.name)
    if not filler.takes_any_text(name):
        return {}
    try:
        return tool.typed({name: filler.read(name, text, now).value})
    except ValueError:  # too long, or not of the form the tool asks for
        return {}
