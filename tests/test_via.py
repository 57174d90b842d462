"""What comes through an envelope: S3, SNS and EventBridge events in SQS messages, SNS notifications and bus events."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, RecordInvocation, on_eventbridge, on_s3, on_sns, on_sqs
from lambdakit.errors import EventValidationError, NoHandlerError
from lambdakit.events import EventBridgeEvent, S3Event, S3Record, SnsRecord

TOPIC = "arn:aws:sns:us-east-1:123456789012:changes"
TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "Time": "2026-01-01T00:00:00.000Z"}


def uploads(*keys: str, bucket: str = "uploads", event_name: str = "ObjectCreated:Put") -> dict[str, Any]:
    """An S3 notification; keys as S3 writes them, encoded."""
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "eventName": event_name,
                "eventTime": "2026-01-01T00:00:00.000Z",
                "s3": {"bucket": {"name": bucket}, "object": {"key": key, "size": 3}},
            }
            for key in keys
        ]
    }


def in_sqs(*documents: Any, queue: str = "inbox", groups: str = "") -> dict[str, Any]:
    """A batch of messages m0, m1, ... that carry documents, or texts as they are."""
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "body": document if isinstance(document, str) else json.dumps(document),
                "attributes": {"MessageGroupId": group},
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
            }
            for number, (document, group) in enumerate(zip(documents, groups or "-" * len(documents), strict=True))
        ]
    }


def notification(document: Any) -> dict[str, Any]:
    """What SNS sends to a queue."""
    text = document if isinstance(document, str) else json.dumps(document)
    return {"Type": "Notification", "MessageId": "n", "TopicArn": TOPIC, "Message": text}


def in_sns(document: Any) -> dict[str, Any]:
    """What SNS sends to a function."""
    return {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(document)}]}


def bus_event(detail: Any, source: str = "shop", detail_type: str = "Order placed") -> dict[str, Any]:
    """An EventBridge event."""
    return {
        "version": "0",
        "id": "e",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


def on_bus(key: str, bucket: str = "uploads") -> dict[str, Any]:
    """What S3 tells EventBridge; the key is not encoded there."""
    detail = {"bucket": {"name": bucket}, "object": {"key": key, "size": 3}, "reason": "PutObject"}
    return bus_event(detail, "aws.s3", "Object Created")


def failed(reply: Any) -> list[str]:
    """The identifiers in an answer."""
    return [failure["itemIdentifier"] for failure in reply["batchItemFailures"]]


class Keys(list[str]):
    """The keys a handler saw; a key that begins with "bad" is a failure."""

    def take(self, *uploads: S3Record) -> None:
        for upload in uploads:
            if upload.key.startswith("bad"):
                raise OSError(upload.key)
        self.extend(upload.key for upload in uploads)


def ingesting(keys: Keys, *via: str, **settings: Any) -> Callable[[S3Record], None]:
    @on_s3("uploads", via=via, **settings)
    def ingest(upload: S3Record) -> None:
        keys.take(upload)

    return ingest


# The envelopes


@pytest.mark.parametrize(
    ("via", "event"),
    [
        (("sqs",), in_sqs(uploads("a+b%2Bc"))),
        (("sns",), in_sns(uploads("a+b%2Bc"))),
        (("sns", "sqs"), in_sqs(notification(uploads("a+b%2Bc")))),
        (("eventbridge",), on_bus("a b+c")),
        (("eventbridge", "sqs"), in_sqs(on_bus("a b+c"))),
        (("eventbridge", "sns"), in_sns(on_bus("a b+c"))),
        (("eventbridge", "sns", "sqs"), in_sqs(notification(on_bus("a b+c")))),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_an_object_is_reached_through_its_envelopes(via: tuple[str, ...], event: dict[str, Any]) -> None:
    """Its key is decoded once where S3 encoded it, and left alone where S3 did not."""
    keys = Keys()

    App(ingesting(keys, *via))(event)

    assert keys == ["a b+c"]


def test_one_handler_may_be_reached_by_several_ways() -> None:
    """A decorator a way."""
    keys = Keys()

    @on_s3("uploads")
    @on_s3("uploads", via="sqs")
    @on_s3("uploads", via=("sns", "sqs"))
    def ingest(upload: S3Record) -> None:
        keys.take(upload)

    app = App(ingest)
    app(uploads("a"))
    app(in_sqs(uploads("b"), notification(uploads("c"))))

    assert keys == ["a", "b", "c"]


def test_the_closest_handler_takes_what_is_inside() -> None:
    """As it does without an envelope."""
    seen: list[tuple[str, str]] = []

    @on_s3("uploads", suffix=".csv", via="sqs")
    def tables(upload: S3Record) -> None:
        seen.append(("tables", upload.key))

    @on_s3("uploads", via="sqs")
    def others(upload: S3Record) -> None:
        seen.append(("others", upload.key))

    App(tables, others)(in_sqs(uploads("a.csv", "b.txt")))

    assert seen == [("tables", "a.csv"), ("others", "b.txt")]


def test_a_notification_of_sns_is_reached_in_a_queue() -> None:
    """Its message is the payload, its topic decides; the failure of one fails its message."""
    seen: list[str] = []

    @on_sns("changes", via="sqs")
    def handle(record: SnsRecord) -> None:
        if record.message == "bad":
            raise OSError
        seen.append(f"{record.topic} {record.message}")

    assert (failed(App(handle)(in_sqs(notification("a"), notification("bad")))), seen) == (["m1"], ["changes a"])


def test_an_event_of_a_bus_is_reached_in_a_queue() -> None:
    """Its detail is the payload, its pattern decides; what no pattern matches fails its message."""
    seen: list[str] = []

    @on_eventbridge({"source": ["shop"]}, via="sqs")
    def handle(event: EventBridgeEvent[dict[str, str]]) -> None:
        seen.append(event.detail["id"])

    reply = App(handle)(in_sqs(bus_event({"id": "1"}), bus_event({"id": "2"}, source="bank")))

    assert (failed(reply), seen) == (["m1"], ["1"])


def test_an_event_of_a_bus_is_reached_through_a_topic() -> None:
    """SNS takes no partial answer, so what fails inside is raised."""

    @on_eventbridge({"source": ["shop"]}, via="sns")
    def handle(event: EventBridgeEvent) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        App(handle)(in_sns(bus_event({})))


# Failures


def test_a_failure_inside_fails_its_message_only() -> None:
    """The others of the batch are done."""
    keys = Keys()

    reply = App(ingesting(keys, "sns", "sqs"))(in_sqs(*(notification(uploads(key)) for key in ("a", "bad", "c"))))

    assert (failed(reply), keys) == (["m1"], ["a", "c"])


def test_one_failure_among_the_objects_of_a_message_fails_the_message() -> None:
    """A message is done when all that it carries is."""
    keys = Keys()

    reply = App(ingesting(keys, "sqs"))(in_sqs(uploads("a", "bad"), uploads("c")))

    assert (failed(reply), keys) == (["m0"], ["a", "c"])


def test_a_failure_inside_stops_its_group_of_a_fifo_queue() -> None:
    """The envelope's rules hold: the rest of the group is left."""
    keys = Keys()

    reply = App(ingesting(keys, "sqs"))(
        in_sqs(*map(uploads, ("a", "bad", "c", "d")), queue="inbox.fifo", groups="xyyx")
    )

    assert (failed(reply), keys) == (["m1", "m2"], ["a", "d"])


