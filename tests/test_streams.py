"""Kinesis streams on the service's clock: shards, hash keys, iterators, retention."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from importlib import import_module
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from pydantic import BaseModel

from lambdakit.local.sources.hash_keys import HASH_KEYS
from lambdakit.local.sources.log import Log
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.stream import KinesisRecord, Stream
from lambdakit.local.virtual.clock import VirtualClock

boto3: Any = import_module("boto3")  # which has no types
FIRST = "shardId-000000000000"


def read(stream: Stream, shard_id: str = FIRST, kind: Any = "TRIM_HORIZON", **position: Any) -> list[bytes]:
    """The data from an iterator on."""
    return [record.data for record in stream.get_records(stream.get_shard_iterator(shard_id, kind, **position)).records]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10])
def test_shards_share_the_hash_keys_as_in_kinesis(count: int) -> None:
    """As moto has it, which has it from AWS."""
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name="us-east-1")
        kinesis.create_stream(StreamName="readings", ShardCount=count)
        shards = kinesis.list_shards(StreamName="readings")["Shards"]
    theirs = [
        (
            shard["ShardId"],
            int(shard["HashKeyRange"]["StartingHashKey"]),
            int(shard["HashKeyRange"]["EndingHashKey"]),
        )
        for shard in shards
    ]

    ours = Stream("readings", Place(VirtualClock()), shard_count=count).list_shards()

    assert [(shard.shard_id, shard.starting_hash_key, shard.ending_hash_key) for shard in ours] == theirs


def test_a_record_lies_in_the_shard_of_its_key() -> None:
    """Chosen by the MD5 of the partition key, as in Kinesis."""
    keys = [f"customer-{number}" for number in range(50)]
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name="us-east-1")
        kinesis.create_stream(StreamName="readings", ShardCount=5)
        put = [kinesis.put_record(StreamName="readings", Data=b"1", PartitionKey=key) for key in keys]
    stream = Stream("readings", Place(VirtualClock()), shard_count=5)

    records = [stream.put_record(b"1", key) for key in keys]

    assert [record.shard_id for record in records] == [answer["ShardId"] for answer in put]


def test_an_explicit_hash_key_chooses_the_shard() -> None:
    """In place of the partition key."""
    stream = Stream("readings", Place(VirtualClock()), shard_count=2)

    records = [stream.put_record("1", "key", explicit_hash_key=key) for key in (0, HASH_KEYS // 2, HASH_KEYS - 1)]

    assert [record.shard_id[-1] for record in records] == ["0", "1", "1"]


def test_sequence_numbers_increase() -> None:
    """As numbers and, having one length, as text."""
    clock = VirtualClock()
    stream = Stream("readings", Place(clock), shard_count=3)
    numbers = []
    for number in range(30):
        clock.run(number // 3)
        numbers.append(stream.put_record(number, str(number)).sequence_number)

    assert numbers == sorted(set(numbers), key=int) == sorted(numbers)


def test_data_is_bytes_text_or_json() -> None:
    """Bytes and text as they are."""

    class Reading(BaseModel):
        celsius: float

    stream = Stream("readings", Place(VirtualClock()))
    for data in (b"\x00", "21.5", {"celsius": 21.5}, Reading(celsius=1)):
        stream.put_record(data, "a")

    assert read(stream) == [b"\x00", b"21.5", b'{"celsius":21.5}', b'{"celsius":1.0}']


def test_arrival_is_told_in_milliseconds() -> None:
    """In Unix time."""
    clock = VirtualClock()
    stream = Stream("readings", Place(clock))
    clock.run(1.2345)

    assert stream.put_record(b"1", "a").arrived == clock.epoch + 1.234


def numbered(count: int = 5) -> tuple[VirtualClock, Stream, list[KinesisRecord]]:
    """A stream with a record each second."""
    clock = VirtualClock()
    stream = Stream("readings", Place(clock))
    records = []
    for number in range(count):
        clock.run(number)
        records.append(stream.put_record(str(number), "a"))
    return clock, stream, records


@pytest.mark.parametrize(
    ("kind", "position", "data"),
    [
        ("TRIM_HORIZON", {}, "01234"),
        ("LATEST", {}, ""),
        ("AT_SEQUENCE_NUMBER", {"number": 2}, "234"),
        ("AFTER_SEQUENCE_NUMBER", {"number": 2}, "34"),
        ("AFTER_SEQUENCE_NUMBER", {"number": 4}, ""),
        ("AT_TIMESTAMP", {"second": 2}, "234"),
        ("AT_TIMESTAMP", {"second": 2.5}, "34"),
        ("AT_TIMESTAMP", {"second": -9}, "01234"),
        ("AT_TIMESTAMP", {"second": 99}, ""),
    ],
)
def test_an_iterator_begins_where_its_type_says(kind: str, position: dict[str, float], data: str) -> None:
    """The oldest, the next, at or after a sequence number, at a time."""
    clock, stream, records = numbered()
    given: dict[str, object] = {}
    if "number" in position:
        given["starting_sequence_number"] = records[int(position["number"])].sequence_number
    if "second" in position:
        given["timestamp"] = clock.start + timedelta(seconds=position["second"])

    assert read(stream, FIRST, kind, **given) == [text.encode() for text in data]


@pytest.mark.parametrize("kind", ["TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
def test_iterators_read_what_moto_reads(kind: Any) -> None:
    """The same records are put, and read from the third on."""
    with mock_aws():
        kinesis = boto3.client("kinesis", region_name="us-east-1")
        kinesis.create_stream(StreamName="readings", ShardCount=1)
        put = [kinesis.put_record(StreamName="readings", Data=str(n), PartitionKey="a") for n in range(5)]
        where = {"StartingSequenceNumber": put[2]["SequenceNumber"]} if "SEQUENCE" in kind else {}
        arguments: Any = {"StreamName": "readings", "ShardId": FIRST, "ShardIteratorType": kind, **where}
        iterator = kinesis.get_shard_iterator(**arguments)["ShardIterator"]
        theirs = [record["Data"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    _, stream, records = numbered()

    ours = read(stream, FIRST, kind, **({"starting_sequence_number": records[2].sequence_number} if where else {}))

    assert ours == theirs


def test_reading_goes_on_with_the_next_iterator() -> None:
    """Page by page; the page says how long ago the next record arrived."""
    clock, stream, _ = numbered()
    clock.run(10)
    iterator: str | None = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    pages = []
    for _ in range(4):
        assert iterator is not None
        page = stream.get_records(iterator, limit=2)
        pages.append((len(page.records), page.millis_behind_latest))
        iterator = page.next_shard_iterator

    assert pages == [(2, 8_000), (2, 6_000), (1, 0), (0, 0)]


def test_an_iterator_expires_after_five_minutes() -> None:
    """In AWS's words."""
    clock, stream, _ = numbered(1)
    iterator = stream.get_shard_iterator(FIRST, "TRIM_HORIZON")
    clock.run(300)
    assert len(stream.get_records(iterator).records) == 1

    clock.run(301)
    with pytest.raises(SourceError) as caught:
        stream.get_records(iterator)

    assert str(caught.value) == (
        "ExpiredIteratorException: Iterator expired. The iterator was created at time Thu Jan 01 00:00:00 UTC 2026 "
        "while right now it is Thu Jan 01 00:05:01 UTC 2026 which is further in the future than the tolerated delay of "
        "300000 milliseconds."
    )


