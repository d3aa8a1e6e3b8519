"""Small numbers in words as figures, everywhere in a text: what clock times and dates are read from.

"half past twenty third of march" means nothing, but becomes "half past 23rd of march": the grammars judge, not this.
"""

from __future__ import annotations

import re

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ONES_TH = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_TEENS_TH = [
    *["tenth", "eleventh", "twelfth", "thirteenth", "fourteenth"],
    *["fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"],
]
_TENS_TH = ["twentieth", "thirtieth"]

_CARDINALS = {word: n for n, word in enumerate(["zero", *_ONES, *_TEENS])} | {
    word: n for n, word in zip(range(20, 100, 10), _TENS, strict=True)
}
_ORDINALS = {word: n for n, word in enumerate([*_ONES_TH, *_TEENS_TH], start=1)} | {"twentieth": 20, "thirtieth": 30}

_HYPHEN = re.compile("(?<=[a-z])-(?=[a-z])")
_ENGLISH = re.compile(
    rf"\b(?:({'|'.join(_TENS)})(?: ({'|'.join(_ONES)})| ({'|'.join(_ONES_TH)}))?"
    rf"|({'|'.join(['zero', *_ONES, *_TEENS])})|({'|'.join([*_ONES_TH, *_TEENS_TH, *_TENS_TH])}))\b"
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}

_DIGITS = {character: str(n) for n, character in enumerate("零一二三四五六七八九")} | {"〇": "0", "两": "2"}
_CHINESE = re.compile("(?<=[周期拜])([一二三四五六])|[零〇一二两三四五六七八九十]+")


def english_figures(text: str) -> str:
    """Return normalised `text` with the number words up to ninety nine as figures, ordinals as "23rd"."""
    return _ENGLISH.sub(_english, _HYPHEN.sub(" ", text) if "-" in text else text)


def chinese_figures(text: str) -> str:
    """Return normalised `text` with the Chinese numbers up to 99, and years said digit by digit, as figures.

    The day of 周五 is a number of its own, with a space behind it: 周五二十号 is 周5 20号. Two digits side by side
    (三四点) stay as they are.
    """
    return _CHINESE.sub(_chinese, text)


def _english(found: re.Match[str]) -> str:
    """Return the figures of one number in words."""
    tens, one, one_th, small, small_th = found.groups()
    if small:
        return str(_CARDINALS[small])
    if small_th or one_th:
        n = _ORDINALS[small_th] if small_th else _CARDINALS[tens] + _ORDINALS[one_th]
        return f"{n}{'th' if 10 < n < 20 else _ENDINGS.get(n % 10, 'th')}"
    return str(_CARDINALS[tens] + (_CARDINALS[one] if one else 0))


def _chinese(found: re.Match[str]) -> str:
    """Return the figures of one Chinese number: 二十三, 零五, 二零二六; what is none stays as it is."""
    said = found[0]
    if found[1]:
        return f"{_DIGITS[said]} "
    before, ten, after = said.partition("十")
    if ten:
        if len(before) > 1 or len(after) > 1 or set(before + after) & {"零", "〇", "十"}:
            return said
        return _DIGITS.get(before, "1") + _DIGITS.get(after, "0")
    if len(said) in (1, 4) or (said[0] in "零〇" and len(said) == 2):
        return "".join(_DIGITS[character] for character in said)
    return said
