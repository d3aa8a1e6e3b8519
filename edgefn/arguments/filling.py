"""From the scores of one pass to the arguments of the chosen tool, each with its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from edgefn.arguments.choices import Choice, Chosen
from edgefn.arguments.field import Field, resolve
from edgefn.arguments.keys import ChoiceGroup, choice_groups, type_of
from edgefn.arguments.reader import Reading, TextReader
from edgefn.arguments.spans import Decoded, Span, SpanDecoder
from edgefn.encoder import Scores
from edgefn.errors import EdgefnError
from edgefn.manifest import Heads
from edgefn.outcome import Evidence
from edgefn.schema import Parameter
from edgefn.words import Word

if TYPE_CHECKING:
    from edgefn.tool import Tool


@dataclass(frozen=True, slots=True)
class Filled:
    """The arguments that an utterance gives to one tool."""

    arguments: Mapping[str, Any]
    """JSON value of every argument that was said and fits."""
    evidence: tuple[Evidence, ...] = ()
    """Where each came from, and what was said that does not fit."""
    spans: tuple[Span, ...] = ()
    """What the slot head found, in the order of the utterance."""
    slots: Decoded | None = None
    """Labels of the words; None where the tool has no slot."""
    choices: tuple[Chosen, ...] = ()
    """What the choice head says of each closed parameter, the row that stands for the argument given."""
    error: EdgefnError | None = None
    """Why an argument could not be looked up at all."""

    def without_doubtful(self, threshold: float) -> Filled:
        """Return these arguments without those whose words are less probable than `threshold`."""
        doubtful = {each.parameter for each in self.evidence if each.score < threshold}
        if not doubtful:
            return self
        arguments = {name: value for name, value in self.arguments.items() if name not in doubtful}
        evidence = tuple(each for each in self.evidence if each.parameter not in doubtful)
        return replace(self, arguments=arguments, evidence=evidence)


class Filler:
    """Fills the arguments of one tool."""

    def __init__(self, tool: Tool, heads: Heads, decoder: SpanDecoder | None = None) -> None:
        """Find the tool's rows in the heads; `decoder` reads the spans where not the usual one."""
        groups = {(group.parameter, group.type): group for group in choice_groups(heads)}
        keys = {each.name: (each.name, type_of(each.schema)) for each in tool.parameters}
        self._decoder = decoder or SpanDecoder(heads, set(keys.values()))
        self._fields = {
            each.name: Field(each, _choice(heads, groups.get(keys[each.name]), each)) for each in tool.parameters
        }
        self._choices = {name: each.choice for name, each in self._fields.items() if each.choice is not None}

    @property
    def reads_words(self) -> bool:
        """Tell whether any parameter is filled from words."""
        return bool(self._decoder)

    def fill(self, text: str, words: Sequence[Word], scores: Scores, now: datetime) -> Filled:
        """Return what `text` says for every parameter; never raises for what was said."""
        decoded = self._decoder.decode(scores.slot_logits, words) if self._decoder and words else None
        spans = self._decoder.spans(decoded, words) if decoded is not None else []
        said_of: dict[str, list[Span]] = {}
        for span in spans:
            said_of.setdefault(span.parameter, []).append(span)
        chosen = {name: choice.choose(scores.choice_logits) for name, choice in self._choices.items()}
        said = {
            name: resolve(each, said_of.get(name, []), chosen.get(name), text, now)
            for name, each in self._fields.items()
            if name in said_of or name in chosen
        }
        return Filled(
            {name: each.value for name, each in said.items() if each.value is not None},
            tuple(piece for each in said.values() for piece in each.evidence),
            tuple(spans),
            decoded,
            tuple(self._fields[name].standing_for(each, said[name]) for name, each in chosen.items()),
            next((each.error for each in said.values() if each.error is not None), None),
        )

    def read(self, name: str, text: str, now: datetime) -> Reading:
        """Return the value that `text` as a whole gives one parameter; ValueError where it gives none."""
        return self._fields[name].read(text, now)

    def takes_any_text(self, name: str) -> bool:
        """Tell whether any words would be a value of a parameter."""
        return isinstance(self._fields[name].reader, TextReader)

    def expected(self, name: str) -> str:
        """Return what a parameter's value is checked against, in words."""
        return self._fields[name].expected


def _choice(heads: Heads, group: ChoiceGroup | None, parameter: Parameter) -> Choice | None:
    return None if group is None else Choice(heads, group, parameter.schema)
