"""The deletion of messages that a function was done with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.local.mappings.polling import delay
from lambdakit.local.remote.calls import Call, Calls

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.remote.message import RemoteMessage
    from lambdakit.local.sources.source import SourceError

MOST_ATTEMPTS = 5
"""The fifth comes 15 s after the first, where messages are hidden for 30 s."""


class Deletion:
    """Deletes up to ten messages. Those that fail are tried again, unless it is for the handle's sake.

    Args:
        calls: Has the requests made.
        clock: Tells the time.
        request: ``DeleteMessageBatch``, given the entries.
        messages: The messages.
        give_up: Is told of a message that could not be deleted, and why.
    """

    def __init__(
        self,
        calls: Calls,
        clock: Clock,
        request: Callable[[list[dict[str, str]]], dict[str, Any]],
        messages: Sequence[RemoteMessage],
        give_up: Callable[[RemoteMessage, str], None],
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._request = request
        self._messages = messages
        self._give_up = give_up
        self._attempts = 0

    def begin(self) -> None:
        """Delete them; for actions to call."""
        due = self._clock.now + delay(self._attempts) if self._attempts else 0.0
        self._attempts += 1
        self._calls.start(Call(self._delete, self._answered, self._failed, due=due))

    def _delete(self) -> dict[str, Any]:
        return self._request(entries_of(self._messages))

    def _answered(self, answer: dict[str, Any]) -> None:
        self._try_again(answer.get("Failed", []))

    def _failed(self, error: SourceError) -> None:
        why = {"Code": error.code, "Message": error.message, "SenderFault": False}
        self._try_again([{"Id": str(number), **why} for number in range(len(self._messages))])

    def _try_again(self, failed: Sequence[dict[str, Any]]) -> None:
        """Try those again for which there is hope."""
        hopeful: list[RemoteMessage] = []
        for each in failed:
            message = self._messages[int(each["Id"])]
            if each.get("SenderFault") or self._attempts == MOST_ATTEMPTS:
                self._give_up(message, f"{each['Code']}: {each.get('Message', '')}")
            else:
                hopeful.append(message)
        if hopeful:
            self._messages = hopeful
            self.begin()


def entries_of(messages: Sequence[RemoteMessage], **settings: Any) -> list[dict[str, Any]]:
    """The entries of a batch request, each with its number as its id."""
    return [
        {"Id": str(number), "ReceiptHandle": message.receipt_handle, **settings}
        for number, message in enumerate(messages)
    ]
