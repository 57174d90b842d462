"""A local SNS topic: messages that are published to it, and the subscriptions to which they fan out.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from lambdakit.local.sources.filter_policy import FilterPolicy, FilterPolicyScope
from lambdakit.local.sources.sns_message import (
    MAX_MESSAGE_BYTES,
    Message,
    check_message,
    checked_attribute,
    invalid,
    size_of,
)
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.local.sources.subscription import Subscription
from lambdakit.testing.events.values import text_of

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import MessageAttributes, QueueTarget, Target

DEDUPLICATION_SECONDS = 300
"""How long a FIFO topic knows a message again."""

_FIRST_NUMBER = 10_000_000_000_000_000_000


class Topic(Source):
    """A topic of the local SNS. What is published goes to each subscription that takes it, when the clock runs.

    Args:
        name: Its name; that of a FIFO topic ends in ``.fifo``.
        place: Where it is.
        content_based_deduplication: Whether a FIFO topic knows a message again by its text.

    Attributes:
        published: The messages, in order.
        subscriptions: Who gets them.

    Raises:
        SourceError: SNS does not take the name.

    >>> from lambdakit.local.virtual.clock import VirtualClock
    >>> topic = Topic("alerts", Place(VirtualClock()))
    >>> topic.publish("Disk full", subject="db-1").subject
    'db-1'
    """

    def __init__(self, name: str, place: Place, *, content_based_deduplication: bool = False) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", name.removesuffix(".fifo")) or len(name) > 256:
            raise SourceError("InvalidParameter", f"Invalid parameter: Topic Name: {name!r}")
        super().__init__(name, place, place.arn("sns", name))
        self.content_based_deduplication = content_based_deduplication
        self.published: list[Message] = []
        self.subscriptions: list[Subscription] = []
        self._recent: dict[str, tuple[float, Message]] = {}

    @property
    def is_fifo(self) -> bool:
        """Whether it keeps the order of messages."""
        return self.name.endswith(".fifo")

    def publish(
        self,
        message: Any,
        subject: str | None = None,
        *,
        message_attributes: Mapping[str, Any] | None = None,
        message_structure: Literal["json"] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
    ) -> Message:
        """Publish a message.

        Args:
            message: Text as it is; anything else (a model, a dict, ...) as JSON.
            subject: Up to 100 characters, without line breaks.
            message_attributes: Text, numbers, bytes or lists; or as in SNS's API.
            message_structure: ``"json"`` where the message is a JSON object with a text for each protocol
                (``"lambda"``, ``"sqs"``) and a ``"default"``.
            message_group_id: The message group: a FIFO topic needs one.
            message_deduplication_id: The id by which a FIFO topic knows the message again for five minutes.

        Returns:
            The message; the earlier one, if a FIFO topic knows it already and delivers it no more.

        Raises:
            SourceError: SNS would refuse it.
        """
        text = text_of(message)
        attributes = _attributes(message_attributes)
        check_message(text, subject, attributes, message_structure)
        message_deduplication_id = self._deduplication(text, message_group_id, message_deduplication_id)
        known = self._known(message_deduplication_id)
        if known is not None:
            return known
        published = Message(
            message_id=self.place.new_id(),
            message=text,
            subject=subject,
            attributes=attributes,
            structure=message_structure,
            message_group_id=message_group_id,
            message_deduplication_id=message_deduplication_id,
            sequence_number=_FIRST_NUMBER + len(self.published) * 1000,
            time=self.place.clock.today,
        )
        self.published.append(published)
        if message_deduplication_id is not None:
            self._recent[message_deduplication_id] = self.place.clock.now, published
        for subscription in self.subscriptions:
            subscription.take(published)
        return published

    def publish_batch(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Publish up to ten messages.

        Args:
            entries: As boto3's ``PublishBatchRequestEntries``: ``{"Id": "1", "Message": "text", ...}``.

        Returns:
            As boto3: ``{"Successful": [{"Id": ..., "MessageId": ...}], "Failed": [...]}``.

        Raises:
            SourceError: SNS would refuse the whole batch.
        """
        _check_batch(entries)
        answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
        for entry in entries:
            try:
                published = self.publish(**{_PARAMETERS[name]: entry[name] for name in entry if name != "Id"})
            except SourceError as error:
                failed = {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True}
                answer["Failed"].append(failed)
            else:
                number = {"SequenceNumber": str(published.sequence_number)} if self.is_fifo else {}
                answer["Successful"].append({"Id": entry["Id"], "MessageId": published.message_id, **number})
        return answer

    def subscribe(
        self,
        target: Target,
        filter_policy: Mapping[str, Any] | None = None,
        filter_policy_scope: FilterPolicyScope = "MessageAttributes",
        raw_message_delivery: bool = False,
        dead_letter_queue: QueueTarget | None = None,
    ) -> Subscription:
        """Have a function or a queue get the topic's messages.

        Args:
            target: A function; or a queue, which alone a FIFO topic has for a subscriber.
            filter_policy: Which messages it gets; by default all.
            filter_policy_scope: Whether the policy looks at their attributes or their body.
            raw_message_delivery: Whether a queue gets the message itself, with its attributes, rather than SNS's JSON.
            dead_letter_queue: Where a message goes that the target does not take.

        Returns:
            The subscription; the one that there is, if the target has one with the same settings.

        Raises:
            SourceError: SNS would refuse it.
            TypeError: the target is neither a function nor a queue.
        """
        subscription = Subscription(
            self,
            target,
            FilterPolicy(filter_policy, filter_policy_scope) if filter_policy else None,
            raw_message_delivery=raw_message_delivery,
            dead_letter_queue=dead_letter_queue,
        )
        for other in self.subscriptions:
            if other.target.arn == target.arn:
                return other.or_refuse(subscription)
        self.subscriptions.append(subscription)
        return subscription

    def _deduplication(self, text: str, message_group_id: str | None, given: str | None) -> str | None:
        """The id by which the message is known again; None without such a memory."""
        if not self.is_fifo:
            if given is not None:
                raise invalid(
                    "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not "
                    "valid for this topic type"
                )
            return None
        if not message_group_id:
            raise invalid("The MessageGroupId parameter is required for FIFO topics")
        if given is None and not self.content_based_deduplication:
            raise invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                "explicitly"
            )
        return given or sha256(text.encode()).hexdigest()

    def _known(self, message_deduplication_id: str | None) -> Message | None:
        if message_deduplication_id is None or message_deduplication_id not in self._recent:
            return None
        published, message = self._recent[message_deduplication_id]
        return message if self.place.clock.now - published < DEDUPLICATION_SECONDS else None


