"""The front doors of the local Lambda: their events, their answers, and the client that sends through them."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver
from fastapi import FastAPI
from fastapi import Request as FastApiRequest
from hypothesis import given
from hypothesis import strategies as st
from mangum import Mangum

from lambdakit import App, on_http
from lambdakit.http import HttpRequest
from lambdakit.identify import identify
from lambdakit.local import InvokeError, LocalLambda
from lambdakit.local.front_doors.client import Client
from tests.test_front_door_contract import DOORS

Json = Any

GOLDEN = Path(__file__).parent / "golden"


def event_of(event: Json, context: object) -> Json:
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(event)}


def returning(value: Json) -> Callable[[Json, object], Json]:
    return lambda event, context: value


def client(door: str, handler: Any = event_of, **settings: Any) -> Client:
    """A client for a function behind one of the doors."""
    local = LocalLambda()
    name, own = DOORS[door]
    return local.http(local.deploy(handler, name="shop"), name, **{**own, **settings})


def sent(door: str, path: str = "/", method: str = "GET", **options: Any) -> Json:
    """The event that a request becomes."""
    settings = {name: options.pop(name) for name in ("stage", "routes", "binary_media_types") if name in options}
    seen: list[Json] = []

    def remember(event: Json, context: object) -> Json:
        seen.append(event)
        return {"statusCode": 200}

    client(door, remember, **settings).request(method, path, **options)
    [event] = seen
    return event


# Events.


def shape(value: Json) -> Json:
    return {name: shape(member) for name, member in value.items()} if isinstance(value, dict) else None


@pytest.mark.parametrize(
    ("door", "label", "method"),
    [
        ("HTTP API 2.0", "apigw_v2", "POST"),
        ("REST API", "apigw_v1", "GET"),
        ("function URL", "function_url", "GET"),
        ("ALB", "alb", "GET"),
    ],
)
def test_an_event_is_like_a_golden_one(door: str, label: str, method: str) -> None:
    """The same members of the same members, but for the headers that a client sends."""
    golden = json.loads((GOLDEN / f"{label}.json").read_text())
    routes = {"routes": ["POST /orders/{id}"]} if label == "apigw_v2" else {}
    options = {"headers": {"Cookie": "theme=dark"}, "json": {}} if label == "apigw_v2" else {}

    event = sent(door, "/orders/7?tag=a&limit=1", method, **options, **routes)

    usual = {"headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters"}
    shapes = [shape({n: value for n, value in each.items() if n not in usual}) for each in (event, golden)]
    if label == "apigw_v1":  # that one is of a route without parameters
        shapes[0]["pathParameters"] = None
    assert shapes[0] == shapes[1]
    assert (identify(event), usual & event.keys()) == (label, usual & golden.keys())


@pytest.mark.parametrize("door", DOORS)
def test_an_event_tells_where_it_comes_from(door: str) -> None:
    """The client's address behind those that the client names itself, the scheme, the port, a trace."""
    event = sent(door, headers={"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "gopher"})
    http = HttpRequest.of(event)

    told = [http.headers[name] for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port")]
    assert (told, http.source_ip) == (["10.0.0.1, 203.0.113.10", "https", "443"], "203.0.113.10")
    assert http.headers["x-amzn-trace-id"].startswith("Root=1-6955b900-")


def test_a_rest_api_leaves_parameters_encoded_and_drops_the_slash_at_the_end() -> None:
    """As AWS was recorded to do; of several slashes at the front it takes one."""
    rest = client("REST API")

    events = [rest.get(f"{rest.base_url}{path}").json() for path in ("/a%2Bb/c/", "//a", "/")]

    assert [(event["resource"], event["path"], event["pathParameters"]) for event in events] == [
        ("/{proxy+}", "/a%2Bb/c/", {"proxy": "a%2Bb/c"}),
        ("/{proxy+}", "/a", {"proxy": "a"}),
        ("/", "/", None),
    ]


def test_the_stage_is_in_the_url_and_where_the_api_says_it() -> None:
    """A REST API leaves it out of the path, an HTTP API does not."""
    told = {
        door: (event.get("rawPath", event.get("path")), event["requestContext"]["stage"])
        for door in ("REST API", "HTTP API 2.0", "HTTP API 1.0")
        for event in [sent(door, "/orders", stage="test")]
    }

    assert told == {
        "REST API": ("/orders", "test"),
        "HTTP API 2.0": ("/test/orders", "test"),
        "HTTP API 1.0": ("/test/orders", "test"),
    }


def test_another_domain_is_mapped_to_the_stage() -> None:
    """Its paths are those of the API, as with a base path mapping without a base path."""
    rest = client("REST API", stage="test")

    event = rest.get("https://shop.example/orders").json()

    context = event["requestContext"]
    assert (event["path"], context["path"], context["domainName"]) == ("/orders", "/orders", "shop.example")


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("REST API", (403, {"message": "Forbidden"})),
        ("HTTP API 2.0", (404, {"message": "Not Found"})),
    ],
)
def test_another_stage_is_not_there(door: str, answer: Json) -> None:
    """A redirect to a path without the stage meets that too."""
    api = client(door, stage="test")

    response = api.get(f"https://{api.front_door.host}/orders")

    assert (response.status_code, response.json()) == answer


ROUTES = ["GET /orders/{id}", "ANY /orders/new", "GET /files/{name+}"]


@pytest.mark.parametrize(
    ("door", "line", "route", "parameters"),
    [
        ("HTTP API 2.0", "GET /orders/a%20b", "GET /orders/{id}", {"id": "a b"}),
        ("HTTP API 2.0", "GET /orders/new", "ANY /orders/new", None),
        ("HTTP API 2.0", "GET /files/a/b", "GET /files/{name+}", {"name": "a/b"}),
        ("HTTP API 1.0", "GET /orders/7", "/orders/{id}", {"id": "7"}),
        ("REST API", "GET /orders/a%20b/", "/orders/{id}", {"id": "a%20b"}),
        ("REST API", "POST /orders/new", "/orders/new", None),
    ],
)
def test_the_most_specific_route_takes_a_request(door: str, line: str, route: str, parameters: Json) -> None:
    """Its parameters are in the event."""
    method, path = line.split()
    event = sent(door, path, method, routes=ROUTES)

    assert (event.get("routeKey") or event["resource"], event.get("pathParameters")) == (route, parameters)


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("REST API", (403, {"message": "Missing Authentication Token"})),
        ("HTTP API 2.0", (404, {"message": "Not Found"})),
        ("HTTP API 1.0", (404, {"message": "Not Found"})),
    ],
)
def test_a_request_without_a_route_does_not_get_to_the_function(door: str, answer: Json) -> None:
    """The API answers."""
    response = client(door, routes=ROUTES).post("/orders/7")

    assert (response.status_code, response.json(), response.extensions["invocation"]) == (*answer, None)


