"""Lambda authorizers: what ``@on_authorizer`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, Literal, get_args, overload

from typing_extensions import TypeVar

from lambdakit.identify import identify
from lambdakit.triggers.settings import check_choice, check_flag
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

if TYPE_CHECKING:
    from lambdakit.authorizers.answers import Answer
    from lambdakit.binding import Handler
    from lambdakit.depends import Dependencies
    from lambdakit.events.authorizer import AppSyncAuthorizerRequest, TokenAuthorizerRequest
    from lambdakit.http.settings import HttpSettings
    from lambdakit.lane import Lane

    Returned = Answer | Coroutine[Any, Any, Answer]
    RequestHandler = TypeVar("RequestHandler", bound=Callable[..., Returned])
    TokenHandler = TypeVar(
        "TokenHandler",
        bound=Callable[Concatenate[TokenAuthorizerRequest, ...], Returned] | Callable[[], Returned],
    )
    AppSyncHandler = TypeVar(
        "AppSyncHandler",
        bound=Callable[Concatenate[AppSyncAuthorizerRequest, ...], Returned] | Callable[[], Returned],
    )

AuthorizerType = Literal["REQUEST", "TOKEN", "AWS_LAMBDA"]
ProtocolType = Literal["REST", "HTTP", "WEBSOCKET"]

_KINDS: dict[str, tuple[AuthorizerType, ProtocolType | None]] = {
    "apigw_authorizer_token": ("TOKEN", "REST"),
    "apigw_authorizer_request": ("REQUEST", "REST"),
    "apigw_authorizer_v2": ("REQUEST", "HTTP"),
    "apigw_authorizer_websocket": ("REQUEST", "WEBSOCKET"),
    "appsync_authorizer": ("AWS_LAMBDA", None),
}


def kind_of(event: Any, label: str) -> tuple[AuthorizerType, ProtocolType | None]:
    """The type of the authorizer that is asked, and the kind of API that asks."""
    kind, protocol = _KINDS[label]
    is_http_api = label == "apigw_authorizer_request" and event.get("version") == "1.0"
    return kind, "HTTP" if is_http_api else protocol


@dataclass(frozen=True, eq=False, repr=False)
class AuthorizerTrigger(Trigger):
    """Questions of one kind of authorizer.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html
    """

    source: ClassVar[str] = "authorizer"
    labels: ClassVar[frozenset[str]] = frozenset(_KINDS)
    resource: ClassVar[str] = "type"
    noun: ClassVar[str] = "authorizer request"

    type: AuthorizerType = "REQUEST"
    protocol_type: ProtocolType | None = None
    enable_simple_responses: bool = False

    def __post_init__(self) -> None:
        if callable(self.type):
            raise TypeError("write @on_authorizer() with its parentheses")
        check_choice("type", self.type, get_args(AuthorizerType))
        check_flag("enable_simple_responses", self.enable_simple_responses)
        if self.protocol_type is not None:
            check_choice("protocol_type", self.protocol_type, get_args(ProtocolType))
        if self.type != "REQUEST" and (self.protocol_type or self.enable_simple_responses):
            raise ValueError(f"a {self.type} authorizer has no protocol_type and no simple responses")
        if self.enable_simple_responses and self.protocol_type not in (None, "HTTP"):
            raise ValueError(f"only an HTTP API takes simple responses, not one of protocol_type {self.protocol_type}")

    def handler(self, function: Callable[..., Any]) -> Handler:
        """A function that decides."""
        from lambdakit.authorizers.answers import check_return

        check_return(function)
        if self.type != "REQUEST":
            from lambdakit.authorizers.tokens import TokenAuthorizerHandler

            return TokenAuthorizerHandler(function, self)
        from lambdakit.authorizers.handler import RequestAuthorizerHandler

        return RequestAuthorizerHandler(function, self)

    @classmethod
    def lane(cls, dependencies: Dependencies, http: HttpSettings | None) -> Lane:
        """The authorizers of an App."""
        from lambdakit.authorizers.lane import AuthorizerLane

        return AuthorizerLane(cls, dependencies)

    @property
    def rivals(self) -> Hashable:
        """What it is asked."""
        return self.type, self.protocol_type

    def specificity(self, record: Record) -> Specificity | None:
        """One for a kind of API before one for any."""
        kind, protocol = kind_of(record, identify(record))
        if kind != self.type or self.protocol_type not in (None, protocol):
            return None
        return (int(self.protocol_type is not None),)

    @classmethod
    def origin(cls, record: Record) -> str:
        """What asks."""
        kind, protocol = kind_of(record, identify(record))
        return f"{protocol} API ({kind})" if protocol else "AppSync"


@overload
def on_authorizer(
    type: Literal["REQUEST"] = ...,
    *,
    protocol_type: ProtocolType | None = None,
    enable_simple_responses: bool = False,
) -> Callable[[RequestHandler], RequestHandler]: ...
@overload
def on_authorizer(type: Literal["TOKEN"]) -> Callable[[TokenHandler], TokenHandler]: ...
@overload
def on_authorizer(type: Literal["AWS_LAMBDA"]) -> Callable[[AppSyncHandler], AppSyncHandler]: ...
def on_authorizer(
    type: AuthorizerType = "REQUEST",  # noqa: A002
    *,
    protocol_type: ProtocolType | None = None,
    enable_simple_responses: bool = False,
) -> Any:
    """Let the decorated function decide whether a client may do what it asks an API for.

    It returns ``Allow(...)``, ``Deny()``, ``True`` or ``False``, and raises ``Unauthorized`` where nobody knows who is
    asking; so does a header that is not there. What API Gateway or AppSync is told follows from who asks: an IAM
    policy, a simple response, a 401. Whether the answer is cached, and for what else it is good then, is a trap that
    ``Allow`` explains.

    Args:
        type: What the authorizer is given. ``"REQUEST"``: the request of a REST API, an HTTP API (payload formats 1.0
            and 2.0) or a WebSocket API, of which the function may ask for headers, values of the query and cookies as
            under ``on_http``, and for the ``AuthorizerRequest``. ``"TOKEN"``: the value of a header and the method's
            ARN, as a ``TokenAuthorizerRequest``. ``"AWS_LAMBDA"``: what AppSync asks, an ``AppSyncAuthorizerRequest``.
        protocol_type: Which APIs a ``REQUEST`` authorizer answers: ``"REST"``, ``"HTTP"``, ``"WEBSOCKET"``; None for
            those that no other handler answers.
        enable_simple_responses: Whether the HTTP API's authorizer (format 2.0) has simple responses. They are good for
            all requests that the cache holds them against; a policy can name routes.

    Raises:
        ValueError: there is no such authorizer.

    >>> from typing import Annotated
    >>> from lambdakit.authorizers import Allow, Deny
    >>> from lambdakit.http import Header
    >>> @on_authorizer()
    ... def authorize(authorization: Annotated[str, Header()]) -> Allow | Deny:
    ...     return Allow("user-1", routes="*") if authorization == "Bearer secret" else Deny()
    """
    return mark(AuthorizerTrigger(type, protocol_type, enable_simple_responses))
