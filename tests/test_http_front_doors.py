"""Every front door: the same request gets the same answer, and real events are read."""

from __future__ import annotations

import copy
import json
from base64 import b64decode
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lambdakit import App, on_http
from lambdakit.errors import EventValidationError
from lambdakit.http import Cookie, Form, Header, HttpRequest, HttpSettings, Query, Response
from lambdakit.http.request import FRONT_DOORS as LABELS
from lambdakit.identify import identify
from lambdakit.testing import events
from tests.front_doors import DOORS, Answer, answer, event_of, request

CAPTURED = Path(__file__).parents[2] / "shared" / "events"
GOLDEN = Path(__file__).parent / "golden"


class Order(BaseModel):
    sku: str
    count: int


@on_http("GET /orders/{order_id}")
def read(
    order_id: str,
    q: str = "",
    page: int = 1,
    accept: Annotated[list[str], Header()] = [],  # noqa: B006
    theme: Annotated[str, Cookie()] = "light",
) -> list[object]:
    return [order_id, q, page, accept, theme]


@on_http("POST /orders", status=201)
def create(order: Order) -> Order:
    return order


@on_http("POST /form")
def fill_in(name: Annotated[str, Form()]) -> str:
    return name


@on_http("PUT /files/{path+}")
def put(path: str, content: bytes) -> bytes:
    return content + path.encode()


@on_http("GET /cookies")
def bake() -> Response[str]:
    response = Response("baked", headers={"X-A": "1", "Vary": ["Accept", "Origin"]}, media_type="text/html")
    response.set_cookie("a", "1", path="/")
    response.set_cookie("b", "2")
    response.set_cookie("c", "3")
    return response


@on_http("GET /image")
def image() -> Response[bytes]:
    return Response(b"\x89PNG", media_type="image/png")


@on_http("GET /text")
def text() -> Response[bytes]:
    return Response("grün".encode(), media_type="text/plain; charset=utf-8")


@on_http("GET /long")
def long() -> str:
    return "a" * 2000


@on_http("DELETE /orders/{order_id:int}")
def delete(order_id: int) -> None: ...


APP = App(
    read, create, fill_in, put, bake, image, text, long, delete, http=HttpSettings(minimum_compression_size=1000)
)  # fmt: skip

REQUESTS: dict[str, dict[str, Any]] = {
    "nothing special": {"line": "GET /orders/7"},
    "an encoded path": {"line": "GET /orders/gr%C3%BCn%20%2B+"},
    "an encoded query": {"line": "GET /orders/7?q=a%26b+c%2Bd%3D%25&page=2"},
    "an empty value": {"line": "GET /orders/7?q=&page=2"},
    "a list in a header": {"line": "GET /orders/7", "headers": {"Accept": "text/html, image/png"}},
    "cookies": {"line": "GET /orders/7", "cookies": ["lang=en", "theme=dark"]},
    "a wrong query": {"line": "GET /orders/7?page=x"},
    "a body": {"line": "POST /orders", "json": {"sku": "grün", "count": 2}},
    "a wrong body": {"line": "POST /orders", "json": {"sku": "cup", "count": "x"}},
    "broken JSON": {"line": "POST /orders", "headers": {"Content-Type": "application/json"}, "body": "{"},
    "no body": {"line": "POST /orders"},
    "another media type": {"line": "POST /orders", "headers": {"Content-Type": "text/xml"}, "body": "<a/>"},
    "a form": {
        "line": "POST /form",
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "body": "name=J%C3%BCrgen+M",
    },
    "bytes": {"line": "PUT /files/a/b", "body": b"\x00\xff"},
    "answered cookies": {"line": "GET /cookies"},
    "answered bytes": {"line": "GET /image"},
    "answered text": {"line": "GET /text"},
    "compressed": {"line": "GET /long", "headers": {"Accept-Encoding": "gzip"}},
    "nothing": {"line": "DELETE /orders/7"},
    "a closing slash": {"line": "GET /orders/7/"},
    "another method": {"line": "PATCH /orders"},
    "no route": {"line": "GET /nowhere"},
    "the methods": {"line": "OPTIONS /orders"},
    "the head": {"line": "HEAD /text"},
}


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_a_request_gets_one_answer_whatever_it_comes_through(sent: dict[str, Any]) -> None:
    """Paths and queries decoded once, bodies and cookies as they were, the answer as it was meant."""
    answers = {door: request(APP, door=door, **sent) for door in DOORS}

    assert answers == dict.fromkeys(DOORS, answers["REST API"])


def test_the_answers_are_those_that_were_meant() -> None:
    """Of one door, as they are the same at all."""
    answers = {name: request(APP, **sent) for name, sent in REQUESTS.items()}

    assert answers["an encoded path"].json == ["grün ++", "", 1, ["*/*"], "light"]
    assert answers["an encoded query"].json == ["7", "a&b c+d=%", 2, ["*/*"], "light"]
    assert answers["a list in a header"].json[3] == ["text/html", "image/png"]
    assert answers["cookies"].json[4] == "dark"
    assert answers["a form"].text == "Jürgen M"
    assert answers["bytes"].content == b"\x00\xffa/b"
    assert answers["answered cookies"].headers == {"x-a": "1", "vary": "Accept,Origin", "content-type": "text/html"}
    assert answers["answered cookies"].cookies == ["a=1; Path=/", "b=2", "c=3"]
    assert answers["answered text"].text == "grün"
    assert {name: answers[name].status for name in ("a body", "nothing", "another method", "the methods")} == {
        "a body": 201,
        "nothing": 204,
        "another method": 405,
        "the methods": 204,
    }


