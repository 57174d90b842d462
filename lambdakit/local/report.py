"""The lines that Lambda itself writes into a function's log.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

from math import ceil

from lambdakit.local.outcome import Failure, Outcome


def billed_milliseconds(duration: float, init_duration: float | None) -> int:
    """What an invocation is billed for, of durations in seconds."""
    return ceil(round((duration + (init_duration or 0)) * 1000, 6))


def start_line(request_id: str, version: str = "$LATEST") -> str:
    """The invocation begins."""
    return f"START RequestId: {request_id} Version: {version}"


def end_line(request_id: str) -> str:
    """The invocation is over."""
    return f"END RequestId: {request_id}"


def init_report_line(seconds: float) -> str:
    """The INIT phase took too long, and begins anew with the invocation."""
    return f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms\tPhase: init\tStatus: timeout"


def report_line(
    request_id: str,
    outcome: Outcome,
    *,
    duration: float,
    init_duration: float | None,
    memory_size: int,
    memory_used: int | None = None,
) -> str:
    """What the invocation took. Durations are in seconds, memory is in MB."""
    fields = [
        f"REPORT RequestId: {request_id}",
        f"Duration: {duration * 1000:.2f} ms",
        f"Billed Duration: {billed_milliseconds(duration, init_duration)} ms",
        f"Memory Size: {memory_size} MB",
    ]
    if memory_used:
        fields.append(f"Max Memory Used: {memory_used} MB")
    if init_duration is not None:
        fields.append(f"Init Duration: {init_duration * 1000:.2f} ms")
    return "\t".join([*fields, _status(outcome)])


def _status(outcome: Outcome) -> str:
    if isinstance(outcome, Failure) and outcome.cause == "timeout":
        return "Status: timeout"
    if isinstance(outcome, Failure) and outcome.cause == "exit":
        return f"Status: error\tError Type: {outcome.error_type}"
    return ""
