"""Powertools around an App: what its logger, tracer, metrics and idempotency do for invocations and for records."""

import asyncio
import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics.provider.datadog import DatadogMetrics
from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord
from aws_lambda_powertools.warnings import PowertoolsUserWarning
from aws_xray_sdk import global_sdk_config  # type: ignore[import-untyped]
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]
from aws_xray_sdk.core.lambda_launcher import LambdaContext as XRayContext  # type: ignore[import-untyped]
from pydantic import BaseModel

from lambdakit import (
    App,
    CallNext,
    Invocation,
    LambdaContext,
    identify,
    on_dynamodb,
    on_eventbridge,
    on_invoke,
    on_s3,
    on_sns,
    on_sqs,
)
from lambdakit.events import DynamoDbRecord, S3Record, SnsRecord, SqsRecord
from lambdakit.powertools import idempotent, powertools

Event = dict[str, Any]

CONTEXT = LambdaContext("shop", aws_request_id="request-1")
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def sqs(*messages: tuple[str, str], queue: str = "orders") -> Event:
    """A delivery of messages, each an id and a body."""
    return {"Records": [message(*one, queue) for one in messages]}


def message(message_id: str, body: str, queue: str) -> Event:
    return {
        "messageId": message_id,
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "awsRegion": "us-east-1",
    }


def change(event_id: str, kind: str) -> Event:
    """A change of a table's item, one item a change."""
    return {
        "eventID": event_id,
        "eventName": kind,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/carts/stream/2026-01-01T00:00:00.000",
        "dynamodb": {
            "Keys": {"id": {"S": event_id}},
            "SequenceNumber": "111",
            "SizeBytes": 26,
            "StreamViewType": "KEYS_ONLY",
            "ApproximateCreationDateTime": 1428537600,
        },
    }


@pytest.fixture
def out() -> StringIO:
    return StringIO()


@pytest.fixture
def logger(out: StringIO, request: pytest.FixtureRequest) -> Logger:
    """A logger of its own: the service's name stands for one in the whole process."""
    return Logger(service=request.node.name, stream=out)


def lines(out: StringIO, *keys: str) -> list[tuple[Any, ...]]:
    """The values of those keys in each line that was logged."""
    logged = [json.loads(line) for line in out.getvalue().splitlines()]
    return [tuple(line.get(key) for key in keys) for line in logged]


