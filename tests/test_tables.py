"""DynamoDB tables on the service's clock, and their streams."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from lambdakit.local.sources.attributes import attribute, size_of, typed
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.table import Change, StreamViewType, Table
from lambdakit.local.virtual.clock import VirtualClock

boto3: Any = import_module("boto3")  # which has no types
Config: Any = import_module("botocore.config").Config
TypeSerializer: Any = import_module("boto3.dynamodb.types").TypeSerializer

VIEWS: tuple[StreamViewType, ...] = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
EVERYTHING = {
    "id": "1",
    "count": 7,
    "price": Decimal("9.99"),
    "raw": b"\x00\xff",
    "tags": {"b", "a"},
    "sizes": {1, Decimal("2.5")},
    "blobs": {b"b", b"a"},
    "nested": {"list": [1, "two", None, True, {"deep": [b"x"]}]},
    "nothing": None,
    "yes": True,
}


def changes(table: Table) -> list[Change]:
    """All changes, shard by shard."""
    return [change for shard in table.stream.list_shards() for change in shard.log]


def test_what_was_put_comes_back() -> None:
    """In Python's values; each time as a new item."""
    table = Table("customers", Place(VirtualClock()))
    table.put(EVERYTHING)
    found = table.get("1") or {}
    found["count"] = 8

    assert table.get("1") == EVERYTHING


numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.decimals(allow_nan=False, allow_infinity=False, places=5, min_value=-(10**9), max_value=10**9),
)
scalars = st.one_of(st.none(), st.booleans(), st.text(), st.binary(), numbers)
sets = st.one_of(
    st.sets(st.text(), min_size=1), st.sets(st.binary(), min_size=1), st.sets(st.integers(-99, 99), min_size=1)
)
values = st.recursive(
    st.one_of(scalars, sets), lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)), max_leaves=10
)


def comparable(attribute_value: dict[str, Any], decoded: Callable[[Any], bytes]) -> Any:
    """An attribute value with bytes in the place of base64, numbers by their value, sets without an order."""
    [(kind, content)] = attribute_value.items()
    readers: dict[str, Callable[[Any], Any]] = {
        "B": decoded,
        "N": Decimal,
        "BS": lambda members: {*map(decoded, members)},
        "NS": lambda members: {*map(Decimal, members)},
        "SS": set,
        "L": lambda members: [comparable(member, decoded) for member in members],
        "M": lambda members: {name: comparable(member, decoded) for name, member in members.items()},
    }
    return kind, readers.get(kind, lambda same: same)(content)


@given(values)
def test_values_have_the_types_that_boto3_gives_them(value: Any) -> None:
    """Which has bytes where events have base64."""
    theirs = TypeSerializer().serialize(value)

    assert comparable(attribute(value), b64decode) == comparable(theirs, bytes)


@pytest.mark.parametrize("value", [1.5, [1.5], {"a": {"b": 1.5}}, {1.5}, Decimal("NaN"), object(), {1, "a"}])
def test_what_boto3_refuses_is_refused(value: Any) -> None:
    """A float above all, wherever it is."""
    with pytest.raises(TypeError):
        TypeSerializer().serialize(value)

    with pytest.raises(TypeError):
        Table("customers", Place(VirtualClock())).put({"id": "1", "value": value})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (Decimal("-0"), "0"),
        (Decimal("1.500"), "1.5"),
        (Decimal(100), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-3"), "0.001"),
        (Decimal("-2.0"), "-2"),
    ],
)
def test_a_number_is_written_in_one_way(number: Any, text: str) -> None:
    """Equal numbers are the same: no change, and one key."""
    assert attribute(number) == {"N": text}


def test_a_number_has_38_digits() -> None:
    """Zeros around them do not count."""
    assert attribute(Decimal("1E+40")) == {"N": "1" + "0" * 40}
    with pytest.raises(SourceError, match="more than 38 significant digits"):
        attribute(10**39 + 1)


def test_an_item_has_400_kilobytes() -> None:
    """Put or updated."""
    table = Table("customers", Place(VirtualClock()))
    table.put({"id": "1", "half": "x" * 300_000})

    with pytest.raises(SourceError, match="Item size has exceeded the maximum allowed size"):
        table.update("1", {"other": "x" * 300_000})

    assert len(changes(table)) == 1


