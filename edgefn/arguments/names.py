"""Names from a list that lives on the device: rooms, people, songs.

    said ── find ──▶ Match | NoMatch      exact, then normalised, then by spelling and by sound

A score is 1 at the same spelling and 0.5 at the furthest that is still taken for a slip; nothing below 0.5 matches. Two
different names that are about equally near are ambiguous, whatever their score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from edgefn.arguments.edits import Costs, distance
from edgefn.arguments.forms import Form, fold, form_of
from edgefn.arguments.marks import Copy, unavailable
from edgefn.arguments.nearness import Scorer
from edgefn.arguments.normal import MAX_CHARACTERS, normalise

How: TypeAlias = Literal["exact", "normalised", "edit", "sound"]
Items: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""Names with what else people call them."""

_NORMALISED = 0.98
"""The score of a name that differs in case, punctuation, an article or a plural only."""
_LEAST = 0.5
_MARGIN = 0.04
"""By how much the best must lead the next name."""
_SHOWN = 3
_RELATED = 0.3
"""The share of parts in common from which a name is worth showing."""
_PLAIN = Costs(extra=lambda _: 1.0, missing=lambda _: 1.0, swap=lambda *_: 1.0, exchange=1.0, least=1.0)


@dataclass(frozen=True, slots=True)
class Match:
    """The name that was meant."""

    name: str
    """As it stands on the list."""
    score: float
    """How near, 0.5 to 1; 1 is exact."""
    how: How
    """What brought them together."""


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No name was meant, or no single one."""

    nearest: tuple[str, ...]
    """Up to three names, best first; those that fit equally well where it is ambiguous."""
    ambiguous: bool
    """Whether two different names fit about equally well."""


class Names(Mapping[str, tuple[str, ...]]):
    """A list as it was at one moment: each name and what else people call it. It never changes."""

    def __init__(self, items: Items) -> None:
        """Keep the first of two items with one name."""
        self._items: dict[str, tuple[str, ...]] = {}
        for name, others in items:
            self._items.setdefault(name, others)
        self.index = Index(self._items)

    def __getitem__(self, name: str) -> tuple[str, ...]:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def find(text: str, names: Mapping[str, Iterable[str]]) -> Match | NoMatch:
    """Return the name among `names`, each with what else people call it, that `text` means.

    What `current` returned is indexed once; another mapping is indexed again whenever its content has changed.
    """
    if not isinstance(names, Names):
        names = _named(tuple((name, tuple(others)) for name, others in names.items()))
    return names.index.find(text)


class _Ranked(NamedTuple):
    score: float
    how: How
    name: str
    form: Form


class Index:
    """A list prepared for looking up."""

    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        """Prepare everything that does not depend on what is said."""
        spellings = [(name, name) for name in names]
        spellings += [(other, name) for name, others in names.items() for other in others]
        self._exact = {spelling: name for spelling, name in reversed(spellings)}
        self._cased = _grouped((spelling.casefold(), name) for spelling, name in spellings)
        self._folded = _grouped((fold(spelling), name) for spelling, name in spellings)
        self._forms = [(form_of(spelling), name) for spelling, name in spellings if len(spelling) <= MAX_CHARACTERS]
        self._scorer = Scorer(self._forms)

    def find(self, text: str) -> Match | NoMatch:
        """Return the name that `text` means."""
        name = self._exact.get(text)
        if name is not None:
            return Match(name, 1.0, "exact")
        if len(text) > MAX_CHARACTERS:
            return NoMatch((), ambiguous=False)
        same = self._cased.get(text.casefold()) or self._folded.get(fold(text))
        if not same:
            return self._fuzzy(text)
        return Match(same[0], _NORMALISED, "normalised") if len(same) == 1 else NoMatch(same[:_SHOWN], ambiguous=True)

    def _fuzzy(self, text: str) -> Match | NoMatch:
        said = form_of(text)
        ranked = self._rank(said) if said.letters else []
        rivals = [each for each in ranked if each.score > ranked[0].score - _MARGIN]
        best = _as_written(text, rivals) if rivals else None
        if best is not None:
            return Match(best.name, round(best.score, 4), best.how)
        nearest = [each.name for each in rivals] or self._related(said)
        return NoMatch(tuple(nearest[:_SHOWN]), ambiguous=bool(rivals))

    def _rank(self, said: Form) -> list[_Ranked]:
        """Return the names that score enough, best first, then in the order of the alphabet."""
        best: dict[str, _Ranked] = {}
        for form, name in self._forms:
            spelling, sound = self._scorer.by_spelling(said, form), self._scorer.by_sound(said, form)
            score = max(spelling, sound)
            if score >= _LEAST and (name not in best or score > best[name].score):
                best[name] = _Ranked(score, "sound" if sound >= spelling else "edit", name, form)
        return sorted(best.values(), key=lambda each: (-each.score, each.name))

    def _related(self, said: Form) -> list[str]:
        """Return the names that have most in common with what was said."""
        shares = []
        for form, name in self._forms:
            share = 2 * len(said.parts & form.parts) / (len(said.parts) + len(form.parts) or 1)
            if share >= _RELATED:
                shares.append((-share, name))
        return list(dict.fromkeys(name for _, name in sorted(shares)))


def _as_written(text: str, rivals: list[_Ranked]) -> _Ranked | None:
    """Return the only rival, or among names that differ in an article or a plural only the one spelled most alike."""
    if len(rivals) == 1:
        return rivals[0]
    if len({fold(each.form.text) for each in rivals}) > 1:
        return None
    said = normalise(text)
    apart = sorted((distance(said, normalise(each.name), _PLAIN, MAX_CHARACTERS), at) for at, each in enumerate(rivals))
    return rivals[apart[0][1]] if apart[0][0] < apart[1][0] else None


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the different names of each spelling that is not empty, in the order of the alphabet."""
    groups: dict[str, set[str]] = {}
    for spelling, name in pairs:
        if spelling:
            groups.setdefault(spelling, set()).add(name)
    return {spelling: tuple(sorted(names)) for spelling, names in groups.items()}


def listed(given: Copy) -> Names:
    """Return a list of names, indexed; NamesUnavailable where it is empty or holds anything else."""
    return _named(_items(given))


@lru_cache(maxsize=16)
def _named(items: Items) -> Names:
    return Names(items)


def _items(given: Copy) -> Items:
    if not given:
        raise unavailable("the list is empty")
    items = tuple(given.items()) if isinstance(given, dict) else tuple((name, ()) for name in given)
    for name, others in items:
        if isinstance(others, str):
            raise unavailable(f"what else people call {name!r} is a str, not a list of them")
        for text in (name, *others):
            if not isinstance(text, str) or not text.strip():
                raise unavailable(f"{text!r} is no name")
    return items
