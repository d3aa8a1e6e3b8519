"""Marking, describing and fingerprinting tools, and binding arguments."""

from __future__ import annotations

import functools
import json
import math
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from edgefn.checking import expectation, plain
from edgefn.errors import ArgumentError, ToolDefinitionError, UnsupportedSignature
from edgefn.iso8601 import PARSERS
from edgefn.saying import question
from edgefn.schema import Length, Parameter, Pattern, Range, kind_of
from edgefn.tool import Hints, Tool, fingerprint_parameters, mark_of, tool


class Tone(Enum):
    BELL = "bell"
    GONG = "gong"


class Other(Enum):
    BELL = "bell"


def set_timer(duration: timedelta, label: str = "timer", tone: Tone | None = None) -> str:
    """Start a countdown timer.

    Args:
        duration: how long until it rings.
        label: what the timer is for.
        tone: the sound it makes.
    """
    return f"{label}: {duration}"


def everything(
    count: Annotated[int, Range(ge=1, le=9)],
    share: float,
    loud: bool,
    word: Annotated[str, Length(1, 5), Pattern("^[a-z]+$")],
    level: Literal["low", "high"],
    day: date,
    at: time,
    moment: datetime,
    sizes: list[int],
    tones: list[Tone | None],
) -> None:
    """Take everything.

    Args:
        count: how many.
        share: how much.
        loud: whether to shout.
        word: the word.
        level: the level.
        day: which day.
        at: what time.
        moment: when exactly.
        sizes: the sizes.
        tones: the tones.
    """


TIMER = Tool.from_function(set_timer)
EVERYTHING = Tool.from_function(everything)
GOOD: dict[str, Any] = {
    "count": 3,
    "share": 5,
    "loud": True,
    "word": "abc",
    "level": "low",
    "day": "2026-03-31",
    "at": "07:30",
    "moment": "2026-03-31T07:30:00",
    "sizes": [1, 2.0],
    "tones": ["bell", None],
}


# ---- the decorator ----


def test_tool_returns_the_same_function():
    def plain() -> None:
        """Do."""

    assert tool(plain) is plain
    assert tool(name="other", read_only=True)(plain) is plain
    assert Tool.from_function(plain).name == "other"
    assert Tool.from_function(plain).hints == Hints(read_only=True)


def test_the_mark_shows_through_wraps_partial_and_methods():
    @tool(destructive=True)
    def erase(disk: str) -> None:
        """Erase a disk.

        Args:
            disk: which disk.
        """

    @functools.wraps(erase)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        erase(*args, **kwargs)

    class Disk:
        @tool(idempotent=True)
        def spin(self) -> None:
            """Spin it."""

    for each in (erase, wrapped, functools.partial(erase), functools.partial(wrapped, disk="a")):
        assert Tool.from_function(each).hints.destructive
        assert Tool.from_function(each).function is each
    assert Tool.from_function(Disk().spin).hints.idempotent
    assert mark_of(set_timer) is None
    assert mark_of(5) is None


@pytest.mark.parametrize("thing", [5, "text", print, {}.get])
def test_what_cannot_be_marked_is_refused(thing):
    with pytest.raises(ToolDefinitionError, match="cannot be marked"):
        tool(thing)


def test_read_only_and_destructive_contradict_each_other():
    with pytest.raises(ToolDefinitionError):
        tool(read_only=True, destructive=True)


@pytest.mark.parametrize("name", ["", "1st", "a b", "ü", "x" * 65, "a/b", "tool\n"])
def test_bad_names_are_refused(name):
    with pytest.raises(ToolDefinitionError) as caught:
        Tool.from_function(tool(name=name)(functools.partial(set_timer)))
    assert caught.value.hint


async def waits() -> None:
    """Wait."""


async def streams() -> Any:
    """Stream."""
    yield 1


def counts() -> Iterator[int]:
    """Count."""
    yield 1


@pytest.mark.parametrize("thing", [waits, functools.partial(waits)])
def test_an_async_function_is_a_tool(thing):
    assert Tool.from_function(thing).is_async
    assert not Tool.from_function(set_timer).is_async


