"""Routes: how they are written, and which of them takes a request."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, on_event, on_http
from lambdakit.errors import RegistrationError
from lambdakit.http import HttpRequest, HttpSettings, Routes
from lambdakit.http.routes import METHODS, Pattern, RouteTable
from lambdakit.testing import events
from tests.front_doors import event_of, request


def taking(*routes: str) -> App:
    """An App whose handlers answer with their routes and what they got of the path."""
    return App(*(on_http(route)(_answering(route)) for route in routes))


def _answering(route: str) -> Callable[..., Any]:
    def answer(http: HttpRequest) -> list[Any]:
        return [route, http.path_parameters]

    answer.__name__ = answer.__qualname__ = re.sub(r"\W+", "_", route)
    answer.__annotations__ = {"http": HttpRequest, "return": list[Any]}
    return answer


def taken(app: App, line: str, door: str = "function URL") -> Any:
    """The route that took a request, and the values; or the status of the answer without one."""
    answer = request(app, line, door=door)
    return tuple(answer.json) if answer.status == 200 else answer.status


# How routes are written.


@pytest.mark.parametrize(
    ("route", "problem"),
    [
        (
            "/orders",
            r"a route is a method and a path, as 'GET /orders/{order_id}', or '\$default'; '/orders' begins with",
        ),
        ("FETCH /orders", "'FETCH', which is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, ANY"),
        ("GET orders", "the path of a route begins with '/'"),
        ("GET", "the path of a route begins with '/'"),
        ("GET /orders/{id", "is text or one parameter"),
        ("GET /orders/{id}.json", "is text or one parameter"),
        ("GET /orders?limit=1", "is text or one parameter"),
        ("GET /orders//lines", "is text or one parameter"),
        ("GET /{path+}/more", "a parameter that takes the rest of the path comes last"),
        ("GET /{id}/{id}", "has two parameters called 'id'"),
        ("GET /{id:date}", r"parameter of type 'date'; there are {id:int}, {id:float}, {id:uuid}, {id} for anything"),
        ("GET /{id:path}", r"{id\+} for the rest of a path"),
    ],
)
def test_a_route_that_is_none_is_refused_where_it_is_written(route: str, problem: str) -> None:
    """In words that say what would be right."""
    with pytest.raises(ValueError, match=problem):
        on_http(route)


def test_a_decorator_without_its_route_is_refused() -> None:
    """As is a route that is no text."""
    with pytest.raises(TypeError, match=r"write @on_http with its route"):
        on_http(lambda: None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="on_http takes a route as text"):
        on_http(5)  # type: ignore[arg-type]


def test_a_trigger_is_shown_by_its_route() -> None:
    """In lists and messages; JSON has its other settings too."""
    trigger = (
        App(on_http("GET|POST /orders/{id:int}", status=201, tags="orders")(_answering("orders"))).handlers[0].trigger
    )

    assert str(trigger) == "on_http('GET|POST /orders/{id:int}')"
    assert trigger.settings() == {"route": "GET|POST /orders/{id:int}", "status": 201, "tags": ("orders",)}


# Which route takes a request.


@pytest.mark.parametrize(
    ("line", "route", "parameters"),
    [
        ("GET /", "GET /", {}),
        ("GET /orders", "GET /orders", {}),
        ("GET /orders/", "GET /orders", {}),
        ("POST /orders", "POST|PUT /orders", {}),
        ("PUT /orders", "POST|PUT /orders", {}),
        ("GET /orders/new", "GET /orders/new", {}),
        ("GET /orders/7", "GET /orders/{number:int}", {"number": "7"}),
        ("GET /orders/-7", "GET /orders/{number:int}", {"number": "-7"}),
        ("GET /orders/7.5", "GET /orders/{price:float}", {"price": "7.5"}),
        ("GET /orders/a", "GET /orders/{id}", {"id": "a"}),
        ("GET /orders/a%2Fb%20c", "GET /orders/{id}", {"id": "a/b c"}),
        ("GET /orders/%E2%82%AC", "GET /orders/{id}", {"id": "€"}),
        ("GET /orders/%252F", "GET /orders/{id}", {"id": "%2F"}),
        ("GET /orders/a+b", "GET /orders/{id}", {"id": "a+b"}),
        ("DELETE /orders/new", "DELETE /orders/{id}", {"id": "new"}),
        ("PATCH /orders/7", "ANY /orders/{id}", {"id": "7"}),
        ("GET /orders/7/lines", "GET /orders/{id}/lines", {"id": "7"}),
        ("GET /orders/new/lines", "GET /orders/{id}/lines", {"id": "new"}),
        ("GET /files/a/b/", "GET /files/{path+}", {"path": "a/b/"}),
        ("GET /files/a//b", "GET /files/{path+}", {"path": "a//b"}),
        ("GET /files/index", "GET /files/index", {}),
        ("HEAD /orders/new", "GET /orders/new", {}),
    ],
)
def test_the_closest_route_takes_a_request(line: str, route: str, parameters: dict[str, str]) -> None:
    """Text before a parameter, one with a type before one without, the rest of a path last; a method before ANY."""
    app = taking(
        "GET /",
        "GET /orders",
        "POST|PUT /orders",
        "GET /orders/{id}",
        "GET /orders/{number:int}",
        "GET /orders/{price:float}",
        "GET /orders/new",
        "DELETE /orders/{id}",
        "ANY /orders/{id}",
        "GET /orders/{id}/lines",
        "GET /files/{path+}",
        "GET /files/index",
    )
    event = event_of(line, door="function URL")

    [name] = app.explain(event).handlers
    answer = app(event)

    assert name.rpartition(".")[2] == re.sub(r"\W+", "_", route)
    assert line.startswith("HEAD") or taken(app, line) == (route, parameters)
    assert answer["statusCode"] == 200


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET /nowhere", 404),
        ("GET /orders/", 200),
        ("GET /orders//", 404),
        ("GET //orders", 404),
        ("GET /orders/7/lines", 404),
        ("GET /numbers/a", 404),
        ("GET /numbers/%D9%A7", 404),
        ("GET /keys/0e3b0e1c-2f8a-4c1d-9b57-6a1f0c9d2e34", 200),
        ("GET /keys/0e3b0e1c", 404),
        ("GET /files", 404),
        ("GET /files/", 404),
        ("DELETE /orders", 405),
        ("FETCH /orders", 405),
    ],
)
def test_what_no_route_takes_is_answered(line: str, status: int) -> None:
    """404, or 405 where the path has other methods."""
    app = taking("GET /orders", "GET /numbers/{n:int}", "GET /keys/{key:uuid}", "GET /files/{path+}")

    assert request(app, line, door="function URL").status == status


def test_a_405_tells_the_methods_of_the_path() -> None:
    """Of every route that takes it, with those that follow from them."""
    answer = request(taking("GET /orders/{id}", "PUT /orders/new", "DELETE /{path+}"), "POST /orders/new")

    assert (answer.status, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PUT")


def test_the_default_route_takes_what_no_other_takes() -> None:
    """Other methods of a path that is known, too, as at an HTTP API."""
    app = taking("GET /orders", "$default")

    assert taken(app, "GET /orders") == ("GET /orders", {})
    assert [taken(app, line) for line in ("POST /orders", "GET /nowhere", "OPTIONS /")] == [("$default", {})] * 3


# Ties.


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /orders", "GET /orders/"),
        ("GET|POST /orders", "POST /orders"),
        ("GET /orders/{id}", "GET /orders/{order_id}"),
        ("GET /{path+}", "GET /{rest+}"),
        ("ANY /orders", "ANY /orders"),
        ("$default", "$default"),
    ],
)
def test_two_routes_that_take_the_same_are_refused(first: str, second: str) -> None:
    """With both, their files and their lines."""

    @on_http(first)
    def one() -> None: ...

    @on_http(second)
    def two() -> None: ...

    with pytest.raises(RegistrationError) as error:
        App(one, two)

    lines = [function.__code__.co_firstlineno for function in (one, two)]
    assert f"two handlers claim the same thing: on_http({first!r}) -> " in str(error.value)
    assert all(f"{__file__}:{line}" in str(error.value) for line in lines)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("GET /orders", "POST /orders"),
        ("GET /orders", "ANY /orders"),
        ("GET /orders", "HEAD /orders"),
        ("GET /{id}", "GET /{id:int}"),
        ("GET /{id}", "GET /{path+}"),
        ("GET /$default", "$default"),
    ],
)
def test_routes_that_can_be_told_apart_are_not(first: str, second: str) -> None:
    """Each takes its own."""
    assert len(taking(first, second).handlers) == 2


def test_requests_have_one_decorator() -> None:
    """on_event is for what has none."""
    with pytest.raises(ValueError, match="'apigw_v2' events have their own decorator: on_http"):
        on_event("apigw_v2")


# Prefixes.


def test_routes_of_a_module_may_share_a_prefix() -> None:
    """And tags; one prefix may stand before another."""
    shop = Routes("/shop", tags="shop")
    orders = Routes("/orders/{customer}", tags=("orders",), within=shop)

    @orders.on_http("GET /")
    def listing(customer: str) -> str:
        return f"orders of {customer}"

    @orders.on_http("POST /{number:int}", status=201, tags="numbers")
    def create(customer: str, number: int) -> str:
        return f"order {number} of {customer}"

    app = App(listing, create)

    assert [request(app, line).text for line in ("GET /shop/orders/ann", "POST /shop/orders/bob/7")] == [
        "orders of ann",
        "order 7 of bob",
    ]
    assert [handler.trigger.settings() for handler in app.handlers] == [
        {"route": "GET /shop/orders/{customer}", "tags": ("shop", "orders")},
        {
            "route": "POST /shop/orders/{customer}/{number:int}",
            "status": 201,
            "tags": ("shop", "orders", "numbers"),
        },
    ]


@pytest.mark.parametrize("prefix", ["orders", "/orders/", "/", "", "/{path+}"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    """It begins with a slash and ends without one."""
    with pytest.raises(ValueError, match="prefix"):
        Routes(prefix)


def test_the_default_route_has_no_prefix() -> None:
    """There is one for all."""
    with pytest.raises(ValueError, match="'\\$default' has no prefix"):
        Routes("/orders").on_http("$default")


# Stages, mappings, base paths.


def path_of(event: Any) -> tuple[str, str]:
    """Where a request goes, and what stands before that."""
    http = HttpRequest.of(event)
    return http.path, http.base_path


OWN_DOMAIN = "api.example.com"


def at_domain(event: Any, **changes: Any) -> Any:
    return {**event, "requestContext": {**event["requestContext"], "domainName": OWN_DOMAIN}, **changes}


def test_the_stage_of_an_http_api_is_no_part_of_the_path() -> None:
    """It stands before it, unless it is $default."""
    assert path_of(events.apigw_v2("GET /orders", stage="prod")) == ("/orders", "/prod")
    assert path_of(events.apigw_v2("GET /orders")) == ("/orders", "")


def test_the_stage_of_a_rest_api_is_not_in_its_path() -> None:
    """A path that begins as the stage does keeps its beginning."""
    assert path_of(events.apigw_v1("GET /prod/orders", stage="prod")) == ("/prod/orders", "")


@pytest.mark.parametrize(
    ("resource", "path", "parameters"),
    [
        ("/orders/{id}", "/v1/orders/a%20b", {"id": "a b"}),
        ("/orders/{id}", "/v1/orders/a%20b/", {"id": "a b"}),
        ("/orders/{id}", "/v1/orders/a%20b", {"id": "a%20b"}),
        ("/{proxy+}", "/v1/orders/a%20b", {"proxy": "orders/a b"}),
        ("/{proxy+}", "/v1/orders/a%20b/", {"proxy": "orders/a%20b"}),
    ],
)
def test_the_base_path_of_a_mapping_is_no_part_of_the_path(
    resource: str, path: str, parameters: dict[str, str]
) -> None:
    """A custom domain puts it there; the resource tells where it ends."""
    event = at_domain(events.apigw_v1("GET /"), resource=resource, path=path, pathParameters=parameters)

    assert (HttpRequest.of(event).base_path, HttpRequest.of(event).path.rstrip("/")) == ("/v1", "/orders/a b")


def test_the_root_of_a_mapping_is_the_root() -> None:
    """There is nothing after the base path."""
    assert path_of(at_domain(events.apigw_v1("GET /"), resource="/", path="/v1")) == ("/", "/v1")


def test_the_key_of_an_http_apis_mapping_is_no_part_of_the_path() -> None:
    """Nor is the stage that it stands for."""
    event = events.apigw_v2("GET /orders/{id}", stage="prod")

    assert path_of(at_domain(event, rawPath="/v1/orders/1")) == ("/orders/1", "/v1")
    assert path_of(at_domain(event, rawPath="/prod/orders/1")) == ("/orders/1", "/prod")
    assert path_of(at_domain(event, rawPath="/orders/1")) == ("/orders/1", "")


@pytest.mark.parametrize("changes", [{"resource": None}, {"pathParameters": None}, {"path": "/elsewhere"}])
def test_what_does_not_fit_its_route_is_left_as_it_is(changes: dict[str, Any]) -> None:
    """Events that someone wrote by hand."""
    event = at_domain(events.apigw_v1("GET /orders/{id}"), path="/v1/orders/1")

    assert HttpRequest.of({**event, **changes}).base_path == ""


def test_a_base_path_may_be_set() -> None:
    """For what no event tells: a load balancer's rule, or a mapping to a $default route."""

    @on_http("GET /orders")
    def orders(http: HttpRequest) -> str:
        return http.base_path

    app = App(orders, http=HttpSettings(base_path="/shop"))

    assert request(app, "GET /shop/orders", door="ALB").text == "/shop"
    assert request(app, "GET /orders", door="ALB").text == ""
    assert request(app, "GET /shopping/orders", door="ALB").status == 404
    staged = {**events.apigw_v2("GET /shop/orders", stage="prod"), "routeKey": "$default"}
    assert app(staged)["body"] == "/prod/shop"


