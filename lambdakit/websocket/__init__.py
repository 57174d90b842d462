"""WebSocket APIs: what functions under ``on_websocket`` are called with, and the way back to the clients."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.websocket.connections import Connection, ConnectionGone, ConnectionInfo, Connections
    from lambdakit.websocket.request import WebSocketRequest

_HOMES = {
    "Connection": "connections",
    "ConnectionGone": "connections",
    "ConnectionInfo": "connections",
    "Connections": "connections",
    "WebSocketRequest": "request",
}

__all__ = ["Connection", "ConnectionGone", "ConnectionInfo", "Connections", "WebSocketRequest"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
