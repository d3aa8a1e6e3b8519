"""Work runs within its limits: in time, as often as allowed, with as many at once as allowed, and can be called off."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from edgefn.errors import ArgumentError, ToolBusy, ToolCancelled, ToolFailed, ToolSwitchedOff, ToolTimeout
from edgefn.execution.looping import Looping
from edgefn.execution.runner import Runner
from edgefn.execution.signals import Cancellation
from edgefn.execution.slots import Slots
from edgefn.execution.waiting import BLOCKING, drive
from edgefn.execution.work import Work
from edgefn.trace import Attempt

SHORT, ENOUGH, LONG = 0.05, 1.0, 30.0
"""Seconds: for what hangs, for what must have begun on a busy machine, and for what must not happen."""
MANNERS = ["blocking", "looping"]


class Silent(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("not even this")


def run(
    work: Work, manner: str = "blocking", runner: Runner | None = None, cancel: Cancellation | None = None
) -> tuple[Any, list[Attempt]]:
    """Return what a work returned, waited for in one of the two manners, and its attempts."""
    runner, attempts = runner or Runner(), []
    if manner == "blocking":
        return drive(runner.run(work, BLOCKING, cancel, attempts)), attempts

    async def main() -> Any:
        return await runner.run(work, Looping(Slots(2), Slots(8)), cancel, attempts)

    return asyncio.run(main()), attempts


def work(function: Callable[..., Any], timeout: float = LONG, **changed: Any) -> Work:
    return Work("lamp", function, {}, timeout, **changed)


@pytest.fixture
def gate():
    """A tool that hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("timeout", [0, LONG])
@pytest.mark.parametrize("manner", MANNERS)
def test_what_it_returns(manner, timeout):
    value, attempts = run(Work("add", lambda a, b: a + b, {"a": 1, "b": 2}, timeout), manner)
    assert value == 3
    assert [each.error for each in attempts] == [""]
    assert attempts[0].seconds >= 0


@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize(
    "exc",
    [ValueError("no"), SystemExit(3), OSError(28, "full"), MemoryError(), StopIteration(), asyncio.CancelledError()],
)
def test_what_it_raises_is_kept_as_the_cause(manner, exc):
    def break_down() -> None:
        raise exc

    with pytest.raises(ToolFailed, match=f"lamp raised {type(exc).__name__}") as caught:
        run(work(break_down), manner)
    assert caught.value.__cause__ is exc
    assert caught.value.hint


def test_an_error_of_ours_that_a_tool_raises_is_the_tools():
    for error in (ArgumentError("not ours", parameter="x"), ToolTimeout("not ours")):

        def break_down(error: Exception = error) -> None:
            raise error

        with pytest.raises(ToolFailed, match=f"lamp raised {type(error).__name__}") as caught:
            run(work(break_down))
        assert type(caught.value) is ToolFailed


def test_an_exception_that_cannot_be_shown():
    def break_down() -> None:
        raise Silent

    with pytest.raises(ToolFailed, match=r"lamp raised Silent: \(no message\)"):
        run(work(break_down))


@pytest.mark.parametrize("timeout", [0, LONG])
def test_the_keyboard_interrupts(timeout):
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(work(interrupted, timeout))


def test_without_a_limit_it_runs_in_the_callers_thread():
    assert run(work(threading.get_ident, 0))[0] == threading.get_ident()
    assert run(work(threading.get_ident))[0] != threading.get_ident()
    assert run(work(threading.get_ident, 0), "looping")[0] != threading.get_ident()  # a loop must not be blocked


def test_context_variables_reach_the_tool():
    who: ContextVar[str] = ContextVar("who", default="nobody")
    who.set("a visitor")
    for manner in MANNERS:
        assert run(work(who.get), manner)[0] == "a visitor"


# Time


@pytest.mark.parametrize("manner", MANNERS)
def test_what_hangs_is_left_behind_and_counted(manner, gate):
    runner = Runner()
    with pytest.raises(ToolTimeout, match="could not be ended") as caught:
        run(work(gate.wait, SHORT), manner, runner)
    assert caught.value.running
    assert "isolated" in caught.value.hint
    assert runner.health.left == {"lamp": 1}
    assert run(work(int), manner, runner)[0] == 0  # one may hang