@pytest.mark.parametrize("door", [door for door in DOORS if door != "ALB"])
def test_all_values_of_a_query_arrive(door: str) -> None:
    """But for a load balancer without multi-value headers, which passes on the last."""

    @on_http("GET /")
    def tags(tag: Annotated[list[str], Query()]) -> list[str]:
        return tag

    assert request(App(tags), "GET /?tag=a,b&tag=c", door=door).json == ["a,b", "c"]


# The form of each answer.


def raw_answer(door: str, line: str = "GET /cookies") -> Any:
    return APP(event_of(line, door=door))


COOKIES = ["a=1; Path=/", "b=2", "c=3"]


@pytest.mark.parametrize("door", ["REST API", "HTTP API 1.0"])
def test_format_1_has_several_values_beside_single_ones(door: str) -> None:
    """Cookies among them."""
    assert raw_answer(door) == {
        "statusCode": 200,
        "headers": {"x-a": "1", "content-type": "text/html"},
        "multiValueHeaders": {"vary": ["Accept", "Origin"], "set-cookie": COOKIES},
        "body": "baked",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("door", ["HTTP API 2.0", "function URL"])
def test_format_2_has_cookies_of_its_own(door: str) -> None:
    """And joins other values by commas; the status is always there."""
    assert raw_answer(door) == {
        "statusCode": 200,
        "headers": {"x-a": "1", "vary": "Accept,Origin", "content-type": "text/html"},
        "cookies": COOKIES,
        "body": "baked",
        "isBase64Encoded": False,
    }


def test_a_load_balancer_has_one_value_for_each_spelling() -> None:
    """So that no cookie is lost."""
    assert raw_answer("ALB")["headers"] == {
        "x-a": "1",
        "vary": "Accept,Origin",
        "content-type": "text/html",
        "set-cookie": "a=1; Path=/",
        "set-cookiE": "b=2",
        "set-cookIe": "c=3",
    }


def test_a_load_balancer_with_multi_value_headers_has_lists() -> None:
    """And nothing else."""
    answered = raw_answer("ALB, multi-value")

    assert "headers" not in answered
    assert answered["multiValueHeaders"] == {
        "x-a": ["1"],
        "vary": ["Accept", "Origin"],
        "content-type": ["text/html"],
        "set-cookie": COOKIES,
    }


@pytest.mark.parametrize("door", DOORS)
def test_only_what_is_no_text_is_base64(door: str) -> None:
    """Bytes of text go out as text."""
    answered = [raw_answer(door, line) for line in ("GET /image", "GET /text")]

    assert [(each["body"], each["isBase64Encoded"]) for each in answered] == [("iVBORw==", True), ("grün", False)]


# What each front door says of a request.


@pytest.mark.parametrize(
    ("door", "front_door", "address"),
    [
        ("REST API", "apigw_v1", "203.0.113.10"),
        ("HTTP API 1.0", "apigw_v1", "203.0.113.10"),
        ("HTTP API 2.0", "apigw_v2", "203.0.113.10"),
        ("function URL", "function_url", "203.0.113.10"),
        ("ALB", "alb", "203.0.113.10"),
        ("ALB, multi-value", "alb", "203.0.113.10"),
    ],
)
def test_a_request_knows_where_it_comes_from(door: str, front_door: str, address: str) -> None:
    """The door, the client's address, an id."""
    http = HttpRequest.of(event_of("GET /orders", door=door))

    assert (http.front_door, http.source_ip, bool(http.request_id), http.path) == (front_door, address, True, "/orders")


def test_a_client_can_not_choose_its_address_at_a_load_balancer() -> None:
    """The one that the load balancer saw is the last."""
    http = HttpRequest.of(event_of("GET /", door="ALB", headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.9"}))

    assert http.source_ip == "203.0.113.9"


def test_an_authorizers_words_and_stage_variables_are_there() -> None:
    """Raw, as the event has them."""
    http = HttpRequest.of({**events.apigw_v2("GET /", claims={"sub": "ann"}), "stageVariables": {"a": "1"}})

    assert (http.authorizer["jwt"]["claims"], http.stage_variables) == ({"sub": "ann"}, {"a": "1"})


def test_an_http_api_has_decoded_an_encoded_slash() -> None:
    """What is a part of a segment elsewhere is a slash there: AWS tells no difference."""
    lines = {door: request(APP, "GET /orders/a%2Fb", door=door).status for door in DOORS}

    assert lines == {door: 404 if "HTTP API" in door else 200 for door in DOORS}


# Golden and real events.


@on_http("$default")
def anything(http: HttpRequest) -> dict[str, Any]:
    return {
        "line": [http.method, http.path, http.base_path],
        "headers": dict(http.headers),
        "query": {name: http.query.all(name) for name in http.query},
        "cookies": http.cookies,
        "body": len(http.body),
        "from": [http.front_door, http.source_ip, http.request_id],
    }


@pytest.mark.parametrize("label", sorted(LABELS))
def test_a_golden_event_is_answered(label: str) -> None:
    """That of each front door."""
    event = json.loads((GOLDEN / f"{label}.json").read_text())

    answered = answer(App(anything)(event))

    assert (answered.status, answered.json["from"][0], answered.json["line"][1]) == (
        200,
        label,
        event.get("path") or event["rawPath"],
    )


def _captured() -> list[Any]:
    if not (CAPTURED / "manifest.json").exists():
        return [pytest.param("", marks=pytest.mark.skip(reason="no captured events at ../shared/events"))]
    entries = json.loads((CAPTURED / "manifest.json").read_text())
    files = [CAPTURED / entry["file"] for entry in entries if entry["source"] in LABELS]
    return [
        pytest.param(str(file), id=str(file.relative_to(CAPTURED)))
        for file in files
        if identify(json.loads(file.read_text())) in LABELS
    ]


@pytest.mark.parametrize("file", _captured())
def test_a_real_event_is_answered(file: str) -> None:
    """Also those that samples and tests of others have, with mistakes in them."""
    event = json.loads(Path(file).read_text())

    answered = answer(App(anything)(event))

    assert (answered.status, _paths_agree(event, answered)) == (400 if _is_broken(event) else 200, True)


def _is_broken(event: Any) -> bool:
    """Some samples say that their body is base64, and it is not."""
    try:
        return bool(event.get("isBase64Encoded") and event.get("body") and not b64decode(event["body"], validate=True))
    except ValueError:
        return True


def _paths_agree(event: Any, answered: Answer) -> bool:
    if answered.status != 200:
        return True
    _, path, base_path = answered.json["line"]
    return bool(base_path + path == unquote(event.get("rawPath") or event["path"]))


# Laws.

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    "path", "rawPath", "rawQueryString", "headers", "multiValueHeaders", "queryStringParameters", "body", "cookies",
    "multiValueQueryStringParameters", "isBase64Encoded", "pathParameters", "stageVariables", "resource", "routeKey",
    "httpMethod", "version", "requestContext",
)  # fmt: skip
_HEADERS = {"content-type": _json, "cookie": _json, "accept-encoding": _json, "origin": _json}
_values = _json | st.fixed_dictionaries({}, optional=_HEADERS) | st.text()
_changes = st.dictionaries(st.sampled_from(_KEYS), _values, max_size=4)
_context_changes = st.dictionaries(
    st.sampled_from(["stage", "domainName", "http", "identity", "authorizer", "requestId", "path"]), _json, max_size=3
)


@on_http("POST /orders/{order_id}")
def all_of_it(
    *,
    order_id: int,
    order: Order,
    http: HttpRequest,
    q: str = "",
    tag: Annotated[list[int], Query()] = [],  # noqa: B006
    x_a: Annotated[list[str], Header()] = [],  # noqa: B006
    theme: Annotated[str, Cookie()] = "",
) -> dict[str, Any]:
    return anything(http)


EVERYTHING = App(all_of_it, fill_in, put, anything, http=HttpSettings(max_body_size=1000, base_path="/shop"))


@given(
    st.sampled_from(sorted(DOORS)),
    st.sampled_from(["POST /orders/7", "POST /form", "PUT /files/a", "GET /"]),
    _changes,
    _context_changes,
)
def test_no_event_makes_a_route_raise(door: str, line: str, changes: dict[str, Any], context: dict[str, Any]) -> None:
    """Whatever it holds: it is answered, or it is no request."""
    event = event_of(line, door=door, json={"sku": "cup", "count": 1})
    event = {**event, "requestContext": {**event["requestContext"], **context}, **changes}
    before = copy.deepcopy(event)
    if identify(event) not in LABELS:
        return

    try:
        answered = EVERYTHING(event)
    except EventValidationError:
        return

    assert 200 <= answered["statusCode"] < 500
    assert json.dumps(event) == json.dumps(before)


@given(
    st.sampled_from(sorted(set(DOORS) - {"ALB"})),
    st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5),
    st.text(min_size=1),
    st.binary(max_size=50),
)
def test_what_is_sent_arrives(door: str, pairs: list[tuple[str, str]], name: str, body: bytes) -> None:
    """A query, a segment of the path and a body, whatever they hold, through every front door."""

    def safe(text: str) -> str:
        return text.encode(errors="replace").decode()

    pairs = [(safe(key), safe(value)) for key, value in pairs]
    name = safe(name).replace("/", "_")  # a slash is one at an HTTP API
    http = HttpRequest.of(event_of(f"PUT /files/{quote(name, safe='')}?{urlencode(pairs)}", door=door, body=body))

    assert [(key, value) for key in dict(pairs) for value in http.query.all(key)] == sorted(
        pairs, key=lambda pair: [key for key, _ in pairs].index(pair[0])
    )
    assert (http.segments, http.body) == (["files", name], body)
