"""Which records of a batch failed, by the rules of what delivers them, and the answer that tells Lambda.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any


class Batch:
    """The records of one delivery, by position; ``key`` is what a record must stay in order with."""

    ordered = False
    """Whether a failure leaves other records undone."""

    def skips(self, position: int, key: Hashable) -> bool:
        """Whether a record is left undone because of an earlier failure."""
        return False

    def fail(self, position: int, key: Hashable) -> None:
        """A record was not handled."""
        raise NotImplementedError(type(self))

    def failed(self, keys: Sequence[Hashable]) -> Iterable[int]:
        """The positions to answer with, in order."""
        raise NotImplementedError(type(self))


class MessageBatch(Batch):
    """A standard queue: each message for itself."""

    _failed: frozenset[int] | set[int] = frozenset()

    def fail(self, position: int, key: Hashable) -> None:
        """Answer with that message."""
        if not isinstance(self._failed, set):
            self._failed = set()
        self._failed.add(position)

    def failed(self, keys: Sequence[Hashable]) -> Iterable[int]:
        """Each failed message."""
        return sorted(self._failed)


class FifoBatch(Batch):
    """A FIFO queue: the first failure of a message group, and all of the group that comes after it."""

    ordered = True

    def __init__(self) -> None:
        self._first: dict[Hashable, int] = {}

    def skips(self, position: int, key: Hashable) -> bool:
        """After the first failure of the group."""
        return position > self._first.get(key, position)

    def fail(self, position: int, key: Hashable) -> None:
        """Stop the group there."""
        self._first[key] = min(position, self._first.get(key, position))

    def failed(self, keys: Sequence[Hashable]) -> Iterable[int]:
        """The rest of each stopped group."""
        return [position for position, key in enumerate(keys) if key in self._first and position >= self._first[key]]


class StreamBatch(Batch):
    """A shard: Lambda delivers again from the lowest failed record on, so that one is the whole answer."""

    ordered = True

    def __init__(self) -> None:
        self._first: int | None = None

    def skips(self, position: int, key: Hashable) -> bool:
        """After the first failure. Those before it still have to be handled: the checkpoint says they were."""
        return self._first is not None and position > self._first

    def fail(self, position: int, key: Hashable) -> None:
        """Set the checkpoint, if it is the lowest."""
        self._first = position if self._first is None else min(position, self._first)

    def failed(self, keys: Sequence[Hashable]) -> Iterable[int]:
        """The lowest failed record."""
        return [] if self._first is None else [self._first]


EVERYTHING = ""
"""The identifier that makes Lambda take the whole batch for failed."""


def answer(identifiers: Iterable[object]) -> dict[str, Any]:
    """The partial batch response.

    A failed record without an identifier can't be named, so then the whole batch fails: nothing is reported done that
    was not.

    >>> answer(["a", "a", "b"])
    {'batchItemFailures': [{'itemIdentifier': 'a'}, {'itemIdentifier': 'b'}]}
    """
    named = list(dict.fromkeys(map(_text, identifiers)))
    if EVERYTHING in named:
        named = [EVERYTHING]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in named]}


def reported_identifiers(reply: Any) -> list[str]:
    """The identifiers in a partial batch response that a handler returned, as Lambda reads it.

    ``EVERYTHING`` stands for each entry that Lambda would not understand.
    """
    failures = reply.get("batchItemFailures") if isinstance(reply, dict) else None
    if failures is None:
        return []
    if not isinstance(failures, list):
        return [EVERYTHING]
    return [_text(failure.get("itemIdentifier") if isinstance(failure, dict) else None) for failure in failures]


def _text(identifier: object) -> str:
    return identifier if isinstance(identifier, str) else EVERYTHING


def chains(keys: Sequence[Hashable], batch: Batch) -> list[list[int]]:
    """The positions in groups that may be handled side by side, each in its order."""
    if not batch.ordered:
        return [[position] for position in range(len(keys))]
    grouped: dict[Hashable, list[int]] = {}
    for position, key in enumerate(keys):
        grouped.setdefault(key, []).append(position)
    return list(grouped.values())


def gathered(takers: Sequence[Hashable], keys: Sequence[Hashable], batch: Batch) -> dict[int, list[int]]:
    """The positions of each call that is for several records, by the first of them; a taker of None takes single ones.

    All records of a taker go into one call, unless that would put one before an earlier record with its key.
    """
    calls: dict[int, list[int]] = {}
    open_calls: dict[Hashable, int] = {}
    latest: dict[Hashable, int] = {}
    for position, (taker, key) in enumerate(zip(takers, keys, strict=True)):
        call = position
        if taker is not None:
            call = open_calls.get(taker, position)
            if batch.ordered and latest.get(key, -1) > call:
                call = position
            open_calls[taker] = call
            calls.setdefault(call, []).append(position)
        latest[key] = call
    return calls
