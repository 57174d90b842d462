"""A marked function that decides by parts of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdakit.authorizers.requests import AuthorizerRequest
from lambdakit.binding import mentions_event_model
from lambdakit.http.handler import RequestHandler
from lambdakit.http.parameters import Query, mark_of
from lambdakit.http.parts import is_body
from lambdakit.http.request import HttpRequest

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

    from lambdakit.http.parts import Part
    from lambdakit.middleware import Invocation


class RequestAuthorizerHandler(RequestHandler):
    """A function that decides by parts of a request.

    Raises:
        RegistrationError: it asks for what an authorizer does not get.
    """

    def _given(self, annotation: Any) -> Callable[[Invocation], Any] | None:
        """The request; who makes it is what is to be found out."""
        return (lambda invocation: invocation.request) if annotation in (HttpRequest, AuthorizerRequest) else None

    def _part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        if mentions_event_model(annotation):
            self._refuse_type(parameter, annotation)
        mark = mark_of(annotation)
        if mark.place in ("body", "form", "file") if mark else is_body(annotation):
            raise TypeError("an authorizer does not get the body of a request")
        return (mark or Query()).part(parameter, annotation)

    def _offer(self) -> str:
        return (
            f"A handler of {self.trigger} may ask for values of the query (Query), headers (Header), cookies (Cookie) "
            "and of the path (Path), AuthorizerRequest, LambdaContext, Annotated[T, Depends(f)]."
        )
