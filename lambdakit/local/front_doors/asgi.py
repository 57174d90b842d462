"""A front door as an ASGI application, for a server of HTTP to run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lambdakit.local.front_doors.door import json_answer
from lambdakit.local.front_doors.exchange import Exchange
from lambdakit.local.front_doors.invoke_api import InvokeExchange, is_invoke
from lambdakit.local.front_doors.messages import Request, Response
from lambdakit.local.outcome import MAX_REQUEST_BYTES

if TYPE_CHECKING:
    from lambdakit.local.front_doors.door import FrontDoor
    from lambdakit.local.front_doors.swagger_ui import SwaggerUi
    from lambdakit.local.function import Function
    from lambdakit.local.service import LocalLambda

_CLOSING = json_answer(503, '{"message":"The server is closed"}')

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Seen = Callable[[Request, Exchange], None]
"""Told of each request that a front door has answered."""


class Application:
    """A front door, with the Invoke API beside it.

    A request is read to its end before the function is asked: a slow client holds no environment.

    Args:
        local: The service.
        door: The front door.
        function: The function behind it.
        pages: The pages beside it, or None.
        seen: Told of each request that was answered.
    """

    def __init__(
        self, local: LocalLambda, door: FrontDoor, function: Function, pages: SwaggerUi | None, seen: Seen
    ) -> None:
        self._local = local
        self._door = door
        self._function = function
        self._pages = pages
        self._seen = seen

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        try:
            body = await _read(receive, max(self._door.max_body, MAX_REQUEST_BYTES))
            if body is not None:
                await _write(send, await self._answer(_request(scope, body)))
        except asyncio.CancelledError:
            await _write(send, _CLOSING)

    async def _answer(self, request: Request) -> Response:
        page = self._pages.answer(request) if self._pages else None
        if page is not None:
            return page
        answered = _Signal()
        if is_invoke(request):
            return await answered.response_of(InvokeExchange(self._local, request, answered.give))
        exchange = Exchange(self._door, self._function, request, answered.give)
        response = await answered.response_of(exchange)
        self._seen(request, exchange)
        return response


class _Signal:
    """From the clock's thread to that of the event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def give(self) -> None:
        """It is answered."""
        with suppress(RuntimeError):  # the server is closed, and so is its loop
            self._loop.call_soon_threadsafe(self._event.set)

    async def response_of(self, exchange: Exchange | InvokeExchange) -> Response:
        """Begin it, and wait for its answer."""
        exchange.begin()
        await self._event.wait()
        assert exchange.response is not None, "it is answered"
        return exchange.response


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The body, of which no more is kept than tells that it is too large; None if the client is gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")[: limit + 1 - len(body)]
        if not message.get("more_body"):
            return bytes(body)


def _request(scope: Message, body: bytes) -> Request:
    return Request(
        scope["method"],
        scope["raw_path"].decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
        body,
        scheme=scope["scheme"],
        port=scope["server"][1],
        source_ip=scope["client"][0],
    )


async def _write(send: Send, response: Response) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})
