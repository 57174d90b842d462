"""What stops a handler from outside of virtual time: the developer's Ctrl-C, and the watchdog."""

from __future__ import annotations

import signal
import threading
import time
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lambdakit.local.errors import StuckHandlerError
from lambdakit.local.virtual.waiting import Overrun, current_strand

if TYPE_CHECKING:
    from types import FrameType

_real_sleep = time.sleep
_real_monotonic = time.monotonic


class Interrupts:
    """Sees to it that a run can be stopped.

    ``progress`` changes whenever something begins, ends or time passes: while it does, no handler is stuck. One thread
    of the process looks at it now and then, and sends the thread that runs the clock a signal when it stands still.
    That also wakes one which is blocked, as in a lock that only another handler would release.
    """

    def __init__(self) -> None:
        self.progress = 0
        self.pending = False
        self._limit = 0.0
        self._stuck_since: tuple[int, float] = (0, 0.0)
        self._warnings = 0
        self._thread: int | None = None
        self._watching = False
        self._wanted = threading.Event()

    def raise_if_pending(self) -> None:
        """Raise what the developer's Ctrl-C should: a handler may have caught it."""
        if self.pending:
            self.pending = False
            raise KeyboardInterrupt

    @contextmanager
    def watching(self, seconds: float) -> Generator[None]:
        """Look after a run whose handlers may take so much real time between two waits."""
        if threading.current_thread() is not threading.main_thread():
            yield  # signals reach the main thread only
            return
        before = signal.signal(signal.SIGINT, self._signalled)
        self._begin(seconds)
        try:
            yield
        finally:
            self._thread = None
            self._wanted.clear()
            signal.signal(signal.SIGINT, before)
            self.pending = False

    def _begin(self, seconds: float) -> None:
        self._limit = seconds
        self._warnings = 0
        self._stuck_since = (-1, 0.0)
        self._thread = threading.get_ident()
        if not self._watching:
            self._watching = True
            threading.Thread(target=self._watch, name="lambdakit watchdog", daemon=True).start()
        self._wanted.set()

    def _watch(self) -> None:
        while True:
            self._wanted.wait()
            _real_sleep(min(self._limit / 4, 0.25))
            thread = self._thread
            if thread is not None and self._stands_still(_real_monotonic()):
                self._warnings += 1
                signal.pthread_kill(thread, signal.SIGINT)

    def _stands_still(self, now: float) -> bool:
        progress, since = self._stuck_since
        if progress != self.progress:
            self._stuck_since = (self.progress, now)
            self._warnings = 0
            return False
        return now - since > self._limit

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if not self._warnings:
            self.pending = True
            raise KeyboardInterrupt
        strand = current_strand()
        if strand is None or self._stuck_since[0] != self.progress:
            return
        error = StuckHandlerError(*strand.sandbox.running, self._limit, _stack(frame))
        if self._warnings > _WARNINGS:
            strand.abandon()
            strand.clock.hub.throw(error)
        raise Overrun(error)


_WARNINGS = 3
"""So often a stuck handler may catch what is to end it."""

INTERRUPTS = Interrupts()


def _stack(frame: FrameType | None) -> str:
    """Where the user's code is: without our frames."""
    ours = str(Path(__file__).parents[1])
    return "".join(
        traceback.format_list([one for one in traceback.extract_stack(frame) if ours not in one.filename][-3:])
    )
