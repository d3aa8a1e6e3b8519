"""Values and calls in words, English and Chinese: what a person hears back, and what a person agrees to.

A language is a tag such as "en" or "zh-CN": every kind of Chinese is said in Chinese, everything else in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from itertools import islice
from typing import Any, Literal

from edgefn.arguments.normal import is_chinese

LONGEST = 200
"""Characters of a value that is neither text nor known: what is longer is cut."""
_LONGEST_LABEL = 40
_MOST_ITEMS = 50
_DEEPEST = 4

# Not from strftime, which asks the locale of the process.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_UNITS = ((86_400_000_000, "day", "天"), (3_600_000_000, "hour", "小时"), (60_000_000, "minute", "分钟"))
_FIRST_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])|(?<=[。！？])|\n")
_POINTS = " .!?:;,。！？：；，"


def language_of(text: str) -> Literal["en", "zh"]:
    """Return "zh" where `text` holds a Chinese character, else "en"."""
    return "zh" if is_chinese(text) else "en"


def say(value: Any, language: str) -> str:
    """Return `value` in words: "10 minutes", 2026年11月21日, "a, b and c"; text stays as it is. Never raises."""
    try:
        return _say(value, _is_zh(language), _DEEPEST)
    except Exception:  # a stranger's __str__ may raise anything, and so may its other methods
        return _kind(value)


def describe_call(
    description: str, name: str, arguments: Mapping[str, Any], labels: Mapping[str, str], language: str | None
) -> str:
    """Return what a call will do, for a person who must agree to it.

    `description` and `name` are the tool's, `labels` says what each argument is; a language of None is that of the
    description. A value is shown as one line, and cut where it is long, so that it can hide nothing.
    """
    what = _FIRST_SENTENCE.split(description.strip(), maxsplit=1)[0].rstrip(_POINTS) or _spaced(name)
    chosen = language_of(what) if language is None else language
    colon, semicolon, around = ("：", "；", "（{}）") if _is_zh(chosen) else (": ", "; ", " ({})")
    said = (f"{_label(key, labels)}{colon}{_one_line(say(value, chosen))}" for key, value in arguments.items())
    return what + (around.replace("{}", semicolon.join(said)) if arguments else "")


def ask_consent(what: str, language: str) -> str:
    """Turn what will happen into the question that asks for it."""
    what = what.rstrip(_POINTS)
    if _is_zh(language):
        return f"{what}。确定吗？"
    return f"{what[:1].upper()}{what[1:]}. Shall I go ahead?"


def _is_zh(language: str) -> bool:
    return re.match(r"zh(?![a-z])", language, re.I) is not None


def _label(name: str, labels: Mapping[str, str]) -> str:
    label = labels.get(name, "").strip().rstrip(_POINTS)
    return label if 0 < len(label) <= _LONGEST_LABEL else _spaced(name)


def _spaced(name: str) -> str:
    return name.replace("_", " ").strip() or name


# ---- values ----------------------------------------------------------------------------------------------


def _say(value: Any, zh: bool, depth: int) -> str:
    if value is None:
        return "无" if zh else "nothing"
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if isinstance(value, Enum):
        return str.__str__(value.value) if isinstance(value.value, str) else _spaced(str(value.name))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, timedelta):
        return _duration(value, zh)
    if isinstance(value, date | time):
        return _moment(value, zh)
    if isinstance(value, list | tuple | set | frozenset | Mapping):
        return _many(value, zh, depth - 1) if depth else _kind(value)
    return _other(value)


def _float(value: float) -> str:
    """Write 15 digits, what a double holds for certain: 0.1 + 0.2 is 0.3."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"


