"""A whole Lambda function: run it with `lambdakit invoke examples.quickstart.handler --sample s3`."""

from lambdakit import App, on_s3
from lambdakit.events import S3Record


@on_s3("uploads", suffix=".csv")
def ingest(upload: S3Record) -> str:
    """Tell what was uploaded; the key is decoded already."""
    print(f"{upload.bucket}/{upload.key}: {upload.size} bytes")
    return upload.key


handler = App(__name__)

if __name__ == "__main__":
    from lambdakit.testing import events

    print(handler(events.s3("uploads", "march 2026.csv", size=2048)))
