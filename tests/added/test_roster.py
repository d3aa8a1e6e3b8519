"""Tools are added, removed, replaced and corrected while a dispatcher runs: at once, whole or not at all."""

from __future__ import annotations

import gc
import sys
import threading
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny

import edgefn
from edgefn import Abstained, Done, NeedsArgument, ToolCall, ToolsWarning, tool
from edgefn.errors import BundleMismatch, DuplicateTool, EngineError, ToolDefinitionError, UnsupportedSignature
from edgefn.manifest import Heads

PASTA = {"type": "string", "description": "pasta"}
FIVE = {"type": "integer", "description": "five"}
SPIN, SHUT = "Spin the fan.", "Close the gate."


@tool
def fan() -> str:
    """Spin the fan."""
    return "spun"


@tool
def plants(minutes: int, label: str = "rose") -> str:
    """Plants.

    Args:
        minutes: five ten.
        label: pasta.
    """
    return f"{label}: {minutes}"


@pytest.fixture
def home():
    return tiny.dispatcher()


def state(dispatcher):
    """Return all that adding a tool may change."""
    return dispatcher.registry.names, dispatcher.interpreter.table.names, dispatcher.examples()


def outcomes(dispatcher):
    return [dispatcher.predict(text) for text in (*tiny.UTTERANCES, "set a pasta timer five minutes", "loud timer")]


# Adding


def test_a_tool_is_added_and_can_be_called_at_once(home):
    assert home("spin the fan").reason in ("unsure", "none_of_these")
    home.add(fan)
    assert home("spin the fan").value == "spun"
    assert home("please spin").call.tool == "fan"
    assert home("lamp on").value == "on"
    assert home.registry.names == (*tiny.TOOLS, "fan")


def test_arguments_are_filled_and_typed(home):
    home.add(plants)
    assert home("plants plants five pasta").value == "pasta: 5"
    assert home("ten plants").value == "rose: 10"
    (minutes,) = home.predict("ten plants").evidence
    assert (minutes.parameter, minutes.text) == ("minutes", "ten")
    assert 0.5 < minutes.score <= 1


def test_what_is_missing_is_asked_for_and_the_call_goes_on(home):
    home.add(plants)
    asked = home("plants please")
    assert isinstance(asked, NeedsArgument)
    assert asked.parameter == "minutes"
    assert home("five", pending=asked.pending).value == "rose: 5"
    assert home.resume(asked.pending, {"minutes": 3}).value == "rose: 3"
    assert home("lamp on", pending=asked.pending).value == "on"


def test_a_doubtful_argument_is_asked_for():
    calibration = tiny.added_calibration(argument_threshold=0.6)
    doubtful = tiny.makers(begin_bias=-21.6, calibration=calibration)  # a required parameter has 2 more
    home = tiny.dispatcher(makers=doubtful)
    home.add(tiny.runnable("eat", "Door.", lambda dish: dish, ["dish"], dish=PASTA))
    assert home.predict("door door pasta").arguments == {}
    asked = home("door door pasta")
    assert (asked.parameter, asked.problem) == ("dish", "")
    assert home("pasta", pending=asked.pending).value == "pasta"
    sure = tiny.makers(begin_bias=-21.6)
    other = tiny.dispatcher(makers=sure)
    other.add(tiny.runnable("eat", "Door.", lambda dish: dish, ["dish"], dish=PASTA))
    assert other("door door pasta").value == "pasta"


def test_object_parameters_are_never_filled_and_are_asked_for(home):
    where = {"type": "object", "description": "pasta", "properties": {"x": {"type": "number"}}}
    home.add(tiny.runnable("go", "Gate.", lambda where: where["x"], ["where"], where=where))
    assert home.predict("gate pasta five").arguments == {}
    asked = home("gate pasta five")
    assert isinstance(asked, NeedsArgument)
    assert asked.parameter == "where"
    assert home.resume(asked.pending, {"where": {"x": 2}}).value == 2
    assert home.resume(asked.pending, {"where": {"x": "far"}}).parameter == "where"