@pytest.mark.parametrize("manner", MANNERS)
def test_a_tool_that_hung_twice_is_switched_off_until_it_is_reset(manner, gate):
    runner, ran = Runner(), []
    for _ in range(2):
        with pytest.raises(ToolTimeout):
            run(work(gate.wait, SHORT), manner, runner)
    with pytest.raises(ToolSwitchedOff) as caught:
        run(work(lambda: ran.append(1)), manner, runner)
    assert "reset('lamp')" in caught.value.hint
    assert runner.health.switched_off == {"lamp"}
    assert not ran
    gate.set()
    while runner.health.left:
        time.sleep(0.01)
    with pytest.raises(ToolSwitchedOff):  # it ended, and stays off
        run(work(int), manner, runner)
    runner.health.reset("lamp")
    assert run(work(int), manner, runner)[0] == 0
    assert not runner.health.switched_off


def test_what_hung_and_ended_no_longer_counts(gate):
    runner = Runner()
    for _ in range(5):
        ends = threading.Event()
        with pytest.raises(ToolTimeout):
            run(work(ends.wait, SHORT), runner=runner)
        ends.set()
        while runner.health.left:
            time.sleep(0.01)
    assert run(work(int), runner=runner)[0] == 0


def test_one_tool_that_hangs_does_no_harm_to_others(gate):
    runner = Runner()
    for _ in range(2):
        with pytest.raises(ToolTimeout):
            run(work(gate.wait, SHORT), runner=runner)
    assert run(Work("fan", int, {}, LONG), runner=runner)[0] == 0


