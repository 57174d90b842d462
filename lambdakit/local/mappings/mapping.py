"""What all event source mappings have in common: their life, what they are given, and the account of every record.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol

from typing_extensions import TypeVar

from lambdakit.local.ids import random_uuid
from lambdakit.local.mappings.settings import MappingSettings

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.invocation import Invocation

State = Literal["Creating", "Enabling", "Enabled", "Disabling", "Disabled", "Updating", "Deleting", "Deleted"]
"""AWS's states of a mapping; it forgets one that is deleted."""


class Polled(Protocol):
    """A source, as all mappings see it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...


class Invocable(Protocol):
    """A function, as a mapping sees it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN, unqualified."""
        ...

    @property
    def timeout(self) -> float:
        """How long it may take, in seconds."""
        ...

    def call(self, body: bytes, over: Callable[[Invocation], None]) -> None:
        """Invoke it (``RequestResponse``) with an event, as JSON.

        ``over`` is called in an action of the clock once the invocation ended or was throttled.
        """
        ...


class LostRecordsWarning(UserWarning):
    """A function lists records that failed, but its mapping does not look: they are taken for done, and gone.

    Args:
        function: The function's name.
        source: The source, in words.
        identifiers: What the function listed.
    """

    def __init__(self, function: str, source: str, identifiers: Sequence[Hashable]) -> None:
        super().__init__(function, source, tuple(identifiers))
        self.function = function
        self.source = source
        self.identifiers = tuple(identifiers)

    def __str__(self) -> str:
        """What happened, what AWS does, what to do."""
        listed = ", ".join(map(str, self.identifiers))
        return (
            f"{self.function} reported records of {self.source} as failed ({listed}), but its mapping has no "
            "ReportBatchItemFailures: Lambda takes the whole batch for done and never delivers them again. "
            'Map it with function_response_types="ReportBatchItemFailures", or raise an exception to have the whole '
            "batch retried."
        )


@dataclass
class Counts:
    """What became of the records that a mapping was given: each is in one of these, or still held.

    Attributes:
        received: Records read. A message that went back to its queue counts again when it comes again.
        processed: Handed to the function, which was content with them.
        filtered: Not handed to the function, as no filter wanted them.
        returned: Left to their source, to be delivered again.
        discarded: Given up; the failure destination, if there is one, was told.
        expired: Too old before they were done.
        lost: Taken for done though the function had listed them as failed: see ``LostRecordsWarning``.
    """

    received: int = 0
    processed: int = 0
    filtered: int = 0
    returned: int = 0
    discarded: int = 0
    expired: int = 0
    lost: int = 0

    @property
    def held(self) -> int:
        """Records that wait in the mapping or are with the function."""
        ended = self.processed + self.filtered + self.returned + self.discarded + self.expired + self.lost
        return self.received - ended


SourceT = TypeVar("SourceT", bound=Polled)
SettingsT = TypeVar("SettingsT", bound=MappingSettings)


class Mapping(Generic[SourceT, SettingsT]):
    """An event source mapping: it polls a source and invokes a function with what it finds.

    A subclass says how to begin (``_start``), how to cease (``_stop``), and whether anything is under way (``_busy``);
    it calls ``_settle`` whenever something ended.

    Attributes:
        uuid: Its identifier.
        source: What it polls.
        function: What it invokes.
        settings: How.
        state: ``Enabled``, ``Disabled``, or one of AWS's states between.
        counts: What became of the records.
        lost: The identifiers of records that were taken for done though the function had listed them as failed.
    """

    def __init__(self, clock: Clock, source: SourceT, function: Invocable, settings: SettingsT) -> None:
        self._clock = clock
        self.uuid = random_uuid(clock.random)
        self.source = source
        self.function = function
        self.settings = settings
        self.state: State = "Disabled"
        self.counts = Counts()
        self.lost: list[Hashable] = []
        if settings.enabled:
            self._begin("Creating")

    def enable(self) -> None:
        """Poll."""
        if self.state in ("Disabled", "Disabling"):
            self._begin("Enabling")

    def disable(self) -> None:
        """Poll no more. What is under way is finished first."""
        if self.state not in ("Disabled", "Deleting", "Deleted"):
            self._cease("Disabling")

    def delete(self) -> None:
        """Poll never again. What is under way is finished first."""
        if self.state not in ("Deleting", "Deleted"):
            self._cease("Deleting")

    def _start(self) -> None:
        """Begin to poll."""
        raise NotImplementedError

    def _stop(self) -> None:
        """Ask for nothing more."""
        raise NotImplementedError

    @property
    def _busy(self) -> bool:
        """Whether anything is under way."""
        raise NotImplementedError

    def _settle(self) -> None:
        """Be disabled or deleted at last, once nothing is under way."""
        if self.state == "Disabling" and not self._busy:
            self.state = "Disabled"
        elif self.state == "Deleting" and not self._busy:
            self.state = "Deleted"

    def _begin(self, state: State) -> None:
        self.state = state
        self._clock.at(self._clock.now, self._started)

    def _started(self) -> None:
        if self.state in ("Creating", "Enabling"):
            self.state = "Enabled"
            self._start()

    def _cease(self, state: State) -> None:
        self.state = state
        self._clock.at(self._clock.now, self._stopped)

    def _stopped(self) -> None:
        if self.state in ("Disabling", "Deleting"):
            self._stop()
            self._settle()

    def _lose(self, identifiers: Sequence[Hashable]) -> None:
        """Note records that are taken for done though they failed, and warn when it happens first."""
        first = not self.lost
        self.lost += identifiers
        self.counts.lost += len(identifiers)
        if first:
            warnings.warn(LostRecordsWarning(self.function.name, repr(self.source), identifiers), stacklevel=2)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.source.name!r} -> {self.function.name!r}: {self.state}>"