def _attributes(given: Mapping[str, Any] | None) -> MessageAttributes:
    return {name: checked_attribute(name, value) for name, value in (given or {}).items()}


_PARAMETERS = {
    "Message": "message",
    "Subject": "subject",
    "MessageAttributes": "message_attributes",
    "MessageStructure": "message_structure",
    "MessageGroupId": "message_group_id",
    "MessageDeduplicationId": "message_deduplication_id",
}


def _check_batch(entries: Sequence[Mapping[str, Any]]) -> None:
    for name in {*chain(*entries)} - {"Id", *_PARAMETERS}:
        message = f'Unknown parameter in PublishBatchRequestEntries: "{name}", must be one of: {", ".join(_PARAMETERS)}'
        raise SourceError("ParamValidationError", message)
    ids = [entry["Id"] for entry in entries]
    if not ids:
        raise SourceError("EmptyBatchRequest", "The batch request doesn't contain any entries.")
    if len(ids) > 10:
        message = "The batch request contains more entries than permissible."
        raise SourceError("TooManyEntriesInBatchRequest", message)
    if len({*ids}) < len(ids):
        message = "Two or more batch entries in the request have the same Id."
        raise SourceError("BatchEntryIdsNotDistinct", message)
    if (
        sum(size_of(text_of(entry["Message"]), _attributes(entry.get("MessageAttributes"))) for entry in entries)
        > MAX_MESSAGE_BYTES
    ):
        message = "The length of all the messages put together is more than the limit."
        raise SourceError("BatchRequestTooLong", message)
