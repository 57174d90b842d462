"""What runs calls in execution environments: its face, for virtual time and for real processes alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from lambdakit.local.outcome import Outcome
    from lambdakit.local.placement import Ending, Environment


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt to run a function. ``timeout`` is in seconds."""

    payload: bytes
    request_id: str
    arn: str
    timeout: float
    trace_id: str = ""
    client_context: Any = None


@dataclass(slots=True)
class Result:
    """What became of a call. Times are in seconds of the service's clock.

    Attributes:
        outcome: The reply or the failure, as Lambda answers it.
        log: What the function printed and logged, in Lambda's form, without START, END and REPORT.
        started: When the INIT phase began, or the handler where there was none.
        ended: When the invocation was over.
        init_duration: How long the INIT phase of a cold start took; None in a warm environment.
        duration: How long the handler ran; with the INIT phase in it where a reset environment had to repeat it.
        ending: What the environment is left as.
        exception: What the handler raised, for a test to show.
    """

    outcome: Outcome
    log: str
    started: float
    ended: float
    init_duration: float | None
    duration: float
    ending: Ending
    exception: BaseException | None = None


class Runner(Protocol):
    """Runs calls in environments."""

    def run(self, environment: Environment, call: Call, done: Callable[[Result], None]) -> None:
        """Begin a call, with the INIT phase where the environment is not initialized; called by the clock.

        ``done`` is told of its end by the clock, perhaps before this returns.
        """
        ...

    def prepare(self, environment: Environment, timeout: float, done: Callable[[Outcome], None]) -> None:
        """Begin the INIT phase of a provisioned environment, anew if it stood before; ``done`` is told of its end."""
        ...

    def end(self, environment: Environment) -> None:
        """The environment was reaped or recycled."""
        ...

    def close(self) -> None:
        """The service is over: end every environment."""
        ...
