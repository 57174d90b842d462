"""Strands: what runs on virtual time. Each is a greenlet, and all share the thread that runs the clock.

A strand that waits hands over to the clock's own greenlet, the hub, which resumes it when its time has come. Between
two waits nothing else runs: that is what makes a run repeatable.
"""

from __future__ import annotations

import sys
from asyncio import _get_running_loop, _set_running_loop  # pyright: ignore[reportPrivateUsage]
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from lambdakit.local.errors import StuckHandlerError

if TYPE_CHECKING:
    from lambdakit.local.agenda import Timer
    from lambdakit.local.virtual.clock import VirtualClock
    from lambdakit.local.virtual.sandbox import Sandbox

_PATIENCE = 100
"""So often a strand that is ended may catch that and wait again, before it is left where it is."""

_NEVER = float("inf")

_abandoned: list[Strand] = []
"""Strands that would not end. Python would try again, and in vain, each time one is about to be freed."""


class StrandEnded(BaseException):
    """Thrown into a strand whose environment ends. No handler should catch it, and none can go on if it does."""


class Overrun(BaseException):
    """Thrown into a handler that does not wait; its argument is the error to raise where the clock is run."""


class Strand(greenlet):
    """A thread of control of an environment: of an invocation, or of a thread that the user's code started.

    Args:
        sandbox: The environment.
        work: What it does.
        ident: What ``threading.get_ident()`` tells it; None is the main thread's.

    Attributes:
        then: What the hub does when the strand rests: when what it was resumed for is done.
    """

    # Thousands wait at once: without a dictionary each, more of them fit a processor's cache.
    __slots__ = (
        "_ended",
        "_loop",  # what asyncio keeps for each thread: see VirtualPolicy
        "_point",
        "_refusals",
        "_resting",
        "_resuming",
        "_set_called",
        "_timer",
        "_woken",
        "clock",
        "ident",
        "sandbox",
        "then",
    )

    def __init__(self, sandbox: Sandbox, work: Callable[[], None], ident: int | None = None) -> None:
        super().__init__(work, sandbox.clock.hub)
        self.sandbox = sandbox
        self.clock: VirtualClock = sandbox.clock
        self.ident = ident
        self.then: Callable[[], None] | None = None
        self._loop: Any = None
        self._set_called = False
        self._timer: Timer | None = None
        self._resuming = False
        self._woken = False
        self._ended = False
        self._resting = False
        self._refusals = 0
        # Where it waits: in its own greenlet (None), or in one that the user's code runs in it, as SQLAlchemy's does.
        self._point: greenlet | None = None

    def pause(self, seconds: float | None = None) -> bool:
        """Wait until ``wake`` or for so many seconds: whether it was woken.

        Raises:
            StrandEnded: the environment ends.
        """
        if self._ended:
            self._refuse()
        self._woken = False
        clock = self.clock
        # To the nanosecond, so that 0.1 and 0.2 make 0.3.
        until = _NEVER if seconds is None else round(clock.now + seconds, 9)
        if seconds is not None:
            self._timer = clock.at(until, self._time_is_up)
        if self.ident is None and until >= self.sandbox.limit:
            self.sandbox.set_alarm()
        here = getcurrent()
        self._point = None if here is self else here
        if _get_running_loop() is None:
            clock.hub.switch()
        else:
            self._switch_from_loop()
        if self._ended:
            self._refuse()
        return self._woken

    def rest(self) -> None:
        """Be done with what it was resumed for, until it is resumed for something else.

        Raises:
            StrandEnded: the environment ends.
        """
        if not self._ended:
            self._resting = True
            self.clock.hub.switch()
            self._resting = False
        if self._ended:
            self._refuse()

    def wake(self) -> None:
        """End its pause: it runs on at this same instant, when its turn comes."""
        if self._resuming:
            return
        self._woken = True
        self.start()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def start(self) -> None:
        """Have it run at this instant, when its turn comes."""
        self._resuming = True
        self.clock.at(self.clock.now, self.resume)

    def resume(self) -> None:
        """Run it until it waits or ends; called by the hub. A strand of a frozen environment has to wait."""
        if self._ended:
            return
        sandbox = self.sandbox
        if sandbox.frozen:
            self._resuming = True
            sandbox.due.append(self)
            return
        self._resuming = False
        if sandbox.stage.sandbox is not sandbox:
            sandbox.stage.enter(sandbox)
        try:
            (self._point or self).switch()
        except Overrun as overrun:
            self._done()
            raise overrun.args[0] from None
        except StuckHandlerError:
            self._done()
            raise
        if self._resting:
            self._done()

    def end(self) -> None:
        """Have it unwind at once, without another wait; called by the hub.

        ``finally`` blocks run, but a wait in them is cut off, as is one after an ``except`` that catches everything.
        """
        if self._ended:
            return
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self.gr_frame is None:  # it has not begun, or is over
            return
        self.sandbox.stage.enter(self.sandbox)
        (self._point or self).switch()
        if not self.dead:
            _abandoned.append(self)

    def unwind(self) -> None:
        """Run it now, without a wait; called by the hub."""
        self._ended = True
        self.sandbox.stage.enter(self.sandbox)
        self.switch()

    def abandon(self) -> None:
        """Leave it where it is."""
        self._ended = True
        _abandoned.append(self)

    def _done(self) -> None:
        then, self.then = self.then, None
        if then is not None:
            then()

    def _time_is_up(self) -> None:
        self._timer = None
        self.resume()

    def _switch_from_loop(self) -> None:
        """Hand over from inside an event loop: asyncio keeps the running one for the whole thread."""
        loop, hooks = _get_running_loop(), sys.get_asyncgen_hooks()
        _set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)
        try:
            self.clock.hub.switch()
        finally:
            _set_running_loop(loop)
            sys.set_asyncgen_hooks(*hooks)

    def _refuse(self) -> None:
        self._refusals += 1
        while self._refusals > _PATIENCE:
            self.clock.hub.switch()
        raise StrandEnded


def current_strand() -> Strand | None:
    """The strand that runs, also from a greenlet that the user's code started in it; None outside of handlers."""
    here: Any = getcurrent()
    while here is not None and here.__class__ is not Strand:
        here = here.parent
    return here
