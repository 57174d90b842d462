"""What S3 tells EventBridge, in the form of its notifications, so that a handler sees one kind of record.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

_CREATED = {"PutObject": "Put", "POST Object": "Post", "CopyObject": "Copy"}
_NAMES = {
    "Object Restore Initiated": "ObjectRestore:Post",
    "Object Restore Completed": "ObjectRestore:Completed",
    "Object Restore Expired": "ObjectRestore:Delete",
    "Object Storage Class Changed": "LifecycleTransition",
    "Object Access Tier Changed": "IntelligentTiering",
    "Object ACL Updated": "ObjectAcl:Put",
    "Object Tags Added": "ObjectTagging:Put",
    "Object Tags Deleted": "ObjectTagging:Delete",
}


def event_name(detail_type: str, detail: Mapping[str, Any]) -> str:
    """The event name that a notification of the same change has.

    >>> event_name("Object Deleted", {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"})
    'ObjectRemoved:DeleteMarkerCreated'
    """
    reason = str(detail.get("reason"))
    if detail_type == "Object Created":
        return f"ObjectCreated:{_CREATED.get(reason, reason)}"
    if detail_type == "Object Deleted":
        family = "LifecycleExpiration" if reason == "Lifecycle Expiration" else "ObjectRemoved"
        kind = "DeleteMarkerCreated" if detail.get("deletion-type") == "Delete Marker Created" else "Delete"
        return f"{family}:{kind}"
    return _NAMES.get(detail_type, detail_type)


def notification_record(event: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a notification with what an EventBridge event says. Its key is not encoded there: it is here."""
    detail = event["detail"]
    stored = detail["object"]
    record = {
        "eventSource": "aws:s3",
        "eventName": event_name(event["detail-type"], detail),
        "eventTime": event.get("time"),
        "awsRegion": event.get("region"),
        "userIdentity": {"principalId": detail.get("requester")},
        "requestParameters": {"sourceIPAddress": detail.get("source-ip-address")},
        "responseElements": {"x-amz-request-id": detail.get("request-id")},
        "s3": {
            "bucket": {"name": detail["bucket"]["name"], "arn": next(iter(event.get("resources") or ()), None)},
            "object": {
                "key": quote_plus(stored["key"]),
                "size": stored.get("size"),
                "eTag": stored.get("etag"),
                "versionId": stored.get("version-id"),
                "sequencer": stored.get("sequencer"),
            },
        },
        "glacierEventData": {
            "restoreEventData": {
                "lifecycleRestorationExpiryTime": detail.get("restore-expiry-time"),
                "lifecycleRestoreStorageClass": detail.get("source-storage-class"),
            }
        },
        "lifecycleEventData": {
            "transitionEventData": {"destinationStorageClass": detail.get("destination-storage-class")}
        },
        "intelligentTieringEventData": {"destinationAccessTier": detail.get("destination-access-tier")},
    }
    return _without_gaps(record)


def _without_gaps(value: dict[str, Any]) -> dict[str, Any]:
    """An object without the names that have no value, as S3 leaves them out."""
    pruned = {name: _without_gaps(inner) if isinstance(inner, dict) else inner for name, inner in value.items()}
    return {name: inner for name, inner in pruned.items() if inner is not None}
