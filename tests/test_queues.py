"""SQS queues, standard and FIFO."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdakit.events import SqsRecord
from lambdakit.local.sources.lines import FifoLine, Group
from lambdakit.local.sources.messages import Message
from lambdakit.local.sources.queue import MAXIMUM_MESSAGE_SIZE, Queue
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.virtual.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def queue(clock: VirtualClock) -> Queue:
    return Queue("orders", Place(clock))


@pytest.fixture
def fifo(clock: VirtualClock) -> Queue:
    return Queue("orders.fifo", Place(clock), content_based_deduplication=True)


def pass_time(clock: VirtualClock, seconds: float) -> None:
    clock.run(until=clock.now + seconds)


def bodies(messages: list[Message]) -> list[str]:
    return [message.body for message in messages]


# Sending.


@dataclass
class Order:
    id: str


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("text", "text"),
        ("é\U0001f600".encode(), "é\U0001f600"),
        ({"id": "1"}, '{"id":"1"}'),
        (Order("1"), '{"id":"1"}'),
        ([1, None], "[1,null]"),
    ],
    ids=["text", "bytes", "dict", "dataclass", "list"],
)
def test_a_body_is_text_and_anything_else_becomes_json(queue: Queue, body: object, text: str) -> None:
    """Bytes are UTF-8."""
    assert queue.send(body).body == text


def test_the_json_of_a_body_is_read(queue: Queue) -> None:
    """Text that is none is a ValueError."""
    assert queue.send({"total": 1.5}).json == {"total": 1.5}
    with pytest.raises(ValueError, match="expected"):
        _ = queue.send("text").json


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        ({"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}, "4c360f3fdafd970e05fae2f149d997f5"),
        ({"Hello": {"DataType": "String", "StringValue": "There"}}, "a311262e065454b75da111d535b8dacd"),
        (
            {"attr1": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01"},
            "8cbe4db156db8a94db8b801b7addb984",
        ),
        ({}, None),
    ],
    ids=["values", "as boto3 has it", "bytes", "none"],
)
def test_attributes_have_the_digest_that_sqs_gives(
    queue: Queue, attributes: dict[str, object], digest: str | None
) -> None:
    """As recorded on AWS."""
    message = queue.send("msg", message_attributes=attributes)

    assert (message.md5_of_body, message.md5_of_message_attributes) == ("6e2baaf3b97dbeef01c0043275f9a0e7", digest)


def test_attributes_are_read_as_an_sqs_record_reads_them(queue: Queue) -> None:
    """Text, Decimal, bytes."""
    given = {"text": "a", "number": 3, "data": b"\0", "label": {"DataType": "Number.int", "StringValue": "1.50"}}

    message = queue.send("msg", message_attributes=given)

    read: Any = SqsRecord.model_validate({"messageId": "1", "body": "msg", "messageAttributes": message.raw_attributes})
    assert message.message_attributes == read.message_attributes
    assert message.message_attributes == {"text": "a", "number": 3, "data": b"\0", "label": Decimal("1.50")}


def test_a_letter_of_lambda_tells_why_it_was_given_up(queue: Queue) -> None:
    """Three attributes; and the type of the error, which Lambda does not write into the message."""
    letter = queue.send(
        {"order": 1},
        message_attributes={"RequestID": "r1", "ErrorCode": 200, "ErrorMessage": "disk full"},
        error="OSError",
    )
    plain = queue.send("text")

    assert (letter.request_id, letter.error_code, letter.error_message, letter.error) == (
        "r1",
        200,
        "disk full",
        "OSError",
    )
    assert (plain.request_id, plain.error_code, plain.error_message, plain.error) == (None, None, None, None)


FORBIDDEN = (
    "Invalid characters found. Valid unicode characters are "
    "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
)
TYPELESS = (
    "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, "
    "Number, and String."
)
UNFIT = "for parameter {} is invalid. Reason: The request include parameter that is not valid for this queue type."

TOKEN = (
    "for parameter {0} is invalid. Reason: {0} can only include alphanumeric and punctuation characters. "
    "1 to 128 in length."
)


@pytest.mark.parametrize(
    ("send", "code", "message"),
    [
        ({"body": ""}, "MissingParameter", "The request must contain the parameter MessageBody."),
        ({"body": "\x00"}, "InvalidMessageContents", FORBIDDEN),
        ({"body": "\ud800"}, "InvalidMessageContents", FORBIDDEN),
        ({"body": b"\xff"}, "InvalidMessageContents", FORBIDDEN),
        (
            {"body": "a" * MAXIMUM_MESSAGE_SIZE + "a"},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        ),
        (
            {"body": "é" * (MAXIMUM_MESSAGE_SIZE // 2), "message_attributes": {"a": "b"}},
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
        ),
        (
            {"delay_seconds": 901},
            "InvalidParameterValue",
            "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.",
        ),
        (
            {"message_deduplication_id": "1"},
            "InvalidParameterValue",
            f"Value 1 {UNFIT}".format("MessageDeduplicationId"),
        ),
        (
            {"message_attributes": {"a b": "1"}},
            "InvalidParameterValue",
            "The message attribute name 'a b' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), "
            "hyphen (-), and period (.) characters.",
        ),
        ({"message_attributes": {"a": {"DataType": "Text", "StringValue": "1"}}}, "InvalidParameterValue", TYPELESS),
        ({"message_attributes": {"a": {"StringValue": "1"}}}, "InvalidParameterValue", TYPELESS),
        (
            {"message_attributes": {"a": {"DataType": "String"}}},
            "InvalidParameterValue",
            "Message (user) attribute 'a' must contain a non-empty value of type 'String'.",
        ),
        (
            {"message_attributes": {f"a{n}": "1" for n in range(11)}},
            "InvalidParameterValue",
            "Number of message attributes [11] exceeds the allowed maximum [10].",
        ),
    ],
    ids=str,
)
def test_what_a_queue_does_not_take_is_refused_in_the_words_of_sqs(
    queue: Queue, send: dict[str, Any], code: str, message: str
) -> None:
    """Nothing is in the queue then."""
    defaults: dict[str, Any] = {"body": "msg"}
    with pytest.raises(SourceError) as caught:
        queue.send(**defaults | send)

    assert (caught.value.code, caught.value.message, len(queue)) == (code, message, 0)


@pytest.mark.parametrize(
    ("send", "code", "message"),
    [
        ({}, "MissingParameter", "The request must contain the parameter MessageGroupId."),
        (
            {"message_group_id": "a b"},
            "InvalidParameterValue",
            f"Value a b {TOKEN}".format("MessageGroupId"),
        ),
        (
            {"message_group_id": "a", "message_deduplication_id": "x" * 129},
            "InvalidParameterValue",
            f"Value {'x' * 129} {TOKEN}".format("MessageDeduplicationId"),
        ),
        (
            {"message_group_id": "a"},
            "InvalidParameterValue",
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly",
        ),
        (
            {"message_group_id": "a", "message_deduplication_id": "1", "delay_seconds": 2},
            "InvalidParameterValue",
            f"Value 2 {UNFIT}".format("DelaySeconds"),
        ),
    ],
)
def test_a_fifo_queue_wants_a_group_and_an_id_and_no_delay(
    clock: VirtualClock, send: dict[str, Any], code: str, message: str
) -> None:
    """In the words of SQS."""
    with pytest.raises(SourceError) as caught:
        Queue("orders.fifo", Place(clock)).send("msg", **send)

    assert (caught.value.code, caught.value.message) == (code, message)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([], "AWS.SimpleQueueService.EmptyBatchRequest"),
        (["a"] * 11, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
        (
            ["a" * (MAXIMUM_MESSAGE_SIZE // 2), "a" * (MAXIMUM_MESSAGE_SIZE // 2 + 1)],
            "AWS.SimpleQueueService.BatchRequestTooLong",
        ),
    ],
    ids=["none", "eleven", "too large"],
)
def test_a_batch_has_one_to_ten_messages_of_a_mebibyte_together(queue: Queue, sent: list[str], code: str) -> None:
    """Another one is refused as a whole."""
    with pytest.raises(SourceError) as caught:
        queue.send_batch(sent)

    assert (caught.value.code, len(queue)) == (code, 0)


def test_a_batch_is_sent_in_order(fifo: Queue) -> None:
    """With what its messages have in common."""
    sent = fifo.send_batch(["a", {"b": 1}], message_group_id="g", message_attributes={"kind": "x"})

    assert [(message.body, message.message_attributes) for message in fifo.receive(10)] == [
        ("a", {"kind": "x"}),
        ('{"b":1}', {"kind": "x"}),
    ]
    assert [message.sequence_number for message in sent] == sorted({str(message.sequence_number) for message in sent})


# Receiving.


def test_a_message_that_was_received_is_hidden_for_a_while(clock: VirtualClock, queue: Queue) -> None:
    """Of the queue's own visibility timeout."""
    queue.send("a")
    queue.receive()
    seen: list[list[str]] = []
    for seconds in (29.999, 0.001):
        pass_time(clock, seconds)
        seen.append(bodies(queue.receive()))

    assert seen == [[], ["a"]]


