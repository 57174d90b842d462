"""The OpenAPI document of an App: valid, and what the routes really take and send."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field

from lambdakit import App, Depends, on_http, on_sqs
from lambdakit.cli import main
from lambdakit.errors import RegistrationError
from lambdakit.http import Body, Cookie, File, Form, Header, HttpRequest, Path, Query, Response, Routes, UploadFile

Json = Any


class Line(BaseModel):
    sku: str
    count: int = Field(1, gt=0)


class Order(BaseModel):
    """What a customer wants."""

    lines: list[Line]
    day: date | None = None


class Placed(Order):
    id: int


@dataclass
class Point:
    x: int


def valid(document: Json) -> Json:
    """A document that is valid, by way of JSON."""
    document = json.loads(json.dumps(document))
    OpenAPIV31SpecValidator(document).validate()
    return document


def operation(function: Callable[..., Any], *, document: bool = False) -> Json:
    """The only operation of a function's document, or the document."""
    found = valid(App(function).openapi())
    [path] = found["paths"].values()
    [described] = path.values()
    return found if document else described


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


PROBLEM = {
    "description": "Anything else that goes wrong.",
    "content": {"application/problem+json": {"schema": ref("HttpProblem")}},
}


def test_a_route_is_described_by_its_function() -> None:
    """Its name, docstring, parameters, body and what it returns."""

    @on_http("PUT /orders/{order_id:int}", status=201, tags="orders")
    def update(
        order_id: Annotated[int, Path(gt=0)],
        order: Order,
        limit: Annotated[int, Query(le=100, description="How many")] = 10,
        x_shop: Annotated[str | None, Header(deprecated=True)] = None,
        theme: Annotated[Literal["dark", "light"], Cookie()] = "light",
    ) -> Placed:
        """Change an order.

        It is paid then, *at once*.

        Returns:
            Not of interest here.
        """
        raise NotImplementedError

    document = operation(update, document=True)

    assert (document["openapi"], document["info"]) == ("3.1.0", {"title": "update", "version": "1.0.0"})
    assert document["paths"] == {
        "/orders/{order_id}": {
            "put": {
                "operationId": "update",
                "tags": ["orders"],
                "summary": "Change an order.",
                "description": "It is paid then, *at once*.",
                "parameters": [
                    {
                        "name": "order_id",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "integer", "exclusiveMinimum": 0},
                    },
                    {
                        "name": "limit",
                        "in": "query",
                        "required": False,
                        "description": "How many",
                        "schema": {"type": "integer", "maximum": 100, "default": 10},
                    },
                    {
                        "name": "x-shop",
                        "in": "header",
                        "required": False,
                        "deprecated": True,
                        "schema": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                    },
                    {
                        "name": "theme",
                        "in": "cookie",
                        "required": False,
                        "schema": {"type": "string", "enum": ["dark", "light"], "default": "light"},
                    },
                ],
                "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Order")}}},
                "responses": {
                    "201": {
                        "description": "What was asked for.",
                        "content": {"application/json": {"schema": ref("Placed")}},
                    },
                    "422": {
                        "description": "The request can't be read.",
                        "content": {"application/problem+json": {"schema": ref("HttpValidationProblem")}},
                    },
                    "default": PROBLEM,
                },
            }
        }
    }
    assert document["components"]["schemas"].keys() >= {"Order", "Line", "Placed", "HttpProblem"}


def test_the_decorator_says_more() -> None:
    """Summary, description, name, deprecation, responses, security."""

    @on_http(
        "GET /",
        summary="Short",
        description="Long",
        operation_id="readAll",
        deprecated=True,
        responses={202: "It is on its way.", 404: "There is none."},
        security={"jwt": ["read"]},
    )
    def read() -> None:
        """Something else."""

    described = operation(read)

    assert {key: described[key] for key in ("summary", "description", "operationId", "deprecated", "security")} == {
        "summary": "Short",
        "description": "Long",
        "operationId": "readAll",
        "deprecated": True,
        "security": [{"jwt": ["read"]}],
    }
    assert described["responses"] == {
        "202": {"description": "It is on its way."},
        "204": {"description": "Done."},
        "404": {**PROBLEM, "description": "There is none."},
        "default": PROBLEM,
    }


