"""Application Load Balancers, with the function as their target.

Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from lambdakit.local.front_doors.door import (
    MEGABYTE,
    Arrival,
    Event,
    FrontDoor,
    Trouble,
    body_bytes,
    malformed,
    parsed,
    several_headers,
    single_headers,
    text_or_base64,
    with_content_type,
)
from lambdakit.local.front_doors.messages import Response, grouped, last, lower
from lambdakit.testing.events.values import hexadecimal

if TYPE_CHECKING:
    from lambdakit.local.front_doors.messages import Pairs, Request
    from lambdakit.local.outcome import Reply
    from lambdakit.local.sources.source import Place

_TEXTS = {"application/json", "application/javascript", "application/xml"}


def _page(status: int, phrase: str) -> Response:
    title = f"{status} {phrase}"
    lines = (
        "<html>",
        f"<head><title>{title}</title></head>",
        "<body>",
        f"<center><h1>{title}</h1></center>",
        "</body>",
        "</html>",
        "",
    )
    return Response(status, [("Server", "awselb/2.0"), ("Content-Type", "text/html")], "\r\n".join(lines).encode())


_TOO_LARGE = _page(413, "Request Entity Too Large")
_BAD_GATEWAY = _page(502, "Bad Gateway")


class LoadBalancer(FrontDoor):
    """An Application Load Balancer, which waits as long as the function may take.

    Args:
        place: The account and Region.
        function: The function's name.
        multi_value_headers: Whether the target group has ``lambda.multi_value_headers.enabled``: then headers and the
            query have all their values, else the last one of each.
    """

    name: ClassVar[str] = "alb"
    max_body: ClassVar[int] = MEGABYTE
    troubles: ClassVar = {
        Trouble.REQUEST_TOO_LARGE: _TOO_LARGE,
        Trouble.EVENT_TOO_LARGE: _TOO_LARGE,
        Trouble.THROTTLED: _BAD_GATEWAY,
        Trouble.FUNCTION_ERROR: _BAD_GATEWAY,
        Trouble.MALFORMED_REPLY: _BAD_GATEWAY,
    }

    def __init__(self, place: Place, function: str, *, multi_value_headers: bool = False) -> None:
        super().__init__(place, function)
        self.multi_value_headers = multi_value_headers
        self.host = f"{function}-{hexadecimal(10, 'balancer', place.account)}.{place.region}.elb.amazonaws.com".lower()
        group = f"targetgroup/{function[:32]}/{hexadecimal(16, 'targets', place.account, function)}"
        self.target_group = place.arn("elasticloadbalancing", group)

    def event(self, arrival: Arrival) -> Event:
        """The path and the query are as the client sent them."""
        request = arrival.request
        body, is_base64 = text_or_base64(request.body, _is_text(request))
        return {
            "requestContext": {"elb": {"targetGroupArn": self.target_group}},
            "httpMethod": request.method,
            "path": request.path,
            **self._values("queryStringParameters", "multiValueQueryStringParameters", _pairs(request.query)),
            **self._values("headers", "multiValueHeaders", lower(arrival.headers)),
            "body": body,
            "isBase64Encoded": is_base64,
        }

    def _values(self, one: str, all_of_them: str, pairs: Pairs) -> Event:
        return {all_of_them: grouped(pairs)} if self.multi_value_headers else {one: last(pairs)}

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What is returned has a status code that is a number, and headers in the form of the target group."""
        document = parsed(reply)
        if len(reply.payload) > MEGABYTE:
            raise malformed(f"a load balancer takes {MEGABYTE} bytes of JSON, not {len(reply.payload)}")
        status = document.get("statusCode") if isinstance(document, dict) else None
        if type(status) is not int or not 200 <= status <= 599:
            raise malformed(f"a load balancer takes an object with a number as its statusCode, not {status!r}")
        headers = several_headers(document) if self.multi_value_headers else single_headers(document)
        body = body_bytes(document)
        return Response(status, with_content_type(headers, "application/octet-stream") if body else headers, body)


def _is_text(request: Request) -> bool:
    kind = request.media_type
    return (kind.startswith("text/") or kind in _TEXTS) and not request.header("content-encoding")


def _pairs(query: str) -> Pairs:
    """The query's names and values, not decoded."""
    parts = (pair.partition("=") for pair in query.split("&") if pair)
    return [(name, value) for name, _, value in parts]