@pytest.mark.parametrize(
    ("parts", "size"),
    [
        ([{"Id": 101}, {"Id": 101, "Message": "New item!"}], 26),
        ([{"Id": 101}, {"Id": 101, "Message": "This item has changed"}, {"Id": 101, "Message": "New item!"}], 59),
        ([{"Id": 101}, {"Id": 101, "Message": "This item has changed"}], 38),
        ([{"a": None, "b": True, "l": [], "m": {}}], 12),
        ([{"n": -12}, {"n": Decimal("1.25")}, {"n": 1000}], 11),
    ],
)
def test_sizes_are_those_of_dynamodb(parts: list[dict[str, Any]], size: int) -> None:
    """The first three are from AWS's example of a stream."""
    assert sum(size_of(typed(part)) for part in parts) == size


def write(table: Table) -> None:
    """An item that is made, changed twice, written as it is, and removed."""
    table.put({"id": "1", "total": 1})
    table.put({"id": "1", "total": 2})
    table.update("1", {"paid": True}, remove=["total"])
    table.put({"id": "1", "paid": True})
    table.update("1", {"paid": True})
    table.delete("1")
    table.delete("1")


def test_a_write_that_changes_nothing_has_no_record() -> None:
    """INSERT, MODIFY, REMOVE: one for each that does."""
    table = Table("orders", Place(VirtualClock()))

    write(table)

    assert [change.event_name for change in changes(table)] == ["INSERT", "MODIFY", "MODIFY", "REMOVE"]


@pytest.mark.parametrize("view", VIEWS)
def test_changes_are_those_that_moto_streams(view: StreamViewType) -> None:
    """Names, keys and images, by the stream's view type."""
    schema: Any = {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
    }
    with mock_aws():
        theirs = boto3.resource("dynamodb", region_name="us-east-1").create_table(TableName="orders", **schema)
        theirs.put_item(Item={"id": "1", "total": 1})
        theirs.put_item(Item={"id": "1", "total": 2})
        theirs.update_item(
            Key={"id": "1"},
            UpdateExpression="SET paid = :p REMOVE #t",
            ExpressionAttributeValues={":p": True},
            ExpressionAttributeNames={"#t": "total"},
        )
        theirs.delete_item(Key={"id": "1"})
        # The host names with an account in them are unknown to moto.
        config = Config(account_id_endpoint_mode="disabled")
        streams = boto3.client("dynamodbstreams", region_name="us-east-1", config=config)
        arn = theirs.latest_stream_arn
        [shard] = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        iterator = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        records = streams.get_records(ShardIterator=iterator)["Records"]
    table = Table("orders", Place(VirtualClock()), stream_view_type=view)

    write(table)

    assert [(c.event_name, c.keys, c.new_image, c.old_image) for c in changes(table)] == [
        (r["eventName"], r["dynamodb"]["Keys"], r["dynamodb"].get("NewImage"), r["dynamodb"].get("OldImage"))
        for r in records
    ]


def test_an_item_is_written_on_a_condition() -> None:
    """Which is asked of the item that is there, or of None."""
    table = Table("orders", Place(VirtualClock()))
    table.put({"id": "1", "version": 1}, condition=lambda old: old is None)

    attempts: list[Callable[[], None]] = [
        lambda: table.put({"id": "1"}, condition=lambda old: old is None),
        lambda: table.update("1", {"version": 3}, condition=lambda old: old is not None and old["version"] == 2),
        lambda: table.delete("1", condition=lambda old: old is None),
    ]
    for attempt in attempts:
        with pytest.raises(SourceError, match="ConditionalCheckFailedException: The conditional request failed"):
            attempt()

    assert (list(table), len(changes(table))) == ([{"id": "1", "version": 1}], 1)


def test_a_table_may_have_a_sort_key() -> None:
    """A key is then a tuple; the items of a partition key come in its order."""
    table = Table("readings", Place(VirtualClock()), key=("sensor", "at"))
    for at in (3, 1, 2):
        table.put({"sensor": "a", "at": at})
    table.put({"sensor": "b", "at": 1})

    assert [item["at"] for item in table.query("a")] == [1, 2, 3]
    assert (table.get(("a", 2)), table.get(("a", 9))) == ({"sensor": "a", "at": 2}, None)
    assert len(table.scan(lambda item: item["at"] == 1)) == 2


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda table: table.put({"name": "Ada"}), "Missing the key id in the item"),
        (lambda table: table.put({"id": ""}), "cannot contain an empty string value"),
        (lambda table: table.put({"id": {"a"}}), "Type mismatch for key id"),
        (lambda table: table.get(("1", "2")), "The provided key element does not match the schema"),
        (lambda table: table.update("1", {"id": "2"}), "This attribute is part of the key"),
        (lambda table: table.put({"id": 10**40 + 1}), "38 significant digits"),
        (lambda table: table.put({"id": "1", "tags": set()}), "set may not be empty"),
    ],
)
def test_what_dynamodb_would_refuse_is_refused(attempt: Callable[[Table], object], message: str) -> None:
    """With its code, and nothing changes."""
    table = Table("customers", Place(VirtualClock()))

    with pytest.raises(SourceError, match=message) as caught:
        attempt(table)

    assert (caught.value.code, len(table), changes(table)) == ("ValidationException", 0, [])


