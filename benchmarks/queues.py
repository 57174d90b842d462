"""A million messages through the mapping of a queue on virtual time, to a typed handler that fails on some of them.

Each sample is a process of its own, so that its peak memory is its own too.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.virtual import peak_memory, sample, serve
from benchmarks.works import WrongAnswer

if TYPE_CHECKING:
    from lambdakit.local import Function, LocalLambda

MESSAGES = 1_000_000
BATCH = 10
ONE_IN = 100
"""So many messages have one among them that fails whenever it is delivered."""
RECEIVES = 3


def measure() -> list[Figure]:
    """Seconds of real time, and peak memory."""
    seconds, peak = sample("benchmarks.queues", MESSAGES)
    return [
        Figure("SQS, 1,000,000 messages in batches of 10", "s", 60, samples=[seconds]),
        Figure("SQS, 1,000,000 messages, peak memory", "MiB", 1_024, samples=[peak]),
    ]


def run(messages: int) -> tuple[float, float]:
    """Seconds of real time that so many messages took from the first that is sent, and the peak memory in MiB."""
    local, fn = _service()
    start = time.perf_counter()
    queue = local.queue("orders")
    for number in range(messages):
        queue.send(f'{{"id": {number}, "total": 9.5}}')
    local.run()
    seconds = time.perf_counter() - start
    letters, failed = local.queue("failed"), messages // ONE_IN
    if len(letters) != failed or len(queue) or local.mappings[0].counts.processed != messages - failed:
        raise WrongAnswer(f"{len(letters)} letters, {len(queue)} messages left, {local.mappings[0].counts}")
    if fn.errors or {letter.receive_count for letter in letters} != {RECEIVES}:
        raise WrongAnswer("the batches did not fail in part, three times each")
    return seconds, peak_memory()


def _service() -> tuple[LocalLambda, Function]:
    from pydantic import BaseModel

    from lambdakit import App, on_sqs
    from lambdakit.local import LocalLambda

    class Order(BaseModel):
        id: int
        total: float

    def charge(order: Order) -> None:
        if order.id % ONE_IN == 0:
            raise ValueError("no such customer")

    charge.__annotations__["order"] = Order
    local = LocalLambda()
    local.queue("orders", dead_letter_queue=local.queue("failed"), max_receive_count=RECEIVES)
    app = App(on_sqs("orders", batch_size=BATCH)(charge), name="charge")
    return local, local.deploy(app, duration=0.05)


if __name__ == "__main__":
    serve(run, sys.argv)