def _duration(length: timedelta, zh: bool) -> str:
    total = length // timedelta(microseconds=1)  # as a number: -timedelta.min does not fit a timedelta
    rest, parts = abs(total), []
    for size, unit, unit_zh in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit_zh}" if zh else _counted(str(count), unit))
    if rest or not total:
        seconds = "{}.{:06}".format(*divmod(rest, 1_000_000)).rstrip("0").rstrip(".")
        parts.append(f"{seconds}秒" if zh else _counted(seconds, "second"))
    sign = ("负" if zh else "minus ") if total < 0 else ""
    return sign + ("".join(parts) if zh else _joined(parts, zh))


def _counted(count: str, unit: str) -> str:
    return f"{count} {unit}" if count == "1" else f"{count} {unit}s"


def _moment(value: date | time, zh: bool) -> str:
    if isinstance(value, time):
        return _clock(value)
    english = f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    day = f"{value.year}年{value.month}月{value.day}日" if zh else english
    if not isinstance(value, datetime):
        return day
    return f"{day}{'' if zh else ' at '}{_clock(value)}"


def _clock(value: datetime | time) -> str:
    """Write hours and minutes, seconds where there are any, and the offset where one is known."""
    shown = f"{value.hour:02}:{value.minute:02}" + (f":{value.second:02}" if value.second else "")
    if value.tzinfo is None:
        return shown
    offset = value.isoformat()[len(value.replace(tzinfo=None).isoformat()) :]
    return f"{shown} UTC{'' if offset == '+00:00' else offset}" if offset else shown


def _many(values: Iterable[Any], zh: bool, depth: int) -> str:
    """Join items in words; a set has no order, so it is said in that of its words."""
    if isinstance(values, Mapping):
        colon = "：" if zh else ": "
        members = islice(values.items(), _MOST_ITEMS)
        said = [f"{_say(key, zh, depth)}{colon}{_say(value, zh, depth)}" for key, value in members]
    else:
        said = [_say(value, zh, depth) for value in islice(values, _MOST_ITEMS)]
    more = len(values) - len(said)  # type: ignore[arg-type]
    if isinstance(values, set | frozenset):
        said.sort()
    if more:
        said.append(f"另外{more}项" if zh else f"{more} more")
    return _joined(said, zh)


def _joined(parts: list[str], zh: bool) -> str:
    if len(parts) < 2:
        return parts[0] if parts else _say(None, zh, 0)
    return f"{('、' if zh else ', ').join(parts[:-1])}{'和' if zh else ' and '}{parts[-1]}"


def _other(value: object) -> str:
    if type(value).__str__ is object.__str__ and type(value).__repr__ is object.__repr__:
        return _kind(value)  # an address in memory says nothing
    return _one_line(str(value)) or _kind(value)


def _one_line(text: str) -> str:
    """Return printable `text` with single spaces, cut at `LONGEST` characters."""
    cut = text[: 10 * LONGEST]
    line = " ".join("".join(char if char.isprintable() else " " for char in cut).split())
    return line if len(line) <= LONGEST and len(cut) == len(text) else f"{line[: LONGEST - 1]}…"


def _kind(value: object) -> str:
    return f"<{type(value).__name__}>"


_ASKS = re.compile(
    r"(?:how|what|which|who|whom|whose|when|where|why|is|are|do|does|did|should|shall|can|could|will|would)\b",
    re.I,
)


def question(name: str, description: str) -> str:
    """Turn a description into a question: "the city to look up." is "What is the city to look up?"."""
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z])|;", description.strip())[0].rstrip(" .!?:\u3002\uff01\uff1f")
    name, word = name.replace("_", " "), first.split(" ")[0].lower()
    if not first:
        return f"Which {name}?"
    if not word.isascii():  # another language: its own words, and no English around them
        return f"{first}\uff1f" if re.search("[\u3040-\u9fff]", first) else f"{first}?"
    if _ASKS.match(first):
        return f"{first[0].upper()}{first[1:]}?"
    if word in ("the", "a", "an", "your", "this"):
        return f"What is {first[0].lower()}{first[1:]}?"
    return f"Yes or no: {first}?" if word in ("whether", "if", "true") else f"Which {name}: {first}?"
