"""Scores become arguments: every kind of value, from words or from a guess, or a problem that says what is wrong."""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn.arguments.filling import Filled, Filler
from edgefn.arguments.keys import choice_text, choice_values, type_of
from edgefn.arguments.marks import Among, Unit
from edgefn.encoder import Scores
from edgefn.errors import NamesUnavailable
from edgefn.interpreter import Interpreter
from edgefn.manifest import Heads
from edgefn.schema import Length, Parameter, Pattern, Range, kind_of
from edgefn.selection import Selector
from edgefn.tool import Tool
from edgefn.words import Word

NOW = datetime(2026, 11, 18, 10, 30)
SURE = 20.0


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


def tool(**annotations: Any) -> Tool:
    """Return a tool of these parameters, all required."""
    made = [
        Parameter(name, each, kind_of(each).schema, True, None, f"the {name}") for name, each in annotations.items()
    ]
    return Tool("act", "Act.", tuple(made))


def heads_of(tool: Tool, implied: Mapping[str, Sequence[Any]]) -> Heads:
    """Return the rows of one tool: a slot for every parameter, choices for closed ones and for `implied` values."""
    slots, choices = [("O", "", "")], []
    for each in tool.parameters:
        key = each.name, type_of(each.schema)
        slots += [("B", *key), ("I", *key)]
        values = choice_values(each.schema) or implied.get(each.name, ())
        choices += [(*key, text) for text in (None, *map(choice_text, values)) if values]
    return Heads(tools=(tool.name, None), choices=tuple(choices), slots=tuple(slots))


def fill(
    tool: Tool,
    text: str,
    spans: Mapping[str, str | Sequence[str]] | Sequence[tuple[int, int, str]] = (),
    guesses: Mapping[str, Any] | None = None,
    implied: Mapping[str, Sequence[Any]] | None = None,
    sure: float = SURE,
) -> Filled:
    """Fill `tool` by scores that say nothing but `spans`, a parameter's words or where they stand, and `guesses`."""
    heads = heads_of(tool, implied or {})
    words = [Word(at, *match.span()) for at, match in enumerate(re.finditer(r"[a-z0-9']+|\S", text, re.I))]
    slots = np.zeros((len(words), len(heads.slots)), dtype=np.float32)
    slots[:, 0] = sure
    for start, end, name in _places(text, spans):
        column = next(at for at, key in enumerate(heads.slots) if key[:2] == ("B", name))
        inside = [at for at, word in enumerate(words) if start <= word.start and word.end <= end]
        slots[inside] = 0
        slots[inside, column + 1] = sure
        slots[inside[0], [column, column + 1]] = sure, 0
    choices = np.array([sure * (key[2] is None) for key in heads.choices], dtype=np.float32)
    for name, value in (guesses or {}).items():
        choices[[each[0] == name for each in heads.choices]] = 0
        choices[[each[0] == name and each[2] == choice_text(value) for each in heads.choices]] = sure
    filled = Filler(tool, heads).fill(text, words, Scores(np.zeros(2, dtype=np.float32), choices, slots), NOW)
    assert set(filled.arguments) <= {each.name for each in tool.parameters}
    return filled


def _places(text: str, spans: Any) -> list[tuple[int, int, str]]:
    if not isinstance(spans, Mapping):
        return list(spans)
    said = [(name, each) for name, given in spans.items() for each in ([given] if isinstance(given, str) else given)]
    return [(text.index(each), text.index(each) + len(each), name) for name, each in said]


def log_p(filled: Filled) -> float:
    return Selector(tiny.HEADS, tiny.calibration()).arguments_log_p(filled)


ROOMS = {"Main Hall": ("lobby",), "Attic": (), "Reading Room": ("library",)}
Room = Annotated[str, Among(ROOMS)]


# Every kind

