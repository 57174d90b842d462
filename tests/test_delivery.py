"""Batches of SQS, Kinesis and DynamoDB through an App: what is handled, what is answered, what Lambda then deletes."""

import asyncio
import functools
import json
import threading
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, field_validator

from lambdakit import App, Invocation, RecordInvocation, on_dynamodb, on_kinesis, on_sqs
from lambdakit.errors import LambdakitError, NoHandlerError
from lambdakit.events import (
    DynamoDbEvent,
    DynamoDbRecord,
    KinesisEvent,
    KinesisRecord,
    SqsEvent,
    SqsRecord,
)

ARN = "arn:aws:{}:us-east-1:123456789012:"
WINDOW = {
    "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T00:01:00Z"},
    "state": {"total": 3},
    "shardId": "shardId-0",
    "eventSourceARN": ARN.format("kinesis") + "stream/readings",
    "isFinalInvokeForWindow": False,
    "isWindowTerminatedEarly": False,
}


def message(body: Any, identifier: Any = "m0", *, queue: str = "orders", group: str | None = None) -> dict[str, Any]:
    """An SQS message."""
    return {
        "messageId": identifier,
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"MessageGroupId": group} if group else {},
        "eventSource": "aws:sqs",
        "eventSourceARN": ARN.format("sqs") + queue,
    }


def messages(*bodies: Any, queue: str = "orders", groups: str = "") -> dict[str, Any]:
    """A batch of a queue; its messages are m0, m1, ..., each in the group of one letter."""
    own: list[str | None] = [*groups] if groups else [None] * len(bodies)
    return {
        "Records": [
            message(body, f"m{number}", queue=queue, group=group)
            for number, (body, group) in enumerate(zip(bodies, own, strict=True))
        ]
    }


def reading(data: Any, sequence_number: Any = "0", *, stream: str = "readings", key: str = "k") -> dict[str, Any]:
    """A Kinesis record."""
    text = data if isinstance(data, str) else json.dumps(data)
    return {
        "eventID": f"shardId-0:{sequence_number}",
        "kinesis": {
            "sequenceNumber": sequence_number,
            "partitionKey": key,
            "data": b64encode(text.encode()).decode(),
        },
        "eventSource": "aws:kinesis",
        "eventSourceARN": ARN.format("kinesis") + f"stream/{stream}",
    }


def readings(*data: Any, keys: str = "") -> dict[str, Any]:
    """A batch of a shard; its records are numbered from 0, each with a partition key of one letter."""
    return {
        "Records": [
            reading(one, str(number), key=key)
            for number, (one, key) in enumerate(zip(data, keys or "k" * len(data), strict=True))
        ]
    }


def change(image: Any, sequence_number: Any = "0", *, name: str = "INSERT", key: str = "k") -> dict[str, Any]:
    """A change of an item whose new image holds the numbers and texts of a dict."""
    stored = {
        name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in (image or {}).items()
    }
    return {
        "eventID": f"e{sequence_number}",
        "eventName": name,
        "dynamodb": {
            "Keys": {"id": {"S": key}},
            "SequenceNumber": sequence_number,
            **({} if image is None else {"NewImage": stored}),
        },
        "eventSource": "aws:dynamodb",
        "eventSourceARN": ARN.format("dynamodb") + "table/items/stream/2026-01-01T00:00:00.000",
    }


def reported(reply: Any) -> list[str]:
    """The identifiers in an answer."""
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


def failing(*bad: str) -> Callable[[str], None]:
    """A function that raises for some texts."""

    def act(text: str) -> None:
        if text in bad:
            raise OSError(text)

    return act


class Order(BaseModel):
    id: str
    total: float


# A standard queue


def test_each_message_of_a_standard_queue_stands_for_itself() -> None:
    """The failed ones are reported, the others are done."""
    done: list[str] = []

    @on_sqs("orders")
    def handle(body: str) -> None:
        failing("b", "d")(body)
        done.append(body)

    reply = App(handle)(messages("a", "b", "c", "d", "e"))

    assert (reply, done) == (
        {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]},
        ["a", "c", "e"],
    )


def test_groups_of_a_standard_queue_do_not_stop_each_other() -> None:
    """Fair queues give messages of a standard queue a MessageGroupId, which is no order to keep."""

    @on_sqs("orders")
    def handle(body: str) -> None:
        failing("a")(body)

    assert reported(App(handle)(messages("a", "b", groups="gg"))) == ["m0"]


