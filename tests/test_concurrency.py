"""Async handlers, records side by side, threads, and the one event loop of an App."""

import asyncio
import functools
import gc
import json
import sys
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import pytest

from lambdakit import App, Depends, RecordInvocation, on_invoke, on_kinesis, on_s3, on_sqs
from lambdakit.events import KinesisRecord, S3Record, SqsEvent, SqsRecord

PATIENCE = 20  # seconds after which a test that should meet others gives up; none takes a noticeable part of it


def messages(*bodies: str, queue: str = "orders", groups: str = "") -> dict[str, Any]:
    """A batch of a queue; its messages are m0, m1, ..., each in the group of one letter."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "body": body,
                "attributes": {"MessageGroupId": group},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
            }
            for number, (body, group) in enumerate(zip(bodies, groups or "-" * len(bodies), strict=True))
        ]
    }


def readings(keys: str) -> dict[str, Any]:
    """A batch of a shard: records numbered from 0, each with a partition key of one letter, which is its data too."""
    return {
        "Records": [
            {
                "eventID": f"shardId-0:{number}",
                "kinesis": {
                    "sequenceNumber": str(number),
                    "partitionKey": key,
                    "data": b64encode(key.encode()).decode(),
                },
                "eventSource": "aws:kinesis",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/readings",
            }
            for number, key in enumerate(keys)
        ]
    }


def upload(key: str) -> dict[str, Any]:
    """A notification of S3."""
    return {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": "uploads"}, "object": {"key": key}},
            }
        ]
    }


def failed(reply: Any) -> list[str]:
    """The identifiers in an answer."""
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


class Gauge:
    """How many are inside at once, and the most there were."""

    def __init__(self) -> None:
        self.inside = self.most = 0
        self.lock = threading.Lock()

    def __enter__(self) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)

    def __exit__(self, *_: object) -> None:
        with self.lock:
            self.inside -= 1


# How many at once


def test_async_handlers_meet_up_to_their_concurrency() -> None:
    """Three at once are three: each waits for the two others, and no fourth is let in meanwhile."""
    gauge, barrier = Gauge(), asyncio.Barrier(3)

    @on_sqs("orders", concurrency=3)
    async def handle(body: str) -> None:
        with gauge:
            await asyncio.wait_for(barrier.wait(), PATIENCE)

    assert (failed(App(handle)(messages(*"abcdef"))), gauge.most) == ([], 3)


def test_handlers_on_threads_meet_up_to_their_concurrency() -> None:
    """A handler that is not async blocks a thread of its own, not the others."""
    gauge, barrier = Gauge(), threading.Barrier(3, timeout=PATIENCE)

    @on_sqs("orders", concurrency=3)
    def handle(body: str) -> None:
        with gauge:
            barrier.wait()

    assert (failed(App(handle)(messages(*"abcdef"))), gauge.most) == ([], 3)


def test_async_handlers_behind_middleware_meet_up_to_their_concurrency() -> None:
    """The middleware of each record waits on its own thread, the handlers on one event loop."""
    gauge, barrier, threads = Gauge(), asyncio.Barrier(3), set[int]()

    def passing(record: RecordInvocation, call_next: Callable[[], Any]) -> Any:
        return call_next()

    @on_sqs("orders", concurrency=3)
    async def handle(body: str) -> None:
        threads.add(threading.get_ident())
        with gauge:
            await asyncio.wait_for(barrier.wait(), PATIENCE)

    reply = App(handle, middleware=[passing])(messages(*"abcdef"))

    assert (failed(reply), gauge.most, threads) == ([], 3, {threading.get_ident()})


def test_without_concurrency_async_handlers_take_turns_in_the_order_of_arrival() -> None:
    """One after the other, also where the first waits longest."""
    gauge, seen = Gauge(), list[str]()

    @on_sqs("orders")
    async def handle(body: str) -> None:
        with gauge:
            for _ in range(5 - int(body)):
                await asyncio.sleep(0)
        seen.append(body)

    App(handle)(messages(*"01234"))

    assert (seen, gauge.most) == ([*"01234"], 1)


def test_the_lowest_concurrency_of_the_handlers_of_a_batch_is_kept() -> None:
    """A handler that allows one at a time is not run beside another that allows more."""
    gauge = Gauge()

    @on_sqs("one")
    async def one(body: str) -> None:
        with gauge:
            await asyncio.sleep(0)

    @on_sqs("orders", concurrency=5)
    async def many(body: str) -> None:
        with gauge:
            await asyncio.sleep(0)

    event = {
        "Records": [record for queue in ("orders", "one") for record in messages("a", "b", queue=queue)["Records"]]
    }
    App(one, many)(event)

    assert gauge.most == 1


def test_a_concurrency_above_the_number_of_records_is_no_burden() -> None:
    """As many workers start as there is work for."""
    tasks: list[int] = []

    @on_sqs("orders", concurrency=10_000)
    async def handle(body: str) -> None:
        tasks.append(len(asyncio.all_tasks()))

    App(handle)(messages("a", "b"))

    assert max(tasks) <= 5  # the batch, two workers, two records


# Order and failures


def test_groups_of_a_fifo_queue_run_side_by_side_each_in_its_order() -> None:
    """The first of group x waits for all of group y, which would never come if groups waited for each other."""
    seen: list[str] = []
    second = asyncio.Event()

    @on_sqs("orders.fifo", concurrency=2)
    async def handle(body: str) -> None:
        if body == "x1":
            await asyncio.wait_for(second.wait(), PATIENCE)
        seen.append(body)
        if body == "y2":
            second.set()

    App(handle)(messages("x1", "x2", "y1", "y2", queue="orders.fifo", groups="xxyy"))

    assert seen == ["y1", "y2", "x1", "x2"]


def test_a_failure_stops_its_fifo_group_while_others_run_beside_it() -> None:
    """The rest of the group is reported and not tried."""
    seen: list[str] = []

    @on_sqs("orders.fifo", concurrency=3)
    async def handle(body: str) -> None:
        seen.append(body)
        await asyncio.sleep(0)
        if body == "x1":
            raise OSError

    reply = App(handle)(messages("x1", "y1", "x2", "y2", queue="orders.fifo", groups="xyxy"))

    assert (failed(reply), sorted(seen)) == (["m0", "m2"], ["x1", "y1", "y2"])


def test_a_stream_keeps_the_order_of_arrival_without_concurrency() -> None:
    """Across partition keys too: an async handler gets a shard's records as any handler does."""
    seen: list[str] = []

    @on_kinesis("readings")
    async def handle(record: KinesisRecord) -> None:
        seen.append(record.sequence_number)

    App(handle)(readings("abcab"))

    assert seen == [*"01234"]


