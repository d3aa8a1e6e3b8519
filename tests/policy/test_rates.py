"""The sliding window, against counting by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from edgefn.policy.rates import Rates
from edgefn.policy.rule import Rate


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.told = 1000.0

    def __call__(self) -> float:
        return self.told


def test_so_many_calls_and_no_more():
    clock = Clock()
    rates, rate = Rates(clock), Rate(2, 10)
    assert [rates.take("a", rate), rates.take("a", rate)] == [0.0, 0.0]
    assert rates.take("a", rate) == 10.0
    clock.told += 4
    assert rates.take("a", rate) == 6.0
    clock.told += 6  # exactly when it was said
    assert [rates.take("a", rate), rates.take("a", rate)] == [0.0, 0.0]
    assert rates.take("a", rate) == 10.0


def test_names_are_counted_apart_and_no_rate_counts_nothing():
    rates, rate = Rates(Clock()), Rate(1, 10)
    assert rates.take("a", None) == rates.take("a", None) == 0.0
    assert rates.take("a", rate) == rates.take("b", rate) == 0.0
    assert rates.take("a", rate) == 10.0


def test_what_was_refused_is_not_counted():
    clock = Clock()
    rates, rate = Rates(clock), Rate(1, 10)
    rates.take("a", rate)
    for _ in range(5):
        clock.told += 1
        assert rates.take("a", rate) > 0
    clock.told += 5
    assert rates.take("a", rate) == 0.0


def test_what_is_forgotten_can_be_taken_again():
    rates, rate = Rates(Clock()), Rate(1, 10)
    rates.forget("a")  # nothing was taken
    assert rates.take("a", rate) == 0.0
    assert rates.take("a", rate) == 10.0
    rates.forget("a")
    rates.forget("a")
    assert rates.take("a", rate) == 0.0


def test_a_clock_that_jumps_back_frees_nothing_and_locks_nothing():
    clock = Clock()
    rates, rate = Rates(clock), Rate(1, 10)
    rates.take("a", rate)
    clock.told -= 86_400
    assert rates.take("a", rate) == 10.0
    clock.told += 10
    assert rates.take("a", rate) == 0.0


def test_a_rate_that_changes_counts_what_is_known():
    clock = Clock()
    rates = Rates(clock)
    for _ in range(5):
        clock.told += 1
        rates.take("a", Rate(5, 10))
    assert rates.take("a", Rate(2, 10)) == 9.0  # the last but one was a second ago
    assert rates.take("a", Rate(5, 10)) == 6.0
    assert rates.take("a", Rate(6, 10)) == 0.0


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(-30, 30)),
        st.tuples(st.just("take"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("forget"), st.sampled_from(["a", "b"])),
    ),
    max_size=80,
)


@given(steps, st.integers(1, 4), st.integers(1, 20))
def test_it_agrees_with_counting_by_hand(steps, calls, seconds):
    clock = Clock()
    rates, rate = Rates(clock), Rate(calls, seconds)
    now, counted = 0, {"a": [], "b": []}
    for what, value in steps:
        if what == "wait":
            clock.told += value
            # Time that is taken back was never seen, unless somebody looked at the clock: here somebody always does.
            rates.take("look", Rate(1, 1))
            now += max(0, value)
        elif what == "take":
            recent = [each for each in counted[value] if each > now - seconds]
            wait = rates.take(value, rate)
            if len(recent) < calls:
                assert wait == 0.0
                counted[value].append(now)
            else:
                assert wait == recent[-calls] + seconds - now > 0
        else:
            rates.forget(value)
            counted[value] = []
        assert all(len(each) <= calls for each in rates._times.values())


def test_threads_share_one_count():
    rates, rate = Rates(Clock()), Rate(100, 10)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: rates.take("a", rate), range(1600)))
    assert waits.count(0.0) == 100


def test_the_clock_of_the_system_does():
    rates = Rates()
    assert rates.take("a", Rate(1, 1000)) == 0.0
    assert 0.0 < rates.take("a", Rate(1, 1000)) <= 1000.0
