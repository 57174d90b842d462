"""What is measured, who does it, and what lambdakit is allowed to cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Literal

from benchmarks import events

Contender = Literal["pydantic", "lambdakit", "powertools", "fastapi"]
Source = Literal["s3", "sqs", "http"]

SOURCES: tuple[Source, ...] = ("s3", "sqs", "http")

COLD_TARGETS: dict[Source, float] = {"s3": 1.05, "sqs": 1.05, "http": 1.08}
MEMORY_TARGET = 2 * 1024 * 1024
WARM_TARGETS: dict[tuple[Source, int], float] = {
    ("s3", 1): 2.0,
    ("s3", 1000): 1.3,
    ("sqs", 1): 3.0,
    ("sqs", 10): 1.3,
    ("sqs", 1000): 1.3,
    ("http", 1): 4.0,
}


class WrongAnswer(Exception):
    """A function doesn't do the work, so its time means nothing."""


def module(source: Source, contender: Contender) -> str:
    """The module whose ``handler`` does the work."""
    return f"benchmarks.functions.{source}_{contender}"


def contenders(source: Source) -> tuple[Contender, ...]:
    """Who does the work; FastAPI only where it and Mangum are installed."""
    three: tuple[Contender, ...] = ("pydantic", "lambdakit", "powertools")
    return (*three, "fastapi") if source == "http" and find_spec("fastapi") and find_spec("mangum") else three


def turns(source: Source, number: int) -> tuple[Contender, ...]:
    """The contenders in the order of the round ``number``: each is as often first as it is last."""
    all_of_them = contenders(source)
    first = number % len(all_of_them)
    return all_of_them[first:] + all_of_them[:first]


@dataclass(frozen=True)
class Work:
    """An event, how to answer it, and what a function has seen then."""

    event: object
    reply: object
    seen: list[object]
    read: Callable[[Any], object] = lambda reply: reply

    def check(self, function: str, reply: object, seen: list[object]) -> None:
        """Looks whether a function did the work, if need be more than once.

        Raises:
            WrongAnswer: it didn't.
        """
        if (self.read(reply), seen[-len(self.seen) :]) != (self.reply, self.seen):
            raise WrongAnswer(f"{function} answered {reply!r:.500} having seen {seen!r:.500}")


def work(source: Source, records: int) -> Work:
    """An event of that many records, none of which is bad."""
    if source == "s3":
        return Work(events.s3_event(records), None, events.s3_seen(records))
    if source == "http":
        return Work(events.http_event(), events.http_answer(), events.http_seen(), _answer)
    return Work(events.sqs_event(records), {"batchItemFailures": []}, events.sqs_seen(records))


def work_with_failures() -> Work:
    """A batch of messages of which some can't be done."""
    failures = [{"itemIdentifier": identifier} for identifier in events.failed_messages()]
    return Work(events.sqs_event_with_failures(), {"batchItemFailures": failures}, events.sqs_seen_with_failures())


def _answer(reply: Any) -> object:
    """What a client gets, however the names of headers are written."""
    headers = {name.lower(): value for name, value in reply["headers"].items()}
    return reply["statusCode"], headers["content-type"], json.loads(reply["body"])
