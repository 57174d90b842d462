"""S3 with lambdakit."""

from collections import deque

from lambdakit import App, on_s3
from lambdakit.events import S3Record

seen: deque[object] = deque(maxlen=1000)


@on_s3("uploads")
def ingest(upload: S3Record) -> None:
    seen.append((upload.event_name, upload.event_time, upload.bucket, upload.key, upload.size))


handler = App(__name__)