def test_a_tool_that_may_only_be_selected(home):
    home.add(tiny.described("fan", SPIN))
    assert isinstance(home.predict("spin the fan"), ToolCall)
    assert home("spin the fan") == Abstained("select_only", "fan", home.predict("spin the fan").probability)


def test_examples_sharpen_a_row(home):
    home.add(tiny.described("fan", "Lamp."))
    assert isinstance(home.predict("door gate"), Abstained)
    home.replace(tiny.described("fan", "Lamp."), examples=["door gate", "gate door please"])
    assert home.predict("door gate").tool == "fan"
    assert home.examples() == {"fan": ("door gate", "gate door please")}


def test_a_bundle_without_trained_tools_takes_them():
    home = tiny.dispatcher([], tools=(), heads=Heads((None, None, None, None), slots=tiny.HEADS.slots, scale=20.0))
    home.add(fan)
    assert home("spin the fan").value == "spun"


def test_the_batch_and_the_single_way_are_one(home):
    home.add_all([fan, plants])
    texts = [*tiny.UTTERANCES, "spin fan", "plants", "ten plants", "", "请开灯"]
    assert home.predict_batch(texts) == [home.predict(text) for text in texts]


def test_the_ranking_holds_trained_and_added_tools(home):
    home.add(fan)
    found = home.predict("fan on")
    assert isinstance(found, Abstained)
    assert {each.tool for each in found.ranking[:2]} == {"fan", "lamp_on"}
    assert all(0 <= each.probability <= 1 for each in found.ranking)


def test_trained_tools_are_left_as_they_were(home):
    texts = (*tiny.UTTERANCES, "set a pasta timer five minutes", "loud timer")
    interpreter = home.interpreter
    before = outcomes(home)
    logits = [interpreter.run(interpreter.encoder.encode(text)).tool_logits.tolist() for text in texts]
    home.add(fan)
    for text, old in zip(texts, logits, strict=True):
        scores = interpreter.run(interpreter.encoder.encode(text))
        assert interpreter.table.logits(scores)[:4].tolist() == scores.tool_logits.tolist() == old
    for old, new in zip(before, outcomes(home), strict=True):
        assert type(old) is type(new)
        assert old.tool == new.tool
        assert new.probability == pytest.approx(old.probability, abs=1e-3)
        assert getattr(old, "arguments", None) == getattr(new, "arguments", None)
    home.remove("fan")
    assert outcomes(home) == before


# What is refused


def test_a_name_that_is_there(home):
    home.add(fan)
    before = state(home)
    for taken in (fan, tiny.functions()[0][0], tiny.described("set_timer", "Gate.")):
        with pytest.raises(DuplicateTool) as caught:
            home.add(taken)
        assert caught.value.hint
    with pytest.raises(DuplicateTool):
        home.add_all([tiny.described("one", "Gate."), tiny.described("one", "Door.")])
    assert state(home) == before


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "frob"},
        {"type": "string", "minLength": "three"},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"pattern": "("},
        {"enum": "open"},
    ],
    ids=["type", "keyword", "remote", "dangling", "pattern", "enum"],
)
def test_a_schema_that_cannot_be_checked(home, schema):
    before = state(home)
    with pytest.raises(ToolDefinitionError) as caught:
        home.add(tiny.described("fan", SPIN, way={"description": "way", **schema}))
    assert caught.value.hint
    assert state(home) == before


def test_a_schema_that_holds_itself(home):
    schema: dict = {"type": "object", "properties": {}}
    schema["properties"]["way"] = schema
    with pytest.raises(ToolDefinitionError, match="no schema of arguments"):
        home.add(edgefn.Tool.select_only("fan", SPIN, schema))
    deep: dict = {"type": "string"}
    for _ in range(3000):
        deep = {"type": "array", "items": deep}
    with pytest.raises(ToolDefinitionError):
        home.add(tiny.described("fan", SPIN, way={**deep, "description": "way"}))
    assert "fan" not in home.registry


