"""One pass gives the call that an utterance asks for most probably, and one probability of the whole."""

from __future__ import annotations

import math
from datetime import datetime, time
from typing import Annotated

import pytest
import tiny

from edgefn import ToolCall, tool
from edgefn.errors import EngineError, InvalidUtterance, ToolDefinitionError
from edgefn.interpreter import Interpreter
from edgefn.schema import Range
from edgefn.selection import log_softmax
from edgefn.tool import Tool

NOW = datetime(2026, 11, 18, 10, 30)


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    """An interpreter that knows the tools by their functions."""
    return Interpreter.of(tiny.manifest(), tiny.encoder(), map(Tool.from_function, tiny.functions()[0]))


@pytest.mark.parametrize(
    ("text", "name", "arguments"),
    [
        ("turn the lamp on", "lamp_on", {}),
        ("the lamp dark please", "lamp_off", {}),
        ("set a timer", "set_timer", {}),
        ("set a timer ten minutes", "set_timer", {"minutes": 10}),
        ("five minutes pasta water timer", "set_timer", {"minutes": 5, "label": "pasta water"}),
        ("a loud pasta timer", "set_timer", {"label": "pasta", "loud": True}),
        ("a quiet timer", "set_timer", {"loud": False}),
    ],
)
def test_a_call(interpreter, text, name, arguments):
    found = interpreter.interpret(text, NOW)
    assert (found.tool.name, found.selection.tool) == (name, name)
    assert found.filled.arguments == arguments
    call = found.call()
    assert isinstance(call, ToolCall)
    assert (call.tool, call.arguments, call.probability) == (name, arguments, found.probability)
    assert {each.parameter for each in call.evidence} == arguments.keys()
    assert call.error is None


def test_arguments_come_in_the_order_of_the_signature(interpreter):
    call = interpreter.interpret("loud pasta timer five", NOW).call()
    assert list(call.arguments) == ["minutes", "label", "loud"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("\ud800", "not_text"), ("lamp " * 50, "too_long"), ("请开灯", "unknown_script")],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_not_given_to_the_engine(interpreter, text, reason):
    assert interpreter.interpret(text, NOW) == reason


def test_errors(interpreter):
    with pytest.raises(InvalidUtterance):
        interpreter.interpret(None, NOW)
    with pytest.raises(EngineError, match="not finite"):
        interpreter.interpret(f"lamp {tiny.POISON}", NOW)


@pytest.mark.parametrize("text", ["set a timer", "on off", "five pasta timer", "loud timer", "please", "weather timer"])
@pytest.mark.parametrize("temperatures", [(1.0, 1.0, 1.0), (2.0, 3.0, 5.0)])
def test_the_probability_is_that_of_the_tool_every_word_and_every_choice(text, temperatures):
    names = ("tool_temperature", "slot_temperature", "choice_temperature")
    fitted = tiny.calibration(**dict(zip(names, temperatures, strict=True)))
    interpreter = tiny.interpreter(calibration=fitted)
    encoded = interpreter.encoder.encode(text)
    scores = interpreter.encoder.run(encoded)
    found = interpreter.read(encoded, scores, NOW)
    tools, slots, choices = (
        log_softmax(logits / by)
        for logits, by in zip((scores.tool_logits, scores.slot_logits, scores.choice_logits), temperatures, strict=True)
    )
    log_p = tools[:3].max()
    if found.tool.name == "set_timer":
        labels = [found.filled.slots.labels[at] for at in range(len(encoded.words))]
        log_p += sum(slots[word.token, label] for word, label in zip(encoded.words, labels, strict=True))
        log_p += choices[found.filled.choices[0].row]
    assert found.log_p == pytest.approx(log_p, rel=1e-5, abs=1e-9)
    assert found.probability == pytest.approx(1 / (1 + math.exp(-(4 * log_p + 3))), rel=1e-5)
    assert found.selection.log_p == pytest.approx(tools[:3].max(), rel=1e-6, abs=1e-9)


def test_a_parameter_left_empty_is_part_of_the_probability(interpreter):
    """A coin between *not said* and "loud" counts, though nothing is filled."""
    found = interpreter.interpret("timer timer loud", NOW)
    assert found.log_p == pytest.approx(math.log(0.5), rel=1e-3)
    assert found.selection.log_p == pytest.approx(0, abs=1e-4)


def test_the_arguments_of_another_tool_than_the_one_that_won(interpreter):
    text = "lamp on five pasta"
    encoded = interpreter.encoder.encode(text)
    scores = interpreter.encoder.run(encoded)
    assert interpreter.read(encoded, scores, NOW).tool.name == "lamp_on"
    assert interpreter.fill("set_timer", encoded, scores, NOW).arguments == {"minutes": 5, "label": "pasta"}
    assert interpreter.fill("lamp_on", encoded, scores, NOW).arguments == {}


def test_tools_that_are_not_on_this_device_are_known_by_their_schema():
    functions, _ = tiny.functions()
    partly = Interpreter.of(tiny.manifest(), tiny.encoder(), [Tool.from_function(functions[0])])
    assert partly.tool("lamp_on").function is functions[0]
    timer = partly.tool("set_timer")
    assert timer.function is None
    assert partly.tool("set_timer") is timer
    assert partly.interpret("set a timer ten minutes", NOW).call().arguments == {"minutes": 10}
    with pytest.raises(ToolDefinitionError, match="no tool is named 'water_plants'"):
        partly.tool("water_plants")


def test_a_tool_is_prepared_once(interpreter):
    assert interpreter.filler("set_timer") is interpreter.filler("set_timer")


def test_now_is_what_times_are_relative_to():
    @tool
    def alarm(at: time, note: str = "") -> None:
        """Set an alarm.

        Args:
            at: when it rings.
            note: what it is for.
        """

    made = Tool.from_function(alarm)
    about = tiny.renamed(made, minutes=("at", "time"), label=("note", "string"))
    for tools in ([made], []):
        interpreter = Interpreter.of(about, tiny.encoder(), tools)
        evening = interpreter.interpret("timer ten", NOW)
        morning = interpreter.interpret("timer ten", NOW.replace(hour=8))
        assert evening.filled.arguments == {"at": "22:00"}
        assert morning.filled.arguments == {"at": "10:00"}
        assert evening.log_p == morning.log_p
    typed = Interpreter.of(about, tiny.encoder(), [made]).interpret("pasta timer ten", NOW).call()
    assert typed.arguments == {"at": time(22), "note": "pasta"}


def test_a_parameter_of_another_type_than_the_trained_one_is_not_filled():
    """Rows belong to a name and a type: a device whose tool takes text for minutes has no slot for it."""

    @tool(name="set_timer")
    def text_timer(minutes: str = "", loud: Annotated[int, Range(ge=0)] = 0) -> None:
        """Start a countdown timer.

        Args:
            minutes: how many minutes.
            loud: how loudly.
        """

    interpreter = Interpreter.of(tiny.manifest(), tiny.encoder(), [Tool.from_function(text_timer)])
    found = interpreter.interpret("loud timer ten", NOW)
    assert (found.filled.arguments, found.filled.slots, found.filled.choices) == ({}, None, ())
