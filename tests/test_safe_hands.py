"""A tool runs once, in time, only when sure and only when allowed; and the outcome says why."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import tiny
from hypothesis import given, settings
from hypothesis import strategies as st

import edgefn
from edgefn import (
    Abstained,
    Answered,
    Cancellation,
    Done,
    Failed,
    NeedsArgument,
    NeedsConfirmation,
    Policy,
    Rate,
    Rule,
    Session,
    ToolCall,
    tool,
)
from edgefn.errors import (
    ArgumentError,
    ExplicitCallError,
    PolicyError,
    ToolCancelled,
    ToolDefinitionError,
    ToolFailed,
    ToolSwitchedOff,
    ToolTimeout,
)

HERE = {"hints": {"destructive": Rule(isolated=False), "open_world": Rule(isolated=False)}}


def dispatcher(here: list[Callable[..., Any]] | None = None, policy: Policy | None = None, **settings: Any) -> Any:
    return tiny.dispatcher(here, settings={"policy": policy or tiny.HERE, **settings})


def lamp(function: Callable[[], Any], **hints: Any) -> Callable[..., Any]:
    """Return `function` as the tool that "lamp on" calls."""

    def lamp_on() -> Any:
        """Switch the lamp on."""
        return function()

    return tool(**hints)(lamp_on)


def async_lamp(function: Callable[[], Any]) -> Callable[..., Any]:
    async def lamp_on() -> Any:
        """Switch the lamp on."""
        return await function()

    return tool(lamp_on)


# What the policy says


def test_a_denied_tool_abstains_and_is_named():
    functions, ran = tiny.functions()
    for policy in (
        Policy(rules={"lamp_on": Rule(action="deny")}),
        Policy(deny={"*": ("lamp_on",)}),
        Policy(rules={"lamp_on": Rule(roles=("staff",))}),
    ):
        outcome = dispatcher(functions, policy)("lamp on")
        assert isinstance(outcome, Abstained)
        assert (outcome.reason, outcome.tool, outcome.call.tool) == ("denied", "lamp_on", "lamp_on")
        assert outcome.trace.verdict.action == "deny"
        assert outcome.trace.verdict.reason
    assert not ran


def test_roles():
    functions, ran = tiny.functions()
    policy = Policy(rules={"lamp_on": Rule(roles=("staff",))}, deny={"visitor": ("lamp_off",)})
    home = dispatcher(functions, policy)
    assert isinstance(home("lamp on", session=Session(role="staff")), Done)
    assert home("lamp on", session=Session(role="visitor")).reason == "denied"
    assert home("lamp on").reason == "denied"
    assert home("lamp off", session=Session(role="visitor")).reason == "denied"
    assert isinstance(home("lamp off", session=Session(role="staff")), Done)
    assert ran == ["lamp_on", "lamp_off"]


def test_a_denied_tool_is_not_asked_about():
    home = dispatcher(None, Policy(deny={"*": ("set_timer",)}))
    assert home("set a timer").reason == "denied"


def test_a_dangerous_tool_needs_a_higher_probability():
    functions, ran = tiny.functions()
    p = dispatcher(functions).predict("lamp on").probability
    sure, unsure = (Policy(rules={"lamp_on": Rule(threshold=each)}) for each in (p, min(1.0, p + 1e-6)))
    assert isinstance(dispatcher(functions, sure)("lamp on"), Done)
    outcome = dispatcher(functions, unsure)("lamp on")
    assert (outcome.reason, outcome.tool) == ("unsure", "lamp_on")
    assert outcome.ranking[0].tool == "lamp_on"
    assert ran == ["lamp_on"]


def test_confirmation_because_the_policy_says_so():
    functions, ran = tiny.functions()
    home = dispatcher(functions, Policy(rules={"lamp_on": Rule(action="confirm")}))
    asked = home("lamp on")
    assert isinstance(asked, NeedsConfirmation)
    assert home("yes", asked.pending).value == "on"
    assert ran == ["lamp_on"]


def test_who_confirms_needs_the_role_too():
    functions, ran = tiny.functions()
    policy = Policy(rules={"lamp_on": Rule(action="confirm", roles=("staff",))})
    home = dispatcher(functions, policy)
    asked = home("lamp on", session=Session(role="staff"))
    assert home("yes", asked.pending, Session(role="visitor")).reason == "denied"
    assert not ran


def test_a_dry_run_decides_everything_and_runs_nothing():
    functions, ran = tiny.functions()
    home = dispatcher(functions, Policy(dry_run=True))
    outcome = home("set a timer ten minutes")
    assert (outcome.reason, outcome.call.arguments) == ("dry_run", {"minutes": 10})
    assert isinstance(home("set a timer"), NeedsArgument)
    assert home("the weather please").reason == "none_of_these"
    assert not ran


def test_a_rate():
    functions, ran = tiny.functions()
    home = dispatcher(functions, Policy(rules={"lamp_on": Rule(rate=Rate(2, 3600))}))
    kinds = [type(home("lamp on")) for _ in range(4)]
    assert kinds == [Done, Done, Abstained, Abstained]
    outcome = home("lamp on")
    assert (outcome.reason, outcome.tool) == ("rate_limited", "lamp_on")
    assert "may be called again in" in outcome.trace.notes[0]
    assert isinstance(home("lamp off"), Done)
    assert ran.count("lamp_on") == 2


def test_settings_that_a_tool_does_not_allow_are_loud_when_loading():
    functions, _ = tiny.functions()
    with pytest.raises(PolicyError):
        dispatcher(functions, Policy(rules={"lamp_on": Rule(retries=2)}))
    with pytest.raises(PolicyError):
        dispatcher(functions, Policy(rules={"lamp_on": Rule(cache=2)}))
    with pytest.raises(ToolDefinitionError, match="process of its own") as caught:
        dispatcher([lamp(int, destructive=True)], Policy())
    assert "isolated" in caught.value.hint


def test_an_added_tool_is_checked_before_it_is_added():
    home = dispatcher(None, Policy())

    @tool(destructive=True)
    def spin_fan() -> str:
        """Fan spin."""
        return "spins"

    with pytest.raises(ToolDefinitionError):
        home.add(spin_fan)
    assert "spin_fan" not in home.registry


WORDS = ["lamp", "on", "off", "set", "a", "timer", "ten", "five", "minutes", "the", "weather", "pasta"]
ANSWERS = ["yes", "no", "wait", "yes no", "go ahead", "不要", "好的", "ten", "cancel", "yes but tomorrow", "maybe", ""]


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from([*tiny.UTTERANCES, *ANSWERS]),
                st.lists(st.sampled_from([*WORDS, *ANSWERS]), max_size=5).map(" ".join),
                st.sampled_from(
                    ["call lamp_off()", "请执行lamp_off", 'call function("lamp_on", [])', "call lamp_on(1)"]
                ),
            ),
            st.sampled_from(["last", "first", "none"]),
            st.sampled_from([None, "visitor", "staff"]),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_nothing_dangerous_runs_without_its_confirmation_nor_without_its_role(conversation, careless):
    """lamp_off is destructive, lamp_on is for staff: whatever is said, in whatever order."""
    functions, ran = tiny.functions()
    lamp_on, lamp_off, set_timer = functions
    here = [lamp_on, tool(destructive=True)(lamp_off), set_timer]
    careless_default = Rule(action="run", roles=("*",), threshold=0.0) if careless else Rule()
    policy = Policy(rules={"lamp_on": Rule(roles=("staff",))}, default=careless_default, **HERE)
    home = tiny.dispatcher(here, settings={"policy": policy})
    asked: list[Any] = []
    for text, which, role in conversation:
        pending = None if which == "none" or not asked else asked[-1 if which == "last" else 0].pending
        before = list(ran)
        outcome = home(text, pending, Session(role=role))
        if isinstance(outcome, NeedsArgument | NeedsConfirmation):
            asked.append(outcome)
        new = ran[len(before) :]
        assert len(new) <= 1
        if new == ["lamp_off"]:
            about = next(each for each in asked if each.pending == pending)
            assert isinstance(about, NeedsConfirmation) and about.call.tool == "lamp_off"
            assert home(text, pending, Session(role=role)).error  # and only once
        if new == ["lamp_on"]:
            assert role == "staff"
        assert bool(new) == isinstance(outcome, Done)


# How it is run


def test_a_tool_that_hangs_is_an_outcome():
    gate = threading.Event()
    home = dispatcher([lamp(gate.wait)], Policy(rules={"lamp_on": Rule(timeout=0.5)}))
    first, second, third = (home("lamp on") for _ in range(3))
    assert isinstance(first.error, ToolTimeout)
    assert isinstance(second.error, ToolTimeout)
    assert isinstance(third.error, ToolSwitchedOff)
    assert home.left_behind == {"lamp_on": 2}
    assert home.switched_off == {"lamp_on"}
    gate.set()
    home.reset("lamp_on")
    assert isinstance(home("lamp on"), Done)


def test_retries_are_for_idempotent_tools_alone():
    calls: list[int] = []

    def fails_once() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise OSError("not yet")
        return "on"

    rule = Policy(default=Rule(retries=2, backoff=0.001))
    outcome = dispatcher([lamp(fails_once, idempotent=True)], rule)("lamp on")
    assert outcome.value == "on"
    assert [each.error for each in outcome.trace.attempts] == ["ToolFailed", ""]
    calls.clear()
    outcome = dispatcher([lamp(fails_once)], rule)("lamp on")
    assert isinstance(outcome.error, ToolFailed)
    assert len(calls) == 1


def test_results_of_read_only_tools_are_kept_for_a_while():
    calls: list[int] = []

    def price() -> dict[str, int]:
        calls.append(1)
        return {"euro": len(calls)}

    home = dispatcher([lamp(price, read_only=True)], Policy(default=Rule(cache=60)))
    first, second = home("lamp on"), home("turn the lamp on")
    assert first.value == second.value == {"euro": 1}
    assert (first.trace.from_cache, second.trace.from_cache) == (False, True)
    assert not second.trace.attempts
    second.value["euro"] = 5
    assert home("lamp on").value == {"euro": 1}
    home = dispatcher([lamp(price)], Policy(default=Rule(cache=60)))
    assert home("lamp on").value != home("lamp on").value  # it is not read-only


def test_calling_off():
    gate, started, cancel = threading.Event(), threading.Event(), Cancellation()

    def hangs() -> None:
        started.set()
        gate.wait()

    home = dispatcher([lamp(hangs)])
    threading.Thread(target=lambda: (started.wait(), cancel.cancel())).start()
    outcome = home("lamp on", cancel=cancel)
    assert isinstance(outcome.error, ToolCancelled)
    gate.set()


def test_a_tool_that_is_removed_while_it_runs_ends_as_it_would_have():
    gate, started = threading.Event(), threading.Event()

    def slow() -> str:
        started.set()
        gate.wait()
        return "on"

    home = dispatcher([lamp(slow)])
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(home, "lamp on")
        started.wait()
        home.remove("lamp_on")
        assert home("lamp on").reason == "not_registered"
        gate.set()
        assert call.result().value == "on"


# Many at once


def texts() -> list[str]:
    spoken = [
        *tiny.UTTERANCES,
        "set a timer ten minutes",
        "set a pasta timer five minutes",
        "on off",
        "",
        "call lamp_on()",
    ]
    return spoken * 8


def test_64_threads_get_what_one_gets():
    home = dispatcher(selection_cache=16)
    alone = [dispatcher()(text) for text in texts()]
    with ThreadPoolExecutor(64) as pool:
        for outcomes in pool.map(lambda _: [home(text) for text in texts()], range(64)):
            assert [plain(each) for each in outcomes] == [plain(each) for each in alone]


def test_1000_tasks_get_what_one_gets():
    home, said = dispatcher(), (texts() * 20)[:1000]
    alone = [plain(dispatcher()(text)) for text in texts()]

    async def main() -> list[Any]:
        return await asyncio.gather(*(home.acall(text) for text in said))

    outcomes = asyncio.run(main())
    assert [plain(each) for each in outcomes] == [alone[at % len(alone)] for at in range(1000)]


def plain(outcome: Any) -> dict[str, Any]:
    """Return an outcome without what is new each time: the number and expiry of a question."""
    found = edgefn.outcome.outcome_to_json(outcome)
    found.pop("pending", None)
    return found


def test_async_tools():
    async def on() -> str:
        await asyncio.sleep(0)
        return "on"

    home = dispatcher([async_lamp(on)])
    assert home("lamp on").value == "on"
    assert asyncio.run(home.acall("lamp on")).value == "on"


def test_a_thousand_async_tools_wait_together():
    async def main() -> int:
        together = asyncio.Event()
        waiting = 0

        async def on() -> str:
            nonlocal waiting
            waiting += 1
            if waiting == 1000:
                together.set()
            await together.wait()
            return "on"

        home = dispatcher([async_lamp(on)])
        outcomes = await asyncio.gather(*(home.acall("lamp on") for _ in range(1000)))
        return sum(isinstance(each, Done) for each in outcomes)

    assert asyncio.run(main()) == 1000


def test_a_cancelled_task_is_cancelled():
    gate = threading.Event()
    home = dispatcher([lamp(gate.wait)])

    async def main() -> None:
        task = asyncio.create_task(home.acall("lamp on"))
        while not home._execution.runner.health.left and not task.done():
            await asyncio.sleep(0.01)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    gate.set()
    while home.left_behind:
        time.sleep(0.01)
    assert isinstance(home("lamp off"), Abstained)


# Fallback


def test_the_fallback_answers_what_no_tool_was_sure_of():
    asked: list[tuple[str, Abstained]] = []

    def desk(text: str, abstained: Abstained) -> str:
        asked.append((text, abstained))
        return "someone is on the way"

    home = dispatcher(fallback=desk)
    outcome = home("the weather please")
    assert isinstance(outcome, Answered)
    assert (outcome.value, outcome.abstained.reason) == ("someone is on the way", "none_of_these")
    assert outcome.trace.path == "fallback"
    assert asked[0][1].ranking
    assert home("on off").abstained.reason == "unsure"
    assert home("请开灯").abstained.reason == "unknown_script"
    assert isinstance(home("lamp on"), Done)
    assert home("").reason == "empty"
    assert len(asked) == 3


def test_a_call_from_the_fallback_is_judged_like_any_other():
    functions, ran = tiny.functions()
    lamp_on, lamp_off, _ = functions

    def model(text: str, abstained: Abstained) -> ToolCall:
        return ToolCall("lamp_off" if "dark" in text else "lamp_on", {}, 0.95)

    policy = Policy(deny={"visitor": ("lamp_on",)}, **HERE)
    home = dispatcher([lamp_on, tool(destructive=True)(lamp_off)], policy, fallback=model)
    assert home("sing").call.tool == "lamp_on"
    assert home("sing").trace.path == "fallback"
    assert home("sing", session=Session(role="visitor")).reason == "denied"
    assert isinstance(home("sing dark weather"), NeedsConfirmation)
    assert ran == ["lamp_on", "lamp_on"]


def test_what_the_policy_refused_is_not_for_the_fallback():
    asked: list[str] = []
    home = dispatcher(None, Policy(deny={"*": ("lamp_on",)}), fallback=lambda text, abstained: asked.append(text))
    assert home("lamp on").reason == "denied"
    assert not asked


def test_a_fallback_that_fails_or_has_no_answer_leaves_it_at_abstaining():
    def broken(text: str, abstained: Abstained) -> str:
        raise OSError("no network")

    outcome = dispatcher(fallback=broken)("sing")
    assert outcome.reason == "none_of_these"
    assert "no network" in outcome.trace.notes[0]
    assert dispatcher(fallback=lambda text, abstained: None)("sing").reason == "none_of_these"


def test_an_async_fallback():
    async def model(text: str, abstained: Abstained) -> str:
        await asyncio.sleep(0)
        return text.upper()

    home = dispatcher(fallback=model)
    assert home("sing").value == "SING"
    assert asyncio.run(home.acall("sing")).value == "SING"


# A line that names a function


@tool
def square(number: int) -> int:
    """Close the gate.

    Args:
        number: plants.
    """
    return number * number


@pytest.mark.parametrize(
    ("text", "value", "met"),
    [
        ("call square(3)", 9, None),
        ("call square(number=3)", 9, None),
        ('call function("square", [3], 9)', 9, True),
        ('call function("square", [3], 10)', 9, False),
        ("请执行square，参数为3，期望输出为9", 9, True),
    ],
)
def test_an_explicit_call(text, value, met):
    home = dispatcher()
    home.add(square)
    outcome = home(text)
    assert isinstance(outcome, Done)
    assert (outcome.value, outcome.call.probability, outcome.trace.path) == (value, 1.0, "explicit")
    assert (None if outcome.expected is None else outcome.expected.met) == met


def test_explicit_calls_that_are_wrong_are_clear_errors():
    home = dispatcher()
    home.add(square)
    for text, kind in [
        ("call sqare(3)", ExplicitCallError),
        ("call square(3", ExplicitCallError),
        ("call square(three)", ExplicitCallError),
        ("call square()", ArgumentError),
        ("call square(3, 4)", ArgumentError),
        ('call square("three")', ArgumentError),
        ("call set_timer(0)", ArgumentError),
    ]:
        outcome = home(text)
        assert isinstance(outcome, Failed), text
        assert isinstance(outcome.error, kind), text
        assert outcome.error.hint, text
    assert "square" in home("call sqare(3)").error.hint


def test_an_explicit_call_is_judged_like_any_other():
    functions, ran = tiny.functions()
    lamp_on, lamp_off, _ = functions
    policy = Policy(deny={"*": ("lamp_on",)}, **HERE)
    home = dispatcher([lamp_on, tool(destructive=True)(lamp_off)], policy)
    assert home("call lamp_on()").reason == "denied"
    asked = home("call lamp_off()")
    assert isinstance(asked, NeedsConfirmation)
    assert not ran
    assert isinstance(home("yes", asked.pending), Done)


def test_explicit_calls_can_be_switched_off():
    assert isinstance(dispatcher(None, Policy(explicit=False))("call lamp_on()"), Abstained)


# In words


@tool(result={"en": "It rings in {minutes} minutes.", "zh": "{minutes}分钟后响。"})
def ring(minutes: int) -> int:
    """Open the door.

    Args:
        minutes: plants.
    """
    return minutes


def test_a_result_in_words():
    home = dispatcher()
    home.add(ring)
    assert home("call ring(5)").sentence == "It rings in 5 minutes."
    assert home("请执行ring，参数为5").sentence == "5分钟后响。"
    assert home("call ring(5)", session=Session(language="zh")).sentence == "5分钟后响。"
    assert home("lamp on").sentence == ""


def test_a_template_that_names_no_argument_is_refused():
    with pytest.raises(ToolDefinitionError, match="hours"):

        @tool(result="It rings in {hours}.")
        def rings(minutes: int) -> int:
            """Ring.

            Args:
                minutes: how many.
            """
            return minutes

        edgefn.Tool.from_function(rings)


def test_a_question_of_the_tools_own():
    functions, _ = tiny.functions()

    @tool(destructive=True, confirmation={"en": "Really dark?", "zh": "真的要关灯吗？"})
    def lamp_off() -> str:
        """Switch the lamp off."""
        return "off"

    home = dispatcher([functions[0], lamp_off])
    assert home("lamp off").question == "Really dark?"
    assert home("lamp off", session=Session(language="zh")).question == "真的要关灯吗？"


# The trace, and what is kept


def test_a_trace_says_why():
    home = dispatcher(selection_cache=4)
    done, abstained = home("lamp on"), home("on off")
    assert done.trace.path == "model"
    assert done.trace.ranking[0].tool == "lamp_on"
    assert done.trace.threshold == home.selector.threshold
    assert done.trace.probability == done.call.probability
    assert done.trace.terms.timeout == 30.0
    assert done.trace.verdict.action == "run"
    assert list(done.trace.steps) == ["read", "run"]
    assert done.trace.seconds > 0
    assert len(done.trace.attempts) == 1
    assert abstained.trace.probability < abstained.trace.threshold
    assert abstained.trace.verdict is None
    assert len({done.trace.id, abstained.trace.id}) == 2
    assert "lamp_on" in done.trace.explain()
    assert done.trace.to_json()["path"] == "model"
    assert done == home("lamp on")  # whatever way it took


def test_the_selection_cache_changes_nothing_but_the_way():
    with_cache, without = dispatcher(selection_cache=8), dispatcher()
    for text in [*texts(), *texts()]:
        assert plain(with_cache(text)) == plain(without(text))
    assert not with_cache("lamp on please").trace.seen_before
    assert with_cache("LAMP  on please").trace.seen_before
    assert len(with_cache.interpreter.cache) <= 8


def test_the_selection_cache_follows_the_tools():
    home = dispatcher(selection_cache=8)
    assert isinstance(home("spin the fan"), Abstained)
    home.add(tiny.described("spin_fan", "fan spin"))
    assert home("spin the fan").tool == "spin_fan"
    home.remove("spin_fan")
    assert home("spin the fan").tool is None
    home.remove("lamp_on")
    assert home("lamp on").reason == "not_registered"


def test_the_selection_cache_follows_live_names():
    functions, menu = tiny.guide_functions()
    home = edgefn.Dispatcher(
        tiny.guide_manifest(id="sha256:guide"), tiny.encoder(), edgefn.Registry(functions), selection_cache=8
    )
    assert home("timer pasta").value == "Pasta"
    menu[:] = ["pasta water", "Bread"]
    assert home("timer pasta water").value == "pasta water"
    menu[:] = ["Soup", "Bread"]
    assert isinstance(home("timer pasta"), NeedsArgument)
