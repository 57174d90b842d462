"""Tumbling windows: what their invocations are given, when they end, and what becomes of their state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, identify, on_kinesis
from lambdakit.events import KinesisEvent
from lambdakit.local.mappings.settings import DynamoDbSettings, StreamSettings
from lambdakit.local.mappings.shards import ShardMapping
from lambdakit.local.sources.source import Place
from lambdakit.local.sources.stream import Stream
from lambdakit.local.sources.table import Table
from lambdakit.local.virtual.clock import VirtualClock
from tests.scripted import THROTTLED, ScriptedFunction, data_of

Script = Callable[[dict[str, Any]], object]


def add(event: dict[str, Any]) -> object:
    """The letters of a window, gathered in its state."""
    seen = event["state"].get("seen", "") + "".join(data_of(event))
    return {"state": {"seen": seen}}


class World:
    """A stream with windows of a minute, and a function that gathers letters."""

    def __init__(self, script: Script = add, **settings: Any) -> None:
        self.clock = VirtualClock()
        self.stream = Stream("readings", Place(self.clock))
        self.fn = ScriptedFunction(self.clock, script)
        self.sent: list[dict[str, Any]] = []
        self.mapping = ShardMapping(
            self.clock,
            self.stream,
            self.fn,
            StreamSettings(tumbling_window_in_seconds=60, **settings),
            lambda _, record: self.sent.append(record),
        )

    def put(self, **letters: float) -> None:
        """Letters and when, in seconds."""
        for letter, time in letters.items():
            self.clock.run(time)
            self.stream.put_record(letter, "k")

    @property
    def history(self) -> list[tuple[float, str, str, str]]:
        """When what was delivered with which state; ``final`` or ``early`` where a window ends."""
        return [
            (time, "".join(data_of(event)), event["state"].get("seen", ""), _kind(event))
            for time, event in self.fn.calls
        ]


def _kind(event: dict[str, Any]) -> str:
    if event["isWindowTerminatedEarly"]:
        return "early"
    return "final" if event["isFinalInvokeForWindow"] else ""


def test_a_window_has_a_state_until_it_ends() -> None:
    """It ends two minutes after its last record, when its time is over; the next one begins anew."""
    world = World()
    world.put(a=0, b=10, c=59.5)
    world.clock.run()
    world.put(d=300)
    world.clock.run()

    assert world.history == [
        (0, "a", "", ""),
        (10, "b", "a", ""),
        (60, "c", "ab", ""),
        (180, "", "abc", "final"),
        (300, "d", "", ""),
        (420, "", "d", "final"),
    ]


def test_a_record_of_a_later_window_ends_the_one_before() -> None:
    """A batch has the records of one window, by their arrival."""
    world = World(maximum_batching_window_in_seconds=30)
    world.put(a=50, b=59, c=61, d=62)
    world.clock.run(100)

    assert world.history == [(61, "ab", "", ""), (61, "", "ab", "final"), (91, "cd", "", "")]


def test_an_invocation_says_which_window_it_is_for() -> None:
    """In whole seconds; windows begin at multiples of their length."""
    world = World()
    world.put(a=75)
    world.clock.run()

    assert [{name: event[name] for name in event if name != "Records"} for event in world.fn.events] == [
        {
            "window": {"start": "2026-01-01T00:01:00Z", "end": "2026-01-01T00:02:00Z"},
            "state": state,
            "shardId": "shardId-000000000000",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/readings",
            "isFinalInvokeForWindow": final,
            "isWindowTerminatedEarly": False,
        }
        for state, final in (({}, False), ({"seen": "a"}, True))
    ]
    assert [identify(event) for event in world.fn.events] == ["kinesis", "kinesis"]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}, b"not JSON", [1]], ids=repr)
def test_an_answer_without_a_state_is_a_failure(answer: object) -> None:
    """The batch is delivered again."""
    world = World(lambda event: answer, maximum_retry_attempts=1, on_failure="failed")
    world.put(a=0)
    world.clock.run(100)

    [record] = world.sent
    assert [data for _, data, _, _ in world.history] == ["a", "a"]
    assert record["responseContext"]["functionError"] is None


def test_what_is_delivered_again_is_not_lost() -> None:
    """Though the function listed it and nobody looked: without a state the whole batch failed."""

    def script(event: dict[str, Any]) -> object:
        failures = [{"itemIdentifier": record["kinesis"]["sequenceNumber"]} for record in event["Records"]]
        return {"batchItemFailures": failures}

    world = World(script, maximum_retry_attempts=1)
    world.put(a=0)
    world.clock.run(100)

    assert (world.mapping.lost, world.mapping.counts.discarded) == ([], 1)


def test_a_failed_batch_leaves_the_state_as_it_was() -> None:
    """Also if it is given up."""

    def script(event: dict[str, Any]) -> object:
        return ValueError("no") if "b" in data_of(event) else add(event)

    world = World(script, maximum_retry_attempts=1)
    world.put(a=0, b=10, c=20)
    world.clock.run()

    assert world.history == [
        (0, "a", "", ""),
        (10, "b", "a", ""),
        (11, "b", "a", ""),
        (20, "c", "a", ""),
        (140, "", "ac", "final"),
    ]


def test_a_partial_answer_keeps_its_state() -> None:
    """What was done is in it; the rest is delivered with it."""

    def script(event: dict[str, Any]) -> object:
        if data_of(event) != ["a", "b"]:
            return add(event)
        failed = event["Records"][1]["kinesis"]["sequenceNumber"]
        return {"state": {"seen": "a"}, "batchItemFailures": [{"itemIdentifier": failed}]}

    world = World(script, function_response_types="ReportBatchItemFailures", maximum_batching_window_in_seconds=1)
    world.put(a=0, b=0)
    world.clock.run()

    assert world.history == [(1, "ab", "", ""), (1, "b", "a", ""), (121, "", "ab", "final")]


def test_a_state_that_is_too_large_ends_its_window_early() -> None:
    """More than a megabyte; the same window then goes on with a new state."""

    def script(event: dict[str, Any]) -> object:
        return {"state": {"seen": "x" * 1024 * 1024}} if data_of(event) == ["a"] else add(event)

    world = World(script)
    world.put(a=0, b=10)
    world.clock.run()

    assert [(time, data, len(state), kind) for time, data, state, kind in world.history] == [
        (0, "a", 0, ""),
        (0, "", 1024 * 1024, "early"),
        (10, "b", 0, ""),
        (130, "", 1, "final"),
    ]
    assert {event["window"]["start"] for event in world.fn.events} == {"2026-01-01T00:00:00Z"}


def test_the_end_of_a_window_is_tried_again() -> None:
    """The shard waits for it."""
    answers: list[object] = [ValueError("no"), THROTTLED]

    def script(event: dict[str, Any]) -> object:
        return answers.pop(0) if event["isFinalInvokeForWindow"] and answers else add(event)

    world = World(script)
    world.put(a=0, b=60)
    world.clock.run(100)

    assert world.history == [
        (0, "a", "", ""),
        (60, "", "a", "final"),
        (61, "", "a", "final"),
        (62, "", "a", "final"),
        (62, "b", "", ""),
    ]


@pytest.mark.parametrize(
    ("limit", "calls"),
    [({"maximum_retry_attempts": 2}, 3), ({"maximum_record_age_in_seconds": 120}, 1)],
    ids=["retries", "age"],
)
def test_the_end_of_a_window_may_never_succeed(limit: dict[str, int], calls: int) -> None:
    """Then its state is gone, which the mapping notes."""

    def script(event: dict[str, Any]) -> object:
        return ValueError("no") if event["isFinalInvokeForWindow"] else add(event)

    world = World(script, **limit)
    world.put(a=0)
    world.clock.run()

    assert [kind for *_, kind in world.history].count("final") == calls
    assert [window.start for window in world.mapping.lost_windows] == [int(world.clock.epoch)]


def test_a_window_ends_with_its_shard() -> None:
    """The children begin windows of their own, in a fresh state."""
    world = World()
    world.put(a=0)
    world.stream.split_shard("shardId-000000000000")
    world.put(b=10)
    world.clock.run(20)

    assert world.history == [(0, "a", "", ""), (0, "", "a", "final"), (10, "b", "", "")]


def test_a_window_of_old_records_waits_for_more_of_them() -> None:
    """Two minutes since they were read, though its time is long over."""
    world = World(starting_position="TRIM_HORIZON", enabled=False)
    world.put(a=0, b=1)
    world.clock.run(3_600)
    world.mapping.enable()
    world.clock.run()

    assert world.history == [(3_600, "ab", "", ""), (3_720, "", "ab", "final")]


def test_the_windows_of_a_table_go_by_whole_seconds() -> None:
    """As its records tell their time."""
    clock = VirtualClock()
    table = Table("orders", Place(clock))
    fn = ScriptedFunction(clock, lambda event: {"state": {}})
    ShardMapping(clock, table.stream, fn, DynamoDbSettings(tumbling_window_in_seconds=60))
    clock.run(59.9)
    table.put({"id": "1"})
    clock.run(60)
    table.put({"id": "2"})
    clock.run()

    assert [(len(event["Records"]), event["window"]["start"][-6:]) for event in fn.events] == [
        (1, "00:00Z"),
        (0, "00:00Z"),
        (1, "01:00Z"),
        (0, "01:00Z"),
    ]
    assert {identify(event) for event in fn.events} == {"dynamodb"}


def test_a_handler_of_an_app_keeps_the_state() -> None:
    """It is asked for the whole event, and returns the state, at the end too."""
    totals: list[int] = []

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def total(event: KinesisEvent[int]) -> dict[str, Any]:
        before = (event.state or {}).get("total", 0)
        now = before + sum(record.data for record in event.records)
        if event.is_final_invoke_for_window:
            totals.append(now)
        return {"state": {"total": now}}

    app = App(total)
    world = World(lambda event: app(event, None))
    for number in (1, 2, 3):
        world.stream.put_record(number, "k")
        world.clock.run(number * 10)
    world.clock.run()

    assert totals == [6]


@given(
    st.lists(st.sampled_from([0, 0.25, 20, 70, 200]), max_size=20),
    st.lists(st.sampled_from(["ok", "ok", "error", "throttled", "stateless"]), max_size=30),
    st.integers(1, 4),
    st.booleans(),
)
def test_each_record_is_in_the_state_of_its_window_at_its_end(
    pauses: list[float], faults: list[str], batch_size: int, bisect: bool
) -> None:
    """In order, and in that of no other, whatever fails on the way."""
    ends: dict[str, list[str]] = {}
    answers: dict[str, object] = {"error": OSError("no"), "throttled": THROTTLED, "stateless": {}}

    def script(event: dict[str, Any]) -> object:
        fault = faults.pop() if faults else "ok"
        if fault == "ok" and event["isFinalInvokeForWindow"]:
            ends.setdefault(event["window"]["start"], []).append(event["state"]["seen"])
        return answers[fault] if fault in answers else add(event)

    world = World(script, batch_size=batch_size, bisect_batch_on_function_error=bisect)
    wanted: dict[str, str] = {}
    for letter, pause in zip("abcdefghijklmnopqrstuvwxyz", pauses, strict=False):
        world.clock.run(world.clock.now + pause)
        record = world.stream.put_record(letter, "k")
        window = f"{datetime.fromtimestamp(record.arrived // 60 * 60, UTC):%Y-%m-%dT%H:%M:%SZ}"
        wanted[window] = wanted.get(window, "") + letter
    world.clock.run()

    assert {window: "".join(states) for window, states in ends.items()} == wanted
    assert world.mapping.lost_windows == []
