"""From text to an outcome: what runs, what does not run and why, and how a call that waited goes on."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import random
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny

import edgefn
from edgefn import Abstained, Done, Evidence, Failed, NeedsArgument, NeedsConfirmation, Pending, ToolCall, tool
from edgefn.arguments.filling import Filler
from edgefn.dispatcher import Dispatcher
from edgefn.encoder import Encoder
from edgefn.errors import (
    ArgumentError,
    EdgefnError,
    EngineError,
    InvalidUtterance,
    NamesUnavailable,
    PendingError,
    ToolFailed,
)
from edgefn.interpreter import Interpretation, Interpreter
from edgefn.pending import PENDING_SECONDS
from edgefn.registry import Registry
from edgefn.selection import Selector


def dispatcher_of(tools, **changed) -> Dispatcher:
    about = tiny.manifest(id="sha256:tiny", **changed)
    return Dispatcher(about, tiny.encoder(), Registry(tools), policy=tiny.HERE)


@pytest.fixture
def home() -> tuple[Dispatcher, list]:
    """A dispatcher with all its tools, and what they did."""
    functions, ran = tiny.functions()
    return dispatcher_of(functions), ran


def said(count: int = 50) -> list[str]:
    """Return texts of every kind: one tool, two tools, none, unknown, blank."""
    draw = random.Random(7)
    words = [*tiny.PULLS, *tiny.SAYS, "lamp", "the", "please", "🎉", ""]
    return [" ".join(draw.choices(words, k=draw.randint(0, 6))) for _ in range(count)]


# What one text gives


def test_done(home):
    dispatcher, ran = home
    outcome = dispatcher("turn the lamp on")
    assert isinstance(outcome, Done)
    assert outcome.value == "on"
    assert outcome.call.tool == "lamp_on"
    assert 0.9 < outcome.call.probability < 1
    assert ran == ["lamp_on"]


@pytest.mark.parametrize(("text", "right"), tiny.UTTERANCES.items())
def test_each_utterance(home, text, right):
    found = home[0].predict(text)
    assert (found.tool if isinstance(found, ToolCall) else None) == right
    assert not home[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("\x00\x07", "empty"),
        ("\ud83d lamp on", "not_text"),
        ("lamp on " * 12_500, "too_long"),
        ("请开灯", "unknown_script"),
        ("🎉🎉 🎉", "unknown_script"),
        ("the weather please", "none_of_these"),
        ("on off", "unsure"),
        ("please", "unsure"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_abstained(home, text, reason):
    dispatcher, ran = home
    outcome = dispatcher(text)
    assert isinstance(outcome, Abstained)
    assert outcome.reason == reason
    assert outcome.tool is None
    assert outcome.probability < dispatcher.selector.threshold
    reached = reason in ("none_of_these", "unsure")
    assert len(outcome.ranking) == (3 if reached else 0)
    if reached:
        # The ranking is of tools alone; what decides is the call, arguments and all.
        assert outcome.ranking[0].probability >= outcome.probability
        if outcome.ranking[0].tool != "set_timer":
            assert outcome.ranking[0].probability == pytest.approx(outcome.probability, rel=1e-12)
    assert dispatcher.predict(text) == outcome
    assert not ran


@pytest.mark.parametrize("text", [None, 5, b"lamp on", ["lamp on"]])
def test_not_a_string(home, text):
    for ask in (home[0], home[0].predict):
        with pytest.raises(InvalidUtterance):
            ask(text)


def test_an_engine_that_fails(home):
    dispatcher, ran = home
    for ask in (dispatcher, dispatcher.predict, lambda text: dispatcher.predict_batch([text])):
        with pytest.raises(EngineError, match="not finite"):
            ask(f"lamp on {tiny.POISON}")
    assert not ran


def test_threshold_is_inclusive(home):
    p = home[0].predict("turn the lamp on").probability
    functions, _ = tiny.functions()
    at = dispatcher_of(functions, calibration=tiny.calibration(threshold=p))
    above = dispatcher_of(functions, calibration=tiny.calibration(threshold=p + 1e-12))
    assert isinstance(at.predict("turn the lamp on"), ToolCall)
    assert above.predict("turn the lamp on").reason == "unsure"


def test_done_with_arguments(home):
    dispatcher, ran = home
    outcome = dispatcher("set a pasta water timer ten minutes")
    assert isinstance(outcome, Done)
    assert outcome.value == "pasta water: 10"
    assert outcome.call.arguments == {"minutes": 10, "label": "pasta water"}
    pieces = {each.parameter: (each.text, each.start, each.end, each.normaliser) for each in outcome.call.evidence}
    assert pieces == {"minutes": ("ten", 24, 27, "number"), "label": ("pasta water", 6, 17, "text")}
    assert all(0.9 < each.score <= 1 and not each.problem for each in outcome.call.evidence)
    assert ran == [("set_timer", 10, "pasta water")]


def test_a_doubtful_argument_makes_a_doubtful_call(home):
    """Two words as loud as "timer": the tool is sure, the choice is a coin, and so is the call."""
    dispatcher, _ = home
    sure, doubtful = (dispatcher.predict(text) for text in ("timer timer ten", "timer timer loud"))
    assert isinstance(doubtful, Abstained)
    assert doubtful.reason == "unsure"
    assert doubtful.ranking[0].tool == "set_timer"
    assert doubtful.ranking[0].probability > 0.9 > doubtful.probability
    assert sure.probability > 0.9


def test_an_argument_that_does_not_fit_is_asked_for_with_what_is_wrong(home):
    dispatcher, ran = home
    outcome = dispatcher("set a timer zero minutes")
    assert isinstance(outcome, NeedsArgument)
    assert outcome.parameter == "minutes"
    assert outcome.problem == "0 does not fit: what is expected is a whole number, at least 1"
    assert outcome.call.arguments == {}
    assert outcome.call.evidence[0].problem == outcome.problem
    assert not ran


def test_values_that_contradict_each_other_are_asked_for(home):
    dispatcher, ran = home
    outcome = dispatcher("set a timer five lamp ten")
    assert isinstance(outcome, NeedsArgument)
    assert outcome.parameter == "minutes"
    assert outcome.problem == "'five' and 'ten' contradict each other"
    assert [each.text for each in outcome.call.evidence] == ["five", "ten"]
    assert not ran


# A live list


@pytest.fixture
def guide() -> tuple[Dispatcher, list]:
    """A dispatcher whose find_dish knows the dishes of a menu, and that menu."""
    functions, menu = tiny.guide_functions()
    return Dispatcher(tiny.guide_manifest(id="sha256:guide"), tiny.encoder(), Registry(functions)), menu


def test_names_are_those_on_the_list_now(guide):
    dispatcher, menu = guide
    outcome = dispatcher("timer pasta")
    assert (outcome.value, outcome.call.arguments) == ("Pasta", {"dish": "Pasta"})
    (piece,) = outcome.call.evidence
    assert (piece.text, piece.start, piece.end, piece.normaliser) == ("pasta", 6, 11, "name:normalised")
    assert piece.score < 1
    menu[:] = ["pasta water"]
    assert dispatcher("timer pasta water").value == "pasta water"
    menu[:] = ["Soup", "Bread"]
    assert isinstance(dispatcher("timer pasta"), NeedsArgument)


def test_a_name_that_is_not_found_is_told_with_the_nearest(guide):
    dispatcher, menu = guide
    menu[:] = ["Pasta Carbonara", "Pasta Bolognese", "Soup"]
    outcome = dispatcher("timer pasta")
    assert isinstance(outcome, NeedsArgument)
    assert outcome.parameter == "dish"
    assert "'pasta'" in outcome.problem
    assert "Pasta Carbonara" in outcome.problem
    assert "Pasta Bolognese" in outcome.problem
    assert "Soup" not in outcome.problem
    menu[:] = ["Soup", "Pizza Funghi"]
    outcome = dispatcher("timer pasta")
    assert outcome.problem.startswith("there is no dish 'pasta'; the nearest: ")


def test_a_list_that_cannot_be_read_is_a_failure(guide):
    dispatcher, menu = guide
    menu[:] = [OSError("the kitchen is closed")]
    call = dispatcher.predict("timer pasta")
    assert isinstance(call.error, NamesUnavailable)
    assert call.arguments == {}
    outcome = dispatcher("timer pasta")
    assert isinstance(outcome, Failed)
    assert outcome.error.message == "the names cannot be had: asking for them raised OSError: the kitchen is closed"
    assert outcome.error.hint
    assert outcome.call.evidence[0].problem == outcome.error.message
    menu[:] = ["Pasta"]
    assert dispatcher("timer pasta").value == "Pasta"


def test_where_nothing_is_named_the_list_is_not_asked_for(guide):
    dispatcher, menu = guide
    menu[:] = [OSError("closed")]
    assert isinstance(dispatcher("timer"), NeedsArgument)


# A tool that is not there


@pytest.mark.parametrize("absent", tiny.TOOLS)
def test_the_runner_up_never_runs(absent):
    functions, ran = tiny.functions()
    whole = dispatcher_of(functions)
    without = dispatcher_of(functions)
    without.registry.remove(absent)
    texts = [*tiny.UTTERANCES, *said()]
    for text in texts:
        expected = whole.predict(text)
        found = without.predict(text)
        if isinstance(expected, ToolCall) and expected.tool == absent:
            assert isinstance(found, Abstained)
            assert (found.reason, found.tool) == ("not_registered", absent)
            assert found.probability == expected.probability
            assert found.ranking[0].tool == absent
            ran.clear()
            assert without(text) == found
            assert not ran
        else:
            assert found == expected
            without(text)
    names = {each if isinstance(each, str) else each[0] for each in ran}
    assert absent not in names


def test_no_tools_at_all():
    dispatcher = dispatcher_of([])
    for text in [*tiny.UTTERANCES, *said()]:
        outcome = dispatcher(text)
        assert isinstance(outcome, Abstained)
        assert outcome.reason != "select_only"


def test_a_tool_that_may_only_be_selected(bundle):
    dispatcher = edgefn.load(bundle, threads=1)
    assert dispatcher.predict("lamp off") == dispatcher_of(tiny.functions()[0]).predict("lamp off")
    outcome = dispatcher("lamp off")
    assert (outcome.reason, outcome.tool) == ("select_only", "lamp_off")
    assert outcome.probability > 0.9


# A tool that fails


def lamp_on_that(exc: BaseException):
    @tool(name="lamp_on")
    def breaks() -> str:
        """Switch the lamp on."""
        raise exc

    return breaks


@pytest.mark.parametrize("exc", [ValueError("no lamp"), SystemExit(2), MemoryError(), EdgefnError("ours")])
def test_a_tool_that_raises(exc):
    outcome = dispatcher_of([lamp_on_that(exc)])("lamp on")
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.__cause__ is exc
    assert outcome.error.hint
    assert outcome.call.tool == "lamp_on"


def test_a_tool_that_calls_sys_exit():
    @tool(name="lamp_on")
    def leave() -> None:
        """Switch the lamp on."""
        sys.exit(3)

    assert isinstance(dispatcher_of([leave])("lamp on"), Failed)


def test_the_keyboard_interrupts_a_tool():
    with pytest.raises(KeyboardInterrupt):
        dispatcher_of([lamp_on_that(KeyboardInterrupt())])("lamp on")


def test_arguments_the_schema_does_not_know(home):
    outcome = home[0].finish(ToolCall("lamp_on", {"brightness": 3}, 0.9))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ArgumentError)
    assert not home[1]


# An argument that is missing


def test_missing_argument_and_its_answer(home):
    dispatcher, ran = home
    outcome = dispatcher("set a timer")
    assert isinstance(outcome, NeedsArgument)
    assert outcome.parameter == "minutes"
    assert outcome.question == "How many minutes until it rings?"
    assert outcome.pending.missing == "minutes"
    assert outcome.pending.tool == "set_timer"
    assert outcome.pending.bundle_id == dispatcher.manifest.id
    assert 0 < outcome.pending.expires - time.time() <= PENDING_SECONDS
    assert not ran
    answered = dispatcher.resume(Pending.from_json(outcome.pending.to_json()), {"minutes": 10, "label": "pasta"})
    assert isinstance(answered, Done)
    assert answered.value == "pasta: 10"
    assert answered.call.probability == outcome.call.probability
    assert ran == [("set_timer", 10, "pasta")]


@pytest.mark.parametrize("answer", [None, {}, {"minutes": 0}, {"minutes": "ten"}, {"minutes": float("nan")}])
def test_an_answer_that_does_not_fit_is_asked_for_again(home, answer):
    dispatcher, ran = home
    again = dispatcher.resume(dispatcher("set a timer").pending, answer)
    assert isinstance(again, NeedsArgument)
    assert again.parameter == "minutes"
    assert isinstance(dispatcher.resume(again.pending, {"minutes": 2}), Done)
    assert ran == [("set_timer", 2, "timer")]


def test_answers_that_have_no_json_form_are_asked_for_again(home):
    dispatcher, ran = home
    again = dispatcher.resume(dispatcher("set a timer").pending, {"minutes": object(), "label": object()})
    assert isinstance(again, NeedsArgument)
    assert again.pending.arguments == {}
    assert Pending.from_json(again.pending.to_json()) == again.pending
    assert not ran


def test_what_was_known_is_kept(home):
    dispatcher, ran = home
    outcome = dispatcher.finish(ToolCall("set_timer", {"label": "tea"}, 0.9))
    assert outcome.pending.arguments == {"label": "tea"}
    assert dispatcher.resume(outcome.pending, {"minutes": 4}).value == "tea: 4"
    assert ran == [("set_timer", 4, "tea")]


# A confirmation


@pytest.fixture
def dangerous() -> tuple[Dispatcher, list]:
    """A dispatcher whose lamp_off and set_timer cannot be undone."""
    functions, ran = tiny.functions()
    lamp_on, lamp_off, set_timer = functions
    destructive = tool(destructive=True)
    return dispatcher_of([lamp_on, destructive(lamp_off), destructive(set_timer)]), ran


def test_destructive_waits_for_a_person(dangerous):
    dispatcher, ran = dangerous
    outcome = dispatcher("lamp off")
    assert isinstance(outcome, NeedsConfirmation)
    assert outcome.description == "Switch the lamp off"
    assert outcome.question == "Switch the lamp off. Shall I go ahead?"
    assert outcome.pending.missing is None
    assert not ran
    assert dispatcher.resume(Pending.from_json(outcome.pending.to_json())).value == "off"
    assert ran == ["lamp_off"]
    assert isinstance(dispatcher("lamp on"), Done)


def test_what_is_missing_is_asked_for_before_a_confirmation(dangerous):
    dispatcher, ran = dangerous
    asked = dispatcher("set a timer")
    assert isinstance(asked, NeedsArgument)
    confirm = dispatcher.resume(asked.pending, {"minutes": 5})
    assert isinstance(confirm, NeedsConfirmation)
    assert not ran
    assert isinstance(dispatcher.resume(confirm.pending), Done)
    assert ran == [("set_timer", 5, "timer")]


def test_a_confirmation_is_of_that_call_alone(dangerous):
    dispatcher, ran = dangerous
    asked = dispatcher.finish(ToolCall("set_timer", {"minutes": 5}, 0.9))
    assert isinstance(asked, NeedsConfirmation)
    other = dispatcher.resume(asked.pending, {"minutes": 500})
    assert isinstance(other, NeedsConfirmation)
    assert other.call.arguments == {"minutes": 500}
    assert not ran
    assert isinstance(dispatcher.resume(asked.pending, {}), Done)
    assert isinstance(dispatcher.resume(other.pending), Done)
    assert ran == [("set_timer", 5, "timer"), ("set_timer", 500, "timer")]


def test_an_answer_is_no_confirmation(dangerous):
    dispatcher, ran = dangerous
    outcome = dispatcher("set a timer")
    steps = []
    while not isinstance(outcome, Done) and len(steps) < 5:
        steps.append(type(outcome))
        answer = {"minutes": 3} if isinstance(outcome, NeedsArgument) else None
        outcome = dispatcher.resume(outcome.pending, answer)
    assert isinstance(outcome, Done)
    assert steps[-1] is NeedsConfirmation  # what runs is what was confirmed, with all its arguments
    assert NeedsArgument in steps
    assert ran == [("set_timer", 3, "timer")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bundle_id": "sha256:other"}, "another bundle"),
        ({"bundle_id": ""}, "another bundle"),
        ({"expires": 0.0}, "expired"),
        ({"expires": -1e300}, "expired"),
        ({"tool": "gone"}, "gone is no longer registered"),
        ({"missing": "brightness"}, "lamp_off takes no 'brightness'"),
    ],
)
def test_pending_call_that_is_refused(dangerous, change, message):
    dispatcher, ran = dangerous
    pending = dataclasses.replace(dispatcher("lamp off").pending, **change)
    for outcome in (dispatcher.resume(pending), dispatcher("yes", pending), dispatcher("", pending)):
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, PendingError)
        assert message in outcome.error.message
        assert outcome.error.hint == "dispatch the utterance again"
        assert outcome.call == ToolCall(pending.tool, pending.arguments, pending.probability)
    assert not ran


def test_pending_call_whose_tool_was_removed(dangerous):
    dispatcher, ran = dangerous
    pending = dispatcher("lamp off").pending
    dispatcher.registry.remove("lamp_off")
    for outcome in (dispatcher.resume(pending), dispatcher("yes", pending)):
        assert isinstance(outcome.error, PendingError)
        assert outcome.error.message == "lamp_off is no longer registered"
    assert not ran


def test_a_confirmation_of_another_call_than_was_asked_about_confirms_nothing(dangerous):
    dispatcher, ran = dangerous
    asked = dispatcher.finish(ToolCall("set_timer", {"minutes": 5}, 0.9)).pending
    other = dispatcher("lamp off").pending
    made_up = [
        dataclasses.replace(asked, arguments={"minutes": 500}),
        dataclasses.replace(other, arguments={"all": True}),
        dataclasses.replace(asked, id=other.id),
        dataclasses.replace(asked, id="made up"),
    ]
    for pending in made_up:
        for outcome in (dispatcher.resume(pending), dispatcher("yes", pending)):
            assert isinstance(outcome.error, PendingError)
            assert "not asked for" in outcome.error.message
    assert not ran


def test_a_confirmation_is_taken_once(dangerous):
    dispatcher, ran = dangerous
    pending = dispatcher("lamp off").pending
    assert isinstance(dispatcher("yes", pending), Done)
    for outcome in (dispatcher("yes", pending), dispatcher.resume(pending)):
        assert isinstance(outcome.error, PendingError)
    assert ran == ["lamp_off"]


def test_a_refused_confirmation_is_gone(dangerous):
    dispatcher, ran = dangerous
    pending = dispatcher("lamp off").pending
    assert dispatcher("no", pending).reason == "cancelled"
    assert isinstance(dispatcher("yes", pending).error, PendingError)
    assert not ran


def test_many_threads_confirm_one_call_once(dangerous):
    dispatcher, ran = dangerous
    pending = dispatcher("lamp off").pending
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _: dispatcher("yes", pending), range(64)))
    assert sum(isinstance(each, Done) for each in outcomes) == 1
    assert ran == ["lamp_off"]


def test_another_dispatcher_takes_no_confirmation_of_this_one(dangerous):
    dispatcher, _ = dangerous
    pending = dispatcher("lamp off").pending
    functions, ran = tiny.functions()
    restarted = dispatcher_of([tool(destructive=True)(functions[1])])
    assert isinstance(restarted("yes", pending).error, PendingError)
    assert not ran


@pytest.mark.parametrize("text", ["wait", "hold on", "等一下"])
def test_who_wants_to_wait_is_asked_again(dangerous, text):
    dispatcher, ran = dangerous
    asked = dispatcher("lamp off")
    again = dispatcher(text, asked.pending)
    assert isinstance(again, NeedsConfirmation)
    assert (again.question, again.pending) == (asked.question, asked.pending)
    assert not ran
    assert isinstance(dispatcher("yes, go ahead", again.pending), Done)


@pytest.mark.parametrize("value", [2.5, "ten", True, 0, [5], None, {"a": 1}])
def test_a_pending_argument_that_does_not_fit_is_never_bent_until_it_does(home, value):
    dispatcher, ran = home
    again = dispatcher.resume(dispatcher("set a timer").pending, {"minutes": value})
    for outcome in (again, dispatcher.resume(again.pending), dispatcher("please", again.pending)):
        assert isinstance(outcome, NeedsArgument)
        assert outcome.parameter == "minutes"
        assert outcome.problem
    assert not ran
    assert dispatcher("five", again.pending).value == "timer: 5"


# Many texts


def test_a_batch_is_exactly_its_rows(home):
    dispatcher, ran = home
    texts = [*tiny.UTTERANCES, *said(), "", "\ud800", "x" * 100_000]
    expected = [dispatcher.predict(text) for text in texts]
    for threads in (1, 2, 8):
        assert dispatcher.predict_batch(texts, threads=threads) == expected
    assert dispatcher.predict_batch([]) == []
    assert not ran
    with pytest.raises(InvalidUtterance):
        dispatcher.predict_batch(["lamp on", None])


def test_sixteen_threads_get_what_one_gets():
    functions, ran = tiny.functions()
    dispatcher = dispatcher_of(functions[:2])
    texts = [*tiny.UTTERANCES, *said()]
    expected = [dispatcher(text) for text in texts]
    once = len(ran)
    barrier = threading.Barrier(16)

    def ask(seed: int) -> list:
        order = list(range(len(texts)))
        random.Random(seed).shuffle(order)
        barrier.wait()
        found = {at: dispatcher(texts[at]) for at in order}
        return [found[at] for at in range(len(texts))]

    with ThreadPoolExecutor(16) as pool:
        for found in pool.map(ask, range(16)):
            assert found == expected
    assert len(ran) == 17 * once


# The shape of the path


def lines_of_code(function) -> int:
    """Count the lines of a function that hold code: no docstring, comment or blank line."""
    source = textwrap.dedent(inspect.getsource(function))
    (node,) = ast.parse(source).body
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    code = [node.lineno, *(line for each in body for line in range(each.lineno, each.end_lineno + 1))]
    lines = source.splitlines()
    return sum(1 for at in code if lines[at - 1].strip() and not lines[at - 1].strip().startswith("#"))


@pytest.mark.parametrize(
    "function",
    [
        *(Dispatcher.__call__, Dispatcher.predict, Dispatcher.finish, Interpreter.interpret, Interpreter.read),
        *(Interpretation.call, Encoder.encode, Encoder.run, Selector.select, Filler.fill),
    ],
    ids=lambda function: function.__qualname__,
)
def test_the_path_can_be_read_in_one_sitting(function):
    assert 2 <= lines_of_code(function) <= 25


def test_a_second_problem_is_asked_after_the_first(home):
    dispatcher, ran = home
    wrong = tuple(Evidence(name, 0, 4, "many", 0.9, problem="does not fit") for name in ("minutes", "label"))
    first = dispatcher.finish(ToolCall("set_timer", {}, 0.9, wrong))
    assert isinstance(first, NeedsArgument) and (first.parameter, first.pending.unfit) == ("minutes", ("label",))
    waiting = Pending.from_json(first.pending.to_json())
    assert waiting == first.pending
    for second in (dispatcher.resume(waiting, {"minutes": 5}), dispatcher("five", waiting)):
        assert isinstance(second, NeedsArgument) and (second.parameter, second.pending.unfit) == ("label", ())
        assert second.problem and second.pending.arguments == {"minutes": 5} and not ran
    assert isinstance(dispatcher.resume(second.pending, {"label": "tea"}), Done)
    assert ran == [("set_timer", 5, "tea")]
    stranger = dispatcher.resume(dataclasses.replace(waiting, unfit=("colour",)), {"minutes": 5})
    assert isinstance(stranger, Failed) and isinstance(stranger.error, PendingError)