def test_a_receiver_says_for_how_long(clock: VirtualClock, queue: Queue) -> None:
    """Or changes it later, from then on."""
    message = queue.send("a")
    queue.receive(visibility_timeout=5)
    pass_time(clock, 4)
    queue.change_visibility(message, 10)
    pass_time(clock, 9)
    hidden = queue.in_flight
    pass_time(clock, 1)

    assert (hidden, bodies(queue.receive())) == (1, ["a"])


def test_a_receiver_can_give_a_message_back(queue: Queue) -> None:
    """With a visibility timeout of 0."""
    queue.send("a")
    [message] = queue.receive()
    queue.change_visibility(message, 0)

    assert bodies(queue.receive()) == ["a"]


def test_a_message_that_is_seen_again_may_be_hidden_again(clock: VirtualClock, queue: Queue) -> None:
    """By its last receiver, as long as there is no other: recorded on AWS."""
    queue.send("a")
    [message] = queue.receive()
    pass_time(clock, 60)
    queue.change_visibility(message, 60)
    hidden = queue.receive()
    pass_time(clock, 60)

    assert (hidden, bodies(queue.receive()), bodies(queue.receive())) == ([], ["a"], [])


def test_a_standard_queue_is_served_in_order(queue: Queue) -> None:
    """Up to ten messages at once."""
    for number in range(12):
        queue.send(str(number))

    assert [bodies(queue.receive(10)), bodies(queue.receive(10)), bodies(queue.receive(10))] == [
        [str(number) for number in range(10)],
        ["10", "11"],
        [],
    ]


