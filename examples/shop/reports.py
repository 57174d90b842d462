"""The evening's report."""

from lambdakit import App, on_schedule
from lambdakit.events import ScheduledEvent
from shop.stores import TheBooks


@on_schedule("cron(0 18 ? * MON-SAT *)", timezone="Europe/Berlin")
async def close_of_business(event: ScheduledEvent, books: TheBooks) -> str:
    """Sum up the day; the environment's books are those that the other handlers wrote."""
    report = f"{event.time:%Y-%m-%d}: {len(books.orders)} orders, turnover {books.turnover}"
    print(report)
    return report


handler = App(__name__)
