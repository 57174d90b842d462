"""Payload format 2.0, which HTTP APIs and function URLs share.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from lambdakit.local.front_doors.door import (
    Arrival,
    Event,
    body_bytes,
    header,
    malformed,
    single_headers,
    status_of,
    text_or_base64,
)
from lambdakit.local.front_doors.messages import Pairs, Request, Response, joined
from lambdakit.testing.events.values import clf, milliseconds

if TYPE_CHECKING:
    from lambdakit.local.outcome import Reply

_TEXTS = {"application/json", "application/javascript", "application/xml"}


def event_2(
    arrival: Arrival,
    *,
    request_id: str,
    path: str,
    api_id: str,
    headers: Pairs,
    domain: str,
    account: str,
    route_key: str,
    stage: str,
) -> Event:
    """The event of a request: commas join the values of a name, cookies have a field of their own."""
    request = arrival.request
    cookies = [cookie.strip() for name, value in headers if name == "cookie" for cookie in value.split(";")]
    query = parse_qsl(request.query, keep_blank_values=True)
    body, is_base64 = text_or_base64(request.body, is_text(request))
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": request.query,
        **({"cookies": cookies} if cookies else {}),
        "headers": joined([pair for pair in headers if pair[0] != "cookie"]),
        **({"queryStringParameters": joined(query)} if query else {}),
        "requestContext": {
            "accountId": account,
            "apiId": api_id,
            "domainName": domain,
            "domainPrefix": domain.partition(".")[0],
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
            "requestId": request_id,
            "routeKey": route_key,
            "stage": stage,
            "time": clf(arrival.time),
            "timeEpoch": milliseconds(arrival.time),
        },
        **({"body": body} if body else {}),
        "isBase64Encoded": is_base64,
    }


def is_text(request: Request) -> bool:
    """Whether a body comes as it is. AWS says of which types only that they are not binary ones; a form's is one."""
    kind = request.media_type
    named = kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml"))
    return named and not request.header("content-encoding") and _is_utf_8(request.body)


def _is_utf_8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def response_2(reply: Reply, document: Any) -> Response:
    """What becomes of a reply: without a status code it is the body itself, and text goes out without its quotes.

    Raises:
        Refusal: it is no response.
    """
    if not isinstance(document, dict) or "statusCode" not in document:
        body = document.encode(errors="surrogatepass") if isinstance(document, str) else reply.payload
        return Response(200, [("Content-Type", "application/json")], body)
    cookies = document.get("cookies") or []
    if not isinstance(cookies, list):
        raise malformed("cookies is no array")
    headers = [*single_headers(document), *(header("Set-Cookie", cookie) for cookie in cookies)]
    return Response(status_of(document["statusCode"]), headers, body_bytes(document))
