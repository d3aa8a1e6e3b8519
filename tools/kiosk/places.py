"""Where things are in the museum, when they are open, and the paper map."""

import time
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

from edgefn.arguments.marks import Among, Synonyms
from edgefn.tool import tool

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# What visitors say for a day beside its name.
DAYS = {day: (f"{day}s", f"on {day}", f"on {day}s", f"this {day}", f"next {day}") for day in WEEKDAYS} | {
    "today": ("tonight", "this morning", "this afternoon", "this evening", "now", "right now"),
    "tomorrow": ("tmrw", "tomorrow morning", "tomorrow evening"),
    "holiday": ("public holidays", "bank holidays", "holidays", "christmas", "christmas day", "new year's", "easter"),
}
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
FLOORS = {"ground": ("bottom",), "first": ("1st", "level one"), "second": ("2nd", "top", "upper")}


class Place(NamedTuple):
    """Something that visitors look for."""

    where: str
    """The way to it, as the screen shows it."""
    also: tuple[str, ...] = ()
    """What visitors call it beside its name."""


PLACES = {
    "Toilets": Place(
        "on every floor, next to the lifts",
        (
            "toilet",
            "restroom",
            "bathroom",
            "washroom",
            "loo",
            "wc",
            "ladies",
            "gents",
            "ladies toilets",
            "men's toilets",
            "disabled toilet",
            "men's room",
            "ladies' room",
        ),
    ),
    "Baby changing room": Place(
        "ground floor, behind the cloakroom", ("changing table", "baby room", "nursing room", "nappy changing")
    ),
    "Café": Place(
        "first floor, at the end of the gallery",
        ("coffee shop", "coffee place", "cafeteria", "restaurant", "canteen", "snack bar"),
    ),
    "Museum shop": Place("ground floor, left of the entrance", ("shop", "gift shop", "bookshop", "bookstore", "store")),
    "Ticket desk": Place("ground floor, facing the entrance", ("ticket office", "ticket counter", "till", "cash desk")),
    "Information desk": Place(
        "ground floor, in the middle of the hall", ("information", "reception", "help desk", "info point")
    ),
    "Cloakroom": Place("ground floor, right of the entrance", ("coat check", "wardrobe", "coat hooks")),
    "Lockers": Place("ground floor, behind the cloakroom", ("luggage lockers", "luggage storage")),
    "Lifts": Place("both ends of every floor", ("lift", "elevator", "elevators")),
    "Stairs": Place("in the middle of the hall", ("staircase", "steps", "stairway")),
    "Ramp": Place("ground floor, left of the main exit", ("wheelchair ramp",)),
    "Main exit": Place(
        "ground floor, towards the harbour", ("exit", "way out", "main entrance", "entrance", "front door")
    ),
    "North entrance": Place("ground floor, past the lockers", ("north door", "back door")),
    "Emergency exit": Place("on every floor, under the green signs", ("fire exit", "fire escape")),
    "Quiet room": Place("second floor, room 12", ("prayer room", "chapel", "room 12")),
    "Seats": Place("in every hall, and by the stairs", ("seat", "bench", "benches", "chairs", "sitting area")),
    "First-aid room": Place("ground floor, behind the information desk", ("first aid", "nurse", "doctor")),
    "Library": Place("second floor, room 14", ("reading room", "archive", "room 14")),
    "Ship hall": Place("ground floor, straight on", ("ships", "boats", "model ships")),
    "Painting gallery": Place(
        "first floor, rooms 5 to 9", ("gallery", "paintings", "pictures", "art", "impressionists", "picasso")
    ),
    "Whale skeleton": Place("second floor, room 10", ("whale", "whales", "whale room")),
    "Aquarium": Place("ground floor, below the stairs", ("fish", "fish tanks", "sharks", "jellyfish")),
    "Submarine": Place("in the garden, by the east wall", ("u-boat",)),
    "Steam engine": Place("ground floor, behind the ship hall"),
    "Lighthouse lamp": Place("second floor, room 11", ("lighthouse light", "big lamp")),
    "Big anchor": Place("in front of the main exit", ("anchor",)),
    "Viking boat": Place("ground floor, at the back of the ship hall", ("viking ship", "longship")),
    "Porcelain": Place("first floor, room 3", ("china", "porcelain collection")),
    "Old maps": Place("second floor, room 13", ("maps", "sea charts", "map room")),
    "Special exhibition": Place("ground floor, left of the stairs", ("temporary exhibition", "new exhibition")),
    "Children's workshop": Place("first floor, room 4", ("workshop", "play area", "playroom", "kids corner")),
    "Lecture hall": Place("ground floor, right of the stairs", ("auditorium", "cinema", "theatre")),
    "Seminar room": Place("first floor, room 2", ("conference room", "meeting room", "meeting rooms")),
    "Roof terrace": Place("second floor, through room 11", ("terrace", "roof", "viewpoint")),
    "Garden": Place("through the door beside the café", ("courtyard", "picnic area")),
    "Drinking water": Place(
        "ground and second floor, next to the toilets", ("water", "fountain", "water fountain", "drinking fountain")
    ),
    "Vending machines": Place("ground floor, next to the lockers", ("vending machine", "snack machine")),
    "Cash machine": Place("ground floor, in the museum shop", ("atm", "cashpoint")),
    "Charging points": Place("first floor, in the café", ("charging station", "power socket", "charger")),
    "Bins": Place("next to every lift", ("bin", "rubbish bin", "trash can")),
    "Smoking area": Place("outside, left of the main exit", ("smoking corner", "ashtray")),
    "Audio guides": Place("ground floor, at the information desk", ("audio guide", "headphones")),
    "Wheelchairs": Place("ground floor, in the cloakroom", ("wheelchair", "wheelchair rental")),
    "Station": Place("across the square from the main exit", ("tram stop", "bus stop", "train station")),
    "Ferry pier": Place("at the harbour, two minutes from the main exit", ("ferry", "pier", "ferry landing")),
    "Taxis": Place("at the station, across the square", ("taxi", "taxi stand", "cabs")),
    "Car park": Place(
        "behind the building, by the east exit", ("parking", "garage", "parking garage", "underground garage")
    ),
    "Bike racks": Place("left of the main exit", ("bike rack", "bike stands", "bicycle stands")),
    "Ground floor": Place("shop, cloakroom, lockers, ship hall, aquarium", ("downstairs", "bottom floor")),
    "First floor": Place("paintings, café, porcelain, children's workshop", ("level one",)),
    "Second floor": Place("whale, library, old maps, roof terrace", ("top floor", "upper floor", "level two")),
}


