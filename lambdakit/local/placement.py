"""Where an invocation runs: environments, concurrency and rates, decided without I/O.

Nothing here reads a clock or starts anything. It is told what happened and when, in seconds, and answers with the
environment to use or the reason to throttle; virtual time and real processes are driven by the same decisions.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html,
https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

ENVIRONMENTS_PER_10_SECONDS = 1_000
"""How many environments a function may gain each 10 s: refilled continuously, never accrued."""
REQUESTS_PER_CONCURRENCY = 10
"""Requests a second that each unit of concurrency allows; asynchronous invocations are exempt."""
MINIMUM_UNRESERVED = 100
"""What reservations must leave of the account's concurrency."""


class Throttle(Enum):
    """Why an invocation is refused with status 429."""

    ACCOUNT = "ConcurrentInvocationLimitExceeded"
    ACCOUNT_RATE = "FunctionInvocationRateLimitExceeded"
    RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
    RESERVED_RATE = "ReservedFunctionInvocationRateLimitExceeded"


class Ending(Enum):
    """What an invocation leaves its environment as."""

    READY = "ready"
    """Frozen, with what its globals hold: also after an exception."""
    RESET = "reset"
    """Its runtime ended (a timeout, a crash, an exit): the next invocation initialises it anew, and finds its /tmp."""
    GONE = "gone"
    """It never became one: its initialisation failed."""


class Fate(Enum):
    """What becomes of an environment whose invocation is over."""

    KEPT = "kept"
    """It is idle, and serves again."""
    ENDED = "ended"
    """It is no more."""
    REPLACED = "replaced"
    """A provisioned one is initialised anew before it serves again: tell ``prepared`` when it is."""


class Environment:
    """One execution environment; ``number`` counts a function's from 1, in the order they start.

    Attributes:
        initialized: Whether its runtime stands; if not, the next invocation begins with the INIT phase.
        busy: Whether an invocation runs in it.
        since: When it started, in seconds.
        idle_since: When its last invocation ended.
    """

    __slots__ = ("busy", "function", "idle_since", "initialized", "invocations", "number", "provisioned", "since")

    def __init__(self, function: str, number: int, since: float, *, provisioned: bool = False) -> None:
        self.function = function
        self.number = number
        self.since = since
        self.provisioned = provisioned
        self.initialized = False
        self.busy = False
        self.idle_since = since
        self.invocations = 0

    def __repr__(self) -> str:
        state = "busy" if self.busy else "idle"
        return f"<Environment {self.function} {self.number}: {state}>"


class Bucket:
    """A token bucket that starts full."""

    __slots__ = ("rate", "size", "tokens", "updated")

    def __init__(self, size: float, rate: float) -> None:
        self.size = size
        self.rate = rate
        self.tokens = size
        self.updated = 0.0

    def take(self, now: float) -> bool:
        """Take one token, if there is one."""
        self.tokens = min(self.size, self.tokens + (now - self.updated) * self.rate)
        self.updated = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass
class Lifetimes:
    """How long environments live, in seconds. AWS publishes neither number: these are of the order observed."""

    idle: float = 600
    total: float = 7_200


class Fleet:
    """The environments of one function, and the limits on them."""

    def __init__(self, name: str, reserved: int | None, provisioned: int, requests: Bucket) -> None:
        self.name = name
        self.reserved = reserved
        self.provisioned = provisioned
        self.idle: deque[Environment] = deque()
        self.idle_provisioned: list[Environment] = []
        self.started = provisioned
        self.busy_on_demand = 0
        self.requests = requests
        self.provisioned_requests = _requests(provisioned)
        self.scaling = Bucket(ENVIRONMENTS_PER_10_SECONDS, ENVIRONMENTS_PER_10_SECONDS / 10)

    @property
    def set_aside(self) -> int:
        """What it takes of the account's unreserved concurrency, used or not."""
        return self.reserved if self.reserved is not None else self.provisioned


def _requests(concurrency: int) -> Bucket:
    """The requests a second that go with a concurrency."""
    return Bucket(concurrency * REQUESTS_PER_CONCURRENCY, concurrency * REQUESTS_PER_CONCURRENCY)


