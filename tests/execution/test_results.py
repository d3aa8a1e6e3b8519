"""Results are kept for a while, by tool and arguments, and nobody can change what is kept."""

from __future__ import annotations

import threading
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from edgefn.execution.results import Results
from edgefn.tool import Tool


class Clock:
    """A clock that stands still until it is told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def make(name: str = "price") -> Tool:
    def price(days: int = 1, wait: timedelta = timedelta(0)) -> str:
        """Tell a price.

        Args:
            days: how many days.
            wait: how long.
        """
        return ""

    price.__name__ = name
    return Tool.from_function(price)


def test_until_it_is_too_old():
    clock, tool = Clock(), make()
    results = Results(clock)
    assert results.get(tool, {"days": 1}) is None
    results.put(tool, {"days": 1}, [5], 10)
    clock.now += 9.9
    assert results.get(tool, {"days": 1}).value == [5]
    assert results.get(tool, {"days": 2}) is None
    assert results.get(make("other"), {"days": 1}) is None
    clock.now += 0.1
    assert results.get(tool, {"days": 1}) is None
    assert len(results) == 0


def test_a_tool_that_replaced_another_has_results_of_its_own():
    results, old, new = Results(), make(), make()
    results.put(old, {}, 1, 60)
    assert results.get(new, {}) is None
    assert results.get(old, {}) is None  # gone with it


def test_the_order_of_arguments_and_their_types_do_not_matter_where_they_are_the_same_call():
    results, tool = Results(), make()
    results.put(tool, {"days": 1, "wait": timedelta(minutes=2)}, "x", 60)
    assert results.get(tool, {"wait": timedelta(seconds=120), "days": 1}).value == "x"


def test_what_is_kept_cannot_be_changed_from_outside():
    results, tool, value = Results(), make(), {"seats": [1, 2]}
    results.put(tool, {}, value, 60)
    value["seats"].append(3)
    results.get(tool, {}).value["seats"].clear()
    assert results.get(tool, {}).value == {"seats": [1, 2]}


def test_what_is_large_or_cannot_be_copied_is_not_kept():
    results, tool = Results(), make()
    for value in ("x" * 200_000, threading.Lock(), [threading.Lock()]):
        results.put(tool, {}, value, 60)
        assert results.get(tool, {}) is None


@given(st.lists(st.integers(0, 2000), max_size=2000))
def test_it_is_bounded(days):
    results, tool = Results(), make()
    for day in days:
        results.put(tool, {"days": day}, day, 60)
    assert len(results) <= 256
    if days:
        assert results.get(tool, {"days": days[-1]}).value == days[-1]
