"""Notifications of a local S3 bucket: who is told of which changes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lambdakit.local.sources.outlet import Outlet, Parcel
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import iso_milliseconds, letters, token, uuid
from lambdakit.triggers.s3 import S3Trigger
from lambdakit.triggers.settings import as_tuple

if TYPE_CHECKING:
    from lambdakit.local.sources.bucket import Bucket
    from lambdakit.local.sources.outlet import Target
    from lambdakit.testing.events.s3_objects import ObjectChange

_SUBJECT = "Amazon S3 Notification"
_OVERLAPPING_EVENTS = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
_OVERLAPPING_FILTERS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)


class Notification(Outlet):
    """Who is notified of which changes; ``Bucket.notify`` makes one.

    Attributes:
        id: The ``configurationId`` that its events have.
        events: The names of the events, without ``s3:``.
        prefix: What keys begin with.
        suffix: What keys end with.
        filtered: The changes that it did not ask for.
    """

    def __init__(self, bucket: Bucket, target: Target, events: str | Iterable[str], prefix: str, suffix: str) -> None:
        super().__init__(bucket.place.clock, target, "function", "queue", "topic")
        if target.arn.endswith(".fifo"):
            message = "Unable to validate the following destination configurations"
            raise SourceError("InvalidArgument", f"{message}: S3 notifies neither FIFO queues nor FIFO topics")
        self.id = uuid("notification", bucket.name, len(bucket.notifications))
        self.events = _event_names(bucket.name, events)
        self.prefix = _checked_filter(prefix)
        self.suffix = _checked_filter(suffix)
        self.filtered: list[ObjectChange] = []

    def tell(self, change: ObjectChange) -> None:
        """Of a change, if it is one that was asked for."""
        if not self._asks_for(change):
            self.filtered.append(change)
            return
        record = change.record()
        record["s3"]["configurationId"] = self.id
        self.send_off(Parcel({"Records": [record]}, subject=_SUBJECT))

    def send_test_event(self, bucket: Bucket) -> None:
        """Tell the target that it is going to be notified, as S3 does."""
        event = {
            "Service": "Amazon S3",
            "Event": "s3:TestEvent",
            "Time": iso_milliseconds(bucket.place.clock.today),
            "Bucket": bucket.name,
            "RequestId": letters(16, "request", self.id),
            "HostId": token(76, "host", self.id),
        }
        self.send_off(Parcel(event, subject=_SUBJECT))

    def check_beside(self, other: Notification) -> None:
        """Refuse two that could be told of one change.

        Raises:
            SourceError: S3 would refuse them.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
        """
        if not (
            any(_takes(one, two) or _takes(two, one) for one in self.events for two in other.events)
            and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
            and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix))
        ):
            return
        filters = self.prefix, self.suffix, other.prefix, other.suffix
        raise SourceError("InvalidArgument", _OVERLAPPING_FILTERS if any(filters) else _OVERLAPPING_EVENTS)

    def _asks_for(self, change: ObjectChange) -> bool:
        return (
            any(_takes(pattern, change.name) for pattern in self.events)
            and change.key.startswith(self.prefix)
            and change.key.endswith(self.suffix)
        )


def _checked_filter(value: str) -> str:
    if len(value.encode()) > 1024:
        raise SourceError(
            "InvalidArgument", "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"
        )
    return value


def _event_names(bucket: str, events: str | Iterable[str]) -> tuple[str, ...]:
    try:
        names = as_tuple(S3Trigger(bucket, events if isinstance(events, str) else tuple(events)).events)
    except ValueError as error:
        message = f"A specified event is not supported for notifications: {error}"
        raise SourceError("InvalidArgument", message) from None
    return tuple(name.removeprefix("s3:") for name in names)


def _takes(pattern: str, name: str) -> bool:
    """Whether an event's name, or a family's, takes another."""
    return pattern == name or (pattern.endswith(":*") and name.startswith(pattern[:-1]))
