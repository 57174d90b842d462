"""Environments in this process, on virtual time."""

import asyncio
import contextvars
import gc
import json
import logging
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from time import sleep as imported_sleep
from typing import Annotated, Any

import pytest
from greenlet import greenlet
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdakit import App, Depends, LambdaContext, on_invoke, on_sqs
from lambdakit.local.errors import StuckHandlerError
from lambdakit.local.outcome import Failure
from lambdakit.local.placement import Ending, Environment
from lambdakit.local.runner import Call, Deployment, Result
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.local.virtual.runner import VirtualRunner

Handler = Callable[[Any, Any], Any]


class World:
    """A clock, a runner and a function "f"."""

    def __init__(self, handler: str | Handler, *, seed: int = 0, watchdog: float = 10, **settings: Any) -> None:
        self.clock = VirtualClock(seed)
        self.runner = VirtualRunner(self.clock, watchdog=watchdog)
        self.runner.deploy(Deployment(name="f", handler=handler, **settings))
        self.environments = 0
        self.requests = 0

    def environment(self) -> Environment:
        self.environments += 1
        return Environment("f", self.environments, self.clock.now)

    def begin(self, payload: Any, environment: Environment, timeout: float = 3) -> list[Result]:
        self.requests += 1
        call = Call(json.dumps(payload).encode(), f"request-{self.requests}", "arn:f", timeout)
        results: list[Result] = []

        def done(result: Result) -> None:
            environment.initialized = result.ending is Ending.READY
            results.append(result)

        self.clock.at(self.clock.now, lambda: self.runner.run(environment, call, done))
        return results

    def call(self, payload: Any = None, environment: Environment | None = None, timeout: float = 3) -> Result:
        results = self.begin(payload, environment or self.environment(), timeout)
        self.clock.run()
        [result] = results
        return result

    def at_once(self, *payloads: Any, timeout: float = 3) -> list[Result]:
        pending = [self.begin(payload, self.environment(), timeout) for payload in payloads]
        self.clock.run()
        return [result for results in pending for result in results]


def run(handler: str | Handler, payload: Any = None, timeout: float = 3, **settings: Any) -> Result:
    """Run a handler once, in a world of its own."""
    world = World(handler, **settings)
    result = world.call(payload, timeout=timeout)
    world.runner.close()
    return result


def slept(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def reply(result: Result) -> Any:
    return json.loads(result.outcome.payload)


def error(result: Result) -> tuple[str, str]:
    assert isinstance(result.outcome, Failure)
    return result.outcome.error_type, result.outcome.error_message


@pytest.fixture
def task(tmp_path: Path) -> Callable[..., Path]:
    """Write modules into a task root."""

    def write(**modules: str) -> Path:
        for name, text in modules.items():
            (tmp_path / f"{name}.py").write_text(text)
        return tmp_path

    return write


# Time


def test_sleeping_takes_virtual_time() -> None:
    """A handler takes the time that it waits."""
    result = run(lambda event, context: time.sleep(2.5))

    assert (result.started, result.ended, result.duration) == (0, 2.5, 2.5)


def test_a_handler_that_does_not_wait_takes_no_time() -> None:
    """What takes real time takes none."""
    assert run(lambda event, context: sum(range(1_000))).duration == 0


def test_an_imported_sleep_is_virtual_too() -> None:
    """A module that has ``from time import sleep`` has the original, which is found there."""
    assert run(lambda event, context: imported_sleep(1)).duration == 1


def test_every_clock_shows_virtual_time() -> None:
    """Wall clocks count from the clock's start, in UTC; the others from anything."""

    def handler(event: object, context: object) -> list[Any]:
        before = time.monotonic(), time.perf_counter(), time.monotonic_ns(), time.perf_counter_ns()
        time.sleep(0.25)
        after = time.monotonic(), time.perf_counter(), time.monotonic_ns(), time.perf_counter_ns()
        return [
            [now - then for now, then in zip(after, before, strict=True)],
            [time.time(), datetime.now(UTC).isoformat(), str(datetime.now()), str(date.today())],  # noqa: DTZ005, DTZ011
        ]

    assert reply(run(handler)) == [
        [0.25, 0.25, 250_000_000, 250_000_000],
        [1767225600.25, "2026-01-01T00:00:00.250000+00:00", "2026-01-01 00:00:00.250000", "2026-01-01"],
    ]


def test_time_is_real_again_after_the_run() -> None:
    """Nothing stays replaced."""
    before = time.sleep, time.monotonic, threading.Lock, threading.Thread.start, queue.SimpleQueue, sys.stdout, os._exit

    run(lambda event, context: None)

    after = time.sleep, time.monotonic, threading.Lock, threading.Thread.start, queue.SimpleQueue, sys.stdout, os._exit
    assert after == before
    assert time.time() > 1767225600 + 100


def test_coroutines_wait_in_virtual_time() -> None:
    """asyncio.sleep, gather and timeout alike."""

    async def work() -> str:
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(0.5))
        try:
            async with asyncio.timeout(0.25):
                await asyncio.sleep(60)
        except TimeoutError:
            return "timed out"
        return "slept"

    result = run(lambda event, context: asyncio.run(work()))

    assert (reply(result), result.duration) == ("timed out", 1.25)


