"""A projection of the customers' table, kept by its stream."""

from lambdakit import App, on_dynamodb
from lambdakit.events import DynamoDbRecord
from shop.models import Customer
from shop.stores import TheBooks


@on_dynamodb("customers", maximum_retry_attempts=3, bisect_batch_on_function_error=True)
def project(change: DynamoDbRecord[Customer], books: TheBooks) -> None:
    """Follow each change, in order; the first that fails is delivered again, with those after it."""
    key = str(change.keys["id"])
    if change.new_image is None:
        books.customers.pop(key, None)
    else:
        books.customers[key] = change.new_image
    print(f"{change.event_name} of customer {key}: {len(books.customers)} known")


handler = App(__name__)
