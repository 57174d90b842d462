"""The settings of event source mappings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.settings import (
    BrokerSettings,
    DynamoDbSettings,
    KafkaSettings,
    MappingSettings,
    QueueSettings,
    StreamSettings,
    check_timeout,
    read_settings,
)

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("settings", "batch_size", "window"),
    [
        (QueueSettings(), 10, 0),
        (StreamSettings(), 100, 0),
        (DynamoDbSettings(), 100, 0),
        (KafkaSettings(), 100, 0.5),
        (BrokerSettings(queue="orders"), 100, 0.5),
    ],
    ids=["queue", "stream", "table", "Kafka", "broker"],
)
def test_batches_are_by_default_as_large_and_as_long_gathered_as_in_aws(
    settings: MappingSettings, batch_size: int, window: float
) -> None:
    """Ten messages or a hundred records; at once, or for half a second."""
    assert (settings.batch_size, settings.maximum_batching_window_in_seconds) == (batch_size, window)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (QueueSettings, {"batch_size": 0}, "batch_size is 1 to 10,000, not 0"),
        (QueueSettings, {"batch_size": True}, "batch_size is 1 to 10,000, not True"),
        (
            QueueSettings,
            {"batch_size": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        (QueueSettings, {"maximum_concurrency": 1}, "maximum_concurrency is 2 to 1,000, not 1"),
        (
            QueueSettings,
            {"maximum_batching_window_in_seconds": 301},
            "maximum_batching_window_in_seconds is 0 to 300 seconds, not 301",
        ),
        (
            QueueSettings,
            {"maximum_batching_window_in_seconds": 0.5},
            "maximum_batching_window_in_seconds is 0 to 300 seconds, not 0.5",
        ),
        (
            QueueSettings,
            {"function_response_types": "ReportBatchItemFailure"},
            "function_response_types is one of 'ReportBatchItemFailures', not 'ReportBatchItemFailure'; "
            "did you mean 'ReportBatchItemFailures'?",
        ),
        (QueueSettings, {"filter_criteria": {"body": "a"}}, "Invalid filter pattern definition."),
        (QueueSettings, {"provisioned_poller_config": {"minimum_pollers": 1}}, "minimum_pollers is 2 to 200, not 1"),
        (
            QueueSettings,
            {"provisioned_poller_config": {"minimum_pollers": 5, "maximum_pollers": 4}},
            "maximum_pollers is 5 to 10,000, not 4",
        ),
        (
            QueueSettings,
            {"provisioned_poller_config": {}, "maximum_concurrency": 2},
            "maximum_concurrency and provisioned_poller_config exclude each other",
        ),
        (QueueSettings, {"enabled": 1}, "enabled is True or False, not 1"),
        (
            QueueSettings,
            {"batchsize": 5},
            "a setting of a mapping of sqs is one of 'batch_size', 'maximum_batching_window_in_seconds', "
            "'filter_criteria', 'enabled', 'function_response_types', 'maximum_concurrency', "
            "'provisioned_poller_config', not 'batchsize'; did you mean 'batch_size'?",
        ),
        (StreamSettings, {"parallelization_factor": 11}, "parallelization_factor is 1 to 10, not 11"),
        (
            StreamSettings,
            {"tumbling_window_in_seconds": 901},
            "tumbling_window_in_seconds is 0 to 900 seconds, not 901",
        ),
        (
            StreamSettings,
            {"tumbling_window_in_seconds": 9, "parallelization_factor": 2},
            "a tumbling window takes no parallelization_factor above 1",
        ),
        (StreamSettings, {"maximum_retry_attempts": -2}, "maximum_retry_attempts is -1 to 10,000, not -2"),
        (
            StreamSettings,
            {"maximum_record_age_in_seconds": 59},
            "maximum_record_age_in_seconds is 60 to 604,800 seconds, or -1, not 59",
        ),
        (
            StreamSettings,
            {"starting_position": "AT_TIMESTAMP"},
            "starting_position='AT_TIMESTAMP' and starting_position_timestamp go together",
        ),
        (
            DynamoDbSettings,
            {"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": WHEN},
            "starting_position is one of 'TRIM_HORIZON', 'LATEST', not 'AT_TIMESTAMP'",
        ),
        (KafkaSettings, {"maximum_batching_window_in_seconds": 0.7}, "maximum_batching_window_in_seconds is 0 to 300"),
        (BrokerSettings, {}, "a mapping of a broker needs the name of a queue: queue='orders'"),
    ],
    ids=str,
)
def test_a_setting_that_lambda_does_not_take_is_refused(
    kind: type[MappingSettings], settings: dict[str, Any], message: str
) -> None:
    """400 InvalidParameterValueException, which says what would be right."""
    with pytest.raises(InvokeError) as caught:
        read_settings(kind, settings)

    refused = caught.value
    assert (refused.status, refused.type, refused.message[: len(message)]) == (
        400,
        "InvalidParameterValueException",
        message,
    )


@pytest.mark.parametrize(
    ("settings", "fifo", "visibility_timeout", "message"),
    [
        ({}, False, 5, "Queue visibility timeout: 5 seconds is less than Function timeout: 30 seconds"),
        (
            {"batch_size": 11, "maximum_batching_window_in_seconds": 1},
            True,
            30,
            "batch_size of a FIFO queue is 1 to 10, not 11",
        ),
        (
            {"maximum_batching_window_in_seconds": 1},
            True,
            30,
            "a FIFO queue takes no maximum_batching_window_in_seconds",
        ),
    ],
)
def test_a_setting_that_does_not_go_with_the_queue_is_refused(
    settings: dict[str, Any], fifo: bool, visibility_timeout: float, message: str
) -> None:
    """In AWS's words where they are known."""
    with pytest.raises(InvokeError) as caught:
        QueueSettings(**settings).check_source(fifo=fifo, visibility_timeout=visibility_timeout, function_timeout=30)

    assert caught.value.message == message


def test_a_function_of_a_broker_takes_14_minutes_at_most() -> None:
    """To the second."""
    check_timeout(840)
    with pytest.raises(InvokeError, match="841 seconds is more than 840 seconds"):
        check_timeout(841)


def test_settings_that_lambda_takes_are_kept() -> None:
    """As they were given."""
    settings = read_settings(
        StreamSettings,
        {"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": WHEN, "maximum_record_age_in_seconds": 60},
    )

    assert (settings.starting_position_timestamp, settings.maximum_record_age_in_seconds) == (WHEN, 60)


@pytest.mark.parametrize(
    ("given", "report"), [((), False), ("ReportBatchItemFailures", True), (["ReportBatchItemFailures"], True)]
)
def test_a_function_may_report_failures_if_the_mapping_says_so(given: Any, report: bool) -> None:
    """One text, or a list of it as in AWS's API."""
    assert QueueSettings(function_response_types=given).report_batch_item_failures is report


def test_provisioned_pollers_have_aws_defaults() -> None:
    """At least 2, at most 200."""
    pollers = QueueSettings(provisioned_poller_config={}).pollers

    assert pollers is not None
    assert (pollers.minimum_pollers, pollers.maximum_pollers) == (2, 200)
