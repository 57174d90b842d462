"""What an authorizer is asked, and in whose words it has to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambdakit.authorizers.answers import Allow, Deny
from lambdakit.authorizers.arn import MethodArn
from lambdakit.authorizers.documents import appsync, check_websocket, policy, simple
from lambdakit.authorizers.errors import AuthorizerResponseError, Unauthorized
from lambdakit.errors import EventValidationError
from lambdakit.reply import jsonable
from lambdakit.triggers.authorizer import kind_of

if TYPE_CHECKING:
    from lambdakit.authorizers.documents import Document
    from lambdakit.binding import Handler
    from lambdakit.http.request import HttpRequest


class Question:
    """A question to an authorizer.

    Attributes:
        request: The request that it is about; None where the authorizer gets a token only.

    Raises:
        EventValidationError: the event lacks what is asked for.
    """

    def __init__(self, event: Any, label: str, handler: Handler) -> None:
        self._handler = handler.name
        self._type, self._protocol = kind_of(event, label)
        self._has_format_2 = "routeArn" in event
        self._is_simple = self._has_format_2 and handler.trigger.enable_simple_responses  # type: ignore[attr-defined]
        self.request: HttpRequest | None = None
        if self._type == "REQUEST":
            from lambdakit.authorizers.requests import request_class

            self.request = request_class(label)(event)
        if self._type != "AWS_LAMBDA":
            self._arn = self._parsed(event["routeArn"] if self._has_format_2 else event["methodArn"])

    def reply(self, answer: Any) -> Document:
        """What a handler answered, in the words of who asks.

        Raises:
            AuthorizerResponseError: it can't be said.
        """
        if isinstance(answer, bool):
            answer = Allow() if answer else Deny()
        try:
            document = self._document(answer)
            if self._protocol == "WEBSOCKET":
                check_websocket(document)
        except ValueError as error:
            raise AuthorizerResponseError(self._handler, str(error)) from error
        return document

    def unauthorized(self, error: Exception) -> Document:
        """That nobody knows who is asking, by an error that says so.

        Raises:
            Unauthorized: a REST API and a WebSocket API know it by the error.
        """
        if self._type == "AWS_LAMBDA":
            return {"isAuthorized": False}
        if self._protocol == "HTTP":
            return {"errorMessage": "Unauthorized"}
        if isinstance(error, Unauthorized):
            raise error
        raise Unauthorized from error

    def _document(self, answer: Any) -> Document:
        if isinstance(answer, Allow | Deny):
            if self._type == "AWS_LAMBDA":
                return appsync(answer)
            return simple(answer) if self._is_simple else policy(answer, self._arn, is_flat=not self._has_format_2)
        if isinstance(answer, Mapping):
            document: Document = jsonable({**answer})
            return document
        raise ValueError(f"returned {answer!r:.100}; an authorizer returns Allow, Deny, True, False or a policy")

    def _parsed(self, arn: Any) -> MethodArn:
        try:
            return MethodArn.parse(arn)
        except (ValueError, AttributeError) as error:
            name = "routeArn" if self._has_format_2 else "methodArn"
            raise EventValidationError(self._handler, "authorizer request", [f"{name}: {error}"]) from error
