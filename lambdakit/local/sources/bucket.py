"""A local S3 bucket: objects, their versions, uploads in parts, and the notifications of what changes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import md5
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from lambdakit.local.sources.outlet import Outlet, Parcel
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.testing.events.s3_objects import ObjectChange
from lambdakit.testing.events.values import bytes_of, iso_milliseconds, letters, token, uuid
from lambdakit.triggers.s3 import S3Trigger
from lambdakit.triggers.settings import as_tuple

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import BusTarget, Target

Versioning = Literal["Enabled", "Suspended"]

_SMALLEST_PART = 5 * 1024 * 1024
_SUBJECT = "Amazon S3 Notification"


@dataclass(frozen=True)
class S3Object:
    """An object, one version of it, or the mark that it was deleted.

    Attributes:
        key: Its key, as it was put.
        body: Its bytes.
        etag: The MD5 of the bytes in hexadecimal digits; of an object in parts, that of the parts' and their number.
        version_id: Its version; None without versions, and for what was put before there were any.
        last_modified: When it was put.
        metadata: The user's metadata.
        tags: Its tags.
        acl: Its canned ACL.
        is_delete_marker: Whether it is such a mark.
    """

    key: str
    body: bytes
    etag: str
    version_id: str | None
    last_modified: datetime
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    acl: str = "private"
    is_delete_marker: bool = False

    @property
    def size(self) -> int:
        """The size in bytes."""
        return len(self.body)


class Bucket(Source):
    """A bucket of the local S3.

    Every change is told to the notifications that ask for it, and to ``event_bridge``, when the clock runs.

    Args:
        name: Its name, as S3 takes one.
        place: Where it is.
        versioning: ``"Enabled"``, ``"Suspended"``, or None where versions were never kept.

    Attributes:
        event_bridge: The bus that S3 tells of every change, if any.
        notifications: Who is notified.
        changes: What happened, in order.
        uploads: The uploads in parts that are neither complete nor aborted.

    Raises:
        SourceError: S3 does not take the name.

    >>> from lambdakit.local.virtual.clock import VirtualClock
    >>> bucket = Bucket("uploads", Place(VirtualClock()))
    >>> bucket.put("my photo.jpg", b"...").size
    3
    >>> [change.name for change in bucket.changes]
    ['ObjectCreated:Put']
    """

    def __init__(self, name: str, place: Place, *, versioning: Versioning | None = None) -> None:
        if not _is_bucket_name(name):
            raise SourceError("InvalidBucketName", f"The specified bucket is not valid: {name!r}")
        super().__init__(name, place, f"arn:aws:s3:::{name}")
        self.event_bridge: BusTarget | None = None
        self.notifications: list[Notification] = []
        self.changes: list[ObjectChange] = []
        self.uploads: list[MultipartUpload] = []
        self._versions: dict[str, list[S3Object]] = {}  # of each key, the latest last
        self._numbers = count()
        self._versioning: Versioning | None = None
        if versioning is not None:
            self.versioning = versioning

    @property
    def versioning(self) -> Versioning | None:
        """Whether versions are kept: ``"Enabled"``, ``"Suspended"``, or None where they never were.

        Raises:
            SourceError: set to anything else; versioning can be suspended, but not be undone.
        """
        return self._versioning

    @versioning.setter
    def versioning(self, status: Versioning) -> None:
        if status not in ("Enabled", "Suspended"):
            raise SourceError("MalformedXML", f"{_MALFORMED} Versioning is 'Enabled' or 'Suspended', not {status!r}.")
        self._versioning = status

    # Objects.

    def put(self, key: str, body: bytes | str = b"", *, metadata: Mapping[str, str] | None = None) -> S3Object:
        """Put an object: ``ObjectCreated:Put``.

        Args:
            key: Its key: any text of up to 1,024 bytes.
            body: Its content; text is put in UTF-8.
            metadata: The user's metadata.

        Raises:
            SourceError: S3 does not take the key.
        """
        return self._create("Put", key, bytes_of(body), metadata or {})

    def get(self, key: str, version_id: str | None = None) -> S3Object:
        """The object, or one version of it; ``"null"`` is the version that was put when none were kept.

        Raises:
            SourceError: ``NoSuchKey``, ``NoSuchVersion``; ``MethodNotAllowed`` where that version is a delete marker.
        """
        if version_id is None:
            found = self._latest(key)
            if found is None:
                raise SourceError("NoSuchKey", "The specified key does not exist.")
            return found
        found = next((each for each in self._versions.get(key, ()) if _is_version(each, version_id)), None)
        if found is None:
            raise SourceError("NoSuchVersion", "The specified version does not exist.")
        if found.is_delete_marker:
            raise SourceError("MethodNotAllowed", "The specified method is not allowed against this resource.")
        return found

    def head(self, key: str, version_id: str | None = None) -> S3Object:
        """As ``get``; but S3 has no words for what is missing.

        Raises:
            SourceError: ``404``.
        """
        try:
            return self.get(key, version_id)
        except SourceError as error:
            raise SourceError("404", "Not Found") from error

    def copy(
        self,
        source_key: str,
        key: str,
        *,
        source: Bucket | None = None,
        version_id: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> S3Object:
        """Copy an object: ``ObjectCreated:Copy``.

        Args:
            source_key: What is copied.
            key: Where to.
            source: The bucket that it is in; by default this one.
            version_id: Which version of it.
            metadata: The copy's metadata; by default that of the original.

        Raises:
            SourceError: the original is missing, or the copy would be the original.
        """
        original = (source or self).get(source_key, version_id)
        if key == source_key and (source or self) is self and metadata is None and version_id is None:
            raise SourceError("InvalidRequest", _COPY_ON_ITSELF)
        given = original.metadata if metadata is None else metadata
        return self._create("Copy", key, original.body, given, tags=original.tags)

    def delete(self, key: str, version_id: str | None = None) -> S3Object | None:
        """Delete an object or, for good, one version of it; nothing happens where there is none.

        Without versions, and of a version: ``ObjectRemoved:Delete``. With versions the object stays beneath a delete
        marker: ``ObjectRemoved:DeleteMarkerCreated``.

        Returns:
            The delete marker, where one was made.
        """
        if version_id is not None or self._versioning is None:
            self._remove(key, version_id or "null")
            return None
        marker = self._new(key, b"", is_delete_marker=True)
        self._store(marker)
        self._changed("ObjectRemoved:DeleteMarkerCreated", marker)
        return marker

    def delete_many(self, keys: Iterable[str]) -> None:
        """Delete up to 1,000 objects, each as ``delete`` does.

        Raises:
            SourceError: there are more, or none.
        """
        every = list(keys)
        if not 1 <= len(every) <= 1_000:
            raise SourceError("MalformedXML", f"{_MALFORMED} One request deletes 1 to 1,000 keys, not {len(every):,}.")
        for key in every:
            self.delete(key)

    def list(self, prefix: str = "") -> list[S3Object]:
        """The objects whose keys begin so, in S3's order: that of the bytes in UTF-8."""
        latest = (self._latest(key) for key in self._keys(prefix))
        return [found for found in latest if found is not None]

    def list_versions(self, prefix: str = "") -> Sequence[S3Object]:
        """All versions and delete markers of those keys, of each key the latest first."""
        return [each for key in self._keys(prefix) for each in reversed(self._versions[key])]

    def put_tags(self, key: str, tags: Mapping[str, str]) -> None:
        """Replace the tags of an object: ``ObjectTagging:Put``.

        Raises:
            SourceError: there is no such object.
        """
        self._amend("ObjectTagging:Put", replace(self.get(key), tags=dict(tags)))

    def delete_tags(self, key: str) -> None:
        """Remove the tags of an object: ``ObjectTagging:Delete``.

        Raises:
            SourceError: there is no such object.
        """
        self._amend("ObjectTagging:Delete", replace(self.get(key), tags={}))

    def put_acl(self, key: str, acl: str) -> None:
        """Give an object a canned ACL: ``ObjectAcl:Put`` if that changes anything.

        Raises:
            SourceError: there is no such object.
        """
        found = self.get(key)
        if found.acl != acl:
            self._amend("ObjectAcl:Put", replace(found, acl=acl))

    def create_multipart_upload(self, key: str, *, metadata: Mapping[str, str] | None = None) -> MultipartUpload:
        """Begin to put an object in parts.

        Raises:
            SourceError: S3 does not take the key.
        """
        upload = MultipartUpload(self, _checked_key(key), dict(metadata or {}), self.place.new_id())
        self.uploads.append(upload)
        return upload

    def complete(self, upload: MultipartUpload, body: bytes, etag: str) -> S3Object:
        """Put what was uploaded: ``ObjectCreated:CompleteMultipartUpload``; for the upload to tell."""
        self.uploads.remove(upload)
        return self._create("CompleteMultipartUpload", upload.key, body, upload.metadata, etag=etag)

    # Notifications.

    def notify(
        self,
        target: Target,
        events: str | Iterable[str] = "ObjectCreated:*",
        prefix: str = "",
        suffix: str = "",
    ) -> Notification:
        """Notify a function, a queue or a topic of what changes.

        Queues and topics get S3's ``s3:TestEvent`` first, as in AWS; functions don't.

        Args:
            target: Who is notified.
            events: S3 event names, with or without ``s3:``; ``ObjectCreated:*`` takes the family.
            prefix: Only of keys that begin so (the key as written, not URL-encoded).
            suffix: Only of keys that end so.

        Raises:
            SourceError: S3 has no such event, or the notification overlaps with another one.
            TypeError: the target is none that S3 notifies.
        """
        notification = Notification(self, target, _event_names(self.name, events), prefix, suffix)
        for other in self.notifications:
            notification.check_beside(other)
        self.notifications.append(notification)
        if notification.kind != "function":
            notification.send_test_event(self)
        return notification

    def _create(self, kind: str, key: str, body: bytes, metadata: Mapping[str, str], **further: Any) -> S3Object:
        created = self._new(_checked_key(key), body, metadata=dict(metadata), **further)
        self._store(created)
        self._changed(f"ObjectCreated:{kind}", created)
        return created

    def _new(self, key: str, body: bytes, *, etag: str = "", **further: Any) -> S3Object:
        version = letters(32, "version", self.name, key, next(self._numbers)) if self._versioning == "Enabled" else None
        return S3Object(key, body, etag or _md5(body).hex(), version, self.place.clock.today, **further)

    def _store(self, stored: S3Object) -> None:
        """Put it on top of its versions, in the place of one that has no version either."""
        versions = self._versions.setdefault(stored.key, [])
        if stored.version_id is None:
            versions[:] = [each for each in versions if each.version_id is not None]
        versions.append(stored)

    def _remove(self, key: str, version_id: str) -> None:
        versions = self._versions.get(key, [])
        found = next((each for each in versions if _is_version(each, version_id)), None)
        if found is None:
            return
        versions.remove(found)
        if not versions:
            del self._versions[key]
        self._changed("ObjectRemoved:Delete", found)

    def _amend(self, name: str, amended: S3Object) -> None:
        self._versions[amended.key][-1] = amended
        self._changed(name, amended)

    def _latest(self, key: str) -> S3Object | None:
        versions = self._versions.get(key)
        return versions[-1] if versions and not versions[-1].is_delete_marker else None

    def _keys(self, prefix: str) -> Iterable[str]:
        return sorted((key for key in self._versions if key.startswith(prefix)), key=str.encode)

    def _changed(self, name: str, changed: S3Object) -> None:
        change = ObjectChange(
            bucket=self.name,
            key=changed.key,
            name=name,
            size=changed.size,
            etag=changed.etag,
            version_id=changed.version_id,
            position=len(self.changes),
            time=self.place.clock.today,
            region=self.place.region,
            account=self.place.account,
        )
        self.changes.append(change)
        for notification in self.notifications:
            notification.tell(change)
        if self.event_bridge is not None:
            self.event_bridge.accept(change.event())


