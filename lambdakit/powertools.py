"""Powertools for AWS Lambda around an App: its Logger, Tracer and Metrics, and its Idempotency record by record.

Powertools does the work. What is added here is what a decorator around Lambda's handler can't know: which record of a
batch is being handled, by which handler, and the id that its source gave it.

Source: https://docs.powertools.aws.dev/lambda/python/latest/
"""

from __future__ import annotations

import os
from copy import copy
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.exceptions import InvalidEnvelopeExpressionError
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.logging import logger as logger_module
from aws_lambda_powertools.metrics.provider import cold_start as metrics_module
from aws_lambda_powertools.shared.functions import resolve_truthy_env_var_choice
from aws_lambda_powertools.tracing import tracer as tracer_module
from aws_lambda_powertools.utilities.jmespath_utils import query

from lambdakit.middleware import CallNext, Invocation, RecordInvocation, context_of
from lambdakit.triggers.trigger import Trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools import Logger, Metrics, Tracer
    from aws_lambda_powertools.metrics.provider.datadog import DatadogMetrics
    from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, IdempotencyConfig

    from lambdakit.middleware import Middleware

_REQUEST_ID = " || ".join(
    (
        correlation_paths.API_GATEWAY_REST,  # and HTTP and WebSocket APIs, function URLs, authorizers, destinations
        f"{correlation_paths.APPLICATION_LOAD_BALANCER}[0]",  # VPC Lattice sends lists
        correlation_paths.APPLICATION_LOAD_BALANCER,
        'multiValueHeaders."x-amzn-trace-id"[0]',
        correlation_paths.APPSYNC_RESOLVER,
        f"[0].{correlation_paths.APPSYNC_RESOLVER}",  # a batch of resolvers
        correlation_paths.S3_OBJECT_LAMBDA,
    )
)
"""Where the sources write the id of a request, as a JMESPath: the first place where there is one."""

_CALLERS_OWN = ("direct", "stepfunctions")
"""Sources whose events the caller makes up: a field means nothing there."""

_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, IndexError)


def powertools(
    logger: Logger | None = None,
    tracer: Tracer | None = None,
    metrics: Metrics | DatadogMetrics | None = None,
    *,
    correlation_id_path: str | None = None,
    clear_state: bool = True,
    log_event: bool | None = None,
    flush_buffer_on_uncaught_error: bool = False,
    capture_response: bool | None = None,
    capture_error: bool | None = None,
    capture_records: bool = False,
    capture_cold_start_metric: bool = True,
) -> tuple[Middleware, ...]:
    """Middleware that does for an App what Powertools' decorators do for a handler, and for each record its part.

    Around an invocation: each line of the logger has Lambda's context, ``cold_start`` and a ``correlation_id``; the
    tracer has a subsegment named after Lambda's handler, with the response or the exception; the metrics are written in
    the end, after a failure too, and where there are none nothing is.

    Around each call for one record: each line of any Powertools logger has the ``correlation_id`` of the record and the
    name of its ``handler``, also where records are handled side by side. Afterwards the keys are what they were before.

    The correlation id of an invocation is that of the request (``requestId`` of API Gateway and function URLs,
    ``x-amzn-trace-id`` of ALB, VPC Lattice and AppSync), the event (EventBridge), or its only record; else the
    ``aws_request_id``. That of a record is its message id, event id, or object and version.

    Good to know:

    - The keys of ``logger.append_keys`` stay until the invocation ends; a record's own are for
      ``logger.thread_safe_append_keys``. ``logger.get_correlation_id()`` tells the invocation's.
    - lambdakit's own lines, which name the records that failed, come from the same logger after
      ``copy_config_to_registered_loggers(logger, include={"lambdakit"})`` of ``aws_lambda_powertools.logging.utils``.
    - The subsegments that worker threads open lie within the invocation's. Those of async handlers that run side by
      side get mixed up: X-Ray's SDK keeps what is open by thread, and they share one.

    Args:
        logger: As in ``@logger.inject_lambda_context``.
        tracer: As in ``@tracer.capture_lambda_handler``.
        metrics: As in ``@metrics.log_metrics``.
        correlation_id_path: A JMESPath in the event, and in each record; what it finds comes before the ids above.
        clear_state: Whether an invocation starts without the keys that were appended before it.
        log_event: Whether to log the event; by default as ``POWERTOOLS_LOGGER_LOG_EVENT`` says.
        flush_buffer_on_uncaught_error: Whether to write what the logger buffered when an exception leaves the App.
        capture_response: Whether to trace responses; by default as ``POWERTOOLS_TRACER_CAPTURE_RESPONSE`` says.
        capture_error: Whether to trace exceptions; by default as ``POWERTOOLS_TRACER_CAPTURE_ERROR`` says.
        capture_records: Whether each call for one record has a subsegment, with its handler's name and ``RecordId``.
        capture_cold_start_metric: Whether the first invocation of an environment writes the metric ``ColdStart``.

    Raises:
        ValueError: ``correlation_id_path`` is no JMESPath.

    Sources: https://docs.powertools.aws.dev/lambda/python/latest/core/logger/ and tracer/ and metrics/ beside it

    >>> from aws_lambda_powertools import Logger
    >>> from lambdakit import App, on_invoke
    >>> from lambdakit.powertools import powertools
    >>> logger = Logger(service="shop")
    >>> @on_invoke
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> App(double, middleware=[powertools(logger=logger)])(21)
    42
    """
    if correlation_id_path:
        _check_path(correlation_id_path)
    middleware: list[Middleware] = []
    if logger is not None:
        middleware += _logging(logger, correlation_id_path, clear_state, log_event, flush_buffer_on_uncaught_error)
    if tracer is not None:
        middleware += _tracing(tracer, capture_response, capture_error, capture_records)
    if metrics is not None:
        middleware.append(_measuring(metrics, capture_cold_start_metric))
    return tuple(middleware)