@on_invoke
def double(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return 2 * number


# Logger: the invocation


def greeting(logger: Logger) -> Callable[[dict[str, Any]], None]:
    @on_invoke
    def greet(event: dict[str, Any]) -> None:
        logger.info("hello")

    return greet


def test_a_line_says_which_invocation_it_is_from(logger: Logger, out: StringIO) -> None:
    """The context's fields, the cold start and a correlation id are in each line."""
    app = App(greeting(logger), middleware=[powertools(logger=logger)])

    app({}, CONTEXT)

    keys = ("message", "function_name", "function_memory_size", "function_request_id", "cold_start", "correlation_id")
    assert lines(out, *keys) == [("hello", "shop", "128", "request-1", True, "request-1")]


def test_only_the_first_invocation_is_a_cold_start(logger: Logger, out: StringIO) -> None:
    """An execution environment starts once."""
    app = App(greeting(logger), middleware=[powertools(logger=logger)])

    for _ in range(3):
        app({}, CONTEXT)

    assert lines(out, "cold_start") == [(True,), (False,), (False,)]


def test_a_cold_start_is_one_whoever_asked_powertools_before(logger: Logger, out: StringIO) -> None:
    """A decorator around the App takes down the flag of the process; the App's first invocation is its first still."""
    app = logger.inject_lambda_context(App(greeting(logger), middleware=[powertools(logger=logger)]))

    app({}, CONTEXT)

    assert lines(out, "cold_start") == [(True,)]


def test_provisioned_environments_have_no_cold_start(
    logger: Logger, out: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With provisioned concurrency the environment was there before the first event."""
    monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "provisioned-concurrency")
    app = App(greeting(logger), middleware=[powertools(logger=logger)])

    app({}, CONTEXT)

    assert lines(out, "cold_start") == [(False,)]


def test_an_app_may_be_called_without_a_context(logger: Logger, out: StringIO) -> None:
    """As a test does; then a context is made up."""
    app = App(greeting(logger), middleware=[powertools(logger=logger)])

    app({})

    assert lines(out, "function_name", "correlation_id") == [("function", "00000000-0000-4000-8000-000000000000")]


HTTP = {"routeKey": "$default", "rawPath": "/", "requestContext": {"http": {}, "requestId": "from-http"}}
REST = {"resource": "/", "httpMethod": "GET", "requestContext": {"resourcePath": "/", "requestId": "from-rest"}}
SOCKET = {"requestContext": {"connectionId": "c", "routeKey": "r", "requestId": "from-socket"}}
LOAD_BALANCER = {"httpMethod": "GET", "requestContext": {"elb": {}}}
LATTICE = {"requestContext": {"serviceNetworkArn": "arn"}, "headers": {"x-amzn-trace-id": ["Root=lattice"]}}
RESOLVER = {"arguments": {}, "info": {"fieldName": "f"}, "request": {"headers": {"x-amzn-trace-id": "Root=appsync"}}}
OBJECT_LAMBDA = {"xAmzRequestId": "from-s3", "userRequest": {}}
BUS = {"id": "from-bus", "source": "shop", "detail-type": "Order placed", "detail": {}}
NOTICE = {"EventSource": "aws:sns", "Sns": {"MessageId": "from-sns", "TopicArn": "arn:aws:sns:us-east-1:1:alerts"}}
UPLOAD = {
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "s3": {"bucket": {"name": "uploads"}, "object": {"key": "a+b.csv", "sequencer": "0A1B"}},
}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(HTTP, "from-http", id="HTTP API"),
        pytest.param(REST, "from-rest", id="REST API"),
        pytest.param(SOCKET, "from-socket", id="WebSocket API"),
        pytest.param({**LOAD_BALANCER, "headers": {"x-amzn-trace-id": "Root=alb"}}, "Root=alb", id="ALB"),
        pytest.param(
            {**LOAD_BALANCER, "multiValueHeaders": {"x-amzn-trace-id": ["Root=alb"]}}, "Root=alb", id="ALB, multi-value"
        ),
        pytest.param(LATTICE, "Root=lattice", id="VPC Lattice"),
        pytest.param(RESOLVER, "Root=appsync", id="AppSync"),
        pytest.param([RESOLVER, RESOLVER], "Root=appsync", id="AppSync batch"),
        pytest.param(OBJECT_LAMBDA, "from-s3", id="S3 Object Lambda"),
        pytest.param(BUS, "from-bus", id="EventBridge"),
        pytest.param({"Records": [NOTICE]}, "from-sns", id="SNS"),
        pytest.param(sqs(("from-sqs", "")), "from-sqs", id="SQS, one message"),
        pytest.param(sqs(("1", ""), ("2", "")), "request-1", id="SQS, two messages"),
        pytest.param({"Records": [{"EventSource": "aws:sns"}]}, "request-1", id="SNS, unreadable"),
        pytest.param({"Error": "E", "Cause": "C"}, "request-1", id="Step Functions"),
        pytest.param({"requestContext": {"requestId": "anything"}}, "request-1", id="a payload of the caller's own"),
        pytest.param(7, "request-1", id="a number"),
    ],
)
def test_an_invocation_is_correlated_by_what_its_source_calls_it(
    event: Any, expected: str, logger: Logger, out: StringIO
) -> None:
    """The id of the request, the event or the only record; Lambda's own id where the source has none."""
    App(on_sqs()(lambda_of(SqsRecord)), on_sns()(lambda_of(SnsRecord)), on_eventbridge()(lambda_of(dict)))
    around_invocation, _ = powertools(logger=logger)

    around_invocation(Invocation(event, CONTEXT, identify(event)), lambda: logger.info("here"))

    assert lines(out, "correlation_id") == [(expected,)]


def lambda_of(model: Any) -> Callable[[Any], None]:
    """A handler that asks for a model."""

    def handle(value: Any) -> None: ...

    handle.__annotations__["value"] = model
    return handle


def test_an_upload_is_correlated_by_object_and_change(logger: Logger, out: StringIO) -> None:
    """S3 numbers no notifications, so bucket, key and sequencer stand for one."""
    around_invocation, _ = powertools(logger=logger)
    App(on_s3("uploads")(lambda_of(S3Record)))

    around_invocation(Invocation({"Records": [UPLOAD]}, CONTEXT, "s3"), lambda: logger.info("here"))

    [(correlation_id,)] = lines(out, "correlation_id")
    assert correlation_id.startswith("uploads/a b.csv")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param({"order": {"id": "12"}}, "12", id="there"),
        pytest.param({"order": None}, "request-1", id="not there"),
    ],
)
def test_a_path_of_ones_own_comes_first(event: Event, expected: str, logger: Logger, out: StringIO) -> None:
    """Where it finds nothing, the usual id serves."""
    app = App(greeting(logger), middleware=[powertools(logger=logger, correlation_id_path="order.id")])

    app(event, CONTEXT)

    assert lines(out, "correlation_id") == [(expected,)]


