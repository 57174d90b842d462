"""Clients that connect, say something and go, and the way back to them."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Annotated, Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from lambdakit import App, Depends, LambdaContext, identify, on_event, on_http, on_sqs, on_websocket
from lambdakit.errors import EventValidationError, NoHandlerError, RegistrationError
from lambdakit.http import Body, Cookie, Form, Header, HTTPError, HttpRequest, Identity, Query, Response
from lambdakit.http import Path as PathValue
from lambdakit.testing import events
from lambdakit.testing.websocket import FakeConnections
from lambdakit.websocket import Connection, ConnectionGone, ConnectionInfo, Connections, WebSocketRequest

ENDPOINT = "https://a1b2c3.execute-api.eu-west-1.amazonaws.com/prod"

Json = Any


class Message(BaseModel):
    text: str = Field(min_length=1)
    to: list[str] = []


def connect(**options: Any) -> Json:
    return events.apigw_websocket("$connect", **options)


def say(body: Any, route: str = "$default", **context: Any) -> Json:
    built = events.apigw_websocket(route, body=body, connection_id="L0SM9c=")
    return {**built, "requestContext": {**built["requestContext"], **context}}


def answered(function: Any, event: Json) -> tuple[int, Json]:
    """The status of what a function answers, and its body as JSON, or None."""
    document = json.loads(json.dumps(App(function)(event)))
    return document["statusCode"], json.loads(document["body"]) if "body" in document else None


# A client connects.


def test_connecting_gives_what_the_handshake_has() -> None:
    """Headers, values of the query and cookies, by the marks that routes have too."""

    @on_websocket("$connect")
    def enter(
        token: str, authorization: Annotated[str, Header()], theme: Annotated[str, Cookie()], room: int = 1
    ) -> list[object]:
        return [token, authorization, theme, room]

    event = connect(query={"token": "t", "room": "7"}, headers={"Authorization": "Bearer a", "Cookie": "theme=dark"})

    assert answered(enter, event) == (200, ["t", "Bearer a", "dark", 7])


def test_a_handler_that_returns_lets_the_client_in() -> None:
    """With 200, and nothing else."""
    assert App(on_websocket("$connect")(lambda: None))(connect()) == {"statusCode": 200}


@pytest.mark.parametrize(
    ("refusal", "status"), [(Response(status=403), 403), (HTTPError(401, "who are you?"), 401), (HTTPError(503), 503)]
)
def test_a_status_that_is_none_of_success_refuses(refusal: Any, status: int) -> None:
    """Returned or raised."""

    @on_websocket("$connect")
    def enter() -> Response:
        if isinstance(refusal, Exception):
            raise refusal
        return Response(status=refusal.status)

    assert App(enter)(connect())["statusCode"] == status


def test_a_handshake_that_lacks_something_is_refused() -> None:
    """With 400 and what is wrong."""

    @on_websocket("$connect")
    def enter(token: str, x_room: Annotated[int, Header()]) -> None: ...

    status, problem = answered(enter, connect(headers={"X-Room": "a"}))

    assert (status, problem["status"], [error["loc"] for error in problem["errors"]]) == (
        400,
        400,
        [["query", "token"], ["header", "x-room"]],
    )


def test_a_subprotocol_is_chosen_of_those_that_the_client_offers() -> None:
    """And told by a header, whose name is written as AWS writes it."""

    @on_websocket("$connect")
    def enter(request: WebSocketRequest) -> Response:
        chosen = next(name for name in request.subprotocols if name in ("graphql-ws", "mqtt"))
        return Response(headers={"sec-websocket-protocol": chosen})

    event = connect(headers={"Sec-WebSocket-Protocol": "soap, mqtt ,graphql-ws"})

    assert App(enter)(event) == {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "mqtt"}}


def test_what_a_client_is_known_by_is_its_identity() -> None:
    """As its authorizer found out when it connected."""

    @on_websocket("sendMessage")
    def send(who: Identity) -> list[object]:
        return [who.authorization_type, who.principal_id, who.claims, who.source_ip]

    event = say({}, "sendMessage", authorizer={"principalId": "ann", "integrationLatency": 7, "tenant": "7"})

    assert answered(send, event) == (200, ["CUSTOM", "ann", {"tenant": "7"}, "203.0.113.10"])


def test_a_client_that_nobody_knows_is_told_so() -> None:
    """Where the handler asks who it is."""

    @on_websocket("$connect")
    def enter(who: Identity) -> None: ...

    assert App(enter)(connect())["statusCode"] == 401


# A client says something.


@pytest.mark.parametrize(
    ("annotation", "body", "got"),
    [
        (Message, '{"text": "hi"}', {"text": "hi", "to": []}),
        (dict[str, Any], '{"a": [1]}', {"a": [1]}),
        (list[int], "[1, 2]", [1, 2]),
        (str, "hello", "hello"),
        (int, "7", 7),
        (Annotated[int, Body(ge=1)], "7", 7),
    ],
    ids=count(),
)
def test_a_message_is_what_a_handler_asks_for(annotation: Any, body: str, got: Any) -> None:
    """JSON, or the text as it is."""

    def listen(message: Any) -> list[Any]:
        return [message]

    listen.__annotations__["message"] = annotation

    assert answered(on_websocket("$default")(listen), say(body)) == (200, [got])


def test_a_single_value_is_a_member_of_a_message_that_names_its_route() -> None:
    """Which is an object; the text as it is has to be asked for."""

    @on_websocket("sendMessage")
    def send(text: str) -> list[str]:
        return [text]

    @on_websocket("sendText")
    def send_text(text: Annotated[str, Body()]) -> list[str]:
        return [text]

    assert (answered(send, say({"text": "hi"}, "sendMessage")), answered(send_text, say("{}", "sendText"))) == (
        (200, ["hi"]),
        (200, ["{}"]),
    )


def test_several_parameters_are_members_of_the_message() -> None:
    """By their names; what finds the route may be one of them."""

    @on_websocket("sendMessage")
    def send(action: str, text: str, to: list[str], urgent: bool = False) -> list[object]:
        return [action, text, to, urgent]

    message = {"action": "sendMessage", "text": "hi", "to": ["ann"]}

    assert answered(send, say(message, "sendMessage")) == (200, ["sendMessage", "hi", ["ann"], False])


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ('{"text": ""}', [["body", "text"]]),
        ('{"to": "ann"}', [["body", "text"], ["body", "to"]]),
        ("hello", [["body"]]),
        ("", [["body"]]),
    ],
)
def test_a_message_that_does_not_fit_is_answered_with_what_is_wrong(body: str, errors: list[list[str]]) -> None:
    """With the status 400, without what was said."""

    @on_websocket("$default")
    def listen(message: Message) -> None: ...

    status, problem = answered(listen, say(body))

    assert (status, problem["status"], problem["title"], [error["loc"] for error in problem["errors"]]) == (
        400,
        400,
        "Bad Request",
        errors,
    )


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (Message(text="hi"), '{"text":"hi","to":[]}'),
        ({"price": Decimal("1.5")}, '{"price":1.5}'),
        ("hello", "hello"),
        (None, None),
        (Response({"a": 1}), '{"a":1}'),
    ],
)
def test_what_a_handler_returns_is_the_reply(value: Any, body: str | None) -> None:
    """Which API Gateway passes on where the route has a route response."""

    @on_websocket("$default")
    def listen() -> Any:
        return value

    assert App(listen)(say("")) == {"statusCode": 200, **({} if body is None else {"body": body})}


def test_bytes_are_replied_in_base64() -> None:
    """JSON has no others."""

    @on_websocket("$default")
    def listen() -> bytes:
        return b"\xff"

    assert App(listen)(say("")) == {"statusCode": 200, "body": "/w==", "isBase64Encoded": True}


def test_an_error_of_http_is_an_answer() -> None:
    """A problem, with its status."""

    @on_websocket("$default")
    def listen() -> None:
        raise HTTPError(409, "the room is full")

    assert answered(listen, say(""))[1]["detail"] == "the room is full"


def test_what_else_a_handler_raises_passes_through() -> None:
    """API Gateway tells the client that something is wrong with the server."""
    error = KeyError("a")

    @on_websocket("$default")
    def listen() -> None:
        raise error

    with pytest.raises(KeyError) as raised:
        App(listen)(say(""))

    assert raised.value is error


def test_a_handler_may_be_a_coroutine_with_dependencies() -> None:
    """Which ask for the connection, the request or parts of it, as it does."""

    def room(connection: Connection, request: WebSocketRequest, http: HttpRequest, room: str) -> Iterator[list[Any]]:
        yield [connection.connection_id, request is http, room]

    @on_websocket("join")
    async def join(room: Annotated[list[Any], Depends(room)], context: LambdaContext) -> list[Any]:
        return [*room, context.function_name]

    assert answered(join, say({"room": "blue"}, "join")) == (200, ["L0SM9c=", True, "blue", "function"])


# What an event says.


def test_a_request_says_what_happens_on_which_connection() -> None:
    """A message."""
    request = WebSocketRequest(say("hi", "sendMessage", messageId="m1", requestId="r1"))

    assert (
        request.route_key,
        request.connection_id,
        request.message_id,
        request.stage,
        request.request_id,
        request.connected_at,
        request.text(),
        request.disconnect_status_code,
        repr(request),
    ) == (
        "sendMessage",
        "L0SM9c=",
        "m1",
        "prod",
        "r1",
        datetime(2026, 1, 1, 11, 59, tzinfo=UTC),
        "hi",
        None,
        "<WebSocketRequest sendMessage of L0SM9c=>",
    )


def test_a_client_that_goes_says_why() -> None:
    """By the code of RFC 6455, and in words."""
    got: list[object] = []

    @on_websocket("$disconnect")
    def leave(request: WebSocketRequest, x_room: Annotated[str, Header()] = "none") -> None:
        got.extend([request.disconnect_status_code, request.disconnect_reason, request.message_id, x_room])

    App(leave)(events.apigw_websocket("$disconnect"))

    assert got == [1000, "Client closed the connection", "", "none"]


# Which handler.


def test_api_gateway_chooses_the_route() -> None:
    """A handler takes what comes by its own."""
    apps = App(*(on_websocket(key)(lambda key=key: key) for key in ("$connect", "$default", "sendMessage")))

    assert [apps(events.apigw_websocket(key)).get("body") for key in ("$connect", "$default", "sendMessage")] == [
        "$connect",
        "$default",
        "sendMessage",
    ]


def test_a_route_that_no_handler_takes_is_an_error() -> None:
    """Also beside a handler of ``$default``: that route is API Gateway's choice for what fits no other."""
    with pytest.raises(NoHandlerError, match=r"'apigw_websocket' event from route 'sendMessage'"):
        App(on_websocket("$default")(lambda: None))(say({}, "sendMessage"))