KINDS = [
    (str, "pasta water", "pasta water", "text"),
    (Annotated[str, Length(max_length=20)], "a  short   note", "a short note", "text"),
    (int, "twenty two", 22, "number"),
    (Annotated[int, Range(ge=1, le=10)], "ten", 10, "number"),
    (float, "two and a half", 2.5, "number"),
    (float, "30 percent", 30, "quantity:percent"),
    (Annotated[float, Unit("celsius")], "68 fahrenheit", 20, "quantity:fahrenheit"),
    (bool, "yes", True, "boolean"),
    (bool, "switch it off", False, "boolean"),
    (Literal["up", "down"], "Up", "up", "choice"),
    (Literal[1, 2, 10], "ten", 10, "choice"),
    (Colour, "blue", "blue", "choice"),
    (timedelta, "ten minutes", "PT10M", "duration"),
    (date, "tomorrow", "2026-11-19", "date"),
    (time, "half past six in the evening", "18:30", "time"),
    (datetime, "tomorrow at 5 pm", "2026-11-19T17:00", "date-time"),
    (Room, "the lobby", "Main Hall", "name:normalised"),
    (int | None, "five", 5, "number"),
    (Colour | None, "red", "red", "choice"),
    (Annotated[str | None, Among(ROOMS)], "attic", "Attic", "name:normalised"),
    (timedelta, "十分钟", "PT10M", "duration"),
    (int, "两百零五", 205, "number"),
]


@pytest.mark.parametrize(("annotation", "said", "value", "normaliser"), KINDS, ids=lambda each: str(each)[:24])
def test_every_kind_from_its_words(annotation, said, value, normaliser):
    text = f"please {said} now"
    filled = fill(tool(what=annotation), text, {"what": said})
    assert filled.arguments == {"what": value}
    assert type(filled.arguments["what"]) is type(value)
    (piece,) = filled.evidence
    assert (piece.parameter, piece.start, piece.end, piece.text) == ("what", 7, 7 + len(said), said)
    assert piece.normaliser == normaliser
    assert piece.validator
    assert not piece.problem
    assert 0.4 < piece.score <= 1
    assert filled.error is None
    # What the value is in Python is what the signature asks for, and binding agrees.
    made = tool(what=annotation)
    assert made.bind(filled.arguments) == made.typed(filled.arguments)


def test_several_arguments_in_one_sentence():
    made = tool(count=int, room=Room, loud=bool, stay=timedelta)
    text = "two people in the lobby for ten minutes"
    filled = fill(made, text, {"count": "two", "room": "lobby", "stay": "ten minutes"}, {"loud": True})
    assert filled.arguments == {"count": 2, "room": "Main Hall", "loud": True, "stay": "PT10M"}
    assert [each.parameter for each in filled.evidence] == ["count", "room", "loud", "stay"]
    assert [each.parameter for each in filled.spans] == ["count", "room", "stay"]  # as said


def test_nothing_is_said():
    filled = fill(tool(count=int, loud=bool), "please")
    assert (filled.arguments, filled.evidence, filled.spans, filled.error) == ({}, (), (), None)
    assert [each.row for each in filled.choices] == [0]


def test_a_tool_without_parameters_and_a_text_without_words():
    filled = fill(tool(), "please")
    assert (filled.arguments, filled.slots, filled.choices) == ({}, None, ())
    assert log_p(filled) == 0
    assert fill(tool(count=int), "").slots is None


# Several spans for one value


@pytest.mark.parametrize(
    ("annotation", "first", "second", "value"),
    [(int, "ten", "10", 10), (Room, "lobby", "Main Hall", "Main Hall"), (str, "Tea", "tea", "Tea")],
)
def test_the_same_value_said_twice(annotation, first, second, value):
    filled = fill(tool(what=annotation), f"{first} please and {second}", {"what": [first, second]})
    assert filled.arguments == {"what": value}
    assert [(each.text, each.problem) for each in filled.evidence] == [(first, ""), (second, "")]


@pytest.mark.parametrize(
    ("annotation", "first", "second"),
    [
        (int, "five", "ten"),
        (Room, "attic", "lobby"),
        (str, "tea", "cake"),
        (Colour, "red", "blue"),
        (bool, "yes", "no"),
    ],
)
def test_two_values_that_contradict_each_other(annotation, first, second):
    filled = fill(tool(what=annotation), f"{first} lamp {second}", {"what": [first, second]})
    assert filled.arguments == {}
    problem = f"{first!r} and {second!r} contradict each other"
    assert [(each.text, each.problem) for each in filled.evidence] == [(first, problem), (second, problem)]


