"""The real clock: actions run when their time has come, one at a time, in a thread of its own."""

from __future__ import annotations

import os
import selectors
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import Random
from threading import Lock, Thread, get_ident
from time import monotonic, time
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import finalize

from lambdakit.local.agenda import Agenda, Timer
from lambdakit.local.errors import ClockError

if TYPE_CHECKING:
    from socket import socket

LONGEST_PAUSE = 3_600.0
"""Seconds after which the clock looks up though nothing is due: no operating system waits for ever."""


T = TypeVar("T")


class RealClock:
    """Runs actions on real time, and when there is something to read or to write.

    One thread owns all that the clock knows, and runs all actions; other threads send it messages, which are functions.
    So ``at`` may be called by any thread, any number of threads may wait in ``run_while`` at once, and a thread that
    is interrupted while it waits, as by Ctrl-C, upsets nothing. Actions must not wait.

    Attributes:
        random: The source of all decisions. No seed: what takes real time does not repeat.
        epoch: Unix time of the start.
    """

    threaded = True

    def __init__(self) -> None:
        self.random = Random()  # noqa: S311 - request IDs are no secrets
        self.epoch = time()
        self._start = monotonic()
        self._agenda = Agenda()
        self._inbox: deque[Callable[[], None]] = deque()
        self._asleep = False
        self._selector = selectors.DefaultSelector()
        self._wakes, self._waker = os.pipe()
        self._selector.register(self._wakes, selectors.EVENT_READ, partial(os.read, self._wakes, 4_096))
        finalize(self, _close, self._wakes, self._waker)  # not in close(): another thread may be about to write
        self._waiters: set[_Waiter] = set()
        self._lookouts: list[Callable[[], None]] = []
        self._expected = 0
        self._untold: list[BaseException] = []
        self._closed = False
        self._in_function = "AWS_LAMBDA_RUNTIME_API" in os.environ
        self._thread = Thread(target=self._work, name="the clock of a local Lambda", daemon=True)
        self._thread.start()

    @property
    def now(self) -> float:
        """Seconds since the start."""
        return monotonic() - self._start

    @property
    def today(self) -> datetime:
        """The date and time that it is."""
        return datetime.now(UTC)

    def at(self, when: float, action: Callable[[], None], *, background: bool = False) -> Timer:
        """Have an action run at a time, in seconds since the start; one in the past is due now.

        One in the ``background`` is nothing that ``run`` waits for. Any thread may call it. The timer is for actions to
        cancel. After ``close`` no action runs any more.
        """
        timer = Timer(self._agenda, action)
        self._send(partial(self._agenda.add, when, timer, background=background))
        return timer

    def call(self, function: Callable[[], T]) -> T:
        """Do something in the clock's thread, between two actions, and return its result. Any thread may call it.

        Raises:
            ClockError: the clock is closed.
            BaseException: what it raised.
        """
        if get_ident() == self._thread.ident:
            return function()
        answer = _Answer(function)
        self._send(answer.find)
        if not self._thread.is_alive() and not answer.found:
            raise _closed()
        return answer.get()

    def expect(self, action: Callable[[], None]) -> Callable[[], None]:
        """Have an action run once something has happened outside; for actions to call.

        Until then something is left to do, though nobody knows when.

        Returns:
            What tells the clock that it has happened: to be called once, by any thread.
        """
        self._expected += 1
        return partial(self._send, partial(self._happened, action))

    def on_wait(self, action: Callable[[], None]) -> None:
        """Have an action run whenever somebody begins to wait, before it is told whether anything is left to do.

        It is for those who look for work outside from time to time: now is the time.
        """
        self._send(partial(self._lookouts.append, action))

    def watch(self, connection: socket, action: Callable[[], None], *, writing: bool = False) -> None:
        """Have an action run whenever there is something to read, or instead room to write; for actions to call."""
        events = selectors.EVENT_WRITE if writing else selectors.EVENT_READ
        if connection in self._selector.get_map():
            self._selector.modify(connection, events, action)
        else:
            self._selector.register(connection, events, action)

    def unwatch(self, connection: socket) -> None:
        """Look at it no more, before it is closed."""
        self._selector.unregister(connection)

    def run(self, until: float | None = None) -> None:
        """Wait until nothing is left to do, or until that second.

        Raises:
            ClockError: an action called it, or a function's own process, or the clock is closed.
            BaseException: what an action raised. The clock goes on.
        """
        if until is None:
            self.run_while(lambda: True)
            return
        reached: list[float] = []
        timer = self.at(until, lambda: reached.append(until))
        try:
            self.run_while(lambda: not reached)
        finally:
            self._send(timer.cancel)  # of a run that was interrupted nothing is left to do

    def run_while(self, waiting: Callable[[], bool]) -> None:
        """Wait as long as that is true and anything is left to do. It is asked between two actions.

        Raises:
            ClockError: an action called it, or a function's own process, or the clock is closed.
            BaseException: what an action raised. The clock goes on.
        """
        self._refuse()
        waiter = _Waiter(waiting)
        self._send(partial(self._enter, waiter))
        if not self._thread.is_alive():  # it ended before it could see the message
            raise _closed()
        try:
            waiter.over.acquire()
        except BaseException:
            self._send(partial(self._waiters.discard, waiter))
            raise
        if waiter.error is not None:
            raise waiter.error

    def close(self) -> None:
        """End the thread, after the action that runs.

        Raises:
            BaseException: what an action raised, where nobody was told yet.
        """
        self._send(self._end)
        self._thread.join()
        self._read()  # who came too late is told so
        if self._untold:
            raise self._untold.pop(0)

    def _send(self, message: Callable[[], None]) -> None:
        if get_ident() == self._thread.ident:
            message()
            return
        self._inbox.append(message)
        if self._asleep:
            os.write(self._waker, b"!")

    def _work(self) -> None:
        while not self._closed:
            try:
                self._receive(self._seconds_left())
                self._act()
                self._release()
            except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
                self._tell(error)

    def _seconds_left(self) -> float | None:
        """Until something is due, if anything is."""
        times = [entry[0] for entry in self._agenda.background[:1]]
        when = self._agenda.next_time()
        if when is not None:
            times.append(when)
        return min(LONGEST_PAUSE, max(0.0, min(times) - self.now)) if times else None

    def _receive(self, seconds: float | None) -> None:
        """Wait so long for a message or a connection, and do what they ask for."""
        for key, _ in self._pause(seconds):
            key.data()
        self._read()

    def _pause(self, seconds: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        self._asleep = True  # from now on, a message is followed by a wake-up call
        ready = self._selector.select(0 if self._inbox else seconds)
        self._asleep = False
        return ready

    def _read(self) -> None:
        while self._inbox:
            self._inbox.popleft()()

    def _act(self) -> None:
        """Run what is due, but only one action: others may have sent what is due before the next."""
        now = self.now
        self._agenda.call_forward(now)
        when = self._agenda.next_time()
        if when is not None and when <= now:
            action = self._agenda.pop()
            if action is not None:
                action()

    def _happened(self, action: Callable[[], None]) -> None:
        self._expected -= 1
        self._agenda.add(self.now, Timer(self._agenda, action))

    def _release(self) -> None:
        """Let those go on who have what they waited for, or would wait in vain."""
        idle = not self._expected and not self._inbox and self._agenda.next_time() is None
        for waiter in [waiter for waiter in self._waiters if idle or not waiter.waiting()]:
            self._waiters.remove(waiter)
            waiter.over.release()

    def _enter(self, waiter: _Waiter) -> None:
        self._waiters.add(waiter)
        if self._closed:
            self._tell(_closed())
        elif self._untold:
            self._tell(self._untold.pop(0))
        else:
            for look in self._lookouts:
                look()

    def _tell(self, error: BaseException) -> None:
        """Raise an error wherever somebody waits, else where somebody does next: it may be anyone's."""
        if not self._waiters:
            self._untold.append(error)
        for waiter in self._waiters:
            waiter.error = error
            waiter.over.release()
        self._waiters.clear()

    def _end(self) -> None:
        self._closed = True
        if self._waiters:
            self._tell(_closed())

    def _refuse(self) -> None:
        if get_ident() == self._thread.ident:
            raise ClockError(
                "the clock was run from inside an action, which runs on it.",
                "Schedule what is to come with clock.at(when, action).",
            )
        if self._in_function:
            raise ClockError(
                "the clock was run inside a function's own process.",
                'Put what runs the local Lambda below `if __name__ == "__main__":`, or into another module.',
            )


class _Answer(Generic[T]):
    """What somebody in ``call`` waits for."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._over = Lock()
        self._over.acquire()

    @property
    def found(self) -> bool:
        """Whether it is there."""
        return bool(self._results or self._error)

    def find(self) -> None:
        """Find it; called by the clock's thread."""
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._error = error
        self._over.release()

    def get(self) -> T:
        """Wait for it."""
        self._over.acquire()
        if self._error is not None:
            raise self._error
        return self._results[0]


class _Waiter:
    """Somebody in ``run_while``."""

    def __init__(self, waiting: Callable[[], bool]) -> None:
        self.waiting = waiting
        self.error: BaseException | None = None
        self.over = Lock()
        self.over.acquire()


def _closed() -> ClockError:
    return ClockError("the local Lambda is closed.", "Make another one, or close it later.")


def _close(*files: int) -> None:
    for file in files:
        os.close(file)