def test_two_handlers_of_one_route_are_refused() -> None:
    """Nothing would tell them apart."""

    @on_websocket("$default")
    def one() -> None: ...

    @on_websocket("$default")
    def two() -> None: ...

    with pytest.raises(RegistrationError, match="two handlers claim the same thing"):
        App(one, two)


def test_one_function_may_serve_several_routes_and_more() -> None:
    """Each decorator reads its parameters by its own rules."""

    @on_websocket("sendMessage")
    @on_websocket("$default")
    @on_http("POST /messages")
    def send(message: Message) -> str:
        return message.text

    app = App(send)
    made = [say({"text": "a"}), say({"text": "b"}, "sendMessage"), events.http(send, body={"text": "c"})]

    assert [app(event)["body"] for event in made] == ["a", "b", "c"]


def test_explain_tells_who_takes_a_message() -> None:
    """By the route."""

    @on_websocket("$connect")
    def enter() -> None: ...

    @on_websocket("sendMessage")
    def send(message: Message) -> None: ...

    name = "tests.test_websocket.test_explain_tells_who_takes_a_message.<locals>"

    assert str(App(enter, send).explain(say({}, "sendMessage", messageId="m1"))).splitlines() == [
        "source: apigw_websocket",
        "record 0: WebSocket event m1 route 'sendMessage'",
        f"  taken by on_websocket('sendMessage') -> {name}.send",
        f"  not {name}.enter: takes on_websocket('$connect'), this is from route 'sendMessage'",
    ]


