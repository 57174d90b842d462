"""Requests that take no real time, and no threads: for tests of what polls endpoints."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from lambdakit.local.remote.calls import Call, Calls
from lambdakit.local.virtual.clock import VirtualClock


class VirtualCalls(Calls):
    """Makes requests on a virtual clock. A client that makes one wait sets ``took``, in seconds."""

    def __init__(self, clock: VirtualClock) -> None:
        self.took = 0.0
        super().__init__(cast("Any", _Outside(clock)))

    def somebody_waits(self) -> None:
        self._notice()

    def _send(self, call: Call) -> None:
        self.took = 0.0
        call.make()
        due = self._clock.now + self.took
        self._clock.at(due, partial(self._end, call), background=call.background)


class _Outside:
    """A virtual clock that lacks nothing that a real one has."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def on_wait(self, action: Callable[[], None]) -> None: ...

    def expect(self, action: Callable[[], None]) -> Callable[[], None]:
        return action
