"""What time: "half past six", "5 p m", 下午三点 as a time of day.

A clock face says an hour twice a day. `Clock` is what was said of it; who knows the day decides which half was meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from edgefn.arguments.durations import read_delay
from edgefn.arguments.figures import chinese_figures, english_figures
from edgefn.arguments.normal import MAX_CHARACTERS, is_chinese, normalise

HOUR = 3600
HALF_DAY, DAY = 12 * HOUR, 24 * HOUR

_PARTS = {
    0: "am|凌晨|拂晓|黎明",
    1: "清晨|清早|早上|早晨|上午|早间|早|晨",
    10: "中午|正午",
    12: "pm|下午|午后|傍晚|黄昏",
    17: "晚上|晚间|夜晚|夜里|夜间|深夜|晚|夜",
    21: "半夜|午夜",
}
"""Chinese parts of a day by the hour at which their twelve hours begin: 晚上 of 五点 is 17:00, of 四点 04:00."""
_STARTS = tuple(_PARTS)
_CHINESE_PART = re.compile("(?:今天?)?(?:({}))".format(")|(".join(_PARTS.values())))
_ENGLISH_PARTS = {"a": 0, "p": 12, "morning": 0, "afternoon": 12, "evening": 16, "night": 17}
_ENGLISH_PART = re.compile(
    r"(?<![a-z])(?:([ap])\.? ?m\.?"
    r"|(?:early |late )?(?:(?:in |this )(?:the )?)?(?:early |late )?(morning|afternoon|evening)"
    r"|(?:late )?(?:at |to|in the )?(night))(?![a-z])"
)

_OCLOCK = r"(?: ?o ?'? ?clock| sharp| exactly| on the dot)"
_DIGITAL = re.compile(
    r"(?P<oh>(?:oh|o|0) )?(?P<hour>\d{1,2})(?:"
    r" ?[:. ] ?(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.0+)?)?"
    r"|(?P<h> ?h)(?: ?(?P<h_minute>\d\d)(?: ?m(?:in)?)?)?"
    r"| (?:oh|o|0) ?(?P<oh_minute>\d)|(?P<hundred> hundred(?: hours)?))?" + rf"(?P<oclock>{_OCLOCK})*"
)
_COMPACT = re.compile(r"(\d{1,2})(\d\d)(?: hours)?")
_SPOKEN = re.compile(
    r"(?:(?P<part>half|(?:a )?quarter)|(?P<minutes>\d{1,2})(?P<unit> min(?:ute)?s?)?)"
    r" (?P<side>past|after|to|till?|of|before)"
    rf" (?P<hour>\d{{1,2}}|noon|midday|midnight){_OCLOCK}*|half (?P<half>\d{{1,2}}){_OCLOCK}*"
)
_NAMED = {"noon": 12, "midday": 12, "midnight": 0}
_LEAD = re.compile(r"(?:(?:at|by|around|about|approximately|exactly|@) ?(?:the )?)+(?=[a-z0-9])")
_TWELVE = re.compile(r"\b12(?::00)? (?=noon|midday|midnight)")

_SHORT_OF = r"(?:(?P<{0}>\d{{1,2}})分?钟?|(?P<{0}_quarters>[13])刻钟?)"
_CHINESE = re.compile(
    r"[在于]?(?:差{}就?到?(?P<next>\d{{1,2}})点钟?整?"
    r"|(?P<hour>\d{{1,2}})[点时]钟?(?:整|(?P<half>半)|过?(?P<quarters>[123])刻钟?|还?差{}"
    r"|过?(?P<minute>\d\d(?!分)|\d{{1,2}}(?=分))分?(?:(?P<second>\d{{1,2}})秒)?)?"
    r"|(?P<digital>\d{{1,2}}):(?P<digital_minute>\d\d)(?::(?P<digital_second>\d\d))?)(?:左右|前后)?".format(
        _SHORT_OF.format("before"), _SHORT_OF.format("short")
    )
)

_CHOICE = re.compile(r" or | and |-|~|或者?|还是|到|至| to ")
_TWO_HOURS = re.compile("[一二两三四五六七八九]{2}[点时]")
NOW = frozenset({"now", "right now", "just now", "现在", "此刻"})


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as said."""

    seconds: int
    """Seconds since midnight; on a face, since twelve."""
    on_face: bool
    """Whether the hour was 1 to 12, which a clock face shows twice a day."""
    written: bool = False
    """Whether it was written as 24-hour times are ("06:30", "18h"), so that the first half of the day is meant."""
    start: int | None = None
    """The hour at which the twelve hours begin that were said with it ("pm", 晚上); None for nothing said."""

    @property
    def known(self) -> tuple[time, int] | None:
        """The time, and by how many days it is later than the day it was said of; None if it may be in either half."""
        if self.start is not None:
            start = self.start * HOUR
            days, seconds = divmod(start + (self.seconds - start) % HALF_DAY, DAY)
            if not self.on_face:
                days, seconds = int(self.seconds < start), self.seconds
            return as_time(seconds), days
        if not self.on_face or self.written:
            return as_time(self.seconds), 0
        return None

    @property
    def halves(self) -> tuple[time, time]:
        """Both times of day at which a clock face shows this."""
        return as_time(self.seconds), as_time(self.seconds + HALF_DAY)


