"""SQS with lambdakit."""

from collections import deque

from pydantic import BaseModel

from lambdakit import App, on_sqs

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    id: str
    total: float


@on_sqs("orders")
def charge(order: Order) -> None:
    if order.total < 0:
        raise ValueError("an order can't cost less than nothing")
    seen.append((order.id, order.total))


handler = App(__name__)
