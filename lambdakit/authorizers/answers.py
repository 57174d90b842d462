"""What an authorizer answers.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any, TypeAlias, get_args, get_origin

from lambdakit.errors import RegistrationError
from lambdakit.signature import members_of, plain_type, return_hint_of, where, words_of
from lambdakit.triggers.settings import as_tuple, check_range

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
EVERYTHING = "*"


class Allow:
    """The client may do what it asks for.

    Without ``routes`` that is this one request: its method, its path. Beware of the cache, which a REST API has for
    300 seconds unless its authorizer says otherwise: API Gateway keeps the answer for the token, not for the request,
    and holds the client's next request against it without asking again. So an authorizer that is cached names all
    that this client may do: ``routes="*"`` for everything in the stage, else each route. What it forgets is answered
    with 403; what it names is open to the client until the answer expires, whatever the function would say by then.
    The same holds for what ``enable_simple_responses`` answers, which is always good for everything.

    Args:
        principal: Who the client is; REST and WebSocket APIs tell it to what they invoke.
        context: What else they tell: texts, numbers and truth values by name. An HTTP API in format 2.0 takes any JSON.
        routes: What the client may do: ``"GET /orders"``, ``"GET|POST /orders/*"``, ``"ANY /orders/*"``, ``"*"``, and
            for a WebSocket API the keys of routes. ``*`` stands for any text, slashes included.
        usage_identifier_key: The client's API key, where the API takes that from its authorizer (REST).
        denied_fields: What of the schema the client may not have all the same: ``"Order.price"``, or ARNs (AppSync).
        ttl_override: How many seconds AppSync keeps the answer, 0 to 3,600; None leaves it to its settings.

    Raises:
        ValueError: a route is none.

    >>> Allow("user-1", context={"tenant": "7"}, routes=["GET /orders/*", "POST /orders"])
    Allow('user-1')
    """

    __slots__ = ("context", "denied_fields", "principal", "routes", "ttl_override", "usage_identifier_key")

    def __init__(
        self,
        principal: str = "anonymous",
        *,
        context: Mapping[str, Any] | None = None,
        routes: str | Iterable[str] | None = None,
        usage_identifier_key: str | None = None,
        denied_fields: Iterable[str] = (),
        ttl_override: int | None = None,
    ) -> None:
        check_range("ttl_override", ttl_override, 0, 3600, "seconds", optional=True)
        self.principal = _checked_principal(principal)
        self.context = {**(context or {})}
        self.routes = None if routes is None else _checked_routes(as_tuple(routes, "routes"))
        self.usage_identifier_key = usage_identifier_key
        self.denied_fields = as_tuple(denied_fields, "denied_fields")
        self.ttl_override = ttl_override

    def __repr__(self) -> str:
        return f"Allow({self.principal!r})"


class Deny:
    """The client may not do it: a 403. ``Unauthorized`` is the 401 for a client whose credentials are no good.

    A cached answer denies everything in the stage.

    Args:
        principal: Who the client is.
        context: What the API is told of it, as its gateway responses and its log may show.
    """

    __slots__ = ("context", "principal")

    def __init__(self, principal: str = "anonymous", *, context: Mapping[str, Any] | None = None) -> None:
        self.principal = _checked_principal(principal)
        self.context = {**(context or {})}

    def __repr__(self) -> str:
        return f"Deny({self.principal!r})"


Answer: TypeAlias = Allow | Deny | bool | Mapping[str, Any]
"""What an authorizer returns; a mapping is sent as it is: a policy that says more than ``Allow`` can."""


def _checked_principal(principal: object) -> str:
    if not (isinstance(principal, str) and principal):
        raise ValueError(f"principal is text, which says who the client is, not {principal!r}")
    return principal


def _checked_routes(routes: tuple[str, ...]) -> tuple[str, ...]:
    if not routes:
        raise ValueError("routes are empty, which allows nothing: answer Deny()")
    for route in routes:
        _check_route(route)
    return routes


def _check_route(route: str) -> None:
    methods, space, path = route.partition(" ")
    if "{" in path:
        raise ValueError(f"a route's parameters are '*' in a policy, as in 'GET /orders/*', not {route!r}")
    if space and not (path.startswith("/") and "?" not in path and {*methods.split("|")} <= {*METHODS, "ANY"}):
        raise ValueError(f"routes are as 'GET /orders/*', 'ANY /orders' or '*', not {route!r}")
    if not space and (not route or "/" in route or (EVERYTHING in route and route != EVERYTHING)):
        raise ValueError(f"a route has a method, as 'ANY /orders', or is the key of a WebSocket's route, not {route!r}")


def check_return(function: Callable[..., Any]) -> None:
    """See that a function says that it returns an answer, if it says what it returns.

    Raises:
        RegistrationError: it says something else.
    """
    annotation = return_hint_of(function)
    if NoneType in get_args(plain_type(annotation)) or not all(map(_is_answer, members_of(annotation))):
        raise RegistrationError(
            f"an authorizer returns an answer, not {words_of(annotation)}",
            where(function),
            "It may return Allow, Deny, bool or a policy as a dict, and raise Unauthorized.",
        )


def _is_answer(annotation: Any) -> bool:
    plain = plain_type(annotation)
    kind = get_origin(plain) or plain
    return not isinstance(kind, type) or kind in (Any, object) or issubclass(kind, Allow | Deny | bool | Mapping)