def test_a_schema_that_refers_to_itself_and_unknown_keywords_are_no_harm(home):
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    schema = {
        "type": "object",
        "$defs": {"node": node},
        "properties": {
            "way": {"$ref": "#/$defs/node", "description": "way"},
            "dish": {**PASTA, "x-frobnicate": {"deep": [1]}},
        },
    }
    home.add(edgefn.Tool.select_only("eat", "Door.", schema))
    assert home.predict("door door pasta").arguments["dish"] == "pasta"


def test_descriptions_that_are_not_text(home):
    before = state(home)
    for odd in (tiny.described("fan", "Spin \ud800."), tiny.described("fan", SPIN, a={"description": "\ud800"})):
        with pytest.raises(ToolDefinitionError) as caught:
            home.add(odd)
        assert caught.value.hint
    assert state(home) == before
    home.add(tiny.described("fan", "Spin the fan \N{ELECTRIC LIGHT BULB}."))
    assert home.predict("spin the fan").tool == "fan"


@pytest.mark.parametrize("item", [5, None, "fan", lambda: None, print], ids=str)
def test_what_is_no_tool(home, item):
    before = state(home)
    with pytest.raises(UnsupportedSignature):
        home.add(item)
    assert state(home) == before


@pytest.mark.parametrize("examples", ["spin the fan", [5], ["spin", None], ["fan", ["spin"]]], ids=str)
def test_examples_that_are_no_list_of_texts(home, examples):
    before = state(home)
    for change in (home.add, home.replace):
        with pytest.raises(ToolDefinitionError, match="examples are") as caught:
            change(fan, examples)
        assert caught.value.hint
    assert state(home) == before


def test_an_example_that_is_no_utterance_or_breaks_the_graph(home):
    before = state(home)
    with pytest.raises(ToolDefinitionError, match="no utterance: too_long"):
        home.add(fan, ["spin", "lamp " * 50])
    with pytest.raises(EngineError, match="not finite"):
        home.add(fan, [tiny.POISON])
    with pytest.raises(EngineError, match="not finite"):
        home.add(tiny.described("fan", tiny.POISON))
    assert state(home) == before
    assert home("lamp on").value == "on"


def test_all_or_none(home):
    before = state(home)
    good = [tiny.described("gate", SHUT), tiny.described("fan", SPIN)]
    bad = [
        tiny.described("lamp_on", "Again."),
        tiny.described("door", "Door.", way={"type": "frob", "description": "way"}),
        tiny.described("door", tiny.POISON),
        tiny.described("fan", "Twice."),
        5,
    ]
    for each in bad:
        for items in ([*good, each], [each, *good]):
            with pytest.raises(edgefn.EdgefnError):
                home.add_all(items)
            assert state(home) == before
    assert isinstance(home.predict("spin the fan"), Abstained)
    home.add_all(iter(good))
    assert home.predict("spin the fan").tool == "fan"
    home.add_all([])
    assert home.registry.names == (*tiny.TOOLS, "gate", "fan")


# What is told


def test_a_tool_without_a_description(home):
    with pytest.warns(ToolsWarning, match="fan has no description.*; describe in a sentence.* or add it with examples"):
        home.add(tiny.described("fan", ""))
    assert home.predict("spin the fan").tool == "fan"


def test_two_tools_with_the_same_description(home):
    with pytest.warns(ToolsWarning) as caught:
        home.add_all([tiny.described("fan", SPIN), tiny.described("spin", SPIN)])
    messages = [str(each.message) for each in caught]
    assert [each.split("; ")[0].split(" (")[0] for each in messages] == [
        "fan and spin have the same description", "fan and spin will be confused"
    ]  # fmt: skip
    assert {each.filename for each in caught} == {__file__}
    assert [each.kind for each in home.lint()] == ["confusable", "same_description"]


