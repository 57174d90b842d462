"""Objects of a local S3 bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import md5

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema."
"""What S3 says of a request whose parts are wrong in number or value."""


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

    def is_version(self, version_id: str) -> bool:
        """Whether that is its version; ``"null"`` is the one without an id."""
        return (self.version_id or "null") == version_id


def digest_of(body: bytes) -> bytes:
    """The MD5, which is S3's ETag in hexadecimal digits."""
    return md5(body, usedforsecurity=False).digest()
