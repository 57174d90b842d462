"""WebSocket APIs: what ``@on_websocket`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.triggers.settings import check_choice, check_text
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

if TYPE_CHECKING:
    from lambdakit.binding import Handler as BoundHandler
    from lambdakit.depends import Dependencies
    from lambdakit.http.settings import HttpSettings
    from lambdakit.lane import Lane

Handler = TypeVar("Handler", bound=Callable[..., object])

CONNECT, DISCONNECT, DEFAULT = "$connect", "$disconnect", "$default"

# Where a handler of these finds something; those of messages find the body.
_PLACES = {CONNECT: ("query", "header", "cookie"), DISCONNECT: ()}


def _route_key(record: Record) -> str:
    key: str = record["requestContext"]["routeKey"]
    return key


@dataclass(frozen=True, eq=False, repr=False)
class WebSocketTrigger(Trigger):
    """Events of one route of a WebSocket API.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-develop-routes.html
    """

    source: ClassVar[str] = "websocket"
    labels: ClassVar[frozenset[str]] = frozenset({"apigw_websocket"})
    resource: ClassVar[str] = "route_key"
    noun: ClassVar[str] = "WebSocket event"
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = staticmethod(_route_key)

    route_key: str = ""

    def __post_init__(self) -> None:
        if callable(self.route_key):
            raise TypeError("write @on_websocket with its route's key, as in @on_websocket('$connect')")
        check_text("route_key", self.route_key, 128)
        if not self.route_key:
            raise ValueError("on_websocket takes the key of a route, as '$connect' or 'sendMessage'")
        if self.route_key.startswith("$"):
            check_choice("a route_key with a dollar", self.route_key, (CONNECT, DISCONNECT, DEFAULT))

    @property
    def places(self) -> tuple[str, ...]:
        """Where its handlers find something: marks of ``lambdakit.http``."""
        return _PLACES.get(self.route_key, ("body",))

    def handler(self, function: Callable[..., Any]) -> BoundHandler:
        """A function that is called when a client connects, says something or goes."""
        from lambdakit.websocket.handler import WebSocketHandler

        return WebSocketHandler(function, self)

    @classmethod
    def lane(cls, dependencies: Dependencies, http: HttpSettings | None) -> Lane:
        """The routes of an App."""
        from lambdakit.websocket.lane import WebSocketLane

        return WebSocketLane(cls, dependencies)

    def specificity(self, record: Record) -> Specificity | None:
        """The very route: API Gateway has chosen it."""
        return () if _route_key(record) == self.route_key else None

    @classmethod
    def origin(cls, record: Record) -> str:
        """The route."""
        return f"route {_route_key(record)!r}"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The message, else the connection."""
        context = record["requestContext"]
        return str(context.get("messageId") or context["connectionId"])


def on_websocket(route_key: str) -> Callable[[Handler], Handler]:
    """Run the decorated function for what comes by a route of a WebSocket API.

    By ``$connect`` the function may ask for headers, values of the query and cookies, as under ``on_http``; unless it
    returns, or answers with a status below 300, the client is not connected. By ``$default`` and the API's own routes
    it may ask for the message (a model, a dict, ...); by the latter, where a message is an object, a single value is
    the member of that name, and so are several parameters everywhere. A message that does not fit is answered with the
    status 400 and a problem. The function may always ask for the ``Connection``, which is the way back to the client,
    for the ``WebSocketRequest`` and for the ``Identity``. API Gateway passes what it returns to the client only where
    the route has a route response (two-way communication).

    Args:
        route_key: ``"$connect"``, ``"$disconnect"``, ``"$default"``, or a key that the API's route selection
            expression (``$request.body.action``, mostly) finds in a message.

    Raises:
        ValueError: there can't be such a route.

    >>> from lambdakit.websocket import Connection
    >>> @on_websocket("sendMessage")
    ... def send(text: str, connection: Connection) -> None:
    ...     connection.post({"said": text})
    """
    return mark(WebSocketTrigger(route_key))
