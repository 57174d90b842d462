"""The settings of a Lambda function, in the snake_case of AWS's property names.

Source: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from lambdakit.triggers.settings import check_arn, check_choice, check_range


class FunctionSettings(TypedDict, total=False):
    """What ``App`` takes beside its modules. Sizes are in MB, times in seconds."""

    memory_size: int
    timeout: int
    ephemeral_storage: int
    reserved_concurrent_executions: int
    provisioned_concurrent_executions: int
    runtime: Literal["python3.11", "python3.12", "python3.13", "python3.14"]
    architecture: Literal["x86_64", "arm64"]
    description: str
    environment: Mapping[str, str]
    dead_letter_queue: str
    on_failure: str
    on_success: str
    maximum_retry_attempts: int
    maximum_event_age_in_seconds: int
    tracing: Literal["Active", "PassThrough", "Disabled"]
    snap_start: bool
    layers: Sequence[str]
    role: str
    policies: Sequence[str | Mapping[str, Any]]
    tags: Mapping[str, str]


def _range(lowest: int, highest: int, unit: str = "") -> Callable[[str, Any], None]:
    return lambda name, value: check_range(name, value, lowest, highest, unit)


def _choice(*choices: str) -> Callable[[str, Any], None]:
    return lambda name, value: check_choice(name, value, choices)


def _environment(name: str, value: Any) -> None:
    if not isinstance(value, dict) or not all(isinstance(part, str) for pair in value.items() for part in pair):
        raise ValueError(f"{name} maps names to texts, not {type(value).__name__}")
    for key in value:
        if len(key) < 2 or not key[0].isalpha() or not key.replace("_", "a").isalnum():
            raise ValueError(
                f"{name} has a name that Lambda does not take: {key!r} (a letter, then letters, digits, _)"
            )
    if sum(len(part.encode()) for pair in value.items() for part in pair) > 4_096:
        raise ValueError(f"{name} is larger than the 4 KB that Lambda takes")


_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "memory_size": _range(128, 10_240, "MB"),
    "timeout": _range(1, 900, "seconds"),
    "ephemeral_storage": _range(512, 10_240, "MB"),
    "reserved_concurrent_executions": _range(0, 1_000_000),
    "provisioned_concurrent_executions": _range(1, 1_000_000),
    "runtime": _choice("python3.11", "python3.12", "python3.13", "python3.14"),
    "architecture": _choice("x86_64", "arm64"),
    "environment": _environment,
    "dead_letter_queue": check_arn,
    "on_failure": check_arn,
    "on_success": check_arn,
    "maximum_retry_attempts": _range(0, 2),
    "maximum_event_age_in_seconds": _range(60, 21_600, "seconds"),
    "tracing": _choice("Active", "PassThrough", "Disabled"),
}


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse what Lambda would refuse.

    Raises:
        ValueError: there is no such setting, or Lambda does not take its value.
    """
    for name, value in settings.items():
        check_choice("a setting of App", name, FunctionSettings.__annotations__)
        if name in _CHECKS:
            _CHECKS[name](name, value)
