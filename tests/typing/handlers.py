"""What type checkers see of a function through the decorators.

Each line with an ignore must be an error, and no other line may be: an ignore that is not needed is an error as well.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_type

from pydantic import BaseModel

import lambdakit
from lambdakit import (
    App,
    CallNext,
    Depends,
    Explanation,
    Invocation,
    LambdaContext,
    RecordInvocation,
    after_restore,
    before_snapshot,
    on_authorizer,
    on_dynamodb,
    on_event,
    on_eventbridge,
    on_http,
    on_invoke,
    on_kinesis,
    on_s3,
    on_schedule,
    on_sns,
    on_sqs,
    on_start,
    on_websocket,
)
from lambdakit.authorizers import (
    Allow,
    Answer,
    AppSyncAuthorizerRequest,
    AuthorizerRequest,
    Deny,
    MethodArn,
    TokenAuthorizerRequest,
    Unauthorized,
)
from lambdakit.events import (
    DynamoDbEvent,
    DynamoDbRecord,
    EventBridgeEvent,
    KinesisEvent,
    KinesisRecord,
    S3Event,
    S3Record,
    ScheduledEvent,
    SnsEvent,
    SnsRecord,
    SqsEvent,
    SqsRecord,
)
from lambdakit.http import (
    Cookie,
    Cors,
    File,
    Form,
    Header,
    Headers,
    HTTPError,
    HttpRequest,
    HttpSettings,
    Iam,
    Identity,
    Query,
    Response,
    Routes,
    Scopes,
    UploadFile,
    Values,
)
from lambdakit.websocket import Connection as SocketConnection
from lambdakit.websocket import ConnectionInfo, Connections, WebSocketRequest


class Order(BaseModel):
    id: str


def connect() -> str:
    return "connected"


Connection = Annotated[str, Depends(connect)]

# A decorated function keeps its own type.


@on_s3("uploads", events="ObjectCreated:*", prefix="in/", suffix=".csv")
def of_record(upload: S3Record) -> str:
    return upload.key


def calls_of_record(upload: S3Record) -> None:
    assert_type(of_record(upload), str)
    assert_type(of_record(upload=upload), str)
    of_record()  # type: ignore[call-arg]
    of_record("a.csv")  # type: ignore[arg-type]


@on_invoke
def bare(order: Order, *, verbose: bool = False) -> int:
    return len(order.id)


@on_invoke()
def with_parentheses(order: Order, *, verbose: bool = False) -> int:
    return len(order.id)


@on_sqs("orders", batch_size=5)
async def asynchronous(order: Order) -> int:
    return len(order.id)


async def calls(order: Order) -> None:
    assert_type(bare(order, verbose=True), int)
    assert_type(with_parentheses(order, verbose=True), int)
    assert_type(await asynchronous(order), int)
    bare({"id": "1"})  # type: ignore[arg-type]
    with_parentheses(order, loud=True)  # type: ignore[call-arg]


@on_sqs("orders")
@on_sns("orders")
@on_schedule("rate(1 day)")
@on_event("cloudwatch_logs")
@on_invoke
def stacked(order: Order) -> int:
    return len(order.id)


assert_type(stacked(Order(id="1")), int)


@on_start
def starts() -> Iterator[None]:
    yield


@on_start
async def starts_later() -> AsyncIterator[None]:
    yield


@before_snapshot
@after_restore
def snaps() -> int:
    return 1


assert_type(starts(), Iterator[None])
assert_type(snaps(), int)

# What S3 delivers, and what it does not.


@on_s3()
def of_records(uploads: list[S3Record]) -> None: ...


@on_s3()
def of_event(event: S3Event) -> None: ...


@on_s3()
async def of_record_later(upload: S3Record) -> None: ...


@on_s3()
def of_nothing() -> None: ...


@on_s3()
def of_more(upload: S3Record, context: LambdaContext, connection: Connection, *, size: int = 3) -> None: ...


@on_s3(via=("sns", "sqs"))
@on_sqs("uploads")
def of_either(record: S3Record | SqsRecord) -> None: ...


@on_s3("uploads")  # type: ignore[type-var]
def of_a_message(message: SqsRecord) -> None: ...


@on_s3("uploads")  # type: ignore[type-var]
def of_messages(messages: list[SqsRecord]) -> None: ...


@on_s3("uploads")  # type: ignore[type-var]
def of_a_payload(order: Order) -> None: ...


@on_s3("uploads")  # type: ignore[type-var]
async def of_a_message_later(message: SqsRecord[Order]) -> None: ...


@on_s3  # type: ignore[arg-type]
def without_parentheses(upload: S3Record) -> None: ...


# Requests: a function keeps its type, whatever it asks of them and returns.

shop = Routes("/shop", tags="shop")


@on_http("POST /orders/{order_id}", status=201)
def of_request(order_id: int, order: Order, *, limit: Annotated[int, Query(ge=1)] = 10) -> Order:
    return order


@on_sqs("orders")
@shop.on_http("GET /{order_id}")
async def of_headers(order_id: int, shop: Annotated[str, Header()], theme: Annotated[str, Cookie()] = "") -> None: ...


@on_http("POST /files")
def of_files(image: UploadFile, more: Annotated[list[bytes], File()], title: Annotated[str, Form()]) -> Response[Order]:
    assert_type(image.content, bytes)
    return Response(Order(id=title), 201, headers={"X-A": ["1", "2"]})


@on_http("$default")
def of_everything(http: HttpRequest, context: LambdaContext, connection: Connection) -> Response | dict[str, int]:
    assert_type(http.query, Values[str])
    assert_type(http.query["page"], str)
    assert_type(http.headers, Headers)
    assert_type(http.cookies, dict[str, str])
    assert_type(http.form["image"], str | UploadFile)
    assert_type(http.front_door, Literal["apigw_v1", "apigw_v2", "function_url", "alb", "apigw_websocket"])
    raise HTTPError(404, "no such order", headers={"X-A": "1"}, order=7)


async def calls_of_requests(order: Order) -> None:
    assert_type(of_request(7, order), Order)
    assert_type(of_request(order_id=7, order=order, limit=5), Order)
    assert_type(await of_headers(7, "a"), None)
    assert_type(of_files(UploadFile("a", b""), [], title="a").content, Order | None)
    of_request("7", order)  # type: ignore[arg-type]
    of_request(7, order, 10)  # type: ignore[call-arg]
    Response("a").set_cookie("a", "1", same_site="lax")  # type: ignore[arg-type]
    HTTPError("404")  # type: ignore[arg-type]


@on_http  # type: ignore[arg-type]
def without_a_route() -> None: ...


on_http("GET /orders", status="201")  # type: ignore[arg-type]
on_http("GET /orders", stauts=201)  # type: ignore[call-arg]
Routes("/orders").on_http("GET /", tag="orders")  # type: ignore[call-arg]
Query(minimum=1)  # type: ignore[call-arg]
App(of_request, http=HttpSettings(cors=Cors("*", max_age=60), minimum_compression_size=1000))
App(of_request, http=Cors())  # type: ignore[arg-type]

# Who makes a request: the claims have the type that is asked for.


class User(BaseModel):
    sub: str


@on_http("GET /orders")
def of_somebody(who: Identity, user: Annotated[Identity[User], Scopes("orders:read")], http: HttpRequest) -> None:
    assert_type(who.claims, dict[str, Any])
    assert_type(user.claims, User)
    assert_type(user.iam, Iam | None)
    assert_type(user.scopes, tuple[str, ...])
    assert_type(http.identity, Identity[dict[str, Any]])
    user.claims.subject  # type: ignore[attr-defined]  # noqa: B018


of_somebody(Identity(claims={}), Identity("JWT", claims=User(sub="ann")), HttpRequest({}))
of_somebody(Identity(claims={}), Identity("JWT", claims={}), HttpRequest({}))  # type: ignore[arg-type]
Identity("COGNITO", claims={})  # type: ignore[arg-type]

# Authorizers: what each is asked, and what all answer.


@on_authorizer("TOKEN")
def by_token(request: TokenAuthorizerRequest, context: LambdaContext) -> Allow | Deny:
    assert_type(request.token, str)
    assert_type(request.method_arn, MethodArn)
    if not request.token:
        raise Unauthorized
    return Allow("ann", context={"tenant": 7}, routes=["GET /orders/*"])


@on_authorizer(protocol_type="HTTP", enable_simple_responses=True)
async def by_request(authorization: Annotated[str, Header()], *, request: AuthorizerRequest) -> bool:
    assert_type(request.method_arn, MethodArn)
    return True


@on_authorizer("AWS_LAMBDA")
def by_appsync(request: AppSyncAuthorizerRequest) -> dict[str, object]:
    return {"isAuthorized": True}


@on_authorizer()
def by_anything() -> Answer:
    return True


async def calls_of_authorizers(request: TokenAuthorizerRequest, asked: AuthorizerRequest) -> None:
    assert_type(by_token(request, LambdaContext()), Allow | Deny)
    assert_type(await by_request("Bearer a", request=asked), bool)
    by_token("Bearer a", LambdaContext())  # type: ignore[arg-type]


@on_authorizer()  # type: ignore[type-var]
def by_nothing() -> None: ...


@on_authorizer()  # type: ignore[type-var]
async def by_text_later() -> str:
    return "ann"


@on_authorizer("TOKEN")  # type: ignore[type-var]
def by_header(authorization: Annotated[str, Header()]) -> bool:
    return True


@on_authorizer("AWS_LAMBDA")  # type: ignore[type-var]
def by_another(request: TokenAuthorizerRequest) -> bool:
    return True


on_authorizer("JWT")  # type: ignore[call-overload]
on_authorizer("TOKEN", protocol_type="REST")  # type: ignore[call-overload]
on_authorizer(protocol_type="WEB")  # type: ignore[call-overload]
Allow("ann", route="*")  # type: ignore[call-arg]
Allow(7)  # type: ignore[arg-type]

# WebSockets.


@on_websocket("$connect")
def enters(token: str, authorization: Annotated[str, Header()], request: WebSocketRequest) -> Response:
    assert_type(request.connected_at, datetime)
    assert_type(request.connection, SocketConnection)
    assert_type(request.disconnect_status_code, int | None)
    return Response(headers={"Sec-WebSocket-Protocol": request.subprotocols[0]})


@on_websocket("sendMessage")
async def says(order: Order, connection: SocketConnection) -> Order:
    connection.post(order)
    assert_type(connection.get(), ConnectionInfo)
    Connections(connection.endpoint).disconnect(connection.connection_id)
    return order


async def calls_of_websockets(order: Order, connection: SocketConnection) -> None:
    assert_type(await says(order, connection), Order)
    await says("hello", connection)  # type: ignore[arg-type]
    connection.post()  # type: ignore[call-arg]


@on_websocket  # type: ignore[arg-type]
def without_a_key() -> None: ...


on_websocket(key="$connect")  # type: ignore[call-arg]
Connections(endpoint=7)  # type: ignore[arg-type]

# Settings.

on_s3("uploads", suffixes=".csv")  # type: ignore[call-arg]
on_s3("uploads", ".csv")  # type: ignore[call-arg]
on_sqs("orders", batch_size="5")  # type: ignore[arg-type]
on_kinesis("readings", batchsize=5)  # type: ignore[call-arg]
on_kinesis("readings", starting_position="NEWEST")  # type: ignore[arg-type]
on_dynamodb("customers", events="DELETE")  # type: ignore[arg-type]
on_dynamodb("customers", events=("INSERT", "MODIFY"), maximum_retry_attempts=3)
on_schedule()  # type: ignore[call-arg]
on_sns("alerts", filter_policy_scope="Body")  # type: ignore[arg-type]
on_eventbridge({"source": ["shop"]}, bus=5)  # type: ignore[arg-type]
lambdakit.on_sqss("orders")  # type: ignore[operator]

App(__name__, memory_size=512, timeout=30, environment={"STAGE": "test"})
App(__name__, memory=512)  # type: ignore[call-arg]
App(__name__, runtime="python3.9")  # type: ignore[arg-type]

# Payloads.


def payloads(
    *,
    sqs: SqsRecord[Order],
    sns: SnsRecord[Order],
    kinesis: KinesisRecord[Order],
    dynamodb: DynamoDbRecord[Order],
    eventbridge: EventBridgeEvent[Order],
    schedule: ScheduledEvent[Order],
) -> None:
    assert_type(sqs.body, Order)
    assert_type(sns.message, Order)
    assert_type(kinesis.data, Order)
    assert_type(dynamodb.new_image, Order | None)
    assert_type(dynamodb.old_image, Order | None)
    assert_type(eventbridge.detail, Order)
    assert_type(schedule.detail, Order)


def payloads_by_default(
    *,
    sqs: SqsRecord,
    sns: SnsRecord,
    kinesis: KinesisRecord,
    dynamodb: DynamoDbRecord,
    eventbridge: EventBridgeEvent,
    schedule: ScheduledEvent,
) -> None:
    assert_type(sqs.body, str)
    assert_type(sns.message, str)
    assert_type(kinesis.data, bytes)
    assert_type(dynamodb.new_image, dict[str, Any] | None)
    assert_type(eventbridge.detail, dict[str, Any])
    assert_type(schedule.detail, dict[str, Any])


def payloads_of_events(
    *,
    s3: S3Event,
    sqs: SqsEvent[Order],
    sns: SnsEvent[Order],
    kinesis: KinesisEvent[Order],
    dynamodb: DynamoDbEvent[Order],
    text: SqsEvent,
) -> None:
    assert_type(s3.records, list[S3Record])
    assert_type(sqs.records, list[SqsRecord[Order]])
    assert_type(sns.records, list[SnsRecord[Order]])
    assert_type(kinesis.records, list[KinesisRecord[Order]])
    assert_type(dynamodb.records, list[DynamoDbRecord[Order]])
    assert_type(text.records[0].body, str)


# Values: always there as the service always sends them, optional where it does not.


def values(upload: S3Record, message: SqsRecord, event: ScheduledEvent) -> None:
    assert_type(upload.key, str)
    assert_type(upload.size, int | None)
    assert_type(upload.event_time, datetime)
    assert_type(upload.action, Literal["created", "removed", "restored", "other"])
    assert_type(message.sent_timestamp, datetime)
    assert_type(message.message_attributes, dict[str, str | Decimal | bytes | None])
    assert_type(event.schedule, str)
    upload.keys  # type: ignore[attr-defined]  # noqa: B018


# An App.


def around(invocation: Invocation, call_next: CallNext) -> object:
    assert_type(invocation.source, str)
    return call_next()


def around_records(record: RecordInvocation, call_next: CallNext) -> object:
    assert_type(record.invocation, Invocation)
    return call_next()


def an_app(event: dict[str, object], context: LambdaContext) -> None:
    app = App(bare, "shop.orders", lambdakit, name="shop", middleware=[around, (around_records,)])
    assert_type(app.explain(event), Explanation)
    assert_type(app.explain(event).handlers, list[str])
    assert_type(lambdakit.identify(event), str)
    assert_type(context.get_remaining_time_in_millis(), int)
    with app.override(connect, with_=lambda: "fake"):
        app(event)
    handler: Callable[[Any, Any], Any] = app
    handler(event, context)


App(5)  # type: ignore[arg-type]
Depends("url")  # type: ignore[arg-type]
Depends(connect, scope="request")  # type: ignore[arg-type]
