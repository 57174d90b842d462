"""Requests for a decision: what API Gateway and AppSync ask Lambda authorizers.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html and
https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lambdakit.testing.events.http_events import apigw_v1, apigw_v2, apigw_websocket
from lambdakit.testing.events.http_request import Values  # noqa: TC001 - programs read the signatures
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import ACCOUNT, REGION, TIME, Event, letters, uuid
from lambdakit.triggers.settings import check_choice


def authorizer(
    type: Source = "REQUEST",  # noqa: A002 - AWS's name
    *,
    protocol_type: str = "REST",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What an authorizer is asked, whatever API it guards.

    Args:
        type: ``REQUEST``, ``TOKEN`` or ``AWS_LAMBDA``, or the handler that decides.
        protocol_type: The kind of API that asks an authorizer of the type REQUEST: ``REST``, ``HTTP``, ``WEBSOCKET``.
        region: The API's region.
        account: The API's account.

    >>> authorizer("REQUEST", protocol_type="HTTP")["version"]
    '2.0'
    """
    trigger = trigger_of(type, "authorizer")
    kind = trigger.type if trigger else type
    check_choice("type", kind, ("REQUEST", "TOKEN", "AWS_LAMBDA"))
    if kind == "AWS_LAMBDA":
        return appsync_authorizer(account=account)
    if kind == "TOKEN":
        return apigw_authorizer_token(region=region, account=account)
    builders: dict[str, Callable[..., Event]] = {
        "REST": apigw_authorizer_request,
        "HTTP": apigw_authorizer_v2,
        "WEBSOCKET": apigw_authorizer_websocket,
    }
    protocol = (trigger.protocol_type if trigger else None) or protocol_type
    check_choice("protocol_type", protocol, builders)
    return builders[protocol](region=region, account=account)


def apigw_authorizer_token(
    credentials: str = "Bearer allow-me",
    *,
    route: str = "GET /orders",
    stage: str = "prod",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a REST API asks an authorizer of the kind ``TOKEN``.

    Args:
        credentials: The value of the header that holds the token.
        route: The method and the path of the request.
        stage: The API's stage.
        region: The API's region.
        account: The API's account.

    >>> apigw_authorizer_token("Bearer abc")["type"]
    'TOKEN'
    """
    guarded = apigw_v1(route, stage=stage, region=region, account=account)
    return {"type": "TOKEN", "authorizationToken": credentials, "methodArn": _method_arn(guarded, region, account)}


def apigw_authorizer_request(
    route: str = "GET /orders?limit=10",
    *,
    query: Values | None = None,
    headers: Values | None = None,
    stage: str = "prod",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a REST API asks an authorizer of the kind ``REQUEST``.

    Args:
        route: The method and the path of the request.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        stage: The API's stage.
        time: When the request arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_authorizer_request("GET /orders")["methodArn"].endswith("/prod/GET/orders")
    True
    """
    guarded = apigw_v1(
        route, query=query, headers=_signed(headers), stage=stage, time=time, region=region, account=account
    )
    del guarded["body"], guarded["isBase64Encoded"]
    guarded |= {name: guarded[name] or {} for name in ("pathParameters", "stageVariables")}
    return {"type": "REQUEST", "methodArn": _method_arn(guarded, region, account), **guarded}


def apigw_authorizer_v2(
    route: str = "GET /orders?limit=10",
    *,
    query: Values | None = None,
    headers: Values | None = None,
    stage: str = "$default",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What an HTTP API asks an authorizer, in payload format 2.0.

    Args:
        route: The method and the path of the request.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        stage: The API's stage.
        time: When the request arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_authorizer_v2(headers={"authorization": "abc"})["identitySource"]
    ['abc']
    """
    guarded = apigw_v2(
        route,
        query=query,
        headers=_signed(headers),
        cookies=["theme=dark"],
        stage=stage,
        time=time,
        region=region,
        account=account,
    )
    del guarded["isBase64Encoded"]
    context = guarded["requestContext"]
    method, path = context["http"]["method"], guarded["rawPath"]
    return {
        **guarded,
        "type": "REQUEST",
        "routeArn": f"arn:aws:execute-api:{region}:{account}:{context['apiId']}/{stage}/{method}{path}",
        "identitySource": [guarded["headers"]["authorization"]],
    }


def apigw_authorizer_websocket(
    *,
    query: Values | None = None,
    headers: Values | None = None,
    stage: str = "prod",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a WebSocket API asks an authorizer when a client connects.

    Args:
        query: The query of the client's request: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        stage: The API's stage.
        time: When the request arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_authorizer_websocket()["requestContext"]["eventType"]
    'CONNECT'
    """
    guarded = apigw_websocket(
        "$connect", query=query, headers=_signed(headers), stage=stage, time=time, region=region, account=account
    )
    del guarded["isBase64Encoded"]
    api = guarded["requestContext"]["apiId"]
    return {
        "type": "REQUEST",
        "methodArn": f"arn:aws:execute-api:{region}:{account}:{api}/{stage}/$connect",
        "queryStringParameters": {},
        "multiValueQueryStringParameters": {},
        "stageVariables": {},
        **guarded,
    }


def appsync_authorizer(
    credentials: str = "allow-me",
    *,
    query: str = "query Orders($limit: Int) { orders(limit: $limit) { id } }",
    operation_name: str | None = "Orders",
    variables: Mapping[str, Any] | None = None,
    account: str = ACCOUNT,
) -> Event:
    """What a GraphQL API of AppSync asks an authorizer.

    Args:
        credentials: The token that the client sent.
        query: The client's GraphQL document.
        operation_name: The operation of the document that is asked for.
        variables: The variables of the query.
        account: The API's account.

    >>> appsync_authorizer("abc")["authorizationToken"]
    'abc'
    """
    return {
        "authorizationToken": credentials,
        "requestContext": {
            "apiId": letters(26, "graphql-api", account).lower(),
            "accountId": account,
            "requestId": uuid("request", credentials, query),
            "queryString": query,
            "operationName": operation_name,
            "variables": dict(variables or {"limit": 10}),
        },
        "requestHeaders": {"content-type": "application/json", "user-agent": "curl/8.10.1"},
    }


def _signed(headers: Values | None) -> Values:
    given = headers or {}
    has_token = any(name.lower() == "authorization" for name in given)
    return given if has_token else {"Authorization": "Bearer allow-me", **given}


def _method_arn(guarded: Event, region: str, account: str) -> str:
    context = guarded["requestContext"]
    request = f"{context['apiId']}/{context['stage']}/{guarded['httpMethod']}{guarded['path']}"
    return f"arn:aws:execute-api:{region}:{account}:{request}"
