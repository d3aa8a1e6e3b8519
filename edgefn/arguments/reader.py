"""The reader of a parameter: from what was said for it to the JSON form of a value.

The kind of value decides, not the order of anything in a schema: a list of names, a closed set, a number, a time. A
grammar is imported by the first parameter that needs it: a device without dates does not pay for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Protocol, get_args, get_origin

from edgefn.arguments.keys import choice_text, choice_value, choice_values, is_list, item_schema, type_of
from edgefn.arguments.marks import Among, Synonyms, Unit
from edgefn.errors import ToolDefinitionError
from edgefn.iso8601 import format_duration
from edgefn.schema import SAID_AS, Parameter


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from the words said for one value."""

    value: Any
    """Its JSON form."""
    normaliser: str
    """What read it."""
    score: float = 1.0
    """How near the words were to the value, 0..1; 1 for what is written or said as such."""


class Reader(Protocol):
    """Reads one value."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return what `text` means; ValueError says in a sentence why it means nothing here."""


def reader_of(parameter: Parameter) -> Reader:
    """Return the reader of one value of a parameter; of a list's, that of one item.

    Raises ToolDefinitionError where two values of a closed set are said alike, or a list of names is for another kind.
    """
    schema = item_schema(parameter.schema)
    said_as = parameter.schema.get(SAID_AS, {})
    marks = list(_marks(parameter.annotation))
    among = next((mark for mark in marks if isinstance(mark, Among)), None)
    synonyms: Mapping[Any, Iterable[str]] = next((mark.said_as for mark in marks if isinstance(mark, Synonyms)), {})
    if among is not None:
        _check_text(parameter, schema)
        return NameReader(parameter.name, among.current)
    forms = said_as_of(schema, said_as) if said_as else synonyms
    values = choice_values(schema)
    if values is not None:
        # A schema that came from elsewhere cannot be changed here: AA and Aa are told apart where they are written.
        strict = parameter.annotation is not Any
        return MemberReader(_members(parameter.name, values, forms, strict), schema.get("type") == "boolean")
    if schema.get("type") in ("integer", "number"):
        unit = next((mark.name for mark in marks if isinstance(mark, Unit)), "")
        return NumberReader(schema["type"] == "integer", unit, _members(parameter.name, forms, forms) if forms else {})
    if schema.get("format") in _MOMENTS:
        return MomentReader(schema["format"])
    if said_as:
        return NameReader(parameter.name, partial(_as_names, said_as))
    return TextReader()


def _check_text(parameter: Parameter, schema: Mapping[str, Any]) -> None:
    if type_of(schema) != "string" or choice_values(schema) is not None:
        raise ToolDefinitionError(
            f"{parameter.name}: Among goes with str, not with {type_of(schema)}",
            hint="write Annotated[str, Among(...)]",
        )


def _members(
    parameter: str, values: Iterable[Any], forms: Mapping[Any, Iterable[str]], strict: bool = True
) -> Mapping[Any, tuple[str, ...]]:
    from edgefn.arguments.enums import members

    if any(isinstance(value, dict | list) for value in values):
        raise ToolDefinitionError(
            f"{parameter}: a closed set of objects or lists cannot be said", hint="give its values names"
        )
    return members(parameter, values, forms, strict)


def is_name(parameter: Parameter) -> bool:
    """Tell whether a parameter's values are names on a list."""
    schema = item_schema(parameter.schema)
    closed = choice_values(schema) is not None or type_of(schema) != "string"
    return not closed and (
        SAID_AS in parameter.schema or any(isinstance(m, Among) for m in _marks(parameter.annotation))
    )


def snapshot(parameter: Parameter) -> dict[str, list[str]]:
    """Return what a parameter's marks say now, as SAID_AS holds it; empty without marks. Raises NamesUnavailable."""
    for mark in _marks(parameter.annotation):
        if isinstance(mark, Among):
            return {name: list(forms) for name, forms in mark.current().items()}
        if isinstance(mark, Synonyms):
            return {choice_text(_written(parameter, value)): list(forms) for value, forms in mark.said_as.items()}
    return {}


def _written(parameter: Parameter, value: Any) -> Any:
    """Return the JSON form of one value of a parameter; of a list's, of one item."""
    write = parameter.kind.write
    return write([value])[0] if is_list(parameter.schema) else write(value)


def said_as_of(schema: Mapping[str, Any], said_as: Mapping[str, Any]) -> dict[Any, tuple[str, ...]]:
    """Return SAID_AS keyed by JSON values; `schema` is that of one value."""
    kind = type_of(schema)
    return {choice_value(kind, text): tuple(forms) for text, forms in said_as.items()}


def _as_names(said_as: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(forms) for name, forms in said_as.items()}


