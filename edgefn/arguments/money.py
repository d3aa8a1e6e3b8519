"""Sums of money: a symbol before the number, and what is said after the unit."""

from __future__ import annotations

import re
from decimal import Decimal

from edgefn.arguments.numbers import leading_exact

_Sum = tuple[int | Decimal, str]  # an amount and its currency

_SYMBOL = re.compile(r"(-)?(us\$|\$|€|£|¥|rmb|cny|usd|eur|gbp|jpy|人民币|美元|欧元|英镑|日元)\s?(?=[-\d.一-鿿])")
_CURRENCY = {
    **dict.fromkeys(("us$", "$", "usd", "美元"), "dollar"),
    **dict.fromkeys(("€", "eur", "欧元"), "euro"),
    **dict.fromkeys(("£", "gbp", "英镑"), "pound"),
    **dict.fromkeys(("¥", "rmb", "cny", "人民币"), "yuan"),
    **dict.fromkeys(("jpy", "日元"), "yen"),
}
_MINOR = {
    "dollar": ("", "cent", "cents", "c", "美分"),
    "euro": ("", "cent", "cents", "c", "euro cents", "欧分"),
    "pound": ("", "pence", "penny", "p", "便士"),
}
_DIGIT = "[一二两三四五六七八九1-9]"
_JIAO_FEN = re.compile(f"零?(?:(?P<jiao>{_DIGIT})[毛角])?零?(?:(?P<fen>{_DIGIT})分?)?钱?")
_DIGITS = {**{character: value for value, character in enumerate("一二三四五六七八九", 1)}, "两": 2}


def currency_before(spoken: str) -> tuple[str, str] | None:
    """Return the currency whose symbol `spoken` begins with, and the amount's text; the sign may come first."""
    match = _SYMBOL.match(spoken)
    if match is None:
        return None
    return _CURRENCY[match[2]], (match[1] or "") + spoken[match.end() :]


def with_minor(value: int | Decimal, currency: str, after: str) -> _Sum | None:
    """Add what is said after a whole amount: "five euros fifty", "two dollars and five cents", 三块二毛五."""
    if not isinstance(value, int):
        return None
    if currency == "yuan":
        return _with_jiao(value, after)
    found = leading_exact(after.removeprefix("and "))
    if found is None or currency not in _MINOR:
        return None
    minor, rest = found
    if not isinstance(minor, int) or not 0 < minor < 100 or rest not in _MINOR[currency]:
        return None
    part = Decimal(minor) / 100
    return (value - part if value < 0 else value + part), currency


def _with_jiao(value: int, after: str) -> _Sum | None:
    match = _JIAO_FEN.fullmatch(after)
    if match is None or not (match["jiao"] or match["fen"]):
        return None
    jiao, fen = (int(_DIGITS.get(digit, digit)) if (digit := match[name]) else 0 for name in ("jiao", "fen"))
    part = Decimal(jiao) / 10 + Decimal(fen) / 100
    return (value - part if value < 0 else value + part), "yuan"
