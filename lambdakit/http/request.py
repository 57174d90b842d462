"""The request that a handler may ask for, the same whichever front door it came through."""

from __future__ import annotations

from functools import cache, cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lambdakit.errors import EventValidationError
from lambdakit.http.values import Headers, Values, texts

if TYPE_CHECKING:
    from lambdakit.http.forms import FormValue
    from lambdakit.http.identity import Identity
    from lambdakit.http.response import Reply

FrontDoor = Literal["apigw_v1", "apigw_v2", "function_url", "alb", "apigw_websocket"]

# Where the requests of each source live, by its label of ``identify``.
FRONT_DOORS: dict[str, tuple[str, str]] = {
    "apigw_v1": ("apigw_v1", "ApiGatewayV1Request"),
    "apigw_v2": ("apigw_v2", "ApiGatewayV2Request"),
    "function_url": ("apigw_v2", "FunctionUrlRequest"),
    "alb": ("alb", "AlbRequest"),
}


class HttpRequest:
    """A request. Each front door has its subclass; ``HttpRequest.of(event)`` makes the right one.

    Attributes:
        event: The raw event.
        front_door: What it came through, a label of ``identify``: ``"apigw_v1"`` (a REST API, or an HTTP API in
            payload format 1.0), ``"apigw_v2"``, ``"function_url"``, ``"alb"``.
        method: The method, in capitals.
        raw_path: The path as the event has it.
        base_path: What stands in it before the path of the API: a stage, a base path mapping; ``""`` mostly.
        path_parameters: The values of the route's parameters.

    Raises:
        EventValidationError: the event has no method or no path, or what it has is not of their type.

    >>> from lambdakit.testing import events
    >>> request = HttpRequest.of(events.http("GET /orders?tag=a&tag=b", headers={"X-Shop": "7"}))
    >>> request.method, request.path, request.query.all("tag"), request.headers["x-shop"]
    ('GET', '/orders', ['a', 'b'], '7')
    """

    front_door: ClassVar[FrontDoor]
    path_is_encoded: ClassVar[bool] = True
    """Whether the path comes percent-encoded, as the client sent it."""
    base_path: str = ""

    def __init__(self, event: Any) -> None:
        self.event: dict[str, Any] = event
        self.path_parameters: dict[str, str] = {}
        try:
            self.method, self.raw_path = self._start_line(event)
            self.base_path = self._base_path()
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise EventValidationError(
                "the choice of a route", "request without its usual fields", [problem]
            ) from error

    @classmethod
    def of(cls, event: Any) -> HttpRequest:
        """The request in a raw event, for a test.

        Raises:
            EventValidationError: the event is of no front door.
        """
        from lambdakit.identify import identify

        label = identify(event)
        kind = front_door(label)
        if kind is None:
            raise EventValidationError("HttpRequest", f"an event of {label!r}", ["it is no request"])
        return kind(event)

    def __repr__(self) -> str:
        return f"<HttpRequest {self.method} {self.path} by {self.front_door}>"

    @property
    def path(self) -> str:
        """The path below ``base_path``, decoded."""
        path = self.raw_path[len(self.base_path) :] or "/"
        return _unquoted(path) if self.path_is_encoded else path

    @property
    def outside_path(self) -> str:
        """What clients write before the path: ``base_path``, or the stage of a REST API."""
        outer = self.request_context.get("path")
        if self.base_path or not isinstance(outer, str) or not outer.endswith(self.raw_path):
            return self.base_path
        return outer.removesuffix(self.raw_path)

    def below(self, prefix: str) -> dict[str, Any]:
        """The event as if the API began below a prefix of the path."""
        return {**self.event, "path": self._rest(prefix)}

    def _rest(self, prefix: str) -> str:
        parts = self.raw_path[len(self.base_path) :].split("/", prefix.count("/") + 1)
        return "/" + "/".join(parts[prefix.count("/") + 1 :])

    @property
    def segments(self) -> list[str]:
        """The parts of the path between its slashes, each decoded; the last one is empty after a closing slash."""
        segments = self.raw_path[len(self.base_path) :].removeprefix("/").split("/")
        if self.path_is_encoded and "%" in self.raw_path:
            return [_unquoted(segment) for segment in segments]
        return segments

    @cached_property
    def headers(self) -> Headers:
        """The headers, by names whose case does not matter."""
        return Headers(texts(self.event.get("headers")))

    @cached_property
    def query(self) -> Values[str]:
        """The query, decoded."""
        return Values(self._query())

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The cookies the client sent."""
        from lambdakit.http.cookies import parsed

        return parsed(self._cookies())

    @property
    def content_type(self) -> str:
        """The header of that name; ``""`` without one."""
        headers = self.event.get("headers")
        found = headers.get("content-type") if isinstance(headers, dict) else None  # mostly, and fast
        return found if isinstance(found, str) else self.headers.get("content-type", "")

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in small letters; ``""`` without one."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def content(self) -> str | bytes:
        """The body as it came: text, or the bytes of its base64.

        Raises:
            HTTPError: 400, it is no base64.
            EventValidationError: it is neither text nor null.
        """
        body = self.event.get("body")
        if not body:
            return ""
        if not isinstance(body, str):
            raise EventValidationError("the reading of a request", "request", ["body: it is text, or null"])
        return self._bytes if self.event.get("isBase64Encoded") else body

    @cached_property
    def _bytes(self) -> bytes:
        from base64 import b64decode

        try:
            return b64decode(self.event["body"], validate=True)
        except ValueError:  # also of text that is no ASCII
            from lambdakit.http.errors import HTTPError

            raise HTTPError(400, "the body is not the base64 that the request says it is") from None

    @property
    def body(self) -> bytes:
        """The body, ``b""`` without one.

        Raises:
            HTTPError: 400, it is no base64.
        """
        content = self.content
        return content if isinstance(content, bytes) else content.encode(errors="surrogatepass")

    def text(self) -> str:
        """The body as text, by the charset of its Content-Type or else UTF-8.

        Raises:
            HTTPError: 400, it is no such text.
        """
        content = self.content
        if isinstance(content, str):
            return content
        from lambdakit.http.media import decoded_text

        return decoded_text(content, self.content_type)

    def json(self) -> Any:
        """What the body holds as JSON.

        Raises:
            RequestValidationError: it holds none.
        """
        return self._json

    @cached_property
    def _json(self) -> Any:
        from lambdakit.http.media import parsed_json

        return parsed_json(self.content)

    @cached_property
    def form(self) -> Values[FormValue]:
        """The fields of a form, url-encoded or multipart.

        Raises:
            HTTPError: 415, the body is no form; 400, it is a broken one.
        """
        from lambdakit.http.forms import parsed_form

        return parsed_form(self)

    @property
    def request_context(self) -> dict[str, Any]:
        """What the front door says about the request, raw."""
        return _mapping(self.event.get("requestContext"))

    @property
    def stage_variables(self) -> dict[str, str]:
        """The variables of the API's stage."""
        return _mapping(self.event.get("stageVariables"))

    @property
    def authorizer(self) -> dict[str, Any]:
        """What the API's authorizer said, raw: ``requestContext.authorizer``."""
        return _mapping(self.request_context.get("authorizer"))

    @cached_property
    def identity(self) -> Identity:
        """Who makes the request, as its front door knows; anonymous where it does not."""
        from lambdakit.http.identity import identity_of

        return identity_of(self)

    @property
    def request_id(self) -> str:
        """What the front door calls this request."""
        return str(self.request_context.get("requestId") or "")

    @property
    def source_ip(self) -> str:
        """The address the request came from, as the front door saw it."""
        return str(_mapping(self.request_context.get("identity")).get("sourceIp") or "")

    def document(self, reply: Reply) -> dict[str, Any]:
        """A response in the form that the front door wants."""
        raise NotImplementedError(type(self))

    def _start_line(self, event: Any) -> tuple[str, str]:
        """The method and the raw path."""
        return event["httpMethod"].upper(), text(event["path"])

    def _base_path(self) -> str:
        return ""

    def _query(self) -> dict[str, list[str]]:
        """Each name with its values, decoded."""
        event = self.event
        return texts(event.get("multiValueQueryStringParameters") or event.get("queryStringParameters"))

    def _cookies(self) -> list[str]:
        return self.headers.all("cookie")


@cache
def front_door(label: str) -> type[HttpRequest] | None:
    """The class of the requests of a source; None for one that sends none."""
    if label not in FRONT_DOORS:
        return None
    module, name = FRONT_DOORS[label]
    found: type[HttpRequest] = getattr(import_module(f"lambdakit.http.{module}"), name)
    return found


def text(value: Any) -> str:
    """A field of an event that is text.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, str):
        raise TypeError(f"text was expected, not {type(value).__name__}")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)
