"""Requests of AWS: threads make them, and actions of the clock take their answers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from lambdakit.local.remote.failures import failure_of

if TYPE_CHECKING:
    from lambdakit.local.clock import Timer
    from lambdakit.local.process.clock import RealClock
    from lambdakit.local.sources.source import SourceError

MOST_THREADS = 64
"""Requests at once: a poll that waits takes up one thread, others take one for some milliseconds."""

A = TypeVar("A", default=Any)


class Call(Generic[A]):
    """A request.

    Args:
        request: Makes it, in a thread.
        then: Takes its answer.
        failed: Is told why there is none.
        due: When it is to be made, in seconds of the clock; at once if that has come.
        background: Whether it is nothing that ``run`` waits for, unless somebody begins to wait before its answer: then
            it counts, and is made soon.
        soonest: When that may be.

    Attributes:
        waits: How often somebody had begun to wait when it was made.
    """

    __slots__ = (
        "_error",
        "_result",
        "background",
        "due",
        "failed",
        "held",
        "request",
        "soonest",
        "then",
        "timer",
        "waits",
    )

    def __init__(
        self,
        request: Callable[[], A],
        then: Callable[[A], None],
        failed: Callable[[SourceError], None],
        *,
        due: float = 0.0,
        background: bool = False,
        soonest: float = 0.0,
    ) -> None:
        self.request = request
        self.then = then
        self.failed = failed
        self.due = due
        self.background = background
        self.soonest = soonest
        self.waits = 0
        self.timer: Timer | None = None  # until it is made
        self.held: Callable[[], None] | None = None  # lets the clock go that has to wait for it
        self._result: list[A] = []
        self._error: BaseException | None = None

    def make(self) -> None:
        """Make the request and keep what comes of it; in a thread."""
        try:
            self._result.append(self.request())
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            self._error = error

    def hand_over(self) -> None:
        """Hand the answer, or the failure, to who wants it.

        Raises:
            BaseException: what the request raised, if AWS has nothing to do with it.
        """
        if self._error is None:
            self.then(self._result.pop())
        else:
            self.failed(failure_of(self._error))


class Calls:
    """Has requests made.

    Args:
        clock: Its actions are told the answers.

    Attributes:
        waits: How often somebody began to wait for the clock.
    """

    def __init__(self, clock: RealClock) -> None:
        self.waits = 0
        self._clock = clock
        self._pending: dict[Call, None] = {}
        self._threads = ThreadPoolExecutor(MOST_THREADS, "a request of a local Lambda")
        clock.on_wait(self._notice)

    @property
    def pending(self) -> bool:
        """Whether any request is under way or to come."""
        return bool(self._pending)

    def start(self, call: Call) -> None:
        """Have a request made; for actions to call."""
        self._pending[call] = None
        if call.due > self._clock.now:
            call.timer = self._clock.at(call.due, partial(self._begin, call), background=call.background)
        else:
            self._begin(call)

    def cancel(self, call: Call[A]) -> None:
        """Have a request not be made; one that is under way is answered as ever."""
        if call.timer is not None:
            call.timer.cancel()
            del self._pending[call]

    def close(self) -> None:
        """End the threads: those with a request under way once it is answered."""
        self._threads.shutdown(wait=not self._pending, cancel_futures=True)

    def _begin(self, call: Call) -> None:
        call.timer = None
        call.waits = self.waits
        if not call.background:
            self._hold(call)
        self._send(call)

    def _send(self, call: Call) -> None:
        self._threads.submit(self._make, call)

    def _make(self, call: Call) -> None:
        call.make()
        self._clock.at(self._clock.now, partial(self._end, call))

    def _end(self, call: Call) -> None:
        del self._pending[call]
        try:
            call.hand_over()
        finally:
            if call.held is not None:
                call.held()

    def _hold(self, call: Call) -> None:
        call.background = False
        call.held = self._clock.expect(_nothing)

    def _notice(self) -> None:
        """Somebody begins to wait: now the background counts, and is not put off any longer."""
        self.waits += 1
        for call in [call for call in self._pending if call.background]:
            if call.timer is None:
                self._hold(call)
            else:
                self.cancel(call)
                call.background, call.due = False, call.soonest
                self.start(call)


def _nothing() -> None: ...