def test_an_invalid_object_inside_is_logged_with_its_message(caplog: pytest.LogCaptureFixture) -> None:
    """One line names the message, the object, the handler and the field."""
    broken = uploads("a")
    broken["Records"][0]["s3"]["object"]["size"] = "secret"

    reply = App(ingesting(Keys(), "sqs"))(in_sqs(broken))

    assert failed(reply) == ["m0"]
    [line] = caplog.messages
    assert line.startswith("Left for another delivery: SQS message m0: S3 object uploads/a/")
    assert "ingest asks for: " in line
    assert "size" in line
    assert "secret" not in line


def test_an_object_no_handler_takes_fails_its_message(caplog: pytest.LogCaptureFixture) -> None:
    """It is not dropped, also where another object of the message has a handler."""
    keys = Keys()
    mixed = {"Records": [*uploads("a")["Records"], *uploads("b", bucket="attic")["Records"]]}

    reply = App(ingesting(keys, "sqs"))(in_sqs(mixed, uploads("c")))

    assert (failed(reply), keys) == (["m0"], ["c"])
    assert "no handler takes this 'sqs' event from queue 'inbox'" in caplog.text


def test_a_handler_of_the_objects_of_a_message_is_called_once_a_message() -> None:
    """A list of records, and the whole event, are those of one message."""
    calls: list[list[str]] = []

    @on_s3("uploads", via="sqs")
    def lists(records: list[S3Record]) -> None:
        calls.append([record.key for record in records])

    @on_s3("attic", via="sqs")
    def events(event: S3Event) -> None:
        calls.append([record.key for record in event.records])

    reply = App(lists, events)(in_sqs(uploads("a", "b"), uploads("c"), uploads("d", "e", bucket="attic")))

    assert (failed(reply), calls) == ([], [["a", "b"], ["c"], ["d", "e"]])


