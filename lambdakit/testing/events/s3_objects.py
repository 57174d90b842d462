"""S3 event notifications, and what S3 tells EventBridge.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    ADDRESS,
    REGION,
    TIME,
    Event,
    hexadecimal,
    iso,
    iso_milliseconds,
    letters,
    repeated,
    token,
    utc,
    uuid,
)
from lambdakit.triggers.s3 import EVENT_NAMES
from lambdakit.triggers.settings import as_tuple, check_choice


def s3(
    bucket: Source = "uploads",
    *keys: str,
    event_name: str | None = None,
    size: int = 1024,
    etag: str | None = None,
    version_id: str | None = None,
    via: str | Sequence[str] | None = None,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What S3 sends when objects change. S3 itself tells of one object in each event.

    Args:
        bucket: The bucket's name or ARN, or the handler that takes its notifications.
        *keys: The objects' keys as they were put; the event has them encoded. None at all is a key that fits.
        event_name: ``ObjectCreated:Put``, ``ObjectRemoved:Delete``, ...; by default one that fits.
        size: The size of each object in bytes.
        etag: The ETag of each object; by default it follows from the key.
        version_id: The version of each object, in a bucket with versions.
        via: What the notification comes through, from S3 outwards: ``"eventbridge"``, ``"sqs"``, ``("sns", "sqs")``;
            a queue or topic may be named, as in ``"sqs:inbox"``.
        records: How many objects; the keys take turns.
        time: When it happened.
        region: The bucket's region.
        account: The account of the bucket, and of who changed the objects.

    Raises:
        ValueError: S3 has no such event, or does not send it that way.

    >>> s3("uploads", "my photo.jpg")["Records"][0]["s3"]["object"]["key"]
    'my+photo.jpg'
    """
    from lambdakit.testing.events.envelopes import delivered, steps

    trigger = trigger_of(bucket, "s3")
    envelopes = steps(via if via is not None else trigger.via if trigger else ())
    by_bus = bool(envelopes) and envelopes[0][0] == "eventbridge"
    name = (trigger.bucket or "uploads") if trigger else str(bucket)
    patterns = as_tuple(event_name or (trigger.events if trigger else "ObjectCreated:Put"))
    changes = [
        ObjectChange(
            name.removeprefix("arn:aws:s3:::"),
            key,
            _event_name(patterns, by_bus),
            size,
            etag,
            version_id,
            position,
            time,
            region,
            account,
        )
        for position, key in enumerate(repeated(keys or _keys(trigger, records or 1), records))
    ]
    contents = [change.event() if by_bus else {"Records": [change.record()]} for change in changes]
    if envelopes[by_bus:]:
        subject = None if by_bus else "Amazon S3 Notification"
        return delivered(contents, envelopes[by_bus:], subject=subject, time=time, region=region, account=account)
    if not by_bus:
        return {"Records": [record for content in contents for record in content["Records"]]}
    if len(contents) > 1:
        raise ValueError("EventBridge delivers one event at a time: take one key, or via=('eventbridge', 'sqs')")
    return contents[0]


