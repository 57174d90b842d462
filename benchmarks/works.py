"""What is measured, who does it, and what lambdakit is allowed to cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks import events

Contender = Literal["pydantic", "lambdakit", "powertools"]
Source = Literal["s3", "sqs"]

CONTENDERS: tuple[Contender, ...] = ("pydantic", "lambdakit", "powertools")
SOURCES: tuple[Source, ...] = ("s3", "sqs")

COLD_TARGET = 1.05
MEMORY_TARGET = 2 * 1024 * 1024
WARM_TARGETS: dict[tuple[Source, int], float] = {
    ("s3", 1): 2.0,
    ("s3", 1000): 1.3,
    ("sqs", 1): 3.0,
    ("sqs", 10): 1.3,
    ("sqs", 1000): 1.3,
}
PROCESS_TARGETS = {1: 5.0, 8: 3.0}  # times ministack's invocations a second, by the number of callers


class WrongAnswer(Exception):
    """A function doesn't do the work, so its time means nothing."""


def module(source: Source, contender: Contender) -> str:
    """The module whose ``handler`` does the work."""
    return f"benchmarks.functions.{source}_{contender}"


def turns(number: int) -> tuple[Contender, ...]:
    """The contenders in the order of the round ``number``: each is as often first as it is last."""
    first = number % len(CONTENDERS)
    return CONTENDERS[first:] + CONTENDERS[:first]


@dataclass(frozen=True)
class Work:
    """An event, how to answer it, and what a function has seen then."""

    event: object
    reply: object
    seen: list[object]

    def check(self, function: str, reply: object, seen: list[object]) -> None:
        """Looks whether a function did the work, if need be more than once.

        Raises:
            WrongAnswer: it didn't.
        """
        if (reply, seen[-len(self.seen) :]) != (self.reply, self.seen):
            raise WrongAnswer(f"{function} answered {reply!r:.500} having seen {seen!r:.500}")


def work(source: Source, records: int) -> Work:
    """An event of that many records, none of which is bad."""
    if source == "s3":
        return Work(events.s3_event(records), None, events.s3_seen(records))
    return Work(events.sqs_event(records), {"batchItemFailures": []}, events.sqs_seen(records))


def work_with_failures() -> Work:
    """A batch of messages of which some can't be done."""
    failures = [{"itemIdentifier": identifier} for identifier in events.failed_messages()]
    return Work(events.sqs_event_with_failures(), {"batchItemFailures": failures}, events.sqs_seen_with_failures())
