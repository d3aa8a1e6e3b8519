"""Guided tours, and reminders for visitors whose time is short."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, NamedTuple

from edgefn.arguments.marks import Among
from edgefn.schema import Range
from edgefn.tool import tool


class Tour(NamedTuple):
    """A guided tour."""

    starts: tuple[time, ...]
    """When it starts, every day."""
    also: tuple[str, ...]
    """What visitors call it beside its name."""


TOURS = {
    "Highlights tour": Tour(
        (time(11), time(14), time(16)), ("highlights", "overview tour", "general tour", "main tour", "short tour")
    ),
    "Whale tour": Tour((time(12), time(15)), ("whale", "whales", "whale skeleton")),
    "Ship tour": Tour((time(10, 30), time(13, 30)), ("ships", "boats", "boat tour", "ship hall", "model ships")),
    "Painting tour": Tour(
        (time(11, 30), time(15, 30)), ("paintings", "pictures", "art", "art tour", "gallery", "gallery tour")
    ),
    "Family tour": Tour((time(10), time(14, 30)), ("families", "kids", "children", "kids tour", "children's tour")),
    "Night tour": Tour((time(20),), ("evening tour", "late tour", "torchlight tour")),
}
MAX_PEOPLE = 12


@dataclass(frozen=True)
class Reminder:
    """What the kiosk sends to the visitor's pager when the time comes."""

    due: datetime
    about: str


reminders: list[Reminder] = []


def now() -> datetime:
    """The clock of the kiosk; tests put another one here."""
    return datetime.now()


@tool
def book_tour(
    tour: Annotated[str, Among({name: each.also for name, each in TOURS.items()})],
    at: time | None = None,
    people: Annotated[int, Range(ge=1, le=MAX_PEOPLE)] = 1,
) -> str:
    """Book places on a guided tour of the museum.

    Args:
        tour: which tour to book.
        at: when it starts; without it, the next one.
        people: how many people come along.
    """
    starts = TOURS[tour].starts
    if at is None:
        # After the last tour of a day, the first one of the next.
        at = next((start for start in starts if start > now().time()), starts[0])
    if at not in starts:
        return f"The {tour} starts at {', '.join(f'{start:%H:%M}' for start in starts)}."
    places = "1 place" if people == 1 else f"{people} places"
    return f"{tour}, {at:%H:%M}: {places} booked. The guide waits at the information desk."


@tool
def remind_me(after: timedelta, about: str = "your time is up") -> str:
    """Remind the visitor after a while, for example when the parking time ends or friends are waiting.

    Args:
        after: how long until the reminder.
        about: what the visitor must not forget.
    """
    reminder = Reminder(now() + after, about)
    reminders.append(reminder)
    return f"Please take a pager. It rings at {reminder.due:%H:%M}: {about}."
