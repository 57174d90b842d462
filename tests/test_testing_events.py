"""The builders of events: true to AWS's forms, deterministic, and fitting the handlers they are made for.

Run as a program, this file writes the golden events anew: ``python tests/test_testing_events.py``.
"""

from __future__ import annotations

import gzip
import hashlib
import inspect
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints
from urllib.parse import unquote_plus
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from lambdakit import (
    App,
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
    SqsEvent,
    SqsRecord,
)
from lambdakit.events.attributes import python_value
from lambdakit.identify import LABELS, identify
from lambdakit.patterns import EventPattern, FilterPattern
from lambdakit.testing import events
from lambdakit.testing.events.attribute_values import typed_value
from lambdakit.testing.events.pattern_examples import example_of_pattern
from lambdakit.testing.events.payload_examples import example_of
from lambdakit.triggers.s3 import EVENT_NAMES
from lambdakit.triggers.trigger import TRIGGERS, Trigger

Json = Any

GOLDEN = Path(__file__).parent / "golden"
CAPTURED = Path(__file__).parents[2] / "shared" / "events"


class Line(BaseModel):
    sku: str
    count: Annotated[int, Field(gt=0)]


class Order(BaseModel):
    id: str
    total: Decimal
    lines: list[Line]
    note: str | None = None


@dataclass
class Alert:
    severity: str


ORDER = Order(id="7", total=Decimal("9.99"), lines=[Line(sku="cup", count=2)])


# What every builder keeps to.


@pytest.mark.parametrize("label", sorted(LABELS))
def test_every_source_has_a_builder_whose_event_is_identified_as_that_source(label: str) -> None:
    """There is a sample for each label of identify."""
    assert identify(events.builder(label)()) == label


@pytest.mark.parametrize("name", events.NAMES)
def test_an_event_is_what_comes_out_of_json(name: str) -> None:
    """No tuples, dates or keys that are no text: a round trip through JSON changes nothing."""
    event = events.builder(name)()
    assert json.loads(json.dumps(event, allow_nan=False)) == event


@pytest.mark.parametrize("name", events.NAMES)
def test_an_event_keeps_its_own_parts(name: str) -> None:
    """A test may change an event: the next one is as if it had not."""
    build = events.builder(name)
    before = json.dumps(build())
    _spoil(build())
    assert json.dumps(build()) == before


def _spoil(value: Json) -> None:
    for member in list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        _spoil(member)
    if isinstance(value, dict | list):
        value.clear()


# Arguments of the golden events, where the defaults do not show much.
_ARGUMENTS: dict[str, tuple[Sequence[Any], dict[str, Any]]] = {
    "s3": (("uploads", "2026/Über uns & more (1).csv", "b+c.csv"), {"size": 2048, "version_id": "v1"}),
    "sqs": (
        ("orders.fifo", ORDER, "plain text"),
        {"group": ["anna", "bert"], "message_attributes": {"tenant": "a", "try": 2, "key": b"\0\1"}},
    ),
    "sns": (("alerts", Alert("high")), {"subject": "db-1", "message_attributes": {"severity": "high"}}),
    "kinesis": (("readings", b"\0\1", 21.5), {"partition_key": "oven", "window": 60, "state": {"sum": 3}}),
    "dynamodb": (
        ("stock", {"new": {"sku": "cup", "left": Decimal(9)}}, {"old": {"sku": "jug", "tags": {"blue"}}}),
        {},
    ),
    "eventbridge": (("shop", "Order placed", ORDER), {"resources": ["arn:aws:s3:::uploads"]}),
    "eventbridge_schedule": (("nightly",), {"input": {"full": True}}),
    "apigw_v2": (
        ("POST /orders/{id}",),
        {"path_parameters": {"id": "7"}, "query": {"tag": ["a", "b c"]}, "body": ORDER, "cookies": ["theme=dark"]},
    ),
    "alb": (("GET /orders",), {"query": {"tag": ["a", "b c"]}}),
    "direct": ((ORDER,), {}),
}


def _golden_event(label: str) -> Json:
    arguments, options = _ARGUMENTS.get(label, ((), {}))
    return events.builder(label)(*arguments, **options)


@pytest.mark.parametrize("label", sorted(LABELS))
def test_the_same_arguments_give_the_event_that_was_written_down(label: str) -> None:
    """Ids, times and signatures follow from the arguments, today and on every machine."""
    written = json.loads((GOLDEN / f"{label}.json").read_text(encoding="utf-8"))
    assert _unpacked(_golden_event(label)) == _unpacked(written)


def _unpacked(event: Json) -> Json:
    """With the log events of CloudWatch readable: how zlib packs them depends on its version."""
    if not (isinstance(event, dict) and "awslogs" in event):
        return event
    return json.loads(gzip.decompress(b64decode(event["awslogs"]["data"])))


@pytest.mark.parametrize("name", ["s3", "sqs", "sns", "kinesis", "kafka_msk", "activemq", "firehose", "s3_batch"])
def test_records_of_one_event_differ(name: str) -> None:
    """Even with the same content: as messages that were sent twice do."""
    [records] = _lists_of(3, events.builder(name)(records=3))
    assert len({json.dumps(record) for record in records}) == 3


def _lists_of(length: int, value: Json) -> list[list[Json]]:
    if isinstance(value, list):
        return [value] if len(value) == length else []
    return (
        [found for member in value.values() for found in _lists_of(length, member)] if isinstance(value, dict) else []
    )


@pytest.mark.parametrize("name", ["sqs", "kinesis", "dynamodb", "sns", "s3"])
def test_a_batch_has_as_many_records_as_asked_for(name: str) -> None:
    """``records`` repeats what is given."""
    assert len(events.builder(name)(records=10)["Records"]) == 10


def test_no_records_are_no_event() -> None:
    """Lambda never delivers an empty batch."""
    with pytest.raises(ValueError, match="records is 1 or more, not 0"):
        events.sqs(records=0)


# Signatures, which the command line reads.

