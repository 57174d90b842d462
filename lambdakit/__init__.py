"""lambdakit: write a typed function, say what triggers it, and that is the whole AWS Lambda program."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

# At once, not when asked for: the function has its module's name, which an import of the module would bind here.
from lambdakit.identify import identify

if TYPE_CHECKING:
    from lambdakit import errors, events
    from lambdakit.app import App, Explanation
    from lambdakit.context import LambdaContext
    from lambdakit.depends import Depends
    from lambdakit.hooks import after_restore, before_snapshot, on_start
    from lambdakit.middleware import CallNext, Invocation, RecordInvocation
    from lambdakit.triggers.authorizer import on_authorizer
    from lambdakit.triggers.dynamodb import on_dynamodb
    from lambdakit.triggers.event import on_event
    from lambdakit.triggers.eventbridge import on_eventbridge
    from lambdakit.triggers.http import on_http
    from lambdakit.triggers.invoke import on_invoke
    from lambdakit.triggers.kinesis import on_kinesis
    from lambdakit.triggers.s3 import on_s3
    from lambdakit.triggers.schedule import on_schedule
    from lambdakit.triggers.sns import on_sns
    from lambdakit.triggers.sqs import on_sqs
    from lambdakit.triggers.websocket import on_websocket

__version__ = "0.1.0"

# Where each public name lives: a function loads only what it uses, which is most of a cold start.
_HOMES = {
    "App": "app",
    "CallNext": "middleware",
    "Depends": "depends",
    "Explanation": "app",
    "Invocation": "middleware",
    "LambdaContext": "context",
    "RecordInvocation": "middleware",
    "after_restore": "hooks",
    "before_snapshot": "hooks",
    "on_authorizer": "triggers.authorizer",
    "on_dynamodb": "triggers.dynamodb",
    "on_event": "triggers.event",
    "on_eventbridge": "triggers.eventbridge",
    "on_http": "triggers.http",
    "on_invoke": "triggers.invoke",
    "on_kinesis": "triggers.kinesis",
    "on_s3": "triggers.s3",
    "on_schedule": "triggers.schedule",
    "on_sns": "triggers.sns",
    "on_sqs": "triggers.sqs",
    "on_start": "hooks",
    "on_websocket": "triggers.websocket",
}

__all__ = [
    "App",
    "CallNext",
    "Depends",
    "Explanation",
    "Invocation",
    "LambdaContext",
    "RecordInvocation",
    "after_restore",
    "before_snapshot",
    "errors",
    "events",
    "identify",
    "on_authorizer",
    "on_dynamodb",
    "on_event",
    "on_eventbridge",
    "on_http",
    "on_invoke",
    "on_kinesis",
    "on_s3",
    "on_schedule",
    "on_sns",
    "on_sqs",
    "on_start",
    "on_websocket",
]


def __getattr__(name: str) -> object:
    if name in ("errors", "events"):
        return import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