@pytest.mark.parametrize("key", ["/orders", "GET orders", "GET /orders/{id:int}", "GET /a b"])
def test_what_is_no_route_of_api_gateway_is_refused(key: str) -> None:
    """Such as those with a converter."""
    with pytest.raises(ValueError, match="is no route of API Gateway"):
        client("HTTP API 2.0", routes=[key])


@pytest.mark.parametrize(
    ("media_type", "is_base64"),
    [
        ("text/html", False),
        ("application/json; charset=utf-8", False),
        ("application/problem+json", False),
        ("application/x-www-form-urlencoded", True),
        ("application/octet-stream", True),
        ("", True),
    ],
)
@pytest.mark.parametrize("door", ["HTTP API 2.0", "HTTP API 1.0", "function URL"])
def test_a_body_that_is_not_called_text_is_base64(door: str, media_type: str, is_base64: bool) -> None:
    """A form's too; bytes that are no UTF-8 always."""
    headers = {"Content-Type": media_type} if media_type else {}
    bodies = [sent(door, "/", "POST", content=content, headers=headers) for content in (b"{}", b"\xff")]

    assert [event["isBase64Encoded"] for event in bodies] == [is_base64, True]
    assert bodies[1]["body"] == "/w=="


@pytest.mark.parametrize(
    ("types", "media_type", "is_base64"),
    [
        ([], "image/png", False),
        (["image/png"], "image/png", True),
        (["image/*"], "image/png", True),
        (["image/png"], "application/json", False),
        (["*/*"], "application/json", True),
    ],
)
def test_a_rest_api_has_binary_media_types(types: list[str], media_type: str, is_base64: bool) -> None:
    """What is of another type is text, well or ill."""
    event = sent(
        "REST API", "/", "POST", content=b"\xff", headers={"Content-Type": media_type}, binary_media_types=types
    )

    assert (event["isBase64Encoded"], event["body"]) == (is_base64, "/w==" if is_base64 else "�")


