"""Dates, times and durations as text: the string formats of JSON Schema, read strictly.

Two liberties that a device needs: a time may be without an offset (it is local), and a duration may be
negative or have fractions of a second.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_OFFSET = r"[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
_TIME = rf"(?:[01][0-9]|2[0-3]):[0-9]{{2}}(?::[0-9]{{2}}(?:\.[0-9]+)?)?(?:Z|{_OFFSET})?"
_DURATION = (
    r"(-?)P(?=[0-9T])(?:([0-9]+)W)?(?:([0-9]+)D)?"
    r"(?:T(?=[0-9])(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9]+)(?:[.,]([0-9]+))?S)?)?"
)


def _matched(pattern: str, text: str) -> str:
    """Return `text` in upper case if all of it matches; `fromisoformat` alone takes far more forms."""
    if not re.fullmatch(pattern, text.upper()):
        raise ValueError(f"not in the expected form: {text!r}")
    return text.upper()


def parse_date(text: str) -> date:
    """Read YYYY-MM-DD; ValueError for anything else."""
    return date.fromisoformat(_matched(_DATE, text))


def parse_time(text: str) -> time:
    """Read HH:MM, with seconds and an offset where given; ValueError for anything else."""
    return time.fromisoformat(_matched(_TIME, text))


def parse_datetime(text: str) -> datetime:
    """Read a date and a time joined by T or a space; ValueError for anything else."""
    return datetime.fromisoformat(_matched(f"{_DATE}[T ]{_TIME}", text))


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration, "PT10M"; ValueError for anything else, and for years and months."""
    match = re.fullmatch(_DURATION, text)
    if match is None:
        raise ValueError(f"not a duration of weeks, days, hours, minutes and seconds: {text!r}")
    weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups()[1:6])
    micro = int(((match[7] or "") + "000000")[:6])  # digits, not a float: 0.000001 stays exact
    sign = -1 if match[1] else 1
    try:
        length = timedelta(days=weeks * 7 + days, hours=hours, minutes=minutes, seconds=seconds)
        return sign * (length + timedelta(microseconds=micro))
    except OverflowError as exc:
        raise ValueError(f"longer than a timedelta can be: {text!r}") from exc


def format_duration(length: timedelta) -> str:
    """Write an ISO 8601 duration: `timedelta(minutes=10)` is "PT10M"."""
    sign = "-" if length < timedelta(0) else ""
    total = abs(length // timedelta(microseconds=1))  # as a number: -timedelta.min does not fit a timedelta
    days, rest = divmod(total, 86_400_000_000)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds = "{}.{:06}".format(*divmod(rest, 1_000_000)).rstrip("0").rstrip(".")
    clock = f"{hours}H" if hours else ""
    clock += f"{minutes}M" if minutes or (hours and rest) else ""  # RFC 3339 leaves no gap between H and S
    clock += f"{seconds}S" if rest or not total else ""
    return f"{sign}P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")


PARSERS: dict[str, Callable[[str], Any]] = {
    "date": parse_date,
    "time": parse_time,
    "date-time": parse_datetime,
    "duration": parse_duration,
}
"""Reader of every string format that edgefn writes."""
