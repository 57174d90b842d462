"""HTTP with Powertools: its resolver of HTTP APIs, which validates by the annotations."""

from collections import deque
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from pydantic import BaseModel, Field

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    sku: str
    quantity: int = Field(gt=0)
    price: float


class Placed(BaseModel):
    id: int
    sku: str
    total: float


app = APIGatewayHttpResolver(enable_validation=True)


@app.post("/orders/<order_id>")
def place(order_id: int, order: Order) -> tuple[Placed, int]:
    seen.append((order_id, order.sku, order.quantity, order.price))
    return Placed(id=order_id, sku=order.sku, total=order.quantity * order.price), 201


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)