def test_an_app_with_websockets_describes_its_http_routes() -> None:
    """OpenAPI has no word for the others."""

    @on_websocket("$connect")
    def enter(token: str) -> None: ...

    assert App(enter).openapi()["paths"] == {}


def _asks_for(annotation: Any) -> Callable[..., Any]:
    def handler(value: Any) -> None: ...

    handler.__annotations__["value"] = annotation
    return handler


@pytest.mark.parametrize(
    ("route_key", "annotation", "problem"),
    [
        ("$connect", Message, r"what comes by '\$connect' has no body"),
        ("$connect", Annotated[str, Form()], "has no form"),
        ("$connect", Annotated[str, PathValue()], "has no path"),
        ("$disconnect", str, r"what comes by '\$disconnect' has no query\n.*\n.* may ask for Connection, "),
        ("$disconnect", Annotated[str, Header()], "has no header"),
        ("$default", Annotated[str, Header()], "what comes by '.default' has no header\n.*\n.*may ask for the message"),
        ("sendMessage", Annotated[str, Query()], "has no query"),
        ("sendMessage", list[Connection], "Unable to generate pydantic-core schema"),
    ],
    ids=count(),
)
def test_a_handler_asks_for_what_its_route_has(route_key: str, annotation: Any, problem: str) -> None:
    """Else it is refused while the function starts."""
    with pytest.raises(RegistrationError, match=problem):
        App(on_websocket(route_key)(_asks_for(annotation)))


