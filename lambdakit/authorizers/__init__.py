"""Lambda authorizers: what functions under ``on_authorizer`` are asked, and how they answer."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.authorizers.answers import Allow, Answer, Deny
    from lambdakit.authorizers.arn import MethodArn
    from lambdakit.authorizers.errors import AuthorizerResponseError, Unauthorized
    from lambdakit.authorizers.requests import AuthorizerRequest
    from lambdakit.events.authorizer import AppSyncAuthorizerRequest, TokenAuthorizerRequest

_HOMES = {
    "Allow": "authorizers.answers",
    "Answer": "authorizers.answers",
    "AppSyncAuthorizerRequest": "events.authorizer",
    "AuthorizerRequest": "authorizers.requests",
    "AuthorizerResponseError": "authorizers.errors",
    "Deny": "authorizers.answers",
    "MethodArn": "authorizers.arn",
    "TokenAuthorizerRequest": "events.authorizer",
    "Unauthorized": "authorizers.errors",
}

__all__ = [
    "Allow",
    "Answer",
    "AppSyncAuthorizerRequest",
    "AuthorizerRequest",
    "AuthorizerResponseError",
    "Deny",
    "MethodArn",
    "TokenAuthorizerRequest",
    "Unauthorized",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"lambdakit.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
