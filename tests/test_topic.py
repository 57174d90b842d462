"""The local topic: what is published, who gets it and in which form, and what filter policies let through."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, identify, on_sns, on_sqs
from lambdakit.events import SnsEvent, SnsRecord, SqsRecord
from lambdakit.local.sources.bus import Bus
from lambdakit.local.sources.filter_policy import FilterPolicy, FilterPolicyScope
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.topic import Topic
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.testing import events
from tests.fake_targets import FakeFunction, FakeQueue


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def topic(clock: VirtualClock) -> Topic:
    return Topic("alerts", Place(clock))


@pytest.fixture
def fifo(clock: VirtualClock) -> Topic:
    return Topic("alerts.fifo", Place(clock))


# Publishing.


def test_a_function_gets_a_notification_when_the_clock_runs(topic: Topic, clock: VirtualClock) -> None:
    """One event a message, never within the publication itself."""
    function = FakeFunction()
    subscription = topic.subscribe(function)
    message = topic.publish("Disk full", subject="db-1")
    before = len(function.events)
    clock.run()

    [record] = SnsEvent.model_validate(function.events[0]).records
    assert (before, identify(function.events[0])) == (0, "sns")
    assert (record.message, record.subject, record.message_id, record.topic) == (
        "Disk full",
        "db-1",
        message.message_id,
        "alerts",
    )
    assert record.event_subscription_arn == subscription.arn


def test_a_notification_has_the_shape_that_the_builder_gives_it(topic: Topic, clock: VirtualClock) -> None:
    """There is one shape of it in lambdakit."""
    function = FakeFunction()
    topic.subscribe(function)
    topic.publish("Disk full")
    clock.run()

    assert _shape(function.events[0]) == _shape(events.sns("alerts", "Disk full"))


def test_numbers_and_arrays_are_strings_to_a_function(topic: Topic, clock: VirtualClock) -> None:
    """SNS passes them to Lambda so; to queues as they are."""
    function, queue = FakeFunction(), FakeQueue()
    topic.subscribe(function)
    topic.subscribe(queue)
    topic.publish("hi", message_attributes={"n": 3, "d": Decimal("1.5"), "a": ["x", 1], "b": b"\1", "s": "text"})
    clock.run()

    to_function = function.events[0]["Records"][0]["Sns"]["MessageAttributes"]
    to_queue = queue.messages[0].content["MessageAttributes"]
    assert {name: attribute["Type"] for name, attribute in to_function.items()} == {
        "n": "String",
        "d": "String",
        "a": "String",
        "b": "Binary",
        "s": "String",
    }
    assert to_queue == {
        "n": {"Type": "Number", "Value": "3"},
        "d": {"Type": "Number", "Value": "1.5"},
        "a": {"Type": "String.Array", "Value": '["x",1]'},
        "b": {"Type": "Binary", "Value": "AQ=="},
        "s": {"Type": "String", "Value": "text"},
    }


def test_anything_but_text_is_published_as_json(topic: Topic) -> None:
    """As the event builders do it."""
    assert topic.publish({"id": 1}).message == '{"id":1}'


def test_each_protocol_may_have_a_text_of_its_own(topic: Topic, clock: VirtualClock) -> None:
    """With the ``json`` structure; the default is for the others, and where the own one is no text."""
    function, queue = FakeFunction(), FakeQueue()
    topic.subscribe(function)
    topic.subscribe(queue)
    topic.publish(json.dumps({"default": "any", "lambda": "for you", "sqs": 3}), message_structure="json")
    clock.run()

    texts = function.events[0]["Records"][0]["Sns"]["Message"], queue.messages[0].content["Message"]
    assert texts == ("for you", "any")


WRONG_MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "empty": ({"message": ""}, "Invalid parameter: Empty message"),
    "empty subject": ({"message": "m", "subject": ""}, "Invalid parameter: Subject"),
    "long subject": ({"message": "m", "subject": "s" * 101}, "Invalid parameter: Subject"),
    "subject of lines": ({"message": "m", "subject": "a\nb"}, "Invalid parameter: Subject"),
    "too long": ({"message": "m" * 262_145}, "Invalid parameter: Message too long"),
    "too long with attributes": (
        {"message": "m" * 262_130, "message_attributes": {"name": "value1"}},
        "Invalid parameter: Message too long",
    ),
    "no json": (
        {"message": "m", "message_structure": "json"},
        "Invalid parameter: Message Structure - JSON message body failed to parse",
    ),
    "no default": (
        {"message": "{}", "message_structure": "json"},
        "Invalid parameter: Message Structure - No default entry in JSON message body",
    ),
    "structure": ({"message": "m", "message_structure": "xml"}, "Invalid parameter: MessageStructure"),
    "message_deduplication_id": (
        {"message": "m", "message_deduplication_id": "1"},
        "Invalid parameter: MessageDeduplicationId Reason: The",
    ),
    "name with a dot": ({"message": "m", "message_attributes": {".a": "x"}}, "Invalid message attribute name starting"),
    "name ending so": (
        {"message": "m", "message_attributes": {"a.": "x"}},
        "Invalid message attribute name ending with",
    ),
    "two dots": (
        {"message": "m", "message_attributes": {"a..b": "x"}},
        "Message attribute name can not have successive",
    ),
    "strange name": (
        {"message": "m", "message_attributes": {"a b": "x"}},
        "Invalid non-alphanumeric character '#x20' was",
    ),
    "long name": ({"message": "m", "message_attributes": {"a" * 257: "x"}}, "Length of message attribute name must be"),
    "no value": ({"message": "m", "message_attributes": {"a": ""}}, "The message attribute 'a' must contain non-empty"),
    "type": (
        {"message": "m", "message_attributes": {"a": {"DataType": "Text", "StringValue": "x"}}},
        "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary",
    ),
    "no number": (
        {"message": "m", "message_attributes": {"a": {"DataType": "Number", "StringValue": "x"}}},
        "Could not cast message attribute 'a' value to number.",
    ),
}


@pytest.mark.parametrize("name", WRONG_MESSAGES)
def test_a_wrong_message_is_refused_in_snss_words(topic: Topic, name: str) -> None:
    """And not published."""
    given, words = WRONG_MESSAGES[name]

    with pytest.raises(SourceError) as refused:
        topic.publish(**given)

    assert (refused.value.message[: len(words)], topic.published) == (words, [])


def test_the_largest_message_is_taken(topic: Topic) -> None:
    """256 KiB with its attributes: their names, types and values."""
    topic.publish("m" * (262_144 - 16), message_attributes={"name": "value1"})


@pytest.mark.parametrize("name", ["", "a b", "a.b", "x" * 257, ".fifo"])
def test_a_topic_has_a_name_that_sns_takes(clock: VirtualClock, name: str) -> None:
    """Letters, digits, hyphens and underscores."""
    with pytest.raises(SourceError, match="Invalid parameter: Topic Name"):
        Topic(name, Place(clock))


def test_a_batch_answers_for_each_message(topic: Topic) -> None:
    """As boto3 has it: one that is wrong does not keep the others back."""
    answer = topic.publish_batch([{"Id": "1", "Message": "a", "Subject": "s"}, {"Id": "2", "Message": ""}])

    assert answer == {
        "Successful": [{"Id": "1", "MessageId": topic.published[0].message_id}],
        "Failed": [
            {"Id": "2", "Code": "InvalidParameter", "Message": "Invalid parameter: Empty message", "SenderFault": True}
        ],
    }


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "EmptyBatchRequest"),
        ([{"Id": str(number), "Message": "m"} for number in range(11)], "TooManyEntriesInBatchRequest: The batch"),
        ([{"Id": "1", "Message": "m"}] * 2, "BatchEntryIdsNotDistinct: Two or more batch entries in the request"),
        ([{"Id": str(number), "Message": "m" * 131_073} for number in range(2)], "BatchRequestTooLong: The length of"),
        (
            [{"Id": "1", "Message": "m", "Group": "a"}],
            'ParamValidationError: Unknown parameter .* "Group", must be one',
        ),
    ],
    ids=["none", "eleven", "same id", "too long", "unknown"],
)
def test_a_wrong_batch_is_refused_as_a_whole(topic: Topic, entries: list[dict[str, Any]], words: str) -> None:
    """Nothing of it is published."""
    with pytest.raises(SourceError, match=words):
        topic.publish_batch(entries)

    assert topic.published == []


# Subscriptions.


def test_a_queue_gets_snss_json(topic: Topic, clock: VirtualClock) -> None:
    """Which a handler of the queue can read through."""
    queue, seen = FakeQueue(), list[str]()
    topic.subscribe(queue)
    topic.publish("Disk full", subject="db-1")
    clock.run()

    @on_sns("alerts", via="sqs")
    def handle(notification: SnsRecord) -> None:
        seen.append(f"{notification.subject}: {notification.message}")

    App(handle)(events.sqs("inbox", *queue.bodies), None)

    assert (seen, _shape(queue.messages[0].content)) == (
        ["db-1: Disk full"],
        _shape(json.loads(events.sns("alerts", "m", subject="s", via="sqs")["Records"][0]["body"])),
    )


def test_raw_delivery_gives_a_queue_the_message_itself(topic: Topic, clock: VirtualClock) -> None:
    """With its attributes as the queue's, in the form of SQS's API."""
    queue, seen = FakeQueue(), list[dict[str, int]]()
    topic.subscribe(queue, raw_message_delivery=True)
    topic.publish('{"id":1}', message_attributes={"kind": "order"})
    clock.run()

    @on_sqs("inbox")
    def handle(message: SqsRecord[dict[str, int]]) -> None:
        seen.append(message.body)

    App(handle)(events.sqs("inbox", *queue.bodies), None)
    assert (seen, queue.messages[0].message_attributes) == (
        [{"id": 1}],
        {"kind": {"DataType": "String", "StringValue": "order"}},
    )


def test_a_queue_takes_ten_raw_attributes(topic: Topic, clock: VirtualClock) -> None:
    """A message with more is lost, unless there is a queue for such."""
    queue, letters = FakeQueue(), FakeQueue("failed")
    subscription = topic.subscribe(queue, raw_message_delivery=True, dead_letter_queue=letters)
    topic.publish("m", message_attributes={f"a{number}": "x" for number in range(11)})
    sent_at_once = [*letters.messages]
    clock.run()

    assert (queue.messages, sent_at_once, letters.messages[0].content["Message"]) == ([], [], "m")
    assert [delivery.error for delivery in subscription.failed] == [
        "InvalidParameterValue: raw delivery to SQS takes 10 message attributes, not 11"
    ]


def test_what_a_target_does_not_take_is_a_dead_letter(topic: Topic, clock: VirtualClock) -> None:
    """With all that SNS says of it; the other subscribers get it."""
    letters, function = FakeQueue("failed"), FakeFunction()
    lost = topic.subscribe(FakeQueue(refuses=True), dead_letter_queue=letters)
    small = topic.subscribe(FakeFunction("small", limit=10), dead_letter_queue=letters)
    topic.subscribe(function)
    topic.publish("Disk full")
    clock.run()

    assert [message.content["Message"] for message in letters.messages] == ["Disk full"] * 2
    assert (len(lost.failed), len(small.failed), len(function.events)) == (1, 1, 1)


def test_an_error_of_the_tests_own_target_comes_out_of_the_run(topic: Topic, clock: VirtualClock) -> None:
    """It is nobody's to swallow."""

    class Broken:
        arn = "arn:aws:lambda:us-east-1:123456789012:function:broken"

        def invoke_async(self, payload: object) -> None:
            raise KeyError("broken")

    topic.subscribe(Broken())
    topic.publish("m")

    with pytest.raises(KeyError, match="broken"):
        clock.run()


