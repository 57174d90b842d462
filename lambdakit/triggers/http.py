"""HTTP requests: what ``@on_http`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.http.routes import DEFAULT, Pattern
from lambdakit.triggers.settings import as_tuple, check_flag, check_range, check_text
from lambdakit.triggers.trigger import Trigger, mark

if TYPE_CHECKING:
    from typing import Unpack

    from typing_extensions import TypedDict

    from lambdakit.binding import Handler as BoundHandler
    from lambdakit.depends import Dependencies
    from lambdakit.http.routes import RouteTable
    from lambdakit.http.settings import HttpSettings
    from lambdakit.lane import Lane

    class RouteSettings(TypedDict, total=False):
        """The settings of ``on_http`` that a route alone has."""

        status: int
        summary: str
        description: str
        operation_id: str
        deprecated: bool
        responses: Mapping[int, str]
        security: Mapping[str, Sequence[str]]


Handler = TypeVar("Handler", bound=Callable[..., object])


class HttpTrigger(Trigger):
    """Requests of one route, through API Gateway, a function URL or an Application Load Balancer.

    No dataclass, whose making is a tenth of what HTTP adds to a cold start.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
    """

    source: ClassVar[str] = "http"
    labels: ClassVar[frozenset[str]] = frozenset({"apigw_v1", "apigw_v2", "function_url", "alb"})
    resource: ClassVar[str] = "route"
    noun: ClassVar[str] = "request"
    answers_preflights: ClassVar[bool] = False
    """Whether its handlers answer the preflights of CORS themselves."""

    def __init__(
        self,
        route: str,
        *,
        status: int | None = None,
        tags: tuple[str, ...] = (),
        summary: str | None = None,
        description: str | None = None,
        operation_id: str | None = None,
        deprecated: bool = False,
        responses: Mapping[int, str] | None = None,
        security: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        _check_route(route)
        check_range("status", status, 200, 599, optional=True)
        check_flag("deprecated", deprecated)
        for setting, value in (("summary", summary), ("description", description), ("operation_id", operation_id)):
            check_text(setting, value, 10_000)
        for code, words in (responses or {}).items():
            check_range("a status of responses", code, 100, 599)
            check_text(f"responses[{code}]", words, 10_000)
        self.pattern = Pattern(route)
        self.route = route
        self.status = status
        self.tags = tags
        self.summary = summary
        self.description = description
        self.operation_id = operation_id
        self.deprecated = deprecated
        self.responses = {**(responses or {})}
        self.security = None if security is None else {**security}

    def __str__(self) -> str:
        """By its route; what else is written above the function is for OpenAPI, mostly."""
        return f"on_http({self.route!r})"

    def settings(self) -> dict[str, object]:
        """The settings that differ from their defaults, by name."""
        settings = {name: value for name, value in vars(self).items() if name != "pattern"}
        return {name: value for name, value in settings.items() if value not in (None, (), False, {})}

    @property
    def is_described(self) -> bool:
        """Whether OpenAPI has a word for its requests."""
        return self.pattern.path != DEFAULT

    def enter(self, table: RouteTable[Any], taker: Any) -> None:
        """Let a taker have its requests."""
        table.add(self.pattern, taker)

    def handler(self, function: Callable[..., Any]) -> BoundHandler:
        """A function that answers requests."""
        from lambdakit.http.handler import HttpHandler

        return HttpHandler(function, self)

    @classmethod
    def lane(cls, dependencies: Dependencies, http: HttpSettings | None) -> Lane:
        """The routes of an App."""
        from lambdakit.http.lane import HttpLane

        return HttpLane(cls, dependencies, http)

    @property
    def rivals(self) -> Hashable:
        """The paths that it takes."""
        return self.pattern.key

    def conflicts(self, other: Trigger) -> bool:
        """Whether both take the same method of the same paths."""
        return isinstance(other, HttpTrigger) and not {*self.pattern.methods}.isdisjoint(other.pattern.methods)


def _check_route(route: object) -> None:
    if callable(route):
        raise TypeError("write @on_http with its route, as in @on_http('GET /orders')")
    if not isinstance(route, str):
        raise ValueError(f"on_http takes a route as text, as 'GET /orders', not {route!r}")


def on_http(
    route: str,
    *,
    status: int | None = None,
    tags: str | Iterable[str] = (),
    summary: str | None = None,
    description: str | None = None,
    operation_id: str | None = None,
    deprecated: bool = False,
    responses: Mapping[int, str] | None = None,
    security: Mapping[str, Sequence[str]] | None = None,
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the requests of a route, whichever front door they come through.

    Those are API Gateway's REST APIs and HTTP APIs (payload formats 1.0 and 2.0), function URLs and Application Load
    Balancers. The function may ask for values of the path, the query, headers, cookies, the body and for the
    ``HttpRequest``; what it returns is sent as its annotation says.

    Args:
        route: A method and a path: ``"GET /orders/{order_id}"``, ``"GET|POST /orders"``, ``"ANY /files/{path+}"``;
            ``"$default"`` takes what no other route takes.
        status: The status of a reply that names none: by default 200, and 204 for one without content.
        tags: For OpenAPI, as are all that follow.
        summary: In a few words what the route does; by default the first line of the function's docstring.
        description: At length what the route does; by default the rest of the docstring.
        operation_id: The name of the operation; by default the function's.
        deprecated: Whether clients should stop using it.
        responses: Further statuses that it may answer with, and what each means: ``{404: "There is no such order."}``.
        security: The security schemes it needs, each with its scopes; ``{}`` needs none, whatever the API needs.

    Raises:
        ValueError: there is no such route, or a setting is none.

    >>> from pydantic import BaseModel
    >>> class Order(BaseModel):
    ...     total: float
    >>> @on_http("POST /orders/{order_id}", status=201)
    ... def create(order_id: int, order: Order) -> Order:
    ...     return order
    """
    trigger = HttpTrigger(
        route,
        status=status,
        tags=as_tuple(tags, "tags"),
        summary=summary,
        description=description,
        operation_id=operation_id,
        deprecated=deprecated,
        responses=responses,
        security=security,
    )
    return mark(trigger)


