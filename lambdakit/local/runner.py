"""What runs calls in execution environments: its face, for virtual time and for real processes alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from lambdakit.local.outcome import Outcome
    from lambdakit.local.placement import Ending, Environment
    from lambdakit.local.virtual.standins import StandIn

INIT_SECONDS = 10.0
"""How long the INIT phase of an on-demand environment may take."""
PROVISIONED_INIT_SECONDS = 130.0
"""How long that of a provisioned one may take, or as long as the function's timeout."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A function as it is deployed.

    Attributes:
        name: Its name.
        handler: Lambda's handler setting, as in ``"shop.handler"``, or the handler itself, an App for example.
        task_root: The folder with its code, for a handler setting.
        memory_size: In MB.
        region: The AWS Region.
        environment: Its own environment variables.
        init_duration: A stand-in for what takes real time in the INIT phase: seconds, or a function of ``random``.
        duration: The same for an invocation: seconds, or a function of ``event``, ``random`` or both.
    """

    name: str
    handler: str | Callable[[Any, Any], Any]
    task_root: str | Path = "."
    memory_size: int = 128
    region: str = "us-east-1"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    init_duration: StandIn = 0.0
    duration: StandIn = 0.0


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
        exception: What the handler raised, for a test to show; None where it was in another process.
        max_memory_used: The most memory the environment took so far, in MB; None where nobody measures it.
    """

    outcome: Outcome
    log: str
    started: float
    ended: float
    init_duration: float | None
    duration: float
    ending: Ending
    exception: BaseException | None = None
    max_memory_used: int | None = None


class Runner(Protocol):
    """Runs calls in environments."""

    def deploy(self, deployment: Deployment) -> None:
        """Make a function known, under the name that its environments carry.

        Raises:
            TypeError, ValueError: it can't be run so.
        """
        ...

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
