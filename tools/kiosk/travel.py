"""Departures from the station in front of the museum."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from edgefn.tool import tool

Transport = Literal["bus", "tram", "train", "ferry"]


@dataclass(frozen=True)
class Line:
    """A line that leaves at a fixed interval."""

    transport: Transport
    number: str
    platform: str
    stops: tuple[str, ...]
    first: time
    last: time
    every: timedelta


TEN, FIFTEEN, TWENTY, THIRTY, SIXTY = (timedelta(minutes=minutes) for minutes in (10, 15, 20, 30, 60))
LINES = (
    Line("tram", "Tram 4", "stop A", ("Old Town", "Central Station"), time(5, 2), time(23, 42), TEN),
    Line("tram", "Tram 9", "stop B", ("Market Square", "University", "Zoo"), time(5, 35), time(23, 5), FIFTEEN),
    Line("bus", "Bus 21", "stop C", ("City Hospital", "Stadium"), time(5, 50), time(22, 50), TWENTY),
    Line("bus", "Bus 36", "stop D", ("Airport",), time(4, 30), time(23, 30), THIRTY),
    Line("train", "Train R1", "platform 1", ("Northfield", "Lakeside"), time(6, 12), time(22, 12), THIRTY),
    Line("train", "Train R5", "platform 2", ("Castle Hill", "Brighton"), time(6, 40), time(21, 40), SIXTY),
    Line("ferry", "Ferry F2", "pier 2", ("Seal Island", "Lighthouse"), time(8, 15), time(19, 15), SIXTY),
)
SHOWN = 3


def now() -> datetime:
    """The clock of the station; tests put another one here."""
    return datetime.now()


@tool(read_only=True, idempotent=True)
def next_departure(
    destination: str | None = None, transport: Transport | None = None, after: time | None = None
) -> str:
    """Show the next buses, trams, trains and ferries that leave from the stop outside the museum.

    Args:
        destination: where the visitor wants to go; without it, every direction.
        transport: the kind of vehicle; without it, every kind.
        after: the earliest time of departure; without it, from now on.
    """
    lines = [line for line in LINES if transport in (None, line.transport)]
    if destination is not None:
        lines = [line for line in lines if _goes_to(line, destination)]
    if not lines:
        return f"No direct {transport or 'departure'} to {destination}. Please ask at the information desk."
    moment = now() if after is None else datetime.combine(now(), after)
    departures = [(leaves, line) for line in lines for leaves in _departures(line, moment)]
    departures.sort(key=lambda departure: departure[0])
    return "; ".join(
        f"{leaves:%H:%M} {line.number} to {line.stops[-1]}, {line.platform}" for leaves, line in departures[:SHOWN]
    )


def _goes_to(line: Line, destination: str) -> bool:
    wanted = destination.casefold()
    return any(stop.casefold() in wanted or wanted in stop.casefold() for stop in line.stops)


def _departures(line: Line, moment: datetime) -> Iterator[datetime]:
    """Departures from a moment to the end of the next day, so that there is an answer at midnight too."""
    for day in (moment.date(), moment.date() + timedelta(days=1)):
        leaves, last = datetime.combine(day, line.first), datetime.combine(day, line.last)
        while leaves <= last:
            if leaves >= moment:
                yield leaves
            leaves += line.every