def test_who_has_unsubscribed_gets_nothing_more(topic: Topic, clock: VirtualClock) -> None:
    """To do it twice does no harm."""
    function = FakeFunction()
    subscription = topic.subscribe(function)
    subscription.unsubscribe()
    subscription.unsubscribe()
    topic.publish("m")
    clock.run()

    assert function.events == []


def test_a_target_is_subscribed_once(topic: Topic) -> None:
    """Again with the same settings is the same subscription; with others SNS refuses it."""
    function = FakeFunction()
    first = topic.subscribe(function, {"a": ["x"]})

    assert topic.subscribe(function, {"a": ["x"]}) is first
    with pytest.raises(SourceError, match="Attributes Reason: Subscription already exists with different attributes"):
        topic.subscribe(function, {"a": ["x"]}, "MessageBody")


def test_functions_get_nothing_raw(topic: Topic) -> None:
    """SNS says so."""
    with pytest.raises(SourceError, match=r"Delivery protocol \[lambda\] does not support raw message delivery\."):
        topic.subscribe(FakeFunction(), raw_message_delivery=True)


def test_a_topic_delivers_to_functions_and_queues(topic: Topic, clock: VirtualClock) -> None:
    """Not to a bus, nor to another topic."""
    for target in (Bus("default", Place(clock)), Topic("other", Place(clock))):
        with pytest.raises(TypeError, match="the target is a function or a queue of the local Lambda, not <"):
            topic.subscribe(target)