def test_a_path_that_cannot_be_read_is_refused_at_once(logger: Logger) -> None:
    """Not with the first event."""
    with pytest.raises(ValueError, match="order\\["):
        powertools(logger=logger, correlation_id_path="order[")


@pytest.mark.parametrize(("clear_state", "second"), [(True, None), (False, 12)])
def test_keys_end_with_their_invocation(clear_state: bool, second: Any, logger: Logger, out: StringIO) -> None:
    """Unless clear_state is off."""

    @on_invoke
    def remember(order: int) -> None:
        logger.info("begin")
        logger.append_keys(order=order)

    app = App(remember, middleware=[powertools(logger=logger, clear_state=clear_state)])

    app(12, CONTEXT)
    app(13, CONTEXT)

    assert lines(out, "order") == [(None,), (second,)]


def test_the_logged_event_has_its_correlation_id(logger: Logger, out: StringIO) -> None:
    """So that it is found by it."""
    app = App(on_eventbridge()(lambda_of(dict)), middleware=[powertools(logger=logger, log_event=True)])

    app(BUS, CONTEXT)

    assert lines(out, "message", "correlation_id") == [(BUS, "from-bus")]


def test_buffered_lines_are_written_when_a_handler_fails(
    out: StringIO, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With flush_buffer_on_uncaught_error."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    logger = Logger(service=request.node.name, stream=out, level="DEBUG", buffer_config=LoggerBufferConfig())

    @on_invoke
    def fail(event: dict[str, Any]) -> None:
        logger.debug("a detail")
        raise OSError("disk full")

    app = App(fail, middleware=[powertools(logger=logger, flush_buffer_on_uncaught_error=True)])

    with pytest.raises(OSError, match="disk full"):
        app({}, CONTEXT)

    assert lines(out, "message") == [("a detail",)]


# Logger: the records


def test_a_line_says_which_record_it_is_about(logger: Logger, out: StringIO) -> None:
    """The record's id and its handler; afterwards the invocation's again."""

    def last(invocation: Invocation, call_next: CallNext) -> Any:
        logger.thread_safe_append_keys(tenant="t1")
        reply = call_next()
        logger.info("the end")
        return reply

    @on_sqs("orders")
    def charge(body: str) -> None:
        logger.info(body)

    app = App(charge, middleware=[powertools(logger=logger), last])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)

    name = f"{__name__}.{charge.__qualname__}"
    assert lines(out, "message", "correlation_id", "handler", "tenant") == [
        ("first", "m1", name, "t1"),
        ("second", "m2", name, "t1"),
        ("the end", "request-1", None, "t1"),
    ]


def test_a_record_is_correlated_by_the_path_where_it_finds_something(logger: Logger, out: StringIO) -> None:
    """The path is looked for in each raw record; a body that is no JSON fails no message."""

    @on_sqs("orders")
    def charge(body: str) -> None:
        logger.info("here")

    app = App(charge, middleware=[powertools(logger=logger, correlation_id_path="powertools_json(body).order")])

    reply = app(sqs(("m1", '{"order": "o1"}'), ("m2", "no JSON")), CONTEXT)

    assert (lines(out, "correlation_id"), reply) == ([("o1",), ("m2",)], {"batchItemFailures": []})


def test_an_event_without_records_keeps_the_id_of_its_request(logger: Logger, out: StringIO) -> None:
    """But its handler is named."""

    @on_eventbridge()
    def ship(detail: dict[str, Any]) -> None:
        logger.info("here")

    App(ship, middleware=[powertools(logger=logger, correlation_id_path="detail.order")])(
        {**BUS, "detail": {"order": "o1"}}, CONTEXT
    )

    assert lines(out, "correlation_id", "handler") == [("o1", f"{__name__}.{ship.__qualname__}")]


