"""The same requests through every front door of the local Lambda, to the same App: what comes back is the same.

Where AWS makes a difference, it stands in ``DIFFERENCES``, and nowhere else.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import httpx
import pytest
from pydantic import BaseModel

from lambdakit import App, on_http
from lambdakit.http import File, Form, HTTPError, HttpRequest, HttpSettings, Query, Response, UploadFile
from lambdakit.local import LocalLambda
from lambdakit.local.front_doors.client import Client

Json = Any

DOORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "HTTP API 2.0": ("http-api", {}),
    "HTTP API 1.0": ("http-api-1.0", {}),
    "REST API": ("rest-api", {"binary_media_types": ["*/*"]}),
    "REST API, text": ("rest-api", {}),
    "function URL": ("function-url", {}),
    "ALB": ("alb", {}),
    "ALB, multi-value": ("alb", {"multi_value_headers": True}),
}


class Order(BaseModel):
    sku: str
    count: int = 1


@on_http("$default")
def echo(http: HttpRequest) -> Json:
    return {
        "line": [http.method, http.path, http.segments],
        "query": {name: http.query.all(name) for name in http.query},
        "headers": {name: http.headers.all(name) for name in http.headers if name.startswith("x-mine")},
        "cookies": http.cookies,
        "type": http.content_type,
        "body": [len(http.body), hashlib.sha256(http.body).hexdigest()[:8]],
    }


@on_http("GET|HEAD /orders/{order_id:int}")
def read(order_id: int, tag: Annotated[list[str], Query()] = []) -> Json:  # noqa: B006
    if order_id > 100:
        raise HTTPError(404, f"there is no order {order_id}", headers={"WWW-Authenticate": "Basic"})
    return {"id": order_id, "tags": tag}


@on_http("POST /orders", status=201)
def create(order: Order) -> Response[Order]:
    response = Response(order, headers={"Location": "/orders/1"})
    response.set_cookie("last", str(order.count), path="/")
    response.set_cookie("seen", "1")
    return response


@on_http("DELETE /orders/{order_id}")
def remove(order_id: str) -> None: ...


@on_http("GET /old")
def old() -> Response:
    return Response(status=302, headers={"Location": "/new?a=1"})


@on_http("POST /sign-up")
def sign_up(name: Annotated[str, Form()], photo: Annotated[UploadFile, File()]) -> Json:
    return {"name": name, "file": [photo.filename, photo.content_type, b64encode(photo.content).decode()]}


@on_http("GET /image")
def image() -> Response[bytes]:
    return Response(bytes(range(256)), media_type="image/png")


@on_http("GET /page")
def page() -> Response[str]:
    return Response("<p>grün ✓</p>", media_type="text/html; charset=utf-8", headers={"Vary": ["Accept", "Origin"]})


@on_http("GET /large")
def large(size: int, kind: Literal["text", "bytes"] = "text") -> Response:
    return Response("x" * size if kind == "text" else b"\xff" * size)


@on_http("GET /broken")
def broken() -> None:
    raise ValueError("no such thing")


ECHO = App(echo, name="echo")
SHOP = App(
    read, create, remove, old, sign_up, image, page, large, broken,
    name="shop", http=HttpSettings(minimum_compression_size=1_000),
)  # fmt: skip


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, dict[str, Client]]]:
    """A client for each front door of each function."""
    with LocalLambda() as local:
        functions = [local.deploy(ECHO), local.deploy(SHOP)]
        yield {
            name: {function.name: local.http(function, door, **settings) for function in functions}
            for name, (door, settings) in DOORS.items()
        }


# What is sent, and what is looked at of the answer.

BYTES = bytes(range(256))
PNG = b"\x89PNG\xff\x00"

PATHS = {
    "a space": "/a%20b",
    "a plus": "/a+b",
    "an encoded plus": "/a%2Bb",
    "a percent sign": "/100%25",
    "an encoded slash": "/a%2Fb",
    "letters of the world": "/gr%C3%BCn/%E2%9C%93",
    "what needs no encoding": "/-._~!$&'()*,;=:@",
    "a slash at the end": "/a/",
    "two slashes": "/a//b",
    "a question mark": "/a%3Fb",
    "nothing": "/",
}


@dataclass
class Sent:
    """A request to a function, and what is looked at of its answer."""

    function: str
    method: str
    path: str
    look: Callable[[httpx.Response], Json]
    options: dict[str, Any]


def echoed(method: str, path: str, member: str, **options: Any) -> Sent:
    return Sent("echo", method, path, lambda response: response.json()[member], options)


def asked(method: str, path: str, look: Callable[[httpx.Response], Json], **options: Any) -> Sent:
    return Sent("shop", method, path, look, options)


def status(response: httpx.Response) -> Json:
    return response.status_code


def body(response: httpx.Response) -> Json:
    return response.status_code, response.json()


def length(response: httpx.Response) -> Json:
    return response.status_code, len(response.content)


def header(name: str) -> Callable[[httpx.Response], Json]:
    return lambda response: (response.status_code, response.headers.get(name))


PLAIN = {"Accept-Encoding": "identity"}

REQUESTS = {
    **{f"a path with {name}": echoed("GET", path, "line") for name, path in PATHS.items()},
    "a header": echoed("GET", "/", "headers", headers={"X-Mine": "1, 2"}),
    "a header that comes twice": echoed("GET", "/", "headers", headers=[("X-Mine", "1"), ("x-mine", "2")]),
    "cookies": echoed("GET", "/", "cookies", headers={"Cookie": 'a=1; b="2 3"'}),
    "a query": echoed("GET", "/?q=a%26b%3D%C3%BC+%2B&empty=&none", "query"),
    "a name that comes twice": echoed("GET", "/?a=1&a=2", "query"),
    "no body": echoed("POST", "/", "body"),
    "a form": echoed("POST", "/", "body", data={"a": "1 2", "b": "ü"}),
    "bytes": echoed("PUT", "/", "body", content=BYTES),
    "Latin-1": echoed("PUT", "/", "body", content=b"\xfc", headers={"Content-Type": "text/plain; charset=latin-1"}),
    "a compressed body": echoed("PUT", "/", "body", content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
    "a route": asked("GET", "/orders/7?tag=a", body),
    "JSON": asked("POST", "/orders", body, json={"sku": "Tasse ü", "count": 2}),
    "a location": asked("POST", "/orders", header("location"), json={"sku": "cup"}),
    "cookies that are set": asked(
        "POST", "/orders", lambda response: response.headers.get_list("set-cookie"), json={"sku": "cup"}
    ),
    "JSON that is wrong": asked("POST", "/orders", status, json={"count": "x"}),
    "a form with a file": asked(
        "POST", "/sign-up", body, data={"name": "Ann"}, files={"photo": ("a.png", PNG, "image/png")}
    ),
    "HEAD": asked("HEAD", "/orders/7", length),
    "OPTIONS": asked("OPTIONS", "/orders/7", header("allow")),
    "another method": asked("PATCH", "/orders/7", header("allow")),
    "another path": asked("GET", "/nowhere", status),
    "a redirect": asked("GET", "/old", header("location")),
    "no content": asked("DELETE", "/orders/7", length),
    "an error": asked("GET", "/orders/101", lambda response: (response.status_code, response.json()["detail"])),
    "a challenge": asked("GET", "/orders/101", header("www-authenticate")),
    "a failure of the function": asked("GET", "/broken", status),
    "an image": asked("GET", "/image", lambda response: response.content),
    "a page": asked("GET", "/page", lambda response: (response.text, response.headers["content-type"])),
    "two values of a header": asked(
        "GET", "/page", lambda response: [value.strip() for value in response.headers["vary"].split(",")]
    ),
    "a compressed page": asked("GET", "/large?size=5000", length, headers={"Accept-Encoding": "gzip"}),
    "a page of 900 kB": asked("GET", "/large?size=900000", length, headers=PLAIN),
    "a page of 2 MB": asked("GET", "/large?size=2000000", length, headers=PLAIN),
    "an answer that is 6.7 MB in base64": asked("GET", "/large?size=5000000&kind=bytes", status, headers=PLAIN),
    "a body of 900 kB": echoed("POST", "/", "body", content=b"x" * 900_000),
    "a body of 2 MB": Sent("echo", "POST", "/", status, {"content": b"x" * 2_000_000}),
    "a body that is 6.7 MB in base64": Sent("echo", "POST", "/", status, {"content": b"\xff" * 5_000_000}),
    "a body of 11 MB": Sent("echo", "POST", "/", status, {"content": b"x" * 11_000_000}),
}


def digest(content: bytes) -> Json:
    return [len(content), hashlib.sha256(content).hexdigest()[:8]]


EXPECTED: dict[str, Json] = {
    **{
        f"a path with {name}": ["GET", unquote(path), [unquote(part) for part in path[1:].split("/")]]
        for name, path in PATHS.items()
    },
    "a header": {"x-mine": ["1, 2"]},
    "a header that comes twice": {"x-mine": ["1", "2"]},
    "cookies": {"a": "1", "b": "2 3"},
    "a query": {"q": ["a&b=ü +"], "empty": [""], "none": [""]},
    "a name that comes twice": {"a": ["1", "2"]},
    "no body": digest(b""),
    "a form": digest(b"a=1+2&b=%C3%BC"),
    "bytes": digest(BYTES),
    "Latin-1": digest(b"\xfc"),
    "a compressed body": digest(b"\x1f\x8b"),
    "a route": (200, {"id": 7, "tags": ["a"]}),
    "JSON": (201, {"sku": "Tasse ü", "count": 2}),
    "a location": (201, "/orders/1"),
    "cookies that are set": ["last=1; Path=/", "seen=1"],
    "JSON that is wrong": 422,
    "a form with a file": (200, {"name": "Ann", "file": ["a.png", "image/png", b64encode(PNG).decode()]}),
    "HEAD": (200, 0),
    "OPTIONS": (204, "DELETE, GET, HEAD, OPTIONS"),
    "another method": (405, "DELETE, GET, HEAD, OPTIONS"),
    "another path": 404,
    "a redirect": (302, "/new?a=1"),
    "no content": (204, 0),
    "an error": (404, "there is no order 101"),
    "a challenge": (404, "Basic"),
    "a failure of the function": 502,
    "an image": BYTES,
    "a page": ("<p>grün ✓</p>", "text/html; charset=utf-8"),
    "two values of a header": ["Accept", "Origin"],
    "a compressed page": (200, 5000),
    "a page of 900 kB": (200, 900_000),
    "a page of 2 MB": (200, 2_000_000),
    "an answer that is 6.7 MB in base64": 502,
    "a body of 900 kB": digest(b"x" * 900_000),
    "a body of 2 MB": 200,
    "a body that is 6.7 MB in base64": 413,
    "a body of 11 MB": 413,
}


def replaced(content: bytes) -> Json:
    return digest(content.decode(errors="replace").encode())


HTTP_APIS = ("HTTP API 2.0", "HTTP API 1.0")
REST_APIS = ("REST API", "REST API, text")
LOAD_BALANCERS = ("ALB", "ALB, multi-value")

# Where AWS itself makes a difference: why, at which doors, and what comes then.
DIFFERENCES: list[tuple[str, tuple[str, ...], dict[str, Json]]] = [
    (
        "An HTTP API decodes the path, so that an encoded slash becomes one.",
        HTTP_APIS,
        {"a path with an encoded slash": ["GET", "/a/b", ["a", "b"]]},
    ),
    (
        "Format 2.0 joins the values of a header.",
        ("HTTP API 2.0", "function URL"),
        {"a header that comes twice": {"x-mine": ["1,2"]}},
    ),
    (
        "A load balancer without multi-value headers hands over the last value.",
        ("ALB",),
        {"a header that comes twice": {"x-mine": ["2"]}, "a name that comes twice": {"a": ["2"]}},
    ),
    (
        "A REST API without binary media types takes every body for UTF-8.",
        ("REST API, text",),
        {
            "bytes": replaced(BYTES),
            "Latin-1": replaced(b"\xfc"),
            "a compressed body": replaced(b"\x1f\x8b"),
            "a form with a file": (
                200,
                {
                    "name": "Ann",
                    "file": ["a.png", "image/png", b64encode(PNG.decode(errors="replace").encode()).decode()],
                },
            ),
        },
    ),
    ("So does a load balancer with what is called text.", LOAD_BALANCERS, {"Latin-1": replaced(b"\xfc")}),
    (
        "And what a function returns in base64 it does not decode.",
        ("REST API, text",),
        {"an image": b64encode(BYTES), "a compressed page": "DecodingError"},
    ),
    ("A REST API renames some headers.", REST_APIS, {"a challenge": (404, None)}),
    (
        "An HTTP API has another status for what the function does wrong.",
        HTTP_APIS,
        {"a failure of the function": 500, "an answer that is 6.7 MB in base64": 500},
    ),
    (
        "A load balancer takes 1 MB each way.",
        LOAD_BALANCERS,
        {"a page of 2 MB": (502, 122), "a body of 2 MB": 413},
    ),
]


def expected(case: str, door: str) -> Json:
    found = [cases[case] for _, doors, cases in DIFFERENCES if door in doors and case in cases]
    assert len(found) < 2, "one reason is enough"
    return found[0] if found else EXPECTED[case]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_is_answered_alike_through_every_front_door(
    clients: dict[str, dict[str, Client]], case: str, door: str
) -> None:
    """But for what AWS does."""
    sent = REQUESTS[case]
    client = clients[door][sent.function]

    try:
        seen = sent.look(client.request(sent.method, sent.path, **sent.options))
    except httpx.DecodingError:
        seen = "DecodingError"

    assert seen == expected(case, door)


def test_the_differences_are_some() -> None:
    """Each is one of a case, and none says what is expected anyway."""
    said = [(case, value) for _, _, cases in DIFFERENCES for case, value in cases.items()]

    assert [case for case, value in said if case not in REQUESTS or value == EXPECTED[case]] == []