def test_equal_numbers_are_one_key() -> None:
    """However they are written."""
    table = Table("orders", Place(VirtualClock()))
    table.put({"id": 1, "a": 1})
    table.put({"id": Decimal("1.0"), "b": 1})

    assert list(table) == [{"id": 1, "b": 1}]


def test_the_changes_of_an_item_lie_in_one_shard_in_order() -> None:
    """Whatever lies beside them."""
    table = Table("orders", Place(VirtualClock()), shard_count=4)
    for total in range(5):
        for number in range(20):
            table.put({"id": str(number), "total": total})

    shards = [{change.keys["id"]["S"]: change.shard_id for change in shard.log} for shard in table.stream.list_shards()]
    totals: dict[str, list[str]] = {}
    for change in changes(table):
        totals.setdefault(change.keys["id"]["S"], []).append((change.new_image or {})["total"]["N"])

    assert sum(map(len, shards)) == 20
    assert len([shard for shard in shards if shard]) > 1
    assert set(map(tuple, totals.values())) == {("0", "1", "2", "3", "4")}


def test_an_item_expires_when_its_time_passes() -> None:
    """The removal is the service's own; no time passes for its sake."""
    clock = VirtualClock()
    table = Table("sessions", Place(clock), time_to_live="expires")
    table.put({"id": "1", "expires": int(clock.epoch) + 60})
    clock.run()
    before = (clock.now, len(table))

    clock.run(61)

    assert (before, len(table)) == ((0, 1), 0)
    assert [(c.event_name, c.expired, c.arrived - clock.epoch) for c in changes(table)] == [
        ("INSERT", False, 0),
        ("REMOVE", True, 60),
    ]


def test_an_item_that_was_renewed_expires_later() -> None:
    """And one whose time to live was taken away does not."""
    clock = VirtualClock()
    table = Table("sessions", Place(clock), time_to_live="expires")
    for name in ("renewed", "kept", "same"):
        table.put({"id": name, "expires": int(clock.epoch) + 60})
    table.update("renewed", {"expires": int(clock.epoch) + 120})
    table.update("kept", {}, remove=["expires"])
    table.update("same", {"seen": True})
    left = []
    for time in (59, 61, 119, 121):
        clock.run(time)
        left.append([item["id"] for item in table])

    assert left == [["renewed", "kept", "same"], ["renewed", "kept"], ["renewed", "kept"], ["kept"]]


@pytest.mark.parametrize("expires", ["soon", 1_000_000_000, None])
def test_what_is_no_time_to_live_does_not_expire(expires: object) -> None:
    """Text, a time more than five years ago, nothing."""
    clock = VirtualClock()
    table = Table("sessions", Place(clock), time_to_live="expires")
    table.put({"id": "1", "expires": expires})

    clock.run(100)

    assert len(table) == 1


def test_changes_are_kept_for_a_day() -> None:
    """Then they fall off the stream; the item stays."""
    clock = VirtualClock()
    table = Table("orders", Place(clock))
    table.put({"id": "1"})
    clock.run(24 * 3600 + 1)
    table.put({"id": "2"})

    assert ([change.keys["id"]["S"] for change in changes(table)], table.stream.trimmed, len(table)) == (["2"], 1, 2)


def test_a_stream_has_dynamodbs_names() -> None:
    """ARN, shards and sequence numbers."""
    table = Table("orders", Place(VirtualClock()))
    table.put({"id": "1"})
    [shard] = table.stream.list_shards()
    [change] = shard.log

    assert table.stream.arn == "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000"
    assert (shard.shard_id[:28], len(shard.shard_id)) == ("shardId-00000001767225600000", 37)
    assert (len(change.sequence_number), change.shard_id) == (21, shard.shard_id)
