"""A day in the shop: `python -m shop`, in examples/."""

import json
from decimal import Decimal

from lambdakit.testing import events
from shop.app import handler
from shop.models import Order
from shop.stores import read_object

FILES = {
    "orders/march list.csv": "id,customer,sku,quantity,price\no-4,ann,cup,6,6.00\no-5,cem,teapot,1,24.50\n",
}


def tell(happening: str, event: object) -> None:
    """Hand an event to the function, and show its reply as Lambda would write it."""
    print(f"-- {happening}")
    print(json.dumps(handler(event), default=float))


with handler.override(read_object, with_=lambda: lambda bucket, key: FILES[key]):
    tea = Order(id="o-1", customer="ann", sku="teapot", quantity=1, price=Decimal("24.50"))
    poison = {"id": "o-2", "customer": "bob", "quantity": -1}
    gone = tea.model_copy(update={"id": "o-3", "sku": "discontinued"})
    tell("three messages: a good one, a poison one, one that raises", events.sqs("shop-orders", tea, poison, gone))
    tell("an upload", events.s3("shop-uploads", "orders/march list.csv"))
    tell("a removal", events.s3("shop-uploads", "orders/old.csv", event_name="ObjectRemoved:Delete"))
    tell("a new customer", events.dynamodb("customers", new={"id": "ann", "name": "Ann", "city": "Ulm"}))
    tell("a shipment", events.eventbridge("warehouse", "Order shipped", {"order": "o-1", "carrier": "DHL"}))
    tell("a question", {"sku": "cup", "quantity": 4})
    cups = tea.model_copy(update={"id": "o-6", "customer": "dan", "sku": "cup"})
    tell("an order by an HTTP API", events.http("POST /orders", body=cups))
    tell("the same once more, by a load balancer", events.http("POST /orders", body=cups, api="alb"))
    tell("a question with a mistake, by a REST API", events.http("GET /orders?limit=0", api="apigw_v1"))
    tell("the evening", events.schedule("close_of_business"))
    handler.close()
