"""The clock on real time; where time has to pass, one that skips it."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from threading import Barrier, Thread, get_ident, main_thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import ClockError
from lambdakit.local.process.clock import RealClock
from tests.jumping_clock import JumpingClock


@pytest.fixture
def clock() -> Iterator[JumpingClock]:
    with closing(JumpingClock()) as clock:
        yield clock


def at_once(clock: RealClock, action: Callable[[], None]) -> None:
    """Run it as an action: nothing that it schedules is due before its end."""
    clock.at(clock.now, action)


@given(st.lists(st.integers(0, 5)))
def test_actions_run_in_the_order_of_their_time(times: list[int]) -> None:
    """What is due first runs first; of those due at one time, the first that was entered."""
    log: list[tuple[int, int]] = []

    def schedule() -> None:
        start = jumping.now + 1
        for number, seconds in enumerate(times):
            jumping.at(start + seconds, partial(log.append, (seconds, number)))

    with closing(JumpingClock()) as jumping:
        at_once(jumping, schedule)
        jumping.run()

    assert log == sorted((seconds, number) for number, seconds in enumerate(times))


def test_a_timer_is_not_early(clock: JumpingClock) -> None:
    """An action runs at its time or later."""
    ran: list[float] = []

    clock.at(60, lambda: ran.append(clock.now))
    clock.run()

    assert 60 <= ran[0] < 70


def test_time_passes_by_itself() -> None:
    """Nobody has to run a real clock."""
    with closing(RealClock()) as clock:
        before = clock.now

        assert (clock.now > before, abs(clock.epoch - time.time()) < 60, clock.today.tzinfo is not None) == (
            True,
            True,
            True,
        )


def test_all_actions_run_in_one_thread_whoever_asks_for_them(clock: JumpingClock) -> None:
    """What an action decides, no other thread decides at the same time."""
    threads: set[int] = set()

    def ask() -> None:
        for _ in range(100):
            clock.at(0, lambda: threads.add(get_ident()))

    asking = [Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    clock.run()

    assert len(threads) == 1
    assert main_thread().ident not in threads


def test_a_run_ends_when_nothing_is_left_to_do(clock: JumpingClock) -> None:
    """With what the last action scheduled."""
    log: list[str] = []

    clock.at(10, lambda: at_once(clock, lambda: log.append("later")))
    clock.run()

    assert log == ["later"]


def test_a_cancelled_action_is_nothing_to_wait_for(clock: JumpingClock) -> None:
    """Nor does it run."""
    log: list[str] = []

    at_once(clock, lambda: clock.at(clock.now + 900, lambda: log.append("ran")).cancel())
    clock.run()

    assert (log, clock.skipped) == ([], 0)


def test_a_run_waits_for_what_is_expected_from_outside(clock: JumpingClock) -> None:
    """Nobody knows when it comes, but it is something left to do."""
    log: list[str] = []
    outside: list[Thread] = []

    def expect() -> None:
        outside.append(Thread(target=clock.expect(lambda: log.append("happened"))))
        outside[0].start()

    at_once(clock, expect)
    clock.run()
    outside[0].join()

    assert log == ["happened"]


def test_a_run_until_a_time_ends_at_that_time(clock: JumpingClock) -> None:
    """What is due before has run; what is due later has not."""
    log: list[str] = []
    clock.at(10, lambda: log.append("before"))
    clock.at(900, lambda: log.append("after"))

    clock.run(until=20)

    assert (log, 20 <= clock.now < 30) == (["before"], True)


def test_an_endless_run_ends_with_ctrl_c_and_leaves_nothing_to_do() -> None:
    """Nothing is left to do, and yet it goes on; the next run has no end to wait for."""

    def interrupt() -> None:
        signal.pthread_kill(main_thread().ident or 0, signal.SIGINT)

    def run(clock: RealClock) -> None:
        clock.at(clock.now, interrupt)
        clock.run(until=float("inf"))

    with closing(RealClock()) as clock:
        with pytest.raises(KeyboardInterrupt):
            run(clock)

        clock.run()


def test_who_looks_for_work_looks_when_somebody_begins_to_wait(clock: JumpingClock) -> None:
    """What is found then is left to do."""
    log: list[str] = []
    clock.on_wait(lambda: log.append("looked"))
    clock.on_wait(lambda: at_once(clock, lambda: log.append("found")))

    clock.run()
    clock.run()

    assert log == ["looked", "found"] * 2


def test_waiting_ends_with_the_action_that_makes_the_condition_false(clock: JumpingClock) -> None:
    """The rest goes on without anyone waiting."""
    log: list[str] = []
    clock.at(10, lambda: log.append("first"))
    clock.at(900, lambda: log.append("second"))

    clock.run_while(lambda: not log)

    assert (log, clock.now < 100) == (["first"], True)


def test_many_threads_may_wait_at_once(clock: JumpingClock) -> None:
    """Each for its own condition: here each meets the others in the middle of its wait."""
    together = Barrier(9, timeout=10)
    over: list[int] = []

    def wait(number: int) -> None:
        log: list[int] = []
        together.wait()
        clock.at(number, lambda: log.append(number))
        clock.run_while(lambda: not log)
        over.extend(log)

    threads = [Thread(target=wait, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    together.wait()
    for thread in threads:
        thread.join()

    assert sorted(over) == list(range(8))


def expect_nothing(clock: RealClock) -> None:
    """Something is left to do, for ever."""
    clock.expect(fail)


def fail() -> None:
    raise LookupError("no such thing")


def test_an_error_of_an_action_is_raised_where_somebody_waits(clock: JumpingClock) -> None:
    """As on the virtual clock; the clock goes on."""
    log: list[str] = []
    clock.at(5, fail)
    clock.at(10, lambda: log.append("went on"))

    with pytest.raises(LookupError, match="no such thing"):
        clock.run()
    clock.run()

    assert log == ["went on"]


def test_an_error_while_nobody_waits_is_raised_by_the_next_run(clock: JumpingClock) -> None:
    """It does not vanish."""
    done: list[str] = []
    at_once(clock, fail)
    at_once(clock, lambda: done.append("yes"))
    while not done:
        os.sched_yield()

    with pytest.raises(LookupError):
        clock.run()
    clock.run()  # told once


def test_an_error_that_nobody_was_told_is_raised_when_the_clock_is_closed() -> None:
    """The last occasion."""
    clock = RealClock()
    at_once(clock, fail)

    with pytest.raises(LookupError):
        clock.close()


def test_an_action_cannot_run_the_clock(clock: JumpingClock) -> None:
    """It runs on it, and would wait for itself."""
    at_once(clock, clock.run)

    with pytest.raises(ClockError, match=r"from inside an action.*\n.*clock\.at\(when, action\)"):
        clock.run()


def test_a_functions_own_process_cannot_run_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that runs the local Lambda when it is imported would start itself without end."""
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")

    with closing(RealClock()) as clock, pytest.raises(ClockError, match="if __name__ == "):
        clock.run()