# FIFO.


def test_a_fifo_topic_keeps_the_order(fifo: Topic, clock: VirtualClock) -> None:
    """To a FIFO queue, with the group and the id by which the queue knows a message again."""
    queue = FakeQueue("inbox.fifo")
    fifo.subscribe(queue)
    for number in range(50):
        fifo.publish(str(number), message_group_id="g", message_deduplication_id=f"d{number}")
    clock.run()

    contents = [message.content for message in queue.messages]
    assert [content["Message"] for content in contents] == [str(number) for number in range(50)]
    assert [(queue.messages[0].message_group_id, queue.messages[0].message_deduplication_id)] == [("g", "d0")]
    assert contents == sorted(contents, key=lambda content: int(content["SequenceNumber"]))


def test_dead_letters_of_a_fifo_topic_have_their_group(fifo: Topic, clock: VirtualClock) -> None:
    """As the FIFO queue that gets them wants it."""
    letters = FakeQueue("failed.fifo")
    fifo.subscribe(FakeQueue("inbox.fifo", refuses=True), dead_letter_queue=letters)
    fifo.publish("m", message_group_id="g", message_deduplication_id="1")
    clock.run()

    assert [(letter.message_group_id, letter.message_deduplication_id) for letter in letters.messages] == [("g", "1")]


