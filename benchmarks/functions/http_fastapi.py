"""HTTP with FastAPI, which Mangum hands the events."""

from collections import deque

from fastapi import FastAPI
from mangum import Mangum
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


app = FastAPI()


@app.post("/orders/{order_id}", status_code=201)
async def place(order_id: int, order: Order) -> Placed:
    seen.append((order_id, order.sku, order.quantity, order.price))
    return Placed(id=order_id, sku=order.sku, total=order.quantity * order.price)


handler = Mangum(app, lifespan="off")
