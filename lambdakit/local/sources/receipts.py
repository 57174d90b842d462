"""Receipt handles: what a receiver is given to delete a message with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import token

if TYPE_CHECKING:
    from lambdakit.local.sources.messages import Message

LENGTH = 176
_START = "AQEB"
_DIGITS = 32 + 4
"""Those of the message's id, and of how often it was received."""


class Receipts:
    """The handles of a queue: another one for each time that a message is received, as long as those of SQS."""

    __slots__ = ("_end",)

    def __init__(self, arn: str) -> None:
        self._end = token(LENGTH - len(_START) - _DIGITS, "receipt", arn)

    def handle(self, message: Message) -> str:
        """The handle for a message that was just received."""
        return f"{_START}{message.message_id.replace('-', '')}{message.receive_count & 0xFFFF:04x}{self._end}"

    def message_id(self, handle: str | None) -> str:
        """The id of the message that a handle was made for.

        Raises:
            SourceError: it was not made for one of this queue.
        """
        if handle is None or len(handle) != LENGTH or not handle.endswith(self._end):
            raise SourceError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
        digits = handle[len(_START) :]
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"
