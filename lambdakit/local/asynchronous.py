"""What becomes of an asynchronous invocation: tried again and when, or given up and why. Decided without I/O.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]
"""How an asynchronous invocation ended, as its record for a destination says it."""

ERROR_DELAYS = (60.0, 120.0)
"""Seconds between a function error and the next attempt."""
FIRST_THROTTLE_DELAY = 1.0
LONGEST_THROTTLE_DELAY = 300.0


@dataclass(frozen=True)
class RetryPolicy:
    """``MaximumRetryAttempts`` and ``MaximumEventAgeInSeconds`` of a function."""

    maximum_retry_attempts: int = 2
    maximum_event_age_in_seconds: int = 21_600


@dataclass(frozen=True)
class Retry:
    """Try again at that time, in seconds."""

    at: float


@dataclass(frozen=True)
class GiveUp:
    """Tell the dead-letter queue and the failure destination."""

    condition: Condition


@dataclass
class Attempts:
    """What is known of one event: when it was accepted, and how often it failed or was throttled since."""

    accepted: float
    errors: int = 0
    throttles: int = 0


def after_error(attempts: Attempts, policy: RetryPolicy, now: float) -> Retry | GiveUp:
    """The function failed or timed out.

    The age is checked ahead: an event that would be too old by the next attempt is given up at once.
    """
    attempts.errors += 1
    if attempts.errors > policy.maximum_retry_attempts:
        return GiveUp("RetriesExhausted")
    return _unless_too_old(attempts, policy, now + ERROR_DELAYS[attempts.errors - 1])


def after_throttle(attempts: Attempts, policy: RetryPolicy, now: float, *, reserved: int | None) -> Retry | GiveUp:
    """The invocation was throttled: that uses up no retry. A function without concurrency is not tried at all."""
    if reserved == 0:
        return GiveUp("ZeroReservedConcurrency")
    delay = min(LONGEST_THROTTLE_DELAY, FIRST_THROTTLE_DELAY * 2.0**attempts.throttles)
    attempts.throttles += 1
    return _unless_too_old(attempts, policy, now + delay)


def _unless_too_old(attempts: Attempts, policy: RetryPolicy, at: float) -> Retry | GiveUp:
    too_old = at - attempts.accepted >= policy.maximum_event_age_in_seconds
    return GiveUp("EventAgeExceeded") if too_old else Retry(at)