@pytest.mark.parametrize("thing", [streams, counts, functools.partial(streams), lambda: 1, print, Tone, 5])
def test_what_does_not_simply_return_is_refused(thing):
    with pytest.raises(UnsupportedSignature) as caught:
        Tool.from_function(thing)
    assert "def" in caught.value.hint


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (int, "three"),
        (int, None),
        (int, True),
        (float, math.nan),
        (str, "\ud800"),
        (date, datetime(2026, 1, 1)),
        (Annotated[int, Range(ge=1)], 0),
        (Tone, Other.BELL),
        (list[int], ["a"]),
    ],
)
def test_a_default_that_does_not_fit_is_refused(annotation, default):
    def sample(x=default):
        """Do.

        Args:
            x: this.
        """

    sample.__annotations__["x"] = annotation
    with pytest.raises(UnsupportedSignature, match=r"sample \(.*test_tool.py:\d+\): parameter 'x' has the default"):
        Tool.from_function(sample)


def test_typed_defaults_fit():
    def sample(a: date = date(2026, 1, 1), b: Tone = Tone.GONG, c: float = 3, d: list[int] | None = None) -> None:
        """Do.

        Args:
            a: this.
            b: this.
            c: this.
            d: this.
        """

    assert not any(each.required for each in Tool.from_function(sample).parameters)


def test_a_pattern_that_the_validator_cannot_read_is_refused():
    def sample(x: Annotated[str, Pattern(r"(a)?(?(1)b|c)\Z(?a:x)")]) -> None:
        """Do.

        Args:
            x: this.
        """

    with pytest.raises(ToolDefinitionError, match="sample"):
        Tool.from_function(sample)


# ---- schema, fingerprint, foreign forms ----


def test_the_schema_of_a_tool():
    assert TIMER.schema == {
        "type": "object",
        "properties": {
            "duration": {"type": "string", "format": "duration", "description": "how long until it rings."},
            "label": {"type": "string", "description": "what the timer is for."},
            "tone": {
                "anyOf": [{"type": "string", "enum": ["bell", "gong"]}, {"type": "null"}],
                "description": "the sound it makes.",
            },
        },
        "required": ["duration"],
        "additionalProperties": False,
    }
    assert TIMER.source == __file__
    assert TIMER.line == set_timer.__code__.co_firstlineno


def test_foreign_forms():
    assert TIMER.to_openai() == {
        "type": "function",
        "function": {
            "name": "set_timer",
            "description": "Start a countdown timer.",
            "parameters": TIMER.schema,
        },
    }
    hints = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": False, "openWorldHint": False}
    assert TIMER.to_mcp() == {
        "name": "set_timer",
        "description": "Start a countdown timer.",
        "inputSchema": TIMER.schema,
        "annotations": hints,
    }
    TIMER.to_mcp()["inputSchema"]["properties"].clear()
    assert TIMER.schema["properties"]


