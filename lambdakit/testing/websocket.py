"""The clients of a WebSocket API, without the API: what a function posts to them is kept for the test to see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Self

from lambdakit.testing.events.values import ADDRESS, TIME
from lambdakit.websocket import connections


class GoneException(Exception):
    """What the management API answers about a client that is not connected."""


class FakeConnections:
    """Stands for API Gateway's management API, at every endpoint, as long as a ``with`` block lasts.

    Everybody is connected, but for who is in ``gone``; ``disconnect`` puts them there.

    Attributes:
        posted: What was sent to each connection, by its ID: JSON as what it stands for, anything else as it is.
        gone: The IDs of connections that are not, or no more.

    >>> from lambdakit.websocket import Connections
    >>> with FakeConnections() as clients:
    ...     Connections("https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod").post("L0SM9c=", {"text": "hello"})
    >>> clients.posted
    {'L0SM9c=': [{'text': 'hello'}]}
    """

    exceptions = SimpleNamespace(GoneException=GoneException)

    def __init__(self) -> None:
        self.posted: dict[str, list[Any]] = {}
        self.gone: set[str] = set()
        self._before: list[Callable[[str], Any]] = []

    def __enter__(self) -> Self:
        self._before.append(connections.client_of)
        connections.client_of = lambda _: self  # type: ignore[assignment]
        return self

    def __exit__(self, *error: object) -> None:
        connections.client_of = self._before.pop()  # type: ignore[assignment]

    # The operations of boto3's client, by their own names.

    def post_to_connection(self, *, ConnectionId: str, Data: str | bytes) -> None:  # noqa: N803
        """Keep a message."""
        self._check(ConnectionId)
        self.posted.setdefault(ConnectionId, []).append(_decoded(Data))

    def get_connection(self, *, ConnectionId: str) -> dict[str, Any]:  # noqa: N803
        """Tell about a client."""
        self._check(ConnectionId)
        return {
            "ConnectedAt": TIME,
            "LastActiveAt": datetime.now(UTC),
            "Identity": {"SourceIp": ADDRESS, "UserAgent": "lambdakit"},
        }

    def delete_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
        """Let a client go."""
        self._check(ConnectionId)
        self.gone.add(ConnectionId)

    def _check(self, connection_id: str) -> None:
        if connection_id in self.gone:
            raise GoneException(connection_id)


def _decoded(data: str | bytes) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(data)
    except ValueError:
        return data
