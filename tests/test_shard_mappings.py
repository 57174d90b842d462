"""Mappings of Kinesis streams, tables' streams and topics of Kafka, with a function that does as it is told."""

from __future__ import annotations

import json
import warnings
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdakit import App, identify, on_dynamodb, on_kinesis
from lambdakit.events import DynamoDbRecord, KinesisRecord
from lambdakit.local.mappings.mapping import LostRecordsWarning
from lambdakit.local.mappings.settings import DynamoDbSettings, KafkaSettings, StreamSettings
from lambdakit.local.mappings.shards import ShardMapping
from lambdakit.local.sources.kafka import Cluster, Topic, TopicSettings
from lambdakit.local.sources.reading import Page
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.stream import KinesisRecord as StoredRecord
from lambdakit.local.sources.stream import Stream
from lambdakit.local.sources.table import Table
from lambdakit.local.virtual.clock import VirtualClock
from tests.scripted import THROTTLED, ScriptedFunction, data_of

ARN = "arn:aws:lambda:us-east-1:123456789012:function:fn"
REPORT = "ReportBatchItemFailures"


class World:
    """A stream, a function, and what was sent to a destination."""

    def __init__(self, script: Callable[[dict[str, Any]], object] = lambda event: None, **source: Any) -> None:
        self.clock = VirtualClock()
        self.stream = Stream("readings", Place(self.clock), **source)
        self.fn = ScriptedFunction(self.clock, script)
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def map(self, **given: Any) -> ShardMapping:
        return ShardMapping(
            self.clock, self.stream, self.fn, StreamSettings(**given), lambda *sent: self.sent.append(sent)
        )

    def put(self, *data: str, key: str = "k") -> list[StoredRecord]:
        return [self.stream.put_record(one, key) for one in data]

    @property
    def deliveries(self) -> list[tuple[float, str]]:
        """When what was delivered; each record's data is a letter."""
        return [(time, "".join(data_of(event))) for time, event in self.fn.calls]


def test_a_stream_drives_a_function() -> None:
    """Whatever is there goes out with the next poll, in order; then nothing is left to do."""
    world = World()
    mapping = world.map(batch_size=2)
    world.put(*"abc")

    world.clock.run()

    assert world.deliveries == [(0, "ab"), (0, "c")]
    assert (mapping.counts.received, mapping.counts.processed, mapping.counts.held) == (3, 3, 0)
    assert world.clock.now == 0


def test_a_record_waits_for_the_next_poll() -> None:
    """A shard is polled once a second."""
    world = World()
    world.map()
    for time, letter in ((0.5, "a"), (2, "b"), (2.25, "c"), (2.75, "d"), (60.5, "e")):
        world.clock.run(time)
        world.put(letter)
    world.clock.run()

    assert world.deliveries == [(1, "a"), (2, "b"), (3, "cd"), (61, "e")]


def test_a_function_that_takes_its_time_is_polled_for_when_it_is_done() -> None:
    """And not before: what came meanwhile is one batch."""
    world = World()
    world.fn.duration = 2.5
    world.map()
    for time, letter in ((0, "a"), (1, "b"), (2, "c"), (4, "d")):
        world.clock.run(time)
        world.put(letter)
    world.clock.run()

    assert world.deliveries == [(0, "a"), (2.5, "bc"), (5, "d")]


def test_records_are_gathered_for_a_window() -> None:
    """From the first that was read on, and no longer than until there is a batch."""
    world = World()
    world.map(batch_size=3, maximum_batching_window_in_seconds=10)
    for time, letter in ((0, "a"), (5, "b"), (20, "c"), (21, "d"), (22, "e"), (23, "f")):
        world.clock.run(time)
        world.put(letter)
    world.clock.run()

    assert world.deliveries == [(10, "ab"), (22, "cde"), (33, "f")]


@pytest.mark.parametrize(
    ("position", "data"),
    [("TRIM_HORIZON", "abcd"), ("LATEST", "d"), ("AT_TIMESTAMP", "bcd")],
)
def test_a_mapping_begins_at_its_starting_position(position: str, data: str) -> None:
    """What is put after it was made is never missed."""
    world = World()
    for time, letter in enumerate("abc"):
        world.clock.run(time)
        world.put(letter)
    at = world.clock.start + timedelta(seconds=1) if position == "AT_TIMESTAMP" else None
    world.map(starting_position=position, starting_position_timestamp=at)
    world.put("d")
    world.clock.run()

    assert "".join(data for _, data in world.deliveries) == data


