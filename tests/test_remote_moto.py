"""What polls endpoints, end to end: boto3 and moto's server, on real time.

What moto does not do, the clients in ``fake_clients`` do: a shard that was split ends nowhere, an iterator never
expires and DynamoDB's begins at no sequence number, nothing is throttled, no deletion fails, and of several messages of
a FIFO group that are to be seen again it hands out the last one only.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest

from lambdakit.local import ClockError, InvokeError, LocalLambda, SourceError
from lambdakit.local.remote import closing
from tests.moto_endpoint import moto_endpoint
from tests.scripted import Script, ScriptedFunction, data_of

REPORT: dict[str, Any] = {"function_response_types": "ReportBatchItemFailures"}


@pytest.fixture(scope="module")
def endpoint_url() -> Iterator[str]:
    with moto_endpoint() as url:
        yield url


@pytest.fixture(scope="module")
def session() -> Any:
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="very secret", region_name="us-east-1")


@pytest.fixture
def connect(endpoint_url: str, session: Any) -> Callable[[str], Any]:
    return lambda service: session.client(service, endpoint_url=endpoint_url)


@pytest.fixture
def local() -> Iterator[LocalLambda]:
    with LocalLambda(isolation="process") as local:
        yield local


@pytest.fixture
def at(endpoint_url: str, session: Any) -> dict[str, Any]:
    return {"endpoint_url": endpoint_url, "session": session}


def scripted(
    local: LocalLambda, script: Script = lambda event: None, *, duration: float = 0, timeout: float = 1
) -> Any:
    """A function that needs no process."""
    return ScriptedFunction(local.place.clock, script, duration=duration, timeout=timeout)


def run_while(local: LocalLambda, waiting: Callable[[], bool]) -> None:
    """Wait for something outside, for ten seconds at most."""
    end = local.now + 10
    while waiting() and local.now < end:
        local.run(until=local.now + 0.05)


def bodies(event: dict[str, Any]) -> list[str]:
    return [record["body"] for record in event["Records"]]


def failures(event: dict[str, Any], *failed: str) -> dict[str, Any]:
    """An answer that lists the messages with such bodies."""
    listed = [record["messageId"] for record in event["Records"] if record["body"] in failed]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in listed]}


def test_messages_of_a_queue_with_partial_failures_and_a_dead_letter_queue(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """What fails comes again after its visibility timeout, and is dead-lettered in the end."""
    sqs = connect("sqs")
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    letters_arn = sqs.get_queue_attributes(QueueUrl=letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {
        "VisibilityTimeout": "1",
        "RedrivePolicy": f'{{"deadLetterTargetArn": "{letters_arn}", "maxReceiveCount": 2}}',
    }
    url = sqs.create_queue(QueueName="orders", Attributes=attributes)["QueueUrl"]
    fn = scripted(local, lambda event: failures(event, "3", "7"))
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in range(10)]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    mapping = local.map(local.remote_queue(url, **at), fn, **REPORT)
    dead: list[str] = []

    def waiting() -> bool:
        found = sqs.receive_message(QueueUrl=letters, MaxNumberOfMessages=10).get("Messages", [])
        dead.extend(message["Body"] for message in found)
        return len(dead) < 2

    run_while(local, waiting)

    seen = sorted(body for event in fn.events for body in bodies(event))
    assert (sorted(dead), seen) == (["3", "7"], sorted([*map(str, range(10)), "3", "7"]))
    assert (mapping.counts.processed, mapping.counts.returned, mapping.counts.held) == (8, 4, 0)


def test_messages_of_a_fifo_queue(local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]) -> None:
    """Those of a group come in order; one that failed comes again, with its number and its group."""
    sqs = connect("sqs")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "1"}
    url = sqs.create_queue(QueueName="orders.fifo", Attributes=attributes)["QueueUrl"]
    for body in ("a1", "b1", "a2", "b2", "a3"):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0])
    done: list[str] = []
    failing = ["a3"]

    def script(event: dict[str, Any]) -> object:
        failed = [failing.pop()] if set(failing) & set(bodies(event)) else []
        done.extend(body for body in bodies(event) if body not in failed)
        return failures(event, *failed)

    fn = scripted(local, script)
    local.map(local.remote_queue("orders.fifo", **at), fn, **REPORT)
    run_while(local, lambda: len(done) < 5)

    assert [body for body in done if body[0] == "a"] == ["a1", "a2", "a3"]
    assert [body for body in done if body[0] == "b"] == ["b1", "b2"]
    last = fn.events[-1]["Records"][-1]["attributes"]
    assert (last["MessageGroupId"], last["ApproximateReceiveCount"]) == ("a", "2")
    assert {"MessageDeduplicationId", "SentTimestamp", "SenderId"} < last.keys()


def test_records_of_a_stream_with_two_shards(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """In order for each key, in batches of one shard; ``run`` ends when both are read."""
    kinesis = connect("kinesis")
    kinesis.create_stream(StreamName="readings", ShardCount=2)
    kinesis.put_record(StreamName="readings", PartitionKey="1", Data=b"before")
    fn = scripted(local)
    mapping = local.map(local.remote_stream("readings", **at), fn, starting_position="LATEST")
    for number in range(20):
        kinesis.put_record(StreamName="readings", PartitionKey=str(number % 10), Data=str(number).encode())

    local.run()

    seen: dict[str, list[int]] = {}
    for event in fn.events:
        for record, data in zip(event["Records"], data_of(event), strict=True):
            seen.setdefault(record["kinesis"]["partitionKey"], []).append(int(data))
    assert seen == {str(key): [key, key + 10] for key in range(10)}
    assert {record["eventID"].partition(":")[0] for event in fn.events for record in event["Records"]} == {
        "shardId-000000000000",
        "shardId-000000000001",
    }
    assert (mapping.counts.processed, mapping.counts.held) == (20, 0)


def test_changes_of_a_table(local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]) -> None:
    """Old and new images, bytes in base64."""
    dynamodb = connect("dynamodb")
    dynamodb.create_table(
        TableName="customers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    fn = scripted(local)
    mapping = local.map(local.remote_table("customers", **at), fn)
    dynamodb.put_item(TableName="customers", Item={"id": {"S": "1"}, "raw": {"B": b"\0\xff"}})
    dynamodb.put_item(TableName="customers", Item={"id": {"S": "1"}, "total": {"N": "5"}})
    dynamodb.delete_item(TableName="customers", Key={"id": {"S": "1"}})

    local.run()

    records = [record for event in fn.events for record in event["Records"]]
    images = [(record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage")) for record in records]
    first, second = {"id": {"S": "1"}, "raw": {"B": "AP8="}}, {"id": {"S": "1"}, "total": {"N": "5"}}
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    assert images == [(None, first), (first, second), (second, None)]
    assert {record["eventSourceARN"] for record in records} == {mapping.source.arn}


SHOP = """
def handler(event, context):
    failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
    print("took", len(event["Records"]) - len(failed))
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
"""


def test_a_function_in_a_process_is_invoked(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any], tmp_path: Path
) -> None:
    """Real messages, a real process: what it was done with is deleted."""
    tmp_path.joinpath("shop.py").write_text(SHOP)
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="real")["QueueUrl"]
    for body in ("good", "bad"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    fn = local.deploy("shop.handler", task_root=tmp_path)
    local.map(local.remote_queue("arn:aws:sqs:us-east-1:123456789012:real", **at), fn, **REPORT)

    local.run()

    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert sum(invocation.log.count("took 1") for invocation in fn.invocations) == 1
    assert left == dict(zip(names, ["0", "1"], strict=True))


def test_what_was_sent_before_a_run_is_processed_in_it(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """Though the queue has been idle for some time, and a request waits already."""
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="idle")["QueueUrl"]
    fn = scripted(local)
    local.map(local.remote_queue(url, **at), fn)
    local.run()
    sqs.send_message(QueueUrl=url, MessageBody="late")

    local.run()

    assert [*map(bodies, fn.events)] == [["late"]]


# The end.


def received(sqs: Any, url: str) -> list[str]:
    return [
        message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]


def requests_left() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "request of a local Lambda" in thread.name]


def test_closing_lets_a_batch_in_flight_be_finished(connect: Callable[[str], Any], at: dict[str, Any]) -> None:
    """Its messages are deleted, and no thread is left."""
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="finishing")["QueueUrl"]
    with LocalLambda(isolation="process") as local:
        fn = scripted(local, duration=0.2)
        mapping = local.map(local.remote_queue(url, **at), fn)
        sqs.send_message(QueueUrl=url, MessageBody="a")
        run_while(local, lambda: not fn.calls)

    assert (mapping.state, mapping.counts.processed, fn.running, requests_left()) == ("Disabled", 1, 0, [])


def test_closing_gives_back_what_takes_too_long(
    connect: Callable[[str], Any], at: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can be received again at once, though its visibility timeout is not over."""
    monkeypatch.setattr(closing, "PATIENCE", 0.1)
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="unfinished")["QueueUrl"]
    with LocalLambda(isolation="process") as local:
        fn = scripted(local, duration=600)
        mapping = local.map(local.remote_queue(url, **at), fn)
        sqs.send_message(QueueUrl=url, MessageBody="a")
        run_while(local, lambda: not fn.calls)
        started = time.monotonic()

    assert received(sqs, url) == ["a"]
    assert (mapping.counts.returned, time.monotonic() - started < 2) == (1, True)


