"""The virtual clock."""

import time
from datetime import UTC, datetime
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import ClockError
from lambdakit.local.virtual.clock import VirtualClock

seconds = st.floats(min_value=0, max_value=1e6)


def test_actions_run_in_the_order_of_their_time() -> None:
    """What is due first runs first, at its time."""
    clock = VirtualClock()
    log: list[tuple[str, float]] = []
    clock.at(20, lambda: log.append(("late", clock.now)))
    clock.at(10, lambda: log.append(("early", clock.now)))

    clock.run()

    assert log == [("early", 10), ("late", 20)]


def test_an_action_may_schedule_another() -> None:
    """A run goes on until nothing is due any more."""
    clock = VirtualClock()
    log: list[float] = []

    def again() -> None:
        clock.at(5, lambda: log.append(clock.now))

    clock.at(1, again)

    clock.run()

    assert log == [5]


def test_what_should_have_happened_in_the_past_happens_now() -> None:
    """Time never goes back."""
    clock = VirtualClock()
    log: list[float] = []

    def again() -> None:
        clock.at(1, lambda: log.append(clock.now))

    clock.at(5, again)

    clock.run()

    assert log == [5]


def test_a_cancelled_action_does_not_run() -> None:
    """Nor does it take the clock to its time."""
    clock = VirtualClock()
    clock.at(5, lambda: pytest.fail("it ran")).cancel()

    clock.run()

    assert clock.now == 0


def test_cancelled_actions_are_forgotten() -> None:
    """Time limits that never come to pass do not pile up."""
    clock = VirtualClock()

    for _ in range(10_000):
        clock.at(900, lambda: None).cancel()

    assert len(clock._agenda.due) < 2_000  # pyright: ignore[reportPrivateUsage]


def test_a_run_until_a_time_ends_at_that_time() -> None:
    """What is due then still runs; what is due later does not."""
    clock = VirtualClock()
    log: list[float] = []
    for when in (1, 2, 3):
        clock.at(when, lambda: log.append(clock.now))

    clock.run(until=2)

    assert (log, clock.now) == ([1, 2], 2)


def test_a_run_goes_on_where_the_last_one_ended() -> None:
    """Several runs are as good as one."""
    clock = VirtualClock()
    log: list[float] = []
    clock.at(3, lambda: log.append(clock.now))
    clock.run(until=2.5)

    clock.run()

    assert log == [3]


def test_an_error_of_an_action_comes_out_of_the_run() -> None:
    """The clock can be run again after it."""
    clock = VirtualClock()
    log: list[float] = []

    def fail() -> None:
        raise ValueError("no")

    clock.at(1, fail)
    clock.at(2, lambda: log.append(clock.now))
    with pytest.raises(ValueError, match="no"):
        clock.run()

    clock.run()

    assert log == [2]


def test_an_action_can_not_run_the_clock() -> None:
    """It runs already."""
    clock = VirtualClock()
    clock.at(1, clock.run)

    with pytest.raises(ClockError, match="runs already"):
        clock.run()


def test_an_action_can_not_run_another_clock() -> None:
    """The time that Python shows can be one only."""
    clock = VirtualClock()
    clock.at(1, VirtualClock().run)

    with pytest.raises(ClockError, match="another virtual clock"):
        clock.run()