def test_each_delivery_counts_and_has_its_own_handle(clock: VirtualClock, queue: Queue) -> None:
    """The first is remembered."""
    sent = queue.send("a")
    told: list[tuple[object, ...]] = []
    for _ in range(2):
        pass_time(clock, 30)
        [message] = queue.receive()
        told.append((message.receive_count, message.first_received, message.receipt_handle))

    assert [each[:2] for each in told] == [(1, sent.sent_timestamp + 30_000), (2, sent.sent_timestamp + 30_000)]
    assert len({each[2] for each in told}) == 2


def test_a_message_can_be_delayed(clock: VirtualClock, queue: Queue) -> None:
    """By its sender."""
    queue.send("late", delay_seconds=10)
    queue.send("now")
    seen = [bodies(queue.receive(10)), queue.delayed]
    pass_time(clock, 10)

    assert [*seen, bodies(queue.receive(10)), queue.delayed] == [["now"], 1, ["late"], 0]


@pytest.mark.parametrize("name", ["orders", "orders.fifo"])
def test_a_queue_can_delay_all_its_messages(clock: VirtualClock, name: str) -> None:
    """Also a FIFO queue."""
    queue = Queue(name, Place(clock), delay_seconds=10)
    fifo: dict[str, Any] = {"message_group_id": "g", "message_deduplication_id": "1"} if queue.fifo else {}
    queue.send("a", **fifo)
    seen = queue.receive()
    pass_time(clock, 10)

    assert (seen, bodies(queue.receive())) == ([], ["a"])


def test_a_queue_shows_where_its_messages_are(clock: VirtualClock, queue: Queue) -> None:
    """To be received, with a consumer, not yet; and all of them."""
    for body in ("a", "b", "c"):
        queue.send(body)
    queue.send("d", delay_seconds=60)
    queue.receive()

    assert (queue.visible, queue.in_flight, queue.delayed, len(queue)) == (2, 1, 1, 4)
    assert bodies([*queue]) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("number", [0, 11])
def test_a_receiver_takes_one_to_ten_messages(queue: Queue, number: int) -> None:
    """In the words of SQS."""
    with pytest.raises(SourceError, match=f"Value {number} for parameter MaxNumberOfMessages is invalid. Reason: Must"):
        queue.receive(number)


@pytest.mark.parametrize("seconds", [-1, 43_201])
def test_a_message_is_hidden_for_twelve_hours_at_most(queue: Queue, seconds: int) -> None:
    """In the words of SQS."""
    with pytest.raises(SourceError, match=f"Value {seconds} for parameter VisibilityTimeout is invalid. Reason: Must"):
        queue.receive(visibility_timeout=seconds)


def test_the_twelve_hours_count_from_when_a_message_was_received(clock: VirtualClock, queue: Queue) -> None:
    """Not from each change."""
    queue.send("a")
    [message] = queue.receive(visibility_timeout=43_200)
    pass_time(clock, 1)
    queue.change_visibility(message, 43_199)

    with pytest.raises(SourceError, match=r"is beyond the limit \[43200 seconds\]"):
        queue.change_visibility(message, 43_200)


# Deleting.


def test_a_message_that_is_deleted_never_comes_back(clock: VirtualClock, queue: Queue) -> None:
    """By the message, or by its handle."""
    for body in ("a", "b"):
        queue.send(body)
    a, b = queue.receive(10)
    queue.delete(a)
    queue.delete(str(b.receipt_handle))
    pass_time(clock, 60)

    assert (queue.receive(), len(queue), queue.counts.deleted) == ([], 0, 2)


