"""Objects that are put into a local S3 bucket in parts.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lambdakit.local.sources.s3_object import MALFORMED, digest_of
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import bytes_of

if TYPE_CHECKING:
    from lambdakit.local.sources.bucket import Bucket
    from lambdakit.local.sources.s3_object import S3Object

_SMALLEST_PART = 5 * 1024 * 1024


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
        return digest_of(self.parts[number]).hex()

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
        etag = f"{digest_of(b''.join(map(digest_of, bodies))).hex()}-{len(bodies)}"
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
            parts = [(number, digest_of(self.parts[number]).hex()) for number in sorted(self.parts)]
        if not parts:
            raise SourceError("MalformedXML", f"{MALFORMED} An upload has one part or more.")
        numbers = [number for number, _ in parts]
        if numbers != sorted(set(numbers)):
            message = "The list of parts was not in ascending order. Parts must be ordered by part number."
            raise SourceError("InvalidPartOrder", message)
        return parts

    def _part(self, number: int, etag: str) -> bytes:
        body = self.parts.get(number)
        if body is None or digest_of(body).hex() != etag.strip('"'):
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