def test_a_standard_topic_keeps_no_order(topic: Topic, clock: VirtualClock) -> None:
    """The seed decides it."""
    queue = FakeQueue()
    topic.subscribe(queue, raw_message_delivery=True)
    for number in range(20):
        topic.publish(str(number))
    clock.run()

    assert queue.bodies != [str(number) for number in range(20)]
    assert sorted(queue.bodies, key=int) == [str(number) for number in range(20)]


def test_a_fifo_topic_knows_a_message_for_five_minutes(fifo: Topic, clock: VirtualClock) -> None:
    """By its id; the publisher gets the answer that it got before."""
    first = fifo.publish("a", message_group_id="g", message_deduplication_id="1")
    clock.run(until=299)
    again = fifo.publish("b", message_group_id="g", message_deduplication_id="1")
    clock.run(until=300)
    later = fifo.publish("c", message_group_id="g", message_deduplication_id="1")

    assert (again is first, [message.message for message in fifo.published]) == (True, ["a", "c"])
    assert later.message_id != first.message_id


def test_a_topic_may_know_a_message_by_its_text(clock: VirtualClock) -> None:
    """And not by its attributes."""
    fifo = Topic("alerts.fifo", Place(clock), content_based_deduplication=True)
    fifo.publish("a", message_group_id="g")
    fifo.publish("a", message_group_id="h", message_attributes={"kind": "order"})
    fifo.publish("b", message_group_id="g")

    assert [message.message for message in fifo.published] == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "The MessageGroupId parameter is required for FIFO topics"),
        (
            {"message_group_id": "g"},
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId",
        ),
    ],
)
def test_a_fifo_topic_wants_a_group_and_an_id(fifo: Topic, given: dict[str, str], words: str) -> None:
    """As SNS says."""
    with pytest.raises(SourceError, match=words):
        fifo.publish("m", message_group_id=given.get("message_group_id"))