def test_a_page_has_ten_thousand_records_or_ten_megabytes() -> None:
    """Whichever comes first."""
    stream = Stream("readings", Place(VirtualClock()), shard_count=2)
    for _ in range(10_001):
        stream.put_record(b"", "a", explicit_hash_key=0)
    for _ in range(11):
        stream.put_record(b"x" * (1024 * 1024 - 1), "a", explicit_hash_key=HASH_KEYS - 1)

    assert [len(read(stream, shard.shard_id)) for shard in stream.list_shards()] == [10_000, 10]


def test_records_fall_off_when_their_retention_is_over() -> None:
    """24 hours by default; those that fell off are counted."""
    clock, stream, records = numbered(3)
    clock.run(24 * 3600 + 1)

    assert (read(stream), stream.trimmed) == ([b"1", b"2"], 1)
    first = records[0].sequence_number
    assert read(stream, FIRST, "AFTER_SEQUENCE_NUMBER", starting_sequence_number=first) == [b"1", b"2"]


def test_retention_may_be_raised() -> None:
    """What fell off before does not come back."""
    clock, stream, _ = numbered(3)
    clock.run(24 * 3600 + 1)

    stream.retention_period_hours = 48
    clock.run(40 * 3600)

    assert read(stream) == [b"1", b"2"]


