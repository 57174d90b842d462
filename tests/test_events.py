"""Typed events: what AWS sends is read into Python's values, and a test builds records from their own names."""

import base64
import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NewType
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError
from typing_extensions import TypeAliasType, TypedDict, TypeVar

from lambdakit import events
from lambdakit.events import (
    DynamoDbEvent,
    DynamoDbRecord,
    EventBridgeEvent,
    KinesisEvent,
    KinesisRecord,
    S3Event,
    S3Record,
    ScheduledEvent,
    SnsEvent,
    SnsRecord,
    SqsEvent,
    SqsRecord,
)
from lambdakit.events.model import EventModel
from lambdakit.triggers.s3_eventbridge import notification_record

PAYLOADS = Path(__file__).parents[1] / ".." / "shared" / "events"

MODELS: dict[str, type[EventModel]] = {
    "s3": S3Event,
    "sqs": SqsEvent,
    "sns": SnsEvent,
    "kinesis": KinesisEvent,
    "dynamodb": DynamoDbEvent,
    "eventbridge": EventBridgeEvent,
    "eventbridge_schedule": ScheduledEvent,
    "s3_eventbridge": EventBridgeEvent,
}


def _samples() -> list[Any]:
    """Each sample of quality ok: its label and its file; one that is skipped where there are none."""
    if not (PAYLOADS / "manifest.json").exists():
        return [
            pytest.param("s3", "", marks=pytest.mark.skip(reason="the sample events are not beside the repository"))
        ]
    entries = json.loads((PAYLOADS / "manifest.json").read_text())
    return [
        pytest.param(entry["source"], entry["file"], id=entry["file"])
        for entry in entries
        if entry["quality"] == "ok" and entry["source"] in MODELS
    ]


@pytest.mark.parametrize(("label", "file"), _samples())
def test_what_aws_sends_is_read(label: str, file: str) -> None:
    """Every sample event with the shape that its service sends parses, record by record."""
    raw = json.loads((PAYLOADS / file).read_text())

    event = MODELS[label].model_validate(raw)

    assert len(getattr(event, "records", "1")) == len(raw.get("Records", "1"))


@pytest.mark.parametrize(("label", "file"), _samples())
def test_every_time_is_aware(label: str, file: str) -> None:
    """No time of a sample is naive: a naive one would be compared or printed in the wrong zone."""
    event = MODELS[label].model_validate_json((PAYLOADS / file).read_text())

    naive = [name for name, value in _fields(event) if isinstance(value, datetime) and value.utcoffset() is None]

    assert naive == []


@pytest.mark.parametrize(
    ("label", "file"), [sample for sample in _samples() if sample.values[0] in ("s3_eventbridge", "s3")]
)
def test_an_s3_event_of_either_kind_is_an_s3_record(label: str, file: str) -> None:
    """What S3 tells EventBridge has the same record as what it tells Lambda."""
    raw = json.loads((PAYLOADS / file).read_text())

    records = [notification_record(raw)] if label == "s3_eventbridge" else raw["Records"]

    assert all(S3Record.model_validate(record).key for record in records)


def _fields(model: BaseModel) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        found.append((name, value))
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, BaseModel):
                found += _fields(inner)
    return found


# Raw records, as short as AWS would not send them.


def s3(**stored: object) -> dict[str, Any]:
    return {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "uploads"}, "object": {"key": "a", **stored}}}


def sqs(body: object = "hello", **further: object) -> dict[str, Any]:
    return {"messageId": "1", "body": body, **further}


def sns(message: object = "hello", **further: object) -> dict[str, Any]:
    return {"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": message, **further}}


def kinesis(data: bytes = b"hello") -> dict[str, Any]:
    return {"kinesis": {"data": base64.b64encode(data).decode(), "sequenceNumber": "49"}}


def dynamodb(**images: object) -> dict[str, Any]:
    return {"eventName": "MODIFY", "dynamodb": {"Keys": {"id": {"S": "1"}}, **images}}


def eventbridge(detail: object) -> dict[str, Any]:
    return {"detail-type": "placed", "source": "shop", "detail": detail}


# S3


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("march+2026.csv", "march 2026.csv"),
        ("a%2Bb", "a+b"),
        ("%E2%82%AC.txt", "€.txt"),
        ("a%2520b", "a%20b"),
        ("folder/", "folder/"),
    ],
)
def test_an_s3_key_is_decoded_once(sent: str, key: str) -> None:
    """S3 encodes keys as forms do; decoding twice would spoil a key that has a percent sign."""
    assert S3Record.model_validate(s3(key=sent)).key == key


