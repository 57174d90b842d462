"""Answers of authorizers in the words of who asks: an IAM policy, a simple response, AppSync's.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html,
https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from lambdakit.authorizers.answers import EVERYTHING, METHODS, Allow, Deny
from lambdakit.reply import jsonable

if TYPE_CHECKING:
    from lambdakit.authorizers.arn import MethodArn

Document = dict[str, Any]

MAX_RESOURCE = 512
"""How many characters API Gateway reads of a policy's resource."""
MAX_WEBSOCKET_ANSWER = 8192
"""How many bytes the answer to a WebSocket API may have."""
MAX_RESOLVER_CONTEXT = 5 * 1024 * 1024
"""How many bytes AppSync takes as context."""


def policy(answer: Allow | Deny, arn: MethodArn, *, is_flat: bool = True) -> Document:
    """The IAM policy that allows what was asked and nothing else.

    Raises:
        ValueError: API Gateway would not take it.
    """
    if isinstance(answer, Allow):
        _refuse_appsync(answer)
    resources = [*_resources(answer, arn)]
    longest = max(map(len, resources))
    if longest > MAX_RESOURCE:
        raise ValueError(f"allows a path of {longest:,} characters, {MAX_RESOURCE} at most; '*' in routes shortens it")
    effect = "Allow" if isinstance(answer, Allow) else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resources}
    key = answer.usage_identifier_key if isinstance(answer, Allow) else None
    return {
        "principalId": answer.principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        **_context("context", answer.context, is_flat=is_flat),
        **({"usageIdentifierKey": key} if key else {}),
    }


def simple(answer: Allow | Deny) -> Document:
    """The simple response of an HTTP API, which has no place for a principal.

    Raises:
        ValueError: it can't say what was answered.
    """
    if isinstance(answer, Allow):
        _refuse_appsync(answer)
        if answer.routes not in (None, (EVERYTHING,)):
            raise ValueError("names routes, which a simple response can't: set enable_simple_responses=False")
    return {"isAuthorized": isinstance(answer, Allow), **_context("context", answer.context, is_flat=False)}


def appsync(answer: Allow | Deny) -> Document:
    """What AppSync takes.

    Raises:
        ValueError: it can't say what was answered.
    """
    context = _context("resolverContext", answer.context, is_flat=True)
    if (size := _size(context)) > MAX_RESOLVER_CONTEXT:
        raise ValueError(f"has a context of {size:,} bytes, {MAX_RESOLVER_CONTEXT:,} at most")
    if isinstance(answer, Deny):
        return {"isAuthorized": False, **context}
    if answer.routes not in (None, (EVERYTHING,)):
        raise ValueError("names routes, which AppSync does not have: name denied_fields")
    return {
        "isAuthorized": True,
        **context,
        **({"deniedFields": [*answer.denied_fields]} if answer.denied_fields else {}),
        **({} if answer.ttl_override is None else {"ttlOverride": answer.ttl_override}),
    }


def check_websocket(document: Mapping[str, Any]) -> None:
    """See that an answer is none that a WebSocket API refuses.

    Raises:
        ValueError: it is too large.
    """
    if (size := _size(document)) > MAX_WEBSOCKET_ANSWER:
        raise ValueError(f"answers {size:,} bytes, {MAX_WEBSOCKET_ANSWER:,} at most to a WebSocket API")


def _refuse_appsync(answer: Allow) -> None:
    if answer.denied_fields or answer.ttl_override is not None:
        raise ValueError("has denied_fields or ttl_override, which only AppSync has")


def _resources(answer: Allow | Deny, arn: MethodArn) -> Iterator[str]:
    """What is allowed; or all of the stage, as another request that is held against the answer is denied only so.

    Where a policy is silent, an API's resource policy may allow it.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    stage = escaped(arn.stage_arn)
    if isinstance(answer, Deny):
        yield f"{stage}/{EVERYTHING}"
        return
    if answer.routes is None:
        yield escaped(str(arn))
        return
    for route in dict.fromkeys(answer.routes):
        methods, _, path = route.rpartition(" ")
        if not methods:
            yield f"{stage}/{route}"
        for method in METHODS if "ANY" in methods else filter(None, methods.split("|")):
            yield f"{stage}/{method}{path}"


def escaped(text: str) -> str:
    """Text that stands for itself in a policy: a client may send a path with an asterisk, which would allow them all.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html

    >>> escaped("/orders/*")
    '/orders/${*}'
    """
    return re.sub(r"\*|\?|\$(?=\{)", r"${\g<0>}", text)


def _context(name: str, context: Mapping[str, Any], *, is_flat: bool) -> Document:
    """The context under its name, if there is any.

    Raises:
        ValueError: it has a value that this API does not take.
    """
    values: Document = jsonable(context)
    for key, value in values.items() if is_flat else ():
        if not _is_scalar(value):
            raise ValueError(f"has {key!r} in its context, which is neither text nor a number nor a truth value")
    return {name: values} if values else {}


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int | Decimal) or (isinstance(value, float) and isfinite(value))


def _size(document: Mapping[str, Any]) -> int:
    from pydantic_core import to_json

    return len(to_json(document))
