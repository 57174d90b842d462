"""One delivery of a batch source: its records, what became of them, and the partial batch response.

A failure is logged and answered, never raised: what was done stays done, and Lambda delivers again what was not.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.batch import EVERYTHING, Batch, answer, chains, gathered, reported_identifiers
from lambdakit.errors import EventValidationError, LambdakitError
from lambdakit.lane import executed
from lambdakit.reply import jsonable

if TYPE_CHECKING:
    from lambdakit.lane import AnyTarget, Lane
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.trigger import Record


class Delivery:
    """The records of one event, each with the target that it goes to; None where no handler takes it."""

    def __init__(self, lane: Lane, event: Any, records: Sequence[Record], batch: Batch, invocation: Invocation) -> None:
        self._lane = lane
        self._event = event
        self._records = records
        self._batch = batch
        self._invocation = invocation
        self._keys = [_order_key(lane, record) for record in records] if batch.ordered else [None] * len(records)
        try:
            self._targets = lane.routes(records)
        except EventValidationError:  # some record lacks the usual fields: no handler is known to take it
            self._targets = [self._route(record) for record in records]
        self._state: Any = None
        self._lost_track = False

    def answered(self) -> dict[str, Any]:
        """Handle every record that may be handled, and name those that were not.

        Raises:
            NoHandlerError: no handler takes any of the records.
        """
        if not self._records:
            self._end_window()
        elif not any(self._targets):
            raise self._nobody(0)
        lane = self._lane
        if lane.depends:
            lane.provide(self._targets, self._invocation)
        if lane.one_by_one or not (concurrency := self._concurrency()):
            self._one_by_one()
        else:
            self._side_by_side(concurrency)
        return self._answer()

    def _route(self, record: Record) -> AnyTarget | None:
        try:
            return self._lane.routes([record])[0]
        except EventValidationError:
            return None

    def _nobody(self, position: int) -> LambdakitError:
        return self._lane.nobody(self._records[position], self._invocation.source)

    def _one_by_one(self) -> None:
        records, invocation, batch, ordered = self._records, self._invocation, self._batch, self._batch.ordered
        calls = {} if self._lane.by_record else self._calls()
        for position, target in enumerate(self._targets):
            if target is not None and target.unit != "record":
                if position in calls:
                    self._several(target, calls[position])
            elif not (ordered and batch.skips(position, self._keys[position])):
                try:
                    if target is None:
                        raise self._nobody(position)
                    reply = target.run(records[position], invocation)
                    if reply is not None:
                        executed(self._lane.loop.settled(reply))
                except BaseException as error:  # noqa: BLE001 - answered and logged, if it is about the record
                    self._fail(error, position)

    def _calls(self) -> dict[int, list[int]]:
        """The positions of each call that is for several records, by the first of them."""
        takers = [None if target is None or target.unit == "record" else target for target in self._targets]
        return gathered(takers, self._keys, self._batch)

    def _several(self, target: AnyTarget, positions: Sequence[int]) -> None:
        """One call for those of a handler's records that are readable and due."""
        values = dict(self._readable(target, positions))
        if not values:
            return
        try:
            self._call(target, list(values.values()))
        except BaseException as error:  # noqa: BLE001 - answered and logged, if it is about the records
            self._fail(error, *values)

    def _readable(self, target: AnyTarget, positions: Sequence[int]) -> Iterator[tuple[int, Any]]:
        [handler] = target.handlers
        for position in positions:
            if not self._batch.skips(position, self._keys[position]):
                try:
                    yield position, self._lane.read(handler, self._records[position])
                except Exception as error:  # noqa: BLE001 - also what a user's validator raises
                    self._fail(error, position)

    def _call(self, target: AnyTarget, values: list[Any]) -> None:
        [handler] = target.handlers
        reply = target.run(handler.whole(self._event, values), self._invocation)
        self._take_reply(handler.name, jsonable(executed(self._lane.loop.settled(reply))))

    def _take_reply(self, handler: str, reply: Any) -> None:
        """The failures and the state of a tumbling window, where a handler of several records returns them."""
        if isinstance(reply, dict):
            self._state = reply.get("state")
        reported = reported_identifiers(reply)
        positions = self._positions() if reported else {}
        for identifier in reported:
            for position in positions.get(identifier, ()):
                self._batch.fail(position, self._keys[position])
        if not positions.keys() >= set(reported):
            self._lost_track = True
            _log("The batch", None, LambdakitError(f"{handler} reported a failed record that is not in it"))

    def _positions(self) -> dict[object, list[int]]:
        """Where each identifier stands: in several places, should a message be there twice."""
        positions: dict[object, list[int]] = {}
        for position in range(len(self._records)):
            positions.setdefault(self._identifier(position), []).append(position)
        positions.pop(EVERYTHING, None)
        return positions

    def _end_window(self) -> None:
        """The last call of a tumbling window may have no records: it is about the state, and fails as a whole."""
        targets = self._lane.windowed(self._event) if "window" in self._event else []
        self._lane.provide(targets, self._invocation)
        for target in targets:
            self._call(target, [])

    def _concurrency(self) -> int:
        """How many records to handle at once on the event loop; 0 to handle them one by one without it."""
        distinct = [target for target in dict.fromkeys(self._targets) if target is not None]
        handlers = [handler for target in distinct for handler in target.handlers]
        if any(handler.is_async for handler in handlers):
            self._lane.loop.refuse_inside()
        if any(target.unit != "record" for target in distinct):
            return 0
        concurrency = min((handler.concurrency for handler in handlers), default=1)
        asynchronous = all(target.arun is not None for target in distinct)
        return concurrency if concurrency > 1 or asynchronous else 0

    def _side_by_side(self, concurrency: int) -> None:
        import asyncio
        from contextlib import suppress

        from lambdakit.workers import outcome, threads, work

        positions = range(len(self._records))
        due = chains(self._keys, self._batch) if concurrency > 1 else [positions]
        left = set(positions)
        pool = threads(self._targets, concurrency)

        async def attend(position: int) -> None:
            if not self._batch.skips(position, self._keys[position]):
                target = self._targets[position]
                if target is None:
                    error: BaseException | None = self._nobody(position)
                else:
                    error = await outcome(target, self._records[position], self._invocation, pool)
                left.discard(position)
                if error is not None:
                    self._fail(error, position)

        try:
            with suppress(asyncio.CancelledError):  # a handler cancelled every task there was
                self._lane.loop.run(work(due, attend, concurrency))
        finally:
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
        for position in sorted(left):
            if not self._batch.skips(position, self._keys[position]):
                self._fail(asyncio.CancelledError(), position)

    def _fail(self, error: BaseException, *positions: int) -> None:
        """Leave records for another delivery, because of an error that is about them.

        Raises:
            BaseException: it is to end the process.
        """
        if not _is_failure(error):
            raise error
        for position in positions:
            self._batch.fail(position, self._keys[position])
        first, *others = positions
        target = self._targets[first]
        more = f" and {len(others)} more" * bool(others)
        _log(f"{self._lane.trigger.noun} {self._identifier(first)}{more}", target, error)

    def _identifier(self, position: int) -> object:
        """What names a record to Lambda, as it came, whether or not the record is valid."""
        try:
            return self._lane.trigger.item_identifier(self._records[position])
        except (KeyError, TypeError, AttributeError):
            return EVERYTHING

    def _answer(self) -> dict[str, Any]:
        failed = self._batch.failed(self._keys)
        reply: dict[str, Any] = {"batchItemFailures": []}
        if self._lost_track:
            reply = answer([EVERYTHING])
        elif failed:
            reply = answer(self._identifier(position) for position in failed)
        if "window" in self._event:  # without a state Lambda counts the invocation as failed
            reply["state"] = self._state if self._state is not None else self._event.get("state") or {}
        return reply


def _order_key(lane: Lane, record: Record) -> Hashable:
    try:
        return lane.trigger.order_key(record)
    except (KeyError, TypeError, AttributeError):
        return None


def _is_failure(error: BaseException) -> bool:
    """Whether an error is about the records: a handler's own cancellation is, what ends the process is not."""
    asyncio = sys.modules.get("asyncio")
    return isinstance(error, Exception) or (asyncio is not None and isinstance(error, asyncio.CancelledError))


def _log(subject: str, target: AnyTarget | None, error: BaseException) -> None:
    """A line that names record and handler; with the traceback where the handler raised, without values else."""
    import logging

    known = isinstance(error, LambdakitError)
    names = ", ".join(handler.name for handler in target.handlers) if target else ""
    line = str(error) if known else f"{subject} failed in {names}"
    line = " ".join((line if line.startswith(subject) else f"{subject}: {line}").split())
    logging.getLogger("lambdakit").error("Left for another delivery: %s", line, exc_info=None if known else error)