@pytest.mark.parametrize("decorate", [on_http("GET /"), on_sqs("orders")], ids=count())
def test_there_is_a_connection_of_websockets_only(decorate: Any) -> None:
    """Others are refused while the function starts."""
    with pytest.raises(RegistrationError, match="parameter 'value' asks for Connection"):
        App(decorate(_asks_for(Connection)))


@pytest.mark.parametrize(
    ("make", "error", "problem"),
    [
        (lambda: on_websocket("$message"), ValueError, r"one of '\$connect', '\$disconnect', '\$default', not"),
        (lambda: on_websocket(""), ValueError, "takes the key of a route"),
        (lambda: on_websocket(7), ValueError, "route_key is text of at most 128 characters"),  # type: ignore[arg-type]
        (lambda: on_websocket(lambda: None), TypeError, "with its route's key"),  # type: ignore[arg-type]
        (lambda: on_event("apigw_websocket"), ValueError, "have their own decorator: on_websocket"),
    ],
    ids=count(),
)
def test_a_key_is_one_that_a_route_can_have(make: Callable[[], object], error: Any, problem: str) -> None:
    """What there is, is said."""
    with pytest.raises(error, match=problem):
        make()


# The way back.


def test_a_message_posted_is_there_for_a_test_to_see() -> None:
    """JSON as what it stands for, text and bytes as they are."""

    @on_websocket("$default")
    def listen(connection: Connection) -> None:
        connection.post(Message(text="hi"))
        connection.post({"at": datetime(2026, 1, 1, tzinfo=UTC)})
        connection.connections.post("other=", "hello")
        connection.connections.post("other=", b"\xff")

    with FakeConnections() as clients:
        App(listen)(say(""))

    assert clients.posted == {
        "L0SM9c=": [{"text": "hi", "to": []}, {"at": "2026-01-01T00:00:00Z"}],
        "other=": ["hello", b"\xff"],
    }


def test_a_client_that_is_gone_is_an_error_of_its_own() -> None:
    """So that its ID can be forgotten."""
    with FakeConnections() as clients:
        Connection("a=", ENDPOINT).disconnect()

        with pytest.raises(ConnectionGone, match="connection 'a=' is gone") as raised:
            Connections(ENDPOINT).post("a=", "hello")

    assert (clients.gone, clients.posted, raised.value.connection_id) == ({"a="}, {}, "a=")


