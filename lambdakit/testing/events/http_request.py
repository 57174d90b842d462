"""An HTTP request, before a service gives it a form of its own."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from lambdakit.testing.events.payload_examples import payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import ADDRESS, bytes_of, hexadecimal, names, text_of

Values = Mapping[str, str | Sequence[str]]
"""Headers or a query: each name with its value or values."""

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

_PARAMETER = re.compile(r"\{([\w.-]+)(?::\w+)?(\+?)\}")
_DEFAULT = "$default"


@dataclass(frozen=True)
class Request:
    """A request, and the route that it takes.

    Attributes:
        host: The domain it goes to.
        method: The method, in capitals.
        template: The route's path, with ``{parameters}``.
        path: The path, with the parameters' values, percent-encoded.
        parameters: The parameters of the path, decoded.
        query: The query, a pair a value, decoded.
        headers: Each header with all its values.
        body: The body as text, or base64 where it is binary; None without one.
        is_base64: Whether it is.
    """

    host: str
    method: str
    template: str
    path: str
    parameters: dict[str, str]
    query: list[tuple[str, str]]
    headers: dict[str, list[str]]
    body: str | None
    is_base64: bool

    @property
    def route(self) -> str:
        """``POST /orders/{id}``."""
        return f"{self.method} {self.template}"

    @property
    def query_string(self) -> str:
        """As it stands behind the question mark."""
        return urlencode(self.query)

    @property
    def query_values(self) -> dict[str, list[str]]:
        """Each name of the query with all its values."""
        values: dict[str, list[str]] = {}
        for name, value in self.query:
            values.setdefault(name, []).append(value)
        return values

    @property
    def last_query_values(self) -> dict[str, str]:
        """Each name of the query with its last value."""
        return dict(self.query)

    @property
    def last_headers(self) -> dict[str, str]:
        """Each header with its last value."""
        return {name: values[-1] for name, values in self.headers.items()}

    @property
    def lower_headers(self) -> dict[str, list[str]]:
        """Each header, in lower case, with all its values."""
        return {name.lower(): values for name, values in self.headers.items()}


def joined(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each name with its values, which commas join."""
    return {name: ",".join(several) for name, several in values.items()}


def route_text(route: Source, source: str = "http") -> str:
    """A route, as it was written: by itself or in a decorator."""
    trigger = trigger_of(route, source)
    return str(getattr(trigger, trigger.resource) if trigger else route)


def request(
    route: Source,
    host: str,
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None,
    headers: Values | None,
    body: Any,
) -> Request:
    """The request that a builder's arguments describe.

    Raises:
        ValueError: the route has no such parameter.
    """
    methods, _, target = route_text(route).replace(_DEFAULT, "/").rpartition(" ")
    template, _, written = target.partition("?")
    parameters = _parameters(template, path_parameters or {})
    method = methods.partition("|")[0].upper()
    method = "GET" if method in ("", "ANY") else method
    if body is None and method in ("POST", "PUT", "PATCH"):
        body = payload_for(route, trigger_of(route, "http"))
    content = None if body is None else _encoded(body)
    return Request(
        host,
        method,
        template,
        _PARAMETER.sub(lambda found: quote(parameters[found[1]], safe="/" if found[2] else ""), template),
        parameters,
        parse_qsl(written, keep_blank_values=True) + _pairs(query or {}),
        _headers(host, body, headers or {}),
        content,
        isinstance(body, bytes),
    )


def _parameters(template: str, given: Mapping[str, str]) -> dict[str, str]:
    """A value for each parameter of the path."""
    parameters = {name: "1" for name, _ in _PARAMETER.findall(template)}
    unknown = given.keys() - parameters.keys()
    if unknown:
        raise ValueError(f"the route's path {template!r} has no parameter {{{min(unknown)}}}")
    return parameters | {name: str(value) for name, value in given.items()}


def _encoded(body: Any) -> str:
    return b64encode(body).decode() if isinstance(body, bytes) else text_of(body)


def _pairs(query: Values) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, values in query.items() for value in names(values)]


def _headers(host: str, body: Any, given: Values) -> dict[str, list[str]]:
    trace = f"Root=1-{hexadecimal(8, host)}-{hexadecimal(24, host, body)}"
    usual = {
        "Accept": "*/*",
        **({} if body is None else {"Content-Length": str(len(bytes_of(body))), "Content-Type": _content_type(body)}),
        "Host": host,
        "User-Agent": AGENT,
        "X-Amzn-Trace-Id": trace,
        "X-Forwarded-For": ADDRESS,
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    own = {name.lower() for name in given}
    kept = {name: [value] for name, value in usual.items() if name.lower() not in own}
    return {**kept, **{name: [*names(values)] for name, values in given.items()}}


def _content_type(body: Any) -> str:
    if isinstance(body, str):
        return "text/plain"
    return "application/octet-stream" if isinstance(body, bytes) else "application/json"
