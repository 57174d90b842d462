"""What a deployed App is invoked by: the sources that its decorators name, and mappings made by hand."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from lambdakit import (
    App,
    on_dynamodb,
    on_event,
    on_eventbridge,
    on_invoke,
    on_kinesis,
    on_s3,
    on_schedule,
    on_sns,
    on_sqs,
)
from lambdakit.events import DynamoDbRecord, KinesisEvent, KinesisRecord, S3Record, ScheduledEvent, SnsRecord, SqsRecord
from lambdakit.local import ClockError, InvokeError, LocalLambda, LostRecordsWarning


class Seen(list[Any]):
    """What handlers saw."""


def test_an_object_in_the_bucket_invokes_the_function(local_lambda: LocalLambda) -> None:
    """With its key decoded; one that no decorator asks for invokes nothing."""
    seen = Seen()

    @on_s3("uploads", suffix=".csv")
    def ingest(upload: S3Record) -> None:
        seen.append((upload.key, upload.size))

    local_lambda.deploy(App(ingest))
    for key in ("a b+ü.csv", "a.txt"):
        local_lambda.bucket("uploads").put(key, b"12345")
    local_lambda.run()

    assert seen == [("a b+ü.csv", 5)]


def test_handlers_of_one_bucket_get_each_object_once(local_lambda: LocalLambda) -> None:
    """S3 takes no overlapping configurations: the wider one serves both, and the App tells the objects apart."""
    seen = Seen()

    @on_s3("uploads")
    def any_upload(upload: S3Record) -> None:
        seen.append(("any", upload.key))

    @on_s3("uploads", prefix="in/", suffix=".csv")
    def csv(upload: S3Record) -> None:
        seen.append(("csv", upload.key))

    local_lambda.deploy(App(any_upload, csv))
    local_lambda.bucket("uploads").put("in/a.csv")
    local_lambda.bucket("uploads").put("b.csv")
    local_lambda.run()

    assert sorted(seen) == [("any", "b.csv"), ("csv", "in/a.csv")]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ("ObjectCreated:*", ["in/a.csv", "in/b.csv"]),
        ("ObjectCreated:Copy", ["in/b.csv"]),
        (("ObjectRemoved:*", "ObjectCreated:Put"), ["in/a.csv", "in/a.csv"]),
    ],
)
def test_objects_come_through_the_event_bus_where_the_decorator_says_so(
    local_lambda: LocalLambda, events: str, expected: list[str]
) -> None:
    """``via="eventbridge"``: the bucket tells the default bus, whose rule takes what a notification would."""
    seen = Seen()

    @on_s3("uploads", events=events, prefix="in/", suffix=".csv", via="eventbridge")
    def ingest(upload: S3Record) -> None:
        seen.append(upload.key)

    local_lambda.deploy(App(ingest))
    bucket = local_lambda.bucket("uploads")
    bucket.put("in/a.csv")
    bucket.put("out/a.csv")
    bucket.copy("in/a.csv", "in/b.csv")
    bucket.delete("in/a.csv")
    local_lambda.run()

    assert sorted(seen) == expected


def test_a_poison_message_is_dead_lettered_alone(local_lambda: LocalLambda) -> None:
    """The others of its batch are done; it is received three times."""
    seen = Seen()

    @on_sqs("orders")
    def charge(order: dict[str, int]) -> None:
        seen.append(order["id"])
        if order["id"] == 2:
            raise ValueError("no such customer")

    dead = local_lambda.queue("dead")
    orders = local_lambda.queue("orders", dead_letter_queue=dead, max_receive_count=3)
    local_lambda.deploy(App(charge))
    orders.send_batch([{"id": 1}, {"id": 2}, {"id": 3}])
    local_lambda.run()

    assert (sorted(seen), [letter.json for letter in dead], len(orders)) == ([1, 2, 2, 2, 3], [{"id": 2}], 0)


def test_a_queue_that_deploy_makes_hides_messages_for_six_times_the_timeout(local_lambda: LocalLambda) -> None:
    """AWS's advice; a window comes on top."""

    @on_sqs("orders", batch_size=50, maximum_batching_window_in_seconds=5)
    def charge(record: SqsRecord) -> None: ...

    local_lambda.deploy(App(charge, timeout=20))

    assert local_lambda.queue("orders").visibility_timeout == 125


def test_records_of_a_stream_reach_the_function(local_lambda: LocalLambda) -> None:
    """In order, when the shard is polled next."""
    seen = Seen()

    @on_kinesis("readings")
    def store(record: KinesisRecord[dict[str, int]]) -> None:
        seen.append(record.data["value"])

    local_lambda.deploy(App(store))
    for value in range(3):
        local_lambda.stream("readings").put_record({"value": value}, "sensor")
    local_lambda.run()

    assert seen == [0, 1, 2]


