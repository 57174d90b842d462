"""What the mappings of queues have in common: they poll, gather batches, and process some of them at once.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Generic, Protocol

from typing_extensions import TypeVar

from lambdakit.local.mappings.batches import ENVELOPE_BYTES, Batcher
from lambdakit.local.mappings.mapping import Invocable, Mapping, SettingsT, SourceT

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
"""Seconds until what was throttled or could not be reached is tried again: doubled each time. AWS publishes none."""

D = TypeVar("D")
"""A message as it was received, with its record."""
B = TypeVar("B")
"""Messages on their way through the function."""


class Cancellable(Protocol):
    """A poll that waits, or a timer."""

    def cancel(self) -> None:
        """Forget it."""
        ...


def delay(times: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(FIRST_DELAY * 2.0 ** (times - 1), LONGEST_DELAY)


class PollingMapping(Mapping[SourceT, SettingsT], Generic[SourceT, SettingsT, D, B]):
    """Polls for messages while there is room for another batch; gathers them for as long as the batching window says.

    A subclass says how much room there is, how to ask, what a batch is and how it is processed.

    Attributes:
        running: How many batches are being processed.
        last_error: Why a poll failed last, if any did.
    """

    def __init__(
        self,
        clock: Clock,
        source: SourceT,
        function: Invocable,
        settings: SettingsT,
        *,
        envelope: int = ENVELOPE_BYTES,
    ) -> None:
        self.running = 0
        self._window = settings.maximum_batching_window_in_seconds
        self._batcher = Batcher[D](settings.batch_size, self._window, envelope)
        self._ready: deque[B] = deque()
        self._poll: Cancellable | None = None
        self._failed_polls = 0
        self.last_error: Exception | None = None
        self._closing: Cancellable | None = None
        self._closing_due: float | None = None
        super().__init__(clock, source, function, settings)  # last: on a real clock it may poll at once

    def _room(self) -> int:
        """How many batches may be processed at once."""
        raise NotImplementedError

    def _ask(self) -> Cancellable:
        """Poll for messages; they go to ``_gather``."""
        raise NotImplementedError

    def _batch(self, deliveries: list[D]) -> B:
        """A batch of messages."""
        raise NotImplementedError

    def _process(self, batch: B) -> None:
        """Process a batch: it runs until it is told to have ended."""
        raise NotImplementedError

    def _start(self) -> None:
        self._go_on()

    def _stop(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self._ready += self._close()
        self._await_close()
        self._go_on()

    @property
    def _busy(self) -> bool:
        return bool(self.running or self._ready or len(self._batcher))

    def _go_on(self) -> None:
        """Process what is ready, and ask for more while there is room for it."""
        room = self._room()
        while self._ready and self.running < room:
            self._process(self._ready.popleft())
        if self.running < room and self._poll is None and self.state == "Enabled":
            self._poll = self._ask()

    def _gather(self, sized: Iterable[tuple[D, int]]) -> list[B]:
        """Take messages with their sizes, in bytes of the event; they may make batches, which are not ready yet."""
        self._poll, self._failed_polls = None, 0
        now, batches = self._clock.now, list[B]()
        for delivery, size in sized:
            full = self._batcher.add(delivery, size, now)
            if full is not None:
                batches.append(self._batch(full))
        if self._window:
            self._await_close()
        else:
            batches += self._close()
        return batches

    def _fail_to_poll(self, error: Exception) -> None:
        """The source could not be reached: try again later."""
        self.last_error = error
        self._failed_polls += 1
        self._poll = self._clock.at(self._clock.now + delay(self._failed_polls), self._poll_again)

    def _poll_again(self) -> None:
        self._poll = None
        self._go_on()

    def _await_close(self) -> None:
        """Have a timer for the end of the window of the batch that is open, and else none."""
        due = self._batcher.due
        if due == self._closing_due:
            return
        if self._closing is not None:
            self._closing.cancel()
        self._closing_due = due
        self._closing = None if due is None else self._clock.at(due, self._end_window)

    def _end_window(self) -> None:
        self._closing_due = self._closing = None
        self._ready += self._close()
        self._go_on()

    def _close(self) -> list[B]:
        return [self._batch(self._batcher.take())] if len(self._batcher) else []