@given(st.text(min_size=1))
def test_a_key_given_by_name_is_the_key(key: str) -> None:
    """A record built in a test is not decoded: ``a+b`` is a key like any other."""
    assert S3Record(bucket="uploads", key=key, event_name="ObjectCreated:Put").key == key


def test_a_deleted_object_has_neither_size_nor_etag() -> None:
    """S3 leaves out what a deleted object has no more."""
    record = S3Record.model_validate({**s3(sequencer="00"), "eventName": "ObjectRemoved:Delete"})

    assert (record.size, record.etag, record.version_id, record.action) == (None, None, None, "removed")


@pytest.mark.parametrize(
    ("event_name", "action"),
    [
        ("ObjectCreated:Put", "created"),
        ("s3:ObjectCreated:Copy", "created"),
        ("ObjectRemoved:DeleteMarkerCreated", "removed"),
        ("LifecycleExpiration:Delete", "removed"),
        ("ObjectRestore:Completed", "restored"),
        ("ObjectAcl:Put", "other"),
        ("SomethingNew:Later", "other"),
    ],
)
def test_the_action_sums_up_the_event_name(event_name: str, action: str) -> None:
    """Event names are many and grow; most handlers want to know whether an object came or went."""
    assert S3Record(bucket="uploads", key="a", event_name=event_name).action == action


def test_a_notification_without_a_key_says_so() -> None:
    """What a record is nothing without is required."""
    raw = s3()
    del raw["s3"]["object"]["key"]

    with pytest.raises(ValidationError, match="Field required: key"):
        S3Record.model_validate(raw)


# SQS, SNS


def test_sqs_attributes_are_numbers_and_times() -> None:
    """SQS sends every system attribute as text."""
    attributes = {"ApproximateReceiveCount": "3", "SentTimestamp": "1523232000123", "MessageGroupId": "g"}

    record = SqsRecord.model_validate(sqs(attributes=attributes, eventSourceARN="arn:aws:sqs:eu-west-1:1:orders.fifo"))

    assert (record.approximate_receive_count, record.sent_timestamp, record.message_group_id, record.queue) == (
        3,
        datetime(2018, 4, 9, 0, 0, 0, 123000, UTC),
        "g",
        "orders.fifo",
    )


def test_sqs_message_attributes_are_python_values() -> None:
    """Text, numbers of any label and bytes; what does not fit its label stays text, so the message is readable."""
    attributes = {
        "kind": {"dataType": "String", "stringValue": "gift"},
        "count": {"dataType": "Number", "stringValue": "3"},
        "price": {"dataType": "Number.float", "stringValue": "1.50"},
        "logo": {"dataType": "Binary.png", "binaryValue": "iVBORw=="},
        "wrong": {"dataType": "Number", "stringValue": "many"},
        "lists": {"dataType": "String", "stringValue": "x", "stringListValues": [], "binaryListValues": []},
    }

    record = SqsRecord.model_validate(sqs(messageAttributes=attributes))

    assert record.message_attributes == {
        "kind": "gift",
        "count": Decimal(3),
        "price": Decimal("1.50"),
        "logo": b"\x89PNG",
        "wrong": "many",
        "lists": "x",
    }


def test_sns_message_attributes_are_python_values() -> None:
    """SNS has arrays too, as JSON in a text."""
    attributes = {
        "kind": {"Type": "String", "Value": "gift"},
        "count": {"Type": "Number", "Value": "3"},
        "tags": {"Type": "String.Array", "Value": '["a", 1, null]'},
        "logo": {"Type": "Binary", "Value": "iVBORw=="},
    }

    record = SnsRecord.model_validate(sns(MessageAttributes=attributes))

    assert record.message_attributes == {"kind": "gift", "count": 3, "tags": ["a", 1, None], "logo": b"\x89PNG"}


def test_an_sns_record_has_its_topic() -> None:
    """The topic's name is the end of its ARN."""
    record = SnsRecord.model_validate(sns(TopicArn="arn:aws:sns:us-east-1:1:alerts", Timestamp="2019-01-02T12:45:07Z"))

    assert (record.topic, record.timestamp) == ("alerts", datetime(2019, 1, 2, 12, 45, 7, tzinfo=UTC))


# Kinesis, DynamoDB