@pytest.mark.parametrize(
    ("annotation", "first", "between", "second", "value"),
    [
        (int, "two hundred", " and ", "five", 205),
        (timedelta, "two hours", " and ", "ten minutes", "PT2H10M"),
        (datetime, "tomorrow", " at ", "5 pm", "2026-11-19T17:00"),
        (Annotated[str, Among(["Bread and Butter"])], "bread", " and ", "butter", "Bread and Butter"),
        (str, "three essays on", " ", "the theory of colour", "three essays on the theory of colour"),
    ],
)
def test_one_phrase_that_was_cut_in_two(annotation, first, between, second, value):
    text = f"set {first}{between}{second} please"
    filled = fill(tool(what=annotation), text, {"what": [first, second]})
    assert filled.arguments == {"what": value}
    (piece,) = filled.evidence
    assert piece.text == f"{first}{between}{second}"
    assert (piece.start, piece.end) == (4, 4 + len(piece.text))


# What does not fit


@pytest.mark.parametrize(
    ("annotation", "said", "problem"),
    [
        (Annotated[int, Range(ge=1)], "zero", "0 does not fit: what is expected is a whole number, at least 1"),
        (Annotated[int, Range(ge=1, le=10)], "eleven", "11 does not fit: .*at least 1, at most 10"),
        (Annotated[float, Range(lt=1)], "one", "1 does not fit: .*less than 1"),
        (Annotated[str, Length(max_length=3)], "long words", "'long words' does not fit: .*at most 3 characters"),
        (Annotated[str, Pattern("^[A-Z]")], "b7", "'b7' does not fit: .*matching"),
        (Annotated[int | None, Range(ge=1)], "zero", "0 does not fit"),
        (int, "two and a half", "'two and a half' is not a whole number"),
        (int, "apple", "'apple' is not a number"),
        (int, "five or six", ""),
        (Annotated[float, Unit("celsius")], "five euros", ""),
        (timedelta, "soon", "'soon' is not a duration"),
        (date, "february 30", ""),
        (datetime, "tomorrow", "'tomorrow' is not a date with a time"),
        (time, "25:00", ""),
        (Colour, "green", "'green' is none of red, blue"),
        (bool, "maybe", "'maybe' is none of"),
        (Room, "qqq", "there is no what 'qqq'; the nearest: none"),
        (Room, "zebra", "there is no what 'zebra'; the nearest: "),
        (Room, "kitchen room", "there is no what 'kitchen room'; the nearest: .*Reading Room"),
    ],
    ids=lambda each: str(each)[:24],
)
def test_words_that_give_no_value(annotation, said, problem):
    filled = fill(tool(what=annotation), f"please {said} now", {"what": said})
    assert filled.arguments == {}
    (piece,) = filled.evidence
    assert piece.problem
    assert re.match(problem, piece.problem), piece.problem
    assert (piece.text, piece.normaliser) == (said, "")
    assert filled.error is None


def test_a_problem_names_the_parameter_as_people_would():
    (piece,) = fill(tool(meeting_room=Room), "book the zebra", {"meeting_room": "zebra"}).evidence
    assert piece.problem.startswith("there is no meeting room 'zebra'")


def test_a_name_that_could_be_two():
    twins = Annotated[str, Among(["Hall North", "Hall South"])]
    filled = fill(tool(room=twins), "book the hall", {"room": "hall"})
    assert filled.arguments == {}
    assert "Hall North" in filled.evidence[0].problem
    assert "Hall South" in filled.evidence[0].problem


# Lists


@pytest.mark.parametrize(
    ("annotation", "said", "value"),
    [
        (list[str], ["milk"], ["milk"]),
        (list[str], ["milk", "brown bread", "eggs"], ["milk", "brown bread", "eggs"]),
        (list[str], ["milk, eggs and bread"], ["milk", "eggs", "bread"]),
        (list[str], ["fish and chips"], ["fish and chips"]),
        (list[str], ["milk", "milk"], ["milk", "milk"]),
        (list[str], ["牛奶、鸡蛋和面包"], ["牛奶", "鸡蛋", "面包"]),
        (list[int], ["five", "10"], [5, 10]),
        (list[Colour], ["blue", "red"], ["blue", "red"]),
        (list[Room], ["attic", "lobby"], ["Attic", "Main Hall"]),
        (list[Room] | None, ["attic"], ["Attic"]),
        (list[timedelta], ["ten minutes", "an hour"], ["PT10M", "PT1H"]),
    ],
)
def test_a_list_has_its_items_in_the_order_they_are_said(annotation, said, value):
    text = " then ".join(said)
    places, at = [], 0
    for each in said:
        places.append((at, at + len(each), "what"))
        at += len(each) + len(" then ")
    filled = fill(tool(what=annotation), text, places)
    assert filled.arguments == {"what": value}
    assert [each.text for each in filled.evidence] == said
    made = tool(what=annotation)
    assert made.bind(filled.arguments) == made.typed(filled.arguments)


