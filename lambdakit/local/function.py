"""A deployed function: how a test invokes it, and what it has seen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lambdakit.local.invocation import InvocationError
from lambdakit.local.timeline.timeline import percentile

if TYPE_CHECKING:
    from lambdakit.local.configuration import Configuration
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.invoker import Over
    from lambdakit.local.outcome import Failure
    from lambdakit.local.placement import Environment
    from lambdakit.local.runner import Result
    from lambdakit.local.service import LocalLambda


class Function:
    """A function of the local Lambda; ``LocalLambda.deploy`` makes it.

    Attributes:
        name: Its name.
        arn: Its ARN, unqualified.
        invocations: Every attempt so far, in the order they arrived.
        max_concurrency: The most that ran at once.
        provisioned_concurrency_failures: Why provisioned environments failed in their INIT phase: they serve nothing.
    """

    def __init__(self, service: LocalLambda, name: str, arn: str, configuration: Configuration) -> None:
        self._service = service
        self.name = name
        self.arn = arn
        self.configuration = configuration
        self.invocations: list[Invocation] = []
        self.provisioned_concurrency_failures: list[InvocationError] = []
        self.max_concurrency = 0
        self._running = 0

    def invoke(self, payload: Any = None) -> Invocation:
        """Invoke it and run the clock until it answers (``RequestResponse``).

        A throttle is an Invocation with status 429, a failure one with an ``error``: neither is raised.
        """
        [invocation] = self.invoke_many([payload])
        return invocation

    def invoke_many(self, payloads: Iterable[Any]) -> list[Invocation]:
        """Invoke it with all of these at one instant, and run the clock until the last one answers."""
        return self._service.invoke(self, list(payloads))

    def invoke_async(self, payload: Any = None) -> str:
        """Hand it an event (``Event``): what becomes of it shows as the clock runs.

        Returns:
            The request id, which every attempt has.

        Raises:
            InvokeError: the payload is larger than Lambda takes for an event.
        """
        return self._service.accept(self, payload)

    def dry_run(self, payload: Any = None) -> Invocation:
        """Have the request checked, and nothing run (``DryRun``): status 204, or that of what is wrong with it."""
        return self._service.dry_run(self, payload)

    def call(self, body: bytes, over: Over, *, request_id: str | None = None) -> None:
        """Invoke it as a mapping or a front door does; ``over`` is told of its end, in an action of the clock."""
        self._service.call(self, body, over, request_id=request_id)

    @property
    def timeout(self) -> float:
        """Its time limit, in seconds."""
        return self.configuration.timeout

    @property
    def cold_starts(self) -> int:
        """How many invocations had to wait for a new environment."""
        return sum(invocation.cold_start for invocation in self.invocations)

    @property
    def throttles(self) -> int:
        """How many attempts were refused with status 429."""
        return sum(invocation.throttle is not None for invocation in self.invocations)

    @property
    def errors(self) -> list[Invocation]:
        """The attempts that ran and failed."""
        return [i for i in self.invocations if i.error is not None and i.throttle is None]

    @property
    def environments(self) -> list[int]:
        """The numbers of the environments that ran anything, in the order they started."""
        return sorted({i.environment for i in self.invocations if i.environment is not None})

    def duration_percentile(self, percent: float) -> float:
        """The duration, in seconds, that so many percent of the invocations did not exceed.

        Raises:
            ValueError: nothing ran yet.
        """
        durations = sorted(i.duration for i in self.invocations if i.duration is not None)
        found = percentile(durations, percent)
        if found is None:
            raise ValueError(f"{self.name} has not run yet")
        return found

    def begun(self, invocation: Invocation, environment: Environment) -> None:
        """An invocation was given an environment; for the service to tell."""
        self._running += 1
        self.max_concurrency = max(self.max_concurrency, self._running)
        invocation.environment = environment.number
        invocation.cold_start = environment.invocations == 1 and not environment.provisioned

    def ended(self, invocation: Invocation, result: Result) -> None:
        """An invocation is over; for the service to tell."""
        self._running -= 1
        invocation.over(result, self.configuration.memory_size)
        for observer in self._service.observers:
            observer(invocation)

    def failed_to_begin(self, invocation: Invocation, message: str, now: float) -> None:
        """The environment of an invocation can't be started; for the service to tell."""
        self._running -= 1
        invocation.refused(500, "ServiceException", message, now)

    def provisioning_failed(self, failure: Failure) -> None:
        """A provisioned environment failed in its INIT phase; for the service to tell."""
        self.provisioned_concurrency_failures.append(InvocationError.of(failure))

    def __repr__(self) -> str:
        return f"<Function {self.name!r}: {len(self.invocations)} invocations>"