def idempotent(persistence_store: BasePersistenceLayer, config: IdempotencyConfig | None = None) -> Middleware:
    """Middleware that handles each record once, however often it is delivered: Powertools' Idempotency by record.

    The key of a record is the id that its source gave it, together with the function and the handler: what is delivered
    again is not handled again, its earlier reply is the reply. A record that fails is not remembered. One that is being
    handled already fails with Powertools' ``IdempotencyAlreadyInProgressError``, so that it comes again.

    What has no such id, as a direct invocation, is handled each time: an equal payload need not be the same request, a
    schedule with its own input sends one again and again. Name the key in ``config`` to have it otherwise. Handlers
    that take several records in one call are not covered.

    Args:
        persistence_store: Where Powertools remembers, as a ``DynamoDBPersistenceLayer``.
        config: Powertools' settings. With ``event_key_jmespath`` the key is what that finds in the raw record, or in
            the event where it holds no records, for all handlers of the App. The context is registered with it.

    Source: https://docs.powertools.aws.dev/lambda/python/latest/utilities/idempotency/
    """
    from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
    from aws_lambda_powertools.utilities.idempotency.serialization.custom_dict import CustomDictSerializer

    settings = config or IdempotencyConfig()
    replies = CustomDictSerializer(to_dict=_stored, from_dict=lambda stored: stored["reply"])

    @cache
    def once(handler: str) -> Callable[..., Any]:
        # A store knows the name of one function at a time, and handlers may run side by side.
        store = copy(persistence_store)
        store.configured = False
        decorated: Callable[..., Any] = idempotent_function(
            _calling(handler),
            data_keyword_argument="key",
            persistence_store=store,
            config=settings,
            output_serializer=replies,
        )
        return decorated

    def around_record(record: RecordInvocation, call_next: CallNext) -> Any:
        key = record.record if settings.event_key_jmespath else record.record_id
        if not key:
            return call_next()
        settings.register_lambda_context(context_of(record.invocation))
        return once(record.handler)(key=key, call=call_next)

    return around_record


def _stored(reply: Any) -> dict[str, Any]:
    """A reply as a store can keep it, whatever it is: a record that was handled must be remembered."""
    from pydantic_core import to_jsonable_python

    return {"reply": to_jsonable_python(reply, bytes_mode="base64", inf_nan_mode="constants", serialize_unknown=True)}


def _logging(
    logger: Logger,
    correlation_id_path: str | None,
    clear_state: bool,
    log_event: bool | None,
    flush_buffer_on_uncaught_error: bool,
) -> list[Middleware]:
    is_first = _FirstInvocation()
    logs_event = resolve_truthy_env_var_choice(os.environ.get("POWERTOOLS_LOGGER_LOG_EVENT", "false"), log_event)
    injected = logger.inject_lambda_context(
        _calling("handler"),
        log_event=False,  # it is logged below, with its correlation id
        clear_state=clear_state,
        flush_buffer_on_uncaught_error=flush_buffer_on_uncaught_error,
    )

    def around_invocation(invocation: Invocation, call_next: CallNext) -> Any:
        def call() -> Any:
            logger.set_correlation_id(_id_of_invocation(invocation, correlation_id_path))
            if logs_event:
                logger.info(invocation.event)
            return call_next()

        logger_module.is_cold_start = is_first()
        return injected(invocation.event, context_of(invocation), call=call)

    def around_record(record: RecordInvocation, call_next: CallNext) -> Any:
        before = dict(logger.thread_safe_get_current_keys())
        logger.thread_safe_append_keys(handler=record.handler, **_id_of_record(record, correlation_id_path))
        try:
            return call_next()
        finally:
            logger.thread_safe_clear_keys()
            logger.thread_safe_append_keys(**before)

    return [around_invocation, around_record]