def test_kinesis_data_is_bytes() -> None:
    """Kinesis carries bytes, base64 in the event."""
    assert KinesisRecord.model_validate(kinesis(b"\x00\xff")).data == b"\x00\xff"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kinesis:us-east-1:1:stream/readings",
        "arn:aws:kinesis:us-east-1:1:stream/readings/consumer/fast:1540591608",
    ],
)
def test_a_kinesis_record_has_its_stream(arn: str) -> None:
    """The stream's name, also where the mapping reads through a consumer with enhanced fan-out."""
    raw = {**kinesis(), "eventSourceARN": arn, "eventID": "shardId-000000000006:49"}

    record = KinesisRecord.model_validate(raw)

    assert (record.stream, record.shard_id) == ("readings", "shardId-000000000006")


def test_a_kinesis_time_has_its_milliseconds() -> None:
    """Kinesis sends seconds with a fraction."""
    raw = kinesis()
    raw["kinesis"]["approximateArrivalTimestamp"] = 1545084650.987

    record = KinesisRecord.model_validate(raw)

    assert record.approximate_arrival_timestamp == datetime(2018, 12, 17, 22, 10, 50, 987000, UTC)


def test_dynamodb_images_are_python_values() -> None:
    """Attribute values do not reach a handler."""
    image = {"id": {"S": "1"}, "n": {"N": "2"}, "tags": {"SS": ["a", "b"]}, "gone": {"NULL": True}}

    record = DynamoDbRecord.model_validate(dynamodb(NewImage=image))

    assert (record.keys, record.new_image, record.old_image) == (
        {"id": "1"},
        {"id": "1", "n": 2, "tags": {"a", "b"}, "gone": None},
        None,
    )


