"""What boto3 raises, as the errors that mappings know."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from typing_extensions import TypeVar

from lambdakit.local.sources.source import SourceError

A = TypeVar("A")

_HINTS = {
    "NoCredentialsError": (
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give session=boto3.Session(profile_name=...). "
        "moto, ministack and LocalStack take any."
    ),
    "EndpointConnectionError": "Is it running, and is endpoint_url right?",
}


def failure_of(error: BaseException) -> SourceError:
    """The error for what boto3 raised: AWS's code and message, or the name of boto3's own exception and what it says.

    Raises:
        BaseException: the error itself, if it is none of boto3's.
    """
    botocore = sys.modules.get("botocore.exceptions")
    if botocore is None:
        raise error
    if isinstance(error, botocore.ClientError):
        return SourceError(code_of(error), _said(error).get("Message", str(error)))
    if isinstance(error, botocore.BotoCoreError):
        name, hint = type(error).__name__, _HINTS.get(type(error).__name__)
        return SourceError(name, f"{error}. {hint}" if hint else str(error))
    raise error


def code_of(error: BaseException) -> str:
    """The code of AWS's error; of another there is none."""
    return str(_said(error).get("Code", ""))


def _said(error: BaseException) -> dict[str, Any]:
    response = getattr(error, "response", None)  # which boto3's other exceptions have too, but as something else
    return response.get("Error", {}) if isinstance(response, dict) else {}


def answer_of(request: Callable[[], A]) -> A:
    """The answer to a request that is made here and now.

    Raises:
        SourceError: there is none.
    """
    try:
        return request()
    except Exception as error:
        raise failure_of(error) from error