def test_a_message_delivered_twice_is_reported_once() -> None:
    """One of two deliveries with the same id failed: the id is named once, and both are delivered again."""
    seen: list[str] = []

    @on_sqs("orders")
    def handle(body: str) -> None:
        seen.append(body)
        failing("b")(body)

    event = {"Records": [message("a"), message("b"), message("b")]}

    assert (reported(App(handle)(event)), seen) == (["m0"], ["a", "b", "b"])


@pytest.mark.parametrize("identifier", [None, "", 7, {}])
def test_a_failed_message_without_an_id_fails_the_batch(identifier: object) -> None:
    """It can't be named, so nothing may be deleted."""

    @on_sqs("orders")
    def handle(body: str) -> None:
        failing("b")(body)

    assert reported(App(handle)({"Records": [message("a"), message("b", identifier)]})) == [""]


def test_a_message_without_an_id_that_is_handled_fails_nothing() -> None:
    """Only what failed has to be named."""

    @on_sqs("orders")
    def handle(body: str) -> None: ...

    assert reported(App(handle)({"Records": [message("a", None)]})) == []


@pytest.mark.parametrize("broken", [None, "text", 7, [], {}, {"messageId": "m1"}])
def test_what_is_no_message_at_all_fails_alone_or_the_batch(broken: Any) -> None:
    """A broken record does not keep the others from being handled, nor is it ever reported done."""
    seen: list[str] = []

    @on_sqs("orders")
    def handle(body: str) -> None:
        seen.append(body)

    reply = App(handle)({"Records": [message("a", "m0"), broken, message("c", "m2")]})

    name = broken.get("messageId", "") if isinstance(broken, dict) else ""
    assert (reported(reply), seen) == ([name], ["a", "c"])


def test_a_message_no_handler_takes_fails_while_the_others_are_handled(caplog: pytest.LogCaptureFixture) -> None:
    """It is named in the log, with what is registered."""
    seen: list[str] = []

    @on_sqs("orders")
    def handle(body: str) -> None:
        seen.append(body)

    reply = App(handle)({"Records": [message("a", "m0", queue="refunds"), message("b", "m1")]})

    assert (reported(reply), seen) == (["m0"], ["b"])
    [line] = caplog.messages
    assert line.startswith("Left for another delivery: SQS message m0: no handler takes this 'sqs' event from queue")
    assert "on_sqs('orders')" in line


def test_a_batch_no_handler_takes_is_an_error() -> None:
    """Nothing of it can ever succeed: the error says what is registered."""

    @on_sqs("orders")
    def handle(body: str) -> None: ...

    with pytest.raises(NoHandlerError, match="'refunds'"):
        App(handle)(messages("a", "b", queue="refunds"))


def test_handlers_of_several_queues_get_their_own_messages() -> None:
    """The queue decides; one without a name takes the rest."""
    seen: list[tuple[str, str]] = []

    @on_sqs("a")
    def first(body: str) -> None:
        seen.append(("first", body))

    @on_sqs("b")
    def second(record: SqsRecord) -> None:
        seen.append(("second", record.body))

    @on_sqs()
    def rest(body: str) -> None:
        seen.append(("rest", body))

    App(first, second, rest)({"Records": [message(queue, queue=queue) for queue in "acb"]})

    assert seen == [("first", "a"), ("rest", "c"), ("second", "b")]


# A FIFO queue


def test_a_failure_stops_its_group_and_no_other() -> None:
    """The first failure of a group and all of the group after it are reported and not tried."""
    seen: list[str] = []

    @on_sqs("orders.fifo")
    def handle(body: str) -> None:
        seen.append(body)
        failing("x2", "y1")(body)

    event = messages("x1", "y1", "x2", "z1", "x3", "y2", "z2", queue="orders.fifo", groups="xyxzxyz")

    assert (reported(App(handle)(event)), seen) == (["m1", "m2", "m4", "m5"], ["x1", "y1", "x2", "z1", "z2"])


def test_an_invalid_message_stops_its_group() -> None:
    """A message that does not validate is a failure like any other: what comes after it in the group waits."""
    seen: list[str] = []

    @on_sqs("orders.fifo")
    def handle(order: Order) -> None:
        seen.append(order.id)

    order = {"id": "1", "total": 2}
    event = messages(order, {"id": "2"}, order, order, queue="orders.fifo", groups="xyyx")

    assert (reported(App(handle)(event)), len(seen)) == (["m1", "m2"], 2)


def test_messages_without_a_group_are_one_group() -> None:
    """Which messages must wait is not known then, so all do."""

    @on_sqs("orders.fifo")
    def handle(body: str) -> None:
        failing("b")(body)

    assert reported(App(handle)(messages("a", "b", "c", queue="orders.fifo"))) == ["m1", "m2"]


# Streams


