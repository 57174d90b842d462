"""The examples: what they print, and that each module of the shop is a function by itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambdakit import App
from lambdakit.testing import events
from shop import api, customers, orders, reports, shipping, uploads
from shop.models import Customer, Order
from shop.stores import read_object

EXAMPLES = Path(__file__).parents[1] / "examples"

ORDER = Order.model_validate({"id": "o-1", "customer": "ann", "sku": "cup", "quantity": 4, "price": "6.00"})


@pytest.fixture
def files() -> Iterator[None]:
    """The shop's uploads, without S3."""
    content = "id,customer,sku,quantity,price\no-1,ann,cup,4,6.00\n"
    with uploads.handler.override(read_object, with_=lambda: lambda bucket, key: content):
        yield


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("quickstart", ["quickstart.py"]),
        ("shop", ["-m", "shop"]),
        ("burst", ["burst.py"]),
        ("shop_day", ["-m", "shop.day"]),
    ],
)
def test_an_example_prints_what_stands_beside_it(name: str, arguments: list[str]) -> None:
    """Run in its folder, it prints the .out file."""
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=EXAMPLES, capture_output=True, encoding="utf-8", timeout=60, check=True
    )

    assert ran.stdout == (EXAMPLES / f"{name}.out").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "arguments"), [("burst", ["burst.py"]), ("shop_day", ["-m", "shop.day"])])
def test_the_picture_in_the_documentation_is_what_the_example_draws(
    name: str, arguments: list[str], tmp_path: Path
) -> None:
    """The same seed gives the same timeline, to the byte."""
    drawn = tmp_path / f"{name}.svg"

    command = [sys.executable, *arguments, str(drawn)]
    subprocess.run(command, cwd=EXAMPLES, capture_output=True, timeout=60, check=True)

    assert drawn.read_bytes() == (EXAMPLES.parent / "docs" / "images" / f"{name}.svg").read_bytes()


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("app", "event", "reply"),
    [
        (orders.handler, events.sqs("shop-orders", ORDER), {"batchItemFailures": []}),
        (uploads.handler, events.s3("shop-uploads", "orders/march list.csv"), 1),
        (customers.handler, events.dynamodb("customers", new=Customer(id="1", name="Ann")), {"batchItemFailures": []}),
        (shipping.handler, {"sku": "cup", "quantity": 4}, {"sku": "cup", "price": 24}),
        (reports.handler, events.schedule("close_of_business"), "2026-01-01: 0 orders, turnover 0"),
        (
            api.handler,
            events.http("GET /orders?customer=ann"),
            {
                "statusCode": 200,
                "headers": {"content-type": "application/json"},
                "body": "[]",
                "isBase64Encoded": False,
            },
        ),
    ],
    ids=["orders", "uploads", "customers", "shipping", "reports", "api"],
)
def test_a_module_of_the_shop_is_a_function_by_itself(app: App, event: Any, reply: object) -> None:
    """Its own App handles its events, whatever the other modules do."""
    with closing(app):
        assert app(event) == reply
