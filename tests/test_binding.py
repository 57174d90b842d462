"""What a handler's annotations get it, and what is said of a signature that does not fit."""

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Union

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypeAliasType

from lambdakit import (
    App,
    Depends,
    Invocation,
    LambdaContext,
    on_dynamodb,
    on_event,
    on_eventbridge,
    on_invoke,
    on_kinesis,
    on_s3,
    on_schedule,
    on_sns,
    on_sqs,
)
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.events import (
    DynamoDbEvent,
    DynamoDbRecord,
    EventBridgeEvent,
    KinesisRecord,
    S3Record,
    ScheduledEvent,
    SnsEvent,
    SnsRecord,
    SqsEvent,
    SqsRecord,
)
from lambdakit.triggers.trigger import TRIGGERS


class Order(BaseModel):
    id: str
    total: float = 0


ORDER, TWO = Order(id="1"), Order(id="2")

Records = TypeAliasType("Records", list[SqsRecord[Order]])
Documented = Annotated[Order, "what a customer wants"]


def sqs(*bodies: str) -> dict[str, Any]:
    records = [{"eventSource": "aws:sqs", "messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    return {"Records": records}


def s3(*keys: str) -> dict[str, Any]:
    stored = [{"bucket": {"name": "uploads"}, "object": {"key": key}} for key in keys]
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": each} for each in stored]}


def sns(message: str) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": message}}]}


def kinesis(data: str) -> dict[str, Any]:
    record = {"data": data, "sequenceNumber": "1", "partitionKey": "a"}
    return {"Records": [{"eventSource": "aws:kinesis", "kinesis": record}]}


def dynamodb(event_name: str, **images: Any) -> dict[str, Any]:
    change = {"Keys": {"id": {"S": "1"}}, "SequenceNumber": "1", **images}
    return {"Records": [{"eventSource": "aws:dynamodb", "eventName": event_name, "dynamodb": change}]}


def placed(detail: Any) -> dict[str, Any]:
    return {"detail-type": "placed", "source": "shop", "detail": detail}


def fired(detail: Any) -> dict[str, Any]:
    return {"detail-type": "Scheduled Event", "source": "aws.events", "detail": detail, "resources": []}


BODIES = sqs('{"id": "1"}', '{"id": "2"}')
IMAGE = {"id": {"S": "1"}, "total": {"N": "0"}}

# A trigger, an annotation, an event, and the calls that a handler with that annotation gets.
GIVEN: dict[str, tuple[Any, Any, dict[str, Any], list[Any]]] = {
    "a record": (on_sqs(), SqsRecord, sqs("a"), [SqsRecord(message_id="0", body="a")]),
    "a record of a payload": (
        on_sqs(),
        SqsRecord[Order],
        sqs('{"id": "1"}'),
        [SqsRecord[Order](message_id="0", body=ORDER)],
    ),
    "records": (on_sqs(), list[SqsRecord], sqs("a"), [[SqsRecord(message_id="0", body="a")]]),
    "records as a sequence": (on_sqs(), Sequence[SqsRecord], sqs("a"), [[SqsRecord(message_id="0", body="a")]]),
    "records by an alias": (
        on_sqs(),
        Records,
        sqs('{"id": "1"}'),
        [[SqsRecord[Order](message_id="0", body=ORDER)]],
    ),
    "an event": (on_sqs(), SqsEvent, sqs("a"), [SqsEvent(records=[SqsRecord(message_id="0", body="a")])]),
    "an event of payloads": (
        on_sqs(),
        SqsEvent[Order],
        sqs('{"id": "1"}'),
        [SqsEvent[Order](records=[SqsRecord[Order](message_id="0", body=ORDER)])],
    ),
    "a body, once a message": (on_sqs(), Order, BODIES, [ORDER, TWO]),
    "an annotated body": (on_sqs(), Documented, BODIES, [ORDER, TWO]),
    "a checked body": (on_sqs(), Annotated[str, Field(min_length=1)], sqs("a"), ["a"]),
    "a body as text": (on_sqs(), str, sqs('{"id": 1}'), ['{"id": 1}']),
    "a body as bytes": (on_sqs(), bytes, sqs("a"), [b"a"]),
    "a body as a dict": (on_sqs(), dict, sqs('{"id": 1}'), [{"id": 1}]),
    "a body as a list": (on_sqs(), list, sqs("[1]"), [[1]]),
    "a body that may be null": (on_sqs(), Optional[Order], sqs("null"), [None]),  # noqa: UP045 - also this way
    "a body of two kinds": (on_sqs(), Union[Order, int], sqs("5", '{"id": "1"}'), [5, ORDER]),  # noqa: UP007
    "a body as anything": (on_sqs(), Any, sqs("[1]", "a"), [[1], "a"]),
    "a body as an object": (on_sqs(), object, sqs("[1]", "a"), [[1], "a"]),
    "one of some words": (on_sqs(), Literal["on", "off"], sqs("off"), ["off"]),
    "an object": (on_s3(), S3Record, s3("a"), [S3Record(bucket="uploads", key="a", event_name="ObjectCreated:Put")]),
    "a message": (on_sns(), Order, sns('{"id": "1"}'), [ORDER]),
    "a notification": (
        on_sns(),
        SnsRecord[Order],
        sns('{"id": "1"}'),
        [SnsRecord[Order](message_id="1", message=ORDER)],
    ),
    "data": (on_kinesis(), bytes, kinesis("YQ=="), [b"a"]),
    "data of a model": (on_kinesis(), Order, kinesis("eyJpZCI6ICIxIn0="), [ORDER]),
    "a new image": (on_dynamodb(), Order, dynamodb("INSERT", NewImage=IMAGE), [ORDER]),
    "no new image": (on_dynamodb(), Order | None, dynamodb("REMOVE", OldImage=IMAGE), [None]),
    "a change": (
        on_dynamodb(),
        DynamoDbRecord[Order],
        dynamodb("REMOVE", OldImage=IMAGE),
        [DynamoDbRecord[Order](event_name="REMOVE", keys={"id": "1"}, old_image=ORDER, sequence_number="1")],
    ),
    "a detail": (on_eventbridge(), Order, placed({"id": "1"}), [ORDER]),
    "an event of a bus": (
        on_eventbridge(),
        EventBridgeEvent[Order],
        placed({"id": "1"}),
        [EventBridgeEvent[Order](detail_type="placed", source="shop", detail=ORDER)],
    ),
    "a schedule's input": (on_schedule("rate(1 day)"), Order, fired('{"id": "1"}'), [ORDER]),
    "a firing": (
        on_schedule("rate(1 day)"),
        ScheduledEvent,
        fired({}),
        [ScheduledEvent(detail_type="Scheduled Event", source="aws.events", detail={})],
    ),
    "an invocation's payload": (on_invoke, Order, {"id": "1"}, [ORDER]),
    "an event of another source": (on_event("codecommit"), dict, {"Records": [{"eventSource": "aws:codecommit"}]}, []),
    "the record of the source, of two": (
        on_sns(),
        SqsRecord | SnsRecord,
        sns("a"),
        [SnsRecord(message_id="1", message="a")],
    ),
    "the event of the source, of two": (
        on_sns(),
        SqsEvent | SnsEvent,
        sns("a"),
        [SnsEvent(records=[SnsRecord(message_id="1", message="a")])],
    ),
    "a record or none": (on_sqs(), SqsRecord | None, sqs("a"), [SqsRecord(message_id="0", body="a")]),
}


@pytest.mark.parametrize(("decorate", "annotation", "event", "calls"), GIVEN.values(), ids=GIVEN)
def test_the_annotation_says_what_a_handler_gets(
    decorate: Any, annotation: Any, event: dict[str, Any], calls: list[Any]
) -> None:
    """A record, all records, the event, or the payload: by the type of the parameter alone."""
    got: list[Any] = []

    def handler(value: Any) -> None:
        got.append(value)

    handler.__annotations__["value"] = annotation
    App(decorate(handler))(event)

    assert got == (calls or [event])


def test_a_handler_may_want_nothing_of_the_event() -> None:
    """A schedule has nothing to say; it is called once a record all the same."""
    calls: list[str] = []

    @on_sqs()
    def handler() -> None:
        calls.append("called")

    App(handler)(BODIES)

    assert calls == ["called", "called"]


def _runtimes_own() -> Any:
    context = pytest.importorskip("awslambdaric.lambda_context", reason="Lambda's runtime client is not installed")
    return context.LambdaContext


def _powertools_own() -> Any:
    typing = pytest.importorskip("aws_lambda_powertools.utilities.typing", reason="Powertools is not installed")
    return typing.LambdaContext


@pytest.mark.parametrize(
    "kind",
    [
        lambda: LambdaContext,
        lambda: LambdaContext | None,
        lambda: Annotated[LambdaContext, "Lambda's"],
        _runtimes_own,
        _powertools_own,
    ],
    ids=["lambdakit", "optional", "annotated", "awslambdaric", "powertools"],
)
def test_each_lambda_context_is_the_context(kind: Callable[[], Any]) -> None:
    """Whoever's class an annotation names, it means the object that Lambda's runtime hands over."""

    def handler(context: Any) -> str:
        return str(context.function_name)

    handler.__annotations__["context"] = kind()

    assert App(on_invoke(handler))({}, LambdaContext(function_name="shop")) == "shop"


def test_without_a_context_there_is_one_for_tests() -> None:
    """A test calls ``app(event)``; a handler and its dependencies find a context all the same, one and the same."""

    def request_id(context: LambdaContext) -> str:
        return context.aws_request_id

    @on_invoke
    def handler(context: LambdaContext, id_again: Annotated[str, Depends(request_id)]) -> bool:
        return context.aws_request_id == id_again

    assert App(handler)({}) is True


def test_the_invocation_itself_can_be_asked_for() -> None:
    """For what no annotation gives: the raw event, the source."""

    @on_sqs()
    def handler(body: str, invocation: Invocation) -> None:
        seen.append((body, invocation.source, invocation.event))

    seen: list[object] = []
    App(handler)(sqs("a"))

    assert seen == [("a", "sqs", sqs("a"))]


def test_parameters_have_any_order_and_kind() -> None:
    """What a parameter gets depends on its annotation, not on its place or name."""

    def stamp() -> str:
        return "stamp"

    @on_sqs()
    def handler(
        context: LambdaContext,
        /,
        made: Annotated[str, Depends(stamp)],
        record: SqsRecord,
        *,
        order: Order,
        **rest: object,
    ) -> None:
        seen.append((context.function_name, made, record.message_id, order, rest))

    seen: list[object] = []
    App(handler)(sqs('{"id": "1"}'), LambdaContext(function_name="shop"))

    assert seen == [("shop", "stamp", "0", ORDER, {})]


def annotated(function: Callable[..., Any], **annotations: Any) -> Callable[..., Any]:
    """A function with other annotations, as no checker would let one write them; None leaves one out."""
    function.__annotations__.update(annotations)
    for name in [name for name, annotation in annotations.items() if annotation is None]:
        del function.__annotations__[name]
    return function


def asking_for(annotation: Any) -> Callable[..., Any]:
    """A function that asks for that and does nothing."""

    def handler(value: Any) -> None: ...

    return annotated(handler, value=annotation)


# Defaults


def test_a_default_is_left_alone_beside_the_payload() -> None:
    """A parameter for tests keeps its default, and what comes after it its place."""

    def handler(order: Order, retries: int = 3, untyped: Any = None, context: LambdaContext | None = None) -> None:
        seen.append((order, retries, untyped, context is not None))

    seen: list[object] = []
    App(on_sqs()(annotated(handler, untyped=None)))(sqs('{"id": "1"}'))

    assert seen == [(ORDER, 3, None, True)]


def test_a_default_is_left_alone_beside_a_record() -> None:
    """Also where nothing else asks for the payload."""

    @on_sqs()
    def handler(record: SqsRecord, retries: int = 3) -> None:
        seen.append((record.body, retries))

    seen: list[object] = []
    App(handler)(sqs("5"))

    assert seen == [("5", 3)]


def test_a_required_parameter_takes_the_payload_before_one_with_a_default() -> None:
    """Their order does not matter."""

    @on_invoke
    def handler(*, verbose: bool = False, order: Order) -> tuple[bool, str]:
        return verbose, order.id

    assert App(handler)({"id": "1"}) == [False, "1"]


def test_a_default_alone_gives_way_to_the_payload() -> None:
    """A handler whose only parameter has a default still wants the event."""

    @on_invoke
    def handler(payload: dict[str, int] | None = None) -> object:
        return payload

    assert App(handler)({"a": 1}) == {"a": 1}


# What goes wrong while the function starts.


def wrong(decorate: Any, function: Callable[..., Any]) -> RegistrationError:
    """The error of an App that is built of one function under one trigger."""
    with pytest.raises(RegistrationError) as caught:
        App(decorate(function))
    delattr(function, TRIGGERS)
    return caught.value


def made(values: Iterable[Any]) -> Any:
    return values


class Foreign:
    """Nothing that Pydantic reads."""


def no_annotation(event: Any, context: Any) -> None: ...


del no_annotation.__annotations__["event"]


def another_source(message: SqsRecord) -> None: ...


def another_event(message: SqsEvent) -> None: ...


def a_payload(order: Order) -> None: ...


def two_payloads(order: Order, other: dict[str, object]) -> None: ...


def record_and_list(record: SqsRecord, records: list[SqsRecord]) -> None: ...


def list_and_payload(order: Order, records: list[SqsRecord]) -> None: ...


def a_tuple(records: tuple[SqsRecord, ...]) -> None: ...


def a_dict_of_records(records: dict[str, SqsRecord]) -> None: ...


def unreadable(order: Foreign) -> None: ...


STAMP: Any = Depends(made)


def a_default_of_depends(order: Order, stamp: str = STAMP) -> None: ...


def untyped_depends(order: Order, stamp: Any = STAMP) -> None: ...


del untyped_depends.__annotations__["stamp"]


def anything(*args: Any, **kwargs: Any) -> None: ...


def yields(order: Order) -> Iterable[int]:
    yield 1


def counted(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


async def yields_later(order: Order) -> Any:
    yield 1


WRONG: dict[str, tuple[Any, Callable[..., Any], str]] = {
    "no annotation": (on_invoke, no_annotation, "parameter 'event' has no annotation, which says what it is given"),
    "a message of an object": (
        on_s3("uploads"),
        another_source,
        "parameter 'message' asks for SqsRecord, which on_s3('uploads') does not deliver",
    ),
    "an event of another source": (on_sns(), another_event, "asks for SqsEvent, which on_sns() does not deliver"),
    "the payload of an object": (on_s3(), a_payload, "parameter 'order' asks for Order, which on_s3() does not"),
    "two payloads": (on_sqs(), two_payloads, "'other' asks a second time for the payload; one model may hold both"),
    "a record and all": (on_sqs(), record_and_list, "parameter 'records' asks for a list beside record"),
    "a payload and all": (on_sqs(), list_and_payload, "parameter 'records' asks for a list beside payload"),
    "a tuple of records": (on_sqs(), a_tuple, "asks for tuple[lambdakit.events.sqs.SqsRecord, ...], which on_sqs()"),
    "a dict of records": (on_sqs(), a_dict_of_records, "which on_sqs() does not deliver"),
    "a foreign class": (on_sqs(), unreadable, "parameter 'order' asks for Foreign, which Pydantic can't read"),
    "a default that depends": (on_sqs(), a_default_of_depends, "write Annotated[T, Depends(made)]"),
    "a default that depends, untyped": (on_sqs(), untyped_depends, "write Annotated[T, Depends(made)]"),
    "anything": (on_sqs(), anything, "functools.wraps in that decorator keeps the signature"),
    "a generator": (on_sqs(), yields, "it yields, so that calling it would not run it; a handler returns"),
    "an async generator": (on_sqs(), yields_later, "it yields"),
    "a generator below a wrapper": (on_sqs(), counted(yields), "it yields"),
    "a name that is not there": (on_sqs(), asking_for("Ordr"), "names 'Ordr', which is not there when"),
    "an attribute that is not there": (on_sqs(), asking_for("re.Order"), "an annotation can't be evaluated"),
    "no Python": (on_sqs(), asking_for("Order of"), "an annotation can't be evaluated"),
    "side by side of all": (on_sqs(concurrency=2), asking_for(list[SqsRecord]), "concurrency is about records"),
    "a window of records": (
        on_kinesis(tumbling_window_in_seconds=5),
        asking_for(KinesisRecord),
        "a tumbling window has a state, which only a handler of the whole event can take and return",
    ),
}


@pytest.mark.parametrize(("decorate", "function", "words"), WRONG.values(), ids=WRONG)
def test_a_signature_that_does_not_fit_is_refused(decorate: Any, function: Callable[..., Any], words: str) -> None:
    """While the function starts, in words that name the function, its file and its line."""
    error = wrong(decorate, function)
    line = inspect.unwrap(function).__code__.co_firstlineno

    assert words in error.problem
    assert error.where.endswith(f"{function.__qualname__} ({Path(__file__)}:{line})")


@pytest.mark.parametrize(
    ("decorate", "offer"),
    [
        (on_s3(), "on_s3 may ask for: S3Record, list[S3Record], S3Event, LambdaContext, Annotated[T, Depends(f)]."),
        (
            on_sqs(),
            "on_sqs may ask for: SqsRecord, list[SqsRecord], SqsEvent, "
            "the payload's type (a Pydantic model, dict, str, ...), LambdaContext, Annotated[T, Depends(f)].",
        ),
        (on_eventbridge(), "on_eventbridge may ask for: EventBridgeEvent, the payload's type"),
        (on_schedule("rate(1 day)"), "on_schedule may ask for: ScheduledEvent, the payload's type"),
        (on_invoke, "on_invoke may ask for: the payload's type"),
        (on_event("ses"), "on_event may ask for: the payload's type"),
    ],
)
def test_the_refusal_says_what_would_be_right(decorate: Any, offer: str) -> None:
    """All that a handler of the trigger may ask for."""
    assert offer in str(wrong(decorate, no_annotation))


def test_a_decorator_without_wraps_is_told_from_a_wrong_signature() -> None:
    """Its wrapper takes anything, so nobody can know what the function wants."""

    def careless(*args: Any, **kwargs: Any) -> None:
        a_payload(*args, **kwargs)

    assert "functools.wraps" in wrong(on_sqs(), careless).problem


# What goes wrong when an event comes.


def invalid(decorate: Any, annotation: Any, event: dict[str, Any]) -> EventValidationError:
    with pytest.raises(EventValidationError) as caught:
        App(decorate(asking_for(annotation)))(event)
    return caught.value


@pytest.mark.parametrize(
    ("decorate", "annotation", "event", "subject", "problems"),
    [
        (on_invoke, Order, {"total": "x"}, "payload", ("id: Field required", "total: Input should be a valid number")),
        (on_invoke, list[Order], [{"id": "1"}, {}], "payload", ("1.id: Field required",)),
        (on_sns(), Order, sns("{}"), "SNS message 1", ("Sns.Message.id: Field required",)),
        (on_sns(), SnsRecord[Order], sns("{}"), "SNS message 1", ("Sns.Message.id: Field required",)),
        (on_eventbridge(), Order, placed({}), "EventBridge event", ("detail.id: Field required",)),
        (on_schedule("rate(1 day)"), int, fired({}), "scheduled event", ("detail: Input should be a valid integer",)),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(
    decorate: Any, annotation: Any, event: Any, subject: str, problems: tuple[str, ...]
) -> None:
    """Each field that is wrong, where it lies in the raw event, whichever way the payload was asked for."""
    error = invalid(decorate, annotation, event)

    assert (error.subject, tuple(problem.partition(",")[0] for problem in error.problems)) == (subject, problems)


def test_a_payload_that_is_no_json_is_told() -> None:
    """The text itself is not repeated."""
    error = invalid(on_sns(), Order, sns("secret"))

    assert [problem.partition(" at line")[0] for problem in error.problems] == [
        "Sns.Message: Invalid JSON: expected value"
    ]


class Cash(BaseModel):
    kind: Literal["cash"]


class Card(BaseModel):
    kind: Literal["card"]


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("annotation", "event"),
    [
        (Order, {"id": [SECRET]}),
        (Order, SECRET),
        (int, SECRET),
        (Literal["a", "b"], SECRET),
        (Annotated[str, Field(max_length=1)], SECRET),
        (Annotated[Cash | Card, Field(discriminator="kind")], {"kind": SECRET}),
        (dict[str, int], {"a": SECRET}),
    ],
)
def test_the_input_is_not_repeated(annotation: Any, event: Any) -> None:
    """What does not fit may hold secrets, and an error's text ends up in logs."""
    assert SECRET not in str(invalid(on_invoke, annotation, event))


def test_a_tag_that_no_member_has_is_told_by_what_was_expected() -> None:
    """Pydantic's own message would repeat the tag."""
    error = invalid(on_invoke, Annotated[Cash | Card, Field(discriminator="kind")], {"kind": "x"})

    assert error.problems == ("Tag is none of the expected 'cash', 'card'",)


@pytest.mark.parametrize(
    ("decorate", "event"),
    [(on_kinesis(), kinesis("no base64")), (on_dynamodb(), dynamodb("INSERT", NewImage={"id": {"N": "many"}}))],
)
def test_a_payload_that_can_not_be_decoded_fails_its_record(
    decorate: Any, event: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """It is as unfit as one that does not validate, not an exception of the handler."""
    App(decorate(asking_for(Order)))(event)

    assert re.search("Left for another delivery: .* does not fit what .* asks for", caplog.text)


def test_an_object_without_a_key_is_unfit_in_words() -> None:
    """What would name the record is what is missing; the error still says so."""
    event = s3("a")
    del event["Records"][0]["s3"]["object"]["key"]

    error = invalid(on_s3(), S3Record, event)

    assert (error.subject, error.problems) == ("S3 object", ("s3.object: Field required: key",))


def test_an_event_around_its_records_is_read_too() -> None:
    """The window of a batch is part of what a handler of the event asks for."""
    event = {**dynamodb("INSERT"), "window": {"start": "soon"}}

    [handler] = App(on_dynamodb()(asking_for(DynamoDbEvent))).handlers

    with pytest.raises(EventValidationError, match=r"window\.end: Field required"):
        handler.whole(event, [])
