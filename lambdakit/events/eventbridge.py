"""EventBridge events.

Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal

from typing_extensions import TypeVar

from lambdakit.events.model import EventModel, at, usually
from lambdakit.events.payload import Value

Detail = TypeVar("Detail", default=dict[str, Any])


class EventBridgeEvent(EventModel, Generic[Detail]):
    """An event of a bus; ``EventBridgeEvent[Order]`` reads its detail into an ``Order``."""

    lambdakit_source: ClassVar[str] = "eventbridge"
    lambdakit_unit: ClassVar[Literal["event", "record"]] = "event"

    detail_type: str = at("detail-type")
    source: str
    detail: Annotated[Detail, Value()]
    id: str = usually("id")
    time: datetime = usually("time")
    account: str = usually("account")
    region: str = usually("region")
    resources: list[str] = usually("resources", default=[])
    version: str = usually("version")
    replay_name: str | None = usually("replay-name")