def test_a_closed_clock_says_so(clock: JumpingClock) -> None:
    """Nothing runs on it any more, so waiting for it would never end."""
    clock.close()

    with pytest.raises(ClockError, match="the local Lambda is closed"):
        clock.run()


def test_who_waits_when_the_clock_is_closed_is_told() -> None:
    """The thread that waits goes on, with an error."""
    clock = RealClock()
    errors: list[ClockError] = []
    waits: list[bool] = []

    def waiting() -> bool:
        waits.append(True)
        return True

    def wait() -> None:
        try:
            clock.run_while(waiting)
        except ClockError as error:
            errors.append(error)

    at_once(clock, lambda: expect_nothing(clock))
    thread = Thread(target=wait)
    thread.start()
    while not waits:
        os.sched_yield()
    clock.close()
    thread.join()

    assert [error.problem for error in errors] == ["the local Lambda is closed."]


def test_ctrl_c_ends_the_wait_and_not_the_clock(clock: JumpingClock) -> None:
    """KeyboardInterrupt is raised where the main thread waits; another wait is as good as ever."""
    log: list[str] = []
    happened: list[Callable[[], None]] = []
    at_once(clock, lambda: happened.append(clock.expect(lambda: log.append("went on"))))

    def waiting() -> bool:
        main = main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)
        return True

    with pytest.raises(KeyboardInterrupt):
        clock.run_while(waiting)
    happened[0]()
    clock.run()

    assert log == ["went on"]


def test_a_connection_is_read_when_there_is_something_to_read(clock: JumpingClock) -> None:
    """In the clock's thread, until it is no longer watched."""
    ours, theirs = socket.socketpair()
    log: list[bytes] = []

    def watch() -> None:
        clock.watch(ours, partial(read, clock.expect(lambda: None)))

    def read(happened: Callable[[], None]) -> None:
        log.append(ours.recv(5))
        clock.unwatch(ours)
        happened()

    with ours, theirs:
        at_once(clock, watch)
        theirs.send(b"helloagain")
        clock.run()

    assert log == [b"hello"]


def test_cancelled_timers_are_forgotten(clock: JumpingClock) -> None:
    """Time limits that never come to pass do not pile up."""

    def schedule() -> None:
        for _ in range(10_000):
            clock.at(900, fail).cancel()

    at_once(clock, schedule)
    clock.run()

    assert len(clock._agenda.due) < 2_000  # pyright: ignore[reportPrivateUsage]
