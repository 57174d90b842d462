"""Messages of a local SNS topic: their text, subject and attributes, and what SNS does not take for them.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import from_json

from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import text_of

if TYPE_CHECKING:
    from datetime import datetime

    from lambdakit.local.sources.outlet import MessageAttributes

MAX_MESSAGE_BYTES = 262_144
"""The largest message, with its attributes."""


@dataclass(frozen=True)
class Message:
    """A message that was published.

    Attributes:
        message_id: Its id.
        message: Its text; with a ``json`` message structure, that JSON.
        subject: Its subject, if any.
        attributes: Its attributes, as in SNS's API: ``{"DataType": "String", "StringValue": "text"}``.
        structure: The message structure: ``"json"``, or None.
        message_group_id: Its message group, if any.
        message_deduplication_id: The id by which a FIFO topic knows it again.
        sequence_number: Its place among those of the topic.
        time: When it was published.
    """

    message_id: str
    message: str
    subject: str | None
    attributes: MessageAttributes
    structure: Literal["json"] | None
    message_group_id: str | None
    message_deduplication_id: str | None
    sequence_number: int
    time: datetime

    def text_for(self, protocol: str) -> str:
        """What the subscribers of a protocol get."""
        if self.structure is None:
            return self.message
        texts: dict[str, str] = from_json(self.message)
        text = texts.get(protocol)
        return text if isinstance(text, str) else texts["default"]


def invalid(problem: str) -> SourceError:
    """SNS's usual refusal."""
    return SourceError("InvalidParameter", f"Invalid parameter: {problem}")


def check_message(text: str, subject: str | None, attributes: MessageAttributes, structure: str | None) -> None:
    """Refuse what SNS does not publish.

    Raises:
        SourceError: it is empty or too long, or the subject or the structure is wrong.
    """
    if not text:
        raise invalid("Empty message")
    if subject is not None and not (1 <= len(subject) <= 100 and subject.isprintable()):
        raise invalid("Subject")
    if structure not in (None, "json"):
        raise invalid(f"MessageStructure: {structure!r}; the only one is 'json'")
    if structure == "json":
        _check_texts(text)
    if size_of(text, attributes) > MAX_MESSAGE_BYTES:
        raise invalid("Message too long")


def _check_texts(text: str) -> None:
    try:
        texts = from_json(text)
    except ValueError:
        texts = None
    if not isinstance(texts, dict):
        raise invalid("Message Structure - JSON message body failed to parse")
    if not isinstance(texts.get("default"), str):
        raise invalid("Message Structure - No default entry in JSON message body")


def size_of(text: str, attributes: MessageAttributes) -> int:
    """In bytes: of the text, and of all that attributes consist of."""
    return len(text.encode()) + sum(
        len(name.encode()) + sum(map(_bytes, attribute.values())) for name, attribute in attributes.items()
    )


def _bytes(value: Any) -> int:
    return len(value if isinstance(value, bytes) else str(value).encode())


# Attributes.


def checked_attribute(name: str, value: Any) -> dict[str, Any]:
    """An attribute as in SNS's API, of a Python value or of that itself.

    Raises:
        SourceError: SNS would refuse it.
    """
    _check_attribute_name(name)
    given = dict(value) if isinstance(value, Mapping) else _api_form(value)
    kind = given.get("DataType", "")
    if kind.partition(".")[0] not in ("String", "Number", "Binary"):
        raise SourceError(
            "ParameterValueInvalid",
            f"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes "
            "is Binary, Number, and String.",
        )
    content = "BinaryValue" if kind.startswith("Binary") else "StringValue"
    if not given.get(content):
        raise SourceError(
            "ParameterValueInvalid",
            f"The message attribute '{name}' must contain non-empty message attribute value for message attribute type "
            f"'{kind}'.",
        )
    if kind.startswith("Number") and not _is_number(given[content]):
        raise SourceError("ParameterValueInvalid", f"Could not cast message attribute '{name}' value to number.")
    return given


def _api_form(value: Any) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"DataType": "Binary", "BinaryValue": value}
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return {"DataType": "Number", "StringValue": str(value)}
    kind = "String.Array" if isinstance(value, list | tuple) else "String"
    return {"DataType": kind, "StringValue": text_of(value)}


def written(given: Mapping[str, Any]) -> dict[str, str]:
    """An attribute as notifications have it."""
    binary = given.get("BinaryValue")
    value = b64encode(binary).decode() if binary is not None else given["StringValue"]
    return {"Type": given["DataType"], "Value": value}


def _check_attribute_name(name: str) -> None:
    if len(name) > 256:
        problem = "Length of message attribute name must be less than 256 bytes."
    elif name.startswith("."):
        problem = "Invalid message attribute name starting with character '.' was found."
    elif name.endswith("."):
        problem = "Invalid message attribute name ending with character '.' was found."
    elif ".." in name:
        problem = "Message attribute name can not have successive '.' character."
    elif wrong := re.search(r"[^A-Za-z0-9_.-]", name):
        problem = (
            f"Invalid non-alphanumeric character '#x{ord(wrong[0]):X}' was found in the message attribute name. "
            "Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    else:
        return
    raise SourceError("ParameterValueInvalid", problem)


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False
