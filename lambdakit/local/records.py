"""What Lambda tells others of an asynchronous invocation: records for destinations, messages for dead-letter queues.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdakit.local.outcome import Failure

if TYPE_CHECKING:
    from lambdakit.local.asynchronous import Condition
    from lambdakit.local.event_queue import Event


def dead_letter_attributes(event: Event) -> tuple[dict[str, Any], str | None]:
    """The attributes of the message for an event that was given up; and the type of its error, which Lambda keeps."""
    failure = event.outcome if isinstance(event.outcome, Failure) else None
    message = (failure.error_message if failure else "").encode()[:1024].decode(errors="ignore")
    attributes: dict[str, Any] = {"RequestID": event.request_id, "ErrorCode": 200}
    if message:  # there is no attribute without a value
        attributes["ErrorMessage"] = message
    return attributes, failure.error_type if failure else None


def destination_record(event: Event, condition: Condition, when: datetime) -> dict[str, Any]:
    """The record for an on-success or on-failure destination; without a response where nothing was tried."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{event.function.arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.body),
    }
    if event.outcome is not None:
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if isinstance(event.outcome, Failure):
            response["functionError"] = "Unhandled"
        record |= {"responseContext": response, "responsePayload": json.loads(event.outcome.payload)}
    return record
