"""When: a day and a time, a time alone, or a delay, as one datetime."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from edgefn.arguments.dates import find_date
from edgefn.arguments.durations import read_delay
from edgefn.arguments.normal import MAX_CHARACTERS, normalise
from edgefn.arguments.times import HOUR, NOW, Clock, next_at, read_clock

_ISO = re.compile(r"\d{4}-\d\d-\d\d[t ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?")
_JOINT = re.compile(r"\bon\b(?! the dot)|,|的|^at the |(?:\bthe|\bof|\bin)$")
_SEVEN = 7 * HOUR


def read_moment(text: str, now: datetime) -> datetime | None:
    """Read a moment; None if it is none, as a day alone is. A time alone is the next one after `now`.

    Raises:
        ValueError: it is a moment that cannot be, or two.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    text = normalise(text)
    if text in NOW:
        return now
    try:
        if _ISO.fullmatch(text):
            return datetime.fromisoformat(text.upper()).replace(tzinfo=now.tzinfo)
        delay = read_delay(text)
        if delay is not None:
            return now + delay
        return _day_and_time(text, now)
    except OverflowError as exc:
        raise ValueError("the calendar does not reach that moment") from exc


def _day_and_time(text: str, now: datetime) -> datetime | None:
    """Read a day and a time, in either order, or a time alone."""
    found = find_date(text, now.date())
    if found is None:
        clock = read_clock(text)
        return next_at(clock, now) if clock else None
    day, rest = found
    clock = read_clock(" ".join(_JOINT.sub(" ", rest).split()))
    return _at(day, clock, now) if clock else None


def _at(day: date, clock: Clock, now: datetime) -> datetime:
    """Return the moment of `day` that `clock` says.

    Where it says no half of the day: today the half that is still to come; on another day one to six in the afternoon,
    seven to twelve as said.
    """
    if clock.known:
        time, later = clock.known
        return datetime.combine(day + timedelta(days=later), time, now.tzinfo)
    morning, afternoon = (datetime.combine(day, half, now.tzinfo) for half in clock.halves)
    if day == now.date() and (morning > now or afternoon > now):
        return morning if morning > now else afternoon
    return afternoon if clock.seconds < _SEVEN else morning