def _tracing(
    tracer: Tracer, capture_response: bool | None, capture_error: bool | None, capture_records: bool
) -> list[Middleware]:
    is_first = _FirstInvocation()
    name = os.environ.get("_HANDLER", "").rpartition(".")[2] or "handler"
    captured = tracer.capture_lambda_handler(_calling(name), capture_response, capture_error)
    open_segments: dict[Invocation, tuple[int, Any]] = {}

    @cache
    def captured_record(handler: str) -> Callable[..., Any]:
        return tracer.capture_method(capture_response=capture_response, capture_error=capture_error)(_calling(handler))

    def around_invocation(invocation: Invocation, call_next: CallNext) -> Any:
        is_cold = is_first()

        def call() -> Any:
            open_segments[invocation] = get_ident(), _open_segment(tracer)
            try:
                return call_next()
            finally:
                del open_segments[invocation]
                tracer_module.is_cold_start = is_cold

        return captured(invocation.event, context_of(invocation), call=call)

    def around_record(record: RecordInvocation, call_next: CallNext) -> Any:
        def call() -> Any:
            if record.record_id:
                tracer.put_annotation("RecordId", record.record_id)
            return call_next()

        _hand_over(tracer, *open_segments[record.invocation])
        return captured_record(record.handler)(call=call) if capture_records else call_next()

    return [around_invocation, around_record]


def _open_segment(tracer: Tracer) -> Any:
    """What is open in this thread; None with a provider other than X-Ray's SDK."""
    return getattr(tracer.provider, "get_trace_entity", lambda: None)()


def _hand_over(tracer: Tracer, thread: int, segment: Any) -> None:
    """Let what is opened in this thread lie within what is open in another, as X-Ray's SDK wants it said."""
    if thread != get_ident() and segment is not None:
        provider: Any = tracer.provider
        provider.set_trace_entity(segment)


def _measuring(metrics: Metrics | DatadogMetrics, capture_cold_start_metric: bool) -> Middleware:
    is_first = _FirstInvocation()

    def around_invocation(invocation: Invocation, call_next: CallNext) -> Any:
        is_cold = is_first()
        try:
            return call_next()
        finally:
            if is_cold and capture_cold_start_metric:
                metrics.provider.add_cold_start_metric(context=context_of(invocation))
                metrics_module.is_cold_start = False
            if metrics.provider.metric_set:  # to flush none is a warning
                metrics.flush_metrics()

    return around_invocation


class _FirstInvocation:
    """Tells the first invocation of an execution environment from the others: a cold start, unless it was provisioned.

    Powertools has a flag of the process for each tool, which the first to ask takes down. That may have been another
    decorator, or another environment in the same process, as in lambdakit's local Lambda.
    """

    def __init__(self) -> None:
        self._is_first = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "provisioned-concurrency"

    def __call__(self) -> bool:
        is_first, self._is_first = self._is_first, False
        return is_first


def _calling(name: str) -> Callable[..., Any]:
    """A function that only goes on, of a given name, ``module.function``: Powertools goes by the names of functions."""

    def handle(*_: object, call: CallNext, **__: object) -> Any:
        return call()

    handle.__module__, _, handle.__name__ = name.rpartition(".")
    handle.__qualname__ = handle.__name__
    return handle


def _id_of_invocation(invocation: Invocation, path: str | None) -> Any:
    found = _found(invocation.event, path) if path else None
    if not found and invocation.source not in _CALLERS_OWN:
        found = _found(invocation.event, _REQUEST_ID) or _only_record_id(invocation)
    return found or context_of(invocation).aws_request_id


def _id_of_record(record: RecordInvocation, path: str | None) -> dict[str, Any]:
    """The correlation id as a key; none where the record has no id: there the invocation's serves."""
    found = (_found(record.record, path) if path else None) or record.record_id
    return {"correlation_id": found} if found else {}


def _found(data: Any, path: str) -> Any:
    """What a JMESPath finds; None where its functions can't read the data: it was written for other data then."""
    try:
        return query(data, path)
    except (ValueError, OSError, InvalidEnvelopeExpressionError):
        return None


def _check_path(path: str) -> None:
    from jmespath import compile as parse  # type: ignore[import-untyped]

    parse(path)


def _only_record_id(invocation: Invocation) -> str:
    """The id of an event's only record, as the triggers of its source tell it; "" where there are several or none."""
    kinds: list[type[Trigger]] = [Trigger]
    for kind in kinds:
        kinds += kind.__subclasses__()
        labels = vars(kind).get("labels")
        if isinstance(labels, frozenset) and invocation.source in labels:
            try:
                [record] = kind.records(invocation.event)
                return kind.record_id(record)
            except _UNREADABLE:  # the handler's error will say so
                return ""
    return ""
