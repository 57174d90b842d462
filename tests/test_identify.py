"""Which source sent an event: our own minimal events, the confusable pairs, and laws that hold for any JSON."""

from __future__ import annotations

import ast
import copy
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.identify import DIRECT, LABELS, identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hypothesis.strategies import SearchStrategy

    Json = Any
    Route = tuple[str | int, ...]

CAPTURED = Path(__file__).parents[2] / "shared" / "events"


def _captured(listing: str, label: str | None = None) -> list[Any]:
    """The files of a listing with their labels, but not the stubs; one skipped case where the listing is absent."""
    if not (CAPTURED / listing).exists():
        return [pytest.param("", "", marks=pytest.mark.skip(reason="no captured events at ../shared/events"))]
    entries = json.loads((CAPTURED / listing).read_text())
    return [
        pytest.param(entry["file"], label or entry["source"], id=entry["file"])
        for entry in entries
        if entry.get("quality") != "stub"
    ]


@pytest.mark.parametrize(("file", "label"), _captured("manifest.json"))
def test_a_captured_event_gets_the_label_of_its_source(file: str, label: str) -> None:
    """Real events and samples, those with mistakes in them too, are told from one another."""
    assert identify(json.loads((CAPTURED / file).read_text())) == label


@pytest.mark.parametrize(("file", "label"), _captured("negatives.json", DIRECT))
def test_what_only_looks_like_an_event_is_direct(file: str, label: str) -> None:
    """Responses, and records that nobody signed, are a caller's own payload."""
    assert identify(json.loads((CAPTURED / file).read_text())) == label


# Minimal events, by label: the least of what the service sends that tells it.

_BUS: dict[str, Json] = {"version": "0", "id": "1", "account": "123456789012", "region": "eu-west-1", "resources": []}
_SCHEDULE = {**_BUS, "detail-type": "Scheduled Event"}
_HTTP_2 = {"version": "2.0", "routeKey": "$default", "rawPath": "/a", "rawQueryString": "", "headers": {}}
_REST: dict[str, Json] = {"resource": "/a", "path": "/a", "httpMethod": "GET", "headers": {}, "body": None}
_REST_CONTEXT = {"resourcePath": "/a", "httpMethod": "GET", "requestId": "1", "apiId": "a1"}
_SOCKET_CONTEXT = {"connectionId": "c1", "routeKey": "$connect", "eventType": "CONNECT", "apiId": "a1"}
_METHOD_ARN = "arn:aws:execute-api:eu-west-1:123456789012:a1/dev/GET/a"
_INVOCATION = {"requestId": "1", "functionArn": "arn:f", "condition": "RetriesExhausted", "approximateInvokeCount": 3}
_ITEM = {"arguments": {"id": 1}, "identity": None, "info": {"fieldName": "post", "parentTypeName": "Query"}}
_AGENT = {"messageVersion": "1.0", "agent": {"name": "a"}, "actionGroup": "g", "sessionId": "1"}
_LEX = {"messageVersion": "1.0", "invocationSource": "DialogCodeHook", "bot": {"name": "b"}}
_CUSTOM_RESOURCE = {"RequestType": "Create", "RequestId": "1", "StackId": "arn:s", "ResourceType": "Custom::A"}
_DIRECTIVE = {"header": {"namespace": "Alexa.Discovery", "name": "Discover", "payloadVersion": "3"}, "payload": {}}


def _records(source: str, **record: Json) -> Json:
    return {"Records": [{"eventSource": source, **record}]}


def _user_pool(trigger: str) -> Json:
    return {"version": "1", "triggerSource": trigger, "userPoolId": "eu-west-1_a", "request": {}, "response": {}}


def _window(arn: str) -> Json:
    return {"Records": [], "state": {"1": 2}, "isFinalInvokeForWindow": True, "eventSourceARN": arn}


