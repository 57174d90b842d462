"""A marked function under a route of a WebSocket API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdakit.binding import mentions_event_model
from lambdakit.http.handler import RequestHandler, writer_of
from lambdakit.http.parameters import Body, Query, mark_of
from lambdakit.http.parts import REQUIRED, is_body
from lambdakit.triggers.websocket import CONNECT, DEFAULT, DISCONNECT
from lambdakit.websocket.connections import Connection
from lambdakit.websocket.request import WebSocketRequest

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

    from lambdakit.http.parameters import Mark
    from lambdakit.http.parts import Part
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.websocket import WebSocketTrigger


class WebSocketHandler(RequestHandler):
    """A function that is called when a client connects, says something or goes.

    Attributes:
        writer: Makes a reply of what it returns.

    Raises:
        RegistrationError: it asks for what its route does not have, or returns what can't be sent.
    """

    trigger: WebSocketTrigger

    def __init__(self, function: Callable[..., Any], trigger: WebSocketTrigger) -> None:
        super().__init__(function, trigger)
        self.writer = writer_of(function, 200)

    def _given(self, annotation: Any) -> Callable[[Invocation], Any] | None:
        if annotation is WebSocketRequest:
            return lambda invocation: invocation.request
        if annotation is Connection:
            return lambda invocation: invocation.request.connection  # type: ignore[union-attr]  # there is one
        return super()._given(annotation)

    def _part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        if mentions_event_model(annotation):
            self._refuse_type(parameter, annotation)
        places = self.trigger.places
        mark = mark_of(annotation) or self._mark_for(annotation)
        if mark.place not in places and parameter.default is REQUIRED:
            raise TypeError(f"what comes by {self.trigger.route_key!r} has no {mark.place}")
        return mark.part(parameter, annotation)

    def _mark_for(self, annotation: Any) -> Mark:
        """Of the handshake a value of the query; of a message all of it, or one of the members that name its route."""
        if is_body(annotation) or self.trigger.route_key == DEFAULT:
            return Body()
        return Body(embed=True) if "body" in self.trigger.places else Query()

    def _offer(self) -> str:
        if self.trigger.route_key == DISCONNECT:
            parts = ""
        elif self.trigger.route_key == CONNECT:
            parts = "values of the query (Query), headers (Header) and cookies (Cookie), "
        else:
            parts = "the message (a model, a dict, ...) or members of it by their names, "
        return (
            f"A handler of {self.trigger} may ask for {parts}Connection, WebSocketRequest, Identity, LambdaContext, "
            "Annotated[T, Depends(f)]."
        )