def test_a_connection_tells_about_itself() -> None:
    """Since when it is there, and who is at its other end."""
    with FakeConnections():
        found = Connection("a=", ENDPOINT).get()

    assert (found.connected_at, found.source_ip) == (datetime(2026, 1, 1, 12, tzinfo=UTC), "203.0.113.10")


def test_fakes_may_stand_within_one_another() -> None:
    """The inner one is told."""
    with FakeConnections() as outer, FakeConnections() as inner:
        Connections(ENDPOINT).post("a=", "hello")

    assert (outer.posted, inner.posted) == ({}, {"a=": ["hello"]})


@pytest.mark.parametrize(
    ("domain", "endpoint"),
    [
        ("a1b2c3.execute-api.eu-west-1.amazonaws.com", ENDPOINT),
        (
            "a1b2c3.execute-api.cn-north-1.amazonaws.com.cn",
            "https://a1b2c3.execute-api.cn-north-1.amazonaws.com.cn/prod",
        ),
        ("chat.example.com", "https://chat.example.com"),
    ],
)
def test_the_endpoint_follows_from_the_event(domain: str, endpoint: str) -> None:
    """With the stage, but for a custom domain, whose mapping stands for it."""
    connection = WebSocketRequest(say("", domainName=domain)).connection

    assert (connection.endpoint, repr(connection)) == (endpoint, f"Connection('L0SM9c=', {endpoint!r})")


def test_an_endpoint_is_a_url() -> None:
    """A domain alone is none."""
    with pytest.raises(ValueError, match="an endpoint is a URL"):
        Connections("a1b2c3.execute-api.eu-west-1.amazonaws.com")


def test_an_error_about_a_connection_copies_and_pickles() -> None:
    """As every error does."""
    error = ConnectionGone("a=")

    assert [copy.copy(error).connection_id, pickle.loads(pickle.dumps(error)).connection_id] == ["a=", "a="]


class _Api(BaseHTTPRequestHandler):
    """API Gateway's management API, over real HTTP."""

    calls: list[tuple[str, str, bytes]]

    def answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(self.path)
        self.calls.append((self.command, path, content))
        if path.endswith("/gone="):
            self._send(410, {"message": "gone"}, "GoneException")
        elif path.endswith("/forbidden="):
            self._send(403, {"message": "no"}, "ForbiddenException")
        elif self.command == "GET":
            times = {"connectedAt": "2026-01-01T12:00:00Z", "lastActiveAt": "2026-01-01T12:30:00Z"}
            self._send(200, {**times, "identity": {"sourceIp": "192.0.2.1", "userAgent": "curl"}})
        else:
            self._send(200, {})

    do_GET = do_POST = do_DELETE = answer  # noqa: N815

    def _send(self, status: int, body: Json, error: str = "") -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, bytes]]]:
    """What is asked of a management API, which the environment names as AWS's tools have it."""
    calls: list[tuple[str, str, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Api", (_Api,), {"calls": calls}))
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", f"http://127.0.0.1:{server.server_port}/prod")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    yield calls
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_management_api_is_called_by_boto3(api: list[tuple[str, str, bytes]]) -> None:
    """Which signs, and encodes what stands in the path."""
    connection = Connection("L0SM9c=", ENDPOINT)

    connection.post({"text": "hi"})
    about = connection.get()
    connection.disconnect()

    assert (api, about) == (
        [
            ("POST", "/prod/@connections/L0SM9c=", b'{"text":"hi"}'),
            ("GET", "/prod/@connections/L0SM9c=", b""),
            ("DELETE", "/prod/@connections/L0SM9c=", b""),
        ],
        ConnectionInfo(
            datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 12, 30, tzinfo=UTC), "192.0.2.1", "curl"
        ),
    )


def test_what_the_management_api_refuses_is_told(api: list[tuple[str, str, bytes]]) -> None:
    """A client that has gone in lambdakit's words, anything else in boto3's."""
    client_error = import_module("botocore.exceptions").ClientError

    with pytest.raises(ConnectionGone):
        Connections(ENDPOINT).post("gone=", "hello")
    with pytest.raises(client_error, match="ForbiddenException"):
        Connections(ENDPOINT).post("forbidden=", "hello")


# Samples, and laws.


class Strict(BaseModel):
    model_config = ConfigDict(extra="allow")

    action: str
    count: int


@pytest.mark.parametrize("annotation", [Message, Strict, dict[str, str], str])
@pytest.mark.parametrize("route_key", ["$default", "sendMessage"])
def test_the_sample_of_a_handler_reaches_it(route_key: str, annotation: Any) -> None:
    """With a message that it reads, and that takes its route."""
    made = events.sample(on_websocket(route_key)(_asks_for(annotation)))
    body = made["body"]

    assert (
        App(on_websocket(route_key)(_asks_for(annotation)))(made),
        route_key == "$default" or json.loads(body)["action"] == route_key,
    ) == ({"statusCode": 200}, True)


def test_the_sample_has_the_members_that_a_handler_asks_for() -> None:
    """Each in its type."""

    @on_websocket("sendMessage")
    def send(text: str, to: list[int]) -> None: ...

    assert json.loads(events.sample(send)["body"]) == {"text": "example", "to": [1], "action": "sendMessage"}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body",
    "isBase64Encoded", "stageVariables", "httpMethod", "path", "version", "resource",
)  # fmt: skip
_CONTEXT = (
    "routeKey", "connectionId", "connectedAt", "stage", "domainName", "messageId", "requestId", "identity",
    "authorizer", "disconnectStatusCode", "disconnectReason", "eventType",
)  # fmt: skip