def test_the_document_has_what_it_is_given() -> None:
    """Title, version, description, addresses, schemes."""

    @on_http("GET /", security={})
    def read() -> None: ...

    schemes = {"jwt": {"type": "http", "scheme": "bearer"}}
    document = valid(
        App(read).openapi(
            title="Shop", version="2", description="All of it", servers=["https://a.example"], security_schemes=schemes
        )
    )

    assert document["info"] == {"title": "Shop", "version": "2", "description": "All of it"}
    assert document["servers"] == [{"url": "https://a.example"}]
    assert document["components"]["securitySchemes"] == schemes
    assert document["paths"]["/"]["get"]["security"] == []


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (None, {"204": None}),
        (str, {"200": {"text/plain": {"type": "string"}}}),
        (
            bytes,
            {"200": {"application/octet-stream": {"type": "string", "contentMediaType": "application/octet-stream"}}},
        ),
        (
            dict[str, int],
            {"200": {"application/json": {"type": "object", "additionalProperties": {"type": "integer"}}}},
        ),
        (Point, {"200": {"application/json": ref("Point")}}),
        (Response[Point], {"200": {"application/json": ref("Point")}}),
        (Point | None, {"200": {"application/json": ref("Point")}, "204": None}),
        (Point | str, {"200": {"application/json": ref("Point"), "text/plain": {"type": "string"}}}),
        (Response, {"200": None}),
        (Any, {"200": None}),
    ],
    ids=str,
)
def test_a_reply_is_described_by_its_annotation(annotation: Any, expected: Json) -> None:
    """What it may send, and whether it may send nothing."""

    def read() -> Any: ...

    read.__annotations__ = {"return": annotation}
    responses = operation(on_http("GET /")(read))["responses"]

    found = {status: response.get("content") for status, response in responses.items() if status != "default"}
    assert found == {
        status: content and {media_type: {"schema": schema} for media_type, schema in content.items()}
        for status, content in expected.items()
    }


def test_models_differ_by_what_they_are_for() -> None:
    """A Decimal may be sent as a number, and is answered as text."""

    class Price(BaseModel):
        price: Decimal

    @on_http("POST /")
    def echo(price: Price) -> Price:
        return price

    schemas = operation(echo, document=True)["components"]["schemas"]

    assert "anyOf" in schemas["Price-Input"]["properties"]["price"]
    assert schemas["Price-Output"]["properties"]["price"]["type"] == "string"


def body_of(function: Callable[..., Any]) -> Json:
    return operation(function)["requestBody"]


def test_a_body_of_several_parameters_is_an_object() -> None:
    """With those that have no default required."""

    @on_http("POST /")
    def create(order: Order, point: Point, note: Annotated[str, Body()] = "") -> None: ...

    assert body_of(create) == {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "order": ref("Order"),
                        "point": ref("Point"),
                        "note": {"type": "string", "default": ""},
                    },
                    "required": ["order", "point"],
                }
            }
        },
    }


def test_text_and_bytes_have_their_media_types() -> None:
    """Those that they are restricted to, or those of any text and any bytes."""

    @on_http("POST /")
    def text(content: Annotated[str, Body(media_type="text/csv")]) -> None: ...

    @on_http("POST /")
    def raw(content: bytes = b"") -> None: ...

    assert body_of(text) == {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
    assert body_of(raw) == {
        "required": False,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
        },
    }


def test_forms_are_described() -> None:
    """Url-encoded, and multipart as soon as there is a file."""

    class Login(BaseModel):
        user: str

    @on_http("POST /")
    def fields(name: Annotated[str, Form()], tag: Annotated[list[int], Form()]) -> None: ...

    @on_http("POST /")
    def model(login: Annotated[Login, Form()]) -> None: ...

    @on_http("POST /")
    def files(image: UploadFile, more: Annotated[list[bytes], File()], login: Annotated[Login, Form()]) -> None: ...

    binary = {"type": "string", "contentMediaType": "application/octet-stream"}
    assert body_of(fields)["content"] == {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "tag": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["name", "tag"],
            }
        }
    }
    assert body_of(model)["content"] == {"application/x-www-form-urlencoded": {"schema": ref("Login")}}
    assert body_of(files)["content"] == {
        "multipart/form-data": {
            "schema": {
                "allOf": [
                    ref("Login"),
                    {
                        "type": "object",
                        "properties": {"image": binary, "more": {"type": "array", "items": binary}},
                        "required": ["image", "more"],
                    },
                ]
            }
        }
    }