def test_a_rest_api_decodes_what_the_client_accepts_first() -> None:
    """Other clients get the base64 itself."""
    handler = returning({"statusCode": 200, "body": b64encode(b"\xff").decode(), "isBase64Encoded": True})
    rest = client("REST API", handler, binary_media_types=["image/png"])

    contents = [
        rest.get("/", headers={"Accept": accept}).content
        for accept in ("image/png, */*", "*/*", "text/html, image/png")
    ]

    assert contents == [b"\xff", b"/w==", b"/w=="]


# Replies.

FAILURES = {
    "HTTP API 2.0": 500,
    "HTTP API 1.0": 500,
    "REST API": 502,
    "REST API, text": 502,
    "function URL": 502,
    "ALB": 502,
    "ALB, multi-value": 502,
}


@pytest.mark.parametrize(
    ("reply", "but_for"),
    [
        ("text", {"HTTP API 2.0": 200, "function URL": 200}),
        (None, {"HTTP API 2.0": 200, "function URL": 200}),
        ([1], {"HTTP API 2.0": 200, "function URL": 200}),
        ({"body": "x"}, {"HTTP API 2.0": 200, "function URL": 200, "REST API": 200, "REST API, text": 200}),
        ({"errorMessage": "x"}, {"function URL": 200}),
        ({"statusCode": "201"}, {**dict.fromkeys(FAILURES, 201), "ALB": 502, "ALB, multi-value": 502}),
        ({"statusCode": 201, "more": 1}, {**dict.fromkeys(FAILURES, 201), "REST API": 502, "REST API, text": 502}),
        ({"statusCode": 201, "body": None, "headers": None}, dict.fromkeys(FAILURES, 201)),
        ({"statusCode": "many"}, {}),
        ({"statusCode": 1000}, {}),
        ({"statusCode": True}, {}),
        ({"statusCode": 200, "body": {"a": 1}}, {}),
        ({"statusCode": 200, "body": {}}, {}),
        ({"statusCode": 200, "body": "!", "isBase64Encoded": True}, {"REST API, text": 200}),
        (b"bytes", {}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("door", DOORS)
def test_each_front_door_has_replies_that_it_takes(door: str, reply: Json, but_for: dict[str, int]) -> None:
    """As AWS was recorded to do."""
    response = client(door, returning(reply)).get("/")

    assert response.status_code == but_for.get(door, FAILURES[door])
    assert bool(response.extensions["problem"]) == (response.status_code in (500, 502))


@pytest.mark.parametrize(
    ("door", "name", "value", "problem"),
    [
        ("HTTP API 2.0", "headers", [1], "headers is no object"),
        ("HTTP API 2.0", "headers", {"a": 1}, "the value of the header 'a' is 1, and no string"),
        ("HTTP API 2.0", "headers", {"a": "1\n"}, "HTTP has no header 'a' with the value '1\\n'"),
        ("HTTP API 2.0", "headers", {"a b": "1"}, "HTTP has no header 'a b' with the value '1'"),
        ("HTTP API 2.0", "cookies", {"a": "1"}, "cookies is no array"),
        ("HTTP API 2.0", "cookies", [1], "the value of the header 'Set-Cookie' is 1, and no string"),
        ("HTTP API 1.0", "multiValueHeaders", {"a": "1"}, "multiValueHeaders is no object of arrays"),
        ("REST API", "multiValueHeaders", {"a": "1"}, "multiValueHeaders is no object of arrays"),
        ("REST API", "headers", {"a": None}, "the value of the header 'a' is None, and no string"),
        ("ALB, multi-value", "multiValueHeaders", {"a": "1"}, "multiValueHeaders is no object of arrays"),
    ],
)
def test_headers_in_another_form_are_refused(door: str, name: str, value: Json, problem: str) -> None:
    """What was wrong stands beside the response."""
    response = client(door, returning({"statusCode": 200, name: value})).get("/")

    assert (response.status_code, response.extensions["problem"]) == (FAILURES[door], problem)


MIXED = {
    "statusCode": 200,
    "headers": {"X-A": "one", "X-B": "one", "X-Bool": True},
    "multiValueHeaders": {"x-a": ["two", "three"]},
    "cookies": ["a=1", "b=2"],
}


@pytest.mark.parametrize(
    ("door", "values"),
    [
        ("HTTP API 2.0", (["one"], ["one"], ["true"], ["a=1", "b=2"])),
        ("HTTP API 1.0", (["two", "three"], ["one"], ["true"], [])),
        ("REST API", (["two", "three"], ["one"], ["true"], [])),
        ("function URL", (["one"], ["one"], ["true"], ["a=1", "b=2"])),
        ("ALB", (["one"], ["one"], ["true"], [])),
        ("ALB, multi-value", (["two", "three"], [], [], [])),
    ],
)
def test_each_front_door_takes_headers_of_its_own_fields(door: str, values: Json) -> None:
    """Those with several values win over those with one."""
    reply = {name: value for name, value in MIXED.items() if name != "cookies" or door != "REST API"}
    headers = client(door, returning(reply)).get("/").headers

    assert tuple(headers.get_list(name) for name in ("x-a", "x-b", "x-bool", "set-cookie")) == values


@pytest.mark.parametrize(
    ("door", "reply", "content_type"),
    [
        ("HTTP API 2.0", {"statusCode": 200, "body": "x"}, "text/plain;charset=UTF-8"),
        ("HTTP API 2.0", {"statusCode": 200}, None),
        ("HTTP API 2.0", {"a": 1}, "application/json"),
        ("HTTP API 1.0", {"statusCode": 200, "body": "x"}, "text/plain;charset=UTF-8"),
        ("REST API", {"statusCode": 200, "body": "x"}, "application/json"),
        ("function URL", {"statusCode": 200, "body": "x"}, "application/json"),
        ("ALB", {"statusCode": 200, "body": "x"}, "application/octet-stream"),
    ],
)
def test_content_without_a_type_gets_one(door: str, reply: Json, content_type: str | None) -> None:
    """Another at each front door."""
    assert client(door, returning(reply)).get("/").headers.get("content-type") == content_type


@pytest.mark.parametrize("door", ["HTTP API 2.0", "function URL"])
def test_a_reply_without_a_status_code_is_the_body(door: str) -> None:
    """As JSON, but for text, which goes out as it is."""
    bodies = [client(door, returning(reply)).get("/").text for reply in ({"a": 1}, [1, True], "hello", None, 1.5)]

    assert bodies == ['{"a": 1}', "[1, true]", "hello", "null", "1.5"]


def test_a_rest_api_renames_and_drops_headers() -> None:
    """Those that are its own business."""
    names = ("Date", "Server", "WWW-Authenticate", "Authorization", "Host", "Via", "Connection", "X-Mine")
    headers = client("REST API", returning({"statusCode": 200, "headers": dict.fromkeys(names, "x")})).get("/").headers

    kept = {name: value for name, value in headers.items() if value == "x"}
    assert kept == {
        "x-amzn-remapped-date": "x",
        "x-amzn-remapped-server": "x",
        "x-amzn-remapped-www-authenticate": "x",
        "x-amzn-remapped-authorization": "x",
        "x-amzn-remapped-connection": "x",
        "x-mine": "x",
    }


@pytest.mark.parametrize("door", DOORS)
def test_a_length_is_the_bodys_own(door: str) -> None:
    """Whatever the function says."""
    headers = {"Content-Length": "77", "Transfer-Encoding": "chunked", "Keep-Alive": "x"}
    reply = {"statusCode": 200, "body": "ü", "headers": headers, "multiValueHeaders": {}}
    response = client(door, returning(reply)).get("/")

    assert (response.headers["content-length"], response.text) == ("2", "ü")
    assert not {"transfer-encoding", "keep-alive"} & set(response.headers)


# Failures and limits.

PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
BAD_GATEWAY = (502, PAGE.format("502 Bad Gateway"))
REST_ERROR = '{"message": "Internal server error"}'
THROTTLED = '{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}'


def slow(event: Json, context: object) -> Json:
    time.sleep(60)
    return {"statusCode": 200}


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("HTTP API 2.0", (500, '{"message":"Internal Server Error"}')),
        ("HTTP API 1.0", (500, '{"message":"Internal Server Error"}')),
        ("REST API", (502, REST_ERROR)),
        ("function URL", (502, "Internal Server Error")),
        ("ALB", BAD_GATEWAY),
    ],
)
def test_a_function_that_fails_is_answered_for(door: str, answer: Json) -> None:
    """By an exception, or as its own time is over."""
    handlers = [lambda event, context: 1 / 0, slow]
    responses = [client(door, handler).get("/") for handler in handlers]

    assert [(each.status_code, each.text) for each in responses] == [answer, answer]
    errors = [each.extensions["invocation"].error.type for each in responses]
    assert errors == ["ZeroDivisionError", "Sandbox.Timedout"]


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("HTTP API 2.0", (503, '{"message":"Service Unavailable"}')),
        ("HTTP API 1.0", (503, '{"message":"Service Unavailable"}')),
        ("REST API", (500, REST_ERROR)),
        ("function URL", (429, THROTTLED)),
        ("ALB", BAD_GATEWAY),
    ],
)
def test_a_throttle_is_answered_in_another_way(door: str, answer: Json) -> None:
    """Only a function URL hands on its status."""
    local = LocalLambda()
    name, settings = DOORS[door]
    http = local.http(local.deploy(slow, reserved_concurrency=0), name, **settings)

    response = http.get("/")

    assert (response.status_code, response.text) == answer


