"""What a handler of requests may ask for, and what it is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from lambdakit import App, Depends, Invocation, LambdaContext, on_http, on_sqs
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.events import S3Record
from lambdakit.http import Body, Cookie, File, Form, Header, HTTPError, HttpRequest, Path, Query, UploadFile
from lambdakit.testing import events
from tests.front_doors import Answer, event_of, request

URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}
BOUNDARY = "boundary=--7"


class Line(BaseModel):
    sku: str
    count: int = Field(gt=0)


class Order(BaseModel):
    id: str
    lines: list[Line]


class Colour(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: int


class Address(TypedDict):
    city: str


ORDER = {"id": "7", "lines": [{"sku": "cup", "count": 2}]}


def answered(function: Any, line: str = "GET /", **sent: Any) -> Any:
    """What a function got, as its answer has it."""
    answer = request(App(function), line, **sent)
    assert answer.status == 200, answer.text
    return answer.json


def problems(answer: Answer) -> list[tuple[list[Any], str]]:
    """Where a refused request is wrong, and how."""
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    return [(problem["loc"], problem["type"]) for problem in answer.json["errors"]]


# Where a parameter comes from.


def test_what_the_route_names_in_its_path_comes_from_there() -> None:
    """By the parameter's name, in its type."""

    @on_http("GET /orders/{order_id}/lines/{number}")
    def read(number: int, order_id: str) -> list[object]:
        return [order_id, number]

    assert answered(read, "GET /orders/a%20b%2Fc/lines/2", door="REST API") == ["a b/c", 2]


def test_another_single_value_comes_from_the_query() -> None:
    """In its type, the last one of a name."""

    @on_http("GET /")
    def read(
        *, page: int, colour: Colour, since: date, key: UUID, price: Decimal, exact: bool, kind: Literal["a", "b"]
    ) -> list[object]:
        return [page, colour, since, key, price, exact, kind]

    query = (
        "page=1&page=2&colour=red&since=2026-01-31&key=0e3b0e1c-2f8a-4c1d-9b57-6a1f0c9d2e34&price=9.90&exact=yes&kind=b"
    )
    assert answered(read, f"GET /?{query}") == [
        2,
        "red",
        "2026-01-31",
        "0e3b0e1c-2f8a-4c1d-9b57-6a1f0c9d2e34",
        "9.90",
        True,
        "b",
    ]


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (Order, ORDER),
        (Point, {"x": 1, "y": 2}),
        (Address, {"city": "Ulm"}),
        (dict[str, Any], {"a": [1]}),
        (list[int], [1, 2]),
        (Any, [None, "text"]),
        (Order | Point, {"x": 1, "y": 2}),
        (Annotated[int, Body()], 5),
    ],
    ids=str,
)
def test_models_and_collections_come_from_the_body(annotation: Any, sent: object) -> None:
    """As JSON."""

    def read(value: Any) -> Any:
        return value

    read.__annotations__ = {"value": annotation, "return": Any}

    assert answered(on_http("POST /")(read), "POST /", json=sent) == sent


def test_headers_have_hyphens_for_underscores() -> None:
    """Whatever their case."""

    @on_http("GET /")
    def read(user_agent: Annotated[str, Header()], shop: Annotated[int, Header(alias="X-Shop-Id")]) -> list[object]:
        return [user_agent, shop]

    assert answered(read, headers={"USER-AGENT": "curl", "x-shop-id": "7"}) == ["curl", 7]


def test_cookies_come_by_their_names() -> None:
    """Of two with one name, the first."""

    @on_http("GET /")
    def read(theme: Annotated[str, Cookie()], note: Annotated[str, Cookie()]) -> list[str]:
        return [theme, note]

    assert answered(read, cookies=["theme=dark", 'note="a\\054b"', "theme=light"]) == ["dark", "a,b"]


def test_lists_get_all_values() -> None:
    """Of the query, of a form, and what stands between the commas of a header."""

    @on_http("GET /")
    def read(tag: Annotated[list[int], Query()], accept: Annotated[set[str], Header()]) -> list[object]:
        return [tag, sorted(accept)]

    sent = answered(read, "GET /?tag=1&tag=2", headers={"Accept": ["text/html, text/plain", "image/png"]})

    assert sent == [[1, 2], ["image/png", "text/html", "text/plain"]]