def s3_eventbridge(
    bucket: Source = "uploads",
    *keys: str,
    event_name: str | None = None,
    size: int = 1024,
    etag: str | None = None,
    version_id: str | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What S3 tells EventBridge when an object changes: ``s3(..., via="eventbridge")``.

    Args:
        bucket: The bucket's name or ARN, or the handler that takes its events.
        *keys: The object's key, as it was put.
        event_name: As S3's notifications name it: ``ObjectCreated:Put``, ``ObjectRemoved:Delete``, ...
        size: The object's size in bytes.
        etag: The object's ETag; by default it follows from the key.
        version_id: The object's version, in a bucket with versions.
        time: When it happened.
        region: The bucket's region.
        account: The account of the bucket, and of who changed the object.

    >>> s3_eventbridge("uploads", "my photo.jpg")["detail"]["object"]["key"]
    'my photo.jpg'
    """
    return s3(
        bucket,
        *keys,
        event_name=event_name,
        size=size,
        etag=etag,
        version_id=version_id,
        via="eventbridge",
        time=time,
        region=region,
        account=account,
    )


def _keys(trigger: Any, records: int) -> list[str]:
    """Keys that differ, and that the trigger takes."""
    prefix, suffix = (trigger.prefix, trigger.suffix) if trigger else ("inbox/", ".csv")
    return [f"{prefix}file-{number + 1}{suffix}" for number in range(records)]


def _event_name(patterns: Iterable[str], by_bus: bool) -> str:
    """The first event that the patterns take, of those that are sent that way."""
    found = [_first_of(pattern.removeprefix("s3:")) for pattern in patterns]
    for name in found:
        if name in BUS_EVENTS or not by_bus:
            return name
    raise ValueError(f"S3 does not tell EventBridge of {found[0]}, which takes {', '.join(BUS_EVENTS)}")


def _first_of(pattern: str) -> str:
    family, _, kind = pattern.partition(":")
    check_choice("an S3 event name", family, EVENT_NAMES)
    kinds = EVENT_NAMES[family]
    if not kinds:
        return family
    if kind not in ("", "*"):
        check_choice(f"an event of {family}", kind, kinds)
    return pattern if kind in kinds else f"{family}:{kinds[0]}"


@dataclass(frozen=True)
class ObjectChange:
    """What happened to one object, as S3 tells it.

    Attributes:
        bucket: The bucket's name.
        key: The object's key, as it was put.
        name: The event: ``ObjectCreated:Put``, ...
        size: The object's size in bytes.
        etag: The object's ETag; None is one that follows from the key.
        version_id: The object's version, in a bucket with versions.
        position: A number that tells it from others at the same time; the sequencer grows with it.
        time: When it happened.
        region: The bucket's region.
        account: The account of the bucket, and of who changed the object.
    """

    bucket: str
    key: str
    name: str
    size: int
    etag: str | None
    version_id: str | None
    position: int
    time: datetime
    region: str
    account: str

    def record(self) -> Event:
        """As a notification has it."""
        return {
            "eventVersion": _VERSIONS.get(self.name) or _VERSIONS.get(self.family, "2.1"),
            "eventSource": "aws:s3",
            "awsRegion": self.region,
            "eventTime": iso_milliseconds(self.time),
            "eventName": self.name,
            "userIdentity": {
                "principalId": _S3_ITSELF if self._by_s3 else f"AWS:AROA{letters(17, 'user', self.account)}:user"
            },
            "requestParameters": {"sourceIPAddress": _S3_ITSELF if self._by_s3 else ADDRESS},
            "responseElements": {
                "x-amz-request-id": self._request_id,
                "x-amz-id-2": token(76, "host", *self._identity),
            },
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": uuid("notification", self.bucket),
                "bucket": {
                    "name": self.bucket,
                    "ownerIdentity": {"principalId": f"A{letters(13, 'owner', self.account)}"},
                    "arn": f"arn:aws:s3:::{self.bucket}",
                },
                "object": {
                    "key": quote_plus(self.key, safe="/"),
                    **self._stored({"size": "size", "etag": "eTag", "version": "versionId", "sequencer": "sequencer"}),
                },
            },
            **self._particulars(),
        }

    def event(self) -> Event:
        """As EventBridge has it."""
        detail_type, particulars = BUS_EVENTS[self.name]
        expiry = {"restore-expiry-time": iso(self.expiry)} if self.name == "ObjectRestore:Completed" else {}
        return {
            "version": "0",
            "id": uuid("event", *self._identity),
            "detail-type": detail_type,
            "source": "aws.s3",
            "account": self.account,
            "time": iso(self.time),
            "region": self.region,
            "resources": [f"arn:aws:s3:::{self.bucket}"],
            "detail": {
                "version": "0",
                "bucket": {"name": self.bucket},
                "object": {
                    "key": self.key,
                    **self._stored({"size": "size", "etag": "etag", "version": "version-id", "sequencer": "sequencer"}),
                },
                "request-id": self._request_id,
                "requester": _S3_ITSELF if self._by_s3 else self.account,
                **({} if self._by_s3 else {"source-ip-address": ADDRESS}),
                **particulars,
                **expiry,
            },
        }

    @property
    def family(self) -> str:
        """The event's name without its kind."""
        return self.name.partition(":")[0]

    @property
    def _by_s3(self) -> bool:
        """Whether S3 did it by itself, as the bucket's rules say."""
        return self.name in _BY_S3

    @property
    def expiry(self) -> datetime:
        """When a restored copy goes: at a midnight."""
        return utc(self.time).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=2)

    @property
    def _identity(self) -> tuple[object, ...]:
        return self.bucket, self.key, self.name, self.position

    @property
    def _request_id(self) -> str:
        return letters(16, "request", *self._identity)

    def _stored(self, names: dict[str, str]) -> Event:
        """What is told of the object, by those names: of one that is gone, neither size nor ETag.

        A delete marker is an object without content, and its ETag is told.
        """
        parts = "-2" if self.name == "ObjectCreated:CompleteMultipartUpload" else ""
        is_marker = self.name.endswith(":DeleteMarkerCreated")
        etag = self.etag or hexadecimal(32, "etag", self.bucket, self.key) + parts
        values = {
            "size": self.size,
            "etag": _ETAG_OF_NOTHING if is_marker else etag,
            "version": self.version_id,
            "sequencer": self._sequencer,
        }
        told = {"version", *_TOLD.get(self.family, ("size", "etag")), *(("etag",) if is_marker else ())}
        return {name: values[key] for key, name in names.items() if key in told and values[key] is not None}

    @property
    def _sequencer(self) -> str:
        """18 hexadecimal digits, which grow with the time, and within an event."""
        since = round(utc(self.time).timestamp() * 1_000_000)
        seconds, microseconds = divmod(since, 1_000_000)
        return f"{seconds:010X}{0x10000000 + microseconds * 1000 + self.position:08X}"

    def _particulars(self) -> Event:
        """The members that only some events have."""
        if self.name == "ObjectRestore:Completed":
            expiry = iso_milliseconds(self.expiry)
            restored = {"lifecycleRestorationExpiryTime": expiry, "lifecycleRestoreStorageClass": "GLACIER"}
            return {"glacierEventData": {"restoreEventData": restored}}
        if self.family == "Replication":
            return {"replicationEventData": self._replication()}
        return _PARTICULARS.get(self.family, {})

    def _replication(self) -> Event:
        failure = {"failureReason": "AssumeRoleNotPermitted"} if self.name.endswith("FailedReplication") else {}
        return {
            "replicationRuleId": uuid("replication", self.bucket),
            "destinationBucket": f"arn:aws:s3:::{self.bucket}-replica",
            "s3Operation": "OBJECT_PUT",
            "requestTime": iso_milliseconds(self.time),
            **failure,
        }


