"""Locks on virtual time. Conditions, events, semaphores, queues and futures are Python code on top of them."""

from __future__ import annotations

import _thread
import threading
from collections import deque
from typing import Any

from lambdakit.local.errors import ClockError
from lambdakit.local.virtual.waiting import Strand, current_strand

_real_lock = _thread.allocate_lock
_real_rlock = threading.RLock
_PyRLock: Any = vars(threading)["_RLock"]  # in Python, on a lock of threading's own choosing


class Lock:
    """A lock that strands wait for in virtual time; outside of handlers, one of Python's own.

    It goes to those that wait in the order in which they came.
    """

    __slots__ = ("__weakref__", "_locked", "_waiting")

    def __new__(cls) -> Any:
        """A lock for where it is made."""
        return super().__new__(cls) if current_strand() is not None else _real_lock()

    def __init__(self) -> None:
        self._locked = False
        self._waiting: deque[Strand] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """As ``threading.Lock.acquire``."""
        if not self._locked:
            self._locked = True
            return True
        if not blocking:
            if timeout != -1:
                raise ValueError("can't specify a timeout for a non-blocking call")
            return False
        return self._wait(None if timeout == -1 else timeout)

    def release(self) -> None:
        """As ``threading.Lock.release``."""
        if not self._locked:
            raise RuntimeError("release unlocked lock")
        if self._waiting:
            self._waiting.popleft().wake()  # it is theirs, and stays locked
        else:
            self._locked = False

    def locked(self) -> bool:
        """Whether someone holds it."""
        return self._locked

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def _wait(self, seconds: float | None) -> bool:
        strand = current_strand()
        if strand is None:
            raise ClockError(
                "a lock that a handler made is held, and was asked for outside of handlers, where no time passes.",
                "Release it before the handler ends.",
            )
        self._waiting.append(strand)
        handed = False
        try:
            handed = strand.pause(seconds)
        finally:
            if not handed:
                self._give_up(strand)
        return handed

    def _give_up(self, strand: Strand) -> None:
        if strand in self._waiting:
            self._waiting.remove(strand)
        elif self._locked:  # it was handed over at the very moment its strand ended
            self.release()


def rlock() -> Any:
    """What ``threading.RLock()`` makes."""
    return _PyRLock() if current_strand() is not None else _real_rlock()
