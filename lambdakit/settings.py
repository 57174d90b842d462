"""The settings of a Lambda function, in the snake_case of AWS's property names.

Sources: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html,
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from typing_extensions import TypedDict

from lambdakit.triggers.settings import as_tuple, check_arn, check_choice, check_flag, check_range, check_text


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
    _texts(name, value)
    for key in value:
        if _RESERVED.fullmatch(key):
            raise ValueError(f"{name} has a name that Lambda keeps for itself: {key!r}")
        if not re.fullmatch("[A-Za-z][A-Za-z0-9_]+", key):
            raise ValueError(f"{name} has a name that is not a letter, then letters, digits or '_': {key!r}")
    if sum(len(part.encode()) for pair in value.items() for part in pair) > 4_096:
        raise ValueError(f"{name} is larger than the 4 KB that Lambda takes")


def _texts(name: str, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} maps names to texts, not {value!r}")
    for key, text in value.items():
        if not (isinstance(key, str) and isinstance(text, str)):
            raise ValueError(f"{name} maps names to texts; that of {key!r} is {type(text).__name__}")


def _layers(name: str, value: Any) -> None:
    if isinstance(value, str) or len(as_tuple(value, name)) > 5:
        raise ValueError(f"{name} is a list of at most 5 ARNs, not {value!r}")


def _policies(name: str, value: Any) -> None:
    if isinstance(value, str) or not all(isinstance(policy, str | Mapping) for policy in value):
        raise ValueError(f"{name} is a list of names, ARNs and policy documents, not {value!r}")


_RESERVED = re.compile(
    "_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_(ACCESS_KEY(_ID)?|SECRET_ACCESS_KEY|SESSION_TOKEN)"
    "|AWS_LAMBDA_(FUNCTION_(NAME|MEMORY_SIZE|VERSION)|INITIALIZATION_TYPE|LOG_(GROUP|STREAM)_NAME|RUNTIME_API)"
    "|LAMBDA_(TASK_ROOT|RUNTIME_DIR)"
)

_CHECKS: dict[str, Callable[[str, Any], None]] = {
    "memory_size": _range(128, 10_240, "MB"),
    "timeout": _range(1, 900, "seconds"),
    "ephemeral_storage": _range(512, 10_240, "MB"),
    "reserved_concurrent_executions": _range(0, 1_000_000),
    "provisioned_concurrent_executions": _range(1, 1_000_000),
    "runtime": _choice("python3.11", "python3.12", "python3.13", "python3.14"),
    "architecture": _choice("x86_64", "arm64"),
    "description": lambda name, value: check_text(name, value, 256),
    "environment": _environment,
    "dead_letter_queue": check_arn,
    "on_failure": check_arn,
    "on_success": check_arn,
    "maximum_retry_attempts": _range(0, 2),
    "maximum_event_age_in_seconds": _range(60, 21_600, "seconds"),
    "tracing": _choice("Active", "PassThrough", "Disabled"),
    "snap_start": check_flag,
    "layers": _layers,
    "role": check_arn,
    "policies": _policies,
    "tags": _texts,
}


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse what Lambda would refuse.

    Raises:
        ValueError: there is no such setting, or Lambda does not take its value, or not beside another.
    """
    for name, value in settings.items():
        check_choice("a setting of App", name, _CHECKS)
        _CHECKS[name](name, value)
    _check_together(settings)


def _check_together(settings: Mapping[str, Any]) -> None:
    provisioned = settings.get("provisioned_concurrent_executions", 0)
    reserved = settings.get("reserved_concurrent_executions", provisioned)
    if provisioned > reserved:
        raise ValueError(
            f"provisioned_concurrent_executions ({provisioned}) is at most reserved_concurrent_executions ({reserved})"
        )
    if not settings.get("snap_start"):
        return
    if provisioned:
        raise ValueError("snap_start and provisioned_concurrent_executions exclude each other")
    if settings.get("ephemeral_storage", 512) > 512:
        raise ValueError("snap_start takes an ephemeral_storage of 512 MB, not more")
    if settings.get("runtime") == "python3.11":
        raise ValueError("snap_start takes a runtime from python3.12 on")
