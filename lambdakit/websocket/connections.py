"""The way back to the clients of a WebSocket API.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html
"""

from __future__ import annotations

import os
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from lambdakit.errors import LambdakitError
from lambdakit.http.writer import json_of

ENDPOINT = "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"
"""Where AWS's tools and SDKs, and so a test, name another endpoint than AWS's."""


class ConnectionGone(LambdakitError):
    """A client is not connected: it has gone, or is about to be connected still.

    Args:
        connection_id: The connection.
    """

    def __init__(self, connection_id: str) -> None:
        super().__init__(connection_id)
        self.connection_id = connection_id

    def __str__(self) -> str:
        return f"connection {self.connection_id!r} is gone, or not established before its $connect handler returns"


class ConnectionInfo(NamedTuple):
    """What API Gateway knows of a connection."""

    connected_at: datetime
    last_active_at: datetime
    source_ip: str
    user_agent: str


class Connections:
    """The clients that are connected to a stage of a WebSocket API, for whoever has something to tell them.

    It calls the management API through boto3, which Lambda has; the function's role needs
    ``execute-api:ManageConnections``.

    Args:
        endpoint: Of the stage: ``https://{api}.execute-api.{region}.amazonaws.com/{stage}``, or of the custom domain.
    """

    def __init__(self, endpoint: str) -> None:
        if not endpoint.startswith(("https://", "http://")):
            raise ValueError(f"an endpoint is a URL, as 'https://a1b2.execute-api.../prod', not {endpoint!r}")
        self.endpoint = endpoint

    def __repr__(self) -> str:
        return f"Connections({self.endpoint!r})"

    def post(self, connection_id: str, data: Any) -> None:
        """Send a client a message, of 128 KB at most.

        Args:
            connection_id: The connection.
            data: Text and bytes as they are, anything else (a model, ...) as JSON.

        Raises:
            ConnectionGone: the client is not connected.
            botocore.exceptions.ClientError: API Gateway refuses it otherwise.
        """
        content = data if isinstance(data, str | bytes) else json_of(data)
        self._call("post_to_connection", connection_id, Data=content)

    def get(self, connection_id: str) -> ConnectionInfo:
        """What is known of a connection.

        Raises:
            ConnectionGone: the client is not connected.
            botocore.exceptions.ClientError: API Gateway refuses to tell.
        """
        found = self._call("get_connection", connection_id)
        about = found.get("Identity", {})
        return ConnectionInfo(
            found["ConnectedAt"], found["LastActiveAt"], about.get("SourceIp", ""), about.get("UserAgent", "")
        )

    def disconnect(self, connection_id: str) -> None:
        """Close a connection; its ``$disconnect`` handler is called.

        Raises:
            ConnectionGone: the client is not connected.
            botocore.exceptions.ClientError: API Gateway refuses to.
        """
        self._call("delete_connection", connection_id)

    def _call(self, operation: str, connection_id: str, **parameters: Any) -> Any:
        client = client_of(os.environ.get(ENDPOINT) or self.endpoint)
        try:
            return getattr(client, operation)(ConnectionId=connection_id, **parameters)
        except client.exceptions.GoneException as error:
            raise ConnectionGone(connection_id) from error


class Connection:
    """A client that is connected to a WebSocket API, and the way back to it.

    Args:
        connection_id: The connection; what a table keeps to find it again.
        endpoint: As of ``Connections``.
    """

    def __init__(self, connection_id: str, endpoint: str) -> None:
        self.connection_id = connection_id
        self.connections = Connections(endpoint)

    def __repr__(self) -> str:
        return f"Connection({self.connection_id!r}, {self.connections.endpoint!r})"

    @property
    def endpoint(self) -> str:
        """The endpoint of the stage."""
        return self.connections.endpoint

    def post(self, data: Any) -> None:
        """Send the client a message; not before its ``$connect`` handler has returned."""
        self.connections.post(self.connection_id, data)

    def get(self) -> ConnectionInfo:
        """What is known of the connection."""
        return self.connections.get(self.connection_id)

    def disconnect(self) -> None:
        """Close the connection."""
        self.connections.disconnect(self.connection_id)


@cache
def client_of(endpoint: str) -> Any:
    """boto3's client of an endpoint; ``lambdakit.testing.websocket`` has another."""
    return import_module("boto3").client("apigatewaymanagementapi", endpoint_url=endpoint)


def endpoint_of(domain_name: str, stage: str) -> str:
    """The endpoint of a stage: at a custom domain the mapping stands for the stage."""
    is_aws = ".execute-api." in domain_name
    return f"https://{domain_name}/{stage}" if is_aws else f"https://{domain_name}"