# Explanations.


def test_an_app_explains_who_would_answer() -> None:
    """And why not the others, by way of which front door."""
    app = taking("GET /orders/{id}", "POST /orders")

    assert str(app.explain(event_of("GET /orders/a%20b", door="ALB"))) == "\n".join(
        (
            "source: alb",
            "record 0: request GET /orders/a b by way of alb",
            f"  taken by on_http('GET /orders/{{id}}') -> {__name__}.GET_orders_id_",
            f"  not {__name__}.POST_orders: takes on_http('POST /orders'), this is GET /orders/a b",
        )
    )
    assert app.explain(event_of("GET /nowhere")).handlers == []


# Size.


def test_a_thousand_routes_are_found_as_fast_as_ten() -> None:
    """The way to a route is as long as its path, not as the list of routes."""

    def took(count: int) -> float:
        table: RouteTable[int] = RouteTable()
        for number in range(count):
            table.add(Pattern(f"GET /section{number}/{{id}}/lines"), number)
            table.add(Pattern(f"GET /page{number}"), number)
        lines = [[f"section{count - 1}", "7", "lines"], [f"page{count - 1}"]]
        samples: list[float] = []
        for _ in range(50):
            start = time.perf_counter()
            for _ in range(20):
                assert all(table.find("GET", line) is not None for line in lines)
            samples.append(time.perf_counter() - start)
        return min(samples)

    assert took(1000) < 3 * took(10)