def test_of_several_failures_side_by_side_the_lowest_is_the_checkpoint() -> None:
    """A record that fails after a later one moves the checkpoint down."""
    later = asyncio.Event()

    @on_kinesis("readings", concurrency=2)
    async def handle(record: KinesisRecord) -> None:
        if record.partition_key == "a":
            await asyncio.wait_for(later.wait(), PATIENCE)
        later.set()
        raise OSError

    assert failed(App(handle)(readings("ab"))) == ["0"]


def test_what_lies_before_the_checkpoint_is_handled_after_the_failure() -> None:
    """Lambda takes it for done, so it has to be; what lies behind is left."""
    seen: list[str] = []

    @on_kinesis("readings", concurrency=2)
    async def handle(record: KinesisRecord) -> None:
        seen.append(record.sequence_number)
        await asyncio.sleep(0)
        if record.partition_key == "b":
            raise OSError

    reply = App(handle)(readings("aaabaa"))

    assert (failed(reply), sorted(seen)) == (["3"], ["0", "1", "2", "3"])


def test_a_record_nobody_takes_fails_beside_the_others() -> None:
    """As it does one by one."""
    seen: list[str] = []

    @on_sqs("orders", concurrency=2)
    async def handle(body: str) -> None:
        seen.append(body)

    event = {"Records": [*messages("a")["Records"], *messages("b", queue="refunds")["Records"]]}
    event["Records"][1]["messageId"] = "m1"

    assert (failed(App(handle)(event)), seen) == (["m1"], ["a"])


# What a handler raises


ERRORS = [ValueError, StopIteration, RecursionError, asyncio.CancelledError, StopAsyncIteration, TimeoutError]


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("concurrency", [1, 2])
def test_what_an_async_handler_raises_fails_its_record(error: type[BaseException], concurrency: int) -> None:
    """Whatever it is, the others are handled."""
    seen: list[str] = []

    @on_sqs("orders", concurrency=concurrency)
    async def handle(body: str) -> None:
        await asyncio.sleep(0)
        if body == "b":
            raise error
        seen.append(body)

    assert (failed(App(handle)(messages(*"abcd"))), seen) == (["m1"], [*"acd"])


