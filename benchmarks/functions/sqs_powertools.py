"""SQS with Powertools: its batch processor, with its model of a record whose body is an order."""

from collections import deque
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import BaseModel, Json

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse

seen: deque[object] = deque(maxlen=1000)


class Order(BaseModel):
    id: str
    total: float


class OrderRecord(SqsRecordModel):
    body: Json[Order]  # pyright: ignore[reportIncompatibleVariableOverride]  # the way Powertools has it written


processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)


def charge(record: OrderRecord) -> None:
    order = record.body
    if order.total < 0:
        raise ValueError("an order can't cost less than nothing")
    seen.append((order.id, order.total))


def handler(event: dict[str, Any], context: object) -> "PartialItemFailureResponse":
    return process_partial_response(event=event, record_handler=charge, processor=processor)
