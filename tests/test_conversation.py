"""What a person says next may answer, change something else, ask for another tool, or take the call back."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest
import tiny
from hypothesis import given
from hypothesis import strategies as st

from edgefn import Abstained, Done, Failed, NeedsArgument, NeedsConfirmation, Outcome, Pending, tool
from edgefn.conversation import _AROUND
from edgefn.dispatcher import Dispatcher
from edgefn.errors import InvalidUtterance, PendingError
from edgefn.registry import Registry
from edgefn.schema import Length, Range
from edgefn.tool import Tool


@pytest.fixture
def home() -> tuple[Dispatcher, list]:
    """A dispatcher of the tiny tools, lamp_off destructive, and what they did."""
    (lamp_on, lamp_off, set_timer), ran = tiny.functions()
    about = tiny.manifest(id="sha256:home")
    tools = [lamp_on, tool(destructive=True)(lamp_off), set_timer]
    return Dispatcher(about, tiny.encoder(), Registry(tools), policy=tiny.HERE), ran


@pytest.fixture
def desk() -> tuple[Dispatcher, list]:
    """A dispatcher whose tool needs a number, a text and a yes or no."""
    ran: list[Any] = []

    @tool
    def book(minutes: Annotated[int, Range(ge=1)], note: Annotated[str, Length(max_length=30)], loud: bool) -> str:
        """Book a room.

        Args:
            minutes: how many minutes it lasts.
            note: what the meeting is for.
            loud: whether it will be loud.
        """
        ran.append((minutes, note, loud))
        return f"{note}: {minutes}"

    about = tiny.renamed(Tool.from_function(book), label=("note", "string"))
    lamp_on = tiny.functions()[0][0]
    return Dispatcher(about, tiny.encoder(), Registry([lamp_on, book])), ran


@pytest.fixture
def guide() -> tuple[Dispatcher, list]:
    """A dispatcher whose tool needs a dish of a menu, and that menu."""
    functions, menu = tiny.guide_functions()
    return Dispatcher(tiny.guide_manifest(id="sha256:guide"), tiny.encoder(), Registry(functions)), menu


def answer(dispatcher: Dispatcher, outcome: Outcome, text: str) -> Outcome:
    """Go on after `outcome`, whose pending call went through JSON in between."""
    assert isinstance(outcome, NeedsArgument | NeedsConfirmation), outcome
    pending = Pending.from_json(outcome.pending.to_json())
    assert pending == outcome.pending
    return dispatcher(text, pending)


# An answer


@pytest.mark.parametrize(
    "text",
    [
        *(
            "ten",
            "Ten.",
            "10",
            " ten ",
            "１０",
            "十",
            "um, ten",
            "make it ten please",
            "let's say 10",
            "it's ten thanks",
        ),
        *("okay, ten", "嗯，十吧", "那就十", "改成10", "set a timer ten minutes", "the ten please", "ten minutes"),
        "please please ten please",
    ],
)
def test_a_bare_answer_and_one_within_a_sentence(home, text):
    dispatcher, ran = home
    asked = dispatcher("set a timer")
    done = answer(dispatcher, asked, text)
    assert isinstance(done, Done), done
    assert done.call.arguments == {"minutes": 10}
    assert done.call.probability == asked.call.probability
    assert ran == [("set_timer", 10, "timer")]


def test_where_a_bare_answer_comes_from(home):
    dispatcher, _ = home
    done = answer(dispatcher, dispatcher("set a timer"), "um, Ten!")
    (piece,) = done.call.evidence
    assert (piece.parameter, piece.text, piece.start, piece.end) == ("minutes", "um, Ten!", 0, 8)
    assert (piece.normaliser, piece.validator, piece.problem) == ("number", "a whole number, at least 1", "")
    assert piece.score == 1.0


def test_what_was_known_stays_known(home):
    dispatcher, ran = home
    asked = dispatcher("pasta water timer")
    assert asked.pending.arguments == {"label": "pasta water"}
    done = answer(dispatcher, asked, "five")
    assert done.call.arguments == {"minutes": 5, "label": "pasta water"}
    assert ran == [("set_timer", 5, "pasta water")]


def test_a_change_of_another_argument(home):
    dispatcher, ran = home
    asked = answer(dispatcher, dispatcher("pasta timer"), "pasta water please")
    assert isinstance(asked, NeedsArgument)
    assert (asked.parameter, asked.problem) == ("minutes", "")
    assert asked.pending.arguments == {"label": "pasta water"}
    again = answer(dispatcher, asked, "loud timer")
    assert again.pending.arguments == {"label": "pasta water", "loud": True}
    assert isinstance(answer(dispatcher, again, "ten"), Done)
    assert ran == [("set_timer", 10, "pasta water")]


def test_the_answer_and_more(home):
    dispatcher, ran = home
    done = answer(dispatcher, dispatcher("set a timer"), "ten please the pasta")
    assert done.call.arguments == {"minutes": 10, "label": "pasta"}
    assert ran == [("set_timer", 10, "pasta")]


def test_one_question_after_another(desk):
    dispatcher, ran = desk
    outcome = dispatcher("timer")
    asked = []
    for text in ("ten", "the lamp", "yes"):
        asked.append((outcome.parameter, outcome.question))
        outcome = answer(dispatcher, outcome, text)
    assert asked == [
        ("minutes", "How many minutes it lasts?"),
        ("note", "What the meeting is for?"),
        ("loud", "Yes or no: whether it will be loud?"),
    ]
    assert isinstance(outcome, Done)
    assert outcome.call.arguments == {"minutes": 10, "note": "the lamp", "loud": True}
    assert ran == [(10, "the lamp", True)]


def test_two_answers_at_once(desk):
    dispatcher, ran = desk
    asked = answer(dispatcher, dispatcher("timer"), "ten please pasta")
    assert (asked.parameter, asked.pending.arguments) == ("loud", {"minutes": 10, "note": "pasta"})
    assert isinstance(answer(dispatcher, asked, "no"), Done)
    assert ran == [(10, "pasta", False)]


@pytest.mark.parametrize(
    ("text", "loud"),
    [
        ("yes", True),
        ("Yes, please!", True),
        ("ok", True),
        ("no", False),
        ("不用", False),
        ("好的", True),
        ("um, no", False),
    ],
)
def test_yes_and_no_are_answers_to_a_question(desk, text, loud):
    dispatcher, ran = desk
    asked = dispatcher.resume(dispatcher("timer").pending, {"minutes": 5, "note": "tea"})
    assert asked.parameter == "loud"
    assert isinstance(answer(dispatcher, asked, text), Done)
    assert ran == [(5, "tea", loud)]


@pytest.mark.parametrize("text", ["please the lamp", "开会", "Zsófia", "pasta water", "the weather"])
def test_free_text_is_taken_as_it_was_said(desk, text):
    """Also where the engine could not read it."""
    dispatcher, ran = desk
    asked = dispatcher.resume(dispatcher("timer").pending, {"minutes": 5, "loud": False})
    assert asked.parameter == "note"
    assert isinstance(answer(dispatcher, asked, text), Done)
    assert ran == [(5, text, False)]


def test_free_text_that_does_not_fit(desk):
    dispatcher, ran = desk
    asked = dispatcher.resume(dispatcher("timer").pending, {"minutes": 5, "loud": False})
    again = answer(dispatcher, asked, "the lamp the lamp please the lamp please")
    assert isinstance(again, NeedsArgument)
    assert again.parameter == "note"
    assert not ran


# Names


def test_a_name(guide):
    dispatcher, menu = guide
    menu[:] = ["Fish and Chips", "Wellington", "Ington"]
    for text, dish in (
        ("fish and chips", "Fish and Chips"),
        ("wellington", "Wellington"),
        ("well, wellington", "Wellington"),
    ):
        assert answer(dispatcher, dispatcher("timer"), text).value == dish


def test_a_name_that_is_not_found(guide):
    dispatcher, menu = guide
    menu[:] = ["Pizza Margherita", "Soup"]
    again = answer(dispatcher, dispatcher("timer"), "pizza tonno")
    assert isinstance(again, NeedsArgument)
    assert (again.parameter, again.question) == ("dish", "Which dish?")
    assert again.problem.startswith("there is no dish 'pizza tonno'; the nearest: Pizza Margherita")
    assert answer(dispatcher, again, "soup").value == "Soup"


def test_a_list_that_cannot_be_read_while_a_call_waits(guide):
    dispatcher, menu = guide
    asked = dispatcher("timer")
    before, menu[:] = list(menu), [OSError("the kitchen is closed")]
    for text in ("pasta", "soup"):
        again = answer(dispatcher, asked, text)
        assert isinstance(again, NeedsArgument)
        assert "the kitchen is closed" in again.problem
    menu[:] = before
    assert answer(dispatcher, again, "pasta").value == "Pasta"


# Something else


def test_another_tool(home):
    dispatcher, ran = home
    done = answer(dispatcher, dispatcher("set a timer"), "turn the lamp on")
    assert (done.value, done.call.tool) == ("on", "lamp_on")
    asked = answer(dispatcher, dispatcher("set a timer"), "lamp off")
    assert isinstance(asked, NeedsConfirmation)
    assert asked.pending.tool == "lamp_off"
    assert ran == ["lamp_on"]


def test_another_tool_that_is_not_here(desk):
    dispatcher, ran = desk
    outcome = answer(dispatcher, dispatcher("timer"), "lamp off")
    assert (outcome.reason, outcome.tool) == ("not_registered", "lamp_off")
    assert not ran


CANCELS = ["cancel", "Cancel!", "never mind", "forget it", "no thanks", "stop", "取消", "算了", "算了吧。", "不用了"]


@pytest.mark.parametrize("text", CANCELS)
def test_taking_it_back(home, text):
    dispatcher, ran = home
    for first in ("set a timer", "lamp off"):
        outcome = answer(dispatcher, dispatcher(first), text)
        assert isinstance(outcome, Abstained)
        assert outcome.reason == "cancelled"
        assert outcome.tool == ("set_timer" if first == "set a timer" else "lamp_off")
        assert outcome.probability > 0.9
    assert not ran


@pytest.mark.parametrize("text", ["zero", "-5", "minus three", "两个半", "pasta loud zero"])
def test_an_answer_that_does_not_fit_is_asked_for_with_what_is_wrong(home, text):
    dispatcher, ran = home
    again = answer(dispatcher, dispatcher("set a timer"), text)
    assert isinstance(again, NeedsArgument)
    assert again.parameter == "minutes"
    assert again.problem
    assert "minutes" not in again.pending.arguments
    assert not ran
    assert answer(dispatcher, again, "five").value.endswith(": 5")


@pytest.mark.parametrize("text", ["please", "the lamp", "weather", "🎉 🎉", "红色"])
def test_an_answer_that_fits_nothing(home, text):
    dispatcher, ran = home
    asked = dispatcher("set a timer")
    again = answer(dispatcher, asked, text)
    assert isinstance(again, NeedsArgument)
    assert (again.parameter, again.question) == (asked.parameter, asked.question)
    assert again.problem == f"{text!r} is not a number"
    assert again.pending.expires >= asked.pending.expires
    assert not ran


@pytest.mark.parametrize("text", ["", "  ", "\u3000", "?!", "\ud800", "lamp " * 20_000, ",a" * 50_000, "x" * 100_000])
def test_nothing_that_can_be_read(home, text):
    dispatcher, ran = home
    for first, kind in (("set a timer", NeedsArgument), ("lamp off", NeedsConfirmation)):
        asked = dispatcher(first)
        again = answer(dispatcher, asked, text)
        assert isinstance(again, kind)
        assert again.pending.arguments == asked.pending.arguments
        assert len(getattr(again, "problem", "")) < 100
    assert not ran


@pytest.mark.parametrize("text", [None, 5, b"ten", ["ten"]])
def test_not_a_string(home, text):
    dispatcher, ran = home
    for first in ("set a timer", "lamp off"):
        with pytest.raises(InvalidUtterance):
            dispatcher(text, dispatcher(first).pending)
    assert not ran


# A confirmation


@pytest.mark.parametrize("text", ["yes", "Yes!", "ok", "sure, go ahead", "do it", "好的", "是的", "确认"])
def test_agreeing(home, text):
    dispatcher, ran = home
    done = answer(dispatcher, dispatcher("lamp off"), text)
    assert isinstance(done, Done)
    assert ran == ["lamp_off"]


@pytest.mark.parametrize("text", ["no", "No!", "nope", "not now", "of course not", "不", "不要", "不行"])
def test_refusing(home, text):
    dispatcher, ran = home
    outcome = answer(dispatcher, dispatcher("lamp off"), text)
    assert (outcome.reason, outcome.tool) == ("cancelled", "lamp_off")
    assert not ran


@pytest.mark.parametrize("text", ["yes and no", "maybe", "please the lamp", "weather", "lamp off", "ten", "not sure"])
def test_what_is_neither_is_asked_again(home, text):
    dispatcher, ran = home
    again = answer(dispatcher, dispatcher("lamp off"), text)
    assert isinstance(again, NeedsConfirmation)
    assert not ran
    assert isinstance(answer(dispatcher, again, "yes"), Done)


def test_something_else_instead_of_a_confirmation(home):
    dispatcher, ran = home
    assert answer(dispatcher, dispatcher("lamp off"), "lamp on").value == "on"
    assert ran == ["lamp_on"]


def test_a_changed_call_is_confirmed_anew():
    functions, ran = tiny.functions()
    about = tiny.manifest(id="sha256:home")
    tools = Registry([tool(destructive=True)(functions[2])])
    dispatcher = Dispatcher(about, tiny.encoder(), tools, policy=tiny.HERE)
    asked = dispatcher("set a timer five minutes")
    assert isinstance(asked, NeedsConfirmation)
    changed = answer(dispatcher, asked, "ten")
    assert isinstance(changed, NeedsConfirmation)
    assert changed.call.arguments == {"minutes": 10}
    assert not ran
    assert isinstance(answer(dispatcher, changed, "yes"), Done)
    assert ran == [("set_timer", 10, "timer")]
    assert isinstance(answer(dispatcher, asked, "yes"), Done)  # the first is what it was
    assert ran[1:] == [("set_timer", 5, "timer")]


# A call that cannot go on


@pytest.mark.parametrize(
    "change",
    [{"bundle_id": "sha256:other"}, {"expires": 0.0}, {"tool": "gone"}, {"missing": "gone"}],
    ids=["another bundle", "expired", "tool gone", "parameter gone"],
)
@pytest.mark.parametrize("text", ["ten", "yes", "cancel", "lamp on", ""])
def test_a_pending_call_that_is_refused(home, change, text):
    dispatcher, ran = home
    pending = dataclasses.replace(dispatcher("set a timer").pending, **change)
    outcome = dispatcher(text, Pending.from_json(pending.to_json()))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, PendingError)
    assert outcome.error.hint
    assert not ran


def test_a_pending_call_whose_tool_went_away(home):
    dispatcher, ran = home
    asked = dispatcher("set a timer")
    dispatcher.registry.remove("set_timer")
    outcome = answer(dispatcher, asked, "ten")
    assert outcome.error.message == "set_timer is no longer registered"
    assert not ran


# What stands around an answer


@pytest.mark.parametrize("name", ["wellington", "ohio", "erin", "umbria", "yesterday", "sayonara", "okra", "maybelle"])
def test_a_word_is_not_cut_for_how_it_begins(name):
    assert _AROUND.sub("", name) == name
    assert _AROUND.sub("", f"well, {name} please") == name


@given(
    st.lists(st.sampled_from(["um", "well", ",", " ", "please", "那", "就", "ten", "x", "吧", "it's"]), max_size=200)
)
def test_any_words_around_are_taken_off_in_no_time(said):
    assert len(_AROUND.sub("", "".join(said)[:200])) <= 200
