"""Batches that a service hands over while it works: of Firehose, Kinesis Analytics, CloudWatch Logs and S3 Batch.

Source: https://docs.aws.amazon.com/firehose/latest/dev/data-transformation.html,
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from gzip import compress
from typing import Any
from urllib.parse import quote_plus

from lambdakit.testing.events.payload_examples import PAYLOAD
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    arn,
    base64_of,
    bytes_of,
    digits,
    hexadecimal,
    milliseconds,
    repeated,
    text_of,
    uuid,
)


def firehose(
    stream: str = "clicks",
    *data: Any,
    source_stream: str | None = None,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """Records that a Firehose stream wants to have transformed.

    Args:
        stream: The name of the Firehose stream.
        *data: The records' data: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        source_stream: The Kinesis stream that they come from, if they do.
        records: How many records; the data take turns.
        time: When the first one arrived.
        region: The stream's region.
        account: The stream's account.

    >>> firehose("clicks", "hello")["records"][0]["data"]
    'aGVsbG8='
    """
    contents = repeated(data or (PAYLOAD,), records)
    arrived = milliseconds(time)
    source = arn("kinesis", source_stream, region, account, "stream/") if source_stream else None
    return {
        "invocationId": uuid("invocation", stream, contents),
        "deliveryStreamArn": arn("firehose", stream, region, account, "deliverystream/"),
        **({"sourceKinesisStreamArn": source} if source else {}),
        "region": region,
        "records": [
            {
                "recordId": _sequence_number(stream, arrived, position) + "000000",
                "approximateArrivalTimestamp": arrived + position,
                "data": base64_of(content),
                **({"kinesisRecordMetadata": _metadata(stream, arrived, position)} if source else {}),
            }
            for position, content in enumerate(contents)
        ],
    }


def _sequence_number(stream: str, arrived: int, position: int) -> str:
    return f"49{arrived:013d}{digits(31, stream)}{position:010d}"


def _metadata(stream: str, arrived: int, position: int) -> Event:
    return {
        "sequenceNumber": _sequence_number(stream, arrived, position),
        "subsequenceNumber": 0,
        "partitionKey": uuid("partition", stream, position),
        "shardId": "shardId-000000000000",
        "approximateArrivalTimestamp": arrived + position,
    }


def kinesis_analytics_preprocess(
    application: str = "clicks",
    *data: Any,
    stream: str = "clicks",
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """Records that a SQL application of Kinesis Analytics wants to have transformed before it reads them.

    Args:
        application: The name of the application.
        *data: The records' data: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        stream: The Kinesis stream that they come from.
        records: How many records; the data take turns.
        time: When the first one arrived.
        region: The application's region.
        account: The application's account.

    >>> kinesis_analytics_preprocess("clicks", "hello")["records"][0]["data"]
    'aGVsbG8='
    """
    arrived = milliseconds(time)
    event = kinesis_analytics_output(application, *data, records=records, region=region, account=account)
    for position, record in enumerate(event["records"]):
        metadata = _metadata(stream, arrived, position)
        del metadata["subsequenceNumber"]
        record.update(recordId=metadata["sequenceNumber"], kinesisStreamRecordMetadata=metadata)
    return {**event, "streamArn": arn("kinesis", stream, region, account, "stream/")}


def kinesis_analytics_output(
    application: str = "clicks",
    *data: Any,
    records: int | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """Results of a SQL application of Kinesis Analytics, which the function puts where they belong.

    Args:
        application: The name of the application.
        *data: The results: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        records: How many results; the data take turns.
        region: The application's region.
        account: The application's account.

    >>> kinesis_analytics_output("clicks", "hello")["records"][0]["data"]
    'aGVsbG8='
    """
    contents = repeated(data or (PAYLOAD,), records)
    return {
        "invocationId": uuid("invocation", application, contents),
        "applicationArn": arn("kinesisanalytics", application, region, account, "application/"),
        "records": [
            {
                "recordId": uuid("record", application, content, position),
                "lambdaDeliveryRecordMetadata": {"retryHint": 0},
                "data": base64_of(content),
            }
            for position, content in enumerate(contents)
        ],
    }


def cloudwatch_logs(
    log_group: str = "/aws/lambda/shop",
    *messages: Any,
    log_stream: str = "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef",
    filter_name: str = "errors",
    records: int | None = None,
    time: datetime = TIME,
    account: str = ACCOUNT,
) -> Event:
    """Log events that a subscription filter lets through, compressed as CloudWatch Logs sends them.

    Args:
        log_group: The log group.
        *messages: The messages: text as it is, anything else (a dict, ...) as JSON.
        log_stream: The log stream.
        filter_name: The name of the subscription filter.
        records: How many log events; the messages take turns.
        time: When the first one was written.
        account: The account of the log group.

    >>> list(cloudwatch_logs("/aws/lambda/shop", "hello")["awslogs"])
    ['data']
    """
    written = milliseconds(time)
    contents = repeated(messages or ("[ERROR] The card was declined",), records)
    data = {
        "messageType": "DATA_MESSAGE",
        "owner": account,
        "logGroup": log_group,
        "logStream": log_stream,
        "subscriptionFilters": [filter_name],
        "logEvents": [
            {
                "id": f"{written + position:013d}{digits(43, log_group, content, position)}",
                "timestamp": written + position,
                "message": text_of(content),
            }
            for position, content in enumerate(contents)
        ],
    }
    return {"awslogs": {"data": b64encode(compress(bytes_of(data), mtime=0)).decode()}}


def s3_batch(
    bucket: str = "uploads",
    *keys: str,
    version_id: str | None = None,
    arguments: Mapping[str, str] | None = None,
    records: int | None = None,
    account: str = ACCOUNT,
) -> Event:
    """Tasks of an S3 Batch Operations job.

    Args:
        bucket: The bucket's name.
        *keys: The objects' keys as they were put; the event has them encoded.
        version_id: The version of each object, in a bucket with versions.
        arguments: The job's user arguments, which come with version 2.0 of the schema.
        records: How many tasks; the keys take turns.
        account: The job's account.

    >>> s3_batch("uploads", "my photo.jpg")["tasks"][0]["s3Key"]
    'my+photo.jpg'
    """
    return {
        "invocationSchemaVersion": "2.0" if arguments else "1.0",
        "invocationId": base64_of(hexadecimal(40, "invocation", bucket, keys)),
        "job": {"id": uuid("job", bucket, account), **({"userArguments": dict(arguments)} if arguments else {})},
        "tasks": [
            {
                "taskId": base64_of(hexadecimal(24, "task", bucket, key, position)),
                "s3Key": quote_plus(key, safe="/"),
                "s3VersionId": version_id,
                **({"s3Bucket": bucket} if arguments else {"s3BucketArn": f"arn:aws:s3:::{bucket}"}),
            }
            for position, key in enumerate(repeated(keys or ("inbox/file-1.csv",), records))
        ],
    }
