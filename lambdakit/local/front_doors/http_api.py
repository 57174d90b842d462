"""HTTP APIs of API Gateway, in both payload formats.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html. How they answer when a function
fails, takes too long or is throttled is nowhere in them, and known from those who met it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl, unquote

from lambdakit.local.front_doors.door import (
    Arrival,
    Event,
    FrontDoor,
    Refusal,
    Trouble,
    body_bytes,
    json_answer,
    malformed,
    merged_headers,
    parsed,
    status_of,
    text_or_base64,
    with_content_type,
    without,
)
from lambdakit.local.front_doors.format_2 import event_2, is_text, response_2
from lambdakit.local.front_doors.messages import Pairs, Response, grouped, last, lower
from lambdakit.local.front_doors.routes import DEFAULT, Route, RouteTable
from lambdakit.local.front_doors.stages import Stage
from lambdakit.testing.events.values import clf, milliseconds

if TYPE_CHECKING:
    from lambdakit.local.outcome import Reply
    from lambdakit.local.sources.source import Place

_PLAIN_TEXT = "text/plain;charset=UTF-8"
_TOO_LARGE = json_answer(413, '{"message":"Request Entity Too Large"}')
_INTERNAL_ERROR = json_answer(500, '{"message":"Internal Server Error"}')
_UNAVAILABLE = json_answer(503, '{"message":"Service Unavailable"}')
_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAmr",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
)
_CAPITALIZED = {
    name.lower(): name
    for name in (
        "Content-Length",
        "Content-Type",
        "Cookie",
        "Host",
        "User-Agent",
        "X-Amzn-Trace-Id",
        "X-Forwarded-For",
        "X-Forwarded-Port",
        "X-Forwarded-Proto",
    )
}


class HttpApi(FrontDoor):
    """An HTTP API in payload format 2.0.

    Args:
        place: The account and Region.
        function: The function's name.
        stage: The stage, which is in the path at API Gateway's own domain, but for ``$default``.
        routes: The routes, as in ``GET /orders/{id}``; by default ``$default``, which takes every request.
    """

    name: ClassVar[str] = "http-api"
    seconds: ClassVar[float | None] = 30
    troubles: ClassVar = {
        Trouble.NOT_THERE: json_answer(404, '{"message":"Not Found"}'),
        Trouble.NO_ROUTE: json_answer(404, '{"message":"Not Found"}'),
        Trouble.REQUEST_TOO_LARGE: _TOO_LARGE,
        Trouble.EVENT_TOO_LARGE: _TOO_LARGE,
        Trouble.THROTTLED: _UNAVAILABLE,
        Trouble.FUNCTION_ERROR: _INTERNAL_ERROR,
        Trouble.MALFORMED_REPLY: _INTERNAL_ERROR,
        Trouble.TIMED_OUT: _UNAVAILABLE,
    }

    def __init__(
        self, place: Place, function: str, *, stage: str = DEFAULT, routes: Iterable[str] = (DEFAULT,)
    ) -> None:
        super().__init__(place, function)
        self.stage = Stage(place, "http-api", function, stage)
        self.host = self.stage.host
        self.routes = RouteTable(routes)

    @property
    def url(self) -> str:
        """Where a client finds it, the stage included."""
        return self.stage.url

    def event(self, arrival: Arrival) -> Event:
        """The path is decoded, and at API Gateway's own domain has the stage in it."""
        route, parameters = self._route(arrival)
        event = event_2(
            arrival,
            request_id=arrival.extended_id,
            path=unquote(arrival.request.path),
            api_id=self.stage.api_id,
            headers=_headers(arrival),
            domain=arrival.request.host,
            account=self.place.account,
            route_key=route.key,
            stage=self.stage.name,
        )
        return {**event, "pathParameters": parameters} if parameters else event

    def _route(self, arrival: Arrival) -> tuple[Route, dict[str, str]]:
        found = self.routes.find(arrival.request.method, unquote(self.stage.path_below(arrival.request)))
        if found is None:
            raise Refusal(Trouble.NO_ROUTE)
        return found

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What is returned without a status code is a body."""
        document = parsed(reply)
        if isinstance(document, dict) and "errorMessage" in document and "statusCode" not in document:
            raise malformed("an HTTP API takes an object with errorMessage for the error of a function")
        return _typed(response_2(reply, document))

    def own_headers(self, arrival: Arrival) -> Pairs:
        """Its id of the request."""
        return [*super().own_headers(arrival), ("Apigw-Requestid", arrival.extended_id)]


class HttpApi1(HttpApi):
    """An HTTP API in payload format 1.0. Its arguments are those of ``HttpApi``."""

    name: ClassVar[str] = "http-api-1.0"

    def event(self, arrival: Arrival) -> Event:
        """As that of a REST API, with a version; the path is decoded."""
        route, parameters = self._route(arrival)
        request = arrival.request
        headers = [(_CAPITALIZED.get(name, name), value) for name, value in _headers(arrival)]
        query = parse_qsl(request.query, keep_blank_values=True)
        body, is_base64 = text_or_base64(request.body, is_text(request))
        return {
            "version": "1.0",
            "resource": route.path,
            "path": unquote(request.path),
            "httpMethod": request.method,
            "headers": last(headers),
            "multiValueHeaders": grouped(headers),
            "queryStringParameters": last(query) or None,
            "multiValueQueryStringParameters": grouped(query) or None,
            "requestContext": self._context(arrival, route.path),
            "pathParameters": parameters or None,
            "stageVariables": None,
            "body": body or None,
            "isBase64Encoded": is_base64,
        }

    def _context(self, arrival: Arrival, resource: str) -> Event:
        request, stage = arrival.request, self.stage
        return {
            "accountId": self.place.account,
            "apiId": stage.api_id,
            "domainName": request.host,
            "domainPrefix": request.host.partition(".")[0],
            "extendedRequestId": arrival.extended_id,
            "httpMethod": request.method,
            "identity": {
                **dict.fromkeys(_IDENTITY),
                "sourceIp": request.source_ip,
                "user": None,
                "userAgent": request.header("user-agent"),
                "userArn": None,
            },
            "path": unquote(request.path),
            "protocol": "HTTP/1.1",
            "requestId": arrival.extended_id,
            "requestTime": clf(arrival.time),
            "requestTimeEpoch": milliseconds(arrival.time),
            "resourceId": resource,
            "resourcePath": resource,
            "stage": stage.name,
        }

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What is returned has a status code; what else it has is ignored."""
        document = parsed(reply)
        if not isinstance(document, dict) or "statusCode" not in document:
            raise malformed("an HTTP API in payload format 1.0 takes an object with a statusCode")
        return _typed(Response(status_of(document["statusCode"]), merged_headers(document), body_bytes(document)))


def _headers(arrival: Arrival) -> Pairs:
    """In small letters, with a Content-Length always."""
    length = ("content-length", str(len(arrival.request.body)))
    return [length, *without(lower(arrival.headers), "content-length")]


def _typed(response: Response) -> Response:
    """With a Content-Type, where there is content."""
    if not response.body:
        return response
    return Response(response.status, with_content_type(response.headers, _PLAIN_TEXT), response.body)
