"""Where a source is reached: how its boto3 client is made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlsplit

from lambdakit.testing.events.values import region_of

CONNECT_SECONDS = 5
READ_SECONDS = 10
"""How long a connection, and then an answer, is waited for, beside what the service itself waits."""
MOST_CONNECTIONS = 64

_REGION = re.compile(r"\b[a-z]{2}(-[a-z]+)+-\d\b")


class EndpointSettings(TypedDict, total=False):
    """Where a source is reached.

    Attributes:
        endpoint_url: Where the service is; by default where a queue's URL or boto3's configuration says, or AWS.
        region_name: The AWS Region; by default that of the ARN or URL, of the session, or of the local Lambda.
        session: A ``boto3.Session``, with the credentials; by default a new one, which finds them as boto3 does.
        client: A boto3 client to use as it is, in place of these.
    """

    endpoint_url: str | None
    region_name: str | None
    session: Any
    client: Any


@dataclass(frozen=True)
class Endpoint:
    """Where a source is reached: see ``EndpointSettings``."""

    endpoint_url: str | None = None
    region_name: str | None = None
    session: Any = None
    client: Any = None

    def open(self, service: str, resource: str, region: str, wait: int = 0) -> Any:
        """A client.

        Args:
            service: As boto3 calls it.
            resource: The ARN, the URL or the name of what is asked for.
            region: The Region where nothing else tells it.
            wait: How long the service may wait before it answers, in seconds.

        Raises:
            ModuleNotFoundError: boto3 is not installed.
            BotoCoreError: boto3 does not take a setting.
        """
        if self.client is not None:
            return self.client
        session = self.session or _boto3().Session()
        return session.client(
            service,
            endpoint_url=self.endpoint_url or _origin(resource),
            region_name=self.region_name or _region(resource) or session.region_name or region,
            config=_config(wait),
        )


def _boto3() -> Any:
    try:
        import boto3  # type: ignore[import-untyped]
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a source at an endpoint is polled through boto3: pip install boto3", name="boto3"
        ) from error
    return boto3


def _config(wait: int) -> Any:
    """Nothing is tried again by boto3: mappings do, and know better."""
    from botocore.config import Config  # type: ignore[import-untyped]

    return Config(
        retries={"total_max_attempts": 1},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS + wait,
        max_pool_connections=MOST_CONNECTIONS,
    )


def _region(resource: str) -> str | None:
    """The Region in an ARN, or in a URL of AWS's."""
    if resource.startswith("arn:"):
        return region_of(resource)
    found = _REGION.search(urlsplit(resource).netloc)
    return found and found[0]


def _origin(resource: str) -> str | None:
    """The endpoint that a URL is of."""
    url = urlsplit(resource)
    return f"{url.scheme}://{url.netloc}" if url.netloc else None