def test_what_is_not_sent_has_its_default() -> None:
    """Of every place, None included."""

    @on_http("POST /")
    def read(
        order: Order | None = None,
        limit: int = 10,
        tag: Annotated[tuple[str, ...], Query()] = (),
        etag: Annotated[str | None, Header(alias="If-Match")] = None,
        theme: Annotated[str, Cookie()] = "light",
    ) -> list[object]:
        return [order, limit, tag, etag, theme]

    assert answered(read, "POST /") == [None, 10, [], None, "light"]


def test_marks_take_constraints_and_names() -> None:
    """As Pydantic's Field does, which serves as well."""

    @on_http("GET /")
    def read(
        limit: Annotated[int, Query(ge=1, le=100)],
        code: Annotated[str, Query(alias="c", pattern="^[a-z]+$")],
        page: Annotated[int, Field(gt=0)] = 1,
        even: Annotated[int, AfterValidator(lambda value: value - value % 2)] = 0,
    ) -> None: ...

    assert problems(request(App(read), "GET /?limit=101&c=A&page=0")) == [
        (["query", "limit"], "less_than_equal"),
        (["query", "c"], "string_pattern_mismatch"),
        (["query", "page"], "greater_than"),
    ]


def test_a_mark_may_stand_without_parentheses() -> None:
    """As people write it."""

    @on_http("GET /")
    def read(shop: Annotated[str, Header], limit: Annotated[int, Query] = 1) -> list[object]:
        return [shop, limit]

    assert answered(read, headers={"Shop": "7"}) == ["7", 1]


def test_a_path_parameter_may_have_another_name_than_the_route_has_for_it() -> None:
    """Routes may have names that Python has not."""

    @on_http("GET /orders/{order-id}")
    def read(order_id: Annotated[int, Path(alias="order-id", gt=0)]) -> int:
        return order_id

    assert answered(read, "GET /orders/7") == 7


def test_a_model_may_hold_a_whole_query() -> None:
    """Its fields are the names; those that it does not know are left out."""

    class Filters(BaseModel):
        limit: int = Field(10, le=100)
        tag: list[str] = []
        sort_by: str = Field("id", alias="sortBy")

    @on_http("GET /")
    def read(filters: Annotated[Filters, Query()]) -> dict[str, Any]:
        return filters.model_dump()

    assert answered(read, "GET /?tag=a&tag=b&sortBy=price&other=1") == {
        "limit": 10,
        "tag": ["a", "b"],
        "sort_by": "price",
    }


def test_a_model_of_a_query_may_be_missing() -> None:
    """Where it has a default; one that is there in part is not missing."""

    class Range(BaseModel):
        first: int
        last: int

    @on_http("GET /")
    def read(range: Annotated[Range | None, Query()] = None) -> bool:  # noqa: A002
        return range is None

    app = App(read)

    assert request(app, "GET /?other=1").json is True
    assert problems(request(app, "GET /?first=1")) == [(["query", "last"], "missing")]


def test_a_model_may_hold_headers_and_cookies() -> None:
    """With hyphens for underscores, and its problems by the names of the request."""

    class Common(BaseModel):
        x_shop_id: int
        accept: list[str] = []

    class Session(BaseModel):
        session: str
        theme: str = "light"

    @on_http("GET /")
    def read(common: Annotated[Common, Header()], session: Annotated[Session, Cookie()]) -> list[object]:
        return [common.x_shop_id, common.accept, session.session, session.theme]

    app = App(read)
    fine = request(app, headers={"X-Shop-Id": "7", "Accept": "a, b"}, cookies=["session=s"])

    assert fine.json == [7, ["a", "b"], "s", "light"]
    assert problems(request(app, headers={"X-Shop-Id": "x"})) == [
        (["header", "x-shop-id"], "int_parsing"),
        (["cookie", "session"], "missing"),
    ]


# Bodies.


def test_several_parameters_in_the_body_are_members_of_an_object() -> None:
    """By their names; also one that is to be embedded."""

    @on_http("POST /both")
    def both(order: Order, point: Point, note: Annotated[str | None, Body()] = None) -> list[object]:
        return [order.id, point.x, note]

    @on_http("POST /one")
    def one(order: Annotated[Order, Body(embed=True)]) -> str:
        return order.id

    app = App(both, one)

    assert request(app, "POST /both", json={"order": ORDER, "point": {"x": 1, "y": 2}}).json == ["7", 1, None]
    assert request(app, "POST /one", json={"order": ORDER}).text == "7"
    assert problems(request(app, "POST /both", json={"order": {"id": "1"}})) == [
        (["body", "order", "lines"], "missing"),
        (["body", "point"], "missing"),
    ]
    assert problems(request(app, "POST /both", json=[1])) == [(["body"], "dict_type")]


