"""What a handler of requests may return or raise, and what is sent of it."""

from __future__ import annotations

import copy
import gzip
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from lambdakit import App, CallNext, Depends, Invocation, RecordInvocation, on_http
from lambdakit.errors import RegistrationError
from lambdakit.http import Cors, HTTPError, HttpRequest, HttpSettings, Response, ResponseValidationError
from lambdakit.http.cookies import parsed
from tests.front_doors import Answer, event_of, request


class Customer(BaseModel):
    name: str
    born: date | None = None


class Secretive(Customer):
    password: str = "secret"


@dataclass
class Point:
    x: int
    y: Decimal


class Address(TypedDict):
    city: str


class Colour(StrEnum):
    RED = "red"


def returning(value: Any, annotation: Any = Any, **settings: Any) -> App:
    """An App whose only route returns something."""

    def handler() -> Any:
        return value

    handler.__annotations__ = {"return": annotation}
    return App(on_http("GET /", **settings)(handler))


def sent(value: Any, annotation: Any = Any, **settings: Any) -> tuple[int, str | None, str]:
    """The status, the media type and the text of what is sent for a value."""
    answer = request(returning(value, annotation, **settings))
    return answer.status, answer.headers.get("content-type"), answer.text


JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

# Values.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, None, True]}, (200, JSON, '{"a":[1,null,true]}')),
        ([], (200, JSON, "[]")),
        (5, (200, JSON, "5")),
        (Customer(name="Ann", born=date(2000, 1, 2)), (200, JSON, '{"name":"Ann","born":"2000-01-02"}')),
        (Point(1, Decimal("2.5")), (200, JSON, '{"x":1,"y":"2.5"}')),
        ({"price": Decimal("2.50"), "count": [Decimal(3)]}, (200, JSON, '{"price":2.5,"count":[3]}')),
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, (200, JSON, '{"when":"2026-01-01T00:00:00Z"}')),
        (float("nan"), (200, JSON, "null")),
        ([Decimal("NaN"), Decimal("-Infinity")], (200, JSON, "[null,null]")),
        ((n for n in (1, 2)), (200, JSON, "[1,2]")),
        ("grün", (200, TEXT, "grün")),
        ("", (200, TEXT, "")),
        (b"abc", (200, "application/octet-stream", "abc")),
        (None, (204, None, "")),
    ],
    ids=repr,
)
def test_a_value_is_sent_as_what_it_is(value: object, expected: object) -> None:
    """Without an annotation that says more: JSON, text, bytes or nothing."""
    assert sent(value) == expected


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (Customer, Secretive(name="Ann"), '{"name":"Ann","born":null}'),
        (Customer, {"name": "Ann", "password": "x"}, '{"name":"Ann","born":null}'),
        (
            list[Customer],
            [Secretive(name="Ann"), {"name": "Bob"}],
            '[{"name":"Ann","born":null},{"name":"Bob","born":null}]',
        ),
        (dict[str, Customer], {"a": Secretive(name="Ann")}, '{"a":{"name":"Ann","born":null}}'),
        (Customer | None, Secretive(name="Ann"), '{"name":"Ann","born":null}'),
        (Customer | Response, Secretive(name="Ann"), '{"name":"Ann","born":null}'),
        (Response[Customer], Response(Secretive(name="Ann")), '{"name":"Ann","born":null}'),
        (Annotated[Customer, "note"], Secretive(name="Ann"), '{"name":"Ann","born":null}'),
        (Point, {"x": "1", "y": 2}, '{"x":1,"y":"2"}'),
        (Address, {"city": "Ulm", "password": "x"}, '{"city":"Ulm"}'),
        (tuple[int, Colour], ["1", "red"], '[1,"red"]'),
        (Colour, Colour.RED, '"red"'),
        (Literal["a", "b"], "a", '"a"'),
        (Decimal, Decimal("2.50"), '"2.50"'),
        (Customer | str, Secretive(name="Ann"), '{"name":"Ann","born":null}'),
    ],
    ids=str,
)
def test_the_annotation_says_what_is_sent(annotation: Any, value: object, expected: str) -> None:
    """No other field than its own leaves the function, whatever the value has."""
    assert sent(value, annotation) == (200, JSON, expected)


