"""Words of an utterance, as the slot head labels them: one label a word, read at the word's first token.

A word is a maximal run of letters and digits; every Chinese character, and every mark of punctuation, is a word of its
own. Training and the device divide a text by this one function, whatever the tokenizer: word pieces, byte-level BPE
(where one character may be several tokens) or unigrams.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

_CHINESE = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0xF900, 0xFAFF), (0x20000, 0x323AF), (0x3007, 0x3007))
"""CJK ideographs and 〇."""


class Word(NamedTuple):
    """One word of an utterance."""

    token: int
    """Index of its first token."""
    start: int
    """Its first character."""
    end: int
    """One past its last character."""


def is_chinese(character: str) -> bool:
    """Tell whether a character is a CJK ideograph."""
    code = ord(character)
    return code >= 0x3007 and any(first <= code <= last for first, last in _CHINESE)


def words_of(text: str, offsets: Iterable[tuple[int, int]]) -> list[Word]:
    """Return the words of `text`, given each token's characters `(start, end)`; special tokens have none."""
    words: list[Word] = []
    reached = 0  # one past the last character of any token so far
    for token, (start, end) in enumerate(offsets):
        while start < end and text[start].isspace():  # byte-level BPE counts the space before a word to it
            start += 1
        if start >= end:
            continue
        if not words or (start >= reached and not _inside_word(text, reached - 1, start)):
            words.append(Word(token, start, end))
        elif end > reached:
            words[-1] = words[-1]._replace(end=end)
        reached = max(reached, end)
    return words


def _inside_word(text: str, before: int, start: int) -> bool:
    """Tell whether nothing between `before`, the last character reached, and `start` divides two words.

    What lies between them, where anything does, are marks that the tokenizer drops, such as accents.
    """
    return all(map(_joins, text[before : start + 1]))


def _joins(character: str) -> bool:
    if character.isascii():
        return character.isalnum()
    return not is_chinese(character) and (character.isalnum() or unicodedata.category(character).startswith("M"))