def _shuffled(value: Any, seed: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        seed.shuffle(keys)
        return {key: _shuffled(value[key], seed) for key in keys}
    return [_shuffled(each, seed) for each in value] if isinstance(value, list) else value


@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(seed):
    schema = json.loads(json.dumps(EVERYTHING.schema))
    seed.shuffle(schema["required"])
    other = Tool.select_only("everything", "Take everything.", _shuffled(schema, seed))
    assert other.fingerprint == EVERYTHING.fingerprint
    assert other.parameters_fingerprint == EVERYTHING.parameters_fingerprint
    assert fingerprint_parameters(schema) == EVERYTHING.parameters_fingerprint
    assert [each.name for each in other.parameters] == sorted(GOOD)
    assert EVERYTHING.bind(_shuffled(GOOD, seed)) == EVERYTHING.bind(GOOD)
    bad = _shuffled({**GOOD, "word": "A", "sizes": [None]}, seed)
    assert _refusal(EVERYTHING, bad).message == _refusal(EVERYTHING, {**GOOD, "word": "A", "sizes": [None]}).message


def _variant(description: str = "how many.", summary: str = "Do.", annotation: Any = int, default: Any = 1) -> Tool:
    def sample(x=default):
        pass

    sample.__doc__ = f"{summary}\n\nArgs:\n    x: {description}"
    sample.__annotations__["x"] = annotation
    return Tool.from_function(sample)


def test_fingerprints_tell_a_changed_description_from_changed_parameters():
    base = _variant()
    assert base.fingerprint.startswith("sha256:")
    for reworded in (_variant(description="how much."), _variant(summary="Act.")):
        assert reworded.fingerprint != base.fingerprint
        assert reworded.parameters_fingerprint == base.parameters_fingerprint
    for changed in (_variant(annotation=float), _variant(annotation=int | None)):
        assert changed.parameters_fingerprint != base.parameters_fingerprint
    assert _variant(default=2).fingerprint == base.fingerprint


def test_a_parameter_named_description_counts():
    first = Tool.select_only("t", "T", {"properties": {"description": {"type": "string"}}})
    second = Tool.select_only("t", "T", {"properties": {"description": {"type": "integer"}}})
    assert first.parameters_fingerprint != second.parameters_fingerprint


# ---- binding ----


def _refusal(tool: Tool, arguments: Any) -> ArgumentError:
    with pytest.raises(ArgumentError) as caught:
        tool.bind(arguments)
    return caught.value


def test_json_values_become_typed_values():
    bound = EVERYTHING.bind(GOOD)
    assert bound == {
        **GOOD,
        "share": 5.0,
        "day": date(2026, 3, 31),
        "at": time(7, 30),
        "moment": datetime(2026, 3, 31, 7, 30),
        "sizes": [1, 2],
        "tones": [Tone.BELL, None],
    }
    assert type(bound["share"]) is float
    assert [type(each) for each in bound["sizes"]] == [int, int]


def test_typed_values_are_taken_as_they_are():
    bound = EVERYTHING.bind(GOOD)
    assert EVERYTHING.bind(bound) == bound
    assert EVERYTHING.bind(EVERYTHING.unbind(bound)) == bound
    json.dumps(EVERYTHING.unbind(bound), allow_nan=False)


def test_defaults_are_left_to_python():
    bound = TIMER.bind({"duration": "PT10M"})
    assert bound == {"duration": timedelta(minutes=10)}
    assert set_timer(**bound) == "timer: 0:10:00"
    assert TIMER.unbind({"label": "x"}) == {"label": "x"}


REFUSED: list[tuple[str, Any, str]] = [
    ("count", True, "but what is expected is a whole number, at least 1, at most 9"),
    ("count", 2.5, "a whole number"),
    ("count", "3", "'count' is '3'"),
    ("count", 10, "at most 9"),
    ("count", 10**400, "at most 9"),
    ("share", True, "expected is a number"),
    ("share", math.nan, "'share' is nan"),
    ("share", math.inf, "a number"),
    ("share", 10**400, "a number"),
    ("loud", 1, "true or false"),
    ("word", "A", "matching ^[a-z]+$"),
    ("word", "abcdef", "at most 5 characters"),
    ("word", "a\ud800", "text"),
    ("word", b"abc", "text"),
    ("level", "medium", 'one of "low", "high"'),
    ("day", "tomorrow", "a date such as"),
    ("day", datetime(2026, 3, 31), "a date such as"),
    ("at", "7:30", "a time such as"),
    ("at", "24:00", "a time such as"),
    ("moment", "2026-03-31", "a date and time such as"),
    ("moment", date(2026, 3, 31), "a date and time such as"),
    ("sizes", [1, "2"], "a list, each item a whole number"),
    ("sizes", 1, "a list"),
    ("sizes", {"1": 1}, "a list"),
    ("tones", [Other.BELL], 'one of "bell", "gong", or null'),
    ("tones", ["BELL"], "one of"),
    ("tones", [object()], "one of"),
]


@pytest.mark.parametrize(
    ("name", "value", "words"), REFUSED, ids=lambda value: str(value)[:30].encode("ascii", "replace")
)
def test_a_value_that_does_not_fit_is_named_in_a_sentence(name, value, words):
    error = _refusal(EVERYTHING, {**GOOD, name: value})
    assert (error.parameter, error.missing) == (name, False)
    assert error.message.startswith(f"everything: {name!r} is ")
    assert words in error.message
    assert error.hint


def test_a_missing_argument_says_so():
    error = _refusal(TIMER, {"label": "pasta"})
    assert (error.parameter, error.missing) == ("duration", True)
    assert error.message == "set_timer needs 'duration' (how long until it rings), which is missing"


def test_the_first_parameter_of_the_signature_is_named():
    assert _refusal(EVERYTHING, {"tones": 1, "share": "x"}).parameter == "count"
    assert _refusal(EVERYTHING, {"count": 1, "tones": 1, "share": object()}).parameter == "share"


@pytest.mark.parametrize("name", ["colour", 5, "\ud800", ""])
def test_an_unknown_argument_is_refused(name):
    error = _refusal(TIMER, {"duration": "PT1S", name: 1})
    assert (error.parameter, error.missing) == (str(name), False)
    assert "duration, label, tone" in error.hint


@pytest.mark.parametrize("arguments", [None, [], "x", 5])
def test_arguments_must_be_an_object(arguments):
    assert "arguments" in _refusal(TIMER, arguments).message


def test_nan_is_not_null():
    assert _refusal(TIMER, {"duration": "PT1S", "tone": math.nan}).parameter == "tone"


def test_nan_has_no_json_form_whatever_the_schema():
    anything = Tool.select_only("t", "T", {"properties": {"x": {}}})
    for each in (anything.bind, anything.unbind):
        with pytest.raises(ArgumentError):
            each({"x": [math.nan]})


def test_hostile_values_are_refused_all_the_same():
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError

    loop: list[Any] = []
    loop.append(loop)
    for value in (Hostile(), loop, 10**5000):
        assert _refusal(TIMER, {"duration": value}).parameter == "duration"
        anything = Tool.select_only("t", "T", {"properties": {"x": {"type": "string"}}})
        assert _refusal(anything, {"x": value}).parameter == "x"


# ---- our validator against another ----

_CHECKER = FormatChecker(formats=())
for _name, _parser in PARSERS.items():
    _CHECKER.checks(_name, raises=ValueError)(
        lambda value, parser=_parser: not isinstance(value, str) or parser(value) is not None
    )

_BOUNDED = [
    Annotated[int, Range(ge=0, lt=5)],
    Annotated[float, Range(gt=-1, le=2.5)],
    Annotated[str, Length(1, 3)],
    Annotated[str, Pattern("a")],
]
_CLOSED = [bool, Tone, Literal["a", "b"], Literal[0, True, "x"]]
_SCALARS = st.sampled_from([int, float, str, date, time, datetime, timedelta, *_BOUNDED, *_CLOSED])
_ANNOTATIONS = st.recursive(
    _SCALARS,
    lambda inner: inner.map(lambda each: list[each]) | inner.map(lambda each: each | None),
    max_leaves=3,
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a", "b", "x", "bell", "BELL", "2026-03-31", "07:30", "2026-03-31T07:30Z", "PT1S", "P1Y"])
    | st.text(max_size=4).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=5,
)


def _values_near(annotation: Any) -> st.SearchStrategy[Any]:
    """JSON values, many of which fit the annotation up to its bounds."""

    def has_json_form(value: Any) -> bool:
        try:
            return plain(value) == value
        except (TypeError, ValueError):
            return False

    return _JSON | st.from_type(annotation).map(kind_of(annotation).write).filter(has_json_form)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(_ANNOTATIONS, st.booleans()), max_size=3), st.data())
