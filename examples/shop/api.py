"""Orders over HTTP: the same routes behind a REST API, an HTTP API, a function URL or a load balancer."""

from typing import Annotated
from urllib.parse import quote

from lambdakit import App
from lambdakit.http import HTTPError, Query, Response, Routes
from shop.models import Order
from shop.stores import TheBooks

orders = Routes("/orders", tags="orders")


@orders.on_http("GET /")
def find(books: TheBooks, customer: str | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 10) -> list[Order]:
    """List the orders, those of one customer or all."""
    found = [order for order in books.orders.values() if customer in (None, order.customer)]
    return found[:limit]


@orders.on_http("GET /{order_id}", responses={404: "There is no such order."})
def read(order_id: str, books: TheBooks) -> Order:
    """Show an order."""
    if order_id not in books.orders:
        raise HTTPError(404, f"there is no order {order_id}")
    return books.orders[order_id]


@orders.on_http("POST /", status=201, responses={409: "There is an order with that id."})
def place(order: Order, books: TheBooks) -> Response[Order]:
    """Book an order. What is no Order never gets here: it is answered with 422 and what is wrong with it."""
    if order.id in books.orders:
        raise HTTPError(409, f"order {order.id} is booked already")
    books.orders[order.id] = order
    return Response(order, headers={"Location": f"/orders/{quote(order.id, safe='')}"})


handler = App(__name__)