def test_a_tool_that_is_like_one_that_is_there(home):
    home.add(tiny.described("fan", SPIN))
    with pytest.warns(ToolsWarning, match="fan and spin will be confused") as caught:
        home.add(tiny.described("spin", "Spin."))
    assert len(caught) == 1
    home.remove("spin")
    assert home.lint() == ()


def test_a_warning_that_is_an_error_changes_nothing(home):
    before = state(home)
    with pytest.raises(ToolsWarning):
        home.add(tiny.described("fan", ""))
    assert state(home) == before


# Many


def test_five_thousand_tools():
    home = tiny.dispatcher()
    names = [*tiny.FREE, *tiny.SAYS]
    many = [
        tiny.described(f"t{at}", f"{names[at % 6]} {names[at // 6 % 6]} lamp {at}.", dish=PASTA) for at in range(4998)
    ]
    with pytest.warns(ToolsWarning) as caught:
        home.add_all([*many, fan, tiny.described("quiet", "Quiet.")])
    assert len(caught) == 6
    assert str(caught[-1].message).endswith("more; dispatcher.lint() names them")
    assert len(home.registry) == 5003
    assert home("lamp off").value == "off"
    assert home.predict("quiet please").tool == "quiet"
    found = home.predict("door open")
    assert found.ranking[0].tool.startswith("t") if isinstance(found, Abstained) else found.tool.startswith("t")
    home.remove("quiet")
    assert isinstance(home.predict("quiet please"), Abstained)


# Removing


def test_a_tool_is_removed_and_may_come_again(home):
    before = outcomes(home)
    home.add(fan)
    home.remove("fan")
    assert home.registry.names == tiny.TOOLS
    assert outcomes(home) == before
    assert isinstance(home("spin the fan"), Abstained)
    home.add(fan)
    assert home("spin the fan").value == "spun"


def test_removing_what_is_not_there(home):
    home.add_all([fan, tiny.described("gate", SHUT)])
    for name in ("fam", "", "no such tool"):
        with pytest.raises(ToolDefinitionError, match="no tool is named") as caught:
            home.remove(name)
        assert caught.value.hint
    with pytest.raises(ToolDefinitionError) as caught:
        home.remove("fam")
    assert "fan" in caught.value.hint
    assert "fan" in home.registry


def test_a_removed_trained_tool_keeps_competing(home):
    home.add(fan)
    home.remove("lamp_off")
    found = home("lamp off")
    assert (found.reason, found.tool) == ("not_registered", "lamp_off")
    assert home("spin the fan").value == "spun"
    home.add(tiny.functions()[0][1])
    assert home("lamp off").value == "off"


def test_a_trained_tool_comes_back_as_it_was_trained_or_not_at_all(home):
    home.remove("lamp_off")
    with pytest.raises(BundleMismatch):
        home.add(tiny.runnable("lamp_off", "Switch the lamp off.", print, way=PASTA))
    assert "lamp_off" not in home.registry
    with pytest.warns(ToolsWarning, match="lamp_off: its description changed") as caught:
        home.add(tool(name="lamp_off")(lambda_like))
    assert [each.filename for each in caught] == [__file__]
    assert home("lamp off").value == "dark"


def lambda_like() -> str:
    """Make it dark."""
    return "dark"


def test_a_call_predicted_before_the_removal_is_not_run(home):
    home.add(plants)
    call = home.predict("plants five")
    asked = home("plants")
    home.remove("plants")
    assert home.finish(call) == Abstained("not_registered", "plants", call.probability)
    assert home("five", pending=asked.pending).error.message == "plants is no longer registered"
    assert home.resume(asked.pending, {"minutes": 5}).error.message == "plants is no longer registered"


def test_a_call_that_is_running_ends_as_it_would_have(home):
    started, release = threading.Event(), threading.Event()

    def spin() -> str:
        started.set()
        assert release.wait(20)
        return "spun"

    home.add(tiny.runnable("fan", SPIN, spin))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(home, "spin the fan")
        assert started.wait(20)
        home.remove("fan")
        assert isinstance(home("spin the fan"), Abstained)
        release.set()
        outcome = running.result(20)
    assert isinstance(outcome, Done)
    assert (outcome.call.tool, outcome.value) == ("fan", "spun")


