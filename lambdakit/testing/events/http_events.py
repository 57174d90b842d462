"""HTTP requests, in the form that each service gives them.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, unquote

from lambdakit.testing.events.http_request import AGENT, Request, Values, joined, request, route_text
from lambdakit.testing.events.payload_examples import payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    ADDRESS,
    REGION,
    TIME,
    Event,
    clf,
    hexadecimal,
    letters,
    milliseconds,
    present,
    text_of,
    token,
    uuid,
)
from lambdakit.triggers.settings import check_choice


def http(
    route: Source = "GET /orders?limit=10",
    *,
    api: str = "apigw_v2",
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    body: Any = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request, by way of whatever brings HTTP to functions.

    Args:
        route: ``POST /orders/{id}``, a path alone for GET, or the handler of a route.
        api: ``apigw_v2``, ``apigw_v1``, ``function_url``, ``alb``, ``vpc_lattice_v1`` or ``vpc_lattice_v2``.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        region: The region.
        account: The account.

    >>> http("GET /orders", api="alb")["path"]
    '/orders'
    """
    builders: dict[str, Callable[..., Event]] = {
        "apigw_v2": apigw_v2,
        "apigw_v1": apigw_v1,
        "function_url": function_url,
        "alb": alb,
        "vpc_lattice_v1": vpc_lattice_v1,
        "vpc_lattice_v2": vpc_lattice_v2,
    }
    check_choice("api", api, builders)
    return builders[api](
        route,
        path_parameters=path_parameters,
        query=query,
        headers=headers,
        body=body,
        region=region,
        account=account,
    )


