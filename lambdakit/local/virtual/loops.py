"""asyncio on virtual time: an event loop that waits for the clock instead of the operating system."""

from __future__ import annotations

import asyncio
import selectors
import threading
from _threading_local import local as PythonLocal  # noqa: N812 - its class is called local
from typing import Any

from lambdakit.local.virtual.waiting import Strand, current_strand

_real_local: Any = threading.local

_REAL_WAIT = 1.0
"""Real seconds that a loop with open connections waits for them before it lets virtual time pass."""


class VirtualSelector(selectors.BaseSelector):
    """Waits in virtual time; for sockets, should there be any, in real time first."""

    def __init__(self) -> None:
        # A real one takes a file descriptor: with thousands of environments, too many.
        self._real: selectors.BaseSelector | None = None
        self.waiting: Strand | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; nothing when the time is up or something was called from another strand."""
        ready = self._ready_sockets(timeout)
        strand = current_strand()
        if ready or strand is None:  # outside of handlers a loop is only closed
            return ready
        if timeout is None or timeout > 0 or (strand.sandbox.threads and not strand.sandbox.over):
            self.waiting = strand
            try:
                strand.pause(timeout)
            finally:
                self.waiting = None
        return ready

    def _ready_sockets(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        if self._real is None or not self._real.get_map():
            return []
        return self._real.select(_REAL_WAIT if timeout is None else min(timeout, _REAL_WAIT))

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As any selector."""
        self._real = self._real or selectors.DefaultSelector()
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As any selector."""
        return self._known().unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As any selector."""
        return self._known().modify(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """As any selector."""
        return self._known().get_key(fileobj)

    def get_map(self) -> Any:
        """As any selector."""
        return {} if self._real is None else self._real.get_map()

    def close(self) -> None:
        """As any selector."""
        if self._real is not None:
            self._real.close()

    def _known(self) -> selectors.BaseSelector:
        if self._real is None:
            raise KeyError("nothing is registered")
        return self._real


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop of a handler. It has no pipe to wake it: it is woken by its strand."""

    def __init__(self) -> None:
        self._virtual = VirtualSelector()
        strand = current_strand()
        assert strand is not None
        self._sandbox = strand.sandbox
        self._sandbox.keep_loop(self)
        super().__init__(self._virtual)
        # Coarser than the clock's nanoseconds: what is due at the instant that select() waited for is due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Seconds of the virtual clock."""
        return self._sandbox.clock.now

    def call_exception_handler(self, context: Any) -> None:
        """Say nothing of tasks that are destroyed with their environment."""
        if not self._sandbox.over:
            super().call_exception_handler(context)

    def __del__(self) -> None:
        """Close without a word: functions leave the loop of their environment open, which ends with its process."""
        if not self.is_closed():
            self.close()

    def _make_self_pipe(self) -> None:
        """Have none."""

    def _close_self_pipe(self) -> None:
        """There is none."""

    def _write_to_self(self) -> None:
        if self._virtual.waiting is not None:
            self._virtual.waiting.wake()


class VirtualPolicy(asyncio.DefaultEventLoopPolicy):
    """The loops of handlers: what ``get_event_loop()`` makes and keeps is that of a strand, and on virtual time."""

    def __init__(self) -> None:
        self._outside = threading.local()
        super().__init__()

    @property
    def _local(self) -> Any:
        """Where the loop of a thread is kept: on its strand."""
        return current_strand() or self._of_thread()

    @_local.setter
    def _local(self, ignored: Any) -> None:
        """Keep what asyncio would use; it is of no use here."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop on virtual time, or outside of handlers one of asyncio's own."""
        return VirtualLoop() if current_strand() is not None else super().new_event_loop()

    def _of_thread(self) -> Any:
        local = self._outside
        if not hasattr(local, "_loop"):
            local._loop, local._set_called = None, False
        return local


class Local:
    """``threading.local`` for handlers, whose threads are no real ones; outside of them Python's own."""

    def __new__(cls, /, *args: Any, **kwargs: Any) -> Any:
        """One for where it is made."""
        if cls is not Local:  # someone's subclass, made in a handler or before
            python_local: Any = PythonLocal
            return python_local.__new__(cls, *args, **kwargs)
        return PythonLocal(*args, **kwargs) if current_strand() is not None else _real_local(*args, **kwargs)
