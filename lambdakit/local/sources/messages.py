"""Messages of SQS: what may be sent, and what is known of a message on its way.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from lambdakit.events.model import attribute_value
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.sqs_messages import attribute_of, md5_of_attributes
from lambdakit.testing.events.values import Event, text_of

if TYPE_CHECKING:
    from lambdakit.local.sources.queue import Queue

VISIBLE, DELAYED, IN_FLIGHT, GONE = range(4)
"""Where a message is: to be received, not yet, with a consumer, no longer in the queue."""

MOST_ATTRIBUTES = 10

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!AWS\.|Amazon\.)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.IGNORECASE)
_TYPES = ("String", "Number", "Binary")


class Message:
    """A message of a queue. It is the same object for as long as it is there, and shows what happens to it.

    Attributes:
        message_id: Its id, which it keeps in a dead-letter queue.
        body: Its text.
        receipt_handle: What the last receiver was given to delete it with, or None.
        receive_count: How often it was received.
        sent_timestamp: When it was sent, in milliseconds of Unix time.
        first_received: When it was received first, in milliseconds of Unix time, or None.
        message_group_id, message_deduplication_id, sequence_number: As in SQS, or None.
        error: The type of the error, if Lambda gave up an event and sent it here; Lambda itself does not say it.
    """

    __slots__ = (
        "body",
        "error",
        "first_received",
        "last_received",
        "lined_up",
        "message_deduplication_id",
        "message_group_id",
        "message_id",
        "number",
        "raw_attributes",
        "receipt_handle",
        "receive_count",
        "sent_timestamp",
        "sequence_number",
        "source",
        "state",
        "visible_at",
    )

    def __init__(self, message_id: str, body: str, sent_timestamp: int) -> None:
        self.message_id = message_id
        self.body = body
        self.sent_timestamp = sent_timestamp
        self.raw_attributes: dict[str, Event] | None = None
        self.message_group_id: str | None = None
        self.message_deduplication_id: str | None = None
        self.sequence_number: str | None = None
        self.receipt_handle: str | None = None
        self.receive_count = 0
        self.first_received: int | None = None
        self.error: str | None = None
        # What the queue remembers: its place in a FIFO queue, where it is and since and until when, whether a line
        # has it, and the queue from which it was dead-lettered.
        self.number = 0
        self.state = VISIBLE
        self.lined_up = False
        self.last_received = 0.0
        self.visible_at = 0.0
        self.source: Queue | None = None

    def copy(self, message_id: str, sent_timestamp: int) -> Message:
        """A message that says the same, for another queue."""
        copy = Message(message_id, self.body, sent_timestamp)
        copy.raw_attributes, copy.error = self.raw_attributes, self.error
        copy.message_group_id = self.message_group_id
        copy.message_deduplication_id = self.message_deduplication_id
        return copy

    @property
    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: it is not JSON.
        """
        return from_json(self.body)

    @property
    def md5_of_body(self) -> str:
        """The MD5 digest of the body."""
        return md5(self.body.encode(), usedforsecurity=False).hexdigest()

    @property
    def md5_of_message_attributes(self) -> str | None:
        """The MD5 digest of the message attributes; None where there are none."""
        return md5_of_attributes(self.raw_attributes) if self.raw_attributes else None

    @property
    def message_attributes(self) -> dict[str, Any]:
        """The sender's attributes: str, Decimal or bytes."""
        return {name: _python_value(attribute) for name, attribute in (self.raw_attributes or {}).items()}

    @property
    def request_id(self) -> str | None:
        """The invocation that was given up, if Lambda sent this: the attribute ``RequestID``."""
        return self.message_attributes.get("RequestID")

    @property
    def error_code(self) -> int | None:
        """The attribute ``ErrorCode`` of what Lambda sent: 200 for every function error."""
        code = self.message_attributes.get("ErrorCode")
        return None if code is None else int(code)

    @property
    def error_message(self) -> str | None:
        """The attribute ``ErrorMessage`` of what Lambda sent, at most 1 KB."""
        return self.message_attributes.get("ErrorMessage")

    def __repr__(self) -> str:
        body = self.body if len(self.body) <= 50 else f"{self.body[:50]}..."
        return f"<Message {self.message_id[:8]} {body!r}>"


def _python_value(attribute: Event) -> Any:
    kind = attribute["dataType"].partition(".")[0]
    return attribute_value(kind, attribute["binaryValue" if kind == "Binary" else "stringValue"])


def read_body(body: Any) -> str:
    """The text of a body: text as it is, bytes as UTF-8, anything else as JSON.

    Raises:
        SourceError: SQS would not take it.
    """
    try:
        text = body.decode() if isinstance(body, bytes) else body if isinstance(body, str) else text_of(body)
    except UnicodeDecodeError as error:
        raise _invalid_contents() from error
    if not text:
        raise SourceError("MissingParameter", "The request must contain the parameter MessageBody.")
    if _FORBIDDEN.search(text):
        raise _invalid_contents()
    return text


def _invalid_contents() -> SourceError:
    return SourceError(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are "
        "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
    )


def read_attributes(given: Mapping[str, Any]) -> dict[str, Event]:
    """Message attributes as an event has them: of values, of what boto3 takes, or of what an event has.

    Raises:
        SourceError: SQS would not take them.
    """
    if len(given) > MOST_ATTRIBUTES:
        message = f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        raise SourceError("InvalidParameterValue", message)
    return {name: _read_attribute(name, value) for name, value in given.items()}


def _read_attribute(name: str, value: Any) -> Event:
    if len(name) > 256 or not _ATTRIBUTE_NAME.fullmatch(name):
        raise SourceError(
            "InvalidParameterValue",
            f"The message attribute name '{name}' is invalid. Attribute name can contain A-Z, a-z, 0-9, "
            "underscore (_), hyphen (-), and period (.) characters.",
        )
    attribute = attribute_of(attribute_of_boto3(value) if isinstance(value, Mapping) and "DataType" in value else value)
    kind = str(attribute.get("dataType")).partition(".")[0]
    if kind not in _TYPES:
        raise SourceError(
            "InvalidParameterValue",
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type "
            "prefixes is Binary, Number, and String.",
        )
    if not attribute.get("binaryValue" if kind == "Binary" else "stringValue"):
        raise SourceError(
            "InvalidParameterValue",
            f"Message (user) attribute '{name}' must contain a non-empty value of type '{attribute['dataType']}'.",
        )
    return attribute


def attribute_of_boto3(value: Mapping[str, Any]) -> Event:
    """A message attribute as an event has it, of one as boto3 has it."""
    if "BinaryValue" in value:
        data = {"binaryValue": b64encode(value["BinaryValue"]).decode()}
    else:
        data = {"stringValue": value.get("StringValue") or ""}
    return {**data, "stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}


def size_of(body: str, attributes: Mapping[str, Event] | None) -> int:
    """What counts of a message towards its largest size, in bytes: the body, and the names, types and values."""
    size = len(body) if body.isascii() else len(body.encode())
    for name, attribute in (attributes or {}).items():
        value = attribute.get("stringValue") or ""
        binary = len(attribute.get("binaryValue") or "") * 3 // 4
        size += len(name) + len(attribute["dataType"]) + len(value.encode()) + binary
    return size
