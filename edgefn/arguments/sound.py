"""How an English word sounds, roughly: a key that homophones share or nearly share.

The method is Metaphone's (Philips 1990): spelling rules, tried in order at each letter, give one code per sound. Other
than Metaphone, vowels are kept, in coarse classes, and nothing is cut off, so that keys can be compared by distance:
unlike vowels and related consonants (p and b, t and d) are near, all others far.

    consonants  P B T D K G F V S X(sh) C(ch) J(j) Q(th) M N L R W Y H
    vowels      a e i o u, as in their names: A E I O; digits stand for themselves
"""

from __future__ import annotations

import re
from functools import lru_cache

from edgefn.arguments.edits import Costs

_RULES = (
    # silent beginnings and endings
    (r"\bkn|\bgn|\bpn", "N"),
    (r"\bwr|\brh", "R"),
    (r"\bps", "S"),
    (r"\bx", "S"),
    (r"\bwho", "Hu"),
    (r"\bmc", "MK"),
    (r"mb\b|mn\b", "M"),
    (r"gm\b", "M"),
    (r"gn\b", "N"),
    # consonants of several letters
    (r"(?<=[fs])t(?=en\b|le)", ""),
    (r"tch|(?<=[aeiou])tu(?=re|al)", "C"),
    (r"sch(?=[lmnrw])|(?<=s)sion|ch(?=ef|and|arl)", "X"),
    (r"sch", "SK"),
    (r"ch(?=[lr])", "K"),
    (r"ch", "C"),
    (r"sh|ti(?=on|a)|ci(?=a|ou|en)|ssi(?=on)|si(?=on)", "X"),
    (r"ph", "F"),
    (r"dge|dj|dg(?=[iy])", "J"),
    (r"th", "Q"),
    (r"wh", "W"),
    (r"qu", "KW"),
    (r"ck", "K"),
    (r"sc(?=[eiy])", "S"),
    (r"cc(?=[eiy])|x", "KS"),
    (r"ng(?=[^aeioury]|\b)", "NG"),
    # vowels of several letters
    (r"eigh|aigh", "A"),
    (r"igh", "I"),
    (r"augh|ough", "o"),
    (r"alk(?=s?\b|ed|ing)", "oK"),
    (r"al\b|aul|awl", "oL"),
    (r"ee|ea|ie(?=.)|ei|ey\b|y\b(?<=[a-z]{3})|i\b(?<=[a-z]{3})|i(?=[nq]ue?\b)", "E"),
    (r"ie\b|ye\b|y\b|uy\b|ui\b", "I"),
    (r"ai|ay|ae", "A"),
    (r"oa|oe|ow\b|o(?=ld|st\b)", "O"),
    (r"oo|ew|ue|ui|eu|ou(?=[lp])", "u"),
    (r"ou|ow", "aW"),
    (r"au|aw", "o"),
    (r"oi|oy", "oY"),
    (r"a(?=[^aeiouywrx]e)", "A"),
    (r"i(?=[^aeiouywrx]e)|y(?=[^aeiouywrx]e)|i(?=nd\b|ld\b)", "I"),
    (r"o(?=[^aeiouywrx]e)|o\b", "O"),
    (r"u(?=[^aeiouywrx]e)", "u"),
    (r"(?<=[^aeiou\b])e(?=s?\b)(?<=[a-z]{3})", ""),
    # letters
    (r"gh(?=[aeiouy])|gu(?=[eiy])", "G"),
    (r"gh", ""),
    (r"g(?=[eiy])", "J"),
    (r"c(?=[eiy])", "S"),
    (r"h(?![aeiouy])", ""),
    (r"w(?![aeiouyh])", ""),
    (r"y(?=[aeiou])", "Y"),
    (r"y", "i"),
    (r"[ckq]", "K"),
    (r"[sz]", "S"),
    (r"[bdfghjklmnprtvwaeiou0-9]", None),
)
"""(spelling, sound); None stands for the letter itself, in upper case where it is a consonant."""

_SPELLING = re.compile("|".join(f"({spelling})" for spelling, _ in _RULES))
_TWICE = re.compile(r"([^aeiou])\1+")
_VOWELS = frozenset("aeiouAEIO")
_ALIKE = {
    "KG": 0.4, "PB": 0.4, "TD": 0.4, "FV": 0.4, "SX": 0.5, "XC": 0.4, "XJ": 0.4, "CJ": 0.4, "GJ": 0.5, "SJ": 0.5,
    "QT": 0.4, "QF": 0.4, "QS": 0.5, "MN": 0.6, "VW": 0.6, "VB": 0.6, "KC": 0.6, "TC": 0.6, "YJ": 0.6,
}  # fmt: skip
_NEAR = {pair: cost for each, cost in _ALIKE.items() for pair in ((each[0], each[1]), (each[1], each[0]))}
DIGIT = 2.5
"""A digit is never a slip: bedroom 1 is not bedroom 2."""
_WEAK = {letter: 0.3 for letter in _VOWELS} | {"H": 0.4, "W": 0.5, "Y": 0.3, "R": 0.6, "G": 0.7, "T": 0.7, "D": 0.7}


@lru_cache(maxsize=512)
def key(word: str) -> str:
    """Return the sounds of a lower-case word; whatever is outside a-z and 0-9 is silent."""
    sounds = _SPELLING.sub(_sound, _TWICE.sub(r"\1", word) if len(word) > 3 else word)
    return _TWICE.sub(r"\1", "".join(filter(str.isalnum, sounds)))


def _sound(found: re.Match[str]) -> str:
    sound = _RULES[found.lastindex - 1][1] if found.lastindex else ""
    if sound is None:
        return found[0] if found[0] in _VOWELS else found[0].upper()
    return sound


@lru_cache(maxsize=4096)
def _swap(first: str, second: str) -> float:
    if first.isdigit() or second.isdigit():
        return DIGIT
    if first in _VOWELS:
        return 0.25 if second in _VOWELS else 1.0
    return _NEAR.get((first, second), 1.0)


def _gap(sound: str) -> float:
    return DIGIT if sound.isdigit() else _WEAK.get(sound, 1.0)


COSTS = Costs(extra=_gap, missing=_gap, swap=_swap, exchange=0.8, least=0.3)
"""What it costs to mishear one sound for another."""
