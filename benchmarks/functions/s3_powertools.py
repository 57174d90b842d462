"""S3 with Powertools' parser: its model of a notification; the key is decoded by hand, as it leaves it encoded."""

from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.parser.models import S3Model

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parser.models import S3RecordModel

seen: deque[object] = deque(maxlen=1000)


def ingest(upload: "S3RecordModel") -> None:
    bucket, file = upload.s3.bucket, upload.s3.object
    assert file is not None, "only Glacier's events have none"
    seen.append((upload.eventName, upload.eventTime, bucket.name, unquote_plus(file.key), file.size))


def handler(event: dict[str, Any], context: object) -> None:
    for record in parse(event, S3Model).Records:
        ingest(record)
