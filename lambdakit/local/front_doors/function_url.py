"""Function URLs.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html,
https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar

from lambdakit.local.front_doors.door import (
    Arrival,
    Event,
    FrontDoor,
    Trouble,
    json_answer,
    parsed,
    with_content_type,
    without,
)
from lambdakit.local.front_doors.format_2 import event_2, response_2
from lambdakit.local.front_doors.messages import Pairs, Response, lower
from lambdakit.local.front_doors.routes import DEFAULT
from lambdakit.local.outcome import MAX_REQUEST_BYTES
from lambdakit.testing.events.values import letters

if TYPE_CHECKING:
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.outcome import Reply
    from lambdakit.local.sources.source import Place

_BAD_GATEWAY = json_answer(502, "Internal Server Error")
_TOO_LARGE = json_answer(
    413,
    f'{{"Message":"Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation"}}',
    ("x-amzn-ErrorType", "RequestEntityTooLargeException"),
)


class FunctionUrl(FrontDoor):
    """A function URL of auth type NONE, which waits as long as the function may take.

    Args:
        place: The account and Region.
        function: The function's name.
    """

    name: ClassVar[str] = "function-url"
    max_body: ClassVar[int] = MAX_REQUEST_BYTES
    troubles: ClassVar = {
        Trouble.REQUEST_TOO_LARGE: _TOO_LARGE,
        Trouble.EVENT_TOO_LARGE: _TOO_LARGE,
        Trouble.FUNCTION_ERROR: _BAD_GATEWAY,
        Trouble.MALFORMED_REPLY: _BAD_GATEWAY,
    }

    def __init__(self, place: Place, function: str) -> None:
        super().__init__(place, function)
        self.url_id = letters(32, "function-url", place.account, function).lower()
        self.host = f"{self.url_id}.lambda-url.{place.region}.on.aws"

    def invocation_id(self, arrival: Arrival) -> str:
        """A function URL is Lambda's own: there is one id for both."""
        return arrival.request_id

    def event(self, arrival: Arrival) -> Event:
        """The path is as the client sent it."""
        return event_2(
            arrival,
            request_id=arrival.request_id,
            path=arrival.request.path,
            api_id=self.url_id,
            headers=without(lower(arrival.headers)),
            domain=self.host,  # what another domain belongs to, such as CloudFront, asks by this one
            account="anonymous",
            route_key=DEFAULT,
            stage=DEFAULT,
        )

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What is returned without a status code is a body."""
        response = response_2(reply, parsed(reply))
        return Response(response.status, with_content_type(response.headers, "application/json"), response.body)

    def refused(self, trouble: Trouble, invocation: Invocation | None) -> Response:
        """A throttle says why."""
        if trouble is not Trouble.THROTTLED:
            return super().refused(trouble, invocation)
        reason = invocation.throttle if invocation else None
        body = json.dumps({"Reason": reason, "Type": "User", "message": "Rate Exceeded."}, separators=(",", ":"))
        return json_answer(429, body, ("x-amzn-ErrorType", "TooManyRequestsException"))

    def own_headers(self, arrival: Arrival) -> Pairs:
        """Lambda's id of the request."""
        return [
            *super().own_headers(arrival),
            ("x-amzn-RequestId", arrival.request_id),
            ("X-Amzn-Trace-Id", arrival.trace_id),
        ]