def test_invocations_wait_side_by_side() -> None:
    """Each in its own environment, threads of control that overlap."""

    def handler(event: float, context: object) -> float:
        time.sleep(event)
        return event

    results = World(handler).at_once(3, 1, 2, timeout=10)

    assert [(reply(result), result.ended) for result in results] == [(3, 3), (1, 1), (2, 2)]


def test_event_loops_of_several_invocations_do_not_meet() -> None:
    """Each has its own running loop, though all share a thread."""

    async def work(seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(seconds)
        return asyncio.get_running_loop() is loop

    results = World(lambda event, context: asyncio.run(work(event))).at_once(0.2, 0.1, 0.3)

    assert [(reply(result), result.ended) for result in results] == [(True, 0.2), (True, 0.1), (True, 0.3)]


def test_a_loop_may_be_made_the_old_way() -> None:
    """With set_event_loop and run_until_complete; another environment's is not seen."""

    def handler(event: float, context: object) -> Any:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(asyncio.sleep(event, "done"))

    results = World(handler).at_once(1, 2)

    assert [(reply(result), result.ended) for result in results] == [("done", 1), ("done", 2)]


def test_context_variables_are_those_of_an_environment() -> None:
    """A warm environment keeps them, as its thread is the same; no other sees them."""
    variable = contextvars.ContextVar("variable", default=0)

    def handler(event: object, context: object) -> int:
        variable.set(variable.get() + 1)
        time.sleep(1)
        return variable.get()

    world = World(handler)
    environment = world.environment()
    replies = [reply(world.call(environment=environment)) for _ in range(2)] + [reply(world.call())]

    assert replies == [1, 2, 1]


# Threads


def test_threads_wait_in_virtual_time() -> None:
    """They start, sleep and are joined as threads are."""

    def handler(event: object, context: object) -> list[Any]:
        log: list[Any] = []

        def work(seconds: float) -> None:
            time.sleep(seconds)
            log.append(seconds)

        threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (0.3, 0.1, 0.2)]
        for thread in threads:
            thread.start()
        alive = [thread.is_alive() for thread in threads]
        for thread in threads:
            thread.join()
        return [log, alive, [thread.is_alive() for thread in threads]]

    result = run(handler)

    assert reply(result) == [[0.1, 0.2, 0.3], [True] * 3, [False] * 3]
    assert result.duration == 0.3


def test_a_join_may_time_out() -> None:
    """It waits for so long, in virtual time."""

    def handler(event: object, context: object) -> bool:
        thread = threading.Thread(target=time.sleep, args=(2,), daemon=True)
        thread.start()
        thread.join(0.5)
        return thread.is_alive()

    result = run(handler)

    assert (reply(result), result.duration) == (True, 0.5)


def test_a_pool_of_threads_works_in_virtual_time() -> None:
    """Two threads take three tasks."""

    def handler(event: object, context: object) -> list[float]:
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(slept, [0.3, 0.1, 0.1]))

    result = run(handler)

    assert (reply(result), result.duration) == ([0.3, 0.1, 0.1], 0.3)


def test_coroutines_and_threads_wait_for_each_other() -> None:
    """asyncio.to_thread, and run_coroutine_threadsafe back."""

    async def work() -> str:
        loop = asyncio.get_running_loop()

        def on_thread() -> str:
            time.sleep(0.5)
            return asyncio.run_coroutine_threadsafe(asyncio.sleep(0.25, "both"), loop).result()

        return await asyncio.to_thread(on_thread)

    result = run(lambda event, context: asyncio.run(work()))

    assert (reply(result), result.duration) == ("both", 0.75)