@pytest.mark.parametrize("annotation", [str, str | None, Customer | str, Response[str], Any, None])
def test_text_is_text_where_the_annotation_has_it(annotation: Any) -> None:
    """Not JSON of it."""
    assert sent("a", annotation) == (200, TEXT, "a")


def test_a_response_may_hold_anything_where_the_annotation_leaves_it_open() -> None:
    """Text beside a model; what is no text is the model still."""
    page = Response("<p>", media_type="text/html")

    assert sent(page, Customer | Response) == (200, "text/html", "<p>")
    assert sent(Response(Secretive(name="Ann")), Customer | Response) == (200, JSON, '{"name":"Ann","born":null}')


def test_a_response_can_be_sent_again() -> None:
    """What one answer adds to its headers is not in the next."""
    app = compressing(Response("a" * 1000, headers={"Vary": "Accept"}))

    answers = [request(app, headers={"Accept-Encoding": "gzip"}) for _ in range(2)]

    assert [answer.headers["vary"] for answer in answers] == ["Accept,Accept-Encoding"] * 2


def test_an_objects_attributes_serve_for_a_model() -> None:
    """As rows of a database have them."""

    class Row:
        name, password, born = "Ann", "x", None

    assert sent(Row(), Customer) == (200, JSON, '{"name":"Ann","born":null}')


def test_fields_are_sent_by_their_aliases() -> None:
    """As clients know them."""

    class Order(BaseModel):
        order_id: int = Field(serialization_alias="orderId")

    assert sent(Order(order_id=1), Order) == (200, JSON, '{"orderId":1}')


def test_what_the_annotation_does_not_allow_is_the_functions_mistake() -> None:
    """It is raised for Lambda to report, without the values."""
    app = returning([{"name": "Ann"}, {"nick": "secret"}], list[Customer])

    with pytest.raises(ResponseValidationError) as error:
        request(app)

    assert str(error.value) == (
        f"{__name__}.returning.<locals>.handler returned what its annotation does not allow:\n  1.name: Field required"
    )


def test_text_for_a_model_is_a_mistake_too() -> None:
    """It is no model, whoever may want to send it."""
    with pytest.raises(ResponseValidationError, match="Input should be a valid dictionary"):
        request(returning("Ann", Customer))


def test_a_type_that_pydantic_does_not_know_is_refused_at_the_start() -> None:
    """The annotation says what is sent, so it must be one that can be."""

    class Thing: ...

    with pytest.raises(RegistrationError, match="it returns Thing, which Pydantic can't write"):
        returning(None, Thing)


def test_an_annotation_that_names_nothing_is_refused_at_the_start() -> None:
    """As one of a parameter is."""
    with pytest.raises(RegistrationError, match="an annotation names 'Nowhere', which is not there"):
        returning(None, "Nowhere")


# Statuses.


def test_the_decorator_may_give_the_status() -> None:
    """With content or without."""
    assert [sent(value, status=201)[0] for value in ({"a": 1}, None, Response(), Response("a"))] == [201] * 4


def test_a_response_may_give_the_status_itself() -> None:
    """It knows better than the decorator."""
    assert sent(Response({"a": 1}, 202), status=201) == (202, JSON, '{"a":1}')


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_content(status: int) -> None:
    """Whatever is returned."""
    assert sent(Response("a", status))[2] == ""


def test_an_empty_text_is_content() -> None:
    """And a Response of nothing is none."""
    assert [sent(value)[0] for value in (Response(""), Response())] == [200, 204]


# Responses.


def test_a_response_has_headers() -> None:
    """With a value or several, by names whose case does not matter."""
    response = Response("a", headers={"X-A": "1", "Vary": ["Accept", "Origin"]}, media_type="text/html")
    response.headers["x-b"] = "2"
    response.headers.add("X-A", "3")
    del response.headers["X-B"]

    answer = request(returning(response))

    assert answer.headers == {"x-a": "1,3", "vary": "Accept,Origin", "content-type": "text/html"}


def test_a_responses_own_content_type_stays() -> None:
    """Given as a header."""
    assert sent(Response({"a": 1}, headers={"Content-Type": "application/hal+json"}))[1] == "application/hal+json"


