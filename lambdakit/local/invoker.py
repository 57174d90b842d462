"""What runs invocations: each is placed in an environment or throttled, and its environment released afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from lambdakit.local.outcome import Failure, Outcome
from lambdakit.local.placement import Ending, Environment, Fate, Placement, Throttle
from lambdakit.local.runner import Call, Result, Runner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdakit.local.clock import Clock
    from lambdakit.local.function import Function
    from lambdakit.local.invocation import Invocation

Over = Callable[["Invocation"], None]
"""Told, in an action of the clock, that an invocation has ended or was throttled."""


class Invoker:
    """Drives the placement and the runner, and tells functions what happens.

    Args:
        clock: When.
        placement: Where.
        runner: How.
        event_memory: How many bytes of events to keep, of the latest invocations.
    """

    def __init__(self, clock: Clock, placement: Placement, runner: Runner, event_memory: int) -> None:
        self._clock = clock
        self._placement = placement
        self._runner = runner
        self._left = event_memory
        self._kept: deque[Invocation] = deque()

    def arrive(self, function: Function, invocation: Invocation, over: Over) -> None:
        """An invocation is due: run it somewhere, or refuse it; called by the clock."""
        now = self._clock.now
        for environment in self._placement.expire(function.name, now):
            self._runner.end(environment)
        function.invocations.append(invocation)
        self._keep(invocation)
        placed = self._placement.place(function.name, now, counted=invocation.kind != "Event")
        if isinstance(placed, Throttle):
            invocation.throttled(placed.value, now)
            over(invocation)
            return
        function.begun(invocation, placed)
        assert invocation.body is not None
        call = Call(
            invocation.body,
            invocation.request_id,
            function.arn,
            function.configuration.timeout,
            client_context=invocation.client_context,
        )
        try:
            self._runner.run(placed, call, _Running(self, function, invocation, placed, over).ended)
        except OSError as error:  # no process can be started
            function.failed_to_begin(invocation, str(error), now)
            self._placement.release(placed, now, Ending.GONE)
            raise

    def provision(self, function: Function, environments: Sequence[Environment]) -> None:
        """Initialise a function's provisioned environments, and run the clock until they serve or have failed."""
        waiting = set(environments)
        self._clock.at(self._clock.now, lambda: self._prepare_all(function, waiting))
        self._clock.run_while(lambda: bool(waiting))

    def release(self, function: Function, environment: Environment, result: Result) -> None:
        """An environment is free again."""
        match self._placement.release(environment, self._clock.now, result.ending):
            case Fate.ENDED:
                self._runner.end(environment)
            case Fate.REPLACED:
                self._prepare(function, environment, set())
            case Fate.KEPT:
                pass

    def _prepare_all(self, function: Function, environments: set[Environment]) -> None:
        for environment in sorted(environments, key=lambda environment: environment.number):
            self._prepare(function, environment, environments)

    def _prepare(self, function: Function, environment: Environment, waiting: set[Environment]) -> None:
        def prepared(outcome: Outcome) -> None:
            waiting.discard(environment)
            if isinstance(outcome, Failure):
                function.provisioning_failed(outcome)
            else:
                self._placement.prepared(environment, self._clock.now)

        self._runner.prepare(environment, function.configuration.timeout, prepared)

    def _keep(self, invocation: Invocation) -> None:
        """Keep its event, and let go of the oldest where there are too many; of those that still run, none."""
        kept = self._kept
        kept.append(invocation)
        self._left -= len(invocation.body or b"")
        while self._left < 0 and kept[0].ended is not None:
            oldest = kept.popleft()
            self._left += len(oldest.body or b"")
            oldest.body = None


class _Running:
    """An invocation that has an environment."""

    __slots__ = ("environment", "function", "invocation", "invoker", "over")

    def __init__(
        self, invoker: Invoker, function: Function, invocation: Invocation, environment: Environment, over: Over
    ) -> None:
        self.invoker = invoker
        self.function = function
        self.invocation = invocation
        self.environment = environment
        self.over = over

    def ended(self, result: Result) -> None:
        """It is over."""
        self.function.ended(self.invocation, result)
        self.invoker.release(self.function, self.environment, result)
        self.over(self.invocation)