def test_queues_and_events_are_waited_for_in_virtual_time() -> None:
    """So are their time limits."""

    def handler(event: object, context: object) -> list[Any]:
        items: queue.Queue[int] = queue.Queue()
        simple: queue.SimpleQueue[int] = queue.SimpleQueue()
        done = threading.Event()

        def produce() -> None:
            for number in range(2):
                time.sleep(0.1)
                items.put(number)
            simple.put(2)
            done.set()

        threading.Thread(target=produce).start()
        got: list[Any] = [items.get(), items.get(), simple.get(), done.wait(1)]
        try:
            items.get(timeout=0.5)
        except queue.Empty:
            got.append("empty")
        return got

    result = run(handler)

    assert (reply(result), result.duration) == ([0, 1, 2, True, "empty"], 0.7)


def test_a_lock_is_held_by_one_thread_at_a_time() -> None:
    """The others wait for it in virtual time."""

    def handler(event: object, context: object) -> list[float]:
        lock, log = threading.RLock(), list[float]()

        def work() -> None:
            with lock, lock:
                time.sleep(0.5)
                log.append(time.monotonic() - began)

        began = time.monotonic()
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return log

    assert reply(run(handler)) == [0.5, 1.0, 1.5]


def test_each_thread_has_its_own_local_values() -> None:
    """threading.local tells a handler's threads apart."""

    def handler(event: object, context: object) -> list[bool]:
        local, seen = threading.local(), list[bool]()
        local.value = 1
        thread = threading.Thread(target=lambda: seen.append(hasattr(local, "value")))
        thread.start()
        thread.join()
        return [*seen, hasattr(local, "value")]

    assert reply(run(handler)) == [False, True]


def test_a_thread_left_running_goes_on_in_the_next_invocation() -> None:
    """An environment is frozen in between: what is due meanwhile happens when it is thawed."""
    log: list[float] = []

    def later() -> None:
        time.sleep(5)
        log.append(time.time())

    def handler(event: object, context: object) -> None:
        if not log:
            threading.Thread(target=later, daemon=True).start()
            log.append(time.time())
        time.sleep(1)

    world = World(handler)
    environment = world.environment()
    world.call(environment=environment)
    world.clock.run(until=60)
    world.call(environment=environment)

    assert [moment - world.clock.epoch for moment in log] == [0, 60]


def test_records_handled_side_by_side_wait_in_virtual_time() -> None:
    """An App's concurrency= with a sync handler uses threads and an event loop."""

    @on_sqs("orders", concurrency=3)
    def charge(order: str) -> None:
        time.sleep(1)

    result = run(App(charge), _sqs(7), timeout=30)

    assert (reply(result), result.duration) == ({"batchItemFailures": []}, 3)


def _sqs(count: int) -> dict[str, Any]:
    record = {
        "receiptHandle": "handle",
        "body": "body",
        "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1"},
        "messageAttributes": {},
        "md5OfBody": "md5",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
        "awsRegion": "us-east-1",
    }
    return {"Records": [{"messageId": str(number), **record} for number in range(count)]}


