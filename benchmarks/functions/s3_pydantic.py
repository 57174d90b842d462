"""S3 by hand: Pydantic models for the parts of a notification that are of use, and nothing else."""

from collections import deque
from datetime import datetime
from typing import Annotated
from urllib.parse import unquote_plus

from pydantic import AfterValidator, BaseModel, Field

seen: deque[object] = deque(maxlen=1000)


class Bucket(BaseModel):
    name: str
    arn: str


class Object(BaseModel):
    key: Annotated[str, AfterValidator(unquote_plus)]
    size: int | None = None
    etag: str | None = Field(None, alias="eTag")
    version_id: str | None = Field(None, alias="versionId")
    sequencer: str | None = None


class S3(BaseModel):
    configuration_id: str = Field(alias="configurationId")
    bucket: Bucket
    object: Object


class UserIdentity(BaseModel):
    principal_id: str = Field(alias="principalId")


class RequestParameters(BaseModel):
    source_ip_address: str = Field(alias="sourceIPAddress")


class Record(BaseModel):
    event_name: str = Field(alias="eventName")
    event_time: datetime = Field(alias="eventTime")
    aws_region: str = Field(alias="awsRegion")
    user_identity: UserIdentity = Field(alias="userIdentity")
    request_parameters: RequestParameters = Field(alias="requestParameters")
    s3: S3


class Notification(BaseModel):
    records: list[Record] = Field(alias="Records")


def ingest(upload: Record) -> None:
    seen.append(
        (upload.event_name, upload.event_time, upload.s3.bucket.name, upload.s3.object.key, upload.s3.object.size)
    )


def handler(event: object, context: object) -> None:
    for record in Notification.model_validate(event).records:
        ingest(record)
