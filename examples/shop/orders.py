"""Orders from a queue: one call a message, and a bad one stays in the queue alone."""

from lambdakit import App, on_sqs
from shop.models import Order
from shop.stores import TheBooks


@on_sqs("shop-orders", batch_size=10)
def charge(order: Order, books: TheBooks) -> None:
    """Book an order. A message that is no Order, or that raises, is delivered again; the others are done."""
    if order.sku == "discontinued":
        raise LookupError(f"{order.sku} is not on sale")
    books.orders[order.id] = order
    print(f"charged {order.customer} {order.total} for {order.quantity} x {order.sku}")


handler = App(__name__)