def test_a_process_is_waited_for_in_real_time() -> None:
    """What is no handler's takes no virtual time."""

    def handler(event: object, context: object) -> str:
        command = [sys.executable, "-c", "print('hello')"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    result = run(handler)

    assert (reply(result), result.duration) == ("hello\n", 0)


def test_sockets_of_an_event_loop_work() -> None:
    """They are waited for in real time."""

    async def work() -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            return line.decode()

    assert reply(run(lambda event, context: asyncio.run(work()))) == "hello\n"


def test_a_greenlet_of_the_users_own_waits_in_virtual_time() -> None:
    """Libraries use them, SQLAlchemy for one."""

    def handler(event: float, context: object) -> Any:
        return greenlet(slept).switch(event)

    results = World(handler).at_once(0.5, 0.25)

    assert [(reply(result), result.duration) for result in results] == [(0.5, 0.5), (0.25, 0.25)]


def test_the_clock_may_be_run_in_another_thread() -> None:
    """Without the watchdog, as signals reach the main thread only."""
    results: list[Result] = []
    thread = threading.Thread(target=lambda: results.append(run(lambda event, context: time.sleep(1))))

    thread.start()
    thread.join()

    assert [result.duration for result in results] == [1]


def test_a_handler_can_not_run_a_clock() -> None:
    """It runs on one; the error says what to do."""
    result = run(lambda event, context: VirtualClock().run())

    assert error(result)[0] == "ClockError"
    assert "time.sleep(seconds)" in error(result)[1]


# Time limits


def test_a_timeout_ends_the_handler_at_its_deadline() -> None:
    """The caller gets the service's error, and the environment is reset."""
    result = run(lambda event, context: time.sleep(10), timeout=2)

    message = "RequestId: request-1 Error: Task timed out after 2.00 seconds"
    assert (error(result), result.ended, result.ending) == (("Sandbox.Timedout", message), 2, Ending.RESET)


@pytest.mark.parametrize("kind", ["except", "finally", "coroutine", "thread"])
def test_no_handler_outlives_its_deadline(kind: str) -> None:
    """Whether it swallows what ends it, waits while it unwinds, runs a loop, or waits for a thread."""

    def handler(event: object, context: object) -> None:
        if kind == "coroutine":
            asyncio.run(asyncio.sleep(60))
        if kind == "thread":
            with ThreadPoolExecutor() as pool:
                pool.submit(time.sleep, 60)
        while True:
            try:
                time.sleep(1)
            except BaseException:  # noqa: BLE001 - a handler may do so
                if kind == "finally":
                    time.sleep(60)

    assert run(handler).ended == 3


def test_what_a_handler_returns_after_its_deadline_does_not_count() -> None:
    """It is over."""

    def handler(event: object, context: object) -> str:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - a handler may do so
            print("caught")  # noqa: T201 - handlers print
        return "too late"

    result = run(handler)

    assert (error(result)[0], result.log) == ("Sandbox.Timedout", "")


def test_the_context_tells_the_time_that_is_left() -> None:
    """In milliseconds of virtual time."""

    def handler(event: object, context: LambdaContext) -> int:
        time.sleep(1)
        return context.get_remaining_time_in_millis()

    assert reply(run(handler)) == 2_000


def test_a_handler_that_never_waits_is_ended_by_the_watchdog() -> None:
    """The error comes out of the run, and names the function and the line."""

    def handler(event: object, context: object) -> None:
        while True:
            pass

    world = World(handler, watchdog=0.2)

    with pytest.raises(StuckHandlerError, match=r"'f' \(request request-1\)[^$]*in handler"):
        world.call()


def test_a_handler_that_polls_virtual_time_is_ended_by_the_watchdog() -> None:
    """Even if it swallows every exception: time does not pass by sleep(0)."""

    def handler(event: object, context: object) -> None:
        while True:
            try:
                while True:
                    time.sleep(0)
            except BaseException:  # noqa: BLE001 - a handler may do so
                pass

    world = World(handler, watchdog=0.2)

    with pytest.raises(StuckHandlerError):
        world.call()


def test_a_handler_that_blocks_the_thread_is_ended_by_the_watchdog() -> None:
    """As one that waits for a lock which was made before the clock ran, and which another invocation holds."""
    lock = threading.Lock()

    def handler(event: object, context: object) -> None:
        with lock:
            time.sleep(1)

    with pytest.raises(StuckHandlerError, match="made before the clock ran"):
        World(handler, watchdog=0.2).at_once(1, 2)


def test_a_coroutine_that_waits_in_its_finally_block_ends_without_a_word() -> None:
    """Python itself would complain of it as garbage."""

    async def forever() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(1)

    async def work() -> None:
        task = asyncio.create_task(forever())
        await asyncio.shield(task)

    result = run(lambda event, context: asyncio.run(work()))
    gc.collect()

    assert (error(result)[0], result.log) == ("Sandbox.Timedout", "")


def test_nothing_is_left_of_invocations_that_are_over() -> None:
    """Their greenlets and frames are freed without a search for garbage."""

    class Event:
        pass

    alive: weakref.WeakSet[Event] = weakref.WeakSet()

    def handler(event: object, context: object) -> None:
        local = Event()
        alive.add(local)
        time.sleep(1)

    gc.disable()
    try:
        World(handler).at_once(*range(20))
    finally:
        gc.enable()

    assert len(alive) == 0


# Exits


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (sys.exit, "Runtime exited without providing a reason"),
        (lambda: sys.exit(3), "Runtime exited with error: exit status 3"),
        (lambda: os._exit(4), "Runtime exited with error: exit status 4"),
    ],
)
def test_an_exit_ends_the_environment_only(leave: Callable[[], None], reason: str) -> None:
    """The runtime's process would have ended; this one does not."""
    result = run(lambda event, context: leave())

    expected = ("Runtime.ExitError", f"RequestId: request-1 Error: {reason}")
    assert (error(result), result.ending) == (expected, Ending.RESET)


