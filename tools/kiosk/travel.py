"""Departures from the station in front of the museum."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

from edgefn.arguments.marks import Among, Synonyms
from edgefn.tool import tool

Transport = Literal["bus", "tram", "train", "ferry"]
# What visitors say for a vehicle beside its name.
VEHICLES = {
    "bus": ("buses", "busses"),
    "tram": ("trams", "streetcar"),
    "train": ("trains",),
    "ferry": ("ferries", "boat", "boats"),
}


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
    Line("tram", "Tram 4", "stop A", ("Town Hall", "Old Town", "Central Station"), time(5, 2), time(23, 42), TEN),
    Line("tram", "Tram 9", "stop B", ("Market Square", "University", "Zoo"), time(5, 35), time(23, 5), FIFTEEN),
    Line("bus", "Bus 21", "stop C", ("Cathedral", "City Hospital", "Stadium"), time(5, 50), time(22, 50), TWENTY),
    Line("bus", "Bus 36", "stop D", ("Opera", "Trade Fair", "Airport"), time(4, 30), time(23, 30), THIRTY),
    Line("train", "Train R1", "platform 1", ("Northfield", "Lakeside"), time(6, 12), time(22, 12), THIRTY),
    Line("train", "Train R5", "platform 2", ("Ashford", "Castle Hill", "Brighton"), time(6, 40), time(21, 40), SIXTY),
    Line("ferry", "Ferry F2", "pier 2", ("Beach", "Seal Island", "Lighthouse"), time(8, 15), time(19, 15), SIXTY),
)
# What visitors call a stop beside its name.
ALSO = {
    "Central Station": ("main station", "train station"),
    "Old Town": ("old city", "old quarter"),
    "Market Square": ("market", "city centre", "downtown"),
    "City Hospital": ("hospital",),
    "Stadium": ("football ground",),
    "Opera": ("opera house",),
    "Trade Fair": ("fairground",),
    "Airport": ("terminal two",),
    "Seal Island": ("island",),
    "Beach": ("seaside",),
}
SHOWN = 3


def stops() -> dict[str, tuple[str, ...]]:
    """Every stop that a line goes to, and what else visitors call it."""
    return {stop: ALSO.get(stop, ()) for line in LINES for stop in line.stops}


def now() -> datetime:
    """The clock of the station; tests put another one here."""
    return datetime.now()


@tool(read_only=True, idempotent=True)
def next_departure(
    destination: Annotated[str, Among(stops)] | None = None,
    transport: Annotated[Transport, Synonyms(VEHICLES)] | None = None,
    after: time | None = None,
) -> str:
    """Show the next buses, trams, trains and ferries that leave from the stop outside the museum.

    Args:
        destination: where the visitor wants to go; without it, every direction.
        transport: the kind of vehicle; without it, every kind.
        after: the earliest time of departure; without it, from now on.
    """
    departures = next_departures(destination, transport, after)
    if not departures:
        return f"No direct {transport} to {destination}. Please ask at the information desk."
    return "; ".join(
        f"{leaves:%H:%M} {line.number} to {destination or line.stops[-1]}, {line.platform}"
        for leaves, line in departures
    )


def next_departures(stop: str | None, transport: str | None, after: time | None) -> list[tuple[datetime, Line]]:
    """Return the next departures in order; None stands for every stop, every kind and from now on."""
    lines = [line for line in LINES if transport in (None, line.transport) and (stop is None or stop in line.stops)]
    moment = now() if after is None else datetime.combine(now(), after)
    departures = [(leaves, line) for line in lines for leaves in _departures(line, moment)]
    return sorted(departures, key=lambda departure: departure[0])[:SHOWN]


def _departures(line: Line, moment: datetime) -> Iterator[datetime]:
    """Departures from a moment to the end of the next day, so that there is an answer at midnight too."""
    for day in (moment.date(), moment.date() + timedelta(days=1)):
        leaves, last = datetime.combine(day, line.first), datetime.combine(day, line.last)
        while leaves <= last:
            if leaves >= moment:
                yield leaves
            leaves += line.every