_ETAG_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e"

# What is told of the object, by family; of the others the size and the ETag.
_TOLD = {
    "ObjectCreated": ("size", "etag", "sequencer"),
    "ObjectRemoved": ("sequencer",),
    "LifecycleExpiration": ("sequencer",),
    "ObjectTagging": ("etag",),
    "ObjectAcl": ("etag",),
}

_VERSIONS = {
    "Replication": "2.2",
    "ObjectRestore:Delete": "2.3",
    "LifecycleExpiration": "2.3",
    "LifecycleTransition": "2.3",
    "IntelligentTiering": "2.3",
    "ObjectTagging": "2.3",
    "ObjectAcl": "2.3",
}

_PARTICULARS: dict[str, Event] = {
    "LifecycleTransition": {"lifecycleEventData": {"transitionEventData": {"destinationStorageClass": "GLACIER"}}},
    "IntelligentTiering": {"intelligentTieringEventData": {"destinationAccessTier": "ARCHIVE_ACCESS"}},
}

# The detail-type and the members of the detail by which EventBridge tells events apart. It is told of no others.
BUS_EVENTS: dict[str, tuple[str, Event]] = {
    "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
    "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
    "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "ObjectRemoved:Delete": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"},
    ),
    "ObjectRemoved:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
    ),
    "LifecycleExpiration:Delete": (
        "Object Deleted",
        {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"},
    ),
    "LifecycleExpiration:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "Lifecycle Expiration", "deletion-type": "Delete Marker Created"},
    ),
    "ObjectRestore:Post": ("Object Restore Initiated", {"source-storage-class": "GLACIER"}),
    "ObjectRestore:Completed": ("Object Restore Completed", {"source-storage-class": "GLACIER"}),
    "ObjectRestore:Delete": ("Object Restore Expired", {}),
    "LifecycleTransition": ("Object Storage Class Changed", {"destination-storage-class": "GLACIER"}),
    "IntelligentTiering": ("Object Access Tier Changed", {"destination-access-tier": "ARCHIVE_ACCESS"}),
    "ObjectTagging:Put": ("Object Tags Added", {}),
    "ObjectTagging:Delete": ("Object Tags Deleted", {}),
    "ObjectAcl:Put": ("Object ACL Updated", {}),
}

_S3_ITSELF = "s3.amazonaws.com"
"""Who, and from where, where it was S3."""

_BY_S3 = {
    "LifecycleExpiration:Delete",
    "LifecycleExpiration:DeleteMarkerCreated",
    "ObjectRestore:Completed",
    "ObjectRestore:Delete",
    "LifecycleTransition",
    "IntelligentTiering",
}
