"""A local S3 bucket: objects and their versions, and what is told of every change.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

from lambdakit.local.sources.bucket_notification import Notification
from lambdakit.local.sources.multipart_upload import MultipartUpload
from lambdakit.local.sources.s3_object import MALFORMED, S3Object, digest_of
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.testing.events.s3_objects import ObjectChange
from lambdakit.testing.events.values import bytes_of, letters

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import BusTarget, Target

Versioning = Literal["Enabled", "Suspended"]

_COPY_ON_ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)


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
            raise SourceError("MalformedXML", f"{MALFORMED} Versioning is 'Enabled' or 'Suspended', not {status!r}.")
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
        found = next((each for each in self._versions.get(key, ()) if each.is_version(version_id)), None)
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
            raise SourceError("MalformedXML", f"{MALFORMED} One request deletes 1 to 1,000 keys, not {len(every):,}.")
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
        notification = Notification(self, target, events, prefix, suffix)
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
        return S3Object(key, body, etag or digest_of(body).hex(), version, self.place.clock.today, **further)

    def _store(self, stored: S3Object) -> None:
        """Put it on top of its versions, in the place of one that has no version either."""
        versions = self._versions.setdefault(stored.key, [])
        if stored.version_id is None:
            versions[:] = [each for each in versions if each.version_id is not None]
        versions.append(stored)

    def _remove(self, key: str, version_id: str) -> None:
        versions = self._versions.get(key, [])
        found = next((each for each in versions if each.is_version(version_id)), None)
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