def test_a_message_may_be_deleted_after_its_visibility_timeout(clock: VirtualClock, queue: Queue) -> None:
    """While nobody else has received it."""
    queue.send("a")
    [message] = queue.receive()
    pass_time(clock, 60)
    queue.delete(message)

    assert (queue.receive(), len(queue)) == ([], 0)


def test_an_old_handle_deletes_nothing(clock: VirtualClock, queue: Queue) -> None:
    """The message was received again since; nor does a handle whose message is gone."""
    queue.send("a")
    old = str(queue.receive()[0].receipt_handle)
    pass_time(clock, 30)
    [message] = queue.receive()
    queue.delete(old)
    left = len(queue)
    queue.delete(message)
    queue.delete(message)

    assert (left, len(queue), queue.counts.deleted) == (1, 0, 1)


@pytest.mark.parametrize("act", [Queue.delete, lambda queue, handle: queue.change_visibility(handle, 1)])
def test_a_handle_of_another_queue_is_invalid(
    clock: VirtualClock, queue: Queue, act: Callable[[Queue, str | Message], None]
) -> None:
    """And one that is none, and a message that was never received."""
    other = Queue("refunds", Place(clock))
    other.send("a")
    for handle in ("nonsense", str(other.receive()[0].receipt_handle), queue.send("b")):
        with pytest.raises(SourceError) as caught:
            act(queue, handle)
        assert caught.value.args == ("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")


def test_the_visibility_of_what_is_gone_is_not_changed(queue: Queue) -> None:
    """In the words of SQS."""
    queue.send("a")
    [message] = queue.receive()
    queue.delete(message)

    with pytest.raises(SourceError, match="Message does not exist or is not available for visibility timeout change"):
        queue.change_visibility(message, 10)


def test_a_purge_deletes_all_messages(clock: VirtualClock, queue: Queue) -> None:
    """Also those in flight and delayed, but not more often than once a minute."""
    queue.send("a")
    queue.receive()
    queue.send("b")
    queue.send("c", delay_seconds=10)
    queue.purge()
    pass_time(clock, 59)
    with pytest.raises(SourceError, match="Only one PurgeQueue operation on orders is allowed every 60 seconds"):
        queue.purge()

    assert (queue.receive(), len(queue), queue.counts.purged) == ([], 0, 3)


def test_a_message_that_is_too_old_is_gone(clock: VirtualClock) -> None:
    """Wherever it is; and it is counted."""
    queue = Queue("orders", Place(clock), message_retention_period=60, visibility_timeout=100)
    for body in ("a", "b"):
        queue.send(body)
    queue.send("c", delay_seconds=100)
    [message] = queue.receive()
    pass_time(clock, 59)
    before = len(queue)
    pass_time(clock, 1)
    queue.delete(message)

    assert (before, len(queue), queue.receive(), queue.counts.expired, queue.counts.deleted) == (3, 0, [], 3, 0)


def test_a_batch_is_deleted_as_far_as_its_handles_are_valid(clock: VirtualClock, queue: Queue) -> None:
    """Not what was received again since, nor what is gone."""
    for body in ("a", "b", "c"):
        queue.send(body)
    a, b, c = [(message, str(message.receipt_handle)) for message in queue.receive(10)]
    queue.delete(b[1])
    queue.change_visibility(a[1], 0)
    queue.receive()
    queue.delete_batch([a, b, c])

    assert (bodies([*queue]), queue.counts.deleted) == (["a"], 2)


def test_a_queue_forgets_what_is_gone(clock: VirtualClock) -> None:
    """Also while an older message stays, and every group of it."""

    def remembered() -> int:
        return sum(isinstance(each, Message | Group) for each in gc.get_objects())

    before = remembered()
    queue = Queue("orders.fifo", Place(clock), content_based_deduplication=True)
    queue.send("stays", message_group_id="stays")
    for number in range(5_000):
        queue.send(str(number), message_group_id=str(number))
    queue.receive()
    while handles := [str(message.receipt_handle) for message in queue.receive(10)]:
        for handle in handles:
            queue.delete(handle)
    pass_time(clock, 300)
    queue.send("later", message_group_id="later")  # five minutes later it knows no message again

    assert remembered() - before < 2_000


# FIFO queues.


def test_a_group_waits_while_a_message_of_it_is_in_flight(fifo: Queue) -> None:
    """The other groups do not."""
    for body in ("a1", "a2", "b1", "a3"):
        fifo.send(body, message_group_id=body[0])

    assert [bodies(fifo.receive()), bodies(fifo.receive()), bodies(fifo.receive())] == [["a1"], ["b1"], []]


