"""S3 event notifications: what ``@on_s3`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate
from urllib.parse import unquote_plus

from typing_extensions import TypeVar

from lambdakit.triggers.settings import as_tuple, check_choice, check_name, check_text, check_via
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

if TYPE_CHECKING:
    from lambdakit.events.s3 import S3Event, S3Record

    Handler = TypeVar(
        "Handler",
        bound=Callable[Concatenate[S3Record, ...], object]
        | Callable[Concatenate[list[S3Record], ...], object]
        | Callable[Concatenate[S3Event, ...], object]
        | Callable[[], object],
    )

EVENT_NAMES: dict[str, tuple[str, ...]] = {
    "ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "ObjectRestore": ("Post", "Completed", "Delete"),
    "ReducedRedundancyLostObject": (),
    "Replication": (
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationReplicatedAfterThreshold",
        "OperationNotTracked",
    ),
    "LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "LifecycleTransition": (),
    "IntelligentTiering": (),
    "ObjectTagging": ("Put", "Delete"),
    "ObjectAcl": ("Put",),
}


@dataclass(frozen=True, eq=False, repr=False)
class S3Trigger(Trigger):
    """S3 notifications of one bucket, narrowed by event name and key.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """

    source: ClassVar[str] = "s3"
    labels: ClassVar[frozenset[str]] = frozenset({"s3"})
    resource: ClassVar[str] = "bucket"
    noun: ClassVar[str] = "S3 object"

    bucket: str | None = None
    events: str | tuple[str, ...] = "ObjectCreated:*"
    prefix: str = ""
    suffix: str = ""
    via: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("on_s3", self.bucket, "bucket's name", "s3")
        if not as_tuple(self.events):
            raise ValueError("events names at least one S3 event, such as 'ObjectCreated:*'")
        for name in as_tuple(self.events):
            _check_event_name(name)
        for part in ("prefix", "suffix"):
            _check_part(part, getattr(self, part))
        check_via(self.via, ("eventbridge", "sns", "sqs"))

    def conflicts(self, other: Trigger) -> bool:
        """Whether both take the same event of the same keys of a bucket."""
        same = isinstance(other, S3Trigger) and self._claims() & other._claims()
        return bool(same)

    def _claims(self) -> set[tuple[object, ...]]:
        names = (name.removeprefix("s3:") for name in as_tuple(self.events))
        return {(self._bucket_name(), self.prefix, self.suffix, name) for name in names}

    def specificity(self, record: Record) -> Specificity | None:
        """A named bucket first, then the longer prefix, the longer suffix, the narrower event name."""
        stored = record["s3"]
        if self.bucket is not None and stored["bucket"]["name"] != self._bucket_name():
            return None
        if self.prefix or self.suffix:
            key = unquote_plus(stored["object"]["key"])
            if not (key.startswith(self.prefix) and key.endswith(self.suffix)):
                return None
        name = record.get("eventName", "").removeprefix("s3:")
        narrow = max((_narrowness(pattern, name) for pattern in as_tuple(self.events)), default=0)
        return (self.bucket is not None, len(self.prefix), len(self.suffix), narrow) if narrow else None

    def why_not(self, record: Record) -> str:
        """What was asked for beside what came."""
        return f"takes {self}, this is of {self.origin(record)}"

    def _bucket_name(self) -> str | None:
        return self.bucket.rpartition(":")[2] if self.bucket else None

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """Those of a notification; one made of an EventBridge event; none of the test event of a new configuration."""
        if "detail-type" in event:
            from lambdakit.triggers.s3_eventbridge import notification_record

            return [notification_record(event)]
        if event.get("Event") == "s3:TestEvent":
            return []
        records: list[Record] = event["Records"]
        return records

    @classmethod
    def origin(cls, record: Record) -> str:
        """The bucket, and what happened there."""
        key = unquote_plus(record["s3"]["object"]["key"])
        return f"bucket {record['s3']['bucket']['name']!r} ({record.get('eventName')} of {key!r})"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The object and its change: bucket, key, version, event and sequencer, which only some events have."""
        stored = record["s3"]["object"]
        parts = (
            record["s3"]["bucket"]["name"],
            unquote_plus(stored["key"]),
            stored.get("versionId"),
            record.get("eventName"),
            stored.get("sequencer") or record.get("eventTime"),
        )
        return "/".join(part for part in parts if part)


def _check_part(setting: str, value: object) -> None:
    check_text(setting, value, 1024)
    if not isinstance(value, str) or "*" in value:
        raise ValueError(f"{setting} is plain text, without wildcards, not {value!r}")


def _check_event_name(name: object) -> None:
    family, _, kind = str(name).removeprefix("s3:").partition(":")
    check_choice("an S3 event name", family, EVENT_NAMES)
    if EVENT_NAMES[family] and not kind:
        raise ValueError(
            f"an S3 event name says which: '{family}:*', '{family}:{EVENT_NAMES[family][0]}'; not {name!r}"
        )
    if EVENT_NAMES[family]:
        check_choice(f"an event of {family}", kind, ("*", *EVENT_NAMES[family]))
    elif kind not in ("", "*"):
        raise ValueError(f"{family} has no kinds, so not {name!r}")


def _narrowness(pattern: str, name: str) -> int:
    """2 for the very name, 1 for its family, 0 for another."""
    pattern = pattern.removeprefix("s3:")
    if pattern == name:
        return 2
    family, _, kind = pattern.partition(":")
    return int(kind in ("", "*") and name.partition(":")[0] == family)


def on_s3(
    bucket: str | None = None,
    *,
    events: str | Iterable[str] = "ObjectCreated:*",
    prefix: str = "",
    suffix: str = "",
    via: str | Iterable[str] = (),
) -> Callable[[Handler], Handler]:
    """Run the decorated function for objects that change in a bucket.

    The function comes back unchanged, so a unit test can call it directly. It may ask for an ``S3Record`` (one call
    for each), a ``list[S3Record]`` or the ``S3Event``.

    Args:
        bucket: The bucket's name or ARN; None takes any bucket.
        events: S3 event names, one or several, without ``s3:``; ``ObjectCreated:*`` takes the family.
        prefix: Take only keys that begin so (the key as written, not URL-encoded).
        suffix: Take only keys that end so.
        via: What the notification comes through, from S3 outwards: ``"eventbridge"``, ``"sqs"``, ``("sns", "sqs")``.

    Raises:
        ValueError: S3 has no such event, or a setting is none that S3 takes.

    >>> from lambdakit.events import S3Record
    >>> @on_s3("uploads", suffix=".csv")
    ... def name(upload: S3Record) -> str:
    ...     return upload.key
    """
    names = events if isinstance(events, str) else as_tuple(events, "events")
    return mark(S3Trigger(bucket, names, prefix, suffix, as_tuple(via, "via")))
