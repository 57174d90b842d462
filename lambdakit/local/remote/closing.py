"""The end of polling: what is under way is finished, and what is left is given back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lambdakit.local.mappings.queues import QueueMapping
from lambdakit.local.remote.queue import RemoteQueue
from lambdakit.local.remote.source import RemoteSource

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.mappings.kinds import AnyMapping
    from lambdakit.local.remote.calls import Calls

PATIENCE = 5.0
"""How long functions may take to finish their batches, in seconds."""


def finish(mappings: Iterable[AnyMapping], clock: Clock, calls: Calls) -> None:
    """Have the mappings of sources at endpoints cease, and wait until what is under way is finished."""
    ceasing = [mapping for mapping in mappings if isinstance(mapping.source, RemoteSource)]
    for mapping in ceasing:
        mapping.disable()
    end = clock.now + PATIENCE
    clock.at(end, _look_up, background=True)
    clock.run_while(lambda: clock.now < end and (calls.pending or any(it.state == "Disabling" for it in ceasing)))


def give_back(mappings: Iterable[AnyMapping]) -> None:
    """Give the messages that mappings still have back to their queues at endpoints; nothing runs any more."""
    for mapping in mappings:
        if isinstance(mapping, QueueMapping) and isinstance(mapping.source, RemoteQueue):
            mapping.source.give_back(mapping.abandon())


def _look_up() -> None:
    """The clock looks whether anyone waits after each action."""
