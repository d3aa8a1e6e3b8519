"""A tool as one text for an encoder: its name, its description, its parameters and their values, each with its place.

One pass over this text gives every row of a tool: the row of the tool is the mean over the words of its name and
description, that of a parameter or a value the mean over its own words, read beside all others of the tool.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from edgefn.arguments.keys import choice_text, choice_values, is_list, type_of
from edgefn.schema import Parameter
from edgefn.tool import Tool

Place: TypeAlias = tuple[int, int]
"""First character, and one past the last."""

_DESCRIPTION_WORDS = 60
_PARAMETER_WORDS = 24
_CHARACTERS = 700
"""Most characters of one text before another is begun: about 200 tokens."""
_JOINTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.\-/:]+")
"""Where the words of a name meet: camelCase, snake_case, dotted.names."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Described:
    """One text about a tool."""

    text: str
    """What the encoder reads."""
    head: Place
    """Name and description."""
    parameters: Mapping[str, Place] = field(default_factory=dict)
    """Where each parameter stands."""
    values: Mapping[tuple[str, str], Place] = field(default_factory=dict)
    """Where each value of a closed parameter stands, by parameter and value as text."""


def describe(tool: Tool) -> tuple[Described, ...]:
    """Return the texts of a tool: one, or several where it has too many parameters for one.

    Parameters and values are sorted: the order of keys in a schema must never matter.
    """
    texts: list[_Text] = [_Text(tool)]
    for parameter in fillable(tool):
        if len(texts[-1].text) > _CHARACTERS:
            texts.append(_Text(tool))
        texts[-1].add(parameter)
    return tuple(each.described() for each in texts)


def fillable(tool: Tool) -> list[Parameter]:
    """Return the parameters that words may fill, by name; objects stay in the schema and are asked for."""
    return sorted((each for each in tool.parameters if type_of(each.schema) != "object"), key=lambda each: each.name)


def words_in(name: str) -> str:
    """Return the words of a name: "getCurrentWeather" is "get current weather"."""
    return " ".join(filter(None, _JOINTS.split(name))).lower()


def tokens_at(offsets: Sequence[tuple[int, int]], place: Place) -> tuple[int, int] | None:
    """Return the first token that touches the characters of `place`, and one past the last; None where none does.

    Training and the device find a parameter's tokens by this one function.
    """
    touched = [token for token, (start, end) in enumerate(offsets) if start < place[1] and end > place[0]]
    return (touched[0], touched[-1] + 1) if touched else None


class _Text:
    """A text about one tool, as it grows."""

    def __init__(self, tool: Tool) -> None:
        description = _first_words(tool.description, _DESCRIPTION_WORDS)
        name = words_in(tool.name) or tool.name
        self.text = f"{name}: {description}" if description else name
        self.head = (0, len(self.text))
        self.parameters: dict[str, Place] = {}
        self.values: dict[tuple[str, str], Place] = {}

    def add(self, parameter: Parameter) -> None:
        self.text += " | "
        start = len(self.text)
        kind = f"{type_of(parameter.schema)} list" if is_list(parameter.schema) else type_of(parameter.schema)
        about = _first_words(parameter.description, _PARAMETER_WORDS)
        self.text += f"{words_in(parameter.name)} ({kind})" + (f": {about}" if about else "")
        self.parameters[parameter.name] = (start, len(self.text))
        for number, text in enumerate(closed_texts(parameter)):
            self.text += ", " if number else " = "
            self.values[parameter.name, text] = (len(self.text), len(self.text) + len(_spoken(text)))
            self.text += _spoken(text)

    def described(self) -> Described:
        # A lone surrogate is no text; a mark of the same length leaves all places where they are.
        return Described(_SURROGATE.sub("\ufffd", self.text), self.head, self.parameters, self.values)


def closed_texts(parameter: Parameter) -> Iterator[str]:
    """Yield the values of an enum or a boolean as text, sorted; nothing for other parameters."""
    values = choice_values(parameter.schema)
    yield from sorted(set(map(choice_text, values or ())))


def _spoken(text: str) -> str:
    """Return a value as words; one that is all marks stays as it is."""
    return {"true": "yes", "false": "no"}.get(text) or words_in(text) or text


def _first_words(text: str, most: int) -> str:
    words = text.split()
    return " ".join(words[:most])
