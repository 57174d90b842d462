"""HTTP with lambdakit."""

from collections import deque

from pydantic import BaseModel, Field

from lambdakit import App, on_http

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    sku: str
    quantity: int = Field(gt=0)
    price: float


class Placed(BaseModel):
    id: int
    sku: str
    total: float


@on_http("POST /orders/{order_id}", status=201)
def place(order_id: int, order: Order) -> Placed:
    seen.append((order_id, order.sku, order.quantity, order.price))
    return Placed(id=order_id, sku=order.sku, total=order.quantity * order.price)


handler = App(__name__)