def test_a_keyboard_interrupt_of_the_handler_ends_its_environment() -> None:
    """It is no one's Ctrl-C."""

    def handler(event: object, context: object) -> None:
        raise KeyboardInterrupt

    result = run(handler)

    assert (error(result)[0], result.ending) == ("Runtime.ExitError", Ending.RESET)


def test_ctrl_c_stops_the_run() -> None:
    """Even if a handler is running that catches it."""

    def handler(event: object, context: object) -> None:
        with suppress(BaseException):
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        World(handler).call()


# Replies and errors


def test_events_and_replies_go_through_json() -> None:
    """What JSON can't hold is an error, as in Lambda."""
    result = run(lambda event, context: {"at": datetime.now(UTC)})

    expected = "Unable to marshal response: Object of type datetime is not JSON serializable"
    assert error(result) == ("Runtime.MarshalError", expected)


def test_an_exception_is_answered_and_logged() -> None:
    """The environment stays; the exception itself is kept for the test."""

    def handler(event: object, context: object) -> None:
        raise ValueError("no such order")

    result = run(handler)

    assert (error(result), result.ending) == (("ValueError", "no such order"), Ending.READY)
    assert result.log.startswith("[ERROR] ValueError: no such order\nTraceback (most recent call last):\n")
    assert isinstance(result.exception, ValueError)


# Environments


COUNTER = """
import time
count = 0
time.sleep(2)
def handler(event, context):
    global count
    count += 1
    if event == "exit":
        raise SystemExit
    time.sleep(1)
    return count
"""


def test_importing_the_module_is_the_init_phase(task: Callable[..., Path]) -> None:
    """It takes the time that the module's code waits, and no time of the invocation."""
    result = run("counter.handler", task_root=task(counter=COUNTER))

    assert (result.started, result.ended, result.init_duration, result.duration) == (0, 3, 2, 1)


def test_a_warm_environment_keeps_its_globals_and_no_other_sees_them(task: Callable[..., Path]) -> None:
    """Each has its own copy of the function's modules, and none is left in this process."""
    root = task(counter=COUNTER)
    world = World("counter.handler", task_root=root)
    environment = world.environment()

    results = [world.call(environment=environment) for _ in range(2)] + [world.call()]

    assert [(reply(result), result.init_duration) for result in results] == [(1, 2), (2, None), (1, 2)]
    assert "counter" not in sys.modules
    assert str(root) not in sys.path


def test_a_reset_environment_repeats_its_init_phase_in_the_next_invocation(task: Callable[..., Path]) -> None:
    """Its globals are gone, and the time is the invocation's."""
    world = World("counter.handler", task_root=task(counter=COUNTER))
    environment = world.environment()
    world.call("exit", environment)

    result = world.call(environment=environment, timeout=5)

    assert (reply(result), result.init_duration, result.duration) == (1, None, 3)


def test_imports_in_a_handler_get_the_environments_own_copy(task: Callable[..., Path]) -> None:
    """Also where several invocations wait in between."""
    late = "import time\ndef handler(event, context):\n    time.sleep(event)\n    import state\n"
    root = task(late=late + "    state.seen.append(event)\n    return state.seen\n", state="seen = []\n")

    results = World("late.handler", task_root=root).at_once(1, 2)

    assert [reply(result) for result in results] == [[1], [2]]


