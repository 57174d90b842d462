"""SQS by hand: each body validated as an order, straight from its JSON, and the failures reported.

The envelope stays a dict: a model of it, with ``body: Json[Order]``, would be slower and give the handler nothing more.
"""

from collections import deque
from typing import Any

from pydantic import BaseModel

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    id: str
    total: float


def charge(order: Order) -> None:
    if order.total < 0:
        raise ValueError("an order can't cost less than nothing")
    seen.append((order.id, order.total))


def handler(event: dict[str, Any], context: object) -> dict[str, list[dict[str, str]]]:
    failures = []
    for record in event["Records"]:
        try:
            charge(Order.model_validate_json(record["body"]))
        except Exception as error:
            print(f"message {record['messageId']} failed: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
