"""The intents of Home Assistant as tools, for the benchmark: nothing is switched, a call only returns.

The names of rooms, floors and devices stand in `house.json` beside this file, and are asked for each time:
`{"areas": {name: [what else it is called]}, "floors": {...}, "entities": [{"name", "also", "domains"}]}`. Without that
file the house is empty. English and Chinese words both stand here, so that one file serves both languages.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from edgefn.arguments.marks import Among, Synonyms
from edgefn.schema import Range
from edgefn.tool import tool

HOUSE = Path(__file__).with_name("house.json")
SENSORS = frozenset({"binary_sensor", "sensor"})


@cache
def house() -> dict[str, Any]:
    """Return the names of this house; empty where there is none."""
    if not HOUSE.is_file():
        return {"areas": {}, "floors": {}, "entities": []}
    found: dict[str, Any] = json.loads(HOUSE.read_text(encoding="utf-8"))
    return found


def areas() -> dict[str, list[str]]:
    """Name the rooms."""
    return dict(house()["areas"])


def floors() -> dict[str, list[str]]:
    """Name the floors."""
    return dict(house()["floors"])


def things() -> dict[str, list[str]]:
    """Name every device, list, place and person."""
    return {each["name"]: each["also"] for each in house()["entities"]}


def of(*domains: str) -> dict[str, list[str]]:
    """Name the entities of some domains."""
    return {each["name"]: each["also"] for each in house()["entities"] if set(domains) & set(each["domains"])}


def switchable() -> dict[str, list[str]]:
    """Name what can be turned on or off, opened, locked or run."""
    return {each["name"]: each["also"] for each in house()["entities"] if set(each["domains"]) - SENSORS}


def lights() -> dict[str, list[str]]:
    """Name the lights."""
    return of("light")


def players() -> dict[str, list[str]]:
    """Name the media players."""
    return of("media_player")


def positioned() -> dict[str, list[str]]:
    """Name the covers and valves."""
    return of("cover", "valve")


def vacuums() -> dict[str, list[str]]:
    """Name the vacuum cleaners."""
    return of("vacuum")


def lists() -> dict[str, list[str]]:
    """Name the to-do lists."""
    return of("todo")


Light = Annotated[str, Among(lights)]
Player = Annotated[str, Among(players)]
Switchable = Annotated[str, Among(switchable)]
Thing = Annotated[str, Among(things)]
Area = Annotated[str, Among(areas)]
Floor = Annotated[str, Among(floors)]
Domain = Literal[
    "binary_sensor", "cover", "fan", "light", "lock", "person", "scene", "script", "sensor", "switch", "valve"
]
CoverClass = Literal["awning", "blind", "curtain", "door", "garage", "gate", "shade", "shutter", "window"]
# fmt: off
DeviceClass = Literal[
    "apparent_power", "aqi", "atmospheric_pressure", "awning", "battery", "battery_charging", "blind",
    "carbon_dioxide", "carbon_monoxide", "cold", "connectivity", "current", "curtain", "data_rate", "data_size",
    "date", "distance", "door", "duration", "energy", "energy_storage", "frequency", "garage", "garage_door",
    "gas", "gate", "heat", "humidity", "illuminance", "irradiance", "light", "lock", "moisture", "monetary",
    "motion", "nitrogen_dioxide", "nitrogen_monoxide", "nitrous_oxide", "occupancy", "opening", "ozone", "plug",
    "pm1", "pm10", "pm25", "power", "power_factor", "precipitation", "precipitation_intensity", "presence",
    "pressure", "problem", "reactive_power", "running", "safety", "shade", "shutter", "signal_strength",
    "smoke", "sound", "sound_pressure", "speed", "sulphur_dioxide", "tamper", "temperature", "update",
    "vibration", "volatile_organic_compounds", "volatile_organic_compounds_parts", "voltage", "volume",
    "volume_storage", "water", "weight", "wind_speed", "window",
]
# fmt: on
Color = Annotated[
    Literal["white", "black", "red", "orange", "yellow", "green", "blue", "purple", "brown", "pink", "turquoise"],
    Synonyms(
        {"white": ["白色"], "black": ["黑色"], "red": ["红色"], "orange": ["橙色"], "yellow": ["黄色"]}
        | {"green": ["绿色"], "blue": ["蓝色"], "purple": ["紫色"], "brown": ["棕色"]}
    ),
]
MediaClass = Annotated[
    Literal["artist", "album", "track", "playlist", "podcast", "movie", "tv_show"],
    Synonyms({"track": ["song"], "tv_show": ["tv show", "show"]}),
]
Brightness = Annotated[
    int,
    Synonyms(
        {
            100: ["max", "maximum", "highest", "最亮", "最高", "最大"],
            1: ["min", "minimum", "lowest", "最暗", "最低", "最小"],
        }
    ),
]
Hours = int
Minutes = Annotated[
    int,
    Synonyms(
        {30: ["half", "1/2", "半"], 5: ["一个字"], 10: ["两个字"], 15: ["三个字"], 20: ["四个字"], 25: ["五个字"]}
        | {35: ["六个字"], 40: ["八个字"], 45: ["九个字"], 50: ["十个字"], 55: ["十一个字"]}
    ),
]
"""A zi, what the clock's hand passes between two of its figures, is five minutes, as the templates have it."""
Seconds = Annotated[int, Synonyms({30: ["half", "1/2", "半"]})]


