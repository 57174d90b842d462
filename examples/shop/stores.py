"""What the shop keeps and reaches, as dependencies: AWS in Lambda, plain dicts in a test."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated

from lambdakit import Depends
from shop.models import Customer, Order


class Books:
    """The shop's books, kept as long as the execution environment lives."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}
        self.customers: dict[str, Customer] = {}
        self.shipped: dict[str, str] = {}

    @property
    def turnover(self) -> Decimal:
        """What all orders cost together."""
        return sum((order.total for order in self.orders.values()), Decimal(0))


def books() -> Iterator[Books]:
    """Open the books when the first handler asks for them."""
    opened = Books()
    yield opened
    print(f"books closed: {len(opened.orders)} orders, turnover {opened.turnover}")


def read_object() -> Callable[[str, str], str]:
    """How to read the text of an object: from S3, with a client that is made once an environment."""
    import boto3  # type: ignore[import-untyped]  # loaded only by a function that reads objects

    client = boto3.client("s3")
    return lambda bucket, key: client.get_object(Bucket=bucket, Key=key)["Body"].read().decode()


TheBooks = Annotated[Books, Depends(books, scope="environment")]
ReadObject = Annotated[Callable[[str, str], str], Depends(read_object, scope="environment")]