def test_a_kinesis_record_is_as_aws_has_it() -> None:
    """Field by field."""
    world = World()
    world.map()
    world.clock.run(0.5)
    [record] = world.put("hé", key="clé")
    world.clock.run()

    [event] = world.fn.events
    assert event == {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "clé",
                    "sequenceNumber": record.sequence_number,
                    "data": "aMOp",
                    "approximateArrivalTimestamp": 1767225600.5,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"shardId-000000000000:{record.sequence_number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-role",
                "awsRegion": "us-east-1",
                "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/readings",
            }
        ]
    }
    assert identify(event) == "kinesis"


def test_the_handlers_of_an_app_are_driven() -> None:
    """By what a stream delivers."""
    seen: list[tuple[str, dict[str, int]]] = []

    @on_kinesis("readings")
    def store(record: KinesisRecord[dict[str, int]]) -> None:
        seen.append((record.partition_key, record.data))

    app = App(store)
    world = World(lambda event: app(event, None))
    world.map(function_response_types=REPORT)
    world.stream.put_record({"celsius": 21}, "a")
    world.clock.run()

    assert seen == [("a", {"celsius": 21})]


def test_a_failing_handler_fails_from_its_record_on() -> None:
    """The App's answer is the checkpoint."""
    failed: list[int] = []

    @on_kinesis("readings")
    def store(number: int) -> None:
        if number == 2 and len(failed) < 2:
            failed.append(number)
            raise ValueError(number)

    app = App(store)
    world = World(lambda event: app(event, None))
    mapping = world.map(function_response_types=REPORT)
    world.put(*"1234")
    world.clock.run()

    assert world.deliveries == [(0, "1234"), (0, "234"), (1, "234")]
    assert mapping.counts.processed == 4


def test_the_failure_record_of_a_batch_that_raised() -> None:
    """Times in milliseconds, the function's ARN unqualified, ``Unhandled``."""
    world = World(lambda event: ValueError("no"))
    mapping = world.map(maximum_retry_attempts=1, on_failure="failed")
    first, _, last = world.put(*"abc")
    world.clock.run()

    [(target, record)] = world.sent
    assert target == "failed"
    assert record == {
        "requestContext": {
            "requestId": "request-2",
            "functionArn": ARN,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": "2026-01-01T00:00:01.000Z",
        "KinesisBatchInfo": {
            "shardId": "shardId-000000000000",
            "startSequenceNumber": first.sequence_number,
            "endSequenceNumber": last.sequence_number,
            "approximateArrivalOfFirstRecord": "2026-01-01T00:00:00.000Z",
            "approximateArrivalOfLastRecord": "2026-01-01T00:00:00.000Z",
            "batchSize": 3,
            "streamArn": "arn:aws:kinesis:us-east-1:123456789012:stream/readings",
        },
    }
    assert identify(record) == "stream_on_failure"
    assert (mapping.counts.discarded, mapping.counts.held) == (3, 0)


def test_the_failure_record_of_a_batch_that_reported() -> None:
    """No error; the bad record was delivered five times, and the record says four."""

    def report(event: dict[str, Any]) -> object:
        bad = [it["kinesis"]["sequenceNumber"] for it in event["Records"] if b64decode(it["kinesis"]["data"]) == b"c"]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}

    world = World(report)
    world.map(maximum_retry_attempts=3, on_failure="failed", function_response_types=REPORT)
    world.put(*"abc")
    world.clock.run()

    [(_, record)] = world.sent
    assert [data for _, data in world.deliveries] == ["abc", "c", "c", "c", "c"]
    assert record["requestContext"]["approximateInvokeCount"] == 4
    assert record["responseContext"]["functionError"] is None
    assert record["KinesisBatchInfo"]["batchSize"] == 1


@pytest.mark.parametrize(("age", "calls"), [(0, 6), (61, 0)], ids=["while it was retried", "before it was read"])
def test_the_failure_record_of_records_that_were_too_old(age: float, calls: int) -> None:
    """Without a response, even if the function ran; never less than one invocation."""
    world = World(lambda event: ValueError("no"))
    world.put("a")
    world.clock.run(age)
    world.map(maximum_record_age_in_seconds=60, on_failure="failed")
    world.clock.run()

    [(_, record)] = world.sent
    assert len(world.fn.calls) == calls
    assert record["requestContext"]["condition"] == "RecordAgeExceeded"
    assert record["requestContext"]["approximateInvokeCount"] == max(1, calls)
    assert "responseContext" not in record