# Replacing


def test_a_tool_is_replaced(home):
    home.add(tiny.runnable("turn", SPIN, lambda: "spun"), ["door please"])
    assert home("spin the fan").value == home("door door").value == "spun"
    home.replace(tiny.runnable("turn", SHUT, lambda dish="none": dish, dish=PASTA))
    assert isinstance(home("spin the fan"), Abstained)
    assert isinstance(home("door door"), Abstained)
    assert home("gate pasta gate close").value == "pasta"
    assert home.examples() == {"turn": ()}
    assert home.registry.names == (*tiny.TOOLS, "turn")


def test_what_cannot_be_replaced(home):
    home.add(fan)
    before = state(home)
    for name in (*tiny.TOOLS,):
        with pytest.raises(ToolDefinitionError, match=f"{name} is trained into the bundle"):
            home.replace(tiny.described(name, "Door."))
    home.remove("lamp_on")
    with pytest.raises(ToolDefinitionError, match="lamp_on is trained into the bundle"):
        home.replace(tiny.described("lamp_on", "Door."))
    home.add(tiny.functions()[0][0])
    with pytest.raises(ToolDefinitionError, match="no tool is named 'fam'") as caught:
        home.replace(tiny.described("fam", "Door."))
    assert "fan" in caught.value.hint
    with pytest.raises(ToolDefinitionError):
        home.replace(tiny.described("fan", "Door.", way={"type": "frob"}))
    assert (set(home.registry.names), *state(home)[1:]) == (set(before[0]), *before[1:])
    assert home("spin the fan").value == "spun"


# Correcting


def test_correcting_to_an_added_tool(home):
    home.add(fan)
    assert isinstance(home("fan on"), Abstained)
    home.correct("fan on", "fan")
    assert home("fan on").value == "spun"
    assert home("on fan please").value == "spun"
    assert home("lamp on").value == "on"
    assert home.examples() == {"fan": ("fan on",)}
    home.correct("fan on", "fan")
    assert home.examples() == {"fan": ("fan on",)}


def test_many_corrections_of_an_added_tool_all_count(home):
    home.add(fan)
    texts = ["fan on", "door fan", "gate fan", "fan open", "fan off"]
    for number, text in enumerate(texts, 1):
        home.correct(text, "fan")
        assert home.examples()["fan"] == tuple(texts[:number])
    assert home("door fan").value == "spun"


def test_correcting_to_a_trained_tool_as_the_first_thing(home):
    assert isinstance(home("plants please"), Abstained)
    home.correct("plants please", "lamp_on")
    assert home("plants please").value == "on"
    assert home("plants plants").value == "on"
    assert home("lamp off").value == "off"
    assert home.examples() == {}


def test_correcting_to_none(home):
    assert home("lamp on").value == "on"
    home.correct("lamp on", None)
    assert home("lamp on").reason == "none_of_these"
    assert home("bright bright on").value == "on"


def test_the_last_correction_of_a_text_counts(home):
    home.add_all([fan, tiny.described("gate", SHUT)])
    for name in ("lamp_on", "fan", "gate", "lamp_off", None, "fan"):
        home.correct("door please", name)
        found = home.predict("door please")
        assert found.tool == name
        assert [key for key, texts in home.examples().items() if texts] == ([name] if name in ("fan", "gate") else [])


def test_a_correction_that_names_no_tool(home):
    home.add(fan)
    before = state(home)
    for name in ("fam", "", "none"):
        with pytest.raises(ToolDefinitionError, match="no tool is named") as caught:
            home.correct("fan on", name)
        assert caught.value.hint
    assert state(home) == before


@pytest.mark.parametrize("name", ["fan", "lamp_on", None])
def test_a_correction_of_what_is_no_utterance(home, name):
    home.add(fan)
    before = state(home)
    with pytest.raises(ToolDefinitionError, match="no utterance"):
        home.correct("🎉", name)
    assert state(home) == before


