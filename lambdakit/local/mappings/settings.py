"""The settings of event source mappings, in AWS's names, with AWS's defaults and limits.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.filters import FilterCriteria, FilterSource
from lambdakit.triggers.settings import as_tuple, check_arn, check_choice, check_flag, check_range, check_time

Patterns = Mapping[str, Any] | str | Sequence[Mapping[str, Any] | str]

REPORT_BATCH_ITEM_FAILURES = "ReportBatchItemFailures"
MOST_UNGATHERED = 10
"""Messages of a queue in a batch for which no window is needed."""
LONGEST_TIMEOUT = 840
"""Seconds a function may take that Kafka or a broker invokes: 14 minutes."""


@contextmanager
def refusing() -> Generator[None]:
    """Refuse what a check finds wrong as the API does."""
    try:
        yield
    except ValueError as error:
        raise InvokeError(400, "InvalidParameterValueException", str(error)) from error


@dataclass(frozen=True, kw_only=True)
class MappingSettings:
    """What the mappings of all sources have.

    Attributes:
        batch_size: The most records of a batch.
        maximum_batching_window_in_seconds: How long records are gathered, in seconds.
        filter_criteria: A pattern, or several of which a record has to match one.
        enabled: Whether it polls from the start.

    Raises:
        InvokeError: ``InvalidParameterValueException``: Lambda would not take a setting.
    """

    source: ClassVar[FilterSource]

    batch_size: int = 100
    maximum_batching_window_in_seconds: float = 0
    filter_criteria: Patterns = ()
    enabled: bool = True

    def __post_init__(self) -> None:
        with refusing():
            self._check()

    @cached_property
    def filters(self) -> FilterCriteria:
        """The filters, compiled."""
        given = self.filter_criteria
        return FilterCriteria([given] if isinstance(given, str | Mapping) else given, self.source)

    def _check(self) -> None:
        check_range("batch_size", self.batch_size, 1, 10_000)
        self._check_window()
        check_flag("enabled", self.enabled)
        _ = self.filters

    def _check_window(self) -> None:
        check_range("maximum_batching_window_in_seconds", self.maximum_batching_window_in_seconds, 0, 300, "seconds")


@dataclass(frozen=True, kw_only=True)
class ReportingSettings(MappingSettings):
    """And of those sources whose functions may answer which records failed.

    Attributes:
        function_response_types: ``"ReportBatchItemFailures"``, or nothing.
    """

    function_response_types: str | Sequence[str] = ()

    @cached_property
    def report_batch_item_failures(self) -> bool:
        """Whether the function may list what failed."""
        return REPORT_BATCH_ITEM_FAILURES in as_tuple(self.function_response_types)

    def _check(self) -> None:
        super()._check()
        for response_type in as_tuple(self.function_response_types, "function_response_types"):
            check_choice("function_response_types", response_type, [REPORT_BATCH_ITEM_FAILURES])


@dataclass(frozen=True, kw_only=True)
class ProvisionedPollers:
    """``ProvisionedPollerConfig``: how many pollers a mapping keeps at least and at most."""

    minimum_pollers: int
    maximum_pollers: int = 200


@dataclass(frozen=True, kw_only=True)
class QueueSettings(ReportingSettings):
    """Of an SQS queue's mapping.

    Attributes:
        maximum_concurrency: The most invocations at once, 2 to 1,000; None for no limit of its own.
        provisioned_poller_config: ``minimum_pollers`` (2 to 200) and ``maximum_pollers`` (2 to 10,000): pollers of its
            own, each good for ten invocations at once.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    source: ClassVar[FilterSource] = "sqs"

    batch_size: int = 10
    maximum_concurrency: int | None = None
    provisioned_poller_config: Mapping[str, int] | None = None

    @cached_property
    def pollers(self) -> ProvisionedPollers | None:
        """The pollers of provisioned mode; None without it."""
        given = self.provisioned_poller_config
        return None if given is None else ProvisionedPollers(**{"minimum_pollers": 2, **given})

    def check_source(self, *, fifo: bool, visibility_timeout: float, function_timeout: float) -> None:
        """Refuse what does not go with this queue and this function; times are in seconds.

        Raises:
            InvokeError: ``InvalidParameterValueException``.
        """
        with refusing():
            if visibility_timeout < function_timeout:
                raise ValueError(
                    f"Queue visibility timeout: {visibility_timeout:g} seconds is less than "
                    f"Function timeout: {function_timeout:g} seconds"
                )
            if fifo:
                check_range("batch_size of a FIFO queue", self.batch_size, 1, 10)
            if fifo and self.maximum_batching_window_in_seconds:
                raise ValueError("a FIFO queue takes no maximum_batching_window_in_seconds")

    def _check(self) -> None:
        super()._check()
        check_range("maximum_concurrency", self.maximum_concurrency, 2, 1_000, optional=True)
        if self.batch_size > MOST_UNGATHERED and not self.maximum_batching_window_in_seconds:
            raise ValueError(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        if self.provisioned_poller_config is not None:
            self._check_pollers(self.provisioned_poller_config)

    def _check_pollers(self, given: Mapping[str, int]) -> None:
        for name in given:
            check_choice("provisioned_poller_config", name, ["minimum_pollers", "maximum_pollers"])
        pollers = self.pollers
        assert pollers is not None
        check_range("minimum_pollers", pollers.minimum_pollers, 2, 200)
        check_range("maximum_pollers", pollers.maximum_pollers, pollers.minimum_pollers, 10_000)
        if self.maximum_concurrency is not None:
            raise ValueError("maximum_concurrency and provisioned_poller_config exclude each other")


@dataclass(frozen=True, kw_only=True)
class PositionedSettings(ReportingSettings):
    """Of a source that keeps its records, read from a position and retried in place.

    Attributes:
        starting_position: ``TRIM_HORIZON`` is the oldest record, ``LATEST`` the next one.
        starting_position_timestamp: For ``AT_TIMESTAMP``; with a time zone.
        maximum_retry_attempts: -1 is without end.
        maximum_record_age_in_seconds: -1 is without end, else 60 to 604,800.
        bisect_batch_on_function_error: Whether a failed batch is halved.
        on_failure: Where the record of a batch goes that was given up: a name or an ARN.
    """

    starting_positions: ClassVar[tuple[str, ...]] = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")

    starting_position: str = "TRIM_HORIZON"
    starting_position_timestamp: datetime | None = None
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: int = -1
    bisect_batch_on_function_error: bool = False
    on_failure: str | None = None

    def _check(self) -> None:
        super()._check()
        check_choice("starting_position", self.starting_position, self.starting_positions)
        check_time("starting_position_timestamp", self.starting_position_timestamp)
        if (self.starting_position == "AT_TIMESTAMP") != (self.starting_position_timestamp is not None):
            raise ValueError("starting_position='AT_TIMESTAMP' and starting_position_timestamp go together")
        check_range("maximum_retry_attempts", self.maximum_retry_attempts, -1, 10_000)
        if self.maximum_record_age_in_seconds != -1:
            age = self.maximum_record_age_in_seconds
            check_range("maximum_record_age_in_seconds", age, 60, 604_800, "seconds, or -1")
        check_flag("bisect_batch_on_function_error", self.bisect_batch_on_function_error)
        check_arn("on_failure", self.on_failure)


@dataclass(frozen=True, kw_only=True)
class StreamSettings(PositionedSettings):
    """Of the mapping of a stream: of Kinesis, or with ``DynamoDbSettings`` of a table.

    Attributes:
        parallelization_factor: How many batches of a shard at once: 1 to 10.
        tumbling_window_in_seconds: 0 to 900.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """

    source: ClassVar[FilterSource] = "kinesis"

    parallelization_factor: int = 1
    tumbling_window_in_seconds: int = 0

    def _check(self) -> None:
        super()._check()
        check_range("parallelization_factor", self.parallelization_factor, 1, 10)
        check_range("tumbling_window_in_seconds", self.tumbling_window_in_seconds, 0, 900, "seconds")
        if self.tumbling_window_in_seconds and self.parallelization_factor > 1:
            raise ValueError("a tumbling window takes no parallelization_factor above 1")


@dataclass(frozen=True, kw_only=True)
class DynamoDbSettings(StreamSettings):
    """Of the mapping of a table's stream.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
    """

    source: ClassVar[FilterSource] = "dynamodb"
    starting_positions = ("TRIM_HORIZON", "LATEST")


def _check_unhurried(window: float) -> None:
    """A window in whole seconds, or the half that only the default has."""
    if window != 0.5:
        check_range("maximum_batching_window_in_seconds", window, 0, 300, "seconds")


@dataclass(frozen=True, kw_only=True)
class KafkaSettings(PositionedSettings):
    """Of the mapping of a topic of Kafka.

    Attributes:
        consumer_group_id: The consumer group; by default one of the mapping's own.
        provisioned_poller_config: ``minimum_pollers`` (1 to 200) and ``maximum_pollers`` (1 to 2,000).

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-msk-parameters.html
    """

    source: ClassVar[FilterSource] = "kafka"

    maximum_batching_window_in_seconds: float = 0.5
    consumer_group_id: str | None = None
    provisioned_poller_config: Mapping[str, int] | None = None

    def _check_window(self) -> None:
        _check_unhurried(self.maximum_batching_window_in_seconds)


@dataclass(frozen=True, kw_only=True)
class BrokerSettings(MappingSettings):
    """Of the mapping of a queue of Amazon MQ.

    Attributes:
        queue: The queue of the broker.
        virtual_host: The virtual host it is in; RabbitMQ only.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/services-mq-params.html
    """

    source: ClassVar[FilterSource] = "mq"

    queue: str = ""
    virtual_host: str = "/"
    maximum_batching_window_in_seconds: float = 0.5

    def _check(self) -> None:
        super()._check()
        if not self.queue:
            raise ValueError("a mapping of a broker needs the name of a queue: queue='orders'")

    def _check_window(self) -> None:
        _check_unhurried(self.maximum_batching_window_in_seconds)


S = TypeVar("S", bound=MappingSettings)


def read_settings(kind: type[S], given: Mapping[str, Any]) -> S:
    """Settings as a user writes them.

    Raises:
        InvokeError: ``InvalidParameterValueException``: one is unknown, missing, or Lambda would not take it.
    """
    known = [field.name for field in fields(kind)]
    with refusing():
        for name in given:
            check_choice(f"a setting of a mapping of {kind.source}", name, known)
    return kind(**given)


def check_timeout(function_timeout: float) -> None:
    """Refuse a function that takes longer than Kafka's and a broker's pollers wait.

    Raises:
        InvokeError: ``InvalidParameterValueException``.
    """
    if function_timeout > LONGEST_TIMEOUT:
        message = f"Function timeout: {function_timeout:g} seconds is more than {LONGEST_TIMEOUT} seconds"
        raise InvokeError(400, "InvalidParameterValueException", message)