def test_records_side_by_side_keep_their_ids_apart(logger: Logger, out: StringIO) -> None:
    """Each worker thread has its own keys, while all log through one logger."""
    meeting = Barrier(2, timeout=10)

    @on_sqs("orders", concurrency=2)
    def charge(body: str) -> None:
        logger.info(body)
        meeting.wait()
        logger.info(body)

    app = App(charge, middleware=[powertools(logger=logger)])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)

    logged = sorted(lines(out, "message", "correlation_id"))
    assert logged == [("first", "m1"), ("first", "m1"), ("second", "m2"), ("second", "m2")]


def test_async_handlers_side_by_side_keep_their_ids_apart(logger: Logger, out: StringIO) -> None:
    """Each task has its own keys, while all run in one thread."""
    meeting = asyncio.Barrier(2)

    @on_sqs("orders", concurrency=2)
    async def charge(body: str) -> None:
        logger.info(body)
        async with asyncio.timeout(10):
            await meeting.wait()
        logger.info(body)

    app = App(charge, middleware=[powertools(logger=logger)])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)

    logged = sorted(lines(out, "message", "correlation_id"))
    assert logged == [("first", "m1"), ("first", "m1"), ("second", "m2"), ("second", "m2")]


def test_async_handlers_one_by_one_have_their_records_ids(logger: Logger, out: StringIO) -> None:
    """Also in the invocations after the first, which started the event loop."""

    @on_sqs("orders")
    async def charge(body: str) -> None:
        logger.info(body)

    app = App(charge, middleware=[powertools(logger=logger)])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)
    app(sqs(("m3", "third")), CONTEXT)

    assert lines(out, "message", "correlation_id") == [("first", "m1"), ("second", "m2"), ("third", "m3")]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_records_own_keys_end_with_it(is_async: bool, logger: Logger, out: StringIO) -> None:
    """Those added with thread_safe_append_keys, also when its handler fails."""

    def charge(body: str) -> None:
        logger.info(body)
        logger.thread_safe_append_keys(order=body)
        logger.info(body)
        raise ValueError

    async def charge_async(body: str) -> None:
        charge(body)

    app = App(on_sqs()(charge_async) if is_async else on_sqs()(charge), middleware=[powertools(logger=logger)])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)

    assert lines(out, "message", "order") == [
        ("first", None),
        ("first", "first"),
        ("second", None),
        ("second", "second"),
    ]


@pytest.fixture
def own_lines() -> Iterator[None]:
    """Puts lambdakit's logger back as it was."""
    log = logging.getLogger("lambdakit")
    before = log.handlers, log.propagate, log.level
    yield
    log.handlers, log.propagate, log.level = before


@pytest.mark.usefixtures("own_lines")
def test_failures_are_logged_by_the_same_logger_if_it_is_told_so(logger: Logger, out: StringIO) -> None:
    """With Powertools' own function for the loggers of libraries."""
    copy_config_to_registered_loggers(logger, include={"lambdakit"})

    @on_sqs("orders")
    def charge(body: str) -> None:
        raise OSError

    App(charge, middleware=[powertools(logger=logger)])(sqs(("m1", "")), CONTEXT)

    assert lines(out, "level", "exception_name", "correlation_id") == [("ERROR", "OSError", "m1")]


# Metrics


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Iterator[Metrics]:
    """Metrics without those of another test: Powertools shares them in the process."""
    metrics = Metrics(namespace="Shop", service="orders")
    metrics.clear_metrics()
    yield metrics
    metrics.clear_metrics()


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Each object that was written, without its format's header."""
    objects = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [{name: value for name, value in one.items() if name != "_aws"} for one in objects]


def counting(metrics: Metrics, *, fails: bool = False) -> Callable[[int], None]:
    @on_invoke
    def count(number: int) -> None:
        if number:
            metrics.add_metric("Orders", unit="Count", value=number)
        if fails:
            raise OSError("disk full")

    return count


