"""REST APIs of API Gateway, with a Lambda proxy integration.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html (which headers are dropped
and renamed), https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import parse_qsl

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
from lambdakit.local.front_doors.messages import Pairs, Request, Response, grouped, last
from lambdakit.local.front_doors.routes import RouteTable
from lambdakit.local.front_doors.stages import Stage
from lambdakit.testing.events.values import clf, letters, milliseconds

if TYPE_CHECKING:
    from lambdakit.local.outcome import Reply
    from lambdakit.local.sources.source import Place

_FIELDS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
_NOT_TO_LAMBDA = ("content-length", "content-md5", "expect", "max-forwards", "server", "www-authenticate")
_DROPPED = {"expect", "host", "via"}
_RENAMED = {
    "authorization",
    "connection",
    "content-md5",
    "date",
    "max-forwards",
    "server",
    "user-agent",
    "www-authenticate",
}
_CAPITALIZED = {"authorization": "Authorization", "user-agent": "User-Agent"}
_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
)
_INTERNAL_ERROR = '{"message": "Internal server error"}'
_ERROR_TYPE = ("x-amzn-ErrorType", "InternalServerErrorException")


class RestApi(FrontDoor):
    """A Regional REST API.

    Args:
        place: The account and Region.
        function: The function's name.
        stage: The stage, which is in the path at API Gateway's own domain.
        routes: The routes, as in ``GET /orders/{id}``; by default ``ANY /`` and ``ANY /{proxy+}``.
        binary_media_types: AWS's setting: of which types requests and responses may be binary. AWS's own default is of
            none, so that bytes that are no text are lost; ``["*/*"]`` hands all of them over in base64.
    """

    name: ClassVar[str] = "rest-api"
    seconds: ClassVar[float | None] = 29
    troubles: ClassVar = {
        Trouble.NOT_THERE: json_answer(403, '{"message":"Forbidden"}', ("x-amzn-ErrorType", "ForbiddenException")),
        Trouble.NO_ROUTE: json_answer(
            403,
            '{"message":"Missing Authentication Token"}',
            ("x-amzn-ErrorType", "MissingAuthenticationTokenException"),
        ),
        Trouble.REQUEST_TOO_LARGE: Response(
            413, [("Content-Type", "text; charset=utf-8")], b"HTTP content length exceeded 10485760 bytes."
        ),
        Trouble.EVENT_TOO_LARGE: json_answer(
            413, '{"message": "Request Too Long"}', ("x-amzn-ErrorType", "BadRequestException")
        ),
        Trouble.THROTTLED: json_answer(500, _INTERNAL_ERROR, _ERROR_TYPE),
        Trouble.FUNCTION_ERROR: json_answer(502, _INTERNAL_ERROR, _ERROR_TYPE),
        Trouble.MALFORMED_REPLY: json_answer(502, _INTERNAL_ERROR, _ERROR_TYPE),
        Trouble.TIMED_OUT: json_answer(504, '{"message": "Endpoint request timed out"}'),
    }

    def __init__(
        self,
        place: Place,
        function: str,
        *,
        stage: str = "prod",
        routes: Iterable[str] = ("ANY /", "ANY /{proxy+}"),
        binary_media_types: Sequence[str] = (),
    ) -> None:
        super().__init__(place, function)
        self.stage = Stage(place, "rest-api", function, stage)
        self.host = self.stage.host
        self.routes = RouteTable(routes)
        self.binary_media_types = binary_media_types

    @property
    def url(self) -> str:
        """Where a client finds it, the stage included."""
        return self.stage.url

    def event(self, arrival: Arrival) -> Event:
        """The path and its parameters are as the client sent them, the query is decoded."""
        request = arrival.request
        path = "/" + self.stage.path_below(request).lstrip("/")
        found = self.routes.find(request.method, path.rstrip("/") or "/")
        if found is None:
            raise Refusal(Trouble.NO_ROUTE)
        route, parameters = found
        headers = [
            (_CAPITALIZED.get(name.lower(), name), value) for name, value in without(arrival.headers, *_NOT_TO_LAMBDA)
        ]
        query = parse_qsl(request.query, keep_blank_values=True)
        is_binary = self._is_binary(request.media_type)
        body, is_base64 = text_or_base64(request.body, not is_binary)
        return {
            "resource": route.path,
            "path": path,
            "httpMethod": request.method,
            "headers": last(headers),
            "multiValueHeaders": grouped(headers),
            "queryStringParameters": last(query) or None,
            "multiValueQueryStringParameters": grouped(query) or None,
            "pathParameters": parameters or None,
            "stageVariables": None,
            "requestContext": self._context(arrival, route.path),
            "body": body or None,
            "isBase64Encoded": is_base64,
        }

    def _context(self, arrival: Arrival, resource: str) -> Event:
        request, stage = arrival.request, self.stage
        identity = {
            **dict.fromkeys(_IDENTITY),
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        }
        return {
            "resourceId": letters(6, "resource", resource).lower(),
            "resourcePath": resource,
            "httpMethod": request.method,
            "extendedRequestId": arrival.extended_id,
            "requestTime": clf(arrival.time),
            "path": request.path,
            "accountId": self.place.account,
            "protocol": "HTTP/1.1",
            "stage": stage.name,
            "domainPrefix": request.host.partition(".")[0],
            "requestTimeEpoch": milliseconds(arrival.time),
            "requestId": arrival.request_id,
            "identity": identity,
            "domainName": request.host,
            "deploymentId": letters(6, "deployment", stage.api_id).lower(),
            "apiId": stage.api_id,
        }

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What was returned may have no other members than those of the format."""
        document = parsed(reply)
        if not isinstance(document, dict) or not document.keys() <= _FIELDS:
            raise malformed(
                "a REST API takes an object with statusCode, headers, multiValueHeaders, body and isBase64Encoded only"
            )
        headers = with_content_type(_renamed(merged_headers(document)), "application/json")
        body = body_bytes(document, decodes=self._is_binary(_accepted(arrival.request)))
        return Response(status_of(document.get("statusCode") or 200), headers, body)

    def _is_binary(self, media_type: str) -> bool:
        kind = media_type.partition("/")[0]
        return any(known in ("*/*", media_type, f"{kind}/*") for known in self.binary_media_types)

    def own_headers(self, arrival: Arrival) -> Pairs:
        """Its ids of the request."""
        return [
            *super().own_headers(arrival),
            ("x-amzn-RequestId", arrival.request_id),
            ("x-amz-apigw-id", arrival.extended_id),
            ("X-Amzn-Trace-Id", arrival.trace_id),
        ]


def _accepted(request: Request) -> str:
    """The media type that the client accepts first: API Gateway looks at no other."""
    return request.header("accept").partition(",")[0].partition(";")[0].strip().lower()


def _renamed(headers: Pairs) -> Pairs:
    return [
        (f"x-amzn-Remapped-{name}" if name.lower() in _RENAMED else name, value)
        for name, value in headers
        if name.lower() not in _DROPPED
    ]
