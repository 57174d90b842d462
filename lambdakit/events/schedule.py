"""Scheduled events, of EventBridge rules and of EventBridge Scheduler.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from __future__ import annotations

from typing import ClassVar, Generic

from lambdakit.events.eventbridge import Detail, EventBridgeEvent
from lambdakit.events.model import last_part


class ScheduledEvent(EventBridgeEvent[Detail], Generic[Detail]):
    """One firing of a schedule; ``ScheduledEvent[Job]`` reads the schedule's input into a ``Job``.

    ``time`` is when it was due. The detail is ``{}`` where the schedule has no input.
    """

    lambdakit_source: ClassVar[str] = "schedule"

    @property
    def schedule(self) -> str:
        """The name of the rule or the schedule, ``""`` where the event does not say."""
        return last_part(self.resources[0], "/") if self.resources else ""
