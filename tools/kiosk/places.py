"""Where things are in the museum, when they are open, and the paper map."""

from datetime import datetime, timedelta
from typing import Literal, TypeVar

from edgefn.tool import tool

Day = Literal[
    "today",
    "tomorrow",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "holiday",
]
Floor = Literal["ground", "first", "second"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# The first name is the one that is shown; the others are what visitors say.
PLACES: dict[tuple[str, ...], str] = {
    ("Toilets", "toilet", "restroom", "bathroom", "washroom", "loo", "wc", "ladies", "gents"): (
        "on every floor, next to the lifts"
    ),
    ("Baby changing room", "changing table", "nappy", "diaper"): "ground floor, behind the cloakroom",
    ("Café", "cafe", "coffee", "cafeteria", "restaurant", "canteen", "food", "lunch"): (
        "first floor, at the end of the gallery"
    ),
    ("Museum shop", "shop", "gift shop", "bookshop", "souvenir"): "ground floor, left of the entrance",
    ("Ticket desk", "ticket office", "till", "cash desk"): "ground floor, facing the entrance",
    ("Information desk", "information", "reception", "help desk"): "ground floor, in the middle of the hall",
    ("Cloakroom", "coat check", "wardrobe", "coats"): "ground floor, right of the entrance",
    ("Lockers", "locker", "luggage", "suitcase"): "ground floor, behind the cloakroom",
    ("Lifts", "lift", "elevator"): "both ends of every floor",
    ("Stairs", "staircase", "steps"): "in the middle of the hall",
    ("Main exit", "exit", "way out", "entrance"): "ground floor, towards the harbour",
    ("Quiet room", "prayer room", "sitting room", "bench", "seat"): "second floor, room 12",
    ("First-aid room", "first aid", "nurse", "doctor"): "ground floor, behind the information desk",
    ("Library", "reading room", "archive"): "second floor, room 14",
    ("Ship hall", "ship", "boats", "model ships"): "ground floor, straight on",
    ("Painting gallery", "paintings", "pictures", "art"): "first floor, rooms 5 to 9",
    ("Whale skeleton", "whale"): "second floor, room 10",
    ("Children's workshop", "workshop", "play area", "playroom", "kids"): "first floor, room 4",
    ("Lecture hall", "auditorium", "cinema", "theatre"): "ground floor, right of the stairs",
    ("Roof terrace", "terrace", "viewpoint"): "second floor, through room 11",
    ("Drinking water", "water", "fountain"): "ground and second floor, next to the toilets",
    ("Cash machine", "atm"): "ground floor, in the museum shop",
    ("Station", "tram stop", "bus stop", "ferry", "platform", "taxi"): "across the square from the main exit",
    ("Car park", "parking", "garage"): "behind the building, by the east exit",
}

# Opening and closing hour by weekday from Monday to Sunday; None is closed.
Week = tuple[tuple[int, int] | None, ...]
HOURS: dict[tuple[str, ...], Week] = {
    ("Museum", "museum", "exhibition", "gallery", "house"): (
        None, (10, 18), (10, 18), (10, 21), (10, 18), (10, 18), (10, 18),
    ),
    ("Café", "cafe", "restaurant", "canteen", "coffee"): (
        None, (10, 17), (10, 17), (10, 20), (10, 17), (9, 17), (9, 17),
    ),
    ("Museum shop", "shop", "store"): (None, (10, 18), (10, 18), (10, 20), (10, 18), (10, 18), (10, 18)),
    ("Library", "reading room", "archive"): (None, (13, 17), (13, 17), (13, 20), (13, 17), None, None),
    ("Children's workshop", "workshop", "play area", "kids"): (
        None, None, (14, 17), None, (14, 17), (11, 17), (11, 17),
    ),
    ("Roof terrace", "terrace"): (None, (11, 17), (11, 17), (11, 20), (11, 17), (11, 17), (11, 17)),
    ("Ticket desk", "ticket office"): (None, (10, 17), (10, 17), (10, 20), (10, 17), (10, 17), (10, 17)),
    ("Cloakroom", "coat check", "lockers"): (
        None, (10, 18), (10, 18), (10, 21), (10, 18), (10, 18), (10, 18),
    ),
    ("Car park", "parking", "garage"): ((7, 22), (7, 22), (7, 22), (7, 22), (7, 22), (7, 22), (7, 22)),
}  # fmt: skip
HOLIDAY_HOURS = (12, 17)

T = TypeVar("T")

MAX_COPIES = 5
print_queue: list[str] = []


def now() -> datetime:
    """The clock on the wall of the museum; tests put another one here."""
    return datetime.now()


def _lookup(table: dict[tuple[str, ...], T], wanted: str) -> tuple[str, T] | None:
    """The row with the longest name that stands in what the visitor asked for."""
    words = f" {wanted.casefold().strip()} "
    hits = [
        (len(name), names[0], value)
        for names, value in table.items()
        for name in (names[0].casefold(), *names[1:])
        if f" {name} " in words or f" {name}s " in words
    ]
    if not hits:
        return None
    _, shown, value = max(hits, key=lambda hit: hit[0])
    return shown, value


@tool(read_only=True, idempotent=True)
def find_place(place: str | None = None) -> str:
    """Tell the visitor where a room, exhibit or facility in the building is and how to get there.

    Args:
        place: what the visitor is looking for; without it, an overview of the building.
    """
    if place is None:
        return (
            "Ground floor: shop, cloakroom, lockers, ship hall. "
            "First floor: paintings, café, children's workshop. "
            "Second floor: whale, library, roof terrace. Toilets on every floor."
        )
    found = _lookup(PLACES, place)
    if found is None:
        return f"I do not know where to find {place}. The information desk is in the middle of the hall."
    name, where = found
    return f"{name}: {where}."


@tool(read_only=True, idempotent=True)
def opening_hours(place: str = "museum", day: Day = "today") -> str:
    """Tell the visitor when the museum or a part of it is open, and when it closes.

    Args:
        place: the part of the museum, such as the café, the shop or the library.
        day: the day that the visitor asks about.
    """
    found = _lookup(HOURS, place)
    if found is None:
        return f"I have no opening hours for {place}. Please ask at the information desk."
    name, week = found
    if day == "holiday":
        hours: tuple[int, int] | None = HOLIDAY_HOURS
    else:
        hours = week[_weekday(day)]
    when = "on public holidays" if day == "holiday" else day.capitalize() if day in WEEKDAYS else day
    if hours is None:
        return f"{name}: closed {when}."
    return f"{name}: open {when} from {hours[0]}:00 to {hours[1]}:00."


def _weekday(day: Day) -> int:
    """Monday is 0."""
    if day in WEEKDAYS:
        return WEEKDAYS.index(day)
    return (now() + timedelta(days=day == "tomorrow")).weekday()


@tool
def print_map(copies: int = 1, floor: Floor | None = None) -> str:
    """Print a map of the building on paper for the visitor to take along.

    Args:
        copies: how many maps to print.
        floor: the floor to print; without it, the whole building.
    """
    # Paper is all that a joke at the kiosk can cost, so the number is cut and not refused.
    copies = min(max(copies, 1), MAX_COPIES)
    page = "the whole building" if floor is None else f"the {floor} floor"
    noun = "map" if copies == 1 else "maps"
    print_queue.extend([page] * copies)
    return f"Printing {copies} {noun} of {page}. Please take them below the screen."
