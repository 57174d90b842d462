"""Other frameworks below a path: in one App with routes and other triggers, through every front door."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.event_handler import (
    ALBResolver,
    APIGatewayHttpResolver,
    APIGatewayRestResolver,
    LambdaFunctionUrlResolver,
)
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse

from lambdakit import App, on_http, on_s3
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.events import S3Record
from lambdakit.http import Cors, HttpRequest, HttpSettings, mount
from lambdakit.testing import events
from tests.front_doors import DOORS, event_of, request

steps: list[str] = []


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, str]]:
    steps.append("started")
    yield {"database": "open"}
    steps.append("ended")


def fastapi_app() -> FastAPI:
    application = FastAPI(lifespan=lifespan)

    @application.get("/items/{item:path}")
    async def item(item: str, asked: Request, q: str = "") -> dict[str, Any]:
        return {
            "item": item,
            "q": q,
            "root": asked.scope["root_path"],
            "state": asked.state.database,
            "event": asked.scope["aws.event"]["requestContext"] is not None,
        }

    @application.post("/items")
    async def create(asked: Request) -> JSONResponse:
        response = JSONResponse(await asked.json(), 201)
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @application.get("/")
    async def root() -> PlainTextResponse:
        return PlainTextResponse("root")

    @application.get("/broken")
    async def broken() -> None:
        raise LookupError

    return application


@on_http("GET /admin/health")
def health() -> str:
    return "fine"


@on_s3("uploads")
def ingest(upload: S3Record) -> str:
    return upload.key


@pytest.fixture
def app() -> Any:
    steps.clear()
    with closing(App(mount("/admin", fastapi_app()), health, ingest)) as app:
        yield app


# ASGI.


@pytest.mark.parametrize("door", DOORS)
def test_an_application_answers_below_its_path(app: App, door: str) -> None:
    """Through every front door, with its root path; the path and the query are what the client sent."""
    answer = request(app, "GET /admin/items/a%20b/c?q=1%262", door=door)

    assert (answer.status, answer.json) == (
        200,
        {
            "item": "a b/c",
            "q": "1&2",
            "root": answer.json["root"],
            "state": "open",
            "event": True,
        },
    )
    assert answer.json["root"] == ("/prod/admin" if door == "REST API" else "/admin")


@pytest.mark.parametrize("door", DOORS)
def test_bodies_and_cookies_go_both_ways(app: App, door: str) -> None:
    """As the application gives them."""
    answer = request(app, "POST /admin/items", door=door, json={"a": "ü"})

    assert (answer.status, answer.json, [cookie.partition(";")[0] for cookie in answer.cookies]) == (
        201,
        {"a": "ü"},
        ["a=1", "b=2"],
    )


def test_routes_and_other_triggers_are_there_too(app: App) -> None:
    """A route below the path is closer than the mount."""
    assert request(app, "GET /admin/health").text == "fine"
    assert app(events.s3("uploads", "a.csv")) == "a.csv"
    assert [request(app, line).status for line in ("GET /admin/", "GET /admin/none")] == [200, 404]
    assert request(app, "GET /admin").headers["location"].endswith("/admin/")  # the application's own answer
    assert request(app, "GET /elsewhere").json["detail"] == "there is no /elsewhere"


def test_the_lifespan_is_that_of_the_environment(app: App) -> None:
    """Not of an invocation: it begins with the first, and ends when the App is closed."""
    for _ in range(3):
        request(app, "GET /admin/")
    app(events.s3("uploads", "a.csv"))
    assert steps == ["started"]

    app.close()

    assert steps == ["started", "ended"]


def test_the_lifespan_begins_in_the_init_phase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As start-up hooks do: where Lambda loads the module."""
    (tmp_path / "site_of_test_mounts.py").write_text(
        "from lambdakit import App\nfrom lambdakit.http import mount\n"
        "from tests.test_http_mounts import fastapi_app\n"
        "site = mount('/', fastapi_app())\nhandler = App(__name__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("_HANDLER", "site_of_test_mounts.handler")
    steps = sys.modules["tests.test_http_mounts"].steps if "tests.test_http_mounts" in sys.modules else []
    steps.clear()

    import site_of_test_mounts as site  # type: ignore[import-not-found]

    started = [*sys.modules["tests.test_http_mounts"].steps]
    site.handler.close()
    sys.modules.pop("site_of_test_mounts")

    assert started == ["started"]


def test_an_application_without_a_lifespan_needs_none() -> None:
    """Plain ASGI, of no framework; the default of a whole App."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": scope["path"].encode() + message["body"]})

    with closing(App(mount("/", application))) as app:
        assert request(app, "PUT /a/b", body="!").text == "/a/b!"
        assert request(app, "PUT /", body="!").text == "/!"


def test_a_lifespan_that_fails_fails_the_start() -> None:
    """With the application's own words."""

    @asynccontextmanager
    async def broken(_: FastAPI) -> AsyncGenerator[None]:
        if not steps:
            raise LookupError("no database")
        yield

    steps.clear()
    with (
        closing(App(mount("/", FastAPI(lifespan=broken)))) as app,
        pytest.raises(Exception, match="no database"),
    ):
        request(app, "GET /")


def test_what_an_application_raises_is_its_own_answer(app: App) -> None:
    """Mangum logs it and answers with 500."""
    assert request(app, "GET /admin/broken").status == 500


def test_answers_of_an_application_are_its_own() -> None:
    """The App's CORS and compression are for its routes; preflights too are the application's below its path."""
    settings = HttpSettings(cors=Cors(), minimum_compression_size=0)
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET", "Accept-Encoding": "gzip"}
    with closing(App(mount("/admin", fastapi_app()), health, http=settings)) as app:
        mounted = request(app, "GET /admin/", headers=asked)
        preflight = request(app, "OPTIONS /admin/", headers=asked)
        routed = request(app, "GET /admin/health", headers=asked)

    assert (mounted.text, mounted.headers.get("access-control-allow-origin")) == ("root", None)
    assert preflight.status == 405
    assert routed.headers["access-control-allow-origin"] == "*"


def test_without_mangum_no_application_is_mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setattr("lambdakit.http.mounts.find_spec", lambda name: None)

    with pytest.raises(TypeError, match=r"pip install 'lambdakit\[asgi\]'"):
        mount("/", fastapi_app())


# Powertools.


def resolver_of(kind: Any) -> Any:
    resolver = kind()

    def item(item: str) -> dict[str, Any]:
        return {"item": item, "path": resolver.current_event.path, "context": resolver.lambda_context.function_name}

    resolver.get("/items/<item>")(item)
    return resolver


@pytest.mark.parametrize(
    ("kind", "door"),
    [
        (APIGatewayRestResolver, "REST API"),
        (APIGatewayRestResolver, "HTTP API 1.0"),
        (APIGatewayHttpResolver, "HTTP API 2.0"),
        (APIGatewayHttpResolver, "function URL"),
        (LambdaFunctionUrlResolver, "function URL"),
        (ALBResolver, "ALB"),
        (ALBResolver, "ALB, multi-value"),
    ],
)
def test_a_resolver_answers_below_its_path(kind: Any, door: str) -> None:
    """As if it stood at the root, with the context that Powertools wants."""
    app = App(mount("/v1/admin", resolver_of(kind)), health)

    assert request(app, "GET /v1/admin/items/7", door=door).json == {
        "item": "7",
        "path": "/items/7",
        "context": "function",
    }
    assert request(app, "GET /v1/admin/none", door=door).status == 404
    assert request(app, "GET /admin/health", door=door).text == "fine"


def test_a_resolver_may_take_all_that_no_route_takes() -> None:
    """Behind a stage too, which Powertools takes off itself."""
    app = App(mount("/", resolver_of(APIGatewayHttpResolver)), health)
    event = {**events.apigw_v2("GET /items/7", stage="prod"), "routeKey": "$default"}

    assert '"item":"7"' in app(event)["body"]


def test_a_resolver_does_not_know_the_events_of_another_front_door() -> None:
    """It would misread them; the error says which it takes."""
    app = App(mount("/", resolver_of(APIGatewayRestResolver)))

    with pytest.raises(EventValidationError, match="APIGatewayRestResolver takes requests by way of apigw_v1"):
        request(app, "GET /items/7", door="ALB")


# Mounts as part of an App.


def test_a_module_is_collected_with_its_mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their names, as functions are."""
    (tmp_path / "shop_of_test_mounts.py").write_text(
        "from lambdakit import App\nfrom lambdakit.http import mount\n\n\n"
        "async def asgi(scope, receive, send): ...\n\n\n"
        "admin = mount('/admin', asgi)\nhandler = App(__name__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import shop_of_test_mounts as shop  # type: ignore[import-not-found]

    [handler] = shop.handler.handlers
    code = handler.function.__code__

    assert str(handler) == "mount('/admin') -> shop_of_test_mounts.function"
    assert (code.co_filename, code.co_firstlineno) == (str(tmp_path / "shop_of_test_mounts.py"), 8)
    assert handler.trigger.settings() == {"prefix": "/admin"}
    sys.modules.pop("shop_of_test_mounts")


def test_two_mounts_of_one_path_are_refused() -> None:
    """As is a route for all below it; the path itself may be a route's."""

    @on_http("ANY /admin/{rest+}")
    def rest(rest: str) -> None: ...

    @on_http("ANY /admin")
    def root() -> str:
        return "route"

    first, second = mount("/admin", fastapi_app()), mount("/admin", fastapi_app())

    for other in (second, rest):
        with pytest.raises(RegistrationError, match=r"two handlers claim the same thing: mount\('/admin'\)"):
            App(first, other)
    for app in (App(first, root), App(root, first)):
        with closing(app):
            assert request(app, "GET /admin").text == "route"


def test_a_mount_is_explained_and_not_described() -> None:
    """OpenAPI leaves it out: the application may have a document of its own."""
    app = App(mount("/admin", fastapi_app()), health)

    explained = app.explain(event_of("GET /admin/items"))

    assert explained.handlers == [f"{__name__}.FastAPI"]
    assert f"  taken by mount('/admin') -> {__name__}.FastAPI" in explained.lines
    assert [*app.openapi()["paths"]] == ["/admin/health"]


@pytest.mark.parametrize("prefix", ["admin", "/admin/", "", "/{path+}"])
def test_a_path_that_is_none_is_refused(prefix: str) -> None:
    """It begins with a slash and ends without one, or is the root."""
    with pytest.raises(ValueError, match="a prefix begins with a slash"):
        mount(prefix, fastapi_app())


def test_what_is_no_application_is_refused() -> None:
    """Neither ASGI nor a resolver."""
    with pytest.raises(TypeError, match="mount takes an ASGI application or a resolver of Powertools, not 5"):
        mount("/", 5)


def test_a_request_can_be_seen_from_below() -> None:
    """An encoded beginning counts as what it stands for."""
    http = HttpRequest.of(event_of("GET /v1/%61dmin/a%20b", door="REST API"))

    assert http.below("/v1/admin")["path"] == "/a%20b"


def test_a_shared_app_has_a_lifespan_in_each_environment(local_lambda: Any) -> None:
    """Of the local Lambda: two environments, two lifespans."""
    steps.clear()
    app = App(mount("/", fastapi_app()))
    function = local_lambda.deploy(app)

    answers = function.invoke_many([event_of("GET /") for _ in range(2)])

    assert [answer.payload["body"] for answer in answers] == ["root", "root"]
    assert steps.count("started") == function.cold_starts
