"""Chinese numerals: sections of 千百十 under 万 and 亿, digits read one by one, fractions, halves and dozens.

What a speaker leaves out is filled in: 两百五 is 250, 一万二 is 12000, 一百一 is 110. Digits may stand for any
numeral: 3万, 1万2, 3.5亿.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from edgefn.arguments.digits import Literal, read_literal

_Found = tuple[int | Decimal, int]  # a value and where it ends

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {
    **{character: value for value, character in enumerate("壹贰叁肆伍陆柒捌玖", 1)},
    "〇": 0,
    "两": 2,
}
_SMALL_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_UNITS = _SMALL_UNITS | {"万": 10**4, "亿": 10**8}
_SCALE = re.compile("[百千]?万?亿?")
_DIGIT = "零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖"
_DIGIT_STRING = re.compile(f"[{_DIGIT}]{{2,}}(?![十百千万亿拾佰仟])")
_PLACES = re.compile(f"点([{_DIGIT}]+|[0-9]+)(?![0-9十拾刻])", re.ASCII)
_NEIGHBOURS = "[一两]二|一两|二三|两三|三[四五]|四五|五六|六七|七八|八九"
_ABOUT = re.compile(f"(?<![{_DIGIT}两点.0-9])(?:{_NEIGHBOURS})(?![{_DIGIT}两点])")
_RUN = re.compile(f"[{_DIGIT}两十百千万亿拾佰仟点0-9.]*")
_BARE_UNITS = {"百": 100, "千": 1000, "万": 10_000}
_TOGETHER = {"俩": 2, "仨": 3}


@dataclass
class _Sections:
    """A numeral as read so far, from its largest unit down."""

    above: int | Decimal = 0
    """What is complete in units of 亿."""
    middle: int | Decimal = 0
    """What is complete in units of 万, below `above`."""
    section: int | Decimal = 0
    """What is complete in units of 千, 百 and 十, below `middle`."""
    digit: int | Decimal | None = None
    """A digit that no unit has followed yet."""
    unit: int = 0
    """The unit that stands right before `digit`; 0 at the start and after 零."""
    ceiling: int = 10_000
    """The units of this section must stay below it."""
    zero: bool = False
    """Whether 零 was the last character."""

    @property
    def total(self) -> int | Decimal:
        """The whole value; a last digit without its unit takes a tenth of the unit before it."""
        digit = self.digit or 0
        if self.unit >= 100 and digit < 10:
            digit *= self.unit // 10
        return self.above + self.middle + self.section + digit

    def below(self, limit: int) -> int | Decimal:
        """What stands before a 万 or 亿 as a count of it; 0 if nothing does."""
        count = self.section + (self.digit or 0)
        return count + self.middle if limit == 10**8 else count


def leading_chinese(text: str) -> tuple[int | Decimal, int] | None:
    """Return the longest number that normalised Chinese `text` begins with, and where it ends.

    A trailing 个 is left unless 半 follows it. ValueError for 三四, 十五六: two numbers are said.
    """
    negative = text[:1] in ("负", "-")
    start = int(negative or text[:1] == "+")
    _refuse_about(text, start)
    found = _together(text, start) or _numeral(text, start)
    if found is None:
        return None
    return (-found[0] if negative else found[0]), found[1]


def _refuse_about(text: str, start: int) -> None:
    """Raise ValueError if the numeral at `start` holds two neighbouring digits as one guess."""
    run = _RUN.match(text, start)
    about = _ABOUT.search(text, start, run.end()) if run else None
    if about is not None:
        raise ValueError(f"{about[0]!r} says two numbers where one is asked")


def _together(text: str, start: int) -> _Found | None:
    """Read 半, 一半, 半个 as a half, 半打 as six, 俩 and 仨."""
    if text[start : start + 1] in _TOGETHER:
        return _TOGETHER[text[start]], start + 1
    after = start + 1 if text.startswith("一半", start) else start
    if not text.startswith("半", after):
        return None
    if text.startswith("打", after + 1):
        return 6, after + 2
    return Decimal("0.5"), after + 1


def _numeral(text: str, start: int) -> _Found | None:
    """Read a numeral and what may follow it: 分之, 点, 打, 个半."""
    bare = text[start : start + 1] in _BARE_UNITS and text.startswith("分之", start + 1)
    whole = (_BARE_UNITS[text[start]], start + 1) if bare else _cardinal(text, start)
    if whole is not None and text.startswith(("分之", "又"), whole[1]):
        return _fraction(text, *whole) or (None if bare else whole)
    if whole is None:
        return _followed(text, 0, start) if _PLACES.match(text, start) else None
    return _followed(text, *whole)


def _fraction(text: str, value: int | Decimal, end: int) -> _Found | None:
    """Read on from 三 in 三分之二 and from 二 in 二又三分之一; 百分之 is a percentage, no number."""
    if text.startswith("又", end):
        bottom = _cardinal(text, end + 1)
        part = _fraction(text, *bottom) if bottom is not None and text.startswith("分之", bottom[1]) else None
        return (value + part[0], part[1]) if part is not None else None
    top = _cardinal(text, end + 2) if value not in (0, 100) else None
    return (Decimal(top[0]) / Decimal(value), top[1]) if top is not None else None


def _followed(text: str, value: int | Decimal, end: int) -> _Found:
    """Read on after a numeral: decimal places and 万 or 亿 after them, 打, 个半."""
    places = _PLACES.match(text, end) if isinstance(value, int) else None
    if places is not None:
        digits = "".join(str(_DIGITS.get(character, character)) for character in places[1])
        return _scaled(text, Decimal(f"{value}.{digits}"), places.end())
    if text.startswith("打", end) and not text.startswith("开", end + 1):
        return value * 12, end + 1
    if text.startswith("个半", end) and value == int(value):
        return value + Decimal("0.5"), end + 2
    return value, end


def _scaled(text: str, value: Decimal, end: int) -> _Found:
    """Read on after decimal places: 三点五万, 一点二亿."""
    match = _SCALE.match(text, end)
    for character in match[0] if match else "":
        value *= _UNITS[character]
    return value, end + (len(match[0]) if match else 0)


def _cardinal(text: str, start: int) -> _Found | None:
    """Read a whole numeral, or digits one by one (二零二六)."""
    string = _DIGIT_STRING.match(text, start)
    if string is not None:
        return int("".join(str(_DIGITS[character]) for character in string[0])), string.end()
    state = _Sections()
    best: _Found | None = None
    at = start
    while at < len(text):
        literal = read_literal(text, at) if "0" <= text[at] <= "9" or text[at] == "." else None
        taken = _take_literal(state, literal) if literal else _take(state, text[at], text[at + 1 : at + 2])
        if not taken:
            break
        at = literal.end if literal else at + 1
        if _complete(state, text[at - 1], first=at - 1 == start):
            best = state.total, at
    return best


def _complete(state: _Sections, last: str, first: bool) -> bool:
    """Say whether a number may end after the character `last`; 零 ends none but 0, and 两 is a count of its own."""
    if last in "零〇":
        return first
    return last != "两" or first


def _take_literal(state: _Sections, literal: Literal) -> bool:
    """Take digits as a numeral: any number before 万 and 亿, and any that fits below them."""
    if state.digit is not None or (state.section and literal.value >= state.ceiling):
        return False
    state.digit, state.zero = literal.value, False
    if literal.value >= 10:
        state.unit = 0
    return True


def _take(state: _Sections, character: str, after: str) -> bool:
    """Take one character into `state`, `after` being the next; False if no number goes on with it."""
    if character in "零〇":
        return _take_zero(state)
    if character in _DIGITS:
        if state.digit is not None:
            return False
        state.digit, state.zero = _DIGITS[character], False
        return True
    if character in _SMALL_UNITS:
        return _take_small(state, _SMALL_UNITS[character], bare=state.total == 0 and after in ("万", "亿"))
    if character in "万亿":
        return _take_large(state, 10**4 if character == "万" else 10**8)
    return False


def _take_zero(state: _Sections) -> bool:
    if state.zero or state.digit is not None:
        return False
    if state.total == 0:
        state.digit = 0
        return True
    state.zero, state.unit = True, 0
    if state.ceiling < 10_000:
        state.ceiling //= 10
    return True


def _take_small(state: _Sections, unit: int, bare: bool) -> bool:
    """Take 十, 百 or 千 after its digit; 十 may be without one, `bare` says that 百 and 千 may."""
    if unit >= state.ceiling or state.digit == 0 or (state.digit or 0) >= 10:
        return False
    count = state.digit
    if count is None:
        if unit != 10 and not bare:
            return False
        count = 1
    state.section += count * unit
    state.digit, state.unit, state.ceiling, state.zero = None, unit, unit, False
    return True


def _take_large(state: _Sections, unit: int) -> bool:
    """Take 万 or 亿 after its section; 万亿 is 亿 counted in 万."""
    if state.above if unit == 10**8 else state.middle:
        return False
    count = state.below(unit)
    if not count or state.zero:
        return False
    if unit == 10**4:
        state.middle = count * unit
    else:
        state.above, state.middle = count * unit, 0
    state.section, state.digit, state.unit, state.ceiling, state.zero = 0, None, unit, 10_000, False
    return True