@pytest.mark.parametrize("error", ERRORS)
def test_what_a_handler_on_a_thread_raises_fails_its_record(error: type[BaseException]) -> None:
    """A StopIteration too, which a thread's future can't hold: Python 3.11 would wait for it forever."""

    @on_sqs("orders", concurrency=2)
    def handle(body: str) -> None:
        if body == "b":
            raise error

    assert failed(App(handle)(messages(*"abcd"))) == ["m1"]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_handler_that_cancels_its_task_fails_its_record_alone(concurrency: int) -> None:
    """The task is the record's own: those that come after it are handled, not lost."""
    seen: list[str] = []

    @on_sqs("orders", concurrency=concurrency)
    async def handle(body: str) -> None:
        task = asyncio.current_task()
        if body == "b" and task is not None:
            task.cancel()
        await asyncio.sleep(0)
        seen.append(body)

    assert (failed(App(handle)(messages(*"abcd"))), seen) == (["m1"], [*"acd"])


def test_a_handler_that_cancels_its_task_and_returns_fails_its_record() -> None:
    """Its cancellation does not reach the next record either."""

    @on_sqs("orders")
    async def handle(body: str) -> None:
        task = asyncio.current_task()
        if body == "b" and task is not None:
            task.cancel()

    assert failed(App(handle)(messages(*"abcd"))) == ["m1"]


def test_a_handler_that_cancels_every_task_loses_no_record() -> None:
    """What was not handled by then is reported, and the loop serves the next batch."""
    seen: list[str] = []

    @on_sqs("orders")
    async def handle(body: str) -> None:
        if body == "b":
            for task in asyncio.all_tasks():
                task.cancel()
        await asyncio.sleep(0)
        seen.append(body)

    app = App(handle)

    assert (failed(app(messages(*"abcd"))), failed(app(messages("e"))), seen) == (["m1", "m2", "m3"], [], ["a", "e"])


def test_a_timeout_inside_a_handler_is_its_own_affair() -> None:
    """asyncio.timeout cancels the handler's task and takes that back: a caught time-out is no failure."""

    @on_sqs("orders", concurrency=2)
    async def handle(body: str) -> None:
        try:
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        except TimeoutError:
            return

    assert failed(App(handle)(messages("a", "b", "c"))) == []


def ending_async(end: type[BaseException]) -> Callable[..., Any]:
    @on_sqs("orders", concurrency=2)
    async def handle(body: str) -> None:
        await asyncio.sleep(0)
        if body == "b":
            raise end
        if body == "a":
            await asyncio.Event().wait()

    return handle


def ending_thread(end: type[BaseException]) -> Callable[..., Any]:
    @on_sqs("orders", concurrency=2)
    def handle(body: str) -> None:
        if body == "b":
            raise end

    return handle


def ending_list(end: type[BaseException]) -> Callable[..., Any]:
    @on_sqs("orders")
    async def handle(records: list[SqsRecord]) -> None:
        if len(records) > 1:
            raise end

    return handle


def passing(record: RecordInvocation, call_next: Callable[[], Any]) -> Any:
    return call_next()


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("ending", "middleware"),
    [(ending_async, ()), (ending_async, (passing,)), (ending_thread, ()), (ending_list, ())],
    ids=["async", "middleware", "thread", "list"],
)
def test_what_ends_the_process_passes_through_and_leaves_the_loop_whole(
    end: type[BaseException], ending: Callable[[type[BaseException]], Callable[..., Any]], middleware: tuple[Any, ...]
) -> None:
    """sys.exit in one record ends those beside it; should the process live on, nothing of the old batch does."""
    app = App(ending(end), middleware=middleware)

    with pytest.raises(end):
        app(messages(*"b" if middleware else "ab"))

    assert failed(app(messages("c"))) == []


# Context variables


CURRENT: ContextVar[str] = ContextVar("CURRENT", default="unset")


