"""What a WebSocket API sends: that a client connects, says something, goes.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-route-keys-connect-disconnect.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-mapping-template-reference.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.errors import EventValidationError
from lambdakit.http.apigw_v1 import ApiGatewayV1Request
from lambdakit.http.request import FrontDoor, text

if TYPE_CHECKING:
    from lambdakit.http.response import Reply
    from lambdakit.websocket.connections import Connection


class WebSocketRequest(ApiGatewayV1Request):
    """One event of a connection. Headers, query and cookies are those of the client's handshake: ``$connect`` has them.

    Attributes:
        route_key: The key of the route: ``$connect``, ``$disconnect``, ``$default``, or one of the API's own.
        connection_id: The connection, as long as it lasts.

    Raises:
        EventValidationError: the event has no route or no connection.
    """

    front_door: ClassVar[FrontDoor] = "apigw_websocket"

    def _start_line(self, event: Any) -> tuple[str, str]:
        context = event["requestContext"]
        self.route_key = text(context["routeKey"])
        self.connection_id = text(context["connectionId"])
        return "GET", "/"

    def _base_path(self) -> str:
        return ""

    def __repr__(self) -> str:
        return f"<WebSocketRequest {self.route_key} of {self.connection_id}>"

    @property
    def connection(self) -> Connection:
        """The connection: the way back to the client."""
        from lambdakit.websocket.connections import Connection, endpoint_of

        return Connection(self.connection_id, endpoint_of(self.domain_name, self.stage))

    @property
    def domain_name(self) -> str:
        """The domain that the client connected to."""
        return self._about("domainName")

    @property
    def stage(self) -> str:
        """The API's stage."""
        return self._about("stage")

    @property
    def message_id(self) -> str:
        """What tells a message from others; ``""`` of ``$connect`` and ``$disconnect``."""
        return self._about("messageId")

    @property
    def connected_at(self) -> datetime:
        """Since when the client is connected.

        Raises:
            EventValidationError: the event does not say.
        """
        milliseconds = self.request_context.get("connectedAt")
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)  # type: ignore[operator]
        except (TypeError, ValueError, OverflowError, OSError) as error:
            problem = "requestContext.connectedAt: it is milliseconds of Unix time"
            raise EventValidationError("the reading of a request", "WebSocket event", [problem]) from error

    @property
    def disconnect_status_code(self) -> int | None:
        """Why the connection was closed, by RFC 6455; ``$disconnect`` alone has it."""
        code = self.request_context.get("disconnectStatusCode")
        return code if isinstance(code, int) else None

    @property
    def disconnect_reason(self) -> str:
        """Why the connection was closed, in words."""
        return self._about("disconnectReason")

    @property
    def subprotocols(self) -> list[str]:
        """The subprotocols that the client offers to speak, in its order of preference."""
        offered = self.headers.get("sec-websocket-protocol", "").split(",")
        return [name.strip() for name in offered if name.strip()]

    def document(self, reply: Reply) -> dict[str, Any]:
        """What API Gateway takes: whether it went well, what the client is told, the subprotocol that is spoken."""
        body, is_base64 = reply.encoded_body()
        headers = {_NAMES.get(n, n): value for n, value in reply.headers.joined().items() if n != "content-type"}
        return {
            "statusCode": reply.status,
            **({"headers": headers} if headers else {}),
            **({"body": body} if body else {}),
            **({"isBase64Encoded": True} if is_base64 else {}),
        }

    def _about(self, name: str) -> str:
        found = self.request_context.get(name)
        return found if isinstance(found, str) else ""


# As API Gateway's documentation writes it, which does not say whether case matters there.
_NAMES = {"sec-websocket-protocol": "Sec-WebSocket-Protocol"}