def test_a_stream_stops_at_its_first_failure() -> None:
    """That record is the checkpoint: Lambda delivers again from there on, so nothing after it is tried."""
    seen: list[bytes] = []

    @on_kinesis("readings")
    def handle(data: bytes) -> None:
        seen.append(data)
        failing("b")(data.decode())

    assert (reported(App(handle)(readings("a", "b", "c", keys="xyz"))), seen) == (["1"], [b"a", b"b"])


def test_a_checkpoint_that_can_not_be_named_fails_the_batch() -> None:
    """Without a sequence number, or without all that Kinesis sends."""

    @on_kinesis("readings")
    def handle(data: bytes) -> None: ...

    app = App(handle)
    broken = reading("b")
    del broken["kinesis"]

    assert reported(app({"Records": [reading("a"), broken, reading("c")]})) == [""]


def test_handlers_by_kind_of_change_share_one_checkpoint() -> None:
    """Changes go to the handler of their kind in the order they were made; the first failure ends the batch."""
    seen: list[str] = []

    @on_dynamodb("items", events="INSERT")
    def inserted(record: DynamoDbRecord) -> None:
        seen.append(f"insert {record.sequence_number}")

    @on_dynamodb("items", events=("MODIFY", "REMOVE"))
    def changed(record: DynamoDbRecord) -> None:
        seen.append(f"change {record.sequence_number}")
        if record.event_name == "REMOVE":
            raise OSError

    kinds = ("MODIFY", "INSERT", "REMOVE", "INSERT")
    event = {"Records": [change(None, str(number), name=kind) for number, kind in enumerate(kinds)]}

    assert (reported(App(inserted, changed)(event)), seen) == (["2"], ["change 0", "insert 1", "change 2"])


def test_a_change_no_handler_takes_is_a_checkpoint() -> None:
    """It is neither dropped nor passed over."""

    @on_dynamodb("items", events="INSERT")
    def inserted(record: DynamoDbRecord) -> None: ...

    event = {"Records": [change(None, str(number), name=kind) for number, kind in enumerate(("INSERT", "REMOVE"))]}

    assert reported(App(inserted)(event)) == ["1"]


def test_the_changes_of_an_item_reach_handlers_of_lists_in_their_order() -> None:
    """An item is inserted, removed and inserted again: its second insert waits for the removal."""
    seen: list[str] = []

    @on_dynamodb("items", events="INSERT")
    def inserted(records: list[DynamoDbRecord]) -> None:
        seen.append("insert " + " ".join(record.sequence_number for record in records))

    @on_dynamodb("items", events="REMOVE")
    def removed(record: DynamoDbRecord) -> None:
        seen.append(f"remove {record.sequence_number}")

    changes = [("INSERT", "k"), ("INSERT", "l"), ("REMOVE", "k"), ("INSERT", "k"), ("INSERT", "l")]
    App(inserted, removed)(
        {"Records": [change(None, str(n), name=name, key=key) for n, (name, key) in enumerate(changes)]}
    )

    assert seen == ["insert 0 1", "remove 2", "insert 3 4"]


def test_a_handler_of_lists_is_not_called_for_what_comes_after_a_checkpoint() -> None:
    """After the failure of another handler only records before it are still due."""
    seen: list[str] = []

    @on_dynamodb("items", events="INSERT")
    def inserted(record: DynamoDbRecord) -> None:
        raise OSError

    @on_dynamodb("items", events="REMOVE")
    def removed(records: list[DynamoDbRecord]) -> None:
        seen.extend(record.sequence_number for record in records)

    event = {"Records": [change(None, str(n), name=name) for n, name in enumerate(("INSERT", "REMOVE"))]}

    assert (reported(App(inserted, removed)(event)), seen) == (["0"], [])


# No records


def test_an_empty_batch_is_done() -> None:
    """Nothing failed, so nothing is reported."""

    @on_kinesis("readings")
    def handle(data: bytes) -> None: ...

    assert App(handle)({"Records": [], **WINDOW}) == {"batchItemFailures": [], "state": {"total": 3}}


# Handlers of several records


def test_a_handler_of_a_list_is_called_once_with_what_is_readable() -> None:
    """What does not validate is reported and left out of the call."""
    calls: list[list[str]] = []

    @on_sqs("orders")
    def handle(records: list[SqsRecord[Order]]) -> None:
        calls.append([record.body.id for record in records])

    reply = App(handle)(messages({"id": "1", "total": 1}, {"id": "2"}, "{", {"id": "4", "total": 4}))

    assert (reported(reply), calls) == (["m1", "m2"], [["1", "4"]])