_SIMPLE = {str, int, float, bool, datetime, Any, type(None), Mapping, Sequence, Trigger, Callable}


def _kinds(hint: Any) -> set[Any]:
    """The types in a union; the containers without what they contain."""
    origin = get_origin(hint)
    if origin in (Mapping, Sequence, Callable):
        return {origin}
    return set().union(*map(_kinds, get_args(hint))) if get_args(hint) else {hint}


@pytest.mark.parametrize("name", events.NAMES)
def test_the_options_of_a_builder_are_simple_values(name: str) -> None:
    """Programs can offer each parameter: as text, number, time or JSON."""
    hints = get_type_hints(events.builder(name))
    del hints["return"]
    assert set().union(*map(_kinds, hints.values())) <= _SIMPLE


@pytest.mark.parametrize("name", events.NAMES)
def test_a_builder_explains_each_of_its_parameters(name: str) -> None:
    """By its docstring, in which a program finds them."""
    build = events.builder(name)
    explained = re.findall(
        r"^ +\*?(\w+): ", (build.__doc__ or "").partition("Args:")[2].partition("\n\n")[0], re.MULTILINE
    )
    assert explained == [*inspect.signature(build).parameters]


def test_a_builder_can_be_called_without_arguments_by_each_of_its_names() -> None:
    """The labels of identify, and the decorators' sources."""
    assert {"s3", "schedule", "invoke", "http", "websocket", "authorizer"} | LABELS == set(events.NAMES)


def test_an_unknown_builder_is_refused_with_the_closest_name() -> None:
    """As every wrong name is."""
    with pytest.raises(ValueError, match="no builder of 'kinesys' events; did you mean 'kinesis'"):
        events.builder("kinesys")


# Realism: the forms of captured events, and what Powertools reads.


def _captured() -> dict[str, list[Json]]:
    if not (CAPTURED / "manifest.json").exists():
        return {}
    found: dict[str, list[Json]] = {}
    for entry in json.loads((CAPTURED / "manifest.json").read_text()):
        if entry["quality"] == "ok":
            found.setdefault(entry["source"], []).append(json.loads((CAPTURED / entry["file"]).read_text()))
    return found


_CAPTURED = _captured()

# Members that callers name, not AWS.
_FREE = {
    "arguments",
    "claims",
    "clientMetadata",
    "datasetRecords",
    "fullDocument",
    "headers",
    "Keys",
    "multiValueHeaders",
    "payload",
    "promptSessionAttributes",
    "queryStringParameters",
    "query_string_parameters",
    "requestPayload",
    "responsePayload",
    "sessionAttributes",
    "slots",
    "stageVariables",
    "userAttributes",
    "variables",
}

# What the few samples of a source have by their settings: mutual TLS, API keys, IAM, an older version.
_BY_SETTING = {
    "alexa_smart_home": (".header", ".payload"),
    "apigw_authorizer_request": (".requestContext.identity.apiKey", ".requestContext.identity.clientCert"),
    "apigw_authorizer_v2": (".requestContext.authentication", ".pathParameters", ".stageVariables"),
    "cognito_custom_message": (".callerContext.awsSdk",),
    "cognito_custom_sms_sender": (".callerContext.awsSdk",),
    "lambda_destination": (".responseContext.test-requestContextKey",),
    "vpc_lattice_v2": tuple(
        f".requestContext.identity.{name}" for name in ("principal", "sessionName", "type", "x509SanDns")
    ),
}


def _paths(value: Json, path: str = "") -> set[str]:
    """The paths of all keys, below lists too."""
    if isinstance(value, list):
        return set.intersection(*(_paths(member, f"{path}[]") for member in value)) if value else set()
    if not isinstance(value, dict):
        return set()
    below = (_paths(member, f"{path}.{key}") for key, member in value.items() if key not in _FREE)
    return {f"{path}.{key}" for key in value}.union(*below)


@pytest.mark.skipif(not _CAPTURED, reason="no captured events at ../shared/events")
@pytest.mark.parametrize("label", sorted(_CAPTURED.keys() - {"direct"}))
def test_an_event_has_all_keys_that_every_captured_event_of_its_source_has(label: str) -> None:
    """A handler finds at its place whatever it can rely on."""
    always = set.intersection(*map(_paths, _CAPTURED[label]))
    topic = ("mytopic",) if label == "kafka_self_managed" else ()  # as it is called in all of them
    missing = always - _paths(events.builder(label)(*topic))
    assert {path for path in missing if not path.startswith(_BY_SETTING.get(label, ()))} == set()


# By label, the parser model of Powertools. There is none for the others; that of vpc_lattice_v2 wants text where the
# service sends lists of header values.
_POWERTOOLS = {
    "alb": "AlbModel",
    "apigw_authorizer_request": "ApiGatewayAuthorizerRequest",
    "apigw_authorizer_token": "ApiGatewayAuthorizerToken",
    "apigw_authorizer_v2": "ApiGatewayAuthorizerRequestV2",
    "apigw_v1": "APIGatewayProxyEventModel",
    "apigw_v2": "APIGatewayProxyEventV2Model",
    "apigw_websocket": "APIGatewayWebSocketMessageEventModel",
    "appsync_events": "AppSyncEventsModel",
    "appsync_resolver": "AppSyncResolverEventModel",
    "bedrock_agent_api": "BedrockAgentEventModel",
    "bedrock_agent_function": "BedrockAgentFunctionEventModel",
    "cloudformation_custom_resource": "CloudFormationCustomResourceCreateModel",
    "cloudwatch_logs": "CloudWatchLogsModel",
    "cognito_create_auth_challenge": "CognitoCreateAuthChallengeTriggerModel",
    "cognito_custom_email_sender": "CognitoCustomEmailSenderTriggerModel",
    "cognito_custom_message": "CognitoCustomMessageTriggerModel",
    "cognito_custom_sms_sender": "CognitoCustomSMSSenderTriggerModel",
    "cognito_define_auth_challenge": "CognitoDefineAuthChallengeTriggerModel",
    "cognito_post_authentication": "CognitoPostAuthenticationTriggerModel",
    "cognito_post_confirmation": "CognitoPostConfirmationTriggerModel",
    "cognito_pre_authentication": "CognitoPreAuthenticationTriggerModel",
    "cognito_pre_signup": "CognitoPreSignupTriggerModel",
    "cognito_pre_token_generation": "CognitoPreTokenGenerationTriggerModelV1",
    "cognito_user_migration": "CognitoMigrateUserTriggerModel",
    "cognito_verify_auth_challenge": "CognitoVerifyAuthChallengeTriggerModel",
    "dynamodb": "DynamoDBStreamModel",
    "eventbridge": "EventBridgeModel",
    "eventbridge_schedule": "EventBridgeModel",
    "firehose": "KinesisFirehoseModel",
    "function_url": "LambdaFunctionUrlModel",
    "kafka_msk": "KafkaMskEventModel",
    "kafka_self_managed": "KafkaSelfManagedEventModel",
    "kinesis": "KinesisDataStreamModel",
    "s3": "S3Model",
    "s3_batch": "S3BatchOperationModel",
    "s3_eventbridge": "S3EventNotificationEventBridgeModel",
    "s3_object_lambda": "S3ObjectLambdaEvent",
    "ses": "SesModel",
    "sns": "SnsModel",
    "sqs": "SqsModel",
    "transfer_custom_idp": "TransferFamilyAuthorizer",
    "vpc_lattice_v1": "VpcLatticeModel",
}


