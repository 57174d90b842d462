"""Where records go of what is over: dead-letter queues and destinations, by name or ARN.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html,
https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from lambdakit.errors import LambdakitError
from lambdakit.local.records import dead_letter_attributes, destination_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdakit.local.account import Account
    from lambdakit.local.asynchronous import Condition
    from lambdakit.local.event_queue import Event
    from lambdakit.local.function import Function


class Destinations:
    """Hands records over. One that its destination does not take is no error of anyone, only a metric: ``failures``.

    Args:
        account: Where they are looked up; a queue that is not there is made.
        functions: The functions, by name.

    Attributes:
        failures: What was not taken, and why.
    """

    def __init__(self, account: Account, functions: Mapping[str, Function]) -> None:
        self.failures: list[tuple[str, LambdakitError]] = []
        self._account = account
        self._functions = functions

    def event_over(self, event: Event, condition: Condition) -> None:
        """Tell of the end of an asynchronous invocation whoever wants to know."""
        settings = event.function.configuration
        if condition != "Success" and settings.dead_letter_queue:
            self._try(settings.dead_letter_queue, self._send_letter, event)
        target = settings.on_success if condition == "Success" else settings.on_failure
        if target:
            record = destination_record(event, condition, self._account.place.clock.today)
            self._try(target, self._send_event, event, record)

    def batch_over(self, mapping: str, target: str, record: dict[str, Any]) -> None:
        """Tell of the records that an event source mapping gave up."""
        self._try(target, self._send_batch, mapping, record)

    def _try(self, target: str, send: Any, *arguments: Any) -> None:
        try:
            send(target, *arguments)
        except LambdakitError as error:
            self.failures.append((target, error))

    def _send_letter(self, target: str, event: Event) -> None:
        attributes, error = dead_letter_attributes(event)
        body = event.body.decode()
        if _service(target) == "sns":
            self._account.topic(target).publish(body, message_attributes=attributes)
        else:
            self._account.queue(target).send(body, message_attributes=attributes, error=error)

    def _send_event(self, target: str, event: Event, record: dict[str, Any]) -> None:
        match self._kind(target):
            case "events":
                self._account.bus(target).accept(self._bus_event(target, event, record))
            case "s3":
                self._put(target, f"aws/lambda/async/{event.function.name}", record)
            case kind:
                self._send(kind, target, record)

    def _send_batch(self, target: str, mapping: str, record: dict[str, Any]) -> None:
        kind = self._kind(target)
        if kind == "s3":
            [shard] = [info.get("shardId", "") for name, info in record.items() if name.endswith("BatchInfo")]
            self._put(target, f"aws/lambda/{mapping}/{shard}".rstrip("/"), record)
        else:
            self._send(kind, target, record)

    def _send(self, kind: str, target: str, record: dict[str, Any]) -> None:
        if kind == "lambda":
            self._functions[target.rpartition(":function:")[2].partition(":")[0]].invoke_async(record)
        elif kind == "sns":
            self._account.topic(target).publish(to_json(record).decode())
        else:
            self._account.queue(target).send(to_json(record).decode())

    def _put(self, target: str, folder: str, record: dict[str, Any]) -> None:
        place = self._account.place
        key = f"{folder}/{place.clock.today:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{place.new_id()}"
        self._account.bucket(target).put(key, to_json(record))

    def _bus_event(self, target: str, event: Event, record: dict[str, Any]) -> dict[str, Any]:
        place = self._account.place
        result = "Success" if record["requestContext"]["condition"] == "Success" else "Failure"
        return {
            "version": "0",
            "id": place.new_id(),
            "detail-type": f"Lambda Function Invocation Result - {result}",
            "source": "lambda",
            "account": place.account,
            "time": f"{place.clock.today:%Y-%m-%dT%H:%M:%SZ}",
            "region": place.region,
            "resources": [self._account.bus(target).arn, f"{event.function.arn}:$LATEST"],
            "detail": record,
        }

    def _kind(self, target: str) -> str:
        """What a target is: by its ARN; a bare name is a function's, else a queue's."""
        return _service(target) or ("lambda" if target in self._functions else "sqs")


def _service(target: str) -> str:
    return target.split(":")[2] if target.startswith("arn:") else ""