def test_a_module_the_test_imported_stays_the_tests(task: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment does not see it, nor replace it."""
    root = task(mine="value = 1\ndef handler(event, context):\n    return value\n")
    monkeypatch.syspath_prepend(str(root))
    import mine  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports]

    mine.value = 2
    result = run("mine.handler", task_root=root)

    assert (reply(result), sys.modules["mine"].value) == (1, 2)
    del sys.modules["mine"]


@pytest.mark.parametrize(
    ("setting", "text", "error_type", "message"),
    [
        ("m.handler", "import nothing_like_it", "Runtime.ImportModuleError", "Unable to import module 'm': No module"),
        (
            "m.handler",
            "def",
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'm': invalid syntax (m.py, line 1)",
        ),
        ("m.handler", "", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'm'"),
        ("m.handler", "1/0", "ZeroDivisionError", "division by zero"),
        ("m", "", "Runtime.MalformedHandlerName", "Bad handler 'm': not enough values"),
        ("sys.exit", "", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
    ],
)
def test_a_failed_init_is_answered_as_lambda_does(
    task: Callable[..., Path], setting: str, text: str, error_type: str, message: str
) -> None:
    """Without a request ID; there is no environment afterwards."""
    result = run(setting, task_root=task(m=text))

    assert (error(result)[0], reply(result)["requestId"], result.ending) == (error_type, "", Ending.GONE)
    assert error(result)[1].startswith(message)


def test_an_init_phase_that_takes_too_long_begins_anew_in_the_invocation(task: Callable[..., Path]) -> None:
    """It has 10 s; then the function's own time counts."""
    root = task(slow="import time\ntime.sleep(12)\ndef handler(event, context):\n    time.sleep(1)\n")

    result = run("slow.handler", task_root=root, timeout=20)

    assert (result.init_duration, result.duration, result.ended) == (10, 13, 23)


def test_an_app_starts_in_the_init_phase_and_closes_with_its_environment(task: Callable[..., Path]) -> None:
    """Its on_start hook runs once an environment, as in Lambda; what it opened is closed."""
    root = task(
        hooked="""
import time
from pathlib import Path
from lambdakit import App, on_invoke, on_start
@on_start
def connect():
    time.sleep(1)
    yield
    Path(__file__).with_suffix(".closed").write_text("closed")
@on_invoke
def work(number: int) -> int:
    return number
handler = App(__name__)
"""
    )
    world = World("hooked.handler", task_root=root)
    environment = world.environment()

    result = world.call(1, environment)
    world.runner.end(environment)
    world.clock.run()

    assert (result.init_duration, result.duration) == (1, 0)
    assert (root / "hooked.closed").read_text() == "closed"


def test_an_app_that_environments_share_has_dependencies_and_a_loop_in_each() -> None:
    """Only its modules are shared."""
    closed: list[list[int]] = []

    def counter() -> Iterator[list[int]]:
        count = [0]
        yield count
        closed.append(count)

    @on_invoke
    async def work(number: int, count: Annotated[list[int], Depends(counter, scope="environment")]) -> int:
        count[0] += 1
        await asyncio.sleep(number)
        return count[0]

    app = App(work)
    world = World(app)
    environment = world.environment()
    world.call(1, environment)
    results = [world.call(1, environment), *world.at_once(1, 1)]
    world.runner.close()

    assert [(reply(result), result.duration) for result in results] == [(2, 1), (1, 1), (1, 1)]
    assert closed == [[2], [1], [1]]


def test_ending_an_environment_ends_its_threads() -> None:
    """No greenlet is left to run."""
    world = World(lambda event, context: threading.Thread(target=time.sleep, args=(60,)).start())
    environment = world.environment()
    world.call(environment=environment)
    before = threading.active_count()

    world.runner.end(environment)
    world.clock.run()

    assert before - threading.active_count() == 1


# What a function is told, and what it says


def test_the_context_and_the_environment_variables_are_lambdas() -> None:
    """And the function's own; this process's are as they were."""

    def handler(event: object, context: LambdaContext) -> list[Any]:
        names = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_REGION", "TABLE")
        told = [context.function_name, context.aws_request_id, context.memory_limit_in_mb, context.invoked_function_arn]
        same_stream = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"] == context.log_stream_name
        return [[os.environ[name] for name in names], told, context.log_group_name, same_stream]

    before = dict(os.environ)

    result = run(handler, memory_size=256, region="eu-west-1", environment={"TABLE": "orders"})

    told = ["f", "request-1", "256", "arn:f"]
    assert reply(result) == [["f", "256", "eu-west-1", "orders"], told, "/aws/lambda/f", True]
    assert dict(os.environ) == before


def test_what_a_handler_prints_and_logs_is_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """Invocations that overlap do not mix, and nothing reaches the developer's streams."""

    def handler(event: str, context: object) -> None:
        print(event, "begins")  # noqa: T201 - handlers print
        time.sleep(1)
        logging.getLogger("shop").warning("%s ends", event)
        sys.stderr.write("!\n")

    results = World(handler).at_once("a", "b")

    assert [result.log for result in results] == [
        "a begins\n[WARNING]\t2026-01-01T00:00:01.000Z\trequest-1\ta ends\n!\n",
        "b begins\n[WARNING]\t2026-01-01T00:00:01.000Z\trequest-2\tb ends\n!\n",
    ]
    assert capsys.readouterr() == ("", "")


def test_a_logger_is_set_up_once_an_environment(task: Callable[..., Path]) -> None:
    """A handler that a module adds to it in each environment writes each message once."""
    text = """
import logging
logging.getLogger().setLevel("INFO")
logger = logging.getLogger("own")
logger.addHandler(logging.StreamHandler())
logger.propagate = False
def handler(event, context):
    logger.info("message")
    logging.getLogger("boto").info("other")
"""
    level = logging.getLogger().level

    results = World("logs.handler", task_root=task(logs=text)).at_once(1, 2)

    assert [result.log.splitlines()[0] for result in results] == ["message"] * 2
    assert [result.log.count("other") for result in results] == [1] * 2
    assert (logging.getLogger().level, "own" in logging.Logger.manager.loggerDict) == (level, False)


def test_what_is_printed_outside_of_handlers_is_the_developers(capsys: pytest.CaptureFixture[str]) -> None:
    """Also while the clock runs."""
    clock = VirtualClock()
    VirtualRunner(clock)
    clock.at(1, lambda: print("tick"))  # noqa: T201 - that is the point

    clock.run()

    assert capsys.readouterr().out == "tick\n"


# Stand-ins


@pytest.mark.parametrize(
    ("duration", "expected"),
    [(0.5, 0.5), (lambda event: event / 10, 0.3), (lambda event, random: event + random.choice([1]), 4)],
)
def test_a_stand_in_takes_the_time_of_real_work(duration: Any, expected: float) -> None:
    """Before the reply, on top of what the handler waits."""
    result = run(
        lambda event, context: event,
        3,
        init_duration=lambda random: 1 + 0 * random.random(),
        duration=duration,
        timeout=9,
    )

    assert (result.init_duration, result.duration) == (1, expected)


def test_a_stand_in_asks_by_name() -> None:
    """Anything else is refused when the function is deployed."""
    with pytest.raises(TypeError, match=r"named event or random, not size: write lambda event: \.\.\."):
        World(lambda event, context: None, duration=lambda size: size)


# Laws

plans = st.lists(st.lists(st.integers(min_value=0, max_value=50), max_size=4), min_size=1, max_size=8)


@settings(max_examples=40)
@given(plans, st.sampled_from(["sleep", "asyncio", "threads"]))
def test_every_invocation_ends_when_its_waits_are_over(plan: list[list[int]], kind: str) -> None:
    """None is lost and none is cut short, whatever the others do; the clock ends with the last."""
    world = World(_waiter(kind))

    results = world.at_once(*plan, timeout=900)

    assert [result.ended for result in results] == [sum(waits) / 10 for waits in plan]
    assert world.clock.now == max(result.ended for result in results)


@settings(max_examples=25)
@given(plans, st.integers(min_value=0, max_value=5))
def test_the_same_seed_gives_the_same_run(plan: list[list[int]], seed: int) -> None:
    """Down to the order of what happens at the same instant, and to what module random gives."""

    def once() -> list[str]:
        log: list[str] = []

        def handler(event: Sequence[int], context: LambdaContext) -> None:
            for wait in event:
                time.sleep(wait / 10)
                log.append(f"{time.time()} {context.aws_request_id} {random.random()}")

        World(handler, seed=seed).at_once(*plan, timeout=900)
        return log

    assert once() == once()


def _waiter(kind: str) -> Handler:
    def sleep(event: list[int], context: object) -> None:
        for wait in event:
            time.sleep(wait / 10)

    async def waits(event: list[int]) -> None:
        for wait in event:
            await asyncio.sleep(wait / 10)

    def in_threads(event: list[int], context: object) -> None:
        for wait in event:
            thread = threading.Thread(target=time.sleep, args=(wait / 10,))
            thread.start()
            thread.join()

    if kind == "asyncio":
        return lambda event, context: asyncio.run(waits(event))
    return sleep if kind == "sleep" else in_threads