def test_a_response_sets_cookies() -> None:
    """With all that a cookie may have, and takes them back."""
    response = Response("a")
    response.set_cookie("plain", "1")
    response.set_cookie(
        "all",
        "a, b",
        max_age=0,
        expires=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        path="/shop",
        domain="example.com",
        secure=True,
        http_only=True,
        same_site="None",
        partitioned=True,
    )
    response.delete_cookie("old", path="/shop")

    assert request(returning(response)).cookies == [
        "plain=1",
        'all="a\\054 b"; Expires=Fri, 02 Jan 2026 03:04:05 GMT; Max-Age=0; Domain=example.com; Path=/shop; Secure; '
        "HttpOnly; SameSite=None; Partitioned",
        "old=; Max-Age=0; Path=/shop",
    ]


def test_a_cookie_may_be_given_as_a_header() -> None:
    """And goes where the front door takes cookies."""
    response = Response("a", headers={"Set-Cookie": ["a=1", "b=2"]})
    response.set_cookie("c", "3")

    assert returning(response)(event_of("GET /"))["cookies"] == ["a=1", "b=2", "c=3"]


class Page(Response[str]):
    """A response of one's own kind."""

    def __init__(self, title: str) -> None:
        super().__init__(f"<h1>{title}</h1>", media_type="text/html")


@pytest.mark.parametrize("annotation", [Page, Page | None, Page | Customer])
def test_a_response_may_be_subclassed(annotation: Any) -> None:
    """And annotated."""
    assert sent(Page("a"), annotation) == (200, "text/html", "<h1>a</h1>")


@pytest.mark.parametrize(
    ("cookie", "problem"),
    [
        ({"name": "a b"}, "a cookie's name has letters"),
        ({"name": "a", "value": "ü"}, "encode it, as urllib.parse.quote does"),
        ({"name": "a", "path": "/; Secure"}, "a cookie's Path can't be"),
        ({"name": "a", "domain": "a\r\nb"}, "a cookie's Domain can't be"),
    ],
)
def test_a_cookie_that_can_not_be_is_refused(cookie: dict[str, Any], problem: str) -> None:
    """It would break out of its header, or not come back as it was."""
    with pytest.raises(ValueError, match=problem):
        Response().set_cookie(**cookie)


@given(st.from_regex(r"[A-Za-z0-9_-]+", fullmatch=True), st.text(st.characters(max_codepoint=127)))
def test_a_cookie_that_is_written_is_read_again(name: str, value: str) -> None:
    """Whatever its value."""
    response = Response()
    response.set_cookie(name, value)

    assert parsed([response.cookies[0], f"{name}=second"]) == {name: value}


@given(st.lists(st.text()))
def test_cookies_are_read_whatever_they_are(headers: list[str]) -> None:
    """A client may send anything."""
    assert all(isinstance(value, str) for value in parsed(headers).values())


# Errors.


def raising(error: BaseException, **settings: Any) -> App:
    @on_http("GET /")
    def handler() -> None:
        raise error

    return App(handler, **settings)


def test_an_http_error_is_a_problem() -> None:
    """With a status, words, headers, and whatever else it is given."""
    error = HTTPError(409, "order 7 is paid", title="Paid", type="https://shop/paid", headers={"X-A": "1"}, order=7)

    answer = request(raising(error))

    assert (answer.status, answer.headers) == (409, {"x-a": "1", "content-type": "application/problem+json"})
    assert answer.json == {
        "type": "https://shop/paid",
        "title": "Paid",
        "status": 409,
        "detail": "order 7 is paid",
        "order": 7,
    }


@pytest.mark.parametrize(("status", "title"), [(404, "Not Found"), (413, "Content Too Large"), (499, "Error")])
def test_a_status_has_a_title_of_its_own(status: int, title: str) -> None:
    """As RFC 9110 has it, if it does."""
    assert request(raising(HTTPError(status))).json == {"type": "about:blank", "title": title, "status": status}


class OutOfStock(HTTPError):
    def __init__(self, sku: str, *, left: int) -> None:
        super().__init__(409, f"{left} of {sku} left", sku=sku)
        self.left = left


def test_an_http_error_may_be_subclassed() -> None:
    """By what the shop calls it."""
    assert request(raising(OutOfStock("cup", left=1))).json["detail"] == "1 of cup left"


