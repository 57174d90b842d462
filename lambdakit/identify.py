"""A raw event -> the label of the source that sent it.

AWS has no field that names the source of every event, so there are two ways to tell. Some services write a name of
their own into the event: a dict from that name to the label decides. The others are known by keys that only they send
together: an ordered table, in which an event that carries another one inside (an authorizer's, the request it guards)
stands before it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html and the page of each service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Event = dict[str, Any]  # what json.loads makes of an object; nothing is known of its values
    Test = Callable[[Event, Event], bool]

__all__ = ["DIRECT", "LABELS", "identify"]

DIRECT: Final = "direct"
_APPSYNC_BATCH: Final = "appsync_resolver_batch"
_NOTHING: Final[Event] = {}  # stands for a part that is missing or of another type; never changed


def identify(event: object) -> str:
    """Tell which source sent an event.

    Never raises: whatever the event is, it has an answer.

    Args:
        event: What Lambda hands to a handler, as ``json.loads`` leaves it.

    Returns:
        One of ``LABELS``. Of records from several sources the first one decides; an event that fits nothing AWS sends
        (a caller's own payload, what a Step Functions state, an IoT rule or a schedule with its own input passes on) is
        ``"direct"``.

    >>> identify({"Records": [{"eventSource": "aws:sqs", "body": "hello"}]})
    'sqs'
    >>> identify({"order": 12})
    'direct'
    """
    if isinstance(event, dict):
        return _by_name(event) or _by_shape(event)
    # A BatchInvoke resolver is the one source here that sends a list.
    first = _first(event)
    return _APPSYNC_BATCH if "arguments" in first and "fieldName" in _part(first, "info") else DIRECT


def _by_name(event: Event) -> str | None:
    """The label for the name that the source writes into the event or its first record."""
    record = _first(event.get("Records") or event.get("records"))  # lower case: see the end of _SHAPES
    name = record.get("eventSource") or record.get("EventSource")  # SNS alone capitalises it
    if isinstance(name, str):
        return _RECORDS.get(name)
    name = event.get("eventSource")
    if isinstance(name, str) and name in _POLLED:
        label, messages = _POLLED[name]
        return label if messages in event else None
    trigger = event.get("triggerSource")
    if isinstance(trigger, str) and "userPoolId" in event:
        return _COGNITO.get(trigger.partition("_")[0])
    return None


def _by_shape(event: Event) -> str:
    """The label of the first row of the table that the event fits."""
    for key, rules in _SHAPES.items():
        if key in event:
            part = _part(event, key)
            for label, fits in rules.items():
                if fits(event, part):
                    return label
    return DIRECT


# Reading an event of unknown shape


def _part(event: Event, key: str) -> Event:
    """The object at a key, or an empty one."""
    part = event.get(key)
    return part if isinstance(part, dict) else _NOTHING


def _text(event: Event, key: str) -> str:
    """The string at a key, or an empty one."""
    text = event.get(key)
    return text if isinstance(text, str) else ""


def _first(items: object) -> Event:
    """The first object of a list, or an empty one."""
    return items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else _NOTHING


# Tests take the event and the object at the key of their row, which is empty where something else is there


def _has(*keys: str) -> Test:
    """A test: the event has all of these keys as well."""
    wanted = frozenset(keys)
    return lambda event, _: event.keys() >= wanted


def _holds(*keys: str) -> Test:
    """A test: the object at the row's key has all of these keys."""
    wanted = frozenset(keys)
    return lambda _, part: part.keys() >= wanted


def _is_bus_event(event: Event, _: Event) -> bool:
    # detail may be anything: EventBridge Scheduler sends it as the string "{}".
    return "detail" in event and bool(_text(event, "source") and _text(event, "detail-type"))


def _is_schedule(event: Event, _: Event) -> bool:
    # By both names: rules also match other events of aws.events, and a custom event can have any detail-type.
    name = event.get("detail-type") or event.get("detailType")
    return name == "Scheduled Event" and event.get("source") in ("aws.events", "aws.scheduler") and "detail" in event


def _is_s3_notification(event: Event, _: Event) -> bool:
    # aws.s3 is also the source of the API calls that CloudTrail reports.
    return event.get("source") == "aws.s3" and _text(event, "detail-type").startswith("Object ") and "detail" in event


def _is_bus_event_without_type(event: Event, _: Event) -> bool:
    return event.keys() >= {"account", "region", "resources"} and bool(_text(event, "source"))


def _is_websocket_authorizer(event: Event, _: Event) -> bool:
    return event.get("type") == "REQUEST" and "connectionId" in _part(event, "requestContext")


def _is_request_authorizer(event: Event, _: Event) -> bool:
    return event.get("type") == "REQUEST"


def _is_token_authorizer(event: Event, _: Event) -> bool:
    return event.get("type") == "TOKEN" and "authorizationToken" in event


def _is_appsync_authorizer(event: Event, _: Event) -> bool:
    # GraphQL APIs send the query; Event APIs send EVENT_CONNECT, EVENT_SUBSCRIBE or EVENT_PUBLISH and the channel.
    context = _part(event, "requestContext")
    return "queryString" in context or _text(context, "operation").startswith("EVENT_")


def _is_http_api(event: Event, context: Event) -> bool:
    return "http" in context and "rawPath" in event


def _is_function_url(event: Event, context: Event) -> bool:
    # The domain is all in which a function URL differs from an HTTP API; $default is a route of both.
    return ".lambda-url." in _text(context, "domainName") and _is_http_api(event, context)


def _is_alb(event: Event, context: Event) -> bool:
    return "elb" in context and "httpMethod" in event


def _is_rest_api(event: Event, context: Event) -> bool:
    # HTTP APIs in payload format 1.0 send the same event.
    return bool(context) and "httpMethod" in event and ("resource" in event or "resourcePath" in context)


def _is_destination(event: Event, context: Event) -> bool:
    return "condition" in context and "requestPayload" in event


def _is_failed_batch(event: Event, context: Event) -> bool:
    return "condition" in context and not _FAILED_BATCHES.isdisjoint(event)


def _is_resolver(event: Event, _: Event) -> bool:
    # Amplify's @function directive has the names at the top, AppSync's direct resolvers have them in info.
    return "fieldName" in _part(event, "info") or event.keys() >= {"typeName", "fieldName"}


def _is_cloudfront(event: Event, _: Event) -> bool:
    return "config" in _part(_first(event["Records"]), "cf")


def _is_firehose(event: Event, _: Event) -> bool:
    # Samples leave out the stream's ARN; then the records, which are answered by their id, must tell.
    records = event["records"]
    signed = "deliveryStreamArn" in event or _first(records).keys() >= {"recordId", "data"}
    return signed and isinstance(records, list) and "invocationId" in event


def _is_kinesis_window(event: Event, _: Event) -> bool:
    return ":kinesis:" in _text(event, "eventSourceARN")


def _is_dynamodb_window(event: Event, _: Event) -> bool:
    return ":dynamodb:" in _text(event, "eventSourceARN")


def _is_alexa_skill(event: Event, context: Event) -> bool:
    # There is no session in the requests of audio players and of skill events.
    return "System" in context and "type" in _part(event, "request")


def _is_alexa_message(message: Event, header: Event) -> bool:
    return "payload" in message and header.keys() >= {"namespace", "name", "payloadVersion"}


def _is_alexa_directive(_: Event, directive: Event) -> bool:
    return _is_alexa_message(directive, _part(directive, "header"))


def _is_sync_trigger(event: Event, _: Event) -> bool:
    return event.get("eventType") == "SyncTrigger"


def _is_thing_event(event: Event, _: Event) -> bool:
    return _text(event, "eventType").startswith("THING_") and event.keys() >= {"eventId", "operation", "timestamp"}


def _is_labeling(event: Event, _: Event) -> bool:
    # Before the workers have seen an object, and after.
    return "dataObject" in event or "payload" in event


def _is_transfer_login(event: Event, _: Event) -> bool:
    return _text(event, "serverId").startswith("s-") and event.keys() >= {"username", "protocol", "sourceIp"}


def _is_step_error(event: Event, _: Event) -> bool:
    # What a Catch hands to the next state: two strings, and nothing beside them.
    return len(event) == 2 and isinstance(event["Error"], str) and isinstance(event.get("Cause"), str)


# eventSource of a record -> label
_RECORDS: Final[dict[str, str]] = {
    "aws:sqs": "sqs",
    "aws:s3": "s3",
    "aws:sns": "sns",
    "aws:kinesis": "kinesis",
    "aws:dynamodb": "dynamodb",
    "aws:ses": "ses",
    "aws:codecommit": "codecommit",
}

# eventSource of the whole event -> label, and the key that holds its messages. The key keeps a single record that
# somebody passes on (it has the same eventSource) apart from the batch.
_POLLED: Final[dict[str, tuple[str, str]]] = {
    "aws:kafka": ("kafka_msk", "records"),
    "SelfManagedKafka": ("kafka_self_managed", "records"),
    "aws:SelfManagedKafka": ("kafka_self_managed", "records"),  # as the documentation once had it
    "aws:mq": ("activemq", "messages"),
    "aws:amq": ("activemq", "messages"),  # as the documentation once had it
    "aws:rmq": ("rabbitmq", "rmqMessagesByQueue"),
    "aws:docdb": ("documentdb", "events"),
}

# triggerSource of a user pool up to its underscore -> label
_COGNITO: Final[dict[str, str]] = {
    "PreSignUp": "cognito_pre_signup",
    "PostConfirmation": "cognito_post_confirmation",
    "PreAuthentication": "cognito_pre_authentication",
    "PostAuthentication": "cognito_post_authentication",
    "TokenGeneration": "cognito_pre_token_generation",
    "UserMigration": "cognito_user_migration",
    "DefineAuthChallenge": "cognito_define_auth_challenge",
    "CreateAuthChallenge": "cognito_create_auth_challenge",
    "VerifyAuthChallengeResponse": "cognito_verify_auth_challenge",
    "CustomMessage": "cognito_custom_message",
    "CustomEmailSender": "cognito_custom_email_sender",
    "CustomSMSSender": "cognito_custom_sms_sender",
    "InboundFederation": "cognito_inbound_federation",
}

# What a stream's event source mapping says of a batch it gave up; the key depends on the stream.
_FAILED_BATCHES: Final = frozenset({"KinesisBatchInfo", "DDBStreamBatchInfo", "KafkaBatchInfo"})

# A key the event must have (so that a row which does not apply costs one look-up) -> label -> what else must hold.
_SHAPES: Final[dict[str, dict[str, Test]]] = {
    "detail-type": {
        "eventbridge_schedule": _is_schedule,
        "s3_eventbridge": _is_s3_notification,
        "eventbridge": _is_bus_event,
    },
    # Authorizers carry the request they guard, so they come before the requests.
    "methodArn": {
        "apigw_authorizer_websocket": _is_websocket_authorizer,
        "apigw_authorizer_request": _is_request_authorizer,
        "apigw_authorizer_token": _is_token_authorizer,
    },
    "routeArn": {"apigw_authorizer_v2": _is_request_authorizer},
    "authorizationToken": {"appsync_authorizer": _is_appsync_authorizer},
    # ALB and WebSocket events can have all that a REST API's event has.
    "requestContext": {
        "function_url": _is_function_url,
        "apigw_v2": _is_http_api,
        "alb": _is_alb,
        "apigw_websocket": _holds("connectionId", "routeKey"),
        "vpc_lattice_v2": _holds("serviceNetworkArn"),
        "apigw_v1": _is_rest_api,
        "lambda_destination": _is_destination,
        "stream_on_failure": _is_failed_batch,
    },
    "raw_path": {"vpc_lattice_v1": _has("method", "is_base64_encoded")},
    "arguments": {"appsync_resolver": _is_resolver},
    "info": {"appsync_events": _holds("channel", "channelNamespace")},
    "Records": {"cloudfront": _is_cloudfront},
    # Both have applicationArn; only what comes before the SQL reads a stream.
    "applicationArn": {
        "kinesis_analytics_preprocess": _has("invocationId", "records", "streamArn"),
        "kinesis_analytics_output": _has("invocationId", "records"),
    },
    "records": {"firehose": _is_firehose},
    # The last call of a tumbling window is about its state; it can be without records.
    "isFinalInvokeForWindow": {"kinesis": _is_kinesis_window, "dynamodb": _is_dynamodb_window},
    "awslogs": {"cloudwatch_logs": _holds("data")},
    "alarmArn": {"cloudwatch_alarm": _has("alarmData")},
    "widgetContext": {"cloudwatch_dashboard": _holds("dashboardName")},
    # By way of the CDK's provider framework there is no ResponseURL.
    "RequestType": {"cloudformation_custom_resource": _has("StackId", "RequestId", "ResourceType")},
    "CodePipeline.job": {"codepipeline_job": _holds("id")},
    "LifecycleEventHookExecutionId": {"codedeploy_hook": _has("DeploymentId")},
    "resultToken": {"config_rule": _has("invokingEvent")},
    "ClientRequestToken": {"secretsmanager_rotation": _has("SecretId", "Step")},
    "invocationSchemaVersion": {"s3_batch": _has("invocationId", "tasks")},
    # getObjectContext, headObjectContext or listObjectsContext, by the operation.
    "xAmzRequestId": {"s3_object_lambda": _has("userRequest")},
    "actionGroup": {
        "bedrock_agent_api": _has("messageVersion", "agent", "apiPath"),
        "bedrock_agent_function": _has("messageVersion", "agent", "function"),
    },
    "bot": {
        "lex_v1": _has("messageVersion", "currentIntent"),
        "lex_v2": _has("messageVersion", "sessionState"),
    },
    "Details": {"connect_contact_flow": _holds("ContactData")},
    "context": {"alexa_skill": _is_alexa_skill},
    "directive": {"alexa_smart_home": _is_alexa_directive},
    "header": {"alexa_smart_home": _is_alexa_message},  # before version 3 of the interface
    "flowDirection": {"workmail": _has("summaryVersion", "envelope")},
    "datasetName": {"cognito_sync": _is_sync_trigger},
    "clickType": {"iot_button": _has("serialNumber")},
    "eventType": {"iot_registry": _is_thing_event},
    "labelingJobArn": {"sagemaker_groundtruth": _is_labeling},
    "serverId": {"transfer_custom_idp": _is_transfer_login},
    "Error": {"stepfunctions": _is_step_error},
    # The event classes of Java that a plain mapper wrote as JSON again have the names of their fields: no service
    # sends these, but tests and replays do.
    "detailType": {"eventbridge_schedule": _is_schedule},
    "detail": {"eventbridge": _is_bus_event_without_type},
    "awsLogs": {"cloudwatch_logs": _holds("data")},
    "requestType": {"cloudformation_custom_resource": _has("stackId", "requestId", "resourceType", "responseUrl")},
}

LABELS: Final[frozenset[str]] = frozenset(
    {
        DIRECT,
        _APPSYNC_BATCH,
        *_RECORDS.values(),
        *(label for label, _ in _POLLED.values()),
        *_COGNITO.values(),
        *(label for rules in _SHAPES.values() for label in rules),
    }
)