def test_ctrl_c_ends_an_endless_run_and_leaves_nothing_half_done(
    connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """The batch that the function has is finished first."""
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="endless")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="a")

    def interrupt(event: dict[str, Any]) -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def serve() -> None:
        with LocalLambda(isolation="process") as local:
            local.map(local.remote_queue(url, **at), scripted(local, interrupt, duration=0.1))
            local.run(until=float("inf"))

    with pytest.raises(KeyboardInterrupt):
        serve()

    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert (set(left.values()), requests_left()) == ({"0"}, [])


def test_a_disabled_mapping_leaves_messages_alone(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """What comes to a request that was under way is given back."""
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="disabled")["QueueUrl"]
    fn = scripted(local)
    mapping = local.map(local.remote_queue(url, **at), fn)
    local.run()
    mapping.disable()
    local.run(until=local.now + 0.05)
    sqs.send_message(QueueUrl=url, MessageBody="a")

    found: list[str] = []

    def waiting() -> bool:
        found.extend(received(sqs, url))
        return not found

    run_while(local, waiting)

    assert (found, fn.events) == (["a"], [])


# What is wrong from the beginning.


def test_virtual_time_waits_for_no_endpoint(at: dict[str, Any]) -> None:
    """The error says how to have real time."""
    local = LocalLambda()

    with pytest.raises(ClockError, match=r"on virtual time\.\n.*isolation=\"process\""):
        local.map(local.remote_queue("orders", **at), scripted(local))