def read_time(text: str, now: datetime) -> time | None:
    """Read a time of day; None if it is none. What a clock face shows twice a day is the next one after `now`.

    Raises:
        ValueError: it is a time that cannot be ("25:00", "13pm"), or two.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    text = normalise(text)
    if text in NOW:
        return now.time()
    clock = read_clock(text)
    if clock is not None:
        return clock.known[0] if clock.known else next_at(clock, now).time()
    delay = read_delay(text)
    return (now + delay).time() if delay is not None and delay < timedelta(days=1) else None


def read_clock(text: str) -> Clock | None:
    """Read what normalised `text` says of a clock; None if it says anything else, or nothing.

    Raises:
        ValueError: as `read_time`.
    """
    clock = _chinese(text) if is_chinese(text) else _english(text)
    if clock is None:
        _refuse_two(text)
    return clock


def next_at(clock: Clock, now: datetime) -> datetime:
    """Return the first moment after `now` at which it is the time that `clock` says."""
    times = (clock.known[0],) if clock.known else clock.halves
    days = (now.date(), now.date() + timedelta(days=1))
    moments = (datetime.combine(day, each, now.tzinfo) for day in days for each in sorted(times))
    return next(moment for moment in moments if moment > now)


def as_time(seconds: int) -> time:
    """Return the time of day so many seconds after midnight."""
    minutes, second = divmod(seconds % DAY, 60)
    return time(minutes // 60, minutes % 60, second)


def _english(text: str) -> Clock | None:
    """Read an English or a digital time."""
    text = english_figures(text)
    parts = [next(filter(None, found.groups())) for found in _ENGLISH_PART.finditer(text)]
    starts = [_ENGLISH_PARTS[part] for part in parts]
    if starts:
        text = _ENGLISH_PART.sub(" ", text)
        text = " ".join(text.replace(",", " ").split())
    text = _TWELVE.sub("", text)
    if lead := _LEAD.match(text):
        text = text[lead.end() :]
    if text in _NAMED:
        return _of_part(Clock(_NAMED[text] * HOUR, on_face=False), starts)
    clock = _digital(text, bool(starts)) or _spoken(text)
    if clock and not clock.on_face and clock.seconds >= 13 * HOUR and {"a", "p"} & set(parts):
        raise ValueError("an hour after twelve takes no am or pm")
    return _of_part(clock, starts) if clock else None


def _digital(text: str, with_part: bool) -> Clock | None:
    """Read "17:30", "5.30", "7 oh 5", "18h", "0630", "6 o'clock", and a bare hour."""
    if found := _DIGITAL.fullmatch(text):
        hour, minute = found["hour"], found["minute"] or found["h_minute"] or found["oh_minute"]
        bare = not (with_part or minute or found["h"] or found["hundred"] or found["oclock"])
        if bare and not 1 <= int(hour) <= 23:
            return None
        written = bool(found["oh"] or found["h"] or found["hundred"]) or (hour[0] == "0" and len(hour) == 2)
        return _clock(int(hour), int(minute or 0), int(found["second"] or 0), written)
    if found := _COMPACT.fullmatch(text):
        if int(found[1]) > 24 or int(found[2]) > 59:
            return None
        return _clock(int(found[1]), int(found[2]), written=len(found[1]) == 2 and found[1][0] == "0")
    return None


def _spoken(text: str) -> Clock | None:
    """Read "half past 6", "a quarter to 9", "20 to 3", "half 6"."""
    found = _SPOKEN.fullmatch(text)
    if found is None:
        return None
    if found["half"]:
        return _clock(int(found["half"]), 30)
    minutes = int(found["minutes"] or (30 if found["part"] == "half" else 15))
    after = found["side"] in ("past", "after")
    if found["part"] == "half" and not after:
        return None
    if found["side"] == "to" and minutes % 5 and not found["unit"]:
        raise ValueError(f"{text!r} may be two times or one before the hour")
    hour = _NAMED.get(found["hour"])
    clock = _clock(int(found["hour"]), 0) if hour is None else Clock(hour * HOUR, on_face=False)
    return _shifted(clock, minutes if after else -minutes)


def _chinese(text: str) -> Clock | None:
    """Read a Chinese time."""
    text = chinese_figures(text).replace(" ", "")
    starts = [_STARTS[found.lastindex - 1] for found in _CHINESE_PART.finditer(text) if found.lastindex]
    text = _CHINESE_PART.sub("", text) if starts else text
    if not text and starts in ([10], [21]):
        return Clock(0, on_face=True, start=starts[0])
    found = _CHINESE.fullmatch(text)
    if found is None:
        return None
    if found["digital"]:
        hour, minute, second = found["digital"], int(found["digital_minute"]), int(found["digital_second"] or 0)
        return _of_part(_clock(int(hour), minute, second, hour[0] == "0" and len(hour) == 2), starts)
    minute = 30 if found["half"] else int(found["quarters"] or 0) * 15 or int(found["minute"] or 0)
    clock = _clock(int(found["hour"] or found["next"]), minute, int(found["second"] or 0))
    before = int(found["before"] or found["short"] or 0)
    before = before or int(found["before_quarters"] or found["short_quarters"] or 0) * 15
    return _of_part(_shifted(clock, -before) if before else clock, starts)


def _clock(hour: int, minute: int, second: int = 0, written: bool = False) -> Clock:
    """Return the clock of an hour and a minute; ValueError if no clock shows them."""
    if hour > 24 or (hour == 24 and minute + second) or minute > 59 or second > 59:
        raise ValueError(f"there is no time {hour}:{minute:02}")
    on_face = 1 <= hour <= (11 if written else 12)
    return Clock((hour % (12 if on_face else 24)) * HOUR + minute * 60 + second, on_face, written)


def _shifted(clock: Clock, minutes: int) -> Clock:
    """Return the clock so many minutes later, or before."""
    if abs(minutes) > 59:
        raise ValueError("there are 60 minutes in an hour")
    return replace(clock, seconds=(clock.seconds + minutes * 60) % (HALF_DAY if clock.on_face else DAY))


def _of_part(clock: Clock, starts: list[int]) -> Clock:
    """Return the clock with what was said of the part of the day; ValueError where they contradict each other."""
    for start in sorted(starts, key=lambda start: start not in (0, 12)):  # "7 pm tonight": am and pm decide
        if clock.start is not None and clock.known:
            seen, _ = clock.known
            clock = Clock(seen.hour * HOUR + seen.minute * 60 + seen.second, on_face=False)
        if not clock.on_face and (clock.seconds - start * HOUR) % DAY >= HALF_DAY:
            raise ValueError("the hour and the part of the day contradict each other")
        clock = replace(clock, start=start)
    return clock


def _refuse_two(text: str) -> None:
    """Raise ValueError where `text` says one time or another."""
    if _TWO_HOURS.search(text):
        raise ValueError("two times where one is asked")
    text = re.sub(r"^(?:between|from|either) |^从", "", text)
    if (found := _CHOICE.search(text)) and "".join(text[: found.start()].split()):
        first, second = text[: found.start()], text[found.end() :]
        reader = _chinese if is_chinese(text) else _english
        if reader(second) and (reader(first) or first.isdigit()):
            raise ValueError("two times where one is asked")