class Hours(NamedTuple):
    """When a part of the museum is open."""

    week: tuple[tuple[int, int] | None, ...]
    """Opening and closing hour by weekday from Monday to Sunday; None is closed."""
    also: tuple[str, ...] = ()
    """What visitors call it beside its name."""


DAILY = ((10, 18), (10, 18), (10, 21), (10, 18), (10, 18), (10, 18))
DESK = ((10, 17), (10, 17), (10, 20), (10, 17), (10, 17), (10, 17))
HOURS = {
    "Museum": Hours((None, *DAILY), ("exhibition", "exhibitions", "house", "building")),
    "Café": Hours((None, *DESK), ("coffee shop", "cafeteria", "restaurant", "canteen")),
    "Museum shop": Hours((None, *DAILY), ("shop", "gift shop", "bookshop", "bookstore", "store")),
    "Library": Hours((None, (13, 17), (13, 17), (13, 20), (13, 17), None, None), ("reading room", "archive")),
    "Painting gallery": Hours((None, *DAILY), ("gallery", "paintings")),
    "Ship hall": Hours((None, *DAILY), ("ships",)),
    "Whale hall": Hours((None, *DAILY), ("whale", "whale room")),
    "Aquarium": Hours((None, *DESK), ("fish tanks",)),
    "Children's workshop": Hours(
        (None, None, (14, 17), None, (14, 17), (11, 17), (11, 17)), ("workshop", "play area", "playroom")
    ),
    "Roof terrace": Hours((None, (11, 17), (11, 17), (11, 20), (11, 17), (11, 17), (11, 17)), ("terrace", "roof")),
    "Garden": Hours(((8, 20),) * 7, ("courtyard",)),
    "Ticket desk": Hours((None, *DESK), ("ticket office", "ticket counter")),
    "Information desk": Hours((None, *DAILY), ("information", "reception")),
    "Cloakroom": Hours((None, *DAILY), ("coat check", "lockers")),
    "Car park": Hours(((7, 22),) * 7, ("parking", "garage", "parking garage")),
}
HOLIDAY_HOURS = (12, 17)

MAX_COPIES = 5
# So five maps take longer than the time limit in policy.json, and one does not.
SHEET_SECONDS = 0.5
# What reaches beyond this device runs in a process of its own: this list is that process's, not the caller's.
print_queue: list[str] = []


def now() -> datetime:
    """The clock on the wall of the museum; tests put another one here."""
    return datetime.now()


def hours_on(place: str, day: str, today: datetime) -> tuple[int, int] | None:
    """Return the opening and closing hour of a place on a `Day`; None when it is closed."""
    if day == "holiday":
        return HOLIDAY_HOURS
    weekday = WEEKDAYS.index(day) if day in WEEKDAYS else (today + timedelta(days=day == "tomorrow")).weekday()
    return HOURS[place].week[weekday]


@tool(read_only=True, idempotent=True)
def find_place(place: Annotated[str, Among({name: each.also for name, each in PLACES.items()})] | None = None) -> str:
    """Tell the visitor where a room, exhibit or facility in the building is and how to get there.

    Args:
        place: what the visitor is looking for; without it, an overview of the building.
    """
    if place is None:
        floors = ("Ground floor", "First floor", "Second floor")
        return "; ".join(f"{floor}: {PLACES[floor].where}" for floor in floors) + ". Toilets on every floor."
    return f"{place}: {PLACES[place].where}."


@tool(read_only=True, idempotent=True)
def opening_hours(
    place: Annotated[str, Among({name: each.also for name, each in HOURS.items()})] = "Museum",
    day: Annotated[Day, Synonyms(DAYS)] = "today",
) -> str:
    """Tell the visitor when the museum or a part of it is open, and when it closes.

    Args:
        place: the part of the museum, such as the café, the shop or the library.
        day: the day that the visitor asks about.
    """
    hours = hours_on(place, day, now())
    when = "on public holidays" if day == "holiday" else day.capitalize() if day in WEEKDAYS else day
    if hours is None:
        return f"{place}: closed {when}."
    return f"{place}: open {when} from {hours[0]}:00 to {hours[1]}:00."


@tool(open_world=True)
def print_map(copies: int = 1, floor: Annotated[Floor, Synonyms(FLOORS)] | None = None) -> str:
    """Print a map of the building on paper for the visitor to take along.

    Args:
        copies: how many maps to print.
        floor: the floor to print; without it, the whole building.
    """
    # Paper is all that a joke at the kiosk can cost, so the number is cut and not refused.
    copies = min(max(copies, 1), MAX_COPIES)
    page = "the whole building" if floor is None else f"the {floor} floor"
    noun = "map" if copies == 1 else "maps"
    for _ in range(copies):
        time.sleep(SHEET_SECONDS)  # the printer takes its time
        print_queue.append(page)
    return f"Printing {copies} {noun} of {page}. Please take them below the screen."