@pytest.mark.parametrize("concurrency", [1, 2])
def test_async_handlers_are_reached_through_envelopes(concurrency: int) -> None:
    """Beside a handler of the queue itself, too, whatever its concurrency."""
    keys, bodies = Keys(), list[str]()

    @on_s3("uploads", via="sqs")
    async def ingest(upload: S3Record) -> None:
        keys.take(upload)

    @on_sqs("inbox", concurrency=concurrency)
    async def handle(body: str) -> None:
        bodies.append(body)

    reply = App(ingest, handle)(in_sqs(uploads("a"), "b", uploads("bad"), "d"))

    assert (failed(reply), keys, bodies) == (["m2"], ["a"], ["b", "d"])


def test_a_coroutine_that_a_handler_inside_returns_is_awaited() -> None:
    """What fails in it fails the message."""

    async def work(upload: S3Record) -> None:
        Keys().take(upload)

    @on_s3("uploads", via="sqs")
    def ingest(upload: S3Record) -> Any:
        return work(upload)

    assert failed(App(ingest)(in_sqs(uploads("a", "a"), uploads("a", "bad")))) == ["m1"]


def test_a_generator_that_a_handler_inside_returns_is_a_failure() -> None:
    """Nothing of it ran."""

    @on_s3("uploads", via="sqs")
    def ingest(upload: S3Record) -> Any:
        return (key for key in upload.key)

    assert failed(App(ingest)(in_sqs(uploads("a"), uploads("b", "c")))) == ["m0", "m1"]


def test_middleware_goes_around_the_objects_inside() -> None:
    """The record it is given is the object's, not the message's."""
    seen: list[str] = []

    def note(record: RecordInvocation, call_next: Callable[[], Any]) -> Any:
        seen.append(record.record["s3"]["object"]["key"])
        return call_next()

    App(ingesting(Keys(), "sqs"), middleware=[note])(in_sqs(uploads("a", "b")))

    assert seen == ["a", "b"]


# What is not the envelope


def test_the_test_event_of_a_new_configuration_is_done() -> None:
    """S3 sends one to a queue when the notification is configured; it is no poison."""
    for document, via in ((TEST_EVENT, ("sqs",)), (notification(TEST_EVENT), ("sns", "sqs"))):
        assert failed(App(ingesting(Keys(), *via))(in_sqs(document, document))) == []


def test_the_test_event_is_done_in_a_queue_of_async_handlers() -> None:
    """There is no handler whose concurrency would count."""

    @on_s3("uploads", via="sqs")
    async def ingest(upload: S3Record) -> None: ...

    assert failed(App(ingest)(in_sqs(TEST_EVENT))) == []


def test_the_test_event_is_done_at_a_topic() -> None:
    """As in a queue."""
    assert App(ingesting(Keys(), "sns"))(in_sns(TEST_EVENT)) is None