@pytest.mark.parametrize("hours", [23, 8761])
def test_retention_has_limits(hours: int) -> None:
    """24 to 8,760 hours."""
    with pytest.raises(SourceError, match="allowed retention period is"):
        Stream("readings", Place(VirtualClock()), retention_period_hours=hours)


@pytest.mark.parametrize(
    ("data", "key", "hash_key", "code"),
    [
        (b"", "", None, "ValidationException"),
        (b"", "k" * 257, None, "ValidationException"),
        (b"x" * 1024 * 1024, "k", None, "ValidationException"),
        (b"", "k", HASH_KEYS, "InvalidArgumentException"),
    ],
    ids=["no key", "long key", "large", "hash key"],
)
def test_what_kinesis_would_refuse_is_refused(data: bytes, key: str, hash_key: int | None, code: str) -> None:
    """In AWS's codes."""
    with pytest.raises(SourceError) as caught:
        Stream("readings", Place(VirtualClock())).put_record(data, key, hash_key)

    assert caught.value.code == code


def test_a_shard_with_limits_takes_a_thousand_records_in_a_second() -> None:
    """The others are refused, and taken the second after."""
    clock = VirtualClock()
    stream = Stream("readings", Place(clock), write_limits=True)

    first = stream.put_records([(b"1", "a")] * 1_002)
    clock.run(1)
    second = stream.put_records([(b"1", "a")] * 2)

    refused = [answer for answer in [*first, *second] if isinstance(answer, SourceError)]
    assert [error.code for error in refused] == ["ProvisionedThroughputExceededException"] * 2


def test_a_shard_with_limits_takes_a_megabyte_in_a_second() -> None:
    """Of data."""
    stream = Stream("readings", Place(VirtualClock()), write_limits=True)

    answers = stream.put_records([(b"x" * 600_000, "a"), (b"x" * 600_000, "a"), (b"x" * 400_000, "a")])

    assert [isinstance(answer, SourceError) for answer in answers] == [False, True, False]


def lineage(stream: Stream) -> list[tuple[str, tuple[str, ...], bool]]:
    """Each shard by the last digit of its name, with its parents, and whether it is closed."""
    return [
        (shard.shard_id[-1], tuple(parent[-1] for parent in shard.parents), shard.closed)
        for shard in stream.list_shards()
    ]


def test_a_shard_is_split_in_two() -> None:
    """It takes no more records; its children do."""
    stream = Stream("readings", Place(VirtualClock()))
    stream.put_record("before", "a")
    stream.split_shard(FIRST)

    after = stream.put_record("after", "a", explicit_hash_key=0)

    assert lineage(stream) == [("0", (), True), ("1", ("0",), False), ("2", ("0",), False)]
    assert (read(stream), after.shard_id[-1]) == ([b"before"], "1")


def test_the_end_of_a_closed_shard_names_its_children() -> None:
    """And has no next iterator."""
    stream = Stream("readings", Place(VirtualClock()))
    stream.put_record("before", "a")
    stream.split_shard(FIRST)

    page = stream.get_records(stream.get_shard_iterator(FIRST, "TRIM_HORIZON"))

    assert (len(page.records), page.next_shard_iterator) == (1, None)
    assert page.child_shards == ("shardId-000000000001", "shardId-000000000002")


def test_neighbours_are_merged() -> None:
    """Whatever order they are named in; others are not."""
    stream = Stream("readings", Place(VirtualClock()), shard_count=3)
    with pytest.raises(SourceError, match="not an adjacent pair"):
        stream.merge_shards(FIRST, "shardId-000000000002")

    stream.merge_shards("shardId-000000000001", FIRST)

    assert lineage(stream) == [("0", (), True), ("1", (), True), ("2", (), False), ("3", ("0", "1"), False)]


def test_a_closed_shard_is_not_split_again() -> None:
    """In AWS's words."""
    stream = Stream("readings", Place(VirtualClock()))
    stream.split_shard(FIRST)

    with pytest.raises(SourceError, match="has already been merged or split"):
        stream.split_shard(FIRST)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 4), (4, 2), (3, 4), (5, 3), (2, 2)])
def test_the_number_of_shards_is_updated(before: int, after: int) -> None:
    """Twice and half as many are of one size again."""
    stream = Stream("readings", Place(VirtualClock()), shard_count=before)

    stream.update_shard_count(after)

    sizes = [shard.hash_keys for shard in stream.list_shards() if not shard.closed]
    assert (len(sizes), sum(sizes)) == (after, HASH_KEYS)
    assert after not in (before * 2, before / 2) or len(set(sizes)) == 1