@pytest.mark.parametrize("label", _POWERTOOLS)
def test_powertools_reads_the_event(label: str) -> None:
    """Its parser models accept both the plainest event of a source and the golden one."""
    from aws_lambda_powertools.utilities.parser import models

    model = getattr(models, _POWERTOOLS[label])
    assert [model.model_validate(event) for event in (events.builder(label)(), _golden_event(label))]


@pytest.mark.parametrize(
    ("event", "model"),
    [
        (events.s3("uploads", "a.jpg", via="sqs"), "S3SqsEventNotificationModel"),
        (events.s3("uploads", "a.jpg", event_name="ObjectRemoved:Delete"), "S3Model"),
        (events.s3("uploads", "a.jpg", event_name="ObjectRestore:Completed"), "S3Model"),
        (events.apigw_websocket("$connect"), "APIGatewayWebSocketConnectEventModel"),
        (events.apigw_websocket("$disconnect"), "APIGatewayWebSocketDisconnectEventModel"),
        (events.cloudformation_custom_resource("Update"), "CloudFormationCustomResourceUpdateModel"),
        (events.firehose(source_stream="clicks"), "KinesisFirehoseModel"),
        (events.schedule(scheduler=True), "EventBridgeModel"),
    ],
)
def test_powertools_reads_the_other_forms_of_an_event(event: Json, model: str) -> None:
    """Some sources send several."""
    from aws_lambda_powertools.utilities.parser import models

    assert getattr(models, model).model_validate(event)


@pytest.mark.parametrize(
    ("event", "model"),
    [
        (events.s3(), S3Event),
        (events.sqs("orders", ORDER), SqsEvent[Order]),
        (events.sns("orders", ORDER), SnsEvent[Order]),
        (events.kinesis("orders", ORDER, window=60), KinesisEvent[Order]),
        (events.dynamodb("orders", new=ORDER), DynamoDbEvent[Order]),
        (events.eventbridge("shop", "Order placed", ORDER), EventBridgeEvent[Order]),
        (events.schedule(input=ORDER), ScheduledEvent[Order]),
        (events.schedule(input=ORDER, scheduler=True), ScheduledEvent[Order]),
    ],
)
def test_our_models_read_the_event(event: Json, model: type[BaseModel]) -> None:
    """With a payload of a type of one's own in it."""
    assert isinstance(model.model_validate(event), model)


# S3


@given(st.text(min_size=1, max_size=50))
def test_a_key_arrives_as_a_form_encodes_it(key: str) -> None:
    """Whatever its characters: decoding the event's key gives the key that was put."""
    [record] = events.s3("uploads", key)["Records"]
    assert unquote_plus(record["s3"]["object"]["key"]) == key


def test_a_key_keeps_its_slashes() -> None:
    """S3 encodes spaces, plus signs, percent signs and what is not ASCII."""
    [record] = events.s3("uploads", "a b/é+50%.csv")["Records"]
    assert record["s3"]["object"]["key"] == "a+b/%C3%A9%2B50%25.csv"


@pytest.mark.parametrize(
    ("event_name", "keys"),
    [
        ("ObjectCreated:Put", {"key", "size", "eTag", "sequencer"}),
        ("ObjectRemoved:Delete", {"key", "sequencer"}),
        ("LifecycleExpiration:Delete", {"key", "sequencer"}),
        ("ObjectRestore:Completed", {"key", "size", "eTag"}),
        ("ObjectTagging:Put", {"key", "eTag"}),
    ],
)
def test_s3_tells_of_an_object_what_its_event_has(event_name: str, keys: set[str]) -> None:
    """As recorded on AWS: neither size nor ETag of what is gone, a sequencer of what was put or deleted."""
    [record] = events.s3(event_name=event_name)["Records"]
    assert record["s3"]["object"].keys() == keys


def test_the_etag_of_a_delete_marker_is_told() -> None:
    """It is that of nothing, as a marker is an object without content."""
    [record] = events.s3(event_name="ObjectRemoved:DeleteMarkerCreated")["Records"]
    event = events.s3_eventbridge(event_name="ObjectRemoved:DeleteMarkerCreated")
    etags = record["s3"]["object"]["eTag"], event["detail"]["object"]["etag"]
    assert etags == (hashlib.md5(b"").hexdigest(),) * 2


def test_a_version_is_told_where_there_is_one() -> None:
    """Of deleted objects too."""
    [record] = events.s3("uploads", "a", event_name="ObjectRemoved:Delete", version_id="v1")["Records"]
    assert record["s3"]["object"]["versionId"] == "v1"


