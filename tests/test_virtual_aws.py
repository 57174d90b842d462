"""Handlers that call AWS through boto3, answered by moto, on virtual time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from lambdakit.local import LocalLambda

boto3: Any = pytest.importorskip("boto3", reason="boto3 is not installed")  # which has no types

TABLE = {
    "TableName": "counters",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


@pytest.fixture
def table() -> Iterator[Any]:
    """A table in moto, with one counter at 0."""
    with mock_aws():
        counters = boto3.resource("dynamodb", region_name="us-east-1").create_table(**TABLE)
        counters.put_item(Item={"id": "a", "value": 0})
        yield counters


def count(event: object, context: object) -> int:
    """Read, add, write: two at once lose one of the two."""
    counters = boto3.resource("dynamodb").Table("counters")
    value = int(counters.get_item(Key={"id": "a"})["Item"]["value"])
    counters.put_item(Item={"id": "a", "value": value + 1})
    return value


def test_each_call_of_aws_takes_its_latency(table: Any) -> None:
    """Virtual seconds: two calls of 0.2 s."""
    fn = LocalLambda(aws_latency=0.2).deploy(count, name="count")

    assert fn.invoke().duration == 0.4


def test_invocations_interleave_at_their_calls_of_aws(table: Any) -> None:
    """Three read before the first of them writes, so two updates are lost; on the same seed always."""
    fn = LocalLambda(aws_latency=0.2).deploy(count, name="count")

    replies = [invocation.payload for invocation in fn.invoke_many([1, 2, 3])]

    assert (replies, int(table.get_item(Key={"id": "a"})["Item"]["value"])) == ([0, 0, 0], 1)


def test_a_latency_may_depend_on_the_service_and_the_operation(table: Any) -> None:
    """A function asks by name for ``service``, ``operation`` and ``random``."""
    seen: list[tuple[str, str]] = []

    def latency(service: str, operation: str) -> float:
        seen.append((service, operation))
        return 1 if operation == "PutItem" else 0

    duration = LocalLambda(aws_latency=latency).deploy(count, name="count").invoke().duration

    assert (duration, seen) == (1, [("dynamodb", "GetItem"), ("dynamodb", "PutItem")])


def test_aws_sees_the_virtual_time_too() -> None:
    """What moto dates, it dates by the clock of the handler."""

    def put(event: object, context: object) -> None:
        boto3.client("s3").put_object(Bucket="uploads", Key="a", Body=b"")

    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="uploads")
        LocalLambda(aws_latency=90).deploy(put, name="put", timeout=100).invoke()
        modified = client.head_object(Bucket="uploads", Key="a")["LastModified"]

    assert modified == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)


def test_a_call_that_takes_too_long_ends_in_a_timeout(table: Any) -> None:
    """And what it would have written is not written."""
    invocation = LocalLambda(aws_latency=2).deploy(count, name="count", timeout=3).invoke()

    assert invocation.error is not None
    assert (invocation.error.type, int(table.get_item(Key={"id": "a"})["Item"]["value"])) == ("Sandbox.Timedout", 0)


def test_outside_of_handlers_calls_are_as_they_were(table: Any) -> None:
    """In the test itself no time passes, during a run or after it."""
    local = LocalLambda(aws_latency=1)
    local.at(5, lambda: table.put_item(Item={"id": "b", "value": 7}))

    local.run()

    assert (local.now, int(table.get_item(Key={"id": "b"})["Item"]["value"])) == (5, 7)


def test_boto3_may_be_imported_by_the_handler_only(tmp_path: Path) -> None:
    """Its first import, in the middle of a run, is caught as well."""
    program = tmp_path / "program.py"
    program.write_text(
        "from lambdakit.local import LocalLambda\n"
        "def handler(event, context):\n"
        "    import boto3\n"
        "    from moto import mock_aws\n"
        "    with mock_aws():\n"
        "        boto3.client('sqs').create_queue(QueueName='a')\n"
        "print(LocalLambda(aws_latency=2).deploy(handler).invoke().duration)\n",
        encoding="utf-8",
    )

    process = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)

    assert process.stdout == "2.0\n"