def test_a_receiver_gets_as_much_of_a_group_as_it_takes(fifo: Queue) -> None:
    """Then of the next: the group whose first message is oldest comes first."""
    for body in ("b1", "a1", "b2", "a2"):
        fifo.send(body, message_group_id=body[0])

    assert bodies(fifo.receive(3)) == ["b1", "b2", "a1"]


def test_a_group_goes_on_when_all_its_messages_in_flight_are_done(fifo: Queue) -> None:
    """Deleted, or seen again, which then come first again."""
    for body in ("a1", "a2", "a3"):
        fifo.send(body, message_group_id="a")
    one, two = fifo.receive(2)
    fifo.delete(two)
    blocked = fifo.receive(10)
    fifo.change_visibility(one, 0)

    assert (blocked, bodies(fifo.receive(10))) == ([], ["a1", "a3"])


def test_a_message_is_taken_once_in_five_minutes(clock: VirtualClock, fifo: Queue) -> None:
    """Even after it was deleted; the first message is answered for the second."""
    first = fifo.send("a", message_group_id="a")
    fifo.delete(fifo.receive()[0])
    pass_time(clock, 299.9)
    second = fifo.send("a", message_group_id="b")
    left = len(fifo)
    pass_time(clock, 0.1)
    third = fifo.send("a", message_group_id="a")

    assert (second is first, left, third is first, len(fifo)) == (True, 0, False, 1)
    assert (fifo.counts.sent, fifo.counts.deduplicated) == (2, 1)


def test_an_id_tells_messages_apart_rather_than_their_bodies(fifo: Queue) -> None:
    """If the sender gives one."""
    for body, deduplication_id in (("a", "1"), ("a", "2"), ("b", "1")):
        fifo.send(body, message_group_id="g", message_deduplication_id=deduplication_id)

    assert [(message.body, message.message_deduplication_id) for message in fifo] == [("a", "1"), ("a", "2")]


def test_messages_may_be_the_same_in_their_group_only(clock: VirtualClock) -> None:
    """With the scope ``messageGroup``."""
    queue = Queue("orders.fifo", Place(clock), content_based_deduplication=True, deduplication_scope="messageGroup")
    for group in ("a", "b", "a"):
        queue.send("same", message_group_id=group)

    assert [message.message_group_id for message in queue] == ["a", "b"]


@pytest.mark.parametrize("act", [Queue.delete, lambda queue, message: queue.change_visibility(message, 1)])
def test_a_handle_of_a_fifo_queue_expires_when_its_message_is_seen_again(
    clock: VirtualClock, fifo: Queue, act: Callable[[Queue, Message], None]
) -> None:
    """As recorded on AWS; a standard queue would take it."""
    fifo.send("a", message_group_id="a")
    [message] = fifo.receive()
    pass_time(clock, 30)

    with pytest.raises(SourceError, match="The receipt handle has expired"):
        act(fifo, message)


def test_sequence_numbers_grow(fifo: Queue) -> None:
    """They have 20 digits, so that they sort as text too."""
    numbers = [str(fifo.send(str(n), message_group_id="g").sequence_number) for n in range(3)]

    assert all(len(one) == 20 and one < other for one, other in pairwise(numbers))


def test_a_standard_queue_may_have_groups(queue: Queue) -> None:
    """They block nothing."""
    for body in ("a1", "a2"):
        queue.send(body, message_group_id="a")

    assert [bodies(queue.receive()), bodies(queue.receive())] == [["a1"], ["a2"]]


def test_a_line_hands_out_one_message_of_a_group_after_the_other() -> None:
    """Also if one comes late that is older than another one."""
    line = FifoLine()
    older, younger = Message("1", "older", 0), Message("2", "younger", 0)
    older.number, younger.number = 1, 2
    line.put(younger)
    line.put(older)
    taken = [line.take(1), line.take(1)]
    line.settle(older)

    assert [*taken, line.take(1)] == [[older], [], [younger]]


# Dead-letter queues.


def receive_often(clock: VirtualClock, queue: Queue, times: int) -> list[list[str]]:
    received = list[list[str]]()
    for _ in range(times):
        received.append(bodies(queue.receive(10)))
        pass_time(clock, 30)
    return received


def test_a_message_that_was_received_too_often_goes_to_the_dead_letter_queue(clock: VirtualClock) -> None:
    """When it would be received once more; it is the same message there, as old as it was."""
    letters = Queue("letters", Place(clock))
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=2)
    sent = queue.send("bad", message_attributes={"kind": "x"}, error="E")
    received = receive_often(clock, queue, 3)
    [letter] = letters

    assert received == [["bad"], ["bad"], []]
    assert (letter.message_id, letter.body, letter.sent_timestamp, letter.message_attributes, letter.error) == (
        sent.message_id,
        "bad",
        sent.sent_timestamp,
        {"kind": "x"},
        "E",
    )
    assert (len(queue), [*queue], queue.counts.dead_lettered, letters.counts.sent) == (0, [], 1, 1)