@pytest.mark.parametrize(
    ("event_name", "version"),
    [
        ("ObjectCreated:Copy", "2.1"),
        ("Replication:*", "2.2"),
        ("ObjectAcl:Put", "2.3"),
        ("ObjectRestore:Delete", "2.3"),
    ],
)
def test_the_version_of_a_notification_depends_on_its_event(event_name: str, version: str) -> None:
    """2.2 for replication, 2.3 for what came later."""
    assert events.s3(event_name=event_name)["Records"][0]["eventVersion"] == version


def test_a_restored_object_says_until_when() -> None:
    """And from which storage class it was restored."""
    record = S3Event.model_validate(events.s3(event_name="s3:ObjectRestore:Completed")).records[0]
    assert (f"{record.restoration_expiry_time:%d %H:%M}", record.restore_storage_class) == ("03 00:00", "GLACIER")


def test_sequencers_grow_within_an_event_and_with_time() -> None:
    """Compared as text, which is how S3's are meant, all being of one length."""
    later = events.TIME + timedelta(milliseconds=1)
    records = [*events.s3("b", "a", "a")["Records"], *events.s3("b", "a", time=later)["Records"]]
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert sequencers == sorted(set(sequencers))


def test_s3_has_no_such_event() -> None:
    """A wrong name is refused, with the closest right one."""
    with pytest.raises(ValueError, match="did you mean 'ObjectCreated'"):
        events.s3(event_name="ObjectCreate:Put")


_ALL_EVENT_NAMES = [f"{family}:{kind}" for family, kinds in EVENT_NAMES.items() for kind in kinds]
_BY_EVENTBRIDGE = [
    *(name for name in _ALL_EVENT_NAMES if not name.startswith("Replication")),
    "LifecycleTransition",
    "IntelligentTiering",
]


@pytest.mark.parametrize("event_name", _BY_EVENTBRIDGE)
def test_s3_tells_eventbridge_the_same_in_other_words(event_name: str) -> None:
    """A handler that listens by way of EventBridge sees the name that a notification has."""
    seen: list[S3Record] = []

    @on_s3(events=event_name, via="eventbridge")
    def see(change: S3Record) -> None:
        seen.append(change)

    App(see)(events.s3("uploads", "a b.jpg", event_name=event_name, via="eventbridge"))
    assert [(change.event_name, change.key) for change in seen] == [(event_name, "a b.jpg")]


def test_s3_does_not_tell_eventbridge_of_replication() -> None:
    """So there is no such event."""
    with pytest.raises(ValueError, match="does not tell EventBridge of Replication:OperationFailedReplication"):
        events.s3(event_name="Replication:*", via="eventbridge")


def test_eventbridge_delivers_one_event_at_a_time() -> None:
    """Several keys are several invocations, or several messages of a queue."""
    with pytest.raises(ValueError, match="one event at a time"):
        events.s3("uploads", "a", "b", via="eventbridge")


# Envelopes


def test_each_notification_travels_by_itself() -> None:
    """S3 tells SNS of one object at a time, and each message in the queue is one notification."""
    event = events.s3("uploads", "a.jpg", "b.jpg", via=("sns:changes", "sqs:inbox"))
    documents = [json.loads(record["body"]) for record in event["Records"]]
    carried = [json.loads(document["Message"])["Records"] for document in documents]
    assert [[record["s3"]["object"]["key"] for record in records] for records in carried] == [["a.jpg"], ["b.jpg"]]


def test_envelopes_have_the_names_they_are_given() -> None:
    """After a colon, or as ARNs; one text may name them all."""
    event = events.s3(via="sns:changes,sqs:arn:aws:sqs:eu-west-1:111111111111:inbox")
    document = json.loads(event["Records"][0]["body"])
    names = document["TopicArn"].rpartition(":")[2], event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    assert names == ("changes", "inbox")


def test_a_notification_of_a_fifo_topic_has_a_number_and_no_signature() -> None:
    """As recorded on AWS."""
    [record] = events.sns("alerts.fifo", "hi", via="sqs")["Records"]
    names = ["Message", "MessageId", "SequenceNumber", "Timestamp", "TopicArn", "Type", "UnsubscribeURL"]
    assert sorted(json.loads(record["body"])) == names


def test_a_notification_in_a_queue_differs_from_one_for_a_function() -> None:
    """Its links have other names, and it has no subject and no attributes where none were given."""
    [record] = events.sns("alerts", "hi", via="sqs")["Records"]
    assert sorted(json.loads(record["body"])) == [
        "Message",
        "MessageId",
        "Signature",
        "SignatureVersion",
        "SigningCertURL",
        "Timestamp",
        "TopicArn",
        "Type",
        "UnsubscribeURL",
    ]


@pytest.mark.parametrize("via", ["sqs,sqs", "sqs,sns", "eventbridge,eventbridge,sqs", "kinesis"])
def test_what_no_service_delivers_is_refused(via: str) -> None:
    """Nothing but a function subscribes to a queue, and only S3 comes through EventBridge."""
    with pytest.raises(ValueError, match="of the envelopes in via"):
        events.s3(via=via)


def test_an_event_can_be_the_payload_of_another() -> None:
    """Builders compose: whatever is JSON travels."""
    event = events.sqs("inbox", events.eventbridge("shop", "Order placed", {"id": "1"}))
    assert json.loads(event["Records"][0]["body"])["detail"] == {"id": "1"}


@pytest.mark.parametrize("via", ["", ()])
def test_no_envelopes_are_none(via: Any) -> None:
    """However that is written; a handler's own envelopes are left out so."""

    @on_s3(via="sqs")
    def handler(change: S3Record) -> None: ...

    assert identify(events.s3(handler, via=via)) == "s3"


# SQS


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("plain text", "plain text"),
        (Alert("high"), '{"severity":"high"}'),
        (ORDER, '{"id":"7","total":"9.99","lines":[{"sku":"cup","count":2}],"note":null}'),
        ([1, None, date(2026, 1, 1)], '[1,null,"2026-01-01"]'),
    ],
)
def test_a_body_is_text_or_becomes_json(payload: object, text: str) -> None:
    """Models, dataclasses and anything else that JSON can hold."""
    assert events.sqs("orders", payload)["Records"][0]["body"] == text


