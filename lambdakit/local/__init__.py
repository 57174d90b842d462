"""Lambda on this machine: a service with environments, concurrency and retries, for tests and for trying things out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.local.errors import ClockError, InvokeError, StuckHandlerError
    from lambdakit.local.function import Function
    from lambdakit.local.invocation import Invocation, InvocationError
    from lambdakit.local.mappings.mapping import LostRecordsWarning
    from lambdakit.local.placement import Lifetimes
    from lambdakit.local.service import LocalLambda
    from lambdakit.local.sources.source import SourceError
    from lambdakit.local.timeline.timeline import Timeline

# Where each public name lives: the command line needs parts of this package, and not what the extra `local` installs.
_HOMES = {
    "ClockError": "errors",
    "Function": "function",
    "Invocation": "invocation",
    "InvocationError": "invocation",
    "InvokeError": "errors",
    "Lifetimes": "placement",
    "LocalLambda": "service",
    "LostRecordsWarning": "mappings.mapping",
    "SourceError": "sources.source",
    "StuckHandlerError": "errors",
    "Timeline": "timeline.timeline",
}

__all__ = [
    "ClockError",
    "Function",
    "Invocation",
    "InvocationError",
    "InvokeError",
    "Lifetimes",
    "LocalLambda",
    "LostRecordsWarning",
    "SourceError",
    "StuckHandlerError",
    "Timeline",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name in ("greenlet", "time_machine"):
            raise ModuleNotFoundError(
                f"the local Lambda needs {error.name}: pip install 'lambdakit[local]'", name=error.name
            ) from error
        raise
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
