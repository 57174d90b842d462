"""What the shop talks about."""

from decimal import Decimal

from pydantic import BaseModel, Field


class Order(BaseModel):
    """What a customer wants."""

    id: str = Field(min_length=1)
    customer: str
    sku: str
    quantity: int = Field(gt=0)
    price: Decimal = Field(ge=0)

    @property
    def total(self) -> Decimal:
        """What it costs in all."""
        return self.quantity * self.price


class Customer(BaseModel):
    """A row of the customers' table."""

    id: str
    name: str
    city: str | None = None


class Shipment(BaseModel):
    """The detail of the event that the warehouse sends."""

    order: str
    carrier: str


class Quote(BaseModel):
    """A question about a price, asked by invoking the function."""

    sku: str
    quantity: int = Field(default=1, gt=0)
