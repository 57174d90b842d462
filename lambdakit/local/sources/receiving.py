"""How the messages of a queue are received: the face that a queue here and one of AWS have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from typing_extensions import TypeVar


class Received(Protocol):
    """A message, as a mapping sees it."""

    @property
    def message_id(self) -> str:
        """Its id."""
        ...

    @property
    def receipt_handle(self) -> str | None:
        """What the last receiver was given to delete it with."""
        ...

    @property
    def body(self) -> str:
        """Its text."""
        ...

    @property
    def raw_attributes(self) -> Mapping[str, Any] | None:
        """The sender's attributes, as an event has them."""
        ...

    @property
    def md5_of_body(self) -> str:
        """The MD5 digest of the body."""
        ...

    @property
    def md5_of_message_attributes(self) -> str | None:
        """The MD5 digest of the sender's attributes; None where there are none."""
        ...

    @property
    def last_received(self) -> float:
        """When that was, in seconds of the service's clock."""
        ...


M = TypeVar("M", bound=Received)


class Poll(Protocol):
    """One that waits for messages."""

    def cancel(self) -> None:
        """Wait no longer."""
        ...


class QueueSource(Protocol[M]):
    """A queue, as its mapping sees it."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def fifo(self) -> bool:
        """Whether it keeps the messages of a group in order."""
        ...

    @property
    def visibility_timeout(self) -> float:
        """How long a message that was received is hidden, in seconds."""
        ...

    def records(self, *, window: bool) -> Callable[[M], bytes]:
        """What writes a message that was just received as it stands in an event.

        Args:
            window: Whether the mapping has a batching window.
        """
        ...

    def poll(
        self,
        most: int,
        visibility_timeout: float | None,
        then: Callable[[list[M]], None],
        failed: Callable[[Exception], None],
    ) -> Poll:
        """Wait for messages, for as long as it takes.

        One of the two is called, once, in an action of the clock: ``then`` is given up to so many messages, which are
        hidden so long, or as long as the queue says; ``failed`` why the queue can't be reached.
        """
        ...

    def delete_batch(self, receipts: Iterable[tuple[M, str]]) -> None:
        """Delete messages with the receipt handles that a poll gave, as far as those are still valid."""
        ...
