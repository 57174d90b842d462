"""HTTP by hand: one route of an HTTP API, its path parameter and its body validated, its response a model."""

from collections import deque
from typing import Any

from pydantic import BaseModel, Field, ValidationError

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    sku: str
    quantity: int = Field(gt=0)
    price: float


class Placed(BaseModel):
    id: int
    sku: str
    total: float


def place(order_id: int, order: Order) -> Placed:
    seen.append((order_id, order.sku, order.quantity, order.price))
    return Placed(id=order_id, sku=order.sku, total=order.quantity * order.price)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    if event["routeKey"] != "POST /orders/{order_id}":
        return _answer(404, "application/problem+json", '{"title":"Not Found","status":404}')
    try:
        order_id = int(event["pathParameters"]["order_id"])
        order = Order.model_validate_json(event["body"])
    except ValidationError as error:
        return _answer(422, "application/json", error.json(include_url=False, include_input=False))
    except ValueError:
        return _answer(422, "application/problem+json", '{"title":"Unprocessable Content","status":422}')
    return _answer(201, "application/json", place(order_id, order).model_dump_json())


def _answer(status: int, content_type: str, body: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"content-type": content_type}, "body": body, "isBase64Encoded": False}