def test_async_handlers_side_by_side_do_not_see_each_others_context() -> None:
    """Also where one worker handles several records, one after the other."""
    seen: list[str] = []

    @on_sqs("orders", concurrency=2)
    async def handle(body: str) -> None:
        seen.append(CURRENT.get())
        CURRENT.set(body)
        await asyncio.sleep(0)
        seen.append(CURRENT.get())

    App(handle)(messages(*"abcd"))

    assert sorted(seen) == ["a", "b", "c", "d", *["unset"] * 4]


def test_handlers_on_threads_do_not_see_each_others_context() -> None:
    """Threads are used again, contexts are not."""
    seen: list[str] = []

    @on_sqs("orders", concurrency=2)
    def handle(body: str) -> None:
        seen.append(CURRENT.get())
        CURRENT.set(body)

    App(handle)(messages(*"abcd"))

    assert seen == ["unset"] * 4


@pytest.mark.parametrize("concurrency", [1, 2])
def test_an_async_handler_sees_the_context_of_its_middleware(concurrency: int) -> None:
    """What the middleware of a record sets is what its handler gets: in each record, and in the next invocation."""
    seen: list[tuple[str, str]] = []

    def identified(record: RecordInvocation, call_next: Callable[[], Any]) -> Any:
        token = CURRENT.set(record.record_id)
        try:
            return call_next()
        finally:
            CURRENT.reset(token)

    @on_sqs("orders", concurrency=concurrency)
    async def handle(record: SqsRecord) -> None:
        seen.append((record.message_id, CURRENT.get()))

    app = App(handle, middleware=[identified])
    app(messages("a", "b"))
    app(messages("a", "b", "c"))

    assert len(seen) == 5
    assert all(identifier == current for identifier, current in seen)


def test_an_async_handler_sees_the_context_of_the_caller() -> None:
    """At each call anew, not as it was when the loop was made."""
    seen: list[str] = []

    @on_invoke
    async def handle(name: str) -> None:
        seen.append(CURRENT.get())

    app = App(handle)
    for name in ("first", "second"):
        token = CURRENT.set(name)
        app(name)
        CURRENT.reset(token)

    assert seen == ["first", "second"]


def test_what_an_async_handler_sets_does_not_reach_the_next_invocation() -> None:
    """Its context ends with it."""
    seen: list[str] = []

    @on_invoke
    async def handle(name: str) -> None:
        seen.append(CURRENT.get())
        CURRENT.set(name)

    app = App(handle)
    app("first")
    app("second")

    assert seen == ["unset", "unset"]


def test_a_decorators_context_reaches_the_coroutine_it_returns() -> None:
    """A wrapper that is not async sets a variable and returns the coroutine; where it runs makes no difference."""
    seen: list[str] = []

    def identified(function: Callable[[str], Awaitable[None]]) -> Callable[[str], Any]:
        @functools.wraps(function)
        def call(body: str) -> Any:
            CURRENT.set(body)
            return function(body)

        return call

    @on_sqs("orders", concurrency=2)
    @identified
    async def handle(body: str) -> None:
        seen.append(f"{body} {CURRENT.get()}")

    App(handle)(messages(*"abc"))

    assert sorted(seen) == ["a a", "b b", "c c"]


# Coroutines are always awaited


