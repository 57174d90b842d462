"""What of Python's own is replaced while the clock runs, so that handlers wait in virtual time.

Each replacement asks whether a strand runs, and does what Python does where none does: in the test, in other threads.
The wall clock is time-machine's work, which changes it inside Python for whoever imported it, in whichever way.
"""

from __future__ import annotations

import _thread
import asyncio
import gc
import os
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import time_machine

from lambdakit.local.virtual import locks, loops, threads
from lambdakit.local.virtual.aws import AwsCalls
from lambdakit.local.virtual.logs import captured
from lambdakit.local.virtual.modules import OwnModulesFinder
from lambdakit.local.virtual.waiting import current_strand

if TYPE_CHECKING:
    from lambdakit.local.virtual.clock import VirtualClock

UPTIME = 1_000.0
"""What ``time.monotonic()`` shows at the clock's second 0: a machine is never as young as that."""

_GARBAGE = 50_000
"""So many objects more than before are worth looking for garbage."""

_real_sleep = time.sleep
_real_monotonic = time.monotonic
_real_monotonic_ns = time.monotonic_ns
_real_perf_counter = time.perf_counter
_real_perf_counter_ns = time.perf_counter_ns
_real_new_event_loop = asyncio.new_event_loop
_real_simple_queue = queue.SimpleQueue
_real_start_new_thread = _thread.start_new_thread
_real_exit = os._exit


def sleep(seconds: float, /) -> None:
    """What ``time.sleep`` does."""
    strand = current_strand()
    if strand is None:
        _real_sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    strand.pause(seconds)


def monotonic() -> float:
    """What ``time.monotonic`` tells."""
    strand = current_strand()
    return _real_monotonic() if strand is None else strand.clock.now + UPTIME


def monotonic_ns() -> int:
    """What ``time.monotonic_ns`` tells."""
    strand = current_strand()
    return _real_monotonic_ns() if strand is None else round((strand.clock.now + UPTIME) * 1e9)


def perf_counter() -> float:
    """What ``time.perf_counter`` tells."""
    strand = current_strand()
    return _real_perf_counter() if strand is None else strand.clock.now + UPTIME


def perf_counter_ns() -> int:
    """What ``time.perf_counter_ns`` tells."""
    strand = current_strand()
    return _real_perf_counter_ns() if strand is None else round((strand.clock.now + UPTIME) * 1e9)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """What ``asyncio.new_event_loop`` makes, whatever policy there is."""
    return _real_new_event_loop() if current_strand() is None else loops.VirtualLoop()


class SimpleQueue:
    """``queue.SimpleQueue``: in a handler the one in Python, which waits on locks of ours."""

    def __new__(cls) -> Any:
        """A queue for where it is made."""
        return _real_simple_queue() if current_strand() is None else queue._PySimpleQueue()  # type: ignore[attr-defined]


def start_new_thread(function: Callable[..., object], args: Any, kwargs: Any = None, /) -> int:
    """What ``_thread.start_new_thread`` does."""
    if current_strand() is None:
        return _real_start_new_thread(function, args, *([] if kwargs is None else [kwargs]))
    return threads.start_new_thread(function, args, kwargs)


def exit_process(status: int) -> NoReturn:
    """What ``os._exit`` does: end the environment's process, not the developer's."""
    strand = current_strand()
    if strand is None:
        _real_exit(status)
    sandbox = strand.sandbox
    strand.clock.at(strand.clock.now, lambda: sandbox.exited(status))
    while True:
        strand.pause()


_REPLACEMENTS: list[tuple[Any, Any]] = [
    (_real_sleep, sleep),
    (_real_monotonic, monotonic),
    (_real_monotonic_ns, monotonic_ns),
    (_real_perf_counter, perf_counter),
    (_real_perf_counter_ns, perf_counter_ns),
    (_real_new_event_loop, new_event_loop),
    (_real_simple_queue, SimpleQueue),
    (_real_start_new_thread, start_new_thread),
    (_real_exit, exit_process),
    (_thread.allocate_lock, locks.Lock),
    (threading.Lock, locks.Lock),
    (threading.RLock, locks.rlock),
    (threading.get_ident, threads.get_ident),
    (threading.local, loops.Local),
]
_NEW = {id(original): (original, new) for original, new in _REPLACEMENTS}


