"""Streams at an endpoint, with clients that do what moto does not; without threads, on virtual time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.mappings.dialects import dialect_of
from lambdakit.local.mappings.settings import DynamoDbSettings, StreamSettings
from lambdakit.local.mappings.shards import ShardMapping
from lambdakit.local.remote.endpoint import Endpoint
from lambdakit.local.remote.stream import RemoteStream
from lambdakit.local.remote.table_stream import RemoteTableStream
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.stream import Stream
from lambdakit.local.sources.table import Table
from lambdakit.local.virtual.clock import VirtualClock
from tests.fake_clients import FakeDynamoDbStreams, FakeKinesis, client_error
from tests.scripted import Script, ScriptedFunction, data_of
from tests.virtual_calls import VirtualCalls

LOST = EndpointConnectionError(endpoint_url="http://kinesis.test")
THROUGHPUT = client_error("ProvisionedThroughputExceededException", "Rate exceeded for shard")
EXPIRED = client_error("ExpiredIteratorException", "Iterator expired.")


class StreamWorld:
    """A Kinesis stream that is reached through a client, and a function."""

    def __init__(self, given: str = "readings", **settings: Any) -> None:
        self.clock = VirtualClock()
        self.calls = VirtualCalls(self.clock)
        self.stream = Stream("readings", Place(self.clock), **settings)
        self.client = FakeKinesis(self.stream)
        self.remote = RemoteStream(given, Place(self.clock), lambda: self.calls, Endpoint(client=self.client))

    def map(self, script: Script = lambda event: None, *, duration: float = 0, **settings: Any) -> ShardMapping:
        self.remote.connect()
        self.fn = ScriptedFunction(self.clock, script, duration=duration)
        self.mapping = ShardMapping(self.clock, self.remote, self.fn, StreamSettings(**settings))
        return self.mapping

    def put(self, *data: str, key: str = "k") -> None:
        for one in data:
            self.stream.put_record(one, key)

    @property
    def deliveries(self) -> list[tuple[float, str]]:
        """When what was delivered; each record's data is a letter."""
        return [(round(time, 9), "".join(data_of(event))) for time, event in self.fn.calls]

    @property
    def delivered(self) -> str:
        return "".join(data for _, data in self.deliveries)


class TableWorld:
    """A table whose stream is reached through a client, and a function."""

    def __init__(self, given: str = "customers", **settings: Any) -> None:
        self.clock = VirtualClock()
        self.calls = VirtualCalls(self.clock)
        self.table = Table("customers", Place(self.clock), **settings)
        self.client = FakeDynamoDbStreams(self.table)
        arn = given if given != "the stream's ARN" else self.table.stream.arn
        self.remote = RemoteTableStream(arn, Place(self.clock), lambda: self.calls, Endpoint(client=self.client))

    def map(self, script: Script = lambda event: None, **settings: Any) -> ShardMapping:
        self.remote.connect()
        self.fn = ScriptedFunction(self.clock, script)
        self.mapping = ShardMapping(self.clock, self.remote, self.fn, DynamoDbSettings(**settings))
        return self.mapping

    @property
    def records(self) -> list[dict[str, Any]]:
        return [record for event in self.fn.events for record in event["Records"]]

    @property
    def changed(self) -> list[str]:
        return [record["dynamodb"]["Keys"]["id"]["S"] for record in self.records]


# Records.


def test_records_are_read_and_processed_in_order() -> None:
    """Those of a shard."""
    world = StreamWorld()
    mapping = world.map(batch_size=2)
    world.put(*"abc")

    world.clock.run()

    assert world.delivered == "abc"
    assert (mapping.counts.processed, mapping.counts.held) == (3, 0)


def test_a_record_of_kinesis_is_as_a_stream_here_would_have_it() -> None:
    """Bytes, arrival time and all."""
    world = StreamWorld()
    record = world.stream.put_record(b"\0\xff", "kö")
    world.map()

    world.clock.run()

    assert world.fn.events == [{"Records": [json.loads(dialect_of(world.stream).encode(record))]}]