def check_prefix(prefix: str) -> None:
    """See that paths can begin so.

    Raises:
        ValueError: they can't.
    """
    if not prefix.startswith("/") or prefix.endswith("/") or "+}" in prefix:
        raise ValueError(f"a prefix begins with a slash and ends without one, as '/orders', not {prefix!r}")
    Pattern(f"GET {prefix}")


class Routes:
    """Routes that share the beginning of their paths, and tags: those of a module, mostly.

    Args:
        prefix: What their paths begin with, as ``/orders``; it may have parameters.
        tags: Tags of all of them, for OpenAPI.
        within: Routes that these belong to, whose prefix and tags come before theirs.

    Raises:
        ValueError: it is no prefix.

    >>> orders = Routes("/orders", tags="orders")
    >>> @orders.on_http("GET /{order_id}")
    ... def read(order_id: int) -> dict[str, int]:
    ...     return {"id": order_id}
    """

    def __init__(self, prefix: str, *, tags: str | Iterable[str] = (), within: Routes | None = None) -> None:
        check_prefix(prefix)
        self.prefix: str = (within.prefix if within else "") + prefix
        self.tags: tuple[str, ...] = (*(within.tags if within else ()), *as_tuple(tags, "tags"))

    def on_http(
        self,
        route: str,
        *,
        tags: str | Iterable[str] = (),
        **settings: Unpack[RouteSettings],
    ) -> Callable[[Handler], Handler]:
        """As ``on_http``, with the same settings, for a route below the prefix: ``"GET /"`` is the prefix itself."""
        if route == DEFAULT:
            raise ValueError(f"{DEFAULT!r} has no prefix: it takes what no other route of the App takes")
        pattern = Pattern(route)
        return on_http(
            f"{'|'.join(pattern.methods)} {self.prefix}{pattern.path.rstrip('/')}",
            tags=(*self.tags, *as_tuple(tags, "tags")),
            **settings,
        )