def apigw_v2(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    cookies: Sequence[str] | None = None,
    body: Any = None,
    claims: Mapping[str, Any] | None = None,
    stage: str = "$default",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to an HTTP API, in payload format 2.0.

    Args:
        route: ``POST /orders/{id}``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        cookies: Cookies, each as ``name=value``.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        claims: The claims of a JWT that an authorizer has accepted.
        stage: The API's stage.
        time: When it arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_v2("GET /orders/{id}", path_parameters={"id": "7"}, query={"full": "1"})["rawPath"]
    '/orders/7'
    """
    api = letters(10, "http-api", account).lower()
    sent = request(
        route,
        f"{api}.execute-api.{region}.amazonaws.com",
        path_parameters=path_parameters,
        query=query,
        headers=headers,
        body=body,
    )
    path = f"/{stage}" * (stage != "$default") + unquote(sent.path)  # which a function URL leaves as it came
    event = _format_2(sent, api, path, route_key=sent.route, stage=stage, cookies=cookies, time=time, account=account)
    if claims is not None:
        event["requestContext"]["authorizer"] = {"jwt": {"claims": dict(claims), "scopes": None}}
    if sent.parameters:
        event["pathParameters"] = sent.parameters
    return event


def function_url(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    cookies: Sequence[str] | None = None,
    body: Any = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to a function URL.

    Args:
        route: ``POST /orders/7``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        cookies: Cookies, each as ``name=value``.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        time: When it arrived.
        region: The function's region.
        account: The function's account.

    >>> function_url("POST /orders", body={"id": "1"})["body"]
    '{"id":"1"}'
    """
    url = letters(32, "function-url", account).lower()
    sent = request(
        route,
        f"{url}.lambda-url.{region}.on.aws",
        path_parameters=path_parameters,
        query=query,
        headers=headers,
        body=body,
    )
    return _format_2(
        sent, url, sent.path, route_key="$default", stage="$default", cookies=cookies, time=time, account=account
    )


def _format_2(
    sent: Request,
    api: str,
    path: str,
    *,
    route_key: str,
    stage: str,
    cookies: Sequence[str] | None,
    time: datetime,
    account: str,
) -> Event:
    return {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": sent.query_string,
        **present(cookies=[*cookies] if cookies else None),
        "headers": joined(sent.lower_headers),
        **({"queryStringParameters": joined(sent.query_values)} if sent.query else {}),
        "requestContext": {
            "accountId": account,
            "apiId": api,
            "domainName": sent.host,
            "domainPrefix": api,
            "http": {
                "method": sent.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": ADDRESS,
                "userAgent": AGENT,
            },
            "requestId": _request_id(sent, time),
            "routeKey": route_key,
            "stage": stage,
            "time": clf(time),
            "timeEpoch": milliseconds(time),
        },
        **present(body=sent.body),
        "isBase64Encoded": sent.is_base64,
    }


def apigw_v1(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    body: Any = None,
    claims: Mapping[str, Any] | None = None,
    stage: str = "prod",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to a REST API, or to an HTTP API in payload format 1.0.

    Args:
        route: ``POST /orders/{id}``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        claims: The claims of a token that a user pool's authorizer has accepted.
        stage: The API's stage.
        time: When it arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_v1("GET /orders", query={"tag": ["a", "b"]})["multiValueQueryStringParameters"]
    {'tag': ['a', 'b']}
    """
    api = letters(10, "rest-api", account).lower()
    sent = request(
        route,
        f"{api}.execute-api.{region}.amazonaws.com",
        path_parameters=path_parameters,
        query=query,
        headers=headers,
        body=body,
    )
    return {
        "resource": sent.template,
        "path": sent.path,
        "httpMethod": sent.method,
        "headers": sent.last_headers,
        "multiValueHeaders": sent.headers,
        "queryStringParameters": sent.last_query_values or None,
        "multiValueQueryStringParameters": sent.query_values or None,
        "pathParameters": sent.parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": letters(6, "resource", sent.template).lower(),
            **({} if claims is None else {"authorizer": {"claims": dict(claims)}}),
            "resourcePath": sent.template,
            "httpMethod": sent.method,
            "extendedRequestId": _request_id(sent, "extended"),
            "requestTime": clf(time),
            "path": f"/{stage}{sent.path}",
            "accountId": account,
            "protocol": "HTTP/1.1",
            "stage": stage,
            "domainPrefix": api,
            "requestTimeEpoch": milliseconds(time),
            "requestId": uuid("request", sent.route, sent.query_string, sent.body),
            "identity": {**_NOBODY, "sourceIp": ADDRESS, "userAgent": AGENT},
            "domainName": sent.host,
            "deploymentId": letters(6, "deployment", stage).lower(),
            "apiId": api,
        },
        "body": sent.body,
        "isBase64Encoded": sent.is_base64,
    }


# What a request says of its caller, where nobody has signed it.
_NOBODY = dict.fromkeys(
    (
        "cognitoIdentityPoolId",
        "accountId",
        "cognitoIdentityId",
        "caller",
        "principalOrgId",
        "accessKey",
        "cognitoAuthenticationType",
        "cognitoAuthenticationProvider",
        "userArn",
        "user",
    )
)


def alb(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    body: Any = None,
    multi_value: bool = False,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to an Application Load Balancer.

    Args:
        route: ``POST /orders/7``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values, which arrive percent-encoded.
        headers: Headers, which come before those that clients usually send.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        multi_value: Whether the target group passes on all values of a header and of a query's name, or the last one.
        region: The load balancer's region.
        account: The load balancer's account.

    >>> alb("GET /orders", query={"name": "Jane Doe"})["queryStringParameters"]
    {'name': 'Jane+Doe'}
    """
    balancer = f"shop-{hexadecimal(10, 'balancer', account)}.{region}.elb.amazonaws.com"
    sent = request(route, balancer, path_parameters=path_parameters, query=query, headers=headers, body=body)
    query_values = {name: [*map(quote_plus, values)] for name, values in sent.query_values.items()}
    group = f"targetgroup/shop/{hexadecimal(16, 'targets', account)}"
    return {
        "requestContext": {"elb": {"targetGroupArn": f"arn:aws:elasticloadbalancing:{region}:{account}:{group}"}},
        "httpMethod": sent.method,
        "path": sent.path,
        **_valued("queryStringParameters", "multiValueQueryStringParameters", query_values, multi_value),
        **_valued("headers", "multiValueHeaders", sent.lower_headers, multi_value),
        "body": sent.body or "",
        "isBase64Encoded": sent.is_base64,
    }


def _valued(one: str, many: str, values: dict[str, list[str]], multi_value: bool) -> Event:
    return {many: values} if multi_value else {one: {name: found[-1] for name, found in values.items()}}


def apigw_websocket(
    route: Source = "$default",
    *,
    body: Any = None,
    connection_id: str | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    stage: str = "prod",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a WebSocket API sends when a client connects (``$connect``), says something, or goes (``$disconnect``).

    Args:
        route: The route's key, or the handler of the route.
        body: The message: text as it is, anything else as JSON; by default what the handler reads.
        connection_id: The connection.
        query: The query of the client's first request, for ``$connect``.
        headers: Headers of the client's first request, for ``$connect``.
        stage: The API's stage.
        time: When it arrived.
        region: The API's region.
        account: The API's account.

    >>> apigw_websocket("$connect")["requestContext"]["eventType"]
    'CONNECT'
    """
    api = letters(10, "websocket-api", account).lower()
    key = route_text(route, "websocket")
    asked = {**_HANDSHAKE, **(headers or {})}
    sent = request("GET /", f"{api}.execute-api.{region}.amazonaws.com", query=query, headers=asked, body=None)
    kind = {"$connect": "CONNECT", "$disconnect": "DISCONNECT"}.get(key, "MESSAGE")
    connection = connection_id or token(15, "connection", api) + "="
    context = {
        "routeKey": key,
        **_ABOUT.get(kind, {"messageId": token(15, "message", key, body) + "="}),
        "eventType": kind,
        "extendedRequestId": token(15, "extended", key, body) + "=",
        "requestTime": clf(time),
        "messageDirection": "IN",
        "stage": stage,
        "connectedAt": milliseconds(time) - (0 if kind == "CONNECT" else 60_000),
        "requestTimeEpoch": milliseconds(time),
        "identity": {"sourceIp": ADDRESS, "userAgent": AGENT},
        "requestId": token(15, "extended", key, body) + "=",
        "domainName": sent.host,
        "connectionId": connection,
        "apiId": api,
    }
    if kind == "MESSAGE":
        payload = _message_for(route, key) if body is None else body
        return {"requestContext": context, "body": text_of(payload), "isBase64Encoded": False}
    named = {
        "queryStringParameters": sent.last_query_values,
        "multiValueQueryStringParameters": sent.query_values,
    }
    return {
        "headers": sent.last_headers,
        "multiValueHeaders": sent.headers,
        **(named if sent.query else {}),
        "requestContext": context,
        "isBase64Encoded": False,
    }


def _message_for(route: Source, key: str) -> Any:
    """A message that takes a route, by its ``action``, and that a handler of the route can read."""
    action = {"action": key.removeprefix("$")}
    if isinstance(route, str):
        return action
    return payload_for(route, trigger_of(route, "websocket"), None if key == "$default" else action)


_HANDSHAKE = {
    "Connection": "upgrade",
    "content-length": "0",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Key": "bGFtYmRha2l0LXRlc3Rpbmc=",
    "Sec-WebSocket-Version": "13",
    "Upgrade": "websocket",
}

# What only some kinds of WebSocket events say of themselves.
_ABOUT: dict[str, Event] = {
    "CONNECT": {},
    "DISCONNECT": {"disconnectStatusCode": 1000, "disconnectReason": "Client closed the connection"},
}


def vpc_lattice_v1(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    body: Any = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to a VPC Lattice service, in the first version of the event.

    Args:
        route: ``POST /orders/7``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values, of which the last one arrives.
        headers: Headers, which come before those that clients usually send.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        region: The service's region.
        account: The service's account.

    >>> vpc_lattice_v1("GET /orders?limit=5")["raw_path"]
    '/orders?limit=5'
    """
    sent = request(
        route, _lattice_host(region, account), path_parameters=path_parameters, query=query, headers=headers, body=body
    )
    return {
        "raw_path": sent.path + (f"?{sent.query_string}" if sent.query else ""),
        "method": sent.method,
        "headers": joined(sent.lower_headers),
        "query_string_parameters": sent.last_query_values,
        "body": sent.body or "",
        "is_base64_encoded": sent.is_base64,
    }


def vpc_lattice_v2(
    route: Source = "GET /orders?limit=10",
    *,
    path_parameters: Mapping[str, str] | None = None,
    query: Values | None = None,
    headers: Values | None = None,
    body: Any = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A request to a VPC Lattice service, in the second version of the event.

    Args:
        route: ``POST /orders/7``, a path alone for GET, or the handler of a route.
        path_parameters: The values of the route's parameters; ``"1"`` by default.
        query: The query: each name with its value or values.
        headers: Headers, which come before those that clients usually send.
        body: Text as it is, bytes in base64, anything else (a model, ...) as JSON; POST, PUT and PATCH have a default.
        time: When it arrived.
        region: The service's region.
        account: The service's account.

    >>> vpc_lattice_v2("GET /orders")["version"]
    '2.0'
    """
    sent = request(
        route, _lattice_host(region, account), path_parameters=path_parameters, query=query, headers=headers, body=body
    )
    place = f"arn:aws:vpc-lattice:{region}:{account}"
    network = hexadecimal(17, "network", account)
    return {
        "version": "2.0",
        "path": sent.path,
        "method": sent.method,
        "headers": sent.lower_headers,
        **({"queryStringParameters": sent.query_values} if sent.query else {}),
        "body": sent.body or "",
        "isBase64Encoded": sent.is_base64,
        "requestContext": {
            "serviceNetworkArn": f"{place}:servicenetwork/sn-{network}",
            "serviceArn": f"{place}:service/svc-{hexadecimal(17, 'service', account)}",
            "targetGroupArn": f"{place}:targetgroup/tg-{hexadecimal(17, 'targets', account)}",
            "identity": {"sourceVpcArn": f"arn:aws:ec2:{region}:{account}:vpc/vpc-{hexadecimal(17, 'vpc', account)}"},
            "region": region,
            "timeEpoch": str(milliseconds(time) * 1000),
        },
    }


def _lattice_host(region: str, account: str) -> str:
    return f"shop-{hexadecimal(17, 'lattice', account)}.{hexadecimal(7, account)}.vpc-lattice-svcs.{region}.on.aws"


def _request_id(sent: Request, kind: object) -> str:
    return token(15, "request", kind, sent.route, sent.path, sent.query_string, sent.body) + "="