OTHER = [
    "hello",
    "",
    "{",
    "null",
    "7",
    "[]",
    "{}",
    '"detail-type"',
    '["Records"]',
    '{"Records": []}',
    '{"Records": {}}',
    '{"Records": ""}',
    '{"Records": null}',
    '{"Records": [null]}',
    '{"Records": [{"s3": null}]}',
    '{"Records": [{"eventSource": "aws:sqs", "body": "{}"}]}',
    '{"detail-type": "Object Created", "source": "aws.s3", "detail": "{}"}',
    '{"TopicArn": "t", "Message": null}',
    '{"TopicArn": "t", "Message": "hello"}',
    '{"TopicArn": "t", "Message": "{\\"Records\\": []}"}',
    "[" * 10_000,
]


@pytest.mark.parametrize("body", OTHER, ids=lambda body: body[:50])
def test_a_body_that_is_not_the_envelope_goes_to_the_handler_of_its_queue(body: str) -> None:
    """A queue may carry other messages beside S3's."""
    keys, bodies = Keys(), list[str]()

    @on_sqs("inbox")
    def handle(text: str) -> None:
        bodies.append(text)

    app = App(ingesting(keys, "sqs"), ingesting(keys, "sns", "sqs"), ingesting(keys, "eventbridge", "sqs"), handle)

    assert (failed(app(in_sqs(uploads("a"), body))), keys, bodies) == ([], ["a"], [body])


@pytest.mark.parametrize("body", OTHER, ids=lambda body: body[:50])
def test_a_body_that_is_not_the_envelope_fails_where_its_queue_has_no_handler(body: str) -> None:
    """It is not dropped, and the others are done."""
    keys = Keys()
    app = App(ingesting(keys, "sqs"), ingesting(keys, "sns", "sqs"), ingesting(keys, "eventbridge", "sqs"))

    assert (failed(app(in_sqs(body, uploads("a")))), keys) == (["m0"], ["a"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(OTHER[:4]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "Records",
                    "s3",
                    "bucket",
                    "object",
                    "name",
                    "key",
                    "eventName",
                    "Event",
                    "Message",
                    "TopicArn",
                    "Sns",
                    "detail",
                    "detail-type",
                    "source",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, min_size=1, max_size=4))
def test_no_body_keeps_the_others_from_being_handled(documents: list[Any]) -> None:
    """Whatever JSON is in a queue, it is either taken by its handler or fails alone."""
    bodies: list[str] = []

    @on_sqs("inbox")
    def handle(text: str) -> None:
        bodies.append(text)

    @on_eventbridge({"detail": {"name": [{"numeric": [">", 1]}, {"prefix": "a"}]}}, via="sqs")
    def on_event(event: EventBridgeEvent) -> None:
        bodies.append("event")

    @on_sns(via="sqs")
    def on_notification(text: str) -> None:
        bodies.append("notification")

    keys = Keys()
    ways = [ingesting(keys, *via) for via in (("sqs",), ("sns", "sqs"), ("eventbridge", "sqs"))]
    reply = App(*ways, on_event, on_notification, handle)(in_sqs(*documents, uploads("last")))

    assert (len(failed(reply)) + len(bodies), keys) == (len(documents), ["last"])


def test_what_a_topic_brings_that_is_not_the_envelope_goes_to_the_handler_of_the_topic() -> None:
    """As in a queue; without such a handler it is an error."""
    seen: list[str] = []

    @on_sns("changes")
    def handle(text: str) -> None:
        seen.append(text)

    App(ingesting(Keys(), "sns"), handle)(in_sns("hello"))
    with pytest.raises(NoHandlerError, match="topic 'changes'"):
        App(ingesting(Keys(), "sns"))(in_sns("hello"))

    assert seen == ["hello"]


def test_a_batch_of_nothing_but_other_bodies_is_an_error() -> None:
    """No handler takes any of it: the mapping is wrong, or a handler is missing."""
    with pytest.raises(NoHandlerError, match="inbox"):
        App(ingesting(Keys(), "sqs"))(in_sqs("hello", "{}"))


def test_an_invalid_object_at_a_topic_is_an_error() -> None:
    """SNS takes no partial answer: the event is delivered again, or goes to the dead-letter queue."""
    broken = uploads("a")
    broken["Records"][0]["s3"]["object"]["size"] = "big"

    with pytest.raises(EventValidationError, match="size"):
        App(ingesting(Keys(), "sns"))(in_sns(broken))
