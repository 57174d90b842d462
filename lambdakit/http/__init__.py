"""HTTP: requests, responses and what they are made of, for functions under ``on_http``.

One route answers every front door: API Gateway's REST and HTTP APIs (payload formats 1.0 and 2.0), function URLs and
Application Load Balancers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.http.errors import HTTPError, RequestValidationError, ResponseValidationError
    from lambdakit.http.forms import UploadFile
    from lambdakit.http.identity import ClientCert, CognitoIdentity, Iam, Identity, Scopes
    from lambdakit.http.mounts import mount
    from lambdakit.http.parameters import Body, Cookie, File, Form, Header, Path, Query
    from lambdakit.http.request import HttpRequest
    from lambdakit.http.response import Response
    from lambdakit.http.settings import Cors, HttpSettings
    from lambdakit.http.values import Headers, Values
    from lambdakit.triggers.http import Routes

_HOMES = {
    "Body": "http.parameters",
    "ClientCert": "http.identity",
    "CognitoIdentity": "http.identity",
    "Cookie": "http.parameters",
    "Cors": "http.settings",
    "File": "http.parameters",
    "Form": "http.parameters",
    "HTTPError": "http.errors",
    "Header": "http.parameters",
    "Headers": "http.values",
    "HttpRequest": "http.request",
    "HttpSettings": "http.settings",
    "Iam": "http.identity",
    "Identity": "http.identity",
    "Path": "http.parameters",
    "Query": "http.parameters",
    "RequestValidationError": "http.errors",
    "Response": "http.response",
    "ResponseValidationError": "http.errors",
    "Routes": "triggers.http",
    "Scopes": "http.identity",
    "UploadFile": "http.forms",
    "Values": "http.values",
    "mount": "http.mounts",
}

__all__ = [
    "Body",
    "ClientCert",
    "CognitoIdentity",
    "Cookie",
    "Cors",
    "File",
    "Form",
    "HTTPError",
    "Header",
    "Headers",
    "HttpRequest",
    "HttpSettings",
    "Iam",
    "Identity",
    "Path",
    "Query",
    "RequestValidationError",
    "Response",
    "ResponseValidationError",
    "Routes",
    "Scopes",
    "UploadFile",
    "Values",
    "mount",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"lambdakit.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
