"""Records handled side by side: on the event loop, and on threads where a handler is no coroutine function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from lambdakit.lane import executed

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from lambdakit.binding import Call
    from lambdakit.lane import AnyTarget
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.trigger import Record


async def work(chains: Sequence[Iterable[int]], attend: Callable[[int], Awaitable[None]], concurrency: int) -> None:
    """Attend to all positions: so many chains at once, each in its order.

    Raises:
        BaseException: what ``attend`` raised to end the process; the other workers are cancelled.
    """
    waiting, ends = iter(chains), list[BaseException]()

    async def worker(all_of_them: asyncio.Task[None] | None) -> None:
        try:
            for chain in waiting:
                for position in chain:
                    await attend(position)
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as end:  # noqa: BLE001 - raised below: out of a task, it would break the loop
            ends.append(end)
            if all_of_them is not None:
                all_of_them.cancel()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in chains[:concurrency]:
                group.create_task(worker(asyncio.current_task()))
    except asyncio.CancelledError:
        if not ends:
            raise
        raise ends[0] from None


def threads(targets: Iterable[AnyTarget | None], concurrency: int) -> Executor | None:
    """Threads for those that need them; None where none does."""
    if all(target is None or target.arun is not None for target in targets):
        return None
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(concurrency)


async def outcome(
    target: AnyTarget, record: Record, invocation: Invocation, pool: Executor | None
) -> BaseException | None:
    """What a call came to: the error, or None.

    It runs in a task of its own: what a handler sets in its context, or cancels, concerns no other record.
    """
    if target.arun is not None:
        attempt = _on_loop(target.arun, record, invocation)
    else:
        attempt = _on_thread(target.run, record, invocation, pool)
    try:
        return await asyncio.create_task(attempt)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # not the handler but the worker is being ended
            raise
        return error


# Errors are returned, as neither a task nor a thread's future can hold every one.


async def _on_loop(call: Call, record: Record, invocation: Invocation) -> BaseException | None:
    try:
        executed(await call(record, invocation))
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - see above
        return error
    return None


async def _on_thread(call: Call, record: Record, invocation: Invocation, pool: Executor | None) -> BaseException | None:
    def attempt() -> tuple[Any, BaseException | None]:
        try:
            return executed(call(record, invocation)), None
        except BaseException as error:  # noqa: BLE001 - see above
            return None, error

    loop, context = asyncio.get_running_loop(), copy_context()
    reply, error = await loop.run_in_executor(pool, context.run, attempt)
    if hasattr(type(reply), "__await__"):
        error = await loop.create_task(_on_loop(lambda *_: reply, record, invocation), context=context)
    return error