def _about(request: WebSocketRequest) -> list[object]:
    about = [request.connection, request.disconnect_status_code, request.disconnect_reason, request.identity]
    return [repr(one) for one in (*about, request, request.subprotocols, request.message_id, request.connected_at)]


@on_websocket("$connect")
def enter(
    request: WebSocketRequest,
    who: Identity | None,
    room: int = 1,
    x_a: Annotated[list[int], Header()] = [],  # noqa: B006
) -> list[object]:
    return _about(request)


@on_websocket("$disconnect")
def leave(request: WebSocketRequest) -> list[object]:
    return _about(request)


@on_websocket("$default")
def listen(request: WebSocketRequest, message: Message) -> list[object]:
    return _about(request)


EVERYTHING = App(enter, leave, listen)


@given(
    st.sampled_from([connect(query={"room": "7"}), say({"text": "hi"}), events.apigw_websocket("$disconnect")]),
    st.dictionaries(st.sampled_from(_KEYS), _json, max_size=4),
    st.dictionaries(st.sampled_from(_CONTEXT), _json, max_size=4),
)
def test_no_event_makes_a_websocket_raise(event: Json, changes: Json, context: Json) -> None:
    """Whatever it holds: it is answered, or it is no event of a connection."""
    event = {**event, "requestContext": {**event["requestContext"], **context}, **changes}
    before = copy.deepcopy(event)
    if identify(event) != "apigw_websocket":
        return

    try:
        document = EVERYTHING(event)
    except (EventValidationError, NoHandlerError):
        return

    assert document["statusCode"] in (200, 400)
    assert json.dumps(event) == json.dumps(before)


CAPTURED = Path(__file__).parents[2] / "shared" / "events"


def _captured() -> list[Any]:
    if not (CAPTURED / "manifest.json").exists():
        return [pytest.param("", marks=pytest.mark.skip(reason="no captured events at ../shared/events"))]
    entries = json.loads((CAPTURED / "manifest.json").read_text())
    found = [entry["file"] for entry in entries if entry["source"] == "apigw_websocket"]
    return [pytest.param(str(CAPTURED / file), id=file) for file in found]


@pytest.mark.parametrize("file", _captured())
def test_a_real_event_is_answered(file: str) -> None:
    """By the handler of its route, with all that the event says."""
    event = json.loads(Path(file).read_text())

    def take(request: WebSocketRequest, connection: Connection) -> list[object]:
        return _about(request)

    status, about = answered(on_websocket(event["requestContext"]["routeKey"])(take), event)

    assert (status, len(about)) == (200, 8)