class Later:
    """Something to await that is no coroutine."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act

    def __await__(self) -> Iterator[None]:
        yield from asyncio.sleep(0).__await__()
        self.act()


def returning_coroutine(act: Callable[[str], None]) -> Callable[[str], Any]:
    async def work(body: str) -> None:
        await asyncio.sleep(0)
        act(body)

    def handle(body: str) -> Any:
        return work(body)

    return handle


def returning_awaitable(act: Callable[[str], None]) -> Callable[[str], Any]:
    def handle(body: str) -> Any:
        return Later(lambda: act(body))

    return handle


def wrapped_by_def(act: Callable[[str], None]) -> Callable[[str], Any]:
    async def work(body: str) -> None:
        await asyncio.sleep(0)
        act(body)

    @functools.wraps(work)
    def handle(body: str) -> Any:
        return work(body)

    return handle


def run_by_its_wrapper(act: Callable[[str], None]) -> Callable[[str], Any]:
    async def work(body: str) -> None:
        await asyncio.sleep(0)
        act(body)

    @functools.wraps(work)
    def handle(body: str) -> Any:
        return asyncio.run(work(body))

    return handle


def returning_async_lambda(act: Callable[[str], None]) -> Callable[[str], Any]:
    async def work(body: str) -> Any:
        act(body)
        return None

    async def handle(body: str) -> Any:
        return await work(body)

    return handle


FORMS = [returning_coroutine, returning_awaitable, wrapped_by_def, run_by_its_wrapper, returning_async_lambda]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("middleware", [(), (passing,)], ids=["bare", "middleware"])
def test_what_a_record_handler_returns_to_be_awaited_is_awaited(
    form: Callable[[Callable[[str], None]], Callable[[str], Any]], concurrency: int, middleware: tuple[Any, ...]
) -> None:
    """Whether or not it says so by async def; what fails in it fails its record."""
    seen: list[str] = []

    def act(body: str) -> None:
        if body == "b":
            raise OSError
        seen.append(body)

    handle = form(act)
    handle.__annotations__["body"] = str
    app = App(on_sqs("orders", concurrency=concurrency)(handle), middleware=middleware)

    assert (failed(app(messages(*"abc"))), sorted(seen)) == (["m1"], ["a", "c"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [list[SqsRecord], SqsEvent], ids=str)
def test_what_a_handler_of_several_records_returns_to_be_awaited_is_awaited(shape: Any) -> None:
    """Its answer counts as if it were async def."""

    async def work() -> Any:
        return {"batchItemFailures": [{"itemIdentifier": "m1"}]}

    def handle(given: Any) -> Any:
        return work()

    handle.__annotations__["given"] = shape

    assert failed(App(on_sqs("orders")(handle))(messages("a", "b"))) == ["m1"]


@pytest.mark.filterwarnings("error")
def test_what_other_handlers_return_to_be_awaited_is_awaited() -> None:
    """The reply is the result."""

    async def double(number: int) -> int:
        return 2 * number

    @on_invoke
    def handle(number: int) -> Awaitable[int]:
        return double(number)

    assert App(handle)(21) == 42


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_generator_that_a_handler_returns_is_a_failure(concurrency: int) -> None:
    """Nothing of it ran, so the record is not done."""

    def work(body: str) -> Generator[str]:
        yield body

    @on_sqs("orders", concurrency=concurrency)
    def handle(body: str) -> Any:
        return work(body)

    assert failed(App(handle)(messages("a"))) == ["m0"]


# One event loop


def test_an_async_client_works_in_the_next_invocation() -> None:
    """The loop is the same: what was started on it in one invocation goes on in the next."""
    started: list[asyncio.Task[str]] = []

    async def connect() -> str:
        await asyncio.sleep(0)
        return "connected"

    @on_invoke
    async def handle(name: str) -> str:
        if not started:
            started.append(asyncio.create_task(connect()))
            return "starting"
        return await started[0]

    app = App(handle)

    assert [app("a"), app("b")] == ["starting", "connected"]


def test_handlers_and_dependencies_of_all_kinds_share_one_loop() -> None:
    """One by one, side by side, behind middleware, in a list, in a dependency."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def connection() -> AsyncIterator[str]:
        loops.append(asyncio.get_running_loop())
        yield "connection"
        loops.append(asyncio.get_running_loop())

    @on_sqs("one")
    async def one(body: str, connected: Annotated[str, Depends(connection)]) -> None:
        loops.append(asyncio.get_running_loop())

    @on_sqs("many", concurrency=2)
    async def many(body: str) -> None:
        loops.append(asyncio.get_running_loop())

    @on_sqs("lists")
    async def lists(records: list[SqsRecord]) -> None:
        loops.append(asyncio.get_running_loop())

    @on_s3("uploads")
    async def ingest(record: S3Record) -> None:
        loops.append(asyncio.get_running_loop())

    app = App(one, many, lists, ingest)
    for queue in ("one", "many", "lists"):
        app(messages("a", queue=queue))
    app(upload("a.csv"))

    assert (len(loops), len(set(map(id, loops)))) == (6, 1)


def test_a_closed_app_starts_a_new_loop() -> None:
    """close() ends the loop; the App may be used again."""
    loops: list[asyncio.AbstractEventLoop] = []

    @on_invoke
    async def handle(name: str) -> None:
        loops.append(asyncio.get_running_loop())

    app = App(handle)
    app("a")
    app.close()
    app("b")

    assert [loop.is_closed() for loop in loops] == [True, False]