def test_the_others_of_its_group_are_received_instead(clock: VirtualClock) -> None:
    """In the same request."""
    letters = Queue("letters.fifo", Place(clock))
    queue = Queue(
        "orders.fifo", Place(clock), content_based_deduplication=True, dead_letter_queue=letters, max_receive_count=1
    )
    for body in ("a1", "a2"):
        queue.send(body, message_group_id="a")
    queue.receive()
    pass_time(clock, 30)

    assert (bodies(queue.receive()), bodies([*letters])) == (["a2"], ["a1"])


@pytest.mark.parametrize(("suffix", "left"), [("", 0), (".fifo", 1)])
def test_a_dead_letter_of_a_fifo_queue_is_new_there(clock: VirtualClock, suffix: str, left: int) -> None:
    """Of a standard queue it goes on ageing: it may be gone soon."""
    letters = Queue(f"letters{suffix}", Place(clock), message_retention_period=60)
    queue = Queue(f"orders{suffix}", Place(clock), dead_letter_queue=letters, max_receive_count=1)
    fifo: dict[str, Any] = {"message_group_id": "g", "message_deduplication_id": "1"} if suffix else {}
    queue.send("bad", **fifo)
    receive_often(clock, queue, 2)

    assert (len(letters), letters.counts.expired) == (left, 1 - left)


def test_an_older_letter_behind_a_younger_one_expires_first(clock: VirtualClock) -> None:
    """Letters come in another order than they age."""
    letters = Queue("letters", Place(clock), message_retention_period=100)
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=1)
    queue.send("old")
    pass_time(clock, 20)
    letters.send("young")
    receive_often(clock, queue, 2)
    pass_time(clock, 20)

    assert (bodies([*letters]), letters.counts.expired) == (["young"], 1)


def test_dead_letters_are_sent_back_as_new_messages(clock: VirtualClock) -> None:
    """What Lambda sent here, and what someone has in flight, stays."""
    letters = Queue("letters", Place(clock))
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=1)
    sent = [queue.send("busy"), queue.send("bad")]
    receive_often(clock, queue, 2)
    letters.send("of Lambda")
    letters.receive()
    moved = letters.redrive_to_source()
    [again] = queue.receive(10)

    assert (moved, again.body, again.receive_count, again.message_id in [each.message_id for each in sent]) == (
        1,
        "bad",
        1,
        False,
    )
    assert (bodies([*letters]), letters.counts.redriven) == (["busy", "of Lambda"], 1)


def test_a_queue_that_is_nobodys_dead_letter_queue_has_nothing_to_send_back(queue: Queue) -> None:
    """In the words of SQS."""
    with pytest.raises(SourceError, match="Source queue must be configured as a Dead Letter Queue"):
        queue.redrive_to_source()


# Settings.


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"visibility_timeout": 43_201}, "InvalidAttributeValue", "Invalid value for the parameter VisibilityTimeout."),
        ({"delay_seconds": 901}, "InvalidAttributeValue", "Invalid value for the parameter DelaySeconds."),
        (
            {"message_retention_period": 59},
            "InvalidAttributeValue",
            "Invalid value for the parameter MessageRetentionPeriod.",
        ),
        (
            {"maximum_message_size": 1023},
            "InvalidAttributeValue",
            "Invalid value for the parameter MaximumMessageSize.",
        ),
        (
            {"receive_message_wait_time_seconds": 21},
            "InvalidAttributeValue",
            "Invalid value for the parameter ReceiveMessageWaitTimeSeconds.",
        ),
        ({"max_receive_count": 0}, "InvalidAttributeValue", "Invalid value for the parameter RedrivePolicy."),
        ({"deduplication_scope": "x"}, "InvalidAttributeValue", "Invalid value for the parameter DeduplicationScope."),
        (
            {"content_based_deduplication": True},
            "InvalidAttributeName",
            "Unknown Attribute ContentBasedDeduplication.",
        ),
    ],
    ids=str,
)
def test_a_setting_that_sqs_does_not_take_is_refused(
    clock: VirtualClock, settings: dict[str, Any], code: str, message: str
) -> None:
    """In its words."""
    with pytest.raises(SourceError) as caught:
        Queue("orders", Place(clock), **settings)

    assert (caught.value.code, caught.value.message) == (code, message)


@pytest.mark.parametrize("name", ["", "a.b", "a" * 81, "a" * 76 + ".fifo", "é"])
def test_a_name_that_sqs_does_not_take_is_refused(clock: VirtualClock, name: str) -> None:
    """In its words."""
    with pytest.raises(SourceError, match="Can only include alphanumeric characters, hyphens, or underscores"):
        Queue(name, Place(clock))