def test_the_fields_of_a_model_are_parameters() -> None:
    """By the names that the request has for them."""

    class Common(BaseModel):
        x_shop: int = Field(description="Which shop")
        sort: str = Field("id", alias="sortBy")

    @on_http("GET /")
    def read(common: Annotated[Common, Header()]) -> None: ...

    assert operation(read)["parameters"] == [
        {
            "name": "x-shop",
            "in": "header",
            "required": True,
            "description": "Which shop",
            "schema": {"title": "X Shop", "type": "integer"},
        },
        {
            "name": "sortBy",
            "in": "header",
            "required": False,
            "schema": {"title": "Sortby", "type": "string", "default": "id"},
        },
    ]


def test_parameters_of_dependencies_are_described_once() -> None:
    """With the handler's own; what only the path has is there too."""

    def page(limit: int = 10) -> int:
        return limit

    @on_http("GET /{shop}/{path+}")
    def read(first: Annotated[int, Depends(page)], path: str, limit: int = 10) -> None: ...

    assert [(p["name"], p["in"]) for p in operation(read)["parameters"]] == [
        ("limit", "query"),
        ("path", "path"),
        ("shop", "path"),
    ]


def test_each_method_is_an_operation_of_its_own_name() -> None:
    """ANY is API Gateway's, $default is none, and other triggers have no routes."""
    routes = Routes("/orders")

    @routes.on_http("GET|POST /")
    def both() -> None: ...

    @routes.on_http("ANY /{path+}")
    def rest(path: str) -> None: ...

    @on_http("$default")
    @on_sqs("orders")
    def default(order: dict[str, int]) -> None: ...

    document = valid(App(both, rest, default).openapi())

    assert {
        path: {method: described["operationId"] for method, described in methods.items()}
        for path, methods in document["paths"].items()
    } == {"/orders": {"get": "both", "post": "both_post"}, "/orders/{path}": {"x-amazon-apigateway-any-method": "rest"}}


def test_an_app_without_routes_has_a_document_without_paths() -> None:
    """Which is valid."""

    @on_sqs("orders")
    def charge(order: Order) -> None: ...

    assert valid(App(charge).openapi())["paths"] == {}


def test_functions_of_one_name_are_told_apart() -> None:
    """By a number, if need be."""

    def functions() -> Any:
        def read(http: HttpRequest) -> None: ...

        return read

    app = App(*(on_http(f"GET /{number}")(functions()) for number in range(4)))
    names = [path["get"]["operationId"] for path in valid(app.openapi())["paths"].values()]

    assert names == ["read", "read_get", "read_2", "read_3"]


_types = st.sampled_from(
    [int, str, bool, float, date, Order, Point, list[int], dict[str, Line], Order | None, Literal["a"], Any, bytes]
)
_marks = st.sampled_from([None, Query(), Header(), Cookie(), Body(), Body(embed=True), Form()])


@settings(max_examples=20)  # the validator takes its time
@given(st.lists(st.tuples(_types, _marks), max_size=4), _types)
def test_every_document_is_valid(parameters: list[tuple[Any, Any]], returned: Any) -> None:
    """Whatever the routes take and send."""
    names = [f"p{number}" for number in range(len(parameters))]
    source = f"def handler({', '.join(names)}): ..."
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    function = namespace["handler"]
    function.__annotations__ = {
        **{n: Annotated[t, m] if m else t for n, (t, m) in zip(names, parameters, strict=True)},
        "return": returned,
    }

    try:
        app = App(on_http("POST /")(function))
    except RegistrationError:  # a form and a body, a dict in a header
        return
    valid(app.openapi())


# The command line.


@pytest.fixture
def shop(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module with an App, and one without routes."""
    (tmp_path / "shop_of_test_openapi.py").write_text(
        "from lambdakit import *\n\n@on_http('GET /orders')\ndef read() -> str: ...\n\n"
        "@on_invoke\ndef other(a: int) -> None: ...\n\nhandler = App(read)\nempty = App(other)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return "shop_of_test_openapi"


def test_the_command_line_prints_a_document(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, with what it is told."""
    arguments = ["--title", "Shop", "--api-version", "2", "--server", "https://a.example"]

    code = main(["openapi", f"{shop}.handler", *arguments])

    document = valid(json.loads(capsys.readouterr().out))
    assert (code, document["info"], document["servers"], [*document["paths"]]) == (
        0,
        {"title": "Shop", "version": "2"},
        [{"url": "https://a.example"}],
        ["/orders"],
    )


def test_an_app_without_routes_is_told(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 1."""
    code = main(["openapi", f"{shop}.empty"])

    assert (code, capsys.readouterr().err) == (1, "lambdakit: other has no routes: mark a function with @on_http.\n")
