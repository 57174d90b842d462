"""Cross-origin requests: the answer to a preflight, and the headers of the others.

Source: https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lambdakit.http.response import Reply

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest
    from lambdakit.http.settings import Cors


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks what a script may do."""
    return request.method == "OPTIONS" and {"origin", "access-control-request-method"} <= {*request.headers}


def preflight(cors: Cors, request: HttpRequest, methods: Sequence[str]) -> Reply:
    """The answer to a preflight of a path whose routes take those methods."""
    reply = Reply(204)
    asked = request.headers.get("access-control-request-headers", "")
    headers = {
        "access-control-allow-methods": ",".join(cors.allow_methods or methods),
        # named one by one: browsers do not count Authorization to "*"
        "access-control-allow-headers": asked if "*" in cors.allow_headers else ",".join(cors.allow_headers),
        "access-control-max-age": "" if cors.max_age is None else str(cors.max_age),
    }
    reply.headers.update({name: value for name, value in headers.items() if value})
    return reply


def allow(cors: Cors, request: HttpRequest, reply: Reply) -> None:
    """Put the headers on a reply that let a script of the request's origin see it, if it may."""
    origin = request.headers.get("origin")
    any_origin = "*" in cors.allow_origins
    if not any_origin:
        reply.headers.add("vary", "Origin")
    if origin is None or not (any_origin or origin in cors.allow_origins):
        return
    reply.headers["access-control-allow-origin"] = "*" if any_origin else origin
    if cors.allow_credentials:
        reply.headers["access-control-allow-credentials"] = "true"
    if cors.expose_headers:
        reply.headers["access-control-expose-headers"] = ",".join(cors.expose_headers)