def test_a_change_of_dynamodb_is_as_a_table_here_would_have_it() -> None:
    """Bytes are base64 wherever they are; the id is the service's own."""
    world = TableWorld()
    world.map()
    deep = {"list": [b"\1", {"bytes": b"\2"}], "B": b"\3"}
    world.table.put({"id": "1", "raw": b"\0", "many": {b"\4", b"\5"}, "deep": deep, "none": None, "yes": True})
    world.table.update("1", {"total": 5})
    world.table.delete("1")
    [shard] = world.table.stream.list_shards()

    world.clock.run()

    local = [json.loads(dialect_of(world.table.stream).encode(change)) for change in shard.log]
    for record, change in zip(local, shard.log, strict=True):
        record["eventID"] = f"event-{change.sequence_number}"
    assert world.records == local


def test_an_item_that_expired_is_told_from_one_that_was_deleted() -> None:
    """By who removed it."""
    world = TableWorld(time_to_live="ends")
    world.table.put({"id": "1", "ends": int(world.clock.epoch) + 60})
    world.map()

    world.clock.run(until=120)

    assert [record.get("userIdentity") for record in world.records] == [
        None,
        {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    ]


# Finding the stream.


@pytest.mark.parametrize(
    ("given_name", "asked"),
    [
        ("readings", {"StreamName": "readings"}),
        ("arn:aws:kinesis:us-east-1:1:stream/readings", {"StreamARN": "arn:aws:kinesis:us-east-1:1:stream/readings"}),
    ],
    ids=["a name", "an ARN"],
)
def test_a_stream_is_found_by(given_name: str, asked: dict[str, str]) -> None:
    """As it was given; its retention is looked up."""
    world = StreamWorld(given_name, retention_period_hours=48)

    world.map()

    assert world.client.asked("describe_stream_summary") == [asked]
    assert (world.remote.name, world.remote.arn, world.remote.retention) == ("readings", world.stream.arn, 48 * 3600)


@pytest.mark.parametrize(
    "given_name", ["customers", "arn:aws:dynamodb:us-east-1:123456789012:table/customers", "the stream's ARN"]
)
def test_a_tables_stream_is_found_by(given_name: str) -> None:
    """The newest, of those that a table has had."""
    world = TableWorld(given_name, stream_view_type="KEYS_ONLY")

    world.map()

    assert (world.remote.name, world.remote.arn) == ("customers", world.table.stream.arn)
    assert world.remote.stream_view_type == "KEYS_ONLY"


def test_a_table_without_a_stream_cannot_be_mapped() -> None:
    """It says what is missing."""
    world = TableWorld()
    world.client.list_streams = lambda **given: {"Streams": []}  # type: ignore[method-assign]

    with pytest.raises(SourceError, match=r"customers is not there, or has no stream: .*StreamSpecification"):
        world.map()


@pytest.mark.parametrize("operation", ["describe_stream_summary", "list_shards", "get_shard_iterator"])
def test_what_goes_wrong_while_a_stream_is_mapped_is_raised(operation: str) -> None:
    """There is somebody to tell."""
    world = StreamWorld()
    world.client.fail(operation, client_error("AccessDeniedException", "User is not authorized"))

    with pytest.raises(SourceError, match="AccessDeniedException: User is not authorized"):
        world.map(starting_position="LATEST")


def test_all_shards_are_read_however_many_pages_list_them() -> None:
    """With a token nothing else may be asked for."""
    world = StreamWorld(shard_count=5)
    mapping = world.map()

    world.clock.run()

    assert len(mapping.shards) == 5


# Where reading begins.


def test_latest_is_decided_when_a_stream_is_mapped() -> None:
    """What is put from then on is not missed, though nothing was asked for yet."""
    world = StreamWorld()
    world.put("a")
    world.map(starting_position="LATEST")
    world.put("b")

    world.clock.run()

    assert world.delivered == "b"


def test_closed_shards_have_nothing_for_who_begins_with_the_latest() -> None:
    """They are not read."""
    world = StreamWorld()
    world.stream.split_shard("shardId-000000000000")
    mapping = world.map(starting_position="LATEST")
    world.put("a")

    world.clock.run()

    assert (world.delivered, len(mapping.shards)) == ("a", 2)


def test_reading_begins_at_a_time() -> None:
    """With the first record since."""
    world = StreamWorld()
    world.put("a")
    world.clock.run(until=60)
    world.put("b")
    world.map(starting_position="AT_TIMESTAMP", starting_position_timestamp=world.clock.today - timedelta(seconds=30))

    world.clock.run()

    assert world.delivered == "b"


def test_each_mapping_begins_where_it_is_to() -> None:
    """Though both read the same shard."""
    world = StreamWorld()
    world.put("a")
    first = world.map()
    fn = ScriptedFunction(world.clock)
    ShardMapping(world.clock, world.remote, fn, StreamSettings(starting_position="LATEST"))
    world.put("b")

    world.clock.run()

    assert (world.delivered, [*map(data_of, fn.events)], first.counts.held) == ("ab", [["b"]], 0)


# Polling.


def test_an_idle_shard_is_read_once_a_second() -> None:
    """That is nothing left to do, once it was found empty."""
    world = StreamWorld()
    world.map()

    world.clock.run()
    over = world.clock.now
    world.clock.run(until=10.5)

    assert (over, len(world.client.asked("get_records"))) == (0, 11)


def test_an_idle_shard_of_a_table_is_read_four_times_a_second() -> None:
    """As Lambda does."""
    world = TableWorld()
    world.map()

    world.clock.run(until=10.1)

    assert len(world.client.asked("get_records")) == 41


def test_what_comes_while_nobody_runs_the_clock_is_read() -> None:
    """With the next request."""
    world = StreamWorld()
    world.map()
    world.clock.run(until=2.5)
    world.put("a")

    world.clock.run(until=4)

    assert world.deliveries == [(3, "a")]


def test_who_begins_to_wait_has_each_shard_read_soon() -> None:
    """Not more than five times a second, though."""
    world = StreamWorld()
    world.map()
    world.clock.run(until=2.05)
    world.put("a")

    world.calls.somebody_waits()
    world.clock.run()

    assert world.deliveries == [(2.2, "a")]


def test_a_shard_is_read_on_at_once_where_it_has_more() -> None:
    """Five times a second: AWS allows no more."""
    world = StreamWorld()
    world.map(batch_size=1000, maximum_batching_window_in_seconds=0)
    for number in range(2_500):
        world.stream.put_record(str(number), "k")
    world.clock.run(until=0.9)

    assert [(round(time, 9), len(event["Records"])) for time, event in world.fn.calls] == [
        (0, 1000),
        (0.2, 1000),
        (0.4, 500),
    ]


@pytest.mark.parametrize("error", [THROUGHPUT, LOST, client_error("InternalFailure")], ids=str)
def test_a_shard_that_cannot_be_read_is_read_later(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """After 1 s, 2 s, 4 s and so on; it is logged, and the mapping remembers it."""
    world = StreamWorld()
    world.client.fail("get_records", *[error] * 3)
    mapping = world.map()
    world.put("a")

    world.clock.run()

    assert world.deliveries == [(7, "a")]
    assert isinstance(mapping.last_error, SourceError)
    assert [record.message for record in caplog.records] == [
        f"<RemoteStream 'readings'> can't be read: {mapping.last_error}"
    ] * 3


def test_a_shard_that_cannot_be_read_on_is_read_later() -> None:
    """In the middle of it too."""
    world = StreamWorld()
    world.map(batch_size=1000)
    for number in range(1_500):
        world.stream.put_record(str(number), "k")
    world.clock.run(until=0.1)
    world.client.fail("get_records", THROUGHPUT)

    world.clock.run()

    assert [(round(time, 9), len(event["Records"])) for time, event in world.fn.calls] == [(0, 1000), (1.2, 500)]


def test_a_mapping_that_was_disabled_reads_no_more_and_goes_on_where_it_was() -> None:
    """Its iterators have expired meanwhile."""
    world = StreamWorld()
    mapping = world.map()
    world.put("a")
    world.clock.run(until=1.5)
    mapping.disable()
    world.clock.run(until=2)
    before = len(world.client.requests)
    world.put("b")
    world.clock.run(until=1_000)
    asked = len(world.client.requests) - before

    mapping.enable()
    world.clock.run()

    assert (asked, world.delivered) == (0, "ab")


def test_who_began_with_the_latest_misses_nothing_though_iterators_expired() -> None:
    """Before anything was read."""
    world = StreamWorld()
    world.put("a")
    world.clock.run(until=1)
    mapping = world.map(starting_position="LATEST")
    world.clock.run(until=2.5)
    mapping.disable()
    world.clock.run(until=3)
    world.put("b")
    world.clock.run(until=1_000)

    mapping.enable()
    world.clock.run()

    assert world.delivered == "b"


def test_an_iterator_that_has_expired_is_replaced() -> None:
    """By one after the record that was read last."""
    world = StreamWorld()
    world.map()
    world.put("a")
    world.clock.run(until=1.5)
    world.client.fail("get_records", EXPIRED)
    world.put("b")

    world.clock.run(until=3)

    assert world.deliveries == [(0, "a"), (2.2, "b")]
    assert [given["ShardIteratorType"] for given in world.client.asked("get_shard_iterator")] == [
        "TRIM_HORIZON",
        "AFTER_SEQUENCE_NUMBER",
    ]


def test_a_failed_batch_is_tried_again_before_the_next() -> None:
    """The shard waits."""
    world = StreamWorld()
    answers = iter([OSError()])
    world.map(lambda event: next(answers, None), batch_size=1)
    world.put(*"ab")

    world.clock.run()

    assert world.deliveries == [(0, "a"), (1, "a"), (1, "b")]


def test_the_source_knows_how_far_a_mapping_is() -> None:
    """By the number of the last record that is done."""
    world = StreamWorld()
    mapping = world.map()
    world.put(*"ab")
    world.clock.run()
    [shard] = world.stream.list_shards()

    assert world.remote.read_by == {mapping.uuid: {shard.shard_id: shard.log[1].sequence_number}}


# Shards that come and go.


def test_children_are_read_after_their_parent() -> None:
    """A shard that is split, whose children are split again."""
    world = StreamWorld()
    world.map()
    world.put("a")
    world.stream.split_shard("shardId-000000000000")
    world.put("b")
    world.stream.split_shard("shardId-000000000001")
    world.stream.split_shard("shardId-000000000002")
    world.put("c")

    world.clock.run()

    assert (world.delivered, len(world.mapping.shards)) == ("abc", 7)


def test_a_merged_shard_is_read_after_both_its_parents() -> None:
    """It comes while the mapping polls."""
    world = StreamWorld(shard_count=2)
    world.map(duration=5)
    world.put("a")
    world.clock.run(until=1)

    world.stream.merge_shards("shardId-000000000000", "shardId-000000000001")
    world.put("b")
    world.clock.run()

    assert world.deliveries == [(0, "a"), (5, "b")]


def test_all_mappings_are_told_of_new_shards() -> None:
    """Whichever sees the end of a shard first."""
    world = StreamWorld()
    mappings = [world.map(), world.map()]
    world.clock.run(until=1.5)
    world.stream.split_shard("shardId-000000000000")

    world.clock.run(until=5)

    assert [len(mapping.shards) for mapping in mappings] == [3, 3]


def test_the_changes_of_a_table_go_on_in_the_next_shard() -> None:
    """DynamoDB closes one every few hours."""
    world = TableWorld()
    world.map(starting_position="LATEST")
    world.table.put({"id": "a"})
    [shard] = world.table.stream.list_shards()
    world.clock.run(until=1)
    world.table.stream.split_shard(shard.shard_id)
    world.table.put({"id": "b"})

    world.clock.run(until=5)

    assert (world.changed, len(world.mapping.shards)) == (["a", "b"], 3)


def test_a_shard_has_not_ended_before_another_follows_it() -> None:
    """A stream that goes on may list the next one a little later."""
    world = TableWorld()
    mapping = world.map()
    world.table.put({"id": "a"})
    [shard] = world.table.stream.list_shards()
    shard.closed = True
    world.clock.run(until=2)
    waiting = mapping.shards[0].finished
    shard.closed = False
    world.table.stream.split_shard(shard.shard_id)
    world.table.put({"id": "b"})

    world.clock.run(until=5)

    assert (waiting, mapping.shards[0].finished, world.changed) == (False, True, ["a", "b"])


def test_the_last_shard_of_a_stream_that_was_disabled_ends() -> None:
    """None follows it."""
    world = TableWorld()
    mapping = world.map()
    world.table.put({"id": "a"})
    [shard] = world.table.stream.list_shards()
    shard.closed, world.client.status = True, "DISABLED"

    world.clock.run()

    assert (world.changed, mapping.shards[0].finished) == (["a"], True)


def test_records_that_were_trimmed_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    """Reading goes on with the oldest that is left."""
    world = TableWorld()
    world.map()
    world.table.put({"id": "a"})
    world.clock.run(until=1.1)
    world.client.fail("get_records", client_error("TrimmedDataAccessException", "beyond the trim point"))
    [shard] = world.table.stream.list_shards()
    shard.log.trim(float("inf"))
    world.table.put({"id": "b"})

    world.clock.run(until=3)

    assert world.changed == ["a", "b"]
    assert ["were older than 24 hours before they were read" in record.message for record in caplog.records] == [True]


def test_a_shard_that_is_no_longer_there_has_ended() -> None:
    """All that it had was too old; those that follow it are read."""
    world = TableWorld()
    mapping = world.map()
    [shard] = world.table.stream.list_shards()
    world.table.stream.split_shard(shard.shard_id)
    world.table.put({"id": "b"})
    world.client.fail("get_shard_iterator", client_error("ResourceNotFoundException", "Shard does not exist"))
    left = world.table.stream.list_shards()[1:]
    world.table.stream.list_shards = lambda: left  # type: ignore[method-assign]

    world.clock.run()

    assert (world.changed, mapping.shards[0].finished) == (["b"], True)


def test_a_table_that_was_deleted_is_looked_for_later(caplog: pytest.LogCaptureFixture) -> None:
    """It may come again; its shards have not ended."""
    world = TableWorld()
    mapping = world.map()
    world.client.fail("get_records", *[client_error("ResourceNotFoundException", "Requested resource not found")] * 2)
    world.client.fail("describe_stream", client_error("ResourceNotFoundException", "Stream not found"))

    world.clock.run(until=0.5)

    assert (str(mapping.last_error), mapping.shards[0].finished) == (
        "ResourceNotFoundException: Stream not found",
        False,
    )


_KINESIS = ["get_records", "get_shard_iterator", "list_shards"]


@given(
    plan=st.lists(
        st.one_of(
            st.tuples(st.just("put"), st.sampled_from("abcdefgh")),
            st.tuples(st.just("split"), st.integers(0, 5)),
            st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 5.0])),
            st.tuples(
                st.just("fail"),
                st.tuples(
                    st.sampled_from(_KINESIS), st.sampled_from([THROUGHPUT, LOST, client_error("InternalFailure")])
                ),
            ),
            st.tuples(st.just("pause"), st.sampled_from([1.0, 400.0])),
        ),
        max_size=30,
    ),
    batch_size=st.integers(1, 5),
)
def test_the_records_of_a_key_are_processed_once_and_in_order(plan: list[tuple[str, Any]], batch_size: int) -> None:
    """Whatever fails, expires, is split, disabled and enabled again."""
    world = StreamWorld()
    mapping = world.map(batch_size=batch_size)
    put: dict[str, list[str]] = {}
    for number, (step, what) in enumerate(plan):
        if step == "put":
            world.stream.put_record(str(number), what)
            put.setdefault(what, []).append(str(number))
        elif step == "split":
            opened = [shard for shard in world.stream.list_shards() if not shard.closed]
            world.stream.split_shard(opened[what % len(opened)].shard_id)
        elif step == "fail":
            world.client.fail(what[0], what[1])
        else:
            if step == "pause":
                mapping.disable()
            world.clock.run(until=world.clock.now + (what if step == "wait" else 0))
            world.clock.run(until=world.clock.now + what)
            mapping.enable()
    while mapping.counts.processed < sum(map(len, put.values())) and world.clock.now < 20_000:
        world.clock.run(until=world.clock.now + 10)

    seen: dict[str, list[str]] = {}
    for event in world.fn.events:
        for record, data in zip(event["Records"], data_of(event), strict=True):
            seen.setdefault(record["kinesis"]["partitionKey"], []).append(data)
    assert (seen, mapping.counts.held) == (put, 0)


def test_zeros_before_a_sequence_number_are_kept() -> None:
    """DynamoDB Local has them, and knows no number without."""
    world = TableWorld()
    world.map()
    world.table.put({"id": "a"})
    [shard] = world.table.stream.list_shards()
    shard.log[0].sequence_number = "000000000000000000001"
    world.clock.run(until=1.1)
    world.client.fail("get_records", EXPIRED)
    world.client.get_shard_iterator = _no_more  # type: ignore[method-assign]

    with pytest.raises(_Asked, match="000000000000000000001"):
        world.clock.run(until=3)


class _Asked(Exception):
    """What was asked for."""


def _no_more(**given: Any) -> Any:
    raise _Asked(given["SequenceNumber"])


def test_times_are_those_of_the_endpoint() -> None:
    """The age of a record is told by when it arrived there."""
    world = StreamWorld()
    mapping = world.map()
    world.put("a")
    arrived = datetime.fromtimestamp(world.stream.list_shards()[0].log[0].arrived, UTC)
    world.clock.run(until=30)

    assert (arrived, mapping.shards[0].iterator_age) == (world.clock.start, 0)
