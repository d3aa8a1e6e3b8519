"""English number words: a phrase becomes tokens, and tokens become scaled groups.

number   = ["minus"] (fraction [["of"] ["a"] scale] | cardinal [and-fraction | decimals] [scale])
cardinal = group scale ["and"] group scale ... group      scales strictly descending
group    = ["a" | 1..99] "hundred" ["and"] 1..99 | 1..99 | digits | "a couple of"
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from edgefn.arguments.digits import read_literal

_Found = tuple[int | Decimal, int]  # a value and the index of the token after it

_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_PARTS = {
    **{"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8},
    **{"ninth": 9, "tenth": 10, "twelfth": 12, "sixteenth": 16, "hundredth": 100, "thousandth": 1000},
}
_SCALES = {
    **{"thousand": 10**3, "lakh": 10**5, "million": 10**6, "crore": 10**7, "billion": 10**9, "bn": 10**9},
    **{"trillion": 10**12, "dozen": 12},
}
_WORDS: dict[str, tuple[str, int]] = {
    **{word: ("one", value) for value, word in enumerate(_ONES, 1)},
    **{word: ("teen", value) for value, word in enumerate(_TEENS, 10)},
    **{word: ("tens", value * 10) for value, word in enumerate(_TENS, 2)},
    **{word: ("part", value) for word, value in _PARTS.items()},
    **{word + "s": ("parts", value) for word, value in _PARTS.items() if word != "half"},
    **{word: ("scale", value) for word, value in _SCALES.items()},
    **{word: ("zero", 0) for word in ("zero", "nought", "naught")},
    **{word: ("minus", -1) for word in ("minus", "negative")},
    **{word: ("article", 1) for word in ("a", "an")},
    **{word: (word, 0) for word in ("and", "of", "point")},
    "fourty": ("tens", 40),
    "halves": ("parts", 2),
    "hundred": ("hundred", 100),
    "couple": ("couple", 2),
}
_GAP_AND_WORD = re.compile(r"(?P<gap>, | ?-(?=[a-z])| )?(?P<word>[a-z]+)?")
_ATTACHED_THOUSANDS = re.compile(r"k(?![a-z/])")


class _Token(NamedTuple):
    kind: str
    value: int | Decimal
    text: str
    end: int


_END = _Token("end", 0, "", 0)


def leading_english(text: str) -> tuple[int | Decimal, int] | None:
    """Return the longest number that normalised English `text` begins with, and where it ends."""
    tokens = _tokens(text)
    negative = tokens[0].kind == "minus"
    found = _number(tokens, int(negative))
    if found is None:
        return None
    value, after = found
    return (-value if negative else value), tokens[after - 1].end


def _tokens(text: str) -> list[_Token]:
    """Cut the words and digits of numbers off the start of `text`; the first other word ends the list."""
    tokens: list[_Token] = []
    start = 0
    if text[:1] in ("-", "+"):
        tokens = [_Token("minus", -1, "-", 1)] if text[0] == "-" else []
        start = 1
    while match := _GAP_AND_WORD.match(text, start):
        if word := match["word"]:
            if word not in _WORDS:
                break
            tokens.append(_Token(*_WORDS[word], word, match.end()))
            start = match.end()
            continue
        literal = read_literal(text, match.end())
        if literal is None or (tokens and not match["gap"] and tokens[-1].text != "-"):
            break
        tokens.append(_Token(literal.kind, literal.value, literal.text, literal.end))
        start = literal.end
        if literal.value < 1000 and _ATTACHED_THOUSANDS.match(text, start):  # 2700k is a colour temperature
            start += 1
            tokens.append(_Token("scale", 1000, "k", start))
    tokens.append(_END)
    return tokens


def _number(tokens: list[_Token], at: int) -> _Found | None:
    """Read an unsigned number."""
    fraction = _fraction(tokens, at)
    if fraction is not None:
        return _scaled_fraction(tokens, *fraction)
    cardinal = _cardinal(tokens, at)
    if cardinal is None:
        return _decimals(tokens, 0, at)
    value, after = cardinal
    decimal = _decimals(tokens, value, after)
    if decimal is not None:
        return decimal
    return _with_fraction(tokens, value, after) or cardinal


def _fraction(tokens: list[_Token], at: int) -> _Found | None:
    """Read "half", "a quarter", "two thirds", "three quarter", "1/2"; "third" alone is an ordinal."""
    first = tokens[at]
    if first.kind == "fraction":
        return first.value, at + 1
    if first.kind == "part":
        return (Decimal(1) / first.value, at + 1) if first.text in ("half", "quarter") else None
    if first.kind not in ("article", "one", "teen", "integer"):
        return None
    part = tokens[at + 1]
    fits = "part" if first.value == 1 else "parts"
    if part.kind == fits or (part.text == "quarter" and part.kind == "part"):
        return Decimal(first.value) / part.value, at + 2
    return None


def _scaled_fraction(tokens: list[_Token], value: int | Decimal, at: int) -> _Found:
    """Read on after a fraction: "half a million", "three quarters of a million", "half a dozen"."""
    after = at
    if tokens[after].kind == "of":
        after += 1
    if tokens[after].kind == "article":
        after += 1
    if tokens[after].kind in ("scale", "hundred"):
        return value * tokens[after].value, after + 1
    return value, at


def _with_fraction(tokens: list[_Token], value: int | Decimal, at: int) -> _Found | None:
    """Read on after a cardinal: "and a half", "and three quarters million", "1/2"."""
    start = at + 1 if tokens[at].kind == "and" else at
    fraction = _fraction(tokens, start) if start > at or tokens[at].kind == "fraction" else None
    if fraction is None or value != int(value):
        return None
    part, after = fraction
    last = tokens[at - 1]
    if last.kind == "scale" and (last.value >= 10**6 or last.text == "dozen"):  # "two million and a half"
        return value + part * last.value, after
    mixed = value + part
    if last.kind not in ("scale", "hundred") and tokens[after].kind in ("scale", "hundred"):
        return mixed * tokens[after].value, after + 1
    return mixed, after


def _decimals(tokens: list[_Token], whole: int | Decimal, at: int) -> _Found | None:
    """Read on from "point": digits one by one, or in twos ("point fourteen"), then perhaps a scale."""
    if tokens[at].kind != "point" or not isinstance(whole, int):
        return None
    places = ""
    after = at + 1
    while tokens[after].kind in ("zero", "one", "teen", "tens", "integer"):
        token = tokens[after]
        places += token.text if token.kind == "integer" else str(token.value)
        after += 1
        if token.kind == "tens" and tokens[after].kind == "one":
            places = places[:-1] + str(tokens[after].value)
            after += 1
    if not places:
        return None
    value = Decimal(f"{whole}.{places}")
    if tokens[after].kind in ("scale", "hundred"):
        return value * tokens[after].value, after + 1
    return value, after


def _cardinal(tokens: list[_Token], at: int) -> _Found | None:
    """Read groups with descending scales: "three million two hundred thousand and one"."""
    total: int | Decimal = 0
    limit: int | Decimal | None = None  # what the next group must stay below
    after = at
    while True:
        start = after
        if limit is not None and tokens[start].kind == "and":
            start += 1
            if _fraction(tokens, start) is not None:
                break
        found = _group(tokens, start, first=limit is None)
        if found is None:
            break
        group, end = found
        scale = _scale(tokens, group, end, limit)
        if limit is not None and group * scale >= limit:
            break
        total += group * scale
        after, limit = (end + 1, scale) if scale > 1 else (end, 1)
        if scale <= 12:  # a group without a scale is the last one, a dozen takes nothing after it
            break
    return (total, after) if limit is not None else None


def _scale(tokens: list[_Token], group: int | Decimal, at: int, limit: int | Decimal | None) -> int | Decimal:
    """Return the scale word's worth that stands at `at` and fits, else 1."""
    token = tokens[at]
    written = tokens[at - 1].kind in ("integer", "decimal")
    if token.kind != "scale" or (group >= 1000 and not written):
        return 1
    return token.value if limit is None or token.value < limit else 1


