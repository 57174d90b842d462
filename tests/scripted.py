"""A function for tests of mappings: it answers as it is told, on a clock, and remembers what it was given."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from pydantic_core import from_json, to_json

from lambdakit.local.clock import Clock
from lambdakit.local.invocation import Invocation
from lambdakit.local.outcome import Failure, Outcome, Reply

THROTTLED = object()
"""What a script answers for an invocation that is throttled."""

Script = Callable[[dict[str, Any]], object]


class ScriptedFunction:
    """Invocable by a mapping; ``script`` is given an event, and returns the answer, an exception or ``THROTTLED``."""

    name = "fn"
    arn = "arn:aws:lambda:us-east-1:123456789012:function:fn"

    def __init__(
        self, clock: Clock, script: Script = lambda event: None, *, duration: float = 0, timeout: float = 3
    ) -> None:
        self.clock = clock
        self.script = script
        self.duration = duration
        self.timeout = timeout
        self.calls: list[tuple[float, dict[str, Any]]] = []
        self.running = self.max_concurrency = 0

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it was given, in order."""
        return [event for _, event in self.calls]

    @property
    def times(self) -> list[float]:
        """When."""
        return [time for time, _ in self.calls]

    def call(self, body: bytes, over: Callable[[Invocation], None]) -> None:
        event: dict[str, Any] = from_json(body)
        self.calls.append((self.clock.now, event))
        self.running += 1
        self.max_concurrency = max(self.max_concurrency, self.running)
        invocation = Invocation(f"request-{len(self.calls)}", self.name, "RequestResponse", body, self.clock.now)
        answer = self.script(event)
        if answer is THROTTLED:
            invocation.throttled("ConcurrentInvocationLimitExceeded", self.clock.now)
        else:
            invocation.outcome = outcome_of(answer)
        self.clock.at(self.clock.now + self.duration, lambda: self._end(invocation, over))

    def _end(self, invocation: Invocation, over: Callable[[Invocation], None]) -> None:
        self.running -= 1
        over(invocation)


def outcome_of(answer: object) -> Outcome:
    """A reply with that value, raw bytes as they are; a failure for an exception."""
    if isinstance(answer, BaseException):
        fields = {"errorMessage": str(answer), "errorType": type(answer).__name__}
        return Failure.posted("handler", to_json(fields))
    return Reply(answer if isinstance(answer, bytes) else to_json(answer))


def data_of(event: dict[str, Any]) -> list[str]:
    """The data of the Kinesis records of an event."""
    return [b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