@pytest.mark.parametrize(
    ("door", "answer"),
    [
        ("HTTP API 2.0", (30, 503, '{"message":"Service Unavailable"}')),
        ("HTTP API 1.0", (30, 503, '{"message":"Service Unavailable"}')),
        ("REST API", (29, 504, '{"message": "Endpoint request timed out"}')),
        ("function URL", (60, 200, "")),
        ("ALB", (60, 200, "")),
    ],
)
def test_an_api_waits_so_long_only(door: str, answer: Json) -> None:
    """The function runs on, for nobody; the others wait for it."""
    local = LocalLambda()
    name, settings = DOORS[door]
    function = local.deploy(slow, timeout=90)

    response = local.http(function, name, **settings).get("/")
    seconds = local.now
    local.run()

    assert (seconds, response.status_code, response.text) == answer
    assert [(invocation.error, invocation.ended) for invocation in function.invocations] == [(None, 60)]


@pytest.mark.parametrize(
    ("door", "size", "answer"),
    [
        ("HTTP API 2.0", 10_485_761, (413, '{"message":"Request Entity Too Large"}')),
        ("HTTP API 2.0", 7_000_000, (413, '{"message":"Request Entity Too Large"}')),
        ("REST API", 10_485_761, (413, "HTTP content length exceeded 10485760 bytes.")),
        ("REST API", 7_000_000, (413, '{"message": "Request Too Long"}')),
        ("ALB", 1_048_577, (413, PAGE.format("413 Request Entity Too Large"))),
    ],
)
def test_a_request_may_be_so_large_only(door: str, size: int, answer: Json) -> None:
    """The door has a limit, and so has Lambda; neither asks the function."""
    response = client(door).post("/", content=b"x" * size, headers={"Content-Type": "text/plain"})

    assert (response.status_code, response.text) == answer
    assert response.extensions["invocation"] is None


