"""What the on-failure destination of a stream's mapping is told of a batch that was given up.

Source: https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from lambdakit.local.outcome import Failure
from lambdakit.testing.events.values import iso_milliseconds

if TYPE_CHECKING:
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.mappings.shard_reader import Condition


def failure_record(
    batch_info: dict[str, Any],
    *,
    condition: Condition,
    function_arn: str,
    request_id: str,
    invokes: int,
    last: Invocation | None,
    when: datetime,
) -> dict[str, Any]:
    """The record of a batch.

    Args:
        batch_info: What the source says of the batch, under its key.
        condition: Why it was given up.
        function_arn: The function's ARN, unqualified.
        request_id: Of the last invocation.
        invokes: How many there were; a batch that never came to the function counts one.
        last: The last invocation. How it ended is told only where retries are exhausted, and as an error only where the
            function raised one: not where it listed records that failed.
        when: The time.
    """
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": request_id,
            "functionArn": function_arn,
            "condition": condition,
            "approximateInvokeCount": max(1, invokes),
        }
    }
    if condition == "RetryAttemptsExhausted":
        raised = last is not None and isinstance(last.outcome, Failure)
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled" if raised else None,
        }
    elif condition == "MaximumPayloadSizeExceeded":
        record["responseContext"] = None
    return record | {"version": "1.0", "timestamp": iso_milliseconds(when), **batch_info}