def test_a_list_with_one_item_that_gives_no_value():
    filled = fill(tool(rooms=list[Room]), "attic then zebra", {"rooms": ["attic", "zebra"]})
    assert filled.arguments == {}
    assert [each.text for each in filled.evidence] == ["attic", "zebra"]
    assert all(each.problem.startswith("there is no rooms 'zebra'") for each in filled.evidence)


def test_a_list_of_too_many():
    several = Annotated[list[str], Length(max_length=1)]
    filled = fill(tool(things=several), "milk then eggs", {"things": ["milk", "eggs"]})
    assert filled.arguments == {}
    assert "at most 1 items" in filled.evidence[0].problem


@pytest.mark.parametrize("said", [",", "，", ", ;"])
def test_a_list_of_which_only_marks_were_heard(said):
    filled = fill(tool(things=list[str]), f"add {said} please", {"things": said})
    assert filled.arguments == {}
    assert [each.problem for each in filled.evidence] == ["nothing was said"]


def test_a_list_of_which_nothing_is_said():
    assert fill(tool(things=list[str]), "add please").arguments == {}


def test_a_list_of_one_that_is_guessed_is_a_list():
    filled = fill(tool(rooms=list[Room]), "up there", {}, {"rooms": "Attic"}, {"rooms": ["Attic"]})
    assert filled.arguments == {"rooms": ["Attic"]}
    assert tool(rooms=list[Room]).bind(filled.arguments) == {"rooms": ["Attic"]}
    assert log_p(filled) == pytest.approx(0, abs=1e-6)


# A live list


def test_a_list_is_asked_for_each_time():
    rooms = ["Attic"]
    made = tool(room=Annotated[str, Among(lambda: rooms)])
    assert fill(made, "the attic", {"room": "attic"}).arguments == {"room": "Attic"}
    rooms[:] = ["Cellar"]
    assert fill(made, "the attic", {"room": "attic"}).arguments == {}
    assert fill(made, "the cellar", {"room": "cellar"}).arguments == {"room": "Cellar"}


def broken() -> list[str]:
    raise OSError("no network")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (broken, "the names cannot be had: asking for them raised OSError: no network"),
        (list, "the names cannot be had: the list is empty"),
        (lambda: None, "the names cannot be had: a NoneType was given instead of a list of them"),
        (lambda: ["Attic", 5], "the names cannot be had: 5 is no name"),
    ],
    ids=["raises", "empty", "None", "odd"],
)
@pytest.mark.parametrize("many", [False, True])
def test_a_list_that_cannot_be_read(names, problem, many):
    room = Annotated[str, Among(names)]
    made = tool(room=list[room] if many else room, count=int)
    filled = fill(made, "two in the attic", {"room": "attic", "count": "two"})
    assert filled.arguments == {"count": 2}
    assert isinstance(filled.error, NamesUnavailable)
    assert filled.error.message == problem
    unfit = next(each for each in filled.evidence if each.parameter == "room")
    assert (unfit.text, unfit.problem) == ("attic", problem)


# Choice against span


def test_words_say_more_than_a_guess():
    filled = fill(tool(way=Literal["up", "down"]), "turn it up", {"way": "up"}, {"way": "down"})
    assert filled.arguments == {"way": "up"}
    assert filled.evidence[0].text == "up"
    (chosen,) = filled.choices
    assert chosen.row == 1  # its own row, though the head prefers another: the two views disagree, and P says so
    assert log_p(filled) == pytest.approx(-SURE, rel=1e-3)


def test_a_guess_says_more_than_words_that_give_no_value():
    filled = fill(tool(way=Literal["up", "down"]), "turn it skywards", {"way": "skywards"}, {"way": "up"})
    assert filled.arguments == {"way": "up"}
    (piece,) = filled.evidence
    assert (piece.text, piece.start, piece.end, piece.normaliser, piece.problem) == ("", 0, 0, "choice", "")
    assert piece.score == pytest.approx(1, abs=1e-6)