def test_a_fifo_topic_has_queues_for_subscribers(fifo: Topic) -> None:
    """No functions; a standard queue, too, where order does not matter."""
    fifo.subscribe(FakeQueue())
    with pytest.raises(SourceError, match="Invalid parameter: Invalid protocol type: lambda"):
        fifo.subscribe(FakeFunction())


def test_a_standard_topic_has_no_fifo_queue(topic: Topic) -> None:
    """As SNS says."""
    with pytest.raises(SourceError, match="FIFO SQS Queues can not be subscribed to standard SNS topics"):
        topic.subscribe(FakeQueue("inbox.fifo"))


def test_the_group_of_a_standard_message_goes_to_queues(topic: Topic, clock: VirtualClock) -> None:
    """Which makes them fair."""
    queue = FakeQueue()
    topic.subscribe(queue)
    topic.publish("m", message_group_id="tenant-1")
    clock.run()

    assert queue.messages[0].message_group_id == "tenant-1"


# Filter policies. What is marked was recorded on AWS, or is an example of SNS's guide.


def policy_on(*values: object) -> dict[str, Any]:
    return {"a": list(values)}


TAKES: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    (policy_on("rugby", "tennis"), {"a": "rugby"}, True),  # guide
    (policy_on("rugby", "tennis"), {"a": ["rugby", "golf"]}, True),  # guide
    (policy_on("rugby", "tennis"), {"a": "baseball"}, False),  # guide
    (policy_on("value1"), {"a": ["value2", "value3"]}, False),  # recorded
    (policy_on({"anything-but": ["rugby", "tennis"]}), {"a": ["rugby", "baseball"]}, True),  # guide
    (policy_on({"anything-but": ["rugby", "tennis"]}), {"a": ["rugby"]}, False),  # guide
    (policy_on({"anything-but": {"prefix": "order-"}}), {"a": "order_number"}, True),  # guide
    (policy_on({"anything-but": {"prefix": "order-"}}), {"a": "order-cancelled"}, False),  # guide
    (policy_on({"anything-but": {"suffix": "ball"}}), {"a": "hockey"}, True),
    (policy_on({"anything-but": {"suffix": "ball"}}), {"a": ["baseball", "basketball"]}, False),  # guide
    (policy_on({"anything-but": {"wildcard": "*ball"}}), {"a": ["baseball", "basketball"]}, False),  # guide
    (policy_on({"anything-but": [100, 500]}), {"a": 100.1}, True),  # guide
    (policy_on({"anything-but": [100, 500]}), {"a": 100}, False),  # guide
    (policy_on({"equals-ignore-case": "tennis"}), {"a": "TENNIS"}, True),  # guide
    (policy_on({"cidr": "10.0.0.0/24"}), {"a": "10.0.0.255"}, True),  # guide
    (policy_on({"cidr": "10.0.0.0/24"}), {"a": "10.1.1.0"}, False),  # guide
    (policy_on({"prefix": "bas"}), {"a": "baseball"}, True),  # guide
    (policy_on({"suffix": "ball"}), {"a": "rugby"}, False),  # guide
    (policy_on({"wildcard": "*ball"}), {"a": ["baseball", "basketball"]}, True),  # guide
    (policy_on({"numeric": ["=", 301.5]}), {"a": Decimal("3.015e2")}, True),  # guide
    (policy_on({"numeric": [">", 0, "<=", 100]}), {"a": 99}, True),  # recorded
    (policy_on({"numeric": [">", 0, "<=", 100]}), {"a": 111}, False),  # recorded
    (policy_on({"numeric": [">", 0]}), {"a": "5"}, False),  # a string is no number
    (policy_on(5), {"a": 5}, True),
    (policy_on("5"), {"a": 5}, False),
    (policy_on(True, None), {"a": [True]}, True),
    (policy_on(True, None), {"a": [None]}, True),
    (policy_on(None, {"anything-but": "whatever"}), {}, False),  # recorded
    (policy_on({"exists": True}), {"a": "x", "b": "y"}, True),  # recorded
    (policy_on({"exists": True}), {"b": "y"}, False),  # recorded
    (policy_on({"exists": False}), {"b": "y"}, True),  # recorded
    (policy_on({"exists": False}), {"a": "x", "b": "y"}, False),  # recorded
    (policy_on({"exists": False}), {}, False),  # guide
    (policy_on({"exists": False}), {"b": b"not seen"}, False),
    (policy_on({"exists": True}), {"a": b"not seen"}, False),  # guide
    (policy_on("x"), {"a": 'quotes " unescaped'}, False),
    (policy_on('say "hi"'), {"a": 'say \\"hi\\"'}, True),  # guide: such have to be escaped
    (policy_on('say "hi"'), {"a": 'say "hi"'}, False),  # guide
    (policy_on("x"), {"a": {"DataType": "String.Array", "StringValue": "no JSON"}}, False),
    ({"a": ("x",), "b": ({"numeric": (">", 1)},)}, {"a": "x", "b": 2}, True),
    ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
    ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
    ({"source": ["s"], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"source": "s", "b": "y"}, True),  # guide
    ({"source": ["s"], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"source": "s"}, False),
    ({}, {}, True),
]