def test_a_destination_in_s3_is_given_the_records_too() -> None:
    """As the event was."""
    world = World(lambda event: ValueError("no"))
    world.map(maximum_retry_attempts=0, on_failure="arn:aws:s3:::failed")
    world.put("a")
    world.clock.run()

    [(_, record)] = world.sent
    assert json.loads(record["payload"]) == world.fn.events[0]


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (None, 1),
        ("", 1),
        ([], 1),
        ({}, 1),
        ({"batchItemFailures": None}, 1),
        ({"batchItemFailures": []}, 1),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, 2),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, 2),
        ({"batchItemFailures": [{"foo": "1"}]}, 2),
        ({"batchItemFailures": [{"itemIdentifier": "123"}]}, 2),
        (b"not JSON", 2),
        (ValueError("no"), 2),
    ],
    ids=repr,
)
def test_what_an_answer_means(answer: object, tries: int) -> None:
    """Nothing listed is a success; what can't be understood fails the whole batch."""
    world = World(lambda event: answer)
    world.map(maximum_retry_attempts=1, function_response_types=REPORT)
    world.put("a")
    world.clock.run()

    assert len(world.fn.calls) == tries


def test_the_lowest_sequence_number_is_the_checkpoint() -> None:
    """Whatever order they are listed in."""

    def report(event: dict[str, Any]) -> object:
        if len(world.fn.calls) > 1:
            return None
        listed = [event["Records"][place]["kinesis"]["sequenceNumber"] for place in (3, 1, 2)]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in listed]}

    world = World(report)
    world.map(function_response_types=REPORT)
    world.put(*"abcd")
    world.clock.run()

    assert world.deliveries == [(0, "abcd"), (0, "bcd")]


def test_failures_that_nobody_looks_for_are_lost_with_a_warning() -> None:
    """Without ReportBatchItemFailures the batch is done, whatever the function lists."""

    def report(event: dict[str, Any]) -> object:
        return {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["kinesis"]["sequenceNumber"]}]}

    world = World(report)
    mapping = world.map()
    records = world.put(*"abc")
    with pytest.warns(LostRecordsWarning, match="ReportBatchItemFailures"):
        world.clock.run()

    assert mapping.lost == [records[1].sequence_number]
    assert (mapping.counts.lost, mapping.counts.processed, mapping.counts.held) == (1, 2, 0)


def test_throttles_use_up_no_retry() -> None:
    """The same batch comes again."""
    answers = [THROTTLED, THROTTLED, None]
    world = World(lambda event: answers.pop(0))
    mapping = world.map(maximum_retry_attempts=0)
    world.put(*"ab")
    world.clock.run()

    assert world.deliveries == [(0, "ab"), (1, "ab"), (3, "ab")]
    assert mapping.counts.processed == 2


def test_filters_pass_records_over() -> None:
    """They are counted, and the shard goes on."""
    world = World()
    mapping = world.map(filter_criteria={"data": {"kind": ["order"]}})
    for kind in ("order", "visit", "order"):
        world.stream.put_record({"kind": kind}, "a")
    world.stream.put_record("text", "a")
    world.clock.run()

    [event] = world.fn.events
    assert (len(event["Records"]), mapping.counts.filtered, mapping.counts.processed) == (2, 2, 2)


def test_records_that_fell_off_are_expired() -> None:
    """Before they were read, or while they were retried."""
    world = World(lambda event: ValueError("no"))
    world.put("a")
    world.clock.run(24 * 3600 + 1)
    mapping = world.map()
    world.put("b")
    world.clock.run()

    assert (mapping.counts.received, mapping.counts.expired, mapping.counts.held) == (1, 1, 0)
    assert world.clock.now > 48 * 3600


def test_records_that_fell_off_before_they_were_read_are_expired_too() -> None:
    """Those that the mapping was to read, and found gone."""
    world = World()
    mapping = world.map()
    world.clock.run(1)
    mapping.disable()
    world.clock.run(2)
    world.put(*"ab")
    world.clock.run(24 * 3600 + 3)
    world.put("c")
    mapping.enable()
    world.clock.run()

    counts = mapping.counts
    assert (counts.received, counts.expired, counts.processed, counts.held) == (3, 2, 1, 0)


def test_a_disabled_mapping_finishes_what_is_under_way() -> None:
    """And goes on where it was when it is enabled again."""
    world = World()
    world.fn.duration = 10
    mapping = world.map(batch_size=1)
    world.put(*"abc")
    world.clock.run(5)
    mapping.disable()
    states = []
    for time in (6, 11, 100):
        world.clock.run(time)
        states.append(mapping.state)
    mapping.enable()
    world.clock.run()

    assert states == ["Disabling", "Disabled", "Disabled"]
    assert world.deliveries == [(0, "a"), (100, "b"), (110, "c")]
    assert mapping.counts.processed == 3