def test_messages_of_a_fifo_queue_have_an_order() -> None:
    """Their groups take turns and their numbers grow; each has a deduplication id of its own."""
    records = events.sqs("orders.fifo", "a", "b", "a", group=["x", "y"])["Records"]
    attributes = [record["attributes"] for record in records]
    numbers = [attribute["SequenceNumber"] for attribute in attributes]
    assert (
        [attribute["MessageGroupId"] for attribute in attributes],
        numbers == sorted(numbers),
        len({attribute["MessageDeduplicationId"] for attribute in attributes}),
    ) == (["x", "y", "x"], True, 3)


def test_messages_of_a_standard_queue_have_no_order() -> None:
    """Not even a group, unless it is given: fair queues have groups."""
    plain, grouped = (events.sqs("orders", group=group)["Records"][0]["attributes"] for group in (None, "x"))
    assert grouped.keys() - plain.keys() == {"MessageGroupId"}


def test_the_digest_of_attributes_is_that_of_the_sdks() -> None:
    """This pair of attribute and digest is SQS's own, as it is known from a recorded answer."""
    [record] = events.sqs("q", "b", message_attributes={"timestamp": 1493147359900})["Records"]
    assert record["md5OfMessageAttributes"] == "235c5c510d26fb653d073faed50ae77c"


def test_a_plain_message_has_no_digest_of_attributes() -> None:
    """A mapping without a batching window leaves it out."""
    assert "md5OfMessageAttributes" not in events.sqs()["Records"][0]


def test_attributes_arrive_as_they_were_given() -> None:
    """Text, numbers and bytes."""
    given_attributes = {"a": "x", "b": 2, "c": b"\xff"}
    event = SqsEvent.model_validate(events.sqs(message_attributes=given_attributes))
    assert event.records[0].message_attributes == given_attributes


def test_a_queue_can_be_named_by_its_arn() -> None:
    """Its region is the event's."""
    [record] = events.sqs("arn:aws:sqs:eu-west-1:111111111111:orders")["Records"]
    assert (record["eventSourceARN"], record["awsRegion"]) == ("arn:aws:sqs:eu-west-1:111111111111:orders", "eu-west-1")


# SNS, Kinesis


def test_attributes_of_a_notification_arrive_as_they_were_given() -> None:
    """Text, numbers, bytes and lists."""
    given_attributes = {"a": "x", "b": 2, "c": b"\xff", "d": ["x", 1]}
    event = SnsEvent.model_validate(events.sns(message_attributes=given_attributes))
    assert event.records[0].message_attributes == given_attributes


def test_a_window_begins_at_a_multiple_of_its_length() -> None:
    """A batch of a tumbling window says which, and what was gathered."""
    time = events.TIME + timedelta(seconds=95)
    event = KinesisEvent.model_validate(events.kinesis(window=60, state={"sum": 3}, final=True, time=time))
    assert event.window is not None
    assert (f"{event.window.start:%H:%M:%S}", event.state, event.is_final_invoke_for_window) == (
        "12:01:00",
        {"sum": 3},
        True,
    )


def test_sequence_numbers_of_a_shard_grow() -> None:
    """As numbers, and from one call to a later one."""
    later = events.kinesis("s", "c", time=events.TIME + timedelta(seconds=1))
    records = events.kinesis("s", "a", "b")["Records"] + later["Records"]
    numbers = [int(record["kinesis"]["sequenceNumber"]) for record in records]
    assert numbers == sorted(set(numbers))


_IN_BERLIN = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize("time", [_IN_BERLIN, events.TIME.replace(tzinfo=None)])
def test_times_are_in_utc(time: datetime) -> None:
    """One in another zone is converted, one without a zone is in UTC: the machine's own zone plays no part."""
    assert events.eventbridge(time=time)["time"] == "2026-01-01T12:00:00Z"


# DynamoDB


_numbers = st.integers(-(10**37), 10**37) | st.decimals(allow_nan=False, allow_infinity=False, places=3)
_scalars = st.none() | st.booleans() | st.text() | st.binary() | _numbers
_sets = st.sets(st.text(), min_size=1) | st.sets(_numbers, min_size=1) | st.sets(st.binary(), min_size=1)
_values = st.recursive(
    _scalars | _sets,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(_values)
def test_a_value_comes_back_from_its_dynamodb_type(value: object) -> None:
    """Whatever DynamoDB can hold, sets and bytes too."""
    assert python_value(typed_value(value)) == value


class _Colour(Enum):
    BLUE = "blue"


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (0.1, {"N": "0.1"}),
        ({30, 1, 8}, {"NS": ["1", "30", "8"]}),
        (date(2026, 1, 1), {"S": "2026-01-01"}),
        (UUID(int=1), {"S": "00000000-0000-0000-0000-000000000001"}),
        (_Colour.BLUE, {"S": "blue"}),
        (Alert("high"), {"M": {"severity": {"S": "high"}}}),
        (Line(sku="cup", count=2), {"M": {"sku": {"S": "cup"}, "count": {"N": "2"}}}),
    ],
)
def test_other_values_become_what_dynamodb_has(value: object, typed: Json) -> None:
    """Floats become numbers, models and dataclasses maps, anything else what it is in JSON."""
    assert typed_value(value) == typed


@pytest.mark.parametrize("value", [float("nan"), set(), {1, "a"}, {True}, [float("inf")]])
def test_what_dynamodb_cannot_hold_is_refused(value: object) -> None:
    """No NaN, no empty set, no set of several kinds."""
    with pytest.raises(ValueError, match="DynamoDB"):
        typed_value(value)


def test_the_kind_of_a_change_follows_from_its_images() -> None:
    """A new image alone is an insertion, an old one alone a removal."""
    item = {"id": "1"}
    event = events.dynamodb("t", {"new": item}, {"old": item, "new": item}, {"old": item})
    assert [record["eventName"] for record in event["Records"]] == ["INSERT", "MODIFY", "REMOVE"]