def test_we_accept_what_another_validator_accepts(kinds, data):
    parameters = tuple(
        Parameter(f"p{number}", annotation, kind_of(annotation).schema, required, None, "it.")
        for number, (annotation, required) in enumerate(kinds)
    )
    tool = Tool("sample", "Sample.", parameters)
    near = {each.name: _values_near(each.annotation) for each in parameters}
    anything = st.dictionaries(st.sampled_from(["p0", "p1", "p2", "p3"]), _JSON, max_size=4)
    arguments = data.draw(st.fixed_dictionaries(near) | st.fixed_dictionaries({}, optional=near) | anything)
    Draft202012Validator.check_schema(dict(tool.schema))
    expected = Draft202012Validator(dict(tool.schema), format_checker=_CHECKER).is_valid(arguments)
    try:
        bound = tool.bind(arguments)
    except ArgumentError as exc:
        assert not expected, exc.message
        assert exc.parameter
    else:
        assert expected
        assert tool.bind(tool.unbind(bound)) == bound


# ---- tools known only from data ----


def test_select_only_checks_and_never_runs():
    other = Tool.select_only("set_timer", TIMER.description, TIMER.schema)
    assert other.function is None
    assert other.fingerprint == TIMER.fingerprint
    assert other.schema == TIMER.schema
    assert other.bind({"duration": "PT10M"}) == {"duration": "PT10M"}
    assert _refusal(other, {"duration": "soon"}).parameter == "duration"
    assert _refusal(other, {}).missing
    assert other.question_for("duration") == "How long until it rings?"


