"""Requests and responses of HTTP, as a front door takes and gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Pairs = Sequence[tuple[str, str]]
"""Names, each with a value, in order; a name may come again."""

# What is about one connection, and never passed on: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1.
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read to its end.

    Attributes:
        method: The method, in capitals.
        path: The path, percent-encoded as the client sent it.
        query: What stands behind the question mark, as the client sent it.
        headers: The headers, in order, with the names as the client wrote them.
        body: The body.
        scheme: ``"https"`` or ``"http"``.
        port: The port it was sent to.
        source_ip: The client's address.
    """

    method: str
    path: str
    query: str = ""
    headers: Pairs = ()
    body: bytes = b""
    scheme: str = "https"
    port: int = 443
    source_ip: str = "203.0.113.10"  # nobody's: https://www.rfc-editor.org/rfc/rfc5737

    def header(self, name: str) -> str:
        """The last value of a header; ``""`` without one."""
        name = name.lower()
        return next((value for given, value in reversed(self.headers) if given.lower() == name), "")

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in small letters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def host(self) -> str:
        """The host it was sent to, without a port."""
        host = self.header("host").lower()
        return host if host.endswith("]") else host.rpartition(":")[0] or host


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    headers: Pairs = ()
    body: bytes = b""

    def sent(self, method: str, extra: Pairs) -> Response:
        """As it goes out: with a Content-Length, without a body where HTTP has none, with more headers."""
        dropped = {*HOP_BY_HOP, "content-length", *(name.lower() for name, _ in extra)}
        headers = [pair for pair in self.headers if pair[0].lower() not in dropped]
        if self.status in (204, 304):
            return Response(self.status, [*headers, *extra])
        headers = [*headers, ("Content-Length", str(len(self.body))), *extra]
        return Response(self.status, headers, b"" if method == "HEAD" else self.body)


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Each name with all its values."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def last(pairs: Pairs) -> dict[str, str]:
    """Each name with its last value."""
    return dict(pairs)


def joined(pairs: Pairs) -> dict[str, str]:
    """Each name with its values, which commas join."""
    return {name: ",".join(values) for name, values in grouped(pairs).items()}


def lower(pairs: Pairs) -> Pairs:
    """The names in small letters."""
    return [(name.lower(), value) for name, value in pairs]