# The client.


def test_requests_at_one_instant_need_an_environment_each() -> None:
    """And what is more than the function may have is throttled."""
    local = LocalLambda()
    function = local.deploy(slow, timeout=90, reserved_concurrency=3)
    http = local.http(function, "function-url")

    responses = http.burst(http.build_request("GET", f"/{number}") for number in range(5))

    assert sorted(response.status_code for response in responses) == [200, 200, 200, 429, 429]
    assert (function.max_concurrency, function.cold_starts, local.now) == (3, 3, 60)
    assert [response.url.path for response in responses] == [f"/{number}" for number in range(5)]


@on_http("GET /jump/{times:int}")
def jump(times: int) -> Json:
    time.sleep(1)
    return HopsLeft(times) if times else {"landed": True}


def HopsLeft(times: int) -> Json:  # noqa: N802
    from lambdakit.http import Response

    response: Response = Response(status=302, headers={"Location": f"/jump/{times - 1}"})
    response.set_cookie(f"hop{times}", "1", path="/")
    return response


def test_a_burst_follows_redirects_side_by_side() -> None:
    """Each at its own pace; the cookies of all of them are kept."""
    local = LocalLambda()
    http = local.http(local.deploy(App(jump)))
    http.follow_redirects = True

    responses = http.burst(http.build_request("GET", f"/jump/{times}") for times in (0, 2, 1))

    assert [(response.json(), len(response.history)) for response in responses] == [
        ({"landed": True}, 0),
        ({"landed": True}, 2),
        ({"landed": True}, 1),
    ]
    assert (local.now, sorted(http.cookies)) == (3, ["hop1", "hop2"])


