"""One delivery of a batch source: its records, what became of them, and the partial batch response.

A failure is logged and answered, never raised: what was done stays done, and Lambda delivers again what was not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.batch import EVERYTHING, Batch, answer, chains, reported_identifiers
from lambdakit.errors import EventValidationError, LambdakitError

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
        self._targets = self._routes()
        self._state: Any = None
        self._lost_track = False

    def answered(self) -> dict[str, Any]:
        """Handle every record that may be handled, and name those that were not.

        Raises:
            NoHandlerError: no handler takes any of the records.
        """
        if self._records and not any(self._targets):
            raise self._lane.nobody(self._records[0], self._invocation.source)
        self._lane.provide(self._targets, self._invocation)
        concurrency = 0 if self._lane.one_by_one else _concurrency(self._targets)
        if concurrency:
            self._side_by_side(concurrency)
        else:
            self._one_by_one()
        return self._answer()

    def _routes(self) -> list[AnyTarget | None]:
        try:
            return self._lane.routes(self._records)
        except EventValidationError:  # some record lacks the usual fields: no handler is known to take it
            return [self._route(record) for record in self._records]

    def _route(self, record: Record) -> AnyTarget | None:
        try:
            return self._lane.routes([record])[0]
        except EventValidationError:
            return None

    def _one_by_one(self) -> None:
        records, invocation, batch, ordered = self._records, self._invocation, self._batch, self._batch.ordered
        for position, target in enumerate(self._targets):
            if ordered and batch.skips(position, self._keys[position]):
                continue
            if target is None:
                self._fail(position, self._lane.nobody(records[position], invocation.source))
            elif target.unit == "record":
                try:
                    target.run(records[position], invocation)
                except Exception as error:  # noqa: BLE001 - answered and logged
                    self._fail(position, error)
            elif target not in self._targets[:position]:
                self._several(target)

    def _several(self, target: AnyTarget) -> None:
        """One call for all the records of a handler that are readable and due."""
        [handler] = target.handlers
        values = dict(self._readable(target))
        if not values:
            return
        try:
            reply = target.run(handler.whole(self._event, list(values.values())), self._invocation)
        except Exception as error:  # noqa: BLE001 - answered and logged
            for position in values:
                self._batch.fail(position, self._keys[position])
            self._log(f"{len(values)} {handler.trigger.noun}(s)", target, error)
        else:
            self._take_reply(reply)

    def _readable(self, target: AnyTarget) -> Iterator[tuple[int, Any]]:
        [handler] = target.handlers
        for position, own in enumerate(self._targets):
            if own is not target or self._batch.skips(position, self._keys[position]):
                continue
            try:
                yield position, self._lane.read(handler, self._records[position])
            except Exception as error:  # noqa: BLE001 - answered and logged
                self._fail(position, error)

    def _take_reply(self, reply: Any) -> None:
        """The failures and the state of a tumbling window, where a handler of several records returns them."""
        if isinstance(reply, dict):
            self._state = reply.get("state")
        for identifier in reported_identifiers(reply):
            positions = [p for p, record in enumerate(self._records) if self._identifier(record) == identifier]
            self._lost_track |= not positions
            for position in positions:
                self._batch.fail(position, self._keys[position])

    def _side_by_side(self, concurrency: int) -> None:
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        waiting = iter(chains(self._keys, self._batch))

        async def worker(pool: ThreadPoolExecutor) -> None:
            for chain in waiting:
                for position in chain:
                    if not self._batch.skips(position, self._keys[position]):
                        await self._one(position, pool)

        async def workers() -> None:
            with ThreadPoolExecutor(concurrency) as pool:
                async with asyncio.TaskGroup() as group:
                    for _ in range(concurrency):
                        group.create_task(worker(pool))

        self._lane.loop.run(workers())

    async def _one(self, position: int, pool: Any) -> None:
        import asyncio
        from contextvars import copy_context

        target, record = self._targets[position], self._records[position]
        try:
            if target is None:
                raise self._lane.nobody(record, self._invocation.source)
            if target.arun is not None:
                await target.arun(record, self._invocation)
            else:
                context, run = copy_context(), target.run
                await asyncio.get_running_loop().run_in_executor(
                    pool, lambda: context.run(run, record, self._invocation)
                )
        except Exception as error:  # noqa: BLE001 - answered and logged
            self._fail(position, error)
        except asyncio.CancelledError as error:  # the handler cancelled itself, unless this worker is being ended
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            self._fail(position, error)

    def _fail(self, position: int, error: BaseException) -> None:
        record = self._records[position]
        self._batch.fail(position, self._keys[position])
        trigger = self._lane.trigger
        self._log(f"{trigger.noun} {self._identifier(record)}", self._targets[position], error)

    def _log(self, subject: str, target: AnyTarget | None, error: BaseException) -> None:
        """A line that names record and handler; with the traceback where the handler raised, without values else."""
        import logging

        log = logging.getLogger("lambdakit")
        if isinstance(error, LambdakitError):
            log.error("Left for another delivery: %s", " ".join(str(error).split()))
        else:
            names = ", ".join(handler.name for handler in target.handlers) if target else ""
            log.error("%s failed in %s and is left for another delivery", subject, names, exc_info=error)

    def _identifier(self, record: Record) -> str:
        try:
            return self._lane.trigger.item_identifier(record)
        except (KeyError, TypeError, AttributeError):
            return EVERYTHING

    def _answer(self) -> dict[str, Any]:
        records = self._records
        failed = [self._identifier(records[position]) for position in self._batch.failed(self._keys)]
        reply = answer([*failed, EVERYTHING] if self._lost_track else failed)
        if "window" in self._event:  # without a state Lambda counts the invocation as failed
            reply["state"] = self._state if self._state is not None else self._event.get("state") or {}
        return reply


def _order_key(lane: Lane, record: Record) -> Hashable:
    try:
        return lane.trigger.order_key(record)
    except (KeyError, TypeError, AttributeError):
        return None


def _concurrency(targets: Sequence[AnyTarget | None]) -> int:
    """How many records to handle at once on the event loop; 0 to handle them one by one without it."""
    distinct = [target for target in dict.fromkeys(targets) if target is not None]
    if not distinct or any(target.unit != "record" for target in distinct):
        return 0
    concurrency = min(handler.concurrency for target in distinct for handler in target.handlers)
    asynchronous = all(target.arun is not None for target in distinct)
    return concurrency if concurrency > 1 or asynchronous else 0