@pytest.mark.parametrize(
    ("policy", "attributes", "taken"), TAKES, ids=[f"{policy} {attributes}" for policy, attributes, _ in TAKES]
)
def test_a_policy_takes_or_leaves_attributes(
    topic: Topic, policy: dict[str, Any], attributes: dict[str, Any], taken: bool
) -> None:
    """What it left is kept."""
    subscription = topic.subscribe(FakeQueue(), policy)
    message = topic.publish("m", message_attributes=attributes)

    assert subscription.filtered == ([] if taken else [message])


S3_POLICY = {"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}}, "eventName": [{"prefix": "ObjectCreated:"}]}}
NESTED_POLICY = {
    "object": {"key": [{"prefix": "auto-"}, "hardcodedvalue"], "nested_key": [{"exists": False}]},
    "test": [{"exists": False}],
}


def _s3(key: str, name: str) -> dict[str, Any]:
    return {"eventName": name, "s3": {"object": {"key": key}}}


BODIES: list[tuple[dict[str, Any], Any, bool]] = [  # all recorded, but for the last three
    (NESTED_POLICY, {"object": {"key": "auto-test"}}, True),
    (NESTED_POLICY, {"object": {"key": "hardcodedvalue"}}, True),
    (NESTED_POLICY, {"object": {"key": "test-auto"}}, False),
    (NESTED_POLICY, {"object": {"key": "auto-test"}, "test": "just-exists"}, False),
    (NESTED_POLICY, {"object": {"key": "auto-test", "nested_key": "just-exists"}}, False),
    (NESTED_POLICY, {"object": {"test": "auto-test"}}, False),
    (NESTED_POLICY, "Regular string message", False),
    ({"object.nested.test": ["x"]}, {"object": {"nested": {"test": "x"}}}, True),
    ({"object.nested.test": ["x"]}, {"object.nested.test": "x"}, True),
    ({"object.nested.test": ["x"]}, {"object.nested": {"test": "x"}}, True),
    ({"object.nested.test": ["x"]}, {"object": {"nested.test": "x"}}, True),
    ({"object.nested.test": ["x"]}, {"object": {"nested": {"test": "y"}}}, False),
    ({"headers": {"route-to": ["queue1"]}}, {"headers": {"route-to": ["queue1", "queue2"]}}, True),
    ({"headers": {"route-to": ["queue1"]}}, {"headers": {"route-to": ["queue2"]}}, False),
    (S3_POLICY, {"Records": [_s3("auto-1", "ObjectCreated:Put"), _s3("home-1", "ObjectRemoved:Delete")]}, True),
    (S3_POLICY, {"Records": [_s3("auto-1", "ObjectRemoved:Delete")]}, False),
    (S3_POLICY, {"Records": [_s3("home-1", "ObjectCreated:Put")]}, False),
    (policy_on({"exists": True}), {"a": None}, False),  # guide: a value that is neither null nor empty
    (policy_on({"exists": True}), {"a": ""}, False),
    (policy_on({"exists": True}), {"a": 0}, True),
]


@pytest.mark.parametrize(("policy", "body", "taken"), BODIES, ids=[f"{policy} {body}" for policy, body, _ in BODIES])
def test_a_policy_takes_or_leaves_a_body(topic: Topic, policy: dict[str, Any], body: Any, taken: bool) -> None:
    """It takes JSON objects."""
    subscription = topic.subscribe(FakeQueue(), policy, "MessageBody")
    message = topic.publish(body)

    assert subscription.filtered == ([] if taken else [message])


REFUSED: list[tuple[dict[str, Any], str]] = [  # recorded, but for the last ones
    (policy_on(["value"]), "Match value must be String, number, true, false, or null"),
    (policy_on({"wrong-operator": True}), "Unrecognized match type wrong-operator"),
    (policy_on({"suffix": "a", "prefix": "b"}), "Only one key allowed in match expression"),
    (policy_on({"suffix": 100}), "suffix match pattern must be a string"),
    (policy_on({"suffix": ["a", "b"]}), "suffix match pattern must be a string"),
    ({"a": {"suffix": "value"}}, '"suffix" must be an object or an array'),
    ({"a": "value"}, '"a" must be an object or an array'),
    (policy_on({"numeric": []}), "Invalid member in numeric match: ]"),
    (policy_on({"numeric": ["operator"]}), "Unrecognized numeric range operator: operator"),
    (policy_on({"numeric": [1, "<="]}), "Invalid member in numeric match: 1"),
    (policy_on({"numeric": ["=", "000"]}), "Value of equals must be numeric"),
    (policy_on({"numeric": [">="]}), "Value of >= must be numeric"),
    (policy_on({"numeric": ["<", 100, ">", 10]}), "Too many elements in numeric expression"),
    (policy_on({"numeric": [">=", 1, ">", 2]}), "Bad numeric range operator: >"),
    (policy_on({"numeric": [">", 3, "<", 1]}), "Bottom must be less than top"),
    (policy_on({"numeric": [">", 20, "<="]}), "Value of <= must be numeric"),
    (policy_on({"numeric": [">", 20, 30]}), "Bad value in numeric range: 30"),
    (policy_on({"numeric": [">", "20", "<", "30"]}), "Value of > must be numeric"),
    (policy_on({"numeric": [">", 20, "<", 30, "<", 50]}), "Too many terms in numeric range expression"),
    (policy_on({"exists": None}), "exists match pattern must be either true or false."),
    (policy_on({"anything-but": {"exists": False}}), "Unsupported anything-but pattern: exists"),
    (policy_on({"anything-but": {"prefix": False}}), "prefix match pattern must be a string"),
    (policy_on(*[f"value{number}" for number in range(151)]), "Filter policy is too complex"),
    ({"a": [*range(100)], "b": [*range(51)]}, "Filter policy is too complex"),
    ({f"key{number}": ["x"] for number in range(6)}, "Filter policy can not have more than 5 keys"),
    (
        {
            "source": [*"abcd"],
            "$or": [
                {"metricName": [*"abcdef"]},
                {"metricType": [*"abcd"], "$or": [{"metricId": [*range(4)]}, {"spaceId": [*range(4)]}]},
            ],
        },
        "Filter policy is too complex",
    ),
    ({"a": []}, "Empty arrays are not allowed"),
    (policy_on({"numeric": 5}), "Value of numeric must be an array."),
    (policy_on({"cidr": "10.0.0.0"}), "filter policy at a[0].cidr: takes an address range as '10.0.0.0/24'"),
]


@pytest.mark.parametrize(("policy", "words"), REFUSED, ids=[str(policy)[:60] for policy, _ in REFUSED])
def test_a_wrong_policy_is_refused_in_snss_words(topic: Topic, policy: dict[str, Any], words: str) -> None:
    """When the subscription is made; lambdakit's own words tell what AWS's are not known for."""
    scope: FilterPolicyScope = "MessageBody" if "suffix" in policy.get("a", ()) else "MessageAttributes"

    with pytest.raises(SourceError) as refused:
        topic.subscribe(FakeQueue(), policy, scope)

    message = refused.value.message
    assert (
        message.startswith(f"Invalid parameter: Attributes Reason: FilterPolicy: {words}"),
        topic.subscriptions,
    ) == (
        True,
        [],
    )


def test_a_policy_on_attributes_does_not_nest() -> None:
    """One on bodies does, and its depth counts: 3 x 4 x 2 x 3 x 3 combinations are too many."""
    nested: dict[str, Any] = {"a": {"b": {"c": [*"1234"]}}, "d": {"e": [*"123"]}}
    FilterPolicy(nested, "MessageBody")

    with pytest.raises(
        SourceError, match="Filter policy scope MessageAttributes does not support nested filter policy"
    ):
        FilterPolicy(nested)
    with pytest.raises(SourceError, match="too complex"):
        FilterPolicy({**nested, "f": [*"123"]}, "MessageBody")


def test_there_are_two_scopes() -> None:
    """As SNS says."""
    with pytest.raises(
        SourceError, match=r"Invalid value \[Body\]. Please use either MessageBody or MessageAttributes"
    ):
        FilterPolicy({"a": ["x"]}, "Body")  # type: ignore[arg-type]


# Handlers, and laws.


def test_a_handler_gets_what_was_published(topic: Topic, clock: VirtualClock) -> None:
    """Of the topic that it asks for."""
    seen: list[dict[str, int]] = []

    @on_sns("alerts")
    def handle(order: dict[str, int]) -> None:
        seen.append(order)

    function = FakeFunction()
    topic.subscribe(function)
    topic.publish({"id": 1})
    clock.run()
    App(handle)(function.events[0], None)

    assert seen == [{"id": 1}]


SEVERITIES = st.sampled_from(["high", "low", "none", None])
SIZES = st.sampled_from([None, 1, 5, 9])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, list[Any]] | None:
    """Of two keys, or none at all."""
    severity = draw(st.lists(st.sampled_from(["high", "low", {"prefix": "n"}, {"exists": False}]), max_size=2))
    size = draw(st.lists(st.sampled_from([1, {"numeric": [">", 4]}, {"anything-but": [9]}]), max_size=2))
    policy: dict[str, list[Any]] = {"severity": severity, "size": size}
    return {key: values for key, values in policy.items() if values} or None