@tool(name="HassBroadcast")
def broadcast(message: str) -> None:
    """Announce a message in the whole house.

    Args:
        message: What to announce.
    """


@tool(name="HassCancelAllTimers")
def cancel_all_timers(area: Area | None = None) -> None:
    """Cancel all timers.

    Args:
        area: Room that is meant.
    """


@tool(name="HassCancelTimer")
def cancel_timer(
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Cancel one timer.

    Args:
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassClimateGetTemperature", read_only=True)
def climate_get_temperature(name: Thing | None = None, area: Area | None = None) -> None:
    """Say how warm it is.

    Args:
        name: Device, place or person.
        area: Room that is meant.
    """


@tool(name="HassClimateSetTemperature")
def climate_set_temperature(
    temperature: float,
    name: Thing | None = None,
    area: Area | None = None,
    floor: Floor | None = None,
) -> None:
    """Set the temperature of the heating.

    Args:
        temperature: Temperature in degrees.
        name: Device, place or person.
        area: Room that is meant.
        floor: Floor that is meant.
    """


@tool(name="HassDecreaseTimer")
def decrease_timer(
    hours: Hours | None = None,
    minutes: Minutes | None = None,
    seconds: Seconds | None = None,
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Take time off a timer.

    Args:
        hours: Hours of the length.
        minutes: Minutes of the length.
        seconds: Seconds of the length.
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassGetCurrentDate", read_only=True)
def get_current_date() -> None:
    """Say which day it is."""


@tool(name="HassGetCurrentTime", read_only=True)
def get_current_time() -> None:
    """Say what time it is."""


@tool(name="HassGetState", read_only=True)
def get_state(
    name: Thing | None = None,
    area: Area | None = None,
    floor: Floor | None = None,
    domain: Domain | None = None,
    device_class: DeviceClass | None = None,
    state: str | None = None,
) -> None:
    """Say what state something is in, or whether, which or how many are in a state.

    Args:
        name: Device or person.
        area: Room that is meant.
        floor: Floor that is meant.
        domain: Sort of device.
        device_class: What the device measures or is.
        state: State that is asked about, such as on, closed or locked, or the place where a person is.
    """


@tool(name="HassGetWeather", read_only=True)
def get_weather(name: Thing | None = None) -> None:
    """Say what the weather is like.

    Args:
        name: Device, place or person.
    """


@tool(name="HassIncreaseTimer")
def increase_timer(
    hours: Hours | None = None,
    minutes: Minutes | None = None,
    seconds: Seconds | None = None,
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Add time to a timer.

    Args:
        hours: Hours of the length.
        minutes: Minutes of the length.
        seconds: Seconds of the length.
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassLightSet")
def light_set(
    name: Light | None = None,
    area: Area | None = None,
    floor: Floor | None = None,
    brightness: Brightness | None = None,
    color: Color | None = None,
) -> None:
    """Set the brightness or colour of lights.

    Args:
        name: Light; "all" for every one.
        area: Room that is meant.
        floor: Floor that is meant.
        brightness: Brightness in percent.
        color: Colour.
    """


@tool(name="HassListAddItem")
def list_add_item(item: str, name: Annotated[str, Among(lists)] | None = None) -> None:
    """Put an item on a to-do list.

    Args:
        item: What to put on the list.
        name: To-do list.
    """


@tool(name="HassListCompleteItem")
def list_complete_item(item: str, name: Annotated[str, Among(lists)] | None = None) -> None:
    """Take an item off a to-do list.

    Args:
        item: What to take off the list.
        name: To-do list.
    """


@tool(name="HassMediaNext")
def media_next(name: Player | None = None, area: Area | None = None) -> None:
    """Skip to the next track.

    Args:
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassMediaPause")
def media_pause(name: Player | None = None, area: Area | None = None) -> None:
    """Pause what is playing.

    Args:
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassMediaPrevious")
def media_previous(name: Player | None = None, area: Area | None = None) -> None:
    """Go back to the previous track.

    Args:
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassMediaSearchAndPlay")
def media_search_and_play(
    search_query: str,
    media_class: MediaClass | None = None,
    name: Player | None = None,
    area: Area | None = None,
) -> None:
    """Find music, a film or a programme and play it.

    Args:
        search_query: What to look for.
        media_class: Sort of media.
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassMediaUnpause")
def media_unpause(name: Player | None = None, area: Area | None = None) -> None:
    """Go on playing.

    Args:
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassNevermind", read_only=True)
def nevermind() -> None:
    """Do nothing: the person changed their mind."""


@tool(name="HassPauseTimer")
def pause_timer(
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Pause a timer.

    Args:
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassRespond", read_only=True)
def respond() -> None:
    """Answer a greeting or a question about the assistant itself."""


@tool(name="HassSetPosition")
def set_position(
    position: Annotated[int, Range(ge=0, le=100)],
    name: Annotated[str, Among(positioned)] | None = None,
    area: Area | None = None,
    domain: Domain | None = None,
    device_class: CoverClass | None = None,
) -> None:
    """Move a blind, curtain, door or valve to a position.

    Args:
        position: Position in percent; 100 is open.
        name: Blind, curtain or valve.
        area: Room that is meant.
        domain: Sort of device.
        device_class: Sort of blind, door or window.
    """


@tool(name="HassSetVolume")
def set_volume(
    volume_level: Annotated[int, Range(ge=0, le=100)],
    name: Player | None = None,
    area: Area | None = None,
) -> None:
    """Set the volume.

    Args:
        volume_level: Volume in percent.
        name: Media player.
        area: Room that is meant.
    """


@tool(name="HassShoppingListAddItem")
def shopping_list_add_item(item: str) -> None:
    """Put an item on the shopping list.

    Args:
        item: What to buy.
    """


@tool(name="HassShoppingListCompleteItem")
def shopping_list_complete_item(item: str) -> None:
    """Take an item off the shopping list.

    Args:
        item: What need not be bought any more.
    """


@tool(name="HassStartTimer")
def start_timer(
    hours: Hours | None = None,
    minutes: Minutes | None = None,
    seconds: Seconds | None = None,
    name: str | None = None,
    conversation_command: str | None = None,
) -> None:
    """Start a timer, or have something done after a time.

    Args:
        hours: Hours of the length.
        minutes: Minutes of the length.
        seconds: Seconds of the length.
        name: What the timer is called.
        conversation_command: Command to carry out when the time is over.
    """


@tool(name="HassTimerStatus", read_only=True)
def timer_status(
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Say how much time is left on a timer.

    Args:
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassTurnOff")
def turn_off(
    name: Switchable | None = None,
    area: Area | None = None,
    floor: Floor | None = None,
    domain: Domain | None = None,
    device_class: CoverClass | None = None,
) -> None:
    """Turn off, close or unlock something.

    Args:
        name: What to switch, open, lock or run; "all" for every one.
        area: Room that is meant.
        floor: Floor that is meant.
        domain: Sort of device.
        device_class: Sort of blind, door or window.
    """


@tool(name="HassTurnOn")
def turn_on(
    name: Switchable | None = None,
    area: Area | None = None,
    floor: Floor | None = None,
    domain: Domain | None = None,
    device_class: CoverClass | None = None,
) -> None:
    """Turn on, open, lock or run something.

    Args:
        name: What to switch, open, lock or run; "all" for every one.
        area: Room that is meant.
        floor: Floor that is meant.
        domain: Sort of device.
        device_class: Sort of blind, door or window.
    """


@tool(name="HassUnpauseTimer")
def unpause_timer(
    start_hours: Hours | None = None,
    start_minutes: Minutes | None = None,
    start_seconds: Seconds | None = None,
    name: str | None = None,
    area: Area | None = None,
) -> None:
    """Go on with a paused timer.

    Args:
        start_hours: Hours the timer was set for.
        start_minutes: Minutes the timer was set for.
        start_seconds: Seconds the timer was set for.
        name: What the timer is called.
        area: Room that is meant.
    """


@tool(name="HassVacuumReturnToBase")
def vacuum_return_to_base(name: Annotated[str, Among(vacuums)] | None = None) -> None:
    """Send a vacuum cleaner back to its base.

    Args:
        name: Vacuum cleaner.
    """


@tool(name="HassVacuumStart")
def vacuum_start(name: Annotated[str, Among(vacuums)] | None = None, floor: Floor | None = None) -> None:
    """Start vacuuming.

    Args:
        name: Vacuum cleaner.
        floor: Floor that is meant.
    """
