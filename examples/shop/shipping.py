"""What the warehouse tells, and what others ask."""

from decimal import Decimal

from lambdakit import App, on_eventbridge, on_invoke
from shop.models import Quote, Shipment
from shop.stores import TheBooks

PRICES = {"teapot": Decimal("24.50"), "cup": Decimal(6)}


@on_eventbridge({"source": ["warehouse"], "detail-type": ["Order shipped"]})
def note_shipment(shipment: Shipment, books: TheBooks) -> None:
    """Remember who carries an order."""
    books.shipped[shipment.order] = shipment.carrier
    print(f"order {shipment.order} went out with {shipment.carrier}")


@on_invoke
def quote(question: Quote) -> dict[str, object]:
    """Tell a price. What is raised here is the caller's error, as Lambda reports it."""
    if question.sku not in PRICES:
        raise LookupError(f"{question.sku} is not on sale")
    return {"sku": question.sku, "price": question.quantity * PRICES[question.sku]}


handler = App(__name__)
