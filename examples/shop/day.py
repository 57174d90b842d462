"""A day of the shop on the local Lambda: `python -m shop.day`, in examples/.

`python -m shop.day day.html` writes its timeline as a page, `python -m shop.day day.svg` as a picture.
"""

import sys
from collections import Counter
from functools import partial
from random import Random

from lambdakit.local import Lifetimes, LocalLambda
from shop import customers, orders, reports, shipping, uploads
from shop.stores import read_object

HOUR = 3_600
OPENING = 8 * HOUR
SALE = 20 * HOUR
"""When a hundred orders come in twenty seconds."""


def day(seed: int = 1) -> LocalLambda:
    """From midnight to midnight: what is uploaded, ordered, changed and shipped, and what becomes of it."""
    local = LocalLambda(seed=seed, lifetimes=Lifetimes(idle=3 * HOUR, total=8 * HOUR))
    dead = local.queue("dead-orders")
    queue = local.queue("shop-orders", visibility_timeout=180, dead_letter_queue=dead, max_receive_count=3)
    local.deploy(orders.handler, reserved_concurrency=3, timeout=30, duration=lambda random: random.uniform(1, 4))
    local.deploy(uploads.handler, init_duration=0.8, duration=lambda random: random.uniform(2, 8), timeout=30)
    local.deploy(customers.handler, duration=0.4)
    local.deploy(shipping.handler, duration=0.2)
    local.deploy(reports.handler, duration=20, timeout=60)
    bucket, table, bus = local.bucket("shop-uploads"), local.table("customers"), local.bus()
    uploads.handler.override(read_object, with_=lambda: lambda name, key: local.bucket(name).get(key).body.decode())

    chance = Random(seed)  # noqa: S311 - a day that can be repeated
    for number in range(300):
        order = {"id": f"o-{number}", "customer": "ann", "sku": "cup", "quantity": 1 + number % 3, "price": "6.00"}
        if number in (50, 120):
            order["quantity"] = -1  # poison: no order at all
        if number == 199:
            order["sku"] = "discontinued"  # raises, each time
        when = OPENING + 12 * HOUR * chance.random() if number < 200 else SALE + chance.uniform(0, 20)
        local.at(when, partial(queue.send, order))
    for number in range(24):
        rows = "\n".join(f"b-{number}-{row},bob,teapot,1,24.50" for row in range(50))
        text = f"id,customer,sku,quantity,price\n{rows}\n"
        when = OPENING + 40 * (number % 12) / 12 + 6 * HOUR * (number // 12)
        local.at(when, partial(bucket.put, f"orders/list {number}.csv", text))
    for number in range(40):
        customer = {"id": str(number % 25), "name": f"Customer {number}", "city": "Ulm"}
        local.at(chance.uniform(7, 21) * HOUR, partial(table.put, customer))
    for number in range(30):
        parcel = {"order": f"o-{number}", "carrier": "DHL"}
        local.at((13 + number / 10) * HOUR, partial(bus.put, "warehouse", "Order shipped", parcel))

    local.run(until=24 * HOUR)
    return local


if __name__ == "__main__":
    local = day()
    print(local.timeline().summary)
    for name, fn in local.functions.items():
        ended = Counter("failed" if invocation in fn.errors else "ok" for invocation in fn.invocations)
        print(f"{name}: {dict(ended)}, {fn.cold_starts} cold starts, at most {fn.max_concurrency} at once")
    for mapping in local.mappings:
        print(f"{mapping.source.name}: {mapping.counts.processed} records processed")
    for letter in local.queue("dead-orders"):
        print(f"given up after {letter.receive_count} tries: {letter.body}")
    for path in sys.argv[1:]:
        write = local.timeline().to_svg if path.endswith(".svg") else local.timeline().to_html
        print(f"timeline: {write(path)}")