class MultipartUpload:
    """An object on its way in parts; ``Bucket.create_multipart_upload`` begins one.

    Attributes:
        bucket: Where it goes.
        key: The key that it will have.
        metadata: The metadata that it will have.
        upload_id: Its id.
        parts: What was uploaded so far, by number.
    """

    def __init__(self, bucket: Bucket, key: str, metadata: Mapping[str, str], upload_id: str) -> None:
        self.bucket = bucket
        self.key = key
        self.metadata = metadata
        self.upload_id = upload_id
        self.parts: dict[int, bytes] = {}

    def upload_part(self, number: int, body: bytes | str) -> str:
        """Upload a part, or again.

        Args:
            number: 1 to 10,000; the parts are joined in the order of their numbers.
            body: All but the last have 5 MiB or more.

        Returns:
            The part's ETag.

        Raises:
            SourceError: the upload is over, or there is no such number.
        """
        self._check_open()
        if not 1 <= number <= 10_000:
            message = "Part number must be an integer between 1 and 10000, inclusive"
            raise SourceError("InvalidArgument", f"{message}: {number!r}")
        self.parts[number] = bytes_of(body)
        return _md5(self.parts[number]).hex()

    def complete(self, parts: Sequence[tuple[int, str]] | None = None) -> S3Object:
        """Make the object of the parts: ``ObjectCreated:CompleteMultipartUpload``.

        Args:
            parts: The number and the ETag of each; by default all that were uploaded.

        Raises:
            SourceError: the upload is over; a part is missing, too small or out of order.
        """
        self._check_open()
        bodies = [self._part(number, etag) for number, etag in self._listed(parts)]
        if any(len(body) < _SMALLEST_PART for body in bodies[:-1]):
            raise SourceError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        etag = f"{_md5(b''.join(map(_md5, bodies))).hex()}-{len(bodies)}"
        return self.bucket.complete(self, b"".join(bodies), etag)

    def abort(self) -> None:
        """Throw away what was uploaded.

        Raises:
            SourceError: the upload is over.
        """
        self._check_open()
        self.bucket.uploads.remove(self)

    def _listed(self, parts: Sequence[tuple[int, str]] | None) -> Sequence[tuple[int, str]]:
        if parts is None:
            parts = [(number, _md5(self.parts[number]).hex()) for number in sorted(self.parts)]
        if not parts:
            raise SourceError("MalformedXML", f"{_MALFORMED} An upload has one part or more.")
        numbers = [number for number, _ in parts]
        if numbers != sorted(set(numbers)):
            message = "The list of parts was not in ascending order. Parts must be ordered by part number."
            raise SourceError("InvalidPartOrder", message)
        return parts

    def _part(self, number: int, etag: str) -> bytes:
        body = self.parts.get(number)
        if body is None or _md5(body).hex() != etag.strip('"'):
            raise SourceError(
                "InvalidPart",
                "One or more of the specified parts could not be found.  The part may not have been uploaded, "
                "or the specified entity tag may not match the part's entity tag.",
            )
        return body

    def _check_open(self) -> None:
        if self not in self.bucket.uploads:
            raise SourceError(
                "NoSuchUpload",
                "The specified upload does not exist. The upload ID may be invalid, "
                "or the upload may have been aborted or completed.",
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

    def __init__(self, bucket: Bucket, target: Target, events: tuple[str, ...], prefix: str, suffix: str) -> None:
        super().__init__(bucket.place.clock, target, "function", "queue", "topic")
        if target.arn.endswith(".fifo"):
            message = "Unable to validate the following destination configurations"
            raise SourceError("InvalidArgument", f"{message}: S3 notifies neither FIFO queues nor FIFO topics")
        self.id = uuid("notification", bucket.name, len(bucket.notifications))
        self.events = events
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


_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema."
_COPY_ON_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
_OVERLAPPING_EVENTS = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
_OVERLAPPING_FILTERS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)


def _is_bucket_name(name: str) -> bool:
    """Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html."""
    return bool(
        re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name)
        and ".." not in name
        and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
    )


def _checked_key(key: str) -> str:
    if not key:
        raise SourceError("ParamValidationError", "Invalid length for parameter Key, value: 0, valid min length: 1")
    if len(key.encode()) > 1024:
        raise SourceError("KeyTooLongError", "Your key is too long")
    return key


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


def _is_version(stored: S3Object, version_id: str) -> bool:
    return (stored.version_id or "null") == version_id


def _md5(body: bytes) -> bytes:
    return md5(body, usedforsecurity=False).digest()
