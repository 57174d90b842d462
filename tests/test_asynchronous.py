"""What becomes of asynchronous invocations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lambdakit.local import LocalLambda
from lambdakit.local.asynchronous import Attempts, GiveUp, Retry, RetryPolicy, after_error, after_throttle
from lambdakit.local.event_queue import Event, EventQueue
from lambdakit.local.outcome import Failure, Reply
from lambdakit.local.records import dead_letter_attributes, destination_record
from lambdakit.local.virtual.clock import VirtualClock


def handler(event: object, context: object) -> None: ...


def history(policy: RetryPolicy, *, lasting: float = 0) -> list[object]:
    """The decisions on an event that always fails, after so many seconds each time."""
    attempts, now = Attempts(accepted=0), 0.0
    decisions: list[object] = []
    while True:
        decision = after_error(attempts, policy, now + lasting)
        decisions.append(decision)
        if isinstance(decision, GiveUp):
            return decisions
        now = decision.at


@pytest.mark.parametrize(
    ("policy", "decisions"),
    [
        (RetryPolicy(), [Retry(60), Retry(180), GiveUp("RetriesExhausted")]),
        (RetryPolicy(maximum_retry_attempts=1), [Retry(60), GiveUp("RetriesExhausted")]),
        (RetryPolicy(maximum_retry_attempts=0), [GiveUp("RetriesExhausted")]),
        (RetryPolicy(maximum_event_age_in_seconds=60), [GiveUp("EventAgeExceeded")]),
        (RetryPolicy(maximum_event_age_in_seconds=90), [Retry(60), GiveUp("EventAgeExceeded")]),
    ],
    ids=["default", "one retry", "none", "age 60", "age 90"],
)
def test_a_failing_event_is_tried_after_one_and_two_minutes(policy: RetryPolicy, decisions: list[object]) -> None:
    """Its age is checked ahead: what would be too old by the next attempt is given up at once."""
    assert history(policy) == decisions


def test_throttles_are_waited_out_longer_and_longer() -> None:
    """1 s, doubling up to 5 minutes, without using up a retry, until the event is too old."""
    attempts, policy, now = Attempts(accepted=0), RetryPolicy(maximum_event_age_in_seconds=900), 0.0
    waits = []
    while isinstance(decision := after_throttle(attempts, policy, now, reserved=None), Retry):
        waits.append(decision.at - now)
        now = decision.at

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert (decision, attempts.errors) == (GiveUp("EventAgeExceeded"), 0)


def test_a_function_without_concurrency_is_not_tried() -> None:
    """Straight to the dead-letter queue and the destination."""
    decision = after_throttle(Attempts(accepted=0), RetryPolicy(), 0, reserved=0)

    assert decision == GiveUp("ZeroReservedConcurrency")


@pytest.mark.parametrize(
    ("outcome", "attributes"),
    [
        (Failure.of_time(1), ({"ErrorMessage": "Task timed out after 1.00 seconds"}, "Sandbox.Timedout")),
        (None, ({}, None)),
    ],
    ids=["failed", "never tried"],
)
def test_a_dead_letter_tells_the_request_and_the_error(
    outcome: Failure | None, attributes: tuple[dict[str, object], str | None]
) -> None:
    """``ErrorCode`` is 200 for every function error; the error's type is not in the message."""
    event = given_up(outcome)

    assert dead_letter_attributes(event) == ({"RequestID": "r1", "ErrorCode": 200, **attributes[0]}, attributes[1])


def given_up(outcome: Reply | Failure | None) -> Event:
    """An event whose last attempt ended so; without one it was never tried."""
    queue = EventQueue(VirtualClock(), None, None)  # type: ignore[arg-type]  # nothing runs
    event = Event(queue, LocalLambda().deploy(handler, name="shop"), "r1", b'{"order": 1}')
    event.outcome, event.attempts = outcome, 1 if outcome else 0
    return event


@pytest.mark.parametrize(
    ("outcome", "tail"),
    [
        (
            Reply(b'{"done":true}'),
            {"responsePayload": {"done": True}, "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}},
        ),
        (None, {}),
    ],
    ids=["success", "never tried"],
)
def test_a_record_for_a_destination_has_lambdas_fields(outcome: Reply | None, tail: dict[str, object]) -> None:
    """Without a response where nothing was tried."""
    record = destination_record(
        given_up(outcome), "Success" if outcome else "ZeroReservedConcurrency", datetime(2026, 1, 1, 12, tzinfo=UTC)
    )

    assert record == {
        "version": "1.0",
        "timestamp": "2026-01-01T12:00:00.000Z",
        "requestContext": {
            "requestId": "r1",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:shop:$LATEST",
            "condition": "Success" if outcome else "ZeroReservedConcurrency",
            "approximateInvokeCount": 1 if outcome else 0,
        },
        "requestPayload": {"order": 1},
        **tail,
    }