def test_select_only_keeps_what_it_does_not_know():
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/small"}, "b": {"type": "string", "format": "email"}},
        "minProperties": 1,
        "$defs": {"small": {"maximum": 3}},
    }
    other = Tool.select_only("t", "T", schema)
    assert other.bind({"a": 2, "extra": [1]}) == {"a": 2, "extra": [1]}
    assert _refusal(other, {"a": 4}).parameter == "a"
    assert _refusal(other, {"b": "nobody"}).parameter == "b"
    assert _refusal(other, {}).parameter == ""


@pytest.mark.parametrize(
    "schema", [5, {"properties": []}, {"properties": {"a": 5}}, [], {"required": 5}, {"x": object()}]
)
def test_select_only_refuses_what_is_no_object_schema(schema):
    with pytest.raises(ToolDefinitionError) as caught:
        Tool.select_only("t", "T", schema)
    assert caught.value.hint


@pytest.mark.parametrize("schema", [{"type": "integr"}, {"$ref": "http://127.0.0.1:9/x"}, {"$ref": "#/$defs/none"}])
def test_a_schema_that_cannot_be_compiled_is_a_definition_error(schema):
    with pytest.raises(ToolDefinitionError, match="t: not a JSON Schema"):
        Tool.select_only("t", "T", {"properties": {"a": schema}}).bind({})


def test_a_remote_schema_is_never_fetched():
    remote = Tool.select_only("t", "T", {"properties": {"a": {"$ref": "http://127.0.0.1:9/x"}}})
    with pytest.raises(ToolDefinitionError, match="is not fetched"):
        remote.bind({})


# ---- words ----


@pytest.mark.parametrize(
    ("description", "asked"),
    [
        ("how long until it rings.", "How long until it rings?"),
        ("How long until it rings?", "How long until it rings?"),
        ("the city to look up. Any city will do.", "What is the city to look up?"),
        ("The label; without it, none", "What is the label?"),
        ("WiFi name.", "Which net name: WiFi name?"),
        ("whether to shout; false whispers.", "Yes or no: whether to shout?"),
        ("", "Which net name?"),
        ("...", "Which net name?"),
        ("多长时间后响铃。", "多长时间后响铃？"),
        ("über welche Strecke.", "über welche Strecke?"),
    ],
)
def test_a_description_becomes_a_question(description, asked):
    assert question("net_name", description) == asked


@given(st.text(max_size=30))
def test_every_question_ends_as_one(description):
    assert question("x", description)[-1] in "?？"


def test_question_for_an_unknown_parameter():
    with pytest.raises(ArgumentError):
        TIMER.question_for("colour")


def test_an_expectation_for_a_schema_without_words():
    assert expectation({"maximum": 3}) == 'a value that fits {"maximum": 3}'


# ---- the object ----


def test_a_tool_can_be_hashed_compared_and_pickled():
    TIMER.bind({"duration": "PT1S"})
    again = pickle.loads(pickle.dumps(TIMER))
    assert again == TIMER
    assert hash(again) == hash(TIMER)
    assert again.bind({"duration": "PT1S"}) == {"duration": timedelta(seconds=1)}


def test_importing_loads_neither_validator_nor_engine():
    code = "import sys, edgefn.schema, edgefn.tool; print([m for m in %r if m in sys.modules])"
    heavy = ["jsonschema_rs", "jsonschema", "onnxruntime", "torch", "click", "pydantic"]
    # Loaded past edgefn/__init__.py, which is other modules' business.
    stub = "import sys, types; p = types.ModuleType('edgefn'); p.__path__ = [%r]; sys.modules['edgefn'] = p; "
    folder = __import__("edgefn").__path__[0]
    done = subprocess.run(
        [sys.executable, "-c", stub % folder + code % heavy], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
