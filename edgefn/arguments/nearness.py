"""How near what was said is to a name: by spelling, by sound, by whole words.

Every score is 1 at no difference and 0.5 at the most that is taken for a slip; 0 is anything beyond. The costs and
limits were chosen on the `dev` half of what benchmarks/names.py measures and checked on the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from math import inf

from edgefn.arguments import sound
from edgefn.arguments.edits import Costs, distance
from edgefn.arguments.forms import Form
from edgefn.arguments.pinyin import likeness

_LOWEST = 0.5
"""Of a score that is still taken for a slip."""
_GAP, _SPACE, _EXCHANGE = 0.8, 0.25, 0.7
_SPELLING_LIMITS = (0.0, 0.0, 0.0, 1.0, 1.6, 2.0, 2.0, 2.0, 2.2, 2.2, 2.2, 2.2, 2.4)
"""Most cost by letters of the longer text; the last holds for all longer ones."""
_WORD_LIMIT = 2.0
_KNOWN_WORD = 1.0
"""Added where the word said is another one of the list: then it is hardly a slip of this one."""
_SOUND_SHARE = 0.16
"""Most cost by sound, as a share of the sounds of the longer text."""
_SOUND_TOP = 0.97
_PART_SHARE = 0.6
"""Least share of letters that whole words in common must have where a word is missing or extra."""

_CHINESE_LIMITS = (0.0, 0.2, 1.0, 1.5, 1.8, 2.2)
_TELLING_LIMITS = (0.0, 0.2, 1.0, 1.5, 2.3, 2.4)
"""As above where a character in common is in no other name of the list; in a name of three it may be a surname."""
_TELLING_FROM = 100
"""Least Chinese spellings on the list: on a short one nearly every character is in one name only, and tells nothing."""
_SAME_SOUND, _NEAR_SOUND = 0.2, 0.4
_CHINESE_MISSING = 0.95
_CHINESE_EXTRA, _KNOWN_EXTRA = 0.5, 1.3
_CHINESE_SWAP, _KNOWN_SWAP = 0.9, 2.0
_CHINESE_EXCHANGE = 0.5


def _gap(letter: str) -> float:
    return _SPACE if letter == " " else sound.DIGIT if letter.isdigit() else _GAP


def _swap(first: str, second: str) -> float:
    return sound.DIGIT if first.isdigit() or second.isdigit() else 1.0


_SPELLING = Costs(extra=_gap, missing=_gap, swap=_swap, exchange=_EXCHANGE, least=_SPACE)


class Scorer:
    """Scores names against what is said, knowing which words the list has."""

    def __init__(self, spellings: Collection[tuple[Form, str]]) -> None:
        """Remember the words, and the characters of Chinese names; each spelling comes with the name it stands for."""
        self._words = {word for form, _ in spellings for word in form.words}
        chinese = [(form, name) for form, name in spellings if form.chinese]
        owners: dict[str, set[str]] = {}
        for form, name in chinese:
            for character in form.text:
                owners.setdefault(character, set()).add(name)
        self._characters = frozenset(owners)
        enough = len(chinese) >= _TELLING_FROM
        self._telling = frozenset(each for each, names in owners.items() if len(names) == 1) if enough else frozenset()
        self._chinese = Costs(
            extra=lambda letter: _KNOWN_EXTRA if letter in self._characters else _CHINESE_EXTRA,
            missing=lambda letter: _CHINESE_MISSING,
            swap=self._misheard,
            exchange=_CHINESE_EXCHANGE,
            least=_CHINESE_EXTRA,
        )

    def by_spelling(self, said: Form, name: Form) -> float:
        """Return how likely `said` is `name` misspelled."""
        if said.chinese or name.chinese:
            return self._by_characters(said, name) if said.chinese and name.chinese else 0.0
        limit = _at(_SPELLING_LIMITS, max(said.letters, name.letters))
        # Cheap bounds first: an edit of one unit changes at most two of the letters that there are.
        if (said.bits ^ name.bits).bit_count() > 2 * limit or abs(said.letters - name.letters) * _GAP > limit:
            return _by_words(said.words, name.words)
        cost = distance(said.text, name.text, _SPELLING, limit)
        if cost == inf or not limit or self._is_another(said.words, name.words):
            return _by_words(said.words, name.words)
        return 1 - cost / limit / 2

    def by_sound(self, said: Form, name: Form) -> float:
        """Return how likely `said` is `name` misheard."""
        if said.chinese and name.chinese:
            return _by_pinyin(said.text, name.text)
        longest = max(len(said.sounds), len(name.sounds))
        if said.parts.isdisjoint(name.parts):  # a cheap bound that costs few homophones
            return 0.0
        limit = _SOUND_SHARE * longest if longest > 2 else 0.0
        if said.chinese or name.chinese or (said.sound_bits ^ name.sound_bits).bit_count() > 2 * limit + 1:
            return 0.0
        cost = distance(said.sounds, name.sounds, sound.COSTS, limit) if limit else inf
        return 0.0 if cost == inf else _SOUND_TOP * (1 - cost / limit / 2)

    def _is_another(self, said: Sequence[str], name: Sequence[str]) -> bool:
        """Tell whether one word is too far from the one in its place, or a word of its own."""
        if len(said) != len(name):
            return False
        for word, other in zip(said, name, strict=True):
            least = _KNOWN_WORD if word in self._words else 0.0
            if word != other and distance(word, other, _SPELLING, _WORD_LIMIT - least) == inf:
                return True
        return False

    def _by_characters(self, said: Form, name: Form) -> float:
        if said.parts.isdisjoint(name.parts):  # neither a character nor a syllable in common
            return 0.0
        usual = _at(_CHINESE_LIMITS, name.letters)
        limit = _at(_TELLING_LIMITS, name.letters) if self._has_telling(said, name) else usual
        cost = min(distance(said.text, name.text, self._chinese, limit), self._out_of_order(said, name))
        return max(_LOWEST, 1 - cost / usual / 2) if cost <= limit else 0.0

    def _has_telling(self, said: Form, name: Form) -> bool:
        """Tell whether a character in common is in no other name of the list."""
        return any(each in self._telling and each in said.text for each in name.text)

    def _out_of_order(self, said: Form, name: Form) -> float:
        """Return the cost of a text that holds every character of the name, in whatever order; infinity for others."""
        if name.letters < 3 or name.bits & ~said.bits:
            return inf
        extra = Counter(said.text)
        extra.subtract(name.text)
        if min(extra.values()) < 0:
            return inf
        return 2 * _CHINESE_EXCHANGE + sum(map(self._chinese.extra, extra.elements()))

    def _misheard(self, first: str, second: str) -> float:
        if first.isdigit() or second.isdigit():
            return sound.DIGIT
        alike = likeness(first, second)
        if alike:
            return _SAME_SOUND if alike == 1 else _NEAR_SOUND
        return _KNOWN_SWAP if first in self._characters else _CHINESE_SWAP


def _by_pinyin(said: str, name: str) -> float:
    """Return the score of two Chinese texts that sound alike throughout, 0 for others."""
    if len(said) != len(name):
        return 0.0
    cost = 0.0
    for first, second in zip(said, name, strict=True):
        alike = 2 if first == second else likeness(first, second)
        if not alike:
            return 0.0
        cost += 0.0 if alike == 2 else _SAME_SOUND if alike == 1 else _NEAR_SOUND
    limit = _at(_CHINESE_LIMITS, len(name))
    return 1 - cost / limit / 2 if cost <= limit else 0.0


def _by_words(said: Sequence[str], name: Sequence[str]) -> float:
    """Return the score of texts that differ by one whole word, missing or extra; 0 for others."""
    shorter, longer = sorted((said, name), key=len)
    if len(shorter) < 2 or len(longer) - len(shorter) != 1:
        return 0.0
    at = next((at for at, word in enumerate(shorter) if word != longer[at]), len(shorter))
    if tuple(shorter[at:]) != tuple(longer[at + 1 :]):
        return 0.0
    share = sum(map(len, shorter)) / sum(map(len, longer))
    return share if share >= _PART_SHARE else 0.0


def _at(limits: Sequence[float], length: int) -> float:
    return limits[min(length, len(limits) - 1)]