def test_a_deleted_mapping_tells_of_a_batch_that_it_gave_up() -> None:
    """Nothing is left half done."""
    world = World(lambda event: ValueError("no"))
    world.fn.duration = 10
    mapping = world.map(maximum_retry_attempts=0, on_failure="failed")
    world.put("a")
    world.clock.run(5)
    mapping.delete()
    world.clock.run()

    assert (mapping.state, mapping.counts.discarded, len(world.sent)) == ("Deleted", 1, 1)


def test_a_mapping_that_is_made_disabled_begins_when_it_is_enabled() -> None:
    """At its starting position then."""
    world = World()
    mapping = world.map(enabled=False, starting_position="LATEST")
    world.put("a")
    world.clock.run(5)
    mapping.enable()
    world.put("b")
    world.clock.run()

    assert world.deliveries == [(5, "b")]


def test_shards_are_worked_on_side_by_side() -> None:
    """A batch a shard; a batch has the records of one."""
    world = World(shard_count=4)
    world.fn.duration = 5
    world.map()
    for number in range(40):
        world.put("x", key=str(number))
    world.clock.run()

    assert world.fn.max_concurrency == 4
    assert all(len({it["eventID"].partition(":")[0] for it in event["Records"]}) == 1 for event in world.fn.events)


def test_a_key_stays_in_order_with_parallelization() -> None:
    """While up to ten batches of a shard run at once."""
    world = World()
    world.fn.duration = 1
    world.map(parallelization_factor=10, batch_size=2)
    for number in range(5):
        for key in "abcdefghij":
            world.put(f"{key}{number}", key=key)
    world.clock.run()

    delivered = [data for event in world.fn.events for data in data_of(event)]
    assert 3 < world.fn.max_concurrency <= 10
    assert all([d for d in delivered if d[0] == key] == [f"{key}{n}" for n in range(5)] for key in "abcdefghij")


def test_children_wait_for_their_parents() -> None:
    """Until these are done, not only read."""
    answers: list[object] = [ValueError("no"), ValueError("no"), None]
    world = World(lambda event: answers.pop(0) if answers else None)
    mapping = world.map(starting_position="LATEST")
    world.put("a")
    world.stream.split_shard("shardId-000000000000")
    world.put("b")
    world.clock.run()

    assert world.deliveries == [(0, "a"), (1, "a"), (3, "a"), (3, "b")]
    assert [progress.finished for progress in mapping.shards] == [True, False, False]


def test_a_merged_shard_waits_for_both_parents() -> None:
    """The slower one too."""
    world = World(shard_count=2)
    failures = [3]

    def script(event: dict[str, Any]) -> object:
        if data_of(event) == ["b"] and failures[0]:
            failures[0] -= 1
            return ValueError("no")
        return None

    world.fn.script = script
    world.map()
    world.stream.put_record("a", "k", explicit_hash_key=0)
    world.stream.put_record("b", "k", explicit_hash_key=2**128 - 1)
    world.stream.merge_shards("shardId-000000000000", "shardId-000000000001")
    world.stream.put_record("c", "k")
    world.clock.run()

    assert world.deliveries[-2:] == [(7, "b"), (7, "c")]


def test_a_mapping_made_after_a_split_reads_parents_first() -> None:
    """From the oldest record on; from the latest it reads nothing that was there."""
    histories = []
    for position in ("TRIM_HORIZON", "LATEST"):
        world = World()
        world.put("a")
        world.stream.split_shard("shardId-000000000000")
        world.put("b")
        world.map(starting_position=position)
        world.put("c")
        world.clock.run()
        histories.append([data for _, data in world.deliveries])

    assert histories == [["a", "bc"], ["c"]]


def test_how_far_a_mapping_is_shows() -> None:
    """By shard: what it holds, how old what it did last was, and what the stream knows of it."""
    world = World(lambda event: None if "a" in data_of(event) else ValueError("no"))
    world.fn.duration = 2
    mapping = world.map(batch_size=2)
    world.put(*"abcd")
    world.clock.run(3)

    [progress] = mapping.shards
    assert (progress.held, progress.iterator_age, progress.finished) == (2, 2, False)
    assert world.stream.read_by == {mapping.reader: {"shardId-000000000000": 2}}


