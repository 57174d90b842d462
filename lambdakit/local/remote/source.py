"""What every source at an endpoint is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.local.remote.failures import answer_of
from lambdakit.local.sources.source import EventSource

if TYPE_CHECKING:
    from lambdakit.local.remote.calls import Calls
    from lambdakit.local.remote.endpoint import Endpoint
    from lambdakit.local.sources.source import Place

LOG = logging.getLogger("lambdakit.local.remote")
"""What goes wrong while nobody calls: what can't be reached, and is tried again."""


class RemoteSource(EventSource):
    """A source at an endpoint.

    Args:
        resource: Its ARN, its name or, of a queue, its URL.
        name: Its name.
        place: Where the local Lambda is.
        calls: What has requests made; asked for when it is needed.
        endpoint: Where the source is reached.
        wait: How long the service may wait before it answers, in seconds.

    Attributes:
        arn: Its ARN; if that was not given, once the source was mapped.
    """

    is_here: ClassVar[bool] = False
    service: ClassVar[str]
    """What boto3 calls the service."""

    def __init__(
        self,
        resource: str,
        name: str,
        place: Place,
        calls: Callable[[], Calls],
        endpoint: Endpoint,
        *,
        wait: int = 0,
    ) -> None:
        super().__init__(name, place, resource if resource.startswith("arn:") else "")
        self._resource = resource
        self._find_calls = calls
        self._endpoint = endpoint
        self._wait = wait

    @cached_property
    def calls(self) -> Calls:
        """What has its requests made."""
        return self._find_calls()

    @cached_property
    def client(self) -> Any:
        """Its client, of boto3."""
        return self._endpoint.open(self.service, self._resource, self.place.region, self._wait)

    def connect(self) -> None:
        """Look up what it is like, for a mapping.

        Raises:
            ClockError: the local Lambda is on virtual time.
            ModuleNotFoundError: boto3 is not installed.
            SourceError: it is not there, or can't be reached: with AWS's code, or the name of boto3's exception.
        """
        _ = self.calls
        answer_of(self._look_up)

    def _look_up(self) -> None:
        raise NotImplementedError
