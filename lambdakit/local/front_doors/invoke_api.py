"""Lambda's Invoke API over HTTP, for ``aws lambda invoke --endpoint-url`` and the SDKs.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lambdakit.local.errors import InvokeError
from lambdakit.local.front_doors.door import json_answer
from lambdakit.local.front_doors.messages import Response
from lambdakit.local.outcome import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.local.front_doors.messages import Request
    from lambdakit.local.function import Function
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.service import LocalLambda

LOG_BYTES = 4_096
"""How much of the end of a log ``LogType`` asks for."""
CLIENT_CONTEXT_BYTES = 3_583
"""How large a client context may be, in base64."""

_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")
_NAME = re.compile(r"(?:(?:arn:aws:lambda:[^:]*:)?\d{12}:function:)?([\w-]+)(?::(?:\$LATEST))?", re.ASCII)


def is_invoke(request: Request) -> bool:
    """Whether it is a request of this API."""
    return request.method == "POST" and _PATH.fullmatch(request.path) is not None


class InvokeExchange:
    """One call of the Invoke API, from its arrival until it is answered. The clock's actions decide all of it.

    Attributes:
        response: The answer; None while there is none.
    """

    def __init__(self, local: LocalLambda, request: Request, answered: Callable[[], None]) -> None:
        self._local = local
        self._request = request
        self._answered = answered
        self.response: Response | None = None

    def begin(self) -> None:
        """The request arrives; any thread may call it."""
        clock = self._local.place.clock
        clock.at(clock.now, self._arrive)

    def _arrive(self) -> None:
        try:
            self._invoke(self._function(), self._request.body or b"{}")
        except InvokeError as error:
            self._answer(_refusal(error))

    def _function(self) -> Function:
        match = _PATH.fullmatch(self._request.path)
        assert match is not None, "it was asked before"
        given = unquote(match[1])
        name = _NAME.fullmatch(given)
        return self._local.function(name[1] if name else given)

    def _invoke(self, function: Function, body: bytes) -> None:
        kind = self._request.header("x-amz-invocation-type") or "RequestResponse"
        if kind == "Event":
            self._answer(_accepted(202, self._local.accept(function, body)))
        elif kind == "DryRun":
            self._dry_run(function, body)
        elif kind == "RequestResponse":
            self._local.request(function, body, self._over, client_context=self._client_context())
        else:
            raise InvokeError(
                400,
                "ValidationException",
                f"1 validation error detected: Value '{kind}' at 'invocationType' failed to satisfy constraint: "
                "Member must satisfy enum value set: [Event, DryRun, RequestResponse]",
            )

    def _dry_run(self, function: Function, body: bytes) -> None:
        invocation = self._local.dry_run(function, body)
        if invocation.error is not None:
            raise InvokeError(invocation.status, invocation.error.type, invocation.error.message)
        self._answer(_accepted(204, invocation.request_id))

    def _client_context(self) -> Any:
        text = self._request.header("x-amz-client-context")
        if len(text) > CLIENT_CONTEXT_BYTES:
            raise InvokeError(400, "InvalidRequestContentException", "Client context must be no more than 3583 bytes")
        try:
            return json.loads(b64decode(text)) if text else None
        except ValueError as error:
            message = f"Client context must be a valid Base64-encoded JSON object: {error}"
            raise InvokeError(400, "InvalidRequestContentException", message) from error

    def _over(self, invocation: Invocation) -> None:
        if invocation.outcome is None:
            self._answer(_throttled(invocation))
            return
        headers = [("X-Amz-Executed-Version", "$LATEST"), ("x-amzn-RequestId", invocation.request_id)]
        if isinstance(invocation.outcome, Failure):
            headers.append(("X-Amz-Function-Error", "Unhandled"))
        if self._request.header("x-amz-log-type") == "Tail":
            headers.append(("X-Amz-Log-Result", b64encode(invocation.log.encode()[-LOG_BYTES:]).decode()))
        headers.append(("Content-Type", "application/json"))
        self._answer(Response(200, headers, invocation.outcome.payload))

    def _answer(self, response: Response) -> None:
        self.response = response.sent(self._request.method, ())
        self._answered()


def _accepted(status: int, request_id: str) -> Response:
    return Response(status, [("x-amzn-RequestId", request_id)])


def _throttled(invocation: Invocation) -> Response:
    reason = {"Reason": invocation.throttle, "Type": "User", "message": "Rate Exceeded."}
    return json_answer(429, json.dumps(reason), ("x-amzn-ErrorType", "TooManyRequestsException"))


def _refusal(error: InvokeError) -> Response:
    body = json.dumps({"Type": "User", "Message": error.message})
    return json_answer(error.status, body, ("x-amzn-ErrorType", error.type))
