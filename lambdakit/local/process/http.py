"""As much of HTTP/1.1 as runtime clients speak to the Runtime API, without waiting for the network."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from lambdakit.local.outcome import compact_json

if TYPE_CHECKING:
    from lambdakit.local.process.clock import RealClock

# awslambdaric sends a traceback of up to 1 MiB as a header; a RecursionError alone comes to more than 64 KiB.
_MAX_HEAD_BYTES = 1_048_576 + 8_192
_CHUNK_BYTES = 262_144


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request of the runtime; the names of the headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP response to a ``Call``."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def encode(self) -> bytes:
        """The response as HTTP/1.1 writes it, its length announced: the runtime's client keeps its connection."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        return "\r\n".join((*lines, "\r\n")).encode() + self.body


def error(status: int, error_type: str, message: str) -> Answer:
    """A refusal, as the Runtime API words it."""
    return Answer(status, compact_json({"errorMessage": message, "errorType": error_type}))


class Requests:
    r"""What a runtime sends, as it comes in, cut into requests.

    >>> requests = Requests()
    >>> requests.feed(b"GET /ping HTTP/1.1\r\nHost: ")
    []
    >>> requests.feed(b"localhost\r\n\r\n")
    [Call(method='GET', path='/ping', headers={'host': 'localhost'}, body=b'')]
    """

    def __init__(self) -> None:
        self._unread = bytearray()
        self._head: Call | None = None
        self._length = 0

    def feed(self, data: bytes) -> list[Call]:
        """Take in some bytes; the requests that are complete with them.

        Raises:
            ValueError: it is no request, or has a body of unknown length.
        """
        self._unread += data
        calls: list[Call] = []
        while (self._head or self._read_head()) and len(self._unread) >= self._length:
            calls.append(self._complete())
        return calls

    def _read_head(self) -> Call | None:
        """The head of the next request, if it is there; the body comes next."""
        end = self._unread.find(b"\r\n\r\n")
        if (len(self._unread) if end < 0 else end) > _MAX_HEAD_BYTES:
            raise ValueError(f"The head of the request is longer than {_MAX_HEAD_BYTES} bytes.")
        if end >= 0:
            self._head = _head(self._unread[:end].decode("latin-1"))
            self._length = _length(self._head)
            del self._unread[: end + 4]
        return self._head

    def _complete(self) -> Call:
        head, body = self._head, bytes(self._unread[: self._length])
        assert head is not None, "its head was read before"
        del self._unread[: self._length]
        self._head = None
        return Call(head.method, head.path, head.headers, body) if body else head


def _head(text: str) -> Call:
    request, *lines = text.split("\r\n")
    method, path, _ = request.split(" ")
    return Call(
        method, path, {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    )


def _length(head: Call) -> int:
    if "transfer-encoding" in head.headers:
        raise ValueError("Streamed responses are not supported: send the body with a Content-Length.")
    return int(head.headers.get("content-length", 0))


class Connection:
    """A connection of the runtime's; ``take`` is called with it and each request that comes in.

    All of it happens in the clock's thread, and none of it waits. While an answer is on its way nothing is read.
    """

    def __init__(self, clock: RealClock, connection: socket.socket, take: Callable[[Connection, Call], None]) -> None:
        self._clock = clock
        self._socket = connection
        self._take = take
        self._requests = Requests()
        self._unsent = memoryview(b"")
        self._refused = False
        self._open = True
        connection.setblocking(False)
        clock.watch(connection, self._receive)

    def send(self, answer: Answer) -> None:
        """Send an answer; what the kernel does not take at once is sent when it does."""
        self._unsent = memoryview(bytes(self._unsent) + answer.encode())
        self._flush()

    def close(self) -> None:
        """Hang up."""
        if self._open:
            self._open = False
            self._clock.unwatch(self._socket)
            self._socket.close()

    def _flush(self) -> None:
        if not self._open:
            return
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # the runtime is gone; what became of it, its exit status tells
            self.close()
            return
        if self._unsent:
            self._clock.watch(self._socket, self._flushed, writing=True)

    def _flushed(self) -> None:
        self._flush()
        if self._open and not self._unsent:
            self._clock.watch(self._socket, self._receive)

    def _receive(self) -> None:
        data = self._read()
        if data is None or self._refused:
            return
        try:
            calls = self._requests.feed(data)
        except ValueError as problem:
            self._refuse(problem)
            return
        for call in calls:
            self._take(self, call)

    def _read(self) -> bytes | None:
        """What has come; None if nothing has, or nothing more will."""
        try:
            data = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self.close()
        return data or None

    def _refuse(self, problem: ValueError) -> None:
        """Say what is wrong, and wait for the other side to hang up, lest it does not see the answer."""
        self._refused = True
        self.send(error(400, "BadRequest", str(problem)))
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