def test_an_error_of_a_burst_is_raised() -> None:
    """As that of a single request."""
    http = client("HTTP API 2.0", returning({"statusCode": 302, "headers": {"Location": "/"}}))
    http.follow_redirects = True

    with pytest.raises(httpx.TooManyRedirects):
        http.burst([http.build_request("GET", "/")])


def test_what_httpx_can_do_works() -> None:
    """Authentication by a challenge, for one."""

    def handler(event: Json, context: object) -> Json:
        given = event["headers"].get("authorization", "")
        challenge = {"WWW-Authenticate": 'Digest realm="shop", nonce="1", qop="auth"'}
        return {"statusCode": 200, "body": given[:6]} if given else {"statusCode": 401, "headers": challenge}

    response = client("HTTP API 2.0", handler).get("/", auth=httpx.DigestAuth("ann", "secret"))

    assert (response.status_code, response.text) == (200, "Digest")


def test_a_response_has_its_invocation() -> None:
    """With all that the service knows of it."""
    invocation = client("function URL").get("/").extensions["invocation"]

    assert (invocation.cold_start, invocation.status, invocation.event["rawPath"]) == (True, 200, "/")


def test_a_function_url_and_lambda_have_one_id() -> None:
    """So that a client can tell the log."""
    response = client("function URL").get("/")

    ids = {response.json()["requestContext"]["requestId"], response.headers["x-amzn-requestid"]}
    assert ids == {response.extensions["invocation"].request_id}


def test_a_function_is_found_by_its_name() -> None:
    """Or is not."""
    local = LocalLambda()
    local.deploy(event_of, name="shop")

    assert local.http("shop").get("/").status_code == 200
    with pytest.raises(InvokeError, match=r"ResourceNotFoundException \(404\): Function not found: .*:function:ship"):
        local.http("ship")


def test_there_are_five_front_doors() -> None:
    """Another name is refused with theirs."""
    local = LocalLambda()
    with pytest.raises(ValueError, match="http-api"):
        local.http(local.deploy(event_of), "websocket")  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_answers() -> None:
    """Ids, times and the order of a burst."""

    def headers() -> Json:
        local = LocalLambda(seed=7)
        http = local.http(local.deploy(slow, timeout=90, reserved_concurrency=1), "function-url")
        responses = http.burst(http.build_request("GET", "/") for _ in range(4))
        return [(response.status_code, [*response.headers.items()]) for response in responses]

    assert headers() == headers()


# Handlers of other frameworks.

api = FastAPI()


@api.get("/orders/{order_id}")
def read_order(order_id: str, request: FastApiRequest, tag: str = "") -> Json:
    return {"id": order_id, "tag": tag, "cookies": request.cookies, "agent": request.headers["x-mine"]}


@pytest.fixture
def loop() -> Iterator[None]:
    """The event loop that Mangum would make, and leave open, where there is none."""
    made = asyncio.new_event_loop()
    asyncio.set_event_loop(made)
    yield
    asyncio.set_event_loop(None)
    made.close()


@pytest.mark.usefixtures("loop")
@pytest.mark.filterwarnings("ignore:There is no current event loop:DeprecationWarning")  # Mangum asks for it
@pytest.mark.parametrize("door", DOORS)
def test_an_asgi_application_answers_behind_mangum(door: str) -> None:
    """Any handler may be deployed."""
    http = client(door, Mangum(api, lifespan="off"))

    response = http.get("/orders/a%20b?tag=%C3%BC", headers={"X-Mine": "1", "Cookie": "a=1"})

    assert (response.status_code, response.json()) == (
        200,
        {"id": "a b", "tag": "ü", "cookies": {"a": "1"}, "agent": "1"},
    )


