"""How records are gathered into batches: by number, by time, by size. Decided without I/O.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
"""

from __future__ import annotations

from typing import Generic

from typing_extensions import TypeVar

from lambdakit.local.outcome import MAX_REQUEST_BYTES

R = TypeVar("R")

ENVELOPE_BYTES = len('{"Records":[]}')
"""What surrounds the records of an event, in bytes."""


class Batcher(Generic[R]):
    """Gathers records until they are a batch: so many, or as old as the window, or as large as an event may be.

    Args:
        batch_size: The most records of a batch.
        window: How long after its first record a batch waits for more, in seconds; 0 waits for none, but whoever feeds
            the batcher decides when what is there goes out (``take``).
        envelope: What surrounds the records in their event, in bytes.

    Attributes:
        due: When the batch that is open is to go out, in seconds; None while none is.

    >>> batcher = Batcher[str](batch_size=2, window=5)
    >>> batcher.add("a", 1, now=10), batcher.due
    (None, 15)
    >>> batcher.add("b", 1, now=11), batcher.due
    (['a', 'b'], None)
    """

    __slots__ = ("_batch_size", "_records", "_room", "_size", "_window", "due")

    def __init__(self, batch_size: int, window: float, envelope: int = ENVELOPE_BYTES) -> None:
        self.due: float | None = None
        self._batch_size = batch_size
        self._window = window
        self._room = MAX_REQUEST_BYTES - envelope + 1  # before the first record stands no comma
        self._records: list[R] = []
        self._size = 0

    def __len__(self) -> int:
        """How many records wait in the open batch."""
        return len(self._records)

    def fits(self, size: int) -> bool:
        """Whether a record of that size, in bytes of its event, can be delivered at all, be it alone."""
        return size < self._room

    def add(self, record: R, size: int, now: float) -> list[R] | None:
        """Take a record of so many bytes in its event.

        Returns:
            A batch that is ready: with the record, or without where it did not fit in any more. Mostly None.
        """
        ready = self.take() if self._records and self._size + size >= self._room else None
        if not self._records:
            self.due = now + self._window
        self._records.append(record)
        self._size += size + 1
        return self.take() if len(self._records) == self._batch_size else ready

    def take(self) -> list[R]:
        """What there is, as a batch: the window is over, or nothing more is waited for."""
        records, self._records = self._records, []
        self._size, self.due = 0, None
        return records