@pytest.mark.parametrize(("before", "after"), [(2, 5), (5, 2), (1, 0)])
def test_the_number_of_shards_changes_by_a_factor_of_two_at_most(before: int, after: int) -> None:
    """In AWS's words."""
    with pytest.raises(SourceError, match="UpdateShardCount cannot scale"):
        Stream("readings", Place(VirtualClock()), shard_count=before).update_shard_count(after)


@given(st.lists(st.tuples(st.sampled_from(["put", "split", "merge"]), st.integers(0, HASH_KEYS - 1)), max_size=40))
def test_open_shards_cover_each_hash_key_once(steps: list[tuple[str, int]]) -> None:
    """Whatever is split and merged: and no record is lost on the way."""
    stream = Stream("readings", Place(VirtualClock()), shard_count=2)
    put = 0
    for what, number in steps:
        opened = [shard for shard in stream.list_shards() if not shard.closed]
        opened.sort(key=lambda shard: shard.starting_hash_key)
        place = number % len(opened)
        if what == "put":
            put += 1
            record = stream.put_record(str(put), "k", explicit_hash_key=number)
            assert next(s for s in opened if s.shard_id == record.shard_id).starting_hash_key <= number
        elif what == "split":
            stream.split_shard(opened[place].shard_id)
        elif place + 1 < len(opened):
            stream.merge_shards(opened[place].shard_id, opened[place + 1].shard_id)

    opened = sorted((s for s in stream.list_shards() if not s.closed), key=lambda shard: shard.starting_hash_key)
    assert (opened[0].starting_hash_key, opened[-1].ending_hash_key) == (0, HASH_KEYS - 1)
    assert all(lower.ending_hash_key + 1 == upper.starting_hash_key for lower, upper in pairwise(opened))
    assert sum(len(shard.log) for shard in stream.list_shards()) == put


class Dated:
    """A record of a log."""

    def __init__(self, arrived: float) -> None:
        self.arrived = arrived
        self.size = 1


@given(st.lists(st.one_of(st.just("add"), st.integers(0, 3_000)), max_size=60))
def test_a_log_is_a_list_without_its_beginning(steps: list[object]) -> None:
    """Positions stay what they are while the beginning falls off; here ten records are added at a time."""
    log: Log[Dated] = Log()
    added: list[Dated] = []
    for step in steps:
        if isinstance(step, int):
            log.trim(step)
        else:
            new = [Dated(len(added) + number) for number in range(100)]
            added += new
            for record in new:
                log.append(record)

    assert (log.end, list(log)) == (len(added), added[log.trimmed :])
    assert log.read(0, 5) == added[log.trimmed : log.trimmed + 5]
    assert log.at_time(log.trimmed + 7) == min(log.trimmed + 7, log.end)


def test_an_iterator_is_of_one_stream() -> None:
    """That of another is refused, and so is nonsense."""
    clock = VirtualClock()
    stranger = Stream("others", Place(clock)).get_shard_iterator(FIRST, "LATEST")
    stream = Stream("readings", Place(clock))

    refused = []
    for iterator in (stranger, "nonsense", json.dumps([1])):
        with pytest.raises(SourceError) as caught:
            stream.get_records(iterator)
        refused.append(caught.value.code)

    assert refused == ["InvalidArgumentException"] * 3


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AT_TIMESTAMP", "NEVER"])
def test_an_iterator_needs_its_position(kind: Any) -> None:
    """A sequence number of the shard, a time, a type there is."""
    _, stream, _ = numbered(1)

    with pytest.raises(SourceError) as caught:
        stream.get_shard_iterator(FIRST, kind, "17")

    assert caught.value.code == "InvalidArgumentException"


def test_a_shard_that_is_not_there_is_not_found() -> None:
    """By its name."""
    with pytest.raises(SourceError, match="Could not find shard shardId-000000000007 in stream readings"):
        Stream("readings", Place(VirtualClock())).get_shard_iterator("shardId-000000000007", "LATEST")


def test_a_time_is_aware() -> None:
    """A naive one would be read in the machine's zone."""
    _, stream, _ = numbered(1)

    with pytest.raises(ValueError, match="timestamp is a datetime with its time zone"):
        stream.get_shard_iterator(FIRST, "AT_TIMESTAMP", timestamp=datetime(2026, 1, 1))  # noqa: DTZ001
