"""What AppSync asks functions for: fields of GraphQL, and what becomes of published events.

Source: https://docs.aws.amazon.com/appsync/latest/devguide/resolver-context-reference-js.html and
https://docs.aws.amazon.com/appsync/latest/eventapi/runtime-context-reference.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdakit.testing.events.http_request import AGENT
from lambdakit.testing.events.payload_examples import PAYLOAD
from lambdakit.testing.events.values import ADDRESS, REGION, Event, letters, plain, repeated, uuid


def appsync_resolver(
    field: str = "order",
    *,
    parent: str = "Query",
    arguments: Mapping[str, Any] | None = None,
    source: Mapping[str, Any] | None = None,
    user_name: str = "jane",
    selection: Sequence[str] = ("id", "total"),
    region: str = REGION,
) -> Event:
    """A field that a direct Lambda resolver is asked for.

    Args:
        field: The field.
        parent: The type that it belongs to.
        arguments: The field's arguments.
        source: The object that it belongs to.
        user_name: The name of the user, who has signed in with a user pool.
        selection: The fields that the client wants to see of the result.
        region: The API's region.

    >>> appsync_resolver("order", arguments={"id": "7"})["info"]["fieldName"]
    'order'
    """
    fields = "".join(f"  {name}\n" for name in selection)
    return {
        "arguments": plain({"id": "1"} if arguments is None else arguments),
        "identity": _user(user_name, region),
        "source": plain(source),
        "request": {"headers": _headers(region), "domainName": None},
        "prev": None,
        "info": {
            "selectionSetList": [*selection],
            "selectionSetGraphQL": f"{{\n{fields}}}",
            "parentTypeName": parent,
            "fieldName": field,
            "variables": {},
        },
        "stash": {},
    }


def appsync_resolver_batch(
    field: str = "customer",
    *sources: Mapping[str, Any],
    parent: str = "Order",
    user_name: str = "jane",
    selection: Sequence[str] = ("id", "name"),
    records: int | None = None,
    region: str = REGION,
) -> list[Event]:
    """A field that a direct Lambda resolver is asked for of several objects at once.

    Args:
        field: The field.
        *sources: The objects.
        parent: The type that it belongs to.
        user_name: The name of the user, who has signed in with a user pool.
        selection: The fields that the client wants to see of each result.
        records: How many objects; those given take turns.
        region: The API's region.

    >>> [item["source"] for item in appsync_resolver_batch("customer", {"id": "1"}, {"id": "2"})]
    [{'id': '1'}, {'id': '2'}]
    """
    given = repeated(sources or ({"id": "1"}, {"id": "2"}), records)
    return [
        appsync_resolver(
            field,
            parent=parent,
            arguments={},
            source=source,
            user_name=user_name,
            selection=selection,
            region=region,
        )
        for source in given
    ]


def appsync_events(
    channel: str = "/orders/new",
    *payloads: Any,
    operation: str = "PUBLISH",
    user_name: str = "jane",
    records: int | None = None,
    region: str = REGION,
) -> Event:
    """What somebody publishes on a channel of an AppSync Event API, or that somebody subscribes to it.

    Args:
        channel: The channel, which begins with its namespace.
        *payloads: What is published: dicts, models or any other JSON values.
        operation: ``PUBLISH`` or ``SUBSCRIBE``.
        user_name: The name of the user, who has signed in with a user pool.
        records: How many events; the payloads take turns.
        region: The API's region.

    >>> appsync_events("/orders/new", {"id": "1"})["events"][0]["payload"]
    {'id': '1'}
    """
    segments = channel.strip("/").split("/")
    published = [
        {"id": uuid("event", channel, payload, position), "payload": plain(payload)}
        for position, payload in enumerate(repeated(payloads or (PAYLOAD,), records))
    ]
    return {
        "identity": _user(user_name, region),
        "result": None,
        "request": {"headers": _headers(region), "domainName": None},
        "info": {
            "channel": {"path": channel, "segments": segments},
            "channelNamespace": {"name": segments[0]},
            "operation": operation,
        },
        "error": None,
        "prev": None,
        "stash": {},
        "outErrors": [],
        "events": published if operation == "PUBLISH" else None,
    }


def _user(name: str, region: str) -> Event:
    issuer = f"https://cognito-idp.{region}.amazonaws.com/{region}_{letters(9, 'user pool', region)}"
    subject = uuid("user", name)
    return {
        "claims": {
            "sub": subject,
            "iss": issuer,
            "cognito:username": name,
            "email": f"{name}@example.com",
            "token_use": "id",
        },
        "defaultAuthStrategy": "ALLOW",
        "groups": None,
        "issuer": issuer,
        "sourceIp": [ADDRESS],
        "sub": subject,
        "username": name,
    }


def _headers(region: str) -> Event:
    return {
        "accept": "*/*",
        "content-type": "application/json",
        "host": f"{letters(26, 'graphql', region).lower()}.appsync-api.{region}.amazonaws.com",
        "user-agent": AGENT,
        "x-forwarded-for": ADDRESS,
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    }