def test_a_handler_of_the_event_is_called_once_with_what_is_readable() -> None:
    """As for a list."""
    calls: list[list[str]] = []

    @on_sqs("orders")
    def handle(event: SqsEvent[Order]) -> None:
        calls.append([record.body.id for record in event.records])

    reply = App(handle)(messages({"id": "1", "total": 1}, {"id": "2"}, {"id": "3", "total": 3}))

    assert (reported(reply), calls) == (["m1"], [["1", "3"]])


def test_a_handler_of_a_list_is_not_called_without_readable_records() -> None:
    """There is nothing to call it for."""
    calls: list[object] = []

    @on_sqs("orders")
    def handle(records: list[SqsRecord[Order]]) -> None:
        calls.append(records)

    assert (reported(App(handle)(messages("{", "["))), calls) == (["m0", "m1"], [])


def test_a_handler_of_a_list_that_raises_reports_all_its_records(caplog: pytest.LogCaptureFixture) -> None:
    """What it did before is not known; records of other handlers are not concerned."""

    @on_sqs("orders")
    def handle(records: list[SqsRecord]) -> None:
        raise OSError("disk full")

    @on_sqs("other")
    def other(body: str) -> None: ...

    event = {"Records": [message("a", "m0"), message("b", "m1", queue="other"), message("c", "m2")]}

    assert reported(App(handle, other)(event)) == ["m0", "m2"]
    assert [line.partition(" failed in ")[0] for line in caplog.messages] == [
        "Left for another delivery: SQS message m0 and 1 more"
    ]
    assert "disk full" in caplog.text


class Failure(BaseModel):
    itemIdentifier: str  # noqa: N815 - AWS's name


class Reply(BaseModel):
    batchItemFailures: list[Failure]  # noqa: N815 - AWS's name


