"""Price lists and bulk orders, uploaded as CSV."""

import csv

from lambdakit import App, on_s3
from lambdakit.events import S3Record
from shop.models import Order
from shop.stores import ReadObject, TheBooks


@on_s3("shop-uploads", prefix="orders/", suffix=".csv")
def import_orders(upload: S3Record, read: ReadObject, books: TheBooks) -> int:
    """Book each row of an uploaded file; the reply says how many."""
    rows = csv.DictReader(read(upload.bucket, upload.key).splitlines())
    orders = [Order.model_validate(row) for row in rows]
    books.orders.update({order.id: order for order in orders})
    print(f"imported {len(orders)} orders from {upload.key}")
    return len(orders)


@on_s3("shop-uploads", events=("ObjectRemoved:*", "LifecycleExpiration:*"))
def note_removal(upload: S3Record) -> None:
    """A removed object has a key, but no size."""
    print(f"{upload.key} was removed")


handler = App(__name__)