def test_changes_of_a_table_reach_those_who_ask_for_them(local_lambda: LocalLambda) -> None:
    """A mapping filters what no handler of the table takes."""
    seen = Seen()

    @on_dynamodb("customers", events="INSERT")
    def greet(change: DynamoDbRecord) -> None:
        seen.append(("new", change.keys))

    @on_dynamodb("customers", events="REMOVE")
    def forget(change: DynamoDbRecord) -> None:
        seen.append(("gone", change.keys))

    local_lambda.deploy(App(greet, forget))
    customers = local_lambda.table("customers")
    customers.put({"id": "1", "name": "Ada"})
    customers.update("1", {"name": "Bob"})
    customers.delete("1")
    local_lambda.run()

    assert seen == [("new", {"id": "1"}), ("gone", {"id": "1"})]
    assert local_lambda.mappings[0].counts.filtered == 1


def test_messages_of_a_topic_reach_the_function_its_policy_permitting(local_lambda: LocalLambda) -> None:
    """The subscription has the decorator's filter policy."""
    seen = Seen()

    @on_sns("alerts", filter_policy={"severity": ["high"]})
    def page(message: SnsRecord) -> None:
        seen.append(message.message)

    local_lambda.deploy(App(page))
    for severity in ("low", "high"):
        local_lambda.topic("alerts").publish(f"it is {severity}", message_attributes={"severity": severity})
    local_lambda.run()

    assert seen == ["it is high"]


def test_events_of_a_bus_reach_the_function_if_they_match(local_lambda: LocalLambda) -> None:
    """A rule with the decorator's pattern, on the decorator's bus."""
    seen = Seen()

    @on_eventbridge({"source": ["warehouse"]}, bus="shop")
    def ship(detail: dict[str, str]) -> None:
        seen.append(detail["order"])

    local_lambda.deploy(App(ship))
    local_lambda.bus("shop").put("warehouse", "Order shipped", {"order": "1"})
    local_lambda.bus("shop").put("office", "Order shipped", {"order": "2"})
    local_lambda.run()

    assert seen == ["1"]


def test_schedules_fire_as_time_passes(local_lambda: LocalLambda) -> None:
    """Only where time passes anyway: an endless schedule makes no endless run."""
    seen = Seen()

    @on_schedule("rate(1 hour)")
    def sweep(event: ScheduledEvent) -> None:
        seen.append(event.time.hour)

    local_lambda.deploy(App(sweep))
    local_lambda.run()
    local_lambda.advance(3 * 3_600)

    assert seen == [1, 2, 3]
    assert [due.hour for due in local_lambda.schedules["sweep"].fired] == [1, 2, 3]


@on_invoke
def fail(payload: dict[str, Any]) -> None:
    raise OSError("no more disk")


def bodies_of_queue(local: LocalLambda) -> list[Any]:
    return [message.json for message in local.queue("told")]


def bodies_of_bucket(local: LocalLambda) -> list[Any]:
    import json

    return [json.loads(stored.body) for stored in local.bucket("told").list("aws/lambda/async/fail/2026/01/01/")]


def bodies_of_bus(local: LocalLambda) -> list[Any]:
    return [event["detail"] for event in local.bus("told").events]


@pytest.mark.parametrize(
    ("target", "bodies"),
    [
        ("told", bodies_of_queue),
        ("arn:aws:sqs:us-east-1:123456789012:told", bodies_of_queue),
        ("arn:aws:s3:::told", bodies_of_bucket),
        ("arn:aws:events:us-east-1:123456789012:event-bus/told", bodies_of_bus),
        ("arn:aws:sns:us-east-1:123456789012:told", bodies_of_queue),
    ],
    ids=["name of a queue", "queue", "bucket", "bus", "topic with a queue"],
)
def test_the_record_of_a_failure_goes_to_any_kind_of_destination(
    local_lambda: LocalLambda, target: str, bodies: Callable[[LocalLambda], list[Any]]
) -> None:
    """By name or ARN; the record is the same."""
    if ":sns:" in target:
        local_lambda.topic("told").subscribe(local_lambda.queue("told"), raw_message_delivery=True)
    fn = local_lambda.deploy(App(fail), on_failure=target, maximum_retry_attempts=0)
    fn.invoke_async({"order": 1})
    local_lambda.run()

    [record] = bodies(local_lambda)

    assert (
        record["requestPayload"],
        record["requestContext"]["condition"],
        record["responsePayload"]["errorType"],
    ) == (
        {"order": 1},
        "RetriesExhausted",
        "OSError",
    )


def test_a_record_that_its_destination_does_not_take_is_a_metric_only(local_lambda: LocalLambda) -> None:
    """A FIFO queue takes no message without a group: Lambda supports none as a destination."""
    fn = local_lambda.deploy(App(fail), on_failure="told.fifo", maximum_retry_attempts=0)
    fn.invoke_async({"order": 1})

    local_lambda.run()

    assert [target for target, _ in local_lambda.destination_failures] == ["told.fifo"]