def _group(tokens: list[_Token], at: int, first: bool) -> _Found | None:
    """Read what one scale multiplies; a bare "hundred" or "thousand" counts once at the start of a number."""
    token = tokens[at]
    nxt = tokens[at + 1] if at + 1 < len(tokens) else _END
    if token.kind == "zero" and first:
        return 0, at + 1
    if token.kind == "article" and nxt.kind == "couple":
        return _couple(tokens, at + 1) if first else None
    if token.kind == "couple":
        return _couple(tokens, at) if first else None
    if token.kind == "scale":
        return (1, at) if first else None
    if token.kind == "article":
        return (1, at + 1) if nxt.kind == "scale" and first else _hundreds(tokens, 1, at + 1)
    if token.kind == "hundred":
        return _hundreds(tokens, 1, at) if first else None
    if token.kind == "decimal":
        return (token.value * 100, at + 2) if nxt.kind == "hundred" else (token.value, at + 1)
    below = _below_hundred(tokens, at)
    if below is None:
        return None
    return _hundreds(tokens, *below) or below


def _couple(tokens: list[_Token], at: int) -> _Found:
    """Read "couple", "couple of", "couple hundred"."""
    after = at + 2 if tokens[at + 1].kind == "of" else at + 1
    return _hundreds(tokens, 2, after) or (2, after)


def _hundreds(tokens: list[_Token], count: int | Decimal, at: int) -> _Found | None:
    """Read on from "hundred": "hundred", "hundred five", "hundred and five"."""
    if tokens[at].kind != "hundred":
        return None
    after = at + 1
    start = after + 1 if tokens[after].kind == "and" else after
    rest = _below_hundred(tokens, start)
    if rest is None or rest[0] >= 100 or (start > after and _fraction(tokens, start) is not None):
        return count * 100, after
    return count * 100 + rest[0], rest[1]


def _below_hundred(tokens: list[_Token], at: int) -> _Found | None:
    """Read 1 to 99 in words, or an integer in digits."""
    token = tokens[at]
    if token.kind == "tens" and tokens[at + 1].kind == "one":
        return token.value + tokens[at + 1].value, at + 2
    return (token.value, at + 1) if token.kind in ("one", "teen", "tens", "integer") else None
