"""HTTPX's client, whose requests go through a front door to a function of the local Lambda."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from greenlet import getcurrent, greenlet

from lambdakit.local.front_doors.exchange import Exchange
from lambdakit.local.front_doors.messages import Request

try:
    import httpx
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "the client of a front door needs httpx: pip install 'lambdakit[local]'", name="httpx"
    ) from error

if TYPE_CHECKING:
    from lambdakit.local.front_doors.door import FrontDoor
    from lambdakit.local.function import Function


class Client(httpx.Client):
    """An ``httpx.Client`` for a function behind a front door; ``LocalLambda.http`` makes it.

    A request runs the clock until it is answered. Cookies are kept, and ``auth``, ``files=``, ``follow_redirects`` and
    the rest are as in HTTPX: https://www.python-httpx.org/api/#client. Its timeouts are none of the service's time.

    Each response has the invocation that it came from, None where no function was asked, and what was wrong with the
    function's reply where the door refused it: ``response.extensions["invocation"]``, ``...["problem"]``.

    Attributes:
        front_door: The front door.
    """

    def __init__(self, front_door: FrontDoor, function: Function) -> None:
        self.front_door = front_door
        super().__init__(base_url=front_door.url, transport=FrontDoorTransport(front_door, function), trust_env=False)

    def burst(self, requests: Iterable[httpx.Request]) -> list[httpx.Response]:
        """Send several requests, which all arrive at this instant, and run the clock until the last one is answered.

        Raises:
            Exception: what ``send`` raises for one of them.

        >>> import time
        >>> from lambdakit.local import LocalLambda
        >>> def handler(event, context):
        ...     time.sleep(1)
        >>> local = LocalLambda()
        >>> client = local.http(local.deploy(handler, reserved_concurrency=2))
        >>> responses = client.burst(client.build_request("GET", "/") for _ in range(3))
        >>> [response.status_code for response in responses].count(503)
        1
        """
        senders = [_Sender(self, request) for request in requests]
        waiting = [sender for sender in senders if sender.proceeds()]
        while waiting:
            _wait(self.front_door, [sender.exchange for sender in waiting])
            waiting = [sender for sender in waiting if sender.exchange.response is None or sender.proceeds()]
        return [sender.response for sender in senders]


class _Sender(greenlet):
    """Sends a request of a burst, and lets others go on while it waits: at each redirect, for one, it waits again."""

    def __init__(self, client: Client, request: httpx.Request) -> None:
        super().__init__(self._send)
        self._client = client
        self._request = request
        self.exchange: Exchange
        self.response: httpx.Response

    def proceeds(self) -> bool:
        """Go on until it waits or is done: whether it waits."""
        self.exchange = self.switch()
        return not self.dead

    def _send(self) -> None:
        self.response = self._client.send(self._request)


class FrontDoorTransport(httpx.BaseTransport):
    """Hands HTTPX's requests to a front door."""

    def __init__(self, front_door: FrontDoor, function: Function) -> None:
        self._door = front_door
        self._function = function

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and let time pass until it is answered."""
        exchange = Exchange(self._door, self._function, _request(request))
        exchange.begin()
        here = getcurrent()
        if isinstance(here, _Sender):
            assert here.parent is not None
            here.parent.switch(exchange)
        else:
            _wait(self._door, [exchange])
        return _response(exchange)


def _wait(door: FrontDoor, exchanges: Sequence[Exchange]) -> None:
    """Let time pass until one of them is answered."""
    door.place.clock.run_while(lambda: all(exchange.response is None for exchange in exchanges))
    assert any(exchange.response for exchange in exchanges), "a front door answers always"


def _request(request: httpx.Request) -> Request:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    return Request(
        request.method,
        path,
        query,
        [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
        request.read(),
        scheme=request.url.scheme,
        port=request.url.port or (443 if request.url.scheme == "https" else 80),
    )


def _response(exchange: Exchange) -> httpx.Response:
    response = exchange.response
    assert response is not None, "it was waited for"
    return httpx.Response(
        response.status,
        headers=[(name.encode(), value.encode()) for name, value in response.headers],
        stream=httpx.ByteStream(response.body),  # as content= would replace a Content-Length
        extensions={"invocation": exchange.invocation, "problem": exchange.problem},
    )
