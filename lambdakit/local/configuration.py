"""A function's configuration: what is given at deployment, else what its App says, else Lambda's default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lambdakit.local.asynchronous import RetryPolicy
from lambdakit.settings import check_settings


class Configuration:
    """The settings of a deployed function. ``timeout`` is in seconds, ``memory_size`` in MB.

    Raises:
        ValueError: Lambda does not take a setting.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        check_settings(settings)
        self.timeout: float = settings.get("timeout", 3)
        self.memory_size: int = settings.get("memory_size", 128)
        self.reserved: int | None = settings.get("reserved_concurrent_executions")
        self.provisioned: int = settings.get("provisioned_concurrent_executions", 0)
        self.dead_letter_queue: str | None = settings.get("dead_letter_queue")
        self.on_success: str | None = settings.get("on_success")
        self.on_failure: str | None = settings.get("on_failure")
        self.environment: dict[str, str] = dict(settings.get("environment", {}))
        self.retries = RetryPolicy(
            settings.get("maximum_retry_attempts", 2), settings.get("maximum_event_age_in_seconds", 21_600)
        )