EVENTS: list[tuple[str, Json]] = [
    ("sqs", _records("aws:sqs", messageId="1", body="{}")),
    ("s3", _records("aws:s3", eventName="ObjectCreated:Put", s3={"bucket": {"name": "b"}})),
    ("sns", {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "m"}}]}),
    ("sns", {"records": [{"eventSource": "aws:sns", "sns": {"message": "m"}}]}),
    ("kinesis", _records("aws:kinesis", kinesis={"data": "YQ=="})),
    ("kinesis", _window("arn:aws:kinesis:eu-west-1:123456789012:stream/s")),
    ("dynamodb", _records("aws:dynamodb", eventName="INSERT", dynamodb={"Keys": {}})),
    ("dynamodb", _window("arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2024")),
    ("ses", _records("aws:ses", ses={"mail": {}})),
    ("codecommit", _records("aws:codecommit", codecommit={"references": []})),
    ("cloudfront", {"Records": [{"cf": {"config": {"distributionId": "E1"}, "request": {"uri": "/"}}}]}),
    ("kafka_msk", {"eventSource": "aws:kafka", "eventSourceArn": "arn:c", "records": {"t-0": []}}),
    ("kafka_self_managed", {"eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": {"t-0": []}}),
    ("kafka_self_managed", {"eventSource": "aws:SelfManagedKafka", "records": {"t-0": []}}),
    ("activemq", {"eventSource": "aws:mq", "eventSourceArn": "arn:b", "messages": []}),
    ("activemq", {"eventSource": "aws:amq", "eventSourceArn": "arn:b", "messages": []}),
    ("rabbitmq", {"eventSource": "aws:rmq", "eventSourceArn": "arn:b", "rmqMessagesByQueue": {"q::/": []}}),
    ("documentdb", {"eventSource": "aws:docdb", "eventSourceArn": "arn:c", "events": [{"event": {"_id": {}}}]}),
    ("firehose", {"invocationId": "1", "deliveryStreamArn": "arn:d", "region": "eu-west-1", "records": []}),
    ("firehose", {"invocationId": "1", "region": "eu-west-1", "records": [{"recordId": "1", "data": "YQ=="}]}),
    (
        "kinesis_analytics_preprocess",
        {
            "invocationId": "1",
            "applicationArn": "arn:a",
            "streamArn": "arn:s",
            "records": [{"recordId": "1", "data": ""}],
        },
    ),
    (
        "kinesis_analytics_output",
        {"invocationId": "1", "applicationArn": "arn:a", "records": [{"recordId": "1", "data": ""}]},
    ),
    ("eventbridge", {**_BUS, "source": "shop", "detail-type": "Order", "detail": {}}),
    ("eventbridge", {"source": "shop", "detail-type": "Order", "detail": {}}),
    ("eventbridge_schedule", {**_SCHEDULE, "source": "aws.events", "detail": {}}),
    ("eventbridge_schedule", {**_SCHEDULE, "source": "aws.scheduler", "detail": "{}"}),
    (
        "s3_eventbridge",
        {**_BUS, "source": "aws.s3", "detail-type": "Object Created", "detail": {"object": {"key": "a"}}},
    ),
    ("apigw_authorizer_token", {"type": "TOKEN", "authorizationToken": "t", "methodArn": _METHOD_ARN}),
    (
        "apigw_authorizer_request",
        {**_REST, "type": "REQUEST", "methodArn": _METHOD_ARN, "requestContext": _REST_CONTEXT},
    ),
    (
        "apigw_authorizer_v2",
        {**_HTTP_2, "type": "REQUEST", "routeArn": _METHOD_ARN, "requestContext": {"http": {"method": "GET"}}},
    ),
    (
        "apigw_authorizer_websocket",
        {"type": "REQUEST", "methodArn": _METHOD_ARN, "headers": {}, "requestContext": _SOCKET_CONTEXT},
    ),
    ("appsync_authorizer", {"authorizationToken": "t", "requestContext": {"apiId": "a1", "queryString": "{ a }"}}),
    (
        "appsync_authorizer",
        {"authorizationToken": "t", "requestContext": {"apiId": "a1", "operation": "EVENT_CONNECT"}},
    ),
    ("apigw_v2", {**_HTTP_2, "requestContext": {"http": {"method": "GET"}, "domainName": "a.example.com"}}),
    (
        "function_url",
        {**_HTTP_2, "requestContext": {"http": {"method": "GET"}, "domainName": "a.lambda-url.eu-west-1.on.aws"}},
    ),
    ("apigw_v1", {**_REST, "requestContext": _REST_CONTEXT}),
    ("apigw_v1", {**_REST, "version": "1.0", "requestContext": _REST_CONTEXT}),
    ("alb", {"httpMethod": "GET", "path": "/a", "requestContext": {"elb": {"targetGroupArn": "arn:t"}}}),
    ("apigw_websocket", {"requestContext": _SOCKET_CONTEXT, "isBase64Encoded": False}),
    ("vpc_lattice_v1", {"raw_path": "/a", "method": "GET", "headers": {}, "is_base64_encoded": False}),
    (
        "vpc_lattice_v2",
        {"version": "2.0", "path": "/a", "method": "GET", "requestContext": {"serviceNetworkArn": "arn:n"}},
    ),
    ("lambda_destination", {"version": "1.0", "requestContext": _INVOCATION, "requestPayload": {"order": 1}}),
    ("stream_on_failure", {"version": "1.0", "requestContext": _INVOCATION, "KinesisBatchInfo": {"shardId": "s"}}),
    ("stream_on_failure", {"version": "1.0", "requestContext": _INVOCATION, "DDBStreamBatchInfo": {"shardId": "s"}}),
    ("stream_on_failure", {"version": "1.0", "requestContext": _INVOCATION, "KafkaBatchInfo": {"batchSize": 1}}),
    ("appsync_resolver", {**_ITEM, "request": {"headers": {}}}),
    ("appsync_resolver", {"typeName": "Query", "fieldName": "post", "arguments": {}}),
    ("appsync_resolver_batch", [_ITEM, _ITEM]),
    (
        "appsync_events",
        {"events": [], "info": {"channel": {"path": "/a"}, "channelNamespace": {"name": "a"}, "operation": "PUBLISH"}},
    ),
    ("cloudwatch_logs", {"awslogs": {"data": "H4sI"}}),
    ("cloudwatch_alarm", {"source": "aws.cloudwatch", "alarmArn": "arn:a", "alarmData": {}}),
    ("cloudwatch_dashboard", {"widgetContext": {"dashboardName": "d", "widgetId": "w"}}),
    ("cloudformation_custom_resource", {**_CUSTOM_RESOURCE, "ResponseURL": "https://a"}),
    ("cloudformation_custom_resource", {**_CUSTOM_RESOURCE, "ServiceToken": "arn:f"}),
    ("codepipeline_job", {"CodePipeline.job": {"id": "1", "data": {}}}),
    ("codedeploy_hook", {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e"}),
    ("config_rule", {"version": "1.0", "invokingEvent": "{}", "resultToken": "t"}),
    ("secretsmanager_rotation", {"SecretId": "arn:s", "ClientRequestToken": "t", "Step": "createSecret"}),
    ("s3_batch", {"invocationSchemaVersion": "1.0", "invocationId": "1", "job": {}, "tasks": []}),
    ("s3_object_lambda", {"xAmzRequestId": "1", "getObjectContext": {}, "userRequest": {}}),
    ("s3_object_lambda", {"xAmzRequestId": "1", "headObjectContext": {}, "userRequest": {}}),
    ("bedrock_agent_api", {**_AGENT, "apiPath": "/a", "httpMethod": "GET"}),
    ("bedrock_agent_function", {**_AGENT, "function": "f"}),
    ("lex_v1", {**_LEX, "currentIntent": {"name": "i"}}),
    ("lex_v2", {**_LEX, "sessionState": {"intent": {"name": "i"}}}),
    ("connect_contact_flow", {"Name": "ContactFlowEvent", "Details": {"ContactData": {}, "Parameters": {}}}),
    ("alexa_skill", {"version": "1.0", "context": {"System": {}}, "request": {"type": "LaunchRequest"}}),
    ("alexa_smart_home", {"directive": _DIRECTIVE}),
    ("alexa_smart_home", _DIRECTIVE),
    ("workmail", {"summaryVersion": "2019-07-28", "envelope": {}, "flowDirection": "INBOUND"}),
    ("cognito_pre_signup", _user_pool("PreSignUp_SignUp")),
    ("cognito_post_confirmation", _user_pool("PostConfirmation_ConfirmForgotPassword")),
    ("cognito_pre_authentication", _user_pool("PreAuthentication_Authentication")),
    ("cognito_post_authentication", _user_pool("PostAuthentication_Authentication")),
    ("cognito_pre_token_generation", _user_pool("TokenGeneration_RefreshTokens")),
    ("cognito_user_migration", _user_pool("UserMigration_ForgotPassword")),
    ("cognito_define_auth_challenge", _user_pool("DefineAuthChallenge_Authentication")),
    ("cognito_create_auth_challenge", _user_pool("CreateAuthChallenge_Authentication")),
    ("cognito_verify_auth_challenge", _user_pool("VerifyAuthChallengeResponse_Authentication")),
    ("cognito_custom_message", _user_pool("CustomMessage_SignUp")),
    ("cognito_custom_email_sender", _user_pool("CustomEmailSender_SignUp")),
    ("cognito_custom_sms_sender", _user_pool("CustomSMSSender_Authentication")),
    ("cognito_inbound_federation", _user_pool("InboundFederation_ExternalProvider")),
    ("cognito_sync", {"version": 2, "eventType": "SyncTrigger", "datasetName": "d", "datasetRecords": {}}),
    ("iot_button", {"serialNumber": "G030", "clickType": "SINGLE", "batteryVoltage": "2000 mV"}),
    ("iot_registry", {"eventType": "THING_EVENT", "eventId": "1", "timestamp": 1, "operation": "CREATED"}),
    ("sagemaker_groundtruth", {"version": "2018-10-16", "labelingJobArn": "arn:j", "dataObject": {}}),
    ("sagemaker_groundtruth", {"version": "2018-10-06", "labelingJobArn": "arn:j", "payload": {"s3Uri": "s3://a"}}),
    ("transfer_custom_idp", {"username": "u", "protocol": "SFTP", "serverId": "s-1", "sourceIp": "192.0.2.1"}),
    ("stepfunctions", {"Error": "States.Timeout", "Cause": "too long"}),
    ("eventbridge_schedule", {"source": "aws.events", "detailType": "Scheduled Event", "detail": {}}),
    ("eventbridge", {"source": "shop", "account": "1", "region": "eu-west-1", "resources": [], "detail": {}}),
    ("cloudwatch_logs", {"awsLogs": {"data": "H4sI"}}),
    (
        "cloudformation_custom_resource",
        {"requestType": "Create", "requestId": "1", "stackId": "s", "resourceType": "Custom::A", "responseUrl": "a"},
    ),
    (DIRECT, {"order": 12}),
]


@pytest.mark.parametrize(("label", "event"), EVENTS, ids=[f"{label}-{n}" for n, (label, _) in enumerate(EVENTS)])
def test_a_minimal_event_gets_its_label(label: str, event: Json) -> None:
    """What a service always sends is enough to tell it."""
    assert identify(event) == label


def test_every_label_has_an_example() -> None:
    """LABELS is what identify can return: each has a minimal event above, and there is no other."""
    assert {label for label, _ in EVENTS} == LABELS


CONFUSABLE: dict[str, tuple[str, Json]] = {
    "a $default route is no sign of a function URL": (
        "apigw_v2",
        {**_HTTP_2, "requestContext": {"http": {}, "routeKey": "$default", "domainName": "a.execute-api.aws.com"}},
    ),
    "a REST API whose host looks like a function URL": (
        "apigw_v1",
        {**_REST, "requestContext": {**_REST_CONTEXT, "domainName": "a.lambda-url.eu-west-1.on.aws"}},
    ),
    "an ALB that sends what a REST API sends": ("alb", {**_REST, "requestContext": {"elb": {"targetGroupArn": "arn"}}}),
    "a websocket that sends what a REST API sends": ("apigw_websocket", {**_REST, "requestContext": _SOCKET_CONTEXT}),
    "a request authorizer with a token": (
        "apigw_authorizer_request",
        {**_REST, "type": "REQUEST", "methodArn": "a", "authorizationToken": "t", "requestContext": _REST_CONTEXT},
    ),
    "a Bedrock agent has an httpMethod": ("bedrock_agent_api", {**_AGENT, "apiPath": "/", "httpMethod": "GET"}),
    "an API call on a bucket that CloudTrail reports": (
        "eventbridge",
        {**_BUS, "source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": {}},
    ),
    "another event of aws.events": (
        "eventbridge",
        {**_BUS, "source": "aws.events", "detail-type": "Example event", "detail": {}},
    ),
    "a custom event called Scheduled Event": (
        "eventbridge",
        {**_SCHEDULE, "source": "shop", "detail": {}},
    ),
    "an alarm by way of EventBridge": (
        "eventbridge",
        {
            **_BUS,
            "source": "aws.cloudwatch",
            "detail-type": "CloudWatch Alarm State Change",
            "detail": {"alarmName": "a"},
        },
    ),
    "a destination by way of EventBridge": (
        "eventbridge",
        {
            **_BUS,
            "source": "lambda",
            "detail-type": "Lambda Function Invocation Result - Success",
            "detail": {"requestContext": _INVOCATION, "requestPayload": {}},
        },
    ),
    "an alarm by way of SNS": (
        "sns",
        {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": '{"AlarmArn": "a"}'}}]},
    ),
    "an S3 notification inside SQS": ("sqs", _records("aws:sqs", body='{"Records": [{"eventSource": "aws:s3"}]}')),
    "a schedule that lacks its version": (
        "eventbridge_schedule",
        {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
    ),
    "records of two sources: the first decides": (
        "s3",
        {"Records": [{"eventSource": "aws:s3"}, {"eventSource": "aws:sqs"}]},
    ),
    "a list of resolver calls": ("appsync_resolver_batch", [_ITEM]),
}


@pytest.mark.parametrize("case", CONFUSABLE)
def test_events_that_look_alike_are_told_apart(case: str) -> None:
    """Where two sources share keys, the one key they do not share decides."""
    label, event = CONFUSABLE[case]
    assert identify(event) == label


DIRECT_PAYLOADS: list[Json] = [
    None,
    True,
    0,
    1.5,
    "aws:s3",
    b"{}",
    [],
    {},
    [[]],
    [{"info": {"fieldName": "a"}}],
    [{"eventSource": "aws:sqs", "body": "by way of an EventBridge pipe"}],
    {"Records": []},
    {"Records": [{"eventSource": "minio:s3"}]},
    {"Records": [{"body": "nobody signed this"}]},
    {"Records": {"eventSource": "aws:s3"}},
    {"Records": "aws:s3"},
    {"eventSource": "aws:s3"},
    {"eventSource": "aws:sqs", "body": "one record, passed on"},
    {"eventSource": "aws:kafka", "topic": "one record, passed on"},
    {"source": "x"},
    {"source": "x", "detail": {}},
    {"version": "2.0"},
    {"requestContext": {}},
    {"requestContext": {"connectionId": "1"}},
    {"requestContext": {}, "resource": "/a", "httpMethod": "GET"},
    {"httpMethod": "GET", "path": "/a", "body": "a test without a requestContext"},
    {"type": "REQUEST"},
    {"type": "TOKEN", "authorizationToken": "t"},
    {"authorizationToken": "t", "requestContext": {"operation": "delete"}},
    {"records": [{"id": 1}], "invocationId": "1"},
    {"bot": "a", "messageVersion": "1.0"},
    {"triggerSource": "PreSignUp_SignUp"},
    {"triggerSource": "Nightly_Run", "userPoolId": "p"},
    {"header": {"name": "a"}, "payload": {}},
    {"serverId": "web-1", "username": "u", "protocol": "https", "sourceIp": "192.0.2.1"},
    {"eventType": "ORDER_EVENT", "eventId": "1", "operation": "CREATED", "timestamp": 1},
    {"Error": "a", "Cause": "b", "order": 12},
    {"isFinalInvokeForWindow": True, "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:q"},
    {"DurableExecutionArn": "arn:e", "CheckpointToken": "t", "InitialExecutionState": {}},
    {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"},
    {"batchItemFailures": []},
    {"isAuthorized": True, "resolverContext": {}},
]


@pytest.mark.parametrize("payload", DIRECT_PAYLOADS, ids=repr)
def test_a_payload_of_the_callers_own_is_direct(payload: Json) -> None:
    """A key or two that AWS uses as well do not make an event."""
    assert identify(payload) == DIRECT


# Laws. The keys and strings of the minimal events are in the JSON that Hypothesis makes, to come close to real events.


def _walk(value: Json, path: Route = ()) -> Iterator[tuple[Route, Json]]:
    """A JSON value and all the values in it, each with its path."""
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _walk(child, (*path, key))


def _replaced(value: Json, path: Route, new: Json) -> Json:
    """A copy with another value at a path."""
    if not path:
        return new
    changed = copy.deepcopy(value)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return changed


_VALUES = [value for _, event in EVENTS for _, value in _walk(event)]
_KEYS = sorted({key for value in _VALUES if isinstance(value, dict) for key in value})
_STRINGS = sorted({value for value in _VALUES if isinstance(value, str)})

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(_STRINGS)
_keys = st.sampled_from(_KEYS) | st.text() | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
_json: SearchStrategy[Json] = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=6), max_leaves=20
)


@st.composite
def _damaged(draw: st.DrawFn) -> Json:
    """A minimal event with up to three of its values replaced by any JSON."""
    event = draw(st.sampled_from(EVENTS))[1]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from([path for path, _ in _walk(event)]))
        event = _replaced(event, path, draw(_json))
    return event


@given(_json | st.dictionaries(_keys, _json, max_size=6))
def test_any_json_has_a_label(event: Json) -> None:
    """Whatever is sent, identify answers with a label and raises nothing."""
    assert identify(event) in LABELS


@given(_damaged())
def test_a_damaged_event_has_a_label(event: Json) -> None:
    """Wrong types at any place of a realistic event raise nothing."""
    assert identify(event) in LABELS


@given(_damaged())
def test_an_event_is_left_as_it_was(event: Json) -> None:
    """The handler gets the event as it came."""
    before = repr(event)
    identify(event)
    assert repr(event) == before


@given(st.sampled_from(EVENTS), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(example: tuple[str, Json], random: Any) -> None:
    """JSON objects have no order, so the label does not depend on one."""
    label, event = example
    if isinstance(event, dict):
        event = dict(random.sample(list(event.items()), len(event)))
    assert identify(event) == label


@given(
    st.sampled_from(
        [(label, event) for label, event in EVENTS if label != "stepfunctions" and isinstance(event, dict)]
    ),
    st.dictionaries(st.text().filter(lambda key: key not in _KEYS), _json, max_size=3),
)
def test_a_key_that_aws_adds_later_changes_nothing(example: tuple[str, Json], added: dict[str, Json]) -> None:
    """Services add keys to their events without notice."""
    label, event = example
    assert identify({**added, **event}) == label


@pytest.mark.parametrize("key", _KEYS)
def test_no_key_tells_a_source_by_its_name_alone(key: str) -> None:
    """A payload of one key with a plain value is direct, whatever the key is called."""
    values: list[Json] = [None, True, 1, 1.5, "a", "aws:s3", [], {}]
    assert {identify({key: value}) for value in values} == {DIRECT}


# Cost


class Counting(dict[str, Any]):
    """An event that counts how often it is asked for a key."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event)
        self.asked: Counter[str] = Counter()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked[key] += 1
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked[str(key)] += 1
        return super().__contains__(key)

    def keys(self) -> Any:
        self.asked["keys()"] += 1
        return super().keys()


@pytest.mark.parametrize(
    ("label", "look_ups"),
    [
        ("sqs", 1),
        ("s3", 1),
        ("sns", 1),
        ("kinesis", 1),
        ("dynamodb", 1),
        ("eventbridge_schedule", 9),
        ("eventbridge", 13),
        ("apigw_v2", 12),
        ("function_url", 12),
        ("apigw_v1", 12),
    ],
)
def test_common_sources_cost_few_look_ups(label: str, look_ups: int) -> None:
    """Each warm invocation pays for identify: the common sources are decided first."""
    event = Counting(next(event for known, event in EVENTS if known == label))
    identify(event)
    assert event.asked.total() <= look_ups


def test_the_module_imports_typing_alone() -> None:
    """Each cold start pays for what identify imports."""
    tree = ast.parse(Path(identify.__code__.co_filename).read_text())
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {getattr(node, "module", None) for node in imports} == {"__future__", "typing"}
