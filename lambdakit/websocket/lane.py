"""The lane of WebSocket APIs: from an event to its route, from what that returns to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdakit.http.errors import HTTPError, RequestValidationError
from lambdakit.http.lane import RequestLane
from lambdakit.websocket.request import WebSocketRequest

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest
    from lambdakit.http.response import Reply
    from lambdakit.middleware import Invocation
    from lambdakit.websocket.handler import WebSocketHandler


class WebSocketLane(RequestLane):
    """The routes of WebSocket APIs that an App takes."""

    def run(self, event: Any, invocation: Invocation) -> Any:
        """Answer an event of a connection.

        Raises:
            NoHandlerError: no handler takes its route.
            EventValidationError: it has no route or no connection.
            Exception: what the handler raised, but for HTTPError, which is an answer.
        """
        request = WebSocketRequest(event)
        return request.document(self._reply(request, invocation))

    def _answered(self, request: HttpRequest, invocation: Invocation) -> Reply:
        [target] = self.routes([request.event])
        if target is None:
            raise self.nobody(request.event, invocation.source)
        handler: WebSocketHandler = target.handlers[0]  # type: ignore[assignment]
        try:
            self._provide(handler, request, invocation)
            return handler.writer.reply(self.loop.settled(target.run(request.event, invocation)))
        except RequestValidationError as error:
            raise HTTPError(400, error.detail, errors=error.errors) from error
