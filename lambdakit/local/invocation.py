"""One attempt to run a function, as a test looks at it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, Self

from lambdakit.local.outcome import Failure, Outcome, Reply
from lambdakit.local.report import billed_milliseconds, end_line, report_line, start_line

if TYPE_CHECKING:
    from lambdakit.local.runner import Result

Kind = Literal["RequestResponse", "Event", "DryRun"]

_STATUS: dict[Kind, int] = {"RequestResponse": 200, "Event": 202, "DryRun": 204}


class InvocationError:
    """Why an invocation failed: ``type``, ``message`` and ``trace`` of the payload that Lambda answers with."""

    def __init__(self, type: str, message: str, trace: tuple[str, ...] = ()) -> None:  # noqa: A002 - errorType
        self.type = type
        self.message = message
        self.trace = trace

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """What a failure says."""
        return cls(failure.error_type, failure.error_message, failure.stack_trace)

    def __repr__(self) -> str:
        return f"{self.type}: {self.message}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InvocationError) and (self.type, self.message) == (other.type, other.message)

    __hash__ = None  # type: ignore[assignment]


class Invocation:
    """One attempt. Times and durations are in seconds of the service's clock.

    Attributes:
        request_id: The same for every attempt of an asynchronous invocation.
        function: The function's name.
        kind: ``"RequestResponse"``, ``"Event"`` or ``"DryRun"``.
        client_context: What the caller said of itself, or None.
        body: The event as JSON; None once it was let go, as the service keeps only so many old ones.
        attempt: 1 for the first.
        arrived: When it was asked for.
        started: When its environment began with it, INIT phase included; None if it was throttled.
        ended: When it was over; None while it is not.
        status: As the Invoke API says it: 200, 202 for an asynchronous one, 204 for a dry run; 400, 413 or 429 for what
            was refused.
        throttle: Why it was throttled, or None.
        cold_start: Whether its environment was started for it.
        environment: The environment's number, or None.
        init_duration: How long the INIT phase of a cold start took, or None.
        duration: How long the handler ran.
        max_memory_used: The most memory its environment took so far, in MB; None on virtual time, and but for Linux.
        payload: The reply, as JSON holds it; None if it failed.
        error: Why it failed, or None.
        exception: What the handler raised, or None.
    """

    __slots__ = (
        "_memory_size",
        "_own_log",
        "arrived",
        "attempt",
        "body",
        "client_context",
        "cold_start",
        "duration",
        "ended",
        "environment",
        "error",
        "exception",
        "function",
        "init_duration",
        "kind",
        "max_memory_used",
        "outcome",
        "request_id",
        "started",
        "status",
        "throttle",
    )

    def __init__(
        self, request_id: str, function: str, kind: Kind, body: bytes, arrived: float, *, attempt: int = 1
    ) -> None:
        self.request_id = request_id
        self.function = function
        self.kind: Kind = kind
        self.body: bytes | None = body
        self.arrived = arrived
        self.attempt = attempt
        self.started: float | None = None
        self.ended: float | None = None
        self.status = _STATUS[kind]
        self.throttle: str | None = None
        self.client_context: Any = None
        self.cold_start = False
        self.environment: int | None = None
        self.init_duration: float | None = None
        self.duration: float | None = None
        self.max_memory_used: int | None = None
        self.outcome: Outcome | None = None
        self.exception: BaseException | None = None
        self.error: InvocationError | None = None
        self._own_log = ""
        self._memory_size = 128

    @property
    def event(self) -> Any:
        """The event, as the handler was given it.

        Raises:
            LookupError: it was let go.
        """
        if self.body is None:
            raise LookupError(
                f"the event of request {self.request_id} was let go: a service keeps those of its latest invocations.\n"
                "Have it keep more with LocalLambda(event_memory=...), in bytes."
            )
        return json.loads(self.body)

    @property
    def payload(self) -> Any:
        """The reply."""
        if not isinstance(self.outcome, Reply):
            return None
        return (
            json.loads(self.outcome.payload)
            if self.outcome.content_type == "application/json"
            else self.outcome.payload
        )

    @property
    def billed_duration(self) -> int:
        """What it is billed for, in milliseconds."""
        return billed_milliseconds(self.duration or 0, self.init_duration)

    def throttled(self, reason: str, now: float) -> None:
        """It was refused."""
        self.throttle, self.ended = reason, now
        self.error = InvocationError("TooManyRequestsException", "Rate Exceeded.")
        if self.kind != "Event":
            self.status = 429

    def refused(self, status: int, error_type: str, message: str, now: float) -> None:
        """It was not even looked at."""
        self.status, self.ended, self.error = status, now, InvocationError(error_type, message)

    def over(self, result: Result, memory_size: int) -> None:
        """It ran."""
        self.started, self.ended = result.started, result.ended
        self.init_duration, self.duration = result.init_duration, result.duration
        self.outcome, self.exception = result.outcome, result.exception
        self.max_memory_used = result.max_memory_used
        if isinstance(result.outcome, Failure):
            self.error = InvocationError.of(result.outcome)
        self._own_log, self._memory_size = result.log, memory_size

    @property
    def log(self) -> str:
        """What Lambda and the function wrote, from START to REPORT; empty where nothing ran."""
        if self.outcome is None:
            return ""
        report = report_line(
            self.request_id,
            self.outcome,
            duration=self.duration or 0,
            init_duration=self.init_duration,
            memory_size=self._memory_size,
            memory_used=self.max_memory_used,
        )
        lines = [start_line(self.request_id), self._own_log.rstrip("\n"), end_line(self.request_id), report]
        return "\n".join(line for line in lines if line) + "\n"

    def __repr__(self) -> str:
        ending = "running" if self.ended is None else str(self.error or "ok")
        return f"<Invocation {self.function} {self.request_id[:8]} at {self.arrived:g} s: {ending}>"