def test_words_that_give_no_value_and_no_guess():
    filled = fill(tool(way=Literal["up", "down"]), "turn it skywards", {"way": "skywards"})
    assert filled.arguments == {}
    assert filled.evidence[0].problem == "'skywards' is none of up, down"


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(bool, False), (Colour, "red"), (Literal[1, 2], 2), (Colour | None, "blue")],
    ids=str,
)
def test_a_closed_value_that_stands_nowhere(annotation, value):
    filled = fill(tool(what=annotation), "please", {}, {"what": value})
    assert filled.arguments == {"what": value}
    assert filled.evidence[0].end == 0


def test_an_open_value_that_rows_implied():
    made = tool(stay=timedelta)
    filled = fill(made, "watch a film", {}, {"stay": "PT2H"}, {"stay": ["PT2H", "PT30M"]})
    assert filled.arguments == {"stay": "PT2H"}
    assert made.typed(filled.arguments) == {"stay": timedelta(hours=2)}


def test_an_open_value_from_words_is_not_said_to_the_choice_head():
    """Training teaches it so: only enums and booleans have their row whether their words are spanned or not."""
    filled = fill(tool(stay=timedelta), "stay two hours", {"stay": "two hours"}, {}, {"stay": ["PT2H", "PT30M"]})
    assert filled.arguments == {"stay": "PT2H"}
    assert [each.row for each in filled.choices] == [0]
    assert log_p(filled) == pytest.approx(0, abs=1e-6)
    closed = fill(tool(way=Literal["up", "down"]), "turn it up", {"way": "up"}, {"way": "up"})
    assert [each.row for each in closed.choices] == [1]
    assert log_p(closed) == pytest.approx(0, abs=1e-6)


def test_doubt_in_words_and_choices_is_doubt_in_the_call():
    made = tool(count=int, way=Literal["up", "down"])
    sure = fill(made, "two up", {"count": "two"}, {"way": "up"})
    unsure = fill(made, "two up", {"count": "two"}, {"way": "up"}, sure=1.0)
    assert log_p(unsure) < -1 < log_p(sure) <= 0
    assert unsure.arguments == sure.arguments
    assert unsure.evidence[0].score < 0.5 < sure.evidence[0].score


# One parameter by itself