def test_a_start_without_a_time_zone_is_refused() -> None:
    """It would be another instant on another machine."""
    with pytest.raises(ValueError, match="no time zone"):
        VirtualClock(start=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the mistake


def test_the_epoch_is_the_unix_time_of_the_start() -> None:
    """time.time() in a handler counts from there."""
    assert VirtualClock(start=datetime(1970, 1, 2, tzinfo=UTC)).epoch == 86_400


def test_no_real_time_passes() -> None:
    """A year takes no longer than the actions in it."""
    clock = VirtualClock()
    clock.at(365 * 86_400, lambda: None)
    began = time.monotonic()

    clock.run()

    assert time.monotonic() - began < 60


@given(st.lists(seconds, max_size=30))
def test_each_action_runs_once_at_its_time(times: list[float]) -> None:
    """Whatever the order in which they were scheduled."""
    clock = VirtualClock()
    log: list[float] = []
    for when in times:
        clock.at(when, lambda: log.append(clock.now))

    clock.run()

    assert log == sorted(times)


@given(st.integers(), st.integers(min_value=0, max_value=40))
def test_the_same_seed_settles_ties_the_same_way(seed: int, count: int) -> None:
    """And every tie is settled: no action is lost."""
    orders = [_order_of_ties(VirtualClock(seed), count) for _ in range(2)]

    assert orders[0] == orders[1]
    assert sorted(orders[0]) == list(range(count))


def test_different_seeds_settle_ties_in_different_ways() -> None:
    """So a test can look for what depends on the order."""
    assert len({tuple(_order_of_ties(VirtualClock(seed), 5)) for seed in range(50)}) > 20


# Timers in the background: they run when time passes over them, and no time passes for their sake.


def test_an_endless_timer_in_the_background_does_not_keep_the_clock_running() -> None:
    """It runs for as long as there is something else to do, and the clock stops with that."""
    clock = VirtualClock()
    log: list[float] = []
    _every(10, clock, log)
    clock.at(35, lambda: log.append(clock.now))

    clock.run()

    assert (log, clock.now) == ([10, 20, 30, 35], 35)


def test_time_that_is_asked_for_passes_over_the_background() -> None:
    """Up to and with that second, though nothing else is left."""
    clock = VirtualClock()
    log: list[float] = []
    _every(10, clock, log)

    clock.run(until=30)

    assert (log, clock.now) == ([10, 20, 30], 30)


def test_what_time_did_not_reach_in_the_background_is_still_there() -> None:
    """A later run goes on with it, and it did not become something that is left to do."""
    clock = VirtualClock()
    log: list[float] = []
    _every(10, clock, log)
    clock.at(15, lambda: None)
    clock.run(until=12)
    clock.run()
    clock.run()

    clock.run(until=25)

    assert (log, clock.now) == ([10, 20], 25)


def test_what_the_background_starts_is_done() -> None:
    """A run goes on until that is over, and no further."""
    clock = VirtualClock()
    log: list[float] = []

    def begin() -> None:
        clock.at(70, lambda: log.append(clock.now))

    clock.at(10, begin, background=True)
    _every(50, clock, log)
    clock.run(until=10)

    clock.run()

    assert (log, clock.now) == ([50, 70], 70)


def test_a_cancelled_timer_takes_no_time_past_the_background() -> None:
    """Time limits that never come to pass are nothing that is left to do."""
    clock = VirtualClock()
    clock.at(900, lambda: None).cancel()
    clock.at(60, lambda: pytest.fail("it ran"), background=True)

    clock.run()

    assert clock.now == 0


def test_a_cancelled_timer_of_the_background_does_not_run() -> None:
    """As any other."""
    clock = VirtualClock()
    clock.at(5, lambda: pytest.fail("it ran"), background=True).cancel()

    clock.run(until=10)

    assert clock.now == 10


def test_time_does_not_go_back() -> None:
    """A second that has passed is a mistake."""
    clock = VirtualClock()
    clock.run(until=10)

    with pytest.raises(ValueError, match="it is second 10 already, and time does not go back to 9"):
        clock.run(until=9)


def test_cancelled_timers_of_the_background_are_forgotten() -> None:
    """They do not pile up."""
    clock = VirtualClock()

    for _ in range(10_000):
        clock.at(900, lambda: None, background=True).cancel()

    assert len(clock._agenda.background) < 2_000  # pyright: ignore[reportPrivateUsage]


def test_waiting_for_something_passes_over_the_background() -> None:
    """Whoever waits for an answer sees what happens meanwhile, and no more."""
    clock = VirtualClock()
    log: list[float] = []
    _every(10, clock, log)
    clock.at(25, lambda: log.append(clock.now))
    clock.at(45, lambda: log.append(clock.now))

    clock.run_while(lambda: 25 not in log)

    assert (log, clock.now) == ([10, 20, 25], 25)


@given(st.lists(seconds, max_size=20), st.lists(seconds, max_size=20))
def test_the_background_runs_as_far_as_the_rest_takes_the_clock(rest: list[float], background: list[float]) -> None:
    """Each at its time; a tie with the very last may go either way."""
    clock = VirtualClock()
    log: list[float] = []
    for when in background:
        clock.at(when, lambda: log.append(clock.now), background=True)
    for when in rest:
        clock.at(when, lambda: log.append(clock.now))
    end = max(rest, default=-1)

    clock.run()
    clock.run(until=clock.now)

    assert log == sorted([*rest, *(when for when in background if when <= max(end, 0))])


def _every(seconds: float, clock: VirtualClock, log: list[float]) -> None:
    def again() -> None:
        log.append(clock.now)
        clock.at(clock.now + seconds, again, background=True)

    clock.at(clock.now + seconds, again, background=True)


def _order_of_ties(clock: VirtualClock, count: int) -> list[int]:
    log: list[int] = []
    for number in range(count):
        clock.at(1, partial(log.append, number))
    clock.run()
    return log
