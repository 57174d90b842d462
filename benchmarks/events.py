"""Events as S3, SQS and HTTP APIs deliver them, and what a function has to see in them."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

START = datetime(2025, 3, 30, 9, 15, 27, 192000, tzinfo=UTC)
REGION = "eu-central-1"


def s3_event(records: int) -> dict[str, object]:
    """A notification of new objects, whose keys need URL-decoding.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return {"Records": [_s3_record(number) for number in range(records)]}


def s3_seen(records: int) -> list[object]:
    """What a function sees in ``s3_event(records)``: event name, time, bucket, key and size of each record."""
    return [("ObjectCreated:Put", _time(n), "uploads", _key(n), _size(n)) for n in range(records)]


def sqs_event(records: int) -> dict[str, object]:
    """A batch of messages with an order each.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """
    return {"Records": [_sqs_record(number, json.dumps(_order(number))) for number in range(records)]}


def sqs_seen(records: int) -> list[object]:
    """What a function sees in ``sqs_event(records)``: id and total of each order."""
    return [tuple(_order(number).values()) for number in range(records)]


def sqs_event_with_failures() -> dict[str, object]:
    """A batch of six messages; those of ``failed_messages()`` can't be done, the first and the last can."""
    refused = [json.dumps({"id": "refused", "total": -1.0}), "no JSON", "{}", '{"id": "a", "total": "much"}']
    bodies = [json.dumps(_order(0)), *refused, json.dumps(_order(5))]
    return {"Records": [_sqs_record(number, body) for number, body in enumerate(bodies)]}


def sqs_seen_with_failures() -> list[object]:
    """What a function sees in ``sqs_event_with_failures()`` of the orders that it can do."""
    return [tuple(_order(number).values()) for number in (0, 5)]


def http_event() -> dict[str, object]:
    """A request to an HTTP API, in payload format 2.0, with a path parameter and a body.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    route, path = "POST /orders/{order_id}", "/orders/42"
    body = json.dumps({"sku": "cup-0.3l-green", "quantity": 3, "price": 2.5})
    return {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate, br",
            "content-length": str(len(body)),
            "content-type": "application/json",
            "host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            "x-amzn-trace-id": f"Root=1-67e90b1f-{_digest(body)[:24]}",
            "x-forwarded-for": "203.0.113.7",
            "x-forwarded-port": "443",
            "x-forwarded-proto": "https",
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "a1b2c3d4e5",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
            },
            "requestId": "Iabcdefgh4ijklmn=",
            "routeKey": route,
            "stage": "$default",
            "time": "30/Mar/2025:09:15:27 +0000",
            "timeEpoch": 1743326127192,
        },
        "pathParameters": {"order_id": "42"},
        "body": body,
        "isBase64Encoded": False,
    }


def http_seen() -> list[object]:
    """What a function sees in ``http_event()``: the order's id and the order."""
    return [(42, "cup-0.3l-green", 3, 2.5)]


def http_answer() -> object:
    """The answer to ``http_event()``: status, media type and body."""
    return 201, "application/json", {"id": 42, "sku": "cup-0.3l-green", "total": 7.5}


def failed_messages() -> list[str]:
    """The message ids that the answer to ``sqs_event_with_failures()`` has to report."""
    return [_message_id(number) for number in range(1, 5)]


def _s3_record(number: int) -> dict[str, object]:
    key = _key(number)
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": _time(number).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "AWS:AROAEXAMPLE4WXYZ:uploader"},
        "requestParameters": {"sourceIPAddress": "203.0.113.7"},
        "responseElements": {"x-amz-request-id": f"{number:016X}", "x-amz-id-2": _digest(key) * 2},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "new-uploads",
            "bucket": {
                "name": "uploads",
                "ownerIdentity": {"principalId": "A3EXAMPLE7OWNER"},
                "arn": "arn:aws:s3:::uploads",
            },
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": _size(number),
                "eTag": _digest(key),
                "versionId": _digest(key)[::-1],
                "sequencer": f"{0x0067E90B1F2A0000 + number:018X}",
            },
        },
    }


def _sqs_record(number: int, body: str) -> dict[str, object]:
    sent = int((START + timedelta(milliseconds=number)).timestamp() * 1000)
    return {
        "messageId": _message_id(number),
        "receiptHandle": _digest(f"receipt {number}") * 6,
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": str(sent),
            "SenderId": "AROAEXAMPLE4WXYZ:shop",
            "ApproximateFirstReceiveTimestamp": str(sent + 5),
        },
        "messageAttributes": {},
        "md5OfBody": _digest(body),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:orders",
        "awsRegion": REGION,
    }


def _order(number: int) -> dict[str, object]:
    return {"id": f"order-{number:06}", "total": 10 + number / 4}


def _key(number: int) -> str:
    month = "März" if number % 10 == 9 else "March"  # most keys need little decoding
    return f"invoices/2025 {month}/{number:06}.csv"


def _size(number: int) -> int:
    return 1024 + number


def _time(number: int) -> datetime:
    return START + timedelta(milliseconds=number)


def _message_id(number: int) -> str:
    return f"{number:08x}-9f2c-4d57-8a1e-0242ac130003"


def _digest(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
