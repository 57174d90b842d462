"""Realistic raw events for tests: one function a source, named as ``identify`` labels it.

``events.s3("uploads", "a.jpg")`` is what Lambda would hand to a function. In the place of a name a builder takes the
handler that is to be tested, and makes an event which that handler takes: ``events.s3(ingest)``, or whatever the source
``events.sample(ingest)``. The same arguments give the same event, ids and times included; records of one event differ.
Unless they are told another, what happens in them happened at ``TIME``, which is 2026-01-01 12:00 UTC.

A payload (a message body, a detail, an image) is given as text, as a Pydantic model, a dataclass, a dict or any other
JSON value. ``builder`` finds a builder by its name, for programs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lambdakit.testing.events.values import TIME

if TYPE_CHECKING:
    from lambdakit.testing.events.authorizers import (
        apigw_authorizer_request,
        apigw_authorizer_token,
        apigw_authorizer_v2,
        apigw_authorizer_websocket,
        appsync_authorizer,
        authorizer,
    )
    from lambdakit.testing.events.brokers import activemq, documentdb, kafka_msk, kafka_self_managed, rabbitmq
    from lambdakit.testing.events.conversations import (
        alexa_skill,
        alexa_smart_home,
        bedrock_agent_api,
        bedrock_agent_function,
        connect_contact_flow,
        lex_v1,
        lex_v2,
        ses,
        workmail,
    )
    from lambdakit.testing.events.dynamodb_changes import dynamodb
    from lambdakit.testing.events.eventbridge_events import eventbridge
    from lambdakit.testing.events.graphql import appsync_events, appsync_resolver, appsync_resolver_batch
    from lambdakit.testing.events.http_events import (
        alb,
        apigw_v1,
        apigw_v2,
        apigw_websocket,
        function_url,
        http,
        vpc_lattice_v1,
        vpc_lattice_v2,
    )
    from lambdakit.testing.events.invocations import invoke, stepfunctions
    from lambdakit.testing.events.kinesis_records import kinesis
    from lambdakit.testing.events.operations import (
        cloudformation_custom_resource,
        cloudfront,
        cloudwatch_alarm,
        cloudwatch_dashboard,
        codecommit,
        codedeploy_hook,
        codepipeline_job,
        config_rule,
        iot_button,
        iot_registry,
        lambda_destination,
        s3_object_lambda,
        sagemaker_groundtruth,
        secretsmanager_rotation,
        stream_on_failure,
        transfer_custom_idp,
    )
    from lambdakit.testing.events.s3_objects import s3, s3_eventbridge
    from lambdakit.testing.events.samples import sample
    from lambdakit.testing.events.scheduled_events import schedule
    from lambdakit.testing.events.service_batches import (
        cloudwatch_logs,
        firehose,
        kinesis_analytics_output,
        kinesis_analytics_preprocess,
        s3_batch,
    )
    from lambdakit.testing.events.sns_messages import sns
    from lambdakit.testing.events.sqs_messages import sqs
    from lambdakit.testing.events.user_pools import (
        cognito_create_auth_challenge,
        cognito_custom_email_sender,
        cognito_custom_message,
        cognito_custom_sms_sender,
        cognito_define_auth_challenge,
        cognito_inbound_federation,
        cognito_post_authentication,
        cognito_post_confirmation,
        cognito_pre_authentication,
        cognito_pre_signup,
        cognito_pre_token_generation,
        cognito_sync,
        cognito_user_migration,
        cognito_verify_auth_challenge,
    )

_BUILDERS = {
    "s3_objects": (
        "s3",
        "s3_eventbridge",
    ),
    "sqs_messages": ("sqs",),
    "sns_messages": ("sns",),
    "kinesis_records": ("kinesis",),
    "dynamodb_changes": ("dynamodb",),
    "eventbridge_events": ("eventbridge",),
    "scheduled_events": ("schedule",),
    "invocations": (
        "invoke",
        "stepfunctions",
    ),
    "http_events": (
        "http",
        "apigw_v2",
        "function_url",
        "apigw_v1",
        "alb",
        "apigw_websocket",
        "vpc_lattice_v1",
        "vpc_lattice_v2",
    ),
    "authorizers": (
        "apigw_authorizer_token",
        "apigw_authorizer_request",
        "apigw_authorizer_v2",
        "apigw_authorizer_websocket",
        "appsync_authorizer",
        "authorizer",
    ),
    "graphql": (
        "appsync_resolver",
        "appsync_resolver_batch",
        "appsync_events",
    ),
    "user_pools": (
        "cognito_pre_signup",
        "cognito_post_confirmation",
        "cognito_pre_authentication",
        "cognito_post_authentication",
        "cognito_pre_token_generation",
        "cognito_user_migration",
        "cognito_define_auth_challenge",
        "cognito_create_auth_challenge",
        "cognito_verify_auth_challenge",
        "cognito_custom_message",
        "cognito_custom_email_sender",
        "cognito_custom_sms_sender",
        "cognito_inbound_federation",
        "cognito_sync",
    ),
    "brokers": (
        "kafka_msk",
        "kafka_self_managed",
        "activemq",
        "rabbitmq",
        "documentdb",
    ),
    "service_batches": (
        "firehose",
        "kinesis_analytics_preprocess",
        "kinesis_analytics_output",
        "cloudwatch_logs",
        "s3_batch",
    ),
    "conversations": (
        "alexa_skill",
        "alexa_smart_home",
        "lex_v1",
        "lex_v2",
        "connect_contact_flow",
        "bedrock_agent_api",
        "bedrock_agent_function",
        "ses",
        "workmail",
    ),
    "operations": (
        "cloudformation_custom_resource",
        "codecommit",
        "codepipeline_job",
        "codedeploy_hook",
        "config_rule",
        "secretsmanager_rotation",
        "cloudwatch_alarm",
        "cloudwatch_dashboard",
        "lambda_destination",
        "stream_on_failure",
        "s3_object_lambda",
        "cloudfront",
        "transfer_custom_idp",
        "iot_button",
        "iot_registry",
        "sagemaker_groundtruth",
    ),
}
_HOMES = {name: module for module, names in _BUILDERS.items() for name in names}
_ALIASES = {"direct": "invoke", "eventbridge_schedule": "schedule", "websocket": "apigw_websocket"}

NAMES: tuple[str, ...] = tuple(sorted([*_HOMES, *_ALIASES]))
"""What ``builder`` knows: every label of ``identify``, and the sources of the decorators."""

__all__ = [
    "NAMES",
    "TIME",
    "activemq",
    "alb",
    "alexa_skill",
    "alexa_smart_home",
    "apigw_authorizer_request",
    "apigw_authorizer_token",
    "apigw_authorizer_v2",
    "apigw_authorizer_websocket",
    "apigw_v1",
    "apigw_v2",
    "apigw_websocket",
    "appsync_authorizer",
    "appsync_events",
    "appsync_resolver",
    "appsync_resolver_batch",
    "authorizer",
    "bedrock_agent_api",
    "bedrock_agent_function",
    "builder",
    "cloudformation_custom_resource",
    "cloudfront",
    "cloudwatch_alarm",
    "cloudwatch_dashboard",
    "cloudwatch_logs",
    "codecommit",
    "codedeploy_hook",
    "codepipeline_job",
    "cognito_create_auth_challenge",
    "cognito_custom_email_sender",
    "cognito_custom_message",
    "cognito_custom_sms_sender",
    "cognito_define_auth_challenge",
    "cognito_inbound_federation",
    "cognito_post_authentication",
    "cognito_post_confirmation",
    "cognito_pre_authentication",
    "cognito_pre_signup",
    "cognito_pre_token_generation",
    "cognito_sync",
    "cognito_user_migration",
    "cognito_verify_auth_challenge",
    "config_rule",
    "connect_contact_flow",
    "documentdb",
    "dynamodb",
    "eventbridge",
    "firehose",
    "function_url",
    "http",
    "invoke",
    "iot_button",
    "iot_registry",
    "kafka_msk",
    "kafka_self_managed",
    "kinesis",
    "kinesis_analytics_output",
    "kinesis_analytics_preprocess",
    "lambda_destination",
    "lex_v1",
    "lex_v2",
    "rabbitmq",
    "s3",
    "s3_batch",
    "s3_eventbridge",
    "s3_object_lambda",
    "sagemaker_groundtruth",
    "sample",
    "schedule",
    "secretsmanager_rotation",
    "ses",
    "sns",
    "sqs",
    "stepfunctions",
    "stream_on_failure",
    "transfer_custom_idp",
    "vpc_lattice_v1",
    "vpc_lattice_v2",
    "workmail",
]


def builder(name: str) -> Callable[..., Any]:
    """The builder of a source's events.

    Its parameters are its options: all but the first are simple values, which its docstring explains one by one; the
    first is a text where it is not a handler. ``*names`` stand for any number of values of what they name.

    Args:
        name: A label of ``identify`` (``"s3"``, ``"cloudwatch_logs"``), or a decorator's source (``"schedule"``).

    Raises:
        ValueError: there is none of that name.

    >>> builder("sqs")("orders", "hello")["Records"][0]["body"]
    'hello'
    """
    if name not in NAMES:
        from difflib import get_close_matches

        close = get_close_matches(name, NAMES, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"there is no builder of {name!r} events{meant} There are: {', '.join(NAMES)}")
    found: Callable[..., Any] = _load(_ALIASES.get(name, name))
    return found


def _load(name: str) -> Any:
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __getattr__(name: str) -> object:
    if name == "sample":
        return import_module(f"{__name__}.samples").sample
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _load(name)


def __dir__() -> list[str]:
    return __all__