class Unreliable(Stream):
    """A stream whose first polls fail."""

    failures = 3

    def read(
        self,
        shard_id: str,
        position: int,
        most: int,
        then: Callable[[Page[StoredRecord]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        if self.failures:
            self.failures -= 1
            failed(SourceError("ProvisionedThroughputExceededException", "Rate exceeded"))
        else:
            super().read(shard_id, position, most, then, failed)


def test_a_poll_that_fails_is_made_again() -> None:
    """Later and later; the mapping tells why."""
    world = World()
    world.stream = Unreliable("readings", Place(world.clock))
    mapping = world.map()
    world.put("a")
    world.clock.run()

    assert world.deliveries == [(7, "a")]
    assert mapping.last_error is not None
    assert mapping.last_error.code == "ProvisionedThroughputExceededException"


# Tables.


def mapped_table(script: Callable[[dict[str, Any]], object] = lambda event: None, **given: Any) -> Any:
    """A clock, a table and a function that has its changes, and what is sent."""
    clock = VirtualClock()
    table = Table("orders", Place(clock), time_to_live="expires")
    fn = ScriptedFunction(clock, script)
    sent: list[tuple[str, dict[str, Any]]] = []
    mapping = ShardMapping(clock, table.stream, fn, DynamoDbSettings(**given), lambda *it: sent.append(it))
    return clock, table, fn, mapping, sent


def test_a_change_is_as_aws_has_it() -> None:
    """Field by field; its time in whole seconds."""
    clock, table, fn, _, _ = mapped_table()
    clock.run(1.6)
    table.put({"id": "1", "total": 1})
    clock.run(1.7)
    table.put({"id": "1", "total": 2})
    clock.run()

    assert fn.times == [1.75]
    [event] = fn.events
    [_, change] = event["Records"]
    assert (len(change["eventID"]), change.pop("eventID").isalnum()) == (32, True)
    assert change == {
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1767225601,
            "Keys": {"id": {"S": "1"}},
            "NewImage": {"id": {"S": "1"}, "total": {"N": "2"}},
            "OldImage": {"id": {"S": "1"}, "total": {"N": "1"}},
            "SequenceNumber": "100000000000000000002",
            "SizeBytes": 23,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": table.stream.arn,
    }
    assert identify(event) == "dynamodb"


def test_an_expired_item_is_removed_by_the_service() -> None:
    """``userIdentity`` says so."""
    clock, table, fn, _, _ = mapped_table(starting_position="LATEST")
    table.put({"id": "1", "expires": int(clock.epoch) + 60})
    clock.run(61)

    [_, event] = fn.events
    [change] = event["Records"]
    assert (change["eventName"], change["userIdentity"]) == (
        "REMOVE",
        {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    )


def test_the_changes_of_a_table_drive_an_app() -> None:
    """In Python values."""
    seen: list[tuple[str, object, object]] = []

    @on_dynamodb("orders")
    def project(change: DynamoDbRecord) -> None:
        seen.append((change.event_name, change.new_image, change.old_image))

    app = App(project)
    clock, table, _, mapping, _ = mapped_table(lambda event: app(event, None))
    table.put({"id": "1", "tags": {"a", "b"}})
    table.delete("1")
    clock.run()

    image = {"id": "1", "tags": {"a", "b"}}
    assert seen == [("INSERT", image, None), ("REMOVE", None, image)]
    assert mapping.counts.processed == 2


def test_the_failure_record_of_a_table_has_whole_seconds() -> None:
    """Under ``DDBStreamBatchInfo``."""
    clock, table, _, _, sent = mapped_table(
        lambda event: ValueError("no"), maximum_retry_attempts=0, on_failure="failed"
    )
    clock.run(1.6)
    table.put({"id": "1"})
    clock.run()

    [(_, record)] = sent
    [shard] = table.stream.list_shards()
    assert record["DDBStreamBatchInfo"] == {
        "shardId": shard.shard_id,
        "startSequenceNumber": "100000000000000000001",
        "endSequenceNumber": "100000000000000000001",
        "approximateArrivalOfFirstRecord": "2026-01-01T00:00:01Z",
        "approximateArrivalOfLastRecord": "2026-01-01T00:00:01Z",
        "batchSize": 1,
        "streamArn": table.stream.arn,
    }
    assert identify(record) == "stream_on_failure"


def test_the_filters_of_a_table_see_its_images() -> None:
    """In attribute values."""
    clock, table, fn, mapping, _ = mapped_table(filter_criteria={"dynamodb": {"NewImage": {"paid": {"BOOL": [True]}}}})
    table.put({"id": "1", "paid": False})
    table.put({"id": "1", "paid": True})
    clock.run()

    assert (len(fn.events[0]["Records"]), mapping.counts.filtered) == (1, 1)


# Kafka.


def mapped_topic(
    script: Callable[[dict[str, Any]], object] = lambda event: None,
    *,
    servers: str | None = None,
    topic: TopicSettings | None = None,
    **given: Any,
) -> Any:
    """A clock, a topic and a function that has its records, and what is sent."""
    clock = VirtualClock()
    orders = Cluster("shop", Place(clock), bootstrap_servers=servers).topic("orders", **(topic or {}))
    fn = ScriptedFunction(clock, script)
    sent: list[tuple[str, dict[str, Any]]] = []
    mapping = ShardMapping(clock, orders, fn, KafkaSettings(**given), lambda *it: sent.append(it))
    return clock, orders, fn, mapping, sent


def values_of(event: dict[str, Any]) -> list[str]:
    """The values of the records of an event."""
    [records] = event["records"].values()
    return [b64decode(record["value"]).decode() for record in records]


def test_a_record_of_kafka_is_as_aws_has_it() -> None:
    """Field by field; a header's bytes have their signs. It waits half a second for others."""
    clock, orders, fn, _, _ = mapped_topic()
    clock.run(1.25)
    orders.produce("hello", "customer-1", headers={"trace": "é"})
    clock.run()

    assert fn.times == [1.75]
    [event] = fn.events
    assert event == {
        "eventSource": "aws:kafka",
        "eventSourceArn": orders.cluster.arn,
        "bootstrapServers": orders.cluster.bootstrap_servers,
        "records": {
            "orders-0": [
                {
                    "topic": "orders",
                    "partition": 0,
                    "offset": 0,
                    "timestamp": 1767225601250,
                    "timestampType": "CREATE_TIME",
                    "key": "Y3VzdG9tZXItMQ==",
                    "value": "aGVsbG8=",
                    "headers": [{"trace": [-61, -87]}],
                }
            ]
        },
    }
    assert identify(event) == "kafka_msk"


def test_a_cluster_that_aws_does_not_run_has_no_arn() -> None:
    """Its records say where it is."""
    clock, orders, fn, _, _ = mapped_topic(servers="kafka.example.com:9092")
    orders.produce(None)
    clock.run()

    [event] = fn.events
    assert identify(event) == "kafka_self_managed"
    assert {name: event[name] for name in event if name != "records"} == {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "kafka.example.com:9092",
    }
    assert not {"key", "value"} & event["records"]["orders-0"][0].keys()


def test_offsets_are_committed_when_the_function_was_content() -> None:
    """And a mapping of the same consumer group goes on there."""
    clock, orders, _, mapping, _ = mapped_topic(consumer_group_id="shop")
    orders.produce("a")
    committed = []
    for time in (0.25, 0.75):
        clock.run(time)
        committed.append(orders.committed("shop"))
    mapping.delete()
    clock.run()
    orders.produce("b")
    fn = ScriptedFunction(clock)
    ShardMapping(clock, orders, fn, KafkaSettings(consumer_group_id="shop"))
    clock.run()

    assert committed == [{0: 0}, {0: 1}]
    assert [values_of(event) for event in fn.events] == [["b"]]


def test_a_record_of_kafka_is_reported_by_partition_and_offset() -> None:
    """Those from there on are delivered again."""
    reports = [{"batchItemFailures": [{"itemIdentifier": {"partition": "orders-0", "offset": 1}}]}, None]
    clock, orders, fn, mapping, _ = mapped_topic(lambda event: reports.pop(0), function_response_types=REPORT)
    for value in "abc":
        orders.produce(value)
    clock.run()

    assert [values_of(event) for event in fn.events] == [["a", "b", "c"], ["b", "c"]]
    assert mapping.counts.processed == 3


def test_a_batch_of_kafka_with_a_destination_is_retried_ten_times() -> None:
    """Though its retries have no limit."""
    clock, orders, fn, _, sent = mapped_topic(lambda event: ValueError("no"), on_failure="failed")
    orders.produce("a")
    orders.produce("b")
    clock.run()

    [(_, record)] = sent
    assert len(fn.calls) == 11
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["KafkaBatchInfo"].pop("payloadSize") == len(json.dumps(fn.events[0], separators=(",", ":")))
    assert record["KafkaBatchInfo"] == {
        "batchSize": 2,
        "eventSourceArn": orders.cluster.arn,
        "bootstrapServers": orders.cluster.bootstrap_servers,
        "recordsInfo": {
            "orders-0": {
                "firstRecordOffset": "0",
                "lastRecordOffset": "1",
                "firstRecordTimestamp": "2026-01-01T00:00:00.000Z",
                "lastRecordTimestamp": "2026-01-01T00:00:00.000Z",
            }
        },
    }


def test_a_record_of_kafka_that_fits_in_no_event_goes_to_the_destination() -> None:
    """With a condition of its own, and no response."""
    clock, orders, fn, mapping, sent = mapped_topic(topic={"max_message_bytes": 8_000_000}, on_failure="failed")
    orders.produce(b"x" * 5_000_000)
    orders.produce("small")
    clock.run()

    [(_, record)] = sent
    assert (record["requestContext"]["condition"], record["responseContext"]) == ("MaximumPayloadSizeExceeded", None)
    assert ([values_of(event) for event in fn.events], mapping.counts.discarded) == ([["small"]], 1)


def test_a_mapping_reads_the_partitions_that_are_added() -> None:
    """From their first record on."""
    clock, orders, fn, _, _ = mapped_topic(starting_position="LATEST")
    clock.run()
    orders.add_partitions(2)
    orders.produce("a", partition=2)
    clock.run()

    assert [[*event["records"]] for event in fn.events] == [["orders-2"]]


def test_keys_lie_in_partitions_as_librdkafka_has_it() -> None:
    """CRC32 of the key; records without one take turns."""
    topic = Cluster("shop", Place(VirtualClock())).topic("orders", partitions=3)

    keyed = [topic.produce("x", key).partition for key in ("customer-1", "customer-2", "customer-1")]
    keyless = [topic.produce("x").partition for _ in range(4)]

    assert (keyed[0] == keyed[2], keyless) == (True, [0, 1, 2, 0])
    assert [len(topic.records(number)) for number in range(3)] == [
        (keyed + keyless).count(number) for number in range(3)
    ]


@pytest.mark.parametrize(
    ("produce", "code"),
    [
        (lambda topic: topic.produce("x" * 2_000_000), "RecordTooLargeException"),
        (lambda topic: topic.produce("x", partition=7), "UnknownTopicOrPartitionException"),
    ],
    ids=["large", "partition"],
)
def test_what_kafka_would_refuse_is_refused(produce: Callable[[Topic], object], code: str) -> None:
    """By its codes."""
    with pytest.raises(SourceError) as caught:
        produce(Cluster("shop", Place(VirtualClock())).topic("orders"))

    assert caught.value.code == code


# Laws.

Fault = Literal["ok", "error", "throttle", "nonsense", "stranger", "first", "middle", "last"]
FAULTS: list[Fault] = ["ok", "ok", "ok", "error", "throttle", "nonsense", "stranger", "first", "middle", "last"]


class Faulty:
    """A function with faults, which checks what it is given: in what order, and nothing twice once it is done."""

    def __init__(self, world: World, faults: list[Fault], ended: set[str], order: list[tuple[str, str]]) -> None:
        self.world = world
        self.faults = faults
        self.ended = ended
        self.order = order  # each record's sequence number, and what it must stay in order with

    def __call__(self, event: dict[str, Any]) -> object:
        numbers = [record["kinesis"]["sequenceNumber"] for record in event["Records"]]
        self.check(numbers)
        fault = self.faults.pop() if self.faults else "ok"
        place = {"first": 0, "middle": len(numbers) // 2, "last": len(numbers) - 1}.get(fault)
        if fault == "ok":
            self.ended.update(numbers)
            return None
        if place is not None:
            self.ended.update(numbers[:place])
            return {"batchItemFailures": [{"itemIdentifier": number} for number in reversed(numbers[place:])]}
        answers = {"error": OSError("no"), "throttle": THROTTLED, "nonsense": b"{", "stranger": [1]}
        return {"batchItemFailures": [{"itemIdentifier": "?"}]} if fault == "stranger" else answers[fault]

    def check(self, numbers: list[str]) -> None:
        assert not self.ended & set(numbers)
        for number in numbers:
            group = next(group for it, group in self.order if it == number)
            before = [it for it, group_of_it in self.order if group_of_it == group and it < number]
            assert set(before) <= self.ended | set(numbers)


steps = st.one_of(
    st.tuples(st.just("put"), st.sampled_from("abcdef")),
    st.tuples(st.just("wait"), st.sampled_from(["0.3", "1", "7", "70"])),
    st.tuples(st.just("split"), st.just("")),
    st.tuples(st.just("merge"), st.just("")),
    st.tuples(st.just("stop"), st.just("")),
)


def live(
    seed: int, given_settings: dict[str, Any], plan: list[tuple[str, str]], faults: list[Fault], duration: float
) -> tuple[World, ShardMapping, set[str], list[tuple[str, str]]]:
    """Put, wait, split and merge, and see it through to the end."""
    world = World(shard_count=2)
    world.clock = VirtualClock(seed)
    world.stream = Stream("readings", Place(world.clock), shard_count=2)
    ended: set[str] = set()
    order: list[tuple[str, str]] = []
    world.fn = ScriptedFunction(world.clock, duration=duration)
    world.fn.script = Faulty(world, list(faults), ended, order)

    def send(target: str, record: dict[str, Any]) -> None:
        info = record["KinesisBatchInfo"]
        shard = next(it for it in world.stream.list_shards() if it.shard_id == info["shardId"])
        numbers = [it.sequence_number for it in shard.log]
        given_up = [it for it in numbers if info["startSequenceNumber"] <= it <= info["endSequenceNumber"]]
        ended.update(given_up)

    mapping = ShardMapping(world.clock, world.stream, world.fn, StreamSettings(**given_settings), send)
    for what, value in plan:
        opened = [shard for shard in world.stream.list_shards() if not shard.closed]
        opened.sort(key=lambda shard: shard.starting_hash_key)
        if what == "put":
            record = world.stream.put_record(value, value)
            order.append((record.sequence_number, value))
        elif what == "wait":
            world.clock.run(world.clock.now + float(value))
        elif what == "split":
            world.stream.split_shard(opened[0].shard_id)
        elif what == "merge" and len(opened) > 1:
            world.stream.merge_shards(opened[0].shard_id, opened[1].shard_id)
        elif what == "stop":
            mapping.disable()
            world.clock.run(world.clock.now + 1)
            mapping.enable()
    world.clock.run()
    return world, mapping, ended, order


mapping_settings = st.fixed_dictionaries(
    {
        "batch_size": st.integers(1, 5),
        "maximum_batching_window_in_seconds": st.sampled_from([0, 3]),
        "parallelization_factor": st.integers(1, 3),
        "maximum_retry_attempts": st.integers(-1, 2),
        "maximum_record_age_in_seconds": st.sampled_from([-1, 60]),
        "bisect_batch_on_function_error": st.booleans(),
        "function_response_types": st.just(REPORT),
        "on_failure": st.just("failed"),
    }
)


@settings(max_examples=150)
@given(
    st.integers(0, 99),
    mapping_settings,
    st.lists(steps, max_size=25),
    st.lists(st.sampled_from(FAULTS), max_size=25),
    st.sampled_from([0.0, 0.5, 40.0]),
)
def test_no_record_is_lost_and_a_key_stays_in_order(
    seed: int, given_settings: dict[str, Any], plan: list[tuple[str, str]], faults: list[Fault], duration: float
) -> None:
    """Whatever fails, is throttled, split, merged, stopped: each ends once, and none before those of its key."""
    world, mapping, ended, order = live(seed, given_settings, plan, faults, duration)

    counts = mapping.counts
    assert ended == {number for number, _ in order}
    assert (counts.received, counts.held, counts.expired) == (len(order), 0, 0)
    assert counts.processed + counts.discarded == len(order)
    assert sum(sum(positions.values()) for positions in world.stream.read_by.values()) == len(order)


@settings(max_examples=25)
@given(
    st.integers(0, 99),
    mapping_settings,
    st.lists(steps, max_size=25),
    st.lists(st.sampled_from(FAULTS), max_size=25),
)
def test_the_same_seed_gives_the_same_history(
    seed: int, given_settings: dict[str, Any], plan: list[tuple[str, str]], faults: list[Fault]
) -> None:
    """To the byte."""
    histories = [live(seed, given_settings, plan, faults, 0.5)[0].fn.calls for _ in range(2)]

    assert histories[0] == histories[1]


def test_a_source_that_no_mapping_reads_is_named() -> None:
    """A table is mapped by its stream."""
    clock = VirtualClock()
    table: Any = Table("orders", Place(clock))

    with pytest.raises(TypeError, match="the stream of a table"):
        ShardMapping(clock, table, ScriptedFunction(clock), replace(DynamoDbSettings()))


def test_no_warning_without_a_loss() -> None:
    """A function that reports nothing loses nothing."""
    world = World(lambda event: {"batchItemFailures": []})
    world.map()
    world.put("a")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        world.clock.run()

    assert len(world.fn.calls) == 1