def test_a_process_does_not_wait_for_what_hangs():
    import subprocess

    code = """
import threading
from edgefn.errors import ToolTimeout
from edgefn.execution.runner import Runner
from edgefn.execution.waiting import BLOCKING, drive
from edgefn.execution.work import Work
try:
    drive(Runner().run(Work("lamp", threading.Event().wait, {}, 0.05), BLOCKING, None, []))
except ToolTimeout as exc:
    print(exc.running)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG, check=True)
    assert done.stdout == "True\n"


# Coroutines


@pytest.mark.parametrize("manner", MANNERS)
def test_an_async_tool(manner):
    async def greet() -> str:
        await asyncio.sleep(0)
        return "hello"

    assert run(work(greet, is_async=True), manner)[0] == "hello"


def test_an_async_tool_runs_in_the_loop_of_who_awaits_it():
    async def main() -> None:
        async def loop() -> Any:
            return asyncio.get_running_loop()

        found = await Runner().run(work(loop, is_async=True), Looping(Slots(1), Slots(1)), None, [])
        assert found is asyncio.get_running_loop()

    asyncio.run(main())


@pytest.mark.parametrize("manner", MANNERS)
def test_an_async_tool_that_is_slow_is_ended(manner):
    ended, runner = [], Runner()

    async def slow() -> None:
        try:
            await asyncio.sleep(LONG)
        except asyncio.CancelledError:
            ended.append(1)
            raise

    with pytest.raises(ToolTimeout, match="it was ended") as caught:
        run(work(slow, ENOUGH, is_async=True), manner, runner)
    assert not caught.value.running
    assert ended == [1]
    assert not runner.health.left


def test_an_async_tool_that_blocks_is_left_behind(gate):
    runner = Runner()

    async def blocks() -> None:
        gate.wait()

    with pytest.raises(ToolTimeout, match="could not be ended"):
        run(work(blocks, ENOUGH, is_async=True), runner=runner)
    assert runner.health.left == {"lamp": 1}


@pytest.mark.parametrize("manner", MANNERS)
def test_what_an_async_tool_raises(manner):
    async def breaks() -> None:
        raise ValueError("no lamp")

    with pytest.raises(ToolFailed, match="lamp raised ValueError: no lamp"):
        run(work(breaks, is_async=True), manner)


def test_a_loop_is_never_blocked():
    """While tools sleep and loops turn, the loop ticks on."""

    async def main() -> int:
        ticks = 0
        wait, runner = Looping(Slots(1), Slots(4)), Runner()
        tasks = [asyncio.create_task(runner.run(work(lambda: time.sleep(0.2)), wait, None, [])) for _ in range(4)]
        while not all(each.done() for each in tasks):
            await asyncio.sleep(0.001)
            ticks += 1
        return ticks

    assert asyncio.run(main()) > 10


# Attempts


def failing(times: int, exc: Exception | None = None) -> tuple[Callable[[], str], list[int]]:
    """Return a tool that fails so many times and then works, and its calls."""
    calls: list[int] = []

    def tool() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise exc or ValueError("not yet")
        return "done"

    return tool, calls


@pytest.mark.parametrize("manner", MANNERS)
def test_it_is_tried_again_and_no_more_than_allowed(manner):
    tool, calls = failing(2)
    value, attempts = run(work(tool, attempts=3), manner)
    assert value == "done"
    assert [each.error for each in attempts] == ["ToolFailed", "ToolFailed", ""]
    tool, calls = failing(2)
    with pytest.raises(ToolFailed):
        run(work(tool, attempts=2), manner)
    assert len(calls) == 2


def test_each_attempt_waits_twice_as_long_as_the_one_before():
    tool, _ = failing(3)
    start = time.monotonic()
    run(work(tool, attempts=4, backoff=0.02))
    assert time.monotonic() - start >= 0.02 + 0.04 + 0.08


def test_no_second_attempt_beside_one_that_still_runs(gate):
    calls = []

    def hangs() -> None:
        calls.append(1)
        gate.wait()

    with pytest.raises(ToolTimeout):
        run(work(hangs, ENOUGH, attempts=3))
    assert calls == [1]


def test_a_second_attempt_after_one_that_was_ended():
    calls = []

    async def slow_at_first() -> str:
        calls.append(1)
        await asyncio.sleep(LONG if len(calls) == 1 else 0)
        return "done"

    value, attempts = run(work(slow_at_first, ENOUGH, attempts=2, is_async=True))
    assert value == "done"
    assert [each.error for each in attempts] == ["ToolTimeout", ""]


# How many at once


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_at_once_than_allowed(most):
    runner, lock, now, peak = Runner(), threading.Lock(), [0], [0]

    def tool() -> None:
        with lock:
            now[0] += 1
            peak[0] = max(peak[0], now[0])
        time.sleep(0.005)
        with lock:
            now[0] -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: run(work(tool, concurrency=most), runner=runner), range(30)))
    assert peak[0] == most

    async def main() -> None:
        wait = Looping(Slots(2), Slots(8))
        calls = (runner.run(work(tool, concurrency=most), wait, None, []) for _ in range(30))
        await asyncio.gather(*calls)

    peak[0] = 0
    asyncio.run(main())
    assert peak[0] == most


@pytest.mark.parametrize("manner", MANNERS)
def test_who_waits_too_long_for_a_place_is_told_so(manner, gate):
    runner = Runner()
    thread = threading.Thread(target=lambda: run(work(gate.wait, concurrency=1), runner=runner))
    thread.start()
    while runner._slots == {} or runner._slots["lamp", 1]._free:
        time.sleep(0.001)
    ran: list[int] = []
    with pytest.raises(ToolBusy, match="1 call under way"):
        run(work(lambda: ran.append(1), SHORT, concurrency=1), manner, runner)
    assert not ran
    gate.set()
    thread.join()
    assert run(work(int, concurrency=1), manner, runner)[0] == 0


def test_what_hangs_keeps_its_place(gate):
    runner = Runner()
    with pytest.raises(ToolTimeout):
        run(work(gate.wait, SHORT, concurrency=1), runner=runner)
    with pytest.raises(ToolBusy):
        run(work(int, SHORT, concurrency=1), runner=runner)
    gate.set()
    assert run(work(int, concurrency=1), runner=runner)[0] == 0


def test_hanging_tools_do_not_eat_the_threads_of_a_loop(gate):
    async def main() -> Any:
        runner, wait = Runner(), Looping(Slots(1), Slots(2))
        hanging = (runner.run(Work(f"lamp {n}", gate.wait, {}, SHORT), wait, None, []) for n in range(6))
        outcomes = await asyncio.gather(*hanging, return_exceptions=True)
        assert all(isinstance(each, ToolTimeout) for each in outcomes)
        return await runner.run(work(lambda: "still here"), wait, None, [])

    assert asyncio.run(main()) == "still here"


def test_async_tools_need_no_thread_of_a_loop(gate):
    async def main() -> str:
        runner, wait = Runner(), Looping(Slots(1), Slots(1))
        hanging = asyncio.create_task(runner.run(work(gate.wait), wait, None, []))
        await asyncio.sleep(SHORT)

        async def hello() -> str:
            return "hello"

        found = await runner.run(work(hello, is_async=True), wait, None, [])
        gate.set()
        await hanging
        return str(found)

    assert asyncio.run(main()) == "hello"


# Calling off


@pytest.mark.parametrize("manner", MANNERS)
def test_calling_off(manner, gate):
    cancel, runner, started = Cancellation(), Runner(), threading.Event()

    def hangs() -> None:
        started.set()
        gate.wait()

    threading.Thread(target=lambda: (started.wait(), cancel.cancel())).start()
    with pytest.raises(ToolCancelled):
        run(work(hangs), manner, runner, cancel)
    assert runner.health.left == {"lamp": 1}
    assert not runner.health.switched_off


@pytest.mark.parametrize("manner", MANNERS)
def test_what_was_called_off_before_does_not_run(manner):
    cancel, ran = Cancellation(), []
    cancel.cancel()
    with pytest.raises(ToolCancelled):
        run(work(lambda: ran.append(1)), manner, cancel=cancel)
    assert not ran
    assert cancel.cancelled


def test_calling_off_between_two_attempts():
    cancel = Cancellation()
    calls = []

    def fails() -> None:
        calls.append(1)
        threading.Timer(SHORT, cancel.cancel).start()
        raise ValueError

    with pytest.raises(ToolCancelled):
        run(work(fails, attempts=2, backoff=LONG), cancel=cancel)
    assert calls == [1]


def test_a_cancellation_keeps_nothing_of_the_calls_it_was_passed_to():
    cancel = Cancellation()
    for _ in range(100):
        run(work(int), cancel=cancel)
    assert cancel.signal._told == []


def test_a_task_that_is_cancelled_ends_its_async_tool():
    ended: list[int] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            ended.append(1)

    async def main() -> None:
        task = asyncio.create_task(Runner().run(work(slow, is_async=True), Looping(Slots(1), Slots(1)), None, []))
        await asyncio.sleep(SHORT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0)

    asyncio.run(main())
    assert ended == [1]


def test_what_was_begun_in_a_thread_is_done_before_a_cancelled_task_ends(gate):
    async def main() -> None:
        written: list[str] = []
        task = asyncio.create_task(Looping(Slots(1), Slots(1)).do(lambda: (gate.wait(), written.append("a line"))))
        await asyncio.sleep(SHORT)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(SHORT)
        assert not task.done()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert written == ["a line"]

    asyncio.run(main())


def test_a_cancelled_task_gives_its_place_in_the_line_back(gate):
    async def main() -> str:
        slots = Slots(1)
        wait = Looping(Slots(1), Slots(1))
        assert await slots.enter(wait, None)
        waiting = [asyncio.create_task(slots.enter(wait, None)) for _ in range(3)]
        await asyncio.sleep(SHORT)
        waiting[0].cancel()
        await asyncio.gather(waiting[0], return_exceptions=True)
        slots.leave()
        assert await waiting[1]
        slots.leave()
        assert await waiting[2]
        return "all had their turn"

    assert asyncio.run(main())