@pytest.mark.parametrize(
    ("door", "resolver"), [("HTTP API 2.0", APIGatewayHttpResolver), ("REST API", APIGatewayRestResolver)]
)
def test_a_resolver_of_powertools_answers(door: str, resolver: Any) -> None:
    """Any handler may be deployed."""
    routes = resolver()

    @routes.get("/orders/<order_id>")  # type: ignore[untyped-decorator]
    def read_order(order_id: str) -> Json:
        return {"id": order_id, "query": routes.current_event.query_string_parameters}

    response = client(door, routes.resolve).get("/orders/7?a=1")

    assert (response.status_code, response.json()) == (200, {"id": "7", "query": {"a": "1"}})


# Real processes.

HANDLER = """
import json, os, time

def handler(event, context):
    time.sleep(0.05)
    return {"statusCode": 200, "body": json.dumps([event["rawPath"], os.getpid()])}
"""


def test_processes_answer_any_number_of_threads(tmp_path: Path) -> None:
    """On real time, side by side."""
    (tmp_path / "shop.py").write_text(HANDLER)
    with LocalLambda(isolation="process") as local:
        function = local.deploy("shop.handler", task_root=tmp_path, timeout=30)
        http = local.http(function, "function-url")
        with ThreadPoolExecutor(3) as pool:
            answers = [response.json() for response in pool.map(http.get, ["/a", "/b", "/c"])]
        answers += [
            response.json() for response in http.burst(http.build_request("GET", path) for path in ("/d", "/e"))
        ]

    assert [path for path, _ in answers] == ["/a", "/b", "/c", "/d", "/e"]
    assert len({process for _, process in answers}) == function.max_concurrency


# Laws.

_names = st.from_regex(r"[Xx]-[A-Za-z0-9]{1,5}", fullmatch=True).map(lambda name: f"X-Mine-{name}")
_values = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1, max_size=9)
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@dataclass
class Message:
    """What a client sends."""

    segment: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    cookies: dict[str, str]
    body: bytes

    def request(self, http: Client) -> httpx.Request:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        path = f"/files/{quote(self.segment, safe='')}?{urlencode(self.query)}"
        headers = [*self.headers, *([("Cookie", cookies)] if cookies else [])]
        return http.build_request("POST", path, headers=headers, content=self.body)

    def seen(self, door: str) -> Json:
        """What arrives of it, but for what the door is documented to lose."""
        decoded = "HTTP API" in door and "/" in self.segment
        headers = _grouped([(name.lower(), value) for name, value in self.headers], only_last=door == "ALB")
        joined = {name: [",".join(values)] for name, values in headers.items()}
        return {
            "segments": ["files", *(self.segment.split("/") if decoded else [self.segment])],
            "query": _grouped(self.query, only_last=door == "ALB"),
            "headers": joined if door in ("HTTP API 2.0", "function URL") else headers,
            "cookies": self.cookies,
            "body": b64encode(self.body).decode(),
        }


def _grouped(pairs: list[tuple[str, str]], *, only_last: bool) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values[name] = [value] if only_last else [*values.get(name, []), value]
    return values


def echo(event: Json, context: object) -> Json:
    """What a function sees, in the form of its front door."""
    http = HttpRequest.of(event)
    seen = {
        "segments": http.segments,
        "query": {name: http.query.all(name) for name in http.query},
        "headers": {name: http.headers.all(name) for name in http.headers if name.startswith("x-mine")},
        "cookies": http.cookies,
        "body": b64encode(http.body).decode(),
    }
    return {"statusCode": 200, "body": json.dumps(seen)}


ECHOES = {door: client(door, echo) for door in DOORS if door != "REST API, text"}


@given(
    st.sampled_from([*ECHOES]),
    st.builds(
        Message,
        _texts.filter(lambda text: text not in (".", "..")),  # which clients take out
        st.lists(st.tuples(_texts.filter(bool), _texts), max_size=4),
        st.lists(st.tuples(_names, _values), max_size=5),
        st.dictionaries(_names, _values.filter(lambda value: not set(value) & set('";\\')), max_size=3),
        st.binary(max_size=40),
    ),
)
def test_what_is_sent_arrives(door: str, message: Message) -> None:
    """Whatever it is, through each front door."""
    http = ECHOES[door]

    seen = http.send(message.request(http)).json()

    assert seen == message.seen(door)
