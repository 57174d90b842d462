"""What Lambda tells others of an asynchronous invocation: records for destinations, messages for dead-letter queues.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdakit.local.outcome import Failure, Outcome

if TYPE_CHECKING:
    from lambdakit.local.asynchronous import Condition
    from lambdakit.local.event_queue import Event


@dataclass(frozen=True)
class DeadLetter:
    """An event that was given up, as it lies in a dead-letter queue.

    Attributes:
        body: The event.
        request_id: The attribute ``RequestID``.
        error_code: The attribute ``ErrorCode``: 200, as for every function error.
        error_message: The attribute ``ErrorMessage``, at most 1 KB.
        error: The type of the error, which Lambda does not write into the message.
    """

    body: Any
    request_id: str
    error_message: str
    error: str
    error_code: int = 200


def dead_letter(event: Any, request_id: str, outcome: Outcome | None) -> DeadLetter:
    """The message for an event whose last attempt ended so."""
    failure = outcome if isinstance(outcome, Failure) else None
    message = (failure.error_message if failure else "").encode()[:1024].decode(errors="ignore")
    return DeadLetter(event, request_id, message, failure.error_type if failure else "")


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