def _takes(policy: dict[str, list[Any]] | None, attributes: dict[str, Any]) -> bool:
    """What a policy is meant to do, said as plainly as can be."""
    if policy is None:
        return True
    return bool(attributes) and all(
        any(_fits(condition, attributes.get(key)) for condition in conditions) for key, conditions in policy.items()
    )


def _fits(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return bool(condition == value)
    if "prefix" in condition:
        return isinstance(value, str) and value.startswith(condition["prefix"])
    if "exists" in condition:
        return value is None
    if "numeric" in condition:
        return isinstance(value, int) and value > condition["numeric"][1]
    return value is not None and value not in condition["anything-but"]


@given(st.lists(policies(), max_size=5), st.lists(st.tuples(SEVERITIES, SIZES), max_size=8), st.integers())
def test_each_message_goes_to_exactly_those_whose_policy_takes_it(
    given_policies: list[dict[str, list[Any]] | None], messages: list[tuple[str | None, int | None]], seed: int
) -> None:
    """Once to each, whatever the order that the seed gives them."""
    clock = VirtualClock(seed)
    topic = Topic("alerts", Place(clock))
    queues = [FakeQueue(f"q{number}") for number in range(len(given_policies))]
    for queue, policy in zip(queues, given_policies, strict=True):
        topic.subscribe(queue, policy, raw_message_delivery=True)
    every: list[dict[str, Any]] = []
    for number, (severity, size) in enumerate(messages):
        attributes = {"severity": severity, "size": size}
        every.append({name: value for name, value in attributes.items() if value is not None})
        topic.publish(str(number), message_attributes=every[number])
    clock.run()

    assert [sorted(queue.bodies) for queue in queues] == [
        sorted(str(number) for number, attributes in enumerate(every) if _takes(policy, attributes))
        for policy in given_policies
    ]


def _shape(value: Any) -> Any:
    """The names in it, without what they stand for."""
    if isinstance(value, dict):
        return {name: _shape(inner) for name, inner in value.items()}
    return [_shape(inner) for inner in value] if isinstance(value, list) else type(value)
