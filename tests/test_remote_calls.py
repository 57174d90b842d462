"""Requests in threads, whose answers come to a real clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from threading import Event
from typing import Any

import pytest

from lambdakit.local.remote.calls import Call, Calls
from lambdakit.local.sources.source import SourceError
from tests.fake_clients import client_error
from tests.jumping_clock import JumpingClock


class World:
    """A clock, requests and what came of them."""

    def __init__(self) -> None:
        self.clock = JumpingClock()
        self.calls = Calls(self.clock)
        self.log: list[Any] = []
        self.may_answer = Event()

    def start(self, request: Callable[[], Any], **settings: Any) -> Call:
        call: Call = Call(request, self.log.append, self.log.append, **settings)
        self.clock.at(self.clock.now, partial(self.calls.start, call))
        return call

    def wait(self) -> str:
        """A request that is answered when the test says so."""
        assert self.may_answer.wait(10)
        return "answered"

    def close(self) -> None:
        self.may_answer.set()
        self.clock.close()
        self.calls.close()


@pytest.fixture
def world() -> Iterator[World]:
    with closing(World()) as world:
        yield world


def test_who_waits_is_told_the_answer(world: World) -> None:
    """A request is something left to do, made in another thread, and answered in the clock's."""
    threads: list[str] = []

    def note(answer: object = None) -> None:
        threads.append(threading.current_thread().name)

    world.clock.at(0, lambda: world.calls.start(Call(note, note, note)))
    world.clock.run()

    assert threads == ["a request of a local Lambda_0", "the clock of a local Lambda"]


def test_an_answer_that_takes_its_time_is_waited_for(world: World) -> None:
    """Though nobody knows when it comes."""
    world.start(world.wait)
    threading.Timer(0.01, world.may_answer.set).start()

    world.clock.run()

    assert world.log == ["answered"]


def test_nobody_waits_for_what_begins_in_the_background(world: World) -> None:
    """It is no reason to go on."""
    begun = Event()

    def request() -> str:
        begun.set()
        return world.wait()

    world.clock.at(1, lambda: world.calls.start(Call(request, world.log.append, world.log.append, background=True)))
    world.clock.run()

    assert (begun.wait(10), world.log) == (True, [])


def test_who_begins_to_wait_waits_for_the_background_too(world: World) -> None:
    """What is under way then may bring something."""
    begun = Event()

    def request() -> str:
        begun.set()
        return world.wait()

    world.start(request, background=True)
    assert begun.wait(10)
    threading.Timer(0.01, world.may_answer.set).start()

    world.clock.run()

    assert world.log == ["answered"]


def test_what_is_put_off_is_made_when_somebody_waits(world: World) -> None:
    """In the background, a request may have to wait for hours otherwise."""
    world.start(lambda: "answered", background=True, due=36_000.0, soonest=5.0)
    world.clock.run_while(lambda: not world.calls.pending)

    world.clock.run()

    assert (world.log, 5 <= world.clock.now < 36_000) == (["answered"], True)


def test_a_request_knows_whether_somebody_began_to_wait_since(world: World) -> None:
    """Its answer may be older than that."""
    call: Call = Call(lambda: "answered", world.log.append, world.log.append)
    world.clock.at(1, lambda: world.calls.start(call))

    world.clock.run()
    before = (call.waits, world.calls.waits)
    world.clock.run()

    assert (before, call.waits, world.calls.waits) == ((1, 1), 1, 2)


def test_a_request_that_was_cancelled_is_not_made(world: World) -> None:
    """If it is not under way yet."""
    call = world.start(lambda: "answered", due=5.0)
    world.clock.at(1, lambda: world.calls.cancel(call))

    world.clock.run()

    assert (world.log, world.calls.pending, world.clock.now < 5) == ([], False, True)


def test_a_failure_is_told_in_the_words_of_aws(world: World) -> None:
    """As the error that mappings know."""

    def request() -> str:
        raise client_error("OverLimit", "Too many messages in flight")

    world.start(request)
    world.clock.run()

    [error] = world.log
    assert isinstance(error, SourceError)
    assert str(error) == "OverLimit: Too many messages in flight"


def test_what_has_nothing_to_do_with_aws_is_raised_where_somebody_waits(world: World) -> None:
    """It is not swallowed, and the clock goes on."""

    def request() -> str:
        raise LookupError("a mistake")

    world.start(request)
    with pytest.raises(LookupError, match="a mistake"):
        world.clock.run()
    world.start(lambda: "answered")
    world.clock.run()

    assert world.log == ["answered"]


def test_many_requests_are_under_way_at_once(world: World) -> None:
    """A poll that waits keeps no other from being made."""
    together = threading.Barrier(20, timeout=10)
    for _ in range(20):
        world.start(lambda: together.wait() >= 0)

    world.clock.run()

    assert world.log == [True] * 20


def test_the_threads_end() -> None:
    """When all is answered, at once."""
    world = World()
    world.start(lambda: "answered")
    world.clock.run()

    world.close()

    assert [thread for thread in threading.enumerate() if "request of a local Lambda" in thread.name] == []


def test_closing_does_not_wait_for_what_is_under_way() -> None:
    """An endpoint may be as slow as it likes: the thread ends when it has answered."""
    world = World()
    world.start(world.wait)
    world.clock.run_while(lambda: not world.calls.pending)
    world.clock.close()

    world.calls.close()
    alive = [thread for thread in threading.enumerate() if "request of a local Lambda" in thread.name]
    world.may_answer.set()
    for thread in alive:
        thread.join(10)

    assert (len(alive), [thread.is_alive() for thread in alive]) == (1, [False])