@pytest.mark.parametrize("duplicate", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_an_http_error_can_be_copied(duplicate: Any) -> None:
    """Whatever a subclass is made with."""
    found = duplicate(OutOfStock("cup", left=1))

    assert (str(found), found.left, found.problem()) == (
        "409 Conflict: 1 of cup left",
        1,
        OutOfStock("cup", left=1).problem(),
    )


def test_any_other_error_is_lambdas_to_report() -> None:
    """It passes through untouched; the front door then answers with 502."""
    error = LookupError("no order 7")

    with pytest.raises(LookupError) as raised:
        request(raising(error))

    assert raised.value is error


def test_middleware_around_a_handler_may_answer_too() -> None:
    """By raising an error, or returning something; it sees what the handler returned, and the request."""
    seen: list[object] = []

    def guard(record: RecordInvocation, call_next: CallNext) -> object:
        assert record.invocation.request is not None
        if record.invocation.request.headers.get("authorization") is None:
            raise HTTPError(401)
        reply = call_next()
        seen.append(reply)
        return {"wrapped": reply}

    @on_http("GET /")
    def handler() -> dict[str, int]:
        return {"a": 1}

    app = App(handler, middleware=[guard])

    assert request(app).status == 401
    with pytest.raises(ResponseValidationError):
        request(app, headers={"Authorization": "x"})
    assert seen == [{"a": 1}]


def test_middleware_around_an_invocation_sees_the_answer() -> None:
    """As the front door gets it."""

    def around(invocation: Invocation, call_next: CallNext) -> Any:
        reply = call_next()
        return {**reply, "headers": {**reply["headers"], "x-source": invocation.source}}

    app = returning("a")
    app = App(app.handlers[0].function, middleware=[around])

    assert request(app).headers["x-source"] == "apigw_v2"


# HEAD and OPTIONS.


def test_head_is_get_without_the_body() -> None:
    """Its headers are the same."""
    answer = request(returning({"a": 1}), "HEAD /")

    assert (answer.status, answer.headers["content-type"], answer.content) == (200, JSON, b"")


def test_options_tells_the_methods_of_a_path() -> None:
    """Unless a handler has it."""

    @on_http("OPTIONS /own")
    def own() -> str:
        return "own"

    app = App(returning("a").handlers[0].function, own)
    answer = request(app, "OPTIONS /")

    assert (answer.status, answer.headers) == (204, {"allow": "GET, HEAD, OPTIONS"})
    assert request(app, "OPTIONS /own").text == "own"


# Compression.


def compressing(value: Any, minimum: int | None = 10) -> App:
    @on_http("GET /")
    def handler() -> Any:
        return value

    return App(handler, http=HttpSettings(minimum_compression_size=minimum))


LONG = "a" * 1000


@pytest.mark.parametrize("value", [LONG, {"a": LONG}, Response(LONG.encode(), media_type="image/svg+xml")], ids=type)
@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "GZIP ; q=1"])
def test_text_is_compressed_for_clients_that_take_it(value: object, accepted: str) -> None:
    """And caches are told that it depends on them."""
    answer = request(compressing(value), headers={"Accept-Encoding": accepted})

    assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert LONG in gzip.decompress(answer.content).decode()


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0, *", "gzip;q=none"])
def test_clients_that_do_not_take_it_get_text_as_it_is(accepted: str) -> None:
    """By the weights they give."""
    assert request(compressing(LONG), headers={"Accept-Encoding": accepted}).text == LONG


@pytest.mark.parametrize(
    ("value", "minimum"),
    [
        ("short", 10),
        (LONG, None),
        (LONG.encode(), 10),
        (Response(LONG, headers={"Content-Encoding": "br"}), 10),
        (None, 0),
    ],
    ids=["short text", "without the setting", "bytes", "compressed already", "nothing"],
)
def test_anything_else_is_sent_as_it_is(value: object, minimum: int | None) -> None:
    """Only text gets smaller."""
    answer = request(compressing(value, minimum), headers={"Accept-Encoding": "gzip"})

    assert answer.headers.get("content-encoding") != "gzip"


# CORS.

SITE = {"Origin": "https://example.com"}


def shared(cors: Cors) -> App:
    @on_http("GET|PUT /orders")
    def handler() -> str:
        return "a"

    return App(handler, http=HttpSettings(cors=cors))


def cors_headers(answer: Answer) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name == "vary" or name.startswith("access-control")
    }


