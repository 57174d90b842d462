"""Compressed responses, for clients that take gzip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdakit.http.response import Reply, is_text

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest


def compress_reply(request: HttpRequest, reply: Reply, minimum_size: int) -> None:
    """Compress the body of a reply if it is text, large enough, and the client takes it."""
    content_type = reply.headers.get("content-type", "")
    if not is_text(content_type) or "content-encoding" in reply.headers:
        return
    body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
    if not body or len(body) < minimum_size:
        return
    reply.headers.add("vary", "Accept-Encoding")
    if takes_gzip(request.headers.get("accept-encoding", "")):
        from gzip import compress

        reply.headers["content-encoding"] = "gzip"
        reply.body = compress(body, compresslevel=6, mtime=0)


def takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header takes gzip.

    >>> takes_gzip("br;q=1.0, gzip;q=0.8"), takes_gzip("gzip;q=0, *")
    (True, False)
    """
    weights = dict(_weights(accepted))
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weights(accepted: str) -> list[tuple[str, float]]:
    return [
        (coding.strip().lower(), _weight(parameters))
        for coding, _, parameters in (part.partition(";") for part in accepted.split(","))
    ]


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