def test_text_and_bytes_are_taken_as_they_come() -> None:
    """Whatever their media type, unless one is named."""

    @on_http("POST /text")
    def text(content: Annotated[str, Body(min_length=1)]) -> str:
        return content.upper()

    @on_http("POST /bytes")
    def raw(content: bytes) -> bytes:
        return content[::-1]

    @on_http("POST /csv")
    def csv(content: Annotated[str, Body(media_type="text/csv")]) -> str:
        return content

    app = App(text, raw, csv)
    latin = {"Content-Type": "text/plain; charset=latin-1"}

    assert request(app, "POST /text", body="grün".encode("latin-1"), headers=latin).text == "GRÜN"
    assert request(app, "POST /bytes", body=b"\x00\xff").content == b"\xff\x00"
    assert request(app, "POST /csv", body="a;b", headers={"Content-Type": "text/csv; header=present"}).text == "a;b"
    assert request(app, "POST /csv", body="{}", headers={"Content-Type": "application/json"}).status == 415
    assert problems(request(app, "POST /text")) == [(["body"], "string_too_short")]


def test_a_form_has_fields() -> None:
    """Url-encoded, with lists, defaults and types."""

    @on_http("POST /")
    def read(
        name: Annotated[str, Form()],
        tag: Annotated[list[str], Form()],
        age: Annotated[int | None, Form()] = None,
    ) -> list[object]:
        return [name, tag, age]

    assert answered(read, "POST /", headers=URLENCODED, body="name=J%C3%BCrgen+M&tag=a&tag=b") == [
        "Jürgen M",
        ["a", "b"],
        None,
    ]


def test_a_model_may_hold_a_form() -> None:
    """Its fields are those of the form."""

    class Login(BaseModel):
        user: str
        password: str

    @on_http("POST /")
    def read(login: Annotated[Login, Form()]) -> str:
        return login.user

    app = App(read)

    assert request(app, "POST /", headers=URLENCODED, body="user=ann&password=x").text == "ann"
    assert problems(request(app, "POST /", headers=URLENCODED, body="user=ann")) == [(["form", "password"], "missing")]


def multipart(*parts: tuple[str, bytes]) -> dict[str, Any]:
    """The headers and the body of a multipart form: the headers and the content of each part."""
    body = b"".join(b"----7\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return {"headers": {"Content-Type": f"multipart/form-data; {BOUNDARY}"}, "body": body + b"----7--\r\n"}


def test_a_form_may_bring_files() -> None:
    """With their names and types, or as bytes alone, beside its other fields."""

    @on_http("POST /")
    def read(
        title: Annotated[str, Form()],
        image: UploadFile,
        raw: Annotated[bytes, File()],
        more: list[UploadFile],
        missing: UploadFile | None = None,
    ) -> list[object]:
        uploads = [image.filename, image.content_type, image.size, image.file.read(1).hex(), image.headers["x-a"]]
        return [title, uploads, raw.decode(), [upload.filename for upload in more], missing]

    image = 'Content-Disposition: form-data; name="image"'
    sent = multipart(
        ('Content-Disposition: form-data; name="title"', "Grüße\r\n--7".encode()),
        (f"{image}; filename=\"a \\\"b\\\".png\"\r\nContent-Type: image/png\r\nX-A: 1", b"\x89\r\n"),
        ('content-disposition: form-data; name="raw"; filename="r"', b"bytes"),
        ('Content-Disposition: form-data; name="more"; filename="ü.txt"', b""),
        ('Content-Disposition: form-data; name="more"; filename="2"', b"2"),
        ('Content-Disposition: form-data; name="missing"; filename=""', b""),
    )  # fmt: skip

    assert answered(read, "POST /", **sent) == [
        "Grüße\r\n--7",
        ['a "b".png', "image/png", 3, "89", "1"],
        "bytes",
        ["ü.txt", "2"],
        None,
    ]


def test_a_file_that_is_no_file_is_a_problem() -> None:
    """As is one that is not there."""

    @on_http("POST /")
    def read(image: UploadFile, other: UploadFile) -> None: ...

    sent = multipart(('Content-Disposition: form-data; name="image"', b"text"))

    assert problems(request(App(read), "POST /", **sent)) == [
        (["form", "image"], "file_type"),
        (["form", "other"], "missing"),
    ]


def test_a_field_that_is_a_file_is_no_text() -> None:
    """The other way round."""

    @on_http("POST /")
    def read(title: Annotated[str, Form()]) -> None: ...

    sent = multipart(('Content-Disposition: form-data; name="title"; filename="a"', b""))

    assert problems(request(App(read), "POST /", **sent)) == [(["form", "title"], "string_type")]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (f"multipart/form-data; {BOUNDARY}", b"----7\r\nContent-Disposition: form-data; name=a\r\n\r\n1"),
        (f"multipart/form-data; {BOUNDARY}", b"no boundary"),
        ("multipart/form-data", b"----7--"),
        ("multipart/form-data; boundary=\u20ac", b"----7--"),
    ],
)
def test_a_broken_form_is_a_bad_request(content_type: str, body: bytes) -> None:
    """Cut off, without its boundary, or nothing of the kind."""

    @on_http("POST /")
    def read(title: Annotated[str, Form()] = "") -> None: ...

    assert request(App(read), "POST /", headers={"Content-Type": content_type}, body=body).status == 400