def test_a_dynamodb_record_has_its_table_and_tells_expiry() -> None:
    """The table's time to live deletes as DynamoDB itself; a request deletes as someone else."""
    raw = {
        **dynamodb(),
        "eventName": "REMOVE",
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/customers/stream/2026-01-01T00:00:00.000",
        "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    }

    record = DynamoDbRecord.model_validate(raw)

    assert (record.table, record.expired, record.new_image) == ("customers", True, None)


@pytest.mark.parametrize("model", [KinesisEvent, DynamoDbEvent])
def test_a_window_is_read(model: type[KinesisEvent | DynamoDbEvent]) -> None:
    """A batch of a tumbling window says which, and what the invocation before it left."""
    raw = {
        "Records": [],
        "window": {"start": "2020-07-30T17:00:00Z", "end": "2020-07-30T17:05:00Z"},
        "state": {"sum": 3},
        "isFinalInvokeForWindow": True,
    }

    event = model.model_validate(raw)

    assert event.window is not None
    assert (event.window.end - event.window.start, event.state, event.is_final_invoke_for_window) == (
        timedelta(minutes=5),
        {"sum": 3},
        True,
    )


# EventBridge


def test_schedulers_detail_is_text() -> None:
    """EventBridge Scheduler sends the input as JSON text, a rule as JSON: both are the same detail."""
    rule = ScheduledEvent.model_validate(eventbridge({"days": 3}))
    scheduler = ScheduledEvent.model_validate(eventbridge('{"days": 3}'))

    assert rule.detail == scheduler.detail == {"days": 3}


@pytest.mark.parametrize(
    ("resource", "schedule"),
    [
        ("arn:aws:events:us-east-1:1:rule/nightly", "nightly"),
        ("arn:aws:scheduler:us-east-1:1:schedule/default/nightly", "nightly"),
    ],
)
def test_a_scheduled_event_has_its_schedule(resource: str, schedule: str) -> None:
    """The name stands at the end of the first resource, a rule's or a schedule's."""
    assert ScheduledEvent.model_validate({**eventbridge({}), "resources": [resource]}).schedule == schedule


def test_a_scheduled_event_without_resources_has_no_schedule() -> None:
    """A hand-made event need not say."""
    assert ScheduledEvent.model_validate(eventbridge({})).schedule == ""


# Payloads


class Order(BaseModel):
    id: str
    total: float = 0.0


class StrictOrder(BaseModel):
    model_config = ConfigDict(strict=True)
    id: str
    placed: date


@dataclasses.dataclass
class Point:
    x: int
    y: int = 0


class Address(TypedDict):
    street: str


class Command(StrEnum):
    START = "start"
    STOP = "stop"


OrderId = NewType("OrderId", str)
Count = NewType("Count", int)
Item = TypeVar("Item")
Orders = TypeAliasType("Orders", list[Order])
Pair = TypeAliasType("Pair", tuple[Item, Item], type_params=(Item,))

# A type, a text, and what the text is in that type.
TEXTS: list[tuple[Any, str, object]] = [
    (str, '{"id": "1"}', '{"id": "1"}'),
    (str | None, "123", "123"),
    (str | None, "null", "null"),
    (bytes, "hé", "hé".encode()),
    (OrderId, "123", "123"),
    (Count, "123", 123),
    (Order, '{"id": "1", "total": 2}', Order(id="1", total=2.0)),
    (Order | None, "null", None),
    (Order | None, '{"id": "1"}', Order(id="1")),
    (Order | Point, '{"x": 1}', Point(1)),
    (Order | str, "plain", "plain"),
    (Order | str, '{"id": "1"}', Order(id="1")),
    (list[Order], '[{"id": "1"}]', [Order(id="1")]),
    (Orders, '[{"id": "1"}]', [Order(id="1")]),
    (Pair[int], "[1, 2]", (1, 2)),
    (list[int], "[1, 2]", [1, 2]),
    (dict[str, int], '{"a": 1}', {"a": 1}),
    (Point, '{"x": 1, "y": 2}', Point(1, 2)),
    (Address, '{"street": "a"}', {"street": "a"}),
    (StrictOrder, '{"id": "1", "placed": "2026-01-02"}', StrictOrder(id="1", placed=date(2026, 1, 2))),
    (int, "5", 5),
    (Decimal, "1.10", Decimal("1.10")),
    (Command, "start", Command.START),
    (Command, '"start"', Command.START),
    (Literal["on", "off"], "off", "off"),
    (UUID, "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
    (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (Any, "plain", "plain"),
    (Any, "[1]", [1]),
]
NAMES = [f"{getattr(kind, '__name__', kind)} of {text}" for kind, text, _ in TEXTS]


def of(model: Any, kind: Any, raw: dict[str, Any]) -> Any:
    """A record of a model whose payload type is only known when the test runs."""
    return model[kind].model_validate(raw)


IN_FIELDS: dict[str, Callable[[Any, str], object]] = {
    "sqs": lambda kind, text: of(SqsRecord, kind, sqs(text)).body,
    "sns": lambda kind, text: of(SnsRecord, kind, sns(text)).message,
    "kinesis": lambda kind, text: of(KinesisRecord, kind, kinesis(text.encode())).data,
    "sqs event": lambda kind, text: of(SqsEvent, kind, {"Records": [sqs(text)]}).records[0].body,
    "scheduler": lambda kind, text: of(ScheduledEvent, kind, eventbridge(text)).detail,
}


@pytest.mark.parametrize("field", IN_FIELDS)
@pytest.mark.parametrize(("kind", "text", "value"), TEXTS, ids=NAMES)
def test_a_payload_is_read_from_text(field: str, kind: Any, text: str, value: object) -> None:
    """Text stays text; any other type is read from JSON, or else from the text itself if the type takes text."""
    assert IN_FIELDS[field](kind, text) == value


VALUES: list[tuple[Any, object, object]] = [
    (dict[str, Any], {"id": "1"}, {"id": "1"}),
    (Order, {"id": "1"}, Order(id="1")),
    (StrictOrder, {"id": "1", "placed": "2026-01-02"}, StrictOrder(id="1", placed=date(2026, 1, 2))),
    (str, "plain", "plain"),
    (int, 5, 5),
    (Point, {"x": 1}, Point(1)),
]


@pytest.mark.parametrize(("kind", "sent", "value"), VALUES)
def test_a_detail_is_read_from_json(kind: Any, sent: object, value: object) -> None:
    """A detail is JSON already; a strict model takes from it what it takes from JSON's text."""
    assert of(EventBridgeEvent, kind, eventbridge(sent)).detail == value


def test_an_image_is_read_into_its_model() -> None:
    """A strict model too takes what DynamoDB has no type for, such as a date."""
    image = {"id": {"S": "1"}, "placed": {"S": "2026-01-02"}}

    record = DynamoDbRecord[StrictOrder].model_validate(dynamodb(NewImage=image, OldImage=image))

    assert record.new_image == record.old_image == StrictOrder(id="1", placed=date(2026, 1, 2))


# Built in a test


def test_records_are_built_by_name() -> None:
    """A unit test of a handler writes the fields it is about, and payloads as they are."""
    order = StrictOrder(id="1", placed=date(2026, 1, 2))

    payloads = [
        SqsRecord[StrictOrder](message_id="1", body=order).body,
        SnsRecord[StrictOrder](message_id="1", message=order).message,
        KinesisRecord[StrictOrder](data=order, sequence_number="1").data,
        DynamoDbRecord[StrictOrder](event_name="INSERT", new_image=order).new_image,
        EventBridgeEvent[StrictOrder](detail_type="placed", source="shop", detail=order).detail,
    ]

    assert payloads == [order] * 5


def test_events_are_built_of_records() -> None:
    """A whole event too is built by name."""
    record = SqsRecord[Order](message_id="1", body=Order(id="1"))

    assert SqsEvent[Order](records=[record]).records == [record]


def test_a_dynamodb_record_is_built_of_plain_values() -> None:
    """Nobody writes attribute values in a unit test."""
    record = DynamoDbRecord(event_name="INSERT", keys={"id": "1"}, new_image={"id": "1", "n": 2})

    assert (record.keys, record.new_image) == ({"id": "1"}, {"id": "1", "n": 2})


def test_records_are_frozen() -> None:
    """A record is what happened; two handlers of one see the same."""
    record = S3Record(bucket="uploads", key="a", event_name="ObjectCreated:Put")

    with pytest.raises(ValidationError, match="frozen"):
        record.key = "b"


@pytest.mark.parametrize(
    ("model", "raw"),
    [
        (S3Record, s3(newInObject=1)),
        (SqsRecord, sqs(somethingNew={"a": 1})),
        (SnsRecord, sns(SomethingNew=1)),
        (KinesisRecord, {**kinesis(), "somethingNew": 1}),
        (DynamoDbRecord, {**dynamodb(SomethingNew=1), "somethingNew": 1}),
        (EventBridgeEvent, {**eventbridge({}), "something-new": 1}),
    ],
)
def test_fields_that_aws_adds_are_ignored(model: type[EventModel], raw: dict[str, Any]) -> None:
    """A service may add a field any day, and a deployed function must not fail then."""
    assert isinstance(model.model_validate(raw), model)


@pytest.mark.parametrize(
    ("model", "raw", "path"),
    [
        (SqsRecord[Order], sqs("{}"), ("body", "id")),
        (SqsRecord[Order], sqs("no JSON"), ("body",)),
        (SqsRecord[list[Order]], sqs('[{"id": "1"}, {}]'), ("body", 1, "id")),
        (SnsRecord[Order], sns("{}"), ("Sns", "Message", "id")),
        (KinesisRecord[Order], kinesis(b"{}"), ("kinesis", "data", "id")),
        (DynamoDbRecord[Order], dynamodb(NewImage={"total": {"N": "1"}}), ("dynamodb", "NewImage", "id")),
        (EventBridgeEvent[Order], eventbridge({}), ("detail", "id")),
        (SqsRecord, sqs(attributes={"SentTimestamp": "soon"}), ("attributes", "SentTimestamp")),
        (SqsEvent[Order], {"Records": [sqs('{"id": "1"}'), sqs("{}")]}, ("Records", 1, "body", "id")),
    ],
)
def test_an_error_names_the_place(model: type[EventModel], raw: dict[str, Any], path: tuple[object, ...]) -> None:
    """Also a field inside of a payload is named, by its path in the raw event."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)

    assert caught.value.errors()[0]["loc"] == path


def test_an_error_of_a_strict_model_is_about_what_is_wrong() -> None:
    """A date in JSON is right for a strict model, so it is not among the errors."""
    with pytest.raises(ValidationError) as caught:
        EventBridgeEvent[StrictOrder].model_validate(eventbridge({"id": 5, "placed": "2026-01-02"}))

    assert [problem["loc"] for problem in caught.value.errors()] == [("detail", "id")]


@pytest.mark.parametrize("data", ["not base64", "YQ", "é"])
def test_data_that_is_no_base64_is_an_error(data: str) -> None:
    """Python would skip foreign characters; what comes out then is not what was sent."""
    with pytest.raises(ValidationError):
        KinesisRecord.model_validate({"kinesis": {"data": data, "sequenceNumber": "1"}})


def test_the_package_has_the_names_it_lists() -> None:
    """The models are loaded when their names are used, and only these names are there."""
    assert all(hasattr(events, name) for name in events.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As in any module."""
    with pytest.raises(AttributeError, match="has no attribute 'SqsRecrd'"):
        _ = events.SqsRecrd