def test_reading_one_parameter():
    made = tool(count=Annotated[int, Range(ge=1)], things=list[str], room=Room, note=str)
    filler = Filler(made, heads_of(made, {}))
    assert filler.read("count", "five", NOW).value == 5
    assert filler.read("things", "milk, eggs", NOW).value == ["milk", "eggs"]
    assert filler.read("things", "milk", NOW).value == ["milk"]
    assert filler.read("room", "lobby", NOW).value == "Main Hall"
    for name, said in (
        ("count", "zero"),
        ("count", "apple"),
        ("room", "zebra"),
        ("things", ","),
        ("things", ""),
        ("note", " "),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            filler.read(name, said, NOW)
    assert [filler.takes_any_text(each.name) for each in made.parameters] == [False, True, False, True]
    assert filler.expected("count") == "a whole number, at least 1"


# Neither order nor origin of a schema matters

PARAMETERS = {
    "count": Annotated[int, Range(ge=1)],
    "room": Room,
    "way": Literal["up", "down"],
    "loud": bool,
    "stay": timedelta,
    "things": list[str],
}
SAID = "two people up in the lobby with milk and with eggs for ten minutes"
SPANS = {"count": "two", "room": "lobby", "stay": "ten minutes", "things": ["milk", "eggs"]}
GUESSES = {"way": "up", "loud": True}


def schema_of(made: Tool) -> dict[str, Any]:
    """Return a tool's schema with what people call its rooms, as training writes it."""
    schema = json.loads(json.dumps(dict(made.schema)))
    schema["properties"]["room"]["x-said-as"] = {name: list(forms) for name, forms in ROOMS.items()}
    return schema


def view(filled: Filled) -> Any:
    labels = None if filled.slots is None else (filled.slots.labels, filled.slots.logits.tolist())
    return filled.arguments, filled.evidence, filled.spans, labels, [(each.row, each.score) for each in filled.choices]


@given(st.permutations(list(PARAMETERS)), st.randoms())
def test_the_order_of_keys_in_a_schema_changes_nothing(order, draw):
    first = tool(**PARAMETERS)
    schema = schema_of(first)
    known = Tool.select_only("act", "Act.", schema)
    shuffled = {**schema, "properties": {}}
    for name in order:
        keys = list(schema["properties"][name].items())
        draw.shuffle(keys)
        shuffled["properties"][name] = dict(keys)
    shuffled["required"] = draw.sample(schema["required"], len(schema["required"]))
    shuffled = dict(draw.sample(list(shuffled.items()), len(shuffled)))
    other = Tool.select_only("act", "Act.", shuffled)
    assert other.fingerprint == known.fingerprint
    heads = heads_of(known, {})
    words = [Word(at, *match.span()) for at, match in enumerate(re.finditer(r"\w+", SAID))]
    chance = np.random.default_rng(draw.randrange(1000))
    scores = Scores(
        np.zeros(2, dtype=np.float32),
        chance.normal(0, 3, len(heads.choices)).astype(np.float32),
        chance.normal(0, 3, (len(words), len(heads.slots))).astype(np.float32),
    )
    found = [Filler(each, heads).fill(SAID, words, scores, NOW) for each in (known, other)]
    assert view(found[0]) == view(found[1])
    assert log_p(found[0]) == log_p(found[1])  # bit by bit


def test_a_tool_known_by_its_schema_is_filled_as_its_function_is():
    made = tool(**PARAMETERS)
    by_schema = Tool.select_only("act", "Act.", schema_of(made))
    one, other = (fill(each, SAID, SPANS, GUESSES) for each in (made, by_schema))
    assert (
        one.arguments
        == other.arguments
        == {
            **{"count": 2, "room": "Main Hall", "way": "up", "loud": True},
            **{"stay": "PT10M", "things": ["milk", "eggs"]},
        }
    )
    assert set(one.evidence) == set(other.evidence)
    assert log_p(one) == pytest.approx(log_p(other), abs=1e-9)


@pytest.mark.parametrize(
    "text", ["set a pasta water timer five", "loud timer ten", "timer zero", "quiet", "on off loud"]
)
def test_the_order_of_keys_changes_no_call_of_a_bundle(text):
    def turned(value: Any) -> Any:
        """Return JSON with the keys of every object the other way round."""
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(list(value))}
        return list(reversed(value)) if isinstance(value, list) else value

    about = tiny.manifest()
    encoder = tiny.encoder()
    calls = []
    for change in (lambda schema: schema, turned):
        tools = [Tool.select_only(each.name, each.description, change(each.parameters)) for each in about.tools]
        found = Interpreter.of(about, encoder, tools).interpret(text, NOW)
        calls.append((found.call(), found.probability, found.log_p))
    assert calls[0] == calls[1]


# Whatever the scores

text_words = st.lists(
    st.sampled_from(
        [
            "two",
            "10",
            "minutes",
            "up",
            "attic",
            "lobby",
            "yes",
            "tomorrow",
            ",",
            "、",
            "and",
            "milk",
            "25:00",
            "½",
            "十",
        ]
    ),
    min_size=1,
    max_size=6,
)


@given(text_words, st.integers(0, 2**32 - 1))
def test_filling_never_raises_and_what_it_gives_fits(said, seed):
    made = tool(
        **PARAMETERS,
        day=date,
        clock=time,
        moment=datetime,
        part=Annotated[float, Unit("celsius")],
        colours=list[Colour],
    )
    heads = heads_of(made, {"stay": ["PT2H"], "count": [3]})
    text = " ".join(said)
    words = [Word(at, *match.span()) for at, match in enumerate(re.finditer(r"\S+", text))]
    chance = np.random.default_rng(seed)
    scores = Scores(
        np.zeros(2, dtype=np.float32),
        chance.normal(0, 3, len(heads.choices)).astype(np.float32),
        chance.normal(0, 3, (len(words), len(heads.slots))).astype(np.float32),
    )
    filled = Filler(made, heads).fill(text, words, scores, NOW)
    loose = Tool.select_only("act", "", {**made.schema, "required": []})
    assert loose.bind(filled.arguments) == filled.arguments
    assert made.typed(filled.arguments).keys() == filled.arguments.keys()
    assert log_p(filled) <= 0
    for piece in filled.evidence:
        assert text[piece.start : piece.end] == piece.text
        assert bool(piece.problem) is (piece.parameter not in filled.arguments)
        assert 0 <= piece.score <= 1
    assert json.loads(json.dumps(filled.arguments)) == filled.arguments