def test_without_python_multipart_no_handler_asks_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install, at the start; forms without files stay, url-encoded ones."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "python_multipart.multipart", None)

    @on_http("POST /")
    def upload(image: UploadFile) -> None: ...

    @on_http("POST /")
    def read(title: Annotated[str, Form()]) -> str:
        return title

    with pytest.raises(RegistrationError, match=r"pip install 'lambdakit\[multipart\]'"):
        App(upload)
    assert request(App(read), "POST /", headers=URLENCODED, body="title=a").text == "a"
    assert request(App(read), "POST /", **multipart()).status == 415


# What is wrong with a request.


def test_all_problems_of_a_request_are_told_at_once() -> None:
    """Each with its place, a message and a type, and without what was sent."""

    @on_http("PUT /orders/{order_id}")
    def update(order_id: int, order: Order, limit: int, shop: Annotated[int, Header()] = 1) -> None: ...

    answer = request(
        App(update),
        "PUT /orders/secret?limit=secret",
        headers={"Shop": "secret"},
        json={"id": "7", "lines": [{"sku": "cup", "count": "secret"}]},
    )

    assert answer.json == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "4 parts of the request can't be read",
        "errors": [
            {
                "loc": ["path", "order_id"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "type": "int_parsing",
            },
            {
                "loc": ["body", "lines", 0, "count"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "type": "int_parsing",
            },
            {
                "loc": ["query", "limit"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "type": "int_parsing",
            },
            {
                "loc": ["header", "shop"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "type": "int_parsing",
            },
        ],
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [(None, "missing"), ("", "missing"), ("{", "json_invalid"), ("[]", "model_type"), (b"\xff", "json_invalid")],
)
def test_a_body_that_is_no_order_is_a_problem(body: str | bytes | None, kind: str) -> None:
    """None, broken JSON, or JSON of something else."""

    @on_http("POST /")
    def create(order: Order) -> None: ...

    sent = request(App(create), "POST /", headers={"Content-Type": "application/json"}, body=body)

    assert problems(sent) == [(["body"], kind)]


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/vnd.shop+json", "APPLICATION/JSON"]
)
def test_json_has_several_media_types(content_type: str) -> None:
    """With parameters, of a vendor, in capitals."""

    @on_http("POST /")
    def create(point: Point) -> int:
        return point.x

    assert answered(create, "POST /", headers={"Content-Type": content_type}, body='{"x": 1, "y": 2}') == 1


def test_a_body_of_another_media_type_is_not_taken() -> None:
    """415 tells which one is."""

    @on_http("POST /json")
    def create(point: Point) -> None: ...

    @on_http("POST /form")
    def fill_in(x: Annotated[int, Form()]) -> None: ...

    app = App(create, fill_in)
    as_json = request(app, "POST /json", headers=URLENCODED, body="x=1")
    as_form = request(app, "POST /form", json={"x": 1})

    assert (as_json.status, as_json.headers["accept"], as_json.json["detail"]) == (
        415,
        "application/json",
        "this route takes application/json, not application/x-www-form-urlencoded",
    )
    assert (as_form.status, as_form.headers["accept"]) == (
        415,
        "application/x-www-form-urlencoded, multipart/form-data",
    )


def test_a_body_that_is_not_the_base64_it_should_be_is_a_bad_request() -> None:
    """400, whatever the handler wants of it."""

    @on_http("POST /")
    def create(content: bytes) -> None: ...

    app = App(create)
    event = {**event_of("POST /", body=b"1"), "body": "no base64!"}

    assert app(event)["statusCode"] == 400


def test_text_that_is_none_in_its_charset_is_a_bad_request() -> None:
    """Or in a charset that no one knows."""

    @on_http("POST /")
    def create(content: Annotated[str, Body()]) -> None: ...

    app = App(create)

    assert request(app, "POST /", body=b"\xff").status == 400
    assert request(app, "POST /", body=b"a", headers={"Content-Type": "text/plain; charset=klingon"}).status == 400


# The request, the context, the invocation.


def test_a_handler_may_ask_for_the_whole_request() -> None:
    """With everything that the front door says of it."""

    @on_http("POST /orders/{order_id}")
    def read(http: HttpRequest, context: LambdaContext, invocation: Invocation) -> dict[str, Any]:
        return {
            "line": [http.method, http.path, http.raw_path, http.path_parameters],
            "query": [http.query["tag"], http.query.all("tag"), http.query.all("none"), len(http.query)],
            "headers": [http.headers["X-A"], http.headers.all("x-a"), "x-b" in http.headers],
            "cookies": http.cookies,
            "body": [http.body.decode(), http.text(), http.json(), http.media_type],
            "about": [http.front_door, http.source_ip, http.request_context["stage"], http.stage_variables],
            "raw": [http.event is invocation.event, http.authorizer, bool(http.request_id), context.function_name],
        }

    assert answered(
        read,
        "POST /orders/7?tag=a&tag=b",
        headers={"X-A": ["1", "2"]},
        cookies=["theme=dark"],
        json={"id": 1},
    ) == {
        "line": ["POST", "/orders/7", "/orders/7", {"order_id": "7"}],
        "query": ["b", ["a", "b"], [], 1],
        "headers": ["1,2", ["1,2"], False],
        "cookies": {"theme": "dark"},
        "body": ['{"id": 1}', '{"id": 1}', {"id": 1}, "application/json"],
        "about": ["apigw_v2", "203.0.113.10", "$default", {}],
        "raw": [True, {}, True, "function"],
    }


def test_a_request_can_be_made_for_a_unit_test() -> None:
    """Of an event; the function is called as it is written."""

    @on_http("GET /orders")
    def read(http: HttpRequest, limit: int = 10) -> str:
        return f"{http.path} {limit}"

    assert read(HttpRequest.of(events.http("GET /orders", api="alb")), limit=3) == "/orders 3"
    with pytest.raises(EventValidationError, match="an event of 'sqs'"):
        HttpRequest.of(events.sqs("orders"))


def test_a_request_reads_forms_and_refuses_what_is_none() -> None:
    """For who wants the fields by hand."""

    @on_http("POST /")
    def read(http: HttpRequest) -> list[Any]:
        return [http.form["a"], http.form.all("a")]

    app = App(read)

    assert request(app, "POST /", headers=URLENCODED, body="a=1&a=2").json == ["2", ["1", "2"]]
    assert request(app, "POST /", json={}).status == 415


def test_an_event_without_a_method_is_no_request() -> None:
    """Nothing AWS sends; the error says what is missing."""

    @on_http("GET /")
    def read() -> None: ...

    event = event_of("GET /")
    event["requestContext"]["http"] = {}

    with pytest.raises(EventValidationError, match="KeyError: 'method'"):
        App(read)(event)


# Dependencies.


def pagination(limit: Annotated[int, Query(le=100)] = 10, offset: int = 0) -> tuple[int, int]:
    return limit, offset


def user(authorization: Annotated[str, Header()], http: HttpRequest) -> str:
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer":
        raise HTTPError(401, "a Bearer token is needed", headers={"WWW-Authenticate": "Bearer"})
    return f"{token} at {http.path}"


Pagination = Annotated[tuple[int, int], Depends(pagination)]
User = Annotated[str, Depends(user)]


def test_dependencies_may_ask_for_parts_of_the_request() -> None:
    """As handlers do; those of dependencies too."""

    def page(pages: Pagination, order_id: int) -> list[object]:
        return [pages, order_id]

    @on_http("GET /orders/{order_id}")
    def read(page: Annotated[list[object], Depends(page)], who: User) -> list[object]:
        return [page, who]

    assert answered(read, "GET /orders/7?limit=5", headers={"Authorization": "Bearer ann"}) == [
        [[5, 0], 7],
        "ann at /orders/7",
    ]


def test_problems_of_dependencies_are_told_with_those_of_the_handler() -> None:
    """And nothing of the handler runs."""

    @on_http("GET /orders/{order_id}")
    def read(order_id: int, pages: Pagination, who: User) -> None:
        raise AssertionError

    assert problems(request(App(read), "GET /orders/x?limit=101")) == [
        (["path", "order_id"], "int_parsing"),
        (["query", "limit"], "less_than_equal"),
        (["header", "authorization"], "missing"),
    ]


def test_an_answer_of_a_dependency_comes_before_the_problems_of_the_handler() -> None:
    """Who may not ask is not told what would have been right."""

    @on_http("GET /orders/{order_id}")
    def read(order_id: int, who: User) -> None: ...

    answer = request(App(read), "GET /orders/x", headers={"Authorization": "Basic x"})

    assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_dependencies_of_the_environment_have_no_request() -> None:
    """Their defaults stay what they are."""

    def connect(url: str = "memory:") -> str:
        return url

    @on_http("GET /")
    def read(database: Annotated[str, Depends(connect, scope="environment")]) -> str:
        return database

    assert request(App(read), "GET /?url=evil").text == "memory:"


def test_an_override_may_ask_for_parts_of_the_request_too() -> None:
    """And what it replaces asks for nothing any more."""

    @on_http("GET /")
    def read(who: User) -> str:
        return who

    def fake(name: str = "nobody") -> str:
        return name

    app = App(read)
    with app.override(user, with_=fake):
        assert request(app, "GET /?name=eve").text == "eve"
    assert request(app, "GET /").status == 422


def test_bodies_of_a_handler_and_its_dependencies_share_an_object() -> None:
    """A parameter of one name in both is one member."""

    def total(order: Order) -> int:
        return sum(line.count for line in order.lines)

    @on_http("POST /one")
    def one(order: Order, total: Annotated[int, Depends(total)]) -> list[object]:
        return [order.id, total]

    @on_http("POST /two")
    def two(point: Point, total: Annotated[int, Depends(total)]) -> list[object]:
        return [point.x, total]

    app = App(one, two)

    assert request(app, "POST /one", json=ORDER).json == ["7", 2]
    assert request(app, "POST /two", json={"order": ORDER, "point": {"x": 1, "y": 2}}).json == [1, 2]


def test_a_transaction_sees_the_answer_that_is_an_error() -> None:
    """A dependency that yields can roll back; and make an answer of an error of its own."""
    seen: list[str] = []

    def transaction() -> Iterator[str]:
        try:
            yield "open"
        except LookupError as error:
            raise HTTPError(404, str(error)) from error
        except HTTPError as error:
            seen.append(f"rolled back: {error}")
            raise
        else:
            seen.append("committed")

    @on_http("GET /{what}")
    def read(what: str, state: Annotated[str, Depends(transaction)]) -> str:
        if what == "conflict":
            raise HTTPError(409, "twice")
        if what == "missing":
            raise LookupError("no such thing")
        return state

    app = App(read)
    answers = [request(app, f"GET /{what}").status for what in ("fine", "conflict", "missing")]

    assert (answers, seen) == ([200, 409, 404], ["committed", "rolled back: 409 Conflict: twice"])


# What is refused at the start.


def refused(function: Any) -> str:
    with pytest.raises(RegistrationError) as error:
        App(function)
    return str(error.value)


def test_a_record_of_another_source_is_refused() -> None:
    """No request is an S3 record."""

    @on_http("GET /")
    def read(upload: S3Record) -> None: ...

    assert "parameter 'upload' asks for S3Record, which on_http('GET /') does not deliver" in refused(read)


def test_a_path_parameter_that_the_route_does_not_have_is_refused() -> None:
    """A misspelt one would never come."""

    @on_http("GET /orders/{order_id}")
    def read(order: Annotated[int, Path()]) -> None: ...

    assert "parameter 'order' asks for" in (message := refused(read))
    assert "the route has no {order} in its path" in message


def test_a_mark_as_a_default_is_refused() -> None:
    """There is one way to write it."""

    @on_http("GET /")
    def read(limit: int = Query(ge=1)) -> None: ...  # type: ignore[assignment]

    def page(limit: int = Query(ge=1)) -> int:  # type: ignore[assignment]
        return limit

    @on_http("GET /")
    def depend(limit: Annotated[int, Depends(page)]) -> None: ...

    assert [
        message for message in (refused(read), refused(depend)) if "write Annotated[T, Query(...)]" not in message
    ] == []


def test_a_body_is_no_form_and_json_at_once() -> None:
    """Nobody could send both."""

    @on_http("POST /")
    def create(order: Order, name: Annotated[str, Form()]) -> None: ...

    assert "the body can't be both a form, for 'name', and 'order'" in refused(create)


@pytest.mark.parametrize("annotation", [dict[str, str], Point, Address])
@pytest.mark.parametrize("mark", [Query(), Header(), Cookie(), Form()], ids=lambda mark: mark.place)
def test_names_with_values_are_models(annotation: Any, mark: Any) -> None:
    """A dict or a dataclass can't be one value of a name."""

    def read(value: Any) -> None: ...

    read.__annotations__ = {"value": Annotated[annotation, mark]}

    assert f"a {mark.place} has values under names: ask for a Pydantic model" in refused(on_http("POST /")(read))


def test_a_type_that_pydantic_does_not_know_is_refused() -> None:
    """In the place where it stands, also of a dependency."""

    class Thing: ...

    def dependency(thing: Thing) -> None: ...

    @on_http("GET /")
    def read(given: Annotated[None, Depends(dependency)]) -> None: ...

    message = refused(read)

    assert "parameter 'thing' asks for Thing" in message
    assert "dependency" in message


def test_a_parameter_without_a_type_is_refused() -> None:
    """Unless it has a default, which it keeps."""

    @on_http("GET /")
    def read(limit) -> None: ...  # type: ignore[no-untyped-def]

    @on_http("GET /")
    def keep(limit=5) -> int:  # type: ignore[no-untyped-def]
        return limit  # type: ignore[no-any-return]

    assert "parameter 'limit' has no annotation" in refused(read)
    assert answered(keep, "GET /?limit=7") == 5


def test_what_a_handler_may_ask_for_is_told() -> None:
    """Below each refusal."""

    @on_http("GET /")
    def read(*args: int) -> None: ...

    assert "A handler of on_http may ask for values of the path, of the query (Query), headers" in refused(read)


# Several triggers.


def test_one_function_may_answer_requests_and_take_messages() -> None:
    """The body of either is its payload."""
    seen: list[str] = []

    @on_http("POST /orders", status=202)
    @on_sqs("orders")
    def take(order: Order, context: LambdaContext) -> None:
        seen.append(order.id)

    app = App(take)

    assert request(app, "POST /orders", json=ORDER).status == 202
    assert app(events.sqs("orders", ORDER)) == {"batchItemFailures": []}
    assert seen == ["7", "7"]


def test_async_handlers_and_keyword_parameters() -> None:
    """As elsewhere."""

    async def connect(limit: int = 1) -> int:
        return limit

    @on_http("GET /")
    async def read(*, name: str, limit: Annotated[int, Depends(connect)]) -> list[object]:
        return [name, limit]

    assert answered(read, "GET /?name=a&limit=2") == ["a", 2]


def test_strict_models_take_what_json_can_say() -> None:
    """A date is text there, also in a member of a body."""

    class Strict(BaseModel):
        model_config = ConfigDict(strict=True)
        day: date

    @on_http("POST /")
    def read(first: Strict, second: Strict) -> list[date]:
        return [first.day, second.day]

    day = {"day": "2026-01-01"}
    assert answered(read, "POST /", json={"first": day, "second": day}) == ["2026-01-01", "2026-01-01"]


# Laws.


@given(st.lists(st.tuples(st.text(), st.text())))
def test_a_query_that_is_written_is_read_again(pairs: list[tuple[str, str]]) -> None:
    """Whatever its names and values: all of them, in their order."""
    from urllib.parse import urlencode

    pairs = [(name.encode(errors="replace").decode(), value.encode(errors="replace").decode()) for name, value in pairs]
    http = HttpRequest.of(event_of(f"GET /?{urlencode(pairs)}", door="function URL"))
    expected: dict[str, list[str]] = {}
    for name, value in pairs:
        expected.setdefault(name, []).append(value)

    assert {name: http.query.all(name) for name in http.query} == expected
