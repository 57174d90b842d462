"""S3 event notifications.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import unquote_plus

from pydantic import BeforeValidator, ConfigDict
from pydantic_core import PydanticCustomError

from lambdakit.events.model import EventModel, at, usually


def _decoded_key(value: Any) -> Any:
    """The key of the raw ``object``, which S3 encodes as a form does; a plain key is a key already."""
    if not isinstance(value, Mapping):
        return value
    if not isinstance(value.get("key"), str):
        raise PydanticCustomError("missing", "Field required: key")
    return unquote_plus(value["key"])


def _event_name(value: Any) -> Any:
    """Without the ``s3:`` that bucket configurations write and events leave out."""
    return value.removeprefix("s3:") if isinstance(value, str) else value


class S3Record(EventModel):
    """One change of one object.

    ``size`` (bytes) and ``etag`` are None where S3 does not send them, as for deleted objects; ``version_id`` is None
    in a bucket without versions. ``key`` is decoded: the key as the object was put. Compare sequencers of one key
    after padding the shorter one with zeros on the left.
    """

    lambdakit_source: ClassVar[str] = "s3"

    bucket: str = at("s3", "bucket", "name")
    key: Annotated[str, BeforeValidator(_decoded_key)] = at("s3", "object")
    event_name: Annotated[str, BeforeValidator(_event_name)] = at("eventName")
    event_time: datetime = usually("eventTime")
    aws_region: str = usually("awsRegion")
    size: int | None = usually("s3", "object", "size")
    etag: str | None = usually("s3", "object", "eTag")
    version_id: str | None = usually("s3", "object", "versionId")
    sequencer: str | None = usually("s3", "object", "sequencer")
    bucket_arn: str = usually("s3", "bucket", "arn")
    bucket_owner: str | None = usually("s3", "bucket", "ownerIdentity", "principalId")
    configuration_id: str | None = usually("s3", "configurationId")
    principal_id: str | None = usually("userIdentity", "principalId")
    source_ip_address: str | None = usually("requestParameters", "sourceIPAddress")
    request_id: str | None = usually("responseElements", "x-amz-request-id")
    restoration_expiry_time: datetime | None = usually(
        "glacierEventData", "restoreEventData", "lifecycleRestorationExpiryTime"
    )
    restore_storage_class: str | None = usually("glacierEventData", "restoreEventData", "lifecycleRestoreStorageClass")
    transition_storage_class: str | None = usually(
        "lifecycleEventData", "transitionEventData", "destinationStorageClass"
    )
    destination_access_tier: str | None = usually("intelligentTieringEventData", "destinationAccessTier")

    @property
    def action(self) -> Literal["created", "removed", "restored", "other"]:
        """What happened to the object, without S3's detail."""
        family = self.event_name.partition(":")[0]
        return _ACTIONS.get(family, "other")


_ACTIONS: dict[str, Literal["created", "removed", "restored", "other"]] = {
    "ObjectCreated": "created",
    "ObjectRemoved": "removed",
    "LifecycleExpiration": "removed",
    "ObjectRestore": "restored",
}


class S3Event(EventModel):
    """A whole notification. S3 sends one record in each today, and promises no number."""

    model_config = ConfigDict(defer_build=True)
    lambdakit_source: ClassVar[str] = "s3"
    lambdakit_unit: ClassVar[Literal["event", "record"]] = "event"

    records: list[S3Record] = at("Records")