def test_a_correction_outlives_the_removal_of_another_tool(home):
    home.add(fan)
    home.correct("plants please", "lamp_on")
    home.remove("fan")
    assert home("plants please").value == "on"


def test_the_examples_make_the_same_tool_again(home):
    home.add(fan, ["spin please"])
    home.correct("fan on", "fan")
    other = tiny.dispatcher()
    other.add(fan, home.examples()["fan"])
    for text in ("fan on", "spin the fan", "on fan on", "lamp on"):
        assert other.predict(text) == home.predict(text)


def test_examples_of_a_trained_tool_that_comes_back_are_corrections(home):
    home.remove("lamp_on")
    home.add(tiny.functions()[0][0], ["plants please"])
    assert home("plants please").value == "on"


# Threads and memory


@pytest.fixture
def busy():
    """Let threads change places far more often than they do."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("busy")
def test_calls_while_tools_come_and_go(home):
    home.add(tiny.described("gate", SHUT))
    asked = {"spin the fan": "fan", "close the gate": "gate", "lamp on": "lamp_on", "plants": None, "fan five": "fan"}
    done = threading.Event()
    seen: list = []

    def ask() -> None:
        while not done.is_set():
            for text, name in asked.items():
                seen.append((text, name, home(text)))

    count = tiny.runnable("fan", SPIN, lambda minutes=0: "spun", minutes=FIVE)
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(ask) for _ in range(4)]
        try:
            for at in range(300):
                home.add(count)
                if at % 5 == 0:
                    home.replace(count)
                    home.correct("fan fan", "fan")
                home.remove("fan")
        finally:
            done.set()
        for each in running:
            each.result(60)
    assert len(seen) > 300
    for text, name, outcome in seen:
        if isinstance(outcome, Done):
            assert (outcome.call.tool, outcome.value) == (name, {"fan": "spun", "lamp_on": "on"}[name])
            assert outcome.call.arguments == ({"minutes": 5} if "five" in text else {})
        elif name == "fan":
            allowed = (("unsure", None), ("none_of_these", None), ("not_registered", "fan"))
            assert (outcome.reason, outcome.tool) in allowed
        elif name == "gate":
            assert (outcome.reason, outcome.tool) == ("select_only", "gate")
        else:
            assert (name, outcome.tool) == (None, None)
    assert {type(each) for _, name, each in seen if name == "fan"} == {Done, Abstained}


@pytest.mark.usefixtures("busy")
def test_changes_from_several_threads_are_all_made(home):
    def add(number: int) -> None:
        for at in range(20):
            home.add(tiny.described(f"t{number}_{at}", "Lamp."))
            home.correct(f"lamp {tiny.WORDS[4 + at]}", "lamp_on")
            if at % 2:
                home.remove(f"t{number}_{at}")

    with ThreadPoolExecutor(4) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore", ToolsWarning)
        for each in [pool.submit(add, number) for number in range(4)]:
            each.result(60)
    left = {f"t{number}_{at}" for number in range(4) for at in range(0, 20, 2)}
    assert set(home.registry.names) == {*tiny.TOOLS, *left}
    assert set(home.interpreter.table.added) == left
    assert len(home.interpreter.table.corrections) == 20


def test_tools_that_went_leave_no_memory(home):
    def change(first: int, last: int) -> None:
        for at in range(first, last):
            home.add(tiny.described(f"t{at}", SPIN, dish=PASTA, way={"enum": [f"v{at}", "open"], "description": "w"}))
            if at % 10 == 0:
                home.predict("spin the fan pasta")
            home.remove(f"t{at}")

    def held() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    change(0, 50)
    tracemalloc.start()
    try:
        change(50, 150)
        before = held()
        change(150, 2150)
        grown = held() - before
    finally:
        tracemalloc.stop()
    assert grown < 2000 * 500  # a row of the tiny graph alone, with its tool, is more than 2,000 bytes