def test_given_up_records_of_a_stream_go_to_the_mappings_destination(local_lambda: LocalLambda) -> None:
    """Which in S3 holds the records as well."""

    @on_kinesis()
    def break_down(event: KinesisEvent) -> None:
        raise OSError("no more disk")

    fn = local_lambda.deploy(App(break_down), name="store")
    mapping = local_lambda.map(
        local_lambda.stream("readings"),
        fn,
        function_response_types="ReportBatchItemFailures",
        maximum_retry_attempts=0,
        on_failure="arn:aws:s3:::failed",
    )
    local_lambda.stream("readings").put_record(b"x", "sensor")
    local_lambda.run()

    [stored] = local_lambda.bucket("failed").list()

    assert stored.key.startswith(f"aws/lambda/{mapping.uuid}/shardId-000000000000/2026/01/01/2026-01-01T00.00.")


def test_failures_that_a_mapping_does_not_look_at_are_pointed_out(local_lambda: LocalLambda) -> None:
    """AWS deletes those messages in silence; here a warning says so, and the mapping has them."""

    @on_sqs()
    def break_down(order: dict[str, int]) -> None:
        raise OSError("no more disk")

    mapping = local_lambda.map(local_lambda.queue("orders"), local_lambda.deploy(App(break_down)))
    message = local_lambda.queue("orders").send({"id": 1})

    with pytest.warns(LostRecordsWarning, match="takes the whole batch for done"):
        local_lambda.run()

    assert mapping.lost == [message.message_id]


def test_a_mapping_of_another_services_source_says_where_to_make_it(local_lambda: LocalLambda) -> None:
    """Two services have two clocks."""
    fn = local_lambda.deploy(App(fail))

    with pytest.raises(ClockError, match=r"local\.queue\(name\)"):
        local_lambda.map(LocalLambda().queue("orders"), fn)


def test_a_mapping_of_an_unknown_function_is_refused_in_lambdas_words(local_lambda: LocalLambda) -> None:
    """400, not 404."""
    with pytest.raises(InvokeError, match=r"InvalidParameterValueException \(400\): Function does not exist"):
        local_lambda.map(local_lambda.queue("orders"), "nobody")


def test_a_second_mapping_of_the_same_source_and_function_is_a_conflict(local_lambda: LocalLambda) -> None:
    """Once the first is deleted, there may be another."""
    fn = local_lambda.deploy(App(fail))
    mapping = local_lambda.map(local_lambda.queue("orders"), fn)

    with pytest.raises(InvokeError, match=r"ResourceConflictException \(409\): The event source arn"):
        local_lambda.map(local_lambda.queue("orders"), fn)
    mapping.delete()
    local_lambda.run()

    assert local_lambda.map(local_lambda.queue("orders"), "fail").state == "Creating"


def test_a_broker_and_a_cluster_are_mapped_by_hand(local_lambda: LocalLambda) -> None:
    """Of a broker one of its queues, of a cluster one of its topics."""
    seen = Seen()

    def handler(event: dict[str, Any], context: object) -> None:
        seen.append(event["eventSource"])

    fn = local_lambda.deploy(handler)
    broker, topic = local_lambda.broker("shop"), local_lambda.cluster("shop").topic("orders")
    local_lambda.map(broker, fn, queue="orders")
    local_lambda.map(broker, fn, queue="refunds")
    local_lambda.map(topic, fn)
    broker.queue("orders").send("a")
    topic.produce("b")
    local_lambda.run()

    assert sorted(seen) == ["aws:kafka", "aws:mq"]


def test_messages_of_a_broker_reach_the_function_that_is_mapped(local_lambda: LocalLambda) -> None:
    """A mapping polls one of its queues."""
    seen = Seen()

    @on_event("activemq")
    def see(event: dict[str, Any]) -> None:
        seen.extend(b64decode(message["data"]) for message in event["messages"])

    broker = local_lambda.broker("shop")
    mapping = local_lambda.map(broker, local_lambda.deploy(App(see)), queue="orders")
    broker.queue("orders").send("a")
    local_lambda.run()

    assert (seen, mapping.counts.processed, local_lambda.broker(broker.arn) is broker) == ([b"a"], 1, True)


def test_what_notifies_is_not_polled(local_lambda: LocalLambda) -> None:
    """The error says how a bucket's events reach a function."""
    fn = local_lambda.deploy(App(fail))
    bucket: Any = local_lambda.bucket("uploads")

    with pytest.raises(TypeError, match=r"bucket\.notify"):
        local_lambda.map(bucket, fn)


def test_settings_that_come_too_late_are_refused(local_lambda: LocalLambda) -> None:
    """A resource is found again by its name: what it was made with stays."""
    local_lambda.queue("orders")

    with pytest.raises(ValueError, match="visibility_timeout would have no effect"):
        local_lambda.queue("orders", visibility_timeout=60)


def test_a_resource_is_found_by_its_arn(local_lambda: LocalLambda) -> None:
    """As decorators may name it."""
    orders, customers = local_lambda.queue("orders"), local_lambda.table("customers")

    assert local_lambda.queue(orders.arn) is orders
    assert local_lambda.table(customers.stream.arn) is customers