def named(*identifiers: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize(
    ("reply", "left"),
    [
        (None, ["m1"]),
        ("", ["m1"]),
        ([], ["m1"]),
        ({}, ["m1"]),
        ({"batchItemFailures": None}, ["m1"]),
        (named(), ["m1"]),
        (named("m2"), ["m1", "m2"]),
        (named("m2", "m2", "m1"), ["m1", "m2"]),
        (Reply(batchItemFailures=[Failure(itemIdentifier="m2")]), ["m1", "m2"]),
        ({"batchItemFailures": (Failure(itemIdentifier="m2"),)}, ["m1", "m2"]),
        (named("m9"), [""]),
        (named("m2", "m9"), [""]),
        (named(""), [""]),
        (named(None), [""]),
        (named(["m2"]), [""]),
        ({"batchItemFailures": [{"id": "m2"}]}, [""]),
        ({"batchItemFailures": ["m2"]}, [""]),
        ({"batchItemFailures": {"itemIdentifier": "m2"}}, [""]),
    ],
    ids=repr,
)
def test_failures_that_a_handler_reports_join_those_that_were_found(reply: Any, left: list[str]) -> None:
    """An unknown or malformed entry fails the batch, as it does on AWS."""

    @on_sqs("orders")
    def handle(records: list[SqsRecord[Order]]) -> Any:
        return reply

    order = {"id": "1", "total": 1}

    assert reported(App(handle)(messages(order, "{", order))) == left


def test_a_reported_message_of_a_fifo_queue_takes_the_rest_of_its_group_along() -> None:
    """Lambda would delete what is not named, so the group would lose its order."""

    @on_sqs("orders.fifo")
    def handle(records: list[SqsRecord]) -> dict[str, Any]:
        return named("m1")

    event = messages(*"abcd", queue="orders.fifo", groups="xyxy")

    assert reported(App(handle)(event)) == ["m1", "m3"]


def test_of_the_records_of_a_stream_that_are_reported_the_lowest_is_answered() -> None:
    """In whatever order they are named; a record that was found invalid may be lower still."""

    @on_kinesis("readings")
    def handle(records: list[KinesisRecord[int]]) -> dict[str, Any]:
        return named("2", "1")

    app = App(handle)

    assert [reported(app(readings(*data))) for data in ((0, 1, 2), ("x", 1, 2), (0, 1, "x"))] == [["1"], ["0"], ["1"]]


def test_a_reported_message_that_was_delivered_twice_is_left_twice() -> None:
    """Both carry the id, so in a FIFO queue the rest of both groups waits."""

    @on_sqs("orders.fifo")
    def handle(records: list[SqsRecord]) -> dict[str, Any]:
        return named("m0")

    event = {
        "Records": [
            message(body, identifier, queue="orders.fifo", group=group)
            for body, identifier, group in (("a", "m0", "x"), ("b", "m1", "x"), ("c", "m0", "y"), ("d", "m2", "y"))
        ]
    }

    assert reported(App(handle)(event)) == ["m0", "m1", "m2"]


def test_the_failure_of_what_has_no_id_can_not_be_reported_by_a_handler() -> None:
    """It reports the empty id, which is every record to Lambda, also where a lower record of a stream failed too."""

    @on_kinesis("readings")
    def handle(records: list[KinesisRecord]) -> dict[str, Any]:
        return named("1", "")

    event = readings("a", "b", "c")

    assert reported(App(handle)(event)) == [""]


def test_a_batch_of_thousands_is_answered_at_once() -> None:
    """The time for an answer grows with the batch, not with its square: this took a minute once."""

    @on_sqs("orders")
    def handle(records: list[SqsRecord]) -> dict[str, Any]:
        return named(*(record.message_id for record in records))

    reply = App(handle)(messages(*["a"] * 10_000))

    assert len(reply["batchItemFailures"]) == 10_000


# Records that do not validate


class Guarded(BaseModel):
    card: str

    @field_validator("card")
    @classmethod
    def check(cls, value: str) -> str:
        problems = {"key": KeyError, "recursion": RecursionError, "attribute": AttributeError, "stop": StopIteration}
        kind = value.partition(" ")[0]
        if kind in problems:
            raise problems[kind](value)
        return value


@pytest.mark.parametrize("kind", ["key", "recursion", "attribute", "stop"])
@pytest.mark.parametrize("shape", [Guarded, SqsRecord[Guarded], list[SqsRecord[Guarded]], SqsEvent[Guarded]], ids=str)
def test_a_validator_that_raises_anything_fails_its_own_record(
    kind: str, shape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a user's validator raises, the log names the record and the handler, and shows the traceback."""

    def handle(given: Any) -> None: ...

    handle.__annotations__["given"] = shape
    event = messages({"card": "1"}, {"card": f"{kind} 4111-1111"}, {"card": "2"})

    reply = App(on_sqs("orders")(handle))(event)

    assert reported(reply) == ["m1"]
    [failure] = caplog.records
    assert "SQS message m1" in failure.getMessage()
    assert handle.__qualname__ in failure.getMessage()
    assert failure.exc_info is not None


@pytest.mark.parametrize("shape", [Order, SqsRecord[Order], list[SqsRecord[Order]], SqsEvent[Order]], ids=str)
def test_an_invalid_record_is_logged_in_one_line_without_its_values(
    shape: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The line names record, handler and field; what the field held may be a secret."""

    def handle(given: Any) -> None: ...

    handle.__annotations__["given"] = shape

    App(on_sqs("orders")(handle))(messages({"id": "a", "total": "secret"}))

    assert caplog.messages == [
        f"Left for another delivery: SQS message m0 does not fit what {__name__}.{handle.__qualname__} asks for: "
        "body.total: Input should be a valid number, unable to parse string as a number"
    ]
    assert "secret" not in caplog.text


def test_a_message_id_can_not_forge_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Line breaks in what came are spaces in the log."""

    @on_sqs("orders")
    def handle(order: Order) -> None: ...

    App(handle)({"Records": [message("{", "m0\nERROR all is lost")]})

    assert len(caplog.text.splitlines()) == 1


def test_what_a_handler_raises_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a handler is found where it is."""

    @on_sqs("orders")
    def handle(body: str) -> None:
        raise OSError("disk full")

    App(handle)(messages("a"))

    [record] = caplog.records
    assert (
        record.getMessage() == f"Left for another delivery: SQS message m0 failed in {__name__}.{handle.__qualname__}"
    )
    assert record.exc_info is not None
    assert "disk full" in caplog.text


@pytest.mark.parametrize(
    "error", [ValueError, KeyError, StopIteration, RecursionError, asyncio.CancelledError, LambdakitError]
)
def test_whatever_a_handler_raises_about_a_record_fails_that_record(error: type[BaseException]) -> None:
    """Also a cancellation, which is no Exception, and which would end the runtime if it got through."""

    @on_sqs("orders")
    def handle(body: str) -> None:
        if body == "b":
            raise error

    assert reported(App(handle)(messages("a", "b", "c"))) == ["m1"]


@pytest.mark.parametrize("end", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("shape", [str, list[SqsRecord]], ids=str)
def test_what_ends_the_process_ends_it(end: type[BaseException], shape: Any) -> None:
    """sys.exit and an interrupt are about the process, not about a record; Lambda then fails the batch."""

    def handle(given: Any) -> None:
        raise end

    handle.__annotations__["given"] = shape

    with pytest.raises(end):
        App(on_sqs("orders")(handle))(messages("a", "b"))


def test_a_record_can_be_handled_by_its_middleware_alone() -> None:
    """Middleware that does not go on has decided that the record is done; one that raises, that it failed."""

    def guard(record: RecordInvocation, call_next: Callable[[], Any]) -> object:
        if record.record["body"] == "bad":
            raise ValueError
        return None

    @on_sqs("orders")
    def handle(body: str) -> None:
        raise OSError

    assert reported(App(handle, middleware=[guard])(messages("a", "bad"))) == ["m1"]


def test_an_error_around_the_batch_fails_all_of_it() -> None:
    """Middleware around the invocation that raises afterwards leaves no answer, so Lambda delivers all again."""

    def around(invocation: Invocation, call_next: Callable[[], Any]) -> object:
        call_next()
        raise OSError("no answer")

    @on_sqs("orders")
    def handle(body: str) -> None: ...

    with pytest.raises(OSError, match="no answer"):
        App(handle, middleware=[around])(messages("a"))


# Tumbling windows


def test_the_state_of_a_window_is_what_the_handler_returns() -> None:
    """As JSON: Lambda could not pass on a date or a model."""

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def add(event: KinesisEvent[int]) -> dict[str, Any]:
        total = (event.state or {})["total"] + sum(record.data for record in event.records)
        return {"state": {"total": total, "since": date(2026, 1, 1)}}

    assert App(add)({**readings(4, 5), **WINDOW}) == {
        "batchItemFailures": [],
        "state": {"total": 12, "since": "2026-01-01"},
    }


@pytest.mark.parametrize(("given", "left"), [({"total": 3}, {"total": 3}), ({}, {}), (None, {})])
def test_a_window_keeps_its_state_where_the_handler_returns_none(given: object, left: object) -> None:
    """Without a state in the answer Lambda counts the invocation as failed."""

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def add(event: KinesisEvent[int]) -> None: ...

    assert App(add)({**readings(4), **WINDOW, "state": given}) == {"batchItemFailures": [], "state": left}


def test_a_handler_that_fails_in_a_window_leaves_its_state_as_it_was() -> None:
    """The records are delivered again, with the state that they came with."""

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def add(event: KinesisEvent[int]) -> None:
        raise OSError

    assert App(add)({**readings(4, 5), **WINDOW}) == {
        "batchItemFailures": [{"itemIdentifier": "0"}],
        "state": {"total": 3},
    }


FINAL = {"Records": [], **WINDOW, "isFinalInvokeForWindow": True}


def test_the_last_call_of_a_window_reaches_its_handler_without_records() -> None:
    """It is about the state that was gathered, which would be lost without it."""
    ends: list[object] = []

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def add(event: KinesisEvent[int]) -> dict[str, Any]:
        ends.append((event.records, event.state, event.is_final_invoke_for_window))
        return {"state": {}}

    assert (App(add)(FINAL), ends) == ({"batchItemFailures": [], "state": {}}, [([], {"total": 3}, True)])


def test_the_last_call_of_a_window_fails_as_a_whole() -> None:
    """There is no record to report, so the error goes to Lambda, which calls again."""

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def add(event: KinesisEvent[int]) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        App(add)(FINAL)


def test_the_last_call_of_a_window_goes_to_the_handler_of_its_stream() -> None:
    """By the stream that the event names, as records would."""
    ends: list[str] = []

    @on_kinesis("readings", tumbling_window_in_seconds=60)
    def own(event: KinesisEvent) -> None:
        ends.append("own")

    @on_kinesis("others", tumbling_window_in_seconds=60)
    def others(event: KinesisEvent) -> None:
        ends.append("others")

    @on_kinesis(tumbling_window_in_seconds=60)
    def rest(event: KinesisEvent) -> None:
        ends.append("rest")

    App(own, others, rest)(FINAL)

    assert ends == ["own"]


def test_the_last_call_of_a_tables_window_reaches_its_handlers_once() -> None:
    """A change without a kind is for the handlers of every kind."""
    ends: list[str] = []

    @on_dynamodb("items", events=("INSERT", "MODIFY"), tumbling_window_in_seconds=60)
    def written(event: DynamoDbEvent) -> None:
        ends.append("written")

    @on_dynamodb("others", tumbling_window_in_seconds=60)
    def others(event: DynamoDbEvent) -> None:
        ends.append("others")

    table = ARN.format("dynamodb") + "table/items/stream/2026-01-01T00:00:00.000"
    App(written, others)({**FINAL, "eventSourceARN": table})

    assert ends == ["written"]


# Whatever goes wrong


SOURCES = ("standard", "fifo", "kinesis", "dynamodb")
Deed = Literal["ok", "raise", "stop", "cancel", "cancel itself", "report", "report unknown"]


class Work(BaseModel):
    """What a record asks its handler to do."""

    n: int
    do: Deed


@dataclass(frozen=True)
class Plan:
    """A record of a random batch: to which handler, in order with which others, and what happens."""

    taker: int
    key: str
    do: str
    named: bool = True
    twin: bool = False


@dataclass
class Journal:
    """What handlers did, by position."""

    started: list[int] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    lock: Any = field(default_factory=threading.Lock)
    running: Counter[int] = field(default_factory=Counter)
    most: Counter[int] = field(default_factory=Counter)

    def enter(self, taker: int, works: Sequence[Work]) -> None:
        with self.lock:
            self.started += [work.n for work in works]
            self.running[taker] += 1
            self.most[taker] = max(self.most[taker], self.running[taker])

    def leave(self, taker: int) -> None:
        with self.lock:
            self.running[taker] -= 1


@dataclass(frozen=True)
class Taker:
    """A handler of a random App."""

    shape: int
    form: str
    concurrency: int


def misbehave(works: Sequence[Work], single: bool) -> None:
    errors: dict[str, type[BaseException]] = {
        "raise": OSError,
        "stop": StopIteration,
        "cancel": asyncio.CancelledError,
        "cancel itself": asyncio.CancelledError,
    }
    if single:
        errors |= {"report": KeyError, "report unknown": LambdakitError}
    for work in works:
        if work.do in errors:
            raise errors[work.do]


def own_reply(works: Sequence[Work], names: Sequence[str]) -> dict[str, Any]:
    found = [names[work.n] for work in works if work.do == "report"]
    return named(*found, *("nowhere" for work in works if work.do == "report unknown"))


def works_of(given: Any) -> list[Work]:
    """What a handler was given, whatever its shape."""
    if isinstance(given, Work):
        return [given]
    if isinstance(given, list):
        return [work for one in given for work in works_of(one)]
    if hasattr(given, "records"):
        return works_of(given.records)
    content = next(getattr(given, name) for name in ("body", "data", "new_image") if hasattr(given, name))
    assert isinstance(content, Work)
    return [content]


SHAPES: dict[str, tuple[Any, ...]] = {
    "standard": (Work, SqsRecord[Work], list[SqsRecord[Work]], SqsEvent[Work]),
    "fifo": (Work, SqsRecord[Work], list[SqsRecord[Work]], SqsEvent[Work]),
    "kinesis": (Work, KinesisRecord[Work], list[KinesisRecord[Work]], KinesisEvent[Work]),
    "dynamodb": (Work, DynamoDbRecord[Work], list[DynamoDbRecord[Work]], DynamoDbEvent[Work]),
}


def handler(source: str, number: int, taker: Taker, names: Sequence[str], journal: Journal) -> Callable[..., Any]:
    """A marked function that does what records ask for, and keeps the journal."""
    single = taker.shape < 2

    def finish(works: Sequence[Work]) -> Any:
        misbehave(works, single)
        reply = None if single else own_reply(works, names)
        journal.done.update(work.n for work in works if work.do == "ok")
        return reply

    def handle(given: Any) -> Any:
        works = works_of(given)
        journal.enter(number, works)
        try:
            return finish(works)
        finally:
            journal.leave(number)

    async def handle_async(given: Any) -> Any:
        works = works_of(given)
        journal.enter(number, works)
        try:
            task = asyncio.current_task()
            if task is not None and any(work.do == "cancel itself" for work in works):
                task.cancel()
            for _ in range(works[0].n % 3 + 1):
                await asyncio.sleep(0)
            return finish(works)
        finally:
            journal.leave(number)

    def handle_by_returning(given: Any) -> Any:
        return handle_async(given)

    @functools.wraps(handle_async)
    def wrapped(given: Any) -> Any:
        return handle_async(given)

    forms: dict[str, Callable[..., Any]] = {
        "def": handle,
        "async def": handle_async,
        "returning": handle_by_returning,
        "wrapped": wrapped,
    }
    function: Callable[..., Any] = forms[taker.form]
    function.__annotations__["given"] = SHAPES[source][taker.shape]
    concurrency = taker.concurrency if single else 1
    if source == "kinesis":
        return on_kinesis(f"s{number}", concurrency=concurrency)(function)
    if source == "dynamodb":
        return on_dynamodb("items", events=("INSERT", "MODIFY")[number], concurrency=concurrency)(function)
    return on_sqs(f"q{number}" + ".fifo" * (source == "fifo"), concurrency=concurrency)(function)


def raw(source: str, number: int, plan: Plan, name: str) -> Any:
    """The record that a plan is about."""
    work: Any = {"n": number, "do": plan.do}
    if plan.do == "invalid":
        work = {"n": number}
    identifier = name if plan.named else None
    if plan.do == "broken" and number:  # the first record tells the source
        return None
    if source == "kinesis":
        return reading(work, identifier, stream=f"s{plan.taker}", key=plan.key)
    if source == "dynamodb":
        return change(work, identifier, name=("INSERT", "MODIFY", "REMOVE")[plan.taker], key=plan.key)
    queue = f"q{plan.taker}" + ".fifo" * (source == "fifo")
    return message(work, identifier, queue=queue, group=plan.key)


def names_of(plans: Sequence[Plan]) -> list[str]:
    """The identifiers of a batch; a twin has that of the record before it."""
    names: list[str] = []
    for number, plan in enumerate(plans):
        name = names[-1] if plan.twin and names else f"i{number}"
        names.append(name if plan.named and not (plan.do == "broken" and number) else "")
    return names


def delivered_again(source: str, names: Sequence[str], reply: Any) -> set[int]:
    """The positions that Lambda delivers again for an answer, by the table of its documentation."""
    listed = reported(reply)
    if any(name not in names or not name for name in listed):
        return set(range(len(names)))
    if source in ("kinesis", "dynamodb") and listed:
        return set(range(min(names.index(name) for name in listed), len(names)))
    return {position for position, name in enumerate(names) if name in listed}


PLANS = st.builds(
    Plan,
    taker=st.sampled_from((0, 0, 0, 1, 1, 2)),  # nobody takes what is for 2
    key=st.sampled_from("abc"),
    do=st.sampled_from(
        ("ok",) * 8 + ("raise", "stop", "cancel", "cancel itself", "report", "report unknown", "invalid", "broken")
    ),
    named=st.sampled_from((True,) * 9 + (False,)),
    twin=st.sampled_from((False,) * 9 + (True,)),
)
TAKERS = st.builds(
    Taker,
    shape=st.integers(0, 3),
    form=st.sampled_from(("def", "async def", "returning", "wrapped")),
    concurrency=st.integers(1, 3),
)


def passing(record: RecordInvocation, call_next: Callable[[], Any]) -> Any:
    return call_next()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=300)
@given(
    plans=st.lists(PLANS, min_size=1, max_size=10),
    takers=st.tuples(TAKERS, TAKERS),
    middleware=st.sampled_from(((), (passing,))),
)
def test_nothing_is_reported_done_that_was_not(
    source: str, plans: list[Plan], takers: tuple[Taker, Taker], middleware: tuple[Any, ...]
) -> None:
    """Whatever goes wrong, Lambda deletes only what was handled.

    What was handled is not delivered again needlessly, the order of groups and keys is kept, and no more records are
    handled at once than a handler allows.
    """
    names, journal = names_of(plans), Journal()
    handlers = [handler(source, number, taker, names, journal) for number, taker in enumerate(takers)]
    app = App(*handlers, middleware=middleware)
    everything = set(range(len(plans)))
    try:
        again = delivered_again(
            source,
            names,
            app({"Records": [raw(source, number, plan, names[number]) for number, plan in enumerate(plans)]}),
        )
    except NoHandlerError:
        again = everything
    finally:
        app.close()

    deleted = everything - again
    assert deleted <= journal.done
    assert_needed(source, plans, names, journal, again)
    assert_in_order(source, plans, journal, deleted)
    assert all(journal.most[number] <= taker.concurrency for number, taker in enumerate(takers))


def assert_needed(
    source: str, plans: Sequence[Plan], names: Sequence[str], journal: Journal, again: Iterable[int]
) -> None:
    """What is delivered again has to be: it failed, comes after a failure, or can't be told from one."""
    not_done = set(range(len(plans))) - journal.done
    lost_track = any(not names[position] for position in not_done) or any(plan.do == "report unknown" for plan in plans)
    if lost_track:
        return
    if source in ("kinesis", "dynamodb"):
        assert min(again, default=None) == min((names.index(names[p]) for p in not_done), default=None)
    elif source == "standard":
        assert set(again) == {position for position, name in enumerate(names) if name in {names[p] for p in not_done}}


def assert_in_order(source: str, plans: Sequence[Plan], journal: Journal, deleted: Iterable[int]) -> None:
    """Records with the same key start in the order they came; nothing after a failed one is deleted."""
    if source == "standard":
        return
    by_key: dict[str, list[int]] = {}
    for position in journal.started:
        by_key.setdefault(plans[position].key, []).append(position)
    assert all(positions == sorted(positions) for positions in by_key.values())
    for position in deleted:
        before = [p for p in range(position) if source != "fifo" or plans[p].key == plans[position].key]
        assert all(p in journal.done for p in before if plans[p].do != "broken" or source != "fifo")