class Placement:
    """Decides for an account and a Region.

    Args:
        account_concurrency: The account's limit on invocations at once.
        lifetimes: How long environments live.
    """

    def __init__(self, account_concurrency: int = 1_000, lifetimes: Lifetimes | None = None) -> None:
        self.account_concurrency = account_concurrency
        self.lifetimes = lifetimes or Lifetimes()
        self._fleets: dict[str, Fleet] = {}
        self._busy_unreserved = 0
        self._requests = _requests(account_concurrency)

    def add(self, name: str, *, reserved: int | None = None, provisioned: int = 0) -> list[Environment]:
        """A function was deployed: its provisioned environments, which serve once they are ``prepared``.

        Raises:
            ValueError: its reservation leaves the account too little, or is less than its provisioned concurrency.
        """
        left = self._unreserved - (reserved if reserved is not None else provisioned)
        if (reserved or provisioned) and left < min(MINIMUM_UNRESERVED, self.account_concurrency):
            raise ValueError(
                "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
                f"below its minimum value of [{MINIMUM_UNRESERVED}]."
            )
        if reserved is not None and provisioned > reserved:
            raise ValueError(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
                f"function: {provisioned} > {reserved}"
            )
        requests = self._requests if reserved is None else _requests(reserved)
        self._fleets[name] = Fleet(name, reserved, provisioned, requests)
        return [Environment(name, number + 1, 0, provisioned=True) for number in range(provisioned)]

    def prepared(self, environment: Environment, now: float) -> None:
        """A provisioned environment was initialised, and serves from now on."""
        environment.initialized = True
        environment.since = environment.idle_since = now
        self._fleets[environment.function].idle_provisioned.append(environment)

    @property
    def _unreserved(self) -> int:
        return self.account_concurrency - sum(fleet.set_aside for fleet in self._fleets.values())

    def place(self, name: str, now: float, *, counted: bool = True) -> Environment | Throttle:
        """An invocation arrived: the environment it runs in, or why it does not.

        Args:
            name: The function.
            now: When, in seconds.
            counted: Whether the rate of requests is limited, as it is unless the invocation is asynchronous.
        """
        fleet = self._fleets[name]
        if fleet.reserved == 0:
            return Throttle.RESERVED
        if counted and not fleet.requests.take(now):
            return Throttle.ACCOUNT_RATE if fleet.reserved is None else Throttle.RESERVED_RATE
        if fleet.idle_provisioned and (not counted or fleet.provisioned_requests.take(now)):
            return self._begun(fleet, fleet.idle_provisioned.pop())
        return self._on_demand(fleet, now)

    def _on_demand(self, fleet: Fleet, now: float) -> Environment | Throttle:
        if fleet.reserved is None:
            if self._busy_unreserved >= self._unreserved:
                return Throttle.ACCOUNT
        elif fleet.busy_on_demand >= fleet.reserved - fleet.provisioned:
            return Throttle.RESERVED
        self.expire(fleet.name, now)
        if fleet.idle:
            return self._begun(fleet, fleet.idle.pop())  # the one used last: the others may be reaped
        if not fleet.scaling.take(now):
            return Throttle.ACCOUNT
        fleet.started += 1
        return self._begun(fleet, Environment(fleet.name, fleet.started, now))

    def _begun(self, fleet: Fleet, environment: Environment) -> Environment:
        environment.busy = True
        environment.invocations += 1
        if not environment.provisioned:
            fleet.busy_on_demand += 1
            self._busy_unreserved += fleet.reserved is None
        return environment

    def release(self, environment: Environment, now: float, ending: Ending = Ending.READY) -> Fate:
        """An invocation ended: what becomes of its environment."""
        fleet = self._fleets[environment.function]
        environment.busy = False
        environment.idle_since = now
        environment.initialized = ending is Ending.READY
        too_old = now - environment.since >= self.lifetimes.total
        if environment.provisioned:
            if too_old or not environment.initialized:
                return Fate.REPLACED
            fleet.idle_provisioned.append(environment)
            return Fate.KEPT
        fleet.busy_on_demand -= 1
        self._busy_unreserved -= fleet.reserved is None
        if ending is Ending.GONE or too_old:
            return Fate.ENDED
        fleet.idle.append(environment)
        return Fate.KEPT

    def expire(self, name: str, now: float) -> list[Environment]:
        """The environments that were idle for too long, and are no more; the longest idle first."""
        fleet = self._fleets[name]
        expired: list[Environment] = []
        while fleet.idle and now - fleet.idle[0].idle_since >= self.lifetimes.idle:
            expired.append(fleet.idle.popleft())
        return expired