def test_a_preflight_is_answered() -> None:
    """With the methods that the path has."""
    asked = {**SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a"}

    answer = request(shared(Cors(max_age=60)), "OPTIONS /orders", headers=asked)

    assert (answer.status, cors_headers(answer)) == (
        204,
        {
            "access-control-allow-origin": "*",
            "access-control-allow-methods": "GET,HEAD,OPTIONS,PUT",
            "access-control-allow-headers": "content-type,authorization",
            "access-control-max-age": "60",
        },
    )


def test_settings_say_what_a_preflight_may() -> None:
    """By name, or any that is asked for."""
    asked = {**SITE, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a, authorization"}
    cors = Cors(SITE["Origin"], allow_methods="PUT", allow_headers="*", allow_credentials=True)

    assert cors_headers(request(shared(cors), "OPTIONS /orders", headers=asked)) == {
        "vary": "Origin",
        "access-control-allow-origin": "https://example.com",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "x-a, authorization",
    }


def test_answers_name_the_site_that_may_see_them() -> None:
    """Those that are errors too; not for another site."""
    app = shared(Cors(["https://example.com", "https://example.org"], expose_headers="x-a"))
    expected = {
        "vary": "Origin",
        "access-control-allow-origin": "https://example.com",
        "access-control-expose-headers": "x-a",
    }

    assert cors_headers(request(app, "GET /orders", headers=SITE)) == expected
    assert cors_headers(request(app, "GET /nowhere", headers=SITE)) == expected
    assert cors_headers(request(app, "GET /orders", headers={"Origin": "https://evil.com"})) == {"vary": "Origin"}
    assert cors_headers(request(app, "GET /orders")) == {"vary": "Origin"}


def test_an_options_request_that_is_no_preflight_is_as_any_other() -> None:
    """It tells the methods."""
    assert request(shared(Cors()), "OPTIONS /orders", headers=SITE).headers["allow"] == "GET, HEAD, OPTIONS, PUT"


# Limits and settings.


def test_a_body_that_is_too_large_is_not_read() -> None:
    """413, from the size on that the settings say; bytes count, not characters."""

    @on_http("POST /")
    def handler(http: HttpRequest) -> int:
        return len(http.body)

    app = App(handler, http=HttpSettings(max_body_size=4))

    assert [request(app, "POST /", body=body).status for body in ("üü", b"1234", "üüü")] == [200, 200, 413]
    assert request(app, "POST /", body="12345").json["detail"] == "the body has 5 bytes; at most 4 are taken"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Cors(allow_credentials=True), "allow_credentials needs allow_origins that name the sites"),
        (lambda: Cors(max_age=-1), "max_age is 0 to 86,400 seconds"),
        (lambda: Cors(allow_origins=[5]), "allow_origins is a text or several"),  # type: ignore[list-item]
        (lambda: HttpSettings(max_body_size=-1), "max_body_size is 0 to"),
        (lambda: HttpSettings(minimum_compression_size=-1), "minimum_compression_size is 0 to"),
        (lambda: HttpSettings(base_path="shop"), "base_path begins with a slash"),
        (lambda: on_http("GET /", status=99), "status is 200 to 599"),
    ],
)
def test_settings_are_checked_where_they_are_written(make: Any, problem: str) -> None:
    """Before any request."""
    with pytest.raises(ValueError, match=problem):
        make()


def test_settings_are_those_of_http() -> None:
    """Not a part of them."""
    with pytest.raises(TypeError, match=r"App takes http=HttpSettings\(...\), not <lambdakit.http.settings.Cors"):
        App(on_http("GET /")(lambda: None), http=Cors())  # type: ignore[arg-type]


def test_dependencies_that_yield_end_after_the_answer_is_made() -> None:
    """What they hold is there while it is written."""
    steps: list[str] = []

    class Lazy:
        @property
        def name(self) -> str:
            steps.append("read")
            return "Ann"

    def session() -> Iterator[Lazy]:
        yield Lazy()
        steps.append("closed")

    class Named(BaseModel):
        name: str

    @on_http("GET /")
    def handler(row: Annotated[Lazy, Depends(session)]) -> Named:
        return row  # type: ignore[return-value]  # what lambdakit makes of it

    assert request(App(handler)).json == {"name": "Ann"}
    assert steps == ["read", "closed"]


def test_an_event_keeps_as_it_was() -> None:
    """Nothing of it is changed by answering."""
    event = event_of("POST /?a=1", json={"a": 1})
    before = copy.deepcopy(event)

    returning("a")(event)

    assert event == before
