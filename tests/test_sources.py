"""Local sources and the local Lambda together: what they send runs there."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from lambdakit import App, on_eventbridge, on_s3, on_schedule, on_sns
from lambdakit.events import S3Record, ScheduledEvent
from lambdakit.local import LocalLambda
from lambdakit.local.sources.bucket import Bucket
from lambdakit.local.sources.bus import Bus
from lambdakit.local.sources.source import Place
from lambdakit.local.sources.topic import Topic


def _place(local: LocalLambda) -> Place:
    return Place(local._clock)  # pyright: ignore[reportPrivateUsage]


def test_uploads_are_ingested_in_parallel() -> None:
    """As many at once as the function may."""

    @on_s3("uploads", suffix=".csv")
    def ingest(upload: S3Record) -> None:
        time.sleep(1)

    local = LocalLambda()
    function = local.deploy(App(ingest), reserved_concurrency=5)
    bucket = Bucket("uploads", _place(local))
    bucket.notify(function, suffix=".csv")
    for number in range(20):
        bucket.put(f"{number}.csv", b"id,total\n")
    local.run()

    assert (function.max_concurrency, function.cold_starts, function.errors) == (5, 5, [])


def test_what_a_handler_does_starts_another(local: LocalLambda) -> None:
    """A put in one function is an event for the next, in the same run."""
    place = _place(local)
    bucket, topic, bus = Bucket("uploads", place), Topic("done", place), Bus("default", place)
    log: list[str] = []

    @on_s3("uploads", prefix="in/")
    def copy(upload: S3Record) -> None:
        time.sleep(10)
        bucket.copy(upload.key, upload.key.replace("in/", "out/"))

    @on_eventbridge({"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "out/"}]}}})
    def announce(detail: dict[str, Any]) -> None:
        time.sleep(5)
        topic.publish(detail["object"]["key"])

    @on_sns("done")
    def read(key: str) -> None:
        log.append(f"{local.now:g} {key}")

    bucket.notify(local.deploy(App(copy), name="copy", timeout=20), prefix="in/")
    bucket.event_bridge = bus
    bus.rule("out", {"source": ["aws.s3"]}, local.deploy(App(announce, _ignore), name="announce", timeout=20))
    topic.subscribe(local.deploy(App(read), name="read"))
    bucket.put("in/a b.csv")
    local.run()

    assert log == ["15 out/a b.csv"]


@on_eventbridge({"source": ["aws.s3"]})
def _ignore() -> None: ...


def test_a_schedule_runs_a_function_and_lets_a_run_end(local: LocalLambda) -> None:
    """It fires while time passes; a run without an end in time is over when the function has answered."""

    @on_schedule("rate(1 hour)")
    def sweep(event: ScheduledEvent) -> None:
        time.sleep(2)

    function = local.deploy(App(sweep))
    local.run(until=3 * 3_600)
    local.run()

    assert [invocation.started for invocation in function.invocations] == [3_600, 7_200, 10_800]
    assert local.now == 10_802


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_order(seed: int) -> None:
    """Of all that sources send at one instant."""
    assert _order(seed) == _order(seed)


def test_different_seeds_give_different_orders() -> None:
    """So a test can look for what depends on them."""
    assert len({_order(seed) for seed in range(10)}) > 5


def _order(seed: int) -> tuple[str, ...]:
    local, log = LocalLambda(seed), list[str]()
    place = _place(local)
    bucket, topic = Bucket("uploads", place), Topic("alerts", place)
    bucket.notify(local.deploy(App(_logging_s3(log)), name="ingest"))
    topic.subscribe(local.deploy(App(_logging_sns(log)), name="alert"))
    for number in range(4):
        bucket.put(f"key-{number}")
        topic.publish(f"message-{number}")
    local.run()
    return tuple(log)


def _logging_s3(log: list[str]) -> Callable[[S3Record], None]:
    @on_s3("uploads")
    def handle(upload: S3Record) -> None:
        log.append(upload.key)

    return handle


def _logging_sns(log: list[str]) -> Callable[[str], None]:
    @on_sns("alerts")
    def handle(message: str) -> None:
        log.append(message)

    return handle


@pytest.fixture
def local() -> LocalLambda:
    return LocalLambda()