@pytest.mark.parametrize(
    ("view_type", "images"),
    [("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("NEW_AND_OLD_IMAGES", {"NewImage", "OldImage"})],
)
def test_a_stream_shows_what_its_view_type_says(view_type: str, images: set[str]) -> None:
    """The kind of the change is told all the same."""
    [record] = events.dynamodb(new={"id": "1"}, old={"id": "1"}, view_type=view_type)["Records"]
    shown = {"NewImage", "OldImage"} & record["dynamodb"].keys()
    assert (record["eventName"], shown) == ("MODIFY", images)


def test_the_key_is_the_first_attribute_or_what_is_named() -> None:
    """Tables have one attribute or two for a key."""
    image = {"pk": "a", "sk": 1, "x": None}
    keys = [events.dynamodb(new=image, keys=keys)["Records"][0]["dynamodb"]["Keys"] for keys in (None, ("pk", "sk"))]
    assert keys == [{"pk": {"S": "a"}}, {"pk": {"S": "a"}, "sk": {"N": "1"}}]


@pytest.mark.parametrize("change", [{}, {"New": {"id": "1"}}, {"new": "text"}])
def test_a_change_has_an_image(change: Json) -> None:
    """Anything else is refused, with what a change looks like."""
    with pytest.raises(ValueError, match="image"):
        events.dynamodb("t", change)


def test_a_key_is_part_of_its_image() -> None:
    """A misspelt key attribute is refused."""
    with pytest.raises(ValueError, match="key attribute 'ID' is missing in the image, which has id"):
        events.dynamodb(new={"id": "1"}, keys="ID")


def test_an_expired_item_was_removed_by_dynamodb() -> None:
    """And not by a request."""
    event = DynamoDbEvent.model_validate(events.dynamodb(old={"id": "1"}, expired=True))
    assert event.records[0].expired


# EventBridge, schedules


def test_what_is_given_counts_for_more_than_what_a_pattern_suggests() -> None:
    """The rest of the detail is made up so that the pattern takes the event."""

    @on_eventbridge({"source": ["shop"], "detail": {"state": ["paid"], "total": [{"numeric": [">", 100]}]}})
    def ship(event: EventBridgeEvent) -> None: ...

    event = events.eventbridge(ship, detail={"id": "1", "total": 500})
    assert event["detail"] == {"state": "paid", "total": 500, "id": "1"}


def test_a_schedule_without_a_name_is_called_like_its_handler() -> None:
    """As the template names it."""

    @on_schedule("rate(5 minutes)")
    def sweep() -> None: ...

    assert events.schedule(sweep)["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/sweep"]


def test_scheduler_sends_its_detail_as_text() -> None:
    """A rule sends an object."""
    details = [events.schedule(input={"a": 1}, scheduler=scheduler)["detail"] for scheduler in (True, False)]
    assert details == ['{"a":1}', {"a": 1}]


# HTTP


def test_a_route_of_an_http_api_is_filled_in() -> None:
    """Its parameters are decoded, in the path too; a function URL has them as they came."""
    event = events.apigw_v2("POST /orders/{id}", path_parameters={"id": "a b"}, body=b"\xff")
    assert (event["routeKey"], event["rawPath"], event["pathParameters"], event["body"], event["isBase64Encoded"]) == (
        "POST /orders/{id}",
        "/orders/a b",
        {"id": "a b"},
        "/w==",
        True,
    )
    assert events.function_url("POST /orders/{id}", path_parameters={"id": "a b"})["rawPath"] == "/orders/a%20b"


def test_a_parameter_that_the_route_does_not_have_is_refused() -> None:
    """A misspelt one would else be left out."""
    with pytest.raises(ValueError, match=r"the route's path '/orders/\{id\}' has no parameter \{order\}"):
        events.apigw_v2("GET /orders/{id}", path_parameters={"order": "7"})


@pytest.mark.parametrize(
    ("name", "member", "expected"),
    [
        ("apigw_v2", "queryStringParameters", {"tag": "a,b c"}),
        ("apigw_v2", "rawQueryString", "tag=a&tag=b+c"),
        ("apigw_v1", "queryStringParameters", {"tag": "b c"}),
        ("apigw_v1", "multiValueQueryStringParameters", {"tag": ["a", "b c"]}),
        ("alb", "queryStringParameters", {"tag": "b+c"}),
        ("vpc_lattice_v1", "query_string_parameters", {"tag": "b c"}),
        ("vpc_lattice_v2", "queryStringParameters", {"tag": ["a", "b c"]}),
    ],
)
def test_each_service_has_its_own_form_of_a_query(name: str, member: str, expected: Json) -> None:
    """The last value, all of them, joined, or still encoded."""
    assert events.builder(name)("GET /orders", query={"tag": ["a", "b c"]})[member] == expected


def test_headers_that_are_given_take_the_place_of_the_usual_ones() -> None:
    """Whatever their case; clients of HTTP APIs send them in lower case."""
    given_headers = {"ACCEPT": "text/html", "X-Tag": ["a", "b"]}
    first, second = (events.builder(name)("/orders", headers=given_headers) for name in ("apigw_v1", "apigw_v2"))
    accepted = [value for name, value in first["headers"].items() if name.lower() == "accept"]
    assert (accepted, second["headers"]["x-tag"]) == (["text/html"], "a,b")


@pytest.mark.parametrize("api", ["apigw_v2", "apigw_v1", "function_url", "alb", "vpc_lattice_v1", "vpc_lattice_v2"])
def test_a_request_can_come_by_any_service(api: str) -> None:
    """``http`` passes the request on to their builders."""
    assert identify(events.http("POST /orders", api=api, body={"id": "1"})) == api


# Events for handlers


def _app_takes(function: Callable[..., Any], event: Json) -> list[str]:
    return [name.rpartition(".")[2] for name in App(function).explain(event).handlers]


_event_names = st.sampled_from([*_ALL_EVENT_NAMES, *(f"{f}:*" for f in EVENT_NAMES), "ReducedRedundancyLostObject"])
_affixes = st.text(max_size=20).filter(lambda text: "*" not in text)
_chains = st.sampled_from([(), ("sqs",), ("sns",), ("sns", "sqs")])


@given(
    st.none() | st.sampled_from(["uploads", "arn:aws:s3:::other"]),
    st.lists(_event_names, min_size=1, max_size=3),
    _affixes,
    _affixes,
    _chains,
)
def test_the_sample_of_an_s3_handler_reaches_it(
    bucket: str | None, names: list[str], prefix: str, suffix: str, via: tuple[str, ...]
) -> None:
    """Whatever its bucket, event names, prefix, suffix and envelopes."""

    @on_s3(bucket, events=names, prefix=prefix, suffix=suffix, via=via)
    def handler(change: S3Record) -> None: ...

    assert _app_takes(handler, events.sample(handler)) == ["handler"]


@given(st.lists(st.sampled_from(_BY_EVENTBRIDGE), min_size=1), _affixes, _affixes, _chains)
def test_the_sample_of_an_s3_handler_reaches_it_through_eventbridge(
    names: list[str], prefix: str, suffix: str, via: tuple[str, ...]
) -> None:
    """Of what S3 tells EventBridge."""

    @on_s3(events=names, prefix=prefix, suffix=suffix, via=("eventbridge", *via))
    def handler(change: S3Record) -> None: ...

    assert _app_takes(handler, events.sample(handler)) == ["handler"]


_queues = st.none() | st.sampled_from(["orders", "orders.fifo", "arn:aws:sqs:eu-west-1:111111111111:orders"])
_tables = st.sampled_from(
    [
        None,
        "stock",
        "arn:aws:dynamodb:eu-west-1:111111111111:table/stock",
        "arn:aws:dynamodb:eu-west-1:111111111111:table/stock/stream/2024-01-01T00:00:00.000",
    ]
)


@given(_queues)
def test_the_sample_of_an_sqs_handler_reaches_it(queue: str | None) -> None:
    """By name, by ARN, or any."""

    @on_sqs(queue)
    def handler(order: Order) -> None: ...

    assert _app_takes(handler, events.sample(handler)) == ["handler"]


@given(st.none() | st.sampled_from(["t", "arn:aws:sns:eu-west-1:111111111111:t"]), st.sampled_from([(), ("sqs",)]))
def test_the_sample_of_an_sns_handler_reaches_it(topic: str | None, via: tuple[str, ...]) -> None:
    """From a function's own subscription or a queue's."""

    @on_sns(topic, via=via)
    def handler(order: Order) -> None: ...

    assert _app_takes(handler, events.sample(handler)) == ["handler"]


@given(_tables, st.sets(st.sampled_from(["INSERT", "MODIFY", "REMOVE"]), min_size=1))
def test_the_sample_of_a_dynamodb_handler_reaches_it(table: str | None, kinds: set[Any]) -> None:
    """With a change of a kind that it takes."""

    @on_dynamodb(table, events=kinds)
    def handler(change: DynamoDbRecord[Order]) -> None: ...

    assert _app_takes(handler, events.sample(handler)) == ["handler"]


_SAMPLES: list[tuple[Callable[[Any], Any], Any]] = [
    (on_kinesis("readings"), KinesisRecord[Order]),
    (on_kinesis("arn:aws:kinesis:eu-west-1:111111111111:stream/readings"), Order),
    (on_kinesis("readings", tumbling_window_in_seconds=30), KinesisEvent[Order]),
    (on_schedule("rate(5 minutes)"), ScheduledEvent),
    (on_schedule("rate(5 minutes)", name="nightly", input={"id": "7", "total": 1, "lines": []}), Order),
    (on_eventbridge(), EventBridgeEvent),
    (on_eventbridge({"source": ["shop"]}, via=("sns", "sqs")), Order),
    (on_invoke(), Order),
    (on_event("cloudwatch_logs"), dict[str, Any]),
    (on_event("cognito_pre_signup"), dict[str, Any]),
    (on_sqs("orders", filter_criteria={"body": {"note": [{"prefix": "urgent"}]}}), SqsRecord[Order]),
]


@pytest.mark.parametrize(("decorate", "wanted"), _SAMPLES, ids=range(len(_SAMPLES)))
def test_the_sample_of_a_handler_reaches_it_with_a_payload_that_it_reads(
    decorate: Callable[[Any], Any], wanted: Any
) -> None:
    """From the types of its parameters: the App runs it, and nothing is left for another delivery."""
    got: list[Any] = []

    def handler(event: Any) -> Any:
        got.append(event)
        return {"state": {}} if "window" in dir(event) else None

    handler.__annotations__["event"] = wanted
    reply = App(decorate(handler))(events.sample(handler))
    assert (len(got), (reply or {}).get("batchItemFailures", [])) == (1, [])


def test_the_sample_passes_the_filter_of_the_mapping() -> None:
    """So that the local Lambda delivers it."""
    pattern = {"body": {"note": [{"prefix": "urgent"}], "total": [{"numeric": [">", 100]}]}}

    @on_sqs("orders", filter_criteria=pattern)
    def handler(order: Order) -> None: ...

    [record] = events.sqs(handler)["Records"]
    assert FilterPattern(pattern).matches({**record, "body": json.loads(record["body"])})


def test_the_sample_passes_the_filter_of_a_table() -> None:
    """Which speaks of typed attributes."""
    pattern = {"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"note": {"S": ["paid"]}}}}

    @on_dynamodb("orders", filter_criteria=pattern)
    def handler(order: Order) -> None: ...

    [record] = events.dynamodb(handler)["Records"]
    assert FilterPattern(pattern).matches(record)


@pytest.mark.parametrize("scope", ["MessageAttributes", "MessageBody"])
def test_the_sample_passes_the_filter_of_a_subscription(scope: Any) -> None:
    """By its attributes, or by what is in the message."""

    @on_sns("alerts", filter_policy={"severity": ["high"]}, filter_policy_scope=scope)
    def handler(alert: dict[str, Any]) -> None: ...

    sns = events.sns(handler)["Records"][0]["Sns"]
    found = sns["MessageAttributes"].get("severity", {}).get("Value") or json.loads(sns["Message"])["severity"]
    assert found == "high"


def test_a_builder_takes_the_trigger_of_its_source() -> None:
    """Of a function with several triggers; ``sample`` takes the one on top, or the one that is asked for."""

    @on_sqs("orders")
    @on_sns("alerts")
    def handler(text: str) -> None: ...

    made = [events.sns(handler), events.sample(handler), events.sample(handler, "sns", records=2)]
    assert [(identify(event), len(event["Records"])) for event in made] == [("sns", 1), ("sqs", 1), ("sns", 2)]


def test_a_trigger_will_do_in_the_place_of_its_handler() -> None:
    """For programs that have no function at hand."""

    @on_sqs("orders")
    def handler(text: str) -> None: ...

    [trigger] = getattr(handler, TRIGGERS)
    assert events.sample(trigger)["Records"][0]["eventSourceARN"].endswith(":orders")


def test_a_handler_without_the_trigger_is_refused() -> None:
    """With the triggers that it has."""

    @on_sqs("orders")
    def handler(text: str) -> None: ...

    with pytest.raises(ValueError, match=r"handler has no on_s3 to make an event for; it has on_sqs\('orders'\)"):
        events.s3(handler)


def test_a_function_that_is_no_handler_is_refused() -> None:
    """It has not been marked by a decorator."""
    with pytest.raises(ValueError, match="has no decorator to make an event for; it has no trigger at all"):
        events.sample(_spoil)


# Examples for patterns and types


_words = st.text("ab.*", min_size=1, max_size=3)
_literals = _words | st.integers(-5, 5) | st.booleans() | st.none()
_bounds = st.integers(-5, 5)
_conditions = st.one_of(
    _literals,
    st.builds(lambda text: {"prefix": text}, _words),
    st.builds(lambda text: {"suffix": {"equals-ignore-case": text}}, _words),
    st.builds(lambda text: {"equals-ignore-case": text}, _words),
    st.builds(lambda text: {"wildcard": f"{text.replace('*', '')}*\\*x"}, _words),
    st.builds(lambda there: {"exists": there}, st.booleans()),
    st.builds(lambda texts: {"anything-but": texts}, st.lists(_words, min_size=1, max_size=3)),
    st.builds(lambda text: {"anything-but": {"prefix": text}}, _words),
    st.builds(lambda sign, bound: {"numeric": [sign, bound]}, st.sampled_from(["<", "<=", "=", ">=", ">"]), _bounds),
    st.builds(lambda low: {"numeric": [">", low, "<", low + 1]}, _bounds),
    st.just({"cidr": "10.0.0.0/24"}),
)
_lists = st.lists(_conditions, min_size=1, max_size=3)
_fields = st.dictionaries(st.sampled_from("xyz"), _lists, min_size=1)
_patterns = st.recursive(_fields, lambda inner: st.dictionaries(st.sampled_from("abc"), inner | _lists, min_size=1))


@given(_patterns)
def test_the_example_of_a_pattern_passes_it(pattern: Json) -> None:
    """Whatever its operators and however it nests."""
    assert EventPattern(pattern).matches(example_of_pattern(pattern))


@pytest.mark.parametrize(
    "pattern",
    [
        {"a.b": ["x"], "a": {"c": ["y"]}},
        {"a": ["x"], "$or": [{"a": ["y"]}, {"a": ["z"]}]},
        {"a": ["x"], "$or": [{"a": [{"exists": False}]}, {"b": ["z"]}]},
        {"$or": [{"a": {"$or": [{"b": [1]}, {"c": [2]}]}}, {"d": [3]}]},
    ],
)
def test_the_example_of_a_pattern_with_alternatives_passes_it(pattern: Json) -> None:
    """Also where two conditions are about one field: an event may have a list there."""
    assert EventPattern(pattern).matches(example_of_pattern(pattern))


def test_a_pattern_that_contradicts_itself_has_no_example() -> None:
    """Which is an error that shows the pattern."""
    pattern = {"a": [{"exists": False}], "$or": [{"a": ["x"]}, {"a": ["y"]}]}
    with pytest.raises(ValueError, match="no event that this pattern lets through"):
        example_of_pattern(pattern)


class _Node(BaseModel):
    name: str
    parent: _Node | None
    children: list[_Node]
    pair: tuple[int, str]


class _Limits(BaseModel):
    short: Annotated[str, Field(max_length=3)]
    long: Annotated[str, Field(min_length=30)]
    small: Annotated[float, Field(gt=0, lt=1)]
    even: Annotated[int, Field(ge=3, multiple_of=2)]
    most: Annotated[int, Field(le=-5)]
    several: Annotated[list[int], Field(min_length=3)]
    few: Annotated[list[int], Field(max_length=0)]
    at: datetime
    day: date
    identity: UUID
    colour: _Colour
    kind: Literal["b"]
    known: str = Field(examples=["cup"])


@pytest.mark.parametrize(
    "annotation",
    [str, bytes, bool, int, float, Decimal, datetime, Order, Alert, _Node, _Limits, list[Order], dict[str, Order], Any],
)
def test_the_example_of_a_type_is_read_as_that_type(annotation: Any) -> None:
    """By Pydantic, from JSON: recursive types and limits too."""
    assert TypeAdapter(annotation).validate_json(json.dumps(example_of(annotation))) is not None


def test_an_example_that_a_model_gives_is_taken() -> None:
    """The author knows best."""
    assert example_of(_Limits)["known"] == "cup"


if __name__ == "__main__":
    for label in LABELS:
        text = json.dumps(_golden_event(label), indent=2, ensure_ascii=False)
        (GOLDEN / f"{label}.json").write_text(f"{text}\n", encoding="utf-8")