def test_a_queue_that_is_not_there_is_named_in_the_words_of_sqs(local: LocalLambda, at: dict[str, Any]) -> None:
    """When it is mapped."""
    with pytest.raises(SourceError, match=r"NonExistentQueue: The specified queue does not exist"):
        local.map(local.remote_queue("nowhere", **at), scripted(local))


def test_a_function_that_takes_longer_than_messages_are_hidden_is_refused(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any]
) -> None:
    """In Lambda's words, by the queue's own attribute."""
    connect("sqs").create_queue(QueueName="hasty", Attributes={"VisibilityTimeout": "5"})

    with pytest.raises(
        InvokeError, match="Queue visibility timeout: 5 seconds is less than Function timeout: 30 seconds"
    ):
        local.map(local.remote_queue("hasty", **at), scripted(local, timeout=30))


@pytest.fixture
def closed_url() -> str:
    """Where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_an_endpoint_that_does_not_answer_is_told_when_mapped(
    local: LocalLambda, session: Any, closed_url: str
) -> None:
    """And what may be the reason."""
    queue = local.remote_queue("orders", endpoint_url=closed_url, session=session)

    with pytest.raises(SourceError, match=r"EndpointConnectionError: Could not connect .*Is it running"):
        local.map(queue, scripted(local))


def test_missing_credentials_are_told_when_mapped(
    local: LocalLambda, endpoint_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And how to give some."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    with pytest.raises(SourceError, match=r"NoCredentialsError: Unable to locate credentials\. .*session="):
        local.map(local.remote_queue("orders", endpoint_url=endpoint_url), scripted(local))


def test_credentials_are_not_logged(
    local: LocalLambda, connect: Callable[[str], Any], at: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where something goes wrong, and all is logged that we log."""
    sqs = connect("sqs")
    url = sqs.create_queue(QueueName="short-lived")["QueueUrl"]
    mapping = local.map(local.remote_queue(url, **at), scripted(local))
    with caplog.at_level(logging.DEBUG, "lambdakit"):
        sqs.delete_queue(QueueUrl=url)
        run_while(local, lambda: not caplog.records)
        mapping.disable()

    assert "can't be polled: AWS.SimpleQueueService.NonExistentQueue" in caplog.text
    assert "secret" not in caplog.text
