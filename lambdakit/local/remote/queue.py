"""Queues of SQS at an endpoint, as mappings poll them.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

from lambdakit.local.remote.calls import Call, Calls
from lambdakit.local.remote.deletion import Deletion, entries_of
from lambdakit.local.remote.failures import failure_of
from lambdakit.local.remote.message import RemoteMessage, RemoteQueueRecords
from lambdakit.local.remote.source import LOG, RemoteSource
from lambdakit.local.remote.watch import PACE, Watch
from lambdakit.local.sources.queue import MOST_OF_A_BATCH
from lambdakit.testing.events.values import account_of
from lambdakit.triggers.settings import check_range

if TYPE_CHECKING:
    from lambdakit.local.remote.endpoint import Endpoint
    from lambdakit.local.sources.source import Place, SourceError


class RemoteQueue(RemoteSource):
    """A queue of SQS at an endpoint; a FIFO queue if its name ends in ``.fifo``.

    Args:
        queue: Its URL, its ARN or its name.
        place: Where the local Lambda is.
        calls: Has requests made; asked for when the queue is mapped.
        endpoint: Where it is reached.
        wait_time_seconds: How long a request waits for messages, 1 to 20 seconds. ``run`` and ``close`` wait for its
            answer.

    Attributes:
        visibility_timeout: How long a message that was received is hidden, in seconds, as it was when it was mapped.
        undeleted: The messages that a function was done with and that could not be deleted, with the reason: they come
            again.
    """

    kind = "sqs"
    service = "sqs"

    def __init__(
        self,
        queue: str,
        place: Place,
        calls: Callable[[], Calls],
        endpoint: Endpoint,
        *,
        wait_time_seconds: int = 1,
    ) -> None:
        check_range("wait_time_seconds", wait_time_seconds, 1, 20, "seconds")
        name = queue.rpartition("/")[2] if "://" in queue else queue.rpartition(":")[2]
        super().__init__(queue, name, place, calls, endpoint, wait=wait_time_seconds)
        self.fifo = name.endswith(".fifo")
        self.visibility_timeout = 30
        self.wait_time_seconds = wait_time_seconds
        self.undeleted: list[tuple[RemoteMessage, str]] = []
        self._url = queue

    def _look_up(self) -> None:
        if "://" not in self._url:
            owner = {"QueueOwnerAWSAccountId": account_of(self.arn)} if self.arn else {}
            self._url = self.client.get_queue_url(QueueName=self.name, **owner)["QueueUrl"]
        wanted = ["QueueArn", "VisibilityTimeout"]
        attributes = self.client.get_queue_attributes(QueueUrl=self._url, AttributeNames=wanted)["Attributes"]
        self.arn = attributes["QueueArn"]
        self.visibility_timeout = int(attributes["VisibilityTimeout"])

    # What a mapping does with it: see QueueSource.

    def records(self, *, window: bool) -> Callable[[RemoteMessage], bytes]:
        """What writes a message as it stands in an event."""
        return RemoteQueueRecords(self.arn, window=window).record

    def poll(
        self,
        most: int,
        visibility_timeout: float | None,
        then: Callable[[list[RemoteMessage]], None],
        failed: Callable[[SourceError], None],
    ) -> QueuePoll:
        """Wait for messages; those that come after ``cancel`` are given back."""
        hidden = {} if visibility_timeout is None else {"VisibilityTimeout": ceil(visibility_timeout)}
        poll = QueuePoll(self, self.calls, {"MaxNumberOfMessages": most, **hidden}, then, failed)
        poll.ask()
        return poll

    def delete_batch(self, receipts: Iterable[tuple[RemoteMessage, str]]) -> None:
        """Delete messages, ten with a request."""
        for messages in _in_tens([message for message, _ in receipts]):
            Deletion(self.calls, self.place.clock, self._delete, messages, self._give_up).begin()

    # For polls, in threads.

    def receive(self, wait_time_seconds: int, settings: dict[str, int]) -> list[RemoteMessage]:
        """Receive messages."""
        answer = self.client.receive_message(
            QueueUrl=self._url,
            WaitTimeSeconds=wait_time_seconds,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
            **settings,
        )
        now = self.place.clock.now
        return [RemoteMessage.of(message, now) for message in answer.get("Messages", [])]

    def give_back(self, messages: Sequence[RemoteMessage]) -> None:
        """Have messages that were received be seen at once; if that fails, they are when their time is over."""
        for some in _in_tens(messages):
            try:
                self.client.change_message_visibility_batch(
                    QueueUrl=self._url, Entries=entries_of(some, VisibilityTimeout=0)
                )
            except Exception as error:  # noqa: BLE001 - raised again if it is not the service's
                LOG.warning("%r: messages can't be given back, and are hidden for a while: %s", self, failure_of(error))
                return

    def _delete(self, entries: list[dict[str, str]]) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return answer

    def _give_up(self, message: RemoteMessage, why: str) -> None:
        self.undeleted.append((message, why))
        LOG.warning(
            "%r: message %s was processed and can't be deleted, so it will come again: %s",
            self,
            message.message_id,
            why,
        )


class QueuePoll(Watch[list[RemoteMessage]]):
    """Waits for messages of a queue, once."""

    def __init__(
        self,
        queue: RemoteQueue,
        calls: Calls,
        settings: dict[str, int],
        then: Callable[[list[RemoteMessage]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        super().__init__(calls, queue.place.clock)
        self._queue = queue
        self._settings = settings
        self._then = then
        self._fail = failed

    def _request(self, *, quick: bool) -> list[RemoteMessage]:
        messages = self._queue.receive(0 if quick else self._queue.wait_time_seconds, self._settings)
        if self.cancelled and messages:
            self._queue.give_back(messages)
            return []
        return messages

    def _take(self, answer: list[RemoteMessage]) -> bool:
        if not answer:
            return False
        if self.cancelled:
            self._calls.start(Call(partial(self._queue.give_back, answer), _nothing, _nothing))
        else:
            self._then(answer)
        return True

    def _failed(self, error: SourceError) -> None:
        LOG.warning("%r can't be polled: %s", self._queue, error)
        self._fail(error)

    def _due(self, *, again: bool, idle: bool) -> float:
        return self._clock.now + PACE if again and not idle else 0.0


def _in_tens(messages: Sequence[RemoteMessage]) -> Iterable[Sequence[RemoteMessage]]:
    return (messages[start : start + MOST_OF_A_BATCH] for start in range(0, len(messages), MOST_OF_A_BATCH))


def _nothing(_: object) -> None: ...