def _marks(annotation: Any) -> Iterator[Any]:
    """Yield what Annotated carries, at any depth of `X | None` and list."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        annotation = get_args(annotation)[0]
    for inner in get_args(annotation):
        if not isinstance(inner, str | int | bool):  # members of a Literal
            yield from _marks(inner)


@dataclass(frozen=True)
class TextReader:
    """Free text, kept as it was said."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return the text itself, spaces collapsed."""
        kept = " ".join(text.split())
        if not kept:
            raise ValueError("nothing was said")
        return Reading(kept, "text")


@dataclass(frozen=True)
class NameReader:
    """A name on a list, which is asked for each time."""

    parameter: str
    """For messages."""
    names: Callable[[], Mapping[str, tuple[str, ...]]]
    """Gives every name and what else people call it."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return the nearest name; ValueError names what was not found, and the nearest ones."""
        from edgefn.arguments.names import Match, find

        found = find(text, self.names())
        if isinstance(found, Match):
            return Reading(found.name, f"name:{found.how}", found.score)
        nearest = ", ".join(found.nearest)
        if found.ambiguous:
            raise ValueError(f"{text!r} could be {' or '.join(found.nearest)}")
        raise ValueError(f"there is no {self.parameter.replace('_', ' ')} {text!r}; the nearest: {nearest or 'none'}")


@dataclass(frozen=True)
class MemberReader:
    """A value of a closed set, by its name or what people say for it."""

    members: Mapping[Any, tuple[str, ...]]
    """Every value and what is said for it."""
    boolean: bool
    """True where the set is yes and no."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return the value that `text` names."""
        from edgefn.arguments.enums import read_member

        found = read_member(text, self.members)
        if found is not None:
            return Reading(found, "choice")
        if self.boolean:
            from edgefn.arguments.booleans import read_boolean

            answer = read_boolean(text)
            if answer is not None:
                return Reading(answer, "boolean")
        elif (number := _number_among(text, self.members)) is not None:
            return Reading(number, "choice")
        raise ValueError(f"{text!r} is none of {', '.join(map(str, self.members))}")


def _number_among(text: str, values: Mapping[Any, Any]) -> Any:
    """Return the number of a closed set that `text` says; None where it says none."""
    if not any(type(value) is int for value in values):
        return None
    from edgefn.arguments.numbers import read_number

    number = read_number(text)
    return number if number in values else None


@dataclass(frozen=True)
class NumberReader:
    """A number, with or without a unit."""

    whole: bool
    """True where only integers fit."""
    unit: str
    """What it is measured in; "" takes the number as said, whatever unit it has."""
    members: Mapping[Any, tuple[str, ...]]
    """Numbers that have words of their own."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return the number in this reader's unit."""
        from edgefn.arguments.enums import read_member
        from edgefn.arguments.quantities import convert, read_quantity

        named = read_member(text, self.members) if self.members else None
        if named is not None:
            return Reading(named, "choice")
        quantity = read_quantity(text)
        if quantity is None:
            raise ValueError(f"{text!r} is not a number")
        value = convert(quantity, self.unit) if self.unit else quantity.value
        if self.whole and value != int(value):
            raise ValueError(f"{text!r} is not a whole number")
        return Reading(int(value) if self.whole else value, f"quantity:{quantity.unit}" if quantity.unit else "number")


def _duration(text: str, now: datetime) -> str | None:
    from edgefn.arguments.durations import read_duration

    length = read_duration(text)
    return None if length is None else format_duration(length)


def _date(text: str, now: datetime) -> str | None:
    from edgefn.arguments.dates import read_date

    day = read_date(text, now)
    return None if day is None else day.isoformat()


def _time(text: str, now: datetime) -> str | None:
    from edgefn.arguments.times import read_time

    clock = read_time(text, now)
    return None if clock is None else clock.isoformat("seconds" if clock.second else "minutes")


def _date_time(text: str, now: datetime) -> str | None:
    from edgefn.arguments.moments import read_moment

    moment = read_moment(text, now)
    return None if moment is None else moment.isoformat(timespec="seconds" if moment.second else "minutes")


_MOMENTS: dict[str, Callable[[str, datetime], str | None]] = {
    "duration": _duration,
    "date": _date,
    "time": _time,
    "date-time": _date_time,
}


@dataclass(frozen=True)
class MomentReader:
    """A duration, a date, a time of day, or a date with a time."""

    format: str
    """The string format of JSON Schema."""

    def read(self, text: str, now: datetime) -> Reading:
        """Return the value in its ISO 8601 form, relative to `now`."""
        value = _MOMENTS[self.format](text, now)
        if value is None:
            raise ValueError(f"{text!r} is not a {self.format.replace('date-time', 'date with a time')}")
        return Reading(value, self.format)


def items_in(text: str) -> list[str]:
    """Return the items of a list that was said in one breath, where marks divide it; else the text alone."""
    from edgefn.arguments.lists import split_list

    # "and" alone does not divide: fish and chips.
    return split_list(text) if any(mark in text for mark in ",;、，；") else [text]
