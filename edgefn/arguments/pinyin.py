"""How Chinese characters sound: the first reading of each, without tone, and which are taken for each other."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib.resources import files

_SYLLABLE = re.compile("(zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]?)(.*)")
_INITIALS = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "h": "f"}
"""Initials that many speakers do not tell apart, each beside the other one of its pair."""
_FINALS = {"ang": "an", "eng": "en", "ing": "in", "uang": "uan", "iang": "ian"}


@cache
def _readings() -> dict[str, str]:
    text = files("edgefn.arguments").joinpath("pinyin.txt").read_text(encoding="utf-8")
    lines = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {character: syllable for syllable, characters in lines for character in characters}


def syllable(character: str) -> str:
    """Return the first reading of a character, such as "lv"; "" where none is known."""
    return _readings().get(character, "")


def syllables(text: str) -> tuple[str, ...]:
    """Return the reading of every character; a character without one stands for itself."""
    return tuple(syllable(character) or character for character in text)


@lru_cache(maxsize=8192)
def likeness(first: str, second: str) -> float:
    """Return how alike two characters sound: 1 the same syllable, 0.5 easily confused in one part of it, 0 otherwise.

    Confused are z/zh, c/ch, s/sh, l/n and f/h at the beginning, n and ng at the end.
    """
    one, other = syllable(first), syllable(second)
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    return 0.5 if _blurred(one) == _blurred(other) else 0.0


@cache
def _blurred(reading: str) -> tuple[str, str]:
    found = _SYLLABLE.fullmatch(reading)
    initial, final = found.groups() if found else ("", reading)
    return _INITIALS.get(initial, initial), _FINALS.get(final, final)
