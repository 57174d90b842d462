"""Which records a mapping hands to its function."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.filters import FilterCriteria, FilterSource
from lambdakit.testing.events import activemq, dynamodb, kafka_msk, kinesis, rabbitmq, sqs

SOURCES: tuple[FilterSource, ...] = ("sqs", "kinesis", "kafka", "mq")
KEYS: dict[FilterSource, str] = {"sqs": "body", "kinesis": "data", "kafka": "value", "mq": "data"}
METADATA: dict[FilterSource, str] = {
    "sqs": "eventSource",
    "kinesis": "partitionKey",
    "kafka": "topic",
    "mq": "messageType",
}


def record(source: FilterSource, data: str) -> dict[str, Any]:
    """A record with that data, whose metadata key holds ``here``."""
    if source == "sqs":
        return {**sqs("orders", data)["Records"][0], "eventSource": "here"}
    if source == "kinesis":
        return {**kinesis("orders", data, partition_key="here")["Records"][0]}
    if source == "kafka":
        return {**kafka_msk("here", data)["records"]["here-0"][0]}
    return {**activemq("orders", data)["messages"][0], "messageType": "here"}


JSON_DATA, TEXT = '{"kind":"order"}', "order"
LENIENT = ("kafka", "mq")


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("about", "data", "passes", "passes_leniently"),
    [
        ({"kind": ["order"]}, JSON_DATA, True, True),
        ({"kind": ["refund"]}, JSON_DATA, False, False),
        ({"kind": ["order"]}, TEXT, False, True),
        ({"other": [{"exists": False}]}, TEXT, False, True),
        (["order"], TEXT, True, True),
        (["refund"], TEXT, False, False),
        (["order"], JSON_DATA, False, True),
        (["order"], '"order"', False, False),
        (["5"], "5", True, True),
    ],
    ids=[
        "JSON that matches",
        "JSON that does not",
        "text for a pattern of JSON",
        "text that lacks a field",
        "text that matches",
        "text that does not",
        "JSON for a pattern of text",
        "text in quotes",
        "a number",
    ],
)
def test_data_and_pattern_are_of_one_kind_or_the_data_is_left_out_of_it(
    source: FilterSource, about: object, data: str, passes: bool, passes_leniently: bool
) -> None:
    """SQS and Kinesis drop the record, Kafka and MQ look at its metadata only; Kinesis refuses a pattern of text."""
    if source == "kinesis" and isinstance(about, list):
        with pytest.raises(InvokeError, match="Invalid filter pattern definition"):
            FilterCriteria([{"data": about}], source)
        return
    criteria = FilterCriteria([{KEYS[source]: about}], source)

    assert criteria.passes(record(source, data)) is (passes_leniently if source in LENIENT else passes)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("data", [JSON_DATA, TEXT])
@pytest.mark.parametrize(("wanted", "passes"), [("here", True), ("elsewhere", False)])
def test_a_pattern_may_look_at_the_metadata_only(source: FilterSource, data: str, wanted: str, passes: bool) -> None:
    """Whatever the data is."""
    assert FilterCriteria([{METADATA[source]: [wanted]}], source).passes(record(source, data)) is passes


@pytest.mark.parametrize("source", LENIENT)
@pytest.mark.parametrize(("wanted", "passes"), [("here", True), ("elsewhere", False)])
def test_of_a_pattern_for_other_data_the_metadata_remains(source: FilterSource, wanted: str, passes: bool) -> None:
    """In Kafka and MQ; dotted keys are keys too."""
    criteria = FilterCriteria([{METADATA[source]: [wanted], f"{KEYS[source]}.kind": ["order"]}], source)

    assert criteria.passes(record(source, TEXT)) is passes


def test_bytes_that_are_no_text_pass_a_pattern_of_kafka_by_their_metadata() -> None:
    """Neither as JSON nor as text."""
    raw = {**record("kafka", ""), "value": b64encode(b"\xff\xfe").decode()}

    assert [FilterCriteria([{"value": about}], "kafka").passes(raw) for about in ({"kind": ["a"]}, ["a"])] == [
        True,
        False,
    ]


def test_the_key_of_a_kafka_record_is_data_too() -> None:
    """Each of the two is of its own kind."""
    about = {"key": ["customer-1"], "value": {"kind": ["order"]}}

    assert [FilterCriteria([about], "kafka").passes(record("kafka", data)) for data in (JSON_DATA, '{"kind":"x"}')] == [
        True,
        False,
    ]


def test_a_change_of_dynamodb_is_matched_as_the_event_has_it() -> None:
    """With its types."""
    change = dynamodb("orders", {"new": {"id": "1", "kind": "order"}})["Records"][0]
    patterns = [{"dynamodb": {"NewImage": {"kind": {"S": [kind]}}}} for kind in ("order", "refund")]

    assert [FilterCriteria([pattern], "dynamodb").passes(change) for pattern in patterns] == [True, False]


def test_a_message_of_rabbitmq_is_matched_by_its_data() -> None:
    """As one of ActiveMQ."""
    message = rabbitmq("orders", {"kind": "order"})["rmqMessagesByQueue"]["orders::/"][0]

    assert FilterCriteria([{"data": {"kind": ["order"]}}], "mq").passes(message)


def test_one_pattern_of_several_is_enough() -> None:
    """They are OR-ed."""
    criteria = FilterCriteria([{"body": {"kind": ["a"]}}, '{"body": {"kind": ["b"]}}'], "sqs")

    assert [criteria.passes({"body": f'{{"kind": "{kind}"}}'}) for kind in "abc"] == [True, True, False]


def test_without_patterns_everything_passes() -> None:
    """A mapping needs no filters."""
    assert FilterCriteria([], "sqs").passes({"body": "anything"})


@pytest.mark.parametrize(
    ("source", "patterns"),
    [
        ("sqs", ["no JSON"]),
        ("sqs", [{"body": "order"}]),
        ("sqs", [{"body": [{"wildcard": "a*"}]}]),
        ("sqs", [{"body": ["a"]}] * 11),
        ("kinesis", [{"data": ["a"]}]),
        ("dynamodb", [{"dynamodb": ["a"]}]),
    ],
)
def test_a_pattern_that_lambda_does_not_take_is_refused_in_its_words(
    source: FilterSource, patterns: list[dict[str, object] | str]
) -> None:
    """400 InvalidParameterValueException; a note says what is wrong."""
    with pytest.raises(InvokeError) as caught:
        FilterCriteria(patterns, source)

    assert (caught.value.args, len(caught.value.__notes__)) == (
        (400, "InvalidParameterValueException", "Invalid filter pattern definition."),
        1,
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["kind", "x"]), inner),
)


@given(JSON, st.sampled_from(SOURCES))
def test_no_data_is_too_strange_to_be_matched(data: object, source: FilterSource) -> None:
    """Data passes a pattern and fails its opposite, or is of the wrong kind for both."""
    seen = record(source, json.dumps(data))
    of_kind = isinstance(data, dict | list)

    passed = [
        FilterCriteria([{KEYS[source]: {"kind": [{"exists": there}]}}], source).passes(seen) for there in (True, False)
    ]

    assert any(passed) == (of_kind or source in LENIENT)