def test_an_app_is_not_closed_by_its_own_async_handlers() -> None:
    """The loop that runs the handler can't end under it; the App goes on."""
    apps: list[App] = []

    @on_invoke
    async def handle(name: str) -> None:
        if name == "close":
            apps[0].close()

    apps.append(App(handle))

    with pytest.raises(RuntimeError, match="after its handlers have returned"):
        apps[0]("close")
    assert apps[0]("on") is None


@pytest.mark.filterwarnings("error")
def test_an_app_may_be_forgotten_inside_a_running_loop() -> None:
    """Its own loop is closed all the same, wherever the garbage collector finds it."""
    loops: list[asyncio.AbstractEventLoop] = []

    @on_invoke
    async def handle(name: str) -> None:
        loops.append(asyncio.get_running_loop())

    apps = [App(handle)]
    apps[0]("a")

    async def forget() -> None:
        apps.clear()
        gc.collect()

    asyncio.run(forget())

    assert [loop.is_closed() for loop in loops] == [True]


@on_sqs("orders")
async def one_record(body: str) -> None: ...


@on_sqs("orders")
async def several_records(records: list[SqsRecord]) -> None: ...


@on_sqs("orders", concurrency=2)
def on_threads(body: str) -> None: ...


@on_s3("uploads")
async def one_upload(record: S3Record) -> None: ...


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("middleware", [(), (passing,)], ids=["bare", "middleware"])
@pytest.mark.parametrize("handler", [one_record, several_records, on_threads, one_upload])
def test_an_app_that_needs_the_loop_refuses_to_run_inside_another(
    handler: Callable[..., Any], middleware: tuple[Any, ...]
) -> None:
    """It says how to call it from there; it does not report the records as failed, nor leave a coroutine behind."""
    app = App(handler, middleware=middleware)

    async def call() -> None:
        app(upload("a.csv") if handler is one_upload else messages("a"))

    with pytest.raises(RuntimeError, match=r"asyncio\.to_thread"):
        asyncio.run(call())


def test_an_app_that_needs_no_loop_runs_inside_another() -> None:
    """Handlers that are not async, one by one, have nothing to do with it."""

    @on_sqs("orders")
    def handle(body: str) -> None: ...

    app = App(handle)

    async def call() -> Any:
        return app(messages("a"))

    assert failed(asyncio.run(call())) == []


def test_an_app_called_from_several_threads_at_once_answers_each() -> None:
    """As the error above advises: one call at a time has the loop, the others wait for it."""
    gauge = Gauge()

    @on_sqs("orders")
    async def handle(body: str) -> None:
        with gauge:
            for _ in range(3):
                await asyncio.sleep(0)

    app = App(handle)

    async def call() -> list[Any]:
        calls = (asyncio.to_thread(app, messages("a", "b")) for _ in range(5))
        return await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)

    assert ([failed(reply) for reply in asyncio.run(call())], gauge.most) == ([[]] * 5, 1)


def test_a_handler_may_call_its_app_from_a_thread() -> None:
    """The inner call runs on the loop that waits for it."""

    @on_invoke
    async def double(number: int) -> int:
        return 2 * number

    @on_sqs("orders")
    async def handle(body: str) -> None:
        assert await asyncio.wait_for(asyncio.to_thread(app, int(body)), PATIENCE) == 2 * int(body)

    app = App(double, handle)

    assert failed(app(messages("1", "2"))) == []


def test_a_thread_without_a_context_of_the_app_may_call_it() -> None:
    """Each of several threads gets its own answers."""
    replies: dict[int, Any] = {}

    @on_invoke
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    app = App(double)
    threads = [
        threading.Thread(target=lambda number=number: replies.update({number: app(number)})) for number in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)

    assert replies == {number: 2 * number for number in range(5)}


def test_an_app_without_async_handlers_does_not_load_asyncio() -> None:
    """It costs a cold start milliseconds that only async handlers need."""
    import subprocess

    program = (
        "import json, sys\n"
        "from lambdakit import App, on_sqs\n"
        "@on_sqs('orders')\n"
        "def handle(body: str): ...\n"
        "App(handle)(json.loads(sys.argv[1]))\n"
        "print('asyncio' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program, json.dumps(messages("a"))], capture_output=True, check=True)

    assert run.stdout.split() == [b"False"]