# Laws.

_texts = st.sampled_from(["a", "b", "c", ""])
_segments = _texts.filter(bool) | st.sampled_from(["{x}", "{x:int}"])
_paths = st.builds(
    lambda parts, rest: "/" + "/".join([*(p.replace("x", f"x{n}") for n, p in enumerate(parts)), *rest]),
    st.lists(_segments, max_size=3),
    st.sampled_from([[], ["{rest+}"]]),
)
_routes = st.builds(lambda method, path: f"{method} {path}", st.sampled_from(["GET", "POST", "ANY"]), _paths)


def _naive(route: str, method: str, segments: list[str]) -> tuple[Any, ...] | None:
    """How close a route is to a request, by comparing it part by part; None if it does not take it."""
    wanted, _, path = route.partition(" ")
    if wanted not in (method, "ANY"):
        return None
    rest = segments[:-1] if segments[-1] == "" else segments
    closeness: list[int] = []
    parts = [part for part in path.split("/")[1:] if part]
    for position, part in enumerate(parts):
        if part.endswith("+}"):
            return (*closeness, 0, wanted != "ANY") if rest[position:] else None
        if position >= len(rest):
            return None
        if part == rest[position]:
            closeness.append(3)
        elif part.endswith(":int}") and re.fullmatch("-?[0-9]+", rest[position]):
            closeness.append(2)
        elif part.startswith("{") and ":" not in part and rest[position]:
            closeness.append(1)
        else:
            return None
    return (*closeness, wanted != "ANY") if len(parts) == len(rest) else None


@given(
    st.lists(_routes, max_size=8),
    st.sampled_from(["GET", "POST", "PUT"]),
    st.lists(_texts | st.sampled_from(["1", "-2"]), min_size=1, max_size=4),
)
def test_the_table_agrees_with_comparing_each_route(routes: list[str], method: str, segments: list[str]) -> None:
    """The route that is closest from the left, whatever the routes and the path."""
    distinct = list({(route.partition(" ")[0], Pattern(route).key): route for route in routes}.values())
    table: RouteTable[str] = RouteTable()
    for route in distinct:
        table.add(Pattern(route), route)
    rated = {route: rate for route in distinct if (rate := _naive(route, method, segments)) is not None}

    found = table.find(method, segments)

    assert (found and found[0]) == max(rated, key=lambda route: rated[route], default=None)


@given(st.text(max_size=30))
def test_a_route_is_read_or_refused(text: str) -> None:
    """Nothing else, whatever is written; its path fits itself."""
    try:
        pattern = Pattern(f"GET /{text}")
    except ValueError:
        return
    assert set(pattern.methods) <= set(METHODS)