def test_a_dead_letter_queue_is_of_the_same_kind(clock: VirtualClock, queue: Queue, fifo: Queue) -> None:
    """Standard for standard, FIFO for FIFO."""
    with pytest.raises(SourceError, match="same type"):
        Queue("other", Place(clock), dead_letter_queue=fifo)
    with pytest.raises(SourceError, match="same type"):
        Queue("other.fifo", Place(clock), dead_letter_queue=queue)


def test_a_fifo_queue_keeps_its_promises(clock: VirtualClock) -> None:
    """It takes neither duplicates nor reordering."""
    with pytest.raises(ValueError, match="neither duplicates"):
        Queue("orders.fifo", Place(clock), duplicates=0.1)


def test_so_many_messages_are_in_flight_at_most(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """120,000: a standard queue says so, a FIFO queue just gives no more."""
    monkeypatch.setattr("lambdakit.local.sources.queue.MOST_IN_FLIGHT", 15)
    standard, fifo = Queue("orders", Place(clock)), Queue("orders.fifo", Place(clock), content_based_deduplication=True)
    for number in range(20):
        standard.send("a")
        fifo.send(str(number), message_group_id=str(number))
    received = [sum(len(queue.receive(10)) for _ in range(2)) for queue in (standard, fifo)]

    with pytest.raises(SourceError, match="OverLimit"):
        standard.receive()
    assert (received, fifo.receive()) == ([15, 15], [])


# What a standard queue allows itself.


def test_a_message_may_be_delivered_twice(clock: VirtualClock) -> None:
    """Once more, to the next receiver."""
    queue = Queue("orders", Place(clock), duplicates=1.0)
    queue.send("a")

    assert [bodies(queue.receive(10)), bodies(queue.receive(10)), bodies(queue.receive(10))] == [["a"], ["a"], []]


def test_duplicates_and_order_are_settled_by_the_seed() -> None:
    """One seed, one history; and no message is missing."""

    def history(seed: int) -> list[str]:
        queue = Queue("orders", Place(VirtualClock(seed)), duplicates=0.2, reordering=0.2)
        for number in range(50):
            queue.send(f"{number:02}")
        received = list[str]()
        while messages := queue.receive(10):
            received += bodies(messages)
        return received

    one = history(1)

    assert one == history(1) != history(2)
    assert sorted({*one}) == [f"{number:02}" for number in range(50)] != one
    assert 50 < len(one) < 75


# Waiting.


def test_who_waits_is_given_messages_when_there_are_some(clock: VirtualClock, queue: Queue) -> None:
    """In an action of the clock, first come, first served, each once."""
    given: list[tuple[str, list[str]]] = []
    queue.poll(2, None, lambda messages: given.append(("first", bodies(messages))))
    queue.poll(10, None, lambda messages: given.append(("second", bodies(messages))))
    for body in "abcd":
        queue.send(body)
    before = [*given]
    clock.run()
    queue.send("e")
    clock.run()

    assert (before, given) == ([], [("first", ["a", "b"]), ("second", ["c", "d"])])


def test_who_waits_is_woken_by_what_is_seen_again(clock: VirtualClock, queue: Queue) -> None:
    """After its visibility timeout, its delay, or when it is given back."""
    given: list[tuple[float, list[str]]] = []

    def wait() -> None:
        queue.poll(10, 100, lambda messages: given.append((clock.now, bodies(messages))))

    queue.send("received")
    queue.receive()
    queue.send("delayed", delay_seconds=40)
    for _ in range(2):
        wait()
        clock.run()
    wait()
    queue.change_visibility(next(iter(queue)), 0)
    clock.run()

    assert given == [(30, ["received"]), (40, ["delayed"]), (40, ["received"])]


def test_who_waits_for_a_group_is_woken_when_it_goes_on(clock: VirtualClock, fifo: Queue) -> None:
    """As soon as its messages in flight are deleted."""
    given: list[tuple[float, list[str]]] = []
    for body in ("a1", "a2"):
        fifo.send(body, message_group_id="a")
    [message] = fifo.receive()
    fifo.poll(10, None, lambda messages: given.append((clock.now, bodies(messages))))
    clock.at(5, lambda: fifo.delete(message))
    clock.run()

    assert given == [(5, ["a2"])]


def test_waiting_keeps_no_clock_running(clock: VirtualClock, queue: Queue) -> None:
    """Nor does a message in flight that is deleted, nor one for which nobody waits any more."""
    queue.send("a")
    [message] = queue.receive()
    poll = queue.poll(10, None, lambda messages: None)
    queue.delete(message)
    clock.run()
    after_delete = clock.now
    queue.send("b", delay_seconds=10)
    poll.cancel()
    clock.run()

    assert (after_delete, clock.now) == (0, 0)


def test_many_hidden_messages_cost_one_timer() -> None:
    """That for the first of them."""

    class CountingClock(VirtualClock):
        timers = 0

        def at(self, when: float, action: Callable[[], None], *, background: bool = False) -> Any:
            self.timers += 1
            return super().at(when, action, background=background)

    clock = CountingClock()
    queue = Queue("orders", Place(clock))
    queue.poll(10, None, lambda messages: None)
    for number in range(1_000):
        queue.send("a", delay_seconds=10 + number % 7)

    assert clock.timers == 1


# Laws.


class AnyHistory(RuleBasedStateMachine):
    """Any sequence of requests, to a queue with a dead-letter queue: no message is lost, and the counts know where."""

    name = "orders"

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock()
        suffix = ".fifo" if self.name.endswith(".fifo") else ""
        chance: dict[str, Any] = {} if suffix else {"duplicates": 0.2, "reordering": 0.2}
        self.letters = Queue(f"letters{suffix}", Place(self.clock), message_retention_period=200)
        self.queue = Queue(
            self.name,
            Place(self.clock),
            dead_letter_queue=self.letters,
            max_receive_count=2,
            message_retention_period=100,
            **chance,
        )
        self.received: list[str] = []
        self.number = 0

    @rule(group=st.sampled_from("ab"), delay=st.sampled_from([0, 0, 5]))
    def send(self, group: str, delay: int) -> None:
        self.number += 1
        if self.queue.fifo:
            self.queue.send("x", message_group_id=group, message_deduplication_id=str(self.number))
        else:
            self.queue.send("x", delay_seconds=delay)

    @rule(most=st.integers(1, 10), timeout=st.sampled_from([None, 0, 10]))
    def receive(self, most: int, timeout: int | None) -> None:
        for message in self.queue.receive(most, visibility_timeout=timeout):
            self.received.append(str(message.receipt_handle))

    @precondition(lambda self: self.received)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        with suppress(SourceError):  # a FIFO queue's handles expire
            self.queue.delete(data.draw(st.sampled_from(self.received)))

    @precondition(lambda self: self.received)
    @rule(data=st.data(), seconds=st.sampled_from([0, 20]))
    def change_visibility(self, data: st.DataObject, seconds: int) -> None:
        with suppress(SourceError):  # it may be gone
            self.queue.change_visibility(data.draw(st.sampled_from(self.received)), seconds)

    @rule(seconds=st.sampled_from([1, 10, 30, 70]))
    def wait(self, seconds: int) -> None:
        pass_time(self.clock, seconds)

    @rule()
    def redrive(self) -> None:
        self.letters.redrive_to_source()

    @precondition(lambda self: self.clock.now > 200)
    @rule()
    def purge(self) -> None:
        with suppress(SourceError):  # not twice in a minute
            self.queue.purge()

    @invariant()
    def nothing_is_lost(self) -> None:
        for queue in (self.queue, self.letters):
            counts = queue.counts
            gone = counts.deleted + counts.dead_lettered + counts.redriven + counts.expired + counts.purged
            assert counts.sent == len(queue) + gone
        assert self.queue.counts.dead_lettered == self.letters.counts.sent

    @invariant()
    def every_message_is_somewhere(self) -> None:
        for queue in (self.queue, self.letters):
            assert len(queue) == len([*queue]) == queue.visible + queue.in_flight + queue.delayed
            assert min(queue.visible, queue.in_flight, queue.delayed) >= 0

    @invariant()
    def nothing_is_received_too_often(self) -> None:
        assert all(message.receive_count <= 2 for message in self.queue)


class AnyFifoHistory(AnyHistory):
    """The same of a FIFO queue."""

    name = "orders.fifo"


TestAnyHistory = AnyHistory.TestCase
TestAnyFifoHistory = AnyFifoHistory.TestCase


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(1, 10), st.booleans()), min_size=60, max_size=60),
)
def test_each_group_is_received_in_order(groups: list[str], receivers: list[tuple[int, bool]]) -> None:
    """Whatever part of it is deleted at once and what comes back: what is done of a group is its beginning."""
    clock = VirtualClock()
    queue = Queue("orders.fifo", Place(clock))
    for number, group in enumerate(groups):
        queue.send(f"{number:02}", message_group_id=group, message_deduplication_id=str(number))
    done: dict[str, list[str]] = {group: [] for group in "abc"}
    for most, succeeds in receivers:
        messages = queue.receive(most)
        for message in messages if succeeds else messages[:1]:
            done[str(message.message_group_id)].append(message.body)
            queue.delete(message)
        pass_time(clock, 30)

    for group in "abc":
        sent = [f"{number:02}" for number, each in enumerate(groups) if each == group]
        assert done[group] == sent[: len(done[group])]
