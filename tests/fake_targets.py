"""What local sources deliver to, in tests: it keeps what it gets."""

from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from lambdakit.local.sources.source import SourceError

_ARN = "arn:aws:{0}:us-east-1:123456789012:{1}"


class FakeFunction:
    """A function that keeps its events, after their way through JSON."""

    def __init__(self, name: str = "handler", limit: int = 1_048_576) -> None:
        self.arn = _ARN.format("lambda", f"function:{name}")
        self.events: list[Any] = []
        self._limit = limit

    def invoke_async(self, payload: Any) -> None:
        body = to_json(payload)
        if len(body) > self._limit:
            raise SourceError("RequestTooLargeException", "too large")
        self.events.append(from_json(body))


@dataclass(frozen=True)
class Sent:
    """A message in a queue."""

    body: str
    message_attributes: Any = None
    message_group_id: str | None = None
    message_deduplication_id: str | None = None

    @property
    def content(self) -> Any:
        return from_json(self.body)


@dataclass
class FakeQueue:
    """A queue that keeps its messages, or refuses each of them."""

    name: str = "inbox"
    messages: list[Sent] = field(default_factory=list[Sent])
    refuses: bool = False

    @property
    def arn(self) -> str:
        return _ARN.format("sqs", self.name)

    @property
    def bodies(self) -> list[str]:
        return [message.body for message in self.messages]

    def send(self, body: str, **details: Any) -> None:
        if self.refuses:
            raise SourceError("QueueDoesNotExist", "The specified queue does not exist.")
        self.messages.append(Sent(body, **details))