_NOT_SEARCHED = ("lambdakit.local", "subprocess")
_real_time = SimpleNamespace(sleep=_real_sleep)


class Patches:
    """The replacements, wherever a module has the original under some name.

    ``from time import sleep`` leaves the original in any module; each is searched once. What is imported later gets a
    replacement, which goes on to do what Python does when the clock no longer runs.
    """

    def __init__(self) -> None:
        self._searched: dict[str, Any] = {}
        # A process is waited for in real time, by polling it: in virtual time its time limit would be over at once.
        self._places: list[tuple[dict[str, Any], str, Any, Any]] = [(subprocess.__dict__, "time", time, _real_time)]

    @contextmanager
    def applied(self) -> Generator[None]:
        """Replace all of them, until the end of a ``with`` block."""
        if len(sys.modules) != len(self._searched):
            self._search()
        for namespace, name, _, new in self._places:
            namespace[name] = new
        _set_methods(threads.start, threads.join, threads.is_alive)
        try:
            yield
        finally:
            for namespace, name, original, _ in self._places:
                namespace[name] = original
            _set_methods(*threads.REAL_METHODS)

    def _search(self) -> None:
        modules = dict(sys.modules)
        for name, module in modules.items():
            if self._searched.get(name) is not module and not name.startswith(_NOT_SEARCHED):
                namespace = getattr(module, "__dict__", {})
                self._places += [
                    (namespace, key, *_NEW[id(value)])
                    for key, value in namespace.items()
                    if id(value) in _NEW and key != "LockType"  # which is asked whether something is a lock
                ]
        self._searched = modules


def _set_methods(start: Any, join: Any, is_alive: Any) -> None:
    thread: Any = threading.Thread
    thread.start, thread.join, thread.is_alive = start, join, is_alive


_PATCHES = Patches()
_FINDER: Any = OwnModulesFinder()
_AWS_CALLS = AwsCalls()


class WallClock:
    """What the wall clock shows: that of a virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._shown = 0
        self._travel: Any = None

    @contextmanager
    def shown(self) -> Generator[None]:
        """Show it to this process, and UTC as the local time as in Lambda, until the end of a ``with`` block."""
        self._shown = 0
        journey = time_machine.travel(self._clock.start.astimezone(UTC), tick=False)
        self._travel = journey.start()
        try:
            self.follow()
            yield
        finally:
            journey.stop()

    def follow(self) -> None:
        """Show the time that it is now."""
        microseconds = round(self._clock.now * 1e6)
        if microseconds != self._shown:
            self._travel.shift(timedelta(microseconds=microseconds - self._shown))
            self._shown = microseconds


@contextmanager
def patched(chance: Chance) -> Generator[None]:
    """Replace everything but the wall clock, until the end of a ``with`` block."""
    sys.meta_path.insert(0, _FINDER)
    try:
        with _PATCHES.applied(), _AWS_CALLS.waiting(), chance.drawn(), captured(), _collected_seldom():
            yield
    finally:
        sys.meta_path.remove(_FINDER)


@contextmanager
def _collected_seldom() -> Generator[None]:
    """Look for garbage less often: what waits is none, however much there is of it, and to look at it takes time."""
    often, *others = gc.get_threshold()
    gc.set_threshold(max(often, _GARBAGE) if often else 0, *others)
    try:
        yield
    finally:
        gc.set_threshold(often, *others)


class Chance:
    """What the module ``random`` gives handlers: settled by the clock's seed, and none of it taken from the test's."""

    def __init__(self, seed: float) -> None:
        self._state = random.Random(seed).getstate()  # noqa: S311 - chance that can be repeated is the point

    @contextmanager
    def drawn(self) -> Generator[None]:
        """Have ``random`` go on from where it was in the last run, until the end of a ``with`` block."""
        outer = random.getstate()
        random.setstate(self._state)
        try:
            yield
        finally:
            self._state = random.getstate()
            random.setstate(outer)
