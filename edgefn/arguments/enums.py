"""Values of a closed set by what people say for them: "max" for 100, "lit" for "on"."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, TypeVar

from edgefn.arguments.forms import fold
from edgefn.errors import ToolDefinitionError

V = TypeVar("V", bound=Hashable)

_STRICT = 0.8
"""Least score of a slip: values of a closed set are short, and a wrong one acts at once."""
_ENDING = re.compile(r"(?:ed|ing)\Z")
_SHORTEST_STEM = 3


def members(
    parameter: str, values: Iterable[V], said_as: Mapping[Any, Iterable[str]], strict: bool = True
) -> dict[V, tuple[str, ...]]:
    """Return every value with what is said for it, its own text first.

    Raises:
        ToolDefinitionError: two values are said alike and that is `strict`ly refused, or `said_as` has another value
            or something else than texts.
    """
    found: dict[V, list[str]] = {value: [_text(value)] for value in values}
    for key, forms in said_as.items():
        found[_value_of(parameter, key, found)] += _texts(parameter, key, forms)
    owners: dict[str, V] = {}
    for value, texts in found.items():
        for text in texts:
            owner = owners.setdefault(_folded(text), value)
            if owner != value and strict:
                raise ToolDefinitionError(
                    f"{parameter}: nobody can tell {owner!r} from {value!r}, both are said {_folded(text)!r}",
                    hint="case, punctuation, articles and plurals do not count; rename one of them",
                )
    return {value: tuple(dict.fromkeys(texts)) for value, texts in found.items()}


def read_member(text: str, members: Mapping[V, Iterable[str]]) -> V | None:
    """Return the value that `text` means, None where it means none or could mean two."""
    owners: dict[str, V] = {}
    for value, forms in members.items():
        for form in forms:
            owners.setdefault(form, value)
    said = _folded(text)
    if text in owners or not said:
        return owners.get(text)
    same = {value for form, value in owners.items() if _folded(form) == said}
    same = same or {value for form, value in owners.items() if _stems(_folded(form)) & _stems(said)}
    if same:
        return same.pop() if len(same) == 1 else None
    return _nearly(text, owners)


def _nearly(text: str, owners: Mapping[str, V]) -> V | None:
    from edgefn.arguments.names import Match, find  # most are said as they are written

    found = find(text, {form: () for form in owners})
    return owners[found.name] if isinstance(found, Match) and found.score >= _STRICT else None


def _stems(word: str) -> set[str]:
    """Return what `word` may be without -ed or -ing, itself included: "closed" is close, "stopping" is stop."""
    stem = _ENDING.sub("", word)
    if stem == word or len(stem) < _SHORTEST_STEM or " " in word:
        return {word}
    return {word, stem, stem + "e"} | ({stem[:-1]} if stem[-1] == stem[-2] else set())


def _folded(text: str) -> str:
    return fold(text) or text.strip()  # "+" and "-" are all punctuation


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value_of(parameter: str, key: object, values: Iterable[V]) -> V:
    """Return the value that a key of `said_as` stands for; a member of an Enum stands for its value or its name."""
    wanted = {key.value, key.name} if isinstance(key, Enum) else {key}
    for value in values:
        if value in wanted and isinstance(value, bool) == isinstance(key, bool):
            return value
    raise ToolDefinitionError(
        f"{parameter}: Synonyms has {key!r}, which is not one of its values",
        hint=f"the values are {', '.join(map(repr, values))}",
    )


def _texts(parameter: str, key: object, forms: object) -> Iterator[str]:
    if isinstance(forms, str) or not isinstance(forms, Iterable):
        raise _not_texts(parameter, key, forms)
    for form in forms:
        if not isinstance(form, str) or not form.strip():
            raise _not_texts(parameter, key, form)
        yield form


def _not_texts(parameter: str, key: object, given: object) -> ToolDefinitionError:
    return ToolDefinitionError(
        f"{parameter}: what people say for {key!r} is {given!r}, which is no list of words",
        hint='write Synonyms({value: ["word", ...]})',
    )
