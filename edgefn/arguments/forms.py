"""A name in the forms in which names are compared: folded, by its letters, by its sounds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from edgefn.arguments.normal import is_chinese, normalise
from edgefn.arguments.pinyin import syllables
from edgefn.arguments.sound import key

_BETWEEN = re.compile(r"[^\w&]+|_")
_OWNER = re.compile(r"'s\b")
_LEADING = frozenset({"the", "my", "our", "a", "an"})
_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve"
_WRITTEN = {str(number): word for number, word in enumerate(_NUMBERS.split())} | {
    "&": "and",
    "mr": "mister",
    "dr": "doctor",
}
"""What recognisers write in one way or the other."""
_NOT_PLURAL = "sui"
"""Before a last s that belongs to the word: glass, bus, tennis."""
_COARSE = str.maketrans({"B": "P", "D": "T", "G": "K", "V": "F", "C": "X", "J": "X", "N": "M", "Q": "T"})
_FAINT = str.maketrans(dict.fromkeys("aeiouAEIOHWYR"))


@dataclass(frozen=True, slots=True)
class Form:
    """One spelling of a name."""

    text: str
    """Folded, with plurals as written."""
    words: tuple[str, ...]
    """Of the text."""
    letters: int
    """How many there are, spaces not counted."""
    bits: int
    """Which letters there are, as bits: an edit changes at most two of them."""
    sounds: str
    """Of English words; "" for Chinese."""
    sound_bits: int
    """Which clear sounds there are, related ones taken together."""
    chinese: bool
    """Whether it is compared by characters and pinyin."""
    parts: frozenset[str]
    """Letter pairs, or characters and syllables: what shows that two names have something in common."""


def fold(text: str) -> str:
    """Return `text` without what people leave out: `normalise`, then no accents, article, plurals or punctuation."""
    return " ".join(_WRITTEN.get(word) or _singular(word) for word in _spelled(text).split())


def form_of(text: str) -> Form:
    """Return the form of a name or of what was said for one."""
    spelled = _spelled(text)
    words = tuple(_WRITTEN.get(word, word) for word in spelled.split())
    joined = "".join(words)
    chinese = is_chinese(joined)
    sounds = "" if chinese else "".join(map(key, words))
    parts = {*joined, *syllables(joined)} if chinese else {joined[at : at + 2] for at in range(len(joined) - 1)}
    return Form(
        text=" ".join(words),
        words=words,
        letters=len(joined),
        bits=_bits(joined),
        sounds=sounds,
        sound_bits=_bits(sounds.translate(_FAINT).translate(_COARSE)),
        chinese=chinese,
        parts=frozenset(parts),
    )


def _spelled(text: str) -> str:
    text = normalise(text)
    if not text.isascii():
        text = "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))
        text = unicodedata.normalize("NFC", text)
        if is_chinese(text):
            return _BETWEEN.sub("", text)
    if text.isalpha():
        return text
    if "'" in text:
        text = _OWNER.sub("", text).replace("'", "")
    words = _BETWEEN.sub(" ", text).split()
    return " ".join(words[1:] if len(words) > 1 and words[0] in _LEADING else words)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] == "s" and word[-2] not in _NOT_PLURAL else word


def _bits(text: str) -> int:
    found = 0
    for letter in set(text):
        found |= 1 << (ord(letter) % 64)
    return found