def test_metrics_are_written_once_an_invocation(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    """And do not pile up."""
    app = App(counting(metrics), middleware=[powertools(metrics=metrics, capture_cold_start_metric=False)])

    app(2, CONTEXT)
    app(3, CONTEXT)

    assert written(capsys) == [{"service": "orders", "Orders": [2.0]}, {"service": "orders", "Orders": [3.0]}]


def test_metrics_of_an_invocation_that_fails_are_written(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    """A cold start that fails is one, too."""
    app = App(counting(metrics, fails=True), middleware=[powertools(metrics=metrics)])

    with pytest.raises(OSError, match="disk full"):
        app(2, CONTEXT)

    assert written(capsys) == [
        {"function_name": "shop", "service": "orders", "ColdStart": [1.0]},
        {"service": "orders", "Orders": [2.0]},
    ]


def test_a_cold_start_is_counted_once(
    metrics: Metrics, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a decorator around the App counts them too."""
    monkeypatch.setattr("aws_lambda_powertools.metrics.provider.cold_start.is_cold_start", True)
    app = metrics.log_metrics(capture_cold_start_metric=True)(App(double, middleware=[powertools(metrics=metrics)]))

    with pytest.warns(UserWarning, match="No application metrics"):  # of the decorator
        app(21, CONTEXT)

    assert [one["ColdStart"] for one in written(capsys)] == [[1.0]]


def test_an_invocation_without_metrics_writes_none(metrics: Metrics, capsys: pytest.CaptureFixture[str]) -> None:
    """And warns of nothing: not every handler of an App measures something."""
    app = App(counting(metrics), middleware=[powertools(metrics=metrics)])
    app(0, CONTEXT)
    capsys.readouterr()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app(0, CONTEXT)

    assert written(capsys) == []


def test_datadogs_metrics_serve_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    """Powertools has two kinds."""
    metrics = DatadogMetrics(namespace="Shop", flush_to_log=True)

    @on_invoke
    def count(number: int) -> None:
        metrics.add_metric("Orders", number)

    App(count, middleware=[powertools(metrics=metrics)])(2, CONTEXT)

    assert [(one["m"], one["v"]) for one in written(capsys)] == [("Shop.Orders", 2), ("Shop.ColdStart", 1)]


# Tracer


class Collector:
    """Takes the place of the sender to X-Ray's daemon."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send_entity(self, entity: Any) -> None:
        self.sent.append(entity)

    def tree(self) -> dict[str, list[str]]:
        """The names of the subsegments by that of what they lie in."""
        names = {entity.id: entity.name for entity in self.sent}
        tree: dict[str, list[str]] = {}
        for entity in self.sent:
            tree.setdefault(names.get(entity.parent_id, "Lambda"), []).append(entity.name)
        return {name: sorted(children) for name, children in tree.items()}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """X-Ray's SDK as it is in Lambda, apart from the daemon."""
    collector, was_enabled = Collector(), global_sdk_config.sdk_enabled()
    monkeypatch.setenv("_X_AMZN_TRACE_ID", TRACE)
    monkeypatch.setattr(xray_recorder, "_emitter", collector)
    monkeypatch.setattr(xray_recorder, "_context", XRayContext())
    monkeypatch.setattr(xray_recorder, "streaming_threshold", 0)
    monkeypatch.setattr(
        Tracer,
        "_config",
        {"service": "", "disabled": False, "auto_patch": True, "provider": None, "patch_modules": None},
    )
    global_sdk_config.set_sdk_enabled(True)
    yield collector
    global_sdk_config.set_sdk_enabled(was_enabled)


@pytest.fixture
def tracer(collector: Collector) -> Tracer:
    return Tracer(service="orders", disabled=False, auto_patch=False)


def test_an_invocation_is_traced_under_the_name_of_lambdas_handler(
    tracer: Tracer, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its response, and whether it was a cold start."""
    monkeypatch.setenv("_HANDLER", "shop.main")
    app = App(double, middleware=[powertools(tracer=tracer)])

    app(21, CONTEXT)
    app(4, CONTEXT)

    assert [(one.name, one.annotations, one.metadata) for one in collector.sent] == [
        ("## main", {"ColdStart": True, "Service": "orders"}, {"orders": {"main response": 42}}),
        ("## main", {"ColdStart": False, "Service": "orders"}, {"orders": {"main response": 8}}),
    ]


def test_each_environment_has_its_cold_start(tracer: Tracer, collector: Collector) -> None:
    """Where several are in one process, as in lambdakit's local Lambda; Powertools has one flag for them all."""
    for _ in range(2):
        App(double, middleware=[powertools(tracer=tracer)])(21, CONTEXT)

    assert [one.annotations["ColdStart"] for one in collector.sent] == [True, True]


def test_what_a_handler_raises_is_traced_and_goes_on(tracer: Tracer, collector: Collector) -> None:
    """As the subsegment's fault."""
    app = App(double, middleware=[powertools(tracer=tracer)])

    with pytest.raises(ValueError, match="-1"):
        app(-1, CONTEXT)

    [segment] = collector.sent
    assert (segment.fault, [one.type for one in segment.cause["exceptions"]]) == (True, ["ValueError"])


@pytest.mark.parametrize("concurrency", [1, 2])
def test_each_record_can_have_a_subsegment(concurrency: int, tracer: Tracer, collector: Collector) -> None:
    """Within the invocation's, in worker threads too."""
    meeting = Barrier(concurrency, timeout=10)

    @on_sqs("orders", concurrency=concurrency)
    def charge(body: str) -> None:
        meeting.wait()

    app = App(charge, middleware=[powertools(tracer=tracer, capture_records=True)])

    app(sqs(("m1", ""), ("m2", "")), CONTEXT)

    name = f"## {__name__}.{charge.__qualname__}".replace("<", "").replace(">", "")
    ids = sorted(one.annotations.get("RecordId", "") for one in collector.sent)
    assert (collector.tree(), ids) == ({"## handler": [name, name], "Lambda": ["## handler"]}, ["", "m1", "m2"])


def test_a_call_for_an_event_without_an_id_has_a_subsegment_without_one(tracer: Tracer, collector: Collector) -> None:
    """It tells which handler it was."""
    App(double, middleware=[powertools(tracer=tracer, capture_records=True)])(21, CONTEXT)

    assert (collector.sent[0].name, collector.sent[0].annotations) == (f"## {__name__}.double", {})


def test_what_worker_threads_trace_lies_within_the_invocation(tracer: Tracer, collector: Collector) -> None:
    """Without a subsegment of the record, too; and with the next invocation's in the next."""

    @on_sqs("orders", concurrency=2)
    def charge(body: str) -> None:
        with tracer.provider.in_subsegment(name=body):
            pass

    app = App(charge, middleware=[powertools(tracer=tracer)])

    app(sqs(("m1", "first"), ("m2", "second")), CONTEXT)
    app(sqs(("m3", "third")), CONTEXT)

    assert collector.tree() == {"## handler": ["first", "second", "third"], "Lambda": ["## handler", "## handler"]}


# Idempotency


class Memory(BasePersistenceLayer):
    """A store in a dict."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.records: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        if idempotency_key not in self.records:
            raise IdempotencyItemNotFoundError
        return self.records[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        known = self.records.get(data_record.idempotency_key)
        if known is not None and not known.is_expired:
            raise IdempotencyItemAlreadyExistsError(old_data_record=known)
        self.records[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.records[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        del self.records[data_record.idempotency_key]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_message_that_is_delivered_again_is_not_handled_again(is_async: bool) -> None:
    """Its id, not its body, tells it from the others."""
    handled: list[str] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        handled.append(order.message_id)

    @on_sqs("orders")
    async def charge_async(order: SqsRecord) -> None:
        handled.append(order.message_id)

    app = App(charge_async if is_async else charge, middleware=[idempotent(Memory())])

    replies = [app(sqs(("m1", "same"), ("m2", "same")), CONTEXT), app(sqs(("m2", "same"), ("m3", "same")), CONTEXT)]

    assert (handled, replies) == (["m1", "m2", "m3"], [{"batchItemFailures": []}] * 2)


def test_a_record_that_failed_is_handled_when_it_comes_again() -> None:
    """What was not done is not remembered."""
    handled: list[str] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        handled.append(order.message_id)
        if len(handled) == 1:
            raise OSError

    app = App(charge, middleware=[idempotent(Memory())])

    replies = [app(sqs(("m1", "")), CONTEXT) for _ in range(3)]

    assert (handled, [len(reply["batchItemFailures"]) for reply in replies]) == (["m1", "m1"], [1, 0, 0])


def test_a_record_that_is_still_being_handled_fails_its_second_delivery() -> None:
    """So that the queue delivers it again, in case the first one comes to nothing."""
    replies: list[Any] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        replies.append(app(sqs((order.message_id, "")), CONTEXT))

    app = App(charge, middleware=[idempotent(Memory())])

    replies.append(app(sqs(("m1", "")), CONTEXT))

    assert replies == [{"batchItemFailures": [{"itemIdentifier": "m1"}]}, {"batchItemFailures": []}]


def test_one_id_under_two_handlers_is_two_records() -> None:
    """The key holds the handler's name."""
    handled: list[str] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        handled.append("charge")

    @on_sqs("refunds")
    def refund(order: SqsRecord) -> None:
        handled.append("refund")

    app = App(charge, refund, middleware=[idempotent(Memory())])

    for queue in ("orders", "refunds", "orders", "refunds"):
        app(sqs(("m1", ""), queue=queue), CONTEXT)

    assert handled == ["charge", "refund"]


def test_handlers_side_by_side_keep_their_keys_apart() -> None:
    """Though Powertools has a store know one function's name at a time."""
    meeting = Barrier(2, timeout=10)
    store = Memory()

    @on_dynamodb("carts", events="INSERT", concurrency=2)
    def open_cart(cart: DynamoDbRecord) -> None:
        meeting.wait()

    @on_dynamodb("carts", events="REMOVE", concurrency=2)
    def drop_cart(cart: DynamoDbRecord) -> None:
        meeting.wait()

    app = App(open_cart, drop_cart, middleware=[idempotent(store)])

    app({"Records": [change("e1", "INSERT"), change("e2", "REMOVE")]}, CONTEXT)

    remembered = sorted((key.partition("#")[0], record.status) for key, record in store.records.items())
    names = [f"{__name__}.{function.__qualname__}" for function in (drop_cart, open_cart)]
    assert remembered == [(f"test-func.{name}", "COMPLETED") for name in names]


def test_direct_invocations_are_handled_each_time() -> None:
    """Equal payloads are not the same request."""
    handled: list[Any] = []

    @on_invoke
    def sweep(event: dict[str, Any]) -> None:
        handled.append(event)

    app = App(sweep, middleware=[idempotent(Memory())])

    for _ in range(2):
        app({"job": "sweep"}, CONTEXT)

    assert handled == [{"job": "sweep"}] * 2


@pytest.mark.parametrize("reply", [{"id": 1}, [], 0, "", None])
def test_a_key_in_the_payload_makes_direct_invocations_idempotent(reply: Any) -> None:
    """The second one gets the reply of the first, an empty one too."""
    handled: list[Any] = []

    @on_invoke
    def pay(event: dict[str, Any]) -> Any:
        handled.append(event)
        return reply

    app = App(pay, middleware=[idempotent(Memory(), IdempotencyConfig(event_key_jmespath="order"))])

    replies = [app({"order": 12, "attempt": attempt}, CONTEXT) for attempt in range(2)]

    assert (len(handled), replies) == (1, [reply, reply])


@pytest.mark.parametrize("reply", [object(), b"\xff", {1, 2}, float("nan")], ids=["object", "bytes", "set", "nan"])
def test_a_record_is_remembered_whatever_its_handler_returns(reply: object) -> None:
    """No one asks for the reply to a message, so it need not be JSON."""
    handled: list[str] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> object:
        handled.append(order.message_id)
        return reply

    app = App(charge, middleware=[idempotent(Memory())])

    replies = [app(sqs(("m1", "")), CONTEXT) for _ in range(2)]

    assert (handled, replies) == (["m1"], [{"batchItemFailures": []}] * 2)


def test_a_record_in_progress_is_given_up_when_its_invocation_has_timed_out() -> None:
    """The store learns the deadline from Lambda's context, in milliseconds of Unix time."""
    store = Memory()
    deadlines: list[int | None] = []

    @on_sqs("orders")
    def charge(order: SqsRecord, context: LambdaContext) -> None:
        deadlines.extend(record.in_progress_expiry_timestamp for record in store.records.values())

    deadline = 4_000_000_000
    App(charge, middleware=[idempotent(store)])(sqs(("m1", "")), LambdaContext(deadline=deadline))

    assert deadlines == [pytest.approx(deadline * 1000, abs=1000)]


def test_a_store_that_others_use_too_serves() -> None:
    """Each use has its own configuration."""
    store = Memory()
    handled: list[str] = []
    configuration = IdempotencyConfig(event_key_jmespath="number")
    configuration.register_lambda_context(CONTEXT)  # type: ignore[arg-type]

    @idempotent_function(data_keyword_argument="order", persistence_store=store, config=configuration)  # type: ignore[untyped-decorator]
    def pay(*, order: dict[str, int]) -> None: ...

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        pay(order={"number": 12})
        handled.append(order.message_id)

    pay(order={"number": 12})
    app = App(charge, middleware=[idempotent(store)])

    for _ in range(2):
        app(sqs(("m1", "")), CONTEXT)

    assert handled == ["m1"]


def test_idempotency_can_be_switched_off_for_development(monkeypatch: pytest.MonkeyPatch) -> None:
    """By Powertools' own variable, which warns."""
    monkeypatch.setenv("POWERTOOLS_IDEMPOTENCY_DISABLED", "true")
    handled: list[str] = []

    @on_sqs("orders")
    def charge(order: SqsRecord) -> None:
        handled.append(order.message_id)

    app = App(charge, middleware=[idempotent(Memory())])

    with pytest.warns(PowertoolsUserWarning, match="Disabling idempotency"):
        app(sqs(("m1", ""), ("m1", "")), CONTEXT)

    assert handled == ["m1", "m1"]


# Powertools' own decorators


def test_powertools_decorators_fit_around_an_app(
    logger: Logger, out: StringIO, tracer: Tracer, collector: Collector, metrics: Metrics
) -> None:
    """A function that had them keeps them."""

    @on_invoke
    def triple(number: int) -> int:
        logger.info("here")
        metrics.add_metric("Numbers", unit="Count", value=1)
        return 3 * number

    app = logger.inject_lambda_context(metrics.log_metrics(tracer.capture_lambda_handler(App(triple, name="numbers"))))

    reply = app(14, CONTEXT)

    traced = [segment.name for segment in collector.sent]
    assert (reply, traced, lines(out, "function_name")) == (42, ["## numbers"], [("shop",)])


class Order(BaseModel):
    total: float


@pytest.mark.parametrize("is_async", [False, True])
def test_a_traced_function_is_a_handler(is_async: bool, tracer: Tracer, collector: Collector) -> None:
    """Beneath lambdakit's decorator Powertools' keeps the annotations."""

    @on_sqs("orders")
    @tracer.capture_method(capture_response=False)
    def charge(order: Order) -> None:
        tracer.put_annotation("total", str(order.total))

    @on_sqs("orders")
    @tracer.capture_method(capture_response=False)
    async def charge_async(order: Order) -> None:
        tracer.put_annotation("total", str(order.total))

    app = App(charge_async if is_async else charge, middleware=[powertools(tracer=tracer)])

    reply = app(sqs(("m1", '{"total": 1.5}'), ("m2", "{}")), CONTEXT)

    assert ([one.annotations.get("total") for one in collector.sent], reply) == (
        ["1.5", None],
        {"batchItemFailures": [{"itemIdentifier": "m2"}]},
    )


def test_an_idempotent_function_is_a_handler() -> None:
    """Its key is asked for by keyword alone, as Powertools wants to be given it."""
    paid: list[float] = []
    configuration = IdempotencyConfig()
    configuration.register_lambda_context(CONTEXT)  # type: ignore[arg-type]

    @on_invoke
    @idempotent_function(data_keyword_argument="order", persistence_store=Memory(), config=configuration)  # type: ignore[untyped-decorator]
    def pay(*, order: Order) -> None:
        paid.append(order.total)

    app = App(pay)

    for _ in range(2):
        app({"total": 1.5}, CONTEXT)

    assert paid == [1.5]


# Imports

PLAIN_FUNCTION = """
import sys
from lambdakit import App, on_invoke

@on_invoke
def double(number: int) -> int:
    return 2 * number

assert App(__name__)(21) == 42
print("aws_lambda_powertools" in sys.modules)
"""


def test_powertools_is_not_loaded_by_who_does_not_use_it() -> None:
    """It costs a cold start more than Pydantic does."""
    root = Path(__file__).parents[1]

    ran = subprocess.run(
        [sys.executable, "-c", PLAIN_FUNCTION],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout == "False\n"
