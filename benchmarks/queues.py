"""A million messages through the mapping of a queue, on virtual time: what queue and mapping themselves cost.

The function is a stand-in that reads each event and answers at once; its own time is not counted. One message in a
hundred fails each time and ends in the dead-letter queue.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from pydantic_core import from_json

from benchmarks.measure import Figure
from benchmarks.works import WrongAnswer
from lambdakit.local.invocation import Invocation
from lambdakit.local.mappings.queues import QueueMapping
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.outcome import Reply
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.source import Place
from lambdakit.local.virtual.clock import VirtualClock

MESSAGES = 1_000_000
FAILING = 100
SAMPLES = 20
ROOT = Path(__file__).parents[1]
MEBIBYTE = 1024 * 1024 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in KiB elsewhere


class StandIn:
    """A function that reports each hundredth message as failed.

    Attributes:
        marks: The CPU time of all but itself, in nanoseconds, each so many batches.
    """

    name, arn, timeout = "charge", "arn:aws:lambda:us-east-1:123456789012:function:charge", 3.0

    def __init__(self, clock: VirtualClock, every: int) -> None:
        self.clock = clock
        self.every = every
        self.batches = 0
        self.own_time = 0
        self.marks: list[int] = []

    def call(self, body: bytes, over: Callable[[Invocation], None]) -> None:
        start = time.process_time_ns()
        if self.batches % self.every == 0:
            self.marks.append(start - self.own_time)
        self.batches += 1
        invocation = Invocation("request", self.name, "RequestResponse", body, self.clock.now)
        invocation.outcome = Reply(json.dumps({"batchItemFailures": self.failures(body)}).encode())
        self.own_time += time.process_time_ns() - start
        self.clock.at(self.clock.now, lambda: over(invocation))

    def failures(self, body: bytes) -> list[dict[str, str]]:
        records = from_json(body)["Records"]
        return [{"itemIdentifier": record["messageId"]} for record in records if from_json(record["body"])["bad"]]


def measure() -> list[Figure]:
    """Batches a second, in parts of the million messages, and the memory that they take while they wait.

    Raises:
        WrongAnswer: messages are lost, or in the wrong place.
    """
    command = [sys.executable, "-m", "benchmarks.queues", str(MESSAGES), str(SAMPLES)]
    outcome = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    told = json.loads(outcome.stdout)
    if told["deleted"] != MESSAGES - MESSAGES // FAILING or told["letters"] != MESSAGES // FAILING:
        raise WrongAnswer(f"of {MESSAGES:,} messages {told['deleted']:,} were processed, {told['letters']:,} given up")
    return [
        Figure("SQS mapping, batches of 10 messages", "/s", 10_000, at_least=True, samples=told["rates"]),
        Figure("SQS queue, 1,000,000 waiting messages, peak memory", "MiB", 572, samples=[told["peak"]]),
    ]


def main() -> None:
    """Sends and processes so many messages, and prints what it took as JSON."""
    messages, parts = map(int, sys.argv[1:])
    clock = VirtualClock()
    place = Place(clock)
    letters = Queue("letters", place)
    queue = Queue("orders", place, dead_letter_queue=letters, max_receive_count=3)
    for number in range(messages):
        queue.send({"id": str(number), "total": 19.5, "bad": number % FAILING == 0})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEBIBYTE
    every = messages // 10 // (parts + 1)
    function = StandIn(clock, every)
    QueueMapping(clock, queue, function, QueueSettings(function_response_types="ReportBatchItemFailures"))
    clock.run()
    rates = [every / (after - before) * 1e9 for before, after in pairwise(function.marks[: parts + 1])]
    print(json.dumps({"rates": rates, "peak": peak, "deleted": queue.counts.deleted, "letters": len(letters)}))


if __name__ == "__main__":
    main()
